# What happens where the kernel, or a sandbox around us, refuses a system call: something else does its work, or an error
# names it and since when Linux has it. The filter of tools/refuse.c is around each call of the runtime and of coracle, and
# their containers inherit it. `make check-refused` runs other files of tests under it.

bats_require_minimum_version 1.5.0
load lib
load registries
load containers

setup() {
        skip_unless root "program jq"
        REFUSE=$CORACLE_BUILD/tests/integration/tools/tool-refuse
        WORD=nothing
        OLD=linux-5.10,fsconfig:lowerdir+,file:cgroup.kill
}

teardown() {
        WORD=nothing
        if [ -n "${COR_STORE:-}" ]; then
                teardown_containers
        else
                teardown_bundle
        fi
}

runtime() {
        # shellcheck disable=SC2086
        timeout --foreground -k 5 "$RUNTIME_TIMEOUT" "$REFUSE" "$WORD" -- "$RUNTIME" --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} "$@" 3>&-
}

coracle() { in_net timeout -k 5 "$RUNTIME_TIMEOUT" "$REFUSE" "$WORD" -- "$CORACLE" "$@" 3>&-; }

# The life of a container, with a hook, a terminal, a bind mount that is read-only, and what is masked.
runtime_works() { # WORD
        setup_bundle
        WORD=$1
        mkdir "$TEST_DIR/share" && echo shared >"$TEST_DIR/share/file"
        config '.mounts += [{destination: "/share", type: "bind", source: $s, options: ["bind", "ro"]}] |
                .hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "cat >/dev/null; echo hook >$0", $s + "/hook"]}]' \
                --arg s "$TEST_DIR/share"
        config_args sh -c 'cat /share/file; touch /share/new 2>/dev/null || echo read-only; ls /proc/self/fd | wc -l'
        run run_container
        expect_status 0
        expect_output $'shared\nread-only\n4'
        expect_equal "$(cat "$TEST_DIR/share/hook")" hook
        config 'del(.hooks)'
        config_args sleep 1000
        create_container
        runtime start "$ID"
        expect_equal "$(runtime exec "$ID" cat /share/file)" shared
        expect_equal "$(runtime exec --tty "$ID" sh -c 'test -t 1 && echo terminal' | tr -d '\r')" terminal
        ! may_make_cgroups || runtime update --pids-limit 50 "$ID"
        runtime pause "$ID"
        expect_equal "$(container_state)" paused
        runtime resume "$ID"
        runtime ps "$ID" | grep sleep
        run runtime delete "$ID"
        expect_failure
        runtime kill "$ID" KILL
        wait_for stopped
        runtime delete "$ID"
        run runtime state "$ID"
        expect_failure
}

# An image comes and goes; a container with a volume and a network, what happens to it, and another one in its network.
coracle_works() { # WORD
        setup_containers
        WORD=$1
        coracle import "$BATS_RUN_TMPDIR/busybox.tar" again:1
        coracle save -o "$TEST_DIR/saved.tar" again:1
        coracle rmi again:1
        coracle load -i "$TEST_DIR/saved.tar"
        coracle network create nn
        run coracle run -d --name cc --cgroup-parent "$CGROUP_PARENT" --network nn -v vol:/data again:1 \
                sh -c '[ -e /data/file ] || echo kept >/data/file; echo begin; exec sleep 1000'
        expect_status 0
        wait_until says cc begin
        expect_equal "$(coracle exec cc cat /data/file)" kept
        run coracle exec cc sh -c 'ls /proc/self/fd | wc -l; ip -o -4 addr show eth0'
        expect_match ^4 'inet [0-9.]+/'
        expect_equal "$(coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network container:cc again:1 cat /sys/class/net/eth0/address)" \
                "$(coracle exec cc cat /sys/class/net/eth0/address)"
        coracle cp "$TEST_DIR/saved.tar" cc:/tmp/saved && coracle exec cc test -s /tmp/saved
        coracle pause cc && coracle unpause cc
        coracle stop -t 1 cc
        expect_equal "$(coracle inspect --format '{{.State.Status}}' cc)" exited
        coracle start cc && coracle rm -f cc
        expect_equal "$(crun --rm -v vol:/data again:1 cat /data/file)" kept
        coracle volume rm vol && coracle network rm nn && coracle rmi again:1
}

says() { coracle logs "$1" | grep -qx "$2"; }

# expect_refusal CALL VERSION - the last run failed, for that reason, and nothing is left of it
expect_refusal() {
        [ "$status" -ne 0 ] && [ "$status" != 124 ] || fail "expected a refusal"
        expect_text "a seccomp profile around this program, refuses $1() (Linux $2)"
}

# ------------------------------------------------------------------------------------------ what the words really do

@test "the filter refuses what it is told, and nothing else" {
        local build=$CORACLE_BUILD/tests/integration/tools
        run "$REFUSE" getpriority,sync=EPERM -- "$build/tool-call" getpriority sync getuid
        expect_output $'getpriority ENOSYS\nsync EPERM\ngetuid 0'
        run "$REFUSE" close_range:cloexec -- "$build/tool-call" 436:900:901:4 436:900:901:0
        expect_output $'436:900:901:4 error 22\n436:900:901:0 0'
        run "$REFUSE" file:status -- cat /proc/self/status /proc/self/comm
        expect_match 'No such file' $'\ncat$'
        run "$REFUSE" no_such_call -- true
        expect_status 125
}

# ------------------------------------------------------------------------------------------------- replaced: runtime

@test "runtime: openat2 is replaced by a walk" { runtime_works openat2; }
@test "runtime: openat2, refused with EPERM, is replaced as well" { runtime_works openat2=EPERM; }
@test "runtime: clone3 is replaced by clone" { runtime_works clone3; }
@test "runtime: close_range is replaced" { runtime_works close_range; }
@test "runtime: mount_setattr is replaced by remounts" { runtime_works mount_setattr; }
@test "runtime: mount_setattr, refused with EPERM, is replaced as well" { runtime_works mount_setattr=EPERM; }
@test "runtime: fsopen is replaced by mount" { runtime_works fsopen; }
@test "runtime: the whole mount API is replaced by mount" { runtime_works mount_api; }
@test "runtime: the whole mount API, refused with EPERM, is replaced as well" { runtime_works mount_api=EPERM; }
@test "runtime: faccessat2 and what memfd_create has learnt are replaced" { runtime_works faccessat2,memfd_create:exec; }
@test "runtime: a sandbox that knows nothing newer than Linux 5.1" { runtime_works sandbox; }
@test "runtime: what Linux 5.10 has is enough" { runtime_works "$OLD"; }

@test "runtime: without mount_setattr, read-only reaches all mounts below, and a running container's" {
        setup_bundle
        WORD=mount_setattr
        mkdir -p "$TEST_DIR/top/sub/deep" "$TEST_DIR/top/file" && echo x >"$TEST_DIR/top/file/file"
        mount -t tmpfs t "$TEST_DIR/top/sub" && mkdir "$TEST_DIR/top/sub/a b" && mount -t tmpfs t "$TEST_DIR/top/sub/a b"
        config '.mounts += [{destination: "/top", type: "bind", source: $s, options: ["rbind", "rro"]}]' --arg s "$TEST_DIR/top"
        config_args sh -c 'grep -c "^[^ ]* /top.* ro," /proc/mounts; touch /top/x "/top/sub/x" "/top/sub/a b/x"; echo $?'
        run run_container
        expect_status 0
        expect_match ^3 'top/x: Read-only' 'sub/x: Read-only' 'a b/x: Read-only' '1$'
        config 'del(.mounts[-1])'
        config_args sleep 1000
        start_detached
        jq -n --arg s "$TEST_DIR/top" '[{destination: "/new", type: "bind", source: $s, options: ["rbind", "rro"]},
                {destination: "/new-file", type: "bind", source: ($s + "/file/file"), options: ["bind", "ro"]}]' >"$TEST_DIR/mounts.json"
        runtime mounts add "$ID" "$TEST_DIR/mounts.json"
        run runtime exec "$ID" touch /new/x "/new/sub/a b/x" /new-file
        expect_match 'new/x: Read-only' 'a b/x: Read-only' 'new-file: Read-only'
}

@test "runtime: without open_tree a container in a user namespace is refused" {
        setup_bundle
        WORD=mount_api
        config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
                .linux.gidMappings = .linux.uidMappings'
        run run_container
        expect_refusal open_tree 5.2
        expect_equal "$(ls "$STATE_ROOT")" ""
}

@test "runtime: without mount_setattr an idmapped mount is refused" {
        setup_bundle
        config '.mounts += [{destination: "/m", type: "bind", source: "/tmp", options: ["bind"],
                uidMappings: [{containerID: 0, hostID: 100000, size: 65536}], gidMappings: [{containerID: 0, hostID: 100000, size: 65536}]}]'
        for WORD in mount_setattr mount_setattr=EPERM; do
                run run_container
                expect_failure
                expect_text "mounts[7] (/m): idmapped mounts need Linux 5.12 (mount_setattr)"
        done
}

@test "runtime: without pidfds nothing is signalled, and nobody is taken for dead" {
        local call
        setup_bundle
        config_args sleep 1000
        WORD=pidfd_open
        start_detached
        run runtime kill "$ID" KILL
        expect_refusal pidfd_open 5.3
        run runtime exec "$ID" true
        expect_refusal pidfd_open 5.3
        run runtime delete "$ID"
        expect_failure
        expect_equal "$(container_state)" running
        WORD=pidfd_send_signal
        run runtime kill "$ID" KILL
        expect_refusal pidfd_send_signal 5.1
        runtime delete --force "$ID"
        run runtime state "$ID"
        expect_failure
}

@test "runtime: statx, and clone3 with EPERM, by which the C library starts programs, are refused" {
        setup_bundle
        WORD=statx=EPERM
        run run_container
        expect_refusal statx 5.8
        config '.hooks.createRuntime = [{path: "/bin/true"}]'
        WORD=clone3=EPERM
        run run_container
        expect_refusal clone3 5.3
        config 'del(.hooks)'
        config_args echo works
        run run_container
        expect_output works
}

# -------------------------------------------------------------------------------------------------- replaced: coracle

@test "coracle: openat2 is replaced by a walk" { coracle_works openat2; }
@test "coracle: clone3 and close_range are replaced" { coracle_works clone3,close_range; }

@test "coracle: without close_range neither monitor nor container keeps descriptors of who started them" {
        local id pid
        setup_containers
        WORD=close_range
        : >"$TEST_DIR/secret"
        id=$(crun -d bb:1 sleep 1000 9<"$TEST_DIR/secret")
        for pid in $(pgrep -f "coracle-monitor --store $COR_STORE $id") "$(coracle inspect --format '{{.State.Pid}}' "$id")"; do
                expect_equal "$(readlink "/proc/$pid"/fd/* | grep -c secret)" 0
                [ -n "$(ls "/proc/$pid/fd")" ]
        done
}

@test "coracle: mount_setattr and faccessat2 are replaced" { coracle_works mount_setattr,faccessat2; }
@test "coracle: Landlock is done without" { coracle_works landlock; }
@test "coracle: what Linux 5.10 has is enough" { coracle_works "$OLD"; }

@test "coracle: without the mount API, pidfds or clone3 a container is refused" {
        setup_containers
        WORD=mount_api
        run crun --rm bb:1 true
        expect_refusal fsopen 5.2
        WORD=mount_api=EPERM
        run crun --rm bb:1 true
        expect_refusal fsopen 5.2
        WORD=pidfd_open
        run crun --rm bb:1 true
        expect_refusal pidfd_open 5.3
        WORD=clone3=EPERM
        run crun --rm bb:1 true
        expect_refusal clone3 5.3
        expect_equal "$(container_ids)" ""
}

# ---------------------------------------------------------------------------------------------------------------- init

@test "init: without pidfds it does not take on other descendants, but for those of a pid namespace" {
        local init=$CORACLE_BUILD/src/tools/init/coracle-init
        run "$REFUSE" pidfd_open -- "$init" --wait-all true
        expect_refusal pidfd_open 5.3
        run "$REFUSE" pidfd_open -- "$init" sh -c 'exit 7'
        expect_status 7
        run "$REFUSE" pidfd_open -- unshare --pid --fork --mount-proc "$init" --wait-all --grace 0 sh -c 'sleep 1000 & exit 7'
        expect_status 7
}
