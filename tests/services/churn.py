#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Clients of redis that come, ask and go, so many a second; every one is to be served.

usage: churn.py ADDRESS PORT RATE REPORT   (until SIGTERM; REPORT is JSON)

One in three closes first, one in three has redis close first, and one in three has redis
close behind an answer that is too large to be sent at once.
"""
import asyncio
import json
import signal
import sys

BIG = 300_000
PATIENCE = 15


async def ask(reader, writer, kind):
    if kind == 0:
        writer.write(b"PING\r\n")
        return await reader.readexactly(7) == b"+PONG\r\n"
    if kind == 1:
        writer.write(b"QUIT\r\n")
        return await reader.read() == b"+OK\r\n"
    writer.write(b"GET big\r\nQUIT\r\n")
    # Read slowly enough for redis to be gone before its answer is.
    await asyncio.sleep(0.002)
    answer = await reader.read()
    return answer == b"$%d\r\n%s\r\n+OK\r\n" % (BIG, b"x" * BIG)


async def client(address, port, kind, report):
    began = asyncio.get_running_loop().time()
    writer = None
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(address, port)
            right = await ask(reader, writer, kind)
        report["served" if right else "wrong"] += 1
    except ConnectionRefusedError:
        report["refused"] += 1
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        report["reset"] += 1
        report["errors"].append(f"{kind}: {error!r}")
    except (TimeoutError, OSError) as error:
        report["unserved"] += 1
        report["errors"].append(f"{kind}: {error!r}")
    finally:
        if writer:
            writer.close()
    waited = asyncio.get_running_loop().time() - began
    report["longest_s"] = max(report["longest_s"], waited)


async def main(address, port, rate, path):
    report = {"served": 0, "wrong": 0, "refused": 0, "reset": 0, "unserved": 0,
              "longest_s": 0.0, "errors": []}
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    clients, began, n = set(), loop.time(), 0
    while not stop.is_set():
        while n < (loop.time() - began) * rate:
            task = asyncio.create_task(client(address, port, n % 3, report))
            clients.add(task)
            task.add_done_callback(clients.discard)
            n += 1
        await asyncio.sleep(0.001)
    if clients:
        await asyncio.wait(set(clients))
    report["seconds"] = loop.time() - began
    with open(path, "w", encoding="ascii") as file:
        json.dump(report, file, indent=1)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))
