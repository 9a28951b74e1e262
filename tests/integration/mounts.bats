# mounts add, mounts remove: changing the mounts of a container that runs
load lib
setup() {
        setup_bundle
        mkdir "$TEST_DIR/share"
        echo shared >"$TEST_DIR/share/file"
}
teardown() { teardown_bundle; }

# start - a container that sleeps
start() {
        config_args sleep 1000
        start_detached
}

# mounts VERB JSON [JQ-ARGUMENT...] - `mounts` with a file that holds this; $dir is the shared folder
mounts() {
        local verb=$1 filter=$2
        shift 2
        jq -n "$filter" --arg dir "$TEST_DIR/share" "$@" >"$TEST_DIR/mounts.json" || return 1
        runtime mounts "$verb" "$ID" "$TEST_DIR/mounts.json"
}

@test "a folder of the host appears in a running container, and goes away again" {
        start
        run mounts add '[{destination: "/mnt/new", type: "bind", source: $dir, options: ["bind"]}]'
        expect_status 0
        run runtime exec "$ID" cat /mnt/new/file
        expect_output shared
        # written in the container, seen outside
        runtime exec "$ID" sh -c 'echo inside > /mnt/new/other'
        expect_equal "$(cat "$TEST_DIR/share/other")" inside
        run mounts remove '[{destination: "/mnt/new"}]'
        expect_status 0
        run runtime exec "$ID" ls /mnt/new
        expect_output ""
        [ -f "$TEST_DIR/share/file" ]
}

@test "the host's mount table does not show what was added" {
        start
        local before
        before=$(own_mounts)
        mounts add '[{destination: "/mnt/new", source: $dir, options: ["rbind"]}]'
        expect_equal "$(own_mounts)" "$before" mountinfo
}

@test "attributes hold for an added mount" {
        start
        mounts add '[{destination: "/mnt/ro", source: $dir, options: ["bind", "ro", "nosuid", "noexec"]}]'
        run runtime exec "$ID" touch /mnt/ro/new
        expect_failure
        expect_text "Read-only file system"
        run runtime exec "$ID" sh -c 'grep " /mnt/ro " /proc/self/mounts'
        expect_match ' ro,nosuid,(nodev,)?noexec'
}

@test "a single file can be mounted, and unmounted" {
        start
        mounts add '[{destination: "/etc/added", source: ($dir + "/file"), options: ["bind", "ro"]}]'
        run runtime exec "$ID" cat /etc/added
        expect_output shared
        mounts remove '[{destination: "/etc/added"}]'
        run runtime exec "$ID" cat /etc/added
        expect_output ""
}

@test "new file systems can be added: tmpfs and proc" {
        skip_unless root
        start
        mounts add '[{destination: "/mnt/tmp", type: "tmpfs", source: "tmpfs", options: ["size=64k", "mode=700"]},
                     {destination: "/mnt/proc", type: "proc", source: "proc"}]'
        run runtime exec "$ID" sh -c 'grep -c " /mnt/tmp tmpfs .*size=64k" /proc/self/mounts; stat -c %a /mnt/tmp'
        expect_output $'1\n700'
        # it is the container's own procfs: process 1 is the container's
        run runtime exec "$ID" cat /mnt/proc/1/comm
        expect_output sleep
}

@test "what is done by a link in the container stays in the container" {
        mkdir "$ROOTFS/trap"
        ln -s "$TEST_DIR/share" "$ROOTFS/trap/absolute"
        ln -s ../../../../../../../../media "$ROOTFS/trap/relative"
        start
        mkdir "$TEST_DIR/other"
        touch "$TEST_DIR/other/evidence"
        mounts add '[{destination: "/trap/absolute", source: $other, options: ["bind"]},
                     {destination: "/trap/relative", source: $other, options: ["bind"]}]' --arg other "$TEST_DIR/other"
        [ ! -e "$TEST_DIR/share/evidence" ]
        [ ! -e /media/evidence ]
        run runtime exec "$ID" ls "/media/evidence" "$TEST_DIR/share/evidence"
        expect_status 0
}

@test "nothing is mounted over what /proc says" {
        start
        run mounts add '[{destination: "/proc/1/attr", source: $dir, options: ["bind"]}]'
        expect_failure
        expect_text "/proc/1/attr" "inside /proc"
        run mounts add '[{destination: "/proc", source: $dir, options: ["bind"]}]'
        expect_failure
        expect_text '"/proc"'
}

@test "a fake /proc in the container does not mislead the removal" {
        start
        mounts add '[{destination: "/mnt/victim", source: $dir, options: ["bind"]},
                     {destination: "/etc/added", source: ($dir + "/file"), options: ["bind"]}]'
        nsenter_container -m -- /bin/busybox sh -c 'umount -l /proc && mkdir -p /proc/self/fd &&
                for i in $(seq 0 60); do ln -s /mnt/victim /proc/self/fd/$i; done'
        run mounts remove '[{destination: "/etc/added"}]'
        expect_status 0
        run cat "/proc/$(container_pid)/mounts"
        expect_text " /mnt/victim "
        expect_no_text " /etc/added "
}

@test "when one of several mounts fails, none is left" {
        start
        run mounts add '[{destination: "/mnt/one", source: $dir, options: ["bind"]},
                         {destination: "/mnt/two", type: "tmpfs", options: ["size=nonsense"]}]'
        expect_failure
        expect_text "mounts[1] (/mnt/two)"
        run runtime exec "$ID" sh -c 'grep -c " /mnt/" /proc/self/mounts'
        expect_output 0
}

@test "in a container with a user namespace new things belong to its root" {
        skip_unless root userns
        config '.linux.namespaces += [{type: "user"}] |
                .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
                .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
        chown -R 100000:100000 "$ROOTFS"
        start
        mounts add '[{destination: "/mnt/bind", source: $dir, options: ["bind", "ro"]},
                     {destination: "/mnt/tmp", type: "tmpfs", source: "tmpfs"}]'
        run runtime exec "$ID" sh -c 'cat /mnt/bind/file; stat -c %u /mnt/tmp'
        expect_output $'shared\n0'
        mounts remove '[{destination: "/mnt/bind"}, {destination: "/mnt/tmp"}]'
        run runtime exec "$ID" grep -c " /mnt/" /proc/self/mounts
        expect_output 0
}

@test "an added mount with ids mapped as the container's" {
        skip_unless root userns
        config '.linux.namespaces += [{type: "user"}] |
                .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
                .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
        chown -R 100000:100000 "$ROOTFS"
        start
        run mounts add '[{destination: "/mnt/bind", source: $dir, options: ["bind", "idmap"]}]'
        if [[ $output == *"does its filesystem support id mapping"* ]]; then
                skip "the file system of $TEST_DIR has no id-mapped mounts: runs where the test folder is on ext4, xfs or btrfs"
        fi
        if ! kernel_at_least 5.12; then # with the ids of others it would be another mount than was asked for
                expect_failure
                expect_text "idmapped mounts need Linux 5.12"
                return
        fi
        expect_status 0
        run runtime exec "$ID" stat -c %u /mnt/bind/file
        expect_output 0
}

@test "a mount can be removed only where there is one, and never the root" {
        start
        run mounts remove '[{destination: "/mnt"}]'
        expect_failure
        expect_text "mounts[0] (/mnt)"
        run mounts remove '[{destination: "/"}]'
        expect_failure
        expect_text "root"
        run mounts remove '[{destination: "/no/such/place"}]'
        expect_failure
        expect_text "/no/such/place"
        run runtime exec "$ID" true
        expect_status 0
}

@test "a wrong file of mounts is refused, by name" {
        start
        run mounts add '{destination: "/mnt"}'
        expect_failure
        expect_text mounts.json "expected an array of mounts"
        run mounts add '[{source: "/tmp"}]'
        expect_failure
        expect_text "[0].destination"
        run mounts add '[{destination: "mnt", source: $dir, options: ["bind"]}]'
        expect_failure
        expect_text "[0].destination" absolute
        printf '[], "mounts": []' >"$TEST_DIR/mounts.json"
        run runtime mounts add "$ID" "$TEST_DIR/mounts.json"
        expect_status 0
        printf '[], "more": []' >"$TEST_DIR/mounts.json"
        run runtime mounts add "$ID" "$TEST_DIR/mounts.json"
        expect_failure
        expect_text mounts.json
        run runtime mounts add "$ID" "$TEST_DIR/absent.json"
        expect_failure
        expect_text absent.json
        run runtime mounts change "$ID" "$TEST_DIR/mounts.json"
        expect_failure
        expect_text "add or remove"
        run mounts add '[{destination: "/mnt/x", source: "/no/such/source", options: ["bind"]}]'
        expect_failure
        expect_text "/no/such/source"
        run mounts add '[{destination: "/mnt/x", type: "cgroup", source: "cgroup"}]'
        expect_failure
        expect_text "type cgroup"
}

@test "a stopped container has no mounts to be changed" {
        config_args true
        start_detached
        wait_for stopped
        run mounts add '[{destination: "/mnt/x", source: $dir, options: ["bind"]}]'
        expect_failure
        expect_text "not running"
}

@test "mounts can be added before the start" {
        skip_unless root # before its program is there, init shows itself to no user
        config_args cat /mnt/new/file
        create_container
        mounts add '[{destination: "/mnt/new", source: $dir, options: ["bind"]}]'
        runtime start "$ID"
        wait_for stopped
        expect_equal "$(cat "$TEST_DIR/$ID.out")" shared
}

@test "mounts can be added while paused" {
        skip_unless "controller freezer"
        start
        runtime pause "$ID"
        mounts add '[{destination: "/mnt/new", source: $dir, options: ["bind"]}]'
        runtime resume "$ID"
        run runtime exec "$ID" cat /mnt/new/file
        expect_output shared
}

@test "a user without rights adds mounts to a container of theirs" {
        skip_unless root userns_for_all
        local program=$TEST_DIR/program
        cp "$(realpath "$RUNTIME")" "$program"
        chmod 755 "$program" "${TEST_DIR%/*}"
        mkdir "$TEST_DIR/home" # XDG_RUNTIME_DIR as well
        config 'del(.linux.cgroupsPath, .linux.resources) | .linux.namespaces |= map(select(.type != "network")) |
                .mounts |= map(select(.type != "cgroup" and .type != "sysfs")) |
                (.mounts[] | select(.type == "devpts").options) |= map(select(startswith("gid=") | not))'
        config_args sleep 1000
        jq -n '[{destination: "/mnt/new", source: $dir, options: ["bind", "ro"]},
                {destination: "/mnt/tmp", type: "tmpfs", source: "tmpfs"}]' --arg dir "$TEST_DIR/share" >"$TEST_DIR/mounts.json"
        chown -R 54321:54322 "$BUNDLE" "$TEST_DIR/home"
        as_user() {
                setpriv --reuid 54321 --regid 54322 --clear-groups env HOME="$TEST_DIR/home" XDG_RUNTIME_DIR="$TEST_DIR/home" \
                        timeout -k 5 "$RUNTIME_TIMEOUT" "$program" "$@" </dev/null 3>&-
        }
        as_user run --detach --bundle "$BUNDLE" "$ID" >"$TEST_DIR/out" 2>&1 || fail "$(cat "$TEST_DIR/out")"
        run as_user mounts add "$ID" "$TEST_DIR/mounts.json"
        local added=$status text=$output seen
        seen=$(as_user exec "$ID" sh -c 'cat /mnt/new/file; touch /mnt/new/x 2>&1; stat -c %u /mnt/tmp; ls -d /mnt/tmp' || true)
        run as_user mounts remove "$ID" "$TEST_DIR/mounts.json"
        as_user delete --force "$ID"
        expect_equal "$added" 0 "exit status of mounts add ($text)"
        expect_equal "$seen" $'shared\ntouch: /mnt/new/x: Read-only file system\n0\n/mnt/tmp'
        expect_status 0
}
