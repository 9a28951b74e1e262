#!/usr/bin/env bats
# The life of containers beyond the first run: what the machine's start and end mean to them, how they are stopped, what is told
# of them, what they had printed, and those that another runtime makes.

load lib
load registries
load containers

setup() { setup_containers; }
teardown() { teardown_containers; }

@test "logs: whoever has heard of the end finds the last line, with its end or without" {
        local i
        for i in {1..20}; do
                crun --name "c$i" bb:1 sh -c "echo 1; echo 2; echo $i" >/dev/null
                run coracle logs -n 1 "c$i"
                expect_output "$i"
                crun -d --name "d$i" bb:1 sh -c "echo 1; echo 2; printf $i" >/dev/null
                coracle wait "d$i" >/dev/null
                run coracle logs -n 1 "d$i"
                expect_output "$i"
        done
}

@test "logs: a line without an end does not run into what the next start prints" {
        crun -d --name one --restart on-failure:1 bb:1 sh -c 'printf "no end"; exit 3' >/dev/null
        wait_until has_started_again one
        coracle wait one >/dev/null
        expect_equal "$(jq -r .log "$COR_STORE"/containers/*/*-json.log)" "no end
no end"
}

has_started_again() { [ "$(coracle inspect -f '{{.RestartCount}}' "$1")" = 1 ]; }

@test "other runtimes get a configuration of a version that they take" {
        local program version
        for program in crun runc; do
                program=$(type -P "$program") || skip "there is no $program; runs where Debian's crun and runc are installed"
                crun --name "by-${program##*/}" --runtime "$program" -v "$TEST_DIR:/ro:ro" bb:1 sh -c 'echo out; touch /ro/x 2>/dev/null && echo written' \
                        >"$TEST_DIR/out" 2>&1 || grep -q "hybrid mode" "$TEST_DIR/out" || {
                        expect_equal "$(cat "$TEST_DIR/out")" out
                }
        done
        if kernel_at_least 5.12 && [ -z "${CORACLE_REFUSE:-}" ]; then # before, it is refused
                crun --name forced --runtime "$(type -P runc)" --mount "type=bind,src=$TEST_DIR,dst=/ro,ro,bind-recursive=readonly,bind-propagation=rprivate" \
                        bb:1 true >/dev/null 2>&1 || true
                version=$(jq -r .ociVersion "$COR_STORE/containers/$(coracle inspect -f '{{.Id}}' forced)/config.json")
                expect_equal "$version" 1.1.0
        fi
        crun --name own bb:1 true
        expect_equal "$(jq -r .ociVersion "$COR_STORE/containers/$(coracle inspect -f '{{.Id}}' own)/config.json")" 1.3.0
}

# On hosts with hybrid cgroups crun says that it does not take them.
runs_here() { # PROGRAM NAME
        run crun -d --name "$2" --runtime "$1" bb:1 sleep 1000
        [[ $output != *"hybrid mode"* ]] || return 1
        expect_status 0
}

events_since() { # TIME TEMPLATE [FILTER...]
        local since=$1 template=$2
        shift 2
        coracle events --since "$since" --until 0s --format "$template" "$@"
}

# The codes of what has ended in a container, as often as it may have been
has_ended_execs_of() { # NAME CODES
        local code
        for code in $2; do
                events_since 0 '{{.Actor.Attributes.exitCode}}' --filter event=exec_die --filter "container=$1" | grep -qx "$code" || return 1
        done
}

terminal() { in_net script -qec "$*" /dev/null </dev/null; }

@test "other runtimes: exec, top, stats and update" {
        local program tried=0
        skip_unless "program script"
        for program in crun runc; do
                program=$(type -P "$program") || skip "there is no $program; runs where Debian's crun and runc are installed"
                if runs_here "$program" "in-${program##*/}"; then
                        try_other_runtime "in-${program##*/}" "$output"
                        tried=$((tried + 1))
                fi
        done
        [ "$tried" -gt 0 ] || fail "neither was to be had"
}

try_other_runtime() { # NAME ID
        local name=$1 id=$2
        run coracle exec "$name" sh -c 'echo inside; exit 3'
        expect_status 3
        expect_output inside
        expect_equal "$(echo hello | coracle exec -i "$name" cat)" hello
        expect_equal "$(terminal "$CORACLE exec -t $name tty" | tr -d '\r')" /dev/pts/0
        run coracle exec "$name" nosuch
        expect_status 127
        coracle exec -d "$name" sleep 2000
        run coracle exec -d "$name" nosuch
        expect_status 127
        expect_text "nosuch"
        coracle exec -dt "$name" sh -c 'exit 6'
        wait_until has_ended_execs_of "$name" "3 6"
        run coracle top "$name" -o pid,args
        expect_text "sleep 1000"
        expect_text "sleep 2000"
        expect_equal "$(coracle stats --no-stream --format '{{.PIDs}}' "$name")" 2
        coracle update --pids-limit 77 "$name" >/dev/null
        expect_equal "$(find /sys/fs/cgroup -path "*$id*/pids.max" -exec cat {} + | sort | head -n 1)" 77
        expect_equal "$(find "$CORACLE_RUN" -name 'exec-*')" ""
        coracle rm -f "$name" >/dev/null
}

has_ended_execs() { # HOW-MANY SINCE
        [ "$(events_since "$2" '{{.Action}}' --filter event=exec_die | wc -l)" -ge "$1" ]
}

@test "events: what is done to a container that runs, and in it" {
        local since id
        since=$(date +%s.%N)
        id=$(crun -d --name one bb:1 sleep 1000)
        coracle exec one sh -c 'exit 3' || true
        coracle exec one nosuch 2>/dev/null || true
        coracle exec -d one sh -c 'exit 5'
        wait_until has_ended_execs 3 "$since"
        coracle exec -dt one sh -c 'echo to nobody; exit 6'
        wait_until has_ended_execs 4 "$since"
        run coracle exec -d one nosuch
        expect_status 127
        coracle top one >/dev/null
        coracle export one >/dev/null
        coracle cp one:/etc/passwd "$TEST_DIR/copied"
        coracle cp "$TEST_DIR/copied" one:/copied
        coracle pause one
        coracle unpause one
        coracle kill -s KILL one >/dev/null
        coracle wait one >/dev/null
        crun --rm --name two bb:1 true
        run events_since "$since" '{{.Actor.Attributes.name}} {{.Action}}' --filter type=container
        expect_output "one create
one start
one exec_create: sh -c exit 3
one exec_start: sh -c exit 3
one exec_die
one exec_create: nosuch
one exec_start: nosuch
one exec_die
one exec_create: sh -c exit 5
one exec_start: sh -c exit 5
one exec_die
one exec_create: sh -c echo to nobody; exit 6
one exec_start: sh -c echo to nobody; exit 6
one exec_die
one exec_create: nosuch
one exec_start: nosuch
one exec_die
one top
one export
one archive-path
one extract-to-dir
one pause
one unpause
one kill
one die
two create
two attach
two start
two die
two destroy"
        run events_since "$since" '{{.Actor.Attributes.exitCode}} {{len .Actor.Attributes.execID}}' --filter event=exec_die
        expect_output "3 64
127 64
5 64
6 64
127 64"
        expect_equal "$(events_since "$since" '{{.Actor.ID}}' --filter event=top)" "$id"
}

@test "events: volumes come, are mounted for a container, and go" {
        local since id
        since=$(date +%s.%N)
        coracle volume create kept >/dev/null
        id=$(crun -d -v kept:/data:ro -v /anonymous bb:1 sleep 1000)
        coracle rm -fv "$id" >/dev/null
        coracle volume rm kept >/dev/null
        run events_since "$since" '{{.Action}} {{.Actor.Attributes.driver}} {{.Actor.Attributes.destination}}' --filter volume=kept
        expect_output "create local <no value>
mount local /data
unmount local <no value>
destroy local <no value>"
        expect_equal "$(events_since "$since" '{{index .Actor.Attributes "read/write"}} {{.Actor.Attributes.container}}' \
                --filter volume=kept --filter event=mount)" "false $id"
        run events_since "$since" '{{.Action}}' --filter type=volume
        expect_equal "$(sort <<<"$output" | uniq -c | tr -s ' \n' ' ')" " 2 create 2 destroy 2 mount 2 unmount "
}

@test "events: images are named, lose their names, go and come back" {
        local since id
        id=$(coracle inspect -f '{{.Id}}' bb:1)
        since=$(date +%s.%N)
        coracle tag bb:1 other:2
        coracle save -o "$TEST_DIR/saved.tar" other:2
        coracle rmi other:2 >/dev/null
        coracle rmi bb:1 >/dev/null
        coracle load -i "$TEST_DIR/saved.tar" >/dev/null
        crun --name gone other:2 true
        coracle container prune -f >/dev/null
        coracle image prune -af >/dev/null
        run events_since "$since" '{{.Action}} {{.Actor.ID}}' --filter type=image
        expect_output "tag $id
save $id
untag $id
untag $id
delete $id
load $id
untag $id
delete $id
prune "
        expect_equal "$(events_since "$since" '{{.Actor.Attributes.name}}' --filter event=tag)" other:2
        run events_since "$since" '{{.Type}} {{.Actor.Attributes.reclaimed}}' --filter event=prune
        expect_match '^container [0-9]+
image [1-9][0-9]*$'
}

monitor_of() { pgrep -f "coracle-monitor --store $COR_STORE $(coracle inspect -f '{{.Id}}' "$1")"; }

lose_power() { # all that lives in memory goes, and nobody is told
        local name pid monitors=() pids=()
        # shellcheck disable=SC2207
        for name in "$@"; do
                pids+=("$(coracle inspect -f '{{.State.Pid}}' "$name")")
                monitors+=($(monitor_of "$name")) # first, or it sees the end of its container and writes it down
        done
        for pid in "${monitors[@]}"; do kill -KILL "$pid"; done
        for pid in "${monitors[@]}"; do wait_until process_is_gone "$pid"; done
        for pid in "${pids[@]}"; do kill -KILL "$pid" || true; done
        remove_cgroups "$TEST_CGROUP" # what is frozen dies only now
        for pid in "${pids[@]}"; do wait_until process_is_gone "$pid"; done
        find "$CORACLE_RUN" -mindepth 1 -delete
}

state_of() { coracle inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$1"; }

@test "system start: after a loss of power what its policy wants runs, and the rest is known to have ended" {
        local name
        for name in always unless-stopped on-failure no; do crun -d --name "$name" --restart "$name" bb:1 sleep 1000 >/dev/null; done
        crun -d --name shares --restart always --pid container:always bb:1 sleep 1000 >/dev/null
        crun -d --name removed --rm bb:1 sleep 1000 >/dev/null
        crun -d --name paused --restart always bb:1 sleep 1000 >/dev/null
        coracle pause paused >/dev/null
        for name in always unless-stopped on-failure; do
                crun -d --name "user-$name" --restart "$name" bb:1 sleep 1000 >/dev/null
                coracle stop -t 0 "user-$name" >/dev/null
        done
        crun --name ended --restart on-failure bb:1 true
        crun --name tired --restart on-failure:1 bb:1 false || true
        coracle wait tired >/dev/null
        coracle create --cgroup-parent "$CGROUP_PARENT" --network none --name fresh --restart always bb:1 sleep 1000 >/dev/null
        lose_power shares always unless-stopped on-failure no removed paused
        expect_equal "$(state_of no)" "exited 255"
        expect_equal "$(state_of always)" "exited 255"
        run coracle inspect removed
        expect_failure
        run coracle system start
        expect_status 0
        expect_equal "$(sort <<<"$output")" "always
fresh
on-failure
paused
shares
unless-stopped
user-always"
        for name in always fresh on-failure paused shares unless-stopped user-always; do expect_equal "$(state_of "$name")" "running 0"; done
        for name in user-unless-stopped user-on-failure; do expect_equal "$(state_of "$name")" "exited 137"; done
        run coracle system start # nothing is left to do
        expect_output ""
        expect_status 0
}

@test "system start: networks that went with the power are there again, and addresses are free" {
        skip_unless "program nft"
        local name link
        for name in one two; do
                coracle run -d --name "$name" --restart always --cgroup-parent "$CGROUP_PARENT" bb:1 sh -c \
                        'while :; do echo hello | nc -l -p 80; done' >/dev/null
        done
        coracle run -d --name ended --cgroup-parent "$CGROUP_PARENT" bb:1 sleep 1000 >/dev/null
        lose_power one two ended
        for link in $(in_net ip -o link show type bridge | awk -F'[ :]+' '{ print $2 }'); do in_net ip link del "$link"; done
        in_net nft flush ruleset
        run coracle system start
        expect_output "one
two"
        name=$(coracle inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' one)
        [[ $name == 172.17.0.* ]] || fail "address: $name"
        wait_until in_net timeout 5 bash -c "read -r line </dev/tcp/$name/80 && [ \"\$line\" = hello ]"
        expect_equal "$(coracle ps -q | wc -l)" 2
}

@test "system start: what cannot start is told of and keeps nobody else from it" {
        mkdir "$TEST_DIR/there"
        crun -d --name broken --restart always --mount "type=bind,src=$TEST_DIR/there,dst=/there" bb:1 sleep 1000 >/dev/null
        crun -d --name whole --restart always bb:1 sleep 1000 >/dev/null
        lose_power broken whole
        rmdir "$TEST_DIR/there"
        run --separate-stderr coracle system start
        expect_status 1
        expect_output whole
        [[ $stderr == "Error: broken: "*"$TEST_DIR/there"* ]] || fail "$stderr"
        mkdir "$TEST_DIR/there"
        run coracle system start
        expect_output broken
}

@test "system stop: all end by their own signals and times, and nobody has stopped them" {
        local program='trap "echo asked; exit 4" TERM USR1; echo ready; while :; do sleep 0.1; done'
        crun -d --name one --restart unless-stopped --stop-timeout 60 bb:1 sh -c "$program" >/dev/null
        crun -d --name two --restart always --stop-timeout 60 --stop-signal USR1 bb:1 sh -c "$program" >/dev/null
        crun -d --name deaf --restart on-failure --stop-timeout 1 bb:1 sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null
        crun -d --name once --stop-timeout 60 bb:1 sh -c "$program" >/dev/null
        for name in one two deaf once; do wait_until has_logged "$name" ready; done
        coracle pause one >/dev/null
        run coracle system stop
        expect_status 0
        expect_equal "$(sort <<<"$output")" "deaf
once
one
two"
        for name in one two once; do
                expect_equal "$(state_of "$name")" "exited 4"
                has_logged "$name" asked
        done
        expect_equal "$(state_of deaf)" "exited 137"
        run coracle system stop
        expect_output ""
        run coracle system start
        expect_equal "$(sort <<<"$output")" "deaf
one
two"
        coracle stop -t 0 one two deaf >/dev/null
        run coracle system start # the user's word counts
        expect_output two
}

has_logged() { coracle logs "$1" 2>/dev/null | grep -qx "$2"; }

@test "kill -9 of a monitor is no loss of power" {
        crun -d --name one bb:1 sleep 1000 >/dev/null
        local monitor
        monitor=$(monitor_of one | head -n 1)
        kill -9 "$monitor"
        wait_until process_is_gone "$monitor"
        expect_equal "$(state_of one)" "exited 137"
}

@test "attach --logs: what was printed before, then all that follows, each line once" {
        local i clients=()
        crun -d --name one bb:1 sh -c 'i=0; until [ -e /stop ]; do i=$((i + 1)); echo "line $i"; usleep 500; done; echo last; exit 5' >/dev/null
        wait_until has_logged one "line 20"
        for i in 1 2 3 4; do
                coracle attach --logs --no-stdin one >"$TEST_DIR/out$i" &
                clients+=($!)
        done
        wait_until are_attached one 4
        let_go one /stop
        for i in "${clients[@]}"; do wait "$i" || [ $? = 5 ]; done
        expect_equal "$(coracle logs one | tail -n 1)" last
        for i in 1 2 3 4; do coracle logs one | cmp - "$TEST_DIR/out$i"; done
        crun -d -i --name two bb:1 sh -c 'echo before; echo error >&2; read -r x; echo "$x"' >/dev/null
        wait_until has_logged two before
        run --separate-stderr coracle attach --logs two < <(echo typed)
        expect_output "before
typed"
        expect_equal "$stderr" error
        crun -d --name none --log-driver none bb:1 sleep 1000 >/dev/null
        run coracle attach --logs none
        expect_status 1
        expect_text "configured logging driver does not support reading"
}

are_attached() { [ "$(coracle events --since 10m --until 0s -f "container=$1" -f event=attach --format x | grep -c x)" = "$2" ]; }

@test "stop of one with --init: all that the program started is asked to end, and waited for" {
        # the program leaves at once and its child takes a moment longer
        # shellcheck disable=SC2016
        local program='trap "exit 3" TERM; sh -c "trap \"sleep 1; echo child ended; exit\" TERM; echo child; while :; do sleep 0.1; done" & while :; do sleep 0.1; done'
        crun -d --name one --init --stop-timeout 60 bb:1 sh -c "$program" >/dev/null
        wait_until has_logged one child
        coracle stop one >/dev/null
        has_logged one "child ended"
        expect_equal "$(state_of one)" "exited 3"
        crun -d --name bare --stop-timeout 60 bb:1 sh -c "$program" >/dev/null # as docker does it
        wait_until has_logged bare child
        coracle stop bare >/dev/null
        refute has_logged bare "child ended"
        expect_equal "$(state_of bare)" "exited 3"
}

@test "stop with coracle.stop=all: each process gets the signal at once; without it the first alone" {
        # shellcheck disable=SC2016
        local program='trap "wait; exit 4" TERM; sh -c "trap \"echo asked; exit\" TERM; echo child; while :; do sleep 0.1; done" & wait; wait; exit 5'
        crun -d --name all --annotation coracle.stop=all --stop-timeout 60 bb:1 sh -c "$program" >/dev/null
        wait_until has_logged all child
        coracle stop all >/dev/null
        has_logged all asked
        expect_equal "$(state_of all)" "exited 4"
        run crun --annotation coracle.stop=some bb:1 true
        expect_status 125
        expect_text "annotation coracle.stop=some: expected first or all"
}

@test "stop: processes that outlive the first one, in the host's process namespace, are asked and waited for" {
        # shellcheck disable=SC2016
        local program='trap "exit 3" TERM; sh -c "trap \"sleep 1; echo child ended; exit\" TERM; echo child; while :; do sleep 0.1; done" & while :; do sleep 0.1; done'
        crun -d --name one --pid host --stop-timeout 60 bb:1 sh -c "$program" >/dev/null
        wait_until has_logged one child
        coracle stop one >/dev/null
        has_logged one "child ended"
        expect_equal "$(state_of one)" "exited 3"
        crun -d --name deaf --pid host bb:1 sh -c 'trap "exit 3" TERM; sh -c "trap \"\" TERM; echo child; while :; do sleep 0.1; done" & while :; do sleep 0.1; done' >/dev/null
        wait_until has_logged deaf child
        coracle stop -t 10 deaf >/dev/null
        expect_equal "$(state_of deaf)" "exited 3"
        [ -z "$(coracle top deaf 2>/dev/null)" ]
}
