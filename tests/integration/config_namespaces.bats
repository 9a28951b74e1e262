#!/usr/bin/env bats
# linux.namespaces, id mappings, time offsets, network devices (OC-16 to OC-18, OC-20)
load lib
setup() { setup_bundle; NETNS=; }
teardown() {
        teardown_bundle
        [ -z "$NETNS" ] || ip netns del "$NETNS"
}

in_sh() { config_args sh -c "$1"; }
host_ns() { readlink "/proc/self/ns/$1"; }
map_users() { # FIRST SIZE
        config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: $f, size: $n}] |
                .linux.gidMappings = .linux.uidMappings' --argjson f "$1" --argjson n "$2"
}
make_netns() {
        NETNS=$TEST_CGROUP
        ip netns add "$NETNS"
}

@test "each listed namespace is new, each other one the host's" {
        skip_unless root
        config '.linux.namespaces += [{type: "cgroup"}, {type: "time"}] | .linux.namespaces |= unique_by(.type)'
        in_sh 'for n in pid net ipc uts mnt cgroup time; do readlink /proc/self/ns/$n; done'
        run run_container
        expect_status 0
        for n in pid net ipc uts mnt cgroup time; do
                expect_no_text "$(host_ns $n)"
        done
        config '.linux.namespaces = [{type: "mount"}, {type: "pid"}] | del(.hostname) | .mounts |= map(select(.type != "sysfs"))'
        run run_container
        expect_status 0
        for n in net ipc uts cgroup; do
                expect_text "$(host_ns $n)"
        done
}

@test "the container is process 1 of its pid namespace, and sees nobody else" {
        config_args ps -o pid,args
        run run_container
        expect_status 0
        expect_equal "${#lines[@]}" 2
        expect_match '1 +ps'
}

has_processes() { [ "$(wc -l <"$(cgroup_dir pids)/cgroup.procs")" -ge "$1" ]; }

@test "without a pid namespace it is a process of the host's, and kill --all ends its children too" {
        skip_unless "controller pids"
        share_pids
        in_sh 'sleep 1234 & sleep 1234'
        start_detached
        wait_until has_processes 2
        runtime kill --all "$ID" KILL
        wait_for stopped
        runtime delete "$ID"
        refute test -d "$(cgroup_dir pids)"
}

@test "the loopback interface of a new network namespace is up" {
        config_args ip addr show lo
        run run_container
        expect_status 0
        expect_text LOOPBACK,UP 127.0.0.1
}

@test "namespaces are joined by path" {
        skip_unless root
        make_netns
        config '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)' --arg p "/run/netns/$NETNS"
        in_sh 'readlink /proc/self/ns/net'
        run run_container
        expect_status 0
        expect_output "$(ip netns exec "$NETNS" readlink /proc/self/ns/net)"
}

@test "the pid, ipc and uts namespaces of another container are joined" {
        skip_unless root
        config_args sleep 1000
        start_detached
        local pid
        pid=$(container_pid)
        add_bundle other other
        BUNDLE=$TEST_DIR/other
        config '.linux.namespaces |= map(if (.type | IN("pid", "ipc", "uts")) then .path = "/proc/\($p)/ns/\(.type)" else . end) | del(.hostname)' --arg p "$pid"
        in_sh 'ps -o args; readlink /proc/self/ns/ipc; readlink /proc/self/ns/uts'
        run run_container "$ID-other"
        expect_status 0
        expect_text 'sleep 1000' "$(readlink "/proc/$pid/ns/ipc")" "$(readlink "/proc/$pid/ns/uts")"
}

# The parent knows the pid of init from the process that joined for it, and may hear init before that one is heard.
@test "init is heard only when its pid is known, however long that takes" {
        skip_unless root "program strace"
        make_netns
        config '(.linux.namespaces[] | select(.type == "network")).path = $p | .linux.namespaces += [{type: "time"}]' --arg p "/run/netns/$NETNS"
        config_args echo here
        # delays whoever clones, not the clone
        # shellcheck disable=SC2086
        run timeout -k 5 "$RUNTIME_TIMEOUT" strace -f -qq -o /dev/null -e trace=clone3 -e inject=clone3:delay_exit=300000 "$RUNTIME" \
                --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} run --bundle "$BUNDLE" "$ID" </dev/null
        expect_status 0
        expect_text here
}

@test "a path that is no such namespace is refused" {
        config '.linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/uts" else . end)'
        run run_container
        expect_failure
        expect_text /proc/self/ns/uts network
        config '.linux.namespaces |= map(if .type == "network" then .path = "/etc/passwd" else . end)'
        run run_container
        expect_failure
        refute container_state
}

@test "a namespace given twice is refused" {
        config '.linux.namespaces += [{type: "uts"}]'
        run run_container
        expect_failure
        expect_text linux.namespaces
}

@test "a user namespace with mappings: root inside, nobody of note outside" {
        skip_unless root
        map_users 200000 65536
        chown -R 200000:200000 "$ROOTFS"
        in_sh 'id -u; cat /proc/self/uid_map /proc/self/gid_map; touch /made; : >/dev/null; mount -t tmpfs x /mnt 2>&1'
        run run_container
        expect_match '^0' '0 +200000 +65536'
        expect_equal "$(stat -c %u:%g "$ROOTFS/made")" 200000:200000
}

@test "a user namespace works where its root cannot walk to the bundle" {
        skip_unless root
        map_users 200000 65536
        chmod 700 "$TEST_DIR"
        in_sh 'cat /proc/self/uid_map'
        run run_container
        expect_status 0
        expect_match '200000'
}

@test "a user namespace with joined network and new time, ipc and cgroup namespaces" {
        skip_unless root
        make_netns
        map_users 200000 65536
        config '.linux.namespaces |= map(if .type == "network" then .path = $p else . end) | .linux.timeOffsets = {monotonic: {secs: 1000}} |
                .linux.namespaces += [{type: "time"}, {type: "cgroup"}] | .linux.namespaces |= unique_by(.type) |
                .mounts |= map(select(.type != "sysfs" and .type != "cgroup"))' --arg p "/run/netns/$NETNS"
        in_sh 'readlink /proc/self/ns/net; cat /proc/self/timens_offsets; id -u'
        run run_container
        expect_status 0
        expect_text "$(ip netns exec "$NETNS" readlink /proc/self/ns/net)"
        expect_match 'monotonic +1000'
}

@test "a user namespace is joined by path, with another container's namespaces" {
        skip_unless root
        map_users 200000 65536
        config_args sleep 1000
        start_detached
        local pid
        pid=$(container_pid)
        add_bundle other other
        BUNDLE=$TEST_DIR/other
        config '.linux.namespaces = [{type: "user", path: "/proc/\($p)/ns/user"}, {type: "network", path: "/proc/\($p)/ns/net"},
                {type: "pid", path: "/proc/\($p)/ns/pid"}, {type: "mount"}, {type: "uts"}, {type: "ipc"}]' --arg p "$pid"
        in_sh 'readlink /proc/self/ns/user; id -u; ps -o args'
        run run_container "$ID-other"
        expect_status 0
        expect_text "$(readlink "/proc/$pid/ns/user")" 'sleep 1000'
}

@test "mappings that miss the process's user are refused by name" {
        map_users 200000 1
        config '.process.user.uid = 5'
        run run_container
        expect_failure
        expect_text process.user.uid
}

@test "time offsets" {
        config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000000}, monotonic: {secs: 5, nanosecs: 6}}'
        in_sh 'cat /proc/self/timens_offsets; [ $(cut -d. -f1 /proc/uptime) -gt 1000000 ] && echo later'
        run run_container
        expect_status 0
        expect_match 'monotonic +5 +6' 'boottime +1000000 +0' later
}

@test "netDevices: an interface moves in with its address, under another name" {
        ip link add name "cor${TEST_DIR##*-}" type veth peer name "cop${TEST_DIR##*-}" || skip "needs veth devices: runs on the CI machine"
        ip addr add 192.0.2.7/24 dev "cor${TEST_DIR##*-}"
        config ".linux.netDevices = {\"cor${TEST_DIR##*-}\": {name: \"eth7\"}}"
        config_args ip addr show eth7
        run run_container
        ip link del "cop${TEST_DIR##*-}" 2>/dev/null || true
        expect_status 0
        expect_text 192.0.2.7/24 UP
}

@test "netDevices: one that is not there is named, and nothing is left" {
        skip_unless root
        config '.linux.netDevices = {"nosuchdev0": {}}'
        run run_container
        expect_failure
        expect_text nosuchdev0
        refute container_state
}

@test "an empty hostname without a uts namespace leaves the host's alone" {
        skip_unless root
        config '.hostname = "" | .domainname = "" | .linux.namespaces |= map(select(.type != "uts"))'
        config_args true
        # shellcheck disable=SC2016
        run unshare --uts sh -c 'hostname outer && "$@" && hostname' -- "$RUNTIME" --root "$STATE_ROOT" run \
                --bundle "$BUNDLE" "$ID" </dev/null
        expect_status 0
        expect_output outer
}

@test "root of a user namespace that may not set groups runs containers and processes in them" {
        chmod -R a+rwX "$TEST_DIR"
        config 'del(.linux.cgroupsPath, .linux.resources) | .linux.namespaces |= map(select(.type != "network")) |
                .mounts |= map(select(.type != "sysfs" and .type != "mqueue") | .options = ((.options // []) - ["gid=5"]))'
        config_args sleep 1000
        # shellcheck disable=SC2016
        run unshare --map-root-user sh -c '"$0" --root "$1" run --detach --bundle "$2" "$3" && "$0" --root "$1" exec "$3" id -u
                "$0" --root "$1" delete --force "$3"' "$RUNTIME" "$STATE_ROOT" "$BUNDLE" "$ID" </dev/null
        expect_status 0
        expect_text 0
        expect_no_text setgroups
}

@test "in a joined user namespace, sources that only root may reach are mounted" {
        skip_unless root
        config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
                .linux.gidMappings = .linux.uidMappings'
        config_args sleep 1000
        start_detached
        mkdir "$BUNDLE/volume" "$ROOTFS/volume"
        echo reached >"$BUNDLE/volume/file"
        chmod 700 "$BUNDLE"
        config '.linux.namespaces |= map(if .type == "user" then .path = $user else . end) | .linux.cgroupsPath += "-2" |
                .mounts += [{destination: "/volume", type: "bind", source: $v, options: ["rbind"]}]' \
                --arg user "/proc/$(container_pid)/ns/user" --arg v "$BUNDLE/volume"
        config_args cat /volume/file
        run run_container "$ID-2"
        expect_status 0
        expect_output reached
}
