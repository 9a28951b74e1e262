#!/usr/bin/env bats
# runs alone
# coracle-init as the docker-init of Debian's dockerd (rows DI-01, DI-08, DI-10). The daemon runs in mount, network and
# process namespaces of its own, sees a cgroup of its own as the root of the hierarchies, and keeps all its data in the
# test's folder.

load lib

setup_file() {
        local program
        for program in dockerd containerd runc docker; do
                command -v "$program" >/dev/null || return 0 # every test will skip
        done
        [ "$(id -u)" = 0 ] || return 0
        export T
        T=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-docker-XXXXXX")
        export TEST_CGROUP=${CORACLE_TEST_RUN:-coracle-test-$$}-docker-${T##*-}
        export INIT=$CORACLE_BUILD/src/tools/init/coracle-init
        export DOCKER_HOST=unix://$T/docker.sock DOCKER_CONFIG=$T/config
        write_daemon_script
        bash "$T/outside" </dev/null >"$T/dockerd.log" 2>&1 3>&- &
        echo $! >"$T/outside.pid"
        WAIT_SECONDS=60 wait_until answers_or_ended || true
        docker version >/dev/null 2>&1 || { tail -n 20 "$T/dockerd.log"; return 1; }
        make_image
}

has_ended() { [ ! -e "/proc/$1" ] || grep -qs '^State:.Z' "/proc/$1/status"; }
answers_or_ended() { docker version || has_ended "$(cat "$T/outside.pid")"; }

write_daemon_script() {
        # outside: enter a cgroup in every hierarchy, then the namespaces
        cat >"$T/outside" <<'EOF'
for file in $(awk '$3 ~ /^cgroup2?$/ { print $2 "/cgroup.procs" }' /proc/self/mounts); do
        dir=${file%/*}/$TEST_CGROUP
        mkdir "$dir" || exit 1
        for setting in cpuset.cpus cpuset.mems; do
                [ ! -e "$dir/$setting" ] || [ -e "$dir/cgroup.controllers" ] || cat "${file%/*}/$setting" >"$dir/$setting"
        done
        echo $$ >"$dir/cgroup.procs" || exit 1
done
exec unshare --mount --propagation private --net --pid --fork --kill-child --mount-proc --cgroup bash "$T/inside"
EOF
        # inside: only the own cgroups are mounted, /run is empty
        cat >"$T/inside" <<'EOF'
set -e
mkdir "$T/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$T/cgroup"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        mkdir "/sys/fs/cgroup/$TEST_CGROUP/daemon" # processes live in leaves only
        echo 1 >"/sys/fs/cgroup/$TEST_CGROUP/daemon/cgroup.procs"
        mount --bind "/sys/fs/cgroup/$TEST_CGROUP" "$T/cgroup"
else
        for dir in $(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/self/mounts); do
                mkdir "$T/cgroup/${dir##*/}"
                mount --bind "$dir/$TEST_CGROUP" "$T/cgroup/${dir##*/}"
        done
fi
umount -R /sys/fs/cgroup
mount --move "$T/cgroup" /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
echo '{}' >"$T/daemon.json"
# docker 25 and newer have no such flag, and do not lower their score themselves
score=
! dockerd --help 2>&1 | grep -q -e --oom-score-adjust || score="--oom-score-adjust 0"
exec dockerd --config-file "$T/daemon.json" --data-root "$T/data" --exec-root "$T/exec" --pidfile "$T/dockerd.pid" \
        --host "$DOCKER_HOST" --bridge none --iptables=false --storage-driver vfs $score --init-path "$INIT"
EOF
}

make_image() {
        make_rootfs "$T/rootfs"
        tar -C "$T/rootfs" -c . | docker import - small >/dev/null
}

teardown_file() {
        [ -n "${T:-}" ] || return 0
        local outside inside
        outside=$(cat "$T/outside.pid")
        docker ps -aq 2>/dev/null | xargs -r timeout 60 docker rm -f >/dev/null 2>&1 || true
        read -r inside _ <"/proc/$outside/task/$outside/children" && kill -KILL "$inside" # pid 1 of the namespace
        wait_until has_ended "$outside" || kill -KILL "$outside" || true
        remove_cgroups "$TEST_CGROUP"
        remove_tree "$T"
}

setup() {
        skip_unless root "program dockerd" "program containerd" "program runc" "program docker"
}

run_in_docker() { timeout --foreground -k 5 100 docker run --rm --network none "$@" 3>&-; }

@test "dockerd accepts coracle-init as its init and shows its version" {
        run docker info --format '{{.InitBinary}} {{.InitCommit.ID}}'
        expect_output "$INIT coracle"
        run docker version
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
                for i in $(seq 100); do
                        grep -q "^State:.Z" /proc/[0-9]*/status 2>/dev/null || pidof sleep >/dev/null || exit 7
                        usleep 50000
                done'
        expect_status 7
}

@test "docker stop ends a command that does not handle SIGTERM, which as pid 1 it would have ignored" {
        docker run -d --network none --init --name stopped small sleep 1000 3>&-
        docker stop -t 60 stopped
        run docker inspect --format '{{.State.ExitCode}}' stopped
        expect_output 143
        docker rm stopped
}

@test "docker kill passes any signal on" {
        docker run -d --network none --init --name signalled small sh -c '
                trap "echo got ABRT" ABRT; trap "echo got USR1; exit 5" USR1; echo ready; while :; do usleep 50000; done' 3>&-
        wait_until eval 'docker logs signalled | grep -q ready'
        docker kill -s ABRT signalled
        wait_until eval 'docker logs signalled | grep -q "got ABRT"'
        docker kill -s USR1 signalled
        run docker wait signalled
        expect_output 5
        docker rm signalled
}

@test "docker run --init -t: the shell has the terminal and job control" {
        skip_unless "program script"
        type_it() {
                sees() { for _ in $(seq 600); do docker top typed 2>/dev/null | grep -qE "$1" && return; sleep 0.1; done; }
                sees 'sh$'
                printf 'sleep 0.1 & wait; echo "done: "$?\n'
                printf 'sleep 1000\n'
                sees 'sleep 1000'
                printf '\003'
                printf 'echo "interrupted: "$?\nexit 6\n'
        }
        run bash -c "$(declare -f type_it)"'; type_it | timeout -k 5 100 script -qec \
                "docker run --rm -it --network none --init --name typed small sh" /dev/null; exit ${PIPESTATUS[1]}' 3>&-
        expect_text "done: 0" "interrupted: 130"
        expect_no_text "job control turned off"
        expect_status 6
}

@test "coracle-init as the entry point of an image, with options" {
        run run_in_docker -v "$INIT:/tini:ro" --entrypoint /tini small -e 3 -vv -- sh -c 'exit 3'
        expect_status 0
        expect_text "info: the main child ended with code 3"
}
