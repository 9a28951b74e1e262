# What is only looked at: state, list, ps, events, spec, features.

load lib
setup() { setup_bundle; }
teardown() { teardown_bundle; }

as() { # NAME ARGUMENT...
        ln -sf "$RUNTIME" "$TEST_DIR/$1"
        timeout --foreground -k 5 "$RUNTIME_TIMEOUT" "$TEST_DIR/$1" --root "$STATE_ROOT" "${@:2}" 3>&-
}

@test "state is the document of the specification, with annotations" {
        config '.annotations = {"org.example.colour": "blue", "empty": ""}'
        config_args sleep 60
        start_detached
        run runtime state "$ID"
        expect_status 0
        expect_equal "$(jq -r .id <<<"$output")" "$ID"
        expect_equal "$(jq -r .status <<<"$output")" running
        expect_equal "$(jq -r .bundle <<<"$output")" "$BUNDLE"
        expect_equal "$(jq -r .rootfs <<<"$output")" "$ROOTFS"
        expect_equal "$(jq -r .ociVersion <<<"$output")" "$(jq -r .ociVersion "$BUNDLE/config.json")"
        expect_equal "$(jq -c .annotations <<<"$output")" '{"org.example.colour":"blue","empty":""}'
        expect_equal "$(jq -r .owner <<<"$output")" "$(id -un)"
        [[ $(jq -r .created <<<"$output") =~ ^20[0-9]{2}-.*Z$ ]] || fail "created"
        kill -0 "$(jq -r .pid <<<"$output")"
        runtime kill "$ID" KILL
        wait_for stopped
        run runtime state "$ID"
        expect_equal "$(jq -r .pid <<<"$output")" 0 "pid of a stopped container"
}

@test "state of a container that is not there says so" {
        run runtime state no-such-container
        expect_status 1
        expect_text "container does not exist"
        run runtime state ../etc
        expect_status 1
        expect_text "invalid container id"
}

@test "list shows all containers as table, JSON and ids" {
        config_args sleep 60
        run runtime list
        expect_match '^ID +PID +STATUS +BUNDLE +CREATED +OWNER$'
        run runtime list --format json
        expect_output '[]'
        run as runc list --format json
        expect_output null
        add_bundle other other
        start_detached "$ID"
        BUNDLE=$TEST_DIR/other create_container "$ID-other"
        run runtime list
        expect_equal "${#lines[@]}" 3 lines
        expect_match "$ID +[0-9]+ +running +$BUNDLE +20[0-9T:.-]+Z +$(id -un)"
        expect_match "$ID-other +[0-9]+ +created +$TEST_DIR/other "
        run runtime list -f json
        expect_equal "$(jq -r '[.[].status] | join(" ")' <<<"$output")" "running created"
        run runtime list -q
        expect_output "$ID"$'\n'"$ID-other"
        run as crun list
        expect_match '^NAME +PID +STATUS +BUNDLE PATH +CREATED +OWNER'
        runtime kill "$ID" KILL
        wait_for stopped
        run runtime list
        expect_match "$ID +0 +stopped "
}

@test "list goes on when the folder of a container is damaged" {
        config_args sleep 60
        start_detached
        mkdir "$STATE_ROOT/empty" "$STATE_ROOT/broken"
        echo '{"id":' >"$STATE_ROOT/broken/record.json"
        run --separate-stderr runtime list -q
        expect_status 0
        expect_output "$ID"
        [[ $stderr == *broken* ]] || fail "no warning: $stderr"
}

has_processes() { [ "$(runtime ps -f json "$ID" | jq length)" -eq "$1" ]; }

@test "ps shows the container's processes only, with ps's own options" {
        skip_unless "program ps"
        config_args sh -c 'sleep 61 & sleep 62; true'
        start_detached
        wait_until has_processes 3
        run runtime ps "$ID"
        expect_status 0
        expect_match '^UID +PID +PPID'
        expect_equal "${#lines[@]}" 4 lines
        expect_text "sleep 61" "sleep 62"
        run runtime ps "$ID" -o pid,args
        expect_equal "${#lines[@]}" 4 lines
        expect_match '^ *PID COMMAND'
        run runtime ps "$ID" -o args
        expect_status 1
        expect_text "couldn't find PID field in ps output"
        run runtime ps "$ID" --no-such-option
        expect_status 1
        expect_text "ps ended with status"
}

@test "ps as JSON is an array of process ids" {
        config_args sleep 60
        start_detached
        run runtime ps --format json "$ID"
        expect_status 0
        expect_output "[$(container_pid)]"
        run as crun ps "$ID"
        expect_output "PID"$'\n'"$(container_pid)"
        run runtime ps --format yaml "$ID"
        expect_status 1
}

@test "ps makes a table itself where there is no ps" {
        config_args sleep 60
        start_detached
        wait_until grep -qz ^sleep "/proc/$(container_pid)/cmdline" # which is empty for a moment
        mkdir "$TEST_DIR/bin"
        PATH=$TEST_DIR/bin run "$RUNTIME" --root "$STATE_ROOT" ps "$ID"
        expect_status 0
        expect_equal "${#lines[@]}" 2 lines
        expect_match "^UID +PID CMD" "^UID.*[0-9]+ +$(container_pid) sleep 60\$"
}

@test "ps of a stopped container shows nobody" {
        config_args true
        start_detached
        wait_for stopped
        run runtime ps -f json "$ID"
        expect_status 0
        expect_output '[]'
}

@test "events --stats shows what the container uses" {
        skip_unless "controller pids"
        config '.linux.resources.pids.limit = 17'
        config_args sleep 60
        start_detached
        run runtime events --stats "$ID"
        expect_status 0
        expect_equal "${#lines[@]}" 1 lines
        expect_equal "$(jq -r .type <<<"$output")" stats
        expect_equal "$(jq -r .id <<<"$output")" "$ID"
        expect_equal "$(jq -r .data.pids.limit <<<"$output")" 17
        expect_equal "$(jq -r .data.pids.current <<<"$output")" 1
        expect_equal "$(jq -r '.data | has("cpu", "memory", "blkio", "hugetlb", "intel_rdt")' <<<"$output" | sort -u)" true
}

@test "events follows until the container ends" {
        config_args sleep 60
        start_detached
        timeout "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT" events --interval 100ms "$ID" >"$TEST_DIR/events" 3>&- &
        local follower=$!
        wait_until grep -q stats "$TEST_DIR/events"
        runtime kill "$ID" KILL
        wait "$follower"
        jq -e . "$TEST_DIR/events" >/dev/null
}

@test "events ends when nobody reads any more" {
        config_args sleep 60
        start_detached
        run timeout "$RUNTIME_TIMEOUT" bash -c '"$0" --root "$1" events --interval 100ms "$2" 2>/dev/null | head -n 1' "$RUNTIME" "$STATE_ROOT" "$ID"
        expect_status 0
        expect_equal "$(jq -r .type <<<"$output")" stats
}

@test "events tells of an out-of-memory kill" {
        skip_unless "controller memory"
        config '.linux.resources.memory = {limit: 16777216, swap: 16777216}'
        config_args sh -c 'while [ ! -e /go ]; do sleep 0.1; done; x=$(head -c 64m /dev/zero | tr "\0" x); echo "$x"'
        start_detached
        timeout "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT" events --interval 2s "$ID" >"$TEST_DIR/events" 3>&- &
        local follower=$!
        wait_until grep -q stats "$TEST_DIR/events" # it watches
        touch "$ROOTFS/go"
        wait "$follower"
        grep -q "{\"type\":\"oom\",\"id\":\"$ID\"}" "$TEST_DIR/events" || fail "$(cat "$TEST_DIR/events")"
}

@test "events of a stopped container, and with a wrong interval, is refused" {
        config_args true
        start_detached
        wait_for stopped
        run runtime events --stats "$ID"
        expect_status 1
        expect_text "is not running"
        run runtime events --interval 0 "$ID"
        expect_status 1
        expect_text "option --interval"
}

@test "spec writes a configuration that runs, and overwrites none" {
        mkdir "$TEST_DIR/new"
        run runtime spec --bundle "$TEST_DIR/new"
        expect_status 0
        local file=$TEST_DIR/new/config.json
        expect_equal "$(jq -r .ociVersion "$file")" 1.3.0
        expect_equal "$(jq -c .process.args "$file")" '["sh"]'
        expect_equal "$(jq -c '.process.capabilities | keys' "$file")" '["bounding","effective","permitted"]'
        expect_equal "$(jq -c '.process.rlimits' "$file")" '[{"type":"RLIMIT_NOFILE","hard":1024,"soft":1024}]'
        expect_equal "$(jq -c '[.mounts[].destination]' "$file")" \
                '["/proc","/dev","/dev/pts","/dev/shm","/dev/mqueue","/sys","/sys/fs/cgroup"]'
        expect_equal "$(jq -c '.linux.maskedPaths | length' "$file")" 10
        expect_equal "$(jq -c '.linux.readonlyPaths | length' "$file")" 5
        if is_cgroup_v2; then jq -e '.linux.namespaces[] | select(.type == "cgroup")' "$file"; fi
        run runtime spec -b "$TEST_DIR/new"
        expect_status 1
        expect_text "config.json exists"
        run runtime spec -f "$TEST_DIR/new/config.json"
        expect_status 0
        run runtime spec -b "$TEST_DIR/nowhere"
        expect_status 1
}

@test "spec is what runc writes" {
        skip_unless "program runc"
        mkdir "$TEST_DIR/ours" "$TEST_DIR/theirs"
        as runc spec -b "$TEST_DIR/ours"
        (cd "$TEST_DIR/theirs" && runc spec)
        # between their versions: number of the specification, and no ambient capabilities any more
        diff <(jq -S 'del(.ociVersion, .process.capabilities.ambient)' "$TEST_DIR/ours/config.json") \
                <(jq -S 'del(.ociVersion, .process.capabilities.ambient)' "$TEST_DIR/theirs/config.json")
        rm "$TEST_DIR"/*/config.json
        as runc spec --rootless -b "$TEST_DIR/ours"
        (cd "$TEST_DIR/theirs" && runc spec --rootless)
        diff <(jq -S 'del(.ociVersion, .process.capabilities.ambient)' "$TEST_DIR/ours/config.json") \
                <(jq -S 'del(.ociVersion, .process.capabilities.ambient)' "$TEST_DIR/theirs/config.json")
}

@test "features is the document of the specification" {
        run runtime features
        expect_status 0
        expect_equal "$(jq -r .ociVersionMin <<<"$output")" 1.0.0
        expect_equal "$(jq -r .ociVersionMax <<<"$output")" 1.3.0
        expect_equal "$(jq -c '.linux.namespaces' <<<"$output")" '["cgroup","ipc","mount","network","pid","time","user","uts"]'
        expect_equal "$(jq -c '.hooks | length' <<<"$output")" 6
        jq -e '.linux | .cgroup.v1 and .cgroup.v2 and .seccomp.enabled and .apparmor.enabled and .selinux.enabled and
                .intelRdt.enabled and .netDevices.enabled and .mountExtensions.idmap.enabled' <<<"$output"
        jq -e '.mountOptions | index("rro") and index("tmpcopyup")' <<<"$output"
        jq -e '.linux.capabilities | index("CAP_CHECKPOINT_RESTORE")' <<<"$output"
        jq -e '.linux.seccomp.actions | index("SCMP_ACT_NOTIFY")' <<<"$output"
        jq -e '.potentiallyUnsafeConfigAnnotations | index("org.systemd.property.")' <<<"$output"
}
