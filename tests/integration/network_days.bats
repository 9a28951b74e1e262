#!/usr/bin/env bats
# Bad days of networks: whoever makes or removes something is killed in the middle of it, interfaces get other names, the
# kernel has no nftables, or no permission is given. Each command comes to its end and says what was wrong; and nothing is
# left: no interface, no address, no rule, no port.

load lib
load registries
load containers
load networks
test_limit 900

setup() {
        setup_containers
        coracle network create base >/dev/null # the table of nftables and the default bridge are there from now on
        begin first
        coracle network connect base first
        coracle rm -f first >/dev/null
        coracle network rm base >/dev/null
        wait_until settled
        host_state >"$TEST_DIR/before"
}

teardown() { teardown_networks; }

# Interfaces, addresses, routes, and all that the firewall knows
host_state() {
        in_net sh -c 'ip -o link; ip -o addr; ip route; ip -6 route; nft list ruleset 2>/dev/null' |
                sed 's/^[0-9]*: //; s/ valid_lft.*//; s/ tentative//; s/state [A-Z]*//; s/<[A-Z,_-]*>//; s/ linkdown//; /^fe80::\|^multicast ff00/d; /scope link/{/inet6/d}'
}
settled() { ! in_net ip -o link | grep -q veth; }

# ---- what is not there ----

@test "a kernel without nftables: that is said, and what needs none of it works" {
        skip_unless "program python3"
        without() { in_net timeout -k 5 "$RUNTIME_TIMEOUT" "$SOURCE_DIR/tests/integration/tools/without_nftables.py" "$CORACLE" "$@" 3>&-; }
        run without network create one
        expect_status 1
        expect_text "network one: this kernel has no nftables"
        run without run --rm --cgroup-parent "$CGROUP_PARENT" bb:1 true
        expect_status 125
        expect_text "network bridge: this kernel has no nftables"
        run without run --rm --cgroup-parent "$CGROUP_PARENT" -p 8080:80 bb:1 true
        expect_status 125
        expect_text "this kernel has no nftables"
        wait_until is_as_before
        run without run --rm --cgroup-parent "$CGROUP_PARENT" --network none bb:1 echo works
        expect_output works
        run without run --rm --cgroup-parent "$CGROUP_PARENT" --network host bb:1 echo works
        expect_output works
        run without ps -q
        expect_status 0
        expect_output ""
        run without network ls -q -f type=custom
        expect_output ""
}

@test "without the right to change networks: that is said, and nothing is made" {
        skip_unless "program setpriv"
        may_not() { in_net timeout -k 5 "$RUNTIME_TIMEOUT" setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$CORACLE" "$@" 3>&-; }
        run may_not network create one
        expect_status 1
        expect_text "network one: " "Operation not permitted"
        run may_not run --rm --cgroup-parent "$CGROUP_PARENT" bb:1 true
        expect_status 125
        expect_text "Operation not permitted"
        run coracle network ls -q -f type=custom
        expect_output ""
        begin xa
        run may_not network connect bridge xa # the monitor has the right
        expect_status 1
        expect_text "endpoint with name xa already exists in network bridge"
        [ -n "$(address_of xa bridge)" ]
}

# ---- other names ----

interfaces_of() { coracle exec "$1" ls /sys/class/net | paste -sd' '; }

@test "who is connected by an interface that has another name by now is disconnected all the same" {
        local id veth
        id=$(coracle network create --subnet 10.7.0.0/24 one)
        begin xa --network one --cap-add NET_ADMIN
        veth=$(in_net ip -o link show master "br-${id:0:12}" | sed -n 's/^[0-9]*: \([^@]*\)@.*/\1/p')
        in_net ip link set "$veth" down
        in_net ip link set "$veth" name mine0 up
        coracle network disconnect one xa
        expect_equal "$(interfaces_of xa)" lo
        expect_equal "$(in_net ip -o link show master "br-${id:0:12}")" ""
        # and if both ends have
        coracle network connect one xa
        veth=$(in_net ip -o link show master "br-${id:0:12}" | sed -n 's/^[0-9]*: \([^@]*\)@.*/\1/p')
        in_net ip link set "$veth" down
        in_net ip link set "$veth" name mine0 up
        coracle exec xa sh -c 'i=$(ls /sys/class/net | grep eth); ip link set $i down; ip link set $i name other; ip link set other up; ip link add $i type veth'
        coracle network disconnect one xa
        run interfaces_of xa
        expect_no_text other
        expect_equal "$(in_net ip -o link show master "br-${id:0:12}")" ""
}

@test "a bridge that somebody has given another name is there again with the next container, and goes with its network" {
        local id bridge
        id=$(coracle network create --ipv6 --subnet 10.7.0.0/24 --subnet fd07::/64 one)
        bridge=br-${id:0:12}
        begin xa --network one
        in_net sh -c "ip link set $bridge down; ip link set $bridge name other0; ip link set other0 up"
        run coracle system check
        expect_status 1
        expect_text "network one: its bridge $bridge is gone"
        begin xb --network one
        run in_net ip -o link
        expect_no_text other0
        expect_text "$bridge: "
        reaches xb "$(address_of xa one)"
        reaches xb 10.7.0.1
        coracle exec xa ping6 -c 1 -W 5 fd07::1 >/dev/null
        run coracle system check
        expect_status 0
        coracle rm -f xa xb >/dev/null
        in_net sh -c "ip link set $bridge down; ip link set $bridge name other0"
        coracle network rm one
        wait_until is_as_before
}

@test "another bridge with the same address is not taken for a network's own" {
        in_net sh -c 'ip link add other0 type bridge; ip addr add 10.7.0.1/24 dev other0'
        coracle network create --subnet 10.7.0.0/24 one >/dev/null
        coracle network rm one
        run in_net ip -o addr show other0
        expect_text "inet 10.7.0.1/24"
        in_net ip link del other0
}

# ---- killed in the middle ----

# Which calls there are is taken from a run that is let go; a sample of them is tried: each process of the command is killed
# at its Nth call of that name, whichever comes so far. What the container itself does is of no interest.
CALLS=sendto,sendmsg,pwrite64,fdatasync,connect,openat

calls_of() { # COMMAND... - "name number" of what its processes call
        in_net timeout -k 5 "$RUNTIME_TIMEOUT" strace -qq -ff -e "trace=$CALLS" -e signal=none -o "$TEST_DIR/trace" "$CORACLE" "$@" </dev/null >/dev/null 2>&1 3>&- || true
        sed -nsE 's/^([a-z0-9_]+)\(.*/\1/p;$a-' "$TEST_DIR"/trace.* | awk '$1 == "-" { split("", n); next } { print $1, ++n[$1] }' | sort -u |
                awk -v want="${KILL_SAMPLES:-10}" '$1 != "openat" || $2 % 10 == 0 { line[++m] = $0 }
                        END { step = m > want ? m / want : 1; for (i = 1; i <= m; i += step) print line[int(i)] }' >"$TEST_DIR/calls"
        rm -f "$TEST_DIR"/trace.*
        [ "$(wc -l <"$TEST_DIR/calls")" -ge 5 ] || fail "there are only $(wc -l <"$TEST_DIR/calls") calls"
}

killed_at() { # NAME NUMBER COMMAND...
        local name=$1 number=$2
        shift 2
        in_net timeout -k 5 "$RUNTIME_TIMEOUT" strace -q -f -o "$TEST_DIR/killed" -e "trace=$name" -e "inject=$name:signal=SIGKILL:when=$number" \
                "$CORACLE" "$@" </dev/null >/dev/null 2>&1 3>&- || true
        ! grep -q 'killed by SIGKILL' "$TEST_DIR/killed" || kills=$((${kills:-0} + 1))
}
# Not every number is met again. But most are; otherwise nothing was tried.
expect_kills() {
        local tried
        tried=$(wc -l <"$TEST_DIR/calls")
        [ "${kills:-0}" -ge $((tried / 2)) ] || fail "somebody was killed only ${kills:-0} times of $tried"
        kills=0
}

has_none() { # NETWORK - nobody is connected, and it can go
        coracle ps -a >/dev/null # whoever looks buries the dead
        [ "$(coracle network inspect -f '{{len .Containers}}' "$1")" = 0 ]
}

@test "run is killed at any call: addresses, ports and interfaces are free again" {
        skip_unless "program strace"
        local name number
        what=(run --name xa --cgroup-parent "$CGROUP_PARENT" --network one --ip 10.7.0.50 -p 8080:80 -p 8080:80/udp bb:1 true)
        coracle network create --subnet 10.7.0.0/24 one >/dev/null
        calls_of "${what[@]}"
        coracle rm -f xa >/dev/null
        wait_until settled # the kernel takes a namespace apart behind our back
        host_state >"$TEST_DIR/connected"
        while read -r name number <&4; do
                killed_at "$name" "$number" "${what[@]}"
                coracle rm -f xa >/dev/null 2>&1 || true
                wait_until has_none one || fail "$name $number: somebody is connected"
                wait_until is_as one || { host_state | diff "$TEST_DIR/connected" -; fail "$name $number: something is left"; }
        done 4<"$TEST_DIR/calls"
        expect_kills
        coracle "${what[@]}"
        coracle rm -f xa >/dev/null
        coracle network rm one
}
is_as() { host_state | cmp -s "$TEST_DIR/connected" -; }

@test "connect and disconnect are killed at any call, or the monitor that does it: what is left is whole" {
        skip_unless "program strace"
        local verb name number pid shown
        coracle network create --subnet 10.7.0.0/24 one >/dev/null
        for verb in connect disconnect; do
                begin xa
                [ $verb = connect ] || coracle network connect one xa
                calls_of network $verb one xa
                while read -r name number <&4; do
                        coracle network $verb one xa 2>/dev/null || true
                        if [ $verb = connect ]; then coracle network disconnect -f one xa; else coracle network connect one xa; fi
                        killed_at "$name" "$number" network $verb one xa
                        # by now it is done or not; both are whole
                        wait_until agrees xa one || fail "$verb, $name $number: $(coracle inspect -f '{{json .NetworkSettings.Networks}}' xa) $(interfaces_of xa)"
                        if [ $verb = connect ]; then coracle network disconnect -f one xa; else coracle network connect one xa 2>/dev/null || true; fi
                done 4<"$TEST_DIR/calls"
                expect_kills
                coracle rm -f xa >/dev/null
                wait_until has_none one
        done
        # the monitor: whoever asks it is told, and the container is dead
        for number in 1 3 5 8; do
                begin xa
                pid=$(coracle inspect -f '{{.State.Pid}}' xa)
                pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
                timeout -k 5 "$RUNTIME_TIMEOUT" strace -qq -o /dev/null -e trace=sendto -e "inject=sendto:signal=SIGKILL:when=$number" -p "$pid" </dev/null >/dev/null 2>&1 3>&- &
                wait_until is_traced "$pid"
                coracle network connect one xa 2>/dev/null || true
                coracle network disconnect one xa 2>/dev/null || true
                wait_until is_dead "$pid" || fail "the monitor lives: $number"
                expect_equal "$(coracle inspect -f '{{.State.Status}}' xa)" exited
                coracle rm -f xa >/dev/null
                wait_until has_none one
        done
        coracle network rm one
        wait_until is_as_before
}
is_traced() { grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$1/status"; }
is_dead() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }
# what is said of the container is what it has
agrees() { # NAME NETWORK
        local ip
        ip=$(address_of "$1" "$2")
        if [ -n "$ip" ]; then coracle exec "$1" ip -4 -o addr | grep -q "inet $ip/"; else ! coracle exec "$1" ip -4 -o addr | grep -q "inet 10.7.0"; fi
}

@test "rm is killed at any call: the next one does the rest" {
        skip_unless "program strace"
        local name number
        coracle network create --subnet 10.7.0.0/24 one >/dev/null
        begin xa --network one -p 8080:80
        calls_of rm -f xa
        while read -r name number <&4; do
                begin xa --network one -p 8080:80
                killed_at "$name" "$number" rm -f xa
                coracle rm -f xa >/dev/null 2>&1 || true
                [ -z "$(container_ids)" ] || fail "$name $number: the container is left"
                wait_until has_none one || fail "$name $number: somebody is connected"
        done 4<"$TEST_DIR/calls"
        expect_kills
        coracle network rm one
}

@test "network create and network rm are killed at any call: the next one does the rest" {
        skip_unless "program strace"
        local name number
        calls_of network create --subnet 10.7.0.0/24 one
        while read -r name number <&4; do
                coracle network rm -f one >/dev/null
                killed_at "$name" "$number" network create --subnet 10.7.0.0/24 one
                coracle network rm -f one >/dev/null || fail "$name $number: it cannot be removed"
                wait_until is_as_before || { host_state | diff "$TEST_DIR/before" -; fail "create, $name $number: something is left"; }
        done 4<"$TEST_DIR/calls"
        expect_kills
        coracle network create --subnet 10.7.0.0/24 one >/dev/null
        calls_of network rm one
        while read -r name number <&4; do
                coracle network create --subnet 10.7.0.0/24 one >/dev/null 2>&1 || true
                killed_at "$name" "$number" network rm one
                coracle network rm -f one >/dev/null || fail "$name $number: it cannot be removed"
                wait_until is_as_before || { host_state | diff "$TEST_DIR/before" -; fail "rm, $name $number: something is left"; }
        done 4<"$TEST_DIR/calls"
        expect_kills
}
