#!/usr/bin/env bats
# runs alone
# Logs that coracle has written are read by Debian's dockerd, and the other way round: the formats on disk are the same.

load lib
load engines
load registries
load containers

setup_file() {
        has_docker || return 0 # every test will skip
        setup_world
        export WORLD_CGROUP=$TEST_CGROUP
        docker_client
        world_dockerd '{}'
        tar -C "$T/rootfs" -c . | docker_ import -c 'CMD ["/bin/sh"]' - small
}

setup() {
        skip_unless root "controller memory" "controller pids" "program dockerd" "program containerd" "program docker" "program runc"
        [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ] || skip_unless "program apparmor_parser"
        setup_containers
}

teardown() { [ -z "${COR_STORE:-}" ] || teardown_containers; }

teardown_file() {
        [ -n "${T:-}" ] || return 0
        TEST_CGROUP=$WORLD_CGROUP
        docker_ ps -aq | timeout "$RUNTIME_TIMEOUT" xargs -r "$DOCKER" rm -f >/dev/null 2>&1 || true
        teardown_world
}

# Some of everything: both streams, an empty line, a long one, no newline at the end; enough to be rotated.
WORDS='i=0; while [ $i -lt 600 ]; do echo "line $i"; i=$((i + 1)); done; echo; head -c $LONG /dev/zero | tr "\0" z; echo; echo "tab	and \"quotes\" \\ <&>"; printf end'

ours() { echo "$COR_STORE/containers/$(coracle inspect -f '{{.Id}}' "$1")"; }
theirs() { echo "$T/data/containers/$(docker_ inspect -f '{{.Id}}' "$1")"; }

# same_logs OURS THEIRS [FLAG...]
same_logs() {
        local a=$1 b=$2
        shift 2
        coracle logs "$@" "$a" >"$TEST_DIR/ours"
        docker_ logs "$@" "$b" >"$TEST_DIR/theirs"
        [ -s "$TEST_DIR/ours" ] && cmp "$TEST_DIR/ours" "$TEST_DIR/theirs"
}

both_ways() { # NAME FLAG... - made by coracle and read by docker, then made by docker and read by coracle
        local name=$1 flag
        shift
        coracle run --cgroup-parent "$CGROUP_PARENT" --network none --name "$name" "$@" bb:1 sh -c "LONG=$LONG; $WORDS" >/dev/null
        docker_ create --name "$name-copy" --network none "$@" small true >/dev/null
        copy_log "$(ours "$name")" "$(theirs "$name-copy")"
        for flag in --tail=all --tail=3 --timestamps; do same_logs "$name" "$name-copy" "$flag"; done
        docker_ run --name "$name-docker" --network none "$@" small sh -c "LONG=$LONG; $WORDS" >/dev/null
        coracle create --cgroup-parent "$CGROUP_PARENT" --network none --name "$name-2" "$@" bb:1 true >/dev/null
        copy_log "$(theirs "$name-docker")" "$(ours "$name-2")"
        for flag in --tail=all --tail=3 --timestamps; do same_logs "$name-2" "$name-docker" "$flag"; done
        docker_ rm -f "$name-copy" "$name-docker" >/dev/null
}

copy_log() { # FROM TO - folders of containers
        local file
        if [ -d "$1/local-logs" ]; then
                mkdir -p "$2/local-logs"
                cp "$1"/local-logs/* "$2/local-logs"
        else
                for file in "$1"/*-json.log*; do cp "$file" "$2/${2##*/}${file#"$1/${1##*/}"}"; done
        fi
}

@test "local: docker reads ours, and we read docker's" {
        local LONG=16000 # dockers before 23 lose the newline of a line in parts here
        both_ways one --log-driver local --log-opt max-size=8k --log-opt max-file=10
}

@test "json-file: docker reads ours, and we read docker's, compressed or not" {
        local LONG=40000
        both_ways three
        both_ways two --log-opt max-size=20k --log-opt max-file=10 --log-opt compress=true
}
