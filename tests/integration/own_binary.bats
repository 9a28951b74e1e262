#!/usr/bin/env bats
# The runtime's own binary is out of reach of the containers it starts (CVE-2019-5736). The attacker is as strong as one
# without a user namespace can be: root with all capabilities, and it shares its process namespace with a container that
# is being made, so that it holds the runtime's process as long as it likes. The runtime under test is a copy.

load lib

setup() {
        setup_bundle
        mkdir "$TEST_DIR/program"
        cp "$(realpath "$RUNTIME")" "$TEST_DIR/program/victim"
        ORIGINAL=$RUNTIME
        RUNTIME=$TEST_DIR/program/victim
}

teardown() {
        RUNTIME=$ORIGINAL
        teardown_bundle
}

expect_unharmed() {
        cmp "$RUNTIME" "$(realpath "$ORIGINAL")"
}

all_capabilities() {
        config '.process.capabilities = (["bounding", "effective", "permitted"] | map({(.): $all}) | add)' \
                --argjson all "$(capabilities_json)"
}

# the names of all capabilities that this process has, as JSON
capabilities_json() {
        "$ORIGINAL" features | jq -c '.linux.capabilities'
}

@test "a process that shares the namespace cannot write to the runtime's binary, now or later" {
        skip_unless root
        all_capabilities
        # Finds a process that runs nothing of the image, holds its binary, and when that process is gone tries to write to it.
        cat >"$ROOTFS/attack" <<-'SCRIPT'
		#!/bin/sh
		while [ -z "$found" ]; do
		        for p in /proc/[0-9]*; do
		                exe=$(readlink "$p/exe") || continue
		                case $exe in /bin/*) ;; *) found=$p && exec 9<"$p/exe" ;; esac
		        done
		done
		echo held >/log
		printf overwritten 2>>/log >/proc/self/fd/9 && echo success >>/log
		while [ -e "$found/exe" ]; do sleep 0.1; done
		printf overwritten 2>>/log >/proc/self/fd/9 && echo success >>/log
		echo ended >>/log
		exec sleep 1000
	SCRIPT
        chmod +x "$ROOTFS/attack"
        config_args /bin/sh /attack
        start_detached

        add_bundle second b
        local init
        init=$(container_pid)
        jq --arg path "/proc/$init/ns/pid" \
                '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end) | .process.args = ["/bin/true"]' \
                "$TEST_DIR/second/config.json" >"$TEST_DIR/second/new"
        mv "$TEST_DIR/second/new" "$TEST_DIR/second/config.json"
        BUNDLE=$TEST_DIR/second create_container "$ID-b"
        wait_until grep -q held "$ROOTFS/log"
        runtime start "$ID-b"
        wait_for stopped "$ID-b"
        runtime delete "$ID-b"
        wait_until grep -q ended "$ROOTFS/log"
        run cat "$ROOTFS/log"
        expect_no_text success
        expect_unharmed
}

@test "an image whose program is /proc/self/exe runs the runtime at most" {
        all_capabilities
        printf '#!/proc/self/exe\n' >"$ROOTFS/attack"
        chmod +x "$ROOTFS/attack"
        config_args /attack
        run_container || true
        expect_unharmed
        ln -s /proc/self/exe "$ROOTFS/link"
        config_args /link --version
        run_container || true
        expect_unharmed
        config_args /bin/sleep 1000
        start_detached
        runtime exec "$ID" /attack || true
        runtime exec "$ID" /link --version || true
        expect_unharmed
}

@test "on a read-only mount the runtime does not execute itself again" {
        skip_unless root
        skip_unless "program strace"
        mount --bind "$TEST_DIR/program" "$TEST_DIR/program"
        mount -o remount,bind,ro "$TEST_DIR/program"
        config_args /bin/true
        run strace -f -e trace=execve,execveat -o "$TEST_DIR/trace" "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID"
        umount "$TEST_DIR/program"
        expect_status 0
        refute grep -q execveat "$TEST_DIR/trace"
}
