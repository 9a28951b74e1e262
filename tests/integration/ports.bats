#!/usr/bin/env bats
# Published ports: who reaches what, and as whom; who has which; what is left afterwards. The host is a network namespace of
# the test's own, with a second host beside it.

load lib
load registries
load containers
load networks

setup() {
        skip_unless root "program nft" "program python3"
        setup_containers
        start_far fd09
        rules_before=$(in_net nft list ruleset)
}

teardown() { teardown_containers; }

address_of() { coracle inspect -f '{{.NetworkSettings.IPAddress}}' "$1"; }
in_container() { # NAME COMMAND...
        local pid
        pid=$(pid_of "$1")
        shift
        nsenter --net="/proc/$pid/ns/net" "$@"
}
ask() { python3 "$PEER" ask "$@"; }
monitor_of() { # NAME
        local id pid
        id=$(coracle inspect -f '{{.Id}}' "$1")
        for pid in /proc/[0-9]*; do
                if [ "$(tr '\0' ' ' 2>/dev/null <"$pid/cmdline")" = "coracle-monitor --store $COR_STORE $id " ]; then echo "${pid#/proc/}"; fi
        done
}

# Elements in maps and sets of ports: "tcp 0.0.0.0 8080"
elements() { in_net nft -j list table inet coracle 2>/dev/null | jq -r '.nftables[] | (.map, .set) | select(. != null and (.name | test("^(port|carried|self|routed)[46]$"))) | .elem // [] | .[] | if type == "array" then .[0] else . end | .concat | map(tostring) | join(" ")' | grep -v '^255 ' || true; }
bound() { in_net ss -Hlntu "sport = :$1" | grep -q .; }
no_traces() { [ -z "$(elements)" ] && [ -z "$(in_net ss -Hlntu)" ]; }

@test "everybody reaches them, and the container sees who asks" {
        local protocol gate
        begin web -p 8080:80 -p 8080:80/udp
        begin other
        serve web 80
        gate=$(in_net ip -4 -o addr show coracle0 | awk '{ sub("/.*", "", $4); print $4 }')
        for protocol in tcp udp; do
                # the host itself, by each of its addresses; its source address is kept, localhost's cannot be
                run in_net python3 "$PEER" ask $protocol 127.0.0.1 8080
                expect_output "web $gate"
                run in_net python3 "$PEER" ask $protocol 10.9.8.1 8080
                expect_output "web 10.9.8.1"
                # the container has no IPv6: the monitor forwards
                run in_net python3 "$PEER" ask $protocol ::1 8080
                expect_output "web $gate"
                # another host
                run in_far python3 "$PEER" ask $protocol 10.9.8.1 8080
                expect_output "web 10.9.8.2"
                run in_far python3 "$PEER" ask $protocol fd09::1 8080
                expect_output "web $gate"
                # another container, and the container itself
                run in_container other python3 "$PEER" ask $protocol 10.9.8.1 8080
                expect_status 0
                expect_match '^web 1'
                run in_container web python3 "$PEER" ask $protocol 10.9.8.1 8080
                expect_output "web $gate"
        done
}

@test "inspect, port and ps show them as docker does" {
        begin web -p 8080:80 -p 127.0.0.1:5353:53/udp -p '[::1]:7000:70' -p 9000-9002:9000-9002 --expose 99
        run coracle port web
        expect_output "53/udp -> 127.0.0.1:5353
70/tcp -> [::1]:7000
80/tcp -> 0.0.0.0:8080
80/tcp -> [::]:8080
9000/tcp -> 0.0.0.0:9000
9000/tcp -> [::]:9000
9001/tcp -> 0.0.0.0:9001
9001/tcp -> [::]:9001
9002/tcp -> 0.0.0.0:9002
9002/tcp -> [::]:9002"
        run coracle port web 53/udp
        expect_output "127.0.0.1:5353"
        run coracle ps --format '{{.Ports}}'
        expect_output "99/tcp, 0.0.0.0:9000-9002->9000-9002/tcp, [::]:9000-9002->9000-9002/tcp, 127.0.0.1:5353->53/udp, [::1]:7000->70/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"
        run coracle inspect -f '{{json .NetworkSettings.Ports}} {{json .HostConfig.PortBindings}}' web
        expect_text '"99/tcp":null'
        expect_text '"53/udp":[{"HostIp":"127.0.0.1","HostPort":"5353"}]'
        coracle stop -t 0 web >/dev/null
        run coracle ps -a --format '[{{.Ports}}]'
        expect_output "[]"
        run coracle inspect -f '{{json .NetworkSettings.Ports}}' web
        expect_output "{}"
        no_traces
}

@test "any that is free, one of a range, all that are exposed" {
        local port first last
        read -r first last < <(in_net cat /proc/sys/net/ipv4/ip_local_port_range)
        begin one -p 80
        begin two -p 80
        begin three -P --expose 90 --expose 53/udp
        port=$(coracle inspect -f '{{(index .NetworkSettings.Ports "80/tcp" 0).HostPort}}' one)
        [ "$port" -ge "$first" ] && [ "$port" -le "$last" ]
        [ "$port" != "$(coracle inspect -f '{{(index .NetworkSettings.Ports "80/tcp" 0).HostPort}}' two)" ]
        run coracle port three
        expect_text "90/tcp -> 0.0.0.0:"
        expect_text "53/udp -> 0.0.0.0:"
        begin four -p 8000-8001:80
        begin five -p 8000-8001:80
        run coracle port five
        expect_text "80/tcp -> 0.0.0.0:8001"
        run begin six -p 8000-8001:80
        expect_status 125
        expect_text "failed: all ports are allocated"
}

@test "a conflict names the owner, and leaves nothing" {
        begin web -p 127.0.0.1:8080:80
        begin beside -p 10.9.8.1:8080:80
        run begin late -p 8080:80
        expect_status 125
        expect_match 'driver failed programming external connectivity on endpoint late: Bind for 0.0.0.0:8080 failed: port is already allocated to container (web|beside)'
        coracle rm late >/dev/null
        run begin twice -p 9090:80 -p 9090:81
        expect_status 125
        expect_text "Bind for 0.0.0.0:9090 failed: port is already allocated"
        coracle rm twice >/dev/null
        start python3 "$PEER" serve outside 9191
        wait_until bound 9191
        run begin blocked -p 9190:90 -p 9191:91
        expect_status 125
        expect_text "9191/tcp: address already in use by a process that is not a container's"
        if bound 9190; then fail "9190 is still taken"; fi
        run begin elsewhere -p 10.1.2.3:9292:92
        expect_status 125
        expect_text "failed to bind host port 10.1.2.3:9292/tcp: bind: Cannot assign requested address"
        coracle stop -t 0 web beside >/dev/null
        begin late2 -p 8080:80
}

@test "twenty want the same, one gets it" {
        local i pids=() got=0
        for i in {1..20}; do
                begin "c$i" -p 8080:80 2>"$TEST_DIR/err$i" &
                pids+=($!)
        done
        for i in {1..20}; do
                if wait "${pids[i - 1]}"; then
                        got=$((got + 1))
                else
                        grep -q "port is already allocated to container" "$TEST_DIR/err$i"
                fi
        done
        expect_equal "$got" 1
}

@test "nothing stays behind when monitors are killed" {
        local pid
        begin web -p 8080:80 -p 5353:53/udp
        pid=$(monitor_of web)
        [ -n "$(elements)" ]
        kill -9 "$pid"
        wait_until test ! -e "/proc/$pid"
        # the next who wants the port gets it at once
        begin next -p 8080:80
        run coracle ps -a --format '{{.Names}} {{.State}} {{.Ports}}'
        expect_text "next running 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"
        expect_text "web exited "
        serve next 80
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080
        expect_output "next 10.9.8.2"
        coracle rm -f next web >/dev/null
        no_traces
}

@test "a table that somebody has emptied does not close them, and is filled again by the next start" {
        local before
        begin web -p 8080:80
        serve web 80
        before=$(elements)
        in_net nft flush ruleset
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080 # by the monitor
        expect_status 0
        expect_match '^web '
        coracle run --rm --cgroup-parent "$CGROUP_PARENT" bb:1 true
        expect_equal "$(elements)" "$before"
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080
        expect_output "web 10.9.8.2"
        in_net nft flush ruleset
        coracle ps >/dev/null
        expect_equal "$(elements)" "$before"
        in_net nft flush ruleset
        run coracle system check
        expect_status 1
        expect_text "its rules of nftables are gone"
        [ -z "$(elements)" ]
        coracle system check --repair
        expect_equal "$(elements)" "$before"
}

@test "the chain user is asked, about those that the monitor forwards as well" {
        begin web -p 8080:80 -p 8081:80
        serve web 80
        in_net nft add rule inet coracle user iifname up0 meta l4proto tcp ct original proto-dst 8080 drop
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080 1
        expect_status 1
        run in_far python3 "$PEER" ask tcp fd09::1 8080 1
        expect_status 1
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8081
        expect_output "web 10.9.8.2"
        run in_net python3 "$PEER" ask tcp 127.0.0.1 8080
        expect_status 0
}

@test "where ufw decides what may come in, it does; unless asked otherwise" {
        in_net nft -f - <<-'EOF'
                table ip filter {
                        chain INPUT { type filter hook input priority filter; policy drop;
                                iifname "lo" accept
                                ct state established,related accept
                                jump ufw-user-input
                        }
                        chain ufw-user-input { tcp dport 8081 accept
                        }
                }
EOF
        begin web -p 8080:80 -p 8081:80
        begin open --label coracle.publish=direct -p 8082:80
        serve web 80
        serve open 80
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080 1
        expect_status 1
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8081
        expect_status 0
        expect_match '^web '
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8082
        expect_output "open 10.9.8.2"
        run in_net python3 "$PEER" ask tcp 127.0.0.1 8080
        expect_status 0
}

# One packet is enough, and its answer.
gets_out() { in_container "$1" ping -c 1 -W 5 "$2" >/dev/null; }
does_not_get_out() { ! in_container "$1" ping -c 1 -W 1 "$2" >/dev/null; }

@test "where docker or ufw has the host drop what is forwarded, what we let pass passes all the same" {
        skip_unless "program iptables"
        [[ $(in_net iptables --version) == *nf_tables* ]] || skip "iptables is the older one here: runs where it is iptables-nft"
        local name
        in_net iptables -P FORWARD DROP
        in_net ip6tables -P FORWARD DROP
        coracle network create one >/dev/null
        begin web -p 8080:80
        begin other --network one
        serve web 80
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080
        expect_output "web 10.9.8.2"
        gets_out web 10.9.8.2
        gets_out other 10.9.8.2
        does_not_get_out other "$(address_of web)"
        # docker's bridges, which older ones leave to the policy
        in_net ip link add docker0 type veth peer name docked netns "$FAR"
        in_net sh -c 'ip addr add 10.77.0.1/24 dev docker0 && ip link set docker0 up'
        in_far sh -c 'ip addr add 10.77.0.2/24 dev docked && ip link set docked up'
        does_not_get_out web 10.77.0.2
        in_net iptables -I FORWARD -o docker0 -j ACCEPT
        gets_out web 10.77.0.2
        # iptables reads and writes what is there
        in_net iptables-save -t filter >"$TEST_DIR/saved"
        grep -qx -e '-A CORACLE-FORWARD -o coracle0 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT .* -j ACCEPT' "$TEST_DIR/saved"
        in_net iptables-restore <"$TEST_DIR/saved"
        gets_out web 10.9.8.2
        # somebody empties it: the next start puts it back
        in_net iptables -F
        does_not_get_out web 10.9.8.2
        begin third
        gets_out web 10.9.8.2
        does_not_get_out other 10.9.8.2
        coracle restart -t 0 other >/dev/null
        gets_out other 10.9.8.2
        name=br-$(coracle network inspect -f '{{.Id}}' one | cut -c 1-12)
        in_net iptables-save | grep -q -e "-o $name "
        coracle rm -f other >/dev/null
        coracle network rm one >/dev/null
        refute grep -q "$name" <<<"$(in_net iptables-save)"
        # a bridge that was there before is not ours to let anything pass from
        in_net ip link add lan0 type bridge
        coracle network create --subnet 10.7.0.0/24 -o com.docker.network.bridge.name=lan0 lan >/dev/null
        begin fourth --network lan
        refute grep -q lan0 <<<"$(in_net iptables-save)"
        does_not_get_out fourth 10.9.8.2
        coracle rm -f fourth >/dev/null
        coracle network rm lan >/dev/null
}

@test "clients of udp that go on speaking are heard by who has the port now" {
        begin one -p 5353:53/udp
        serve one 53
        run in_far python3 "$PEER" ask udp 10.9.8.1 5353 15 4000
        expect_output "one 10.9.8.2"
        begin two # what has the address of the first afterwards shall not be asked
        coracle rm -f one >/dev/null
        begin three
        begin four -p 5353:53/udp
        serve four 53
        run in_far python3 "$PEER" ask udp 10.9.8.1 5353 15 4000
        expect_output "four 10.9.8.2"
}

@test "localhost of the host is nobody else's" {
        begin web -p 127.0.0.1:8080:80
        begin other
        serve web 80
        start python3 "$PEER" serve private 9999
        wait_until bound 9999
        # a neighbour and a container send what is for 127.0.0.1 to the host
        in_far sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet; ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via 10.9.8.1 src 10.9.8.2'
        run in_far python3 "$PEER" ask tcp 127.0.0.1 8080 1
        expect_status 1
        run in_far python3 "$PEER" ask tcp 127.0.0.1 9999 1
        expect_status 1
        in_container other sh -c "ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via $(in_net ip -4 -o addr show coracle0 | awk '{ sub("/.*", "", $4); print $4 }') src $(address_of other)" || true
        in_container other sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet' || true
        run in_container other python3 "$PEER" ask tcp 127.0.0.1 9999 1
        expect_status 1
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080 1 # bound to localhost only
        expect_status 1
        run in_net python3 "$PEER" ask tcp 127.0.0.1 8080
        expect_status 0
}

@test "they outlive a restart of the container, and are free after its end" {
        begin web -p 8080:80
        coracle restart -t 0 web >/dev/null
        serve web 80
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080
        expect_output "web 10.9.8.2"
        coracle stop -t 0 web >/dev/null
        no_traces
        coracle start web >/dev/null
        bound 8080
}

@test "wrong ones, in docker's words" {
        local flag
        while read -r flag; do
                run coracle run --rm -p "$flag" bb:1 true
                expect_status 125
        done <<-EOF
                80:99999
                x:80
                1.2.3:80:80
                80-90:80-85
                0-90:80
                8080:80/icmp
                [::1:80:80
                :
EOF
        run coracle run --rm -p 80-90:80-85 bb:1 true
        expect_text "invalid ranges specified for container and host Ports: 80-85 and 80-90"
        run coracle run --rm --network host --cgroup-parent "$CGROUP_PARENT" -p 8080:80 bb:1 true
        expect_status 0
        expect_text "Published ports are discarded when using host network mode"
}

@test "a thousand in one container" {
        begin many -p 10000-10999:10000-10999
        expect_equal "$(elements | grep -c "^tcp 0.0.0.0 10")" 1000
        serve many 10999
        run in_far python3 "$PEER" ask tcp 10.9.8.1 10999
        expect_output "many 10.9.8.2"
        run coracle ps --format '{{.Ports}}'
        expect_output "0.0.0.0:10000-10999->10000-10999/tcp, [::]:10000-10999->10000-10999/tcp"
        coracle rm -f many >/dev/null
        no_traces
}

@test "connections to them take no descriptors that the monitor needs, and the container has its own limit" {
        local monitor
        ulimit -Sn 200
        begin web -p 8080:80 -p 9001-9250:9001-9250 # more than 200 of each family
        ulimit -Sn "$(ulimit -Hn)"
        serve web 80
        monitor=$(monitor_of web)
        [ "$(awk '/^Max open files/ { print $4 }' "/proc/$(pid_of web)/limits")" = 200 ]
        start python3 "$PEER" hold ::1 8080 400 >"$TEST_DIR/many" 2>&1
        wait_ready "$TEST_DIR/many"
        passed_on() { [ "$(find "/proc/$monitor/fd" -mindepth 1 | wc -l)" -gt 1200 ]; }
        wait_until passed_on # two for each, and the ports
        run in_net python3 "$PEER" ask tcp ::1 8080
        expect_status 0
        coracle restart -t 0 web
        [ "$(awk '/^Max open files/ { print $4 }' "/proc/$(pid_of web)/limits")" = 200 ]
        coracle stop -t 0 web
        wait_until no_traces
}

@test "on a network with IPv6 the kernel forwards that as well, and the container sees who asks" {
        local protocol
        coracle network create --ipv6 --subnet fd77::/64 --subnet 10.77.0.0/24 six >/dev/null
        begin web --network six -p 8080:80 -p 8080:80/udp
        serve web 80
        for protocol in tcp udp; do
                run in_far python3 "$PEER" ask $protocol fd09::1 8080
                expect_output "web fd09::2"
                run in_net python3 "$PEER" ask $protocol fd09::1 8080
                expect_output "web fd09::1"
                run in_net python3 "$PEER" ask $protocol ::1 8080 # by the monitor: the kernel does not route ::1
                expect_output "web fd77::1"
                run in_container web python3 "$PEER" ask $protocol fd09::1 8080
                expect_output "web fd77::1"
        done
}

@test "ports follow the network that the container is connected with" {
        coracle network create --subnet 10.78.0.0/24 first >/dev/null
        coracle network create --subnet 10.79.0.0/24 second >/dev/null
        coracle network create --internal --subnet 10.80.0.0/24 inner >/dev/null
        begin web --network first -p 8080:80
        serve web 80
        coracle network connect second web
        coracle network disconnect first web
        [[ $(elements) == *"tcp 0.0.0.0 8080"* ]]
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080
        expect_output "web 10.9.8.2"
        coracle network connect inner web
        coracle network disconnect second web
        run coracle inspect -f '{{json .NetworkSettings.Ports}}' web
        expect_output '{"80/tcp":null}'
        if bound 8080; then fail "a network that leads nowhere has ports"; fi
        coracle network connect first web
        run in_far python3 "$PEER" ask tcp 10.9.8.1 8080
        expect_output "web 10.9.8.2"
}

ip_of() { coracle inspect -f "{{with index .NetworkSettings.Networks \"$2\"}}{{.$3}}{{end}}" "$1"; } # NAME NETWORK KEY

is_dead() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }

# answers WHO... COMMAND... - and to nobody else: what is asked is answered within 15 seconds, or not within one
answers() { run "$@"; expect_status 0; }
is_silent() {
        run "$@" 1
        [ "$status" != 0 ] || fail "$*: $output"
}

@test "routed networks: a published port is open at the container's own address, with no part of the host" {
        local mode four six protocol
        in_far sh -c 'ip route add 10.7.0.0/16 via 10.9.8.1; ip -6 route add fd07::/16 via fd09::1'
        begin other
        # what docker's documentation says of gateway modes: of which family ports are the host's, of which the container's
        while read -r mode four six; do
                coracle network create --subnet 10.7.1.0/24 --ipv6 --subnet fd07:1::/64 -o com.docker.network.bridge.gateway_mode_ipv4="$four" \
                        -o com.docker.network.bridge.gateway_mode_ipv6="$six" "$mode" >/dev/null
                begin web --network "$mode" -p 127.0.0.1:8080:80 -p 8081:80 -p 8080:80/udp -p 90 # 81 is not published, nor 90/udp
                serve web 80 81 90
                for protocol in tcp udp; do
                        if [ "$four" = routed ]; then
                                answers in_far python3 "$PEER" ask $protocol 10.7.1.2 80
                                expect_output "web 10.9.8.2"
                                answers in_container other python3 "$PEER" ask $protocol 10.7.1.2 80
                                is_silent in_far python3 "$PEER" ask $protocol 10.9.8.1 8080
                                is_silent in_net python3 "$PEER" ask $protocol 127.0.0.1 8080
                        else
                                is_silent in_far python3 "$PEER" ask $protocol 10.7.1.2 80
                        fi
                        if [ "$six" = routed ]; then
                                answers in_far python3 "$PEER" ask $protocol fd07:1::2 80
                                expect_output "web fd09::2"
                                is_silent in_far python3 "$PEER" ask $protocol fd09::1 8080
                                is_silent in_net python3 "$PEER" ask $protocol ::1 8080
                        else
                                is_silent in_far python3 "$PEER" ask $protocol fd07:1::2 80
                        fi
                        is_silent in_far python3 "$PEER" ask $protocol 10.7.1.2 81
                        is_silent in_far python3 "$PEER" ask $protocol fd07:1::2 81
                done
                [ "$four" = routed ] || { answers in_far python3 "$PEER" ask tcp 10.9.8.1 8081; expect_output "web 10.9.8.2"; }
                [ "$six" = routed ] || { answers in_far python3 "$PEER" ask tcp fd09::1 8081; expect_output "web fd09::2"; }
                run coracle port web 80/udp
                expect_output "$([ "$four" = routed ] && echo 0.0.0.0: || echo 0.0.0.0:8080)
$([ "$six" = routed ] && echo '[::]:' || echo '[::]:8080')"
                coracle rm -f web >/dev/null
                no_traces
                coracle network rm "$mode" >/dev/null
        done <<'EOF'
both routed routed
four routed nat
six nat routed
EOF
}

@test "routed networks: ports of one number do not meet, come back into a flushed table, and go with a monitor that was killed" {
        local pid server
        in_far ip route add 10.7.0.0/16 via 10.9.8.1
        coracle network create --subnet 10.7.1.0/24 -o com.docker.network.bridge.gateway_mode_ipv4=routed routed >/dev/null
        begin web --network routed -p 80:80
        begin second --network routed -p 80:80 -p 81:80
        begin third -p 80:80
        serve web 80
        server=${SERVERS[-1]}
        serve second 80
        answers in_far python3 "$PEER" ask tcp 10.7.1.2 80
        expect_output "web 10.9.8.2"
        in_net nft flush ruleset
        coracle ps >/dev/null
        is_silent in_far python3 "$PEER" ask udp 10.7.1.3 80
        answers in_far python3 "$PEER" ask tcp 10.7.1.3 80
        expect_output "second 10.9.8.2"
        # who looks finds the container dead; the next one has its address, and opens the same port
        pid=$(monitor_of web)
        kill -9 "$pid" "$server" # which would keep the network namespace
        wait_until is_dead "$pid"
        wait_until is_dead "$server"
        coracle ps >/dev/null
        is_silent in_far python3 "$PEER" ask tcp 10.7.1.2 80
        expect_equal "$(elements | grep -c ' 10.7.1.2 80$')" 0
        begin fourth --network routed -p 80:80
        expect_equal "$(ip_of fourth routed IPAddress)" 10.7.1.2
        coracle rm -f web >/dev/null
        serve fourth 80
        answers in_far python3 "$PEER" ask tcp 10.7.1.2 80
        expect_output "fourth 10.9.8.2"
        coracle rm -f second third fourth >/dev/null
        no_traces
}
