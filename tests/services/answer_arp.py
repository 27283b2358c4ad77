#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Plays one more host on the segment, that holds ADDRESS and answers ARP for it by MAC.

usage: answer_arp.py ADDRESS MAC
"""
import socket
import sys

ip = socket.inet_aton(sys.argv[1])
mac = bytes.fromhex(sys.argv[2].replace(":", ""))
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
wire.bind(("eth0", 0x0806))
print("listens", flush=True)
while True:
    frame = wire.recv(2048)
    if frame[20:22] == b"\0\1" and frame[38:42] == ip:
        asker = frame[22:28]
        arp = b"\0\1\x08\0\6\4\0\2" + mac + ip + asker + frame[28:32]
        wire.send(asker + mac + b"\x08\x06" + arp)
