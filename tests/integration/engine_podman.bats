#!/usr/bin/env bats
# runs alone
# Debian's podman runs its containers through the runtime under test: podman --runtime PATH.

load lib
load engines

setup_file() {
        can_run || return 0 # every test will skip
        setup_world
        write_runtime
        write_podman_config
        tar -C "$T/rootfs" -c . >"$T/rootfs.tar"
        podman_ import -q -c 'CMD ["/bin/sh"]' "$T/rootfs.tar" small
}

can_run() { [ "$(id -u)" = 0 ] && command -v podman >/dev/null && command -v conmon >/dev/null; }

teardown_file() { teardown_world; }

setup() { skip_unless root "controller memory" "controller pids" "controller cpu" "program podman" "program conmon"; }

teardown() { # of what a failed test left
        [ -z "${T:-}" ] || podman_ rm -f -a -t 0 >/dev/null || true
}

# podman hands the runtime no environment; one that is not installed finds its own programs by a variable.
write_runtime() {
        export PODMAN_RUNTIME=$RUNTIME
        by_systemd || return 0
        PODMAN_RUNTIME=$T/${RUNTIME##*/}
        printf '#!/bin/sh\nCORACLE_LIBEXEC=%q exec %q "$@"\n' "$CORACLE_LIBEXEC" "$RUNTIME" >"$PODMAN_RUNTIME"
        chmod 755 "$PODMAN_RUNTIME"
}

write_podman_config() {
        local manager=cgroupfs
        ! by_systemd || manager=systemd
        cat >"$T/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1000:2000"]
log_driver = "k8s-file"
netns = "none"
init_path = "$CORACLE_BUILD/src/tools/init/coracle-init"
[engine]
cgroup_manager = "$manager"
events_logger = "file"
runtime_supports_json = ["${RUNTIME##*/}", "$PODMAN_RUNTIME"]
runtime_supports_nocgroup = ["${RUNTIME##*/}", "$PODMAN_RUNTIME"]
CONF
        cat >"$T/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$T/storage"
runroot = "/run/podman" # a short path: conmon's sockets are below it
CONF
}

podman_() { # [--in-shell REDIRECTIONS] ARGUMENT...
        local how='"$@"' as=()
        if [ "$1" = --in-shell ]; then
                how="\"\$@\" $2"
                shift 2
        fi
        if [ -n "${WALKER:-}" ]; then # with a short path to its home, below which conmon's sockets are
                as=(setpriv --reuid 4242 --regid 4242 --clear-groups env USER=walker LOGNAME=walker HOME=/run/walker
                        XDG_RUNTIME_DIR=/run/user/4242)
        fi
        CONTAINERS_CONF=$T/containers.conf CONTAINERS_STORAGE_CONF=$T/storage.conf \
                world "${as[@]}" bash -c "exec $how" podman podman ${WALKER:+--cgroup-manager cgroupfs} --runtime "$PODMAN_RUNTIME" "$@"
}

detached() { # NAME FLAGS... - the container sleeps
        local name=$1
        shift
        podman_ run -d --name "$name" "$@" small sleep 1000
}

remove() { podman_ rm -f -t 0 "$@"; }

inspect() { podman_ inspect -f "$1" "$2"; } # FORMAT NAME

cgroup_of_container() { echo "$(world_root)$(inspect '{{.State.CgroupPath}}' "$1")"; } # NAME

in_a_terminal() { # COMMAND - given to a shell in a terminal of 33 lines and 77 columns
        timeout -k 5 "$RUNTIME_TIMEOUT" script -qec "stty rows 33 cols 77; $1" /dev/null 3>&-
}

podman_command() { # ARGUMENT... - as words for in_a_terminal
        printf '%q ' env CONTAINERS_CONF="$T/containers.conf" CONTAINERS_STORAGE_CONF="$T/storage.conf" \
                bash "$T/enter" podman --runtime "$PODMAN_RUNTIME" "$@"
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
        remove exec1
}

@test "podman exec --preserve-fds" {
        detached fds
        echo three >"$T/three"
        echo four >"$T/four"
        run podman_ --in-shell '3<"$T/three" 4<"$T/four"' exec --preserve-fds 2 fds sh -c 'cat <&3; cat <&4'
        expect_output "three
four"
        remove fds
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
        remove talks
}

@test "podman run -it and exec -it: a terminal, and its size" {
        skip_unless "program script"
        # podman's client now and then loses what a terminal says in its last moment, hence the sleep
        local size='test -t 0 && for i in $(seq 600); do [ "$(stty size)" = "33 77" ] && break; usleep 50000; done; stty size; sleep 1; exit 5'
        run in_a_terminal "$(podman_command run --rm -it small sh -c "$size")"
        expect_status 5
        expect_text "33 77"
        detached terminal
        run in_a_terminal "$(podman_command exec -it terminal sh -c "$size")"
        expect_status 5
        expect_text "33 77"
        remove terminal
}

@test "podman top, stats, healthcheck, diff" {
        detached look --health-cmd 'test -e /tmp/healthy' --health-interval disable
        run podman_ top look pid args
        expect_text "1 " "sleep 1000"
        run podman_ stats --no-stream --no-reset --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' look
        expect_match '^look 1 [1-9][0-9.]*[kKM]i?B / '
        run podman_ healthcheck run look
        expect_failure
        podman_ exec look touch /tmp/healthy
        run podman_ healthcheck run look
        expect_status 0
        run podman_ diff look
        expect_text "A /tmp/healthy"
        remove look
}

@test "podman run: limits are in the cgroup, and may change" {
        detached limits -m 64m --memory-reservation 32m --cpus 0.5 --pids-limit 33 --cpuset-cpus 0
        local path
        path=$(cgroup_of_container limits)
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max "$path")" $((64 << 20)) memory
        expect_equal "$(cgroup_value memory memory.soft_limit_in_bytes memory.low "$path")" $((32 << 20)) reservation
        expect_equal "$(cgroup_value pids pids.max pids.max "$path")" 33 pids
        run cgroup_value cpu cpu.cfs_quota_us cpu.max "$path"
        expect_match '^50000( 100000)?$'
        expect_equal "$(cgroup_value cpuset cpuset.cpus cpuset.cpus "$path")" 0 cpuset
        podman_ update --memory 48m --cpus 0.25 limits
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max "$path")" $((48 << 20)) memory
        run cgroup_value cpu cpu.cfs_quota_us cpu.max "$path"
        expect_match '^25000( 100000)?$'
        remove limits
        refute test -d "$(cgroup_dir memory "$path")"
}

@test "podman run: limits hold, and conmon learns of an OOM kill" {
        # conmon 2.1.6 leaves its note in the folder where podman was started, where podman 4.3 does not look for it
        rm -f "$T/oom"
        run podman_ run --rm -m 16m small sh -c 'tail /dev/zero; sleep 5; exit 9'
        expect_status 9
        test -e "$T/oom"
        run podman_ run --rm --pids-limit 5 small sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done' # which end with the shell
        expect_text "can't fork"
}

@test "podman run: read-only root, tmpfs, volumes, capabilities, seccomp, devices, sysctl" {
        mkdir "$T/volume"
        echo here >"$T/volume/file"
        run podman_ run --rm --read-only --tmpfs /scratch:size=1m,mode=1770 -v "$T/volume:/ro:ro" -v "$T/volume:/rw" small sh -c '
                touch /x; touch /ro/x; touch /scratch/x && echo scratch; cat /ro/file; touch /rw/written; stat -c %a /scratch'
        expect_text "touch: /x: Read-only file system" "touch: /ro/x: Read-only file system" scratch here 1770
        test -e "$T/volume/written"
        status_of() { podman_ run --rm "$@" small grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; }
        run status_of --cap-drop ALL --cap-add NET_ADMIN
        expect_match 'CapEff:.0000000000001000' 'CapBnd:.0000000000001000' 'NoNewPrivs:.0' 'Seccomp:.2'
        run status_of --security-opt no-new-privileges --security-opt seccomp=unconfined
        expect_match 'NoNewPrivs:.1' 'Seccomp:.0'
        run podman_ run --rm --device /dev/kmsg:/dev/k:w small sh -c ': >/dev/k && echo written; : </dev/k'
        expect_text written "can't open /dev/k: Operation not permitted"
        run podman_ run --rm --sysctl kernel.msgmax=4242 --ulimit nofile=100:200 --ulimit nproc=1000:2000 --hostname blue --user 1000:1000 --group-add 2000 \
                small sh -c 'cat /proc/sys/kernel/msgmax; ulimit -Sn; ulimit -Hn; hostname; id'
        expect_text "4242
100
200
blue
uid=1000(test) gid=1000(test)" "2000(extra)"
}

@test "podman run --privileged, --init, --cgroups=disabled" {
        run podman_ run --rm --privileged small sh -c 'mount -t tmpfs none /tmp && echo mounted; grep Seccomp: /proc/self/status'
        expect_text mounted
        expect_match 'Seccomp:.0'
        run podman_ run --rm --init small sh -c 'cat /proc/1/cmdline | tr "\0" " "; exit 9'
        expect_status 9
        expect_text "-- sh -c"
        run podman_ run --rm --cgroups disabled small sh -c 'cat /proc/self/cgroup; exit 8'
        expect_status 8
        expect_no_text libpod
}

@test "podman run: with a user namespace" {
        run podman_ run --rm --uidmap 0:300000:65536 --gidmap 0:400000:65536 small \
                sh -c 'cat /proc/self/uid_map /proc/self/gid_map; touch /owned && stat -c %u:%g /owned; exit 3'
        expect_status 3
        expect_match '^ +0 +300000 +65536' ' +0 +400000 +65536' '0:0$'
}

@test "podman run: namespaces of another container" {
        detached first --ipc shareable --hostname first
        run podman_ run --rm --pid container:first --ipc container:first --net container:first --uts container:first small \
                sh -c 'tr "\0" " " </proc/1/cmdline; echo; hostname; for n in pid ipc net uts; do readlink /proc/self/ns/$n; done'
        expect_text "sleep 1000" "first
$(podman_ exec first sh -c 'for n in pid ipc net uts; do readlink /proc/self/ns/$n; done')"
        remove first
}

has_exited() { [ "$(inspect '{{.State.Status}}' "$1")" = exited ]; }

@test "podman pods: an infra container and shared namespaces" {
        podman_ pod create --name pod --infra-image small --infra-command 'sleep 1000' --share ipc,net,uts,pid --hostname in-pod
        podman_ run -d --pod pod --name member1 small sleep 1001
        podman_ run -d --pod pod --name member2 small sleep 1002
        run podman_ exec member2 sh -c 'hostname; ps -o args'
        expect_text in-pod "sleep 1000" "sleep 1001" "sleep 1002"
        local ns
        for ns in ipc net uts pid; do
                expect_equal "$(podman_ exec member1 readlink "/proc/self/ns/$ns")" "$(podman_ exec member2 readlink "/proc/self/ns/$ns")"
        done
        podman_ pod pause pod
        expect_equal "$(inspect '{{.State.Status}}' member1)" paused
        podman_ pod unpause pod
        podman_ pod stop -t 0 pod
        wait_until has_exited member2 # "stopped" until conmon's cleanup
        podman_ pod start pod
        is_running member2
        podman_ pod rm -f -t 0 pod
        run podman_ ps -aq
        expect_output ""
}

@test "podman events tell of a container's life" {
        podman_ run --name events small true
        remove events
        run podman_ events --stream=false --since 10m --filter container=events --format '{{.Status}}'
        expect_text create start died remove
}

# ------------------------------------------------------------------------------------------------------------- rootless

# as_walker - from now on podman_ is run by an ordinary user with subordinate ids, known in the world only
as_walker() {
        WALKER=1
        [ ! -e "$T/walker" ] || return 0
        local file
        for file in passwd group subuid subgid; do cp "/etc/$file" "$T/$file"; done
        echo walker:x:4242:4242::/run/walker:/bin/sh >>"$T/passwd"
        echo walker:x:4242: >>"$T/group"
        echo walker:300000:65536 | tee -a "$T/subuid" >>"$T/subgid"
        for file in passwd group subuid subgid; do world mount --bind "$T/$file" "/etc/$file"; done
        world install -d -o 4242 -g 4242 /run/walker /run/user /run/user/4242 "$T/walker"
        chmod 644 "$T/rootfs.tar"
        podman_ import -q -c 'CMD ["/bin/sh"]' "$T/rootfs.tar" small
}

@test "rootless podman run and exec" {
        skip_unless userns "program newuidmap" "program setpriv"
        as_walker
        run podman_ run --rm small sh -c 'id -u; cat /proc/self/uid_map; touch /owned; exit 5'
        expect_status 5
        expect_match '^0' ' 0 +4242 +1' ' 1 +300000 +65536'
        run -127 podman_ run --rm small /missing
        run podman_ run --rm small /etc/passwd
        expect_status 126
        run podman_ run --rm --userns keep-id small sh -c 'id -u; echo mine >/tmp/mine && stat -c %u /tmp/mine'
        expect_output "4242
4242"
        detached walks
        run podman_ exec -i -u test -w /tmp walks sh -c 'id -u; pwd; cat; exit 4' <<<input
        expect_status 4
        expect_output "1000
/tmp
input"
        run podman_ logs walks
        expect_output ""
        podman_ kill walks
        run podman_ wait walks
        expect_output 137
        podman_ restart -t 0 walks
        is_running walks
        remove walks
}

@test "rootless podman run: volumes, read-only root, tmpfs, capabilities, seccomp, hostname, terminal" {
        skip_unless userns "program newuidmap" "program setpriv"
        as_walker
        world install -d -o 4242 -g 4242 "$T/walker/volume"
        run podman_ run --rm --read-only --tmpfs /scratch:size=1m -v "$T/walker/volume:/ro:ro" -v "$T/walker/volume:/rw" \
                --cap-drop ALL --cap-add NET_ADMIN --security-opt no-new-privileges --hostname blue small sh -c '
                        touch /x; touch /ro/x; touch /scratch/x && echo scratch; touch /rw/written; hostname
                        grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status'
        expect_text "touch: /x: Read-only file system" "touch: /ro/x: Read-only file system" scratch blue
        expect_match 'CapEff:.0000000000001000' 'NoNewPrivs:.1' 'Seccomp:.2'
        expect_equal "$(stat -c %u "$T/walker/volume/written")" 4242
        run podman_ run --rm -t small sh -c 'test -t 1 && tty'
        expect_text /dev/pts/0
}

@test "rootless podman pods" {
        skip_unless userns "program newuidmap" "program setpriv"
        as_walker
        podman_ pod create --name pod --infra-image small --infra-command 'sleep 1000' --share ipc,net,uts,pid --hostname in-pod
        podman_ run -d --pod pod --name member small sleep 1001
        run podman_ exec member sh -c 'hostname; ps -o args'
        expect_text in-pod "sleep 1000" "sleep 1001"
        podman_ pod rm -f -t 0 pod
}

@test "rootless podman run without subordinate ids" {
        skip_unless userns "program setpriv"
        as_walker
        # in a user namespace of the one id, where groups cannot be set
        podman_ system migrate
        world bash -c ': >/etc/subuid; : >/etc/subgid'
        run podman_ --storage-opt ignore_chown_errors=true run --rm small sh -c 'id -u; cat /proc/self/uid_map; exit 5'
        expect_status 5
        expect_match '(^|
)0' ' 0 +4242 +1$'
}

@test "rootless podman run with a network and a published port, by coracle-usernet" {
        skip_unless userns "program newuidmap" "program setpriv" "program python3"
        local usernet=$CORACLE_BUILD/src/tools/usernet/coracle-usernet
        "$usernet" --version >/dev/null 2>&1 || skip "coracle-usernet is not built, or its library not there: runs where libslirp is"
        [ -c /dev/net/tun ] || skip "needs /dev/net/tun: runs on the CI machine"
        as_walker
        world sh -ec 'mkdir dev && mount -t tmpfs tmpfs dev && mknod -m 666 dev/tun c 10 200 && mount --bind dev/tun /dev/net/tun'
        podman_ system migrate # its mount namespace is older
        install -m 755 "$usernet" "$T/slirp4netns"
        run podman_ --network-cmd-path "$T/slirp4netns" run --rm --network slirp4netns:mtu=1500,enable_ipv6=true small \
                sh -c 'ip -o -4 addr show tap0; ip route'
        expect_status 0
        expect_text "10.0.2.100/24" "default via 10.0.2.2"
        cp "$BATS_TEST_DIRNAME/tools/peer.py" "$T/peer.py"
        world python3 "$T/peer.py" serve outside 7003 </dev/null >"$T/outside.ready" 2>&1 3>&- &
        local server=$!
        wait_ready "$T/outside.ready"
        podman_ --network-cmd-path "$T/slirp4netns" run -d --name served --network slirp4netns:allow_host_loopback=true,port_handler=slirp4netns \
                -p 127.0.0.1:7001:7002 small sh -c 'while :; do echo inside | nc -l -p 7002; done'
        run podman_ exec served sh -c 'echo ask | nc 10.0.2.2 7003'
        expect_output "outside 127.0.0.1"
        wait_until port_answers
        world ps -eo args | grep -q "[s]lirp4netns --disable-host-loopback\|[s]lirp4netns --mtu"
        remove served
        wait_until no_usernet_left
        kill "$server"
        wait "$server" || true
}
port_answers() { world python3 "$T/peer.py" ask tcp 127.0.0.1 7001 5 | grep -qx inside; }
no_usernet_left() { ! world ps -eo args | grep -q "[/]slirp4netns "; }
