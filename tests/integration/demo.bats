#!/usr/bin/env bats
# What `make run` does.

load lib

setup() { setup_bundle; }
teardown() { teardown_bundle; }

@test "the demonstration runs a container that sees its own limits" {
        run "$SOURCE_DIR/scripts/demo" "$RUNTIME"
        expect_status 0
        expect_text "pid: 1" "seccomp: 2" "gone without a trace"
        [ "$EUID" != 0 ] || expect_text "written by process 1 on a-small-boat" "all of it is gone now"
        expect_equal "$(find /sys/fs/cgroup -name 'coracle-demo-*' 2>/dev/null)" ""
}

@test "the demonstration fails with a runtime that does not set the limits" {
        mkdir "$TEST_DIR/no-limits"
        cat >"$TEST_DIR/no-limits/coracle-runtime" <<-SCRIPT
		#!/bin/bash
		for ((i = 1; i <= \$#; i++)); do [ "\${!i}" != --bundle ] || { j=\$((i + 1)) bundle=\${!j}; }; done
		if [ -n "\${bundle:-}" ]; then
		        jq 'del(.process.rlimits)' "\$bundle/config.json" >"\$bundle/new" && mv "\$bundle/new" "\$bundle/config.json"
		fi
		exec "$RUNTIME" "\$@"
	SCRIPT
        chmod +x "$TEST_DIR/no-limits/coracle-runtime"
        run "$SOURCE_DIR/scripts/demo" "$TEST_DIR/no-limits/coracle-runtime"
        expect_status 1
        expect_text "expected '64'"
}
