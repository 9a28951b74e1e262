#!/usr/bin/env python3
"""A server of names that says the same of everything: name_server.py ADDRESS ANSWER [--refuse] [--slow SECONDS] --log FILE --ready FILE.
To questions by UDP it may take its time. To names that begin with "big" it says by UDP that the answer is too long. Each question is a line of the log."""
import argparse
import pathlib
import socket
import struct
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("address")
parser.add_argument("answer")
parser.add_argument("--refuse", action="store_true")
parser.add_argument("--slow", type=float, default=0)
parser.add_argument("--log", required=True)
parser.add_argument("--ready", required=True)
options = parser.parse_args()


def question(message):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels), struct.unpack(">H", message[at + 1:at + 3])[0], at + 5


def reply(message, protocol):
    name, kind, end = question(message)
    with open(options.log, "a", encoding="ascii") as log:
        log.write(f"{protocol} {name} {kind}\n")
    flags, answers = 0x8180, b""
    if options.refuse:
        flags |= 5
    elif protocol == "udp" and name.startswith("big"):
        flags |= 0x0200
    elif kind == 1:
        answers = struct.pack(">HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(options.answer)
    return message[:2] + struct.pack(">HHHHH", flags, 1, 1 if answers else 0, 0, 0) + message[12:end] + answers


def serve_tcp(listener):
    while True:
        connection = listener.accept()[0]
        with connection:
            length = struct.unpack(">H", connection.recv(2, socket.MSG_WAITALL))[0]
            answer = reply(connection.recv(length, socket.MSG_WAITALL), "tcp")
            connection.sendall(struct.pack(">H", len(answer)) + answer)


pathlib.Path(options.log).touch()
tcp = socket.socket()
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
tcp.bind((options.address, 53))
tcp.listen()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((options.address, 53))
threading.Thread(target=serve_tcp, args=(tcp,), daemon=True).start()
pathlib.Path(options.ready).touch()


def answer_late(query, sender):
    message = reply(query, "udp")
    time.sleep(options.slow)
    udp.sendto(message, sender)


while True:
    threading.Thread(target=answer_late, args=udp.recvfrom(4096), daemon=True).start()
