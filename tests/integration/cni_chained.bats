# CNI: plugins that are chained behind one that makes an interface.
# shellcheck disable=SC2030,SC2031,SC2016

load lib
load cni

setup() {
        [ "$EUID" = 0 ] || skip "only root may make network namespaces: it runs where the tests run as root"
        setup_cni
        container c1
        BRIDGE='{"cniVersion":"1.0.0","name":"blue","type":"bridge","bridge":"cni0","isDefaultGateway":true,"hairpinMode":true,
                "ipam":{"type":"host-local","dataDir":"'$TEST_DIR'/data","ranges":[[{"subnet":"10.9.0.0/24"}],[{"subnet":"fd00:9::/64"}]]}}'
        RESULT=$(cni ADD "$BRIDGE")
        BEFORE=$(host_state)
}
teardown() { teardown_cni; }

chained() { # TYPE FILTER [VERSION] - a configuration with the result of bridge
        jq -cn --arg type "$1" --argjson r "$RESULT" '{cniVersion: "1.0.0", name: "blue", type: $type, prevResult: $r} | '"$2"
}

as_before() { host_is "$BEFORE" "state of the host"; }

# tell WHERE ADDRESS [PROTOCOL] - a server in the container WHERE ("host" for the host) that answers "from PEER", for ever
tell() {
        local where=(inside "$1")
        [ "$1" != host ] || where=(host)
        rm -f "$TEST_DIR/serving"
        "${where[@]}" timeout "${BATS_TEST_TIMEOUT:-300}" python3 -c '
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
udp = sys.argv[3] == "udp"
s = socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[4])))
if not udp: s.listen(8)
open(sys.argv[2], "w").close()
while True:
    if udp:
        _, peer = s.recvfrom(100); s.sendto(("from " + peer[0]).encode(), peer)
    else:
        c, peer = s.accept(); c.sendall(("from " + peer[0]).encode()); c.close()' \
                "$2" "$TEST_DIR/serving" "${3:-tcp}" "${4:-80}" </dev/null >/dev/null 2>&1 3>&- &
        wait_until test -e "$TEST_DIR/serving"
}

# ask WHERE ADDRESS PORT [PROTOCOL] [SECONDS]
ask() {
        local where=(inside "$1")
        [ "$1" != host ] || where=(host)
        "${where[@]}" timeout 60 python3 -c '
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
seconds = float(sys.argv[4])
if sys.argv[3] == "udp":
    s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(seconds); s.connect((sys.argv[1], int(sys.argv[2])))
    s.send(b"x"); print(s.recv(100).decode())
else:
    print(socket.create_connection((sys.argv[1], int(sys.argv[2])), seconds).makefile().read())' "$2" "$3" "${4:-tcp}" "${5:-20}"
}

# A host beyond up0 (203.0.113.1), in the namespace "world".
world() {
        container world
        host ip link add up0 type veth peer name down0 netns world
        host ip addr add 203.0.113.1/24 dev up0
        host ip -6 addr add fd00:77::1/64 dev up0 nodad
        host ip link set up0 up
        inside world ip addr add 203.0.113.2/24 dev down0
        inside world ip -6 addr add fd00:77::2/64 dev down0 nodad
        inside world ip link set down0 up
        BEFORE=$(host_state)
}

PORTS='. + {runtimeConfig: {portMappings: [{hostPort: 8080, containerPort: 80, protocol: "tcp"},
        {hostPort: 8053, containerPort: 80, protocol: "udp"}]}}'

@test "a plugin that is chained wants a previous result, and passes it on" {
        local plugin
        for plugin in portmap firewall tuning bandwidth sbr; do
                run cni ADD "$(chained "$plugin" 'del(.prevResult)')"
                expect_status 1
                expect_text "$plugin: prevResult: required key is missing"
                run cni ADD "$(chained "$plugin" .)"
                expect_status 0
                expect_equal "$(jq -S . <<<"$output")" "$(jq -S . <<<"$RESULT")"
                cni CHECK "$(chained "$plugin" .)"
                cni DEL "$(chained "$plugin" .)"
                cni DEL "$(chained "$plugin" 'del(.prevResult)')" CNI_NETNS=
        done
        as_before
}

@test "a previous result with an interface that has no name passes" {
        local config
        for plugin in portmap firewall tuning bandwidth sbr; do
                config=$(chained "$plugin" 'del(.prevResult.interfaces[].name) | .runtimeConfig.portMappings = [{hostPort: 8080, containerPort: 80}]')
                run cni ADD "$config"
                expect_status 0
                run cni CHECK "$config"
                expect_status 0
                cni DEL "$config"
        done
}

# --------------------------------------------------------------------------------------------------------------- portmap

@test "portmap: a port is reached from the world, the host, its localhost, a neighbour and the container itself" {
        local config c2
        world
        config=$(chained portmap "$PORTS")
        cni ADD "$config" >/dev/null
        cni CHECK "$config"
        tell c1 0.0.0.0
        tell c1 :: tcp 81
        tell c1 10.9.0.2 udp
        expect_equal "$(ask world 203.0.113.1 8080)" "from 203.0.113.2" # with its own address
        expect_equal "$(ask world 203.0.113.1 8053 udp)" "from 203.0.113.2"
        expect_equal "$(ask host 203.0.113.1 8080)" "from 203.0.113.1"
        expect_equal "$(ask host 127.0.0.1 8080)" "from 10.9.0.1"
        expect_equal "$(ask c1 203.0.113.1 8080)" "from 10.9.0.1"
        container c2
        c2=$(cni ADD "$BRIDGE" CNI_CONTAINERID=two CNI_NETNS=/run/netns/c2)
        [ -n "$c2" ]
        expect_equal "$(ask c2 203.0.113.1 8080)" "from 10.9.0.1"
        # what is not for this host is left alone
        tell world 203.0.113.2 tcp 8080
        expect_equal "$(ask host 203.0.113.2 8080)" "from 203.0.113.1"
        cni DEL "$BRIDGE" CNI_CONTAINERID=two CNI_NETNS=/run/netns/c2
        cni DEL "$config"
        run host nft list table inet coracle_cni_portmap
        expect_no_text 8080 10.9.0.2
        run ask world 203.0.113.1 8080
        expect_failure
}

@test "portmap: IPv6, and only the addresses of the host that are asked for" {
        local config
        world
        host ip addr add 203.0.113.9/24 dev up0
        config=$(chained portmap '. + {runtimeConfig: {portMappings: [{hostPort: 8080, containerPort: 80, protocol: "tcp", hostIP: "203.0.113.9"},
                {hostPort: 8081, containerPort: 80, hostIP: "fd00:77::1"}, {hostPort: 8082, containerPort: 80, hostIP: "::"}]}}')
        cni ADD "$config" >/dev/null
        cni CHECK "$config"
        tell c1 0.0.0.0
        expect_equal "$(ask world 203.0.113.9 8080)" "from 203.0.113.2"
        run ask world 203.0.113.1 8080
        expect_failure
        tell c1 fd00:9::2
        expect_equal "$(ask world fd00:77::1 8081)" "from fd00:77::2"
        expect_equal "$(ask world fd00:77::1 8082)" "from fd00:77::2"
        run ask world 203.0.113.1 8082
        expect_failure
        cni DEL "$config"
}

@test "portmap: nothing from outside reaches the host's localhost" {
        world
        cni ADD "$(chained portmap "$PORTS")" >/dev/null
        tell host 127.0.0.1 tcp 9000
        expect_equal "$(ask host 127.0.0.1 9000)" "from 127.0.0.1"
        inside c1 ip route del local 127.0.0.0/8 table local 2>/dev/null || true
        inside c1 ip link set lo down
        inside c1 sysctl -qw net.ipv4.conf.eth0.route_localnet=1
        inside c1 ip route add 127.0.0.1/32 via 10.9.0.1 dev eth0 src 10.9.0.2
        run ask c1 127.0.0.1 9000 tcp 3
        expect_failure
        expect_no_text "from"
}

@test "portmap: masqAll, snat, conditions" {
        local config
        world
        config=$(chained portmap "$PORTS | .masqAll = true")
        cni ADD "$config" >/dev/null
        cni CHECK "$config"
        tell c1 0.0.0.0
        expect_equal "$(ask world 203.0.113.1 8080)" "from 10.9.0.1"
        cni DEL "$config"
        config=$(chained portmap "$PORTS | .snat = false")
        cni ADD "$config" >/dev/null
        cni CHECK "$config"
        expect_equal "$(ask world 203.0.113.1 8080)" "from 203.0.113.2"
        run host nft list chain inet coracle_cni_portmap postrouting
        expect_no_text masquerade
        cni DEL "$config"
        for condition in '["ip","saddr","!=","203.0.113.2"]' '["!","-s","203.0.113.2/32"]' '["iifname","!=","up0"]'; do
                config=$(chained portmap "$PORTS | .conditionsV4 = $condition")
                cni ADD "$config" >/dev/null
                run ask world 203.0.113.1 8080
                expect_failure
                expect_equal "$(ask host 203.0.113.1 8080)" "from 203.0.113.1"
                cni DEL "$config"
        done
}

@test "portmap: CHECK sees that the rules are gone; ADD twice leaves each once; GC" {
        local config
        config=$(chained portmap "$PORTS")
        cni ADD "$config" >/dev/null
        cni ADD "$config" >/dev/null
        expect_equal "$(host nft list chain inet coracle_cni_portmap ports | grep -c 'tcp dport 8080')" 2 # IPv4 and IPv6
        host nft flush ruleset
        run cni CHECK "$config"
        expect_status 1
        expect_text "rules of this container"
        cni ADD "$config" >/dev/null # makes all of it again
        cni CHECK "$config"
        cni GC "$(change "$config" '.cniVersion = "1.1.0" | .["cni.dev/valid-attachments"] = [{"containerID":"one","ifname":"eth0"}]')"
        cni CHECK "$config"
        cni GC "$(change "$config" '.cniVersion = "1.1.0" | .["cni.dev/valid-attachments"] = []')"
        run cni CHECK "$config"
        expect_status 1
        cni DEL "$config"
}

@test "portmap: a port that another container has is refused, and stays with that" {
        local config two before
        config=$(chained portmap "$PORTS")
        two=(CNI_CONTAINERID=two)
        cni ADD "$config" >/dev/null
        before=$(host nft list ruleset)
        run cni ADD "$config" "${two[@]}"
        expect_status 1
        expect_text "port 8080 of the host, tcp4 at *, is published by another container" "blue eth0 one"
        run cni ADD "$(change "$config" 'del(.runtimeConfig.portMappings[0]) | .runtimeConfig.portMappings[0].hostIP = "203.0.113.1"')" "${two[@]}"
        expect_status 1
        expect_text "port 8053 of the host, udp4"
        expect_equal "$(host nft list ruleset)" "$before" rules
        cni ADD "$config" >/dev/null # its own
        cni ADD "$(change "$config" '.name = "red"')" >/dev/null # the same container on another network
        cni ADD "$(change "$config" '.runtimeConfig.portMappings[].protocol = "sctp"')" "${two[@]}" >/dev/null
        cni DEL "$(change "$config" '.name = "red"')"
        cni DEL "$config" "${two[@]}"
        cni ADD "$(change "$config" '.runtimeConfig.portMappings[].hostIP = "203.0.113.1"')" >/dev/null
        cni ADD "$(change "$config" '.runtimeConfig.portMappings[].hostIP = "203.0.113.2"')" "${two[@]}" >/dev/null
        cni DEL "$config"
        cni ADD "$config" "${two[@]}" >/dev/null
        cni CHECK "$config" "${two[@]}"
        # what conditions keep apart
        config=$(chained portmap "$PORTS | .conditionsV4 = [\"-s\", \"192.0.2.0/24\"] | .conditionsV6 = [\"-s\", \"fd01::/64\"]")
        cni ADD "$config" >/dev/null
        cni DEL "$config"
        cni DEL "$config" "${two[@]}"
}

@test "portmap: wrong configurations" {
        while IFS='|' read -r filter text; do
                run cni ADD "$(chained portmap "$PORTS" | jq -c "$filter")"
                expect_status 1
                expect_text "$text"
                as_before
        done <<-'TABLE'
		.runtimeConfig.portMappings[0].hostPort = 0|portMappings[0].hostPort: 0 is no port
		.runtimeConfig.portMappings[0].containerPort = 70000|containerPort: 70000
		.runtimeConfig.portMappings[1].protocol = "icmp"|portMappings[1].protocol: expected one of
		.runtimeConfig.portMappings[0].hostIP = "here"|portMappings[0].hostIP
		del(.runtimeConfig.portMappings[0].hostPort)|hostPort: required
		.backend = "magic"|backend: expected one of
		. + {"markMasqBit":3,"externalSetMarkChain":"X"}|externalSetMarkChain
		.markMasqBit = 32|markMasqBit
		.conditionsV4 = ["--hack"]|conditionsV4[0]: \"--hack
	TABLE
}

@test "portmap: backend iptables makes the chains of the reference, by iptables" {
        local config ours theirs
        world
        config=$(chained portmap "$PORTS | .backend = \"iptables\" | .conditionsV4 = [\"!\", \"-d\", \"192.0.2.0/24\"]")
        cni ADD "$config" >/dev/null
        cni CHECK "$config"
        run host iptables -t nat -S
        expect_text "CNI-HOSTPORT-DNAT" "--dport 8080" "--to-destination 10.9.0.2:80" "CNI-HOSTPORT-SETMARK"
        tell c1 0.0.0.0
        expect_equal "$(ask world 203.0.113.1 8080)" "from 203.0.113.2"
        expect_equal "$(ask host 127.0.0.1 8080)" "from 10.9.0.1"
        cni DEL "$config"
        run host iptables -t nat -S
        expect_no_text 8080 CNI-DN-
        run cni CHECK "$config"
        expect_status 1
}

# -------------------------------------------------------------------------------------------------------------- firewall

# forwards FROM ADDRESS - whether FROM reaches ADDRESS, where somebody answers
forwards() { [[ $(ask "$1" "$2" 80 tcp 2 2>/dev/null) == from* ]]; }

@test "firewall: opens a chain FORWARD that drops for the container, and no other" {
        local config before backend
        world
        inside world ip route add 10.9.0.0/24 via 203.0.113.1
        tell world 203.0.113.2
        tell c1 10.9.0.2
        wait_until forwards c1 203.0.113.2
        host iptables -P FORWARD DROP
        ! forwards c1 203.0.113.2 || fail "the policy does not drop" || return 1
        for backend in nftables iptables; do
                config=$(chained firewall ". + {backend: \"$backend\"}")
                cni ADD "$config" >/dev/null
                cni CHECK "$config"
                cni ADD "$config" >/dev/null
                expect_equal "$(host iptables -S CNI-FORWARD | grep -c -- '-s 10.9.0.2/32 .*-j ACCEPT')" 1
                wait_until forwards c1 203.0.113.2
                ! forwards world 10.9.0.2 || fail "what nobody asked for comes in" || return 1
                run host iptables -S
                expect_text "-j CNI-FORWARD" "-j CNI-ADMIN" "-d 10.9.0.2/32 -m conntrack --ctstate RELATED,ESTABLISHED"
                host iptables -A CNI-ADMIN -d 203.0.113.2 -j DROP
                ! forwards c1 203.0.113.2 || fail "CNI-ADMIN does not come first" || return 1
                host iptables -F CNI-ADMIN
                cni DEL "$config"
                cni DEL "$config"
                run host iptables -S
                expect_no_text "10.9.0.2"
                run cni CHECK "$config"
                expect_status 1
                expect_text "CNI-FORWARD are gone"
                host iptables -F FORWARD
                host iptables -F CNI-FORWARD
                host iptables -X CNI-FORWARD
        done
}

@test "firewall: the rules are those of the reference" {
        need_reference
        host iptables -P FORWARD DROP
        host ip6tables -P FORWARD DROP
        PLUGINS=$REFERENCE cni ADD "$(chained firewall '.backend = "iptables"')" >/dev/null
        host iptables -S FORWARD >"$TEST_DIR/theirs" && host iptables -S CNI-FORWARD >>"$TEST_DIR/theirs"
        host ip6tables -S CNI-FORWARD >>"$TEST_DIR/theirs"
        PLUGINS=$REFERENCE cni DEL "$(chained firewall '.backend = "iptables"')"
        for t in iptables ip6tables; do
                host $t -F FORWARD && host $t -F CNI-FORWARD && host $t -X CNI-FORWARD
        done
        cni ADD "$(chained firewall '.')" >/dev/null
        host iptables -S FORWARD >"$TEST_DIR/ours" && host iptables -S CNI-FORWARD >>"$TEST_DIR/ours"
        host ip6tables -S CNI-FORWARD >>"$TEST_DIR/ours"
        sed -i 's/-m comment --comment "[^"]*" //' "$TEST_DIR/ours" "$TEST_DIR/theirs"
        diff "$TEST_DIR/theirs" "$TEST_DIR/ours"
}

@test "firewall: nothing is made where nothing is in the way; another name of the administrator's chain; GC" {
        local config
        config=$(chained firewall '. + {iptablesAdminChainName: "MY-ADMIN"}')
        cni ADD "$config" >/dev/null
        as_before
        cni CHECK "$config"
        cni DEL "$config"
        host iptables -P FORWARD DROP
        cni ADD "$config" >/dev/null
        host iptables -S CNI-FORWARD | grep -q 'j MY-ADMIN'
        cni GC "$(change "$config" '.cniVersion = "1.1.0" | .["cni.dev/valid-attachments"] = []')"
        run host iptables -S CNI-FORWARD
        expect_no_text 10.9.0.2
        run cni ADD "$(change "$config" '.iptablesAdminChainName = "a b"')"
        expect_status 1
        expect_text "iptablesAdminChainName"
        run cni ADD "$(change "$config" '.backend = "magic"')"
        expect_status 1
        expect_text "backend: expected one of"
        run cni ADD "$(change "$config" '.ingressPolicy = "magic"')"
        expect_status 1
        expect_text "ingressPolicy: expected one of"
}

@test "firewall: ingressPolicy keeps bridges apart" {
        local other result
        container c2 c3
        other=$(change "$BRIDGE" '.bridge = "cni1" | .name = "red" | .ipam.ranges = [[{"subnet":"10.8.0.0/24"}]]')
        result=$(cni ADD "$other" CNI_NETNS=/run/netns/c2)
        cni ADD "$BRIDGE" CNI_CONTAINERID=three CNI_NETNS=/run/netns/c3 >/dev/null
        tell c2 10.8.0.2
        tell c3 10.9.0.3
        wait_until forwards c1 10.8.0.2
        cni ADD "$(chained firewall '.ingressPolicy = "same-bridge"')" >/dev/null
        cni ADD "$(chained firewall '.ingressPolicy = "same-bridge"' | jq -c --argjson r "$result" '.prevResult = $r')" CNI_NETNS=/run/netns/c2 >/dev/null
        ! forwards c1 10.8.0.2 || fail "another bridge is reached" || return 1
        wait_until forwards c1 10.9.0.3
        host nft list chain inet coracle_cni_firewall forward | grep -c drop | grep -qx 2
}

# ---------------------------------------------------------------------------------------------------------------- tuning

@test "tuning: sysctls and attributes are set, checked and given back" {
        local config result
        config=$(chained tuning '. + {dataDir: "'"$TEST_DIR"'/tuning", mac: "02:11:22:33:44:55", mtu: 1400, promisc: true, allmulti: true, txQLen: 77,
                sysctl: {"net.ipv4.conf.IFNAME.forwarding": "1", "net.core.somaxconn": "500", "net/ipv4/ip_local_port_range": "2000 3000"}}')
        inside c1 ip -j link show eth0 | jq '.[0] | del(.operstate, .flags) | .address' >"$TEST_DIR/before"
        result=$(cni ADD "$config")
        expect_equal "$(jq -r '.interfaces[2].mac' <<<"$result")" 02:11:22:33:44:55
        cni CHECK "$(with_result "$config" "$result")"
        expect_equal "$(inside c1 sysctl -n net.core.somaxconn net.ipv4.conf.eth0.forwarding | xargs)" "500 1"
        inside c1 ip link show eth0 | grep -q 'PROMISC.*mtu 1400.*qlen 77'
        inside c1 ip link show eth0 | grep -q ALLMULTI
        while IFS='|' read -r broken mended text; do
                inside c1 $broken
                run cni CHECK "$(with_result "$config" "$result")"
                expect_status 1
                expect_text "$text"
                inside c1 $mended
        done <<-'TABLE'
		ip link set eth0 mtu 1300|ip link set eth0 mtu 1400|mtu: interface eth0 has 1300
		ip link set eth0 txqlen 5|ip link set eth0 txqlen 77|txQLen
		ip link set eth0 allmulticast off|ip link set eth0 allmulticast on|allmulti
		ip link set eth0 address 02:00:00:00:00:09|ip link set eth0 address 02:11:22:33:44:55|mac: interface eth0
		sysctl -qw net.core.somaxconn=7|sysctl -qw net.core.somaxconn=500|net.core.somaxconn is 7, not 500
	TABLE
        cni CHECK "$(with_result "$config" "$result")"
        cni DEL "$config"
        diff "$TEST_DIR/before" <(inside c1 ip -j link show eth0 | jq '.[0] | .address')
        inside c1 ip link show eth0 | grep -q 'mtu 1500'
        ! inside c1 ip link show eth0 | grep -qE 'PROMISC|ALLMULTI' || fail "flags stay" || return 1
        expect_equal "$(ls "$TEST_DIR/tuning")" ""
        cni DEL "$config"
        cni DEL "$config" CNI_NETNS=/run/netns/gone
}

@test "tuning: arguments of the runtime; what does not belong to the container is refused" {
        local config
        config=$(chained tuning '. + {dataDir: "'"$TEST_DIR"'/tuning"}')
        cni ADD "$(change "$config" '.args.cni = {mtu: 1300, sysctl: {"net.core.somaxconn": "321"}}')" CNI_ARGS=MAC=02:00:00:00:00:01 >/dev/null
        expect_equal "$(inside c1 sysctl -n net.core.somaxconn)" 321
        inside c1 ip link show eth0 | grep -q 'mtu 1300'
        inside c1 ip link show eth0 | grep -q 02:00:00:00:00:01
        cni DEL "$config"
        while IFS='|' read -r filter text; do
                run cni ADD "$(change "$config" "$filter")"
                expect_status 1
                expect_text "$text"
        done <<-'TABLE'
		.sysctl = {"kernel.hostname":"x"}|sysctl: kernel.hostname does not belong to the network namespace
		.sysctl = {"net.ipv4.nonsense":"1"}|net/ipv4/nonsense
		.sysctl = {"net.ipv4.../../kernel/hostname":"1"}|sysctl
		.sysctl = {"net.ipv4.ip_forward":1}|sysctl[\"net.ipv4.ip_forward\"]: expected a string
		.mac = "blue"|mac: \"blue\"
		.mtu = 7|mtu
	TABLE
        host mkdir -p /run/etc
        host cp -a /etc /run/etc/whole
        host mount --bind /run/etc/whole /etc
        host mkdir -p /etc/cni/tuning
        host bash -c 'printf "^net\\\\.core\\\\.somaxconn\$\n" >/etc/cni/tuning/allowlist.conf'
        cni ADD "$(change "$config" '.sysctl = {"net.core.somaxconn":"99"}')" >/dev/null
        run cni ADD "$(change "$config" '.sysctl = {"net.ipv4.ip_forward":"1"}')"
        expect_status 1
        expect_text "sysctl: net.ipv4.ip_forward is not among those"
}

# ------------------------------------------------------------------------------------------------------------- bandwidth

@test "bandwidth: both ways are limited, as the reference limits them" {
        local config result name
        host ip link add probe0 type ifb 2>/dev/null || skip "this kernel has no ifb interfaces: it runs where it has"
        host ip link del probe0
        config=$(chained bandwidth '. + {ingressRate: 8000000, ingressBurst: 800000, runtimeConfig: {bandwidth: {ingressRate: 16000000,
                ingressBurst: 1600000, egressRate: 24000000, egressBurst: 2400000}}}')
        result=$(cni ADD "$config")
        config=$(with_result "$config" "$result")
        cni CHECK "$config"
        name=$(jq -r '.interfaces[3].name' <<<"$result")
        host tc qdisc show dev "$(jq -r '.interfaces[1].name' <<<"$result")" | grep -qE 'tbf 1: root.*rate 16Mbit burst (200000|19999[0-9])b'
        host tc qdisc show dev "$name" | grep -qE 'tbf 1: root.*rate 24Mbit burst (300000|29999[0-9])b'
        # what is sent passes by the ifb, and still arrives
        tell host 10.9.0.1 tcp 90
        expect_equal "$(ask c1 10.9.0.1 90)" "from 10.9.0.2"
        [ "$(host cat "/sys/class/net/$name/statistics/tx_packets" 2>/dev/null || echo 1)" -gt 0 ]
        host tc qdisc del dev "$name" root
        run cni CHECK "$config"
        expect_status 1
        expect_text "egressRate: interface $name is not limited"
        cni DEL "$config"
        run host ip link show "$name"
        expect_failure
        cni DEL "$config" CNI_NETNS=/run/netns/gone
        cni DEL "$(change "$BRIDGE" .)"
        RESULT=$(cni ADD "$BRIDGE")
        cni ADD "$(with_result "$config" "$RESULT")" >/dev/null
        cni GC "$(change "$config" '.cniVersion = "1.1.0" | .["cni.dev/valid-attachments"] = [{"containerID":"one","ifname":"eth0"}]')"
        host ip link show "$name"
        cni GC "$(change "$config" '.cniVersion = "1.1.0" | .["cni.dev/valid-attachments"] = []')"
        run host ip link show "$name"
        expect_failure
}

@test "bandwidth: wrong limits" {
        while IFS='|' read -r filter text; do
                run cni ADD "$(chained bandwidth "$filter")"
                expect_status 1
                expect_text "$text"
                as_before
        done <<-'TABLE'
		.ingressRate = 1000|ingressBurst: has to be there
		.egressBurst = 1000|egressRate: has to be there
		. + {"egressBurst":99999999999,"egressRate":1000}|egressBurst: 99999999999 bits
		.ingressRate = -1|ingressRate
		. + {"ingressBurst":4,"ingressRate":1000}|less than a byte
	TABLE
}

# ------------------------------------------------------------------------------------------------------------ sbr and vrf

@test "sbr: what comes from the interface's addresses goes by a table of its own" {
        local config
        config=$(chained sbr .)
        inside c1 ip link add other0 type veth peer name other1
        inside c1 ip addr add 10.7.0.1/24 dev other0
        inside c1 ip link set other0 up
        inside c1 ip link set other1 up
        cni ADD "$config" >/dev/null
        cni CHECK "$config"
        inside c1 ip rule | grep -q 'from 10.9.0.2 lookup 100'
        inside c1 ip -6 rule | grep -q 'from fd00:9::2 lookup 101'
        expect_equal "$(inside c1 ip route show table 100 | grep -c eth0)" 2
        inside c1 ip route show table 100 | grep -q 'default via 10.9.0.1'
        expect_equal "$(inside c1 ip route | grep -c eth0)" 0
        inside c1 ip route get 8.8.8.8 from 10.9.0.2 | grep -q 'via 10.9.0.1 dev eth0'
        cni DEL "$config"
        run inside c1 ip rule
        expect_no_text 10.9.0.2
        run cni CHECK "$config"
        expect_status 1
        expect_text "from 10.9.0.2/24 is gone"
        cni DEL "$config"
        cni DEL "$config" CNI_NETNS=/run/netns/gone
}

@test "sbr: each address has a table that nobody else uses" {
        local config
        config=$(chained sbr .)
        inside c1 ip rule add from 10.7.0.1 lookup 101
        inside c1 ip -6 rule add from fd00:7::1 lookup 103
        cni ADD "$config" >/dev/null
        inside c1 ip rule | grep -q 'from 10.9.0.2 lookup 100'
        inside c1 ip -6 rule | grep -q 'from fd00:9::2 lookup 102'
        expect_equal "$(inside c1 ip -6 route show table 101 2>/dev/null)" ""
        cni DEL "$config"
}

@test "sbr: a given table, gateways, source hints" {
        local config
        config=$(chained sbr '.table = 77')
        cni ADD "$config" >/dev/null
        inside c1 ip rule | grep -q 'from 10.9.0.2 lookup 77'
        expect_equal "$(inside c1 ip route show table 77 2>/dev/null)" ""
        cni CHECK "$config"
        cni DEL "$config"
        config=$(chained sbr '. + {gateways: ["10.9.0.77"], addSourceHints: true}')
        cni ADD "$config" >/dev/null
        inside c1 ip route show table 100 | grep -q 'default via 10.9.0.77'
        expect_equal "$(inside c1 ip route | grep -o '10.9.0.0/24.*src 10.9.0.2' | wc -l)" 1
        cni DEL "$config"
        run cni ADD "$(chained sbr '.gateways = ["10.9.0.1", "10.9.0.2"]')"
        expect_status 1
        expect_text "gateways: more than one"
        run cni ADD "$(chained sbr '.gateways = ["up"]')"
        expect_status 1
        expect_text 'gateways: \"up\"'
}

@test "vrf: the interface joins a routing domain, which goes with its last member" {
        local config
        config=$(chained vrf '.vrfname = "red"')
        run cni ADD "$(chained vrf .)"
        expect_status 1
        expect_text "vrfname: required"
        skip_unless_link vrf table 9
        cni ADD "$config" >/dev/null
        cni CHECK "$config"
        inside c1 ip -d link show red | grep -q 'vrf table 1 '
        inside c1 ip link show eth0 | grep -q 'master red'
        inside c1 ip route show vrf red | grep -q 'default via 10.9.0.1'
        inside c1 ip -6 addr show eth0 | grep -q fd00:9::2
        run cni ADD "$config"
        expect_status 1
        run cni CHECK "$(change "$config" '.table = 5')"
        expect_status 1
        expect_text "table: vrf red has table 1, not 5"
        cni DEL "$config"
        run inside c1 ip link show red
        expect_failure
        cni DEL "$config"
}

@test "vrf: a kernel without it is told so" {
        host ip link add probe0 type vrf table 9 2>/dev/null && skip "this kernel has vrf interfaces: it runs where it has none"
        run cni ADD "$(chained vrf '.vrfname = "red"')"
        expect_status 1
        expect_text "this kernel cannot make vrf interfaces"
}
