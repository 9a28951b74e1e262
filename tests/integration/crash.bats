# The runtime dies, or cannot write, at any step: what it says afterwards is true, and `delete --force` removes the rest.
#
# strace ends the runtime's own process with SIGKILL at the Nth occurrence of a system call. Which calls there are is
# taken from a run that is let go; a sample of them, spread over the whole, is tried (CRASH_SAMPLES, 18).

load lib

setup() {
        setup_bundle
        MARK=98$((RANDOM % 900 + 100))$((RANDOM % 900 + 100)) # how to recognise this test's processes
        config_args sleep "$MARK"
        mounts_before=$(own_mounts)
}

teardown() { teardown_bundle; }

# calls_of COMMAND... - "name number" of each system call that the runtime's own process makes
calls_of() {
        # shellcheck disable=SC2086
        timeout -k 5 "$RUNTIME_TIMEOUT" strace -qq -o "$TEST_DIR/trace" "$RUNTIME" --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} "$@" \
                </dev/null >/dev/null 2>&1 3>&-
        sed -nE 's/^([a-z0-9_]+)\(.*/\1/p' "$TEST_DIR/trace" | awk '{ print $1, ++n[$1] }' >"$TEST_DIR/calls"
        [ "$(wc -l <"$TEST_DIR/calls")" -gt 20 ]
}

sample() { # of $TEST_DIR/calls, evenly
        awk -v want="${CRASH_SAMPLES:-18}" '{ line[NR] = $0 }
                END { step = NR > want ? NR / want : 1; for (i = 1; i <= NR; i += step) print line[int(i)] }' "$TEST_DIR/calls"
}

# killed_at NAME NUMBER COMMAND... - run the runtime, and kill it there
killed_at() {
        local name=$1 number=$2
        shift 2
        # shellcheck disable=SC2086
        timeout -k 5 "$RUNTIME_TIMEOUT" strace -qq -o /dev/null -e "trace=$name" -e "inject=$name:signal=SIGKILL:when=$number" \
                "$RUNTIME" --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} "$@" </dev/null >/dev/null 2>&1 3>&- ||
                [ $? != 137 ] || kills=$((kills + 1))
}

# Not every number is met again: of a wait that looks again and again, a busy machine shows more. But many are; otherwise
# nothing was tried.
expect_kills() {
        [ "${kills:-0}" -ge $(($(sample | wc -l) / 3)) ] || fail "the runtime was killed only ${kills:-0} times"
}

processes() { pgrep -f "sleep $MARK|$BUNDLE" | grep -v "^$$\$" || true; } # of the container and of the runtime
no_processes() { [ -z "$(processes)" ]; }

find_cgroups() {
        awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/self/mounts | while read -r mount; do
                find "$mount/$TEST_CGROUP" "$mount/system.slice/$TEST_CGROUP"* -mindepth 1 -type d 2>/dev/null
        done
}

expect_nothing_left() { # WHEN
        wait_until no_processes || fail "$1: processes are left: $(ps -o pid,args -p "$(processes | paste -sd,)")" || return 1
        [ ! -e "$STATE_ROOT/$ID" ] || fail "$1: state is left: $(ls -A "$STATE_ROOT/$ID")" || return 1
        by_systemd || [ -z "$(find_cgroups)" ] || fail "$1: cgroups are left: $(find_cgroups)" || return 1
        expect_equal "$(own_mounts)" "$mounts_before" "$1: mounts" || return 1
}

waits_or_ended() { kill -0 "$(container_pid)" || [ "$(container_state 2>/dev/null)" = stopped ]; }

# What the runtime says has to fit what there is.
expect_truth() { # WHEN
        local state
        run runtime list --format json
        [ "$status" = 0 ] || fail "$1: list" || return 1
        if state=$(container_state 2>/dev/null); then
                case $state in
                running) wait_until runs_or_ended || fail "$1: said to be running" || return 1 ;;
                created) wait_until waits_or_ended || fail "$1: said to be created" || return 1 ;;
                paused) ;; # frozen to be killed, and whoever did that is gone; that it can be removed is seen next
                stopped) ! pgrep -f "^sleep $MARK" || fail "$1: said to be stopped" || return 1 ;;
                creating) wait_until not_creating || fail "$1: nobody is creating it" || return 1 ;;
                *) fail "$1: state $state" || return 1 ;;
                esac
        elif [ -e "$STATE_ROOT/$ID" ]; then
                ! pgrep -f "^sleep $MARK" || fail "$1: runs, but has no state" || return 1
        fi
}

# a process that was sent SIGKILL just before the question may be gone a moment later
runs_or_ended() { pgrep -f "^sleep $MARK" || [ "$(container_state 2>/dev/null)" = stopped ]; }
not_creating() { [ "$(container_state 2>/dev/null)" != creating ]; }

clean_up() { # WHEN
        run runtime delete --force "$ID"
        [ "$status" = 0 ] || fail "$1: delete --force" || return 1
        expect_nothing_left "$1"
}

@test "create, killed at any step" {
        skip_unless "program strace"
        calls_of create --bundle "$BUNDLE" "$ID"
        runtime delete --force "$ID"
        local name number
        while read -r name number; do
                killed_at "$name" "$number" create --bundle "$BUNDLE" "$ID"
                expect_truth "$name $number"
                clean_up "$name $number"
        done < <(sample)
        expect_kills
}

@test "run --detach, killed at any step" {
        skip_unless "program strace"
        calls_of run --detach --bundle "$BUNDLE" "$ID"
        runtime delete --force "$ID"
        local name number
        while read -r name number; do
                killed_at "$name" "$number" run --detach --bundle "$BUNDLE" "$ID"
                expect_truth "$name $number"
                clean_up "$name $number"
        done < <(sample)
        expect_kills
}

@test "start, killed at any step" {
        skip_unless "program strace"
        CRASH_SAMPLES=${CRASH_SAMPLES:-10}
        create_container
        calls_of start "$ID"
        runtime delete --force "$ID"
        local name number
        while read -r name number; do
                create_container
                killed_at "$name" "$number" start "$ID"
                expect_truth "$name $number"
                clean_up "$name $number"
        done < <(sample)
        expect_kills
}

@test "delete and delete --force, killed at any step" {
        skip_unless "program strace"
        CRASH_SAMPLES=${CRASH_SAMPLES:-12}
        start_detached
        calls_of delete --force "$ID"
        local name number
        while read -r name number; do
                start_detached
                killed_at "$name" "$number" delete --force "$ID"
                expect_truth "$name $number"
                clean_up "$name $number"
        done < <(sample)
        expect_kills
}

@test "run in the foreground, killed while the container runs" {
        # shellcheck disable=SC2086
        "$RUNTIME" --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} run --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
        local runner=$!
        wait_for running
        kill -KILL "$runner"
        wait "$runner" || true
        expect_truth "killed"
        clean_up "killed"
}

# ------------------------------------------------------------------------------------------------ a full or failing disk

@test "a full state directory: a clear error, and nothing left" {
        skip_unless root
        local blocks
        mkdir "$STATE_ROOT"
        for blocks in 1 2 3; do # of 4 KiB
                mount -t tmpfs -o "nr_blocks=$blocks,mode=700" tmpfs "$STATE_ROOT"
                head -c 4000 /dev/zero >"$STATE_ROOT/.filler"
                run runtime run --detach --bundle "$BUNDLE" "$ID" </dev/null
                if [ "$status" = 0 ]; then
                        expect_truth "$blocks blocks" && runtime delete --force "$ID" || return 1
                else
                        expect_text "No space left"
                fi
                [ ! -e "$STATE_ROOT/$ID" ] || fail "state is left: $(ls -A "$STATE_ROOT/$ID")"
                wait_until no_processes
                umount "$STATE_ROOT"
                expect_nothing_left "$blocks blocks"
        done
}

@test "no room for another file in the state directory: a clear error, and nothing left" {
        skip_unless root
        local files
        mkdir "$STATE_ROOT"
        for files in 1 2 3 4 5; do
                mount -t tmpfs -o "nr_inodes=$files,mode=700" tmpfs "$STATE_ROOT"
                run runtime create --bundle "$BUNDLE" "$ID" </dev/null
                [ "$status" = 0 ] || expect_text "No space left"
                runtime delete --force "$ID"
                [ ! -e "$STATE_ROOT/$ID" ]
                umount "$STATE_ROOT"
                expect_nothing_left "$files files"
        done
}

@test "an error of the disk while state is written: a clear error, and nothing left" {
        skip_unless "program strace"
        local call n hits=0
        for call in mkdirat openat write renameat; do
                for n in 1 2 3 4 5 6; do
                        # shellcheck disable=SC2086
                        timeout -k 5 "$RUNTIME_TIMEOUT" strace -qq -o /dev/null -P "$STATE_ROOT/$ID" -P "$STATE_ROOT/$ID/record.json" -P "$STATE_ROOT" \
                                -e "inject=$call:error=EIO:when=$n" "$RUNTIME" --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} \
                                create --bundle "$BUNDLE" "$ID" </dev/null >"$TEST_DIR/out" 2>&1 3>&- || {
                                hits=$((hits + 1))
                                grep -q 'Input/output error' "$TEST_DIR/out" || fail "$call $n: $(cat "$TEST_DIR/out")"
                        }
                        clean_up "$call $n"
                done
        done
        [ "$hits" -ge 4 ] || fail "only $hits errors were met"
}

# --------------------------------------------------------------------------------------------------- two at a time, Ctrl-C

@test "of several that create the same id at once, one wins" {
        local round i won creator creators
        for round in 1 2 3 4 5; do
                creators=() won=0
                for i in 1 2 3 4; do
                        runtime create --bundle "$BUNDLE" "$ID" </dev/null >"$TEST_DIR/out.$i" 2>&1 3>&- &
                        creators+=($!)
                done
                for creator in "${creators[@]}"; do if wait "$creator"; then won=$((won + 1)); fi; done
                expect_equal "$won" 1 "how many made it in round $round: $(cat "$TEST_DIR"/out.?)"
                expect_equal "$(cat "$TEST_DIR"/out.? | grep -c "already exists")" 3 "how many were told: $(cat "$TEST_DIR"/out.?)"
                expect_equal "$(container_state)" created
                clean_up "round $round"
        done
}

@test "create and delete --force of the same id, over and over, leave nothing" {
        local i one others=()
        for i in $(seq 12); do
                runtime create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
                others+=($!)
                runtime delete --force "$ID" >/dev/null 2>&1 3>&- &
                others+=($!)
                [ $((i % 3)) != 0 ] || sleep 0.03
                runtime delete --force "$ID" >/dev/null 2>&1 || true
        done
        for one in "${others[@]}"; do wait "$one" || true; done
        clean_up "in the end"
}

# interrupt SIGNAL - run in the foreground, wait for the hook's mark, send the signal to the runtime alone
interrupt() {
        rm -f "$TEST_DIR/hooked" "$ROOTFS/hooked"
        # shellcheck disable=SC2086
        "$RUNTIME" --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} run --bundle "$BUNDLE" "$ID" </dev/null >"$TEST_DIR/out" 2>&1 3>&- &
        local runner=$!
        wait_until eval "[ -e '$TEST_DIR/hooked' ] || [ -e '$ROOTFS/hooked' ]"
        kill "-$1" "$runner"
        wait_until eval "! kill -0 $runner" || { kill -KILL "$runner"; fail "still there after SIG$1"; } || return 1
        wait "$runner" && fail "a success after SIG$1"
        expect_nothing_left "SIG$1"
}

@test "run is interrupted while a hook hangs: nothing is left" {
        local kind signal
        for kind in prestart createRuntime createContainer; do
                config '.hooks = {($k): [{path: "/bin/sh", args: ["sh", "-c", "touch \($d)/hooked; exec sleep \($m)"]}]}' \
                        --arg k "$kind" --arg d "$TEST_DIR" --arg m "$MARK"
                for signal in INT TERM; do
                        interrupt "$signal" || { echo "$kind"; cat "$TEST_DIR/out"; return 1; }
                        grep -q "SIG$signal" "$TEST_DIR/out"
                done
        done
        config '.hooks = {startContainer: [{path: "/bin/sh", args: ["sh", "-c", "/bin/touch /hooked; exec /bin/sleep \($m)"]}]}' --arg m "$MARK"
        for signal in INT TERM; do interrupt "$signal" || { echo startContainer; cat "$TEST_DIR/out"; return 1; }; done
}

@test "a run that was interrupted leaves the terminal as it was" {
        skip_unless "program script" "program stty"
        config '.process.terminal = true |
                .hooks = {startContainer: [{path: "/bin/sh", args: ["sh", "-c", "/bin/touch /hooked; exec /bin/sleep \($m)"]}]}' --arg m "$MARK"
        cat >"$TEST_DIR/session" <<-EOS
		stty -a >"$TEST_DIR/before"
		"$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID" &
		runner=\$!
		n=0
		while [ ! -e "$ROOTFS/hooked" ] && [ \$n -lt 2000 ]; do sleep 0.05; n=\$((n + 1)); done
		stty -a >"$TEST_DIR/during"
		kill -TERM \$runner
		wait \$runner
		stty -a >"$TEST_DIR/after"
	EOS
        timeout -k 5 "$RUNTIME_TIMEOUT" script -qec "bash '$TEST_DIR/session'" /dev/null </dev/null >/dev/null 2>&1 3>&-
        [ -s "$TEST_DIR/before" ]
        expect_equal "$(cat "$TEST_DIR/after")" "$(cat "$TEST_DIR/before")" "settings of the terminal"
        expect_nothing_left terminal
}

# ------------------------------------------------------------------------------------------------- locks and what is left

@test "delete --force kills nobody by the name of a cgroup before it has the lock" {
        local dir other job
        config_args sleep 1000
        start_detached
        kill -KILL "$(container_pid)"
        wait_for stopped
        # as if the container had been removed meanwhile, and another one had its cgroup
        dir=$(cgroup_dir pids 2>/dev/null || cgroup_dir unified)
        [ -d "$dir" ] || skip "needs a cgroup that stays when its last process ends: runs without --systemd-cgroup"
        sleep 1000 3>&- &
        other=$!
        while read -r dir; do
                echo "$other" >"$dir/cgroup.procs"
        done < <(find /sys/fs/cgroup -type d -path "*$(cgroup_of)")
        flock "$STATE_ROOT/$ID" sleep 1000 3>&- &
        job=$!
        wait_until refute flock -n "$STATE_ROOT/$ID" true
        run runtime delete --force "$ID"
        expect_failure
        expect_text "in use by another command"
        kill -0 "$other"
        pkill -KILL -P "$job" || true # flock's child holds the lock
        kill "$job" 2>/dev/null || true
        runtime delete --force "$ID"
        [ ! -e "$STATE_ROOT/$ID" ]
        wait_until refute kill -0 "$other"
}

# look - another has a lock for a moment, from now on
look() {
        rm -f "$TEST_DIR/looks"
        flock --shared "$STATE_ROOT/$ID" sh -c 'touch "$1"; sleep 0.1' - "$TEST_DIR/looks" 3>&- &
        wait_until test -e "$TEST_DIR/looks"
}

@test "delete and start do not mind a short look by others" {
        config_args sleep 1000
        create_container
        look
        runtime start "$ID"
        kill -KILL "$(container_pid)"
        wait_for stopped
        look
        runtime delete "$ID"
        [ ! -e "$STATE_ROOT/$ID" ]
}

@test "--pid-file goes where the kernel would look for it" {
        mkdir -p "$TEST_DIR/far/away"
        ln -s far/away "$TEST_DIR/link"
        create_container "$ID" --pid-file "$TEST_DIR/link/../pid"
        expect_equal "$(cat "$TEST_DIR/far/pid")" "$(container_pid)"
        [ ! -e "$TEST_DIR/pid" ]
        runtime delete --force "$ID"
        (cd "$TEST_DIR" && create_container "$ID" --pid-file here)
        expect_equal "$(cat "$TEST_DIR/here")" "$(container_pid)"
}

@test "with too few descriptors nothing is left of a container" {
        local n made=
        config_args true
        for n in $(seq 4 40); do
                (
                        ulimit -Sn "$n"
                        exec "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID"
                ) </dev/null >"$TEST_DIR/out" 2>&1 3>&- && made=$n && break
                [ ! -e "$STATE_ROOT/$ID" ] || fail "with $n descriptors: $(ls -lA "$STATE_ROOT/$ID")" || return 1
        done
        [ -n "$made" ] || fail "$(cat "$TEST_DIR/out")"
}
