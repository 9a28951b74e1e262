#!/usr/bin/env bats
# Namespaces that are joined or made, with their settings: types, clocks, id maps, kernel parameters, interfaces.

load lib

setup() { setup_bundle; }
teardown() {
        [ -z "${HELPER:-}" ] || kill "$HELPER" 2>/dev/null || true
        teardown_bundle
}

# in_sh SCRIPT - what the container runs
in_sh() { config_args /bin/sh -c "$1"; }

# join TYPE PATH - the container joins a namespace instead of making one
join() {
        config '.linux.namespaces |= map(select(.type != $type)) + [{type: $type, path: $path}]' --arg type "$1" --arg path "$2"
}

# start_helper UNSHARE-FLAG... - a process in new namespaces, $HELPER, that the test's teardown ends
start_helper() {
        # shellcheck disable=SC2016
        unshare "$@" sh -c 'echo ready; exec sleep 1000' >"$TEST_DIR/helper" 3>&- &
        HELPER=$!
        wait_ready "$TEST_DIR/helper"
}

@test "namespaces are joined by their path" {
        skip_unless root
        start_helper --net --uts --ipc
        for type in net:network uts:uts ipc:ipc; do
                join "${type#*:}" "/proc/$HELPER/ns/${type%:*}"
        done
        config 'del(.hostname)'
        in_sh 'for n in net uts ipc; do readlink /proc/self/ns/$n; done'
        run run_container
        expect_status 0
        expect_output "$(for n in net uts ipc; do readlink "/proc/$HELPER/ns/$n"; done)"
}

@test "a path to a namespace of another type is refused before anything is made" {
        join network /proc/self/ns/uts
        run run_container
        expect_failure
        expect_text "/proc/self/ns/uts is a uts namespace, expected a network namespace"
        [ ! -d "$STATE_ROOT/$ID" ]
}

@test "a path that is no namespace, or nothing, is refused" {
        join network /dev/null
        run run_container
        expect_failure
        expect_text "/dev/null is not a namespace"
        join network "$TEST_DIR/nothing"
        run run_container
        expect_failure
        expect_text "$TEST_DIR/nothing"
}

@test "the clocks of a new time namespace are shifted" {
        [ -e /proc/self/ns/time ] || skip "needs a kernel with time namespaces: runs on the CI machine"
        config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000000000, nanosecs: 5}}'
        in_sh 'cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets'
        run run_container
        expect_status 0
        [ "${lines[0]}" -gt 1000000000 ]
        expect_match 'boottime +1000000000 +5'
}

@test "ids inside are what the mapping says, outside what they are mapped to" {
        skip_unless root
        config '.linux.namespaces += [{type: "user"}] |
                .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] |
                .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 1000}]'
        chown -R 100000:200000 "$ROOTFS"
        in_sh 'id -u; cat /proc/self/uid_map; touch /tmp/made; cat /proc/self/setgroups'
        run run_container
        expect_status 0
        expect_match '^0' '0 +100000 +1000' 'allow'
        expect_equal "$(stat -c %u:%g "$ROOTFS/tmp/made")" 100000:200000
}

@test "a joined user namespace that denies setgroups: groups are left alone, or refused" {
        # made as a user would make it, with one id and without the right to change groups
        start_helper --user --map-root-user
        grep -q deny "/proc/$HELPER/setgroups"
        join user "/proc/$HELPER/ns/user"
        config 'del(.linux.uidMappings, .linux.gidMappings) | (.mounts[] | select(.type == "devpts")).options -= ["gid=5"]'
        in_sh 'cat /proc/self/setgroups; id -u'
        run run_container
        expect_status 0
        expect_output $'deny\n0'
        config '.process.user.additionalGids = [0]'
        run run_container
        expect_failure
        expect_text process.user.additionalGids setgroups
}

@test "a user that the mapping lacks, and a mapping that overlaps, are refused" {
        config '.linux.namespaces += [{type: "user"}] | .process.user.uid = 5000 |
                .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] |
                .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 1000}]'
        run run_container
        expect_failure
        expect_text "process.user.uid" 5000
        config '.process.user.uid = 0 | .linux.uidMappings += [{containerID: 999, hostID: 300000, size: 5}]'
        run run_container
        expect_failure
        expect_text "linux.uidMappings[1]" overlaps
}

@test "kernel parameters are set in the container and not on the host" {
        skip_unless root
        local before
        before=$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax)
        config '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel/msgmax": "4321", "kernel.domainname": "blue",
                "net.ipv4.conf.lo.forwarding": "0"}'
        in_sh 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/kernel/domainname'
        run run_container
        expect_status 0
        expect_output $'1\n4321\nblue'
        expect_equal "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax)" "$before"
}

@test "parameters of the host are refused, also through a path to its namespace" {
        config '.linux.sysctl = {"vm.swappiness": "1"}'
        run run_container
        expect_failure
        expect_text vm.swappiness
        config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces |= map(select(.type != "network"))'
        run run_container
        expect_failure
        expect_text net.ipv4.ip_forward
        join network /proc/self/ns/net
        run run_container
        expect_failure
        expect_text net.ipv4.ip_forward "the host's own namespace"
        config '.linux.sysctl = {"net.ipv4.../../../kernel/hostname": "x"}'
        run run_container
        expect_failure
}

@test "a parameter that does not exist is an error and leaves no container" {
        config '.linux.sysctl = {"net.ipv4.no_such_thing": "1"}'
        run run_container
        expect_failure
        expect_text net.ipv4.no_such_thing
        run runtime state "$ID"
        expect_failure
}

@test "loopback is up in a new network namespace" {
        in_sh 'ip addr show lo'
        run run_container
        expect_status 0
        expect_match 'LOOPBACK,UP' '127.0.0.1/8'
}

# run_in_new_network SCRIPT - the runtime with a host network of its own, which SCRIPT sets up; afterwards "host:" and the
# names of the interfaces that stayed there are printed
run_in_new_network() {
        export -f runtime run_container
        export RUNTIME RUNTIME_TIMEOUT RUNTIME_FLAGS STATE_ROOT BUNDLE ID
        unshare --net bash -c "$1"'
                run_container; status=$?
                echo host: $(ip -br link | cut -d" " -f1 | cut -d@ -f1)
                exit $status'
}

@test "an interface of the host moves into the container with its addresses" {
        skip_unless root
        skip_unless "program ip"
        config '.linux.netDevices = {va0: {name: "eth0"}, vc0: {}}'
        in_sh 'ip addr show dev eth0; ip link show dev vc0'
        run run_in_new_network '
                ip link add va0 type veth peer name vb0 && ip link add vc0 type veth peer name vd0
                ip addr add 10.9.8.7/24 dev va0; ip addr add fd00::7/64 dev va0 nodad; ip link set va0 up'
        expect_status 0
        expect_match 'eth0@.*UP' '10\.9\.8\.7/24' 'fd00::7/64' 'vc0@.*UP' 'host: lo'
        expect_no_text va0 # the other ends vanish together with the container
}

@test "an interface whose name is taken in the container, or that is missing, is refused and nothing moves" {
        skip_unless root
        skip_unless "program ip"
        config '.linux.netDevices = {va0: {name: "lo"}}'
        run run_in_new_network 'ip link add va0 type veth peer name vb0'
        expect_failure
        expect_text 'linux.netDevices["va0"]' "host: lo vb0 va0"
        config '.linux.netDevices = {nowhere: {}}'
        run run_in_new_network true
        expect_failure
        expect_text 'linux.netDevices["nowhere"]'
}

@test "a session keyring of its own, named after the container" {
        grep -q . /proc/keys 2>/dev/null || skip "needs a kernel with keyrings: runs on the CI machine"
        config 'del(.linux.maskedPaths)'
        in_sh 'cat /proc/keys'
        run run_container
        expect_status 0
        expect_text "_ses.$ID"
}
