#!/usr/bin/env bats
# Debian packages on a machine whose process 1 is systemd: installed by dpkg, ruled by systemctl, upgraded under containers that
# run, removed and purged. `make check-deb-amd64` and `make check-deb-riscv64` make packages and a machine to do it to.
#
# Each test goes on with what the one before has left: packages, units and containers are those of the machine. What is
# done is done in the namespaces of process 1, as by somebody who has logged in.
# runs alone

load ../integration/lib

needs() {
        skip_unless root systemd
        [ -n "${CORACLE_PACKAGES:-}" ] || skip "needs packages to install and a machine of their own: runs with make check-deb-amd64"
        ! command -v coracle >/dev/null || skip "coracle is installed on this machine, and stays as it is: runs with make check-deb-amd64"
}

setup_file() {
        WHY_SKIPPED=$(why_skip needs) && export WHY_SKIPPED
        [ -z "$WHY_SKIPPED" ] || return 0
        export OLDER=$BATS_FILE_TMPDIR/older BUSYBOX=/usr/local/lib/coracle-test-busybox
        "$SOURCE_DIR/tests/packages/older" "$CORACLE_PACKAGES" "$OLDER"
        install -D "$(find_busybox)" "$BUSYBOX"
}

setup() {
        [ -z "$WHY_SKIPPED" ] || skip "$WHY_SKIPPED"
        VERSION=$(dpkg-deb -f "$CORACLE_PACKAGES"/coracle_*.deb Version)
}

teardown_file() {
        [ -z "$WHY_SKIPPED" ] || return 0
        as_user systemctl --user disable --now coracle || true
        here dpkg --purge coracle{,-cni,-init,-proxy,-runtime,-systemd,-usernet} || true
        rm -rf /var/lib/coracle /home/user/.local/share/coracle "$BUSYBOX"
}

# here COMMAND... - by root
here() {
        timeout -k 10 "$((RUNTIME_TIMEOUT * 2))" nsenter --mount=/proc/1/ns/mnt -- env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
                PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null 3>&-
}

# as_user COMMAND... - by the user of the machine, who has logged in
as_user() {
        here setpriv --reuid user --regid user --init-groups env HOME=/home/user USER=user XDG_RUNTIME_DIR="/run/user/$(id -u user)" "$@"
}

# hold WHO NAME FLAG... - WHO (here, as_user) starts a container that stays
hold() {
        "$1" coracle run -d --name "$2" --network none -v "$BUSYBOX:/busybox:ro" --entrypoint /busybox "${@:3}" hello sleep 100000
}

state() { # WHO NAME
        "$1" coracle inspect -f '{{.State.Status}}' "$2"
}

pid() { # WHO NAME
        "$1" coracle inspect -f '{{.State.Pid}}' "$2"
}

is() { # WHO NAME STATE
        [ "$(state "$1" "$2")" = "$3" ]
}

@test "dpkg installs them; systemd knows the units, and no other" {
        run -0 here dpkg --install "$OLDER"/*.deb
        expect_equal "$(here systemctl is-enabled coracle.service)" enabled
        expect_equal "$(here systemctl is-active coracle.service)" active
        expect_equal "$(here systemctl --global is-enabled coracle.service || true)" disabled
        expect_equal "$(here systemctl is-enabled coracle-dhcp.socket || true)" disabled
        run -0 here systemd-analyze verify --man=no coracle.service coracle-dhcp.socket
        run -0 here systemctl list-units --state failed --plain --no-legend 'coracle*'
        expect_output ""
        run -0 here coracle run --rm hello
        expect_text "Hello from"
        run -0 here coracle system doctor
}

@test "a container is in a scope of systemd, with the limits that it was given" {
        local scope
        run -0 hold here limited --memory 64m --pids-limit 33
        scope=$(sed -n 's/^0:://p' "/proc/$(pid here limited)/cgroup")
        [[ $scope =~ ^/system\.slice/[^/]*\.scope(/|$) ]] || fail "the cgroup is $scope"
        scope=${scope%%.scope*}.scope
        expect_equal "$(here systemctl show -P MemoryMax -P TasksMax "${scope##*/}")" $'67108864\n33'
        run -0 here coracle rm -f limited
        refute here systemctl is-active "${scope##*/}"
}

@test "the unit starts the containers that want it, and stops all" {
        run -0 hold here always --restart always
        run -0 hold here never
        run -0 here systemctl stop coracle.service
        is here always exited
        is here never exited
        run -0 here systemctl start coracle.service
        is here always running
        is here never exited
        run ! grep -q coracle.service "/proc/$(pid here always)/cgroup" # or a restart of the unit would end it
}

@test "logs go to the journal of the machine" {
        run -0 here coracle run --name spoke --network none --log-driver journald -v "$BUSYBOX:/busybox:ro" --entrypoint /busybox hello echo said once
        said() { here journalctl --sync && here journalctl -o cat CONTAINER_NAME=spoke | grep -qx "said once"; }
        wait_until said
        run -0 here coracle logs spoke
        expect_output "said once"
        run -0 here coracle rm spoke
}

@test "a user's containers have a unit of the user's own systemd" {
        local cgroup
        id user >/dev/null 2>&1 || skip "there is no user called user, who lingers: runs with make check-deb-amd64"
        run -0 as_user systemctl --user enable --now coracle.service
        run -0 hold as_user mine --restart always --memory 64m
        cgroup=$(sed -n 's/^0:://p' "/proc/$(pid as_user mine)/cgroup")
        [[ $cgroup =~ /user@[0-9]+\.service/.*\.scope(/|$) ]] || fail "the cgroup is $cgroup"
        run -0 as_user coracle exec mine /busybox cat /proc/self/cgroup # by somebody outside of all that is the user's
        expect_output "0::/"
        run ! here coracle inspect mine
        run -0 as_user systemctl --user stop coracle.service
        is as_user mine exited
        run -0 as_user systemctl --user start coracle.service
        is as_user mine running
}

@test "podman runs containers by the installed runtime" {
        skip_unless "program podman"
        local root=$BATS_TEST_TMPDIR/root
        mkdir -p "$root/bin" && cp "$BUSYBOX" "$root/bin/busybox"
        run -0 here podman --runtime /usr/bin/coracle-runtime run --rm --network none --rootfs "$root" /bin/busybox echo by podman
        expect_text "by podman"
}

@test "an upgrade leaves containers alone, and the new programs rule them" {
        local always mine started
        always=$(pid here always) mine=$(pid as_user mine) started=$(here systemctl show -P ActiveEnterTimestampMonotonic coracle.service)
        run -0 here dpkg --install "$CORACLE_PACKAGES"/*.deb
        expect_equal "$(dpkg-query -W -f '${Version}' coracle)" "$VERSION"
        expect_equal "$(here systemctl is-enabled coracle.service)" enabled
        expect_equal "$(here systemctl is-active coracle.service)" active
        expect_equal "$(here systemctl show -P ActiveEnterTimestampMonotonic coracle.service)" "$started"
        expect_equal "$(pid here always) $(pid as_user mine)" "$always $mine"
        run -0 here coracle exec always /busybox echo inside
        expect_output inside
        run -0 as_user coracle exec mine /busybox echo inside
        expect_output inside
        run -0 here coracle restart -t 0 always
        is here always running
        process_is_gone "$always"
        run -0 here coracle start never
}

@test "removal stops the containers; the next installation starts them again" {
        local always never
        always=$(pid here always) never=$(pid here never)
        run -0 here dpkg --remove coracle
        process_is_gone "$always"
        process_is_gone "$never"
        run here systemctl is-active coracle.service
        [ "$output" != active ]
        run -0 here coracle-runtime --version
        run -0 here dpkg --install "$CORACLE_PACKAGES"/coracle_*.deb
        expect_equal "$(here systemctl is-active coracle.service)" active
        is here always running
        is here never exited
}

@test "purge leaves the data, and nothing else" {
        local always
        always=$(pid here always)
        run -0 as_user systemctl --user disable --now coracle.service
        run -0 here dpkg --purge coracle{,-cni,-init,-proxy,-runtime,-systemd,-usernet}
        process_is_gone "$always"
        [ -s /var/lib/coracle/coracle.db ]
        run here find /etc /usr /var/lib /var/cache -path /var/lib/coracle -prune -o -path "$BUSYBOX" -prune -o -name '*coracle*' ! -name 'coracle-tests*' ! -path /etc/modules-load.d/coracle.conf -print
        expect_output ""
        run here systemctl list-units --all --plain --no-legend 'coracle*'
        expect_no_text "coracle.service"
        expect_no_text "coracle-dhcp"
        run here grep -c " /var/lib/coracle" /proc/1/mountinfo
        expect_output 0
}
