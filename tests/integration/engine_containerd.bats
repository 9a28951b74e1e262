#!/usr/bin/env bats
# runs alone
# Debian's containerd and its shim run containers through the runtime under test: ctr run --runc-binary PATH.

load lib
load engines

setup_file() {
        can_run || return 0 # every test will skip
        setup_world
        world_containerd
        make_image
}

can_run() {
        local program
        [ "$(id -u)" = 0 ] || return 1
        for program in containerd ctr umoci; do command -v "$program" >/dev/null || return 1; done
}

setup() { skip_unless root "controller memory" "controller pids" "controller cpu" "program containerd" "program ctr" "program umoci"; }

teardown_file() { teardown_world; }

make_image() { # an OCI archive
        umoci init --layout "$T/oci" && umoci new --image "$T/oci:small"
        umoci unpack --image "$T/oci:small" "$T/bundle"
        cp -a "$T/rootfs/." "$T/bundle/rootfs/"
        umoci repack --image "$T/oci:small" "$T/bundle"
        umoci config --image "$T/oci:small" --config.cmd /bin/sh --config.env PATH=/bin
        tar -C "$T/oci" -c . | ctr_ image import --base-name localhost/small -
        ctr_ image ls -q
}

# cgroup_flags ID - where systemd makes the cgroup, if it does
cgroup_flags() { ! by_systemd || echo --runc-systemd-cgroup --cgroup "$(cgroups_path "$1")"; }

run_small() { # ID [FLAG...] -- COMMAND...
        local id=$1 flags=()
        shift
        while [ "$1" != -- ]; do flags+=("$1"); shift; done
        shift
        # shellcheck disable=SC2046
        ctr_ run --rm --runc-binary "$RUNTIME" $(cgroup_flags "$id") "${flags[@]}" localhost/small:small "$id" "$@"
}

@test "ctr run: output and exit code arrive" {
        run --separate-stderr run_small first -- sh -c 'echo out; echo err >&2; exit 7'
        expect_status 7
        expect_output out
        expect_equal "$stderr" err
}

detached() { # ID [FLAG...] - the container sleeps
        local id=$1
        shift
        # shellcheck disable=SC2046
        ctr_ run -d --runc-binary "$RUNTIME" $(cgroup_flags "$id") "$@" localhost/small:small "$id" sleep 1000
        wait_until task_is RUNNING "$id"
}

task_is() { [ "$(ctr_ task ls | awk -v id="$2" '$1 == id { print $3 }')" = "$1" ]; }

remove() { # ID...
        local id
        for id; do
                ctr_ task kill -s KILL "$id" || true
                wait_until task_is STOPPED "$id"
                ctr_ task rm "$id" || true
                ctr_ container rm "$id"
        done
}

@test "ctr run: a program that is missing, or no program" {
        run run_small missing -- /missing
        expect_failure
        expect_text "/missing" "no such file or directory"
        run run_small data -- /etc/passwd
        expect_failure
        expect_text "permission denied"
        run ctr_ container ls -q
        expect_output ""
}

@test "ctr run: the runtime by its options, and its state where they say" {
        run ctr_ run --rm --runtime io.containerd.runc.v2 --runc-binary "$RUNTIME" --runc-root /run/elsewhere \
                localhost/small:small elsewhere sh -c 'echo ran'
        expect_output ran
        world test -d /run/elsewhere
        detached root --runc-root /run/elsewhere
        world test -d /run/elsewhere/default/root
        remove root
}

@test "ctr task: exec, ps, metrics, pause, resume, kill, delete" {
        detached life
        run ctr_ task exec --exec-id one life sh -c 'echo executed; exit 4'
        expect_status 4
        expect_output executed
        run ctr_ task exec --exec-id two --cwd /tmp --user 1000 life sh -c 'pwd; id -u'
        expect_output "/tmp
1000"
        run ctr_ task exec --exec-id three life /missing
        expect_failure
        expect_text "no such file or directory"
        run ctr_ task ps life
        expect_match "$(task_pid life)"
        run ctr_ task metrics life
        expect_match 'memory|usage'
        ctr_ task pause life
        task_is PAUSED life
        ctr_ task resume life
        task_is RUNNING life
        ctr_ task kill -s KILL life
        wait_until task_is STOPPED life
        run ctr_ task rm life
        expect_text "137"
        ctr_ container rm life
        run ctr_ task ls -q
        expect_output ""
}

task_pid() { ctr_ task ls | awk -v id="$1" '$1 == id { print $2 }'; }

@test "ctr run: limits are in the cgroup" {
        local path=/$TEST_CGROUP/own/limits flags=(--cgroup /own/limits)
        if by_systemd; then path=$(cgroup_of limits) flags=(); fi
        detached limits --memory-limit $((64 << 20)) --cpus 0.5 "${flags[@]}"
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max "$path")" $((64 << 20)) memory
        run cgroup_value cpu cpu.cfs_quota_us cpu.max "$path"
        expect_match '^50000( 100000)?$'
        remove limits
        refute test -d "$(cgroup_dir memory "$path")"
}

@test "ctr run: a terminal" {
        skip_unless "program script"
        run timeout -k 5 "$RUNTIME_TIMEOUT" script -qec "bash $T/enter ctr --address /run/containerd.sock run --rm -t --runc-binary $RUNTIME \
                localhost/small:small terminal sh -c 'test -t 0 && tty; exit 6'" /dev/null 3>&-
        expect_status 6
        expect_text /dev/pts/0
}

@test "ctr run: read-only, mounts, environment, folder, privileged, no new privileges, seccomp" {
        mkdir "$T/volume"
        echo here >"$T/volume/file"
        run run_small options --read-only --env COLOUR=blue --cwd /tmp --mount "type=bind,src=$T/volume,dst=/var,options=rbind:ro" -- \
                sh -c 'echo $COLOUR; pwd; cat /var/file; touch /x'
        expect_failure
        expect_text blue /tmp here "Read-only file system"
        run run_small plain -- grep -E '^(CapEff|NoNewPrivs):' /proc/self/status
        expect_match 'CapEff:.00000000a80425fb' 'NoNewPrivs:.1'
        run run_small privileged --privileged --allow-new-privs -- grep -E '^(CapEff|NoNewPrivs):' /proc/self/status
        expect_match 'CapEff:.000001fff[ef]ffffff' 'NoNewPrivs:.0'
        run run_small filtered --seccomp -- grep Seccomp: /proc/self/status
        expect_text "Seccomp:	2"
}

is_told() { ctr_ image label localhost/small:small "told=$SRANDOM" && grep -q /images/update "$T/events"; }

@test "containerd sees an OOM kill" {
        ctr_ events >"$T/events" 2>&1 3>&- &
        wait_until is_told # before, nothing is seen
        # what is told of a cgroup that is gone is dropped: it outlives the kill
        run run_small greedy --memory-limit $((16 << 20)) -- sh -c 'tail /dev/zero; sleep 5; exit 9'
        expect_status 9
        wait_until grep -q /tasks/exit "$T/events"
        wait_until grep -q /tasks/oom "$T/events"
}

@test "containers survive the end of containerd" {
        detached survivor
        local pid
        pid=$(task_pid survivor)
        world sh -c 'kill -KILL "$(cat /run/containerd.pid)"'
        world kill -0 "$pid"
        world_containerd
        expect_equal "$(task_pid survivor)" "$pid"
        run ctr_ task exec --exec-id after survivor echo alive
        expect_output alive
        remove survivor
}
