#!/usr/bin/env bats
# root, mounts, devices and paths of config.json (OC-08 to OC-15, OC-19)
load lib
setup() { setup_bundle; }
teardown() { teardown_bundle; }

in_sh() { config_args sh -c "$1"; }
add_mount() { config ".mounts += [$1]"; }
mount_line() { grep " $1 " <<<"$output"; }

@test "root.readonly" {
        in_sh 'touch /x && echo written'
        run run_container
        expect_output written
        config '.root.readonly = true'
        run run_container
        expect_failure
        expect_text 'Read-only file system'
}

@test "the host's mounts are not seen, and none of the container's is seen by the host" {
        own_mounts >"$TEST_DIR/before"
        in_sh 'cat /proc/self/mountinfo'
        run run_container
        expect_status 0
        expect_no_text "$TEST_DIR/state"
        own_mounts | diff "$TEST_DIR/before" -
}

@test "--no-pivot moves the root instead" {
        in_sh 'ls / | tr "\n" " "'
        run run_container "$ID" --no-pivot
        expect_status 0
        expect_output 'bin dev etc proc root sys tmp usr var '
}

@test "bind mounts: read-write, read-only, of a file, of a relative source" {
        mkdir "$TEST_DIR/src" && echo text >"$TEST_DIR/src/file"
        cp "$TEST_DIR/src/file" "$BUNDLE/relative"
        add_mount "{destination: \"/rw\", type: \"bind\", source: \"$TEST_DIR/src\", options: [\"bind\"]}"
        add_mount "{destination: \"/ro\", type: \"bind\", source: \"$TEST_DIR/src\", options: [\"rbind\", \"ro\", \"nosuid\", \"nodev\", \"noexec\"]}"
        add_mount "{destination: \"/deep/er/file\", source: \"$TEST_DIR/src/file\", options: [\"bind\"]}"
        add_mount '{destination: "/rel", source: "relative", options: ["bind"]}'
        in_sh 'touch /rw/new; cat /deep/er/file /rel; touch /ro/x; grep " /ro " /proc/self/mountinfo'
        run run_container
        expect_status 0
        expect_text $'text\ntext' 'Read-only file system' 'ro,nosuid,nodev,noexec'
        [ -e "$TEST_DIR/src/new" ]
}

@test "the source of a bind mount that is missing is named" {
        add_mount '{destination: "/x", type: "bind", source: "/no/such/source", options: ["bind"]}'
        run run_container
        expect_failure
        expect_text /no/such/source
        refute container_state
}

@test "a directory cannot be bound over a file, nor the other way round" {
        touch "$ROOTFS/file"
        add_mount '{destination: "/file", type: "bind", source: "/tmp", options: ["bind"]}'
        run run_container
        expect_failure
        expect_match '[Nn]ot a directory'
}

@test "tmpfs with size, mode and flags" {
        add_mount '{destination: "/t", type: "tmpfs", source: "tmpfs", options: ["size=64k", "mode=1700", "nosuid", "noexec"]}'
        in_sh 'stat -c %a /t; dd if=/dev/zero of=/t/x bs=1k count=100; grep " /t " /proc/self/mountinfo'
        run run_container
        expect_text 1700 'No space left on device' 'nosuid,noexec' 'size=64k'
}

@test "a read-only tmpfs" {
        add_mount '{destination: "/t", type: "tmpfs", source: "tmpfs", options: ["ro"]}'
        in_sh 'touch /t/x'
        run run_container
        expect_text 'Read-only file system'
}

@test "an option that the file system does not know is named" {
        skip_unless "all calls" # mount(2) says that one is wrong, and not which
        add_mount '{destination: "/u", type: "tmpfs", source: "tmpfs", options: ["nonsense=1"]}'
        run run_container
        expect_failure
        expect_text nonsense /u
}

@test "tmpcopyup brings the content along: modes, owners, links, times" {
        skip_unless root
        mkdir -p "$ROOTFS/data/sub"
        echo body >"$ROOTFS/data/sub/file"
        ln -s sub/file "$ROOTFS/data/link"
        chmod 750 "$ROOTFS/data/sub" && chown 12:34 "$ROOTFS/data/sub/file" && touch -d 2001-02-03 "$ROOTFS/data/sub/file"
        add_mount '{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}'
        in_sh 'stat -c "%a %u:%g" /data/sub /data/sub/file; cat /data/link; stat -c %y /data/sub/file | cut -c1-10; echo new >/data/new'
        run run_container
        expect_status 0
        expect_output $'750 0:0\n644 12:34\nbody\n2001-02-03'
        [ ! -e "$ROOTFS/data/new" ]
}

@test "copy-symlink, src-nofollow and dest-nofollow" {
        ln -s /some/where "$TEST_DIR/link"
        add_mount "{destination: \"/copied\", type: \"bind\", source: \"$TEST_DIR/link\", options: [\"bind\", \"copy-symlink\"]}"
        in_sh 'readlink -n /copied || cat /proc/self/mountinfo'
        run run_container
        expect_status 0
        run readlink "$ROOTFS/copied"
        expect_output /some/where
}

@test "recursive attributes reach the mounts below" {
        skip_unless root
        mkdir -p "$TEST_DIR/top/below"
        mount -t tmpfs below "$TEST_DIR/top/below"
        add_mount "{destination: \"/a\", type: \"bind\", source: \"$TEST_DIR/top\", options: [\"rbind\", \"rro\", \"rnoexec\"]}"
        add_mount "{destination: \"/b\", type: \"bind\", source: \"$TEST_DIR/top\", options: [\"rbind\", \"ro\"]}"
        in_sh 'touch /a/below/x 2>/dev/null || echo a is; touch /b/below/x && echo b is not; grep /a/below /proc/self/mountinfo'
        run run_container
        umount "$TEST_DIR/top/below"
        expect_status 0
        expect_text 'a is' 'b is not' 'ro,noexec'
}

@test "propagation of a mount, and of the root" {
        skip_unless root
        mkdir "$TEST_DIR/src"
        mount --bind "$TEST_DIR/src" "$TEST_DIR/src" && mount --make-shared "$TEST_DIR/src"
        for mode in rshared rslave rprivate runbindable; do
                add_mount "{destination: \"/$mode\", type: \"bind\", source: \"$TEST_DIR/src\", options: [\"rbind\", \"$mode\"]}"
        done
        in_sh 'cat /proc/self/mountinfo'
        run run_container
        umount "$TEST_DIR/src"
        expect_status 0
        [[ $(mount_line /rshared) == *shared:* ]]
        [[ $(mount_line /rslave) == *master:* && $(mount_line /rslave) != *shared:* ]]
        [[ $(mount_line /rprivate) != *master:* && $(mount_line /rprivate) != *shared:* ]]
        [[ $(mount_line /runbindable) == *unbindable* ]]
}

@test "rootfsPropagation" {
        for mode in shared private unbindable; do
                config ".linux.rootfsPropagation = \"$mode\""
                in_sh 'grep " / / \| / rw" /proc/self/mountinfo | head -n 1'
                run run_container
                expect_status 0
                case $mode in
                shared) expect_text shared: ;;
                unbindable) expect_text unbindable ;;
                *) expect_no_text shared: master: ;;
                esac
        done
}

@test "an rshared mount carries mounts out to the host, an rslave one does not" {
        skip_unless root
        mkdir -p "$TEST_DIR/src/point"
        mount -t tmpfs src "$TEST_DIR/src" && mkdir "$TEST_DIR/src/point" && mount --make-shared "$TEST_DIR/src"
        config '.linux.rootfsPropagation = "rshared" | .process.capabilities.bounding += ["CAP_SYS_ADMIN"]
                | .process.capabilities.effective += ["CAP_SYS_ADMIN"] | .process.capabilities.permitted += ["CAP_SYS_ADMIN"]'
        add_mount "{destination: \"/src\", type: \"bind\", source: \"$TEST_DIR/src\", options: [\"rbind\", \"rshared\"]}"
        in_sh 'mount -t tmpfs inner /src/point && touch /src/point/from-inside && sleep 1000'
        start_detached
        wait_until test -e "$TEST_DIR/src/point/from-inside"
        runtime delete --force "$ID"
        umount -R "$TEST_DIR/src"
}

@test "idmapped bind mounts, by mappings and by crun's option" {
        skip_unless root "kernel 5.12"
        mkdir "$TEST_DIR/src" && touch "$TEST_DIR/src/file" && chown 1000:1000 "$TEST_DIR/src/file"
        add_mount "{destination: \"/mapped\", type: \"bind\", source: \"$TEST_DIR/src\", options: [\"bind\"],
                uidMappings: [{containerID: 1000, hostID: 5000, size: 1}], gidMappings: [{containerID: 1000, hostID: 6000, size: 1}]}"
        add_mount "{destination: \"/option\", type: \"bind\", source: \"$TEST_DIR/src\", options: [\"bind\", \"idmap=uids=1000-7000-1;gids=1000-8000-1\"]}"
        in_sh 'stat -c %u:%g /mapped/file /option/file'
        run run_container
        expect_status 0
        expect_output $'5000:6000\n7000:8000'
}

@test "default devices and links, each what it should be" {
        in_sh 'cd /dev; for d in null zero full random urandom tty; do stat -c "%n %t:%T %a" $d; done; for l in fd stdin stdout stderr ptmx; do readlink $l; done'
        run run_container
        expect_status 0
        expect_output "null 1:3 666
zero 1:5 666
full 1:7 666
random 1:8 666
urandom 1:9 666
tty 5:0 666
/proc/self/fd
/proc/self/fd/0
/proc/self/fd/1
/proc/self/fd/2
pts/ptmx"
}

@test "configured devices: kinds, mode, owner, any path; the type is checked" {
        skip_unless root
        config '.linux.devices = [{path: "/dev/mychr", type: "c", major: 1, minor: 3, fileMode: 384, uid: 5, gid: 6},
                {path: "/opt/fifo", type: "p"}, {path: "/dev/blk", type: "b", major: 7, minor: 200}]'
        in_sh 'stat -c "%F %t:%T %a %u:%g" /dev/mychr; stat -c %F /opt/fifo /dev/blk'
        run run_container
        expect_status 0
        expect_output $'character special file 1:3 600 5:6\nfifo\nblock special file'
        config '.linux.devices = [{path: "/dev/x", type: "q", major: 1, minor: 3}]'
        run run_container
        expect_failure
        expect_text 'linux.devices[0].type'
}

@test "masked and read-only paths" {
        mkdir "$ROOTFS/secret" && touch "$ROOTFS/secret/x" && echo hidden >"$ROOTFS/file"
        config '.linux.maskedPaths = ["/secret", "/file", "/not/there", "/proc/keys"] | .linux.readonlyPaths = ["/proc/sys", "/etc", "/nor/there"]'
        in_sh 'ls -A /secret; cat /file; touch /secret/y; touch /etc/y; echo 1 >/proc/sys/kernel/domainname; head -c1 /proc/keys; echo end'
        run run_container
        expect_status 0
        expect_no_text hidden
        expect_text '/secret/y: Read-only' '/etc/y: Read-only' "/proc/sys/kernel/domainname: Read-only"
        expect_equal "${lines[-1]}" end
}

@test "hostname and domainname" {
        config '.hostname = "blue" | .domainname = "example.net"'
        in_sh 'hostname; cat /proc/sys/kernel/domainname'
        run run_container
        expect_output $'blue\nexample.net'
        config '.linux.namespaces |= map(select(.type != "uts"))'
        run run_container
        expect_failure
        expect_text uts
}

@test "an overlay as a mount of the configuration" {
        skip_unless root "filesystem overlay"
        mkdir "$TEST_DIR"/{lower,upper,work} && echo low >"$TEST_DIR/lower/f"
        mount -t tmpfs o "$TEST_DIR/upper" && mkdir "$TEST_DIR/upper/"{u,w}
        add_mount "{destination: \"/o\", type: \"overlay\", source: \"overlay\", options: [\"lowerdir=$TEST_DIR/lower\", \"upperdir=$TEST_DIR/upper/u\", \"workdir=$TEST_DIR/upper/w\"]}"
        in_sh 'cat /o/f; echo up >/o/g'
        run run_container
        expect_status 0
        expect_output low
        expect_equal "$(cat "$TEST_DIR/upper/u/g")" up
        umount "$TEST_DIR/upper"
}

@test "the cgroup mount shows the container's own cgroup, read-only" {
        config '.linux.namespaces += [{type: "cgroup"}] | .linux.namespaces |= unique_by(.type)'
        in_sh 'cat /proc/self/cgroup; for d in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -e $d/cgroup.procs ] && { wc -l <$d/cgroup.procs; break; }; done; mkdir $d/x'
        run run_container
        expect_text 'Read-only file system'
        expect_no_text "$TEST_CGROUP"
}

@test "sysctls of the container's namespaces are set, the host's are refused" {
        config '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}'
        in_sh 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced'
        run run_container
        expect_output $'1\n1'
        config '.linux.sysctl = {"vm.swappiness": "1"}'
        run run_container
        expect_failure
        expect_text vm.swappiness
        config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces |= map(select(.type != "network"))'
        run run_container
        expect_failure
        expect_text net.ipv4.ip_forward
}

# in_userns COMMAND... - as root of a user namespace that was made outside, as rootless engines are
in_userns() {
        unshare --user --map-root-user --mount --pid --fork --mount-proc "$@"
}

@test "flags that a user namespace locks: kept unless the options say otherwise, and then named" {
        skip_unless root userns
        local options
        mkdir "$TEST_DIR/source"
        mount -t tmpfs -o ro,nodev,noatime source "$TEST_DIR/source"
        config '.process.args = ["grep", " /x ", "/proc/self/mountinfo"] | .linux.resources = {} |
                (.mounts[] | select(.type == "devpts")).options -= ["gid=5"] |
                .mounts += [{destination: "/x", type: "bind", source: $s}]' --arg s "$TEST_DIR/source"
        cp "$BUNDLE/config.json" "$TEST_DIR/plain"
        for options in '"bind"' '"bind","ro"' '"rbind","rprivate","nosuid"' '"bind","noatime"' '"rbind","rro"'; do
                jq ".mounts[-1].options = [$options]" "$TEST_DIR/plain" >"$BUNDLE/config.json"
                RUNTIME_TIMEOUT=60 run in_userns "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID"
                expect_status 0
                expect_match 'ro,.*nodev,noatime' || { echo "$options"; return 1; }
        done
        for options in rw dev relatime strictatime rrelatime nodiratime; do
                jq '.mounts[-1].options = ["bind", $o]' --arg o "$options" "$TEST_DIR/plain" >"$BUNDLE/config.json"
                run in_userns "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID"
                expect_failure
                expect_text locked /x || { echo "$options"; return 1; }
        done
        expect_text "access times"
        # below the runtime's own user namespace the same holds, and additional groups cannot be changed there, either
        jq '.mounts[-1].options = ["bind", "nosuid"] | .linux.namespaces += [{type: "user"}] |
                .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings' \
                "$TEST_DIR/plain" >"$BUNDLE/config.json"
        run in_userns "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID"
        expect_status 0
        expect_match 'ro,nosuid,nodev,noatime'
        umount "$TEST_DIR/source"
}

@test "kernels without mount_setattr: flags by remount, and those that nobody named stay" {
        skip_unless "program strace"
        mkdir "$TEST_DIR/source"
        mount -t tmpfs -o noatime,nosymfollow source "$TEST_DIR/source" || skip "needs a kernel with nosymfollow: runs on the CI machine"
        config '.mounts += [{destination: "/x", type: "bind", source: $s, options: ["bind", "ro"]},
                {destination: "/y", type: "bind", source: $s, options: ["bind", "relatime"]}]' --arg s "$TEST_DIR/source"
        config_args grep -E ' /[xy] ' /proc/self/mountinfo
        # shellcheck disable=SC2086
        run timeout -k 5 "$RUNTIME_TIMEOUT" strace -f -qq -o /dev/null -e trace=mount_setattr -e inject=mount_setattr:error=ENOSYS "$RUNTIME" \
                --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} run --bundle "$BUNDLE" "$ID" </dev/null
        expect_status 0
        expect_match ' /x ro,noatime,nosymfollow ' ' /y rw,relatime,nosymfollow '
        umount "$TEST_DIR/source"
}

@test "where a sandbox refuses the newer calls for mounts, the older ones do the same" {
        skip_unless root "program strace"
        local error calls=open_tree,move_mount,fsopen,fsconfig,fsmount,mount_setattr,openat2,close_range
        ulimit -n 4096 # without close_range all of them are closed one by one, each under the eyes of strace
        mkdir -p "$TEST_DIR/source/sub"
        echo shallow >"$TEST_DIR/source/file"
        mount -t tmpfs sub "$TEST_DIR/source/sub"
        echo deep >"$TEST_DIR/source/sub/file"
        mkdir -p "$ROOTFS/up"
        echo below >"$ROOTFS/up/file"
        config '.mounts += [{destination: "/x", type: "bind", source: $s, options: ["bind", "ro"]},
                {destination: "/y", type: "bind", source: $s, options: ["rbind", "rw", "nosuid"]},
                {destination: "/z", type: "bind", source: ($s + "/file"), options: ["bind", "ro", "nodev"]},
                {destination: "/up", type: "tmpfs", options: ["ro", "tmpcopyup"]}] |
                .linux.maskedPaths = ["/proc/acpi", "/proc/keys", "/sys/firmware"] | .root.readonly = true' \
                --arg s "$TEST_DIR/source"
        # devices of mounts, and whether a file system is read-only as a whole, may differ
        config_args sh -c 'cut -d" " -f4-6 /proc/self/mountinfo | sed "s#.*/coracle-test[^ ]*#X#" | grep -v "^/.*/sys/fs/cgroup/"
                ls -C /sys/fs/cgroup; cat /y/sub/file /x/file /z /up/file; ls /x/sub; cat /proc/keys; ls /proc/acpi /sys/firmware
                touch /x/new /y/new /up/new /new; cat /proc/self/oom_score_adj'
        run run_container
        expect_status 0
        expect_text deep shallow below
        local expected=$output
        rm -f "$TEST_DIR/source/new"
        for error in EPERM ENOSYS; do
                # shellcheck disable=SC2086
                run timeout -k 5 "$RUNTIME_TIMEOUT" strace -f -qq -o /dev/null -e "trace=$calls" -e "inject=$calls:error=$error" "$RUNTIME" \
                        --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} run --bundle "$BUNDLE" "$ID" </dev/null
                expect_equal "$output" "$expected" "$error"
                expect_status 0
                rm -f "$TEST_DIR/source/new"
        done
        # what cannot be done so says why
        config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] |
                .linux.gidMappings = .linux.uidMappings'
        # shellcheck disable=SC2086
        run timeout -k 5 "$RUNTIME_TIMEOUT" strace -f -qq -o /dev/null -e "trace=$calls" -e "inject=$calls:error=EPERM" "$RUNTIME" \
                --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} run --bundle "$BUNDLE" "$ID" </dev/null
        expect_failure
        expect_text open_tree "seccomp profile"
        umount "$TEST_DIR/source/sub"
}

@test "the propagation of an overlay is set on it, and not on what lies beneath" {
        mkdir -p "$TEST_DIR"/{lower,upper,work}
        config '.mounts += [{destination: "/over", type: "overlay", source: "overlay", options: ["rshared",
                "lowerdir=\($d)/lower", "upperdir=\($d)/upper", "workdir=\($d)/work"]}]' --arg d "$TEST_DIR"
        config_args sh -c 'grep " /over " /proc/self/mountinfo; grep -c shared: /proc/self/mountinfo'
        run run_container
        expect_status 0
        expect_match ' /over rw,[a-z]+ shared:[0-9]+ - overlay'
        expect_equal "${lines[1]}" 1 "shared mounts"
}

@test "a mount of another container, by way of its first process" {
        skip_unless root
        local pid
        config_args sleep 1000
        start_detached "$ID-donor"
        pid=$(container_pid "$ID-donor")
        nsenter -t "$pid" -m sh -c 'echo shared >/dev/shm/file; ln -s /etc /link'
        add_bundle second second
        BUNDLE=$TEST_DIR/second
        config '.mounts |= map(if .destination == "/dev/shm" then {destination: "/dev/shm", type: "bind",
                source: "/proc/\($pid)/root/dev/shm", options: ["rbind", "rprivate"]} else . end)' --argjson pid "$pid"
        in_sh 'cat /dev/shm/file; echo back >/dev/shm/other'
        run run_container "$ID-second"
        expect_status 0
        expect_output shared
        expect_equal "$(nsenter -t "$pid" -m cat /dev/shm/other)" back
        # what the donor has made of a folder is not followed
        config '.mounts[-1].source = "/proc/\($pid)/root/link" | .mounts[-1].destination = "/x" | .mounts[-1].type = "bind" |
                .mounts[-1].options = ["bind"]' --argjson pid "$pid"
        run run_container "$ID-second"
        expect_failure
        expect_text "/link"
}

@test "x-beneath: links on the way to a bind's source lead nowhere but below a folder" {
        skip_unless root
        mkdir -p "$TEST_DIR/volume/sub" && echo inside >"$TEST_DIR/volume/sub/file"
        ln -s / "$TEST_DIR/volume/up" && ln -s /sub "$TEST_DIR/volume/link"
        add_mount "{destination: \"/x\", type: \"bind\", source: \"$TEST_DIR/volume/link/file\",
                options: [\"bind\", \"x-beneath=$TEST_DIR/volume\"]}"
        in_sh 'cat /x'
        run run_container
        expect_status 0
        expect_output inside
        config '.mounts[-1].source = $s' --arg s "$TEST_DIR/volume/up/etc/passwd"
        run run_container
        expect_failure
        expect_text "No such file or directory"
        config '.mounts[-1].source = $s' --arg s "$TEST_DIR/volume-2/file"
        run run_container
        expect_failure
        expect_text "x-beneath: $TEST_DIR/volume-2/file is not below $TEST_DIR/volume"
}
