# Hostile input: ids, paths, configuration, state. Each ends with a clear error and leaves nothing behind.

load lib

setup() { setup_bundle; }
teardown() { teardown_bundle; }

nothing_left() {
        [ ! -d "$STATE_ROOT" ] || expect_equal "$(ls -A "$STATE_ROOT")" "" "state that is left" || return 1
        ! find_cgroup || { fail "a cgroup is left: $(find_cgroup)"; return 1; }
}

find_cgroup() { # the directories of this test in any hierarchy
        awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/self/mounts | while read -r mount; do
                ls -d "$mount/$TEST_CGROUP" 2>/dev/null
        done | grep .
}

@test "ids that are no names are refused by every command" {
        local id command
        for id in "" . .. ../x x/y /x x/ "a b" $'a\nb' 'a;b' '*' 'ä' "$(printf 'x%.0s' $(seq 2000))" $'\x01' 'a\b' 'a:b'; do
                for command in state start kill delete "delete --force" pause resume ps events; do
                        # shellcheck disable=SC2086
                        run runtime $command -- "$id" </dev/null
                        expect_failure || { echo "$command '$id'"; return 1; }
                done
                run runtime create --bundle "$BUNDLE" -- "$id" </dev/null
                expect_failure || { echo "create '$id'"; return 1; }
                run runtime exec -- "$id" true </dev/null
                expect_failure || { echo "exec '$id'"; return 1; }
        done
        nothing_left
        [ -f "$BUNDLE/config.json" ]
}

@test "delete --force with an id that leads elsewhere removes nothing" {
        mkdir -p "$STATE_ROOT" "$TEST_DIR/victim"
        touch "$TEST_DIR/victim/file"
        ln -s "$TEST_DIR/victim" "$STATE_ROOT/link"
        local id
        for id in ../victim link ../state/../victim; do run runtime delete --force "$id"; done
        [ -f "$TEST_DIR/victim/file" ]
        run runtime list --quiet
        expect_status 0
        expect_output ""
}

@test "a cgroupsPath with .. stays below the root of the hierarchies" {
        by_systemd && skip "is about paths: runs with the cgroupfs driver"
        local path
        config_args cat /proc/self/cgroup
        config '.linux.namespaces |= map(select(.type != "cgroup"))'
        for path in "/../../../../$TEST_CGROUP/up" "../../../$TEST_CGROUP/up" "/$TEST_CGROUP/x/../../../$TEST_CGROUP/up" \
                "/$TEST_CGROUP/./up//"; do
                config '.linux.cgroupsPath = $p' --arg p "$path"
                run run_container
                # refused, or cleaned
                [ "$status" -ne 0 ] || expect_no_text ".." || { echo "$path"; return 1; }
                [ "$status" -ne 0 ] || expect_text "$TEST_CGROUP/up" || { echo "$path"; return 1; }
        done
        for path in / /.. . .. /../..; do
                config '.linux.cgroupsPath = $p' --arg p "$path"
                config_args true
                run run_container
                [ "$status" -lt 124 ] || fail "$path"
        done
        [ -d "$(cgroup_dir memory /)" ]
        [ ! -e /sys/fs/up ] && [ ! -e "/sys/$TEST_CGROUP" ]
}

@test "a configuration nested without end, or with NULs, is refused" {
        cp "$BUNDLE/config.json" "$TEST_DIR/good"
        { printf '{"ociVersion":"1.0.2","x":'; head -c 200000 /dev/zero | tr '\0' '['; } >"$BUNDLE/config.json"
        run run_container
        expect_failure
        expect_text config.json
        { printf '{"x":'; yes '{"a":' | head -n 100000 | tr -d '\n'; } >"$BUNDLE/config.json"
        run run_container
        expect_failure
        { cat "$TEST_DIR/good"; printf '\0{}'; } >"$BUNDLE/config.json"
        run run_container
        expect_failure
        jq -c . "$TEST_DIR/good" | sed 's|"/bin/sh"|"/bin/sh\\u0000x"|; s|"sh"|"sh\\u0000x"|' >"$BUNDLE/config.json"
        run run_container
        expect_failure
        : >"$BUNDLE/config.json"
        run run_container
        expect_failure
        truncate -s 3G "$BUNDLE/config.json"
        run run_container
        expect_failure
        expect_text larger
        nothing_left
}

@test "a configuration that is no regular file does not hold us up" {
        mv "$BUNDLE/config.json" "$TEST_DIR/good"
        mkfifo "$BUNDLE/config.json"
        run run_container
        expect_failure
        expect_text config.json
        rm "$BUNDLE/config.json"
        mkdir "$BUNDLE/config.json"
        run run_container
        expect_failure
        rmdir "$BUNDLE/config.json"
        ln -s config.json "$BUNDLE/config.json"
        run run_container
        expect_failure
        rm "$BUNDLE/config.json"
        ln -s /dev/zero "$BUNDLE/config.json"
        run run_container
        expect_failure
        expect_text larger
        nothing_left
}

@test "a pipe that ends is as good as a file" {
        config_args sleep 1000
        start_detached
        jq '.process | .args = ["/bin/echo", "by a pipe"]' "$BUNDLE/config.json" >"$TEST_DIR/process"
        run runtime exec --process <(sleep 0.3; cat "$TEST_DIR/process") "$ID" </dev/null
        expect_output "by a pipe"
        mkfifo "$TEST_DIR/fifo"
        run runtime exec --process "$TEST_DIR/fifo" "$ID" </dev/null
        expect_failure
        expect_text --process
}

# --------------------------------------------------------------------------------------------------------- hostile state

@test "a damaged record is named, harms no other container, and delete --force removes it with its processes" {
        skip_unless cgroup # to find the processes
        local damage dir
        config_args sleep 98761
        use_cgroup "$ID-other"
        start_detached "$ID-other"
        use_cgroup "$ID"
        for damage in empty garbage truncated fifo folder link wrong-type negative huge; do
                start_detached
                dir=$STATE_ROOT/$ID
                [ -s "$dir/record.json" ]
                case $damage in
                empty) : >"$dir/record.json" ;;
                garbage) head -c 1000 /dev/urandom >"$dir/record.json" ;;
                truncated) head -c 100 "$dir/record.json" >"$dir/cut" && mv "$dir/cut" "$dir/record.json" ;;
                fifo) rm "$dir/record.json" && mkfifo "$dir/record.json" ;;
                folder) rm "$dir/record.json" && mkdir "$dir/record.json" ;;
                link) mv "$dir/record.json" "$TEST_DIR/elsewhere" && ln -s "$TEST_DIR/elsewhere" "$dir/record.json" ;;
                wrong-type) echo '{"id":1,"pid":"x","cgroup":[]}' >"$dir/record.json" ;;
                negative) echo "-1 0" >"$dir/init" ;;
                huge) truncate -s 1G "$dir/record.json" ;;
                esac
                if [ "$damage" != negative ]; then
                        run runtime state "$ID"
                        expect_failure || { echo "$damage"; return 1; }
                        expect_text "$ID" || { echo "$damage"; return 1; }
                        [ "$damage" = empty ] || expect_text record.json || { echo "$damage"; return 1; }
                fi
                run runtime list
                expect_status 0
                expect_text "$ID-other"
                run runtime kill "$ID" KILL
                run runtime delete "$ID"
                run runtime delete --force "$ID"
                expect_status 0 || { echo "$damage"; return 1; }
                [ ! -e "$dir" ] || fail "$damage: $dir is still there"
                ls "$(cgroup_dir pids 2>/dev/null || cgroup_dir unified)" >/dev/null 2>&1 && fail "$damage: the cgroup is still there"
                expect_equal "$(container_state "$ID-other")" running
        done
}

@test "a record that names the process of somebody else does not get it killed" {
        skip_unless cgroup # to find the container's processes without it
        config_args sleep 98761
        start_detached
        sleep 0.1 # start times have a resolution of 10 ms
        sleep 98762 3>&- &
        local bystander=$! real
        real=$(container_pid)
        [ "$(cut -d' ' -f1 "$STATE_ROOT/$ID/init")" = "$real" ]
        sed -i "s/^$real /$bystander /" "$STATE_ROOT/$ID/init"
        run runtime kill "$ID" KILL
        run runtime delete --force "$ID"
        kill -0 "$bystander"
        kill "$bystander"
        wait_until [ ! -d "/proc/$real" ]
}

@test "links in the state directory are not followed" {
        config_args sleep 98761
        start_detached
        mkdir "$TEST_DIR/victim"
        touch "$TEST_DIR/victim/file"
        ln -s "$TEST_DIR/victim" "$STATE_ROOT/$ID/sub"
        ln -s "$TEST_DIR/victim/file" "$STATE_ROOT/$ID/other"
        runtime delete --force "$ID"
        [ -f "$TEST_DIR/victim/file" ]
        # the folder of a container, moved away and replaced by a link
        start_detached
        mv "$STATE_ROOT/$ID" "$TEST_DIR/moved"
        ln -s "$TEST_DIR/moved" "$STATE_ROOT/$ID"
        run runtime state "$ID"
        expect_failure
        run runtime delete --force "$ID"
        [ -f "$TEST_DIR/moved/record.json" ]
        rm -f "$STATE_ROOT/$ID"
        mv "$TEST_DIR/moved" "$STATE_ROOT/$ID"
}

@test "files that a killed write has left disturb nothing" {
        config_args sleep 98761
        start_detached
        local f
        for f in .record.json.1.0 .config.json.99.7 .record.json.4194304.0; do echo '{"half' >"$STATE_ROOT/$ID/$f"; done
        touch "$STATE_ROOT/.record.json.1.0" "$STATE_ROOT/file" "$TEST_DIR/.pid.1.0"
        expect_equal "$(container_state)" running
        run runtime list --quiet
        expect_output "$ID"
        runtime kill "$ID" KILL
        wait_for stopped
        runtime delete "$ID"
        [ ! -e "$STATE_ROOT/$ID" ]
        create_container "$ID" --pid-file "$TEST_DIR/pid"
        [ -s "$TEST_DIR/pid" ]
}

# A lock is had on a folder that somebody has removed meanwhile, too.
@test "delete --force that waited for a lock does not remove a new container of the same name" {
        config_args sleep 98761
        start_detached
        flock --no-fork "$STATE_ROOT/$ID" sleep 1000 3>&- &
        local locker=$! deleter
        wait_until eval "! flock -n '$STATE_ROOT/$ID' true"
        runtime delete --force "$ID" >"$TEST_DIR/deleted" 2>&1 &
        deleter=$!
        wait_until eval "! pgrep -f 'sleep 98761'"
        mv "$STATE_ROOT/$ID" "$TEST_DIR/gone"
        use_cgroup "$ID-new"
        start_detached
        kill "$locker"
        wait "$deleter" || true
        expect_equal "$(container_state)" running
}
