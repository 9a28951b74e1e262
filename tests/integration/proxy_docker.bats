#!/usr/bin/env bats
# runs alone
# coracle-proxy as the userland proxy of Debian's dockerd.

load lib
load engines

setup_file() {
        has_docker || return 0 # every test will skip
        setup_world
        docker_client
        export PROXY=$CORACLE_BUILD/src/tools/proxy/coracle-proxy PEER=$BATS_TEST_DIRNAME/tools/peer.py
        world sh -c 'echo 0 >/proc/sys/net/ipv6/conf/lo/disable_ipv6' || true
        world_dockerd "$(jq -n --arg proxy "$PROXY" '{"userland-proxy-path": $proxy, "userland-proxy": true, bridge: "", iptables: true}')"
        tar -C "$T/rootfs" -c . | docker_ import - small >/dev/null
}

teardown_file() {
        [ -z "${T:-}" ] || docker_ ps -aq | timeout "$RUNTIME_TIMEOUT" xargs -r "$DOCKER" rm -f >/dev/null 2>&1 || true
        teardown_world
}

setup() {
        skip_unless root "program dockerd" "program containerd" "program runc" "program docker" "program iptables" "program python3"
        [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ] || skip_unless "program apparmor_parser"
}

ask() { world python3 "$PEER" ask "$@"; }
proxies() { world sh -c 'for f in /proc/[0-9]*/cmdline; do tr "\0" " " <"$f" 2>/dev/null; echo; done' | grep -c "^$PROXY " || true; }
no_proxies() { [ "$(proxies)" = 0 ]; }

@test "dockerd publishes ports by coracle-proxy: localhost is reached, of both families" {
        local id pid code=0
        id=$(docker_ run -d -p 8080:80 -p 8080:80/udp small sh -c 'sleep 1000')
        pid=$(docker_ inspect -f '{{.State.Pid}}' "$id")
        [ "$(proxies)" -ge 2 ]
        world sh -c "nsenter --net=/proc/$pid/ns/net python3 '$PEER' serve inside 80 </dev/null >'$T/ready' 2>&1 & echo \$!" >/dev/null
        wait_ready "$T/ready"
        run ask tcp 127.0.0.1 8080
        expect_status 0
        expect_match '^inside '
        run ask udp 127.0.0.1 8080
        expect_status 0
        expect_match '^inside '
        if docker_ port "$id" 80/tcp | grep -q ':::\|\[::\]'; then
                run ask tcp ::1 8080
                expect_status 0
                expect_match '^inside '
        fi
        # the same port for another one: dockerd tells what the proxy or the kernel has said
        run docker_ run -d -p 8080:80 small sleep 1
        expect_status 125
        expect_text "port is already allocated"
        docker_ rm -f "$id" >/dev/null
        wait_until no_proxies
}

@test "dockerd tells what the proxy has told: a port that somebody else has" {
        world sh -c "python3 '$PEER' serve outside 8181 </dev/null >'$T/outside' 2>&1 & echo \$!" >/dev/null
        wait_ready "$T/outside"
        run docker_ run -d -p 8181:80 small sleep 1
        expect_status 125
        expect_match 'address already in use'
        wait_until no_proxies
}
