# CNI: dhcp and its daemon, against busybox's DHCP server.
# shellcheck disable=SC2030,SC2031,SC2016

load lib
load cni

setup() {
        [ "$EUID" = 0 ] || skip "only root may make network namespaces: it runs where the tests run as root"
        busybox --list | grep -qx udhcpd || skip "this busybox has no udhcpd (Debian: busybox-static)"
        setup_cni
        SOCKET=$TEST_DIR/dhcp.sock
        CONFIG='{"cniVersion":"1.1.0","name":"blue","type":"bridge","bridge":"dhcp0","ipam":{"type":"dhcp","daemonSocketPath":"'$SOCKET'"}}'
        IPAM=$(change "$CONFIG" '.type = "dhcp"')
        SERVER_PID=
        DAEMON_PID=
        OTHER_PID=
        host ip link add dhcp0 address 02:00:00:00:00:01 type bridge
        host ip addr add 10.77.0.1/24 dev dhcp0
        host ip link set dhcp0 up
        container c1
}

teardown() {
        end_daemon
        end_server
        end_process "${OTHER_PID:-}"
        teardown_cni
}

# start_server [LINE...] - 10.77.0.100 to 110, for an hour; a LINE of udhcpd.conf takes the place of the one that is there.
# SERVER_IN=NAME: in that network namespace
start_server() {
        local log=$TEST_DIR/server.log within=() line
        end_server
        {
                printf '%s\n' 'start 10.77.0.100' 'end 10.77.0.110' "lease_file $TEST_DIR/server.leases" "pidfile $TEST_DIR/server.pid" \
                        'min_lease 1' "interface ${SERVER_LINK:-dhcp0}" 'option subnet 255.255.255.0' 'option router 10.77.0.1' 'option lease 3600'
        } >"$TEST_DIR/server.conf"
        for line; do
                sed -i "/^$(grep -oE '^(option )?[^ ]+' <<<"$line") /d" "$TEST_DIR/server.conf"
                echo "$line" >>"$TEST_DIR/server.conf"
        done
        [ -e "$TEST_DIR/server.leases" ] || : >"$TEST_DIR/server.leases"
        [ -z "${SERVER_IN:-}" ] || within=(ip netns exec "$SERVER_IN")
        rm -f "$log"
        nsenter --target "$HOST_PID" --net --mount "${within[@]}" busybox udhcpd -f -a 1 "$TEST_DIR/server.conf" </dev/null >"$log" 2>&1 3>&- &
        SERVER_PID=$!
        wait_until grep -q started "$log" || { cat "$log"; return 1; }
}

end_server() { end_process "${SERVER_PID:-}" && SERVER_PID=; }

# start_daemon [OPTION...]
start_daemon() {
        rm -f "$TEST_DIR/daemon.log" # of an earlier one
        nsenter --target "$HOST_PID" --net --mount "$CNI_BIN/dhcp" daemon -socketpath "$SOCKET" "$@" </dev/null >"$TEST_DIR/daemon.log" 2>&1 3>&- &
        DAEMON_PID=$!
        wait_until daemon_says "at work at" || { cat "$TEST_DIR/daemon.log"; return 1; }
}

end_daemon() { end_process "${DAEMON_PID:-}" "$@" && DAEMON_PID=; }

end_process() { # PID [SIGNAL]
        [ -n "$1" ] || return 0
        kill "${2:--TERM}" "$1" 2>/dev/null || true
        wait "$1" 2>/dev/null || true
}

daemon_says() { grep -qF -- "$1" "$TEST_DIR/daemon.log"; }

# has_lease ADDRESS - the server says that ADDRESS is leased and has not expired (it writes its file when it is told to)
has_lease() {
        kill -USR1 "$SERVER_PID"
        busybox dumpleases -f "$TEST_DIR/server.leases" | grep -F " $1 " | grep -qv expired
}
has_expired() {
        kill -USR1 "$SERVER_PID"
        busybox dumpleases -f "$TEST_DIR/server.leases" | grep -F " $1 " | grep -q expired
}

# hostile MODE - a server that answers as MODE says, until become says something else; what it is told is in its log
hostile() {
        end_server
        rm -f "$TEST_DIR/server.log"
        become "$1"
        nsenter --target "$HOST_PID" --net --mount python3 - "$TEST_DIR/mode" <<-'SERVER' >"$TEST_DIR/server.log" 2>&1 3>&- &
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"dhcp0")
		s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
		s.bind(("", 67))
		print("started", flush=True)
		def opt(code, *value): return bytes([code, len(value), *value])
		def tell(ask):
		    at, all = 240, {}
		    while ask[at] != 255:
		        all[ask[at]] = ask[at + 2:at + 2 + ask[at + 1]]
		        at += 2 + ask[at + 1]
		    texts = (12, 60, 61)
		    said = [f"{c} {v.decode() if c in texts else v.hex()}" for c, v in sorted(all.items()) if c != 53]
		    print(", ".join([f"type {ask[242]}" + (" to all" if ask[10] & 128 else "")] + said).replace("\0", "\\0"), flush=True)
		while True:
		    ask = s.recv(2000)
		    kind, renewal = ask[242], any(ask[12:16])
		    tell(ask)
		    if kind == 7: continue
		    head = bytearray(ask[:240])
		    head[0] = 2
		    def say(options, address=(10, 77, 0, 50), xid=0):
		        head[4:8] = bytes([ask[4] ^ xid]) + ask[5:8]
		        head[16:20] = bytes(address)
		        s.sendto(bytes(head) + options + b"\xff", ("255.255.255.255", 68))
		    server = opt(54, 10, 77, 0, 1)
		    usual = server + opt(1, 255, 255, 255, 0) + opt(51, 0, 0, 2, 0) + opt(58, 0, 0, 0, 1)
		    yes, no = opt(53, 2 if kind == 1 else 5) + usual, opt(53, 6)
		    mode = open(sys.argv[1]).read().strip()
		    if mode in ("short", "nonsense"): say(opt(53, 2) + b"\x36\xff")
		    if mode in ("loopback", "nonsense"): say(yes, (127, 0, 0, 1))
		    if mode in ("name", "nonsense"): say(yes + opt(15, *b"a\nnameserver 6.6.6.6"))
		    if mode in ("other", "nonsense"): say(yes, xid=1)
		    if mode == "nonsense": say(no)
		    if mode in ("no", "refuse") and (mode == "no" or kind == 3): say(no + server)
		    elif mode in ("good", "nonsense", "refuse"): say(yes)
		    print("did", mode, flush=True)
	SERVER
        SERVER_PID=$!
        wait_until grep -q started "$TEST_DIR/server.log" || { cat "$TEST_DIR/server.log"; return 1; }
}

become() { # MODE
        echo "$1" >"$TEST_DIR/mode.new" && mv "$TEST_DIR/mode.new" "$TEST_DIR/mode"
}

address_of() { jq -r '.ips[0].address | split("/")[0]' <<<"$1"; } # RESULT
code() { jq -r .code <<<"$1"; }
has_address() { inside "$1" ip -o addr show dev eth0 | grep -qF " $2/"; } # CONTAINER ADDRESS
lacks_address() { inside "$1" ip -o link show dev eth0 && ! has_address "$@"; }

# ------------------------------------------------------------------------------------------------------------ the plugin

@test "a container gets an address and the routes of the server, and gives the address back" {
        local result address before
        start_server
        start_daemon
        before=$(host_state)
        result=$(cni ADD "$CONFIG")
        address=$(address_of "$result")
        expect_equal "$(jq -c .routes <<<"$result")" '[{"dst":"0.0.0.0/0","gw":"10.77.0.1"}]'
        expect_equal "$(jq -c '.ips[0] | [.address, .gateway]' <<<"$result")" '["'"$address"'/24","10.77.0.1"]'
        expect_equal "$(jq -c .dns <<<"$result")" null
        inside c1 busybox ping -c 1 -W 10 10.77.0.1
        wait_until has_lease "$address"
        cni CHECK "$(with_result "$CONFIG" "$result")"
        run cni CHECK "$(with_result "$IPAM" "$(jq -c '.ips[0].address = "10.77.0.9/24"' <<<"$result")")"
        expect_status 1
        expect_text "prevResult: ips lacks $address/24, which the lease is for"
        run cni ADD "$IPAM"
        expect_status 0
        expect_equal "$(address_of "$output")" "$address" "asked for twice"
        cni DEL "$CONFIG"
        wait_until has_expired "$address"
        run cni CHECK "$(with_result "$IPAM" "$result")"
        expect_status 1
        expect_text "the daemon has no lease for container one, interface eth0"
        cni DEL "$CONFIG"
        cni DEL "$CONFIG" CNI_NETNS=
        cni DEL "$CONFIG" CNI_NETNS=/run/netns/gone
        host_is "$before" "after DEL"
        expect_equal "$(find "$TEST_DIR/dhcp.leases" -type f ! -name lock)" ""
}

@test "what the configuration asks the server for, and what it tells it" {
        local result
        local names=('option dns 10.77.0.1 9.9.9.9' 'option domain blue.test' 'option search one.test two.test')
        start_server "${names[@]}"
        start_daemon
        # nothing of it without asking
        result=$(cni ADD "$CONFIG")
        expect_equal "$(jq -c '[.routes, .dns]' <<<"$result")" '[[{"dst":"0.0.0.0/0","gw":"10.77.0.1"}],null]'
        cni DEL "$CONFIG"

        start_server "${names[@]}" 'option staticroutes 192.168.5.0/24 10.77.0.9, 0.0.0.0/0 10.77.0.2, 172.20.0.0/16 0.0.0.0'
        CONFIG=$(change "$CONFIG" '.ipam += {"request":[{"option":"121"},{"option":"domain-name-servers"},{"option":"15"},{"option":"119"}],
                "provide":[{"option":"host-name","value":"web","fromArg":"NAME"},{"option":"60","value":"vendor"}],"priority":77}')
        result=$(cni ADD "$CONFIG" CNI_ARGS="IgnoreUnknown=1;NAME=shop")
        expect_equal "$(jq -c .routes <<<"$result")" '[{"dst":"192.168.5.0/24","gw":"10.77.0.9","priority":77},{"dst":"0.0.0.0/0","gw":"10.77.0.2","priority":77},{"dst":"172.20.0.0/16","gw":"0.0.0.0","priority":77,"scope":253}]'
        expect_equal "$(jq -Sc .dns <<<"$result")" '{"domain":"blue.test","nameservers":["10.77.0.1","9.9.9.9"],"search":["one.test","two.test"]}'
        expect_equal "$(inside c1 ip route show 192.168.5.0/24 | xargs)" "192.168.5.0/24 via 10.77.0.9 dev eth0 metric 77"
        expect_equal "$(inside c1 ip route show 172.20.0.0/16 | xargs)" "172.20.0.0/16 dev eth0 scope link metric 77"
        expect_equal "$(inside c1 ip route show default | xargs)" "default via 10.77.0.2 dev eth0 metric 77"
        cni CHECK "$(with_result "$CONFIG" "$result")"
        wait_until has_lease "$(address_of "$result")"
        busybox dumpleases -f "$TEST_DIR/server.leases" | grep -F "$(address_of "$result")" | grep -q shop
        cni DEL "$CONFIG"

        # and what has come to the server
        hostile good
        cni ADD "$CONFIG" CNI_ARGS="IgnoreUnknown=1;NAME=shop"
        grep -qFx 'type 1, 12 shop, 55 79060f770301, 57 05dc, 60 vendor, 61 \0one/blue/eth0' "$TEST_DIR/server.log"
        cni DEL "$CONFIG"
        CONFIG=$(change "$CONFIG" '.ipam |= (del(.priority) | .provide = [{"option":"61","value":"me"}] | .request = [{"skipDefault":true},{"option":"subnet-mask"}])')
        cni ADD "$CONFIG"
        wait_until grep -qFx 'type 3, 50 0a4d0032, 54 0a4d0001, 55 01, 57 05dc, 61 me' "$TEST_DIR/server.log"
        cni DEL "$CONFIG"
        wait_until grep -qFx 'type 7, 54 0a4d0001, 61 me' "$TEST_DIR/server.log"
}

@test "a wrong configuration is told by its key" {
        local number filter text
        while IFS='|' read -r number filter text; do
                run cni ADD "$(change "$IPAM" ".ipam += $filter")" CNI_ARGS="LONG=$(printf '%0300d' 0)"
                expect_status 1
                expect_equal "$(code "$output")" "$number" "code of $filter"
                expect_text "$text"
        done <<-'TABLE'
		6|{"daemonSocketPath":7}|ipam.daemonSocketPath: expected a string
		6|{"request":[{"option":"colour"}]}|ipam.request[0].option: \"colour\" is no number from 1 to 254
		6|{"request":[{},{"option":"255"}]}|ipam.request[1].option
		6|{"request":[{"option":3}]}|ipam.request[0].option: expected a string
		6|{"request":[{"skipDefault":"yes"}]}|ipam.request[0].skipDefault
		6|{"provide":[{"value":"x"}]}|ipam.provide[0].option
		6|{"provide":[{"option":"53","value":"x"}]}|ipam.provide[0].option: \"53\" is for the protocol itself
		6|{"provide":[{"option":"12","value":("x"*256)}]}|ipam.provide[0].value: is longer than 255 bytes
		4|{"provide":[{"option":"12","fromArg":"LONG"}]}|CNI_ARGS: LONG: is longer than 255 bytes
		6|{"priority":-1}|ipam.priority
	TABLE
        start_daemon
        run cni ADD "$(change "$IPAM" '.ipam.provide = [range(70; 76) | {"option": tostring, "value": ("x" * 250)}]')"
        expect_status 1
        expect_text "ipam.provide: 1512 bytes of options, more than 1000"
}

@test "without a daemon the error names its socket; DEL does what it can" {
        local verb before
        before=$(host_state)
        for verb in ADD STATUS GC; do
                run cni "$verb" "$(change "$CONFIG" '."cni.dev/valid-attachments" = []')"
                expect_status 1
                expect_text "the DHCP daemon at $SOCKET (ipam.daemonSocketPath): connect to $SOCKET: No such file"
        done
        run cni STATUS "$CONFIG"
        expect_equal "$(code "$output")" 50
        run cni ADD "$CONFIG"
        expect_equal "$(code "$output")" 11
        expect_equal "$(host_state | grep -v dhcp0)" "$(grep -v dhcp0 <<<"$before")"
        run cni CHECK "$(with_result "$IPAM" '{"cniVersion":"1.1.0","ips":[{"address":"10.77.0.100/24"}]}')"
        expect_status 1
        expect_text "the DHCP daemon at $SOCKET"
        run cni DEL "$CONFIG"
        expect_status 0
        expect_text "the lease is not released: the DHCP daemon at $SOCKET"
        run cni ADD "$(change "$CONFIG" 'del(.ipam.daemonSocketPath)')"
        expect_text "the DHCP daemon at /run/cni/dhcp.sock"
        start_daemon
        run cni STATUS "$CONFIG"
        expect_status 0
        expect_output ""
}

@test "a server that is away, or does not say enough, is an error after a while and leaves nothing" {
        local before
        before=$(host_state)
        start_daemon -resendmax 100ms -resendtimeout=1s
        run cni ADD "$CONFIG"
        expect_status 1
        expect_equal "$(code "$output")" 11
        expect_text "network blue: bridge: ipam plugin dhcp: no lease for interface eth0 within 1 s: no DHCP server has answered"
        expect_equal "$(host_state)" "$before"
        start_server
        sed -i '/option subnet/d' "$TEST_DIR/server.conf"
        end_server
        rm -f "$TEST_DIR/server.log"
        nsenter --target "$HOST_PID" --net --mount busybox udhcpd -f -a 1 "$TEST_DIR/server.conf" </dev/null >"$TEST_DIR/server.log" 2>&1 3>&- &
        SERVER_PID=$!
        wait_until grep -q started "$TEST_DIR/server.log"
        end_daemon
        start_daemon -resendmax 100ms -resendtimeout=10s
        run cni ADD "$CONFIG"
        expect_status 1
        expect_text "within 10 s: offer of server 10.77.0.1: option 1 (subnet mask) is not there"
        run cni ADD "$IPAM" CNI_IFNAME=eth7
        expect_status 1
        expect_text "there is no interface eth7"
        run cni ADD "$IPAM" CNI_NETNS=/run/netns/none
        expect_status 1
        expect_text "/run/netns/none"
        run cni ADD "$IPAM" CNI_NETNS=/etc/passwd
        expect_status 1
        expect_text "/etc/passwd"
        expect_equal "$(find "$TEST_DIR/dhcp.leases" -type f ! -name lock)" ""
}

@test "many at once get different addresses" {
        local i names pids=() addresses
        start_server
        start_daemon
        names=(c2 c3 c4 c5 c6 c7 c8)
        container "${names[@]}"
        names+=(c1)
        for i in "${names[@]}"; do
                cni ADD "$CONFIG" CNI_CONTAINERID="$i" CNI_NETNS="/run/netns/$i" >"$TEST_DIR/$i.json" 3>&- &
                pids+=($!)
        done
        for i in "${pids[@]}"; do wait "$i"; done
        addresses=$(cat "$TEST_DIR"/c?.json | jq -r '.ips[0].address' | sort -u)
        expect_equal "$(wc -l <<<"$addresses")" 8
        # GC gives back what no attachment has any more
        cni GC "$(change "$CONFIG" '."cni.dev/valid-attachments" = [{"containerID":"c1","ifname":"eth0"}]')"
        wait_until has_expired "$(address_of "$(cat "$TEST_DIR/c5.json")")"
        wait_until has_lease "$(address_of "$(cat "$TEST_DIR/c1.json")")"
        cni CHECK "$(with_result "$IPAM" "$(cat "$TEST_DIR/c1.json")")" CNI_CONTAINERID=c1
        expect_equal "$(find "$TEST_DIR/dhcp.leases" -type f ! -name lock | wc -l)" 1
}

@test "macvlan, on a link where the server is elsewhere" {
        local config result
        container lan
        host ip link add up0 type veth peer name up1 netns lan
        host ip link set up0 up
        inside lan ip addr add 10.77.0.1/24 dev up1
        inside lan ip link set up1 up
        SERVER_IN=lan SERVER_LINK=up1 start_server
        start_daemon
        config=$(change "$CONFIG" '. + {type: "macvlan", master: "up0"} | del(.bridge)')
        result=$(cni ADD "$config")
        inside c1 busybox ping -c 1 -W 10 10.77.0.1
        cni CHECK "$(with_result "$config" "$result")"
        cni DEL "$config"
        wait_until has_expired "$(address_of "$result")"
}

@test "ipvlan, where all have one hardware address" {
        local config one two
        container lan c2
        host ip link add up0 type veth peer name up1 netns lan
        host ip link set up0 up
        inside lan ip addr add 10.77.0.1/24 dev up1
        inside lan ip link set up1 up
        skip_unless_link ipvlan link up0
        SERVER_IN=lan SERVER_LINK=up1 start_server
        start_daemon
        config=$(change "$CONFIG" '. + {type: "ipvlan", master: "up0"} | del(.bridge)')
        one=$(cni ADD "$config")
        inside c1 busybox ping -c 1 -W 10 10.77.0.1
        cni DEL "$config"
        wait_until has_expired "$(address_of "$one")"
}

# ------------------------------------------------------------------------------------------------------------ the daemon

@test "a lease is renewed, by this server or another one; a restarted daemon goes on" {
        local result address
        start_server 'option lease 20' 'option 0x3a 00000001' 'option 0x3b 00000003'
        start_daemon
        CONFIG=$(change "$CONFIG" '.ipam.request = [{"option":"58"},{"option":"59"}]')
        result=$(cni ADD "$CONFIG")
        address=$(address_of "$result")
        wait_until daemon_says "one/blue/eth0: $address/24 is renewed for 20 s"

        end_daemon -KILL
        [ -S "$SOCKET" ]
        start_daemon
        daemon_says "one/blue/eth0: goes on"
        cni CHECK "$(with_result "$CONFIG" "$result")"
        wait_until daemon_says "$address/24 is renewed"

        # the server goes away, and another one knows the lease
        end_server
        host ip addr add 10.77.0.2/24 dev dhcp0
        host ip addr del 10.77.0.1/24 dev dhcp0
        host ip addr add 10.77.0.2/24 dev dhcp0 2>/dev/null || true
        wait_until daemon_says "the server does not renew the lease: all are asked"
        : >"$TEST_DIR/daemon.log"
        start_server 'option router 10.77.0.2'
        wait_until daemon_says "$address/24 is renewed for 3600 s"
        has_address c1 "$address"
        cni DEL "$CONFIG"
        wait_until has_expired "$address"
}

@test "an address that has expired is taken from the interface, and given back when a server grants it again" {
        local result address
        start_server 'option lease 3'
        start_daemon -timeout 3s -resendmax 300ms
        result=$(cni ADD "$CONFIG")
        address=$(address_of "$result")
        end_server
        wait_until lacks_address c1 "$address"
        wait_until daemon_says "no server has renewed the lease: $address/24 is taken from the interface"
        run cni CHECK "$(with_result "$IPAM" "$result")"
        expect_status 1
        expect_text "the lease of $address/24 has expired"
        start_server
        wait_until daemon_says "$address/24 is renewed for 3600 s"
        has_address c1 "$address"
        cni CHECK "$(with_result "$CONFIG" "$result")"
        inside c1 busybox ping -c 1 -W 10 10.77.0.1
}

@test "an address that its server takes back is taken from the interface, until a server says that it is ours" {
        start_daemon -timeout 3s -resendmax 300ms
        hostile good
        expect_equal "$(address_of "$(cni ADD "$CONFIG")")" 10.77.0.50
        become no
        wait_until daemon_says "refusal of server 10.77.0.1: it does not give the address: 10.77.0.50/24 is taken from the interface"
        wait_until lacks_address c1 10.77.0.50
        become other
        wait_until grep -q "did other" "$TEST_DIR/server.log"
        become good
        wait_until has_address c1 10.77.0.50
        cni DEL "$CONFIG"
}

@test "who remembers another owner of the address is told" {
        start_daemon
        hostile good
        # A bridge without any link up loses what it remembers, a moment later.
        host ip link add port0 up master dhcp0 type veth peer name port1
        host ip link set port1 up
        wait_until has_carrier
        host ip neigh replace 10.77.0.50 lladdr 02:00:00:00:00:99 nud stale dev dhcp0
        cni ADD "$CONFIG"
        wait_until remembers 10.77.0.50 "$(inside c1 cat /sys/class/net/eth0/address)"
}

has_carrier() { host ip link show dhcp0 | grep -q "state UP"; }
remembers() { host ip neigh show "$1" dev dhcp0 | grep -qF "lladdr $2"; }

@test "what a server may not say is not believed" {
        local mode text
        CONFIG=$(change "$CONFIG" '.ipam.request = [{"option":"domain-name"}]')
        start_daemon -resendmax 100ms -resendtimeout 10s
        hostile good
        while IFS='|' read -r mode text; do
                become "$mode"
                run cni ADD "$CONFIG"
                expect_status 1
                expect_text "no lease for interface eth0 within 10 s: $text"
                grep -q "did $mode" "$TEST_DIR/server.log"
        done <<-'TABLE'
		short|a malformed answer: option 54 is longer than what is left of the message
		loopback|offer of server 10.77.0.1: address 127.0.0.1 is none for a host
		name|offer of server 10.77.0.1: option 15 (domain name): no name
		other|no DHCP server has answered
		no|no DHCP server has answered
		refuse|refusal of server 10.77.0.1: it does not give the address
	TABLE
        # those before a good one do no harm
        end_daemon
        start_daemon
        become nonsense
        expect_equal "$(address_of "$(cni ADD "$CONFIG")")" 10.77.0.50
}

@test "nothing of a lease outlives its interface or its namespace" {
        local result
        start_server 'option 0x3a 00000001'
        start_daemon
        CONFIG=$(change "$CONFIG" '.ipam.request = [{"option":"58"}]')
        cni ADD "$CONFIG"
        inside c1 ip link del eth0
        wait_until daemon_says "one/blue/eth0: ends: "
        wait_until has_no_files

        # the daemon does not keep the namespace
        : >"$TEST_DIR/daemon.log"
        container c2
        result=$(cni ADD "$CONFIG" CNI_NETNS=/run/netns/c2)
        host ip netns del c2
        wait_until is_gone "$(jq -r '.interfaces[1].name' <<<"$result")"
        wait_until daemon_says "one/blue/eth0: ends: "
        # a name that is used again is not taken for the same
        : >"$TEST_DIR/daemon.log"
        container c2
        cni ADD "$CONFIG" CNI_NETNS=/run/netns/c2
        host ip netns del c2
        container c2
        cni ADD "$(change "$CONFIG" '.ipam = {}')" CNI_NETNS=/run/netns/c2
        wait_until daemon_says "one/blue/eth0: ends: "
        cni DEL "$CONFIG" CNI_NETNS=/run/netns/c2
}

is_gone() { ! host ip link show dev "$1"; }
has_no_files() { [ -z "$(find "$TEST_DIR/dhcp.leases" -type f ! -name lock)" ]; }

@test "the daemon's socket is for root, and there is one daemon for it" {
        mkdir "$TEST_DIR/run"
        start_daemon --pidfile "$TEST_DIR/run/pid"
        expect_equal "$(stat -c %a "$SOCKET" "$TEST_DIR/dhcp.leases" | xargs)" "600 700"
        expect_equal "$(cat "$TEST_DIR/run/pid")" "$DAEMON_PID"
        run host "$CNI_BIN/dhcp" daemon -socketpath "$SOCKET"
        expect_status 1
        expect_text "another daemon is at work with $TEST_DIR/dhcp.leases"
        cni STATUS "$IPAM"
        end_daemon
        [ ! -e "$SOCKET" ]
        [ ! -e "$TEST_DIR/run/pid" ]
}

@test "the daemon's options are checked" {
        local words text
        while IFS='|' read -r words text; do
                # shellcheck disable=SC2086
                run host timeout -k 5 60 "$CNI_BIN/dhcp" daemon -socketpath "$SOCKET" $words
                expect_status 1
                expect_text "dhcp daemon: $text"
                [ ! -e "$SOCKET" ]
        done <<-'TABLE'
		-colour|-colour: unknown option
		-timeout|-timeout: a value is missing
		-timeout soon|-timeout: "soon" is no time from 1ms to 300s
		-resendtimeout=10m|-resendtimeout: "10m" is no time from 1ms to 540s
		-resendmax 0|-resendmax: "0" is no time
		-broadcast=perhaps|-broadcast: "perhaps" is neither true nor false
		-pidfile pid|-pidfile: "pid" is not absolute
		again|"again": there are options only
	TABLE
        run host "$CORACLE_BUILD/src/cni/coracle-cni" dhcp daemon -help
        expect_status 0
        expect_text "-resendtimeout TIME"
}

@test "a prefix leads to the host's namespaces; servers are told to answer to everybody" {
        local result
        mkdir -p "$TEST_DIR/view/run"
        hostile good
        host mount --rbind /run "$TEST_DIR/view/run"
        SOCKET=/d.sock start_daemon -hostprefix "$TEST_DIR/view" -broadcast
        daemon_says "at work at $TEST_DIR/view/d.sock"
        result=$(cni ADD "$(change "$CONFIG" '.ipam.daemonSocketPath = "'"$TEST_DIR/view/d.sock"'"')")
        has_address c1 "$(address_of "$result")"
        grep -q '^type 1 to all,' "$TEST_DIR/server.log"
        grep -q '^type 3 to all,' "$TEST_DIR/server.log"
}

@test "systemd passes the socket" {
        start_server
        nsenter --target "$HOST_PID" --net --mount python3 -c 'if True:
                import os, socket, sys
                s = socket.socket(socket.AF_UNIX)
                s.bind(sys.argv[1])
                s.listen(5)
                os.dup2(s.fileno(), 3)
                os.set_inheritable(3, True)
                os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[2])
                os.execv(sys.argv[3], [sys.argv[3], "daemon", "-socketpath", sys.argv[1]])' \
                "$SOCKET" 1 "$CNI_BIN/dhcp" </dev/null >"$TEST_DIR/daemon.log" 2>&1 3>&- &
        DAEMON_PID=$!
        wait_until daemon_says "at work at the socket that was passed"
        cni ADD "$CONFIG"
        cni DEL "$CONFIG"
        end_daemon
        [ -S "$SOCKET" ]
        run host env LISTEN_FDS=2 bash -c 'LISTEN_PID=$$ exec "$0" daemon' "$CNI_BIN/dhcp"
        expect_status 1
        expect_text 'LISTEN_FDS: "2" sockets, not 1'
        run host env LISTEN_FDS=1 bash -c 'LISTEN_PID=$$ exec "$0" daemon 3</dev/null' "$CNI_BIN/dhcp"
        expect_status 1
        expect_text 'descriptor 3 is no stream socket that listens'
}

# say TEXT - to the daemon, and print what it answers
say() {
        host timeout 60 python3 -c 'if True:
                import socket, sys
                s = socket.socket(socket.AF_UNIX)
                s.connect(sys.argv[1])
                s.sendall(sys.argv[2].encode())
                if not sys.argv[2].startswith("CONNECT"): s.shutdown(socket.SHUT_WR)
                while b := s.recv(4096): sys.stdout.write(b.decode())' "$SOCKET" "$1"
}

@test "nonsense said to the daemon is answered, and harms nobody" {
        local request='{"verb":"ADD","containerID":"x","network":"y","ifname":"eth0","netns":"/run/netns/c1"}' filter text
        start_server
        start_daemon
        # one that says nothing and does not go
        nsenter --target "$HOST_PID" --net --mount python3 -c 'import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print("there", flush=True); time.sleep(1000)' \
                "$SOCKET" >"$TEST_DIR/quiet" 3>&- &
        OTHER_PID=$!
        wait_until grep -q there "$TEST_DIR/quiet"
        expect_equal "$(say '')" ""
        while IFS='|' read -r filter text; do
                run say "$(change "$request" "$filter")"
                expect_equal "$(jq -r .code <<<"$output")" 7 "code of $filter"
                expect_text "$text"
        done <<-'TABLE'
		.verb = "JUMP"|verb: \"JUMP\" is none
		.ifname = "a/b"|ifname: \"a/b\"
		.netns = "c1"|netns: is not absolute
		.parameters = [0]|parameters[0]: 0 is no option
		.values = [{"option":53,"hex":"01"}]|values[0].option: 53 is for the protocol itself
		.values = [{"option":12,"hex":"0"}]|values[0].hex
		del(.netns)|netns: required, but missing
	TABLE
        run say '{"verb":'
        expect_equal "$(jq -r .code <<<"$output")" 7
        run say $'CONNECT /_goRPC_ HTTP/1.0\n\n'
        expect_text "HTTP/1.0 501"
        cni ADD "$CONFIG"
        cni DEL "$CONFIG"
}

@test "one who does not wait for the answer leaves no lease" {
        local pid
        start_daemon -resendmax 100ms
        host ip link add v0 type veth peer name eth0 netns c1
        cni ADD "$IPAM" >"$TEST_DIR/out" 2>&1 3>&- &
        pid=$!
        wait_until is_asking c1
        run cni ADD "$IPAM"
        expect_status 1
        expect_text "a lease for it is being asked for already"
        cni DEL "$IPAM"
        wait "$pid" && return 1
        grep -qF "DEL came while a lease was asked for" "$TEST_DIR/out"
        # when it is killed while it waits
        CNI_COMMAND=ADD CNI_CONTAINERID=one CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 nsenter --target "$HOST_PID" --net --mount "$CNI_BIN/dhcp" <<<"$IPAM" >/dev/null 3>&- &
        pid=$!
        wait_until is_asking c1
        kill -KILL "$pid"
        wait "$pid" || true
        wait_until is_not_asking c1
        # and when the daemon is told to end
        cni ADD "$IPAM" >"$TEST_DIR/out" 2>&1 3>&- &
        pid=$!
        wait_until is_asking c1
        end_daemon
        wait "$pid" && return 1
        grep -qF "the DHCP daemon was told to end" "$TEST_DIR/out"
}

# A socket for packets is there while the daemon asks.
is_asking() { inside "$1" grep -q '^[0-9a-f]' /proc/net/packet; }
is_not_asking() { ! is_asking "$1"; }

# --------------------------------------------------------------------------------------------------------- the reference

@test "the result is the reference's; neither plugin can speak with the other's daemon, and says so" {
        local ours theirs
        need_reference
        start_server
        start_daemon
        host ip link add v0 type veth peer name eth0 netns c1
        host ip link set v0 master dhcp0 up
        IPAM=$(change "$IPAM" '.cniVersion = "1.0.0"')
        ours=$(cni ADD "$IPAM")
        cni DEL "$IPAM"
        run env PLUGINS="$REFERENCE" bash -c 'true'
        PLUGINS=$REFERENCE run cni ADD "$IPAM"
        expect_status 1
        expect_text "501 this daemon is coracle-cni's"
        end_daemon
        nsenter --target "$HOST_PID" --net --mount "$REFERENCE/dhcp" daemon -socketpath "$SOCKET" </dev/null >"$TEST_DIR/theirs.log" 2>&1 3>&- &
        DAEMON_PID=$!
        wait_until test -S "$SOCKET"
        run cni ADD "$IPAM"
        expect_status 1
        expect_text "the reference plugin's speaks otherwise"
        theirs=$(PLUGINS=$REFERENCE cni ADD "$IPAM")
        expect_equal "$(jq -Sc . <<<"$ours")" "$(jq -Sc . <<<"$theirs")"
}
