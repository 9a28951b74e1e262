# shellcheck shell=bash
# Helpers for tests against registries. Each test has a network namespace of its own, in which all its servers live.
#
#   setup_net           $TEST_DIR, $HOME in it, a network namespace with loopback, $COR_CONFIG (daemon.json, certs.d)
#   in_net COMMAND...   run in that namespace
#   reg COMMAND...      tool-registry there, for RUNTIME_TIMEOUT seconds at most
#   start_hostile NAME PORT [FLAG...]   tests/integration/tools/hostile_registry.py; log in $TEST_DIR/NAME.log. Sets DIGEST,
#                       SIZE and MANIFEST_DIGEST
#   start_registry PORT [LINE OF ITS CONFIGURATION...]   Debian's docker-registry
#   make_certificates   $TEST_DIR/ca.crt, server.crt with server.key for localhost, 127.0.0.1 and registry.test,
#                       client.crt with client.key
#   name_hosts, unname_hosts   registry.test and proxy.test are this machine, for as long
#   teardown_net        ends the servers and the namespace, removes the folder

setup_net() {
        TEST_DIR=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
        TOOL=$CORACLE_BUILD/tests/integration/tools/tool-registry
        [ -x "$TOOL" ] || { echo "there is no $TOOL (run make)"; return 1; }
        SERVERS=()
        unshare -n sleep 3600 </dev/null >/dev/null 2>&1 3>&- &
        SERVERS+=($!)
        NET=$!
        wait_until net_is_ready
        in_net ip link set lo up
        export HOME=$TEST_DIR COR_CONFIG=$TEST_DIR/config
        unset DOCKER_CONFIG HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy
        mkdir -p "$COR_CONFIG/certs.d" "$HOME/.docker"
}

net_is_ready() { [ "$(readlink "/proc/$NET/ns/net")" != "$(readlink /proc/self/ns/net)" ] && [ "$(cat "/proc/$NET/comm")" = sleep ]; }

in_net() { nsenter --net="/proc/$NET/ns/net" "$@"; }

reg() { in_net timeout -k 5 "$RUNTIME_TIMEOUT" "$TOOL" "$@"; }

# start COMMAND... - in the namespace, until teardown
start() {
        nsenter --net="/proc/$NET/ns/net" "$@" </dev/null 3>&- &
        SERVERS+=($!)
}

listens() { in_net ss -Hltn "sport = :$1" | grep -q .; }

start_hostile() {
        local name=$1 port=$2
        shift 2
        : >"$TEST_DIR/$name.log"
        start "$SOURCE_DIR/tests/integration/tools/hostile_registry.py" --port "$port" --log "$TEST_DIR/$name.log" "$@" \
                >"$TEST_DIR/$name.out" 2>&1
        wait_until grep -q MANIFEST_DIGEST= "$TEST_DIR/$name.out" # which it says once it listens
        # shellcheck disable=SC2046
        declare -g $(cat "$TEST_DIR/$name.out")
}

start_registry() {
        local port=$1 line
        shift
        {
                printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}\n' "$TEST_DIR/storage-$port"
                printf 'http:\n  addr: 127.0.0.1:%s\n' "$port"
                for line; do printf '%s\n' "$line"; done
        } >"$TEST_DIR/registry-$port.yml"
        start docker-registry serve "$TEST_DIR/registry-$port.yml" >"$TEST_DIR/registry-$port.out" 2>&1
        wait_until listens "$port"
}

make_certificates() { # all tests of a file get copies of those that the first makes
        local kept=$BATS_RUN_TMPDIR/certificates
        if [ ! -d "$kept" ]; then
                mkdir "$kept.new"
                (
                        cd "$kept.new" || exit 1
                        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.crt
                        for name in server client; do
                                openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout $name.key -out $name.csr
                                openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out $name.crt \
                                        -extfile <(echo 'subjectAltName = DNS:localhost, DNS:registry.test, IP:127.0.0.1, IP:127.0.0.2')
                        done
                ) >/dev/null 2>&1
                mv "$kept.new" "$kept"
        fi
        cp "$kept"/* "$TEST_DIR"
}

# Several files run in one mount namespace at the same time: one test at a time has its own /etc/hosts, in which those of
# the others find what they need.
name_hosts() {
        exec 8>"${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/hosts.lock"
        flock 8
        echo '127.0.0.1 localhost registry.test proxy.test' >"$TEST_DIR/hosts"
        mount --bind "$TEST_DIR/hosts" /etc/hosts
        NAMED=1
}

unname_hosts() {
        [ -n "${NAMED:-}" ] || return 0
        umount -l /etc/hosts # others may be reading it
        NAMED=
        flock -u 8 # also for the servers, which have the descriptor, too
}

teardown_net() {
        local pid
        [ -n "${TEST_DIR:-}" ] || return 0
        unname_hosts
        for pid in "${SERVERS[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
        for pid in "${SERVERS[@]}"; do wait "$pid" 2>/dev/null || true; done
        remove_tree "$TEST_DIR"
        TEST_DIR=
}
