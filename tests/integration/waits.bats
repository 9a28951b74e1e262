#!/usr/bin/env bats
# every wait has an end: whoever stops or freezes a process midway does not hold up the runtime
load lib
setup() {
        setup_bundle
        config_args sleep 1000
}
teardown() {
        freeze 0
        teardown_bundle
}

# freezer STATE - the file that freezes (1) the cgroup above those of the test's containers, or thaws it (0), and what to
# write to it; with systemd it is the container's own
freezer() {
        local path dir words=(THAWED FROZEN)
        path=$(cgroup_of)
        by_systemd || path=${path%/*}
        if is_cgroup_v2; then
                dir=$(cgroup_dir unified "$path") && echo "$dir/cgroup.freeze $1"
        else
                dir=$(cgroup_dir freezer "$path") && echo "$dir/freezer.state ${words[$1]}"
        fi
}

freeze() { # 1|0
        local file word
        read -r file word < <(freezer "$1") && [ -e "$file" ] || return 0
        echo "$word" >"$file" || true
}

# hook KIND COMMAND - a hook with the container's pid in $pid
hook() {
        printf '#!/bin/sh\npid=$(jq .pid)\n%s\n' "$2" >"$TEST_DIR/hook"
        chmod 755 "$TEST_DIR/hook"
        config '.hooks[$k] = [{path: $p, env: ["PATH=/usr/bin:/bin"]}]' --arg k "$1" --arg p "$TEST_DIR/hook"
}

freezing_hook() { # KIND
        local file word
        read -r file word < <(freezer 1)
        hook "$1" "echo $word >$file"
}

@test "a container whose first process is stopped while it is made is given up" {
        hook createRuntime 'kill -STOP "$pid"'
        run create_container
        expect_failure
        expect_text "stopped by a signal"
        [ ! -e "$STATE_ROOT/$ID" ]
        run run_container
        expect_failure
        expect_text "stopped by a signal"
        [ ! -e "$STATE_ROOT/$ID" ]
}

@test "a container whose cgroup is frozen while it is made is given up" {
        skip_unless cgroup
        freezing_hook createRuntime
        run create_container
        expect_failure
        expect_text frozen
        freeze 0
        runtime delete --force "$ID"
        [ ! -e "$STATE_ROOT/$ID" ]
}

@test "start does not wait for a first process that is frozen" {
        skip_unless cgroup
        ! by_systemd || skip "needs a cgroup above the container's: runs without --systemd-cgroup"
        create_container
        freeze 1
        run runtime start "$ID"
        expect_failure
        expect_text frozen
        freeze 0
        runtime delete --force "$ID"
}

@test "exec does not wait for a process that is frozen on its way in" {
        skip_unless cgroup
        ! by_systemd || skip "needs a cgroup above the container's: runs without --systemd-cgroup"
        start_detached
        freeze 1
        # the killed process keeps the output open until it is thawed: `run` would wait for that
        status=0
        runtime exec "$ID" true >"$TEST_DIR/out" 2>&1 || status=$?
        output=$(cat "$TEST_DIR/out")
        expect_failure
        expect_text frozen
        freeze 0
        run runtime exec "$ID" true
        expect_status 0
}

@test "exec --ignore-paused waits for the thaw" {
        start_detached
        runtime pause "$ID"
        runtime exec --ignore-paused "$ID" echo through >"$TEST_DIR/out" 2>&1 3>&- &
        sleep 13 # longer than others are waited for
        [ ! -s "$TEST_DIR/out" ]
        runtime resume "$ID"
        wait $!
        expect_equal "$(cat "$TEST_DIR/out")" through
}

@test "Ctrl-C ends a run whose startContainer hook hangs, with a terminal and without" {
        local terminal command
        skip_unless "program script"
        printf '#!/bin/sh\ntouch /hangs\nexec sleep 1000\n' >"$ROOTFS/bin/hang"
        chmod 755 "$ROOTFS/bin/hang"
        config '.hooks.startContainer = [{path: "/bin/hang", env: ["PATH=/bin"]}]'
        # shellcheck disable=SC2086
        printf -v command '%q ' "$RUNTIME" --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} run --bundle \
                "$BUNDLE" "$ID"
        for terminal in true false; do
                config '.process.terminal = $t' --argjson t "$terminal"
                rm -f "$ROOTFS/hangs"
                run timeout -k 5 "$RUNTIME_TIMEOUT" script -qec "$command" /dev/null < <(
                        wait_until test -e "$ROOTFS/hangs"
                        sleep 0.5
                        printf '\003'
                        sleep 30 3>&- &
                        echo $! >"$TEST_DIR/sleep"
                )
                kill "$(cat "$TEST_DIR/sleep")" || true
                expect_failure
                expect_text interrupted
                [ ! -e "$STATE_ROOT/$ID" ]
        done
}
