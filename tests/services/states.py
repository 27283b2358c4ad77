#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A service whose connections are in all states that it can hold, on either side of a connect.

usage: states.py serve ADDRESS PEER    until killed: listens at ADDRESS ports 7000 to 7002
       states.py peer PEER ADDRESS     the other end, until killed: makes what the service needs
       states.py ask ADDRESS           prints what the service says of its sockets, as JSON

7000 answers each connection with the state of every socket (TCP_INFO) and what a read of it gives;
7001 makes connections of several states of the peer's; 7002 is never accepted from.
"""
import errno
import json
import socket
import sys
import time

NAMES = "- ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN CLOSING".split()


def state(sock):
    return NAMES[sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]]


def read(sock):
    try:
        sock.setblocking(False)
        return len(sock.recv(100))
    except OSError as error:
        return errno.errorcode[error.errno]


def await_state(sock, wanted):
    deadline = time.monotonic() + 10
    while state(sock) != wanted:
        if time.monotonic() > deadline:
            sys.exit(f"{state(sock)} is no {wanted}")
        time.sleep(0.01)


def listen(address, port):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.listen()
    return sock


def serve(address, peer):
    answering, accepting, silent = (listen(address, port) for port in (7000, 7001, 7002))
    held = {"never accepted from": silent}
    for _ in range(4):
        sock = accepting.accept()[0]
        held["accepted " + sock.recv(20).decode().strip()] = sock
    for name in ("established", "CLOSE_WAIT", "FIN_WAIT2", "FIN_WAIT1"):
        sock = socket.socket()
        sock.bind((address, 0))
        sock.connect((peer, 7003))
        sock.sendall(name.ljust(20).encode())
        held["connected " + name] = sock
    for side in ("accepted ", "connected "):
        held[side + "FIN_WAIT2"].shutdown(socket.SHUT_WR)
        sock = held[side + "FIN_WAIT1"]
        sock.setblocking(False)
        try:
            while True:
                sock.send(bytes(100000))
        except BlockingIOError:
            pass
        sock.shutdown(socket.SHUT_WR)
    held["connecting"] = sock = socket.socket()
    sock.bind((address, 0))
    sock.setblocking(False)
    sock.connect_ex(("192.0.2.77", 7))
    for side in ("accepted ", "connected "):
        for name in ("CLOSE_WAIT", "FIN_WAIT2", "FIN_WAIT1"):
            await_state(held[side + name], name)
    while True:
        client = answering.accept()[0]
        client.sendall(json.dumps({name: [state(sock), read(sock)] for name, sock in held.items()})
                       .encode())
        client.close()


def reach(address, port):
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection((address, port), 10)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def peer(own, address):
    accepting = listen(own, 7003)
    held = []
    for name in ("established", "CLOSE_WAIT", "FIN_WAIT2", "FIN_WAIT1"):
        sock = reach(address, 7001)
        sock.sendall(name.ljust(20).encode())
        held.append((name, sock))
    for _ in range(4):
        sock = accepting.accept()[0]
        held.append((sock.recv(20).decode().strip(), sock))
    for name, sock in held:
        if name == "CLOSE_WAIT":
            sock.close()
    held.append(("in flight", reach(address, 7002)))
    while True:
        time.sleep(60)


def ask(address):
    with socket.create_connection((address, 7000), 10) as sock:
        sock.settimeout(10)
        said = b""
        while part := sock.recv(65536):
            said += part
    print(said.decode())


{"serve": serve, "peer": peer, "ask": ask}[sys.argv[1]](*sys.argv[2:])
