# Attacks by way of /dev: an image whose /dev is a link, a volume that ends up there, a replaced console or pts.
# CVE-2026-41579 (runc), CVE-2026-47766 (crun): nodes and links made, and `ptmx` removed, in a folder of the host. Debian's
# runc 1.1.5 fails with links that lead to an existing folder; its crun 1.8.1 puts the terminal over what a link at
# /dev/console names.

load lib

setup() {
        setup_bundle
        OUTSIDE=$TEST_DIR/outside
        mkdir "$OUTSIDE"
        for f in ptmx console fd; do echo mine >"$OUTSIDE/$f"; done
        outside_before=$(show_outside)
}

teardown() { teardown_bundle; }

show_outside() { (cd "$OUTSIDE" && find . -printf '%y %m %u %p %l\n' | sort && cat ptmx console fd); }

expect_outside_unharmed() {
        expect_equal "$(show_outside)" "$outside_before" "what lies outside of the container"
}

without_dev_mounts() {
        config '.mounts |= map(select(.destination | startswith("/dev") | not))'
}

# with_terminal COMMAND... - the command on a terminal of its own, for at most 30 s; what it shows
with_terminal() {
        local command
        printf -v command '%q ' "$@"
        timeout -k 5 "$RUNTIME_TIMEOUT" script -qec "$command" /dev/null </dev/null
}

run_on_terminal() { # shellcheck disable=SC2086
        with_terminal "$RUNTIME" --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} run --bundle "$BUNDLE" "$ID"
}

# Refused, or everything happened inside of the root.
attack_dev() { # TARGET-OF-LINK
        local terminal mounts
        for mounts in with without; do
                for terminal in false true; do
                        rm -rf "${ROOTFS:?}/dev"
                        ln -s "$1" "$ROOTFS/dev"
                        cp "$BUNDLE/config.json" "$TEST_DIR/saved"
                        [ "$mounts" = with ] || without_dev_mounts
                        config '.process.terminal = $t' --argjson t "$terminal"
                        config_args /bin/sh -c "test ! -e $OUTSIDE/ptmx || cat $OUTSIDE/ptmx"
                        if [ "$terminal" = true ]; then run run_on_terminal; else run run_container; fi
                        [ "$status" -lt 124 ] || fail "status $status" || return 1
                        expect_no_text mine || return 1
                        expect_outside_unharmed || { echo "$mounts mounts, terminal $terminal"; return 1; }
                        [ "$status" = 0 ] || expect_text dev || return 1
                        cp "$TEST_DIR/saved" "$BUNDLE/config.json"
                        runtime delete --force "$ID" >/dev/null 2>&1 || true
                done
        done
}

@test "an image whose /dev is an absolute link into the host" { attack_dev "$OUTSIDE"; }

@test "an image whose /dev is a relative link into the host" { attack_dev "../../../../../../../../../..$OUTSIDE"; }

@test "an image whose /dev is a dangling link" {
        attack_dev "$OUTSIDE/none"
        attack_dev none
}

@test "an image whose /dev is a link to a link of procfs" { attack_dev "/proc/1/root$OUTSIDE"; }

@test "an image whose /dev is a link to itself, a file or a device" {
        attack_dev dev
        attack_dev /etc/passwd
}

@test "links at the places of devices are not followed" {
        local name
        without_dev_mounts
        for name in null zero full random urandom tty fd stdin ptmx; do ln -s "$OUTSIDE/new-$name" "$ROOTFS/dev/$name"; done
        ln -s "$OUTSIDE" "$ROOTFS/dev/sub"
        config '.linux.devices = [{path: "/dev/sub/node", type: "c", major: 1, minor: 3},
                                  {path: "/dev/sub/../up", type: "c", major: 1, minor: 3}]'
        config_args /bin/true
        run run_container
        expect_outside_unharmed
}

@test "devices that the configuration asks for are made inside of the root" {
        ln -s "$OUTSIDE" "$ROOTFS/away"
        config '.linux.devices = [{path: "/away/node", type: "c", major: 1, minor: 3}]'
        config_args /bin/true
        run run_container
        expect_outside_unharmed
        config '.linux.devices = [{path: "/../../../../../../../../../..\($o)/node", type: "c", major: 1, minor: 3}]' --arg o "$OUTSIDE"
        run run_container
        expect_outside_unharmed
}

# The image has a link to /dev where the user wants a volume. runc 1.1.5 and crun 1.8.1 fill the volume and remove its ptmx.
@test "a volume that a link puts over /dev gets no devices and loses nothing" {
        local terminal
        ln -s /dev "$ROOTFS/data"
        config '.mounts += [{destination: "/data", type: "bind", source: $o, options: ["rbind", "rw"]}]' --arg o "$OUTSIDE"
        config_args /bin/true
        for terminal in false true; do
                config '.process.terminal = $t' --argjson t "$terminal"
                if [ "$terminal" = true ]; then run run_on_terminal; else run run_container; fi
                expect_outside_unharmed
        done
        # also with a /dev that is a part of the image
        without_dev_mounts
        config '.process.terminal = false | .mounts += [{destination: "/data", type: "bind", source: $o, options: ["rbind", "rw"]}]' \
                --arg o "$OUTSIDE"
        run run_container
        expect_outside_unharmed
}

@test "a link of the image does not bring a device onto a volume" {
        local link
        config '.mounts += [{destination: "/data", type: "bind", source: $o, options: ["rbind", "rw"]}]' --arg o "$OUTSIDE"
        config_args true
        for link in opt:/opt/node dev/net:/dev/net/tun srv:/srv/deep/node; do
                cp "$BUNDLE/config.json" "$TEST_DIR/saved"
                without_dev_mounts
                ln -s /data "$ROOTFS/${link%%:*}"
                config '.linux.devices = [{path: $p, type: "c", major: 1, minor: 3}]' --arg p "${link#*:}"
                run run_container
                expect_failure
                expect_text "${link#*:}" "meant for another place"
                [ -z "$(find "$OUTSIDE" -type c)" ]
                rm -rf "$OUTSIDE/deep"
                rm "$ROOTFS/${link%%:*}"
                cp "$TEST_DIR/saved" "$BUNDLE/config.json"
        done
        expect_outside_unharmed
}

@test "devices are made where they are meant to be: on the root, on a tmpfs, in a folder of /dev, on a volume that is named" {
        skip_unless root # a user gets those that the host has at the same places
        config '.mounts += [{destination: "/data", type: "bind", source: $o, options: ["rbind", "rw"]},
                        {destination: "/run", type: "tmpfs"}] |
                .linux.devices = ["/opt/node", "/run/a/node", "/dev/net/tun", "/data/node" | {path: ., type: "c", major: 1, minor: 3}]' --arg o "$OUTSIDE"
        config_args sh -c 'echo x >/opt/node && echo x >/run/a/node && echo x >/dev/net/tun && echo x >/data/node && echo made'
        mount --bind "$TEST_DIR" "$TEST_DIR" # /tmp is nodev on many machines
        mount -o remount,bind,dev "$TEST_DIR"
        run run_container
        umount "$TEST_DIR"
        expect_status 0
        expect_output made
        rm "$OUTSIDE/node"
}

@test "a volume at /dev itself is the user's will, and nothing is made in it" {
        without_dev_mounts
        config '.mounts += [{destination: "/dev", type: "bind", source: $o, options: ["rbind", "rw"]}] |
                .linux.maskedPaths = [] | .linux.readonlyPaths = []' --arg o "$OUTSIDE"
        config_args /bin/true
        run run_container
        expect_status 0
        expect_outside_unharmed
}

# ------------------------------------------------------------------------------------------------------------- console

# CVE-2025-52565: what is put at /dev/console has to be the terminal, not what a path of that name leads to meanwhile
@test "a replaced pts or console gets neither the terminal nor a mount over something else" {
        local kind
        without_dev_mounts
        config '.process.terminal = true | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
        config_args /bin/sh -c 'echo "fd0: $(readlink /proc/self/fd/0)"; grep -E "console|ngroups" /proc/self/mountinfo'
        for kind in pts-link pts-folder pts-file console-link console-folder ptmx-file; do
                rm -rf "${ROOTFS:?}/dev"
                mkdir "$ROOTFS/dev"
                case $kind in
                pts-link) ln -s "$OUTSIDE" "$ROOTFS/dev/pts" ;;
                pts-folder) mkdir "$ROOTFS/dev/pts" && for i in 0 1 2 ptmx; do ln -s /proc/sys/kernel/ngroups_max "$ROOTFS/dev/pts/$i"; done ;;
                pts-file) echo mine >"$ROOTFS/dev/pts" ;;
                console-link) ln -s /proc/sys/kernel/ngroups_max "$ROOTFS/dev/console" ;;
                console-folder) mkdir "$ROOTFS/dev/console" ;;
                ptmx-file) echo mine >"$ROOTFS/dev/ptmx" ;;
                esac
                run run_on_terminal
                [ "$status" -lt 124 ] || fail "status $status"
                expect_no_text ngroups_max
                expect_outside_unharmed
                runtime delete --force "$ID" >/dev/null 2>&1 || true
        done
}

@test "a link at /dev/console, with a devpts of the container's own, is not followed" {
        # the volume is put over the new tmpfs, so that the image has its say there
        mkdir "$TEST_DIR/dev" "$TEST_DIR/dev/pts"
        ln -s /proc/sys/kernel/ngroups_max "$TEST_DIR/dev/console"
        config '.process.terminal = true | .linux.maskedPaths = [] | .linux.readonlyPaths = [] |
                .mounts |= map(select(.destination | startswith("/dev") | not)) |
                .mounts += [{destination: "/dev/pts", type: "devpts", source: "devpts",
                             options: ["newinstance", "ptmxmode=0666", "mode=0620"]}]'
        rm -rf "${ROOTFS:?}/dev"
        mv "$TEST_DIR/dev" "$ROOTFS/dev"
        config_args cat /proc/self/mountinfo
        run run_on_terminal
        expect_no_text ngroups_max
}

@test "exec with a terminal in a container that replaced /dev/pts is refused" {
        config_args sleep 1000
        start_detached
        nsenter_container -m -- /bin/busybox sh -c 'umount -l /dev/pts; echo mine >/dev/pts/ptmx; ln -s /proc/sys/kernel/ngroups_max /dev/pts/0'
        run with_terminal "$RUNTIME" --root "$STATE_ROOT" exec -t "$ID" echo started
        expect_no_text started
        expect_text /dev/pts
}
