# sd_notify: a container tells the service manager that started it that it is ready
load lib

setup() {
        setup_bundle
        TOOL=$CORACLE_BUILD/tests/integration/tools/tool-notify
        [ -x "$TOOL" ] || { echo "there is no $TOOL"; return 1; }
        cp "$TOOL" "$ROOTFS/bin/tool-notify"
        MESSAGES=$TEST_DIR/messages
        export NOTIFY_SOCKET=$TEST_DIR/manager.sock
        MANAGER=
}

teardown() {
        [ -z "$MANAGER" ] || kill "$MANAGER"
        teardown_bundle
}

# manage [NAME] - be the service manager
manage() {
        "$TOOL" listen "${1:-$NOTIFY_SOCKET}" >"$MESSAGES" 3>&- &
        MANAGER=$!
        [[ ${1:-/} == @* ]] || wait_until test -S "${1:-$NOTIFY_SOCKET}"
}

# container COMMAND - a shell in the container
container() { config_args sh -c "$1"; }

@test "a detached run returns when the container is ready, and tells who its main process is" {
        manage
        container 'touch /before; tool-notify send "READY=1"; exec sleep 1000'
        start_detached
        [ -e "$ROOTFS/before" ]
        wait_until grep -q BARRIER "$MESSAGES"
        expect_equal "$(cat "$MESSAGES")" "READY=1 MAINPID=$(container_pid) "$'\n'"BARRIER=1+fd" messages
        wait_for running
}

@test "start waits for what create prepared" {
        manage
        container 'tool-notify send "STATUS=warming up" "X=1\nREADY=1\nSTATUS=done"; exec sleep 1000'
        create_container
        expect_equal "$(cat "$MESSAGES")" "" "messages of create"
        runtime start "$ID"
        wait_until grep -q BARRIER "$MESSAGES"
        expect_equal "$(head -n 1 "$MESSAGES")" "READY=1 MAINPID=$(container_pid) " message
}

@test "what a container writes is not passed on as it came" {
        manage
        container 'tool-notify send "MAINPID=1" "READY=2" "XREADY=1" "STOPPING=1\nWATCHDOG=trigger" "FDSTORE=1" \
                "READY=1\nMAINPID=1\nSTATUS=evil"; exec sleep 1000'
        start_detached
        wait_until grep -q BARRIER "$MESSAGES"
        expect_equal "$(head -n 1 "$MESSAGES")" "READY=1 MAINPID=$(container_pid) " message
        expect_equal "$(wc -l <"$MESSAGES")" 2 "number of messages"
}

@test "a container that ends without being ready does not keep start waiting" {
        manage
        container 'tool-notify send STATUS=failing; sleep 0.3; exit 3'
        create_container
        RUNTIME_TIMEOUT=20 runtime start "$ID"
        wait_for stopped
        expect_equal "$(cat "$MESSAGES")" "" messages
}

@test "a container that is deleted meanwhile does not keep start waiting" {
        manage
        container 'touch /begun; sleep 1000'
        create_container
        runtime start "$ID" &
        local starter=$!
        wait_until test -e "$ROOTFS/begun" # it is running a moment before it is told to start
        runtime kill "$ID" KILL
        wait "$starter"
        runtime delete "$ID"
}

@test "in the foreground the runtime itself is the main process, and the container goes on to its end" {
        manage
        container 'tool-notify send READY=1 && tool-notify barrier && tool-notify send READY=1 && exit 7'
        run run_container
        expect_status 7
        wait_until grep -q READY=1 "$MESSAGES"
        expect_equal "$(wc -l <"$MESSAGES")" 1 "number of messages"
        expect_equal "$(sed 's/[0-9]* $//' "$MESSAGES")" "READY=1 MAINPID=" message
}

@test "a barrier of the container is answered" {
        manage
        container 'tool-notify barrier && exit 9'
        run run_container
        expect_status 9
}

@test "the manager's socket may be an abstract one" {
        NOTIFY_SOCKET=@coracle-test-$ID
        manage "$NOTIFY_SOCKET"
        container 'tool-notify send READY=1; exec sleep 1000'
        wait_until grep -q "$NOTIFY_SOCKET" /proc/net/unix
        start_detached
        wait_until grep -q BARRIER "$MESSAGES"
}

@test "a manager that is not there is only a warning" {
        container 'tool-notify send READY=1; exec sleep 1000'
        run start_detached
        expect_status 0
        wait_for running
        run cat "$TEST_DIR/$ID.out"
        expect_text "$NOTIFY_SOCKET"
}

@test "any user of the container may say so, and nobody there can change the folder" {
        manage
        config '.process.user.uid = 1000 | .process.user.gid = 1000'
        container 'touch /run/notify/x; tool-notify send READY=1; exec sleep 1000'
        chmod 1777 "$ROOTFS"
        start_detached
        wait_until grep -q BARRIER "$MESSAGES"
        run cat "$TEST_DIR/$ID.out"
        expect_text "Read-only file system"
}

@test "it works with a user namespace" {
        skip_unless root userns
        manage
        config '.linux.namespaces += [{type: "user"}] |
                .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
                .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
        chown -R 100000:100000 "$ROOTFS"
        container 'tool-notify send READY=1; exec sleep 1000'
        start_detached
        wait_until grep -q BARRIER "$MESSAGES"
        expect_equal "$(head -n 1 "$MESSAGES")" "READY=1 MAINPID=$(container_pid) " message
}

@test "without a service manager there is neither variable nor mount" {
        unset NOTIFY_SOCKET
        container 'echo "[$NOTIFY_SOCKET]"; ls /run/notify'
        run run_container
        expect_text "[]" "No such file"
}

@test "systemd starts a unit of Type=notify when the container is ready" {
        skip_unless systemd
        local unit=coracle-test-$ID
        container 'sleep 1; touch /before; tool-notify send READY=1; exec sleep 1000'
        unset NOTIFY_SOCKET
        # shellcheck disable=SC2086
        run systemd-run "$(manager_flag)" --unit "$unit" -p Type=notify -p NotifyAccess=all -p TimeoutStartSec=60 \
                --setenv "CORACLE_LIBEXEC=$CORACLE_LIBEXEC" \
                "$RUNTIME" --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} run --bundle "$BUNDLE" "$ID"
        expect_status 0
        [ -e "$ROOTFS/before" ]
        expect_equal "$(systemctl "$(manager_flag)" is-active "$unit")" active state
        systemctl "$(manager_flag)" stop "$unit"
        systemctl "$(manager_flag)" reset-failed "$unit" 2>/dev/null || true
}
