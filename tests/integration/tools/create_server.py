#!/usr/bin/env python3
"""create_server.py SOCKET FOLDER: as much of an engine's API as `docker create` asks for.

What it is asked to create is written to FOLDER/request (JSON, one file, replaced each time).
"""
import http.server
import os
import socketserver
import sys


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, code, body):
        self.send_response(code)
        self.send_header("Api-Version", os.environ.get("API_VERSION", "1.51"))
        self.send_header("Ostype", "linux")
        self.send_header("Server", "Docker/28.0.0 (linux)")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        self.answer(200, b"OK")

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "/containers/create" not in self.path:
            return self.answer(404, b'{"message":"not here"}')
        beside = os.path.join(sys.argv[2], "request.new")
        with open(beside, "wb") as f:
            f.write(body)
        os.rename(beside, os.path.join(sys.argv[2], "request"))
        self.answer(201, b'{"Id":"' + b"0" * 64 + b'","Warnings":[]}')

    def address_string(self):
        return "client"

    def log_message(self, *args):
        pass


server = Server(sys.argv[1], Handler)
print("ready", flush=True)
server.serve_forever()
