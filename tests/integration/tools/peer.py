#!/usr/bin/env python3
"""Both sides of a question: peer.py serve NAME PORT..., peer.py ask tcp|udp ADDRESS PORT [SECONDS [FROM_PORT]]; and who
only takes up room: peer.py hold ADDRESS PORT N

serve answers on TCP, UDP, IPv4 and IPv6 with "NAME ADDRESS" of who asks, until it is killed; to a question that begins with
the line "sum" it answers with the number of bytes and their SHA-256 once its end is there. It prints "ready" when all ports are open.
ask prints the answer, and exits with 1 if there is none within SECONDS (15).
hold has N connections, over which nothing is said, until it is killed. It prints "ready" when all are there.
"""
import hashlib
import resource
import selectors
import signal
import socket
import sys
import threading


def plain(address):
    return address[7:] if address.startswith('::ffff:') else address


def answer_stream(name, connection, peer):
    with connection:
        first = b''
        while not first.endswith(b'\n') and (piece := connection.recv(1)):
            first += piece
        if first == b'sum\n':
            digest, size = hashlib.sha256(), 0
            while piece := connection.recv(1 << 16):
                digest.update(piece)
                size += len(piece)
            connection.sendall(f'{size} {digest.hexdigest()}\n'.encode())
        else:
            connection.sendall(f'{name} {plain(peer[0])}\n'.encode())


def open_socket(kind, port):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(('::', port))
    if kind == socket.SOCK_STREAM:
        sock.listen(128)
    return sock


def serve(name, *ports):
    selector = selectors.DefaultSelector()
    for port in ports:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            selector.register(open_socket(kind, int(port)), selectors.EVENT_READ)
    print('ready', flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj.type == socket.SOCK_STREAM:
                connection, peer = key.fileobj.accept()
                threading.Thread(target=answer_stream, args=(name, connection, peer), daemon=True).start()
            else:
                _, peer = key.fileobj.recvfrom(1 << 16)
                key.fileobj.sendto(f'{name} {plain(peer[0])}\n'.encode(), peer)


def ask(protocol, address, port, seconds='15', from_port='0'):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == 'tcp' else socket.SOCK_DGRAM
    with socket.socket(family, kind) as sock:
        sock.settimeout(float(seconds))
        if int(from_port):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(('::' if family == socket.AF_INET6 else '0.0.0.0', int(from_port)))
        try:
            sock.connect((address, int(port)))
            sock.sendall(b'ask\n')
            text = sock.recv(1 << 16)
        except OSError as problem:
            sys.exit(f'{protocol} {address} {port}: {problem}')
    if not text:
        sys.exit(f'{protocol} {address} {port}: no answer')
    print(text.decode(), end='')


def hold(address, port, n):
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(n) + 64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = [socket.create_connection((address, int(port)), 60) for _ in range(int(n))]
    print('ready', flush=True)
    signal.pause()
    del held


if __name__ == '__main__':
    {'serve': serve, 'ask': ask, 'hold': hold}[sys.argv[1]](*sys.argv[2:])
