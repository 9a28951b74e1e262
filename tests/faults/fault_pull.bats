# Faults in pull, from a real registry: kill -9 and errors of the disk at every call, in the program, in the process that
# speaks with the registry, and in those that unpack.
load ../integration/lib
load ../integration/registries
load faults

setup() {
        need_root
        need umoci skopeo docker-registry jq
        setup_net
        faults_setup
        start_registry 5000
        IN=(nsenter "--net=/proc/$NET/ns/net")
        ARCHIVE=$TEST_DIR/small.tar
        make_archive
        "${IN[@]}" skopeo copy --quiet --dest-tls-verify=false "docker-archive:$ARCHIVE" docker://localhost:5000/small:1
        prepare() { two_images; }
}

teardown() {
        [ -z "${SERVERS:-}" ] || teardown_net
        faults_teardown
}

@test "pull, one process killed" { every_call kill pull localhost:5000/small:1; }

@test "pull, all its processes killed" { every_call kill-all pull localhost:5000/small:1; }

@test "pull, a call failing with EIO" { every_call eio pull localhost:5000/small:1; }

@test "pull, the disk full from a call on" { every_call full pull localhost:5000/small:1; }

@test "check repairs what is damaged or lost" {
        local blob layer
        STORE=$FAULT_DIR/store
        images pull localhost:5000/small:1
        blob=$(find "$STORE/images/blobs/sha256" -type f -size +10k | head -n 1)
        layer=$(find "$STORE/layers" -mindepth 1 -maxdepth 1 -name '[0-9a-f]*' | head -n 1)
        [ -n "$blob" ] && [ -n "$layer" ]

        echo damaged >>"$blob"
        run images check
        echo "$output"
        [ "$status" = 0 ]
        [[ $output == *"blob sha256:${blob##*/}: its bytes have another digest (repaired)"* ]]

        rm "$blob"
        run images check
        echo "$output"
        [ "$status" = 0 ]
        [[ $output == *"image localhost:5000/small:1: blob sha256:${blob##*/} is missing (repaired)"* ]]

        find "$layer/diff" -type f -name numbers -exec truncate -s 5 {} + -o -type f -exec sh -c 'echo more >>"$1"' - {} \;
        run images check
        echo "$output"
        [ "$status" = 0 ]
        [[ $output == *"layer sha256:${layer##*/}: its files have "*"(repaired)"* ]]

        rm -rf "$layer"
        run images check
        echo "$output"
        [ "$status" = 0 ]
        [[ $output == *"layer sha256:${layer##*/} is missing (repaired)"* ]]
        run images check
        [ -z "$output" ]
}
