#!/usr/bin/env bats
# No leak in the runtime's own process: every verb under valgrind, where it succeeds and where it fails. Memory and
# descriptors that the program does not give back before it ends count, and all else that memcheck finds.
#
# memcheck wants a program with shared libraries, so `make leaks` builds one for this file, and a valgrind that knows the
# system calls of the mount API: 3.27 does (Debian sid), 3.24 does not yet.
load lib

setup() {
        skip_unless root "program valgrind"
        ! grep -q __asan_default_options "$RUNTIME" || skip "a program with sanitizers looks for leaks itself: runs by make leaks"
        readelf_has_interpreter "$RUNTIME" || skip "needs a program with shared libraries: runs by make leaks"
        setup_bundle
        config 'del(.process.rlimits)' # valgrind keeps descriptors for itself, and refuses to change RLIMIT_NOFILE
        protect_valgrind
        # 3.27 takes the last argument of mount_setattr, a size, for the address
        printf '{\n a size\n Memcheck:Param\n mount(attr)\n fun:%s\n}\n' mount_setattr syscall >"$TEST_DIR/suppressions"
}

teardown() {
        [ -z "${TOOLS:-}" ] || umount -l "$TOOLS"
        teardown_bundle
}

# The runtime's /proc/self/exe is valgrind. On a read-only mount nobody can write to it, and the runtime does not execute
# itself again, which would be the end of valgrind.
protect_valgrind() {
        local dir
        for dir in "${VALGRIND_LIB:-}" /usr/libexec/valgrind /usr/lib/valgrind /usr/local/libexec/valgrind; do
                [ -d "$dir" ] && mount --bind -o ro "$dir" "$dir" || continue
                TOOLS=$dir
                return 0
        done
        echo "where are the tools of valgrind? (VALGRIND_LIB)"
        return 1
}

# checked STATUS ARGUMENT... - one call of the runtime, which is to end with STATUS
checked() {
        local expected=$1 status=0 log=$TEST_DIR/valgrind.log unknown
        shift
        timeout --foreground -k 5 100 valgrind --quiet --log-file="$log" --error-exitcode=99 --trace-children=no \
                --suppressions="$TEST_DIR/suppressions" --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all \
                --track-fds=yes --child-silent-after-fork=yes \
                "$RUNTIME" --root "$STATE_ROOT" "$@" </dev/null >"$TEST_DIR/out" 2>&1 3>&- || status=$?
        # Of these the runtime needs all: open_tree to fsmount, openat2, mount_setattr. Others have ways around them.
        unknown=$(grep -o -m 1 -E 'unhandled .* syscall: (42[89]|43[0237]|442)' "$log") &&
                skip "$(valgrind --version) has an $unknown: runs with 3.27 (Debian sid)"
        sed -i -E '/^--[0-9]+-- /d' "$log" # its warnings of other calls
        [ "$status" = "$expected" ] && [ ! -s "$log" ] && return
        echo "$*: exit status $status, expected $expected"
        cat "$TEST_DIR/out" "$log"
        return 1
}

expect_printed() { # TEXT, by the last call
        grep -qF "$1" "$TEST_DIR/out" || { echo "expected in the output: $1"; cat "$TEST_DIR/out"; return 1; }
}

@test "run: hooks, limits, devices, mounts" {
        local kind
        for kind in prestart createRuntime createContainer poststart poststop; do
                config '.hooks[$k] = [{path: "/bin/true", args: ["true"], env: ["A=b"], timeout: 30}]' --arg k $kind
        done
        config '.linux.resources = {memory: {limit: 100000000}, pids: {limit: 50}, cpu: {shares: 512}, devices: [{allow: false, access: "rwm"}]} |
                .linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}] | .linux.sysctl = {"net.ipv4.ip_forward": "0"} |
                .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["size=1m"]},
                            {destination: "/root", type: "bind", source: "/", options: ["bind", "ro"]}] | .annotations = {a: "b"}'
        config_args sh -c 'exit 3'
        checked 3 run --bundle "$BUNDLE" "$ID"
}

@test "run: user, time and joined namespaces" {
        config '.linux.namespaces += [{type: "user"}, {type: "time"}] | .linux.timeOffsets = {boottime: {secs: 5}} |
                .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
        chown 100000:100000 "$ROOTFS"
        config_args true
        checked 0 run --bundle "$BUNDLE" "$ID"
        config '(.linux.namespaces[] | select(.type == "network")).path = "/proc/1/ns/net" | del(.linux.timeOffsets) |
                .linux.namespaces |= map(select(.type != "user" and .type != "time")) | del(.linux.uidMappings, .linux.gidMappings)'
        checked 0 run --bundle "$BUNDLE" "$ID"
}

@test "run: seccomp, compiled and from the cache" {
        config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
                {names: ["mount", "no_such_call"], action: "SCMP_ACT_ERRNO", errnoRet: 5},
                {names: ["personality"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 8, op: "SCMP_CMP_EQ"}]}]}'
        config_args true
        checked 1 run --bundle "$BUNDLE" "$ID" # valgrind lets nobody install the filter
        expect_printed 'install the seccomp program: Function not implemented'
        checked 1 run --bundle "$BUNDLE" "$ID"
        config '.linux.seccomp.architectures = ["SCMP_ARCH_NONE"]'
        checked 1 run --bundle "$BUNDLE" "$ID"
        expect_printed SCMP_ARCH_NONE
}

@test "create, start, state, list, ps, kill, delete" {
        config_args sleep 1000
        create_container
        checked 1 create --bundle "$BUNDLE" "$ID" # is there already
        checked 0 state "$ID"
        checked 0 start "$ID"
        checked 0 list
        checked 0 list --format json
        checked 0 ps "$ID"
        checked 0 ps --format json "$ID"
        checked 1 delete "$ID" # is running
        checked 1 kill "$ID" KILL # valgrind lets nobody send signals by pidfd
        expect_printed 'send signal 9: Function not implemented'
        runtime kill "$ID" KILL
        wait_for stopped
        checked 0 delete "$ID"
}

@test "create with a pid file, run --detach, delete --force" {
        config_args sleep 1000
        checked 0 create --bundle "$BUNDLE" --pid-file "$TEST_DIR/pid" "$ID"
        checked 0 delete --force "$ID"
        checked 0 run --detach --bundle "$BUNDLE" "$ID"
        checked 0 delete --force "$ID"
}

@test "exec, update, pause, resume, events" {
        config '.linux.resources = {memory: {limit: 100000000}}'
        config_args sleep 1000
        start_detached
        checked 5 exec "$ID" sh -c 'exit 5'
        checked 0 exec --user 1:2 --additional-gids 3 --cwd /tmp --env A=b --cap CAP_CHOWN --detach "$ID" true
        jq '.process | .args = ["true"]' "$BUNDLE/config.json" >"$TEST_DIR/process.json"
        checked 0 exec --process "$TEST_DIR/process.json" "$ID"
        checked 127 exec "$ID" missing
        checked 0 update --memory 200000000 --pids-limit 30 "$ID"
        echo '{"memory": {"limit": 150000000}}' >"$TEST_DIR/resources.json"
        checked 0 update --resources "$TEST_DIR/resources.json" "$ID"
        checked 1 update --memory nonsense "$ID"
        checked 0 events --stats "$ID"
        checked 0 pause "$ID"
        checked 255 exec "$ID" true
        checked 0 resume "$ID"
}

@test "spec, features, help, version, completion" {
        mkdir "$TEST_DIR/spec"
        checked 0 spec --bundle "$TEST_DIR/spec"
        checked 1 spec --bundle "$TEST_DIR/spec" # is there already
        checked 0 features
        checked 0 --version
        checked 0 --help
        checked 0 run --help
        checked 0 completion bash
}

@test "failures: words, configurations, programs, limits, hooks" {
        local filter
        checked 1 no-such-command
        checked 1 run --no-such-flag "$ID"
        checked 1 state no-such-container
        checked 1 kill no-such-container
        checked 1 delete no-such-container
        cp "$BUNDLE/config.json" "$TEST_DIR/good.json"
        for filter in '.process.args = []' '.mounts[0].destination = 5' '.linux.seccomp = {defaultAction: "SCMP_ACT_NONE"}' \
                '.root.path = "/no/such/root"' '.mounts += [{destination: "/x", type: "bind", source: "/no/such"}]' \
                '.linux.resources = {pids: {limit: "many"}}' '.process.cwd = "/etc/passwd"' '.linux.sysctl = {"kernel.domainname": "x", "vm.swappiness": "1"}' \
                '.hooks.createRuntime = [{path: "/bin/false"}]' '.hooks.createContainer = [{path: "/bin/false"}]' '.process.apparmorProfile = "none-such"' \
                '.linux.resources = {cpu: {cpus: "99999"}}'; do
                jq "$filter" "$TEST_DIR/good.json" >"$BUNDLE/config.json"
                checked 1 run --bundle "$BUNDLE" "$ID"
        done
        jq '.process.args = ["/missing"]' "$TEST_DIR/good.json" >"$BUNDLE/config.json"
        checked 127 run --bundle "$BUNDLE" "$ID"
        jq '.process.args = ["/etc/passwd"]' "$TEST_DIR/good.json" >"$BUNDLE/config.json"
        checked 126 run --bundle "$BUNDLE" "$ID"
        echo '{"ociVersion": "1.0.0", "process"' >"$BUNDLE/config.json"
        checked 1 run --bundle "$BUNDLE" "$ID"
}
