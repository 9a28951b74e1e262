# Faults while containers are made, run, stopped and removed: kill -9 of whichever process is about to make one of the
# calls that change a disk (the command, the monitor, the container's first process), at every such call in turn.
#
# Each time, afterwards: the next command tells the truth (no container is said to run that has no monitor), the same
# command works, and once the container is removed `system check` finds nothing, and no process, mount, cgroup or folder
# is left.
load faults
load ../integration/lib
export BATS_TEST_TIMEOUT=900

setup() {
        need_root && need jq
        faults_setup
        TEST_CGROUP=${CORACLE_TEST_RUN:-coracle-test-$$}-fault-$BATS_TEST_NUMBER
        export CORACLE_LIBEXEC=$CORACLE_BUILD/libexec COR_STORE=$FAULT_DIR/store CORACLE_RUN=$FAULT_DIR/run
        CORACLE=$CORACLE_BUILD/src/cli/coracle
        make_rootfs "$FAULT_DIR/root"
        tar -C "$FAULT_DIR/root" -cf "$FAULT_DIR/root.tar" .
        "$CORACLE" import "$FAULT_DIR/root.tar" bb:1 >/dev/null
}

teardown() {
        [ -n "${FAULT_DIR:-}" ] || return 0
        timeout 60 "$CORACLE" rm -f one >/dev/null 2>&1 || true
        remove_cgroups "$TEST_CGROUP"
        faults_teardown
}

coracle() { timeout -k 5 60 "$CORACLE" "$@" 3>&-; }
make() { coracle "$@" --name one --network none --cgroup-parent "/$TEST_CGROUP" bb:1 sh -c "$PROGRAM"; }

problem() {
        echo "call $n ($(sed -n 's/^call //p' "$FAULT_DIR/report")) of ${verb[*]}: $1"
        shift
        printf '%s\n' "$@" "output of the verb:" "$(cat "$FAULT_DIR/out")"
        return 1
}

monitors() {
        local file
        for file in /proc/[0-9]*/cmdline; do
                [[ "$(tr '\0' ' ' 2>/dev/null <"$file")" == "coracle-monitor --store $COR_STORE "* ]] && echo "$file"
        done
        true
}

expect_truth() {
        local listed
        listed=$(coracle ps -a --no-trunc --format '{{.ID}} {{.State}}') || { problem "ps fails" "$listed"; return 1; }
        [[ $listed != *" running" || -n "$(monitors)" ]] || { problem "it is said to run" "$listed"; return 1; }
}

expect_nothing() {
        local try left mount
        coracle rm -f one >"$FAULT_DIR/rm" 2>&1 || grep -q "No such container" "$FAULT_DIR/rm" ||
                { problem "rm -f fails" "$(cat "$FAULT_DIR/rm")"; return 1; }
        for try in {1..100}; do
                [ -n "$(monitors)" ] || break
                sleep 0.05
        done
        left=$(monitors)
        for mount in $CGROUP_MOUNTS; do
                left+=$(find "$mount/$TEST_CGROUP" -mindepth 1 -type d 2>/dev/null)
        done
        left+=$(find "$CORACLE_RUN" -mindepth 2 ! -name events ! -path "*/runtime" 2>/dev/null)
        left+=$(grep "$FAULT_DIR" /proc/self/mountinfo || true)
        [ -z "$left" ] || { problem "something is left" "$left"; return 1; }
        coracle system check --repair >/dev/null 2>&1 || true # a folder without a row is swept away some day, or now
        left=$(coracle system check 2>&1) || { problem "system check complains" "$left"; return 1; }
        [ "$(find "$COR_STORE/containers" -mindepth 1 ! -name .lock ! -name .work | wc -l)" = 0 ] ||
                { problem "folders are left" "$(find "$COR_STORE/containers" -mindepth 1)"; return 1; }
}

# kill_at_each STEP WORD... - the command, after prepare(), at every STEP-th call: others each time the tests run
kill_at_each() {
        local n step=${FAULT_STEP:-$1}
        shift
        local verb=("$@")
        [ -n "${FAULT_STEP:-}" ] || ! is_emulated || step=$((step * 5))
        for ((n = 1 + SRANDOM % step; ; n += step)); do
                prepare >"$FAULT_DIR/prepared" 2>&1 || { problem "it cannot be prepared" "$(cat "$FAULT_DIR/prepared")"; return 1; }
                timeout -k 5 100 "$FAULT" -o "$FAULT_DIR/report" kill "$n" "$@" >"$FAULT_DIR/out" 2>&1 </dev/null 3>&- || true
                expect_truth && expect_nothing || return 1
                grep -qx 'reached 1' "$FAULT_DIR/report" || break
        done
        [ "$n" -gt "$step" ] || { echo "only $n calls were seen: the faults do not work"; return 1; }
        echo "# $(((n - 1) / step)) calls of ${verb[*]}" >&3
}

@test "run --rm, killed at any call" {
        prepare() { :; }
        kill_at_each 7 "$CORACLE" run --rm --name one --network none --cgroup-parent "/$TEST_CGROUP" bb:1 true
}

@test "start, killed at any call" {
        PROGRAM='echo x'
        prepare() { make create; }
        kill_at_each 7 "$CORACLE" start -a one
}

@test "a whole life, killed at any call, the monitor's, too" {
        prepare() { :; }
        life() {
                "$CORACLE" run -d --name one --network none --cgroup-parent "/$TEST_CGROUP" bb:1 \
                        sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' && "$CORACLE" pause one && "$CORACLE" unpause one &&
                        "$CORACLE" restart -t 5 one && "$CORACLE" exec one true && "$CORACLE" stop -t 5 one && "$CORACLE" rm one
        }
        export -f life
        export CORACLE TEST_CGROUP
        kill_at_each 19 bash -c 'life || "$CORACLE" rm -f one' # what runs has to end: the one who makes the faults serves it till then
}

@test "rm -f, killed at any call" {
        PROGRAM='while :; do sleep 0.1; done'
        prepare() { make run -d; }
        kill_at_each 2 "$CORACLE" rm -f one
}
