#!/usr/bin/env bats
# runs alone
# Debian's podman runs its containers through the runtime under test: podman --runtime PATH.

load lib
load engines

setup_file() {
        can_run || return 0 # every test will skip
        setup_world
        write_podman_config
        tar -C "$T/rootfs" -c . >"$T/rootfs.tar"
        podman_ import -q -c 'CMD ["/bin/sh"]' "$T/rootfs.tar" small
}

can_run() { [ "$(id -u)" = 0 ] && command -v podman >/dev/null && command -v conmon >/dev/null; }

teardown_file() { teardown_world; }

setup() { skip_unless root "program podman" "program conmon"; }

write_podman_config() {
        cat >"$T/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1000:2000"]
log_driver = "k8s-file"
netns = "none"
init_path = "$CORACLE_BUILD/src/tools/init/coracle-init"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime_supports_json = ["${RUNTIME##*/}"]
CONF
        cat >"$T/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$T/storage"
runroot = "/run/podman" # a short path: conmon's sockets are below it
CONF
}

podman_() { # [--in-shell REDIRECTIONS] ARGUMENT...
        local how='"$@"'
        if [ "$1" = --in-shell ]; then
                how="\"\$@\" $2"
                shift 2
        fi
        CONTAINERS_CONF=$T/containers.conf CONTAINERS_STORAGE_CONF=$T/storage.conf \
                world bash -c "exec $how" podman podman --runtime "$RUNTIME" "$@"
}

detached() { # NAME FLAGS... - the container sleeps
        local name=$1
        shift
        podman_ run -d --name "$name" "$@" small sleep 1000
}

is_running() { [ "$(podman_ inspect -f '{{.State.Status}}' "$1")" = running ]; }

@test "podman run: output, errors and the exit code arrive" {
        run --separate-stderr podman_ run --rm small sh -c 'echo out; echo err >&2; exit 7'
        expect_status 7
        expect_output out
        expect_equal "$stderr" err
}

@test "podman run: 127 for what is missing, 126 for what is no program, 128+n for a signal, 125 for podman's own" {
        run -127 podman_ run --rm small /missing
        expect_status 127
        expect_text "OCI runtime attempted to invoke a command that was not found"
        run podman_ run --rm small /etc/passwd
        expect_status 126
        expect_text "OCI permission denied"
        run podman_ run --rm --pid host small sh -c 'kill -KILL $$'
        expect_status 137
        run podman_ run --rm -v /no/such/folder:/x small true
        expect_status 125
        expect_text "/no/such/folder"
        run podman_ run --rm --user nobody-here small true
        expect_failure
        expect_text "nobody-here"
        run podman_ run --rm -w /etc/passwd small true
        expect_failure
        expect_text "passwd"
}

@test "podman exec: exit codes, user, environment, folder, input" {
        detached exec1
        run podman_ exec -i -u test -e COLOUR=blue -w /tmp exec1 sh -c 'id -u; echo $COLOUR; pwd; cat; exit 4' <<<input
        expect_status 4
        expect_output "1000
blue
/tmp
input"
        run -127 podman_ exec exec1 /missing
        expect_status 127
        run podman_ exec exec1 /etc/passwd
        expect_status 126
        run podman_ exec exec1 sh -c 'kill -TERM $$; sleep 1'
        expect_status 143
        run podman_ exec -d exec1 touch /tmp/made
        expect_status 0
        wait_until podman_ exec exec1 test -e /tmp/made
        podman_ rm -f -t 0 exec1
}

@test "podman exec --preserve-fds" {
        detached fds
        echo three >"$T/three"
        echo four >"$T/four"
        run podman_ --in-shell '3<"$T/three" 4<"$T/four"' exec --preserve-fds 2 fds sh -c 'cat <&3; cat <&4'
        expect_output "three
four"
        podman_ rm -f -t 0 fds
}

@test "podman pause, unpause, kill, wait, restart, rm" {
        detached life
        podman_ pause life
        run podman_ inspect -f '{{.State.Status}}' life
        expect_output paused
        run podman_ exec life true
        expect_failure
        podman_ unpause life
        run podman_ exec life echo alive
        expect_output alive
        podman_ restart -t 0 life
        is_running life
        podman_ kill life
        run podman_ wait life
        expect_output 137
        podman_ start life
        podman_ stop -t 0 life
        run podman_ inspect -f '{{.State.ExitCode}}' life
        expect_output 137
        podman_ rm life
        run podman_ ps -aq
        expect_output ""
}

@test "podman logs and attach" {
        podman_ run -d --name talks small sh -c 'echo one; echo two >&2; sleep 1000'
        wait_until eval '[ "$(podman_ logs talks 2>&1 | wc -l)" = 2 ]'
        run --separate-stderr podman_ logs talks
        expect_output one
        expect_equal "$stderr" two
        podman_ rm -f -t 0 talks
}
