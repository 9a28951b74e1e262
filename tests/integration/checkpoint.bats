# checkpoint and restore, by criu
load lib

setup() {
        setup_bundle
        IMAGES=$TEST_DIR/images
}
teardown() { teardown_bundle; }

need_criu() {
        local why
        skip_unless root "program criu"
        why=$(criu check 2>&1) ||
                skip "this criu does not work on this kernel (${why%%$'\n'*}): runs where criu check says that all is well"
}

# The container counts in /count, ten times a second, as long as it lives.
counting() {
        config_args sh -c 'i=0; while true; do i=$((i + 1)); echo $i >/count.new; mv /count.new /count; sleep 0.1; done'
}

count() { cat "$ROOTFS/count"; }
counts_beyond() { [ "$(count)" -gt "$1" ]; }

# start - run it detached, without descriptors that lead out
start() {
        runtime run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
}

checkpoint() { runtime checkpoint --image-path "$IMAGES" "$@" "$ID"; }

restore() { runtime restore --detach --bundle "$BUNDLE" --image-path "$IMAGES" "$@" "$ID" </dev/null >/dev/null; }

@test "a container goes on where it was" {
        need_criu
        counting
        start
        wait_until counts_beyond 3
        run checkpoint
        expect_status 0
        [ -s "$IMAGES/inventory.img" ]
        [ -s "$IMAGES/dump.log" ]
        # it is gone, with its cgroup
        refute runtime state "$ID"
        refute cgroup_exists
        local before
        before=$(count)
        sleep 0.3
        expect_equal "$(count)" "$before" "count of a container that is gone"
        restore --pid-file "$TEST_DIR/pid"
        wait_until counts_beyond "$before"
        [ "$(count)" -lt "$((before + 200))" ] # it did not start anew, nor run on meanwhile
        expect_equal "$(container_state)" running state
        expect_equal "$(cat "$TEST_DIR/pid")" "$(container_pid)" "pid file"
        cgroup_exists
        run runtime exec "$ID" cat /proc/1/comm
        expect_output sh
        runtime kill "$ID" KILL
        wait_for stopped
        runtime delete "$ID"
        refute cgroup_exists
}

cgroup_exists() { [ -d "$(cgroup_dir pids)" ]; }

@test "neither leaves a mount on the host" {
        need_criu
        local before
        before=$(own_mounts)
        config '.mounts += [{destination: "/share", type: "bind", source: $dir, options: ["bind"]}]' --arg dir "$TEST_DIR"
        counting
        start
        wait_until counts_beyond 1
        checkpoint
        restore
        expect_equal "$(own_mounts)" "$before" mounts
        [ ! -e "$STATE_ROOT/$ID/criu-root" ]
}

@test "it may be left running, and checkpointed many times" {
        need_criu
        counting
        start
        wait_until counts_beyond 1
        checkpoint --leave-running
        expect_equal "$(container_state)" running state
        wait_until counts_beyond "$(count)"
        checkpoint --leave-running --work-path "$TEST_DIR/work"
        [ -s "$TEST_DIR/work/dump.log" ]
        wait_until counts_beyond "$(count)"
}

@test "a restored container in the foreground: exit code, and nothing is left" {
        need_criu
        config_args sh -c 'touch /ready; while [ ! -e /go ]; do sleep 0.1; done; exit 42'
        start
        wait_until test -e "$ROOTFS/ready"
        checkpoint
        touch "$ROOTFS/go"
        run runtime restore --bundle "$BUNDLE" --image-path "$IMAGES" "$ID" </dev/null
        expect_status 42
        refute runtime state "$ID"
        refute cgroup_exists
}

@test "signals reach a restored container in the foreground" {
        need_criu
        config_args sh -c 'trap "exit 43" TERM; touch /ready; while true; do sleep 0.1; done'
        start
        wait_until test -e "$ROOTFS/ready"
        checkpoint
        timeout --foreground "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT" restore --bundle "$BUNDLE" --image-path "$IMAGES" "$ID" \
                </dev/null 3>&- &
        local job=$! code=0
        wait_for running
        kill -TERM "$job"
        wait "$job" || code=$?
        expect_equal "$code" 43 "exit code"
}

@test "pipes are replaced by those of restore" {
        need_criu
        config_args sh -c 'touch /ready; while [ ! -e /go ]; do sleep 0.1; done; echo out; echo error >&2; exec cat'
        runtime run --bundle "$BUNDLE" "$ID" < <(sleep 20) > >(cat >/dev/null) 2>&1 3>&- &
        local job=$!
        wait_until test -e "$ROOTFS/ready"
        checkpoint
        wait "$job" || true
        touch "$ROOTFS/go"
        run bash -c 'echo typed | "$0" "$@" 2>&1 | cat' timeout "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT" restore \
                --bundle "$BUNDLE" --image-path "$IMAGES" "$ID"
        expect_status 0
        expect_output $'out\nerror\ntyped'
}

@test "tmpfs content, bind mounts, masked and read-only paths come back" {
        need_criu
        mkdir "$TEST_DIR/share"
        echo shared >"$TEST_DIR/share/file"
        ln -s run "$ROOTFS/link"
        mkdir "$ROOTFS/run"
        config '.mounts += [{destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["nosuid"]},
                            {destination: "/scratch/bound", type: "bind", source: $dir, options: ["bind", "ro"]},
                            {destination: "/link/bound", type: "bind", source: $dir, options: ["rbind"]},
                            {destination: "/etc/one", type: "bind", source: ($dir + "/file"), options: ["bind"]}]' \
                --arg dir "$TEST_DIR/share"
        config_args sh -c 'echo kept >/scratch/kept; touch /ready; while true; do sleep 0.1; done'
        start
        wait_until test -e "$ROOTFS/ready"
        local look='cat /scratch/kept /scratch/bound/file /run/bound/file /etc/one; touch /scratch/bound/x 2>&1;
                cat /proc/keys | wc -c; ls /proc/scsi 2>&1; touch /proc/sys/kernel/domainname 2>&1; true'
        local before
        before=$(runtime exec "$ID" sh -c "$look")
        checkpoint
        restore
        run runtime exec "$ID" sh -c "$look"
        expect_output "$before"
        expect_text "kept"$'\n'"shared"$'\n'"shared"$'\n'"shared" "Read-only file system"
}

@test "limits hold after a restore" {
        need_criu
        skip_unless "controller pids"
        config '.linux.resources.pids.limit = 123 | .process.oomScoreAdj = 77'
        counting
        start
        wait_until counts_beyond 1
        checkpoint
        restore
        expect_equal "$(cgroup_value pids pids.max pids.max)" 123 pids.max
        grep -qx "$(container_pid)" "$(cgroup_dir pids)/cgroup.procs"
        expect_equal "$(cat "/proc/$(container_pid)/oom_score_adj")" 77 oom_score_adj
}

@test "restore as another container, in another cgroup" {
        need_criu
        counting
        start
        wait_until counts_beyond 1
        checkpoint --manage-cgroups-mode ignore
        local other=$ID-other
        use_cgroup "$other"
        runtime restore --detach --bundle "$BUNDLE" --image-path "$IMAGES" --manage-cgroups-mode ignore "$other" \
                </dev/null >/dev/null
        wait_until counts_beyond "$(count)"
        grep -qx "$(container_pid "$other")" "$(cgroup_dir pids "$(cgroup_of "$other")")/cgroup.procs"
        refute cgroup_exists
}

@test "a memory dump ahead of the checkpoint" {
        need_criu
        local why
        why=$(criu check --feature mem_dirty_track 2>&1) || skip "no memory tracking here (${why##*$'\n'}): runs with make check-amd64"
        counting
        start
        wait_until counts_beyond 1
        runtime checkpoint --pre-dump --image-path "$IMAGES/1" "$ID"
        expect_equal "$(container_state)" running state
        runtime checkpoint --pre-dump --image-path "$IMAGES/2" --parent-path ../1 "$ID"
        wait_until counts_beyond "$(count)"
        runtime checkpoint --image-path "$IMAGES/3" --parent-path ../2 "$ID"
        [ -L "$IMAGES/3/parent" ]
        local before
        before=$(count)
        runtime restore --detach --bundle "$BUNDLE" --image-path "$IMAGES/3" "$ID" </dev/null >/dev/null
        wait_until counts_beyond "$before"
}

@test "the descriptor of --status-fd gets a zero byte when the pages can be fetched" {
        need_criu
        local why port=$((20000 + RANDOM % 10000))
        why=$(criu check --feature uffd 2>&1) || skip "no lazy pages here (${why##*$'\n'}): runs with make check-amd64"
        counting
        start
        wait_until counts_beyond 1
        mkfifo "$TEST_DIR/status"
        checkpoint --lazy-pages --page-server "127.0.0.1:$port" --status-fd 9 9>"$TEST_DIR/status" >"$TEST_DIR/out" 2>&1 &
        local job=$!
        expect_equal "$(timeout "$RUNTIME_TIMEOUT" head -c 1 "$TEST_DIR/status" | od -An -tx1)" " 00" "status ($(cat "$TEST_DIR/out"))"
        # whoever asks wants nothing: that ends it, as criu sees it
        exec 8<>"/dev/tcp/127.0.0.1/$port"
        exec 8>&-
        wait "$job"
        refute runtime state "$ID"
}

@test "a network namespace by path stays the one it was" {
        need_criu
        skip_unless "program unshare"
        touch "$TEST_DIR/netns"
        unshare --net="$TEST_DIR/netns" true
        config '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "$TEST_DIR/netns"
        counting
        start
        wait_until counts_beyond 1
        checkpoint
        restore
        expect_equal "$(stat -Lc %i "/proc/$(container_pid)/ns/net")" "$(stat -Lc %i "$TEST_DIR/netns")" "network namespace"
        runtime delete --force "$ID"
        umount "$TEST_DIR/netns"
}

@test "hooks of the runtime run when a container is restored" {
        need_criu
        config '.hooks.prestart = [{path: "/bin/sh", args: ["sh", "-c", "cat >\($dir)/hook"]}] |
                .hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", "echo stop >>\($dir)/stops"]}]' --arg dir "$TEST_DIR"
        counting
        start
        wait_until counts_beyond 1
        rm "$TEST_DIR/hook"
        checkpoint
        expect_equal "$(cat "$TEST_DIR/stops")" stop "poststop after the checkpoint"
        restore
        expect_equal "$(jq -r .id "$TEST_DIR/hook")" "$ID" "id in the hook's state"
        expect_equal "$(jq -r .pid "$TEST_DIR/hook")" "$(container_pid)" "pid in the hook's state"
        config '.hooks.prestart[0].args[2] = "exit 3"'
        runtime delete --force "$ID"
        run restore
        expect_failure
        expect_text "prestart hook #0"
        expect_equal "$(wc -l <"$TEST_DIR/stops")" 3 "poststop hooks, with that of the failed restore"
        refute runtime state "$ID"
        refute cgroup_exists
}

@test "a paused container can be checkpointed" {
        need_criu
        counting
        start
        wait_until counts_beyond 1
        runtime pause "$ID"
        checkpoint
        restore
        wait_until counts_beyond "$(count)"
        expect_equal "$(container_state)" running state
}

@test "with a user namespace" {
        need_criu
        skip_unless userns
        config '.linux.namespaces += [{type: "user"}] |
                .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
                .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
        chown -R 100000:100000 "$ROOTFS"
        counting
        start
        wait_until counts_beyond 1
        checkpoint
        restore
        wait_until counts_beyond "$(count)"
        expect_equal "$(awk '$1 == "Uid:" {print $2}' "/proc/$(container_pid)/status")" 100000 uid
}

@test "a terminal comes back in the foreground" {
        need_criu
        skip_unless "program script"
        config '.process.terminal = true'
        config_args sh -c 'touch /ready; while [ ! -e /go ]; do sleep 0.1; done; tty; echo said; exit 5'
        local command
        command=$(printf '%q ' timeout "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT")
        script -qec "$command run --bundle '$BUNDLE' '$ID'" /dev/null </dev/null >/dev/null 2>&1 3>&- &
        local job=$!
        wait_until test -e "$ROOTFS/ready"
        checkpoint
        wait "$job" || true
        touch "$ROOTFS/go"
        run script -qec "$command restore --bundle '$BUNDLE' --image-path '$IMAGES' '$ID'" /dev/null </dev/null
        expect_status 5
        expect_text /dev/pts/0 said
}

@test "a terminal comes back by the console socket" {
        need_criu
        skip_unless "program script" "program python3"
        config '.process.terminal = true'
        config_args sh -c 'touch /ready; while [ ! -e /go ]; do sleep 0.1; done; tty; echo said; sleep 1000'
        script -qec "$(printf '%q ' timeout "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID")" /dev/null \
                </dev/null >/dev/null 2>&1 3>&- &
        local job=$!
        wait_until test -e "$ROOTFS/ready"
        checkpoint
        wait "$job" || true
        touch "$ROOTFS/go"
        run restore
        expect_failure
        expect_text "console socket"
        timeout "$RUNTIME_TIMEOUT" python3 - "$TEST_DIR/socket" >"$TEST_DIR/received" 2>&1 3>&- <<'PY' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + ".new")
s.listen(1)
os.rename(sys.argv[1] + ".new", sys.argv[1])
_, fds, _, _ = socket.recv_fds(s.accept()[0], 4096, 8)
text = b""
while b"said" not in text:
    text += os.read(fds[0], 1024)
print(text.decode())
PY
        job=$!
        wait_until test -S "$TEST_DIR/socket"
        restore --console-socket "$TEST_DIR/socket"
        wait "$job"
        grep -q /dev/pts/0 "$TEST_DIR/received"
        expect_equal "$(container_state)" running
}

@test "the annotation org.criu.config names a file of settings" {
        need_criu
        printf 'log-file annotated.log\n' >"$TEST_DIR/criu.conf"
        config '.annotations["org.criu.config"] = $file' --arg file "$TEST_DIR/criu.conf"
        counting
        start
        wait_until counts_beyond 1
        checkpoint
        [ -s "$IMAGES/annotated.log" ]
        restore
}

@test "when criu fails, its reason is shown and the container lives on" {
        need_criu
        config_args sh -c 'touch /ready; while true; do sleep 0.1; done'
        runtime run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$TEST_DIR/file" 2>&1 # a file outside of the container
        wait_until test -e "$ROOTFS/ready"
        run checkpoint
        expect_failure
        expect_text "checkpoint of container $ID" "Error (" "$IMAGES/dump.log"
        expect_equal "$(container_state)" running state
}

@test "nothing is left of a restore that fails" {
        need_criu
        counting
        start
        wait_until counts_beyond 1
        checkpoint
        rm "$IMAGES"/core-*.img
        run restore
        expect_failure
        expect_text "restore of container $ID" "$IMAGES/restore.log"
        refute runtime state "$ID"
        refute cgroup_exists
        [ ! -e "$STATE_ROOT/$ID" ]
}

@test "an id that is taken is not restored over" {
        need_criu
        counting
        start
        wait_until counts_beyond 1
        checkpoint --leave-running
        run restore
        expect_failure
        expect_text "already exists"
        expect_equal "$(container_state)" running state
}

@test "without criu the error names the package" {
        counting
        start
        run env PATH="$TEST_DIR" "$RUNTIME" --root "$STATE_ROOT" checkpoint --image-path "$IMAGES" "$ID"
        expect_failure
        expect_text "install the package criu"
        expect_equal "$(container_state)" running state
}

@test "what cannot be meant is refused before anything happens" {
        counting
        run checkpoint
        expect_failure
        expect_text "does not exist"
        create_container
        run checkpoint
        expect_failure
        expect_text "cannot be checkpointed in created state"
        runtime delete --force "$ID"
        start
        run checkpoint --parent-path /absolute
        expect_failure
        expect_text "--parent-path /absolute" relative
        run checkpoint --parent-path ../absent
        expect_failure
        expect_text "--parent-path ../absent"
        run checkpoint --page-server nonsense
        expect_failure
        expect_text "--page-server nonsense" ADDRESS:PORT
        run checkpoint --page-server localhost:70000
        expect_failure
        run checkpoint --manage-cgroups-mode sometimes
        expect_failure
        expect_text manage-cgroups-mode
        run checkpoint --empty-ns mount
        expect_failure
        expect_text "--empty-ns mount"
        run checkpoint --status-fd 77
        expect_failure
        expect_text "--status-fd 77"
        run runtime restore --bundle "$BUNDLE" --image-path "$TEST_DIR/absent" "$ID-2"
        expect_failure
        expect_text "--image-path $TEST_DIR/absent"
        refute runtime state "$ID-2"
        expect_equal "$(container_state)" running state
}

@test "mounts that would not come back as they are keep a container from being checkpointed" {
        counting
        start
        local place=$'/mnt/new\n"line'
        mkdir "$TEST_DIR/share"
        jq -n --arg dir "$TEST_DIR/share" --arg place "$place" \
                '[{destination: $place, source: $dir, options: ["bind"]}, {destination: "/mnt/tmp", type: "tmpfs"}]' >"$TEST_DIR/add.json"
        runtime mounts add "$ID" "$TEST_DIR/add.json"
        run checkpoint
        expect_failure
        expect_text '/mnt/new' 'mounts add' 'mounts remove'
        expect_no_text /mnt/tmp
        expect_equal "$(container_state)" running state
        # a mount that could not be added is none
        echo '[{"destination": "/mnt/absent", "source": "/absent", "options": ["bind"]}]' >"$TEST_DIR/bad.json"
        run runtime mounts add "$ID" "$TEST_DIR/bad.json"
        expect_failure
        runtime mounts remove "$ID" "$TEST_DIR/add.json"
        run env PATH="$TEST_DIR" "$RUNTIME" --root "$STATE_ROOT" checkpoint --image-path "$IMAGES" "$ID"
        expect_text "install the package criu" # nothing else is in the way
}

@test "id-mapped mounts keep a container from being checkpointed" {
        skip_unless root "kernel 5.12"
        counting
        mkdir "$TEST_DIR/share"
        config '.mounts += [{destination: "/mapped", type: "bind", source: $s, options: ["bind"],
                uidMappings: [{containerID: 0, hostID: 1000, size: 10}], gidMappings: [{containerID: 0, hostID: 1000, size: 10}]}]' \
                --arg s "$TEST_DIR/share"
        start
        run checkpoint
        expect_failure
        expect_text "mounts[" /mapped "id mapping"
        expect_equal "$(container_state)" running state
}
