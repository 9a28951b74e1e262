#!/usr/bin/env bats
# linux.seccomp: what the filter answers, who listens, and that a wrong profile makes no container.

load lib

setup() {
        setup_bundle
        cp "$CORACLE_BUILD/tests/integration/tools/tool-call" "$ROOTFS/bin/call"
        agent=
}

teardown() {
        if [ -n "$agent" ]; then
                kill "$agent" 2>/dev/null || true
                wait "$agent" 2>/dev/null || true
        fi
        teardown_bundle
}

# profile JQ-EXPRESSION - becomes linux.seccomp
profile() { config ".linux.seccomp = $1"; }

# deny NAME ACTION [MORE] - a profile that allows all but one call; MORE is added to its rule
deny() { profile "{defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{names: [\"$1\"], action: \"$2\"} + ${3:-null}]}"; }

# allow_list - a profile in which a shell and its tools live
allow_list() {
        profile '{
                defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1,
                syscalls: [{ action: "SCMP_ACT_ALLOW", names: [
                        "access", "arch_prctl", "brk", "capget", "capset", "chdir", "clock_gettime", "clone", "clone3", "close",
                        "close_range", "dup", "dup2", "dup3", "execve", "exit", "exit_group", "faccessat", "fcntl", "fork",
                        "fstat", "futex", "getcwd", "getdents64", "getegid", "geteuid", "getgid", "getpgid", "getpid",
                        "getppid", "getrandom", "getuid", "ioctl", "lseek", "lstat", "mmap", "mprotect", "mremap", "munmap",
                        "newfstatat", "open", "openat", "pipe", "pipe2", "poll", "ppoll", "prctl", "pread64", "prlimit64",
                        "read", "readlink", "readlinkat", "readv", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
                        "set_robust_list", "set_tid_address", "setpgid", "stat", "statx", "sysinfo", "umask", "uname",
                        "vfork", "wait4", "write", "writev", "faccessat2", "riscv_hwprobe"] }]
        }'
}

@test "without a profile there is no filter, with one there is exactly one" {
        skip_unless "all calls"
        config 'del(.linux.seccomp)'
        config_args grep -E '^Seccomp' /proc/self/status
        run run_container
        expect_status 0
        expect_match $'Seccomp:\t0'
        deny keyctl SCMP_ACT_ERRNO
        run run_container
        expect_status 0
        expect_match $'Seccomp:\t2' $'Seccomp_filters:\t1'
}

@test "an error is EPERM, or the number of the rule" {
        deny personality SCMP_ACT_ERRNO
        config_args call personality:0 umask:7
        run run_container
        expect_status 0
        expect_output $'personality:0 EPERM\numask:7 18'
        deny personality SCMP_ACT_ERRNO '{errnoRet: 18}'
        run run_container
        expect_output $'personality:0 EXDEV\numask:7 18'
}

@test "calls that the profile does not name get the default, newer ones get ENOSYS" {
        allow_list
        config_args call umask:18 getpriority sync 1000
        run run_container
        expect_status 0
        expect_output $'umask:18 18\ngetpriority EPERM\nsync EPERM\n1000 ENOSYS'
        config '.linux.seccomp.defaultErrnoRet = 18'
        run run_container
        expect_output $'umask:18 18\ngetpriority EXDEV\nsync EXDEV\n1000 ENOSYS'
}

@test "a shell lives under an allow list, with and without new privileges, as root and as a user" {
        allow_list
        config_args sh -c 'cat /etc/passwd | grep -c root; (sleep 0) 2>/dev/null; echo done'
        for nnp in true false; do
                for uid in 0 1000; do
                        config '.process.noNewPrivileges = $nnp | .process.user = {uid: $uid, gid: $uid}' \
                                --argjson nnp "$nnp" --argjson uid "$uid"
                        run run_container
                        expect_status 0
                        expect_output $'1\ndone'
                done
        done
}

@test "killing actions end the process by SIGSYS" {
        config_args call sched_yield personality:0 sched_yield
        for action in KILL KILL_PROCESS KILL_THREAD TRAP; do
                deny personality "SCMP_ACT_$action"
                run run_container
                expect_status 159
                expect_output $'sched_yield 0\npersonality:0 '
        done
}

@test "logged calls go through" {
        deny personality SCMP_ACT_LOG
        config_args call personality:0xffffffff
        run run_container
        expect_status 0
        expect_output "personality:0xffffffff 0"
}

@test "arguments are compared" {
        deny umask SCMP_ACT_ERRNO '{args: [{index: 0, value: 7, op: "SCMP_CMP_GT"}]}'
        config_args call umask:7 umask:8
        run run_container
        expect_output $'umask:7 18\numask:8 EPERM'
        deny umask SCMP_ACT_ERRNO '{args: [{index: 0, value: 6, valueTwo: 4, op: "SCMP_CMP_MASKED_EQ"}]}'
        config_args call umask:4 umask:5 umask:6 umask:3
        run run_container
        expect_output $'umask:4 EPERM\numask:5 EPERM\numask:6 18\numask:3 6'
}

@test "two conditions on one argument: each suffices" {
        deny umask SCMP_ACT_ERRNO '{args: [{index: 0, value: 1, op: "SCMP_CMP_EQ"}, {index: 0, value: 2, op: "SCMP_CMP_EQ"}]}'
        config_args call umask:1 umask:2 umask:3
        run run_container
        expect_output $'umask:1 EPERM\numask:2 EPERM\numask:3 18'
}

@test "exec is under the same filter" {
        deny personality SCMP_ACT_ERRNO
        config_args sleep 1000
        start_detached
        run runtime exec "$ID" call personality:0
        expect_status 0
        expect_output "personality:0 EPERM"
}

@test "names that nobody knows are ignored, or refused where an annotation asks for it" {
        deny no_such_call SCMP_ACT_ERRNO
        config_args true
        run run_container
        expect_status 0
        config '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "1"'
        run run_container
        expect_failure
        expect_text no_such_call
        refute runtime state "$ID"
}

@test "a wrong profile is refused with its place, and makes no container" {
        config_args true
        while IFS='|' read -r change place; do
                deny personality SCMP_ACT_ERRNO
                config "$change"
                run run_container
                expect_failure
                expect_text "linux.seccomp$place"
                refute runtime state "$ID"
        done <<'END'
                .linux.seccomp.defaultAction = "SCMP_ACT_NONE"|.defaultAction
                .linux.seccomp.defaultErrnoRet = 1|.default
                .linux.seccomp.architectures = ["SCMP_ARCH_Z80"]|.architectures[0]
                .linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_FOO"]|.flags[0]
                .linux.seccomp.syscalls[0].action = "x"|.syscalls[0].action
                .linux.seccomp.syscalls[0].names = []|.syscalls[0].names
                .linux.seccomp.syscalls[0].errnoRet = 70000|.syscalls[0]
                .linux.seccomp.syscalls[0].args = [{index: 6, value: 0, op: "SCMP_CMP_EQ"}]|.syscalls[0].args[0].index
                .linux.seccomp.syscalls[0].args = [{index: 0, value: 0, op: "EQ"}]|.syscalls[0].args[0].op
                .linux.seccomp.defaultAction = "SCMP_ACT_NOTIFY"|.defaultAction
                .linux.seccomp.syscalls[0] = {names: ["write"], action: "SCMP_ACT_NOTIFY"}|.syscalls[0]
                .linux.seccomp.syscalls[0].action = "SCMP_ACT_NOTIFY"|.listenerPath
                .linux.seccomp.listenerMetadata = "x"|.listenerMetadata
END
}

@test "the flags that features calls supported are accepted" {
        deny personality SCMP_ACT_ERRNO
        config_args call personality:0
        for flag in $(runtime features | jq -r '.linux.seccomp.supportedFlags[]'); do
                config '.linux.seccomp.flags = [$flag]' --arg flag "$flag"
                run run_container
                expect_status 0
                expect_output "personality:0 EPERM"
        done
        config '.linux.seccomp.flags = []'
        run run_container
        expect_output "personality:0 EPERM"
}

@test "all architectures of a profile can be named at once" {
        deny personality SCMP_ACT_ERRNO
        config '.linux.seccomp.architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM",
                "SCMP_ARCH_AARCH64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390X", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC64LE"]'
        config_args call personality:0 sched_yield
        run run_container
        expect_status 0
        expect_output $'personality:0 EPERM\nsched_yield 0'
}

@test "a ready program in an annotation replaces the rules" {
        deny personality SCMP_ACT_ERRNO
        config '.annotations["run.oci.seccomp_bpf_data"] = "BgAAAAAA/38="' # one instruction: allow
        config_args call personality:0xffffffff
        run run_container
        expect_status 0
        expect_output "personality:0xffffffff 0"
        config '.annotations["run.oci.seccomp_bpf_data"] = "BgAAAAAA/3"'
        run run_container
        expect_failure
        expect_text run.oci.seccomp_bpf_data
        config '.annotations["run.oci.seccomp_bpf_data"] = "FQAAAAAAAAA="' # jumps out of itself
        run run_container
        expect_failure
        expect_text run.oci.seccomp_bpf_data
}

start_agent() {
        "$CORACLE_BUILD/tests/integration/tools/tool-seccomp_agent" "$TEST_DIR/agent" "$TEST_DIR/agent.json" 4711 3>&- &
        agent=$!
        wait_until [ -S "$TEST_DIR/agent" ]
}

@test "a notified call is answered by who listens, who gets state and metadata" {
        start_agent
        deny personality SCMP_ACT_NOTIFY
        config '.linux.seccomp += {listenerPath: $path, listenerMetadata: "some \"data\""}' --arg path "$TEST_DIR/agent"
        config_args call personality:0 sched_yield
        run run_container
        expect_status 0
        expect_output $'personality:0 4711\nsched_yield 0'
        run jq -e --arg id "$ID" --arg bundle "$BUNDLE" '.fds == ["seccompFd"] and .metadata == "some \"data\"" and
                (.ociVersion | test("^1\\.")) and .pid > 0 and .state.pid == .pid and .state.id == $id and
                .state.bundle == $bundle and (.state.status | IN("creating", "created", "running"))' "$TEST_DIR/agent.json"
        [ "$status" = 0 ] || fail "$(cat "$TEST_DIR/agent.json")"
}

@test "a receiver in an annotation listens where the profile names none" {
        start_agent
        deny personality SCMP_ACT_NOTIFY
        config '.annotations["run.oci.seccomp.receiver"] = $path' --arg path "$TEST_DIR/agent"
        config_args call personality:0
        run run_container
        expect_status 0
        expect_output "personality:0 4711"
}

@test "a receiver in the environment listens where neither profile nor annotation names one" {
        skip_unless root
        start_agent
        deny personality SCMP_ACT_NOTIFY
        config_args call personality:0
        RUN_OCI_SECCOMP_RECEIVER=agent run run_container
        expect_failure
        expect_text RUN_OCI_SECCOMP_RECEIVER "absolute path"
        config '.annotations["run.oci.seccomp.receiver"] = "/nobody/there"'
        RUN_OCI_SECCOMP_RECEIVER=$TEST_DIR/agent run run_container
        expect_failure
        expect_text /nobody/there
        config 'del(.annotations)'
        export RUN_OCI_SECCOMP_RECEIVER=$TEST_DIR/agent
        create_container
        runtime start "$ID"
        wait_for stopped
        expect_equal "$(cat "$TEST_DIR/$ID.out")" "personality:0 4711"
}

@test "annotations that ask for another way to run or watch a container are refused" {
        config_args true
        config '.annotations["run.oci.seccomp.plugins"] = "/usr/lib/plugin.so"'
        run run_container
        expect_failure
        expect_text run.oci.seccomp.plugins /usr/lib/plugin.so "not supported"
        config '.annotations = {"run.oci.handler": "krun"}'
        run run_container
        expect_failure
        expect_text run.oci.handler krun "not supported"
        [ ! -e "$STATE_ROOT/$ID" ]
        config '.annotations = {"run.oci.handler": ""}'
        run run_container
        expect_status 0
}

@test "exec hands over a listener of its own" {
        deny personality SCMP_ACT_NOTIFY
        config '.linux.seccomp.listenerPath = $path' --arg path "$TEST_DIR/agent"
        config_args sleep 1000
        start_agent
        start_detached
        wait_until [ -s "$TEST_DIR/agent.json" ]
        kill "$agent"
        wait "$agent" || true
        rm "$TEST_DIR/agent" "$TEST_DIR/agent.json"
        start_agent
        run runtime exec "$ID" call personality:0
        expect_status 0
        expect_output "personality:0 4711"
}

@test "when nobody listens the container is not started" {
        deny personality SCMP_ACT_NOTIFY
        config '.linux.seccomp.listenerPath = $path' --arg path "$TEST_DIR/agent"
        config_args echo started
        run run_container
        expect_failure
        expect_text "$TEST_DIR/agent"
        expect_no_text $'started\n'
        refute runtime state "$ID"
}

# A cache of this test's own, in place of the machine's.
run_with_cache() {
        unshare --mount --propagation private sh -c 'mkdir -p /run/coracle && mount --bind "$0" /run/coracle && exec "$@"' \
                "$TEST_DIR/run" timeout -k 5 "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID" \
                </dev/null 3>&-
}

zero_a_word() { dd conv=notrunc status=none if=/dev/zero bs=8 count=1 seek=10 of="$1"; }

@test "compiled filters are kept, used again, and never used when damaged" {
        skip_unless root
        mkdir -m 700 "$TEST_DIR/run"
        deny personality SCMP_ACT_ERRNO
        config_args call personality:0
        run run_with_cache
        expect_output "personality:0 EPERM"
        file=$(echo "$TEST_DIR"/run/seccomp/*.bpf)
        [ -s "$file" ]
        expect_equal "$(stat -c %a "$file")" 600
        before=$(stat -c %i "$file")
        run run_with_cache
        expect_output "personality:0 EPERM"
        expect_equal "$(stat -c %i "$file")" "$before" "inode of the kept program"

        for damage in 'truncate -s 60' 'truncate -s 0' 'truncate -s +8' 'chmod 666' zero_a_word; do
                $damage "$file"
                run run_with_cache
                expect_status 0
                expect_output "personality:0 EPERM"
        done
        # another directory than ours: not used, not written
        rm -rf "$TEST_DIR/run/seccomp"
        mkdir -m 777 "$TEST_DIR/run/seccomp"
        chmod 777 "$TEST_DIR/run/seccomp"
        run run_with_cache
        expect_output "personality:0 EPERM"
        expect_equal "$(ls "$TEST_DIR/run/seccomp")" ""
}

@test "docker's profile as engines hand it over" {
        [ -e /usr/share/containers/seccomp.json ] ||
                skip "needs /usr/share/containers/seccomp.json: runs where golang-github-containers-common is installed"
        local arch
        case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
        jq --arg arch "$arch" '{defaultAction, defaultErrnoRet: 1, syscalls: [.syscalls[] |
                select((.includes.arches == null or (.includes.arches | index($arch))) and
                        (.excludes.arches == null or (.excludes.arches | index($arch) | not)) and
                        (.includes.caps // [] | length) == 0) | {names, action, args, errnoRet} | del(.[] | nulls)]}' \
                /usr/share/containers/seccomp.json >"$TEST_DIR/profile.json"
        config '.linux.seccomp = $p[0]' --slurpfile p "$TEST_DIR/profile.json"
        [ "$arch" != amd64 ] || config '.linux.seccomp.architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]'
        config_args sh -c 'call personality:0 personality:1 1000; ls / | wc -l'
        run run_container
        expect_status 0
        expect_match '^personality:0 0' 'personality:1 EPERM' '1000 ENOSYS'
}

@test "a filter with new privileges allowed needs CAP_SYS_ADMIN permitted only, and leaves capabilities as configured" {
        allow_list
        config '.process.noNewPrivileges = false | .process.capabilities |=
                {bounding: ["CAP_SYS_ADMIN"], permitted: ["CAP_SYS_ADMIN"], effective: []}'
        config_args grep -E '^(Cap(Prm|Eff)|Seccomp):' /proc/self/status
        config '.process.user = {uid: 1000, gid: 1000}'
        run run_container
        expect_status 0
        expect_match $'Seccomp:\t2'
        config '.process.user = {uid: 0, gid: 0}'
        run run_container
        expect_status 0
        expect_match $'Seccomp:\t2'
}
