# The monitor of a container, by its own protocol: tool-monitor plays the starter and the clients.
load lib

setup() {
        [ "$EUID" = 0 ] || skip "needs root, for cgroups and overlays of its own; runs where the tests run as root"
        setup_bundle
        export WAIT_SECONDS=$((3 * ${WAIT_SECONDS:-20})) CORACLE_RUN=$TEST_DIR/run MONITOR=$CORACLE_BUILD/libexec/coracle-monitor
        TOOL=$CORACLE_BUILD/tests/integration/tools/tool-monitor STORE=$TEST_DIR/store
        [ -f "$BATS_FILE_TMPDIR/root.tar" ] || tar -C "$ROOTFS" -cf "$BATS_FILE_TMPDIR/root.tar" .
        mkdir -m 700 "$CORACLE_RUN"
        CORACLE_LIBEXEC=$CORACLE_BUILD/src/image "$CORACLE_BUILD/src/cli/coracle" --root "$STORE" \
                import "$BATS_FILE_TMPDIR/root.tar" root >/dev/null
}

teardown() {
        local pid
        [ -n "${TEST_DIR:-}" ] || return 0
        for pid in $(monitors); do kill -KILL "$pid" || true; done
        remove_cgroups "$TEST_CGROUP"
        teardown_bundle
}

monitors() { # of all containers, or one
        local file
        for file in /proc/[0-9]*/cmdline; do
                tr '\0' ' ' 2>/dev/null <"$file" | grep -q "coracle-monitor --store $STORE ${1:-}" || continue
                file=${file#/proc/}
                echo "${file%/*}"
        done
}

# new CONFIG HOSTCONFIG WORD... - a container that runs these words: $CONTAINER, its folder $FOLDER, and $RUN. EDIT changes
# config.json further
new() {
        local host
        host=$(jq -c '{NetworkMode: "none"} + .' <<<"$2")
        read -r CONTAINER RUN < <("$TOOL" create "$STORE" docker.io/library/root:latest "$1" "$host")
        FOLDER=$STORE/containers/$CONTAINER
        shift 2
        jq --arg root "$RUN/rootfs" --arg cgroup "/$TEST_CGROUP/$CONTAINER" \
                '.root = {path: $root} | .process.args = $ARGS.positional | .linux.cgroupsPath = $cgroup |'"${EDIT:-.}" \
                --args -- "$@" <"$BUNDLE/config.json" >"$FOLDER/config.json"
}

start() { timeout -k 5 "$RUNTIME_TIMEOUT" "$TOOL" start "$STORE" "$CONTAINER" "$@" 3>&-; }
start_detached_monitor() { start detach </dev/null >/dev/null 2>&1; }
attach() { timeout -k 5 "$RUNTIME_TIMEOUT" "$TOOL" attach "$STORE" "$CONTAINER" "$@" 3>&-; }
ask() { timeout -k 5 "$RUNTIME_TIMEOUT" "$TOOL" ask "$STORE" "$CONTAINER" "$@" 3>&-; }
row() { "$TOOL" row "$STORE" "$CONTAINER"; }
row_has() { row | grep -qw -- "$1" || { row; return 1; }; }

wait_row() { wait_until row_has "$1" || { row; return 1; }; } # until the row has this

printed() { [ "$(jq -rj .log "$FOLDER/$CONTAINER-json.log"* 2>/dev/null | grep -c -- "$1")" -ge "${2:-1}" ]; } # LINE [TIMES]

# A program that says `up` when it is ready for signals, and wait_up [TIMES] until it has been so.
wait_up() { wait_until printed '^up$' "${1:-1}"; }

no_monitor() { [ -z "$(monitors "$CONTAINER")" ]; }

# Nothing of it runs, and nothing of a run is there.
nothing_left() {
        local mount dir
        wait_until no_monitor || { echo "its monitor still runs"; return 1; }
        [ ! -e "$RUN" ] || { ls -la "$RUN"; return 1; }
        [ ! -e "${RUN%/*}/runtime/$CONTAINER" ] || { echo "its record is left"; return 1; }
        for mount in $CGROUP_MOUNTS; do
                dir=$mount/$TEST_CGROUP/$CONTAINER
                [ ! -e "$dir" ] || { echo "the cgroup $dir is left"; return 1; }
        done
        ! grep -q "$CONTAINER" /proc/self/mountinfo || { grep "$CONTAINER" /proc/self/mountinfo; return 1; }
}

@test "output, exit code, log and row" {
        new '{}' '{}' sh -c 'echo one; echo two >&2; printf three; exit 5'
        run --separate-stderr start
        [ "$status" = 5 ] && [ "$output" = $'one\nthree' ] && [ "$stderr" = two ]
        row_has phase=exited && row_has code=5 && row_has locked=0
        [ "$(jq -r 'select(.stream == "stdout") | .log' "$FOLDER/$CONTAINER-json.log")" = $'one\n\nthree' ]
        [ "$(jq -r 'select(.stream == "stderr") | .log' "$FOLDER/$CONTAINER-json.log")" = two ]
        nothing_left
        run --separate-stderr start # a second time, with the same log
        [ "$status" = 5 ] && [ "$(grep -c one "$FOLDER/$CONTAINER-json.log")" = 2 ]
}

@test "with --rm nothing is left, whether it could start or not" {
        new '{}' '{"AutoRemove":true}' true
        run start packets
        [[ $output == *"last=1 removed=1"* ]]
        [ ! -e "$FOLDER" ] && ! row && nothing_left
        new '{}' '{"AutoRemove":true}' /no/such/program
        run start
        [ "$status" = 127 ] && [ ! -e "$FOLDER" ] && nothing_left
}

@test "a program that cannot be run: the starter hears why, the row says it, and nothing is left" {
        new '{}' '{}' /no/such/program
        run start
        [ "$status" = 127 ] && [[ $output == *"/no/such/program"* ]]
        row_has phase=created && row_has code=127 && row_has "error=.*/no/such/program.*" && nothing_left
        new '{}' '{}' /etc
        run start
        [ "$status" = 126 ] && nothing_left
}

@test "an error at any step is told, and leaves nothing" {
        new '{"Healthcheck":{"Test":["WRONG","x"]}}' '{}' true
        run start
        [ "$status" = 125 ] && [[ $output == *"WRONG"* ]] && nothing_left
        new '{}' '{"LogConfig":{"Type":"nonsense"}}' true
        run start
        [ "$status" = 125 ] && [[ $output == *"nonsense"* ]] && nothing_left
        new '{}' '{}' true
        rm "$FOLDER/config.json"
        run start
        [ "$status" = 125 ] && [[ $output == *"config.json"* ]] && nothing_left
        EDIT='.mounts += [{destination: "/x", type: "bind", source: "/no/such/thing", options: ["bind"]}]' new '{}' '{}' true
        run start
        [ "$status" = 125 ] && [[ $output == *"/no/such/thing"* ]] && nothing_left
}

@test "stdin arrives whole, and its end ends what reads it" {
        new '{"OpenStdin":true,"StdinOnce":true}' '{}' sh -c 'cat; echo over >&2'
        head -c 3000000 /dev/urandom >"$TEST_DIR/in"
        start in <"$TEST_DIR/in" >"$TEST_DIR/out" 2>"$TEST_DIR/err"
        cmp "$TEST_DIR/in" "$TEST_DIR/out"
        [ "$(cat "$TEST_DIR/err")" = over ]
}

@test "without StdinOnce the end of one client's stdin is not the program's" {
        new '{"OpenStdin":true}' '{}' sh -c 'read a; echo "first $a"; read b; echo "second $b"'
        start_detached_monitor
        "$TOOL" attach "$STORE" "$CONTAINER" only-in <<<one 3>&- & # itself, and no shell that waits for it
        local first=$!
        wait_until printed '^first one$'
        kill "$first" && wait "$first" || true
        row_has phase=running
        run attach in <<<two
        [ "$status" = 0 ] && [ "${lines[-1]}" = "second two" ]
}

has_read() { [ "$(awk '/^rchar/ { print $2 }' "/proc/$1/io")" -ge "$2" ]; } # PID BYTES

@test "who never reads stdin holds its sender, and nobody else" {
        new '{"OpenStdin":true}' '{}' sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done'
        start_detached_monitor
        "$TOOL" attach "$STORE" "$CONTAINER" in </dev/zero >/dev/null 2>&1 3>&- &
        local sender=$!
        wait_up
        wait_until has_read "$sender" 65537 # more than the pipe of the program takes
        ask stop
        row_has phase=exited && row_has code=3 && nothing_left
        wait "$sender" || true
}

terminal_has() { [ "$(stty -F "/proc/$1/root/dev/pts/0" size)" = "$2" ]; } # PID SIZE

@test "a terminal, its size, and a new one" {
        new '{"Tty":true,"OpenStdin":true}' '{}' sh -c 'stty size; read line; stty size; echo "got $line"'
        config_tty='.process.terminal = true'
        jq "$config_tty" "$FOLDER/config.json" >"$FOLDER/new" && mv "$FOLDER/new" "$FOLDER/config.json"
        mkfifo "$TEST_DIR/keys"
        start in size=33x77 <"$TEST_DIR/keys" >"$TEST_DIR/out" &
        local starter=$!
        exec 9>"$TEST_DIR/keys"
        wait_row phase=running
        wait_until grep -q '33 77' "$TEST_DIR/out"
        "$TOOL" attach "$STORE" "$CONTAINER" only-in size=20x30 </dev/null 3>&- 9>&- &
        local other=$! pid
        pid=$(row | sed 's/.* pid=\([0-9]*\).*/\1/')
        wait_until terminal_has "$pid" '20 30'
        kill "$other" && wait "$other" || true
        echo hello >&9
        exec 9>&-
        wait "$starter"
        tr -d '\r' <"$TEST_DIR/out" >"$TEST_DIR/plain"
        [ "$(cat "$TEST_DIR/plain")" = $'33 77\nhello\n20 30\ngot hello' ]
        nothing_left
}

has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; } # FILE LINES

@test "a client that does not read for a while loses nothing, nor does anybody else" {
        new '{}' '{}' sh -c 'while [ ! -e /go ]; do echo waits; sleep 1; done; seq 1 200000' # not so much that the slow one is full of it
        start_detached_monitor
        mkfifo "$TEST_DIR/wait"
        attach slow <"$TEST_DIR/wait" >"$TEST_DIR/slow" 2>"$TEST_DIR/slow.sent" &
        local slow=$! i others=()
        exec 9>"$TEST_DIR/wait"
        wait_until test -s "$TEST_DIR/slow.sent"
        for i in {1..20}; do attach >"$TEST_DIR/out.$i" 9>&- & others+=($!); done
        for i in {1..20}; do wait_until has_lines "$TEST_DIR/out.$i" 2; done # all of them are attached
        runtime --root "${RUN%/*}/runtime" exec "$CONTAINER" touch /go
        wait_until grep -qx 1 "$TEST_DIR/out.1"
        row_has phase=running # held back
        exec 9>&-
        wait "$slow"
        wait "${others[@]}"
        seq 1 200000 >"$TEST_DIR/expected"
        for i in "$TEST_DIR"/out.* "$TEST_DIR/slow"; do grep -vx waits "$i" | cmp - "$TEST_DIR/expected"; done
        [ "$(jq -rj .log "$FOLDER/$CONTAINER-json.log" | grep -vx waits | cmp - "$TEST_DIR/expected" && echo same)" = same ]
}

@test "a client that is gone is forgotten" {
        new '{}' '{}' sh -c 'seq 1 300000; exit 4'
        "$TOOL" start "$STORE" "$CONTAINER" >/dev/null 3>&- 9>&- &
        local starter=$!
        wait_row 'phase=\(running\|exited\)' # START was said
        kill -KILL "$starter" || true
        wait "$starter" || true
        wait_row phase=exited
        row_has code=4
        [ "$(cat "$FOLDER/$CONTAINER-json.log"* | wc -l)" = 300000 ]
}

@test "a starter that goes before START leaves nothing" {
        local i
        new '{}' '{}' sleep 1000
        for i in {1..5}; do
                bash -c 'exec 3<>/dev/null; "$MONITOR" --store "$1" "$2"' - "$STORE" "$CONTAINER" || true # no socket at all
        done
        run python3 - "$MONITOR" "$STORE" "$CONTAINER" <<'PYTHON'
import os, socket, sys
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
if os.fork() == 0:
    os.dup2(theirs.fileno(), 3)
    os.set_inheritable(3, True)
    os.execv(sys.argv[1], [sys.argv[1], '--store', sys.argv[2], sys.argv[3]])
theirs.close()
os.wait()
ours.close()
PYTHON
        nothing_left && row_has phase=created
}

@test "stop signals, kills when time is over, and ends all descendants" {
        new '{"StopSignal":"USR1"}' '{"RestartPolicy":{"Name":"always"}}' \
                sh -c 'trap "echo usr1; exit 7" USR1; echo up; while :; do sleep 0.1; done'
        start_detached_monitor
        wait_up
        run ask stop
        [ "$status" = 0 ]
        row_has phase=exited && row_has code=7 && row_has stopped=1 && row_has restarts=0 && nothing_left
        EDIT='.linux.namespaces |= map(select(.type != "pid"))' new '{}' '{}' \
                sh -c 'trap "" TERM; (trap "" TERM; echo up; while :; do sleep 0.1; done) & while :; do sleep 0.1; done'
        start_detached_monitor
        wait_up
        ask stop TERM 300
        row_has code=137 && nothing_left
}

@test "stop of a paused container" {
        new '{}' '{}' sh -c 'trap "exit 6" TERM; echo up; while :; do sleep 0.1; done'
        start_detached_monitor
        wait_up
        ask pause
        row_has phase=paused
        run ask pause
        [ "$status" = 125 ] && [[ $output == *"already paused"* ]]
        ask resume
        row_has phase=running
        run ask resume
        [ "$status" = 125 ] && [[ $output == *"not paused"* ]]
        ask pause
        ask stop
        row_has phase=exited && row_has code=6 && nothing_left
}

@test "restart by request, and by policy with its count" {
        new '{}' '{}' sh -c 'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done'
        start_detached_monitor
        wait_up
        ask restart
        row_has phase=running && row_has restarts=0
        wait_up 2
        ask restart
        wait_up 3
        ask stop
        new '{}' '{"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":2}}' sh -c 'echo x; exit 3'
        run start packets
        [[ $output == *"code=3 oom=0 last=0"* ]]
        wait_row phase=exited
        row_has restarts=2 && [ "$(wc -l <"$FOLDER/$CONTAINER-json.log")" = 3 ] && nothing_left
}

@test "stop while it waits to start again; a signal of the user's is no reason to" {
        new '{}' '{"RestartPolicy":{"Name":"always"}}' sh -c 'echo x; exit 1'
        start_detached_monitor
        wait_row phase=restarting
        ask stop
        row_has phase=exited && row_has stopped=1 && nothing_left
        new '{}' '{"RestartPolicy":{"Name":"always"}}' sleep 1000
        start_detached_monitor
        ask kill KILL
        wait_row phase=exited
        row_has code=137 && nothing_left
        new '{"StopSignal":"USR1"}' '{"RestartPolicy":{"Name":"always"}}' \
                sh -c 'trap "exit 0" HUP; echo up; while :; do sleep 0.1; done'
        start_detached_monitor
        wait_up
        ask kill HUP # not its stop signal: it comes again
        wait_row restarts=1
        wait_row phase=running
        ask stop KILL
}

@test "wait is told of the next end" {
        new '{}' '{}' sh -c 'while [ ! -e /go ]; do sleep 0.05; done; exit 9'
        start_detached_monitor
        ask wait 2>"$TEST_DIR/sent" &
        local waiter=$! code=0
        wait_until test -s "$TEST_DIR/sent"
        ask resume || true # the answer says that what came before has been read
        runtime --root "${RUN%/*}/runtime" exec "$CONTAINER" touch /go || [ $? = 137 ] # it may be ended with the container
        wait "$waiter" || code=$?
        [ "$code" = 9 ]
}

@test "its own process keeps nothing of the starter, the container nothing of the host" {
        local pid fds
        new '{"OpenStdin":true}' '{}' sh -c 'ls -l /proc/self/fd; while :; do sleep 0.1; done'
        (cd "$TEST_DIR" && exec 8<"$TEST_DIR" && start_detached_monitor)
        pid=$(monitors "$CONTAINER")
        [ "$(readlink "/proc/$pid/cwd")" = / ]
        [ "$(awk '{ print $6 }' "/proc/$pid/stat")" = "$pid" ] # its own session
        fds=$(ls -l "/proc/$pid/fd" 2>/dev/null) || true # it may close one meanwhile
        [ "$(grep -c /dev/null <<<"$fds")" = 3 ] && ! grep -q "$TEST_DIR\$" <<<"$fds"
        [ "$(stat -c %A "$RUN/monitor")" = srw------- ] && [ "$(stat -c %A "$RUN")" = drwx------ ]
        [[ $(stat -c %A "${RUN%/*}") == drwx-----[-T] ]]
        timeout 60 sh -c "until grep -q ' 2 ->' '$FOLDER/$CONTAINER-json.log'; do sleep 0.05; done"
        run jq -rj .log "$FOLDER/$CONTAINER-json.log"
        [ "$(grep -c -- '->' <<<"$output")" = 4 ] && [ "$(grep -c 'pipe:' <<<"$output")" = 3 ] # and /proc/self/fd itself
        ask stop KILL
        new '{}' '{}' sh -c 'ls -l /proc/self/fd/0; stat -c %d /dev/null; stat -L -c %d /proc/self/fd/0'
        run start
        [[ ${lines[0]} == *"/dev/null" ]] && [ "${lines[1]}" = "${lines[2]}" ] # its own /dev/null
}

@test "a dead monitor leaves a container that runs, and a lock that is free" {
        new '{}' '{}' sh -c 'while :; do echo x; sleep 0.05; done'
        start_detached_monitor
        kill -KILL "$(monitors "$CONTAINER")"
        wait_row locked=0
        row_has phase=running # so says the row: who reads it looks at the lock
        runtime --root "${RUN%/*}/runtime" delete --force "$CONTAINER"
}

@test "SIGTERM stops the container, but nobody has stopped it" {
        new '{}' '{"RestartPolicy":{"Name":"unless-stopped"}}' sh -c 'trap "exit 2" TERM; echo up; while :; do sleep 0.1; done'
        start_detached_monitor
        wait_up
        kill -TERM "$(monitors "$CONTAINER")"
        wait_row phase=exited
        row_has code=2 && row_has stopped=0 && nothing_left
}

@test "nonsense over the socket harms nobody else" {
        new '{}' '{}' sh -c 'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done'
        start_detached_monitor
        wait_up
        run python3 - "$RUN" <<'PYTHON'
import os, random, socket, sys
os.chdir(sys.argv[1])
random.seed(4)
for n in range(300):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect('monitor')
    try:
        for _ in range(random.randrange(4)):
            kind = random.choice([1, 2, 3, 4, 5, 12, 13, 20, 21, 64, 65, 70, 0, 255, 200])
            s.send(bytes([kind]) + os.urandom(random.choice([0, 1, 3, 4, 8, 500, 32768])))
    except (BrokenPipeError, ConnectionResetError):
        pass
    if n % 3:
        s.close()
PYTHON
        [ "$status" = 0 ]
        row_has phase=running
        ask stop
        row_has code=0 && nothing_left
}

@test "a client that asks and does not listen is not heard any more, and costs no memory" {
        new '{}' '{}' sleep 1000
        start_detached_monitor
        run python3 - "$RUN" <<'PYTHON'
import os, socket, sys
os.chdir(sys.argv[1])
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect('monitor')
s.settimeout(5)
try:
    for n in range(100000):
        s.send(b'\x0a') # resume, which is not paused
    print('all heard')
except TimeoutError:
    s.settimeout(60)
    answers = 0
    while answers < n: # and is heard again once it listens
        assert s.recv(1000)[0] == 70
        answers += 1
    print('held')
PYTHON
        [ "$output" = held ]
        ask stop KILL
}

@test "out of memory is said" {
        local limit
        for limit in $CGROUP_MOUNTS none; do [[ $limit != *memory* && ! -e $limit/memory.max ]] || break; done
        grep -qw memory /proc/cgroups && [[ " $CGROUP_MOUNTS " == *memory* || -e /sys/fs/cgroup/cgroup.controllers ]] ||
                skip "no memory controller here; runs where there is one"
        EDIT='.linux.resources.memory.limit = 20000000 | .linux.resources.memory.swap = 20000000' new '{}' '{}' \
                sh -c 'head -c 100000000 /dev/zero | tail -c 100000000 >/dev/null; exit 1'
        run start packets
        [[ $output == *"oom=1"* ]] || { echo "$output"; false; }
        row_has oom=1
}

@test "health checks: starting, healthy, unhealthy, and what they say" {
        new '{"Healthcheck":{"Test":["CMD-SHELL","echo checked; test ! -e /bad"],"Interval":100000000,"Retries":2}}' '{}' sleep 1000
        start_detached_monitor
        wait_row health=2
        jq -e '.Status == "healthy" and .Log[0].ExitCode == 0 and .Log[0].Output == "checked\n"' "$FOLDER/health.json"
        runtime --root "${RUN%/*}/runtime" exec "$CONTAINER" touch /bad
        wait_row health=3
        jq -e '.Status == "unhealthy" and .FailingStreak >= 2 and .Log[-1].ExitCode == 1' "$FOLDER/health.json"
        runtime --root "${RUN%/*}/runtime" exec "$CONTAINER" rm /bad
        wait_row health=2
        timeout 60 sh -c "until jq -e '.Log | length == 5' '$FOLDER/health.json'; do sleep 0.1; done"
        ask stop KILL
        jq -e '.Status == "unhealthy"' "$FOLDER/health.json"
        nothing_left
}

@test "a health check that takes too long is killed; failures while it starts do not count" {
        new '{"Healthcheck":{"Test":["CMD","sleep","77"],"Interval":100000000,"Timeout":200000000,"Retries":1}}' '{}' sleep 1000
        start_detached_monitor
        wait_row health=3
        jq -e '.Log[0].ExitCode == -1 and (.Log[0].Output | startswith("Health check exceeded timeout"))' "$FOLDER/health.json"
        ask stop KILL
        new '{"Healthcheck":{"Test":["CMD","false"],"Interval":100000000,"StartPeriod":600000000000,"StartInterval":100000000,"Retries":1}}' \
                '{}' sleep 1000
        start_detached_monitor
        timeout 60 sh -c "until jq -e '.Log | length > 2' '$FOLDER/health.json'; do sleep 0.1; done"
        row_has health=1
        ask stop KILL
        new '{"Healthcheck":{"Test":["CMD","/no/such/check"],"Interval":100000000,"Retries":1}}' '{}' sleep 1000
        start_detached_monitor
        wait_row health=3
        jq -e '.Log[0].ExitCode == -1 and (.Log[0].Output | contains("/no/such/check"))' "$FOLDER/health.json"
        ask stop KILL
        nothing_left
}

@test "one that waits holds less than half a megabyte" {
        [ ! -e "$CORACLE_BUILD/sanitizer-findings" ] || skip "memory of sanitizers; runs in the ordinary build"
        new '{}' '{}' sleep 1000
        start_detached_monitor
        small() { [ "$(awk '/^Pss:/ { print $2 }' "/proc/$(monitors "$CONTAINER")/smaps_rollup")" -lt 512 ]; }
        wait_until small || { cat "/proc/$(monitors "$CONTAINER")/smaps_rollup"; false; }
        ask stop KILL
}

@test "other runtimes make the container by their command line" {
        local program found=
        local EDIT='.ociVersion = "1.0.2"' # crun 1.8 wants no newer one
        for program in crun runc coracle-runtime; do
                [ "$program" = coracle-runtime ] && program=$RUNTIME || program=$(command -v "$program") || continue
                echo "with $program"
                new '{}' "{\"Runtime\":\"$program\"}" sh -c 'echo out; echo err >&2; exit 4'
                run --separate-stderr start
                if [[ $stderr == *"hybrid mode"* ]]; then continue; fi
                found=1
                [ "$status" = 4 ] && [ "$output" = out ] && [ "$stderr" = err ] || { echo "$status $output $stderr"; false; }
                row_has code=4 && nothing_left
                new '{"Tty":true}' "{\"Runtime\":\"$program\"}" sh -c 'test -t 1 && echo terminal'
                jq '.process.terminal = true' "$FOLDER/config.json" >"$FOLDER/new" && mv "$FOLDER/new" "$FOLDER/config.json"
                run start
                [ "$status" = 0 ] && [[ $output == terminal* ]]
                new '{"Healthcheck":{"Test":["CMD","true"],"Interval":100000000}}' "{\"Runtime\":\"$program\"}" \
                        sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done'
                start_detached_monitor
                wait_row health=2
                ask pause
                ask resume
                wait_up
                ask restart
                row_has phase=running
                wait_up 2
                ask stop
                row_has code=3 && nothing_left
                new '{}' "{\"Runtime\":\"$program\"}" /no/such/program
                run start
                [ "$status" != 0 ] && [[ $output == *"/no/such/program"* ]] && nothing_left
        done
        [ -n "$found" ]
}
