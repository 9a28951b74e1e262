#!/usr/bin/env bats
# Networks of an ordinary user, whose containers are in a network namespace of the user's own, with coracle-usernet to the
# host. The host is a network namespace of the test's own, with another host beside it.

load lib
load registries
load rootless
load networks

setup() {
        skip_unless "program python3"
        [ -x "$CORACLE_BUILD/src/tools/usernet/coracle-usernet" ] || skip "coracle-usernet is not built: needs libslirp"
        setup_rootless
        open_tun
        SERVERS=()
        install -m 755 "$CORACLE_BUILD/src/tools/usernet/coracle-usernet" "$TEST_DIR/"
        unshare -n sleep 3600 </dev/null >/dev/null 2>&1 3>&- &
        NET=$!
        SERVERS+=("$NET")
        wait_until is_apart "$NET"
        in_net ip link set lo up
        start_far fd98
        echo "nameserver 10.9.8.2" >"$TEST_DIR/resolv.conf"
}

teardown() {
        [ -n "${TEST_DIR:-}" ] || return 0
        coracle ps -aq 2>/dev/null | while read -r id; do coracle rm -f "$id"; done >/dev/null 2>&1 || true
        wait_until is_over || { pgrep -u 4242 -af "$TEST_DIR"; left=1; }
        for pid in "${SERVERS[@]}"; do kill -KILL "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done
        NET=
        teardown_rootless && [ "${left:-0}" = 0 ]
}

is_apart() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ] && [ "$(cat "/proc/$1/comm")" = sleep ]; }
# The processes of one have the same command line.
usernets() { pgrep -u 4242 -af "^$TEST_DIR/coracle-usernet" | cut -d " " -f 2- | sort -u; }
is_over() { ! pgrep -u 4242 -f "^$TEST_DIR/coracle-usernet" >/dev/null; }
begin() { # NAME FLAG...
        local name=$1
        shift
        coracle run -d --name "$name" "$@" small sleep 1000 >/dev/null
}
says() { [[ "$(coracle exec "$1" nslookup "$2" 2>&1)" == *"$3"* ]]; }

@test "the default network: out by coracle-usernet, which is there as long as it is needed" {
        in_far "$SOURCE_DIR/tests/integration/tools/name_server.py" 10.9.8.2 192.0.2.7 --log "$TEST_DIR/asked" \
                --ready "$TEST_DIR/ready" </dev/null >/dev/null 2>&1 3>&- &
        SERVERS+=("$!")
        wait_until test -e "$TEST_DIR/ready"
        in_far busybox httpd -f -p 10.9.8.2:80 -h "$TEST_DIR/tree/data" </dev/null >/dev/null 2>&1 3>&- &
        SERVERS+=("$!")
        is_over
        begin xa
        [ "$(usernets | wc -l)" = 1 ]
        wait_until coracle exec xa wget -q -O - http://10.9.8.2/file
        run coracle exec xa wget -q -O - http://10.9.8.2/file
        expect_output text
        wait_until says xa elsewhere.example 192.0.2.7 # by the host's server of names
        run coracle exec xa cat /etc/resolv.conf
        expect_output "nameserver 10.0.2.3"
        begin xb
        [ "$(usernets | wc -l)" = 1 ]
        wait_until reaches xb "$(coracle inspect -f '{{.NetworkSettings.IPAddress}}' xa)"
        run coracle exec xb wget -q -T 3 -O - http://10.0.2.2/ # the host's own 127.0.0.1
        [ "$status" != 0 ]
        run coracle run --rm --network host small ip -o addr
        expect_text "10.9.8.1/24"
        coracle rm -f xa >/dev/null
        coracle exec xb wget -q -O - http://10.9.8.2/file
        coracle rm -f xb >/dev/null
        wait_until is_over
}

@test "networks of one's own: names, connect and disconnect, what is in use" {
        coracle network create one >/dev/null
        coracle network create --subnet 10.7.0.0/24 --internal two >/dev/null
        begin xa --network one
        begin xb --network one --ip6 fd07::5 && fail "an address that no subnet has was taken"
        coracle rm -f xb >/dev/null 2>&1 || true
        begin xb --network two
        wait_until says xa xa.one 172.
        run coracle exec xa ping -c 1 -W 1 10.7.0.2
        [ "$status" != 0 ]
        coracle network connect --alias also one xb
        wait_until says xa also 172.
        wait_until reaches xa xb
        run coracle network inspect -f '{{range .Containers}}{{.Name}} {{end}}' one
        expect_text xa xb
        run coracle network rm one
        expect_status 1
        expect_text "has active endpoints"
        coracle network disconnect one xb
        run coracle exec xb ip -o -4 addr
        expect_text 10.7.0.2
        expect_no_text 172.
        run coracle network create --subnet 10.0.2.128/25 three # which is that of coracle-usernet
        expect_status 1
        run coracle network create -d macvlan -o parent=up0 four
        expect_status 1
        expect_text "driver macvlan takes an interface of the host"
        run coracle system check
        expect_status 0
        coracle rm -f xa xb >/dev/null
        run coracle network prune -f
        expect_text one two
}

@test "published ports: tcp and udp, of the host's addresses, for as long as the container has them" {
        local protocol address
        begin web -p 8080:80 -p 8080:80/udp
        serve web 80
        for protocol in tcp udp; do
                for address in 127.0.0.1 10.9.8.1 ::1 fd98::1; do
                        run in_net python3 "$PEER" ask $protocol "$address" 8080
                        expect_text "web "
                done
        done
        run coracle port web
        expect_text "80/tcp -> 0.0.0.0:8080" "80/udp -> [::]:8080"
        run coracle run --rm -p 8080:80 small true
        expect_status 125
        expect_text "port is already allocated to container web"
        run coracle run --rm -p 80:80 small true
        expect_status 125
        expect_text "failed to bind host port 0.0.0.0:80/tcp" "net.ipv4.ip_unprivileged_port_start" "Permission denied"
        coracle restart -t 0 web >/dev/null # the monitor left the host's network long ago
        serve web 80
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080
        expect_text "web 10.9.8.2"
        coracle stop -t 0 web >/dev/null
        [ -z "$(in_net ss -Hlntu)" ]
        coracle start web >/dev/null
        coracle rm -f web >/dev/null
        [ -z "$(in_net ss -Hlntu)" ]
}

@test "published ports: the container sees the address of its client, where that is nobody in its own network" {
        local protocol gateway gateway6
        coracle network create --ipv6 one >/dev/null
        begin web --network one -p 8080:80 -p 8080:80/udp -p 8081:80
        serve web 80
        gateway=$(coracle inspect -f '{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}' web)
        gateway6=$(coracle inspect -f '{{range .NetworkSettings.Networks}}{{.IPv6Gateway}}{{end}}' web)
        for protocol in tcp udp; do
                while read -r where address seen; do
                        run "$where" python3 "$PEER" ask $protocol "$address" 8080
                        expect_output "web $seen"
                done <<<"in_far 10.9.8.1 10.9.8.2
in_far fd98::1 fd98::2
in_net 10.9.8.1 10.9.8.1
in_net fd98::1 fd98::1
in_net 127.0.0.1 $gateway
in_net ::1 $gateway6"
        done
        # from one port to two, and again while the kernel remembers
        for port in 8080 8081 8080; do
                run in_far python3 "$PEER" ask tcp 10.9.8.1 $port 15 4000
                expect_output "web 10.9.8.2"
        done
        run in_far python3 - <<<"import hashlib, socket
s = socket.create_connection(('10.9.8.1', 8080))
data = bytes(range(256)) * (1 << 14)
s.sendall(b'sum\n' + data)
s.shutdown(socket.SHUT_WR)
print(s.makefile().read() == f'{len(data)} {hashlib.sha256(data).hexdigest()}\n')"
        expect_output True
        # one outside who has the address of one inside: the container does not mistake it
        in_far ip addr add "${gateway%.*}.200/32" dev down0
        in_far ip route change 10.9.8.0/24 dev down0 src "${gateway%.*}.200"
        in_net ip route add "${gateway%.*}.200/32" dev up0
        for protocol in tcp udp; do
                run in_far python3 "$PEER" ask $protocol 10.9.8.1 8080
                expect_output "web $gateway"
        done
        in_far ip route change 10.9.8.0/24 dev down0 src 10.9.8.2
        # somebody empties the table of rules: whatever is started next puts it back
        nsenter --net="/proc/$(pgrep -u 4242 -f "coracle-monitor --store $TEST_DIR/" | head -1)/ns/net" nft flush ruleset
        coracle run --rm small true
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080
        expect_output "web 10.9.8.2"
}

@test "many at once have one namespace; what was killed is made up for by the next" {
        local i pids=()
        for i in 1 2 3 4 5 6 7 8; do
                begin "x$i" -p "$((9000 + i)):80" 3>&- &
                pids+=($!)
        done
        for i in "${pids[@]}"; do wait "$i"; done
        [ "$(usernets | wc -l)" = 1 ]
        for i in 1 2 3 4 5 6 7 8; do readlink "/proc/$(pgrep -u 4242 -f "coracle-monitor --store $TEST_DIR/.* $(coracle inspect -f '{{.Id}}' "x$i")" | head -1)/ns/net"; done | sort -u >"$TEST_DIR/namespaces"
        [ "$(wc -l <"$TEST_DIR/namespaces")" = 1 ]
        wait_until reaches x1 10.0.2.2
        kill -KILL "$(pgrep -o -u 4242 -f "^$TEST_DIR/coracle-usernet")"
        wait_until is_over
        coracle run --rm small true
        [ "$(usernets | wc -l)" = 1 ] # it serves those that were there before, and stays
        wait_until reaches x1 10.0.2.2
        # a monitor that is killed leaves its port, until somebody looks
        kill -KILL "$(pgrep -u 4242 -f "coracle-monitor --store $TEST_DIR/.* $(coracle inspect -f '{{.Id}}' x1)" | head -1)"
        wait_until free_again
        run coracle run --rm -p 9001:80 small true
        expect_status 0
        run coracle system check
        expect_status 0
}

@test "who serves the namespace may take its time, and is not given up for it" {
        local client server
        begin web -p 8080:80
        server=$(pgrep -o -u 4242 -f "^$TEST_DIR/coracle-usernet")
        kill -STOP "$server"
        coracle run --rm small ip -o -4 addr >"$TEST_DIR/out" 2>&1 &
        client=$!
        sleep 8
        kill -CONT "$server"
        wait "$client" || fail "$(cat "$TEST_DIR/out")"
        grep -q eth0 "$TEST_DIR/out"
        expect_equal "$(pgrep -o -u 4242 -f "^$TEST_DIR/coracle-usernet")" "$server"
        run coracle run --rm small true
        expect_status 0
}

free_again() { [ "$(coracle ps -q | wc -l)" = 7 ]; }

@test "what is missing is told" {
        rm "$TEST_DIR/coracle-usernet"
        run coracle run --rm small ip -o -4 addr
        expect_status 0
        expect_no_text eth0
        coracle network create one >/dev/null
        run coracle run --rm --network one small true
        expect_status 125
        expect_text "networks of ordinary users need coracle-usernet, which is not installed"
        run coracle system doctor
        expect_match 'limited +networks .*need coracle-usernet'
        printf '#!/bin/sh\necho "no such luck" >&2\nexit 1\n' >"$TEST_DIR/coracle-usernet"
        chmod 755 "$TEST_DIR/coracle-usernet"
        run coracle run --rm small true
        expect_status 125
        expect_text "the network of this user: coracle-usernet did not get ready: no such luck"
        chmod 600 "$TEST_DIR/tun"
        run coracle run --rm small true
        expect_status 125
        expect_text "networks of ordinary users need /dev/net/tun"
}
