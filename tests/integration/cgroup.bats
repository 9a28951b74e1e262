#!/usr/bin/env bats
# Cgroups: where they are, which limits they carry, how they go away (OC-21 to OC-27, OR-16, XP-06).

load lib

setup() {
        setup_bundle
        skip_unless cgroup
}
teardown() { teardown_bundle; }

# Directories of this test's cgroups in all hierarchies.
left_over() { find /sys/fs/cgroup -maxdepth 4 -path "*$TEST_CGROUP*" -name "*$ID*" 2>/dev/null; }

sleeper() {
        config_args sleep 1000
        start_detached
        wait_for running
}

needs_cgroupfs() { ! by_systemd || skip "is about cgroups made by the runtime itself: runs without --systemd-cgroup"; }

# ------------------------------------------------------------------------------------------------------------- limits

@test "memory: limit, reservation and swap" {
        skip_unless "controller memory"
        config '.linux.resources.memory = {limit: 67108864, reservation: 33554432, swap: 134217728}'
        sleeper
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max)" 67108864
        expect_equal "$(cgroup_value memory memory.soft_limit_in_bytes memory.low)" 33554432
        if is_cgroup_v2; then swap=67108864; else swap=134217728; fi
        expect_equal "$(cgroup_value memory memory.memsw.limit_in_bytes memory.swap.max)" "$swap"
}

@test "memory: a process that takes too much is killed" {
        skip_unless "controller memory"
        config '.linux.resources.memory = {limit: 16777216, swap: 16777216}'
        config_args sh -c 'tail -c 64m </dev/zero >/dev/null; echo "tail: $?"'
        run run_container
        expect_text "tail: 137"
}

@test "memory: swappiness and a disabled OOM killer on version 1" {
        skip_unless cgroup_v1 "controller memory"
        config '.linux.resources.memory = {limit: 67108864, swappiness: 17, disableOOMKiller: true}'
        sleeper
        expect_equal "$(cat "$(cgroup_dir memory)/memory.swappiness")" 17
        grep -q "oom_kill_disable 1" "$(cgroup_dir memory)/memory.oom_control"
}

@test "memory: -1 is no limit" {
        skip_unless "controller memory"
        config '.linux.resources.memory = {limit: -1, swap: -1}'
        sleeper
        if is_cgroup_v2; then none=max; else none=9223372036854771712; fi
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max)" "$none"
}

@test "cpu: quota, period and burst" {
        skip_unless "controller cpu"
        config '.linux.resources.cpu = {quota: 50000, period: 200000, burst: 20000}'
        sleeper
        if is_cgroup_v2; then
                expect_equal "$(cat "$(cgroup_dir cpu)/cpu.max")" "50000 200000"
        else
                expect_equal "$(cat "$(cgroup_dir cpu)/cpu.cfs_quota_us")" 50000
                expect_equal "$(cat "$(cgroup_dir cpu)/cpu.cfs_period_us")" 200000
        fi
        ! kernel_at_least 5.14 || expect_equal "$(cgroup_value cpu cpu.cfs_burst_us cpu.max.burst)" 20000
}

@test "cpu: shares are converted to a weight on version 2" {
        skip_unless "controller cpu"
        config '.linux.resources.cpu = {shares: 4096}'
        sleeper
        if is_cgroup_v2; then shares=303; else shares=4096; fi
        expect_equal "$(cgroup_value cpu cpu.shares cpu.weight)" "$shares"
}

@test "cpu: idle" {
        skip_unless "controller cpu" "kernel 5.15"
        config '.linux.resources.cpu = {idle: 1, shares: 512}'
        sleeper
        expect_equal "$(cgroup_value cpu cpu.idle cpu.idle)" 1
}

@test "cpu: real-time without a budget above is refused with the reason" {
        skip_unless cgroup_v1
        [ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || skip "needs real-time group scheduling: runs on the CI machine"
        needs_cgroupfs
        config '.linux.resources.cpu = {realtimeRuntime: 10000, realtimePeriod: 1000000}'
        run run_container
        expect_failure
        expect_text cpu.rt_runtime_us "real-time budget"
        expect_equal "$(left_over)" ""
}

@test "cpu: real-time with a budget above" {
        skip_unless cgroup_v1
        [ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || skip "needs real-time group scheduling: runs on the CI machine"
        needs_cgroupfs
        mkdir -p "$(cgroup_dir cpu "/$TEST_CGROUP")"
        echo 20000 >"$(cgroup_dir cpu "/$TEST_CGROUP")/cpu.rt_runtime_us" ||
                skip "the kernel gives no real-time budget away: runs on the CI machine"
        config '.linux.resources.cpu = {realtimeRuntime: 10000, realtimePeriod: 1000000}'
        sleeper
        expect_equal "$(cat "$(cgroup_dir cpu)/cpu.rt_runtime_us")" 10000
}

@test "cpuset: cpus and mems" {
        skip_unless "controller cpuset"
        config '.linux.resources.cpu = {cpus: "0", mems: "0"}'
        config_args sh -c 'grep Cpus_allowed_list /proc/self/status; exec sleep 1000'
        start_detached
        wait_for running
        expect_equal "$(cgroup_value cpuset cpuset.cpus cpuset.cpus)" 0
        expect_equal "$(cgroup_value cpuset cpuset.mems cpuset.mems)" 0
        wait_until grep -q Cpus_allowed "$TEST_DIR/$ID.out"
        expect_equal "$(cut -f 2 <"$TEST_DIR/$ID.out")" 0
}

@test "cpuset: a processor that is not there is refused" {
        skip_unless "controller cpuset"
        config '.linux.resources.cpu = {cpus: "4000"}'
        run run_container
        expect_failure
        expect_text 4000
        expect_equal "$(left_over)" ""
}

@test "pids: the limit holds" {
        skip_unless "controller pids"
        config '.linux.resources.pids = {limit: 4}'
        config_args sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; echo not reached'
        run run_container
        expect_failure
        expect_text "fork"
        expect_no_text "not reached"
}

@test "pids: a limit of 1 is enough for one process" {
        skip_unless "controller pids"
        config '.linux.resources.pids = {limit: 1}'
        config_args echo alone
        run run_container
        expect_status 0
        expect_output alone
}

@test "pids: -1 is no limit" {
        skip_unless "controller pids"
        config '.linux.resources.pids = {limit: -1}'
        sleeper
        expect_equal "$(cgroup_value pids pids.max pids.max)" max
}

@test "block I/O: throttles" {
        if is_cgroup_v2; then skip_unless "controller io"; else skip_unless "controller blkio"; fi
        disk=$(awk '$4 ~ /^(vd|sd|nvme|xvd)[a-z0-9]*$/ { print $1 ":" $2; exit }' /proc/partitions)
        [ -n "$disk" ] || skip "needs a disk: runs on the CI machine"
        config '.linux.resources.blockIO = {throttleReadBpsDevice: [{major: $m, minor: $n, rate: 1048576}],
                throttleWriteIOPSDevice: [{major: $m, minor: $n, rate: 500}]}' \
                --argjson m "${disk%:*}" --argjson n "${disk#*:}"
        sleeper
        if is_cgroup_v2; then
                grep -q "^$disk rbps=1048576 wbps=max riops=max wiops=500" "$(cgroup_dir io)/io.max"
        else
                expect_equal "$(cat "$(cgroup_dir blkio)/blkio.throttle.read_bps_device")" "$disk 1048576"
                expect_equal "$(cat "$(cgroup_dir blkio)/blkio.throttle.write_iops_device")" "$disk 500"
        fi
}

@test "block I/O: weight" {
        if is_cgroup_v2; then
                skip_unless "controller io"
                probe=$(find /sys/fs/cgroup/*/ -maxdepth 1 \( -name io.weight -o -name io.bfq.weight \) | head -n 1)
        else
                skip_unless "controller blkio"
                probe=$(find /sys/fs/cgroup/blkio/ -maxdepth 2 \( -name blkio.weight -o -name blkio.bfq.weight \) | head -n 1)
        fi
        [ -n "$probe" ] || skip "needs a kernel with weights of block I/O: runs with make check-amd64"
        config '.linux.resources.blockIO = {weight: 500}'
        sleeper
        case $probe in
        */io.weight) expect_equal "$(cat "$(cgroup_dir io)/io.weight")" "default 4950" ;;
        */io.bfq.weight) expect_equal "$(cat "$(cgroup_dir io)/io.bfq.weight")" "default 500" ;;
        *) expect_equal "$(cgroup_value blkio "${probe##*/}" none)" 500 ;;
        esac
}

@test "huge pages: also where the controller is in the version 2 hierarchy of a hybrid host" {
        skip_unless "controller hugetlb"
        config '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]'
        sleeper
        expect_equal "$(cgroup_value hugetlb hugetlb.2MB.limit_in_bytes hugetlb.2MB.max)" 4194304
}

# version_1 COMMAND... - run it where the version 1 controllers that unified cgroups leave over are all there is
version_1() {
        # shellcheck disable=SC2016
        TEST_CGROUP=$TEST_CGROUP unshare --mount --propagation private sh -ec 'mount -t tmpfs none /sys/fs/cgroup
                for c in devices freezer net_cls,net_prio; do
                        mkdir "/sys/fs/cgroup/$c"
                        mount -t cgroup -o "$c" none "/sys/fs/cgroup/$c"
                done
                status=0
                "$@" || status=$?
                rmdir /sys/fs/cgroup/*/"$TEST_CGROUP" 2>/dev/null || true
                sleep 0.5 # a hierarchy whose cgroups are not quite gone would outlive its mount
                umount /sys/fs/cgroup/*
                exit $status' -- "$@"
}

@test "network: class and priorities on version 1" {
        skip_unless cgroup_v2 root
        needs_cgroupfs
        grep -qE '^net_cls.*1$' /proc/cgroups || skip "needs the controllers net_cls and net_prio in the kernel: runs on the CI machine"
        config '.linux.resources = {network: {classID: 1048577, priorities: [{name: "lo", priority: 7}]}}'
        config '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", $c]}]' --arg c \
                "cd '/sys/fs/cgroup/net_cls,net_prio$(cgroup_of)' && cat net_cls.classid net_prio.ifpriomap >'$TEST_DIR/seen'"
        config '.linux.namespaces |= map(select(.type != "cgroup"))'
        config_args cat /proc/self/cgroup
        run version_1 timeout "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID" </dev/null
        expect_status 0
        expect_text ":net_cls,net_prio:$(cgroup_of)"
        expect_equal "$(head -n 1 "$TEST_DIR/seen")" 1048577
        grep -q "^lo 7" "$TEST_DIR/seen"
}

@test "network: a class is refused where no controller can hold it" {
        (cgroup_dir net_cls >/dev/null 2>&1) && skip "is about hosts without the controller net_cls: runs on the CI machine"
        config '.linux.resources.network = {classID: 1048577}'
        run run_container
        expect_failure
        expect_text network.classID
        expect_equal "$(left_over)" ""
}

@test "unified: files of version 2 as they are" {
        skip_unless cgroup_v2 "controller memory"
        config '.linux.resources.unified = {"memory.high": "50000000", "pids.max": "77"}'
        sleeper
        expect_equal "$(cat "$(cgroup_dir memory)/memory.high")" 49999872 # whole pages
        expect_equal "$(cat "$(cgroup_dir pids)/pids.max")" 77
}

@test "unified: an unknown controller, an unknown file and a path are refused" {
        skip_unless cgroup_v2
        config '.linux.resources.unified = {"nosuch.max": "1"}'
        run run_container
        expect_failure
        expect_text 'controller "nosuch" is not available'
        config '.linux.resources.unified = {"memory.nosuch": "1"}'
        run run_container
        expect_failure
        expect_text memory.nosuch
        config '.linux.resources.unified = {"../memory.max": "1"}'
        run run_container
        expect_failure
        expect_equal "$(left_over)" ""
}

@test "unified: refused on version 1" {
        skip_unless cgroup_v1
        config '.linux.resources.unified = {"memory.max": "1000000"}'
        run run_container
        expect_failure
        expect_text unified
}

@test "a limit is there before the first process" {
        skip_unless "controller pids"
        config '.linux.resources.pids = {limit: 33}'
        config_args sh -c 'exec sleep 1000'
        config '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", $c]}]' --arg c \
                "cat '$(cgroup_dir pids)/pids.max' >'$TEST_DIR/seen'"
        start_detached
        expect_equal "$(cat "$TEST_DIR/seen")" 33
}

@test "a limit that cannot be set leaves no container and no cgroup" {
        skip_unless "controller hugetlb"
        config '.linux.resources.hugepageLimits = [{pageSize: "3MB", limit: 1}]'
        run run_container
        expect_failure
        expect_text 3MB
        expect_equal "$(left_over)" ""
        run container_state
        expect_failure
}

# ------------------------------------------------------------------------------------------------------------ devices

# device_test COMMAND - run COMMAND with /dev/fuse1, a device that nothing but a rule allows; in COMMAND `try ACCESS NAME`
# tells whether opening for r or w is allowed (a host without fuse has no such device: that is no denial)
device_test() {
        config '.process.capabilities = (.process.capabilities | map_values((. // []) + ["CAP_MKNOD"]))'
        config_args sh -c 'try() {
                        case $1 in r) text=$( (: <"/dev/$2") 2>&1) ;; w) text=$( (: >>"/dev/$2") 2>&1) ;; esac
                        case $text in *"not permitted"*) echo "$1 $2 denied" ;; *) echo "$1 $2 allowed" ;; esac
                }
                mknod /dev/fuse1 c 10 229 && mknod /dev/null1 c 1 3 && '"$1"
}

@test "devices: what is not listed cannot be opened, the default devices can" {
        skip_unless root
        device_test 'try r fuse1; try w fuse1; try r null1; try w null; head -c 1 /dev/zero | wc -c'
        run run_container
        expect_status 0
        expect_output $'r fuse1 denied\nw fuse1 denied\nr null1 allowed\nw null allowed\n1'
}

@test "devices: a rule allows one kind of access" {
        skip_unless root
        config '.linux.resources.devices = [{allow: false, access: "rwm"},
                {allow: true, type: "c", major: 10, minor: 229, access: "r"}]'
        device_test 'try r fuse1; try w fuse1; try w null'
        run run_container
        expect_output $'r fuse1 allowed\nw fuse1 denied\nw null allowed'
}

@test "devices: everything allowed" {
        skip_unless root
        config '.linux.resources.devices = [{allow: true, access: "rwm"}]'
        device_test 'try r fuse1; try w fuse1'
        run run_container
        expect_output $'r fuse1 allowed\nw fuse1 allowed'
}

@test "devices: everything allowed but one" {
        skip_unless root
        config '.linux.resources.devices = [{allow: true, access: "rwm"},
                {allow: false, type: "c", major: 10, minor: 229, access: "w"}]'
        device_test 'try r fuse1; try w fuse1; try w null1'
        run run_container
        expect_output $'r fuse1 allowed\nw fuse1 denied\nw null1 allowed'
}

@test "devices: an exception from a wider rule holds on version 2 and is refused on version 1" {
        skip_unless root
        config '.linux.resources.devices = [{allow: true, type: "c", major: 10, access: "rwm"},
                {allow: false, type: "c", major: 10, minor: 229, access: "r"}]'
        device_test 'try r fuse1; try w fuse1'
        run run_container
        if is_cgroup_v2; then
                expect_output $'r fuse1 denied\nw fuse1 allowed'
        else
                expect_failure
                expect_text "version 1 cgroups cannot deny"
        fi
}

# -------------------------------------------------------------------------------------------------------------- places

@test "all processes of the container are in its cgroup in every hierarchy" {
        config_args sh -c 'sleep 1000 & exec sleep 1000'
        start_detached
        wait_for running
        while IFS=: read -r _ name path; do
                if is_cgroup_v2; then [ -z "$name" ] || continue
                else [ -n "$name" ] || [ -e /sys/fs/cgroup/unified/cgroup.procs ] || continue; fi
                expect_equal "$path" "$(cgroup_of)" "the $name hierarchy"
        done <"/proc/$(container_pid)/cgroup"
        wait_until has_processes 2
}

has_processes() { [ "$(wc -l <"$(cgroup_dir "$(main_controller)")/cgroup.procs")" = "$1" ]; }
is_empty() { # or not even there: systemd removes what is empty
        local dir
        dir=$(cgroup_dir "$(main_controller)") && { [ ! -e "$dir" ] || has_processes 0; }
}
main_controller() { if is_cgroup_v2; then echo unified; else echo devices; fi; }

@test "a path with .. does not lead out" {
        needs_cgroupfs
        config '.linux.cgroupsPath = $p' --arg p "/../..$(dirname "$(cgroup_of)")/x/../$ID"
        sleeper
        grep -qw "$(container_pid)" "$(cgroup_dir "$(main_controller)")/cgroup.procs"
}

@test "the root of all cgroups is refused" {
        needs_cgroupfs
        config '.linux.cgroupsPath = "/x/.."'
        run run_container
        expect_failure
        expect_text cgroupsPath
}

@test "a cgroup with processes is refused and left alone" {
        needs_cgroupfs
        dir=$(cgroup_dir "$(main_controller)")
        mkdir -p "$dir"
        is_cgroup_v2 || skip_unless cgroup_v1
        sleep 1000 3>&- &
        echo $! >"$dir/cgroup.procs"
        run run_container
        expect_failure
        expect_text "cgroup is not empty"
        grep -qx $! "$dir/cgroup.procs"
}

@test "a frozen cgroup is refused" {
        needs_cgroupfs
        if is_cgroup_v2; then
                mkdir -p "$(cgroup_dir unified)"
                echo 1 >"$(cgroup_dir unified)/cgroup.freeze"
        else
                mkdir -p "$(cgroup_dir freezer)"
                echo FROZEN >"$(cgroup_dir freezer)/freezer.state"
        fi
        run run_container
        expect_failure
        expect_text frozen
}

@test "an empty cgroup that is there is used" {
        needs_cgroupfs
        mkdir -p "$(cgroup_dir "$(main_controller)")"
        config_args echo fine
        run run_container
        expect_status 0
        expect_output fine
}

@test "without cgroups: --cgroup-manager disabled" {
        before=$(cat /proc/self/cgroup)
        config_args cat /proc/self/cgroup
        config '.linux.namespaces |= map(select(.type != "cgroup"))'
        RUNTIME_FLAGS="--cgroup-manager disabled" run run_container
        expect_status 0
        expect_output "$before"
        expect_equal "$(left_over)" ""
}

@test "cgroups are gone after the container, also those that were made below" {
        needs_cgroupfs
        sleeper
        dir=$(cgroup_dir "$(main_controller)")
        mkdir -p "$dir/a/b/c" "$dir/a/d"
        runtime kill "$ID" KILL
        wait_for stopped
        runtime delete "$ID"
        expect_equal "$(left_over)" ""
}

@test "processes that outlive init are killed with the container" {
        share_pids
        config_args sh -c 'sleep 1000 & sleep 1000 & exit 0'
        start_detached
        wait_until has_processes 2
        runtime delete --force "$ID"
        expect_equal "$(left_over)" ""
}

@test "paused processes that outlive init are killed with the container" {
        share_pids
        config_args sh -c 'sleep 1000 & exec sleep 1000'
        start_detached
        wait_until has_processes 2
        runtime pause "$ID"
        runtime delete --force "$ID"
        expect_equal "$(left_over)" ""
}

@test "kill --all reaches every process" {
        share_pids
        config_args sh -c 'sleep 1000 & sleep 1000 & exec sleep 1000'
        start_detached
        wait_until has_processes 3
        runtime kill --all "$ID" KILL
        wait_until is_empty
}

# ---------------------------------------------------------------------------------------------------------------- exec

@test "exec joins the container's cgroups" {
        sleeper
        run runtime exec "$ID" cat /proc/self/cgroup
        expect_status 0
        expected=$(cat "/proc/$(container_pid)/cgroup")
        if [ "$(readlink "/proc/$(container_pid)/ns/cgroup")" = "$(readlink /proc/self/ns/cgroup)" ]; then
                expect_output "$expected"
        else
                expect_no_text "$TEST_CGROUP" "/.."
        fi
}

@test "exec --cgroup goes to a sub-cgroup" {
        needs_cgroupfs
        sleeper
        config '.linux.namespaces |= map(select(.type != "cgroup"))'
        while IFS=: read -r _ name _; do
                dir=$(cgroup_dir "${name:-unified}" 2>/dev/null) || dir=$(cgroup_dir "${name#name=}" 2>/dev/null) || continue
                mkdir -p "$dir/sub"
                [ ! -e "$dir/sub/cpuset.cpus" ] || is_cgroup_v2 || {
                        cat "$dir/cpuset.cpus" >"$dir/sub/cpuset.cpus"
                        cat "$dir/cpuset.mems" >"$dir/sub/cpuset.mems"
                }
        done </proc/self/cgroup
        runtime exec --cgroup sub --detach --pid-file "$TEST_DIR/pid" "$ID" sleep 1000 >/dev/null 2>&1
        run cat "/proc/$(cat "$TEST_DIR/pid")/cgroup"
        expect_text "$(cgroup_of)/sub"
        run runtime exec --cgroup ../../x "$ID" true
        expect_failure
        run runtime exec --cgroup nosuch "$ID" true
        expect_failure
        expect_text nosuch
}

@test "exec --cgroup CONTROLLER:PATH on version 1" {
        skip_unless cgroup_v1
        needs_cgroupfs
        sleeper
        mkdir -p "$(cgroup_dir pids)/sub"
        runtime exec --cgroup pids:sub --detach --pid-file "$TEST_DIR/pid" "$ID" sleep 1000 >/dev/null 2>&1
        run cat "/proc/$(cat "$TEST_DIR/pid")/cgroup"
        expect_text ":pids:$(cgroup_of)/sub"
        grep -q ":devices:$(cgroup_of)$" "/proc/$(cat "$TEST_DIR/pid")/cgroup"
        run runtime exec --cgroup nosuch:sub "$ID" true
        expect_failure
        expect_text nosuch
}

@test "exec follows init where the container's cgroup takes no processes any more" {
        skip_unless cgroup_v2 "controller pids"
        sleeper
        dir=$(cgroup_dir unified)
        mkdir "$dir/init"
        container_pid >"$dir/init/cgroup.procs"
        echo +pids >"$dir/cgroup.subtree_control"
        runtime exec --detach --pid-file "$TEST_DIR/pid" "$ID" sleep 1000 >/dev/null 2>&1
        run cat "/proc/$(cat "$TEST_DIR/pid")/cgroup"
        expect_text "$(cgroup_of)/init"
}
