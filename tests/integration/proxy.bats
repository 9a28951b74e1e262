#!/usr/bin/env bats
# coracle-proxy: docker-proxy's flags and start protocol, what passes through it, and what it costs (rows DP-01 to DP-06).

load lib
load registries

PROXY=$CORACLE_BUILD/src/tools/proxy/coracle-proxy
PEER=$BATS_TEST_DIRNAME/tools/peer.py

setup() {
        skip_unless root "program python3" # root: the namespace is the test's own
        setup_net
}
teardown() { teardown_net; }

# proxy FLAG... - started with a descriptor 3, whose content is in $TEST_DIR/told; $PROXY_PID
proxy() {
        : >"$TEST_DIR/told"
        nsenter --net="/proc/$NET/ns/net" "$PROXY" "$@" </dev/null 3>"$TEST_DIR/told" 2>"$TEST_DIR/proxy.err" &
        PROXY_PID=$!
        SERVERS+=("$PROXY_PID")
        wait_until test -s "$TEST_DIR/told"
}
stop_proxy() {
        kill "$PROXY_PID"
        wait_until process_is_gone "$PROXY_PID"
}
serve() { # NAME PORT...
        rm -f "$TEST_DIR/$1.ready" # of an earlier one
        start python3 "$PEER" serve "$@" >"$TEST_DIR/$1.ready" 2>&1
        wait_ready "$TEST_DIR/$1.ready"
}
ask() { in_net python3 "$PEER" ask "$@"; }
descriptors() { find "/proc/$PROXY_PID/fd" -mindepth 1 2>/dev/null | wc -l; }
has_descriptors() { [ "$(descriptors)" -le "$1" ]; }

@test "tcp and udp pass, of both families, also from one to the other" {
        local protocol
        serve inside 7001
        for protocol in tcp udp; do
                proxy -proto $protocol -host-ip 127.0.0.1 -host-port 7000 -container-ip 127.0.0.1 -container-port 7001
                expect_equal "$(cat "$TEST_DIR/told")" 0
                run ask $protocol 127.0.0.1 7000
                expect_output "inside 127.0.0.1"
                stop_proxy
                proxy --proto=$protocol --host-ip=::1 --host-port=7000 --container-ip=127.0.0.1 --container-port=7001
                run ask $protocol ::1 7000
                expect_output "inside 127.0.0.1"
                stop_proxy
                proxy -proto $protocol -host-ip 0.0.0.0 -host-port 7000 -container-ip ::1 -container-port 7001
                run ask $protocol 127.0.0.2 7000 # the answer comes from where the question went to
                expect_output "inside ::1"
                stop_proxy
        done
}

@test "what cannot be is told, and ends it with 1" {
        serve inside 7001
        in_net "$PROXY" -host-ip 127.0.0.1 -host-port 7001 -container-ip 127.0.0.1 -container-port 7002 3>"$TEST_DIR/told" || code=$?
        expect_equal "$code" 1
        expect_equal "$(cat "$TEST_DIR/told")" "1
failed to listen on 127.0.0.1:7001/tcp: address already in use"
        code=0
        in_net "$PROXY" -proto icmp 3>"$TEST_DIR/told" || code=$?
        expect_equal "$code" 1
        expect_equal "$(cat "$TEST_DIR/told")" "1
unsupported protocol icmp"
        run in_net "$PROXY" -host-port 70000 -container-port 1 3>&-
        expect_status 1
        expect_text "coracle-proxy: -host-port: expected 0 to 65535, got 70000"
        run in_net "$PROXY" -host-ip localhost -host-port 70 -container-port 1 3>&-
        expect_status 1
        expect_text "-host-ip: invalid IP address: localhost"
        run "$PROXY" -nonsense
        expect_status 2
        expect_text "flag provided but not defined: -nonsense"
        run "$PROXY" -version
        expect_status 0
        expect_match '^coracle-proxy version [0-9]'
}

@test "-use-listen-fd: the socket is there already" {
        local maker='import os, socket, sys
kind = socket.SOCK_DGRAM if sys.argv[1] == "udp" else socket.SOCK_STREAM
sock = socket.socket(socket.AF_INET, kind)
sock.bind(("127.0.0.1", 7000))
os.dup2(sock.fileno(), 4)
os.execv(sys.argv[2], sys.argv[2:])'
        local protocol
        serve inside 7001
        for protocol in tcp udp; do
                : >"$TEST_DIR/told"
                nsenter --net="/proc/$NET/ns/net" python3 -c "$maker" $protocol "$PROXY" -proto $protocol -host-ip 127.0.0.1 -host-port 7000 \
                        -container-ip 127.0.0.1 -container-port 7001 -use-listen-fd </dev/null 3>"$TEST_DIR/told" &
                SERVERS+=($!)
                wait_until test -s "$TEST_DIR/told"
                run ask $protocol 127.0.0.1 7000
                expect_output "inside 127.0.0.1"
                kill "${SERVERS[-1]}"
                wait_until process_is_gone "${SERVERS[-1]}"
        done
        run in_net python3 -c "$maker" udp "$PROXY" -proto tcp -container-ip 127.0.0.1 -container-port 7001 -use-listen-fd 3>&-
        expect_status 1
        expect_text "-use-listen-fd: descriptor 4 is a socket of protocol 17, not 6"
        run in_net "$PROXY" -container-ip 127.0.0.1 -container-port 7001 -use-listen-fd 3>&- 4>&-
        expect_status 1
        expect_text "-use-listen-fd: descriptor 4: "
}

@test "half a connection ends, the other half goes on; nothing is lost of megabytes" {
        serve inside 7001
        proxy -host-ip 127.0.0.1 -host-port 7000 -container-ip 127.0.0.1 -container-port 7001
        run in_net timeout 120 python3 - <<'EOF'
import hashlib, os, socket, threading
def one(n):
        data = os.urandom(n)
        with socket.create_connection(("127.0.0.1", 7000)) as sock:
                sock.sendall(b"sum\n" + data)
                sock.shutdown(socket.SHUT_WR)
                answer = b""
                while piece := sock.recv(4096):
                        answer += piece
        assert answer.decode() == f"{n} {hashlib.sha256(data).hexdigest()}\n", (n, answer)
        done.append(n)
done, sizes = [], [0, 1, 65536, 1 << 20, 5000001] * 4
threads = [threading.Thread(target=one, args=(n,)) for n in sizes]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(done))
EOF
        expect_output 20
}

@test "an error at one end is one at the other" {
        proxy -host-ip 127.0.0.1 -host-port 7000 -container-ip 127.0.0.1 -container-port 7001 # where nobody listens
        run ask tcp 127.0.0.1 7000
        expect_status 1
        expect_text "Connection reset by peer"
        kill -0 "$PROXY_PID"
}

@test "thousands of connections leave no descriptor and no memory behind" {
        local before memory
        serve inside 7001
        proxy -host-ip 127.0.0.1 -host-port 7000 -container-ip 127.0.0.1 -container-port 7001
        before=$(descriptors)
        in_net timeout 120 python3 - <<'EOF'
import socket
for _ in range(20):
        socks = [socket.create_connection(("127.0.0.1", 7000)) for _ in range(150)]
        for i, sock in enumerate(socks):
                if i % 3 == 0: # some ask and listen, some say nothing, some leave at once
                        sock.sendall(b"ask\n")
                        assert sock.recv(100).startswith(b"inside")
                sock.close()
EOF
        wait_until has_descriptors $((before + 32)) # a few pipes are kept
        if ! grep -qa AddressSanitizer "$PROXY"; then
                memory=$(awk '/^RssAnon:/ { print $2 }' "/proc/$PROXY_PID/status")
                [ "$memory" -lt 4096 ] || fail "$memory KB"
        fi
        kill "$PROXY_PID"
        wait_until process_is_gone "$PROXY_PID"
        run ask tcp 127.0.0.1 7000
        expect_status 1
}

@test "a flood of senders of udp costs what is allowed at most" {
        serve inside 7001
        proxy -proto udp -host-ip 127.0.0.1 -host-port 7000 -container-ip 127.0.0.1 -container-port 7001
        in_net timeout 120 python3 - <<'EOF'
import socket
for port in range(20000, 26000):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", port))
        sock.sendto(b"x", ("127.0.0.1", 7000))
        sock.close()
EOF
        wait_until ask udp 127.0.0.1 7000 2 # once it is through with them
        has_descriptors 4200
}

@test "sctp passes, message by message" {
        in_net python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)' 2>/dev/null ||
                skip "the kernel has no SCTP: runs where it has, as with make check-amd64 and the module sctp"
        proxy -proto sctp -host-ip 127.0.0.1 -host-port 7000 -container-ip 127.0.0.1 -container-port 7001
        run in_net timeout 20 python3 - <<'EOF'
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
server.bind(("127.0.0.1", 7001))
server.listen(5)
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
client.connect(("127.0.0.1", 7000))
inside, _ = server.accept()
client.send(b"one")
client.send(b"two")
print(inside.recv(100), inside.recv(100))
inside.send(b"three")
print(client.recv(100))
client.close()
print(inside.recv(100))
EOF
        expect_output "b'one' b'two'
b'three'
b''"
}
