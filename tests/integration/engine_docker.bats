#!/usr/bin/env bats
# runs alone
# Debian's dockerd, with its containerd and shim, runs its containers through the runtime under test, which is its default
# runtime here; runc stands beside it.

load lib
load engines

setup_file() {
        has_docker || return 0 # every test will skip
        setup_world
        docker_client
        start_dockerd
        tar -C "$T/rootfs" -c . | docker_ import -c 'CMD ["/bin/sh"]' - small
}

setup() {
        skip_unless root "controller memory" "controller pids" "controller cpu" "program dockerd" "program containerd" \
                "program docker" "program runc"
        [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ] || skip_unless "program apparmor_parser"
}

teardown() { # of what a failed test left
        [ -z "${T:-}" ] || docker_ ps -aq | xargs -r "$DOCKER" rm -f >/dev/null || true
}

teardown_file() {
        [ -z "${T:-}" ] || docker_ ps -aq | timeout "$RUNTIME_TIMEOUT" xargs -r "$DOCKER" rm -f >/dev/null 2>&1 || true
        teardown_world
}

start_dockerd() { # [FLAG...] - the flags say where it keeps its data
        world_dockerd "$(jq -n --arg path "$RUNTIME" --arg init "$CORACLE_BUILD/src/tools/init/coracle-init" '{
                "default-runtime": "coracle", runtimes: {coracle: {path: $path}}, "init-path": $init, "live-restore": true
        }')" "$@"
}

run_small() { docker_ run --rm --network none "$@"; }

detached() { # NAME [FLAG...] - the container sleeps
        local name=$1
        shift
        docker_ run -d --network none --name "$name" "$@" small sleep 1000
}

remove() { docker_ rm -f "$@"; }

inspect() { docker_ inspect -f "$1" "$2"; } # FORMAT NAME

events_of() { # NAME - what docker has said so far, a line each
        docker_ events --since 10m --until "$(date +%s.%N)" --filter type=container --filter "container=$1" --format '{{.Action}}'
}

cgroup_of_container() { # NAME [PARENT]
        local id
        id=$(inspect '{{.Id}}' "$1")
        if by_systemd; then echo "/${2:-system.slice}/docker-$id.scope"; else echo "/$TEST_CGROUP${2:-/docker}/$id"; fi
}

in_a_terminal() { # COMMAND - given to a shell in a terminal of 33 lines and 77 columns
        timeout -k 5 "$RUNTIME_TIMEOUT" script -qec "stty rows 33 cols 77; $1" /dev/null 3>&-
}

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

@test "docker exec: exit codes, user, environment, input; a folder that is missing" {
        detached exec1
        run docker_ exec -i -u test -e COLOUR=blue -w /tmp exec1 sh -c 'id -u; echo $COLOUR; pwd; cat; exit 4' <<<input
        expect_status 4
        expect_output "1000
blue
/tmp
input"
        run docker_ exec exec1 missing
        expect_match_of "$status" '^12[67]$' # docker 20.10 says 126 here
        expect_text "executable file not found in \$PATH"
        run docker_ exec exec1 /etc/passwd
        expect_status 126
        expect_text "permission denied"
        run docker_ exec -w /nowhere exec1 true
        expect_status 126
        expect_match '/nowhere.*[Nn]o such file or directory'
        run docker_ exec -u nobody-here exec1 true
        expect_failure
        expect_text "unable to find user nobody-here"
        run docker_ exec exec1 sh -c 'kill -TERM $$; sleep 1'
        expect_status 143
        docker_ exec -d exec1 touch /tmp/made
        wait_until docker_ exec exec1 test -e /tmp/made
        remove exec1
}

@test "docker run -it and exec -it: a terminal, and its size" {
        skip_unless "program script"
        local size='test -t 0 && for i in $(seq 600); do [ "$(stty size)" = "33 77" ] && break; usleep 50000; done; stty size; exit 5'
        run in_a_terminal "$DOCKER run --rm -it --network none small sh -c '$size'"
        expect_status 5
        expect_text "33 77"
        detached terminal
        run in_a_terminal "$DOCKER exec -it terminal sh -c '$size'"
        expect_status 5
        expect_text "33 77"
        remove terminal
}

@test "docker pause, unpause, top, stats, kill, stop, restart" {
        detached life
        docker_ pause life
        expect_equal "$(inspect '{{.State.Status}}' life)" paused
        run docker_ exec life true
        expect_failure
        expect_text "is paused"
        docker_ unpause life
        run docker_ exec life echo alive
        expect_output alive
        run docker_ top life
        expect_text "sleep 1000"
        run docker_ stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' life
        expect_match '^life 1 [1-9][0-9.]*[kKM]i?B / '
        docker_ restart -t 0 life
        expect_equal "$(inspect '{{.State.Status}}' life)" running
        docker_ kill life
        run docker_ wait life
        expect_output 137
        docker_ start life
        docker_ stop -t 0 life
        expect_equal "$(inspect '{{.State.ExitCode}}' life)" 137
        docker_ rm life
        run docker_ ps -aq
        expect_output ""
        if by_systemd; then dir=/system.slice/docker-; else dir=/$TEST_CGROUP/docker/; fi
        run compgen -G "$(cgroup_dir memory "$dir")*[0-9a-f]*/cgroup.procs"
        expect_output ""
}

@test "docker kill sends any signal; a container that ends by itself is gone" {
        docker_ run -d --network none --name signalled small sh -c 'trap "echo got USR1; exit 5" USR1; echo ready; while :; do usleep 50000; done'
        wait_until eval 'docker_ logs signalled | grep -q ready'
        docker_ kill -s USR1 signalled
        run docker_ wait signalled
        expect_output 5
        run docker_ logs signalled
        expect_output "ready
got USR1"
        remove signalled
}

@test "docker run: limits are in the cgroup" {
        detached limits -m 64m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --pids-limit 33 --cpuset-cpus 0
        local path
        path=$(cgroup_of_container limits)
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max "$path")" $((64 << 20)) memory
        expect_equal "$(cgroup_value memory memory.soft_limit_in_bytes memory.low "$path")" $((32 << 20)) reservation
        expect_equal "$(cgroup_value pids pids.max pids.max "$path")" 33 pids
        expect_match_of "$(cgroup_value cpu cpu.cfs_quota_us cpu.max "$path")" '^50000( 100000)?$'
        expect_match_of "$(cgroup_value cpu cpu.shares cpu.weight "$path")" '^(512|59)$'
        expect_equal "$(cgroup_value cpuset cpuset.cpus cpuset.cpus "$path")" 0 cpuset
        docker_ update -m 48m --memory-swap 96m --pids-limit 44 --cpus 0.25 limits
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max "$path")" $((48 << 20)) memory
        expect_equal "$(cgroup_value pids pids.max pids.max "$path")" 44 pids
        expect_match_of "$(cgroup_value cpu cpu.cfs_quota_us cpu.max "$path")" '^25000( 100000)?$'
        remove limits
        refute test -d "$(cgroup_dir memory "$path")"
}

expect_match_of() { [[ $1 =~ $2 ]] || fail "got '$1', expected something like $2"; } # TEXT REGEX

@test "docker run: limits hold, and docker learns of an OOM kill" {
        # docker asks at the end, and its shim drops what comes after that: process 1 outlives the kill
        run docker_ run --name greedy --network none -m 16m small sh -c 'tail /dev/zero; sleep 5; exit 9'
        expect_status 9
        expect_equal "$(inspect '{{.State.OOMKilled}}' greedy)" true OOMKilled
        run events_of greedy
        expect_text create start oom die
        remove greedy
        run run_small --pids-limit 5 small sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
        expect_text "can't fork"
}

@test "docker events tell of a container's life" {
        docker_ run --name events --network none small true
        docker_ start -a events
        remove events
        run events_of events
        expect_output "create
attach
start
die
attach
start
die
destroy"
}

@test "docker run: read-only root, tmpfs, volumes" {
        mkdir "$T/volume"
        echo here >"$T/volume/file"
        run run_small --read-only --tmpfs /scratch:size=1m,mode=1770 -v "$T/volume:/ro:ro" -v "$T/volume:/rw" small sh -c '
                touch /x; touch /ro/x; touch /scratch/x && echo scratch; cat /ro/file; touch /rw/written; stat -c %a /scratch
                grep " /scratch " /proc/mounts'
        expect_text "touch: /x: Read-only file system" "touch: /ro/x: Read-only file system" scratch here 1770 size=1024k
        test -e "$T/volume/written"
}

@test "docker run: propagation of mounts, into the container and out of it" {
        mkdir "$T/share"
        world mount --bind "$T/share" "$T/share"
        world mount --make-shared "$T/share"
        world mkdir "$T/share/in" "$T/share/out"
        detached slave -v "$T/share:/share:rslave"
        detached shared -v "$T/share:/share:rshared" --cap-add SYS_ADMIN --security-opt seccomp=unconfined \
                --security-opt apparmor=unconfined # where there is AppArmor, docker's profile forbids what follows
        detached private -v "$T/share:/share"
        world mount -t tmpfs marked "$T/share/in"
        run docker_ exec slave cat /proc/mounts
        expect_text "marked /share/in"
        run docker_ exec private cat /proc/mounts
        expect_no_text marked
        docker_ exec shared mount -t tmpfs given /share/out
        run world cat /proc/mounts
        expect_text "given $T/share/out"
        remove slave shared private
        world umount "$T/share/in" "$T/share/out" "$T/share"
}

@test "docker run: user, groups, capabilities, no-new-privileges, seccomp" {
        run run_small --user 1000:1000 --group-add 2000 small id
        expect_text "uid=1000(test) gid=1000(test)" "2000(extra)"
        status_of() { run_small "$@" small grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; }
        run status_of
        expect_match 'CapEff:.00000000a80425fb' 'NoNewPrivs:.0' 'Seccomp:.2'
        run status_of --cap-drop ALL --cap-add NET_ADMIN
        expect_match 'CapEff:.0000000000001000' 'CapBnd:.0000000000001000'
        run status_of --security-opt no-new-privileges --security-opt seccomp=unconfined
        expect_match 'NoNewPrivs:.1' 'Seccomp:.0'
        run run_small small unshare -U true
        expect_failure
        expect_text "Operation not permitted"
        run run_small --security-opt seccomp=unconfined --security-opt apparmor=unconfined small unshare -U true
        expect_status 0
}

@test "docker run: devices" {
        [ -c /dev/kmsg ] || mknod "$T/none" c 1 11 || skip "no device nodes can be made here: runs on the CI machine"
        local try='mknod /tmp/k c 1 11; : >/tmp/k; : >/dev/k'
        run run_small small sh -c 'mknod /tmp/k c 1 11; : >/tmp/k'
        expect_text "Operation not permitted"
        run run_small --device /dev/kmsg:/dev/k:w small sh -c ': >/dev/k && echo written; : </dev/k'
        expect_text written "can't open /dev/k: Operation not permitted"
}

@test "docker run: sysctl, ulimit, hostname, oom-score-adj" {
        run run_small --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=4242 --ulimit nofile=100:200 --hostname blue \
                --oom-score-adj 500 small sh -c 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax
                        ulimit -Sn; ulimit -Hn; hostname; cat /proc/self/oom_score_adj; cat /etc/hostname'
        expect_output "1
4242
100
200
blue
500
blue"
}

@test "docker run: namespaces of another container, also under another runtime" {
        detached first --ipc shareable --hostname first
        detached other --ipc shareable --runtime runc
        local name runtime
        for name in first other; do
                for runtime in coracle runc; do
                        run run_small --runtime "$runtime" --pid "container:$name" --ipc "container:$name" small \
                                sh -c 'tr "\0" " " </proc/1/cmdline; for n in pid ipc; do readlink /proc/self/ns/$n; done'
                        expect_text "sleep 1000"
                        expect_text "$(docker_ exec "$name" sh -c 'for n in pid ipc; do readlink /proc/self/ns/$n; done')"
                        run docker_ run --rm --runtime "$runtime" --network "container:$name" small readlink /proc/self/ns/net
                        expect_output "$(docker_ exec "$name" readlink /proc/1/ns/net)"
                done
        done
        run run_small --pid host --uts host --ipc host small sh -c 'for n in pid uts ipc; do readlink /proc/self/ns/$n; done'
        expect_output "$(world readlink /proc/self/ns/pid /proc/self/ns/uts /proc/self/ns/ipc)"
        remove first other
}

@test "docker run --cgroup-parent" {
        local parent=/parent
        ! by_systemd || parent=${TEST_CGROUP//-/_}.slice
        detached child --cgroup-parent "$parent"
        test -d "$(cgroup_dir memory "$(cgroup_of_container child "$parent")")"
        remove child
}

@test "docker run --privileged" {
        run run_small --privileged small sh -c 'mount -t tmpfs none /tmp && echo mounted; ls /dev/null /dev/loop* >/dev/null
                grep -E "^(Seccomp|CapBnd):" /proc/self/status; touch /proc/sys/kernel/x 2>&1; grep " /sys " /proc/mounts'
        expect_text mounted
        expect_match 'Seccomp:.0' ' /sys sysfs rw'
}

@test "docker run: with a cgroup namespace" {
        run run_small --cgroupns private small cat /proc/self/cgroup
        expect_no_text docker
        run run_small --cgroupns host small cat /proc/self/cgroup
        expect_text docker
}

@test "containers survive the end of dockerd, and can be used afterwards" {
        detached survivor
        docker_ run -d --network none --name talker small sh -c 'while ! [ -e /tmp/stop ]; do usleep 50000; done; echo late; exit 3'
        local pid
        pid=$(inspect '{{.State.Pid}}' survivor)
        world sh -c 'kill -KILL "$(cat /run/dockerd.pid)"'
        world kill -0 "$pid"
        world rm -f /run/dockerd.pid
        start_dockerd
        expect_equal "$(inspect '{{.State.Status}} {{.State.Pid}}' survivor)" "running $pid"
        run docker_ exec survivor echo alive
        expect_output alive
        docker_ exec talker touch /tmp/stop || [ $? = 137 ] # it may be ended with the container
        run docker_ wait talker
        expect_output 3
        run docker_ logs talker
        expect_output late
        docker_ stop -t 0 survivor
        remove survivor talker
}

@test "dockerd with user namespaces: containers of mapped users" {
        local file
        for file in passwd group subuid subgid; do cp "/etc/$file" "$T/$file"; done
        echo mapped:x:4242:4242::/:/bin/false >>"$T/passwd"
        echo mapped:x:4242: >>"$T/group"
        echo mapped:300000:65536 | tee -a "$T/subuid" >>"$T/subgid"
        for file in passwd group subuid subgid; do world mount --bind "$T/$file" "/etc/$file"; done
        local DOCKER_HOST=unix://$T/mapped.sock pid
        start_dockerd --userns-remap mapped --data-root "$T/mapped" --exec-root /run/mapped --pidfile /run/mapped.pid
        tar -C "$T/rootfs" -c . | docker_ import -c 'CMD ["/bin/sh"]' - small
        run run_small small sh -c 'cat /proc/self/uid_map; id -u; touch /owned && stat -c %u:%g /owned; exit 3'
        expect_status 3
        expect_match '^ +0 +300000 +65536' '0:0$'
        detached mapped -m 64m
        run docker_ exec mapped id -u
        expect_output 0
        pid=$(inspect '{{.State.Pid}}' mapped)
        expect_equal "$(world stat -c %u "/proc/$pid")" 300000
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max "$(cgroup_of_container mapped)")" $((64 << 20))
        run run_small --userns host small cat /proc/self/uid_map
        expect_match '^ +0 +0 +4294967295'
        remove mapped
        world sh -c 'kill "$(cat /run/mapped.pid)"'
        wait_until refute world test -e /run/mapped.pid
}

@test "docker build runs its commands" {
        mkdir "$T/context"
        printf 'FROM small\nRUN echo built >/made && id -u >>/made\nUSER test\nRUN id -u >/tmp/made\nCMD cat /made /tmp/made\n' \
                >"$T/context/Dockerfile"
        DOCKER_BUILDKIT=0 docker_ build --network none -q -t built "$T/context"
        run run_small built
        expect_output "built
0
1000"
}

@test "docker health checks, restart policy, attach, cp" {
        detached healthy --health-cmd 'test -e /tmp/healthy' --health-interval 200ms --health-retries 1
        wait_until eval '[ "$(inspect "{{.State.Health.Status}}" healthy)" = unhealthy ]'
        docker_ exec healthy touch /tmp/healthy
        wait_until eval '[ "$(inspect "{{.State.Health.Status}}" healthy)" = healthy ]'
        docker_ cp healthy:/etc/passwd "$T/passwd.copy"
        cmp "$T/rootfs/etc/passwd" "$T/passwd.copy"
        docker_ run -d --network none --name again --restart on-failure:2 small sh -c 'echo once; exit 3'
        wait_until eval '[ "$(inspect "{{.RestartCount}} {{.State.Status}}" again)" = "2 exited" ]'
        run docker_ logs again
        expect_output "once
once
once"
        remove healthy again
}

@test "docker run: a megabyte through, and many at once" {
        head -c 1000000 /dev/urandom >"$T/random"
        run_small -i small cat <"$T/random" >"$T/back"
        cmp "$T/random" "$T/back"
        local i pids=()
        for i in 1 2 3 4 5 6 7 8; do
                run_small small sh -c "exit $i" >/dev/null 2>&1 &
                pids+=($!)
        done
        for i in 1 2 3 4 5 6 7 8; do
                status=0
                wait "${pids[i - 1]}" || status=$?
                expect_equal "$status" "$i" "exit status"
        done
}

@test "docker run --tmpfs over a folder of the image, and where the image has a link" {
        printf 'FROM small\nRUN mkdir -m 750 /kept && ln -s /tmp/elsewhere /link && mkdir /tmp/elsewhere\n' >"$T/Dockerfile"
        DOCKER_BUILDKIT=0 docker_ build --network none -q -t links - <"$T/Dockerfile"
        run run_small --tmpfs /kept --tmpfs /link links sh -c 'stat -c %a /kept; grep -c " /tmp/elsewhere tmpfs " /proc/mounts'
        expect_output "750
1"
        run run_small --tmpfs /kept:mode=711 --tmpfs /new links sh -c 'stat -c %a /kept; stat -c %a /new'
        expect_output "711
1777"
}
