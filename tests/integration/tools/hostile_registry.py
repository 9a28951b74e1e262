#!/usr/bin/env python3
"""A registry that misbehaves: hostile_registry.py --port N [--host ADDRESS] [--tls CERT KEY] [--ca CA] --log FILE

What it does is chosen by the first component of the repository's name; `good` is none of it. It holds one blob of BLOB_SIZE
bytes and a manifest "v1" in each repository, and what is pushed. Each request is a line of the log: METHOD PATH
AUTHORIZATION RANGE, and each body that was sent a line "sent N". /token is a token server: user "user", password "secret",
refresh token "refresh-me".
"""
import argparse
import base64
import hashlib
import http.server
import json
import re
import select
import socket
import ssl
import threading
import time
import urllib.parse

BLOB_SIZE = 3000000
BLOB = (hashlib.sha256(b'blob').digest() * (BLOB_SIZE // 32 + 1))[:BLOB_SIZE]
DIGEST = 'sha256:' + hashlib.sha256(BLOB).hexdigest()
MANIFEST = json.dumps({
    'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
    'config': {'mediaType': 'application/vnd.oci.empty.v1+json', 'digest': DIGEST, 'size': BLOB_SIZE}, 'layers': []}).encode()
MANIFEST_DIGEST = 'sha256:' + hashlib.sha256(MANIFEST).hexdigest()

lock = threading.Lock()
counts, uploads, blobs, manifests = {}, {}, {DIGEST: BLOB}, {}
tokens = {}


def count(key):
    with lock:
        counts[key] = counts.get(key, 0) + 1
        return counts[key]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def note(self, text):
        with lock, open(options.log, 'a', encoding='utf-8') as log:
            log.write(text + '\n')

    # ------------------------------------------------------------------------------------------------------- answers

    def answer(self, status, body=b'', headers=(), close=False):
        self.send_response(status)
        names = [name.lower() for name, _ in headers]
        for name, value in headers:
            self.send_header(name, value)
        if 'content-length' not in names:
            self.send_header('Content-Length', str(len(body)))
        if close:
            self.send_header('Connection', 'close')
            self.close_connection = True
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)
            self.note(f'sent {len(body)}')

    def problem(self, status, code, message, headers=()):
        self.answer(status, json.dumps({'errors': [{'code': code, 'message': message}]}).encode(),
                    [('Content-Type', 'application/json'), *headers])

    def hang(self):
        time.sleep(600)

    def drop(self):
        self.close_connection = True
        self.connection.close()

    # ---------------------------------------------------------------------------------------------------------- blobs

    def start_of_range(self):
        match = re.fullmatch(r'bytes=(\d+)-', self.headers.get('Range', ''))
        return int(match.group(1)) if match else 0

    def head_of_blob(self, start, length=None):
        self.send_response(206 if start else 200)
        if start:
            self.send_header('Content-Range', f'bytes {start}-{BLOB_SIZE - 1}/{BLOB_SIZE}')
        self.send_header('Content-Length', str(BLOB_SIZE - start if length is None else length))
        self.end_headers()

    def send_part(self, data):
        self.wfile.write(data)
        self.wfile.flush()
        self.note(f'sent {len(data)}')

    def blob(self, kind, repository, digest):
        start = self.start_of_range()
        content = blobs.get(digest)
        if content is None:
            return self.problem(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
        if self.command == 'HEAD':
            return self.answer(200, content)
        action = getattr(self, 'blob_' + kind.replace('-', '_'), None)
        if action:
            return action(start, repository)
        if start >= len(content):
            return self.problem(416, 'RANGE_INVALID', 'range')
        if start:
            return self.answer(206, content[start:],
                               [('Content-Range', f'bytes {start}-{len(content) - 1}/{len(content)}')])
        return self.answer(200, content)

    def blob_cut(self, start, repository):
        self.head_of_blob(start)
        self.send_part(BLOB[start:start + max(1000000, 1)])
        self.drop()

    def blob_cut_at_once(self, start, repository):
        self.head_of_blob(start)
        self.drop()

    def blob_norange(self, start, repository):
        self.head_of_blob(0)
        if count(self.path) == 1:
            self.send_part(BLOB[:1000000])
            return self.drop()
        return self.send_part(BLOB)

    def blob_norange_cut(self, start, repository):
        self.head_of_blob(0)
        self.send_part(BLOB[:1000000])
        self.drop()

    def blob_stall(self, start, repository):
        self.head_of_blob(start)
        self.send_part(BLOB[start:start + 1000])
        self.hang()

    def blob_stall_once(self, start, repository):
        if count(self.path) == 1:
            return self.blob_stall(start, repository)
        self.head_of_blob(start)
        return self.send_part(BLOB[start:])

    def blob_stall_head(self, start, repository):
        self.hang()

    def blob_endless(self, start, repository):
        self.send_response(200)
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        while True:
            self.wfile.write(b'10000\r\n' + b'x' * 65536 + b'\r\n')

    def blob_long(self, start, repository):
        self.answer(200, BLOB + b'more')

    def blob_short(self, start, repository):
        self.answer(200, BLOB[:-5])

    def blob_short_close(self, start, repository):
        self.send_response(200)
        self.send_header('Connection', 'close')
        self.end_headers()
        self.send_part(BLOB[:-5] if start == 0 else BLOB)
        self.drop()

    def blob_wrong(self, start, repository):
        self.answer(200, b'X' * BLOB_SIZE)

    def blob_wrongrange(self, start, repository):
        if start == 0:
            return self.blob_cut(start, repository)
        return self.answer(206, BLOB[start - 5:], [('Content-Range', f'bytes {start - 5}-{BLOB_SIZE - 1}/{BLOB_SIZE}')])

    def blob_html(self, start, repository):
        self.answer(200, b'<html><body>Please log in</body></html>', [('Content-Type', 'text/html')])

    def blob_tofile(self, start, repository):
        self.answer(302, headers=[('Location', 'file:///etc/passwd')])

    def blob_toftp(self, start, repository):
        self.answer(302, headers=[('Location', 'ftp://127.0.0.1/x')])

    def blob_tonowhere(self, start, repository):
        self.answer(302)

    def blob_loop(self, start, repository):
        self.answer(302, headers=[('Location', self.path)])

    def blob_elsewhere(self, start, repository):  # REPOSITORY is elsewhere/SCHEME/HOST/PORT
        _, scheme, host, port = repository.split('/')
        self.answer(307, headers=[('Location', f'{scheme}://{host}:{port}/v2/good/x/blobs/{DIGEST}?signature=hidden')])

    def blob_busy(self, start, repository):
        if count(self.path) < 3:
            return self.problem(429, 'TOOMANYREQUESTS', 'slow down', [('Retry-After', '1')])
        return self.answer(200, BLOB)

    def blob_broken(self, start, repository):
        self.answer(500, b'<h1>oops</h1>')

    def blob_broken_once(self, start, repository):
        if count(self.path) == 1:
            return self.blob_broken(start, repository)
        return self.answer(200, BLOB)

    def blob_headers(self, start, repository):
        self.send_response(200)
        self.end_headers_for_ever()

    def end_headers_for_ever(self):
        self.flush_headers()
        while True:
            self.wfile.write(b'X-Header: ' + b'x' * 1000 + b'\r\n')

    # ------------------------------------------------------------------------------------------------------ manifests

    def manifest(self, kind, repository, reference):
        stored = manifests.get((repository, reference))
        if stored:
            body, media_type = stored
            return self.answer(200, body, [('Content-Type', media_type),
                                           ('Docker-Content-Digest', 'sha256:' + hashlib.sha256(body).hexdigest())])
        action = getattr(self, 'manifest_' + kind.replace('-', '_'), None)
        if action:
            return action()
        if reference not in ('v1', MANIFEST_DIGEST):
            return self.problem(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
        return self.send_manifest()

    def send_manifest(self, digest=MANIFEST_DIGEST):
        self.answer(200, MANIFEST, [('Content-Type', 'application/vnd.oci.image.manifest.v1+json'),
                                    ('Docker-Content-Digest', digest)])

    def manifest_stall_head(self):
        self.hang()

    def manifest_stall(self):
        self.send_response(200)
        self.send_header('Content-Length', '1000')
        self.end_headers()
        self.wfile.write(b'{')
        self.hang()

    def manifest_endless(self):
        self.send_response(200)
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        while True:
            self.wfile.write(b'10000\r\n' + b' ' * 65536 + b'\r\n')

    def manifest_headers(self):
        self.send_response(200)
        self.end_headers_for_ever()

    def manifest_html(self):
        self.answer(200, b'<!DOCTYPE html><html></html>', [('Content-Type', 'text/html')])

    def manifest_wrong(self):
        self.send_manifest('sha256:' + '0' * 64)

    def manifest_other(self):  # asked by digest, another document is sent
        self.answer(200, MANIFEST + b' ')

    def manifest_limit(self):
        self.problem(429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit.', [('Retry-After', '3600')])

    def manifest_broken(self):
        self.answer(502, b'<html>\x1b[2Jbad gateway</html>', [('Content-Type', 'text/html')])

    def manifest_escape(self):
        self.problem(400, 'EVIL\x1b[31m', 'red \x1b[31m alert\r\nX: y')

    def manifest_notjson(self):
        self.answer(404, b'{"errors": [{"code": 5}, ' + b'[' * 100000)

    def manifest_noanswer(self):
        self.drop()

    def manifest_tofile(self):
        self.answer(302, headers=[('Location', 'file:///etc/passwd')])

    def manifest_garbage(self):
        self.wfile.write(b'SSH-2.0-OpenSSH_9.2\r\n')
        self.drop()

    # -------------------------------------------------------------------------------------------------------- uploads

    def body(self):
        return self.rfile.read(int(self.headers.get('Content-Length', '0')))

    def location(self, repository, upload):
        return ('Location', f'/v2/{repository}/blobs/uploads/{upload}?_state=x')

    def begin_upload(self, kind, repository, query):
        self.body()
        if kind == 'nowhere':
            return self.answer(202)
        if kind == 'ftp':
            return self.answer(202, headers=[('Location', 'ftp://127.0.0.1/x')])
        with lock:
            upload = f'u{len(uploads)}'
            uploads[upload] = b''
        where = self.location(repository, upload)
        if kind == 'elsewhere':  # elsewhere/SCHEME/HOST/PORT
            _, scheme, host, port = repository.split('/')
            where = ('Location', f'{scheme}://{host}:{port}/v2/good/x/blobs/uploads/foreign')
        return self.answer(202, headers=[where, ('Range', '0-0')])

    def patch(self, kind, repository, upload):
        length = int(self.headers.get('Content-Length', '0'))
        if kind == 'nopatch':
            self.body()
            return self.problem(405, 'UNSUPPORTED', 'no')
        if kind == 'small' and length > 1 << 20:
            self.body()
            return self.problem(413, 'SIZE_INVALID', 'too large')
        match = re.fullmatch(r'(\d+)-(\d+)', self.headers.get('Content-Range', ''))
        if match and int(match.group(1)) != len(uploads[upload]):
            self.body()
            return self.problem(416, 'RANGE_INVALID', 'out of order', [self.location(repository, upload)])
        if kind == 'cutup' and count(self.path) <= 2:
            uploads[upload] += self.rfile.read(length // 2)
            return self.drop()
        if kind == 'cutup-always':
            return self.drop()
        if kind == 'stallup':
            self.hang()
        uploads[upload] += self.body()
        return self.answer(202, headers=[self.location(repository, upload), ('Range', f'0-{len(uploads[upload]) - 1}')])

    def commit(self, kind, repository, upload, query):
        content = uploads.get(upload, b'') + self.body()
        digest = query.get('digest', [''])[0]
        if 'sha256:' + hashlib.sha256(content).hexdigest() != digest:
            return self.problem(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
        blobs[digest] = content
        uploads.pop(upload, None)
        if kind == 'lost' and count(self.path) == 1:
            return self.drop()
        return self.answer(201, headers=[('Docker-Content-Digest', digest)])

    # ----------------------------------------------------------------------------------------------------- credentials

    def credentials(self, authorization=None):
        header = authorization if authorization is not None else self.headers.get('Authorization', '')
        if header.startswith('Basic '):
            return base64.b64decode(header[6:]).decode()
        return ''

    def allowed(self, kind, repository):
        """Whether the request may go on; the refusal is sent if not."""
        realm = f'{"https" if options.tls else "http"}://{self.headers["Host"]}/token'
        push = self.command in ('POST', 'PUT', 'PATCH') or '/blobs/uploads/' in self.path
        scope = f'repository:{repository}:{"pull,push" if push else "pull"}'
        authorization = self.headers.get('Authorization', '')
        if kind == 'basic':
            if self.credentials() == 'user:secret':
                return True
            self.problem(401, 'UNAUTHORIZED', 'authentication required', [('WWW-Authenticate', 'Basic realm="here"')])
            return False
        if kind in ('private', 'public', 'short-lived'):
            held = tokens.get(authorization[7:], '') if authorization.startswith('Bearer ') else ''
            used = count('token ' + authorization)
            if held.startswith(f'repository:{repository}:pull') and (not push or 'push' in held) and \
                    (kind != 'short-lived' or used <= 2):
                return True
            self.problem(401, 'UNAUTHORIZED', 'authentication required',
                         [('WWW-Authenticate', f'Bearer realm="{realm}?for={kind}",service="here",scope="{scope}"')])
            return False
        realms = {'loop401': realm, 'filerealm': 'file:///etc/passwd', 'badtoken': realm + '?bad=newline',
                  'htmltoken': realm + '?bad=html', 'endlesstoken': realm + '?bad=endless', 'stalltoken': realm + '?bad=stall',
                  'deniedtoken': realm + '?bad=denied', 'plainrealm': f'http://{self.headers["Host"]}/token'}
        if kind in realms:
            self.problem(401, 'UNAUTHORIZED', 'authentication required',
                         [('WWW-Authenticate', f'Bearer realm="{realms[kind]}",service="here",scope="{scope}"')])
            return False
        if kind == 'nochallenge':
            self.problem(401, 'UNAUTHORIZED', 'go away')
            return False
        if kind == 'denied':
            self.problem(403, 'DENIED', 'requested access to the resource is denied')
            return False
        return True

    def token(self, query):
        bad = query.get('bad', [''])[0]
        form = urllib.parse.parse_qs(self.body().decode()) if self.command == 'POST' else {}
        if bad == 'newline':
            return self.answer(200, json.dumps({'token': 'a\r\nX-Injected: yes'}).encode())
        if bad == 'html':
            return self.answer(200, b'<html></html>')
        if bad == 'denied':
            return self.answer(401, b'{"details":"incorrect username or password"}')
        if bad == 'stall':
            return self.hang()
        if bad == 'endless':
            return self.manifest_endless()
        scopes = query.get('scope', []) + form.get('scope', [''])[0].split()
        known = self.credentials() == 'user:secret' or form.get('refresh_token') == ['refresh-me']
        if self.credentials() and not known:
            return self.answer(401, b'{"details":"incorrect username or password"}')
        if query.get('for') == ['private'] and not known:
            scopes = []
        token = f'token-{count("tokens")}'
        tokens[token] = scopes[0] if scopes else 'none'
        answer = {'token': token, 'expires_in': 300}
        if query.get('offline_token'):
            answer['refresh_token'] = 'refresh-me'
        return self.answer(200, json.dumps(answer).encode())

    # ------------------------------------------------------------------------------------------------------------ routes

    def route(self):
        path, _, query = self.path.partition('?')
        query = urllib.parse.parse_qs(query)
        self.note(f'{self.command} {self.path} auth={self.headers.get("Authorization", "-").replace(" ", ":")} '
                  f'range={self.headers.get("Range", "-")} x={self.headers.get("X-Test", "-")}')
        if path == '/token':
            return self.token(query)
        if path == '/v1/search' and options.search:
            return self.answer(200, json.dumps({'num_results': 1, 'query': query['q'][0], 'results': [
                {'name': 'a/b', 'description': 'text', 'star_count': 3, 'is_official': False}]}).encode())
        if path == '/v2/':
            return self.answer(200, b'{}') if self.allowed(options.whole, 'x') else None
        match = re.fullmatch(r'/v2/(.+)/(manifests|blobs|referrers)/(.+)', path)
        if not match:
            return self.answer(404, b'404 page not found\n')
        repository, what, name = match.groups()
        if repository.endswith('/blobs'):
            repository, what, name = repository[:-len('/blobs')], 'blobs', 'uploads/' + name
        kind = repository.split('/')[0]
        if not self.allowed(kind, repository):
            self.body()
            return None
        if what == 'manifests' and self.command == 'PUT':
            manifests[repository, name] = self.body(), self.headers['Content-Type']
            return self.answer(201)
        if what == 'manifests':
            return self.manifest(kind, repository, name)
        if what == 'referrers':
            return self.answer(404, b'404 page not found\n')
        upload = re.fullmatch(r'uploads/(.*)', name)
        if not upload:
            return self.blob(kind, repository, name)
        if self.command == 'POST':
            return self.begin_upload(kind, repository, query)
        if upload.group(1) not in uploads and upload.group(1) != 'foreign':
            self.body()
            return self.problem(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
        if self.command == 'PATCH':
            return self.patch(kind, repository, upload.group(1))
        if self.command == 'PUT':
            return self.commit(kind, repository, upload.group(1), query)
        size = len(uploads[upload.group(1)])
        return self.answer(204, headers=[self.location(repository, upload.group(1)), ('Range', f'0-{max(size - 1, 0)}')])

    def do_CONNECT(self):
        self.note(f'CONNECT {self.path}')
        host, _, port = self.path.rpartition(':')
        try:
            other = socket.create_connection((host, int(port)), 5)
        except OSError:
            return self.answer(502)
        self.send_response(200)
        self.end_headers()
        pairs = {self.connection: other, other: self.connection}
        while True:
            for ready in select.select(list(pairs), [], [], 30)[0]:
                data = ready.recv(65536)
                if not data:
                    self.close_connection = True
                    return other.close()
                pairs[ready].sendall(data)

    def handle_any(self):
        try:
            self.route()
        except OSError:  # the client has left
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


parser = argparse.ArgumentParser()
parser.add_argument('--host', default='127.0.0.1')
parser.add_argument('--port', type=int, required=True)
parser.add_argument('--tls', nargs=2, metavar=('CERT', 'KEY'))
parser.add_argument('--ca', help='ask for a client certificate signed by this')
parser.add_argument('--log', required=True)
parser.add_argument('--whole', default='good', help='how /v2/ behaves: good, basic, public, ...')
parser.add_argument('--search', action='store_true')
options = parser.parse_args()
server = Server((options.host, options.port), Handler)
if options.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*options.tls)
    if options.ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(options.ca)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print('DIGEST=' + DIGEST, 'SIZE=' + str(BLOB_SIZE), 'MANIFEST_DIGEST=' + MANIFEST_DIGEST, flush=True)
server.serve_forever()
