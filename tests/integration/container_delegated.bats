#!/usr/bin/env bats
# Containers of a user to whom systemd delegates cgroups, started by that user himself.

load lib

setup() {
        [ "$(id -u)" != 0 ] || skip "is about users: runs with PASS=user make check-amd64"
        skip_unless systemd cgroup_v2 userns "program newuidmap"
        grep -qs "^$(id -un):" /etc/subuid || skip "needs subordinate ids: runs with make check-amd64"
        TEST_DIR=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
        make_rootfs "$TEST_DIR/tree"
        tar -C "$TEST_DIR/tree" -cf - . | coracle import -c 'CMD ["sh"]' - small >/dev/null
}

teardown() {
        [ -n "${TEST_DIR:-}" ] || return 0
        coracle ps -aq | while read -r id; do coracle rm -f "$id"; done >/dev/null 2>&1 || true
        unshare --map-root-user --map-auto rm -rf "$TEST_DIR" 2>/dev/null || remove_tree "$TEST_DIR"
}

coracle() { CORACLE_LIBEXEC=$CORACLE_BUILD/libexec timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE_BUILD/src/cli/coracle" --root "$TEST_DIR/store" "$@" 3>&-; }

has_controllers() {
        local name
        for name; do grep -qw "$name" "/sys/fs/cgroup/user.slice/user-$(id -u).slice/user@$(id -u).service/cgroup.controllers" || return 1; done
}

@test "a user's limits hold where cgroups are delegated" {
        has_controllers memory pids cpu || skip "needs the controllers memory, pids and cpu for users: runs with make check-amd64"
        run coracle run --rm --network none --memory 20m --pids-limit 30 --cpus 0.5 small \
                sh -c 'cd /sys/fs/cgroup && cat memory.max pids.max cpu.max'
        expect_status 0
        expect_output $'20971520\n30\n50000 100000'
}

@test "a user's containers are paused, and committed meanwhile" {
        coracle run -d --network none --name one small sh -c 'echo 1 >/made; exec sleep 1000' >/dev/null
        wait_until coracle exec one test -e /made
        coracle pause one >/dev/null
        run coracle ps --format '{{.Status}}'
        expect_text Paused
        coracle unpause one >/dev/null
        run coracle commit one copy
        expect_status 0
        expect_no_text "goes on while its files are read"
        run coracle run --rm --network none copy cat /made
        expect_output 1
}
