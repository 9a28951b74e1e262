# CNI: dhcp and its daemon, against busybox's DHCP server.
# shellcheck disable=SC2030,SC2031,SC2016

load lib
load cni

setup() {
        [ "$EUID" = 0 ] || skip "only root may make network namespaces: it runs where the tests run as root"
        busybox --list | grep -qx udhcpd || skip "this busybox has no udhcpd (Debian: busybox-static)"
        setup_cni
        host ip link add dhcp0 type bridge
        host ip addr add 10.77.0.1/24 dev dhcp0
        host ip link set dhcp0 up
        CONFIG='{"cniVersion":"1.1.0","name":"blue","type":"bridge","bridge":"dhcp0","ipam":{"type":"dhcp",
                "daemonSocketPath":"'$TEST_DIR'/dhcp.sock"}}'
        IPAM=$(change "$CONFIG" '.type = "dhcp"')
        SERVER_PID=
        DAEMON_PID=
}

teardown() {
        end_daemon
        end_server
        teardown_cni
}

# start_server [LINE...] - 10.77.0.100 to 110, an hour; what LINEs say holds. Its log is $TEST_DIR/server.log
start_server() {
        end_server
        printf '%s\n' 'start 10.77.0.100' 'end 10.77.0.110' 'interface dhcp0' "lease_file $TEST_DIR/server.leases" \
                "pidfile $TEST_DIR/server.pid" 'min_lease 1' 'option subnet 255.255.255.0' 'option router 10.77.0.1' \
                'option lease 3600' "$@" >"$TEST_DIR/server.conf"
        : >"$TEST_DIR/server.leases"
        nsenter --target "$HOST_PID" --net --mount busybox udhcpd -f -a 1 "$TEST_DIR/server.conf" </dev/null >>"$TEST_DIR/server.log" 2>&1 3>&- &
        SERVER_PID=$!
        wait_until grep -q started "$TEST_DIR/server.log"
}

end_server() {
        [ -n "${SERVER_PID:-}" ] || return 0
        kill "$SERVER_PID" 2>/dev/null || true
        wait "$SERVER_PID" 2>/dev/null || true
        SERVER_PID=
}

# start_daemon [OPTION...] - its log is $TEST_DIR/daemon.log
start_daemon() {
        nsenter --target "$HOST_PID" --net --mount "$CNI_BIN/dhcp" daemon -socketpath "$TEST_DIR/dhcp.sock" "$@" </dev/null >>"$TEST_DIR/daemon.log" 2>&1 3>&- &
        DAEMON_PID=$!
        wait_until test -S "$TEST_DIR/dhcp.sock"
}

end_daemon() {
        [ -n "${DAEMON_PID:-}" ] || return 0
        kill "$DAEMON_PID" 2>/dev/null || true
        wait "$DAEMON_PID" 2>/dev/null || true
        DAEMON_PID=
}

# has_lease ADDRESS - the server says that ADDRESS is leased and has not expired (it writes its file when it is told to)
has_lease() {
        kill -USR1 "$SERVER_PID"
        busybox dumpleases -f "$TEST_DIR/server.leases" | grep -F " $1 " | grep -qv expired
}
has_no_lease() {
        kill -USR1 "$SERVER_PID"
        busybox dumpleases -f "$TEST_DIR/server.leases" | grep -F " $1 " | grep -q expired
}

address_of() { jq -r '.ips[0].address | split("/")[0]' <<<"$1"; } # RESULT

@test "a container gets an address and the routes of the server, and gives the address back" {
        local result address
        container c1
        start_server
        start_daemon
        result=$(cni ADD "$CONFIG")
        address=$(address_of "$result")
        expect_equal "$(jq -c .routes <<<"$result")" '[{"dst":"0.0.0.0/0","gw":"10.77.0.1"}]'
        expect_equal "$(jq -c '.ips[0] | [.address, .gateway]' <<<"$result")" '["'"$address"'/24","10.77.0.1"]'
        inside c1 busybox ping -c 1 -W 10 10.77.0.1
        wait_until has_lease "$address"
        cni CHECK "$(with_result "$CONFIG" "$result")"
        cni DEL "$CONFIG"
        wait_until has_no_lease "$address"
        run cni CHECK "$(with_result "$IPAM" "$result")"
        expect_status 1
        expect_text "the daemon has no lease for container one, interface eth0"
        cni DEL "$CONFIG"
}
