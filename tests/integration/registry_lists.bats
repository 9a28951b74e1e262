# Lists of manifests put together by hand, with docker's own command as the referee: the same bytes come out.
load lib
load registries
load images

setup() {
        skip_unless "program docker-registry" "program skopeo" "program umoci"
        skip_unless root # for owners
        setup_net
        start_registry 5000
        R=localhost:5000
        make_layout image
        umoci config --image "$TEST_DIR/image:x" --architecture amd64 >"$TEST_DIR/log" 2>&1 # wherever this is run
        put_image a/amd:1
        umoci config --image "$TEST_DIR/image:x" --architecture arm64 >"$TEST_DIR/log" 2>&1
        put_image b/arm:1
}
teardown() { teardown_net; }

put_image() { in_net skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$TEST_DIR/image:x" "docker://$R/$1"; }

docker_cli() { in_net timeout -k 5 "$RUNTIME_TIMEOUT" docker "$@"; }

@test "a list is created, annotated, inspected, pushed and forgotten" {
        run coracle manifest create $R/c/list:1 $R/a/amd:1 $R/b/arm:1
        expect_status 0
        expect_output "Created manifest list $R/c/list:1"
        run coracle manifest inspect $R/c/list:1
        expect_status 0
        expect_equal "$(jq -r '[.manifests[].platform.architecture] | join(" ")' <<<"$output")" "amd64 arm64"
        run coracle manifest annotate --variant v8 --os-version 6.1 --os-features one --os-features two $R/c/list:1 $R/b/arm:1
        expect_status 0
        expect_output ""
        run coracle manifest inspect $R/c/list:1
        expect_equal "$(jq -c '.manifests[1].platform' <<<"$output")" \
                '{"architecture":"arm64","os":"linux","os.version":"6.1","os.features":["one","two"],"variant":"v8"}'
        run coracle manifest inspect $R/c/list:1 $R/b/arm:1
        expect_status 0
        expect_equal "$(jq -r '.config.digest' <<<"$output")" "$(in_net skopeo inspect --raw --tls-verify=false docker://$R/b/arm:1 | jq -r .config.digest)"
        run coracle manifest push -p $R/c/list:1
        expect_status 0
        expect_text "Pushed ref $R/c/list@sha256:"
        expect_match $'\nsha256:[0-9a-f]{64}$'
        run coracle pull -q --platform linux/arm64 $R/c/list:1 # its blobs were mounted
        expect_status 0
        expect_equal "$(coracle inspect --format '{{.Architecture}}' $R/c/list:1)" arm64
        run coracle manifest push $R/c/list:1
        expect_status 1
        expect_text "No such manifest: $R/c/list:1"
        expect_equal "$(find "$HOME/.docker/manifests" -mindepth 1)" ""
}

@test "docker makes the same list, byte for byte, and reads ours" {
        skip_unless "program docker"
        coracle manifest create --insecure $R/c/list:1 $R/a/amd:1 $R/b/arm:1
        coracle manifest annotate --variant v8 $R/c/list:1 $R/b/arm:1
        run docker_cli manifest inspect --insecure $R/c/list:1
        expect_status 0
        expect_equal "$output" "$(coracle manifest inspect $R/c/list:1)"
        coracle manifest push $R/c/list:1 >"$TEST_DIR/ours"
        coracle manifest rm $R/c/list:1
        docker_cli manifest create --insecure $R/d/list:1 $R/a/amd:1 $R/b/arm:1
        docker_cli manifest annotate --variant v8 $R/d/list:1 $R/b/arm:1
        run coracle manifest inspect $R/d/list:1 # made by docker
        expect_status 0
        expect_equal "$(jq -r '.manifests[1].platform.variant' <<<"$output")" v8
        docker_cli manifest push --insecure $R/d/list:1 >"$TEST_DIR/theirs"
        expect_equal "$(tail -n 1 "$TEST_DIR/ours")" "$(tail -n 1 "$TEST_DIR/theirs")"
        expect_equal "$(sed 's#/c/list#/d/list#' "$TEST_DIR/ours")" "$(cat "$TEST_DIR/theirs")"
}

# what docker leaves out of a document that it has read is left out
verbose() { jq -S 'walk(if type == "object" then del(.annotations, .ArtifactType) else . end)' <<<"$output"; }

@test "inspect --verbose: an image, an index of a registry, a local list: as docker says it" {
        skip_unless "program docker"
        local args theirs
        coracle manifest create $R/c/list:1 $R/a/amd:1 $R/b/arm:1
        coracle manifest annotate --variant v8 $R/c/list:1 $R/b/arm:1
        coracle manifest create $R/c/pushed:1 $R/a/amd:1 $R/b/arm:1
        coracle manifest push -p $R/c/pushed:1
        for args in $R/a/amd:1 $R/c/pushed:1 $R/c/list:1 "$R/c/list:1 $R/b/arm:1"; do
                # shellcheck disable=SC2086
                run docker_cli manifest inspect --insecure -v $args
                expect_status 0
                theirs=$(verbose)
                # shellcheck disable=SC2086
                run coracle manifest inspect -v $args
                expect_status 0
                diff <(echo "$theirs") <(verbose)
        done
        run coracle manifest inspect -v $R/c/missing:1
        expect_status 1
        expect_text "c/missing"
}

@test "what cannot be is refused, and leaves no half of a list" {
        run coracle manifest create $R/c/list:1 $R/a/amd:1 $R/a/missing:1
        expect_status 1
        expect_text "missing"
        expect_equal "$(find "$HOME/.docker/manifests" -mindepth 1)" ""
        coracle manifest create $R/c/list:1 $R/a/amd:1
        run coracle manifest create $R/c/list:1 $R/b/arm:1
        expect_status 1
        expect_text "refusing to amend an existing manifest list with no --amend flag"
        run coracle manifest create --amend $R/c/list:1 $R/b/arm:1
        expect_status 0
        expect_equal "$(coracle manifest inspect $R/c/list:1 | jq '.manifests | length')" 2
        run coracle manifest annotate --os plan9 --arch riscv64 $R/c/list:1 $R/a/amd:1
        expect_status 1
        expect_text "manifest entry for image has unsupported os/arch combination: plan9/riscv64"
        run coracle manifest annotate --os linux $R/c/list:1 $R/a/other:1
        expect_status 1
        expect_text "manifest for image $R/a/other:1 does not exist in $R/c/list:1"
        run coracle manifest rm $R/c/none:1
        expect_status 1
        expect_text "No such manifest: $R/c/none:1"
        coracle manifest push $R/c/list:1 >"$TEST_DIR/said"
        run coracle manifest create $R/c/nested:1 $R/c/list:1
        expect_status 1
        expect_text "$R/c/list:1 is a manifest list"
        start_registry 5001
        run coracle manifest create localhost:5001/c/list:1 $R/a/amd:1
        expect_status 0
        run coracle manifest push localhost:5001/c/list:1
        expect_status 1
        expect_text "cannot use source images from a different registry than the target image: localhost:5000 != localhost:5001"
        # what somebody has changed in the file is found out
        sed -i 's/"digest":"sha256:..../"digest":"sha256:0000/' "$HOME/.docker/manifests/localhost-5000_c_list-1/localhost-5000_a_amd-1"
        run coracle manifest inspect $R/c/list:1
        expect_status 1
        expect_text "manifest list $R/c/list:1: localhost-5000_a_amd-1" "digest"
}
