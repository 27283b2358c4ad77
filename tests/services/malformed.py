#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Asks the keeper of this host what no criu would ask, and ends with 1 unless each is refused
as it should be.   usage: malformed.py source|destination FILE
The connections that say nothing stay open until FILE exists."""
import errno
import glob
import os
import signal
import socket
import struct
import sys
import time

LAYOUT = "=IIii"  # version, verb, value, root_pid
DUMP_PREPARED, DUMP_WITHDRAW, DUMP_EXIT, RESTORE_PREPARED, RESTORE_CLAIM = range(5)
RESTORE_EXIT, ROLLBACK, YIELD, VERBS = 6, 7, 8, 18
OTHERS = {"source": ("dump", RESTORE_CLAIM), "destination": ("restore", DUMP_EXIT)}
role, over = sys.argv[1:]
whose, others_verb = OTHERS[role]
(path,) = glob.glob("/run/ip-takeover/*.sock")


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(path)
    return s


def refused(datagram, said):
    s = connect()
    s.send(datagram)
    ret, message = struct.unpack("=i508s", s.recv(1024))
    message = message.split(b"\0")[0].decode()
    print(ret, message, flush=True)
    assert ret in (-errno.EPROTO, -errno.EINVAL) and message.startswith("request: " + said), said
    s.close()


def request(verb, value=0, root_pid=0, version=1):
    return struct.pack(LAYOUT, version, verb, value, root_pid)


def not_root():
    """Exit status 0 when root's keeper does not talk to another user."""
    os.setgroups([])
    os.setuid(65534)
    try:
        s = connect()
        s.send(request(ROLLBACK))
        return s.recv(1024) != b""
    except (PermissionError, ConnectionError, BrokenPipeError):
        return 0


def others_are_refused():
    pid = os.fork()
    if pid == 0:
        os._exit(not_root())
    assert os.waitpid(pid, 0)[1] == 0, "another user than root was answered"


def main():
    signal.alarm(20)
    good = request(ROLLBACK)
    for n in (0, 1, len(good) - 1):
        refused(good[:n], f"length: expected 16 bytes, not {n}")
    for n in (len(good) + 1, 512, 65536):
        refused(good.ljust(n, b"\0"), f"length: expected 16 bytes, not {n}")
    refused(b"GET / HTTP/1.1\r\n", "version: expected 1")
    for version in (0, 2, 0xFFFFFFFF):
        refused(request(ROLLBACK, version=version), f"version: expected 1, not {version}")
    for verb in (VERBS, 0xFFFFFFFF):
        refused(request(verb), f"verb: expected 0 to {VERBS - 1}, not {verb}")
    for verb, value in ((DUMP_EXIT, 3), (DUMP_EXIT, -1), (YIELD, 2), (ROLLBACK, 1)):
        refused(request(verb, value), "value: expected 0")
    refused(request(ROLLBACK, root_pid=-1), "root_pid: expected a PID or 0, not -1")
    # One that asks for the other side's work has no word about the tree, either.
    refused(request(others_verb, root_pid=1), f"verb: expected one of a {whose}")

    others_are_refused()
    os.chmod("/run/ip-takeover", 0o755)
    os.chmod(path, 0o777)
    others_are_refused()
    os.chmod(path, 0o755)
    os.chmod("/run/ip-takeover", 0o700)

    for _ in range(200):
        connect().close()
    silent = [connect() for _ in range(200)]
    refused(b"", "length: expected 16 bytes, not 0")
    if os.fork() == 0:
        signal.alarm(0)
        while not os.path.exists(over):
            time.sleep(0.05)
        os._exit(0)
    print(len(silent), "connections said nothing")


main()
