#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Both ends of TCP connections that carry known bytes in both directions, each verified.

usage: stream.py listen REPORT [OPTION...] ADDRESS,PORT...    until killed
       stream.py connect REPORT [OPTION...] ADDRESS,PORT...   until all connections have ended

  --each PLAN --other PLAN   what the connecting end does, and what it asks of the other
  --count N       connections to each endpoint
  --bind ADDRESS  connect from there
  --buffer BYTES  of each socket, in both directions
  --workers N     as many processes accept from the same sockets
  --reuseport     ... from sockets of their own
  --outgoing REPORT ADDRESS,PORT   connects, too, by the options of connecting
  --datagrams ADDRESS,PORT         returns datagrams, too (datagrams.py)

PLAN is JSON; an end sends until /shared/stop exists, and shuts down writing, except:
  bytes    sends so many
  rate     bytes a second (default 20000; 0: as fast as it can)
  pause    stops after its first bytes until this file exists
  read     reads nothing until this file exists
  options  of the socket: {"SO_KEEPALIVE": 1}; the same are to be there at the end
  unkept   the same, of those that CRIU does not restore

Every end of a connection appends a line of JSON to REPORT when both directions have ended,
or at the first that is wrong. connect's exit status: 0 if nothing was.
"""
import argparse
import fcntl
import hashlib
import json
import os
import socket
import sys
import threading
import time

import datagrams

STOP = "/shared/stop"
PERIOD = 999_983
CHUNK = 1000
PATIENCE = 60
FORCE = {"receive": 33, "send": 32}  # SO_RCVBUFFORCE, SO_SNDBUFFORCE


class Pattern:
    """The bytes of one direction of one connection, by their position."""
    bytes = {end: hashlib.shake_128(end.encode()).digest(PERIOD) * 2
             for end in ("connecting", "listening")}

    def __init__(self, end, number):
        self.period, self.at = self.bytes[end], number * 7919 % PERIOD

    def next(self, length):
        taken = self.period[self.at:self.at + length]
        self.at = (self.at + length) % PERIOD
        return taken


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.02)


def option(name):
    level = socket.IPPROTO_TCP if name.startswith("TCP_") else socket.SOL_SOCKET
    return level, getattr(socket, name)


def readable(connection):
    return "%s %s" % (connection.getsockname()[:2], connection.getpeername()[:2])


class End:
    """One end of one connection."""

    def __init__(self, connection, report, plan, number, connecting):
        self.connection, self.report, self.plan = connection, report, plan
        ends = ("connecting", "listening") if connecting else ("listening", "connecting")
        self.outgoing, self.incoming = (Pattern(end, number) for end in ends)
        self.verdict = {"who": readable(connection), "sent": 0, "received": 0, "wrong": 0,
                        "reset": 0, "late": 0, "options": 0}
        connection.settimeout(PATIENCE)
        for name, value in (plan.get("options", {}) | plan.get("unkept", {})).items():
            connection.setsockopt(*option(name), value)

    def send(self):
        rate, limit, began = self.plan.get("rate", 20000), self.plan.get("bytes"), time.monotonic()
        paused = self.plan.get("pause")
        while self.verdict["sent"] < limit if limit is not None else not os.path.exists(STOP):
            # What is sent first stands in the queue when there is no rate.
            size = CHUNK if rate else 64 * CHUNK
            if limit is not None:
                size = min(size, limit - self.verdict["sent"])
            self.connection.sendall(self.outgoing.next(size))
            self.verdict["sent"] += size
            if paused:
                wait_for(paused)
                paused, began = None, time.monotonic() - self.verdict["sent"] / (rate or 1)
            ahead = self.verdict["sent"] / rate - (time.monotonic() - began) if rate else 0
            # What a freeze has cost is not made up for.
            if ahead > 0:
                time.sleep(ahead)
            elif rate and ahead < -0.1:
                began = time.monotonic() - self.verdict["sent"] / rate
        self.connection.shutdown(socket.SHUT_WR)

    def receive(self):
        if "read" in self.plan:
            wait_for(self.plan["read"])
        while data := self.connection.recv(1 << 16):
            self.verdict["received"] += len(data)
            if data != self.incoming.next(len(data)):
                self.verdict["wrong"] = 1
                raise ValueError("wrong bytes before %d" % self.verdict["received"])

    def guarded(self, what):
        try:
            what()
        except TimeoutError:
            self.verdict["late"] = 1
        except OSError as error:
            self.verdict["reset"] = 1
            self.verdict["error"] = repr(error)
        except ValueError as error:
            self.verdict["error"] = repr(error)

    def run(self):
        sender = threading.Thread(target=self.guarded, args=(self.send,))
        sender.start()
        self.guarded(self.receive)
        if not self.verdict["wrong"]:
            sender.join()
        for name, value in self.plan.get("options", {}).items():
            self.verdict["options"] += self.connection.getsockopt(*option(name)) != value
        with open(self.report, "a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps(self.verdict) + "\n")
        self.connection.close()

    def good(self):
        return not any(self.verdict[what] for what in ("wrong", "reset", "late", "options"))


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def enlarge(sock, size):
    for which in FORCE.values() if size else ():
        sock.setsockopt(socket.SOL_SOCKET, which, size)


def serve_one(connection, report):
    header = b""
    while not header.endswith(b"\n"):
        header += connection.recv(1) or b"\n"
    if header != b"\n":
        asked = json.loads(header)
        End(connection, report, asked["plan"], asked["number"], False).run()


def accept(listener, report):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve_one, args=(connection, report)).start()


def open_listeners(args):
    listeners = []
    for endpoint in args.endpoints:
        address, port = endpoint.split(",")
        listener = socket.socket(family(address), socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if args.reuseport:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        enlarge(listener, args.buffer)
        listener.bind((address, int(port)))
        listener.listen(1000)
        listeners.append(listener)
    return listeners


def work(args, listeners):
    for listener in listeners:
        threading.Thread(target=accept, args=(listener, args.report)).start()
    threading.Event().wait()


def listen(args):
    listeners = [] if args.reuseport else open_listeners(args)
    if args.datagrams:
        address, port = args.datagrams.split(",")
        threading.Thread(target=datagrams.serve, args=(address, int(port))).start()
    if args.outgoing:
        threading.Thread(target=connect, args=(args, *args.outgoing)).start()
    for _ in range(args.workers):
        if os.fork() == 0:
            work(args, listeners or open_listeners(args))
    if args.workers:
        os.wait()
    else:
        work(args, listeners)


def connect(args, report, *endpoints):
    ends, number = [], os.getpid()
    for endpoint in endpoints * args.count:
        address, port = endpoint.split(",")
        connection = socket.socket(family(address), socket.SOCK_STREAM)
        enlarge(connection, args.buffer)
        if args.bind:
            connection.bind((args.bind, 0))
        connection.connect((address, int(port)))
        number += 1
        asked = {"number": number, "plan": json.loads(args.other)}
        connection.sendall(json.dumps(asked).encode() + b"\n")
        ends.append(End(connection, report, json.loads(args.each), number, True))
    threads = [threading.Thread(target=end.run) for end in ends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0 if all(end.good() for end in ends) else 1


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("role", choices=("listen", "connect"))
    parser.add_argument("report")
    parser.add_argument("endpoints", nargs="+")
    parser.add_argument("--each", default="{}")
    parser.add_argument("--other", default="{}")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--bind")
    parser.add_argument("--buffer", type=int)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--reuseport", action="store_true")
    parser.add_argument("--outgoing", nargs=2)
    parser.add_argument("--datagrams")
    args = parser.parse_args()
    return listen(args) if args.role == "listen" else connect(args, args.report, *args.endpoints)


sys.exit(main())
