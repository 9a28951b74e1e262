#!/usr/bin/env bats
# runs alone
# Debian's dockerd, with its containerd and shim, runs its containers through the runtime under test, which is its default
# runtime here; runc stands beside it.

load lib
load engines

setup_file() {
        can_run || return 0 # every test will skip
        setup_world
        export DOCKER=docker
        [ ! -x /usr/bin/docker ] || DOCKER=/usr/bin/docker # that of the same package as dockerd
        export DOCKER_HOST=unix://$T/docker.sock DOCKER_CONFIG=$T/config
        start_dockerd
        tar -C "$T/rootfs" -c . | docker_ import -c 'CMD ["/bin/sh"]' - small
}

can_run() {
        local program
        [ "$(id -u)" = 0 ] || return 1
        for program in dockerd containerd docker runc; do command -v "$program" >/dev/null || return 1; done
}

setup() { skip_unless root "program dockerd" "program containerd" "program docker" "program runc"; }

teardown_file() {
        [ -z "${T:-}" ] || docker_ ps -aq | timeout 60 xargs -r "$DOCKER" rm -f >/dev/null 2>&1 || true
        teardown_world
}

start_dockerd() { # [FLAG...]
        jq -n --arg path "$RUNTIME" --arg init "$CORACLE_BUILD/src/tools/init/coracle-init" '{
                "default-runtime": "coracle", runtimes: {coracle: {path: $path}}, "init-path": $init,
                "live-restore": true, "oom-score-adjust": 0, bridge: "none", iptables: false, "storage-driver": "overlay2"
        }' >"$T/daemon.json"
        # a child of process 1 of the world: it and what it starts outlive this call
        world sh -c 'setsid "$@" >>"$0" 2>&1 </dev/null & echo $!' "$T/dockerd.log" dockerd --config-file "$T/daemon.json" \
                --data-root "$T/data" --exec-root /run/docker --pidfile /run/dockerd.pid --host "$DOCKER_HOST" "$@"
        WAIT_SECONDS=40 wait_until docker_ version || { tail -n 30 "$T/dockerd.log"; return 1; }
}

docker_() { timeout -k 5 60 "$DOCKER" "$@" 3>&-; }

run_small() { docker_ run --rm --network none "$@"; }

@test "docker run: the default runtime is the one under test; output and exit code arrive" {
        run docker_ info -f '{{.DefaultRuntime}} {{(index .Runtimes "coracle").Path}}'
        expect_output "coracle $RUNTIME"
        run --separate-stderr run_small small sh -c 'echo out; echo err >&2; exit 7'
        expect_status 7
        expect_output out
        expect_equal "$stderr" err
}

@test "docker run: 127 and 126 with docker's messages; a folder or a user that cannot be" {
        run -127 run_small small /missing
        expect_text "/missing" "no such file or directory"
        run -127 run_small small missing
        expect_text "executable file not found in \$PATH"
        run run_small small /etc/passwd
        expect_status 126
        expect_text "permission denied"
        run run_small --user nobody-here small true
        expect_status 125
        expect_text "unable to find user nobody-here"
        run docker_ ps -aq
        expect_output ""
}
