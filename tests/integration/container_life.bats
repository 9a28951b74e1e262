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
        crun --name forced --runtime "$(type -P runc)" --mount "type=bind,src=$TEST_DIR,dst=/ro,ro,bind-recursive=readonly,bind-propagation=rprivate" \
                bb:1 true >/dev/null 2>&1 || true
        version=$(jq -r .ociVersion "$COR_STORE/containers/$(coracle inspect -f '{{.Id}}' forced)/config.json")
        expect_equal "$version" 1.1.0
        crun --name own bb:1 true
        expect_equal "$(jq -r .ociVersion "$COR_STORE/containers/$(coracle inspect -f '{{.Id}}' own)/config.json")" 1.3.0
}

events_since() { # TIME TEMPLATE [FILTER...]
        local since=$1 template=$2
        shift 2
        coracle events --since "$since" --until 0s --format "$template" "$@"
}

@test "events: what is done to a container that runs, and in it" {
        local since id
        since=$(date +%s.%N)
        id=$(crun -d --name one bb:1 sleep 1000)
        coracle exec one sh -c 'exit 3' || true
        coracle exec one nosuch 2>/dev/null || true
        coracle exec -d one true
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
one exec_create: true
one exec_start: true
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
