#!/usr/bin/env python3
"""A token server for docker-registry: token_server.py --port N --key KEY --cert CERT

Signs tokens (JWT, RS256) with `openssl`. User "user" with password "secret", or the refresh token "refresh-me", may do what it
asks for; others may pull from public/ only.
"""
import argparse
import base64
import http.server
import json
import subprocess
import time
import urllib.parse


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def granted(scope, known):
    kind, _, rest = scope.partition(':')
    name, _, actions = rest.rpartition(':')
    if not known and not (name.startswith('public/') and actions == 'pull'):
        return None
    return {'type': kind, 'name': name, 'actions': actions.split(',')}


def token(scopes, known):
    chain = [''.join(open(options.cert, encoding='ascii').read().split('-----BEGIN CERTIFICATE-----')[1]
                     .split('-----END CERTIFICATE-----')[0].split())]
    now = int(time.time())
    claims = {'iss': 'test-issuer', 'sub': 'user', 'aud': 'test', 'exp': now + 300, 'nbf': now - 10, 'iat': now, 'jti': '1',
              'access': [access for access in (granted(scope, known) for scope in scopes) if access]}
    text = encode(json.dumps({'typ': 'JWT', 'alg': 'RS256', 'x5c': chain}).encode()) + '.' + encode(json.dumps(claims).encode())
    signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', options.key], input=text.encode(), check=True,
                               capture_output=True).stdout
    return text + '.' + encode(signature)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def grant(self, query, form):
        basic = self.headers.get('Authorization', '')
        if basic and base64.b64decode(basic.split()[1]) != b'user:secret':
            return self.answer(401, {'errors': [{'code': 'UNAUTHORIZED', 'message': 'authentication required'}]})
        known = bool(basic) or form.get('refresh_token') == ['refresh-me']
        scopes = query.get('scope', []) + form.get('scope', [''])[0].split()
        answer = {'access_token' if form else 'token': token(scopes, known), 'expires_in': 300}
        if query.get('offline_token') and known:
            answer['refresh_token'] = 'refresh-me'
        return self.answer(200, answer)

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.grant(urllib.parse.parse_qs(self.path.partition('?')[2]), {})

    def do_POST(self):
        self.grant({}, urllib.parse.parse_qs(self.rfile.read(int(self.headers['Content-Length'])).decode()))


parser = argparse.ArgumentParser()
parser.add_argument('--port', type=int, required=True)
parser.add_argument('--key', required=True)
parser.add_argument('--cert', required=True)
options = parser.parse_args()
http.server.ThreadingHTTPServer(('127.0.0.1', options.port), Handler).serve_forever()
