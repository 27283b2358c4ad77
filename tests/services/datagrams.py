#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Numbered datagrams, so many a second, and a service that counts and returns them.

usage: datagrams.py serve ADDRESS PORT [--connected] [--late]   until killed
       datagrams.py ask ADDRESS PORT RATE REPORT                until /shared/stop exists

--connected: the service's socket belongs to its first peer alone. --late: it reads only now
and then, all that waits. REPORT is JSON: what the service says that it has seen, and what came
back, each lost, again, and out of order. Datagrams that went to the old host first may be
overtaken by later ones that go straight to the new one: two paths. On either path none may
overtake another.
"""
import json
import os
import select
import selectors
import socket
import sys
import time

STOP = "/shared/stop"
PATIENCE = 10
ROOM = 4 << 20
FORCE = 33  # SO_RCVBUFFORCE


class Numbers:
    """What became of a sequence that was sent as 1, 2, 3..."""

    def __init__(self):
        self.highest, self.missing, self.again = 0, set(), 0
        self.late, self.disordered = 0, 0

    def add(self, number):
        if number > self.highest:
            self.missing.update(range(self.highest + 1, number))
            self.highest = number
        elif number in self.missing:
            self.missing.remove(number)
            self.disordered += number < self.late
            self.late = max(self.late, number)
        else:
            self.again += 1

    def said(self):
        return {"highest": self.highest, "lost": len(self.missing), "again": self.again,
                "disordered": self.disordered}


def open_socket(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, FORCE, ROOM)
    return sock


def serve(address, port, connected=False, late=False):
    sock, numbers = open_socket(address), Numbers()
    sock.bind((address, port))
    while True:
        if late and not select.select([sock], [], [], 0)[0]:
            time.sleep(0.02)
        data, peer = sock.recvfrom(2000)
        if connected:
            sock.connect(peer)
            connected = False
        if data == b"?":
            data = json.dumps(numbers.said()).encode()
        else:
            numbers.add(int(data))
        try:
            sock.sendto(data, peer)
        except OSError:  # one that is connected wants no address on some systems
            sock.send(data)


def ask(address, port, rate, report):
    sock, numbers, sent, told = open_socket(address), Numbers(), 0, None
    sock.connect((address, port))
    sock.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(sock, selectors.EVENT_READ)
    began, errors, deadline = time.monotonic(), 0, None
    while told is None and (deadline is None or time.monotonic() < deadline):
        if deadline:
            sock.send(b"?")
        elif os.path.exists(STOP):
            deadline = time.monotonic() + PATIENCE
        else:
            while sent < (time.monotonic() - began) * rate:
                sent += 1
                sock.send(b"%d" % sent)
        while selector.select(0.05 if deadline else 0.001):
            try:
                data = sock.recv(2000)
            except ConnectionError:
                errors += 1
                continue
            if data.startswith(b"{"):
                told = json.loads(data)
            else:
                numbers.add(int(data))
    with open(report, "w", encoding="ascii") as file:
        json.dump({"sent": sent, "errors": errors, "service": told, "back": numbers.said()}, file)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]), "--connected" in sys.argv[4:], "--late" in sys.argv[4:])
    else:
        ask(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
