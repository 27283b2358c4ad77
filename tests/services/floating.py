#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# A cloud's API for floating addresses: who has one is the next hop of this host's own route to
# it, so that there is but one truth. Knows servers by their names in /etc/hosts.
# usage: floating.py PORT TOKEN
import http.server
import json
import re
import socket
import subprocess
import sys

PATH = re.compile(r"/v1/floating/([0-9.]+)(?:/servers/([a-z]+))?")


def route(*words):
    return subprocess.run(["ip", "-json", "route", *words], check=True, capture_output=True, text=True).stdout


class API(http.server.BaseHTTPRequestHandler):
    def answer(self, status, what=None):
        body = json.dumps(what).encode() if what else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    # The address and the server of the path, or None: answered already.
    def read(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match = PATH.fullmatch(self.path)
        if self.headers.get("Authorization") != "Bearer " + sys.argv[2]:
            self.answer(401, {"error": "who are you?"})
        elif not match:
            self.answer(404, {"error": "no such address"})
        else:
            return match.groups()

    def owner(self, address):
        for found in json.loads(route("show", address) or "[]"):
            return socket.gethostbyaddr(found["gateway"])[0]

    def do_GET(self):
        if asked := self.read():
            self.answer(200, {"address": asked[0], "server": self.owner(asked[0])})

    def do_PUT(self):
        if asked := self.read():
            server = json.loads(self.body)["server"]
            route("replace", asked[0], "via", socket.gethostbyname(server))
            self.answer(200, {"address": asked[0], "server": server})

    def do_DELETE(self):
        if asked := self.read():
            if self.owner(asked[0]) == asked[1]:
                route("del", asked[0])
            self.answer(204)


http.server.ThreadingHTTPServer(("", int(sys.argv[1])), API).serve_forever()
