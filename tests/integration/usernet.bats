#!/usr/bin/env bats
# coracle-usernet: slirp4netns' flags, what passes through it, its API socket, its sandbox (rows SL-01 to SL-12).

load lib
load usernet

setup() { setup_usernet; }
teardown() { teardown_usernet; }

built_with_sanitizers() { nm -D "$PROGRAM" 2>/dev/null | grep -q __asan_init; }

# ------------------------------------------------------------------------------------------------------------- way out

@test "with -c the interface has address, route and MTU, and the host is 10.0.2.2" {
        serve outside 7001
        usernet -c
        run guest ip -o -4 addr show tap0
        expect_text "inet 10.0.2.100/24 brd 10.0.2.255"
        run guest ip route show default
        expect_text "default via 10.0.2.2 dev tap0"
        run guest ip link show lo
        expect_text "LOOPBACK,UP"
        run guest ip link show tap0
        expect_text "mtu 1500"
        run ask tcp 10.0.2.2 7001
        expect_output "outside 127.0.0.1"
        run ask udp 10.0.2.2 7001
        expect_output "outside 127.0.0.1"
}

@test "without -c it is a bare interface, which DHCP can set up" {
        skip_unless "program busybox"
        usernet
        run guest ip -o addr show tap0
        expect_no_text "inet "
        printf '#!/bin/sh\n[ "$1" != bound ] || echo "$ip $router $dns"\n' >"$TEST_DIR/script"
        chmod 755 "$TEST_DIR/script"
        guest ip link set tap0 up
        run guest busybox udhcpc -i tap0 -f -q -n -t 20 -s "$TEST_DIR/script"
        expect_match '10\.0\.2\.1[5-9] 10\.0\.2\.2 10\.0\.2\.3'
}

@test "an interface that is there already is taken, as rootlesskit wants it" {
        serve outside 7001
        guest ip tuntap add name tap0 mode tap
        usernet
        guest ip addr add 10.0.2.100/24 dev tap0
        guest ip link set tap0 up
        run ask tcp 10.0.2.2 7001
        expect_output "outside 127.0.0.1"
        run host "$PROGRAM" "$GUEST" tap0 # by one at a time
        expect_status 1
        expect_text "take tap interface tap0: Device or resource busy"
}

@test "an ordinary user has a network, too" {
        skip_unless userns_for_all
        serve outside 7001
        new_guest user
        AS=("${USER_WORDS[@]}")
        usernet -c --enable-sandbox
        run ask tcp 10.0.2.2 7001
        expect_output "outside 127.0.0.1"
        grep -q "^Uid:.$USER_ID" "/proc/$USERNET/status"
        ! built_with_sanitizers || return 0
        grep -q '^CapEff:.0000000000000000$' "/proc/$USERNET/status"
        [ "$(wc -l <"/proc/$USERNET/mountinfo")" = 1 ]
}

@test "megabytes come through unharmed in both directions, with small and with large frames" {
        local mtu
        serve outside 7001
        for mtu in 1500 65520 577; do
                new_guest
                usernet -c -m $mtu -a "$API"
                run guest cat /sys/class/net/tap0/mtu
                guest sh -c "ip link show tap0" | grep -q "mtu $mtu "
                run -0 guest python3 "$CLIENT" push 10.0.2.2 7001 5000003
                serve_guest inside 7002
                run -0 api '{"execute":"add_hostfwd","arguments":{"proto":"tcp","host_port":7003,"guest_port":7002}}'
                run -0 host python3 "$CLIENT" push 127.0.0.1 7003 5000003
                stop_usernet
                rm "$API"
        done
}

@test "the same over IPv6, with addresses by router advertisement" {
        serve outside 7001
        usernet -c -6 -a "$API"
        wait_until has_ipv6
        run ask tcp fd00::2 7001
        expect_output "outside ::1"
        run ask udp fd00::2 7001
        expect_output "outside ::1"
        run -0 guest python3 "$CLIENT" push fd00::2 7001 10000001
        serve_guest inside 7002
        run api '{"execute":"add_hostfwd","arguments":{"proto":"tcp","host_addr":"::1","host_port":7003,"guest_port":7002}}'
        expect_output '{"return":{"id":1}}'
        run api '{"execute":"add_hostfwd","arguments":{"proto":"udp6","host_port":7003,"guest_port":7002}}'
        expect_output '{"return":{"id":2}}'
        run ask_host tcp ::1 7003
        expect_match '^inside fd00::'
        run ask_host udp ::1 7003
        expect_match '^inside fd00::'
        run -0 host python3 "$CLIENT" push ::1 7003 10000001
        run api '{"execute":"list_hostfwd"}'
        expect_text '"host_addr":"::1"' '"host_addr":"::"' '"guest_addr":"fd00::'
        run api '{"execute":"remove_hostfwd","arguments":{"id":1}}'
        expect_output '{"return":{}}'
        refute ask_host tcp ::1 7003
}
has_ipv6() { guest ip -6 -o addr show dev tap0 scope global -tentative | grep -q 'inet6 fd00::'; }

@test "ping, where the kernel lets the user" {
        skip_unless "program ping"
        host sh -c 'echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range'
        usernet -c
        run -0 guest ping -c 1 -W 60 10.0.2.2
}

@test "--disable-host-loopback: servers at 127.0.0.1 are out of reach, others are not" {
        make_far
        serve outside 7001
        serve_far far 7001
        usernet -c --disable-host-loopback
        refute ask tcp 10.0.2.2 7001 3
        refute ask udp 10.0.2.2 7001 3
        run ask tcp 192.0.2.1 7001
        expect_match '^outside '
        run ask udp 192.0.2.9 7001
        expect_match '^far '
}

@test "--outbound-addr is where TCP and UDP come from, also given as an interface" {
        local address
        make_far
        serve_far far 7001
        for address in 192.0.2.8 near; do
                usernet -c --outbound-addr="$address"
                [ "$address" != near ] || address=192.0.2.1
                run ask tcp 192.0.2.9 7001
                expect_output "far $address"
                run ask udp 192.0.2.9 7001
                expect_output "far $address"
                stop_usernet
                new_guest
        done
        for address in 2001:db8::7 2001:db8::8; do
                usernet -c -6 --outbound-addr6="$address"
                wait_until has_ipv6
                run ask tcp 2001:db8::9 7001
                expect_output "far $address"
                run ask udp 2001:db8::9 7001
                expect_output "far $address"
                stop_usernet
                new_guest
        done
}

@test "network, MTU and MAC address are those that were asked for" {
        serve outside 7001
        usernet -c --cidr=192.168.77.0/25 --mtu=9000 --macaddress=02:00:00:aa:bb:cc
        run guest ip -o addr show tap0
        expect_text "inet 192.168.77.100/25 brd 192.168.77.127"
        run guest ip link show tap0
        expect_text "mtu 9000" "02:00:00:aa:bb:cc"
        run ask tcp 192.168.77.2 7001
        expect_output "outside 127.0.0.1"
}

# ---------------------------------------------------------------------------------------------------------------- names

name_server() { # ADDRESS ANSWER
        rm -f "$TEST_DIR/names.ready"
        start_host python3 "$BATS_TEST_DIRNAME/tools/name_server.py" "$1" "$2" --log "$TEST_DIR/names.log" --ready "$TEST_DIR/names.ready"
        wait_until test -e "$TEST_DIR/names.ready"
}
look_up() { guest timeout 20 busybox nslookup -type=a example.test 10.0.2.3; }
answers() { look_up | grep -qF "$1"; }

@test "10.0.2.3 is the name server of the host, and another one when /etc/resolv.conf becomes another one" {
        skip_unless "program busybox"
        host ip addr add 127.0.0.2/8 dev lo
        name_server 127.0.0.1 192.0.2.11
        name_server 127.0.0.2 192.0.2.22
        usernet -c
        wait_until answers 192.0.2.11
        host sh -c 'echo "nameserver 127.0.0.2" >/etc/resolv.new && mv /etc/resolv.new /etc/resolv.conf' # another file
        wait_until answers 192.0.2.22
        host sh -c 'echo "nameserver 127.0.0.1" >/etc/resolv.conf' # the same file
        wait_until answers 192.0.2.11
        host sh -c 'mkdir /etc/elsewhere && echo "nameserver 127.0.0.2" >/etc/elsewhere/conf && ln -sf elsewhere/conf /etc/resolv.conf'
        wait_until answers 192.0.2.22
        host sh -c 'echo "nameserver 127.0.0.1" >/etc/elsewhere/new && mv /etc/elsewhere/new /etc/elsewhere/conf' # behind a link
        wait_until answers 192.0.2.11
}

@test "--disable-dns: nobody answers there" {
        skip_unless "program busybox"
        name_server 127.0.0.1 192.0.2.11
        usernet -c --disable-dns
        refute guest timeout 5 busybox nslookup -type=a example.test 10.0.2.3
        [ ! -s "$TEST_DIR/names.log" ]
}

# ------------------------------------------------------------------------------------------------------- begin and end

@test "it ends by --exit-fd, with status 0" {
        mkfifo "$TEST_DIR/exit"
        exec 5<>"$TEST_DIR/exit"
        usernet -c -e 5
        exec 6>"$TEST_DIR/exit" 5>&-
        exec 6>&-
        kill -0 "$USERNET" # it has an end of its own of the fifo
        echo >"$TEST_DIR/exit"
        wait "$USERNET"
}

@test "it ends with its namespace, when the last process has left it" {
        usernet -c
        nsenter --net="/proc/$GUEST/ns/net" sleep 100000 </dev/null >/dev/null 2>&1 3>&- &
        local other=$!
        SERVERS+=("$other")
        wait_until is_apart_from_host "$other"
        kill "$GUEST"
        wait_until process_is_gone "$GUEST"
        serve outside 7001
        run nsenter --net="/proc/$other/ns/net" python3 "$PEER" ask tcp 10.0.2.2 7001
        expect_output "outside 127.0.0.1"
        kill "$other"
        wait "$USERNET"
}

@test "a namespace is found by its path, and its user namespace from there" {
        skip_unless userns_for_all
        serve outside 7001
        new_guest user
        AS=("${USER_WORDS[@]}")
        GUEST_NAME=/proc/$GUEST/ns/net
        usernet -c --netns-type=path
        run ask tcp 10.0.2.2 7001
        expect_output "outside 127.0.0.1"
        stop_usernet
        new_guest user
        GUEST_NAME=/proc/$GUEST/ns/net
        usernet -c --netns-type=path --userns-path="/proc/$GUEST/ns/user"
        run ask tcp 10.0.2.2 7001
        expect_output "outside 127.0.0.1"
}

@test "its child ends with it, also when it is killed" {
        local child
        usernet -c
        ! built_with_sanitizers || skip "sanitizers need what the sandbox takes away: runs in builds without them"
        child=$(tr -d ' ' <"/proc/$USERNET/task/$USERNET/children")
        [ -n "$child" ]
        kill -KILL "$USERNET"
        wait_until process_is_gone "$child"
}

@test "descriptors that nobody meant for it are closed" {
        exec 9</etc
        usernet -c
        exec 9<&-
        run find "/proc/$USERNET/fd" -lname /etc
        expect_output ""
}

@test "descriptors are given back after many connections" {
        local i before
        serve outside 7001
        usernet -c
        run ask tcp 10.0.2.2 7001
        before=$(descriptors)
        guest python3 - <<-'PYTHON'
		import socket
		for i in range(300):
		    with socket.create_connection(('10.0.2.2', 7001), 60) as sock:
		        sock.sendall(b'ask\n')
		        assert sock.recv(100)
		PYTHON
        WAIT_SECONDS=120 wait_until has_descriptors $((before + 4))
}

@test "a User Mode Linux is served at a socket of its own (bess)" {
        nsenter --net="/proc/$HOST/ns/net" "$PROGRAM" --target-type=bess -r 4 "$TEST_DIR/bess" 4>"$TEST_DIR/ready" >/dev/null 2>&1 3>&- &
        USERNET=$!
        SERVERS+=("$USERNET")
        wait_until test -s "$TEST_DIR/ready"
        run -0 python3 "$CLIENT" bess "$TEST_DIR/bess" </dev/null
        expect_output "52:55:0a:00:02:02"
        wait "$USERNET" # its guest is gone
        mkfifo "$TEST_DIR/exit"
        exec 5<>"$TEST_DIR/exit"
        echo >&5
        run -0 "$PROGRAM" --target-type=bess -e 5 "$TEST_DIR/other" # nobody comes
        exec 5>&-
}

# ------------------------------------------------------------------------------------------------------------------ API

@test "API: ports of TCP and UDP are added, listed, used and removed" {
        usernet -c -a "$API"
        serve_guest inside 7002
        expect_equal "$(stat -c %a "$API")" 600
        run api '{"execute": "add_hostfwd", "arguments": {"proto": "tcp", "host_addr": "127.0.0.1", "host_port": 7001, "guest_addr": "10.0.2.100", "guest_port": 7002}}'
        expect_output '{"return":{"id":1}}'
        run api '{"execute": "add_hostfwd", "arguments": {"proto": "udp", "host_addr": "", "host_port": 7001, "guest_addr": "", "guest_port": 7002}}' # podman's
        expect_output '{"return":{"id":2}}'
        run ask_host tcp 127.0.0.1 7001
        expect_output "inside 10.0.2.2"
        run ask_host udp 127.0.0.1 7001
        expect_output "inside 10.0.2.2"
        run api '{"execute": "list_hostfwd"}'
        jq -e '.return.entries == .entries and .entries == [
                {id: 1, proto: "tcp", host_addr: "127.0.0.1", host_port: 7001, guest_addr: "10.0.2.100", guest_port: 7002},
                {id: 2, proto: "udp", host_addr: "0.0.0.0", host_port: 7001, guest_addr: "10.0.2.100", guest_port: 7002}]' <<<"$output"
        run api '{"execute": "add_hostfwd", "arguments": {"proto": "tcp", "host_addr": "127.0.0.1", "host_port": 7001, "guest_port": 80}}'
        expect_text '{"error":{"desc":"bad request: add_hostfwd: slirp_add_hostfwd failed' "Address already in use"
        run api '{"execute": "remove_hostfwd", "arguments": {"id": 1}}'
        expect_output '{"return":{}}'
        refute ask_host tcp 127.0.0.1 7001
        run ask_host udp 127.0.0.1 7001
        expect_output "inside 10.0.2.2"
        run api '{"execute": "remove_hostfwd", "arguments": {"id": 1}}'
        expect_text '{"error":{"desc":"bad request: remove_hostfwd: bad arguments.id'
}

@test "API: who comes from another machine keeps his address" {
        make_far
        usernet -c -6 -a "$API"
        wait_until has_ipv6
        serve_guest inside 7002
        api '{"execute": "add_hostfwd", "arguments": {"proto": "tcp", "host_port": 7001, "guest_port": 7002}}'
        api '{"execute": "add_hostfwd", "arguments": {"proto": "tcp6", "host_port": 7001, "guest_port": 7002}}'
        run far python3 "$PEER" ask tcp 192.0.2.1 7001
        expect_output "inside 192.0.2.9"
        run far python3 "$PEER" ask tcp 2001:db8::1 7001
        expect_output "inside 2001:db8::9"
}

@test "API: bad requests get an error each, and change nothing" {
        local arguments
        usernet -c -a "$API"
        refused() { # REQUEST TEXT
                run api "$1"
                expect_status 0
                expect_text "{\"error\":{\"desc\":\"bad request: $2"
                jq -e .error.desc <<<"$output" >/dev/null
        }
        refused '' "cannot parse JSON"
        refused '{' "cannot parse JSON"
        refused '[]' "cannot parse JSON"
        refused '{}' "no execute found"
        refused '{"execute": 1}' "cannot parse JSON"
        refused '{"execute": "reboot"}' "unknown execute"
        refused '{"execute": "add_hostfwd"}' "add_hostfwd: bad arguments.proto"
        refused '{"execute": "add_hostfwd", "arguments": [1]}' "add_hostfwd: bad arguments"
        refused '{"execute": "remove_hostfwd"}' "remove_hostfwd: bad arguments.id"
        refused '{"execute": "remove_hostfwd", "arguments": {"id": "1"}}' "remove_hostfwd: bad arguments.id"
        for arguments in 'proto {"proto":"sctp","host_port":1,"guest_port":1}' 'host_port {"proto":"tcp","guest_port":1}' \
                'host_port {"proto":"tcp","host_port":0,"guest_port":1}' 'host_port {"proto":"tcp","host_port":65536,"guest_port":1}' \
                'host_port {"proto":"tcp","host_port":"80","guest_port":1}' 'host_port {"proto":"tcp","host_port":1.5,"guest_port":1}' \
                'guest_port {"proto":"tcp","host_port":1}' 'guest_port {"proto":"tcp","host_port":1,"guest_port":-1}' \
                'host_addr {"proto":"tcp","host_addr":"here","host_port":1,"guest_port":1}' \
                'host_addr {"proto":"tcp6","host_addr":"127.0.0.1","host_port":1,"guest_port":1}' \
                'guest_addr {"proto":"tcp","guest_addr":"there","host_port":1,"guest_port":1}' \
                'guest_addr {"proto":"tcp","host_addr":"::1","host_port":1,"guest_port":1}'; do
                refused "{\"execute\": \"add_hostfwd\", \"arguments\": ${arguments#* }}" "add_hostfwd: bad arguments.${arguments%% *}"
        done
        run api - < <(printf '{"execute": "list_hostfwd"}%4096s' '')
        expect_text "too large message"
        run api - < <(printf '{"execute": "list_hostfwd"}%1000000s' '')
        expect_text "too large message"
        run api - < <(printf '\xff\x00\x01{')
        expect_text "cannot parse JSON"
        run api '{"execute": "list_hostfwd"}'
        expect_output '{"return":{"entries":[]},"entries":[]}'
}

@test "API: clients that say nothing keep nobody else from being served" {
        serve outside 7001
        usernet -c -a "$API"
        start_host python3 "$CLIENT" stall "$API" 20 >"$TEST_DIR/stall.ready"
        wait_ready "$TEST_DIR/stall.ready"
        run ask tcp 10.0.2.2 7001
        expect_output "outside 127.0.0.1"
        run api '{"execute": "list_hostfwd"}' # those before it are given up one after the other
        expect_output '{"return":{"entries":[]},"entries":[]}'
}

@test "API: a socket that somebody left is replaced, one that is in use or another file is not" {
        local other
        usernet -c -a "$API"
        new_guest
        run host "$PROGRAM" -c -a "$API" "$GUEST" tap0
        expect_status 1
        expect_text "API socket" "Address already in use"
        kill -KILL "$USERNET"
        wait_until process_is_gone "$USERNET"
        usernet -c -a "$API"
        stop_usernet
        new_guest
        rm "$API" && echo precious >"$API"
        run host "$PROGRAM" -c -a "$API" "$GUEST" tap0
        expect_status 1
        expect_equal "$(cat "$API")" precious
}

# -------------------------------------------------------------------------------------------------------------- sandbox

has_only_resolv_conf() { [ "$(find "/proc/$USERNET/root/" -printf '/%P\n' 2>/dev/null | sort)" = $'/\n/etc\n/etc/resolv.conf' ]; }

@test "the sandbox is on: an empty root, no capabilities but one of root, a filter" {
        ! built_with_sanitizers || skip "sanitizers need what the sandbox takes away: runs in builds without them"
        usernet -c
        run cat "/proc/$USERNET/mountinfo"
        expect_match '^[0-9]+ [0-9]+ [0-9:]+ / / ro,nosuid,nodev,noexec[^ ]* - tmpfs '
        expect_equal "${#lines[@]}" 1 "mounts"
        wait_until has_only_resolv_conf # which is written anew at first
        expect_equal "$(cat "/proc/$USERNET/root/etc/resolv.conf")" "nameserver 127.0.0.1"
        run cat "/proc/$USERNET/status"
        expect_match $'\nCapPrm:\t0000000000000400\n' $'\nCapEff:\t0000000000000400\n' $'\nCapBnd:\t0000000000000400\n' \
                $'\nNoNewPrivs:\t1\n' $'\nSeccomp:\t2\n' $'\nThreads:\t1\n'
        [ "$(readlink "/proc/$USERNET/ns/net")" = "$(readlink "/proc/$HOST/ns/net")" ]
        [ ! -s "$TEST_DIR/usernet.err" ]
}

@test "of resolv.conf only name servers are seen inside" {
        ! built_with_sanitizers || skip "sanitizers need what the sandbox takes away: runs in builds without them"
        host sh -c 'printf "search secret.example\nnameserver 127.0.0.1\n# password\nnameservers 1.2.3.4\n" >/etc/resolv.conf'
        usernet -c
        expect_equal "$(cat "/proc/$USERNET/root/etc/resolv.conf")" "nameserver 127.0.0.1"
}

@test "without a sandbox it goes on with a warning, unless one is asked for" {
        ! built_with_sanitizers || skip "sanitizers need what the sandbox takes away: runs in builds without them"
        skip_unless userns_for_all
        serve outside 7001
        # a user namespace in which nobody may make a mount namespace
        nsenter --net="/proc/$HOST/ns/net" --mount="/proc/$HOST/ns/mnt" "${USER_WORDS[@]}" unshare --user --map-root-user \
                sh -c 'echo 0 >/proc/sys/user/max_mnt_namespaces && exec unshare --net sleep 100000' </dev/null >/dev/null 2>&1 3>&- &
        GUEST=$!
        GUEST_NAME=$GUEST
        SERVERS+=("$GUEST")
        wait_until is_apart_from_host "$GUEST"
        AS=("${USER_WORDS[@]}" nsenter --user="/proc/$GUEST/ns/user" --preserve-credentials)
        usernet -c
        grep -q '^WARNING: going on without sandbox: ' "$TEST_DIR/usernet.err"
        grep -q $'^Seccomp:\t2$' "/proc/$USERNET/status"
        run ask tcp 10.0.2.2 7001
        expect_output "outside 127.0.0.1"
        stop_usernet
        run host "${AS[@]}" "$PROGRAM" -c --enable-sandbox "$GUEST" tap1
        expect_status 1
        expect_text "sandbox: "
}

# -------------------------------------------------------------------------------------------------------- rootlesskit

@test "rootlesskit: its network and its ports, for an ordinary user" {
        skip_unless userns_for_all "program rootlesskit" "program newuidmap"
        local flags=(--net=slirp4netns --slirp4netns-binary="$TEST_DIR/slirp4netns" --state-dir="$TEST_DIR/home/state"
                --copy-up=/etc --port-driver=slirp4netns --publish=127.0.0.1:7001:7002/tcp --publish=127.0.0.1:7001:7002/udp)
        serve outside 7003
        ln -s "$PROGRAM" "$TEST_DIR/slirp4netns"
        cp "$PEER" "$TEST_DIR/peer.py"
        start_host "${USER_WORDS[@]}" env HOME="$TEST_DIR/home" XDG_RUNTIME_DIR="$TEST_DIR/home" rootlesskit "${flags[@]}" \
                --slirp4netns-sandbox=true --slirp4netns-seccomp=true sh -c "
                        cat /etc/resolv.conf; python3 '$TEST_DIR/peer.py' ask tcp 10.0.2.2 7003
                        exec python3 '$TEST_DIR/peer.py' serve inside 7002" >"$TEST_DIR/kit" 2>&1
        wait_ready "$TEST_DIR/kit"
        grep -qx "nameserver 10.0.2.3" "$TEST_DIR/kit"
        grep -qx "outside 127.0.0.1" "$TEST_DIR/kit"
        wait_until ask_host tcp 127.0.0.1 7001 # the ports come when the command is at work already
        wait_until ask_host udp 127.0.0.1 7001
        run ask_host tcp 127.0.0.1 7001
        expect_output "inside 10.0.2.2"
        run ask_host udp 127.0.0.1 7001
        expect_output "inside 10.0.2.2"
        kill "$STARTED"
        wait_until process_is_gone "$STARTED"
}

# ---------------------------------------------------------------------------------------------------------- command line

@test "what is wrong on the command line is told, with status 1" {
        refused() { # TEXT WORD...
                local text=$1
                shift
                run host "$PROGRAM" "$@"
                expect_status 1
                expect_text "$text"
        }
        refused "Usage:"
        refused "Usage:" -c "$GUEST"
        refused "Usage:" --no-such-flag "$GUEST" tap0
        refused "PID must be a positive integer" 0 tap0
        refused "PID must be a positive integer" abc tap0
        refused "process 4194305" 4194305 tap0
        refused "MTU must be a positive integer (< 65522)" -m 65522 "$GUEST" tap0
        refused "MTU must be a positive integer (< 65522)" -m abc "$GUEST" tap0
        refused "MTU must be" -m 67 "$GUEST" tap0
        refused "MTU must be at least 1280" -6 -m 1279 "$GUEST" tap0
        refused "invalid CIDR: foo" --cidr=foo "$GUEST" tap0
        refused "invalid CIDR: fd00::/64" --cidr=fd00::/64 "$GUEST" tap0
        refused "prefix length needs to be 1-25" --cidr=10.0.2.0/26 "$GUEST" tap0
        refused "CIDR needs to be a network address like 10.0.2.0/24, not like 10.0.2.100/24" --cidr=10.0.2.1/24 "$GUEST" tap0
        refused "exit-fd must be a non-negative integer" -e abc "$GUEST" tap0
        refused "ready-fd must be a non-negative integer" -r -1 "$GUEST" tap0
        refused "--ready-fd: descriptor 77: Bad file descriptor" -r 77 "$GUEST" tap0
        refused "outbound-addr has to be valid ipv4 address" --outbound-addr=nowhere "$GUEST" tap0
        refused "outbound-addr6 has to be valid ipv6 address" --outbound-addr6=nowhere "$GUEST" tap0
        refused "--macaddr cannot be specified when --configure or -c is not specified" --macaddress=02:00:00:00:00:01 "$GUEST" tap0
        refused "zz is no MAC address" -c --macaddress=zz "$GUEST" tap0
        refused "is not an address of one interface" -c --macaddress=01:00:5e:00:00:01 "$GUEST" tap0
        refused '--netns-type must be either "path" or "pid"' --netns-type=name "$GUEST" tap0
        refused "existing path expected when --netns-type=path: No such file or directory" --netns-type=path /nowhere tap0
        refused "/etc/passwd is not a namespace, expected a network namespace" --netns-type=path /etc/passwd tap0
        refused "is a mount namespace, expected a user namespace" --userns-path=/proc/self/ns/mnt "$GUEST" tap0
        refused '--target-type must be either "netns" or "bess"' --target-type=vhost "$GUEST" tap0
        refused "--configure conflicts with --target-type=bess" --target-type=bess -c "$TEST_DIR/bess"
        refused "--netns-type conflicts with --target-type=bess" --target-type=bess --netns-type=path "$TEST_DIR/bess"
        refused "not a name for an interface" "$GUEST" this/is/no/name
        refused "API socket" -a /nowhere/api "$GUEST" tap0
        refused "at most" -a "/$(printf 'a%.0s' {1..108})" "$GUEST" tap0
        run guest ip link show
        expect_no_text tap0
}

@test "--help lists what clients look for; under the name slirp4netns --version is its line" {
        local flag
        run -0 "$PROGRAM" --help
        for flag in --configure --exit-fd --ready-fd --mtu --enable-ipv6 --api-socket --cidr --disable-host-loopback --netns-type \
                --userns-path --enable-sandbox --enable-seccomp --outbound-addr --outbound-addr6 --disable-dns --macaddress --target-type; do
                expect_text "$flag"
        done
        ln -s "$PROGRAM" "$TEST_DIR/slirp4netns"
        run -0 "$TEST_DIR/slirp4netns" -v
        expect_match '^slirp4netns version 1\.3\.2' $'\ncommit: ' $'\nlibslirp: 4\.' $'\nSLIRP_CONFIG_VERSION_MAX: [4-9]' $'\nlibseccomp: 2\.'
        run -0 "$PROGRAM" --version
        expect_match '^coracle-usernet version '
}
