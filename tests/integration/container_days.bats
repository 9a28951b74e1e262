# Bad days of containers: many commands at once, no more processes or memory to be had, a clock that was set back, a store
# that cannot be written. Each command comes to its end and says what was wrong; what is told of containers is true; and
# nothing is left.
load lib
load registries
load containers
test_limit 600
export RUNTIME_TIMEOUT=$((4 * RUNTIME_TIMEOUT)) # fifty commands at once wait for each other

setup() { setup_containers; }
teardown() {
        if [ -n "${COR_STORE:-}" ] && mountpoint -q "$COR_STORE"; then umount "$COR_STORE"; fi
        teardown_containers
}

# ended STATUS... - none of these commands had to be ended by the test (timeout's codes)
ended() {
        local status
        for status; do
                [ "$status" != 124 ] && [ "$status" != 137 ] || { echo "a command did not come to an end: $*"; return 1; }
        done
}

# ended_with_it COMMAND... - an exec may be killed with its container (137), before the test would do it
ended_with_it() {
        local began=$SECONDS code=0
        "$@" || code=$?
        [ "$code" = 137 ] && ((SECONDS - began < RUNTIME_TIMEOUT)) || return "$code"
}

wait_all() { # PID... - their exit codes to $CODES
        local pid code
        CODES=()
        for pid; do
                code=0
                wait "$pid" || code=$?
                CODES+=("$code")
        done
}

in_order() { # the store and what is around it
        run coracle system check
        expect_status 0
}

TICKS='trap "exit 0" TERM; echo up; while :; do sleep 0.1; done'
hears_term() { # its program has set the trap
        local mask
        mask=$(awk '/^SigCgt:/ { print $2 }' "/proc/$(coracle inspect -f '{{.State.Pid}}' "$1")/status") && ((0x$mask >> 14 & 1))
}
up() { coracle logs "$1" | grep -q up; }

@test "fifty commands at one container at once: each ends, and what is said of it is true" {
        local i pids=() state
        local words=(stop start restart pause unpause kill inspect logs ps exec)
        crun -d --name one bb:1 sh -c "$TICKS" >/dev/null
        for i in {1..50}; do
                case ${words[i % 10]} in
                stop | restart) coracle "${words[i % 10]}" -t 1 one ;;
                exec) ended_with_it coracle exec one true ;;
                ps) coracle ps -a ;;
                *) coracle "${words[i % 10]}" one ;;
                esac </dev/null >/dev/null 2>&1 3>&- &
                pids+=($!)
        done
        wait_all "${pids[@]}"
        ended "${CODES[@]}"
        coracle unpause one >/dev/null 2>&1 || true
        is_well() { coracle start one && [ "$(coracle exec one echo well)" = well ]; } # a kill may still be on its way
        wait_until is_well
        wait_until hears_term one
        coracle stop -t 60 one >/dev/null
        state=$(coracle inspect -f '{{.State.Status}} {{.State.Pid}}' one)
        [ "$state" = "exited 0" ] || fail "$state"
        coracle rm one
        in_order
}

@test "fifty at once for one name: one container; fifty that remove it: it is gone once" {
        local i pids=()
        for i in {1..50}; do
                coracle create --name one --cgroup-parent "$CGROUP_PARENT" --network none -v data:/data -v /anonymous bb:1 true >/dev/null 2>&1 3>&- &
                pids+=($!)
        done
        wait_all "${pids[@]}"
        ended "${CODES[@]}"
        [ "$(printf '%s\n' "${CODES[@]}" | grep -cx 0)" = 1 ]
        [ "$(container_ids | wc -l)" = 1 ]
        [ "$(coracle volume ls -q | wc -l)" = 2 ] # of those that came too late none is left
        [ -z "$(find "$COR_STORE"/{containers,volumes}/.work -mindepth 1)" ]
        pids=()
        for i in {1..50}; do
                coracle rm -v one >/dev/null 2>&1 3>&- &
                pids+=($!)
        done
        wait_all "${pids[@]}"
        ended "${CODES[@]}"
        [ "$(printf '%s\n' "${CODES[@]}" | grep -cx 0)" -ge 1 ]
        [ "$(coracle volume ls -q)" = data ]
        in_order
}

@test "no more processes to be had: a clear error at any number, and nothing is left" {
        skip_unless root "controller pids"
        local dir n status worked=
        dir=$(cgroup_dir pids "/$TEST_CGROUP-few")
        mkdir "$dir"
        for n in 1 2 3 4 5 6 7 8 9 10 12 15 20 30; do
                echo max >"$dir/pids.max"
                status=0
                # shellcheck disable=SC2016
                N=$n DIR=$dir timeout -k 5 100 bash -c 'echo $$ >"$DIR/cgroup.procs" && echo "$N" >"$DIR/pids.max" && exec "$@"' - \
                        "$CORACLE" run --rm --name one --network none --cgroup-parent "$CGROUP_PARENT" bb:1 sh -c 'echo works' \
                        >"$TEST_DIR/out" 2>&1 3>&- </dev/null || status=$?
                ended "$status"
                if [ "$status" = 0 ]; then
                        worked=1
                        [ "$(cat "$TEST_DIR/out")" = works ]
                else
                        [ -s "$TEST_DIR/out" ] || fail "with $n: $status, and no word"
                fi
                [ -z "$(container_ids)" ] || coracle rm -f one || fail "with $n it is left, and cannot be removed"
                [ -z "$(processes_of "$COR_STORE")" ] || fail "with $n a monitor is left"
                run coracle system check
                [ "$status" = 0 ] || fail "with $n: $output"$'\n'"$(cat "$TEST_DIR/out")"
        done
        [ -n "$worked" ]
}

@test "no more memory to be had: a clear error with any amount, and nothing is left" {
        local n status worked=
        [ ! -e "$CORACLE_BUILD/sanitizer-findings" ] || skip "sanitizers need more memory than there is: runs in the ordinary build"
        for n in 2 4 6 8 9 10 11 12 13 14 15 16 18 20 24 28 32 48 64 128; do
                status=0
                timeout -k 5 100 prlimit --as=$((n << 20)) "$CORACLE" run --rm --name one --network none --cgroup-parent "$CGROUP_PARENT" \
                        bb:1 sh -c 'echo works' >"$TEST_DIR/out" 2>&1 3>&- </dev/null || status=$?
                ended "$status"
                if [ "$status" = 0 ]; then
                        worked=1
                        [ "$(cat "$TEST_DIR/out")" = works ] || fail "with $n MB: $(cat "$TEST_DIR/out")"
                else
                        [ "$status" -gt 128 ] || [ -s "$TEST_DIR/out" ] || fail "with $n MB: $status, and no word" # the kernel ends what it cannot load
                fi
                coracle ps -a >/dev/null # whoever died is buried
                [ -z "$(container_ids)" ] || coracle rm -f one || fail "with $n MB it is left, and cannot be removed"
                [ -z "$(processes_of "$COR_STORE")" ] || fail "with $n MB a monitor is left"
        done
        [ -n "$worked" ]
        in_order
}

@test "a container that forks endlessly has as many processes as it may, and ends with stop and rm" {
        skip_unless "controller pids"
        local id pids
        # one shell of them forks nothing any more, and so does not end of it
        id=$(crun -d --name bomb --pids-limit 60 bb:1 sh -c 'mkfifo /f; exec 3<>/f; sh -c "f() { f & f & wait; }; while :; do f; done" 2>/dev/null & while :; do read x <&3; done')
        many() { grep -q 'max [1-9]' "$(cgroup_dir pids "$(container_cgroup "$id")")/pids.events"; } # one more was refused
        wait_until many
        pids=$(coracle stats --no-stream --format '{{.PIDs}}' bomb)
        [ "$pids" -le 60 ] || fail "$pids"
        timeout 100 "$CORACLE" exec bomb true >/dev/null 2>&1 3>&- || ended "$?" # there may be room for it or not
        coracle stop -t 1 bomb
        [ "$(coracle inspect -f '{{.State.Status}}' bomb)" = exited ]
        [ ! -e "$(cgroup_dir pids "$(container_cgroup "$id")")" ]
        coracle start bomb >/dev/null
        wait_until many
        coracle rm -f bomb
        in_order
}

@test "the clock was set back: what is from the future is shown, kept, stopped and buried as ever" {
        skip_unless "program python3"
        local monitor
        crun --name ended bb:1 echo text
        crun -d --name runs bb:1 sh -c "$TICKS" >/dev/null
        crun -d --name dies --restart always bb:1 sh -c "$TICKS" >/dev/null
        wait_until up runs
        python3 - "$COR_STORE/coracle.db" <<'PYTHON'
import sqlite3, sys
year = 365 * 86400 * 10**9
with sqlite3.connect(sys.argv[1], timeout=30) as db:
    db.execute('UPDATE container SET created = created + ?, started = started + ?, finished = finished + ? WHERE finished > 0', (year,) * 3)
    db.execute('UPDATE container SET created = created + ?, started = started + ? WHERE finished = 0', (year,) * 2)
PYTHON
        run coracle ps -a --format '{{.Names}} {{.Status}} {{.RunningFor}}'
        expect_status 0
        [[ $output != *-[0-9]* ]] || fail "a time below nothing"
        [[ $output == *"runs Up "* && $output == *"ended Exited (0) "* ]] || fail
        [ "$(coracle logs --since 1h ended)" = text ]
        [ "$(coracle exec runs echo well)" = well ]
        monitor=$(coracle inspect -f '{{.State.Pid}}' dies)
        monitor=$(awk '{ print $4 }' "/proc/$monitor/stat")
        kill -KILL "$monitor"
        wait_until not_running dies
        [ "$(coracle inspect -f '{{.State.Running}} {{.State.ExitCode}}' dies)" = "false 137" ] || fail "$(coracle inspect -f '{{json .State}}' dies)"
        coracle stop -t 1 runs >/dev/null
        [ "$(coracle inspect -f '{{.State.Status}}' runs)" = exited ]
        coracle start runs >/dev/null
        coracle rm -f runs dies ended >/dev/null
        in_order
}

not_running() { [ "$(coracle inspect -f '{{.State.Running}}' "$1")" = false ]; }

@test "a store that cannot be written: what is there is shown, what would change it says why, and nothing is lost" {
        local verb
        crun --name ended bb:1 echo text
        crun -d --name runs bb:1 sh -c "$TICKS" >/dev/null
        wait_until up runs
        mount --bind "$COR_STORE" "$COR_STORE"
        mount -o remount,bind,ro "$COR_STORE"
        run coracle ps -a
        expect_status 0
        expect_text "Exited (0)"
        [ "$(coracle logs ended)" = text ]
        run coracle inspect runs
        expect_status 0
        for verb in "run --rm --network none bb:1 true" "create bb:1 true" "rm ended" "start ended" "rename ended other" "volume create xx" \
                "commit ended new:1" "tag bb:1 other:1" "rmi -f bb:1" "import $BATS_RUN_TMPDIR/busybox.tar new:1" "system prune -f"; do
                # shellcheck disable=SC2086
                run coracle $verb
                [ "$status" != 0 ] || fail "$verb: it worked"
                ended "$status"
                [[ $output == *[Rr]"ead-only"* ]] || fail "$verb"
        done
        umount "$COR_STORE"
        [ "$(coracle ps -aq | wc -l)" = 2 ]
        [ "$(coracle exec runs echo well)" = well ]
        coracle stop -t 5 runs >/dev/null
        coracle rm ended runs >/dev/null
        in_order
}
