#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# Ask the segment who has ADDRESS, by ARP or neighbour discovery: the MAC of everyone who
# answers within SECONDS, one a line.
# usage: who_has.py ADDRESS [SECONDS]
import socket
import sys
import time

DEVICE = "eth0"


def mac(raw):
    return ":".join(f"{byte:02x}" for byte in raw)


def arp(address):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
    sock.bind((DEVICE, 0x0806))
    own = sock.getsockname()[4]
    ip = socket.inet_aton(address)
    # An ARP probe names no sender (RFC 5227): it changes nobody's table.
    sock.send(b"\xff" * 6 + own + b"\x08\x06" + b"\0\1\x08\0\6\4\0\1" + own + bytes(4) + bytes(6) + ip)

    def answer(frame):
        if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2" and frame[28:32] == ip:
            return mac(frame[22:28])

    return sock, answer


def neighbour(address):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, DEVICE.encode())
    ip = socket.inet_pton(socket.AF_INET6, address)
    with open(f"/sys/class/net/{DEVICE}/address") as f:
        own = bytes.fromhex(f.read().strip().replace(":", ""))
    group = socket.inet_ntop(socket.AF_INET6, b"\xff\2" + bytes(9) + b"\1\xff" + ip[13:])
    # The kernel fills in the checksum.
    sock.sendto(b"\x87" + bytes(7) + ip + b"\1\1" + own, (group, 0, 0, socket.if_nametoindex(DEVICE)))

    def answer(message):
        if message[0] == 136 and message[8:24] == ip and message[24:26] == b"\2\1":
            return mac(message[26:32])

    return sock, answer


address = sys.argv[1]
sock, answer = (neighbour if ":" in address else arp)(address)
end = time.monotonic() + (float(sys.argv[2]) if len(sys.argv) > 2 else 0.3)
heard = set()
while (left := end - time.monotonic()) > 0:
    sock.settimeout(left)
    try:
        who = answer(sock.recv(2048))
    except TimeoutError:
        break
    if who:
        heard.add(who)
print("\n".join(sorted(heard)))
