# The images of the store are an OCI image layout that other programs use as it is.
load lib
load ../faults/faults

setup() {
        [ "$EUID" = 0 ] || skip "needs root, for the owners in its image; runs where the tests run as root"
        need umoci skopeo jq
        faults_setup
        ARCHIVE=$BATS_TEST_TMPDIR/small.tar
        make_archive
        images load "$ARCHIVE" tag small:1 localhost:5000/other:2 make untagged:1 text make untagged:1 "other text"
}

teardown() { faults_teardown; }

@test "skopeo copies from the store, by any name" {
        skopeo copy --quiet "oci:$STORE/images:docker.io/library/small:1" "oci:$FAULT_DIR/copy:a"
        skopeo copy --quiet "oci:$STORE/images:localhost:5000/other:2" "oci:$FAULT_DIR/copy:b"
        [ "$(jq -r '.manifests[].digest' "$FAULT_DIR/copy/index.json" | sort -u | wc -l)" = 1 ]
}

@test "umoci unpacks from the store" {
        umoci unpack --rootless --image "$STORE/images:docker.io/library/small:1" "$FAULT_DIR/unpacked"
        [ "$(tail -n 1 "$FAULT_DIR/unpacked/rootfs/folder/numbers")" = 20000 ]
        [ ! -e "$FAULT_DIR/unpacked/rootfs/linked" ]
}

@test "umoci finds names that are no longer there no more" {
        images rmi small:1
        [ "$(umoci ls --layout "$STORE/images" | sort | xargs)" = "docker.io/library/untagged:1 localhost:5000/other:2" ]
}

@test "umoci gc removes nothing that an image with a name or without one needs" {
        images rmi localhost:5000/other:2 rmi untagged:1 # one image is left without a name
        # the images of this test that were made of text have manifests which umoci cannot read
        images prune load "$ARCHIVE"
        umoci gc --layout "$STORE/images"
        run images check list
        echo "$output"
        [ "$status" = 0 ]
        [[ $output == "docker.io/library/small:1 sha256:"* ]]
        [ "${#lines[@]}" = 1 ]
}
