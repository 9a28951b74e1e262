#!/usr/bin/env bats
# The tests test the tests: what the other files rely on in lib.bash.

load lib

setup() { setup_bundle; }
teardown() { teardown_bundle; }

@test "a container of the plain bundle runs and its output and status arrive" {
        config_args sh -c 'echo "hello from $$"; exit 3'
        run run_container
        expect_status 3
        expect_output "hello from 1"
}

@test "config and config_args change config.json" {
        config '.hostname = $name' --arg name blue
        config_args hostname
        run run_container
        expect_status 0
        expect_output blue
}

@test "a detached container is seen, found in its cgroup, and removed by the teardown" {
        config_args sleep 1000
        start_detached
        wait_for running
        pid=$(container_pid)
        if is_cgroup_v2; then dir=$(cgroup_dir unified); else dir=$(cgroup_dir freezer); fi
        grep -qw "$pid" "$dir/cgroup.procs"

        name=$TEST_CGROUP dir=$TEST_DIR
        teardown_bundle
        [ ! -e "$dir" ]
        wait_until process_is_gone "$pid"
        expect_equal "$(find /sys/fs/cgroup -maxdepth 2 -name "$name*" 2>/dev/null)" "" # others come and go meanwhile, of which find complains
}

@test "the teardown removes processes and cgroups that no runtime knows" {
        config_args sleep 1000
        start_detached
        pid=$(container_pid)
        rm -rf "$STATE_ROOT"
        teardown_bundle
        wait_until process_is_gone "$pid"
}

give_up_at_once() { WAIT_SECONDS=0 wait_until false; }

@test "expectations fail when they should" {
        run echo some text
        expect_status 0
        refute expect_status 1
        refute expect_failure
        refute expect_output some
        refute expect_text "other"
        refute expect_no_text "some"
        refute expect_match '^text'
        refute expect_equal a b
        refute give_up_at_once
        refute refute true
        refute skip_unless nonsense
}
