#!/usr/bin/env bats
# Networks beside a firewalld that decides what may pass. It and the host that it guards are the test's own, and so is its
# bus, where the machine has none; a second host is beside it.

load lib
load registries
load containers
load networks

setup() {
        skip_unless root "program nft" "program python3"
        if ! command -v firewalld >/dev/null || ! command -v dbus-daemon >/dev/null; then
                skip "there is no firewalld: runs in the machine amd64"
        fi
        [ -x "$CORACLE_BUILD/libexec/coracle-systemd" ] || skip "coracle-systemd is not built: needs libsystemd"
        setup_containers
        start_far fd09
        [ -S /run/dbus/system_bus_socket ] || start_bus # where there is one, systemd is asked for cgroups by it
        ! is_guarded || skip "the machine has a firewalld of its own: runs in the machine amd64"
        start_firewalld
}

teardown() {
        [ -z "${BUS:-}" ] || umount -l /run/dbus
        teardown_containers
}

# The mounts of the run are its own: the machine's bus stays where it is.
start_bus() {
        mkdir -p "$TEST_DIR/bus" /run/dbus
        mount --bind "$TEST_DIR/bus" /run/dbus
        cat >"$TEST_DIR/bus.conf" <<-'EOF'
                <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
                <busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><policy context="default">
                <allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>
EOF
        dbus-daemon --config-file="$TEST_DIR/bus.conf" --nofork --nopidfile </dev/null >"$TEST_DIR/bus.out" 2>&1 3>&- &
        BUS=$!
        SERVERS+=("$BUS")
        wait_until test -S /run/dbus/system_bus_socket
}

# What is to be had for good is in the configuration: up0 is of the zone public.
start_firewalld() {
        mkdir -p "$TEST_DIR/firewalld/zones"
        printf '<?xml version="1.0" encoding="utf-8"?>\n<zone><short>Public</short><interface name="up0"/><forward/></zone>\n' >"$TEST_DIR/firewalld/zones/public.xml"
        nsenter --net="/proc/$NET/ns/net" firewalld --nofork --nopid --system-config "$TEST_DIR/firewalld" --log-file "$TEST_DIR/firewalld.log" \
                </dev/null >"$TEST_DIR/firewalld.out" 2>&1 3>&- &
        FIREWALLD=$!
        SERVERS+=("$FIREWALLD")
        wait_until is_guarded || fail "$(cat "$TEST_DIR/firewalld.out" "$TEST_DIR/firewalld.log")"
}
is_guarded() { in_net firewall-cmd --state >/dev/null 2>&1; }
cmd() { in_net firewall-cmd "$@" >/dev/null; }
zone_of() { in_net firewall-cmd --get-zone-of-interface="$1" 2>&1 || true; }
# firewall-cmd --reload itself waits for a minute at most.
reload() {
        in_net dbus-send --system --print-reply --reply-timeout=$((${WAIT_SECONDS:-60} * 1000)) --dest=org.fedoraproject.FirewallD1 \
                /org/fedoraproject/FirewallD1 org.fedoraproject.FirewallD1.reload >/dev/null
}
far_reaches() { in_far python3 "$PEER" ask tcp 10.9.8.1 "$@"; }

@test "what firewalld closes is closed, until it opens it" {
        begin web -p 8080:80
        begin open --label coracle.publish=direct -p 8082:80
        serve web 80
        serve open 80
        run far_reaches 8080 2
        expect_status 1
        cmd --add-port=8080/tcp
        run far_reaches 8080
        expect_status 0
        expect_match '^web '
        cmd --remove-port=8080/tcp
        run far_reaches 8080 2
        expect_status 1
        run far_reaches 8082
        expect_output "open 10.9.8.2"
}

@test "what containers send passes, and still not from one network to another" {
        coracle network create one >/dev/null
        begin xa
        begin xb
        begin xc --network one
        [ "$(zone_of coracle0)" = trusted ]
        reaches xa 10.9.8.2
        reaches xc 10.9.8.2
        reaches xb "$(address_of xa bridge)"
        is_cut_off xc "$(address_of xa bridge)"
}

@test "a bridge is in the zone of somebody's choice, or in trusted, and in none once it is gone" {
        local name
        coracle network create -o com.docker.network.bridge.name=mine0 mine >/dev/null
        [ "$(zone_of mine0)" = trusted ]
        cmd --zone=work --change-interface=mine0
        begin xa --network mine
        [ "$(zone_of mine0)" = work ]
        coracle rm -f xa >/dev/null
        coracle network rm mine >/dev/null
        coracle network create one >/dev/null
        name=br-$(coracle network inspect -f '{{.Id}}' one | cut -c 1-12)
        [ "$(zone_of "$name")" = trusted ]
        coracle network rm one >/dev/null
        [ "$(zone_of "$name")" = "no zone" ]
}

@test "a bridge that was there before stays where it was" {
        in_net ip link add lan0 type bridge
        coracle network create --subnet 10.7.0.0/24 -o com.docker.network.bridge.name=lan0 lan >/dev/null
        begin xa --network lan
        [ "$(zone_of lan0)" = "no zone" ]
        coracle rm -f xa >/dev/null
        coracle network rm lan >/dev/null
}

@test "firewalld forgets what it was told when it is loaded anew: the next start tells it again" {
        begin xa
        reaches xa 10.9.8.2
        reload
        [ "$(zone_of coracle0)" != trusted ]
        begin xb
        [ "$(zone_of coracle0)" = trusted ]
        reaches xa 10.9.8.2
}

@test "where it does not answer, networks are made all the same, and that is told" {
        kill -STOP "$FIREWALLD"
        coracle network create one >"$TEST_DIR/out" 2>&1
        kill -CONT "$FIREWALLD"
        grep -q "firewalld may reject what containers send: firewalld: getZoneOfInterface of br-.*timed out" "$TEST_DIR/out" || fail "$(cat "$TEST_DIR/out")"
}
