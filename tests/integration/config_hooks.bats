#!/usr/bin/env bats
# hooks (OC-34) and the state document they get (OC-35)
load lib
setup() {
        setup_bundle
        cat >"$TEST_DIR/hook" <<-'END'
		#!/bin/sh
		{ echo "$1 $(readlink /proc/$$/ns/mnt) $HOOK"; cat; echo; } >>"$2"
	END
        chmod 755 "$TEST_DIR/hook"
        LOG=$TEST_DIR/log
}
teardown() { teardown_bundle; }

hook() { # KIND [PATH] [MORE]
        config '.hooks[$k] += [{path: $p, args: [$p, $k, $l], env: ["PATH=/bin:/usr/bin", "HOOK=\($k)"]}]' \
                --arg k "$1" --arg p "${2:-$TEST_DIR/hook}" --arg l "$LOG"
}
order() { grep -E '^[a-z]+[A-Za-z]* ' "$LOG" | cut -d' ' -f1 | tr '\n' ' '; }
documents() { grep '^{' "$LOG"; }

@test "hooks run in order, each in its namespaces, with the state on stdin" {
        for kind in prestart createRuntime createContainer poststart poststop; do hook $kind; done
        config '.annotations = {"org.example": "yes"}'
        config_args true
        run run_container
        expect_status 0
        expect_equal "$(order)" 'prestart createRuntime createContainer poststart poststop '
        expect_equal "$(documents | jq -rs 'map(.status) | join(" ")')" 'creating creating creating running stopped'
        expect_equal "$(documents | jq -rs 'map(.id) | unique | .[0]')" "$ID"
        expect_equal "$(documents | jq -rs 'map(.bundle) | unique | .[0]')" "$BUNDLE"
        expect_equal "$(documents | jq -rs 'map(.annotations["org.example"]) | unique | .[0]')" yes
        [ "$(documents | head -n 1 | jq .pid)" -gt 1 ]
        # createContainer runs in the container's mount namespace, the others in ours
        expect_equal "$(grep -cF "$(readlink /proc/self/ns/mnt)" "$LOG")" 4
        grep -q "^prestart .* prestart$" "$LOG"
}

@test "startContainer runs inside the container, after start and before the program" {
        cat >"$ROOTFS/bin/inside" <<-'END'
		#!/bin/sh
		{ echo hook; cat; } >/tmp/log
	END
        chmod 755 "$ROOTFS/bin/inside"
        config '.hooks.startContainer = [{path: "/bin/inside"}]'
        config_args cat /tmp/log
        create_container
        [ ! -e "$ROOTFS/tmp/log" ]
        runtime start "$ID"
        wait_for stopped
        run cat "$TEST_DIR/$ID.out"
        expect_text hook '"status":"created"'
}

@test "prestart and createRuntime see the container's pid in its namespaces" {
        cat >"$TEST_DIR/look" <<-END
		#!/bin/sh
		pid=\$(jq .pid)
		readlink /proc/\$pid/ns/net >"$TEST_DIR/seen"
	END
        chmod 755 "$TEST_DIR/look"
        config '.hooks.createRuntime = [{path: $p, env: ["PATH=/bin:/usr/bin"]}]' --arg p "$TEST_DIR/look"
        config_args readlink /proc/self/ns/net
        run run_container
        expect_status 0
        expect_output "$(cat "$TEST_DIR/seen")"
}

@test "a hook before the start that fails ends the creation, leaves nothing, and poststop runs" {
        for kind in prestart createRuntime createContainer; do
                config '.hooks = {}'
                printf '#!/bin/sh\necho broken >&2; exit 3\n' >"$TEST_DIR/bad" && chmod 755 "$TEST_DIR/bad"
                hook $kind "$TEST_DIR/bad"
                hook poststop
                rm -f "$LOG"
                run run_container
                expect_failure
                expect_text "$kind" "$TEST_DIR/bad" broken 3
                refute container_state
                refute test -d "$(cgroup_dir pids)"
                expect_equal "$kind: $(order)" "$kind: poststop "
        done
}

@test "poststart and poststop that fail are warnings, and the rest of them runs" {
        printf '#!/bin/sh\nexit 3\n' >"$TEST_DIR/bad" && chmod 755 "$TEST_DIR/bad"
        hook poststart "$TEST_DIR/bad"
        hook poststart
        hook poststop "$TEST_DIR/bad"
        hook poststop
        config_args true
        run run_container
        expect_status 0
        expect_equal "$(order)" 'poststart poststop '
        expect_text 'poststart hook #0'
}

@test "a hook that takes longer than its timeout is killed" {
        printf '#!/bin/sh\nsleep 1000\n' >"$TEST_DIR/slow" && chmod 755 "$TEST_DIR/slow"
        config '.hooks.prestart = [{path: $p, timeout: 1, env: ["PATH=/bin:/usr/bin"]}]' --arg p "$TEST_DIR/slow"
        run run_container
        expect_failure
        expect_text "$TEST_DIR/slow"
        refute container_state
}

@test "hooks get the configured environment only, and none of the runtime's descriptors" {
        printf '#!/bin/sh\nenv >%s/env; ls -l /proc/self/fd >%s/fds\n' "$TEST_DIR" "$TEST_DIR" >"$TEST_DIR/show" && chmod 755 "$TEST_DIR/show"
        config '.hooks.prestart = [{path: $p, env: ["PATH=/bin:/usr/bin", "ONLY=this"]}]' --arg p "$TEST_DIR/show"
        config_args true
        SECRET=leak run run_container
        expect_status 0
        refute grep SECRET "$TEST_DIR/env"
        grep -q ONLY=this "$TEST_DIR/env"
        refute grep -E "$STATE_ROOT|cgroup|socket" "$TEST_DIR/fds"
}

@test "a hook that is not absolute, or has no path, is refused with its place" {
        config '.hooks.prestart = [{path: "relative"}]'
        run run_container
        expect_failure
        expect_text 'hooks.prestart[0].path'
        config '.hooks.prestart = [{args: ["x"]}]'
        run run_container
        expect_failure
        expect_text 'hooks.prestart[0].path'
}

@test "run.oci.hooks.stdout and stderr collect what hooks write" {
        printf '#!/bin/sh\necho to-out; echo to-err >&2\n' >"$TEST_DIR/talk" && chmod 755 "$TEST_DIR/talk"
        hook prestart "$TEST_DIR/talk"
        config '.annotations = {"run.oci.hooks.stdout": "\($d)/o", "run.oci.hooks.stderr": "\($d)/e"}' --arg d "$TEST_DIR"
        config_args true
        run run_container
        expect_status 0
        expect_equal "$(cat "$TEST_DIR/o" "$TEST_DIR/e")" $'to-out\nto-err'
}

@test "a timeout of more milliseconds than fit into 32 bits is a long one" {
        config '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "1"], timeout: 4294968}]'
        config_args true
        run run_container
        expect_status 0
}
