#!/usr/bin/env bats
# Containers of a user without rights (uid 54321): mappings given, made from subordinate ids, or of one id alone.

load lib

setup() {
        skip_unless root userns_for_all
        setup_bundle
        mkdir "$TEST_DIR/run"
        PROGRAM=$TEST_DIR/program
        cp "$(realpath "$RUNTIME")" "$PROGRAM"
        chmod 755 "$PROGRAM"
        chmod 755 "${TEST_DIR%/*}"
        config 'del(.linux.cgroupsPath, .linux.resources) | .linux.namespaces |= map(select(.type != "network")) |
                .mounts |= map(select(.type != "cgroup" and .type != "sysfs")) |
                (.mounts[] | select(.type == "devpts").options) |= map(select(startswith("gid=") | not))'
        config_args /bin/sh -c 'id -u; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups'
}

teardown() {
        local file
        for file in /etc/subuid /etc/subgid /etc/passwd; do
                umount "$file" 2>/dev/null || true
        done
        teardown_bundle
}

# subordinate TEXT - what /etc/subuid and /etc/subgid hold; the mount namespace is this run's own
subordinate() {
        local file
        skip_unless "program newuidmap"
        [ -e /etc/subuid ] && [ -e /etc/subgid ] || skip "needs the files /etc/subuid and /etc/subgid: runs on the CI machine"
        { cat /etc/passwd && echo 'coracle-test:x:54321:54322::/:/bin/sh'; } >"$TEST_DIR/passwd"
        mount --bind "$TEST_DIR/passwd" /etc/passwd # newuidmap wants its caller to have a name
        printf '%s\n' "$1" >"$TEST_DIR/subids"
        for file in /etc/subuid /etc/subgid; do
                mount --bind "$TEST_DIR/subids" "$file"
        done
}

run_as_user() {
        chown -R 54321:54322 "$BUNDLE" "$TEST_DIR/run"
        run as_user "$@" timeout -k 5 "$RUNTIME_TIMEOUT" "$PROGRAM" run --bundle "$BUNDLE" "$ID" </dev/null
}

as_user() { # [VARIABLE=VALUE...] COMMAND...
        setpriv --reuid 54321 --regid 54322 --clear-groups env "HOME=$TEST_DIR" "XDG_RUNTIME_DIR=$TEST_DIR/run" "$@"
}

# squeeze - the output with single blanks
squeezed() { sed 's/  */ /g' <<<"$output"; }

@test "without a mapping one is made from the user's subordinate ids" {
        subordinate $'54321:300000:65536\nroot:400000:65536'
        run_as_user
        expect_status 0
        expect_equal "$(squeezed)" $'0\n 0 54321 1\n 1 300000 65536\n 0 54322 1\n 1 300000 65536\nallow'
        config '.linux.namespaces += [{type: "user"}]' # asked for in words, the same
        run_as_user
        expect_status 0
        expect_text 300000
}

@test "without subordinate ids the user is alone in the container" {
        subordinate "root:400000:65536"
        run_as_user
        expect_status 0
        expect_equal "$(squeezed)" $'0\n 0 54321 1\n 0 54322 1\ndeny'
}

@test "without newuidmap, too" {
        subordinate "54321:300000:65536"
        mkdir "$TEST_DIR/bin"
        ln -s "$(type -P timeout)" "$TEST_DIR/bin/timeout"
        run_as_user "PATH=$TEST_DIR/bin"
        expect_status 0
        expect_equal "$(squeezed)" $'0\n 0 54321 1\n 0 54322 1\ndeny'
}

@test "a mapping onto ids of somebody else is refused in the words of newuidmap" {
        subordinate "54321:300000:65536"
        config '.linux.namespaces += [{type: "user"}] |
                .linux.uidMappings = [{containerID: 0, hostID: 54321, size: 1}, {containerID: 1, hostID: 500000, size: 10}] |
                .linux.gidMappings = [{containerID: 0, hostID: 54322, size: 1}]'
        run_as_user
        expect_failure
        expect_text newuidmap "not allowed"
}

@test "files that the container makes belong to the user and to subordinate ids" {
        subordinate "54321:300000:65536"
        config '.process.capabilities = {bounding: ["CAP_CHOWN"], effective: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"]}'
        config_args /bin/sh -c 'touch /mine; touch /other; chown 5:6 /other'
        run_as_user
        expect_status 0
        expect_equal "$(stat -c %u:%g "$ROOTFS/mine")" 54321:54322
        expect_equal "$(stat -c %u:%g "$ROOTFS/other")" 300004:300005
}

@test "a runtime that the user owns runs from a sealed copy, one that is root's as it is" {
        skip_unless "program strace" "all calls"
        local trace=$TEST_DIR/run/trace
        PROGRAM=$TEST_DIR/traced
        printf '#!/bin/sh\nexec strace -f -e trace=execveat,memfd_create -o %s %s "$@"\n' "$trace" "$TEST_DIR/program" >"$PROGRAM"
        chmod 755 "$PROGRAM"
        run_as_user
        expect_status 0
        refute grep -q execveat "$trace"
        chown 54321 "$TEST_DIR/program"
        run_as_user
        expect_status 0
        grep -q memfd_create "$trace"
        grep -q execveat "$trace"
}

@test "exec hears of its process before it hears from it" {
        skip_unless "program strace"
        subordinate "54321:300000:65536"
        config_args sleep 1000
        chown -R 54321:54322 "$BUNDLE" "$TEST_DIR/run"
        as_user timeout -k 5 "$RUNTIME_TIMEOUT" "$PROGRAM" run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$TEST_DIR/out" 2>&1 3>&-
        # what tells the process's number is held up, while the process goes on
        run as_user strace -f -qq -o /dev/null -e trace=clone -e inject=clone:delay_exit=500000 \
                timeout -k 5 "$RUNTIME_TIMEOUT" "$PROGRAM" exec --user 5:7 "$ID" sh -c 'id -u; id -g' </dev/null 3>&-
        expect_status 0
        expect_output $'5\n7'
        as_user timeout -k 5 "$RUNTIME_TIMEOUT" "$PROGRAM" delete --force "$ID"
}
