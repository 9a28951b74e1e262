#!/usr/bin/env bats
# Networks as objects, with no daemon: made, shown, removed; containers that are connected with them, and what can be
# reached from where. All of it in a network namespace of the test's own, which afterwards has nothing that it had not
# before, but for the default bridge.

load lib
load registries
load containers
load networks

setup() {
        setup_containers
        host_state >"$TEST_DIR/before"
}

teardown() { teardown_networks; }

# Interfaces, addresses and routes; those of the default bridge stay, and are no test's; own0 changes with its ports
host_state() {
        in_net sh -c 'ip -o link; ip -o addr; ip route; ip -6 route' | grep -v -e coracle0 -e own0 | sed 's/^[0-9]*: //; s/ valid_lft.*//; s/ tentative//'
}

@test "network ls: there are three from the beginning, which stay" {
        run coracle network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'
        expect_output "bridge bridge local
host host local
none null local"
        run coracle network rm bridge
        expect_status 1
        expect_text "bridge is a pre-defined network and cannot be removed"
        run coracle network create host
        expect_status 1
        expect_text "operation is not permitted on predefined host network"
        run coracle network rm nope
        expect_status 1
        expect_text "network nope not found"
        run coracle network rm -f nope
        expect_status 0
}

@test "network create, inspect, rm: what was asked for, with the gaps filled" {
        local id
        id=$(coracle network create --subnet 10.7.0.0/24 --ip-range 10.7.0.128/25 --aux-address router=10.7.0.128 --label a=b -o com.docker.network.driver.mtu=1400 one)
        [ ${#id} = 64 ]
        run coracle network inspect -f '{{json .IPAM}} {{.Driver}} {{.Scope}} {{json .Labels}} {{.EnableIPv4}} {{.EnableIPv6}} {{json .Containers}} {{json .Options}}' one
        expect_output '{"Driver":"default","Options":{},"Config":[{"Subnet":"10.7.0.0/24","IPRange":"10.7.0.128/25","Gateway":"10.7.0.129","AuxiliaryAddresses":{"router":"10.7.0.128"}}]} bridge local {"a":"b"} true false {} {"com.docker.network.driver.mtu":"1400"}'
        run in_net ip -o link show "br-${id:0:12}"
        expect_text "mtu 1400"
        run coracle network create one
        expect_status 1
        expect_text "network with name one already exists"
        run coracle network create --subnet 10.7.0.0/25 two
        expect_status 1
        expect_text "Pool overlaps with other one on this address space"
        run coracle network ls -q --no-trunc -f name=on -f label=a=b
        expect_output "$id
$(coracle network ls -q --no-trunc -f name=none -f label=a=b)" || expect_output "$id"
        run coracle network rm "${id:0:10}"
        expect_status 0
        run coracle network inspect one
        expect_status 1
        expect_text "network one not found"
        [ -z "$(coracle network ls -q -f type=custom)" ]
}

@test "network create: what cannot be is told, and makes nothing" {
        local words
        while IFS='|' read -r words message; do
                # shellcheck disable=SC2086
                run coracle network create $words bad
                [ "$status" != 0 ] || fail "$words was taken"
                [[ "$output" == *"$message"* ]] || fail "$words: $output"
        done <<'EOF'
--subnet nonsense|invalid CIDR address
--gateway 10.1.0.1|every ip-range or gateway must have a corresponding subnet
--subnet 10.1.0.0/24 --gateway 10.2.0.1|no matching subnet for gateway 10.2.0.1
--subnet 10.1.0.0/24 --ip-range 10.2.0.0/25|no matching subnet for range 10.2.0.0/25
--subnet 10.1.0.0/24 --subnet 10.1.0.0/25|multiple overlapping subnet configuration is not supported
--subnet 10.1.0.0/24 --aux-address a=b|no matching subnet for aux-address b
-d nonsense|plugin "nonsense" not found
-d host|only one instance of "host" network is allowed
--ipam-driver x|plugin "x" not found
--ipv4=false|IPv4 or IPv6 must be enabled
-o com.docker.network.bridge.enable_icc=perhaps|invalid value
-o com.docker.network.driver.mtu=5|invalid value
--ipv6 -o com.docker.network.driver.mtu=1279|1279: IPv6 needs 1280
-o com.docker.network.bridge.name=a/b|no name of an interface
-o com.docker.network.bridge.gateway_mode_ipv4=isolated|can only be used for an internal network
--scope swarm|there is no swarm
--ipv6 --subnet ff05:7::/64|Cannot assign requested address
EOF
        run coracle network create '-d'
        [ "$status" != 0 ]
        [ -z "$(coracle network ls -q -f type=custom)" ]
}

@test "network create --config-only, --config-from: one says what others are" {
        local words message before
        before=$(host_state)
        coracle network create --config-only --ipv6 --subnet 10.7.0.0/24 --subnet fd07::/64 --ip-range 10.7.0.64/26 --label a=b \
                -o com.docker.network.driver.mtu=1400 site >/dev/null
        # it takes nothing: neither its subnet, nor an interface
        coracle network create --config-only --subnet 10.7.0.0/25 other >/dev/null
        expect_equal "$(host_state)" "$before"
        run coracle network inspect -f '{{.Driver}} {{.Scope}} {{.ConfigOnly}} {{json .IPAM.Config}}' site
        expect_output 'null local true [{"Subnet":"10.7.0.0/24","IPRange":"10.7.0.64/26"},{"Subnet":"fd07::/64"}]'
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network site bb:1 true
        expect_status 125
        expect_text "cannot create endpoint on configuration-only network"
        coracle network create --config-from site --internal one >/dev/null
        run coracle network inspect -f '{{.Driver}} {{.ConfigOnly}} {{.ConfigFrom.Network}} {{.EnableIPv6}} {{.Internal}} {{json .Labels}} {{json .Options}} {{json .IPAM.Config}}' one
        expect_output 'bridge false site true true {"a":"b"} {"com.docker.network.driver.mtu":"1400"} [{"Subnet":"10.7.0.0/24","IPRange":"10.7.0.64/26","Gateway":"10.7.0.64"},{"Subnet":"fd07::/64","Gateway":"fd07::1"}]'
        begin xa --network one
        expect_equal "$(address_of xa one) $(coracle exec xa cat /sys/class/net/eth0/mtu)" "10.7.0.65 1400"
        run coracle network connect site xa
        expect_status 1
        expect_text "cannot create endpoint on configuration-only network"
        run coracle network create --config-from site two # the subnet is somebody's now
        expect_status 1
        expect_text "Pool overlaps with other one on this address space"
        while IFS='|' read -r words message; do
                # shellcheck disable=SC2086
                run coracle network create $words bad
                [ "$status" != 0 ] || fail "$words was taken"
                [[ "$output" == *"$message"* ]] || fail "$words: $output"
        done <<'EOF'
--config-only --internal|configuration network can only contain network specific fields
--config-only --attachable|configuration network can only contain network specific fields
--config-only --scope local|configuration network can only contain network specific fields
--config-only --config-from site|a configuration network cannot depend on another configuration network
--config-only --subnet 10.1.0.0/33|invalid CIDR address
--config-from site --subnet 10.8.0.0/24|user specified configurations are not supported if the network depends on a configuration network
--config-from site --ipv6|user specified configurations are not supported
--config-from site --label c=d|user specified configurations are not supported
--config-from site -o a=b|network driver options are not supported if the network depends on a configuration network
--config-from nope|configuration network "nope" does not exist
--config-from one|configuration network "one" does not exist
EOF
        run coracle network rm site
        expect_status 1
        expect_text 'error while removing network: configuration network "site" is in use'
        coracle rm -f xa >/dev/null
        run coracle network prune -f # configurations stay
        expect_output "Deleted Networks:
one"
        coracle network rm site other
        # with another driver
        in_net ip link add parent0 type veth peer name parent1
        coracle network create --config-only -o parent=parent0 --subnet 10.8.0.0/24 node >/dev/null
        coracle network create -d macvlan --config-from node one >/dev/null
        run coracle network inspect -f '{{.Driver}} {{json .Options}}' one
        expect_output 'macvlan {"parent":"parent0"}'
        coracle network rm one node
        in_net ip link del parent0
}

@test "containers of one network reach each other, and none of another" {
        coracle network create one >/dev/null
        coracle network create two >/dev/null
        begin xa --network one
        begin xb --network one
        begin xc --network two
        begin xd
        reaches xa "$(address_of xb one)"
        reaches xb "$(address_of xa one)"
        is_cut_off xa "$(address_of xc two)"
        is_cut_off xc "$(address_of xa one)"
        is_cut_off xd "$(address_of xa one)"
        is_cut_off xa "$(address_of xd bridge)"
        run coracle network rm one
        expect_status 1
        expect_text 'network one has active endpoints (name:"xa" id:"'
        run coracle network inspect -f '{{len .Containers}}' one
        expect_output 2
        run coracle ps --filter network=one --format '{{.Names}} {{.Networks}}'
        expect_output "xb one
xa one"
        coracle rm -f xa xb >/dev/null
        run coracle network prune -f
        expect_output "Deleted Networks:
one"
        run in_net nft list set inet coracle bridges # readable for who looks for the reason of something
        expect_text '"coracle0"'
}

@test "addresses, hardware address, aliases and options are the ones asked for" {
        coracle network create --subnet 10.7.0.0/24 --subnet fd07::/64 --ipv6 one >/dev/null
        begin xa --network name=one,ip=10.7.0.77,ip6=fd07::77,mac-address=02:00:00:00:00:07,alias=web,driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1
        run coracle inspect -f '{{with index .NetworkSettings.Networks "one"}}{{.IPAddress}}/{{.IPPrefixLen}} {{.GlobalIPv6Address}}/{{.GlobalIPv6PrefixLen}} {{.Gateway}} {{.IPv6Gateway}} {{.MacAddress}} {{json .Aliases}}{{end}}' xa
        expect_output '10.7.0.77/24 fd07::77/64 10.7.0.1 fd07::1 02:00:00:00:00:07 ["web"]'
        run coracle exec xa sh -c 'cat /sys/class/net/eth0/address /proc/sys/net/ipv4/conf/eth0/log_martians; ip -4 route show default; ip -6 route show default'
        expect_text 02:00:00:00:00:07
        expect_text 'default via 10.7.0.1 dev eth0'
        expect_text 'default via fd07::1 dev eth0'
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network one --ip 10.7.0.77 bb:1 true
        [ "$status" != 0 ]
        expect_text "Address already in use"
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network one --ip 10.8.0.1 bb:1 true
        [ "$status" != 0 ]
        expect_text "no configured subnet contains IP address 10.8.0.1"
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --ip 172.17.0.9 bb:1 true
        [ "$status" != 0 ]
        expect_text "user specified IP address is supported on user defined networks only"
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network nope bb:1 true
        [ "$status" != 0 ]
        expect_text "network nope not found"
        begin xb --network one
        reaches xb fd07::77
}

@test "several networks: an interface each, and the default route by priority" {
        coracle network create --subnet 10.7.0.0/24 one >/dev/null
        coracle network create --subnet 10.8.0.0/24 two >/dev/null
        begin xa --network one --network two
        run coracle exec xa ip -4 route show default
        expect_text 'via 10.7.0.1 dev eth0'
        begin xb --network one --network name=two,gw-priority=5
        run coracle exec xb ip -4 route show default
        expect_text 'via 10.8.0.1 dev eth1'
        reaches xa "$(address_of xb two)"
        reaches xa "$(address_of xb one)"
}

@test "network connect, disconnect: of one that runs, at once; of one that does not, when it starts" {
        coracle network create --subnet 10.7.0.0/24 one >/dev/null
        begin xa --network one
        begin xb
        is_cut_off xb "$(address_of xa one)"
        coracle network connect --ip 10.7.0.50 --alias x one xb
        run coracle exec xb ip -4 addr show eth1
        expect_text 'inet 10.7.0.50/24'
        reaches xb "$(address_of xa one)"
        run coracle exec xb grep -c 10.7.0.50 /etc/hosts
        expect_output 1
        run coracle network connect one xb
        expect_status 1
        expect_text "endpoint with name xb already exists in network one"
        run coracle network connect --ip 10.9.9.9 two xb
        expect_text "network two not found"
        coracle network disconnect bridge xb
        run coracle exec xb ip -4 route show default
        expect_text 'via 10.7.0.1 dev eth1'
        coracle restart -t 0 xb >/dev/null
        run coracle inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.IPAddress}} {{end}}' xb
        expect_output "one 10.7.0.50 "
        coracle network disconnect one xb
        run coracle network disconnect one xb
        expect_status 1
        expect_text "is not connected to network one"
        coracle network disconnect -f one xb
        run coracle exec xb ls /sys/class/net
        expect_output lo
        coracle stop -t 0 xb >/dev/null
        coracle network connect one xb
        coracle start xb >/dev/null
        reaches xb "$(address_of xa one)"
        run coracle network connect host xb
        expect_status 1
        begin xc --network none
        run coracle network connect one xc
        expect_status 1
        expect_text "private (none) mode"
}

@test "events of networks" {
        local since
        since=$(date +%s)
        coracle network create one >/dev/null
        begin xa --network one
        coracle rm -f xa >/dev/null
        coracle network rm one >/dev/null
        run coracle events --since "$since" --until "$(($(date +%s) + 1))" --filter type=network --format '{{.Action}} {{index .Actor.Attributes "name"}} {{index .Actor.Attributes "type"}}'
        expect_output "create one bridge
connect one bridge
disconnect one bridge
destroy one bridge"
}

@test "events: a container has let go of networks and volumes when it is told to be dead" {
        local since
        coracle network create one >/dev/null
        begin xa --network one -v things:/things
        since=$(date +%s.%N)
        coracle stop -t 0 xa >/dev/null
        run coracle events --since "$since" --until 0s --format '{{.Type}} {{.Action}}'
        expect_output "container kill
network disconnect
volume unmount
container die
container stop"
        coracle rm xa >/dev/null
        coracle volume rm things >/dev/null
}

# far: a namespace that is connected with the test's, as another host would be, and knows of no subnet of ours
far_host() {
        start_far fd98
        in_far ip link set lo up
        wait_until is_settled up0
        host_state >"$TEST_DIR/before"
}
has_own_address() { in_net ip -6 -o route show dev "$1" | grep -q '^fe80::/64'; }
# That an interface is up, and its own address of IPv6 and the route to that, come a moment after it was asked for.
is_settled() { in_net ip -o link show "$1" | grep -q "state UP" && has_own_address "$1"; }

@test "who reaches whom: modes of gateways, internal networks, no ICC" {
        local network flags from_far out icc
        far_host
        in_far sh -c 'ip route add 10.7.0.0/16 via 10.9.8.1; ip -6 route add fd07::/16 via fd98::1'
        # what docker's documentation says: does a ping from elsewhere come in, does one get out, among containers
        while read -r network from_far out icc flags; do
                # shellcheck disable=SC2086
                coracle network create --subnet 10.7.1.0/24 --ipv6 --subnet fd07:1::/64 $flags "$network" >/dev/null
                begin xa --network "$network"
                begin xb --network "$network"
                for family in 4 6; do
                        local there here other ping=ping
                        if [ $family = 4 ]; then there=10.9.8.2 here=$(address_of xa "$network") other=$(address_of xb "$network"); else there=fd98::2 here=$(address6_of xa "$network") other=$(address6_of xb "$network") ping=ping6; fi
                        if [ "$out" = yes ]; then coracle exec xa $ping -c 1 -W 5 $there >/dev/null || fail "$network: IPv$family does not get out"; else ! coracle exec xa $ping -c 1 -W 1 $there >/dev/null 2>&1 || fail "$network: IPv$family gets out"; fi
                        if [ "$from_far" = yes ]; then in_far "$(find_busybox)" $ping -c 1 -W 5 "$here" >/dev/null || fail "$network: IPv$family does not come in"; else ! in_far "$(find_busybox)" $ping -c 1 -W 1 "$here" >/dev/null 2>&1 || fail "$network: IPv$family comes in"; fi
                        if [ "$icc" = yes ]; then coracle exec xa $ping -c 1 -W 5 "$other" >/dev/null || fail "$network: not together over IPv$family"; else ! coracle exec xa $ping -c 1 -W 1 "$other" >/dev/null 2>&1 || fail "$network: together over IPv$family"; fi
                done
                coracle rm -f xa xb >/dev/null
                coracle network rm "$network" >/dev/null
        done <<'EOF'
nat no yes yes
routed yes yes yes -o com.docker.network.bridge.gateway_mode_ipv4=routed -o com.docker.network.bridge.gateway_mode_ipv6=routed
open yes yes yes -o com.docker.network.bridge.gateway_mode_ipv4=nat-unprotected -o com.docker.network.bridge.gateway_mode_ipv6=nat-unprotected
internal no no yes --internal
isolated no no yes --internal -o com.docker.network.bridge.gateway_mode_ipv4=isolated -o com.docker.network.bridge.gateway_mode_ipv6=isolated
apart no yes no -o com.docker.network.bridge.enable_icc=false
EOF
}

@test "an address of the host hides those of a network, unless masquerading is off" {
        far_host
        coracle network create --subnet 10.7.0.0/24 one >/dev/null
        coracle network create --subnet 10.8.0.0/24 -o com.docker.network.driver.mtu=600 -o com.docker.network.bridge.enable_ip_masquerade=false two >/dev/null
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network one bb:1 ping -c 1 -W 5 10.9.8.2
        expect_status 0
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network two bb:1 ping -c 1 -W 1 10.9.8.2
        expect_status 1
        in_far ip route add 10.8.0.0/24 via 10.9.8.1
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network two bb:1 ping -c 1 -W 5 10.9.8.2
        expect_status 0
}

@test "a bridge that somebody has removed comes back with the next container, and those that ran are connected again" {
        local id
        id=$(coracle network create one)
        begin xa --network one
        in_net ip link del "br-${id:0:12}"
        is_cut_off xa "$(coracle network inspect -f '{{(index .IPAM.Config 0).Gateway}}' one)"
        begin xb --network one
        reaches xb "$(address_of xa one)"
}

@test "a bridge that comes back keeps containers apart that it kept apart before" {
        local id
        id=$(coracle network create -o com.docker.network.bridge.enable_icc=false one)
        begin xa --network one
        begin xb --network one
        is_cut_off xa "$(address_of xb one)"
        in_net ip link del "br-${id:0:12}"
        begin xc --network one
        reaches xa "$(coracle network inspect -f '{{(index .IPAM.Config 0).Gateway}}' one)"
        is_cut_off xa "$(address_of xb one)"
        # also on a host that does not have its firewall look at what bridges pass on
        expect_equal "$(in_net bridge -d link | grep -c 'isolated on')" 3
}

@test "who has given its interface another name is disconnected all the same" {
        local before
        coracle network create one >/dev/null
        before=$(in_net ip -o link | grep -c veth || true)
        begin xa --network one --cap-add NET_ADMIN
        coracle exec xa sh -c 'ip link set eth0 down; ip link set eth0 name mine && ip link set mine up'
        coracle network disconnect one xa
        wait_until eval '[ "$(in_net ip -o link | grep -c veth)" = '"$before"' ]'
        ! coracle exec xa ip link show mine
}

@test "system check tells of bridges and rules that somebody has removed, and brings them back" {
        command -v nft >/dev/null || skip "there is no nft; runs where nftables is installed"
        local id
        id=$(coracle network create --internal one)
        begin xa --network one
        begin xb
        in_net nft list table inet coracle | sed 's/counter.*//' >"$TEST_DIR/rules"
        run coracle system check
        expect_status 0
        in_net nft flush ruleset
        run coracle system check
        expect_status 1
        expect_text "network one: its rules of nftables are gone"
        run coracle system check --repair
        expect_status 0
        in_net nft list table inet coracle | sed 's/counter.*//' | diff "$TEST_DIR/rules" -
        in_net ip link del "br-${id:0:12}"
        run coracle system check
        expect_status 1
        expect_text "network one: its bridge br-${id:0:12} is gone"
        run coracle system check --repair
        expect_status 0
        run coracle system check
        expect_status 0
}

@test "rules that somebody has flushed come back with the next container, for all networks" {
        command -v nft >/dev/null || skip "there is no nft; runs where nftables is installed"
        coracle network create --internal one >/dev/null
        begin xa --network one
        in_net nft list chain inet coracle forward >"$TEST_DIR/rules"
        in_net nft flush table inet coracle
        begin xb
        in_net nft list chain inet coracle forward | diff "$TEST_DIR/rules" -
        in_net nft flush ruleset
        coracle rm -f xb >/dev/null
        begin xb
        in_net nft list set inet coracle internal | grep -q "$(coracle network inspect -f '{{slice .Id 0 12}}' one)"
}

@test "many at once: networks are made and removed, containers connected, and nothing stays" {
        local i pids=()
        coracle network create one >/dev/null
        for i in 1 2 3 4 5 6; do
                { coracle network create "n$i" >/dev/null && coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network one --network "n$i" bb:1 true && coracle network rm "n$i" >/dev/null; } 3>&- &
                pids+=($!)
        done
        for i in "${pids[@]}"; do wait "$i" || fail "one of them failed"; done
        run coracle network inspect -f '{{len .Containers}}' one
        expect_output 0
        run coracle network ls -q -f type=custom
        [ "${#lines[@]}" = 1 ]
}

@test "connect and disconnect that are killed at any moment leave what can be taken up again" {
        local i pid
        coracle network create one >/dev/null
        begin xa
        for i in 1 2 3 4 5 6; do
                nsenter --net="/proc/$NET/ns/net" "$CORACLE" network connect one xa </dev/null >/dev/null 2>&1 3>&- & # no shell
                pid=$!
                sleep "0.0$((i * 7 % 10))" # wherever it is by then
                kill -9 "$pid" 2>/dev/null || true
                wait "$pid" 2>/dev/null || true
                coracle network disconnect -f one xa
        done
        coracle network connect one xa
        coracle exec xa ip -4 addr show eth1 >/dev/null
        run coracle network inspect -f '{{len .Containers}}' one
        expect_output 1
        coracle rm -f xa >/dev/null
        coracle network rm one
}

@test "a monitor that was killed leaves no address behind" {
        local pid ip
        coracle network create one >/dev/null
        begin xa --network one
        ip=$(address_of xa one)
        pid=$(coracle inspect -f '{{.State.Pid}}' xa)
        pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
        kill -9 "$pid"
        wait_until is_dead "$pid"
        run coracle network inspect -f '{{len .Containers}}' one
        expect_output 0
        begin xb --network one
        expect_equal "$(address_of xb one)" "$ip"
}

@test "a bridge that was there before is used, and stays as it was" {
        local i pids=()
        in_net ip link add name own0 type bridge
        in_net ip link set own0 up
        coracle network create --subnet 10.7.0.0/24 -o com.docker.network.bridge.name=own0 one >/dev/null
        run coracle network create -o com.docker.network.bridge.name=own0 two
        expect_status 1
        expect_text "network one already uses bridge own0"
        run coracle network create -o com.docker.network.bridge.name=lo two
        expect_status 1
        expect_text "is no bridge"
        begin xa --network one
        begin xb --network one
        reaches xa "$(address_of xb one)"
        coracle rm -f xa xb >/dev/null
        coracle network rm one
        in_net ip -o link show own0
        for i in {1..8}; do # one at a time, also of those that come at once
                coracle network create -o com.docker.network.bridge.name=own0 "many$i" >/dev/null 2>&1 &
                pids+=($!)
        done
        wait "${pids[@]}" || true
        expect_equal "$(coracle network ls -q -f name=many | wc -l)" 1
        coracle network prune -f >/dev/null
        run in_net ip -4 addr show own0
        expect_no_text 10.7.0
        in_net ip addr add 10.7.0.1/24 dev own0
        coracle network create --subnet 10.7.0.0/24 --gateway 10.7.0.1 -o com.docker.network.bridge.name=own0 one >/dev/null
        run coracle network inspect one
        expect_no_text Foreign
        coracle network rm one
        run in_net ip -4 addr show own0
        expect_text 10.7.0.1/24
        in_net ip addr del 10.7.0.1/24 dev own0
}

is_dead() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }

@test "addresses are used up, and free again" {
        coracle network create --subnet 10.7.0.0/29 one >/dev/null
        local i
        for i in 1 2 3 4 5; do begin "c$i" --network one; done
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network one bb:1 true
        [ "$status" != 0 ]
        expect_text "no available IPv4 addresses on this network's address pools"
        coracle stop -t 0 c3 >/dev/null
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network one bb:1 true
        expect_status 0
}

@test "macvlan: on an interface of the host, and with others of the same network" {
        in_net ip link add parent0 type veth peer name parent1 || skip "no veth"
        in_net sh -c 'ip link set parent0 up; ip link set parent1 up; ip addr add 10.7.0.1/24 dev parent1'
        wait_until is_settled parent0
        wait_until is_settled parent1
        host_state >"$TEST_DIR/before"
        coracle network create -d macvlan --subnet 10.7.0.0/24 --gateway 10.7.0.1 -o parent=parent0 mac >/dev/null
        begin xa --network mac
        begin xb --network mac
        reaches xa "$(address_of xb mac)"
        reaches xa 10.7.0.1
        run coracle network create -d macvlan -o macvlan_mode=x bad
        expect_status 1
}

@test "ipvlan: the parent's hardware address" {
        in_net ip link add test0 type dummy 2>/dev/null || skip "this kernel has no dummy interfaces; runs with make check-amd64"
        in_net ip link set test0 up
        in_net ip link add link test0 name try0 type ipvlan 2>/dev/null || skip "this kernel has no ipvlan; runs with make check-amd64"
        in_net ip link del try0
        wait_until has_own_address test0
        host_state >"$TEST_DIR/before"
        local mode
        for mode in l2 l3 l3s; do
                coracle network create -d ipvlan --subnet 10.7.0.0/24 -o parent=test0 -o ipvlan_mode=$mode ip >/dev/null
                begin xa --network ip
                begin xb --network ip
                reaches xa "$(address_of xb ip)"
                in_net ip -o link show test0 | grep -q "link/ether $(coracle exec xa cat /sys/class/net/eth0/address) "
                coracle rm -f xa xb >/dev/null
                coracle network rm ip >/dev/null
        done
}

# ---- names ----

ask() { coracle exec "$1" nslookup "${@:2}" 127.0.0.11 2>&1; }
says() { ask "$1" "$2" | grep -qF "$3"; }
knows() { coracle exec "$1" ping -c 1 -W 5 "$2" >/dev/null 2>&1; }
knows_not() { ! knows "$@"; }

@test "names: of containers, aliases and short ids, in a user's networks only" {
        coracle network create one >/dev/null
        coracle network create two >/dev/null
        begin web --network one --network-alias site --network-alias shop
        begin xa --network one
        begin xb --network two
        begin xc
        local name ip
        ip=$(address_of web one)
        for name in web WEB site shop web.one "$(coracle inspect -f '{{slice .Id 0 12}}' web)"; do
                run ask xa "$name"
                expect_text "$ip"
                knows xa "$name" || fail "$name is not known"
        done
        run coracle exec xa cat /etc/resolv.conf
        expect_text "nameserver 127.0.0.11" "ndots:0"
        run ask xa "$ip"
        expect_text "web.one"
        run ask xb web
        expect_no_text "$ip"
        run coracle exec xc cat /etc/resolv.conf
        expect_no_text 127.0.0.11
        run ask xc web
        expect_no_text "$ip"
}

@test "names: they change with what happens to containers" {
        coracle network create one >/dev/null
        begin xa --network one
        knows_not xa web
        begin web --network one
        knows xa web
        coracle rename web other
        knows_not xa web
        knows xa other
        coracle network connect --alias extra one other 2>/dev/null || true
        coracle network disconnect one other
        knows_not xa other
        coracle network connect --alias extra one other
        knows xa extra
        coracle stop -t 0 other >/dev/null
        knows_not xa extra
        coracle restart -t 0 xa >/dev/null
        coracle start other >/dev/null
        knows xa extra
}

@test "names: several containers of one name take turns; IPv6; links are one container's own" {
        coracle network create --ipv6 one >/dev/null
        coracle network create two >/dev/null
        begin xa --network one --network-alias pair --network two
        begin xb --network one --network-alias pair --network two
        begin xc --network one --link xa:friend
        coracle network connect --alias pair4 two xc
        coracle network disconnect two xa
        coracle network disconnect two xb
        coracle network connect --alias pair4 two xa
        run ask xc pair
        expect_text "$(address_of xa one)" "$(address_of xb one)" "$(address6_of xa one)" "$(address6_of xb one)"
        knows xc friend
        knows_not xb friend
        # with addresses of both families, and of one
        [ "$(for _ in 1 2 3 4; do first_of xc pair; done | sort -u | wc -l)" = 2 ]
        [ "$(for _ in 1 2 3 4; do first_of xc pair4; done | sort -u | wc -l)" = 2 ]
}
# the first IPv4 address of an answer; who asks for a name by other means may sort what comes
first_of() { ask "$1" "$2" | sed -n '/^Name/,$s/^Address.*[ \t]\([0-9]*\.[0-9.]*\)$/\1/p' | head -n 1; }

@test "links on the default network are lines in the hosts file" {
        begin xa
        begin xb --link xa:friend --link xa
        coracle exec xb ping -c 1 -W 5 friend >/dev/null
        coracle exec xb ping -c 1 -W 5 xa >/dev/null
        coracle stop -t 0 xa >/dev/null
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --link xa bb:1 true
        [ "$status" != 0 ]
        expect_text "Cannot link to a non running container: /xa AS"
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --link nope bb:1 true
        [ "$status" != 0 ]
        expect_text "could not get container for nope: No such container: nope"
}

@test "names: port 53 stays the container's own" {
        coracle network create one >/dev/null
        begin xa --network one
        begin xb --network one
        coracle exec -d xa nc -l -p 53
        wait_until listens_inside xa
        knows xa xb
        coracle exec xa netstat -lnt | grep -c ':53 ' | grep -qx 1
}
listens_inside() { coracle exec "$1" netstat -lnt | grep -q ':53 '; }

# ask_by_tcp CONTAINER NAME... - its first IPv4 address; of several, asked all at once, each
ask_by_tcp() {
        nsenter --net="/proc/$(coracle inspect -f '{{.State.Pid}}' "$1")/ns/net" python3 - "${@:2}" <<'EOF'
import socket, struct, sys
s = socket.create_connection(("127.0.0.11", 53), timeout=20)
queries = b""
for name in sys.argv[1:]:
    query = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0\0\1\0\1"
    queries += struct.pack(">H", len(query)) + query
s.sendall(queries)
for name in sys.argv[1:]:
    answer = s.recv(struct.unpack(">H", s.recv(2, socket.MSG_WAITALL))[0], socket.MSG_WAITALL)
    print(socket.inet_ntoa(answer[-4:]) if struct.unpack(">H", answer[6:8])[0] else "nothing")
EOF
}

# ask_by_udp CONTAINER NAME - its first IPv4 address, or the code of the answer; the question is put again as resolvers do
ask_by_udp() {
        nsenter --net="/proc/$(coracle inspect -f '{{.State.Pid}}' "$1")/ns/net" timeout 100 python3 - "$2" <<'EOF'
import socket, struct, sys
query = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"".join(bytes([len(l)]) + l.encode() for l in sys.argv[1].split(".")) + b"\0\0\1\0\1"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.11", 53))
s.settimeout(20)
for _ in range(4):
    s.send(query)
    try:
        answer = s.recv(4096)
        break
    except TimeoutError:
        pass
code, found = answer[3] & 15, struct.unpack(">H", answer[6:8])[0]
print(f"code {code}" if code else socket.inet_ntoa(answer[-4:]) if found else "nothing")
EOF
}

# server_at ADDRESS ANSWER [FLAG...] - a server of names in the far namespace that says ANSWER to everything, and writes
# down what it was asked in $TEST_DIR/asked
server_at() {
        nsenter --net="/proc/$FAR/ns/net" "$SOURCE_DIR/tests/integration/tools/name_server.py" --log "$TEST_DIR/asked" --ready "$TEST_DIR/ready.$1" "$@" </dev/null >/dev/null 2>&1 3>&- &
        SERVERS+=("$!")
        wait_until test -e "$TEST_DIR/ready.$1"
}

@test "names: what is not ours is asked elsewhere, by UDP or TCP, and the next server if the first is dead or refuses" {
        far_host
        server_at 10.9.8.2 192.0.2.7
        in_far ip addr add 10.9.8.3/24 dev down0
        server_at 10.9.8.3 192.0.2.9 --refuse
        coracle network create one >/dev/null
        begin xa --network one --dns 10.9.8.2
        begin xb --network one --dns 10.9.8.77 --dns 10.9.8.3 --dns 10.9.8.2
        wait_until says xa elsewhere.example 192.0.2.7
        wait_until says xb elsewhere.example 192.0.2.7 # who asks may have less patience than the dead server takes
        run ask xa big.example # too long for UDP, which the asker is told
        expect_no_text 192.0.2.7
        run ask_by_tcp xa big.example
        expect_output 192.0.2.7
        grep -q '^tcp big.example' "$TEST_DIR/asked"
        run ask_by_tcp xa xb
        expect_output "$(address_of xb one)"
        run ask_by_tcp xa first.example xb second.example third.example
        expect_output $'192.0.2.7\n'"$(address_of xb one)"$'\n192.0.2.7\n192.0.2.7'
        run coracle exec xa cat /etc/resolv.conf
        expect_no_text 10.9.8.2
}

@test "names: a server that is slow holds nobody up: the next is asked, and other questions are answered meanwhile" {
        local i pids=()
        far_host
        server_at 10.9.8.2 192.0.2.7 --slow 1000
        in_far ip addr add 10.9.8.3/24 dev down0
        server_at 10.9.8.3 192.0.2.9
        coracle network create one >/dev/null
        begin xa --network one --dns 10.9.8.2 --dns 10.9.8.3
        begin xb --network one --dns 10.9.8.2
        run ask_by_udp xa elsewhere.example
        expect_output 192.0.2.9
        # many questions to who does not answer, and one that needs nobody else
        for i in 1 2 3 4 5 6 7 8; do
                ask_by_udp xb "nobody$i.example" >/dev/null 2>&1 3>&- &
                pids+=($!)
        done
        wait_until grep -q nobody8 "$TEST_DIR/asked"
        run ask_by_udp xb xa
        expect_output "$(address_of xa one)"
        kill "${pids[@]}" 2>/dev/null || true
        wait "${pids[@]}" 2>/dev/null || true
        run ask_by_udp xb nobody.example # nobody else is there to be asked: that is said
        expect_output "code 2"
}

@test "names: a container cannot have servers of the host's loopback asked" {
        nsenter --net="/proc/$NET/ns/net" "$SOURCE_DIR/tests/integration/tools/name_server.py" 127.0.0.53 192.0.2.7 \
                --log "$TEST_DIR/asked" --ready "$TEST_DIR/ready" </dev/null >/dev/null 2>&1 3>&- &
        SERVERS+=("$!")
        wait_until test -e "$TEST_DIR/ready"
        coracle network create one >/dev/null
        begin xa --network one --dns 127.0.0.53 # whoever starts it may
        wait_until says xa elsewhere.example 192.0.2.7
        begin xb
        coracle exec xb sh -c 'echo nameserver 127.0.0.53 >/etc/resolv.conf'
        coracle network connect one xb
        knows xb xa
        run ask xb secret.example
        expect_no_text 192.0.2.7
        run grep -c secret "$TEST_DIR/asked"
        expect_output 0
}

@test "names: nothing gets out of an internal network" {
        far_host
        server_at 10.9.8.2 192.0.2.7
        coracle network create --internal one >/dev/null
        begin xa --network one --dns 10.9.8.2
        begin xb --network one
        knows xa xb
        run ask xa secret.example
        expect_no_text 192.0.2.7
        run grep -c secret "$TEST_DIR/asked"
        expect_output 0
}
