#!/usr/bin/env bats
# Limits on storage, which need a file system that counts projects, and the forms of --mount that container_mounts.bats does not
# have.

load lib
load registries
load containers

setup() {
        TO_UNMOUNT=()
        setup_containers
}

teardown() {
        local place
        [ -n "${TEST_DIR:-}" ] || return 0
        coracle ps -aq 2>/dev/null | while read -r id; do coracle rm -f -v "$id"; done >/dev/null 2>&1 || true
        for place in "${TO_UNMOUNT[@]}"; do ! mountpoint -q "$place" || wait_until umount "$place"; done # a monitor may be clearing up
        teardown_containers
}

# A store on a disk of its own: FILESYSTEM MOUNT-OPTION MKFS-FLAG...
store_on() {
        skip_unless "program mkfs.$1"
        local options=$2 type=$1
        shift 2
        mkdir "$TEST_DIR/disk"
        truncate -s 400M "$TEST_DIR/disk.img"
        "mkfs.$type" -q "$@" "$TEST_DIR/disk.img"
        TO_UNMOUNT+=("$TEST_DIR/disk")
        mount -o "loop,$options" "$TEST_DIR/disk.img" "$TEST_DIR/disk" 2>/dev/null ||
                skip "this kernel has no project quotas on $type: runs with make check-amd64"
        export COR_STORE=$TEST_DIR/disk/store
        make_busybox_image >/dev/null
}

sizes_are_limited() {
        local bytes
        run crun --rm --storage-opt size=20m bb:1 sh -c 'dd if=/dev/zero of=/big bs=1M count=60 2>&1; stat -c %s /big'
        [[ $output == *"No space left on device"* || $output == *"Disk quota exceeded"* ]] || fail "no limit was met"
        bytes=${lines[-1]}
        [ "$bytes" -le $((20 << 20)) ] && [ "$bytes" -ge $((16 << 20)) ] || fail "20 MB became $bytes bytes"
        coracle volume create -o size=10m small >/dev/null
        run crun --rm -v small:/v bb:1 sh -c 'dd if=/dev/zero of=/v/big bs=1M count=60 2>&1; stat -c %s /v/big; echo x >/elsewhere'
        [[ $output == *"No space left on device"* || $output == *"Disk quota exceeded"* ]] || fail "no limit was met"
        [ "${lines[-1]}" -le $((10 << 20)) ] && [ "${lines[-1]}" -ge $((8 << 20)) ] || fail "10 MB became ${lines[-1]} bytes"
        coracle volume rm small >/dev/null
}

@test "--storage-opt size and volumes of a size, on ext4 with project quotas" {
        store_on ext4 prjquota -O project,quota
        sizes_are_limited
}

@test "--storage-opt size and volumes of a size, on xfs with project quotas" {
        store_on xfs pquota
        sizes_are_limited
}

@test "sizes that cannot be limited are refused, and nothing is made" {
        store_on ext4 defaults
        run crun --rm --storage-opt size=20m bb:1 true
        expect_status 125
        expect_text "a size limit needs a filesystem that counts projects" "xfs mounted with the option pquota"
        run coracle volume create -o size=10m small
        expect_status 1
        expect_text "create small: quota size requested but no quota support"
        run coracle volume create -o size=much small
        expect_status 1
        expect_text "create small: invalid size: 'much'"
        run coracle volume ls -q
        expect_output ""
        run coracle ps -aq
        expect_output ""
}

@test "--mount of binds: made when missing, not recursive, read-only all the way down" {
        mkdir -p "$TEST_DIR/host/below"
        run crun --rm --mount "type=bind,source=$TEST_DIR/new,target=/n,bind-create-src" bb:1 touch /n/file
        expect_status 0
        [ -e "$TEST_DIR/new/file" ] || fail "the source was not made"
        TO_UNMOUNT+=("$TEST_DIR/host/below")
        mount -t tmpfs tmpfs "$TEST_DIR/host/below" && touch "$TEST_DIR/host/below/file"
        run crun --rm --mount "type=bind,source=$TEST_DIR/host,target=/h" bb:1 ls /h/below
        expect_output file
        run crun --rm --mount "type=bind,source=$TEST_DIR/host,target=/h,bind-nonrecursive" bb:1 ls /h/below
        expect_output ""
        run crun --rm --mount "type=bind,source=$TEST_DIR/host,target=/h,bind-recursive=disabled" bb:1 ls /h/below
        expect_output ""
        run crun --rm --mount "type=bind,source=$TEST_DIR/host,target=/h,ro" bb:1 touch /h/below/new
        expect_text "Read-only file system"
        run crun --rm --mount "type=bind,source=$TEST_DIR/host,target=/h,ro,bind-recursive=writable" bb:1 sh -c 'touch /h/below/new && touch /h/x'
        expect_text "touch: /h/x: Read-only file system"
        run crun --rm --mount "type=bind,source=$TEST_DIR/host,target=/h,ro,bind-recursive=readonly,bind-propagation=rprivate" bb:1 touch /h/below/x
        expect_text "Read-only file system"
}

@test "--mount of binds: mounts pass from the host to the container and back, as far as both sides agree" {
        TO_UNMOUNT+=("$TEST_DIR/shared/slave" "$TEST_DIR/shared/back" "$TEST_DIR/shared")
        mkdir "$TEST_DIR/shared" && mount -t tmpfs tmpfs "$TEST_DIR/shared" && mount --make-shared "$TEST_DIR/shared"
        mkdir "$TEST_DIR/shared/slave" "$TEST_DIR/shared/private" "$TEST_DIR/shared/back"
        coracle run -d --cgroup-parent "$CGROUP_PARENT" --network none --name one --cap-add SYS_ADMIN --security-opt seccomp=unconfined --mount \
                "type=bind,source=$TEST_DIR/shared,target=/slave,bind-propagation=rslave" \
                --mount "type=bind,source=$TEST_DIR/shared,target=/private" \
                --mount "type=bind,source=$TEST_DIR/shared,target=/shared,bind-propagation=rshared" bb:1 sleep 1000 >/dev/null
        mount -t tmpfs tmpfs "$TEST_DIR/shared/slave" && touch "$TEST_DIR/shared/slave/file"
        run coracle exec one sh -c 'ls /slave/slave; ls /private/slave; ls /shared/slave'
        local passed=$output
        coracle exec one mount -t tmpfs tmpfs /shared/back && coracle exec one touch /shared/back/file
        run ls "$TEST_DIR/shared/back"
        coracle rm -f one >/dev/null
        expect_equal "$passed" $'file\nfile'
        expect_output file
        TO_UNMOUNT+=("$TEST_DIR/own")
        mkdir "$TEST_DIR/own" && mount -t tmpfs tmpfs "$TEST_DIR/own" && mount --make-private "$TEST_DIR/own"
        run crun --rm --mount "type=bind,source=$TEST_DIR/own,target=/x,bind-propagation=rshared" bb:1 true
        expect_status 125
        expect_text "is mounted on $TEST_DIR/own but it is not a shared mount"
}

@test "--mount of volumes and of memory: labels, drivers, options, modes, sizes" {
        run crun --rm --mount type=volume,source=one,target=/bin,volume-nocopy,volume-label=a=1,volume-label=b hello /hello
        expect_status 0
        run coracle volume inspect -f '{{.Driver}} {{json .Labels}}' one
        expect_output 'local {"a":"1","b":""}'
        run crun --rm --mount 'type=volume,source=mem,target=/m,volume-driver=local,volume-opt=type=tmpfs,volume-opt=device=tmpfs,"volume-opt=o=size=1m,mode=711"' \
                bb:1 sh -c 'grep " /m " /proc/mounts'
        expect_text "tmpfs /m tmpfs" size=1024k mode=711
        run crun --rm --mount type=volume,source=one,target=/v,ro bb:1 touch /v/x
        expect_text "Read-only file system"
        run crun --rm --mount type=tmpfs,target=/t,tmpfs-size=64k,tmpfs-mode=700 bb:1 sh -c 'grep " /t " /proc/mounts; stat -c %a /t'
        expect_text size=64k mode=700 700 nosuid nodev noexec
        run crun --rm --tmpfs /t:rw,size=1m,exec,mode=1770,uid=5 bb:1 sh -c 'grep " /t " /proc/mounts; stat -c "%a %u" /t'
        expect_text size=1024k uid=5 "1770 5"
        expect_no_text noexec
        run crun --rm --mount type=volume,target=/v,volume-driver=nosuch bb:1 true
        expect_status 125
        expect_text 'plugin "nosuch" not found'
        coracle volume create --label kind=x --label y named >/dev/null
        run coracle volume ls -q --filter label=kind=x
        expect_output named
}

@test "volumes of other machines: what the mount says is said, with the volume's name" {
        coracle volume create -o type=nfs -o o=addr=127.0.0.1,rw,nfsvers=4,soft,timeo=1,retrans=0 -o device=:/exported remote >/dev/null
        run coracle volume inspect -f '{{json .Options}}' remote
        expect_output '{"device":":/exported","o":"addr=127.0.0.1,rw,nfsvers=4,soft,timeo=1,retrans=0","type":"nfs"}'
        run crun --rm -v remote:/r bb:1 true # nobody serves it here
        expect_status 125
        expect_text "/r" nfs
        coracle volume create -o type=nfs -o o=addr=no-such-host.invalid -o device=:/exported nowhere >/dev/null
        run crun --rm -v nowhere:/r bb:1 true
        expect_status 125
        expect_text "volume nowhere: error resolving passed in network volume address: no-such-host.invalid: no such host"
        run coracle ps -aq
        expect_output ""
}
