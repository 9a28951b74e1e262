# CNI: the plugins that give a container an interface of another kind than bridge does, and static.
# shellcheck disable=SC2030,SC2031,SC2016

load lib
load cni

setup() {
        [ "$EUID" = 0 ] || skip "only root may make network namespaces: it runs where the tests run as root"
        setup_cni
        container c1
        IPAM='{"type":"host-local","dataDir":"'$TEST_DIR'/data","ranges":[[{"subnet":"10.9.0.0/24"}],[{"subnet":"fd00:9::/64"}]],
                "routes":[{"dst":"0.0.0.0/0"}]}'
}
teardown() { teardown_cni; }

network() { # TYPE FILTER - a configuration
        jq -cn --arg type "$1" --argjson ipam "$IPAM" '{cniVersion: "1.0.0", name: "blue", type: $type, ipam: $ipam} | '"${2:-.}"
}

# The host has an interface up0, the other end of which, down0, is in the namespace "wire".
wire() {
        container wire
        host ip link add up0 type veth peer name down0 netns wire
        host ip addr add 10.9.0.200/24 dev up0
        host ip link set up0 up
        inside wire ip link set down0 up
        inside wire ip addr add 10.9.0.201/24 dev down0
}

# attach CONFIG - ADD, CHECK, and DEL, after which the host is as before; then what must fail. The result is in $result.
attach() {
        local before config
        before=$(host_state)
        result=$(cni ADD "$1") || { echo "$result"; return 1; }
        config=$(with_result "$1" "$result")
        cni CHECK "$config"
        network_of c1 >"$TEST_DIR/network"
        ! cni ADD "$1" >"$TEST_DIR/again" || fail "ADD twice" || return 1
        grep -q "interface eth0 already" "$TEST_DIR/again"
        cni CHECK "$config"
        cni DEL "$config"
        ! inside c1 ip link show eth0 2>/dev/null || fail "eth0 is there after DEL" || return 1
        expect_equal "$(host_state | grep -vE '^(last_reserved.*|lock)$')" "$(grep -vE '^(last_reserved.*|lock)$' <<<"$before")" "state after DEL"
        ! cni CHECK "$config" >/dev/null || fail "CHECK after DEL" || return 1
        cni DEL "$config"
        cni DEL "$1" CNI_NETNS=
        cni DEL "$1" CNI_NETNS=/run/netns/gone
}

# the_same CONFIG [CONTAINER-NETNS] - the reference gives the same result and network as the last attach
the_same() {
        local theirs
        [ -x "$REFERENCE/$(jq -r .type <<<"$1")" ] || return 0 # an older set of plugins
        rm -rf "$TEST_DIR/data/blue"
        cni ADD "$1" >"$TEST_DIR/ours.json"
        network_of c1 >"$TEST_DIR/ours"
        cni DEL "$1"
        rm -rf "$TEST_DIR/data/blue"
        theirs=$(PLUGINS=$REFERENCE cni ADD "$1")
        network_of c1 >"$TEST_DIR/theirs"
        PLUGINS=$REFERENCE cni DEL "$1"
        expect_equal "$(shape "$(cat "$TEST_DIR/ours.json")")" "$(shape "$theirs")" result
        diff "$TEST_DIR/ours" "$TEST_DIR/theirs"
}

@test "ptp: a pair with the host, and everything by way of it" {
        local config
        wire
        config=$(network ptp '. + {mtu: 1400, ipMasq: true, dns: {nameservers: ["10.9.0.1"]}} | .ipam.ranges[0][0].subnet = "10.8.0.0/24"')
        cni ADD "$config" >/dev/null
        inside c1 ip route get 10.8.0.77 | grep -q "via 10.8.0.1"
        inside wire ip route add default via 10.9.0.200
        expect_equal "$(peer_of 10.9.0.201)" 10.9.0.200
        cni DEL "$config"
        attach "$config"
        expect_equal "$(jq -c '[.interfaces[0].sandbox, .interfaces[1].name, .ips[0].interface, .dns.nameservers]' <<<"$result")" \
                '[null,"eth0",1,["10.9.0.1"]]'
        the_same "$(change "$config" 'del(.ipMasq)')"
        run cni ADD "$(change "$config" 'del(.ipam)')"
        expect_status 1
        expect_text "ipam: required"
}

# peer_of ADDRESS - as whom the container is seen by "wire", which answers at that address
peer_of() {
        inside wire timeout 60 python3 -c '
import socket, sys
s = socket.socket(); s.bind((sys.argv[1], 7000)); s.listen(1)
open(sys.argv[2], "w").close()
c, peer = s.accept(); c.sendall(peer[0].encode()); c.close()' "$1" "$TEST_DIR/serving" </dev/null >/dev/null 2>&1 &
        wait_until test -e "$TEST_DIR/serving"
        inside c1 timeout 30 python3 -c '
import socket, sys
print(socket.create_connection((sys.argv[1], 7000), 20).makefile().read())' "$1"
}

@test "macvlan: modes, hardware address, mtu; the interface of the default route" {
        local config
        wire
        config=$(network macvlan '. + {master: "up0", mode: "private", mtu: 1400, runtimeConfig: {mac: "02:11:22:33:44:55"}}')
        attach "$config"
        expect_equal "$(jq -r '.interfaces[0].mac' <<<"$result")" 02:11:22:33:44:55
        grep -q '"mtu":1400' "$TEST_DIR/network"
        the_same "$config"
        cni ADD "$(change "$config" 'del(.mode)')" >/dev/null
        inside c1 ip -d link show eth0 | grep -q 'macvlan mode bridge'
        expect_equal "$(peer_of 10.9.0.201)" "$(inside c1 ip -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local')"
        cni DEL "$config"
        host ip route add default via 10.9.0.201 dev up0
        cni ADD "$(change "$config" 'del(.master) | .bcqueuelen = 4000')" >/dev/null
        cni DEL "$config"
        while IFS='|' read -r filter text; do
                run cni ADD "$(change "$config" "$filter")"
                expect_status 1
                expect_text "$text"
                run inside c1 ip -o link
                expect_no_text eth0 cni
        done <<-'TABLE'
		.mode = "sideways"|mode: expected one of bridge
		.master = "none0"|master: there is no interface none0
		.mtu = 9000|mtu: 9000 is more than the 1500 of master up0
		.runtimeConfig.mac = "blue"|runtimeConfig.mac: \"blue\"
	TABLE
}

@test "macvlan: a master in the container; without ipam" {
        local config
        inside c1 ip link add m0 type veth peer name m1
        inside c1 ip link set m0 up
        inside c1 ip link set m1 up
        config=$(network macvlan '. + {master: "m0", linkInContainer: true} | del(.ipam)')
        attach "$config"
        expect_equal "$(jq -c '[.ips, .interfaces[0].name]' <<<"$result")" '[null,"eth0"]'
}

@test "a host's interface of the same name as the container's is in nobody's way" {
        local config
        wire
        host ip link add eth0 type veth peer name eth1
        config=$(network macvlan '. + {master: "up0"}')
        cni ADD "$config" >/dev/null
        inside c1 ip -d link show eth0 | grep -q macvlan
        cni DEL "$config"
        host ip -d link show eth0 | grep -q veth
}

@test "ipvlan: modes, and the interface and addresses of a plugin before it" {
        local config previous
        wire
        skip_unless_link ipvlan link up0
        config=$(network ipvlan '. + {master: "up0", mode: "l3"} | .ipam.routes = []')
        attach "$config"
        cni ADD "$config" >/dev/null
        inside c1 ip -d link show eth0 | grep -q 'ipvlan *mode l3'
        cni DEL "$config"
        previous='{"cniVersion":"1.0.0","interfaces":[{"name":"up0"}],"ips":[{"address":"10.9.0.50/24","interface":0}]}'
        cni ADD "$(with_result "$(change "$config" 'del(.ipam, .master)')" "$previous")" >/dev/null
        inside c1 ip addr show eth0 | grep -q 10.9.0.50/24
        run cni ADD "$(change "$config" '.mode = "l4"')"
        expect_status 1
        expect_text "mode: expected one of l2"
}

@test "vlan: a VLAN of the master" {
        local config
        wire
        skip_unless_link vlan link up0 id 5
        config=$(network vlan '. + {master: "up0", vlanId: 77}')
        attach "$config"
        cni ADD "$config" >/dev/null
        inside c1 ip -d link show eth0 | grep -q 'vlan protocol 802.1Q id 77'
}

@test "vlan: wrong numbers, no ipam" {
        wire
        run cni ADD "$(network vlan '. + {master: "up0", vlanId: 5000}')"
        expect_status 1
        expect_text "vlanId: 5000"
        run cni ADD "$(network vlan '. + {master: "up0", vlanId: 5} | del(.ipam)')"
        expect_status 1
        expect_text "ipam: required"
}

@test "a kernel without a kind of interface is told so" {
        wire
        host ip link add link up0 name probe0 type ipvlan 2>/dev/null && skip "this kernel has ipvlan interfaces: it runs where it has none"
        run cni ADD "$(network ipvlan '. + {master: "up0"}')"
        expect_status 1
        expect_text "this kernel cannot make ipvlan interfaces"
}

@test "dummy: an interface with addresses" {
        skip_unless_link dummy
        attach "$(network dummy)"
        the_same "$(network dummy)"
}

@test "tap: owner, group, queues, hardware address, bridge" {
        local config
        [ -c /dev/net/tun ] || skip "there is no /dev/net/tun: it runs where there is one"
        inside c1 ip link add br0 type bridge
        config=$(network tap '. + {mtu: 1400, mac: "02:11:22:33:44:55", owner: 1000, group: 1001, multiQueue: true, bridge: "br0"} | .ipam.routes = []')
        attach "$config"
        expect_equal "$(jq -r '.interfaces[0].mac' <<<"$result")" 02:11:22:33:44:55
        cni ADD "$config" >/dev/null
        inside c1 ip -d link show eth0 | grep -q 'mtu 1400.*master br0'
        inside c1 ip -d link show eth0 | grep -q 'tun type tap.*multi_queue'
        expect_equal "$(inside c1 cat /sys/class/net/eth0/owner /sys/class/net/eth0/group | xargs)" "1000 1001"
        cni DEL "$config"
        run cni ADD "$(change "$config" '.bridge = "none0"')"
        expect_status 1
        expect_text "bridge: there is no interface none0"
        run inside c1 ip link show eth0
        expect_failure
        attach "$(change "$config" 'del(.ipam, .owner, .group, .bridge)')"
}

@test "host-device: an interface goes into the container and comes back" {
        local config mac
        wire
        host ip addr flush dev up0
        mac=$(host cat /sys/class/net/up0/address)
        for config in "$(network host-device '. + {device: "up0"}')" "$(network host-device ". + {hwaddr: \"$mac\"}")"; do
                host ip link set up0 down
                attach "$config"
                cni ADD "$config" >/dev/null
                run host ip link show up0
                expect_failure
                inside c1 ip link show eth0 | grep -q "$mac"
                inside c1 ip addr show eth0 | grep -q 10.9.0
                cni DEL "$config"
                host ip link show up0 | grep -q "$mac"
        done
        the_same "$(network host-device '. + {device: "up0"} | del(.ipam)')" || return 1
        while IFS='|' read -r filter text; do
                run cni ADD "$(network host-device "$filter")"
                expect_status 1
                expect_text "$text"
        done <<-'TABLE'
		.|device: one of device, hwaddr, kernelpath, pciBusID
		.device = "none0"|device: there is no interface none0
		.device = "lo"|lo stays where it is
		.hwaddr = "blue"|hwaddr: \"blue\"
		.hwaddr = "02:00:00:00:00:01"|no interface has the hardware address
		.kernelpath = "/etc"|kernelpath: \"/etc\" is not below /sys/devices
		.pciBusID = "../../x"|pciBusID
		.pciBusID = "0000:ff:1f.7"|has no network interface
		.runtimeConfig.deviceID = "0000:ff:1f.7"|runtimeConfig.deviceID
	TABLE
        run cni ADD "$(network host-device '. + {device: "up0"} | .ipam.type = "nonsense"')"
        expect_status 1
        host ip link show up0
}

@test "static: addresses by every way to name them" {
        local config
        config=$(network static '.ipam = {type: "static", addresses: [{address: "10.9.0.5/24", gateway: "10.9.0.1"}, {address: "fd00:9::5/64"}],
                routes: [{dst: "10.5.0.0/16", gw: "10.9.0.7", mtu: 1300}], dns: {nameservers: ["10.1.1.1"]}}')
        run cni ADD "$config"
        expect_status 0
        expect_equal "$(jq -c '[.ips, .routes, .dns]' <<<"$output")" '[[{"address":"10.9.0.5/24","gateway":"10.9.0.1"},{"address":"fd00:9::5/64"}],[{"dst":"10.5.0.0/16","gw":"10.9.0.7"}],{"nameservers":["10.1.1.1"]}]'
        cni CHECK "$(with_result "$config" "$output")"
        run cni CHECK "$(with_result "$config" "$(jq -c 'del(.ips[0])' <<<"$output")")"
        expect_status 1
        expect_text "lacks the address 10.9.0.5/24"
        # a runtime keeps the result as it writes addresses, not as the configuration does
        run cni ADD "$(change "$config" '.ipam.addresses = [{address: "FD00:9:0::0005/64", gateway: "FD00:9::0001"}]')"
        expect_equal "$(jq -c .ips <<<"$output")" '[{"address":"fd00:9::5/64","gateway":"fd00:9::1"}]'
        cni CHECK "$(with_result "$(change "$config" '.ipam.addresses = [{address: "FD00:9:0::0005/64"}]')" "$output")"
        run cni ADD "$config" CNI_ARGS="IP=10.7.0.1/16, 10.6.0.1/16;GATEWAY=10.6.0.9"
        expect_equal "$(jq -c '.ips[2:]' <<<"$output")" '[{"address":"10.7.0.1/16"},{"address":"10.6.0.1/16","gateway":"10.6.0.9"}]'
        run cni ADD "$(change "$config" '.args.cni.ips = ["10.4.0.1/16"]')"
        expect_equal "$(jq -c .ips <<<"$output")" '[{"address":"10.4.0.1/16"}]'
        run cni ADD "$(change "$config" '.args.cni.ips = ["10.4.0.1/16"] | .runtimeConfig.ips = ["10.3.0.1/16"]')"
        expect_equal "$(jq -c .ips <<<"$output")" '[{"address":"10.3.0.1/16"}]'
        cni DEL "$config"
        while IFS='|' read -r filter text; do
                run cni ADD "$(change "$config" "$filter")"
                expect_status 1
                expect_text "$text"
        done <<-'TABLE'
		.ipam.addresses[0].address = "10.9.0.5"|ipam.addresses[].address: \"10.9.0.5\"
		del(.ipam.addresses[0].address)|ipam.addresses[0].address: required
		.ipam.addresses[0].gateway = "up"|gateway: \"up\"
		.ipam.routes[0].dst = "x"|ipam.routes[0]: dst
		.ipam.routes[0].scope = 509|ipam.routes[0].scope: 509 is no number from 0 to 255
		.runtimeConfig.ips = ["10.3.0.1"]|runtimeConfig.ips: \"10.3.0.1\"
		del(.ipam)|ipam
	TABLE
        [ ! -x "$REFERENCE/static" ] || expect_equal "$(shape "$(PLUGINS=$REFERENCE cni ADD "$config")")" "$(shape "$(cni ADD "$config")")"
}
