#!/usr/bin/env bats
# Containers of an ordinary user: in a user namespace that all of them share. Who that is, and which subordinate ids there
# are, is known in a mount namespace of the test's own.

load lib

setup() {
        skip_unless userns "program newuidmap" "program setpriv"
        [ "$(id -u)" = 0 ] || skip "makes a user of its own, which needs root: runs on the CI machine"
        [ -e /etc/subuid ] && [ -e /etc/subgid ] || skip "needs the files /etc/subuid and /etc/subgid: runs on the CI machine"
        TEST_DIR=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
        chmod 755 "$TEST_DIR"
        make_rootfs "$TEST_DIR/tree"
        mkdir "$TEST_DIR/tree/data" && echo text >"$TEST_DIR/tree/data/file"
        tar -C "$TEST_DIR/tree" -cf "$TEST_DIR/small.tar" .
        # built files may lie where only root may go
        install -m 755 "$CORACLE_BUILD/src/cli/coracle" "$CORACLE_BUILD/src/image/coracle-transfer" \
                "$CORACLE_BUILD/src/monitor/coracle-monitor" "$CORACLE_BUILD/src/tools/init/coracle-init" "$TEST_DIR/"
        install -d -o 4242 -g 4242 "$TEST_DIR/walker" "$TEST_DIR/walker/run"
        coracle import -c 'CMD ["sh"]' "$TEST_DIR/small.tar" small >/dev/null
}

teardown() {
        [ -n "${TEST_DIR:-}" ] || return 0
        coracle ps -aq | while read -r id; do coracle rm -f "$id"; done >/dev/null 2>&1 || true
        remove_tree "$TEST_DIR"
}

# coracle COMMAND... - by the user walker
coracle() {
        local file
        for file in passwd subuid subgid; do cp "/etc/$file" "$TEST_DIR/$file"; done
        echo "walker:x:4242:4242::$TEST_DIR/walker:/bin/sh" >>"$TEST_DIR/passwd"
        echo walker:300000:65536 | tee -a "$TEST_DIR/subuid" >>"$TEST_DIR/subgid"
        # shellcheck disable=SC2016
        unshare --mount --propagation private bash -c '
                for file in passwd subuid subgid; do mount --bind "$1/$file" "/etc/$file"; done
                dir=$1 && shift
                exec setpriv --reuid 4242 --regid 4242 --clear-groups env -i PATH="$PATH" HOME="$dir/walker" \
                        XDG_RUNTIME_DIR="$dir/walker/run" CORACLE_LIBEXEC="$dir" timeout -k 5 60 "$dir/coracle" "$@"' \
                - "$TEST_DIR" "$@" 3>&-
}

none() { coracle run --rm --network none "$@"; }

@test "an ordinary user runs containers: users, volumes, init, devices" {
        run none -u test small id
        expect_status 0
        expect_output "uid=1000(test) gid=1000(test) groups=1000(test),2000(extra)"
        run none -v new:/data --init small sh -c 'cat /data/file; tr "\0" " " </proc/1/cmdline'
        expect_text text "/sbin/docker-init --wait-all --grace 10 -- sh -c"
        run none --read-only --tmpfs /t small sh -c 'echo x >/t/x && echo x >/y'
        expect_text "Read-only file system"
        run none --privileged small sh -c 'head -c 1 /dev/zero | wc -c'
        expect_output 1
        run none --security-opt writable-cgroups=true small true
        expect_status 125
        expect_text "conflicts with user namespaces and rootless mode"
}

@test "an ordinary user's containers share namespaces, and are entered" {
        coracle run -d --network none --name donor --ipc shareable small sleep 1000 >/dev/null
        coracle exec donor sh -c 'echo here >/dev/shm/file'
        run none --ipc container:donor small cat /dev/shm/file
        expect_output here
        run none --pid container:donor small ps
        expect_text "sleep 1000"
        run coracle exec -u test donor sh -c 'id -un; exit 7'
        expect_status 7
        expect_output test
}

@test "an ordinary user's containers come back after a loss of power" {
        local id pids
        id=$(coracle run -d --network none --name kept --restart always small sleep 1000)
        mapfile -t pids < <(pgrep -f "coracle-monitor --store $TEST_DIR/walker/.* $id")
        pids+=("$(coracle inspect -f '{{.State.Pid}}' kept)")
        kill -KILL "${pids[@]}"
        wait_until is_gone "${pids[-1]}"
        find "$TEST_DIR/walker/run" -mindepth 1 -delete
        run coracle inspect -f '{{.State.ExitCode}}' kept
        expect_output 255
        run coracle system start
        expect_output kept
        coracle exec kept true
        run coracle system stop
        expect_output kept
        run coracle inspect -f '{{.State.Status}}' kept
        expect_output exited
        run coracle system start
        expect_output kept
}

is_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"; }

@test "an ordinary user's containers in the host's namespaces" {
        run coracle run --rm --network host --uts host small sh -c 'hostname; ls /sys/class >/dev/null && echo sys'
        expect_status 0
        expect_text "$(hostname)" sys
        run none --pid host --ipc host small sh -c 'ls -d /proc/[0-9]* | wc -l'
        expect_status 0
        [ "$output" -gt 1 ] || fail "only $output processes"
}
