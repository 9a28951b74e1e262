#!/usr/bin/env bats
# Containers of an ordinary user: in a user namespace that all of them share.

load lib
load rootless

setup() { setup_rootless; }
teardown() { teardown_rootless; }

has_no_fuse() { ! pgrep -u 4242 fuse-overlayfs >/dev/null; }

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
        local id pid pids
        id=$(coracle run -d --network none --name kept --restart always small sleep 1000)
        mapfile -t pids < <(pgrep -f "coracle-monitor --store $TEST_DIR/walker/.* $id")
        pids+=("$(coracle inspect -f '{{.State.Pid}}' kept)")
        kill -KILL "${pids[@]}"
        for pid in "${pids[@]}"; do wait_until process_is_gone "$pid"; done # with the locks it held
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

@test "an ordinary user's containers in the host's namespaces" {
        run coracle run --rm --network host --uts host small sh -c 'hostname; ls /sys/class >/dev/null && echo sys'
        expect_status 0
        expect_text "$(hostname)" sys
        run none --pid host --ipc host small sh -c 'set -- /proc/[0-9]*; echo $#' # ls would complain of those that end meanwhile
        expect_status 0
        [ "$output" -gt 1 ] || fail "only $output processes"
}

@test "an ordinary user's containers: cp, export, commit and diff, running and stopped" {
        coracle run -d --network none --name one -v vol:/vol small sh -c 'echo 1 >/made; chown 5:6 /made; chmod 600 /made; rm /data/file; exec sleep 1000' >/dev/null
        wait_until coracle exec one test ! -e /data/file
        mkdir "$TEST_DIR/walker/in" && echo in >"$TEST_DIR/walker/in/file" && chown -R 4242:4242 "$TEST_DIR/walker/in"
        coracle cp "$TEST_DIR/walker/in" one:/in
        coracle cp "$TEST_DIR/walker/in/file" one:/vol/file
        coracle cp one:/made "$TEST_DIR/walker/out"
        expect_equal "$(stat -c %u:%g:%a "$TEST_DIR/walker/out")" 4242:4242:600
        run coracle exec one sh -c 'stat -c %u:%g /in/file /vol/file'
        expect_output $'0:0\n0:0'
        run coracle diff one
        expect_text "A /made" "A /in/file" "C /data" "D /data/file"
        coracle export one | tar --numeric-owner -tvf - >"$TEST_DIR/list"
        grep -q '^-rw------- 5/6 .* made$' "$TEST_DIR/list" || fail "export: $(grep made "$TEST_DIR/list")"
        coracle commit -m why one copy >/dev/null
        coracle stop -t 0 one >/dev/null
        coracle cp one:/vol/file "$TEST_DIR/walker/from-volume"
        expect_equal "$(cat "$TEST_DIR/walker/from-volume")" in
        run coracle diff one
        expect_text "A /made" "D /data/file"
        coracle commit one later >/dev/null
        local image
        for image in copy later; do
                run none "$image" sh -c 'stat -c "%u:%g %a" /made /in/file; ls /data'
                expect_status 0
                expect_output $'5:6 600\n0:0 644'
        done
        coracle save copy | tar -xf - -C "$TEST_DIR/walker" # the layer's archive has the container's owners
        run bash -c "for blob in $TEST_DIR/walker/blobs/sha256/*; do tar --numeric-owner -tvf \"\$blob\" 2>/dev/null; done | grep ' made\$'"
        expect_text "5/6"
}

@test "an ordinary user's containers with ids of their own: keep-id, nomap, auto, by fuse-overlayfs" {
        open_fuse
        mkdir "$TEST_DIR/walker/home" && echo mine >"$TEST_DIR/walker/home/file" && chown -R 4242:4242 "$TEST_DIR/walker/home"
        run none --userns keep-id -u 4242:4242 -v "$TEST_DIR/walker/home:/h" small \
                sh -c 'id -u; stat -c %u:%g /h/file /bin /data/file; echo new >/h/new; touch /tmp/x; echo out >/dev/stdout'
        expect_status 0
        expect_output $'4242\n4242:4242\n0:0\n0:0\nout'
        expect_equal "$(stat -c %u:%g "$TEST_DIR/walker/home/new")" 4242:4242
        run none --userns keep-id:uid=1000,gid=1000 -v "$TEST_DIR/walker/home:/h" small \
                sh -c 'stat -c %u:%g /h/file; id -u; tr -s " " </proc/self/uid_map'
        expect_output $'1000:1000\n0\n 0 1 1000\n 1000 0 1\n 1001 1001 64536'
        run none --userns nomap -v "$TEST_DIR/walker/home:/h" small sh -c 'stat -c %u:%g /h/file /bin'
        expect_output $'65534:65534\n0:0'
        run none --userns auto small sh -c 'tr -s " " </proc/self/uid_map; stat -c %u:%g /bin; touch /made; stat -c %u:%g /made'
        expect_output $' 0 1 2001\n0:0\n0:0'
        wait_until has_no_fuse
}

@test "an ordinary user's containers with ids of their own: cp, export, commit and diff" {
        open_fuse
        coracle run -d --network none --name one --userns keep-id small \
                sh -c 'echo 1 >/made; chown 5:6 /made; rm /data/file; rm -r /tmp; mkdir /tmp; echo 2 >/tmp/file; exec sleep 1000' >/dev/null
        wait_until coracle exec one test -e /tmp/file
        echo in >"$TEST_DIR/walker/in" && chown 4242:4242 "$TEST_DIR/walker/in"
        coracle cp "$TEST_DIR/walker/in" one:/in
        coracle cp one:/made "$TEST_DIR/walker/out"
        expect_equal "$(stat -c %u:%g "$TEST_DIR/walker/out")" 4242:4242
        run coracle exec one stat -c %u:%g /in /made
        expect_output $'0:0\n5:6'
        coracle export one | tar --numeric-owner -tvf - >"$TEST_DIR/list"
        grep -q ' 5/6 .* made$' "$TEST_DIR/list" || fail "export: $(grep made "$TEST_DIR/list")"
        run coracle diff one
        expect_text "A /made" "D /data/file" "A /tmp/file"
        coracle stop -t 0 one >/dev/null
        coracle commit one copy >/dev/null
        run none copy sh -c 'stat -c %u:%g /made /in; ls /data /tmp'
        expect_output $'5:6\n0:0\n/data:\n\n/tmp:\nfile'
        coracle start one >/dev/null
        run coracle exec one stat -c %u:%g /made
        expect_output 5:6
        coracle rm -f one >/dev/null
        wait_until has_no_fuse
}

@test "an ordinary user's containers with ids of their own: without fuse-overlayfs its package is named" {
        mkdir "$TEST_DIR/bin"
        ln -s "$(command -v newuidmap)" "$(command -v newgidmap)" "$(command -v setpriv)" "$(command -v timeout)" "$(command -v env)" "$TEST_DIR/bin"
        PATH_OF_USER=$TEST_DIR/bin run none --userns keep-id small true
        expect_status 125
        expect_text "the program fuse-overlayfs is not there: install the package fuse-overlayfs"
}

@test "an ordinary user's containers where the kernel mounts no overlay: fuse-overlayfs does, or its package is named" {
        open_fuse
        mkdir -p "$TEST_DIR"/over/{lower,upper,work,there} # the writable layer of an overlay cannot lie on an overlay
        chown 4242:4242 "$TEST_DIR"/over/{lower,upper}
        coracle --root "$TEST_DIR/over/there/store" import -c 'CMD ["sh"]' "$TEST_DIR/small.tar" small >/dev/null
        run coracle --root "$TEST_DIR/over/there/store" run --rm --network none small sh -c 'rm /data/file && touch /made && ls /data | wc -l; grep " / " /proc/mounts'
        expect_status 0
        expect_text 0 "fuse-overlayfs / fuse"
        mkdir "$TEST_DIR/bin"
        ln -s "$(command -v newuidmap)" "$(command -v newgidmap)" "$(command -v setpriv)" "$(command -v timeout)" "$(command -v env)" "$TEST_DIR/bin"
        PATH_OF_USER=$TEST_DIR/bin run coracle --root "$TEST_DIR/over/there/store" run --rm --network none small true
        expect_status 125
        expect_text "this kernel mounts no overlay here for users" "install the package fuse-overlayfs"
}

@test "an ordinary user's limits without a cgroup of his: what docker says of them" {
        skip_unless cgroup_v1 # where systemd delegates none
        run none --memory 20m --pids-limit 20 small echo ran
        expect_status 0
        expect_text ran "WARNING: Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded." \
                "WARNING: Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded."
        run none --cpus 0.5 small true
        expect_status 125
        expect_text "NanoCPUs can not be set"
}
