#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Listens, and accepts nothing.   usage: listen.py ADDRESS PORT"""
import signal
import socket
import sys

listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
signal.pause()
