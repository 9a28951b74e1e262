# shellcheck shell=bash
# Helpers for tests of images, beside lib and registries:
#
#   $STORE              the store under test; coracle COMMAND... is the program with it, in the test's network namespace
#   make_layout NAME    an OCI layout $TEST_DIR/NAME (tag x) with three layers: files of every kind, then changes to them
#   show_image NAME FOLDER   what a container of the image would see, mounted at FOLDER (hide_images ends that)
#   unpack_layout NAME FOLDER   the same by umoci, in FOLDER/rootfs

coracle() {
        CORACLE_LIBEXEC=$CORACLE_BUILD/src/image in_net timeout -k 5 "${RUNTIME_TIMEOUT:-60}" \
                "$CORACLE_BUILD/src/cli/coracle" --root "${STORE:-$TEST_DIR/store}" "$@"
}

make_layout() { # all tests of a file get copies of the one that the first makes
        local kept=$BATS_RUN_TMPDIR/layouts/$1
        if [ ! -d "$kept" ]; then
                mkdir -p "$kept.new"
                build_layout "$1" "$kept.new"
                mv "$kept.new" "$kept"
        fi
        cp -a "$kept"/* "$TEST_DIR"
}

build_layout() { # NAME FOLDER
        local tree=$2/$1.tree oci=$2/$1
        mkdir -p "$tree"/{etc/{conf,sub},usr/share,bin,gone,opaque}
        echo one >"$tree/etc/one" && echo old >"$tree/etc/changed" && echo two >"$tree/gone/two" && echo three >"$tree/opaque/three"
        ln "$tree/etc/one" "$tree/etc/hard" && ln -s ../etc/one "$tree/usr/link"
        cp "$(command -v busybox)" "$tree/bin/busybox"
        head -c 2000000 /dev/urandom >"$tree/usr/share/random"
        [ "$(id -u)" != 0 ] || { chown 1234:5678 "$tree/etc/conf" && mkfifo "$tree/etc/fifo"; }
        touch -d '1969-12-31 23:59:58.123456789 UTC' "$tree/etc/one"
        tar -C "$tree" --format=pax --xattrs -cf "$2/$1.1.tar" .
        rm -r "$tree/gone" && echo new >"$tree/etc/changed" && mkdir "$tree/new" && echo new >"$tree/new/file"
        tar -C "$tree" --format=pax --no-recursion -cf "$2/$1.2.tar" . ./etc ./etc/changed ./new ./new/file
        mkdir -p "$2/$1.wh/opaque" && : >"$2/$1.wh/.wh.gone" && : >"$2/$1.wh/opaque/.wh..wh..opq"
        echo four >"$2/$1.wh/opaque/four"
        tar -C "$2/$1.wh" --format=pax -cf "$2/$1.3.tar" ./.wh.gone ./opaque
        {
                umoci init --layout "$oci" && umoci new --image "$oci:x"
                for i in 1 2 3; do umoci raw add-layer --image "$oci:x" "$2/$1.$i.tar"; done
                umoci config --image "$oci:x" --config.cmd /bin/busybox --config.label kind=test && umoci gc --layout "$oci"
        } >"$2/$1.log" 2>&1 || { cat "$2/$1.log"; return 1; }
        rm -rf "$tree" "$2/$1.wh"
}

MOUNTED=()

show_image() {
        local layers
        layers=$(coracle inspect --format '{{with .GraphDriver.Data}}{{.UpperDir}}{{with .LowerDir}}:{{.}}{{end}}{{end}}' "$1") || return
        mkdir -p "$2" "$TEST_DIR/empty"
        mount_overlay "lowerdir=$layers:$TEST_DIR/empty" "$2" || return
        MOUNTED+=("$2")
}

hide_images() {
        local folder
        for folder in "${MOUNTED[@]}"; do umount "$folder" 2>/dev/null || true; done
        MOUNTED=()
}

unpack_layout() { # LAYOUT:TAG FOLDER
        umoci unpack --image "$1" "$2" >"$TEST_DIR/umoci.log" 2>&1 || { cat "$TEST_DIR/umoci.log"; return 1; }
}

# same_tree A B - down to attributes and nanoseconds
same_tree() { diff -u <("$SOURCE_DIR/tests/integration/layer_tree.py" "$1") <("$SOURCE_DIR/tests/integration/layer_tree.py" "$2"); }
