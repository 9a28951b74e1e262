# The options of exec, each with its effect.

load lib
setup() {
        setup_bundle
        config_args sleep 1000
}
teardown() { teardown_bundle; }

exec_in() { runtime exec "$@" </dev/null; }

@test "exec runs a program in the container and returns its exit code" {
        start_detached
        run exec_in "$ID" sh -c 'echo out; hostname; exit 7'
        expect_status 7
        expect_text out "$(jq -r .hostname "$BUNDLE/config.json")"
        run exec_in "$ID" sh -c 'kill -KILL $$'
        expect_status 137
}

@test "options behind the container's id belong to the program" {
        start_detached
        run exec_in "$ID" echo --user 7 -x --help
        expect_status 0
        expect_output "--user 7 -x --help"
        run exec_in "$ID" -- echo -n --
        expect_output "--"
        run exec_in -- "$ID" echo x
        expect_output x
}

@test "exec without a program, and in a container that is not there" {
        start_detached
        run exec_in "$ID"
        expect_status 255
        expect_text "exec args cannot be empty"
        run exec_in no-such-container true
        expect_status 255
        expect_text "container does not exist"
        run exec_in
        expect_status 1
}

@test "a program that is missing or may not be run" {
        start_detached
        run -127 exec_in "$ID" no-such-program
        expect_text "executable file not found in \$PATH"
        run exec_in "$ID" /etc/passwd
        expect_status 126
        expect_text "permission denied"
        ln -s "$RUNTIME" "$TEST_DIR/runc"
        run "$TEST_DIR/runc" --root "$STATE_ROOT" exec "$ID" no-such-program
        expect_status 255
}

@test "--env adds, and replaces" {
        config '.process.env += ["COLOUR=red"]'
        start_detached
        run exec_in --env A=1 -e B=2 -e COLOUR=blue "$ID" sh -c 'echo $A $B $COLOUR'
        expect_output "1 2 blue"
}

@test "--cwd is the working directory" {
        start_detached
        run exec_in --cwd /tmp "$ID" pwd
        expect_output /tmp
        run exec_in --cwd /no/such/dir "$ID" pwd
        expect_failure
        expect_text /no/such/dir
}

@test "--user and --additional-gids are numbers" {
        start_detached
        run exec_in --user 1000 "$ID" sh -c 'echo $(id -u) $(id -g)'
        expect_output "1000 0"
        run exec_in -u 1000:2000 "$ID" sh -c 'echo $(id -u) $(id -g)'
        expect_output "1000 2000"
        run exec_in -u 1000:2000 --additional-gids 7 -g 8 "$ID" id -G
        expect_match '(^| )7( |$)' '(^| )8( |$)'
        local user
        for user in root 1000: :1 -1 4294967296 1:4294967296 1:-1 " 1" 0x1 1:2:3; do
                run exec_in --user "$user" "$ID" id
                expect_status 255
        done
        run exec_in --additional-gids -1 "$ID" id
        expect_status 255
}

@test "--cap adds a capability" {
        start_detached
        run exec_in "$ID" grep CapEff /proc/self/status
        local before=${output##*[[:space:]]}
        run exec_in --cap CAP_CHOWN "$ID" grep CapEff /proc/self/status
        local after=${output##*[[:space:]]}
        expect_equal "$((0x$after))" "$((0x$before | 1))" "capabilities"
        run exec_in --cap CAP_CHOWN "$ID" grep CapInh /proc/self/status
        expect_match '0000000000000000$'
}

@test "--no-new-privs" {
        config '.process.noNewPrivileges = false'
        start_detached
        run exec_in "$ID" grep NoNewPrivs /proc/self/status
        expect_match '0$'
        run exec_in --no-new-privs "$ID" grep NoNewPrivs /proc/self/status
        expect_match '1$'
}

@test "--process takes all from a file" {
        start_detached
        jq '.process | .args = ["sh", "-c", "echo $WHO; id -u; pwd"] | .env += ["WHO=me"] | .user.uid = 5 | .cwd = "/tmp"' \
                "$BUNDLE/config.json" >"$TEST_DIR/process.json"
        run exec_in --process "$TEST_DIR/process.json" "$ID"
        expect_status 0
        expect_output $'me\n5\n/tmp'
        echo '{"args": 5}' >"$TEST_DIR/process.json"
        run exec_in -p "$TEST_DIR/process.json" "$ID"
        expect_status 255
        expect_text "args" "expected"
        run exec_in -p "$TEST_DIR/none.json" "$ID"
        expect_status 255
        expect_text none.json
}

@test "--tty gives a terminal" {
        skip_unless "program script"
        start_detached
        run timeout "$RUNTIME_TIMEOUT" script -qec "'$RUNTIME' --root '$STATE_ROOT' exec --tty '$ID' tty" /dev/null </dev/null
        expect_match '/dev/(pts/[0-9]+|console)'
        run exec_in "$ID" tty
        expect_text "not a tty"
}

@test "--detach returns while the program runs, --pid-file names it" {
        skip_unless cgroup # for ps
        start_detached
        runtime exec --detach --pid-file "$TEST_DIR/pid" "$ID" sh -c 'echo x >/mark; sleep 1000' </dev/null \
                >"$TEST_DIR/out" 2>&1
        wait_until test -e "$ROOTFS/mark"
        local pid
        pid=$(cat "$TEST_DIR/pid")
        kill -0 "$pid"
        [[ $(runtime ps -f json "$ID") == *"$pid"* ]] || fail "not among the container's processes"
}

@test "--console-socket and --pidfd-socket receive descriptors" {
        skip_unless "program python3"
        start_detached
        cat >"$TEST_DIR/receive.py" <<'PY'
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + ".new")
s.listen(1)
os.rename(sys.argv[1] + ".new", sys.argv[1])
s.settimeout(30)
c, _ = s.accept()
data, fds, _, _ = socket.recv_fds(c, 4096, 8)
print(os.readlink(f"/proc/self/fd/{fds[0]}"))
while not os.path.exists(sys.argv[2]):  # without its terminal, the process is hung up
    time.sleep(0.05)
PY
        timeout "$RUNTIME_TIMEOUT" python3 "$TEST_DIR/receive.py" "$TEST_DIR/console" "$TEST_DIR/done" >"$TEST_DIR/console.out" 3>&- &
        local console=$!
        timeout "$RUNTIME_TIMEOUT" python3 "$TEST_DIR/receive.py" "$TEST_DIR/pidfd" "$TEST_DIR/done" >"$TEST_DIR/pidfd.out" 3>&- &
        local pidfd=$!
        wait_until test -S "$TEST_DIR/console"
        wait_until test -S "$TEST_DIR/pidfd"
        runtime exec --tty --detach --console-socket "$TEST_DIR/console" --pidfd-socket "$TEST_DIR/pidfd" "$ID" \
                sleep 1000 </dev/null >"$TEST_DIR/out" 2>&1 || fail "$(cat "$TEST_DIR/out")"
        touch "$TEST_DIR/done"
        wait "$console" "$pidfd"
        grep -q 'ptmx' "$TEST_DIR/console.out"
        grep -q 'pidfd' "$TEST_DIR/pidfd.out"
}

@test "--preserve-fds passes descriptors on" {
        start_detached
        echo three >"$TEST_DIR/3"
        run bash -c 'exec "$0" --root "$1" exec --preserve-fds 1 "$2" sh -c "cat <&3; ls /proc/self/fd" 3<"$3" 4<"$3" </dev/null' \
                "$RUNTIME" "$STATE_ROOT" "$ID" "$TEST_DIR/3"
        expect_status 0
        expect_text three
        refute grep -qx 5 <<<"$output"
}

@test "--cgroup puts the process below the container's cgroup" {
        skip_unless "controller pids"
        start_detached
        mkdir "$(cgroup_dir pids)/sub"
        if is_cgroup_v2; then
                run exec_in --cgroup sub "$ID" cat /proc/self/cgroup
        else
                run exec_in --cgroup pids:sub "$ID" cat /proc/self/cgroup
        fi
        expect_status 0
        expect_match '/sub'
        local up=pids:../..
        is_cgroup_v2 && up=../..
        if runtime exec --cgroup $up --detach --pid-file "$TEST_DIR/pid" "$ID" sleep 1000 </dev/null >/dev/null 2>&1; then
                grep -qxE "[0-9]+:(.*,)?(pids)?(,.*)?:$(cgroup_of)" "/proc/$(cat "$TEST_DIR/pid")/cgroup"
        fi
        run exec_in --cgroup no-such-group "$ID" true
        expect_failure
}

@test "a paused container takes no exec, but with --ignore-paused it runs once resumed" {
        skip_unless "controller freezer"
        start_detached
        runtime pause "$ID"
        run exec_in "$ID" true
        expect_status 255
        expect_text paused
        (exec_in --ignore-paused "$ID" sh -c 'echo done >/mark' 3>&-) &
        local waiting=$!
        sleep 0.3
        [ ! -e "$ROOTFS/mark" ]
        runtime resume "$ID"
        wait "$waiting"
        expect_equal "$(cat "$ROOTFS/mark")" "done"
}

@test "exec into a stopped container is refused" {
        config_args true
        start_detached
        wait_for stopped
        run exec_in "$ID" true
        expect_status 255
        expect_match 'stopped|not running'
}

@test "an SELinux label or AppArmor profile without that module is refused" {
        [ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is on here: runs on the CI machine"
        start_detached
        run exec_in --process-label system_u:system_r:container_t:s0 "$ID" true
        expect_status 255
        [ -e /sys/module/apparmor/parameters/enabled ] && grep -q Y /sys/module/apparmor/parameters/enabled &&
                skip "AppArmor is on here: its half runs on the CI machine"
        run exec_in --apparmor some-profile "$ID" true
        expect_status 255
        expect_match '[Aa]pp[Aa]rmor'
}

@test "exec does not take over the umask of whoever calls it" {
        config_args sleep 1000
        start_detached
        run bash -c 'umask 077; exec "$@"' -- "$RUNTIME" --root "$STATE_ROOT" exec "$ID" sh -c umask
        expect_status 0
        expect_output 0022
}
