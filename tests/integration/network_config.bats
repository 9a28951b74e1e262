#!/usr/bin/env bats
# What daemon.json says of networks: pools of subnets, the default network, options of networks that are made. With no
# daemon, and in a network namespace of the test's own.

load lib
load registries
load containers
load networks

setup() {
        setup_containers
        export COR_CONFIG=$TEST_DIR/config
        mkdir -p "$COR_CONFIG"
}

teardown() { teardown_containers; }

config() { cat >"$COR_CONFIG/daemon.json"; }

try() { run coracle run --rm --cgroup-parent "$CGROUP_PARENT" "$@"; }

subnets_of() { coracle network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' "$1"; }

@test "pools: the lowest subnet that neither the host nor a network has, until there is none" {
        in_net ip link add up0 type veth peer name down0
        in_net sh -c 'ip addr add 10.50.1.1/24 dev up0; ip link set up0 up; ip link set down0 up; ip route add 10.50.2.64/26 dev up0'
        in_net ip route add 10.50.3.0/24 via 10.50.1.2 # behind a router: docker does not mind either
        config <<<'{"default-address-pools": [{"base": "10.50.0.0/22", "size": 24}, {"base": "10.40.0.77/24", "size": 25}]}'
        local i
        for i in 1 2 3 4; do coracle network create "n$i" >/dev/null; done
        expect_equal "$(for i in 1 2 3 4; do subnets_of "n$i"; done)" "10.40.0.0/25 
10.40.0.128/25 
10.50.0.0/24 
10.50.3.0/24 "
        run coracle network create n5
        expect_status 1
        expect_text "all predefined address pools have been fully subnetted"
        run coracle network create --subnet 10.40.0.64/26 n5
        expect_status 1
        expect_text "Pool overlaps with other one on this address space"
        coracle network create --subnet 10.60.0.0/24 n5 >/dev/null
        coracle network rm n2 >/dev/null
        coracle network create n6 >/dev/null
        expect_equal "$(subnets_of n6)" "10.40.0.128/25 "
        # of IPv6 there is one of the store's own
        coracle network create --ipv4=false --ipv6 n7 >/dev/null
        run subnets_of n7
        expect_match '^fd[0-9a-f:]*/64 $'
        # and the default network has its subnet from there, too
        coracle network rm n1 n3 >/dev/null
        begin xa
        expect_equal "$(address_of xa bridge)" 10.40.0.2
        coracle rm -f xa >/dev/null
}

@test "pools: of IPv6 only, or of both" {
        config <<<'{"default-address-pools": [{"base": "fd77::/47", "size": 48}]}'
        run coracle network create one
        expect_status 1
        expect_text "all predefined address pools have been fully subnetted"
        coracle network create --ipv4=false --ipv6 one >/dev/null
        coracle network create --ipv4=false --ipv6 two >/dev/null
        expect_equal "$(subnets_of one)$(subnets_of two)" "fd77::/48 fd77:0:1::/48 "
        config <<<'{"default-address-pools": [{"base": "fd78::/64", "size": 64}, {"base": "10.50.0.0/16", "size": 31}]}'
        coracle network create --ipv6 three >/dev/null
        expect_equal "$(subnets_of three)" "10.50.0.0/31 fd78::/64 "
        begin xa --network three
        expect_equal "$(address_of xa three) $(address6_of xa three)" "10.50.0.1 fd78::2"
        coracle rm -f xa >/dev/null
}

@test "what is wrong is told with file and key, and nothing is made" {
        local json message
        while IFS='|' read -r json message; do
                config <<<"$json"
                try bb:1 true
                [ "$status" = 125 ] || fail "$json was taken: $output"
                [[ "$output" == *"$COR_CONFIG/daemon.json: $message"* ]] || fail "$json: $output"
        done <<'EOF'
{"default-address-pools": [{"base": "10.0.0.0", "size": 24}]}|default-address-pools[0].base: expected an address and its bits
{"default-address-pools": [{"base": "10.0.0.0/8", "size": 24}, {"base": "x", "size": 1}]}|default-address-pools[1].base: expected an address and its bits (10.10.0.0/16), found 'x'
{"default-address-pools": [{"base": "10.0.0.0/8", "size": 7}]}|default-address-pools[0].size: expected 8 to 31, bits of a subnet within 10.0.0.0/8, found 7
{"default-address-pools": [{"base": "10.0.0.0/8", "size": 32}]}|default-address-pools[0].size: expected 8 to 31
{"default-address-pools": [{"base": "fd00::/8", "size": 128}]}|default-address-pools[0].size: expected 8 to 127
{"default-address-pools": [{"base": "10.0.0.0/8", "size": -1}]}|default-address-pools[0].size:
{"default-address-pools": [{"base": "10.0.0.0/8"}]}|default-address-pools[0].size
{"default-address-pools": "10.0.0.0/8"}|default-address-pools: expected
{"bip": "10.1.0.1"}|bip: expected an IPv4 address and its bits, found '10.1.0.1'
{"bip": "fd00::1/64"}|bip: expected an IPv4 address and its bits
{"bip": "10.1.0.0/24"}|bip: expected an address of the bridge within its subnet, found '10.1.0.0/24'
{"bip": 7}|bip: expected
{"bip": "10.1.0.1/24", "fixed-cidr": "10.2.0.0/25"}|fixed-cidr: 10.2.0.0/25 is not in the subnet of bip, 10.1.0.1/24
{"bip": "10.1.0.1/24", "fixed-cidr": "10.1.0.0/16"}|fixed-cidr: 10.1.0.0/16 is not in the subnet of bip
{"fixed-cidr": "all"}|fixed-cidr: expected
{"bip": "10.1.0.1/24", "default-gateway": "10.2.0.1"}|default-gateway: 10.2.0.1 is not in the subnet 10.1.0.0/24
{"bip": "10.1.0.1/24", "default-gateway": "up"}|default-gateway: expected an IPv4 address, found 'up'
{"default-gateway": "10.2.0.1"}|default-gateway: expected bip or fixed-cidr beside it
{"ipv6": true, "fixed-cidr-v6": "10.1.0.0/24"}|fixed-cidr-v6: expected an IPv6 address and its bits
{"ipv6": "yes"}|ipv6: expected
{"mtu": 67}|mtu: expected 68 to 65535, found 67
{"mtu": "1400"}|mtu: expected
{"ip": "nowhere"}|ip: expected an IP address, found 'nowhere'
{"icc": 0}|icc: expected
EOF
        run in_net ip link show coracle0
        [ "$status" != 0 ]
        expect_equal "$(subnets_of bridge)" ""
        # what is of networks that are made is no concern of the default one
        config <<<'{"default-network-opts": {"bridge": {"com.docker.network.driver.mtu": "7"}}}'
        try bb:1 true
        expect_status 0
        run coracle network create one
        expect_status 1
        expect_text "$COR_CONFIG/daemon.json: default-network-opts.bridge: invalid value for 'com.docker.network.driver.mtu': 7: expected a number"
        coracle network create -d macvlan one >/dev/null
        config <<<'{"default-network-opts": {"bridge": {"com.docker.network.enable_ipv6": "yes"}}}'
        run coracle network create two
        expect_status 1
        expect_text 'driver-opt "com.docker.network.enable_ipv6" is not a valid bool'
}

@test "the default network: its bridge, its range, its router, its size of packets, and who may speak with whom" {
        config <<'EOF'
{"bip": "10.7.0.9/24", "fixed-cidr": "10.7.0.64/26", "default-gateway": "10.7.0.10", "mtu": 1400, "icc": false, "ip": "127.0.0.1"}
EOF
        begin xa -p 8080:80
        begin xb
        expect_equal "$(address_of xa bridge) $(address_of xb bridge)" "10.7.0.64 10.7.0.65"
        run in_net ip -4 -o addr show coracle0
        expect_text "inet 10.7.0.9/24"
        run coracle exec xa ip -4 route show default
        expect_text "via 10.7.0.10 dev eth0"
        expect_equal "$(coracle exec xa cat /sys/class/net/eth0/mtu)" 1400
        run in_net ip -o link show coracle0
        expect_text "mtu 1400 "
        expect_equal "$(coracle port xa)" "80/tcp -> 127.0.0.1:8080"
        ! coracle exec xa ping -c 1 -W 1 10.7.0.65 >/dev/null 2>&1 || fail "containers reach each other"
        coracle exec xa ping -c 1 -W 5 10.7.0.9 >/dev/null
        run coracle network inspect -f '{{json .IPAM.Config}}' bridge
        expect_output '[{"Subnet":"10.7.0.0/24","IPRange":"10.7.0.64/26","Gateway":"10.7.0.9","AuxiliaryAddresses":{"DefaultGatewayIPv4":"10.7.0.10"}}]'
        # while somebody is connected it stays as it is
        config <<<'{"fixed-cidr": "10.8.0.0/24"}'
        begin xc
        expect_equal "$(address_of xc bridge)" 10.7.0.66
        coracle rm -f xa xb xc >/dev/null
        begin xa
        begin xb
        expect_equal "$(address_of xa bridge)" 10.8.0.2
        run in_net ip -4 -o addr show coracle0
        expect_text "inet 10.8.0.1/24"
        expect_no_text "10.7.0"
        coracle exec xa ping -c 1 -W 5 10.8.0.3 >/dev/null
        expect_equal "$(coracle exec xa cat /sys/class/net/eth0/mtu)" 1500
        coracle rm -f xa xb >/dev/null
        # and nothing said is docker's way again
        rm "$COR_CONFIG/daemon.json"
        begin xa
        expect_equal "$(address_of xa bridge)" 172.17.0.2
        coracle rm -f xa >/dev/null
}

@test "the default network: IPv6, of the subnet that is said, or one that is chosen" {
        config <<<'{"ipv6": true, "fixed-cidr-v6": "fd07:1::/64"}'
        begin xa
        begin xb
        expect_equal "$(address6_of xa bridge)" fd07:1::2
        coracle exec xa ping6 -c 1 -W 5 fd07:1::3 >/dev/null
        run coracle exec xa ip -6 route show default
        expect_text "via fd07:1::1 dev eth0"
        coracle rm -f xa xb >/dev/null
        config <<<'{"ipv6": true, "bip6": "fd08::7/64"}'
        begin xa
        run coracle exec xa ip -6 route show default
        expect_text "via fd08::7 dev eth0"
        coracle rm -f xa >/dev/null
        config <<<'{"ipv6": true}'
        begin xa
        run address6_of xa bridge
        expect_match '^fd[0-9a-f:]*::2$'
        coracle rm -f xa >/dev/null
        config <<<'{"fixed-cidr-v6": "fd07:1::/64"}' # without ipv6 it is of no account
        begin xa
        expect_equal "$(address6_of xa bridge)" ""
        coracle rm -f xa >/dev/null
}

@test "a subnet of daemon.json that a network has is refused; the network bridge is connected with later as well" {
        coracle network create --subnet 10.7.0.0/24 one >/dev/null
        config <<<'{"bip": "10.7.0.1/16"}'
        try bb:1 true
        expect_status 125
        expect_text "$COR_CONFIG/daemon.json: invalid pool request: Pool overlaps with other one on this address space"
        begin xa --network one
        run coracle network connect bridge xa
        expect_status 1
        expect_text "Pool overlaps with other one on this address space"
        config <<<'{"bip": "10.8.0.1/16"}'
        coracle network connect bridge xa
        expect_equal "$(address_of xa bridge)" 10.8.0.2
        coracle rm -f xa >/dev/null
}

@test "default-network-opts: options that nobody has said, of the network's driver" {
        config <<'EOF'
{"default-network-opts": {
        "bridge": {"com.docker.network.driver.mtu": "1284", "com.docker.network.enable_ipv6": "true", "com.docker.network.bridge.enable_icc": "false"},
        "macvlan": {"macvlan_mode": "private"}}}
EOF
        coracle network create one >/dev/null
        run coracle network inspect -f '{{json .Options}} {{.EnableIPv6}} {{.EnableIPv4}}' one
        expect_output '{"com.docker.network.bridge.enable_icc":"false","com.docker.network.driver.mtu":"1284","com.docker.network.enable_ipv6":"true"} true true'
        begin xa --network one
        expect_equal "$(coracle exec xa cat /sys/class/net/eth0/mtu)" 1284
        [ -n "$(address6_of xa one)" ]
        coracle network create -o com.docker.network.driver.mtu=1300 --ipv6=false two >/dev/null
        run coracle network inspect -f '{{json .Options}} {{.EnableIPv6}}' two
        expect_output '{"com.docker.network.bridge.enable_icc":"false","com.docker.network.driver.mtu":"1300"} false'
        coracle network create -d macvlan three >/dev/null
        run coracle network inspect -f '{{json .Options}}' three
        expect_output '{"macvlan_mode":"private"}'
        # the default network has none of them
        begin xb
        expect_equal "$(coracle exec xb cat /sys/class/net/eth0/mtu)" 1500
        coracle rm -f xa xb >/dev/null
}

@test "dockerd's own file: the addresses that its bridge has are left to it" {
        # /etc of a mount namespace of its own; what is started there stays in it
        local etc=$TEST_DIR/etc
        mkdir -p "$etc/docker"
        cp -a /etc/passwd /etc/group "$etc"
        echo '{"bip": "10.7.0.1/24", "mtu": 1400}' >"$etc/docker/daemon.json"
        inside() { in_net env -u COR_CONFIG unshare -m --propagation private sh -c 'mount --bind "$0" /etc && exec timeout -k 5 "$@"' "$etc" "$RUNTIME_TIMEOUT" "$CORACLE" "$@" 3>&-; }
        inside run -d --cgroup-parent "$CGROUP_PARENT" --name xa bb:1 sleep 1000 >/dev/null
        expect_equal "$(address_of xa bridge)" 10.7.0.2
        coracle rm -f xa >/dev/null
        in_net ip link del coracle0
        in_net ip link add docker0 type bridge
        in_net ip addr add 10.7.0.1/24 dev docker0
        echo '{"bip": "10.7.0.1/24", "mtu": 1300}' >"$etc/docker/daemon.json"
        inside run -d --cgroup-parent "$CGROUP_PARENT" --name xa bb:1 sleep 1000 >/dev/null
        expect_equal "$(address_of xa bridge) $(coracle exec xa cat /sys/class/net/eth0/mtu)" "172.17.0.2 1300"
        coracle rm -f xa >/dev/null
}
