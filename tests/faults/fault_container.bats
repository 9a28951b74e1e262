# Faults while containers are made, run, stopped and removed: kill -9 of whichever process is about to make one of the
# calls that change a disk (the command, the monitor, the container's first process), an error of the disk, or a disk that
# is full from then on, at every such call in turn (FAULT_STEP=1), or at some of them.
#
# Each time, afterwards: who fails says why; the next command tells the truth (no container is said to run that has no monitor), the same
# command works, and once the container is removed `system check` finds nothing, and no process, mount, cgroup or folder
# is left.
load faults
load ../integration/lib

setup() {
        need_root && need jq
        faults_setup
        TEST_CGROUP=${CORACLE_TEST_RUN:-coracle-test-$$}-fault-$BATS_TEST_NUMBER
        export CORACLE_LIBEXEC=$CORACLE_BUILD/libexec COR_STORE=$FAULT_DIR/store CORACLE_RUN=$FAULT_DIR/run
        CORACLE=$CORACLE_BUILD/src/cli/coracle
        choose_cgroup_parent
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

coracle() { timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE" "$@" 3>&-; }
make() { coracle "$@" --name one --network none --cgroup-parent "$CGROUP_PARENT" bb:1 sh -c "$PROGRAM"; }

problem() {
        echo "$how, call $n ($(sed -n 's/^call //p' "$FAULT_DIR/report")) of ${verb[*]}: $1"
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

cgroups() {
        local mount
        for mount in $CGROUP_MOUNTS; do find "$mount/$CGROUP_PARENT" -mindepth 1 -type d 2>/dev/null; done
}

expect_truth() {
        local listed
        listed=$(coracle ps -a --no-trunc --format '{{.ID}} {{.State}}') || { problem "ps fails" "$listed"; return 1; }
        [[ $listed != *" running" || -n "$(monitors)" ]] || { problem "it is said to run" "$listed"; return 1; }
}

expect_nothing() {
        local try left
        coracle rm -f one >"$FAULT_DIR/rm" 2>&1 || grep -q "No such container" "$FAULT_DIR/rm" ||
                { problem "rm -f fails" "$(cat "$FAULT_DIR/rm")"; return 1; }
        for try in {1..100}; do
                [ -n "$(monitors)$(cgroups)" ] || break
                sleep 0.05
        done
        [ "$how" = kill ] || coracle system check --repair >/dev/null 2>&1 || true # where nobody dies, nobody comes to clear up
        left=$(monitors)$(cgroups)
        left+=$(find "$CORACLE_RUN" -mindepth 2 ! -name "events*" ! -path "*/runtime" 2>/dev/null)
        left+=$(grep "$FAULT_DIR" /proc/self/mountinfo || true)
        [ -z "$left" ] || { problem "something is left" "$left"; return 1; }
        coracle system check --repair >/dev/null 2>&1 || true # a folder without a row is swept away some day, or now
        left=$(coracle system check 2>&1) || { problem "system check complains" "$left"; return 1; }
        [ "$(find "$COR_STORE/containers" -mindepth 1 ! -name .lock ! -name .work | wc -l)" = 0 ] ||
                { problem "folders are left" "$(find "$COR_STORE/containers" -mindepth 1)"; return 1; }
}

# kill_at_each STEP WORD... - the command, after prepare(), at every STEP-th call: others each time the tests run
kill_at_each() { fault_at_each kill "$@"; }

expect_more() { :; } # STATUS: what a test wants to see of the command, before all of it is removed

fault_at_each() { # HOW STEP WORD... - likewise with kill, eio or full
        local how=$1 n status step=${FAULT_STEP:-$2}
        shift 2
        local verb=("$@")
        [ -n "${FAULT_STEP:-}" ] || ! is_emulated || step=$((step * 5))
        for ((n = 1 + SRANDOM % step; ; n += step)); do
                prepare >"$FAULT_DIR/prepared" 2>&1 || { problem "it cannot be prepared" "$(cat "$FAULT_DIR/prepared")"; return 1; }
                status=0
                timeout -k 5 100 "$FAULT" -o "$FAULT_DIR/report" "$how" "$n" "$@" 2>&1 </dev/null 3>&- |
                        cat >"$FAULT_DIR/out" 3>&- # what it says is not of the disk
                status=${PIPESTATUS[0]}
                [ "$status" != 124 ] || { problem "it does not come to an end"; return 1; }
                [ "$how" = kill ] || [ "$status" = 0 ] || [ -s "$FAULT_DIR/out" ] ||
                        { problem "it fails (status $status) and does not say why"; return 1; }
                expect_more "$status" && expect_truth && expect_nothing || return 1
                grep -qx 'reached 1' "$FAULT_DIR/report" || break
        done
        [ "$status" = 0 ] || { problem "it fails with no fault at all"; return 1; }
        [ "$n" -gt "$step" ] || { echo "only $n calls were seen: the faults do not work"; return 1; }
        echo "# $how: $(((n - 1) / step)) calls of ${verb[*]}" >&3
}

@test "run --rm, killed at any call" {
        prepare() { :; }
        kill_at_each 7 "$CORACLE" run --rm --name one --network none --cgroup-parent "$CGROUP_PARENT" bb:1 true
}

@test "start, killed at any call" {
        PROGRAM='echo x'
        prepare() { make create; }
        kill_at_each 7 "$CORACLE" start -a one
}

@test "a whole life, killed at any call, the monitor's, too" {
        prepare() { :; }
        life() {
                "$CORACLE" run -d --name one --network none --cgroup-parent "$CGROUP_PARENT" bb:1 \
                        sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' && "$CORACLE" pause one && "$CORACLE" unpause one &&
                        "$CORACLE" restart -t 5 one && "$CORACLE" exec one true && "$CORACLE" stop -t 5 one && "$CORACLE" rm one
        }
        export -f life
        export CORACLE CGROUP_PARENT
        kill_at_each 19 bash -c 'life || { "$CORACLE" rm -f one; exit 1; }' # what runs has to end: the one who makes the faults serves it till then
}

@test "rm -f, killed at any call" {
        PROGRAM='while :; do sleep 0.1; done'
        prepare() { make run -d; }
        kill_at_each 2 "$CORACLE" rm -f one
}

# A container and the volumes that are made for it come together, and whole, or not at all.
whole_or_not_there() {
        local volumes there
        volumes=$(coracle volume ls -q) || { problem "volume ls fails" "$volumes"; return 1; }
        there=$(coracle ps -aq --filter name=one)
        if [ -z "$there" ]; then
                [ -z "$volumes" ] || { problem "volumes without their container" "$volumes"; return 1; }
                [ "$1" != 0 ] || { problem "it was made, and is not there"; return 1; }
        else
                diff -r "$COR_STORE/volumes/data/_data" "$FAULT_DIR/root/etc" >"$FAULT_DIR/diff" ||
                        { problem "the volume is not what the image has" "$(cat "$FAULT_DIR/diff")"; return 1; }
                [ "$(wc -w <<<"$volumes")" = 2 ] || { problem "a volume is missing" "$volumes"; return 1; }
                coracle start -a one >"$FAULT_DIR/started" 2>&1 || { problem "it cannot be started" "$(cat "$FAULT_DIR/started")"; return 1; }
                coracle rm -v one >/dev/null && coracle volume rm data >/dev/null || { problem "it cannot be removed"; return 1; }
        fi
        volumes=$(find "$COR_STORE/volumes" -mindepth 1 ! -name .work)
        [ -z "$volumes" ] || [ "$1" != 0 ] || { problem "volumes are left" "$volumes"; return 1; }
}

create_all() {
        prepare() { :; }
        expect_more() { whole_or_not_there "$@"; }
        mkdir -p "$FAULT_DIR"/root/{etc/deep,srv} && echo text | tee "$FAULT_DIR/root/etc/deep/file" >"$FAULT_DIR/root/srv/file"
        tar -C "$FAULT_DIR/root" -cf "$FAULT_DIR/root.tar" .
        "$CORACLE" import "$FAULT_DIR/root.tar" bb:1 >/dev/null
        fault_at_each "$1" "$2" "$CORACLE" create --name one --network none --cgroup-parent "$CGROUP_PARENT" -v data:/etc -v /srv bb:1 true
}

@test "create with volumes, killed at any call" { create_all kill 9; }

@test "create with volumes, a call failing with EIO" { create_all eio 9; }

@test "create with volumes, the disk full from a call on" { create_all full 13; }

@test "run --rm, a call failing with EIO" {
        prepare() { :; }
        fault_at_each eio 13 "$CORACLE" run --rm --name one --network none --cgroup-parent "$CGROUP_PARENT" bb:1 echo text
}

@test "run --rm, the disk full from a call on" {
        prepare() { :; }
        fault_at_each full 17 "$CORACLE" run --rm --name one --network none --cgroup-parent "$CGROUP_PARENT" bb:1 echo text
}

@test "start, a call failing with EIO" {
        PROGRAM='echo x'
        prepare() { make create; }
        fault_at_each eio 13 "$CORACLE" start -a one
}

@test "start, the disk full from a call on" {
        PROGRAM='echo x'
        prepare() { make create; }
        fault_at_each full 17 "$CORACLE" start -a one
}

# The command alone: the monitor is no child of it, and goes on.
still_runs() {
        [ "$(coracle inspect -f '{{.State.Status}}' one)" = running ] || { problem "it does not run any more"; return 1; }
        [ "$(coracle exec one echo well)" = well ] || { problem "nothing can be run in it any more"; return 1; }
}

@test "exec, killed at any call, or a call failing with EIO" {
        PROGRAM='while :; do sleep 0.1; done'
        prepare() { make run -d; }
        expect_more() { still_runs; }
        kill_at_each 4 "$CORACLE" exec one touch /x
        fault_at_each eio 4 "$CORACLE" exec one touch /x
}

@test "rm -f, a call failing with EIO" {
        PROGRAM='while :; do sleep 0.1; done'
        prepare() { make run -d; }
        fault_at_each eio 5 "$CORACLE" rm -f one
}
