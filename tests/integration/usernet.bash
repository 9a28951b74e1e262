# shellcheck shell=bash
# Helpers for tests of coracle-usernet. Each test has a host of its own: a network namespace, in which the servers are, and a
# mount namespace with an /etc that may be changed and a /dev/net/tun for everybody.
#
#   setup_usernet        $TEST_DIR, the host, a guest (namespaces with a process in them, $GUEST)
#   host COMMAND...      run on the host; start_host COMMAND...: until teardown, $STARTED is its number
#   guest COMMAND...     run in the guest's network namespace
#   new_guest [user]     another one, which a user other than root has made with a user namespace
#   usernet FLAG...      start the program between host and guest, wait until it is ready; $USERNET is its number.
#                        AS=(COMMAND...) is put in front of it, GUEST_NAME is what it gets as PID or PATH
#   serve NAME PORT...   peer.py on the host; ask WORD...: peer.py in the guest
#   teardown_usernet     end all of them

PEER=$BATS_TEST_DIRNAME/tools/peer.py
CLIENT=$BATS_TEST_DIRNAME/tools/usernet_client.py
USER_ID=54321 GROUP_ID=54322
USER_WORDS=(setpriv --reuid "$USER_ID" --regid "$GROUP_ID" --clear-groups) # in front of a command

setup_usernet() {
        skip_unless root "program python3" "program ip" # root: the namespaces are the test's own
        local built=$CORACLE_BUILD/src/tools/usernet/coracle-usernet
        [ -x "$built" ] || skip "coracle-usernet is not built: runs where libslirp was there when this was configured (scripts/deps build)"
        "$built" --version >/dev/null || skip "coracle-usernet does not find its library: runs where libslirp is installed"
        [ -c /dev/net/tun ] || skip "needs /dev/net/tun: runs on the CI machine"
        TEST_DIR=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
        chmod 755 "$TEST_DIR"
        SERVERS=() AS=()
        PROGRAM=$TEST_DIR/coracle-usernet # where other users may go
        cp "$built" "$PROGRAM"
        API=$TEST_DIR/api
        make_host
        new_guest
}

make_host() {
        unshare -n -m --propagation private sleep 100000 </dev/null >/dev/null 2>&1 3>&- &
        HOST=$!
        SERVERS+=("$HOST")
        wait_until is_apart "$HOST"
        host ip link set lo up
        mkdir "$TEST_DIR/etc"
        host sh -ec "mount -t tmpfs tmpfs '$TEST_DIR/etc'
                cd /etc && cp -a --parents passwd group nsswitch.conf hosts ld.so.* alternatives '$TEST_DIR/etc' 2>/dev/null || true
                echo 'coracle-test:x:$USER_ID:$GROUP_ID::$TEST_DIR/home:/bin/sh' >>'$TEST_DIR/etc/passwd'
                echo 'coracle-test:x:$GROUP_ID:' >>'$TEST_DIR/etc/group'
                echo 'coracle-test:300000:65536' | tee '$TEST_DIR/etc/subuid' >'$TEST_DIR/etc/subgid'
                echo 'nameserver 127.0.0.1' >'$TEST_DIR/etc/resolv.conf'
                mknod '$TEST_DIR/etc/tun' c 10 200 && chmod 666 '$TEST_DIR/etc/tun' && mount --bind '$TEST_DIR/etc/tun' /dev/net/tun
                mount --bind '$TEST_DIR/etc' /etc"
        mkdir "$TEST_DIR/home"
        chown $USER_ID:$GROUP_ID "$TEST_DIR/home"
}

is_apart() { # PID - it has its network namespace, and is the program that it is to be
        [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ] && [ "$(cat "/proc/$1/comm")" = sleep ]
}

host() { nsenter --net="/proc/$HOST/ns/net" --mount="/proc/$HOST/ns/mnt" "$@"; }
guest() { nsenter --net="/proc/$GUEST/ns/net" "$@"; }

start_host() {
        nsenter --net="/proc/$HOST/ns/net" --mount="/proc/$HOST/ns/mnt" "$@" </dev/null 3>&- &
        STARTED=$!
        SERVERS+=("$STARTED")
}

new_guest() { # [user]
        local as=()
        [ "${1:-}" != user ] || as=("${USER_WORDS[@]}" unshare --user --map-root-user)
        nsenter --net="/proc/$HOST/ns/net" --mount="/proc/$HOST/ns/mnt" "${as[@]}" unshare --net sleep 100000 </dev/null >/dev/null 2>&1 3>&- &
        GUEST=$!
        SERVERS+=("$GUEST")
        wait_until is_apart_from_host "$GUEST"
        GUEST_NAME=$GUEST
}

is_apart_from_host() { is_apart "$1" && [ "$(readlink "/proc/$1/ns/net")" != "$(readlink "/proc/$HOST/ns/net")" ]; }

usernet() {
        : >"$TEST_DIR/ready"
        nsenter --net="/proc/$HOST/ns/net" --mount="/proc/$HOST/ns/mnt" "${AS[@]}" "$PROGRAM" -r 4 "$@" "$GUEST_NAME" tap0 \
                </dev/null 4>"$TEST_DIR/ready" >"$TEST_DIR/usernet.out" 2>"$TEST_DIR/usernet.err" 3>&- &
        USERNET=$!
        SERVERS+=("$USERNET")
        wait_until is_ready || { cat "$TEST_DIR/usernet.err"; return 1; }
        [ "$(cat "$TEST_DIR/ready")" = 1 ] || { cat "$TEST_DIR/usernet.err"; return 1; }
}
is_ready() { [ -s "$TEST_DIR/ready" ] || process_is_gone "$USERNET"; }

stop_usernet() {
        kill "$USERNET"
        wait_until process_is_gone "$USERNET"
}

serve() { # NAME PORT... - on the host, at all of its addresses
        rm -f "$TEST_DIR/$1.ready" # of an earlier one
        start_host python3 "$PEER" serve "$@" >"$TEST_DIR/$1.ready" 2>&1
        wait_ready "$TEST_DIR/$1.ready"
}
serve_guest() { # NAME PORT...
        rm -f "$TEST_DIR/$1.ready"
        nsenter --net="/proc/$GUEST/ns/net" python3 "$PEER" serve "$@" </dev/null >"$TEST_DIR/$1.ready" 2>&1 3>&- &
        SERVERS+=($!)
        wait_ready "$TEST_DIR/$1.ready"
}
ask() { guest python3 "$PEER" ask "$@"; }
ask_host() { host python3 "$PEER" ask "$@"; }
api() { host python3 "$CLIENT" api "$API" "$@"; }

# make_far - another machine, 192.0.2.9 and 2001:db8::9; the host is 192.0.2.1, .7 and .8 there, 2001:db8::1, 7 and 8
make_far() {
        local n
        unshare -n sleep 100000 </dev/null >/dev/null 2>&1 3>&- &
        FAR=$!
        SERVERS+=("$FAR")
        wait_until is_apart "$FAR"
        host ip link add near type veth peer name far
        host ip link set far netns "$FAR"
        for n in 1 7 8; do
                host ip addr add 192.0.2.$n/24 dev near
                host ip addr add 2001:db8::$n/64 dev near nodad
        done
        host ip link set near up
        far ip addr add 192.0.2.9/24 dev far
        far ip addr add 2001:db8::9/64 dev far nodad
        far ip link set far up
}
far() { nsenter --net="/proc/$FAR/ns/net" "$@"; }
serve_far() { # NAME PORT...
        nsenter --net="/proc/$FAR/ns/net" python3 "$PEER" serve "$@" </dev/null >"$TEST_DIR/$1.ready" 2>&1 3>&- &
        SERVERS+=($!)
        wait_ready "$TEST_DIR/$1.ready"
}

descriptors() { find "/proc/$USERNET/fd" -mindepth 1 2>/dev/null | wc -l; }
has_descriptors() { [ "$(descriptors)" -le "$1" ]; }

teardown_usernet() {
        local pid
        [ -n "${TEST_DIR:-}" ] || return 0
        for pid in "${SERVERS[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
        for pid in "${SERVERS[@]}"; do wait "$pid" 2>/dev/null || true; done
        remove_tree "$TEST_DIR"
        TEST_DIR=
}
