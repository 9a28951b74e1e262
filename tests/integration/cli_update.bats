# update: each limit, as it arrives in the cgroup.

load lib
setup() {
        setup_bundle
        skip_unless cgroup
        config_args sleep 1000
}
teardown() { teardown_bundle; }

update() { runtime update "$@"; }

@test "--memory, --memory-swap and --memory-reservation take sizes" {
        skip_unless "controller memory"
        config '.linux.resources.memory = {limit: 33554432, swap: 67108864}'
        start_detached
        update --memory 50m --memory-reservation 20M --memory-swap 100m "$ID"
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max)" 52428800
        expect_equal "$(cgroup_value memory memory.soft_limit_in_bytes memory.low)" 20971520
        if is_cgroup_v2; then
                expect_equal "$(cgroup_value memory - memory.swap.max)" 52428800
        elif [ -e "$(cgroup_dir memory)/memory.memsw.limit_in_bytes" ]; then
                expect_equal "$(cgroup_value memory memory.memsw.limit_in_bytes -)" 104857600
        fi
        update --memory -1 "$ID"
        if is_cgroup_v2; then
                expect_equal "$(cgroup_value memory - memory.max)" max
        else
                [ "$(cgroup_value memory memory.limit_in_bytes -)" -gt 1000000000000 ]
        fi
}

@test "--pids-limit" {
        skip_unless "controller pids"
        config '.linux.resources.pids.limit = 10'
        start_detached
        update --pids-limit 23 "$ID"
        expect_equal "$(cgroup_value pids pids.max pids.max)" 23
        update --pids-limit -1 "$ID"
        expect_equal "$(cgroup_value pids pids.max pids.max)" max
}

@test "--cpu-share, --cpu-quota, --cpu-period" {
        skip_unless "controller cpu"
        start_detached
        update --cpu-period 50000 --cpu-quota 25000 "$ID"
        if is_cgroup_v2; then
                expect_equal "$(cgroup_value cpu - cpu.max)" "25000 50000"
        else
                expect_equal "$(cgroup_value cpu cpu.cfs_quota_us -)" 25000
                expect_equal "$(cgroup_value cpu cpu.cfs_period_us -)" 50000
        fi
        update --cpu-quota 30000 "$ID"
        if is_cgroup_v2; then
                expect_equal "$(cgroup_value cpu - cpu.max)" "30000 50000"
        else
                expect_equal "$(cgroup_value cpu cpu.cfs_quota_us -)" 30000
                expect_equal "$(cgroup_value cpu cpu.cfs_period_us -)" 50000
        fi
        update --cpu-share 512 "$ID"
        if is_cgroup_v2; then
                [ "$(cgroup_value cpu - cpu.weight)" -lt 100 ]
        else
                expect_equal "$(cgroup_value cpu cpu.shares -)" 512
        fi
        update --cpu-quota -1 "$ID"
        if by_systemd; then # which keeps no period where there is no quota
                [[ $(cgroup_value cpu - cpu.max) =~ ^max\ (50|100)000$ ]] || fail "cpu.max: $(cgroup_value cpu - cpu.max)"
        elif is_cgroup_v2; then
                expect_equal "$(cgroup_value cpu - cpu.max)" "max 50000"
        else
                expect_equal "$(cgroup_value cpu cpu.cfs_quota_us -)" -1
        fi
}

has_file() { # CONTROLLER V1-FILE V2-FILE
        [ -e "$(cgroup_dir "$1")/$2" ] || [ -e "$(cgroup_dir "$1")/$3" ]
}

@test "--cpu-burst and --cpu-idle where the kernel has them" {
        skip_unless "controller cpu"
        start_detached
        has_file cpu cpu.cfs_burst_us cpu.max.burst || skip "needs Linux 5.14: runs on the CI machine"
        update --cpu-period 50000 --cpu-quota 25000 "$ID"
        update --cpu-burst 10000 "$ID"
        expect_equal "$(cgroup_value cpu cpu.cfs_burst_us cpu.max.burst)" 10000
        has_file cpu cpu.idle cpu.idle || skip "needs Linux 5.15: runs on the CI machine"
        update --cpu-idle 1 "$ID"
        expect_equal "$(cgroup_value cpu cpu.idle cpu.idle)" 1
        update --cpu-idle 0 "$ID"
        expect_equal "$(cgroup_value cpu cpu.idle cpu.idle)" 0
}

@test "--cpuset-cpus and --cpuset-mems" {
        skip_unless "controller cpuset"
        start_detached
        update --cpuset-cpus 0 --cpuset-mems 0 "$ID"
        expect_equal "$(cgroup_value cpuset cpuset.cpus cpuset.cpus)" 0
        expect_equal "$(cgroup_value cpuset cpuset.mems cpuset.mems)" 0
        run update --cpuset-cpus 4000 "$ID"
        expect_status 1
        expect_text cpuset.cpus
        run update --cpuset-cpus 99999 "$ID"
        expect_status 1
        expect_text 99999
}

@test "--blkio-weight" {
        skip_unless "controller blkio"
        start_detached
        has_file blkio blkio.weight io.weight || has_file blkio blkio.bfq.weight io.bfq.weight ||
                skip "needs an I/O scheduler with weights: runs with make check-amd64"
        update --blkio-weight 200 "$ID"
        grep -qs 200 "$(cgroup_dir blkio)"/blkio.weight "$(cgroup_dir blkio)"/blkio.bfq.weight
}

@test "--resources takes a document from a file or standard input, and nothing else then" {
        skip_unless "controller pids" "controller memory"
        start_detached
        echo '{"pids": {"limit": 31}, "memory": {"limit": 41943040}}' >"$TEST_DIR/resources.json"
        update --resources "$TEST_DIR/resources.json" "$ID"
        expect_equal "$(cgroup_value pids pids.max pids.max)" 31
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max)" 41943040
        echo '{"pids": {"limit": 32}}' | update -r - "$ID"
        expect_equal "$(cgroup_value pids pids.max pids.max)" 32
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max)" 41943040
        run update -r "$TEST_DIR/resources.json" --pids-limit 77 "$ID"
        expect_status 0
        expect_text ignored
        expect_equal "$(cgroup_value pids pids.max pids.max)" 31
}

@test "a wrong document or value names the place" {
        start_detached
        echo '{"memory": {"limit": "much"}}' >"$TEST_DIR/resources.json"
        run update -r "$TEST_DIR/resources.json" "$ID"
        expect_status 1
        expect_text resources.json memory.limit
        run update -r "$TEST_DIR/none.json" "$ID"
        expect_status 1
        expect_text none.json
        run update -r - "$ID" <<<'{'
        expect_status 1
        expect_text "standard input"
        run update --memory much "$ID"
        expect_status 1
        expect_text "option --memory" much
        run update --cpu-share -5 "$ID"
        expect_status 1
        expect_text "option --cpu-share"
        run update --blkio-weight 5000 "$ID"
        expect_status 1
}

@test "a resctrl schema without resctrl is refused" {
        [ ! -e /sys/fs/resctrl/schemata ] || skip "resctrl is mounted here: runs on the CI machine"
        start_detached
        run update --l3-cache-schema "L3:0=f" "$ID"
        expect_status 1
        run update --mem-bw-schema "MB:0=50" "$ID"
        expect_status 1
}

@test "update of a container that is not there, and without options" {
        run update --pids-limit 5 no-such-container
        expect_status 1
        expect_text "container does not exist"
        start_detached
        run update "$ID"
        expect_status 0
        config_args true
        runtime delete --force "$ID"
        start_detached
        wait_for stopped
        run update --pids-limit 5 "$ID"
        expect_failure
}

@test "rules for devices are left as they are, as with runc" {
        skip_unless cgroup_v1 cgroup
        config '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229, access: "rw"}]'
        start_detached
        local before
        before=$(cat "$(cgroup_dir devices)/devices.list")
        echo '{"devices": [{"allow": true, "access": "rwm"}], "pids": {"limit": 33}}' | update -r - "$ID"
        expect_equal "$(cat "$(cgroup_dir devices)/devices.list")" "$before" "device rules"
        ln -s "$RUNTIME" "$TEST_DIR/crun"
        echo '{"devices": [{"allow": true, "access": "rwm"}]}' | "$TEST_DIR/crun" --root "$STATE_ROOT" update -r - "$ID"
        [ "$(cat "$(cgroup_dir devices)/devices.list")" != "$before" ] || fail "crun's update changed nothing"
}
