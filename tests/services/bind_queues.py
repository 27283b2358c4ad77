#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Binds COUNT packet queues from FIRST on, and keeps them.   usage: bind_queues.py FIRST COUNT"""
import signal
import socket
import struct
import sys

NETLINK_NETFILTER = 12
NFNL_SUBSYS_QUEUE = 3
NFQNL_MSG_CONFIG = 2
NLM_F_REQUEST_ACK = 5
NFQA_CFG_CMD = 1
NFQNL_CFG_CMD_BIND = 1

first, count = int(sys.argv[1], 0), int(sys.argv[2])
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
netlink.bind((0, 0))
for queue in range(first, first + count):
    body = struct.pack("!BBH", 0, 0, queue) + struct.pack("=HH", 8, NFQA_CFG_CMD)
    body += struct.pack("!BBH", NFQNL_CFG_CMD_BIND, 0, 0)
    kind = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG
    netlink.send(struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST_ACK, queue, 0) + body)
    error = struct.unpack_from("=i", netlink.recv(4096), 16)[0]
    if error:
        sys.exit(f"queue {queue}: error {error}")
print("bound", flush=True)
signal.pause()
