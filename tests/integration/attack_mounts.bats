# Attacks on the making of the root file system: by links and exchanges in mount targets, by a false /proc, by what
# writes to /proc are led to, by a replaced /dev/null. The attacker owns the image and the volumes.
#
# That these tests can fail was seen by hand with Debian 12's runc 1.1.5 and crun 1.8.1 (RUNTIME=/usr/sbin/runc); the
# tests say which of the two fails.

load lib

setup() {
        setup_bundle
        ATTACKER=$CORACLE_BUILD/tests/integration/tools/tool-attacker
        OUTSIDE=$TEST_DIR/outside
        mkdir "$OUTSIDE" "$TEST_DIR/volume"
        echo 4711-0815 >"$OUTSIDE/secret"
        outside_before=$(show_outside)
}

teardown() {
        [ -z "${attacker:-}" ] || kill "$attacker" 2>/dev/null || true
        teardown_bundle
}

show_outside() { (cd "$OUTSIDE" && find . -printf '%y %m %u %p %l\n' | sort && cat secret); }

# Nothing was made, changed or removed on the host, beside the bundle.
expect_outside_unharmed() {
        expect_equal "$(show_outside)" "$outside_before" "what lies outside of the container"
}

add_mount() { # JQ-OBJECT [JQ-ARGUMENT...] - one more entry at the end of mounts
        local what=$1
        shift
        config ".mounts += [$what]" "$@"
}

without_mount() { # DESTINATION
        config '.mounts |= map(select(.destination != $d))' --arg d "$1"
}

# ------------------------------------------------------------------------------------------- links and races in targets

# CVE-2021-30465 and CVE-2024-45310. runc 1.1.5 makes folders on the host within a few starts (the sixth, when tried).
@test "a mount target whose parent is exchanged with a link stays in the container" {
        local i
        mkdir "$TEST_DIR/volume/way"
        ln -s "$OUTSIDE" "$TEST_DIR/volume/link"
        "$ATTACKER" exchange "$TEST_DIR/volume/way" "$TEST_DIR/volume/link" "${BATS_TEST_TIMEOUT:-120}" >/dev/null 3>&- &
        attacker=$!
        add_mount '{destination: "/volume", type: "bind", source: $v, options: ["rbind"]}' --arg v "$TEST_DIR/volume"
        for i in 1 2 3 4; do
                add_mount '{destination: $d, type: "tmpfs", source: "tmpfs"}' --arg d "/volume/way/0-d$i/e"
                add_mount '{destination: $d, type: "bind", source: "/etc/hostname", options: ["bind"]}' \
                        --arg d "/volume/way/0-f$i/file"
        done
        config_args /bin/true
        for i in $(seq 40); do
                sed -i "s,/volume/way/[0-9]*,/volume/way/$i," "$BUNDLE/config.json" # never what an earlier round made
                runtime run --bundle "$BUNDLE" "$ID-$i" </dev/null >/dev/null 2>&1 || true
                [ "$(show_outside)" = "$outside_before" ] || break
        done
        kill "$attacker"
        expect_outside_unharmed
        # and it was not for lack of trying: the same succeeds without the attacker
        wait "$attacker" || true
        attacker=
        [ ! -L "$TEST_DIR/volume/link" ] || rm "$TEST_DIR/volume/link"
        [ ! -L "$TEST_DIR/volume/way" ] || { rm "$TEST_DIR/volume/way" && mv "$TEST_DIR/volume/link" "$TEST_DIR/volume/way"; }
        run run_container
        expect_status 0
}

@test "the last name of a mount target, exchanged with a link, stays in the container" {
        local i
        mkdir "$TEST_DIR/volume/target"
        ln -s "$OUTSIDE" "$TEST_DIR/volume/link"
        "$ATTACKER" exchange "$TEST_DIR/volume/target" "$TEST_DIR/volume/link" "${BATS_TEST_TIMEOUT:-120}" >/dev/null 3>&- &
        attacker=$!
        mkdir "$TEST_DIR/mine"
        echo mine >"$TEST_DIR/mine/marker"
        add_mount '{destination: "/volume", type: "bind", source: $v, options: ["rbind"]}' --arg v "$TEST_DIR/volume"
        add_mount '{destination: "/volume/target", type: "bind", source: $m, options: ["bind"]}' --arg m "$TEST_DIR/mine"
        # what is mounted by the first is the parent of the second: were the first outside, so would be what is made here
        add_mount '{destination: "/volume/target/below/more", type: "tmpfs", source: "tmpfs"}'
        config_args cat /volume/target/marker /volume/link/marker
        for i in $(seq 30); do
                run runtime run --bundle "$BUNDLE" "$ID-$i" </dev/null
                expect_no_text 4711-0815
                [ "$(show_outside)" = "$outside_before" ] || break
        done
        expect_outside_unharmed
}

@test "targets by way of links, absolute, relative, dangling and circular, stay in the container" {
        local name
        ln -s "$OUTSIDE" "$ROOTFS/absolute"
        ln -s "../../../../../../../../../../../..$OUTSIDE" "$ROOTFS/relative"
        ln -s "$OUTSIDE/new/deeper" "$ROOTFS/dangling"
        ln -s /proc/1/root"$OUTSIDE" "$ROOTFS/magic"
        ln -s /proc/self/cwd "$ROOTFS/cwd"
        ln -s circular "$ROOTFS/circular"
        for name in absolute relative dangling magic cwd circular; do
                without_mount "/$name"
                config '.mounts = [.mounts[] | select(.destination | test("^/(absolute|relative|dangling|magic|cwd|circular)") | not)]'
                add_mount '{destination: $d, type: "tmpfs", source: "tmpfs"}' --arg d "/$name/dir"
                add_mount '{destination: $d, type: "bind", source: "/etc/hostname", options: ["bind"]}' --arg d "/$name/file"
                config_args /bin/sh -c 'cat /absolute/secret /relative/secret'
                run run_container "$ID-$name"
                expect_no_text "$(cat "$OUTSIDE/secret")"
                expect_outside_unharmed
        done
}

@test "a volume over / by a link does not let the container see the host" {
        ln -s / "$ROOTFS/top"
        add_mount '{destination: "/top", type: "bind", source: $v, options: ["bind"]}' --arg v "$TEST_DIR/volume"
        config_args /bin/sh -c "ls $OUTSIDE; cat $OUTSIDE/secret; mount"
        run run_container
        expect_no_text 4711-0815 "$OUTSIDE "
        expect_outside_unharmed
}

# ------------------------------------------------------------------------------------------------------- a false /proc

# CVE-2019-16884 and CVE-2019-19921: what a runtime says to /proc must arrive. crun 1.8.1 lets a tmpfs be put there.
@test "nothing but a procfs can be put at /proc" {
        mkdir -p "$TEST_DIR/volume/self/attr"
        local type
        for type in '{destination: "/proc", type: "bind", source: $v, options: ["rbind"]}' \
                '{destination: "/proc/", type: "bind", source: $v, options: ["bind"]}' \
                '{destination: "/proc/.", type: "bind", source: $v, options: ["bind"]}' \
                '{destination: "/bin/../proc", type: "bind", source: $v, options: ["bind"]}' \
                '{destination: "/proc", type: "tmpfs", source: "tmpfs"}' \
                '{destination: "/proc", type: "bind", source: "/proc/self", options: ["bind"]}'; do
                cp "$BUNDLE/config.json" "$TEST_DIR/saved"
                add_mount "$type" --arg v "$TEST_DIR/volume"
                config_args echo started
                run run_container
                expect_failure
                expect_text /proc
                expect_no_text started
                # also instead of the procfs
                cp "$TEST_DIR/saved" "$BUNDLE/config.json"
                without_mount /proc
                add_mount "$type" --arg v "$TEST_DIR/volume"
                config_args echo started
                run run_container
                expect_failure
                expect_no_text started
                cp "$TEST_DIR/saved" "$BUNDLE/config.json"
        done
}

# runc 1.1.5 allows a tmpfs there, crun 1.8.1 everything.
@test "nothing can be put over what is in /proc, not by a link either" {
        local at
        ln -s /proc "$ROOTFS/away"
        ln -s ../proc/self "$ROOTFS/tmp/me"
        mkdir "$TEST_DIR/volume/d"
        touch "$TEST_DIR/volume/f"
        for at in /proc/self/attr /proc/sys /proc/1 /proc/self/attr/exec /proc/sys/kernel/hostname /away /away/sys \
                /away/self/attr /tmp/me /tmp/me/attr /tmp/me/fd /proc/../proc/sys; do
                cp "$BUNDLE/config.json" "$TEST_DIR/saved"
                case $at in */exec | */hostname) add_mount '{destination: $at, type: "bind", source: $v, options: ["bind"]}' \
                        --arg at "$at" --arg v "$TEST_DIR/volume/f" ;;
                *) add_mount '{destination: $at, type: "bind", source: $v, options: ["bind"]}' \
                        --arg at "$at" --arg v "$TEST_DIR/volume/d" ;;
                esac
                config_args echo started
                run run_container
                expect_failure || { echo "at $at"; return 1; }
                expect_no_text started
                cp "$TEST_DIR/saved" "$BUNDLE/config.json"
                add_mount '{destination: $at, type: "tmpfs", source: "tmpfs"}' --arg at "$at"
                config_args echo started
                run run_container
                expect_failure || { echo "tmpfs at $at"; return 1; }
                expect_no_text started
                cp "$TEST_DIR/saved" "$BUNDLE/config.json"
        done
}

# CVE-2023-27561 and CVE-2023-28642
@test "an image whose /proc or /sys is a link is refused" {
        local name
        config_args echo started
        for name in proc sys; do
                mkdir -p "$ROOTFS/tmp/fake/self/attr"
                mv "$ROOTFS/$name" "$ROOTFS/$name.real"
                for to in /tmp/fake tmp/fake ../tmp/fake /tmp/fake/none; do
                        ln -sfn "$to" "$ROOTFS/$name"
                        run run_container
                        expect_failure || { echo "/$name -> $to"; return 1; }
                        expect_no_text started
                done
                rm "$ROOTFS/$name"
                mv "$ROOTFS/$name.real" "$ROOTFS/$name"
        done
        run run_container
        expect_output started
}

# ------------------------------------------------------------------------------------------- writes to /proc led astray

# CVE-2025-52881. A container without a procfs: the image's own files are at the places of /proc.
@test "kernel parameters, limits and labels are not written to the image's files" {
        without_mount /proc
        config '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
        mkdir -p "$ROOTFS"/proc/{self,1,thread-self}/attr "$ROOTFS/proc/sys/net/ipv4" "$ROOTFS/proc/sys/kernel"
        local f
        for f in self/oom_score_adj 1/oom_score_adj self/attr/exec self/attr/keycreate sys/net/ipv4/ip_forward \
                sys/kernel/domainname self/setgroups self/uid_map; do
                echo false >"$ROOTFS/proc/$f"
        done
        config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .process.oomScoreAdj = 321'
        config_args sleep 1000
        start_detached
        for f in $(cd "$ROOTFS" && find proc -type f); do
                expect_equal "$(cat "$ROOTFS/$f")" false "$f"
        done
        local pid
        pid=$(container_pid)
        expect_equal "$(cat "/proc/$pid/oom_score_adj")" 321 oom_score_adj
        expect_equal "$(nsenter_container -n cat /proc/sys/net/ipv4/ip_forward)" 1 ip_forward
}

# runc 1.1.5 does not get into this container at all, crun 1.8.1 loses the value.
@test "exec is not misled by a container that has replaced its /proc" {
        local f init
        config_args sleep 1000
        start_detached
        init=$(container_pid)
        nsenter_container -m -- /bin/busybox sh -c 'umount -l /proc
                mkdir -p /proc/self/attr /proc/self/fd /proc/1/ns /proc/self/task /proc/sys
                for i in 0 1 2 3 4 5 6 7 8 9; do ln -s /bin /proc/self/fd/$i; done
                for f in oom_score_adj attr/exec uid_map setgroups status cgroup; do echo false >/proc/self/$f; done'
        jq '.process | .args = ["/bin/sh", "-c", "echo in; sleep 1000"] | .oomScoreAdj = 432' "$BUNDLE/config.json" \
                >"$TEST_DIR/process.json"
        runtime exec --detach --pid-file "$TEST_DIR/pid" --process "$TEST_DIR/process.json" "$ID" </dev/null \
                >"$TEST_DIR/exec.out" 2>&1
        expect_equal "$(cat "/proc/$(cat "$TEST_DIR/pid")/oom_score_adj")" 432 oom_score_adj
        expect_equal "$(stat -L -c %i "/proc/$(cat "$TEST_DIR/pid")/ns/mnt")" "$(stat -L -c %i "/proc/$init/ns/mnt")" namespace
        for f in oom_score_adj attr/exec uid_map setgroups status cgroup; do
                expect_equal "$(cat "$ROOTFS/proc/self/$f")" false "$f"
        done
}

# crun 1.8.1 starts this.
@test "a mount below the container's /proc cannot redirect a kernel parameter" {
        # by a path that the runtime cannot know to be /proc before it gets there
        ln -s /proc/sys "$ROOTFS/params"
        echo false >"$TEST_DIR/volume/hostname"
        mkdir "$TEST_DIR/volume/kernel"
        config '.mounts += [{destination: "/params/kernel", type: "bind", source: $v, options: ["bind"]}] |
                .linux.sysctl = {"kernel.shm_rmid_forced": "1"}' --arg v "$TEST_DIR/volume/kernel"
        config_args echo started
        run run_container
        expect_failure
        expect_no_text started
        expect_equal "$(ls "$TEST_DIR/volume/kernel")" "" "what was written"
}

# --------------------------------------------------------------------------------------------------------- masked paths

# CVE-2025-31133. runc 1.1.5 and crun 1.8.1 put what the image has at /dev/null over the masked file, which is how a
# container gets to write to the host's kernel parameters; here it is a harmless one.
@test "masked paths are not masked by the image's /dev/null" {
        local kind
        without_mount /dev/shm
        without_mount /dev/pts
        without_mount /dev/mqueue
        without_mount /dev
        config '.linux.maskedPaths = ["/proc/timer_list", "/tmp/masked"] | .linux.readonlyPaths = []'
        config_args /bin/sh -c 'echo started; stat -c %t:%T /tmp/masked /proc/timer_list; grep -E " (/tmp/masked|/proc/timer_list) " /proc/self/mountinfo'
        for kind in link file folder device; do
                [ "$kind" != device ] || [ "$EUID" = 0 ] || continue # which only root can make
                rm -rf "${ROOTFS:?}/dev" && mkdir "$ROOTFS/dev"
                echo original >"$ROOTFS/tmp/masked"
                case $kind in
                link) ln -s /proc/sys/kernel/ngroups_max "$ROOTFS/dev/null" ;;
                file) echo mine >"$ROOTFS/dev/null" ;;
                folder) mkdir "$ROOTFS/dev/null" ;;
                device) mknod "$ROOTFS/dev/null" c 1 5 ;;
                esac
                run run_container
                # refused, or masked by the true null device
                [ "$status" -ne 0 ] || expect_match $'^started\n1:3\n1:3' || { echo "kind $kind"; return 1; }
                [ "$status" -eq 0 ] || expect_no_text started
                expect_no_text ngroups_max original
        done
}

@test "masked paths by way of links do not reach outside" {
        ln -s "$OUTSIDE/secret" "$ROOTFS/tmp/masked"
        ln -s /proc/1/root "$ROOTFS/tmp/magic"
        config ".linux.maskedPaths = [\"/tmp/masked\", \"/tmp/magic$OUTSIDE\", \"/none/such\"] |
                .linux.readonlyPaths = [\"/tmp/magic$OUTSIDE\", \"/tmp/masked\"]"
        config_args cat /proc/self/mountinfo
        run run_container
        expect_no_text "$OUTSIDE/secret"
        expect_outside_unharmed
        echo more >"$OUTSIDE/new" && rm "$OUTSIDE/new"
}
