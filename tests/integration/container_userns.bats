#!/usr/bin/env bats
# Containers with user namespaces of their own. Whose subordinate ids there are is known in a mount namespace of each call's own.

load lib
load registries
load containers

setup() {
        skip_unless root userns "kernel 5.19" # idmapped layers
        [ -e /etc/subuid ] && [ -e /etc/subgid ] || skip "needs the files /etc/subuid and /etc/subgid: runs on the CI machine"
        setup_containers
        ids_can_be_mapped || skip "the file system of $TEST_DIR maps no ids: runs where the tests have another (CORACLE_TEST_TMP)"
}

teardown() { teardown_containers; }

make_ids() {
        printf 'containers:500000:4096\ndockremap:700000:2000\n' >"$TEST_DIR/subuid"
        printf 'containers:600000:4096\ndockremap:800000:2000\n' >"$TEST_DIR/subgid"
        mkdir "$TEST_DIR/daemon"
}

ids_can_be_mapped() {
        run crun --rm --userns auto bb:1 true
        [[ $output != *"does its filesystem support id mapping?"* ]]
}

coracle() {
        [ -e "$TEST_DIR/subuid" ] || make_ids
        # shellcheck disable=SC2016
        in_net unshare --mount --propagation private bash -c '
                for file in subuid subgid; do mount --bind "$1/$file" "/etc/$file" || exit 99; done
                dir=$1 && shift
                COR_CONFIG=$dir/daemon exec timeout -k 5 "$RUNTIME_TIMEOUT" "$@"' - "$TEST_DIR" "$CORACLE" "$@" 3>&-
}

has_ended() { [ "$(coracle inspect -f '{{.State.Status}} {{.RestartCount}}' "$1")" = "exited $2" ]; }

auto() { crun --userns auto "$@"; }

@test "userns: ids of the image are those in the container, and nobody's on the host; nothing changes its owner" {
        run auto --rm bb:1 sh -c 'cat /proc/self/uid_map /proc/self/gid_map; stat -c "%u:%g" /bin /etc/hosts; echo out >/dev/stdout'
        expect_status 0
        expect_equal "$(tr -s ' ' <<<"$output")" $' 0 500000 2001\n 0 600000 2001\n0:0\n0:0\nout'
        auto -d --name one bb:1 sh -c 'echo 1 >/made && chown 1000:2000 /made && exec sleep 1000' >/dev/null
        wait_until coracle exec one test -e /made
        [ "$(stat -c %u /proc/"$(coracle inspect -f '{{.State.Pid}}' one)")" = 500000 ] || fail "not an id of its own"
        expect_equal "$(stat -c '%u:%g' "$COR_STORE"/containers/*/upper/made)" 1000:2000
        run coracle exec -u test one sh -c 'id -u; echo again >/dev/stdout'
        expect_output $'1000\nagain'
}

@test "userns: no two containers have the same ids, and what one had is free when it is gone" {
        auto -d --name one --userns auto:size=2000 bb:1 sleep 1000 >/dev/null
        auto -d --name two --userns auto:size=2000 bb:1 sleep 1000 >/dev/null
        run coracle exec two sh -c 'tr -s " " </proc/self/uid_map'
        expect_output " 0 502000 2000"
        run auto --rm --userns auto:size=2000 bb:1 true
        expect_status 125
        expect_text "not enough unused ids in user namespace: 2000 of containers in /etc/subuid"
        coracle rm -f one >/dev/null
        run auto --rm --userns auto:size=2000 bb:1 sh -c 'tr -s " " </proc/self/uid_map'
        expect_output " 0 500000 2000"
        run auto --rm --userns auto:size=100 -u test bb:1 true
        expect_status 125
        expect_text "user 1000:1000 is not among the ids of the container's user namespace"
        : >"$TEST_DIR/subuid"
        run auto --rm bb:1 true
        expect_status 125
        expect_text "add a line like containers:1000000:1000000000 to /etc/subuid"
}

@test "userns: volumes belong to the image's ids, and are shared with containers of other ids; binds if it is asked for" {
        mkdir "$TEST_DIR/host" && echo x >"$TEST_DIR/host/file"
        auto --rm -v data:/v bb:1 sh -c 'echo 1 >/v/file && chown 7:8 /v/file'
        run crun --rm -v data:/v bb:1 stat -c %u:%g /v/file
        expect_output 7:8
        run auto --rm -v data:/v bb:1 stat -c %u:%g /v/file
        expect_output 7:8
        run auto --rm --mount type=volume,source=data,target=/v/sub,volume-subpath=. bb:1 stat -c %u:%g /v/sub/file
        expect_output 7:8
        run auto --rm -v "$TEST_DIR/host:/h" -v "$TEST_DIR/host:/i:idmap" --mount "type=bind,source=$TEST_DIR/host,target=/m,idmap" \
                bb:1 sh -c 'stat -c %u:%g /h/file /i/file /m/file; chown 3:4 /i/file'
        expect_output $'65534:65534\n0:0\n0:0'
        expect_equal "$(stat -c '%u:%g' "$TEST_DIR/host/file")" 3:4
        coracle volume rm data >/dev/null
        run auto --rm -v /proc/version:/h:idmap bb:1 true # procfs cannot
        expect_status 125
        expect_text "mounts[" "(/h): idmap a mount (does its filesystem support id mapping?)"
}

@test "userns: cp, export, commit and diff show the owners of the container, running and stopped" {
        auto -d --name one bb:1 sh -c 'echo 1 >/made && chown 5:6 /made && exec sleep 1000' >/dev/null
        wait_until coracle exec one test -e /made
        echo in >"$TEST_DIR/in" && chown 33:44 "$TEST_DIR/in"
        coracle cp -a "$TEST_DIR/in" one:/kept && coracle cp "$TEST_DIR/in" one:/roots
        coracle cp -a one:/made "$TEST_DIR/out" && coracle cp one:/made "$TEST_DIR/own"
        expect_equal "$(stat -c %u:%g "$TEST_DIR/out" "$TEST_DIR/own")" $'5:6\n0:0'
        tar -C "$TEST_DIR" --numeric-owner --owner 11 --group 12 -cf - in | coracle cp - one:/tmp
        run coracle exec one stat -c %u:%g /kept /roots /tmp/in
        expect_output $'33:44\n0:0\n11:12'
        coracle export one | tar --numeric-owner -tvf - >"$TEST_DIR/list"
        grep -q ' 5/6 .* made$' "$TEST_DIR/list" || fail "export: $(grep made "$TEST_DIR/list")"
        coracle commit one copy >/dev/null
        run crun --rm copy stat -c %u:%g /made /kept /roots
        expect_output $'5:6\n33:44\n0:0'
        coracle stop -t 0 one >/dev/null
        coracle cp -a "$TEST_DIR/in" one:/later
        coracle cp -a one:/made "$TEST_DIR/stopped"
        expect_equal "$(stat -c %u:%g "$TEST_DIR/stopped")" 5:6
        coracle export one | tar --numeric-owner -tvf - >"$TEST_DIR/list"
        grep -q ' 33/44 .* later$' "$TEST_DIR/list" || fail "export: $(grep later "$TEST_DIR/list")"
        run coracle diff one
        expect_text "A /made" "A /later"
        coracle start one >/dev/null
        run coracle exec one stat -c %u:%g /later
        expect_output 33:44
}

@test "userns: of another container, with its other namespaces; other ids do not get in" {
        auto -d --name donor --ipc shareable bb:1 sh -c 'echo here >/dev/shm/file; exec sleep 1000' >/dev/null
        wait_until coracle exec donor test -e /dev/shm/file
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --userns container:donor --network container:donor --pid container:donor \
                --ipc container:donor bb:1 sh -c 'for p in self 1; do readlink /proc/$p/ns/user; done | uniq | wc -l; cat /dev/shm/file; ls /sys/class/net'
        expect_output $'1\nhere\nlo'
        run auto --rm --pid container:donor bb:1 true
        expect_status 125
        expect_text "has other ids: its namespaces can be joined with --userns=container:"
        coracle stop -t 0 donor >/dev/null
        run crun --rm --userns container:donor bb:1 true
        expect_status 125
        expect_text "failed to join USER namespace" "is not running"
}

@test "userns: restarts, terminals, devices and limits are as ever" {
        run auto --rm -t -u test bb:1 sh -c 'echo out >/dev/stdout; stat -c %u "$(tty)"'
        expect_equal "$(tr -d '\r' <<<"$output")" $'out\n1000'
        run auto --rm --device /dev/kmsg:/dev/other --init --read-only --tmpfs /t --ulimit nofile=99:100 --memory 32m bb:1 \
                sh -c 'test -c /dev/other && ulimit -n && touch /t/x && echo $$ && head -c 1 /dev/zero | wc -c'
        expect_text 99 1
        expect_status 0
        auto -d --name again --restart on-failure:2 bb:1 sh -c 'echo x >>/count; [ "$(wc -l </count)" = 3 ]' >/dev/null
        wait_until has_ended again 2
        run crun --rm --userns auto:size=3 -t bb:1 id -u # a terminal's group is not among them
        expect_equal "$(tr -d '\r' <<<"$output")" 0
}

@test "userns: userns-remap of daemon.json is for all containers but those with --userns=host" {
        echo '{"userns-remap":"default"}' >"$TEST_DIR/daemon/daemon.json"
        run crun --rm bb:1 sh -c 'tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map; stat -c %u:%g /bin'
        expect_output $' 0 700000 2000\n 0 800000 2000\n0:0'
        run crun --rm --userns host bb:1 sh -c 'tr -s " " </proc/self/uid_map'
        expect_output " 0 0 4294967295"
        run crun --rm --privileged bb:1 true
        expect_status 125
        expect_text "privileged mode is incompatible with user namespaces."
        run coracle run --rm --network host bb:1 true
        expect_text "cannot share the host's network namespace when user namespaces are enabled"
        run crun --rm --pid host bb:1 true
        expect_text "cannot share the host PID namespace when user namespaces are enabled"
        echo '{"userns-remap":"nobody-has-ids"}' >"$TEST_DIR/daemon/daemon.json"
        run crun --rm bb:1 true
        expect_status 125
        expect_text "userns-remap: nobody-has-ids of daemon.json has no ids"
}

@test "userns: what is no mode, and what root has no use for" {
        local mode
        for mode in odd auto:size=0 auto:size=x auto:uid=3 auto: keep-id:x=1 container: hostx; do
                run crun --rm --userns "$mode" bb:1 true
                expect_status 125
                expect_text "--userns: invalid USER mode: $mode"
        done
        run crun --rm --userns keep-id bb:1 true
        expect_status 125
        expect_text "--userns=keep-id is for ordinary users"
        run crun --rm --userns auto --runtime /bin/true bb:1 true
        expect_status 125
        expect_text "--runtime=/bin/true: user namespaces are for containers of our own runtime"
        run crun --rm --userns container:nobody bb:1 true
        expect_status 125
        expect_text "No such container: nobody"
}
