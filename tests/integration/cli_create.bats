# The options of create and run, and of kill and delete; each with its effect.

load lib
setup() { setup_bundle; }
teardown() { teardown_bundle; }

# receive_fd SOCKET FILE [PYTHON] - take a descriptor from whoever connects to SOCKET, run PYTHON with it as `fd` (default:
# what it is a link to), and write what it prints to FILE; in the background, $! is to be waited for
receive_fd() {
        cat >"$TEST_DIR/receive.py" <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + ".new")
s.listen(1)
os.rename(sys.argv[1] + ".new", sys.argv[1]) # whoever finds it can connect
s.settimeout(30)
c, _ = s.accept()
c.settimeout(30)
data, fds, _, _ = socket.recv_fds(c, 4096, 8)
fd = fds[0]
print(len(fds), data.decode(errors="replace"))
exec(sys.argv[2])
PY
        timeout "$RUNTIME_TIMEOUT" python3 "$TEST_DIR/receive.py" "$1" "${3:-print(os.readlink(f'/proc/self/fd/{fd}'))}" >"$2" 2>&1 3>&- &
        wait_until test -S "$1"
}

@test "create waits for start, and the program runs then" {
        config_args sh -c 'echo started >/mark; sleep 60'
        create_container
        expect_equal "$(container_state)" created
        [ ! -e "$ROOTFS/mark" ]
        runtime start "$ID"
        wait_until test -e "$ROOTFS/mark"
        expect_equal "$(container_state)" running
        run runtime start "$ID"
        expect_failure
}

@test "run returns the program's exit code and deletes the container" {
        config_args sh -c 'echo output; exit 42'
        run run_container
        expect_status 42
        expect_output output
        run runtime list -q
        expect_output ""
        config_args sh -c 'kill -TERM $$; sleep 1'
        run run_container
        expect_status 0 # the first process of a pid namespace gets no signal that it does not handle
        config_args sh -c 'trap "exit 9" TERM; kill -TERM $$; sleep 1'
        run run_container
        expect_status 9
}

@test "--bundle: by default the working directory is the bundle" {
        config_args echo here
        cd "$BUNDLE"
        run timeout "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT" run "$ID" 3>&-
        expect_status 0
        expect_output here
        cd "$TEST_DIR"
        run timeout "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT" run --bundle bundle "$ID" 3>&-
        expect_output here
        run runtime run --bundle "$TEST_DIR/nowhere" "$ID"
        expect_status 1
        expect_text "nowhere"
}

@test "--config names another configuration, from the working directory" {
        config_args echo one
        cp "$BUNDLE/config.json" "$TEST_DIR/other.json"
        config_args echo two
        cd "$TEST_DIR"
        run runtime run --bundle "$BUNDLE" --config other.json "$ID"
        expect_status 0
        expect_output one
        run runtime run --bundle "$BUNDLE" -f "$TEST_DIR/other.json" "$ID"
        expect_output one
}

@test "--pid-file holds the number of the first process" {
        config_args sleep 60
        cd "$TEST_DIR"
        create_container "$ID" --pid-file pid
        expect_equal "$(cat "$TEST_DIR/pid")" "$(container_pid)"
}

@test "--pidfd-socket receives a descriptor of the first process" {
        skip_unless "program python3"
        config_args sleep 60
        receive_fd "$TEST_DIR/socket" "$TEST_DIR/received" \
                "print(next(l.split()[1] for l in open(f'/proc/self/fdinfo/{fd}') if l.startswith('Pid:')))"
        local receiver=$!
        create_container "$ID" --pidfd-socket "$TEST_DIR/socket"
        wait "$receiver"
        expect_equal "$(tail -n 1 "$TEST_DIR/received")" "$(container_pid)"
}

@test "--console-socket receives the terminal" {
        skip_unless "program python3"
        config '.process.terminal = true'
        config_args sh -c 'tty; echo done'
        receive_fd "$TEST_DIR/socket" "$TEST_DIR/received" "
import time
text = b''
end = time.time() + 30
while b'done' not in text and time.time() < end:
    try: text += os.read(fd, 1024)
    except OSError: time.sleep(0.05)
print(text.decode())"
        local receiver=$!
        create_container "$ID" --console-socket "$TEST_DIR/socket"
        runtime start "$ID"
        wait "$receiver"
        grep -q /dev/console "$TEST_DIR/received" || grep -q /dev/pts/0 "$TEST_DIR/received" || fail "$(cat "$TEST_DIR/received")"
        grep -q "done" "$TEST_DIR/received"
}

@test "a terminal needs a console socket when detached, and the socket a terminal" {
        config '.process.terminal = true'
        config_args true
        run runtime create --bundle "$BUNDLE" "$ID"
        expect_status 1
        expect_text "console socket"
        config '.process.terminal = false'
        run runtime create --bundle "$BUNDLE" --console-socket "$TEST_DIR/socket" "$ID"
        expect_status 1
        expect_text "console socket"
        run runtime list -q
        expect_output ""
}

@test "--preserve-fds passes descriptors on, and no more than asked for" {
        config_args sh -c 'ls /proc/self/fd; cat <&3; cat <&4'
        echo three >"$TEST_DIR/3"
        echo four >"$TEST_DIR/4"
        run bash -c 'exec "$0" --root "$1" run --bundle "$2" --preserve-fds 2 "$3" 3<"$4/3" 4<"$4/4" 5<"$4/4" </dev/null' \
                "$RUNTIME" "$STATE_ROOT" "$BUNDLE" "$ID" "$TEST_DIR"
        expect_status 0
        expect_text three four
        refute grep -qx 6 <<<"$output"
        run runtime run --bundle "$BUNDLE" --preserve-fds 9 "$ID"
        expect_failure
}

@test "LISTEN_FDS are passed on with their number" {
        config_args sh -c 'echo "$LISTEN_FDS $LISTEN_PID"; cat <&3; cat <&4'
        echo three >"$TEST_DIR/3"
        echo four >"$TEST_DIR/4"
        run bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" --root "$1" run --bundle "$2" --preserve-fds 1 "$3" \
                3<"$4/3" 4<"$4/4" </dev/null' "$RUNTIME" "$STATE_ROOT" "$BUNDLE" "$ID" "$TEST_DIR"
        expect_status 0
        expect_output $'1 1\nthree\nfour'
}

@test "--no-pivot enters the root all the same" {
        config_args ls /
        run run_container "$ID" --no-pivot
        expect_status 0
        expect_text bin
        refute grep -qx boot <<<"$output"
}

@test "--no-new-keyring keeps the session keyring of the caller" {
        skip_unless "program keyctl"
        config_args cat /proc/keys
        config 'del(.linux.maskedPaths)'
        # a key that is seen only by those who have it in their session
        local own='key=$(keyctl add user coracle-secret text @s) && keyctl setperm "$key" 0x3f000000 && exec timeout "$RUNTIME_TIMEOUT" "$@"'
        run keyctl session - sh -c "$own" - "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID"
        expect_status 0
        expect_no_text coracle-secret
        run keyctl session - sh -c "$own" - "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" --no-new-keyring "$ID"
        expect_status 0
        expect_text coracle-secret
}

@test "run --detach returns while the program runs" {
        config_args sleep 60
        start_detached
        expect_equal "$(container_state)" running
}

@test "run --keep leaves the stopped container" {
        config_args true
        run run_container "$ID" --keep
        expect_status 0
        expect_equal "$(container_state)" stopped
        runtime delete "$ID"
        run runtime state "$ID"
        expect_status 1
}

@test "the state directory is the owner's alone, and sticky: clean-ups of \$XDG_RUNTIME_DIR spare it" {
        config_args sleep 60
        create_container
        expect_equal "$(stat -c %a "$STATE_ROOT")" 1700
        expect_equal "$(stat -c %a "$STATE_ROOT/$ID")" 700
}

@test "run and create accept --no-subreaper" {
        config_args true
        run run_container "$ID" --no-subreaper
        expect_status 0
        create_container "$ID" --no-subreaper
        expect_equal "$(container_state)" created
}

@test "an id that is taken is refused, and a wrong one" {
        config_args sleep 60
        create_container
        run runtime create --bundle "$BUNDLE" "$ID"
        expect_status 1
        expect_text "container with given ID already exists"
        expect_equal "$(container_state)" created
        local id
        for id in .. . a/b '' 'a b' "$(printf 'x%.0s' {1..1100})"; do
                run runtime create --bundle "$BUNDLE" -- "$id"
                expect_status 1
                expect_text "container id"
        done
}

@test "kill sends TERM unless told otherwise, by name or number" {
        config_args sh -c 'trap "echo term >>/log" TERM; trap "echo hup >>/log" HUP; touch /ready; while :; do sleep 0.05; done'
        start_detached
        wait_until test -e "$ROOTFS/ready"
        runtime kill "$ID"
        wait_until grep -q term "$ROOTFS/log"
        runtime kill "$ID" SIGHUP
        wait_until grep -q hup "$ROOTFS/log"
        rm "$ROOTFS/log"
        runtime kill "$ID" 1
        wait_until grep -q hup "$ROOTFS/log"
        rm "$ROOTFS/log"
        runtime kill "$ID" term
        wait_until grep -q term "$ROOTFS/log"
        run runtime kill "$ID" NOSUCH
        expect_status 1
        expect_text NOSUCH
        run runtime kill "$ID" 65
        expect_status 1
}

@test "kill of a stopped container says that it is not running" {
        config_args true
        start_detached
        wait_for stopped
        run runtime kill "$ID" KILL
        expect_status 1
        expect_text "container not running"
        run runtime kill --all "$ID" KILL
        expect_status 0
}

@test "kill --all reaches all processes" {
        skip_unless cgroup
        share_pids
        config_args sh -c 'sleep 1000 & sleep 1000; true'
        start_detached
        wait_until has_processes 2
        runtime kill --all "$ID" KILL
        wait_for stopped
        wait_until nobody_left
}

nobody_left() { [ "$(runtime ps -f json "$ID")" = "[]" ]; }
has_processes() { [ "$(runtime ps -f json "$ID" | jq length)" -ge "$1" ]; }

@test "kill --regex and delete --regex act on all that fit, and only on those" {
        local i
        config_args sleep 1000
        for i in a b c; do
                use_cgroup "$ID-$i"
                start_detached "$ID-$i"
        done
        runtime kill --regex "^$ID-[ab]\$" KILL
        wait_for stopped "$ID-a"
        wait_for stopped "$ID-b"
        expect_equal "$(container_state "$ID-c")" running
        run runtime delete --regex "$ID-"
        expect_status 1
        expect_text "$ID-c" "not stopped"
        run runtime list -q
        expect_output "$ID-c"
        run runtime delete --regex '('
        expect_status 1
        expect_text "regular expression"
        run runtime delete --force --regex "$ID-."
        expect_status 0
        run runtime list -q
        expect_output ""
}

@test "delete refuses what runs, --force does not, and forgives absence" {
        config_args sleep 1000
        start_detached
        run runtime delete "$ID"
        expect_status 1
        expect_equal "$(container_state)" running
        runtime delete --force "$ID"
        run runtime delete "$ID"
        expect_status 1
        expect_text "container does not exist"
        run runtime delete -f "$ID"
        expect_status 0
}

@test "delete removes a container that was never started" {
        config_args sleep 1000
        create_container
        run runtime delete "$ID"
        expect_status 0
        run runtime list -q
        expect_output ""
}

@test "pause and resume" {
        skip_unless "controller freezer"
        config_args sh -c 'while :; do echo x >>/beat; sleep 0.05; done'
        start_detached
        wait_until test -s "$ROOTFS/beat"
        runtime pause "$ID"
        expect_equal "$(container_state)" paused
        local beats
        beats=$(wc -l <"$ROOTFS/beat")
        sleep 0.3
        expect_equal "$(wc -l <"$ROOTFS/beat")" "$beats" "beats while paused"
        runtime resume "$ID"
        expect_equal "$(container_state)" running
        wait_until beats_beyond "$beats"
}

beats_beyond() { [ "$(wc -l <"$ROOTFS/beat")" -gt "$1" ]; }

@test "LISTEN_FDS that are another process's are not passed on" {
        config_args sh -c 'echo "none:$LISTEN_FDS"; ls /proc/self/fd'
        run env LISTEN_FDS=1 LISTEN_PID=1000000 "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID" 3>&- </dev/null
        expect_status 0
        expect_output $'none:\n0\n1\n2\n3'
}

@test "--preserve-fds does not pass on what the runtime opened itself" {
        config_args ls /proc/self/fd
        run "$RUNTIME" --root "$STATE_ROOT" --log "$TEST_DIR/log" run --preserve-fds 1 --bundle "$BUNDLE" "$ID" 3>&- </dev/null
        expect_status 1
        expect_text 'descriptor 3'
}

@test "a log that is a fifo nobody reads does not hold the runtime up" {
        mkfifo "$TEST_DIR/fifo"
        run timeout "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT" --log "$TEST_DIR/fifo" state "$ID"
        expect_status 1
        expect_text fifo
}
