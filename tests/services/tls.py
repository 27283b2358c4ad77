#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""An asyncio server that echoes lines over TLS, and clients that verify each.

usage: tls.py serve ADDRESS PORT CERTIFICATE KEY       until killed
       tls.py ask ADDRESS PORT COUNT CERTIFICATE REPORT  until /shared/stop exists

REPORT is JSON: how many lines came back, how many wrong, how many connections failed.
"""
import asyncio
import json
import os
import ssl
import sys

STOP = "/shared/stop"
PATIENCE = 15


async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def serve(address, port, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(echo, address, port, ssl=context, backlog=1000)
    await server.serve_forever()


async def client(number, address, port, context, report):
    line = 0
    try:
        reader, writer = await asyncio.open_connection(address, port, ssl=context,
                                                       server_hostname="service")
        while not os.path.exists(STOP):
            sent = b"client %d line %d\n" % (number, line)
            writer.write(sent)
            async with asyncio.timeout(PATIENCE):
                report["wrong"] += await reader.readline() != sent
            report["lines"] += 1
            line += 1
            await asyncio.sleep(0.02)
        # Both ends say that they close, lest one's last word draws an RST.
        writer.close()
        await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        report["failed"] += 1
        report["error"] = repr(error)


async def ask(address, port, count, certificate, path):
    context = ssl.create_default_context(cafile=certificate)
    report = {"lines": 0, "wrong": 0, "failed": 0}
    await asyncio.gather(*(client(n, address, port, context, report) for n in range(count)))
    with open(path, "w", encoding="ascii") as file:
        json.dump(report, file)


if sys.argv[1] == "serve":
    asyncio.run(serve(sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]))
else:
    asyncio.run(ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], sys.argv[6]))
