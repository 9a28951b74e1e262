#!/usr/bin/env bats
# runs alone
# coracle-init as the docker-init of Debian's dockerd (rows DI-01, DI-08, DI-10).

load lib
load engines

setup_file() {
        has_docker || return 0 # every test will skip
        setup_world
        docker_client
        export INIT=$CORACLE_BUILD/src/tools/init/coracle-init
        world_dockerd "$(jq -n --arg init "$INIT" '{"init-path": $init}')"
        tar -C "$T/rootfs" -c . | docker_ import - small >/dev/null
}

teardown_file() {
        [ -z "${T:-}" ] || docker_ ps -aq | timeout "$RUNTIME_TIMEOUT" xargs -r "$DOCKER" rm -f >/dev/null 2>&1 || true
        teardown_world
}

setup() {
        skip_unless root "program dockerd" "program containerd" "program runc" "program docker"
        [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ] || skip_unless "program apparmor_parser"
}

run_in_docker() { docker_ run --rm --network none "$@"; }

@test "dockerd accepts coracle-init as its init and shows its version" {
        run docker_ info --format '{{.InitBinary}} {{.InitCommit.ID}}'
        expect_output "$INIT coracle"
        run docker_ version
        expect_match 'coracle-init:
  Version: +[0-9.]+ \(coracle-init [0-9.]+\)
  GitCommit: +coracle'
}

@test "docker run --init: pid 1 is coracle-init, and the code of the command arrives" {
        run run_in_docker --init small sh -c 'cat /proc/1/comm; cat /proc/1/cmdline | tr "\0" " "; echo; exit 9'
        expect_status 9
        expect_text docker-init "/sbin/docker-init -- sh -c"
        run run_in_docker small cat /proc/1/comm
        expect_output cat
}

@test "docker run --init: orphans leave no zombies" {
        run run_in_docker --init small sh -c '
                for i in 1 2 3 4 5; do (sleep 0.2 &); done
                for i in $(seq 600); do
                        grep -q "^State:.Z" /proc/[0-9]*/status 2>/dev/null || pidof sleep >/dev/null || exit 7
                        usleep 50000
                done'
        expect_status 7
}

@test "docker stop ends a command that does not handle SIGTERM, which as pid 1 it would have ignored" {
        docker_ run -d --network none --init --name stopped small sleep 1000
        wait_until docker_ exec stopped pidof sleep # nobody hears the signal before
        docker_ stop -t 60 stopped
        run docker_ inspect --format '{{.State.ExitCode}}' stopped
        expect_output 143
        docker_ rm stopped
}

@test "docker kill passes any signal on" {
        docker_ run -d --network none --init --name signalled small sh -c '
                trap "echo got ABRT" ABRT; trap "echo got USR1; exit 5" USR1; echo ready; while :; do usleep 50000; done'
        wait_until eval 'docker_ logs signalled | grep -q ready'
        docker_ kill -s ABRT signalled
        wait_until eval 'docker_ logs signalled | grep -q "got ABRT"'
        docker_ kill -s USR1 signalled
        run docker_ wait signalled
        expect_output 5
        docker_ rm signalled
}

@test "docker run --init -t: the shell has the terminal and job control" {
        skip_unless "program script"
        type_it() {
                sees() { for _ in $(seq 600); do "$DOCKER" top typed 2>/dev/null | grep -qE "$1" && return; sleep 0.1; done; }
                sees 'sh$'
                printf 'sleep 0.1 & wait; echo "done: "$?\n'
                printf 'sleep 1000\n'
                sees 'sleep 1000'
                printf '\003'
                printf 'echo "interrupted: "$?\nexit 6\n'
        }
        run bash -c "$(declare -f type_it)"'; type_it | timeout -k 5 "$WORLD_TIMEOUT" script -qec \
                "$DOCKER run --rm -it --network none --init --name typed small sh" /dev/null; exit ${PIPESTATUS[1]}' 3>&-
        expect_text "done: 0" "interrupted: 130"
        expect_no_text "job control turned off"
        expect_status 6
}

@test "coracle-init as the entry point of an image, with options" {
        run run_in_docker -v "$INIT:/tini:ro" --entrypoint /tini small -e 3 -vv -- sh -c 'exit 3'
        expect_status 0
        expect_text "info: the main child ended with code 3"
}
