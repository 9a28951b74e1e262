# shellcheck shell=bash disable=SC2030,SC2031
# Helpers for tests that let the engines of the distribution (podman, docker, containerd) run containers through the
# runtime under test. Loaded after lib.
#
# setup_world makes, for one test file, a small world of its own: mount, network, process, ipc, uts and cgroup
# namespaces, held by one process. In it the folder of every cgroup hierarchy shows only $TEST_CGROUP, so that an engine
# that makes cgroups wherever it likes makes them there; the layout (version 1, hybrid, unified) stays that of the
# machine. /run is empty. teardown_world ends all processes of the world, and removes the cgroups and the folder.
#
#   $T            the folder of the file; $T/rootfs is what images are made of
#   $TEST_CGROUP  the name of its cgroup in every hierarchy
#
# world COMMAND... runs a command in there, in the folder $T; its cgroups are those of the world, too.
#
# With --systemd-cgroup in RUNTIME_FLAGS the engines let systemd make the cgroups. It knows no process or cgroup by the name
# that namespaces give, so the world has none of these two, and sees systemd's part of /run.

export WORLD_TIMEOUT=${WORLD_TIMEOUT:-120} # seconds that one call of an engine may take

# setup_world - sets and exports the variables above
setup_world() {
        export T TEST_CGROUP WORLD_PID WORLD_NAMESPACES WORLD_FLAGS=
        WORLD_NAMESPACES="--mount --net --ipc --uts"
        if by_systemd; then
                skip_unless systemd cgroup_v2
        else
                WORLD_NAMESPACES+=" --pid --cgroup" WORLD_FLAGS=--mount-proc
        fi
        T=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-engine-XXXXXX")
        chmod 755 "$T"
        TEST_CGROUP=${CORACLE_TEST_RUN:-coracle-test-$$}-engine-${T##*-}
        make_rootfs "$T/rootfs"
        world_scripts
        bash "$T/outside" </dev/null >"$T/world.log" 2>&1 3>&- &
        echo $! >"$T/outside.pid"
        wait_until test -e "$T/ready" || { cat "$T/world.log"; return 1; }
        local outside
        outside=$(cat "$T/outside.pid")
        read -r WORLD_PID _ <"/proc/$outside/task/$outside/children" || true # there is no newline
        [ -n "$WORLD_PID" ]
        if is_cgroup_v2; then echo "$outside" >"/sys/fs/cgroup/$TEST_CGROUP/daemon/cgroup.procs"; fi # the root stays empty
}

world_scripts() {
        # outside: make a cgroup in every hierarchy and enter it, then the namespaces
        cat >"$T/outside" <<'EOS'
for file in $(awk '$3 ~ /^cgroup2?$/ { print $2 "/cgroup.procs" }' /proc/self/mounts); do
        dir=${file%/*}/$TEST_CGROUP
        mkdir "$dir" || exit 1
        for setting in cpuset.cpus cpuset.mems; do
                [ ! -e "$dir/$setting" ] || [ -e "$dir/cgroup.controllers" ] || cat "${file%/*}/$setting" >"$dir/$setting"
        done
        echo $$ >"$dir/cgroup.procs" || exit 1
done
exec unshare $WORLD_NAMESPACES --propagation private --fork --kill-child $WORLD_FLAGS bash "$T/inside"
EOS
        # inside: only the own cgroups are mounted, under the names that the hierarchies have; /run is empty
        cat >"$T/inside" <<'EOS'
set -e
mkdir "$T/cgroup" "$T/run"
mount -t tmpfs -o mode=755 tmpfs "$T/run"
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || mkdir "/sys/fs/cgroup/$TEST_CGROUP/daemon" # processes live in leaves only
if [ -z "$WORLD_FLAGS" ]; then
        echo $$ >"/sys/fs/cgroup/$TEST_CGROUP/daemon/cgroup.procs"
        mkdir "$T/run/systemd" "$T/run/dbus"
        mount --rbind /run/systemd "$T/run/systemd"
        mount --bind /run/dbus "$T/run/dbus"
else
        mount -t tmpfs -o mode=755 tmpfs "$T/cgroup"
        if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
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
fi
mount -n --move "$T/run" /run # -n: the table of mount is below the old /run
mount --bind "$T" "$T"
ip link set lo up
touch "$T/ready"
while :; do sleep 1000 & wait; done # a shell as process 1 takes in orphans
EOS
        # enter COMMAND...: join the cgroups of the world, then its namespaces
        cat >"$T/enter" <<'EOS'
for dir in $(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/self/mounts); do
        own=$dir/$TEST_CGROUP
        [ ! -d "$own/daemon" ] || own=$own/daemon
        if [ -e "$own/tasks" ]; then echo $$ >"$own/tasks"; else echo $$ >"$own/cgroup.procs"; fi || exit 1
done
unset XDG_RUNTIME_DIR # below the machine's /run
exec nsenter --target "$WORLD_PID" $WORLD_NAMESPACES --wdns="$T" -- "$@"
EOS
}

# world COMMAND... - run a command in the world; after two minutes (WORLD_TIMEOUT) it is ended, with all that it started
world() {
        timeout -k 5 "$WORLD_TIMEOUT" bash "$T/enter" "$@" 3>&-
}

# world_pid PID - a process of the world as the tests' own process namespace numbers it; PID is what the engine said
world_pid() {
        local file
        [ -n "$WORLD_FLAGS" ] || { echo "$1"; return; }
        for file in /proc/[0-9]*/status; do
                awk -v pid="$1" '/^NSpid:/ { exit !(NF >= 3 && $3 == pid) }' "$file" 2>/dev/null || continue
                file=${file#/proc/}
                echo "${file%/status}"
                return 0
        done
        return 1
}

teardown_world() {
        [ -n "${T:-}" ] || return 0
        local outside
        outside=$(cat "$T/outside.pid")
        [ -z "${WORLD_PID:-}" ] || kill -KILL "$WORLD_PID" 2>/dev/null || true # process 1 of the world: all others end with it
        wait_until process_is_gone "$outside" || kill -KILL "$outside" || true
        remove_cgroups "$TEST_CGROUP"
        remove_tree "$T"
}

# world_root - where the root of the world's cgroups is in those of the machine
world_root() { by_systemd || echo "/$TEST_CGROUP"; }

# ----------------------------------------------------------------------------------------------------------- containerd

# world_containerd - start one in the world, at /run/containerd.sock, with its process id in /run/containerd.pid, and wait
# until it answers
world_containerd() {
        cat >"$T/containerd.toml" <<TOML
version = 2
root = "$T/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "/run/containerd.sock"
TOML
        world sh -c 'setsid "$@" >>"$0" 2>&1 </dev/null & echo $! >/run/containerd.pid' \
                "$T/containerd.log" containerd -c "$T/containerd.toml"
        WAIT_SECONDS=$((2 * ${WAIT_SECONDS:-60})) wait_until ctr_ version || { tail -n 30 "$T/containerd.log"; return 1; }
}

ctr_() { world ctr --address /run/containerd.sock "$@"; }

# -------------------------------------------------------------------------------------------------------------- dockerd

# has_docker - is there what a daemon needs?
has_docker() {
        local program
        [ "$(id -u)" = 0 ] || return 1
        for program in dockerd containerd docker runc; do command -v "$program" >/dev/null || return 1; done
}

# docker_client - export the names of the client, and of the socket that it and the daemon meet at
docker_client() {
        export DOCKER=docker DOCKER_HOST=unix://$T/docker.sock DOCKER_CONFIG=$T/config
        [ ! -x /usr/bin/docker ] || DOCKER=/usr/bin/docker # that of the same package as dockerd
}

# world_dockerd CONFIG [FLAG...] - start a daemon in the world, at $DOCKER_HOST, and wait until it answers. CONFIG is JSON,
# added to a daemon.json without bridge and firewall; flags say where the daemon keeps its data, if not in $T/data. It has
# its containerd from here: one that it starts itself has to answer within 15 seconds.
world_dockerd() {
        local config=$1 driver=cgroupfs score='{}' # docker 25 and newer have no such key, and do not lower their score themselves
        shift
        [ $# -gt 0 ] || set -- --data-root "$T/data" --exec-root /run/docker --pidfile /run/dockerd.pid
        ! dockerd --help 2>&1 | grep -q -e --oom-score-adjust || score='{"oom-score-adjust": 0}'
        ! by_systemd || driver=systemd
        jq -n --argjson config "$config" --argjson score "$score" --arg driver "native.cgroupdriver=$driver" '{
                "exec-opts": [$driver], bridge: "none", iptables: false, "storage-driver": "overlay2"
        } + $config + $score' >"$T/daemon.json"
        world test -e /run/containerd.pid || world_containerd || return 1
        # a child of process 1 of the world: it and what it starts outlive this call
        world sh -c 'setsid "$@" >>"$0" 2>&1 </dev/null & echo $!' "$T/dockerd.log" dockerd --config-file "$T/daemon.json" \
                --host "$DOCKER_HOST" --containerd /run/containerd.sock "$@"
        WAIT_SECONDS=$((2 * ${WAIT_SECONDS:-60})) wait_until docker_ version || { tail -n 30 "$T/dockerd.log"; return 1; }
}

docker_() { timeout --foreground -k 5 "$WORLD_TIMEOUT" "$DOCKER" "$@" 3>&-; }
