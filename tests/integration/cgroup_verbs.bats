#!/usr/bin/env bats
# pause, resume, update and events (OR-04, OR-05, OR-06).

load lib

setup() {
        setup_bundle
        skip_unless cgroup
}
teardown() { teardown_bundle; }

sleeper() {
        config_args sleep 1000
        start_detached
        wait_for running
}

# -------------------------------------------------------------------------------------------------------- pause, resume

frozen() {
        if is_cgroup_v2; then grep -q "frozen 1" "$(cgroup_dir unified)/cgroup.events"
        else grep -q FROZEN "$(cgroup_dir freezer)/freezer.state"; fi
}

@test "a paused container stands still, a resumed one goes on" {
        config_args sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/tmp/count; sleep 0.01; done'
        start_detached
        wait_until test -s "$ROOTFS/tmp/count"
        runtime pause "$ID"
        frozen
        expect_equal "$(container_state)" paused
        before=$(cat "$ROOTFS/tmp/count")
        sleep 0.3
        expect_equal "$(cat "$ROOTFS/tmp/count")" "$before"
        runtime resume "$ID"
        expect_equal "$(container_state)" running
        wait_until counts_from "$before"
}

# Frozen between the opening and the writing of the file, the container had left it empty.
counts_from() { [ "$(cat "$ROOTFS/tmp/count")" -gt "${1:-0}" ]; }

@test "a container that forks all the time can be paused" {
        config_args sh -c 'while :; do (:); done'
        start_detached
        wait_for running
        for _ in 1 2 3 4 5; do
                runtime pause "$ID"
                frozen
                runtime resume "$ID"
        done
}

@test "pause and resume of what is not running are refused" {
        run runtime pause "$ID"
        expect_failure
        sleeper
        run runtime resume "$ID"
        expect_failure
        runtime kill "$ID" KILL
        wait_for stopped
        run runtime pause "$ID"
        expect_failure
}

# --------------------------------------------------------------------------------------------------------------- update

@test "update by flags" {
        skip_unless "controller memory" "controller cpu" "controller pids"
        config '.linux.resources.memory = {limit: 67108864, swap: 134217728}'
        sleeper
        runtime update --memory 50331648 --memory-reservation 16777216 --pids-limit 44 --cpu-share 2048 --cpu-quota 30000 \
                --cpu-period 60000 "$ID"
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max)" 50331648
        expect_equal "$(cgroup_value memory memory.soft_limit_in_bytes memory.low)" 16777216
        expect_equal "$(cgroup_value pids pids.max pids.max)" 44
        if is_cgroup_v2; then
                expect_equal "$(cat "$(cgroup_dir cpu)/cpu.max")" "30000 60000"
                expect_equal "$(cat "$(cgroup_dir cpu)/cpu.weight")" 174
        else
                expect_equal "$(cat "$(cgroup_dir cpu)/cpu.cfs_quota_us")" 30000
                expect_equal "$(cat "$(cgroup_dir cpu)/cpu.cfs_period_us")" 60000
                expect_equal "$(cat "$(cgroup_dir cpu)/cpu.shares")" 2048
        fi
}

@test "update: a quota alone keeps the period, and the other way round" {
        skip_unless "controller cpu"
        config '.linux.resources.cpu = {quota: 20000, period: 50000}'
        sleeper
        runtime update --cpu-quota 25000 "$ID"
        runtime update --cpu-period 100000 "$ID"
        if is_cgroup_v2; then
                expect_equal "$(cat "$(cgroup_dir cpu)/cpu.max")" "25000 100000"
        else
                expect_equal "$(cat "$(cgroup_dir cpu)/cpu.cfs_quota_us")" 25000
                expect_equal "$(cat "$(cgroup_dir cpu)/cpu.cfs_period_us")" 100000
        fi
}

@test "update from a document on standard input and in a file" {
        skip_unless "controller pids"
        sleeper
        runtime update --resources - "$ID" <<<'{"pids": {"limit": 55}}'
        expect_equal "$(cgroup_value pids pids.max pids.max)" 55
        echo '{"pids": {"limit": -1}}' >"$TEST_DIR/update.json"
        runtime update -r "$TEST_DIR/update.json" "$ID"
        expect_equal "$(cgroup_value pids pids.max pids.max)" max
        run runtime update --resources - "$ID" <<<'{"pids": {"limit": "many"}}'
        expect_failure
        expect_text pids.limit
}

@test "update: memory and swap grow and shrink together" {
        skip_unless "controller memory"
        config '.linux.resources.memory = {limit: 33554432, swap: 50331648}'
        sleeper
        runtime update --memory 134217728 --memory-swap 268435456 "$ID"
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max)" 134217728
        runtime update --memory 33554432 --memory-swap 33554432 "$ID"
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max)" 33554432
        if is_cgroup_v2; then swap=0; else swap=33554432; fi
        expect_equal "$(cgroup_value memory memory.memsw.limit_in_bytes memory.swap.max)" "$swap"
        runtime update --memory -1 "$ID"
        if is_cgroup_v2; then none=max; else none=9223372036854771712; fi
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max)" "$none"
        expect_equal "$(cgroup_value memory memory.memsw.limit_in_bytes memory.swap.max)" "$none"
}

@test "update: a limit below the usage is refused when the document asks to check" {
        skip_unless "controller memory"
        config '.linux.resources.memory = {limit: 67108864, swap: 67108864}'
        config_args sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=20 2>/dev/null; echo done; exec sleep 1000'
        start_detached
        wait_until grep -q "done" "$TEST_DIR/$ID.out"
        run runtime update --resources - "$ID" <<<'{"memory": {"limit": 1048576, "swap": 1048576, "checkBeforeUpdate": true}}'
        expect_failure
        expect_text usage
        expect_equal "$(container_state)" running
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max)" 67108864
}

@test "update: cpuset and idle" {
        skip_unless "controller cpuset" "kernel 5.15"
        sleeper
        runtime update --cpuset-cpus 0 --cpuset-mems 0 --cpu-idle 1 "$ID"
        expect_equal "$(cgroup_value cpuset cpuset.cpus cpuset.cpus)" 0
        expect_equal "$(cgroup_value cpu cpu.idle cpu.idle)" 1
}

@test "update: device rules of a running container, as crun has it" {
        skip_unless root
        ln -s "$RUNTIME" "$TEST_DIR/crun" # runc leaves them alone
        RUNTIME=$TEST_DIR/crun
        config '.process.capabilities = (.process.capabilities | map_values((. // []) + ["CAP_MKNOD"]))'
        config_args sh -c 'mknod /dev/fuse1 c 10 229; touch /tmp/ready; exec sleep 1000'
        start_detached
        wait_until test -e "$ROOTFS/tmp/ready"
        run runtime exec "$ID" sh -c ': </dev/fuse1'
        expect_text "Operation not permitted"
        runtime update --resources - "$ID" <<<'{"devices": [{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "r"}]}'
        run runtime exec "$ID" sh -c ': </dev/null && echo null; : </dev/fuse1'
        expect_text null
        expect_no_text "Operation not permitted"
        runtime update --resources - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
        run runtime exec "$ID" sh -c ': </dev/null && echo null; : </dev/fuse1'
        expect_failure
        expect_text null "Operation not permitted"
}

# --------------------------------------------------------------------------------------------------------------- events

@test "events --stats shows what the kernel counts" {
        skip_unless "controller memory" "controller pids"
        config '.linux.resources = ((.linux.resources // {}) + {memory: {limit: 67108864}, pids: {limit: 66}})'
        config_args sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; echo done; exec sleep 1000'
        start_detached
        wait_until grep -q "done" "$TEST_DIR/$ID.out"
        run runtime events --stats "$ID"
        expect_status 0
        jq -e --arg id "$ID" '.type == "stats" and .id == $id' <<<"$output"
        jq -e '.data.memory.usage.limit == 67108864 and .data.memory.usage.usage > 0' <<<"$output"
        jq -e '.data.pids.limit == 66 and .data.pids.current == 1' <<<"$output"
        jq -e '.data.cpu.usage.total > 0 and (.data.cpu.usage | has("kernel") and has("user"))' <<<"$output"
        jq -e '.data.memory.raw | length > 10' <<<"$output"
        jq -e '.data | has("blkio") and has("hugetlb") and has("cpuset") and has("intel_rdt")' <<<"$output"
        is_cgroup_v2 || jq -e '.data.cpu.usage.percpu | length >= 1' <<<"$output"
}

@test "events tells of processes killed for memory" {
        skip_unless "controller memory"
        config '.linux.resources.memory = {limit: 16777216, swap: 16777216}'
        config_args sh -c 'while [ ! -e /tmp/go ]; do sleep 0.05; done; tail -c 64m </dev/zero >/dev/null; exec sleep 1000'
        start_detached
        wait_for running
        runtime events --interval 2s "$ID" >"$TEST_DIR/events" 2>&1 3>&- &
        wait_until grep -q '"type":"stats"' "$TEST_DIR/events" # it watches
        touch "$ROOTFS/tmp/go"
        wait_until grep -q '"type":"oom"' "$TEST_DIR/events"
        runtime kill "$ID" KILL
        wait $! # events ends with the container
}

@test "a created container that is paused says so, does not start, and can be resumed" {
        create_container
        runtime pause "$ID"
        expect_equal "$(container_state)" paused
        run runtime start "$ID"
        expect_status 1
        expect_text paused
        runtime resume "$ID"
        expect_equal "$(container_state)" created
        runtime start "$ID"
}

@test "KILL ends a paused container" {
        config_args sleep 1000
        start_detached
        runtime pause "$ID"
        runtime kill "$ID" KILL
        wait_for stopped
}
