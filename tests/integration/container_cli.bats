#!/usr/bin/env bats
# The commands of containers: what they print, what they take, and how they end. The image is made of busybox by import.

load lib

setup_file() {
        [ "$(id -u)" = 0 ] || return 0
        STORE=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
        local tree=$STORE/tree name
        mkdir -p "$tree/bin" "$tree/etc" "$tree/tmp"
        cp "$(command -v busybox)" "$tree/bin/busybox"
        for name in $(busybox --list); do [ "$name" = busybox ] || ln -s busybox "$tree/bin/$name"; done
        echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
        make_programs
        export STORE LIBEXEC
        tar -C "$tree" -c . | coracle import -c 'CMD ["sh"]' -c 'ENV COLOUR=blue' - bb
}

teardown_file() {
        [ -n "${STORE:-}" ] || return 0
        coracle ps -aq | while read -r id; do coracle rm -f "$id"; done >/dev/null 2>&1 || true
        rm -rf "$STORE"
}

make_programs() { # the programs that coracle starts, as an installation has them
        LIBEXEC=$STORE/libexec
        mkdir "$LIBEXEC"
        ln -s "$CORACLE_BUILD/src/image/coracle-transfer" "$CORACLE_BUILD/libexec/coracle-monitor" \
                "$CORACLE_BUILD/src/tools/init/coracle-init" "$LIBEXEC"
}

setup() {
        skip_unless root # networks and cgroups of the whole machine
        TEST_DIR=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
        export HOME=$TEST_DIR TZ=UTC
        unset DOCKER_CONFIG
}

teardown() {
        [ -n "${TEST_DIR:-}" ] || return 0
        coracle ps -aq | while read -r id; do coracle rm -f "$id"; done >/dev/null 2>&1 || true
        rm -rf "$TEST_DIR"
}

coracle() { CORACLE_LIBEXEC=$LIBEXEC timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE_BUILD/src/cli/coracle" --root "$STORE/store" "$@" 3>&-; }

monitor_of() { awk '{ print $4 }' "/proc/$(coracle inspect -f '{{.State.Pid}}' "$1")/stat"; }

are_attached() { # CONTAINER NUMBER
        [ "$(coracle events --since 1h --until 0s -f "container=$1" -f event=attach --format x | grep -c x)" = "$2" ]
}

none() { coracle run --rm --network none "$@"; }

@test "run: output, exit codes, and nothing left of it" {
        run none bb echo hello
        expect_status 0
        expect_output hello
        run none bb sh -c 'exit 7'
        expect_status 7
        run none bb sh -c 'sh -c "kill -9 \$\$"; exit $?'
        expect_status 137
        run none bb nosuch
        expect_status 127
        expect_text "Run 'coracle run --help' for more information"
        run none bb /etc
        expect_status 126
        run coracle ps -aq
        expect_output ""
}

@test "run: standard output and standard error stay apart, and input arrives whole" {
        none bb sh -c 'echo out; echo err >&2' >"$TEST_DIR/out" 2>"$TEST_DIR/err"
        expect_equal "$(cat "$TEST_DIR/out")" out
        expect_equal "$(cat "$TEST_DIR/err")" err
        head -c 3000000 /dev/urandom >"$TEST_DIR/bytes"
        none -i bb cat <"$TEST_DIR/bytes" >"$TEST_DIR/again"
        cmp "$TEST_DIR/bytes" "$TEST_DIR/again"
        run none bb cat </dev/null # stdin is not passed on without -i
        expect_output ""
}

@test "run: a reader that goes away ends the command as others end" {
        coracle run --name yes --network none bb yes 2>"$TEST_DIR/err" | head -n 1 >"$TEST_DIR/out"
        expect_equal "$(cat "$TEST_DIR/out")" y
        run coracle inspect -f '{{.State.Running}}' yes
        expect_output true
}

@test "run: output that cannot be written is an error" {
        run sh -c "exec >/dev/full; CORACLE_LIBEXEC=$LIBEXEC $CORACLE_BUILD/src/cli/coracle --root $STORE/store run --rm --network none bb echo x" 3>&-
        expect_status 1
        expect_text "No space left on device"
}

@test "run: a monitor that is killed: the truth about the container, and its code" {
        coracle run --name mk --network none bb sh -c 'echo up; exec sleep 1000' >"$TEST_DIR/out" 2>&1 &
        local client=$! status=0 monitor
        wait_until grep -qx up "$TEST_DIR/out" # it has heard of the start
        monitor=$(monitor_of mk)
        grep -q coracle-monitor "/proc/$monitor/cmdline"
        kill -9 "$monitor"
        wait "$client" || status=$?
        expect_equal "$status" 137
        run coracle ps -a --format '{{.Names}} {{.Status}}'
        expect_match '^mk Exited \(137\) '
}

@test "tens of clients at one container: each gets all of it" {
        coracle run -d --name many --network none bb sh -c 'while [ ! -e /tmp/go ]; do sleep 0.1; done; seq 20000'
        local i clients=()
        for i in $(seq 20); do
                coracle attach --no-stdin many >"$TEST_DIR/out.$i" &
                clients+=($!)
        done
        wait_until are_attached many 20
        coracle exec many touch /tmp/go || [ $? = 137 ] # it may be ended with the container
        wait "${clients[@]}"
        for i in $(seq 20); do seq 20000 | cmp - "$TEST_DIR/out.$i"; done
}

@test "run: wrong flags, refused ones, and suggestions" {
        run coracle run --nmae x bb
        expect_status 125
        expect_text "unknown flag: --nmae"
        expect_text "Did you mean --name?"
        run coracle run -p 80:81:82:83 bb
        expect_status 125
        expect_text "invalid IP address: 80:81"
        run coracle run --memory 1x bb
        expect_status 125
        expect_text "coracle: invalid argument \"1x\" for \"-m, --memory\" flag: invalid suffix: 'x'"
        run coracle run -t -i bb sh </dev/null
        expect_status 1
        expect_text "the input device is not a TTY"
        run coracle run -d -a stdout bb
        expect_status 1
        expect_text "cannot specify both --attach and --detach"
        run coracle run --pull never --network none nosuchimage:1
        expect_status 125
        expect_text "No such image: nosuchimage:1"
        run coracle strat
        expect_status 1
        expect_text "Did you mean 'coracle start'?"
}

@test "--cidfile: the id of the container, and no file when there is none" {
        run none --cidfile "$TEST_DIR/cid" bb true
        expect_status 0
        expect_match '^[0-9a-f]{64}$' <"$TEST_DIR/cid" || grep -Eq '^[0-9a-f]{64}$' "$TEST_DIR/cid"
        run none --cidfile "$TEST_DIR/cid" bb true
        expect_status 125
        expect_text "container ID file found"
        run none --pull never --cidfile "$TEST_DIR/other" nosuchimage true
        expect_status 125
        [ ! -e "$TEST_DIR/other" ]
}

@test "create, start, ps, stop, restart, wait, rm" {
        local id
        id=$(coracle create --name one --network none bb sleep 1000)
        run coracle ps -a --format '{{.ID}} {{.Names}} {{.State}} {{.Status}} {{.Command}}'
        expect_output "${id:0:12} one created Created \"sleep 1000\""
        run coracle ps -q
        expect_output ""
        run coracle start one
        expect_output one
        run coracle ps --no-trunc -q
        expect_output "$id"
        run coracle ps -f name=on -f status=running --format '{{.Names}}'
        expect_output one
        run coracle ps -f status=exited -q
        expect_output ""
        run coracle rename one two
        expect_status 0
        run coracle restart -t 0 two
        expect_output two
        run coracle stop -t 0 two
        expect_output two
        run coracle wait two
        expect_output 137
        run coracle ps -a --format '{{.Status}}'
        expect_match '^Exited \(137\) '
        run coracle rm two nothere
        expect_status 1
        expect_text two
        expect_text "Error: No such container: nothere"
        run coracle rm -f nothere
        expect_status 0
}

is_up() { coracle logs "$1" | grep -qx up; }

@test "kill, pause, unpause" {
        coracle run -d --name kk --network none bb sh -c 'trap "exit 5" USR1; echo up; while :; do sleep 0.1; done'
        wait_until is_up kk
        run coracle pause kk
        expect_output kk
        run coracle ps --format '{{.Status}}'
        expect_match ' \(Paused\)$'
        run coracle attach kk
        expect_status 1
        expect_text "You cannot attach to a paused container, unpause it first"
        run coracle unpause kk
        expect_output kk
        run coracle kill -s USR1 kk
        expect_output kk
        run coracle wait kk
        expect_output 5
        run coracle kill kk
        expect_status 1
        expect_text "is not running"
        run coracle kill -s NOSUCH kk
        expect_status 1
        expect_text "invalid signal: NOSUCH"
}

@test "exec: output, input, exit codes, variables, user, folder" {
        coracle run -d --name ee --network none bb sleep 1000
        run coracle exec ee sh -c 'echo $COLOUR; exit 3'
        expect_status 3
        expect_output blue
        run coracle exec -e COLOUR=red -w /tmp -u 5:6 ee sh -c 'echo $COLOUR $PWD; id -u; id -g'
        expect_output "red /tmp
5
6"
        head -c 1000000 /dev/urandom >"$TEST_DIR/bytes"
        coracle exec -i ee cat <"$TEST_DIR/bytes" >"$TEST_DIR/again"
        cmp "$TEST_DIR/bytes" "$TEST_DIR/again"
        run coracle exec ee nosuch
        expect_status 127
        run coracle exec ee /etc
        expect_status 126
        run coracle exec -d ee sh -c 'echo done >/tmp/mark'
        expect_status 0
        wait_until coracle exec ee cat /tmp/mark
        coracle stop -t 0 ee
        run coracle exec ee true
        expect_status 1
        expect_text "is not running"
}

@test "attach and start -a: what is printed, the exit code, signals" {
        coracle create -i --name aa --network none bb sh -c 'trap "echo term; exit 9" TERM; echo up; while read -r x; do echo "got $x"; done; exit 4'
        { echo one; echo two; } | coracle start -ai aa >"$TEST_DIR/out" || status=$?
        expect_equal "${status:-0}" 4
        expect_equal "$(cat "$TEST_DIR/out")" "up
got one
got two"
        coracle start aa
        mkfifo "$TEST_DIR/in"
        CORACLE_LIBEXEC=$LIBEXEC "$CORACLE_BUILD/src/cli/coracle" --root "$STORE/store" attach aa \
                <"$TEST_DIR/in" >"$TEST_DIR/attached" 3>&- &
        local client=$! status=0
        # What was printed before it came is not its own to see; an answer shows that it is there.
        exec 7>"$TEST_DIR/in"
        echo three >&7
        wait_until grep -q "got three" "$TEST_DIR/attached"
        kill -TERM "$client"
        wait "$client" || status=$?
        exec 7>&-
        expect_equal "$status" 9
        expect_equal "$(grep -v '^up$' "$TEST_DIR/attached")" "got three
term"
}

@test "logs: both streams, tail, times" {
        coracle run --name ll --network none bb sh -c 'echo 1; echo 2 >&2; echo 3' >"$TEST_DIR/out" 2>&1
        run coracle logs ll
        expect_equal "$(sort <<<"$output")" "1
2
3"
        coracle logs ll 2>/dev/null >"$TEST_DIR/out"
        expect_equal "$(cat "$TEST_DIR/out")" "1
3"
        coracle rm ll
        coracle run --name ll --network none bb sh -c 'echo 1; echo 2; echo 3' >"$TEST_DIR/out"
        run coracle logs -n 1 ll
        expect_output 3
        run coracle logs -t --tail 1 ll
        expect_match '^20[0-9-]*T[0-9:]*\.[0-9]{9}Z 3$'
        run coracle logs --tail x ll
        expect_status 1
        run coracle logs nothere
        expect_text "Error: No such container: nothere"
}

@test "inspect: containers, images and volumes by name and type; templates" {
        coracle volume create vol
        coracle create --name ii --network none -e A=1 -l k=v -v vol:/data --memory 64m bb sleep 5
        run coracle inspect -f '{{.Name}} {{.Config.Image}} {{.HostConfig.Memory}} {{index .Config.Labels "k"}} {{.State.Status}}' ii
        expect_output "/ii bb 67108864 v created"
        run coracle inspect --format json ii
        expect_equal "$(jq -r '.[0].HostConfig.Binds[0], .[0].HostConfig.NetworkMode' <<<"$output")" "vol:/data
none"
        run coracle inspect --type volume -f '{{.Driver}}' vol
        expect_output local
        run coracle inspect --type image -f '{{.Os}}' bb
        expect_output linux
        run coracle inspect --type container bb
        expect_status 1
        expect_text "Error: No such container: bb"
        run coracle inspect -f '{{.Size}}' bb nothere
        expect_status 1
        expect_text "Error: No such object: nothere"
        run coracle volume rm vol
        expect_status 1
        expect_text "volume is in use"
        coracle rm ii
        coracle volume rm vol
}

@test "top, stats, update, port" {
        coracle run -d --name tt --network none --memory 64m bb sleep 1000
        shows_args() { coracle top tt -o pid,args | grep -q 'sleep 1000'; } # a moment after the start
        wait_until shows_args
        run coracle top tt -o pid,args
        expect_match '^PID +COMMAND'
        expect_match '[0-9]+ +sleep 1000'
        run coracle stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' tt
        expect_match '^tt 1 .* / 64MiB$'
        run coracle update --memory 128m --memory-swap 128m tt
        expect_output tt
        run coracle inspect -f '{{.HostConfig.Memory}}' tt
        expect_output 134217728
        run coracle update tt
        expect_status 1
        run coracle port tt
        expect_output ""
        run coracle port tt 80
        expect_status 1
}

@test "container prune: those that do not run, by label" {
        coracle run -d --name stays --network none bb sleep 1000
        coracle create --name p1 -l x=1 --network none bb
        coracle create --name p2 --network none bb
        run coracle container prune -f --filter label=x=1
        expect_status 0
        expect_text "Deleted Containers:"
        expect_text "Total reclaimed space: "
        run coracle ps -a --format '{{.Names}}'
        expect_output "p2
stays"
        run coracle container prune -f
        run coracle ps -a --format '{{.Names}}'
        expect_output stays
}

@test "system df, info, prune: containers and volumes, too" {
        coracle volume create kept >"$TEST_DIR/out"
        coracle create --name dd --network none -v kept:/data -v /anonymous bb
        run coracle system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'
        expect_output "Images 1 1
Containers 1 0
Local Volumes 2 2
Build Cache 0 0"
        run coracle system df -v
        expect_text "Containers space usage:"
        expect_text "Local Volumes space usage:"
        run coracle info -f '{{.Containers}} {{.ContainersRunning}} {{.ContainersStopped}}'
        expect_output "1 0 1"
        run coracle ps -as --format '{{.Names}} {{.Size}}'
        expect_match '^dd [0-9.]+k?B \(virtual [0-9.]+MB\)$'
        run coracle system prune -f --volumes
        expect_text "Deleted Containers:"
        run coracle volume ls -q
        expect_output kept
        coracle volume rm kept
}

@test "events of a container's life" {
        coracle run --rm --name ev --network none bb true
        run coracle events --since 1m --until 0s -f container=ev --format '{{.Action}}'
        expect_text start
        expect_text die
}
