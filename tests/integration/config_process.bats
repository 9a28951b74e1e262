#!/usr/bin/env bats
# process of config.json: what the program is, as whom it runs, and with which rights and limits (OC-01 to OC-07)
load lib
setup() { setup_bundle; }
teardown() { teardown_bundle; }

in_sh() { config_args sh -c "$1"; }

@test "args, env and cwd reach the program" {
        mkdir "$ROOTFS/work"
        config '.process.env = ["PATH=/bin", "A=one two", "B="] | .process.cwd = "/work"'
        in_sh 'echo "$0"; pwd; echo "[$A][$B]"'
        run run_container
        expect_status 0
        expect_output $'sh\n/work\n[one two][]'
}

@test "HOME comes from the container's passwd, unless it is given" {
        config '.process.user = {uid: 1000, gid: 1000}'
        in_sh 'echo $HOME'
        run run_container
        expect_output /tmp
        config '.process.env += ["HOME=/elsewhere"]'
        run run_container
        expect_output /elsewhere
}

@test "the exit code is the program's, or 128 and the signal" {
        in_sh 'exit 42'
        run run_container
        expect_status 42
        in_sh 'kill -9 $$'
        run run_container
        # a pid 1 cannot kill itself by a signal it has no handler for
        in_sh 'sh -c "kill -9 \$\$"; exit $?'
        run run_container
        expect_status 137
}

@test "a missing program is refused by create, with docker's words for it, and leaves nothing" {
        config_args no-such-program
        run create_container
        expect_failure
        expect_text 'executable file not found in $PATH'
        refute container_state
        config_args /no/such/program
        run create_container
        expect_failure
        expect_text 'no such file or directory'
}

@test "a program that cannot be executed is refused by create" {
        touch "$ROOTFS/plain"
        config_args /plain
        run create_container
        expect_failure
        expect_text 'permission denied'
        refute container_state
        refute test -d "$(cgroup_dir pids)"
}

@test "a cwd that cannot be made is refused and named" {
        config '.process.cwd = "/bin/busybox/here"'
        run create_container
        expect_failure
        expect_text '/bin/busybox/here'
        refute container_state
}

@test "uid, gid, additional gids and umask" {
        config '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 2000], umask: 63}'
        in_sh 'id -u; id -g; id -G; umask'
        run run_container
        expect_status 0
        expect_output $'1000\n1001\n1001 5 2000\n0077'
}

@test "without a umask it is 0022" {
        in_sh umask
        run run_container
        expect_output 0022
}

@test "the five capability sets are exactly those of the configuration" {
        config '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"], effective: ["CAP_CHOWN"],
                permitted: ["CAP_CHOWN", "CAP_KILL"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
        config '.process.user = {uid: 1000, gid: 1000}'
        in_sh 'grep Cap /proc/self/status'
        run run_container
        expect_status 0
        # the program of a user has what is ambient; the kernel computes permitted and effective at exec
        expect_match $'CapInh:\t0000000000000020' $'CapPrm:\t0000000000000020' $'CapEff:\t0000000000000020' \
                $'CapBnd:\t0000000000002021' $'CapAmb:\t0000000000000020'
}

@test "empty capability sets leave root without any" {
        config '.process.capabilities = {}'
        in_sh 'grep Cap /proc/self/status | grep -c 0000000000000000; chown 1:1 /tmp'
        run run_container
        expect_failure
        expect_text 5 'Operation not permitted'
}

@test "an unknown capability is a warning, not an error" {
        config '.process.capabilities.bounding += ["CAP_THAT_IS_NOT"]'
        config_args true
        run run_container
        expect_status 0
        expect_text CAP_THAT_IS_NOT
}

@test "rlimits of every kind are set" {
        config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}, {type: "RLIMIT_CORE", soft: 0, hard: 0},
                {type: "RLIMIT_FSIZE", soft: 4096, hard: 8192}, {type: "RLIMIT_STACK", soft: 1048576, hard: 2097152}]'
        in_sh 'cat /proc/self/limits'
        run run_container
        expect_status 0
        expect_match 'Max open files +100 +200' 'Max core file size +0 +0' 'Max file size +4096 +8192' \
                'Max stack size +1048576 +2097152'
}

@test "a limit of open files that leaves none for the runtime" {
        config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 3, hard: 3}]'
        in_sh 'ulimit -n'
        create_container
        runtime start "$ID"
        wait_for stopped
        run cat "$TEST_DIR/$ID.out"
        expect_output 3
}

@test "a limit of open files that leaves none for the runtime, in a user namespace" {
        skip_unless root
        config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 3, hard: 100}] | .linux.namespaces += [{type: "user"}] |
                .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
        in_sh 'ulimit -n; ulimit -Hn'
        local hard
        for hard in 100 3; do # with the second, nothing is to be raised
                config '.process.rlimits[0].hard = $h' --argjson h "$hard"
                create_container
                runtime start "$ID"
                wait_for stopped
                expect_equal "$(cat "$TEST_DIR/$ID.out")" "3"$'\n'"$hard"
                runtime delete "$ID"
        done
}

@test "rlimits given twice or unknown are refused with their place" {
        config '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}, {type: "RLIMIT_CORE", soft: 1, hard: 1}]'
        run run_container
        expect_failure
        expect_text RLIMIT_CORE
        config '.process.rlimits = [{type: "RLIMIT_FUN", soft: 0, hard: 0}]'
        run run_container
        expect_failure
        expect_text 'process.rlimits[0].type'
}

@test "noNewPrivileges" {
        config '.process.noNewPrivileges = true'
        in_sh 'grep NoNewPrivs /proc/self/status'
        run run_container
        expect_match $'NoNewPrivs:\t1'
        config '.process.noNewPrivileges = false'
        run run_container
        expect_match $'NoNewPrivs:\t0'
}

@test "oomScoreAdj" {
        config '.process.oomScoreAdj = 321'
        in_sh 'cat /proc/self/oom_score_adj'
        run run_container
        expect_output 321
}

@test "scheduler and ioPriority" {
        config '.process.scheduler = {policy: "SCHED_BATCH", nice: 7} |
                .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 5}'
        in_sh 'cut -d" " -f19,41 /proc/self/stat; ionice -p $$'
        run run_container
        expect_status 0
        expect_match '7 3' 'best-effort: prio 5'
}

@test "an affinity of the caller is not the container's" {
        [ "$(nproc)" -gt 1 ] || skip "needs two processors: runs on the CI machine"
        in_sh 'grep Cpus_allowed_list /proc/self/status'
        run taskset -c 0 "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID" 3>&- </dev/null
        expect_status 0
        expect_equal "$(sed 's/.*\t//' <<<"$output")" "$(cat "$(cgroup_dir cpuset /)"/cpuset*cpus{.effective,} 2>/dev/null | head -n 1)"
}

@test "execCPUAffinity holds for exec and only there" {
        [ "$(nproc)" -gt 1 ] || skip "needs two processors: runs on the CI machine"
        config '.process.execCPUAffinity = {initial: "0", final: "1"}'
        config_args sleep 1000
        start_detached
        run runtime exec "$ID" grep Cpus_allowed_list /proc/self/status
        expect_match $'Cpus_allowed_list:\t1$'
        run grep Cpus_allowed_list "/proc/$(container_pid)/status"
        expect_match '0-'
}

@test "an AppArmor profile without AppArmor is refused, not ignored" {
        [ ! -e /sys/module/apparmor/parameters/enabled ] || [ "$(cat /sys/module/apparmor/parameters/enabled)" != Y ] ||
                skip "AppArmor is there: linux_lsm tests it with make check-amd64"
        config '.process.apparmorProfile = "some-profile"'
        run run_container
        expect_failure
        expect_text process.apparmorProfile
}

@test "personality: a 32-bit machine name" {
        skip_unless "arch x86_64"
        config '.linux.personality = {domain: "LINUX32"}'
        in_sh 'uname -m'
        run run_container
        expect_output i686
}

@test "memoryPolicy" {
        [ -e /proc/self/numa_maps ] || skip "needs a kernel with NUMA: runs with make check-amd64"
        config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
        in_sh 'head -n 1 /proc/self/numa_maps'
        run run_container
        expect_status 0
        expect_text 'bind:0'
}

@test "stdio goes through, and no other descriptor does" {
        in_sh 'cat; echo oops >&2; ls /proc/self/fd'
        exec 7</etc/passwd
        run bash -c 'echo input | "$@" 2>&1' - "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
        exec 7<&-
        expect_status 0
        # 3 is that of ls itself
        expect_output $'input\noops\n0\n1\n2\n3'
}

@test "preserve-fds and LISTEN_FDS pass descriptors on" {
        echo kept >"$TEST_DIR/kept"
        in_sh 'cat <&3; echo "$LISTEN_FDS $LISTEN_PID"; ls /proc/self/fd | wc -l'
        run bash -c 'exec 3<"$0"; "$@"' "$TEST_DIR/kept" "$RUNTIME" --root "$STATE_ROOT" run --preserve-fds 1 --bundle "$BUNDLE" "$ID" </dev/null
        expect_status 0
        expect_output $'kept\n \n5'
        in_sh 'cat <&3; echo "$LISTEN_FDS $LISTEN_PID"'
        run bash -c 'exec 3<"$0"; LISTEN_FDS=1 "$@"' "$TEST_DIR/kept" "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID" </dev/null
        expect_output $'kept\n1 1'
}

@test "preserve-fds of a descriptor that is not there is refused" {
        run bash -c 'exec 3<&- 4<&-; "$@"' - "$RUNTIME" --root "$STATE_ROOT" run --preserve-fds 2 --bundle "$BUNDLE" "$ID" </dev/null
        expect_failure
        expect_text preserve-fds
}

@test "unknown properties are ignored, wrong ones are refused with their place" {
        config '.process.shiny = true | .newThing = {a: 1}'
        config_args true
        run run_container
        expect_status 0
        config '.process.user.uid = "root"'
        run run_container
        expect_failure
        expect_text 'process.user.uid: expected an integer, found a string'
        refute container_state
}

@test "JSON that is none is refused with line and column" {
        printf '{\n  "ociVersion": }' >"$BUNDLE/config.json"
        run run_container
        expect_failure
        expect_match 'config.json: line 2'
}

@test "a working directory that is missing is made, in the root" {
        ln -s /elsewhere "$ROOTFS/link"
        config '.process.cwd = "/link/../../work/dir" | .root.readonly = true'
        config_args sh -c 'pwd; stat -c %a:%u .'
        run run_container
        expect_status 0
        expect_output $'/work/dir\n755:0'
}
