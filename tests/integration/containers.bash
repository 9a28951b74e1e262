# shellcheck shell=bash
# Helpers for tests of containers, beside lib and registries (for the network namespace):
#
#   setup_containers     a store, a run folder and a network namespace of the test's own; the image bb:1 is busybox
#   coracle ARGUMENT...  the program; what is run or created gets --cgroup-parent "$CGROUP_PARENT", which is $TEST_CGROUP, or its
#                        slice where the engine lets systemd make the cgroups; container_cgroup ID says where that is
#   teardown_containers  removes every container, and fails if anything is left: processes, mounts, cgroups, folders

setup_containers() {
        skip_unless root # a user's containers are the concern of containers_rootless.bats
        setup_net
        TEST_CGROUP=${CORACLE_TEST_RUN:-coracle-test-$$}-${TEST_DIR##*-}
        export CORACLE_LIBEXEC=$CORACLE_BUILD/libexec COR_STORE=$TEST_DIR/store CORACLE_RUN=$TEST_DIR/run TZ=UTC
        CORACLE=$CORACLE_BUILD/src/cli/coracle
        choose_cgroup_parent
        make_busybox_image >/dev/null
}

make_busybox_image() {
        local archive=$BATS_RUN_TMPDIR/busybox.tar
        if [ ! -e "$archive" ]; then
                make_rootfs "$BATS_RUN_TMPDIR/busybox" && tar -C "$BATS_RUN_TMPDIR/busybox" -cf "$archive.new" . && mv "$archive.new" "$archive"
        fi
        coracle import -c 'CMD ["sh"]' "$archive" bb:1
}

coracle() { in_net timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE" "$@" 3>&-; }

# let_go NAME FILE - make the file that a container waits for. Who ends the container so may be ended with it.
let_go() { coracle exec "$1" touch "$2" || [ $? = 137 ]; }

# crun FLAG... - `run` with a cgroup that belongs to the test, without a network
crun() { coracle run --cgroup-parent "$CGROUP_PARENT" --network none "$@"; }

container_cgroup() { # ID
        if [[ $CGROUP_PARENT == *.slice ]]; then echo "/$CGROUP_PARENT/coracle-$1.scope"; else echo "$CGROUP_PARENT/$1"; fi
}

container_ids() { ls "$COR_STORE/containers" 2>/dev/null; }

teardown_containers() {
        local id left=
        [ -n "${TEST_DIR:-}" ] || return 0
        for id in $(container_ids); do coracle rm -f -v "$id" >/dev/null 2>&1 || left+=" container $id"; done
        for id in "$CORACLE_RUN"/*/*/monitor; do [ ! -e "$id" ] || left+=" $id"; done
        if grep -q "$TEST_DIR" /proc/self/mounts; then left+=" a mount in $TEST_DIR"; fi
        left+=$(processes_of "$COR_STORE")
        remove_cgroups "$TEST_CGROUP"
        teardown_net
        [ -z "$left" ] || { echo "left behind:$left"; return 1; }
}

# Monitors of this store that are still there after a moment: they end by themselves once their container has.
processes_of() {
        local found pid end=$((SECONDS + ${WAIT_SECONDS:-60}))
        while :; do
                found=
                for pid in /proc/[0-9]*; do
                        if [[ "$(tr '\0' ' ' 2>/dev/null <"$pid/cmdline")" == "coracle-monitor --store $1 "* ]]; then found+=" monitor ${pid#/proc/}"; fi
                done
                [ -n "$found" ] || return 0
                [ "$SECONDS" -lt "$end" ] || break
                sleep 0.2
        done
        echo "$found"
}
