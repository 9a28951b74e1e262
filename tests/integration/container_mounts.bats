#!/usr/bin/env bats
# What containers have mounted, and what they share: volumes of all kinds, parts of them, images, memory, devices of CDI; and
# that what an image or another container has put in the way leads nowhere.

load lib
load images

setup_file() {
        [ "$(id -u)" = 0 ] || return 0
        export STORE LIBEXEC
        STORE=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
        make_rootfs "$STORE/tree"
        mkdir -p "$STORE/tree/data/sub" && echo text >"$STORE/tree/data/file" && ln -s /etc/passwd "$STORE/tree/data/link"
        chown 12:34 "$STORE/tree/data/file" && chmod 700 "$STORE/tree/data/sub"
        ln -s /etc "$STORE/tree/outside"
        LIBEXEC=$STORE/libexec
        mkdir "$LIBEXEC"
        ln -s "$CORACLE_BUILD/src/image/coracle-transfer" "$CORACLE_BUILD/libexec/coracle-monitor" \
                "$CORACLE_BUILD/src/tools/init/coracle-init" "$LIBEXEC"
        tar -C "$STORE/tree" -c . | coracle import -c 'CMD ["sh"]' -c 'VOLUME /data' - volumes
        tar -C "$STORE/tree" -c . | coracle import -c 'CMD ["sh"]' - small
}

teardown_file() {
        [ -n "${STORE:-}" ] || return 0
        coracle ps -aq | while read -r id; do coracle rm -f "$id"; done >/dev/null 2>&1 || true
        remove_tree "$STORE"
}

setup() {
        skip_unless root
        TEST_DIR=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
}

teardown() {
        [ -n "${TEST_DIR:-}" ] || return 0
        coracle ps -aq | while read -r id; do coracle rm -f "$id"; done >/dev/null 2>&1 || true
        coracle volume ls -q | while read -r name; do coracle volume rm "$name"; done >/dev/null 2>&1 || true
        remove_tree "$TEST_DIR"
}

coracle() { CORACLE_LIBEXEC=$LIBEXEC timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE_BUILD/src/cli/coracle" --root "$STORE/store" "$@" 3>&-; }

none() { coracle run --rm --network none "$@"; }

detached() { # NAME [FLAG...] - the container sleeps
        local name=$1
        shift
        coracle run -d --network none --name "$name" "$@" small sleep 1000 >/dev/null
}

volume_path() { coracle volume inspect -f '{{.Mountpoint}}' "$1"; }

@test "a new volume gets what the image has at its place, links as links" {
        none -v new:/data small true
        local path
        path=$(volume_path new)
        expect_equal "$(cat "$path/file")" text
        expect_equal "$(stat -c %u:%g "$path/file")" 12:34
        expect_equal "$(stat -c %a "$path/sub")" 700
        expect_equal "$(readlink "$path/link")" /etc/passwd
        # one that has something, and one that is not to get anything, stay as they are
        echo own >"$path/file"
        none -v new:/data small true
        expect_equal "$(cat "$path/file")" own
        none -v empty:/data:nocopy small true
        expect_equal "$(ls -A "$(volume_path empty)")" ""
        # a link of the image does not lead to the host's files
        none -v etc:/outside small true
        [ ! -e "$(volume_path etc)/shadow" ] || fail "files of the host are in the volume"
}

@test "volumes that the image declares, and those of another container" {
        coracle run -d --network none --name donor volumes sleep 1000
        run coracle inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}}{{end}}' donor
        expect_output "volume /data true"
        coracle exec donor sh -c 'echo more >/data/more'
        run none --volumes-from donor small cat /data/more
        expect_output more
        run none --volumes-from donor:ro small sh -c 'echo x >/data/more'
        expect_failure
        run none --volumes-from donor:rslave small true
        expect_status 125
        expect_text "invalid mode: rslave"
        run coracle volume ls -q
        expect_match '^[0-9a-f]{64}$'
        coracle rm -fv donor
        run coracle volume ls -q
        expect_output ""
}

@test "a part of a volume; links in it lead nowhere" {
        none -v parts:/data small true
        run none --mount type=volume,source=parts,target=/f,volume-subpath=file small cat /f
        expect_output text
        ln -s sub/../file "$(volume_path parts)/inner"
        run none --mount type=volume,source=parts,target=/f,volume-subpath=inner small cat /f
        expect_output text
        ln -s / "$(volume_path parts)/up"
        run none --mount type=volume,source=parts,target=/f,volume-subpath=up/etc/shadow small cat /f
        expect_status 125
        expect_text "No such file or directory"
        run none --mount type=volume,source=parts,target=/f,volume-subpath=../x small true
        expect_status 125
        expect_text "subpath must be a relative path within the volume"
        run none --mount type=volume,source=parts,target=/f,volume-subpath=none small true
        expect_status 125
}

@test "volumes of memory are shared while somebody has them; those that bind are what they bind" {
        coracle volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=1m,mode=700 memory
        detached first -v memory:/m
        coracle exec first sh -c 'echo here >/m/file'
        run none -v memory:/other small sh -c 'cat /other/file; grep " /other " /proc/mounts'
        expect_text here size=1024k mode=700
        coracle rm -f first
        run none -v memory:/m small ls /m
        expect_output ""
        mkdir "$TEST_DIR/bound" && echo bound >"$TEST_DIR/bound/file"
        coracle volume create --opt type=none --opt o=bind --opt "device=$TEST_DIR/bound" bound
        run none -v bound:/b small cat /b/file
        expect_output bound
        run coracle volume create --opt type=tmpfs wrong
        expect_text 'missing required option: "device"'
        run coracle volume create --opt odd=1 wrong
        expect_text 'invalid option: "odd"'
}

@test "images as mounts: several layers, a part of one, never written to" {
        skip_unless "program umoci"
        build_layout layered "$TEST_DIR"
        tar -C "$TEST_DIR/layered" -c . | coracle load >"$TEST_DIR/loaded" # the tag is x, without a name
        local id
        id=$(coracle images -q --no-trunc | while read -r i; do
                coracle inspect -f '{{if eq (index .Config.Labels "kind") "test"}}{{.Id}}{{end}}' "$i" 2>/dev/null; done | sort -u | grep .)
        run none --mount "type=image,source=$id,target=/img" small sh -c 'cat /img/etc/changed /img/new/file; ls /img/opaque /img/gone'
        expect_text new four "No such file"
        expect_no_text three two
        run none --mount "type=image,source=$id,target=/img,image-subpath=opaque" small ls /img
        expect_text four
        expect_no_text three
        run none --mount "type=image,source=$id,target=/img,image-subpath=etc" small cat /img/changed /img/one
        expect_text new one
        run none --mount "type=image,source=$id,target=/img,image-subpath=gone" small true
        expect_status 125
        run none --mount "type=image,source=$id,target=/img" small sh -c 'echo x >/img/x'
        expect_text "Read-only file system"
        run none --mount "type=image,source=nosuch,target=/img" small true
        expect_status 125
        expect_text "nosuch"
}

@test "images as mounts: an image that a container has mounted is kept, by those too that have it from another" {
        mkdir "$TEST_DIR/tree" && echo other >"$TEST_DIR/tree/file"
        tar -C "$TEST_DIR/tree" -c . | coracle import - other >/dev/null
        local id
        id=$(coracle images -q --no-trunc other)
        coracle create --name reader --network none --mount type=image,source=other,target=/img small true >/dev/null
        coracle create --name heir --network none --volumes-from reader small cat /img/file >/dev/null
        coracle rm reader >/dev/null
        run coracle rmi other
        expect_status 1
        expect_text "must force" "container $(coracle ps -aq --filter name=heir) is using its referenced image"
        run coracle image prune -af
        expect_no_text "${id#sha256:}"
        run coracle rmi -f "$id"
        expect_status 0
        run coracle start -a heir # forced away: its layers are there all the same
        expect_status 0
        expect_output other
        coracle rm heir >/dev/null
        run coracle system check
        expect_status 0
}

@test "ipc: /dev/shm of a container that shares it" {
        detached donor --ipc shareable --shm-size 2m
        coracle exec donor sh -c 'echo here >/dev/shm/file'
        run none --ipc container:donor small cat /dev/shm/file
        expect_output here
        detached private
        run none --ipc container:private small true
        expect_status 125
        expect_text "non-shareable IPC (hint: use IpcMode:shareable for the donor container)"
        coracle stop -t 0 donor
        run none --ipc container:donor small true
        expect_status 125
        expect_text "is not running"
        run none --ipc none small ls /dev/shm
        expect_failure
}

@test "binds: what is missing is made for --volume, and refused for --mount; read-only holds for what is below" {
        run none -v "$TEST_DIR/made/here:/m" small sh -c 'echo x >/m/x'
        expect_status 0
        expect_equal "$(cat "$TEST_DIR/made/here/x")" x
        run none --mount "type=bind,source=$TEST_DIR/none,target=/m" small true
        expect_status 125
        expect_text "bind source path does not exist: $TEST_DIR/none"
        run none -v "$TEST_DIR/made:/m" --tmpfs /m small true
        expect_status 125
        expect_text "Duplicate mount point: /m"
        if kernel_at_least 5.12; then
                mkdir "$TEST_DIR/made/below"
                mount -t tmpfs tmpfs "$TEST_DIR/made/below"
                run none -v "$TEST_DIR/made:/m:ro" small sh -c 'echo x >/m/below/x'
                expect_text "Read-only file system"
                run none --mount "type=bind,source=$TEST_DIR/made,target=/m,readonly,bind-recursive=writable" small \
                        sh -c 'echo x >/m/below/x && echo written'
                expect_output written
                umount "$TEST_DIR/made/below"
        fi
}

@test "devices of CDI, and gpus by them" {
        mkdir "$TEST_DIR/cdi" && echo "from the host" >"$TEST_DIR/cdi/library"
        jq -n --arg dir "$TEST_DIR/cdi" '{cdiVersion: "0.6.0", kind: "nvidia.com/gpu", devices: [{name: "all", containerEdits: {
                env: ["GPU=all"], deviceNodes: [{path: "/dev/gpu0", hostPath: "/dev/zero", permissions: "r"}]}}],
                containerEdits: {mounts: [{hostPath: "\($dir)/library", containerPath: "/usr/lib/library", options: ["ro", "bind"]}]}}' \
                >"$TEST_DIR/cdi/gpu.json"
        export CORACLE_CDI=$TEST_DIR/cdi
        run none --device nvidia.com/gpu=all small sh -c 'echo $GPU; cat /usr/lib/library; head -c 1 /dev/gpu0 | wc -c'
        expect_text all "from the host" 1
        run none --gpus all small sh -c 'echo $GPU'
        expect_output all
        run none --device nvidia.com/gpu=7 small true
        expect_status 125
        expect_text "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=7"
        echo broken >"$TEST_DIR/cdi/gpu.json"
        run none --gpus all small true
        expect_status 125
        expect_text 'could not select device driver "" with capabilities: [[gpu]]'
}

@test "users are those of the container, not of the host" {
        run none -u test small id
        expect_output "uid=1000(test) gid=1000(test) groups=1000(test),2000(extra)"
        run none -u nobodyhere small id
        expect_status 125
        expect_text "unable to find user nobodyhere: no matching entries in passwd file"
        # an image whose user file is a link to the host's, or none that can be read
        mkdir -p "$TEST_DIR/tree/bin" "$TEST_DIR/tree/etc"
        cp "$STORE/tree/bin/busybox" "$TEST_DIR/tree/bin/sh"
        echo "hostonly:x:4321:4321::/:" >"$TEST_DIR/passwd"
        ln -s "$TEST_DIR/passwd" "$TEST_DIR/tree/etc/passwd"
        tar -C "$TEST_DIR/tree" -c . | coracle import - linked
        run none -u hostonly linked sh -c true
        expect_status 125
        rm "$TEST_DIR/tree/etc/passwd" && mkfifo "$TEST_DIR/tree/etc/passwd"
        tar -C "$TEST_DIR/tree" -c . | coracle import - fifo
        run none fifo sh -c true
        expect_status 125
        expect_text "/etc/passwd of the container is not a regular file"
}
