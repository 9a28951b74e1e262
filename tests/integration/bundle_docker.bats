#!/usr/bin/env bats
# runs alone
# What the engine makes of docker's documents, beside what Debian's dockerd makes of them: config.json of both, line by
# line. Left out is what has to differ: where things are on the host, what a newer dockerd does otherwise, hooks.

load lib
load engines

setup_file() {
        has_docker || return 0 # every test will skip
        setup_world
        docker_client
        # a runtime that keeps the configurations it gets
        cat >"$T/keeper" <<-EOS
		#!/bin/bash
		for ((i = 1; i <= \$#; i++)); do [ "\${!i}" != --bundle ] || { i=\$((i + 1)); cp "\${!i}/config.json" "$T/kept.json"; }; done
		exec runc "\$@"
		EOS
        chmod 755 "$T/keeper"
        world_dockerd "$(jq -n --arg path "$T/keeper" --arg init "$CORACLE_BUILD/src/tools/init/coracle-init" '{
                "default-runtime": "keeper", runtimes: {keeper: {path: $path}}, "init-path": $init
        }')"
        tar -C "$T/rootfs" -c . | docker_ import -c 'CMD ["/bin/sh"]' - small
        mkdir "$T/source" "$T/source/below"
}

setup() {
        skip_unless root "controller memory" "controller pids" "controller cpu" "program dockerd" "program containerd" \
                "program docker" "program runc"
}

teardown() {
        [ -z "${T:-}" ] || docker_ ps -aq | xargs -r "$DOCKER" rm -f >/dev/null || true
}

teardown_file() {
        [ -z "${T:-}" ] || docker_ ps -aq | timeout "$RUNTIME_TIMEOUT" xargs -r "$DOCKER" rm -f >/dev/null 2>&1 || true
        teardown_world
}

# comparable FILE - sorted where order means nothing, without what has to differ, what some versions of docker write twice, and
# what comes before a rule that allows all devices; with --init, descendants get the time to end here that docker does not give them
comparable() {
        # shellcheck disable=SC2016
        jq -S --arg T "$T" '
                del(.ociVersion, .root.path, .hooks, .linux.seccomp, .linux.cgroupsPath) |
                .process.capabilities |= ((.bounding // []) - ["CAP_BPF", "CAP_PERFMON", "CAP_CHECKPOINT_RESTORE", "CAP_SYS_RESOURCE"] | sort) |
                .process.env |= map(select(startswith("PATH=") or (startswith("HOSTNAME=") | not))) |
                .process.env |= sort |
                .process.args |= (if .[1:3] == ["--wait-all", "--grace"] then .[:1] + .[4:] else . end) |
                .linux.namespaces |= (map(select(.path != "/run/docker/netns/default")) | map(if .path then .path |= sub("/proc/[0-9]+/"; "/proc/PID/") else . end) | sort_by(.type)) |
                .linux.devices |= (. // [] | map(.fileMode |= (if . then . % 512 else . end)) | sort_by(.path)) |
                .linux.resources.devices |= (map(if .type == null then .type = "a" else . end | if .type == "a" then del(.major, .minor) else . end)) |
                .linux.resources.devices |= (rindex({"access": "rwm", "allow": true, "type": "a"}) as $all | .[($all // 0):]) |
                .linux.resources.devices |= reduce .[] as $rule ([]; if any(.[]; . == $rule) then . else . + [$rule] end) |
                .linux.resources |= (if .blockIO.weight == 0 then del(.blockIO.weight) else . end |
                        if .memory.disableOOMKiller == false then del(.memory.disableOOMKiller) else . end |
                        if .cpu.shares == 0 then del(.cpu.shares) else . end |
                        with_entries(select(.value != {}))) |
                .linux.maskedPaths |= (. // [] | map(select(. as $p |
                        ["/proc/interrupts", "/sys/devices/virtual/powercap"] | index($p) | not)) |
                        map(select(contains("thermal_throttle") | not)) | sort) |
                .linux.readonlyPaths |= (. // [] | sort) |
                .process.user.additionalGids |= (. // [] | unique) |
                .mounts |= (map(.options |= (. // [] | map(if . == "rro" then "ro" else . end) | sort) |
                        if .type == "bind" then .source |= (sub(".*/containers/[0-9a-f]{64}/"; "CONTAINER/") |
                                sub(".*/volumes/"; "VOLUMES/") | sub("[0-9a-f]{64}/_data"; "ID/_data") | sub("/(run|proc)/.*shm.*"; "SHM") | sub(".*/(docker|coracle)-init"; "INIT")) else . end)
                        | sort_by(.destination))' "$1"
}

# same_bundles - for each line of standard input: a container with these flags, made by both
same_bundles() {
        local line failed=
        while IFS= read -r line; do
                eval "set -- $line"
                same_bundle "$@" </dev/null || { echo "^^^ $line"; failed=1; }
        done
        [ -z "$failed" ]
}

same_bundle() {
        local id inspected own
        id=$(docker_ create --name compared "$@" small /bin/sleep 1000)
        inspected=$(docker_ inspect compared)
        rm -f "$T/kept.json"
        docker_ start compared >/dev/null || true
        docker_ rm -f compared >/dev/null
        [ -s "$T/kept.json" ] || { echo "docker did not start it"; return 1; }
        own=$(CORACLE_RUN=$T/own-run CORACLE_LIBEXEC=$CORACLE_BUILD/src/tools/init world "$CORACLE_BUILD/tests/integration/tools/tool-bundle" "$T/own" "$id" "$T/rootfs" \
                "$(jq -c '.[0] | if .HostConfig.UTSMode == "host" then .Config.Hostname = "" else . end | .Config' <<<"$inspected")" "$(jq -c '.[0].HostConfig | .Runtime = ""' <<<"$inspected")") || return
        echo "$own/config.json" >"$T/own.json"
        diff -u <(comparable "$T/kept.json") <(comparable "$own/config.json")
}

@test "a container without any flags" {
        same_bundles <<-'EOS'
		--network none
		EOS
}

@test "the program: user, groups, folder, environment, terminal" {
        same_bundles <<-'EOS'
		--network none -u test
		--network none -u test:extra --group-add 17 --group-add test
		--network none -u 1234 -w /made/for/it -e A=b -e C=d=e -e PATH=/x -t
		--network none -u :2000 --entrypoint /bin/sleep --hostname here --domainname example.org
		--network none --init --env HOME=/x
		EOS
}

@test "limits" {
        same_bundles <<-'EOS'
		--network none -m 64m --memory-reservation 32m
		--network none -m 64m --memory-swap 64m --oom-kill-disable
		--network none -m 64m --memory-swap -1 --memory-swappiness 40
		--network none --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0-$(($(nproc) - 1)) --cpuset-mems 0
		--network none --cpu-period 50000 --cpu-quota 25000 --pids-limit 50
		--network none --pids-limit -1 --oom-score-adj 500 --shm-size 1m
		--network none --ulimit nofile=100:200 --ulimit core=0 --ulimit nproc=500
		EOS
}

@test "security" {
        same_bundles <<-'EOS'
		--network none --privileged
		--network none --cap-add ALL --cap-drop NET_RAW
		--network none --cap-drop all --cap-add chown --cap-add CAP_KILL
		--network none --security-opt no-new-privileges --security-opt seccomp=unconfined
		--network none --security-opt systempaths=unconfined --read-only
		--network none --security-opt label=disable --cgroup-parent /parent
		EOS
}

@test "namespaces and sysctls" {
        same_bundles <<-'EOS'
		--network host --uts host --pid host
		--network none --ipc none --cgroupns private
		--network none --ipc host
		--network none --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=1000
		--network none --sysctl net.ipv4.ip_unprivileged_port_start=1024
		EOS
}

@test "mounts" {
        same_bundles <<-'EOS'
		--network none -v "$T/source:/mnt" -v "$T/source:/etc/deep/er:ro" -v named:/named -v /anonymous
		--network none --tmpfs /t --tmpfs /u:size=1m,exec,mode=700
		--network none --mount "type=bind,source=$T/source,target=/b,readonly,bind-nonrecursive"
		--network none --mount type=volume,source=named,target=/v,readonly,volume-nocopy
		--network none --mount type=tmpfs,target=/x,tmpfs-size=1048576,tmpfs-mode=1770
		--network none --read-only -v named:/named:ro --tmpfs /run -v "$T/source:/dev/shm"
		--network none -v "$T/daemon.json:/etc/hosts" -v /dev:/dev
		EOS
}

@test "devices" {
        same_bundles <<-'EOS'
		--network none --device /dev/fuse --device /dev/zero:/dev/other:r
		--network none --device-cgroup-rule 'c 7:* rw' --device-cgroup-rule 'a *:* m'
		--network none --privileged --device /dev/zero:/dev/other
		--network none --device /dev/net
		EOS
}

# allowed FILE - the calls that its filter lets through whatever their arguments are
allowed() {
        jq -r '.linux.seccomp.syscalls[] | select(.action == "SCMP_ACT_ALLOW" and (.args // [] | length == 0)) | .names[]' "$1" | sort -u
}

@test "the filter of system calls: what newer daemons decide otherwise, and nothing else" {
        local flags differ="cachestat fchmodat2 futex_requeue futex_wait futex_wake getxattrat io_uring_enter io_uring_register
                io_uring_setup listmount listxattrat map_shadow_stack mseal name_to_handle_at pkey_alloc pkey_free pkey_mprotect
                process_vm_readv process_vm_writev removexattrat riscv_flush_icache riscv_hwprobe set_mempolicy_home_node setxattrat socket
                statmount uretprobe clock_settime64 lsm_get_self_attr lsm_list_modules lsm_set_self_attr"
        for flags in "" "--cap-add SYS_ADMIN --cap-add SYS_PTRACE --cap-add SYS_TIME --cap-add SYSLOG" "--cap-drop ALL"; do
                # shellcheck disable=SC2086
                same_bundle --network none $flags
                comm -3 <(allowed "$T/kept.json") <(allowed "$(cat "$T/own.json")") | tr -d '\t' |
                        grep -vxF -f <(tr -s ' ' '\n' <<<"$differ") >"$T/unknown" || true
                [ ! -s "$T/unknown" ] || { echo "with $flags:"; cat "$T/unknown"; return 1; }
        done
}
