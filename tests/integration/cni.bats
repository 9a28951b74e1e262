# CNI: the protocol, loopback, bridge with host-local. The reference are Debian's plugins.
# shellcheck disable=SC2030,SC2031,SC2016

load lib
load cni

setup() {
        [ "$EUID" = 0 ] || skip "only root may make network namespaces: it runs where the tests run as root"
        setup_cni
        CONFIG='{"cniVersion":"1.0.0","name":"blue","type":"bridge","bridge":"cni0","isDefaultGateway":true,"ipMasq":true,
                "ipam":{"type":"host-local","dataDir":"'$TEST_DIR'/data","ranges":[[{"subnet":"10.9.0.0/24"}],
                [{"subnet":"fd00:9::/64"}]],"routes":[{"dst":"192.168.77.0/24"}]}}'
        IPAM=$(change "$CONFIG" '.type = "host-local" | .ipam.ranges = [[{"subnet":"10.9.0.0/29"}]] | del(.ipam.routes)')
}
teardown() { teardown_cni; }

# code OUTPUT - the code of an error document
code() { jq -r .code <<<"$1"; }

# -------------------------------------------------------------------------------------------------------------- protocol

@test "VERSION lists the versions of the specification" {
        run cni VERSION "$CONFIG"
        expect_status 0
        expect_equal "$(jq -c .supportedVersions <<<"$output")" '["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]'
        expect_equal "$(jq -r .cniVersion <<<"$output")" 1.1.0
}

@test "without a command a plugin says what it is; the program lists its plugins" {
        run env -u CNI_COMMAND "$CNI_BIN/bridge"
        expect_status 0
        expect_text "CNI bridge plugin coracle-cni" "0.1.0, 0.2.0"
        run "$CORACLE_BUILD/src/cni/coracle-cni" --help
        expect_status 0
        expect_text "host-local" "loopback"
        run "$CORACLE_BUILD/src/cni/coracle-cni" nonsense
        expect_status 1
        expect_text 'no plugin "nonsense"'
}

@test "a wrong environment is error 4 and names the variable" {
        container c1
        while IFS='|' read -r variable text; do
                run cni ADD "$CONFIG" "$variable"
                expect_status 1
                expect_equal "$(code "$output")" 4 "code of $variable"
                expect_text "$text"
        done <<-'TABLE'
		CNI_CONTAINERID=|[CNI_CONTAINERID]
		CNI_CONTAINERID=../x|CNI_CONTAINERID: \"../x\"
		CNI_NETNS=|[CNI_NETNS]
		CNI_IFNAME=|[CNI_IFNAME]
		CNI_IFNAME=a/b|CNI_IFNAME: \"a/b\"
		CNI_IFNAME=much-too-long-a-name|CNI_IFNAME
		CNI_COMMAND=JUMP|CNI_COMMAND: unknown command \"JUMP\"
		CNI_ARGS=nonsense|CNI_ARGS: \"nonsense\" is no KEY=VALUE
		CNI_ARGS=COLOUR=blue|CNI_ARGS: unknown key \"COLOUR\"
	TABLE
        run cni ADD "$CONFIG" CNI_ARGS="IgnoreUnknown=1;COLOUR=blue"
        expect_status 0
}

@test "a wrong configuration is told by its key, and leaves nothing" {
        local before
        container c1
        before=$(host_state)
        while IFS='|' read -r number filter text; do
                run cni ADD "$(change "$CONFIG" "$filter")"
                expect_status 1
                expect_equal "$(code "$output")" "$number" "code of $filter"
                expect_text "$text"
                expect_equal "$(host_state | grep -v cni0)" "$before" "state after $filter"
        done <<-'TABLE'
		1|.cniVersion = "9.9.9"|cniVersion is \"9.9.9\"
		6|.name = 7|name: expected a string
		7|del(.name)|name: missing
		7|.name = "../up"|name: \"../up\"
		6|.mtu = "big"|network blue: bridge: mtu: expected an integer
		6|.ipMasqBackend = "magic"|ipMasqBackend: expected one of nftables, iptables
		7|.vlan = 5000|vlan: 5000
		6|.vlanTrunk = [{"minID":5}]|vlanTrunk[0]: minID and maxID belong together
		7|. + {"hairpinMode":true,"promiscMode":true}|hairpinMode
		7|.disableContainerInterface = true|disableContainerInterface
		7|.args.cni.mac = "blue"|args.cni.mac: \"blue\"
		7|.ipam.type = "nonsense"|ipam.type: there is no plugin \"nonsense\"
		7|.ipam.type = "../x"|ipam.type
		7|.ipam.type = "bridge"|ipam
		7|.ipam.ranges = []|ipam.ranges: no range
		7|.ipam.ranges[0] = []|ipam.ranges[0]: is empty
		6|.ipam.ranges[0][0].subnet = 5|ipam.ranges[0][0].subnet: expected a string
		7|.ipam.ranges[0][0].subnet = "10.9.0.0"|ipam.ranges[0][0]: subnet: \"10.9.0.0\"
		7|.ipam.ranges[0][0].subnet = "10.9.0.1/24"|has host bits set
		7|.ipam.ranges[0][0].subnet = "10.9.0.0/31"|too small
		7|.ipam.ranges[0][0].rangeStart = "10.8.0.1"|rangeStart: 10.8.0.1 is not in the subnet
		7|.ipam.ranges[0][0] += {"rangeStart":"10.9.0.9","rangeEnd":"10.9.0.8"}|rangeEnd
		7|.ipam.ranges[1] = .ipam.ranges[0]|overlaps with ranges[0][0]
		7|.ipam.ranges[0] += .ipam.ranges[1]|is of another family
		6|.ipam.routes = [{"gw":"10.9.0.1"}]|ipam.routes[0].dst
		7|.ipam.routes = [{"dst":"nowhere"}]|ipam.routes[0]: dst: \"nowhere\"
	TABLE
        run host env CNI_COMMAND=ADD CNI_CONTAINERID=one CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 "$CNI_BIN/bridge" <<<'{"type":"bridge", '
        expect_status 1
        expect_equal "$(code "$output")" 6
        run cni ADD "$(change "$CONFIG" .)" CNI_NETNS=/run/netns/none
        expect_status 1
        expect_equal "$(code "$output")" 3
        run cni ADD "$(change "$CONFIG" .)" CNI_NETNS=/proc/self/ns/net
        expect_status 1
        expect_equal "$(code "$output")" 8
}

@test "verbs that a version does not have are refused" {
        container c1
        run cni CHECK "$(change "$CONFIG" '.cniVersion = "0.3.1"')"
        expect_status 1
        expect_equal "$(code "$output")" 1
        run cni STATUS "$CONFIG"
        expect_status 1
        expect_equal "$(code "$output")" 1
        run cni GC "$CONFIG"
        expect_status 1
}

# -------------------------------------------------------------------------------------------------------------- loopback

@test "loopback sets lo up and down, and says the same as the reference" {
        local config='{"cniVersion":"1.0.0","name":"lo","type":"loopback"}' result theirs
        container c1 c2
        result=$(cni ADD "$config")
        inside c1 ip link show lo | grep -q 'LOOPBACK,UP'
        cni CHECK "$config"
        run cni ADD "$(with_result "$config" '{"cniVersion":"1.0.0","interfaces":[{"name":"x0"}]}')"
        expect_status 0
        expect_equal "$(jq -r '.interfaces[0].name' <<<"$output")" x0
        cni DEL "$config"
        cni DEL "$config"
        run cni CHECK "$config"
        expect_status 1
        expect_text "lo of the container is down"
        run cni DEL "$config" CNI_NETNS=/run/netns/gone
        expect_status 0
        need_reference
        theirs=$(PLUGINS=$REFERENCE cni ADD "$config" CNI_NETNS=/run/netns/c2)
        expect_equal "$(shape "$result")" "$(shape "${theirs//netns\/c2/netns/c1}")"
}

# ------------------------------------------------------------------------------------------------- bridge and host-local

@test "bridge: result, addresses and routes are those of the reference, in every version" {
        local version ours theirs
        need_reference
        container c1 c2
        for version in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0; do
                ours=$(cni ADD "$(change "$CONFIG" ".cniVersion = \"$version\"")")
                network_of c1 >"$TEST_DIR/ours"
                cni DEL "$(change "$CONFIG" ".cniVersion = \"$version\"")"
                host ip link del cni0
                theirs=$(PLUGINS=$REFERENCE cni ADD "$(change "$CONFIG" ".cniVersion = \"$version\" | .ipam.dataDir += \"2\"")")
                network_of c1 >"$TEST_DIR/theirs"
                PLUGINS=$REFERENCE cni DEL "$(change "$CONFIG" ".cniVersion = \"$version\" | .ipam.dataDir += \"2\"")"
                host ip link del cni0
                expect_equal "$(shape "$ours")" "$(shape "$theirs")" "result of $version"
                diff "$TEST_DIR/ours" "$TEST_DIR/theirs"
        done
}

@test "bridge: containers reach each other and the gateway, and the world by the host's address" {
        container c1 c2 world
        cni ADD "$CONFIG" >/dev/null
        cni ADD "$CONFIG" CNI_CONTAINERID=two CNI_NETNS=/run/netns/c2 >/dev/null
        host ip link add up0 type veth peer name down0 netns world
        host ip addr add 203.0.113.1/24 dev up0
        host ip link set up0 up
        inside world ip addr add 203.0.113.2/24 dev down0
        inside world ip link set down0 up
        serve c2 10.9.0.3
        expect_equal "$(ask c1 10.9.0.3)" "from 10.9.0.2"
        serve world 203.0.113.2
        expect_equal "$(ask c1 203.0.113.2)" "from 203.0.113.1"
        serve c2 fd00:9::3
        expect_equal "$(ask c1 fd00:9::3)" "from fd00:9::2"
}

# serve CONTAINER ADDRESS - answer one connection to port 7000 with "from PEER"
serve() {
        inside "$1" timeout 60 python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], 7000)); s.listen(1)
open(sys.argv[2], "w").close()
c, peer = s.accept()
c.sendall(("from " + peer[0]).encode()); c.close()' "$2" "$TEST_DIR/serving" </dev/null >"$TEST_DIR/serve.log" 2>&1 &
        wait_until test -e "$TEST_DIR/serving"
        rm "$TEST_DIR/serving"
}

ask() { # CONTAINER ADDRESS
        inside "$1" timeout 30 python3 -c '
import socket, sys
print(socket.create_connection((sys.argv[1], 7000), 20).makefile().read())' "$2"
}

@test "bridge: after DEL the host is as it was before ADD, also when DEL comes late or twice" {
        local before result
        container c1 c2
        cni ADD "$CONFIG" CNI_CONTAINERID=two CNI_NETNS=/run/netns/c2 >/dev/null # what is shared is made
        before=$(host_state)
        result=$(cni ADD "$CONFIG")
        [ "$(host_state)" != "$before" ]
        cni DEL "$(with_result "$CONFIG" "$result")"
        expect_equal "$(host_state)" "$before" "after DEL"
        cni DEL "$CONFIG"
        cni DEL "$CONFIG" CNI_NETNS=
        # the namespace is gone, or only its file is there
        cni ADD "$CONFIG" >/dev/null
        host ip netns del c1
        cni DEL "$CONFIG"
        host_is "$before" "after DEL without namespace"
        container c1
        cni ADD "$CONFIG" >/dev/null
        host umount /run/netns/c1
        cni DEL "$CONFIG"
        host_is "$before" "after DEL with a file"
        host rm /run/netns/c1
        container c1
        cni ADD "$CONFIG" >/dev/null
        inside c1 ip link set eth0 down
        inside c1 ip link set eth0 name other
        host ip netns del c1
        cni DEL "$CONFIG" CNI_NETNS=
        host_is "$before" "after DEL without CNI_NETNS"
}

@test "bridge: an ADD that fails leaves nothing" {
        local before
        container c1 c2
        cni ADD "$CONFIG" CNI_CONTAINERID=two CNI_NETNS=/run/netns/c2 >/dev/null
        before=$(host_state)
        run cni ADD "$(change "$CONFIG" '.ipam.routes = [{"dst":"10.77.0.0/16","gw":"10.78.0.1"}]')"
        expect_status 1
        expect_text "route 10.77.0.0/16 via 10.78.0.1"
        expect_equal "$(host_state)" "$before"
        run inside c1 ip link show eth0
        expect_failure
        run cni ADD "$(change "$CONFIG" '.ipam.ranges[0][0].gateway = "10.9.0.77"')" # the bridge has another address
        expect_status 1
        expect_text "isGateway" "cni0 has the address 10.9.0.1/24 already"
        expect_equal "$(host_state)" "$before"
        inside c1 ip link add eth0 type veth peer name other
        run cni ADD "$CONFIG"
        expect_status 1
        expect_text "interface eth0 already"
        inside c1 ip link show eth0
}

@test "bridge: CHECK sees what somebody changed" {
        local config result filter
        container c1
        result=$(cni ADD "$CONFIG")
        config=$(with_result "$CONFIG" "$result")
        cni CHECK "$config"
        while IFS='|' read -r broken mended text; do
                eval "$broken"
                run cni CHECK "$config"
                expect_status 1
                expect_text "$text"
                eval "$mended"
                cni CHECK "$config" || fail "CHECK after: $mended"
        done <<-'TABLE'
		inside c1 ip addr del 10.9.0.2/24 dev eth0|inside c1 ip addr add 10.9.0.2/24 dev eth0; inside c1 ip route add default via 10.9.0.1; inside c1 ip route add 192.168.77.0/24 via 10.9.0.1|lacks the address 10.9.0.2/24
		inside c1 ip route del default|inside c1 ip route add default via 10.9.0.1|lacks the route to 0.0.0.0/0
		mv "$TEST_DIR/data/blue/10.9.0.2" "$TEST_DIR/x"; mv "$TEST_DIR/data/blue/fd00:9::2" "$TEST_DIR/y"|mv "$TEST_DIR/x" "$TEST_DIR/data/blue/10.9.0.2"; mv "$TEST_DIR/y" "$TEST_DIR/data/blue/fd00:9::2"|no address is allocated
		host ip link set "$(port)" nomaster|host ip link set "$(port)" master cni0|is no port of bridge cni0
		host ip link set cni0 down|host ip link set cni0 up|bridge cni0 is down
	TABLE
        host nft flush ruleset
        run cni CHECK "$config"
        expect_status 1
        expect_text "ipMasq"
        run cni CHECK "$CONFIG"
        expect_status 1
        expect_text "prevResult: required"
        filter='.interfaces[2].mac = "02:00:00:00:00:01"'
        run cni CHECK "$(with_result "$CONFIG" "$(change "$result" "$filter")")"
        expect_status 1
        expect_text "has the hardware address"
}

port() { host ip -o link | grep -o 'veth[0-9a-f]*' | head -n 1; }

@test "bridge: mtu, hardware address, hairpin, isolation, promiscuity, DNS" {
        local config result
        container c1
        config=$(change "$CONFIG" '.mtu = 1400 | .runtimeConfig.mac = "02:11:22:33:44:55" | .hairpinMode = true |
                .portIsolation = true | .dns = {"nameservers":["10.9.0.1"],"search":["x.test"]} | .cniVersion = "1.1.0"')
        result=$(cni ADD "$config" CNI_ARGS="MAC=02:00:00:00:00:09")
        expect_equal "$(jq -c '.interfaces[2] | [.mac, .mtu]' <<<"$result")" '["02:11:22:33:44:55",1400]'
        expect_equal "$(jq -c .dns <<<"$result")" '{"nameservers":["10.9.0.1"],"search":["x.test"]}'
        inside c1 ip link show eth0 | grep -q 'mtu 1400'
        inside c1 ip link show eth0 | grep -q 02:11:22:33:44:55
        host ip -d link show "$(port)" | grep -q 'hairpin on'
        host ip -d link show "$(port)" | grep -q 'isolated on'
        cni DEL "$config"
        cni ADD "$(change "$CONFIG" '.promiscMode = true')" CNI_ARGS="MAC=02:00:00:00:00:09" >/dev/null
        inside c1 ip link show eth0 | grep -q 02:00:00:00:00:09
        host ip link show cni0 | grep -q PROMISC
}

@test "bridge: without ipam it is a switch; a disabled interface stays down" {
        local config
        container c1
        config=$(change "$CONFIG" 'del(.ipam)')
        run cni ADD "$config"
        expect_status 0
        expect_equal "$(jq -c '[.ips, (.interfaces | length)]' <<<"$output")" '[null,3]'
        inside c1 ip link show eth0 | grep -q 'state UP'
        cni DEL "$config"
        config=$(change "$config" '.disableContainerInterface = true')
        cni ADD "$config" >/dev/null
        inside c1 ip link show eth0 | grep -q 'state DOWN'
}

@test "bridge: forceAddress replaces the address of the bridge" {
        container c1
        cni ADD "$CONFIG" >/dev/null
        cni DEL "$CONFIG"
        cni ADD "$(change "$CONFIG" '.forceAddress = true | .ipam.ranges[0][0].gateway = "10.9.0.77"')" >/dev/null
        run host ip -4 -o addr show cni0
        expect_text 10.9.0.77/24
        expect_no_text 10.9.0.1/24
}

@test "bridge: macspoofchk lets no other hardware address out of the container" {
        local config before
        container c1
        config=$(change "$CONFIG" '.macspoofchk = true | .args.cni.mac = "02:11:22:33:44:55"')
        cni ADD "$config" >/dev/null
        serve_host 10.9.0.1
        expect_equal "$(ask c1 10.9.0.1)" "from 10.9.0.2"
        inside c1 ip link set eth0 address 02:11:22:33:44:66
        run ask c1 10.9.0.1
        expect_failure
        cni DEL "$config"
        run host nft list table bridge coracle_cni_macspoof
        expect_no_text 02:11:22:33:44:55
}

serve_host() {
        host timeout 60 python3 -c '
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], 7000)); s.listen(1); open(sys.argv[2], "w").close()
c, peer = s.accept(); c.sendall(("from " + peer[0]).encode()); c.close()' "$1" "$TEST_DIR/serving" </dev/null >/dev/null 2>&1 &
        wait_until test -e "$TEST_DIR/serving"
        rm "$TEST_DIR/serving"
}

@test "bridge: ipMasqBackend iptables runs iptables" {
        local config
        container c1
        config=$(change "$CONFIG" '.ipMasqBackend = "iptables"')
        cni ADD "$config" >/dev/null
        run host iptables -t nat -S
        expect_text "10.9.0.2/32" "-d 10.9.0.0/24 -j ACCEPT" "-j MASQUERADE"
        cni DEL "$config"
        run host iptables -t nat -S
        expect_no_text 10.9.0.2 CNI-
        run host ip6tables -t nat -S
        expect_no_text fd00 CNI-
}

@test "bridge: VLAN of a port and its trunk" {
        local config
        host ip link add probe0 type bridge vlan_filtering 1 2>/dev/null ||
                skip "this kernel has no VLAN filtering of bridges: runs with make check-amd64"
        host ip link del probe0
        container c1
        config=$(change "$CONFIG" '.vlan = 100 | .vlanTrunk = [{"id":101},{"minID":200,"maxID":202}]')
        run cni ADD "$config"
        expect_status 0
        expect_equal "$(jq -r '.interfaces[3].name' <<<"$output")" cni0.100
        expect_equal "$(host bridge -j vlan show dev "$(jq -r '.interfaces[1].name' <<<"$output")" | jq -c '[.[0].vlans[].vlan]')" \
                '[100,101,200,201,202]'
        host ip -4 addr show cni0.100 | grep -q 10.9.0.1/24
        cni DEL "$config"
}

@test "bridge: a VLAN needs a bridge that filters them" {
        container c1
        host ip link add cni0 type bridge
        run cni ADD "$(change "$CONFIG" '.vlan = 100')"
        expect_status 1
        expect_text "vlan: bridge cni0 has no VLAN filtering"
        host ip link del cni0
        host ip link add cni0 type veth peer name other0
        run cni ADD "$CONFIG"
        expect_status 1
        expect_text "bridge: interface cni0 is there, and is no bridge"
}

# ------------------------------------------------------------------------------------------------------------ host-local

addresses() { jq -r '.ips[].address' <<<"$1"; }

@test "host-local: addresses are handed out in turn, until there is none" {
        local i got=()
        for i in 1 2 3; do
                got+=("$(addresses "$(cni ADD "$IPAM" CNI_CONTAINERID="c$i")")")
        done
        expect_equal "${got[*]}" "10.9.0.2/29 10.9.0.3/29 10.9.0.4/29"
        cni DEL "$IPAM" CNI_CONTAINERID=c2
        for i in 4 5 6; do
                got+=("$(addresses "$(cni ADD "$IPAM" CNI_CONTAINERID="c$i")")")
        done
        expect_equal "${got[*]}" "10.9.0.2/29 10.9.0.3/29 10.9.0.4/29 10.9.0.5/29 10.9.0.6/29 10.9.0.3/29"
        run cni ADD "$IPAM" CNI_CONTAINERID=c7
        expect_status 1
        expect_text "ipam.ranges[0]: all addresses from 10.9.0.1 to 10.9.0.6 are in use"
        run cni STATUS "$(change "$IPAM" '.cniVersion = "1.1.0"')"
        expect_status 1
        expect_equal "$(code "$output")" 50
        cni DEL "$IPAM" CNI_CONTAINERID=c1
        cni STATUS "$(change "$IPAM" '.cniVersion = "1.1.0"')"
        run cni ADD "$IPAM" CNI_CONTAINERID=c4
        expect_status 1
        expect_text "is allocated to container c4"
}

@test "host-local: particular addresses, by every way to ask for them" {
        local two
        two=$(change "$IPAM" '.ipam.ranges += [[{"subnet":"fd00:9::/64","rangeStart":"fd00:9::10"}]]')
        expect_equal "$(addresses "$(cni ADD "$IPAM" CNI_CONTAINERID=a CNI_ARGS=IP=10.9.0.5)")" 10.9.0.5/29
        expect_equal "$(addresses "$(cni ADD "$(change "$two" '.args.cni.ips = ["fd00:9::77/64"]')" CNI_CONTAINERID=b)")" \
                "10.9.0.6/29"$'\n'"fd00:9::77/64"
        expect_equal "$(addresses "$(cni ADD "$(change "$IPAM" '.runtimeConfig.ips = ["10.9.0.4"]')" CNI_CONTAINERID=c)")" 10.9.0.4/29
        expect_equal "$(addresses "$(cni ADD "$(change "$IPAM" '.runtimeConfig.ipRanges = [[{"subnet":"10.8.0.0/24"}]]')" CNI_CONTAINERID=d)")" \
                "10.8.0.2/24"$'\n'"10.9.0.2/29"
        while IFS='|' read -r args text; do
                run cni ADD "$two" CNI_CONTAINERID=e CNI_ARGS="$args"
                expect_status 1
                expect_text "$text"
                run ls "$TEST_DIR/data/blue"
                expect_no_text fd00:9::10
        done <<-'TABLE'
		IP=10.9.0.5|10.9.0.5 that is asked for is in use
		IP=10.9.0.1|is the gateway
		IP=10.7.0.1|is in none of ipam.ranges
		IP=blue|CNI_ARGS: IP
	TABLE
}

@test "host-local: several ranges, routes and resolv.conf; the old form with one range" {
        printf '# comment\nnameserver 10.1.1.1\nnameserver 10.1.1.2\nsearch a.test b.test\ndomain c.test\noptions ndots:2\n' >"$TEST_DIR/resolv"
        run cni ADD "$(change "$IPAM" '.ipam.routes = [{"dst":"0.0.0.0/0"},{"dst":"10.5.0.0/16","gw":"10.9.0.3"}] |
                .ipam.resolvConf = "'"$TEST_DIR"'/resolv" | .ipam.ranges = [[{"subnet":"10.9.0.0/24","rangeStart":"10.9.0.20",
                "rangeEnd":"10.9.0.20"},{"subnet":"10.10.0.0/24","gateway":"10.10.0.254"}]]')"
        expect_status 0
        expect_equal "$(jq -c '[.routes, .dns, .ips]' <<<"$output")" '[[{"dst":"0.0.0.0/0"},{"dst":"10.5.0.0/16","gw":"10.9.0.3"}],{"nameservers":["10.1.1.1","10.1.1.2"],"domain":"c.test","search":["a.test","b.test"],"options":["ndots:2"]},[{"address":"10.9.0.20/24","gateway":"10.9.0.1"}]]'
        run cni ADD "$(change "$IPAM" '.ipam.ranges = [[{"subnet":"10.9.0.0/24","rangeStart":"10.9.0.20","rangeEnd":"10.9.0.20"},
                {"subnet":"10.10.0.0/24","gateway":"10.10.0.254"}]]')" CNI_CONTAINERID=two
        expect_equal "$(jq -c .ips <<<"$output")" '[{"address":"10.10.0.1/24","gateway":"10.10.0.254"}]'
        run cni ADD "$(change "$IPAM" 'del(.ipam.ranges) | .ipam += {"subnet":"10.11.0.0/24","rangeStart":"10.11.0.9"}')" CNI_CONTAINERID=three
        expect_equal "$(jq -c .ips <<<"$output")" '[{"address":"10.11.0.9/24","gateway":"10.11.0.1"}]'
        run cni ADD "$(change "$IPAM" '.ipam.resolvConf = "/none"')" CNI_CONTAINERID=four
        expect_status 1
        expect_text "ipam.resolvConf"
}

@test "host-local: its files are those of the reference, either way" {
        need_reference
        cni ADD "$IPAM" CNI_CONTAINERID=a >/dev/null
        expect_equal "$(addresses "$(PLUGINS=$REFERENCE cni ADD "$IPAM" CNI_CONTAINERID=b)")" 10.9.0.3/29
        expect_equal "$(addresses "$(cni ADD "$IPAM" CNI_CONTAINERID=c)")" 10.9.0.4/29
        PLUGINS=$REFERENCE cni DEL "$IPAM" CNI_CONTAINERID=a
        cni DEL "$IPAM" CNI_CONTAINERID=b
        run ls "$TEST_DIR/data/blue"
        expect_output "10.9.0.4"$'\n'"last_reserved_ip.0"$'\n'"lock"
}

@test "host-local: many at once get different addresses; what a killed one left is used again" {
        local i config pids=()
        config=$(change "$IPAM" '.ipam.ranges = [[{"subnet":"10.9.0.0/24"}]]')
        for i in {1..20}; do
                cni ADD "$config" CNI_CONTAINERID="c$i" >"$TEST_DIR/out$i" &
                pids+=($!)
        done
        wait "${pids[@]}"
        expect_equal "$(jq -r '.ips[0].address' "$TEST_DIR"/out* | sort -u | wc -l)" 20
        rm -r "$TEST_DIR/data/blue"
        mkdir "$TEST_DIR/data/blue"
        : >"$TEST_DIR/data/blue/10.9.0.2"
        expect_equal "$(addresses "$(cni ADD "$config")")" 10.9.0.2/24
}

@test "host-local: an id of any length gets its address, and gives it back" {
        local id
        id=$(printf 'x%.0s' {1..9000})
        cni ADD "$IPAM" CNI_CONTAINERID="$id" >/dev/null
        run cni ADD "$IPAM" CNI_CONTAINERID="$id"
        expect_status 1
        expect_text "10.9.0.2 is allocated"
        cni CHECK "$(change "$IPAM" '.prevResult = {}')" CNI_CONTAINERID="$id"
        cni DEL "$IPAM" CNI_CONTAINERID="$id"
        [ ! -e "$TEST_DIR/data/blue/10.9.0.2" ]
}

@test "host-local: a second ADD of an attachment is refused, and leaves the first its address" {
        container c1 c2
        cni ADD "$CONFIG" >/dev/null
        run cni ADD "$CONFIG" CNI_NETNS=/run/netns/c2
        expect_status 1
        expect_text "10.9.0.2 is allocated to container one, interface eth0, already"
        [ -e "$TEST_DIR/data/blue/10.9.0.2" ]
        run inside c2 ip link show eth0
        expect_status 1
        cni DEL "$CONFIG"
        [ ! -e "$TEST_DIR/data/blue/10.9.0.2" ]
}

@test "host-local: GC drops what no attachment has, bridge its rules, too" {
        local config gc
        container c1 c2
        config=$(change "$CONFIG" '.cniVersion = "1.1.0" | .macspoofchk = true')
        cni ADD "$config" >/dev/null
        cni ADD "$config" CNI_CONTAINERID=two CNI_NETNS=/run/netns/c2 >/dev/null
        run cni GC "$config" # not said is not the same as none
        expect_status 1
        expect_equal "$(code "$output")" 7
        expect_text "cni.dev/valid-attachments: required key is missing"
        gc=$(change "$config" '.["cni.dev/attachments"] = [{"containerID":"one","ifname":"eth0"},{"containerID":"two","ifname":"eth0"}]')
        cni GC "$gc" # the name of the key in the tag spec-v1.1.0
        [ -e "$TEST_DIR/data/blue/10.9.0.2" ]
        gc=$(change "$config" '.["cni.dev/valid-attachments"] = [{"containerID":"two","ifname":"eth0"}]')
        host ip netns del c1
        cni GC "$gc"
        run host_state
        expect_text 10.9.0.3 fd00:9::3
        expect_no_text "10.9.0.2 " fd00:9::2 "blue eth0 one"
        [ ! -e "$TEST_DIR/data/blue/10.9.0.2" ]
        [ -e "$TEST_DIR/data/blue/10.9.0.3" ]
        cni STATUS "$config"
        cni GC "$(change "$config" '.["cni.dev/valid-attachments"] = null')" # how libcni says that there are none
        [ ! -e "$TEST_DIR/data/blue/10.9.0.3" ]
}

@test "ipam: what stands under that name in CNI_PATH is honoured" {
        container c1
        mkdir "$TEST_DIR/other"
        cat >"$TEST_DIR/other/host-local" <<'EOS'
#!/bin/sh
cat >"$TEST_LOG.$CNI_COMMAND"
[ "$CNI_COMMAND" != ADD ] || echo '{"cniVersion":"1.0.0","ips":[{"address":"10.44.0.7/24","gateway":"10.44.0.1"}]}'
EOS
        chmod +x "$TEST_DIR/other/host-local"
        run cni ADD "$CONFIG" CNI_PATH="$TEST_DIR/other:$CNI_BIN" TEST_LOG="$TEST_DIR/log"
        expect_status 0
        expect_equal "$(addresses "$output")" 10.44.0.7/24
        expect_equal "$(jq -S . "$TEST_DIR/log.ADD")" "$(jq -S . <<<"$CONFIG")"
        cni DEL "$CONFIG" CNI_PATH="$TEST_DIR/other:$CNI_BIN" TEST_LOG="$TEST_DIR/log"
        [ -s "$TEST_DIR/log.DEL" ]
        printf '#!/bin/sh\necho "{\\"code\\":123,\\"msg\\":\\"out of order\\"}"; exit 1\n' >"$TEST_DIR/other/host-local"
        run --separate-stderr cni ADD "$CONFIG" CNI_PATH="$TEST_DIR/other"
        expect_status 1
        expect_equal "$(code "$output")" 123
        expect_text "out of order"
        run inside c1 ip link show eth0
        expect_failure
        need_reference
        host ip link del cni0
        run cni ADD "$CONFIG" CNI_PATH="$REFERENCE"
        expect_status 0
        expect_equal "$(addresses "$output" | head -n 1)" 10.9.0.2/24
}
