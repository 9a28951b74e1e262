# The power goes while the store works, on a disk that loses of what was not flushed what it likes. One run is logged
# write by write (powerlog); a cut is made out of the log at any point, mounted, and looked at.
#
# POWERCUTS: how many cuts for each file system; 100 (30 where mounting takes long: xfs and btrfs), or 20 on emulated machines,
# unless it is set
load ../integration/lib
load ../integration/registries
load faults

setup() {
        need umoci skopeo docker-registry jq
        [ "$EUID" = 0 ] || skip "needs root, for mounts and loop devices; runs where the tests run as root"
        [ -w /dev/fuse ] || skip "needs /dev/fuse, for a disk whose writes can be seen; runs on machines with FUSE"
        losetup --find >/dev/null 2>&1 || skip "needs a free loop device; runs on machines with loop devices"
        setup_net
        faults_setup
        POWERLOG=$CORACLE_BUILD/tests/faults/powerlog
        ARCHIVE=$BATS_TEST_TMPDIR/small.tar
        mkdir "$FAULT_DIR/fuse" "$FAULT_DIR/mnt" "$FAULT_DIR/names"
}

teardown() {
        local folder
        [ -n "${FAULT_DIR:-}" ] || return 0
        for folder in mnt fuse; do
                ! mountpoint -q "$FAULT_DIR/$folder" || umount "$FAULT_DIR/$folder" || umount -l "$FAULT_DIR/$folder"
                [ "$folder" != mnt ] || [ -z "${LOOP:-}" ] || losetup --detach "$LOOP" || true
        done
        teardown_net
        faults_teardown
}

# Run a verb; once it has reported success, note what there is, and tell the log.
step() { # VERB ARGUMENTS...
        images "$@" >/dev/null || { echo "$* fails"; return 1; }
        steps=$((steps + 1))
        images list | sort >"$FAULT_DIR/names/$steps"
        echo -n "$steps" >"$FAULT_DIR/fuse/mark"
}

make_disk() { # FILE-SYSTEM - the smallest that its tools make
        case $1 in
        ext4) truncate -s 64M "$FAULT_DIR/disk" && mkfs.ext4 -q -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$FAULT_DIR/disk" ;;
        xfs) truncate -s 300M "$FAULT_DIR/disk" && mkfs.xfs -q -K "$FAULT_DIR/disk" ;;
        btrfs) truncate -s 128M "$FAULT_DIR/disk" && mkfs.btrfs -q -K -M "$FAULT_DIR/disk" ;;
        esac
}

record_run() { # FILE-SYSTEM MOUNT-OPTIONS
        local steps=0 server
        make_disk "$1"
        cp --sparse=always "$FAULT_DIR/disk" "$FAULT_DIR/fresh"
        "$POWERLOG" serve "$FAULT_DIR/fuse" "$FAULT_DIR/disk" "$FAULT_DIR/log" 3>&- &
        server=$!
        wait_until test -e "$FAULT_DIR/fuse/disk"
        LOOP=$(losetup --find --show "$FAULT_DIR/fuse/disk")
        mount -t "$1" -o "$2" "$LOOP" "$FAULT_DIR/mnt"
        STORE=$FAULT_DIR/mnt/store
        step make a:1 "text of a"
        step load "$ARCHIVE"
        step tag a:1 b:1
        step make c:1 "text of c"
        step rmi small:1
        step pull localhost:5000/small:1
        step make b:1 "text of c"
        step rmi a:1
        step prune
        step load "$ARCHIVE"
        umount "$FAULT_DIR/mnt"
        losetup --detach "$LOOP"
        LOOP=
        umount "$FAULT_DIR/fuse"
        wait "$server"
}

# What there is after a cut: what was there at the last mark before it, or what the step after that made of it.
expect_nothing_lost() { # RECORD SEED FILE-SYSTEM MOUNT-OPTIONS
        local mark now found
        cp --sparse=always "$FAULT_DIR/fresh" "$FAULT_DIR/image"
        mark=$("$POWERLOG" cut "$FAULT_DIR/log" "$1" "$2" "$FAULT_DIR/image")
        mount -t "$3" -o "loop,$4" "$FAULT_DIR/image" "$FAULT_DIR/mnt" || { echo "cut $1 (seed $2): no file system"; return 1; }
        found=$(images check list 2>&1) || { echo "cut $1 (seed $2), after step ${mark:-0}: $found"; return 1; }
        umount "$FAULT_DIR/mnt"
        now=$(grep -v ' (repaired)$' <<<"$found" | sort)
        [ "$now" = "$(cat "$FAULT_DIR/names/${mark:-0}")" ] || [ "$now" = "$(cat "$FAULT_DIR/names/$((${mark:-0} + 1))" 2>/dev/null)" ] ||
                { echo "cut $1 (seed $2), after step ${mark:-0}, there is:"; echo "$now"; return 1; }
}

cut_power() { # FILE-SYSTEM MOUNT-OPTIONS
        local cuts=${POWERCUTS:-100} records i
        need "mkfs.$1"
        grep -qw "$1" /proc/filesystems || modprobe "$1" 2>/dev/null || skip "needs $1; runs on kernels that have it"
        [ -n "${POWERCUTS:-}" ] || [ "$1" = ext4 ] || cuts=30
        [ -n "${POWERCUTS:-}" ] || ! is_emulated || cuts=20
        make_archive
        start_registry 5000
        IN=(nsenter "--net=/proc/$NET/ns/net")
        "${IN[@]}" skopeo copy --quiet --dest-tls-verify=false "docker-archive:$ARCHIVE" docker://localhost:5000/small:1
        : >"$FAULT_DIR/names/0"
        record_run "$1" "$2"
        records=$("$POWERLOG" count "$FAULT_DIR/log")
        [ "$records" -gt 50 ] || { echo "only $records records: the log misses writes"; return 1; }
        STORE=$FAULT_DIR/mnt/store
        for ((i = 1; i <= cuts; i++)); do
                expect_nothing_lost $((records * i / cuts)) "$i" "$1" "$2" || return 1
        done
        echo "# $cuts cuts in $records records" >&3
}

@test "power cuts on ext4" { cut_power ext4 data=ordered; }

@test "power cuts on ext4 that writes data when it likes" { cut_power ext4 data=writeback; }

@test "power cuts on xfs" { cut_power xfs nodiscard; }

@test "power cuts on btrfs" { cut_power btrfs nodiscard; }
