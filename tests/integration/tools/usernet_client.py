#!/usr/bin/env python3
"""Clients of coracle-usernet: usernet_client.py api SOCKET REQUEST, stall SOCKET N, push ADDRESS PORT BYTES, bess SOCKET

api sends a request ("-": what comes from standard input), shuts down its side, and prints the answer.
stall has N connections that say nothing, until it is killed. It prints "ready" when all are there.
push sends BYTES bytes to a server of peer.py and exits with 1 unless that has got just these.
bess connects as a User Mode Linux does, asks by ARP for 10.0.2.2, prints the MAC address that answers, and stays until its
standard input ends.
"""
import hashlib
import signal
import socket
import sys

SECONDS = 60


def connect(path, kind=socket.SOCK_STREAM):
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.settimeout(SECONDS)
    sock.connect(path)
    return sock


def read_all(sock):
    answer = b''
    while piece := sock.recv(1 << 16):
        answer += piece
    return answer


def api(path, request):
    with connect(path) as sock:
        sock.sendall(sys.stdin.buffer.read() if request == '-' else request.encode())
        sock.shutdown(socket.SHUT_WR)
        print(read_all(sock).decode())


def stall(path, n):
    held = [connect(path) for _ in range(int(n))]
    print('ready', flush=True)
    signal.pause()
    del held


def push(address, port, size):
    block = hashlib.sha512(b'coracle').digest() * 1023  # no power of two: no two segments are the same
    digest, left = hashlib.sha256(), int(size)
    with socket.create_connection((address, int(port)), SECONDS) as sock:
        sock.sendall(b'sum\n')
        while left:
            piece = block[:left]
            sock.sendall(piece)
            digest.update(piece)
            left -= len(piece)
        sock.shutdown(socket.SHUT_WR)
        answer = read_all(sock).decode().strip()
    if answer != f'{size} {digest.hexdigest()}':
        sys.exit(f'sent {size} {digest.hexdigest()}, there came {answer or "nothing"}')
    print(size)


def bess(path):
    mac = bytes.fromhex('02000000000a')
    question = (b'\xff' * 6 + mac + bytes.fromhex('0806' '0001' '0800' '06' '04' '0001') + mac + socket.inet_aton('10.0.2.100') +
                bytes(6) + socket.inet_aton('10.0.2.2'))
    with connect(path, socket.SOCK_SEQPACKET) as sock:
        sock.send(question)
        while True:
            frame = sock.recv(1 << 16)
            if frame[12:14] == b'\x08\x06' and frame[20:22] == b'\x00\x02':
                print(frame[22:28].hex(':'), flush=True)
                break
        sys.stdin.read()


if __name__ == '__main__':
    {'api': api, 'stall': stall, 'push': push, 'bess': bess}[sys.argv[1]](*sys.argv[2:])
