# Faults in the verbs that change which images there are: kill -9 and errors of the disk at every call.
load faults
setup() { faults_setup; }
teardown() { faults_teardown; }

two_images() { images make a:1 "text of a" make b:1 "text of b" tag a:1 c:1; }

for_each_fault() { # VERB...
        local how
        for how in kill eio full; do every_call "$how" "$@" || return 1; done
}

@test "making the first image of a store, which is made on the way" {
        prepare() { :; }
        for_each_fault make a:1 "text of a"
}

@test "making another image that shares a layer" {
        prepare() { two_images; }
        for_each_fault make d:1 "text of d"
}

@test "making an image again under the name of another" {
        prepare() { two_images; }
        for_each_fault make b:1 "text of a"
}

@test "tag" {
        prepare() { two_images; }
        for_each_fault tag b:1 new:1
}

@test "rmi of one of two names" {
        prepare() { two_images; }
        for_each_fault rmi a:1
}

@test "rmi of the last name" {
        prepare() { two_images; }
        for_each_fault rmi b:1
}

@test "prune" {
        prepare() { two_images; }
        for_each_fault prune
}

# An archive with two layers, the second of which has a whiteout.
make_archive() {
        local layout=$TEST_DIR/layout bundle=$TEST_DIR/bundle
        mkdir "$TEST_DIR/work"
        umoci init --layout "$layout"
        umoci new --image "$layout:1"
        umoci unpack --image "$layout:1" "$bundle"
        mkdir "$bundle/rootfs/folder"
        seq 20000 >"$bundle/rootfs/folder/numbers"
        ln "$bundle/rootfs/folder/numbers" "$bundle/rootfs/linked"
        umoci repack --image "$layout:1" "$bundle"
        rm -rf "$bundle"
        umoci unpack --image "$layout:1" "$bundle"
        rm "$bundle/rootfs/linked"
        umoci repack --image "$layout:1" "$bundle"
        skopeo copy --quiet "oci:$layout:1" "docker-archive:$ARCHIVE:docker.io/library/small:1"
}

@test "load" {
        ARCHIVE=$BATS_TEST_TMPDIR/small.tar
        make_archive
        prepare() { two_images; }
        for_each_fault load "$ARCHIVE"
        every_call kill-all load "$ARCHIVE"
}
