# Debian's docker-registry, plain and by https, with basic and with token authentication; skopeo and umoci as referees.
load lib
load registries

setup() {
        skip_unless "program docker-registry"
        setup_net
}
teardown() { teardown_net; }

# an image of some layers in an OCI layout, $TEST_DIR/oci:x
make_image() {
        local i
        umoci init --layout "$TEST_DIR/oci"
        umoci new --image "$TEST_DIR/oci:x"
        for i in 1 2 3; do
                mkdir -p "$TEST_DIR/tree/$i"
                cp -r "$SOURCE_DIR/docs" "$TEST_DIR/tree/$i/"
                head -c 3000000 /dev/urandom >"$TEST_DIR/tree/$i/random"
                umoci insert --rootless --image "$TEST_DIR/oci:x" "$TEST_DIR/tree/$i" "/$i"
        done >/dev/null 2>&1
}

# push_image NAME - $TEST_DIR/oci:x, blobs and manifest, by the library
push_image() {
        local manifest
        manifest=$TEST_DIR/oci/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$TEST_DIR/oci/index.json")
        # shellcheck disable=SC2046
        reg upload "$1" $(jq -r ".config, .layers[] | \"$TEST_DIR/oci/blobs/sha256/\" + .digest[7:]" "$manifest") &&
                reg put "$1" v1 application/vnd.oci.image.manifest.v1+json "$manifest"
}

# pull_image NAME - manifest and blobs into $TEST_DIR/pulled, in one go
pull_image() {
        local manifest=$TEST_DIR/manifest
        reg manifest "$1" v1 >"$manifest" || return
        mkdir -p "$TEST_DIR/pulled"
        # shellcheck disable=SC2046
        reg blobs "$1" $(jq -r ".config, .layers[] | \"\\(.digest) \\(.size) $TEST_DIR/pulled/\\(.digest[7:])\"" "$manifest")
}

is_whole() {
        local file
        for file in "$TEST_DIR"/pulled/*; do
                [ "$(sha256sum <"$file" | cut -c 1-64)" = "${file##*/}" ] || return 1
        done
        [ "$(find "$TEST_DIR/pulled" -type f | wc -l)" -ge 4 ]
}

htpasswd_file() { htpasswd -Bbn user secret >"$TEST_DIR/htpasswd"; }

@test "what skopeo pushed is pulled, and what we push skopeo pulls" {
        make_image
        start_registry 5000
        in_net skopeo copy -q --dest-tls-verify=false "oci:$TEST_DIR/oci:x" docker://localhost:5000/from/skopeo:v1
        run pull_image localhost:5000/from/skopeo
        expect_status 0
        is_whole
        run push_image localhost:5000/from/us
        expect_status 0
        in_net skopeo copy -q --src-tls-verify=false docker://localhost:5000/from/us:v1 "oci:$TEST_DIR/back:x"
        expect_equal "$(jq -r '.manifests[0].digest' "$TEST_DIR/back/index.json")" "$(jq -r '.manifests[0].digest' "$TEST_DIR/oci/index.json")"
}

@test "blobs are mounted from another repository, or uploaded where the registry has none" {
        start_registry 5000
        head -c 5000000 /dev/urandom >"$TEST_DIR/file"
        run reg upload localhost:5000/a/b "$TEST_DIR/file"
        expect_status 0
        digest=${output% *}
        run reg mount localhost:5000/c/d "$digest" a/b
        expect_output 1
        run reg exists localhost:5000/c/d "$digest"
        expect_output "1 5000000"
        echo other >"$TEST_DIR/file"
        run reg mount localhost:5000/c/d "sha256:$(sha256sum <"$TEST_DIR/file" | cut -c 1-64)" a/b "$TEST_DIR/file"
        expect_output 0
        run reg exists localhost:5000/c/d "sha256:$(sha256sum <"$TEST_DIR/file" | cut -c 1-64)"
        expect_output "1 6"
}

@test "a large blob is resumed after the registry has died and come back" {
        start_registry 5000
        head -c 20000000 /dev/urandom >"$TEST_DIR/file"
        run reg upload localhost:5000/a/b "$TEST_DIR/file"
        read -r digest size <<<"$output"
        truncate -s 7000000 "$TEST_DIR/file"
        kill -KILL "${SERVERS[-1]}"
        wait_until refute listens 5000
        (sleep 2; exec nsenter --net="/proc/$NET/ns/net" docker-registry serve "$TEST_DIR/registry-5000.yml") >/dev/null 2>&1 3>&- &
        SERVERS+=($!)
        ATTEMPTS=10 run reg blobs localhost:5000/a/b "$digest" "$size" "$TEST_DIR/file"
        expect_status 0
        expect_no_text restarts
        expect_equal "sha256:$(sha256sum <"$TEST_DIR/file" | cut -c 1-64)" "$digest"
}

@test "https with a private authority: HTTP/2, pull and push" {
        make_image
        make_certificates
        start_registry 5443 "  tls: {certificate: $TEST_DIR/server.crt, key: $TEST_DIR/server.key}"
        mkdir "$COR_CONFIG/certs.d/127.0.0.1:5443"
        cp "$TEST_DIR/ca.crt" "$COR_CONFIG/certs.d/127.0.0.1:5443/"
        run push_image 127.0.0.1:5443/a/b
        expect_status 0
        run pull_image 127.0.0.1:5443/a/b
        expect_status 0
        is_whole
        DEBUG=1 run reg manifest 127.0.0.1:5443/a/b v1
        expect_text "HTTP/2"
}

@test "htpasswd: refused without, good with credentials" {
        skip_unless "program htpasswd"
        make_image
        htpasswd_file
        start_registry 5000 "auth: {htpasswd: {realm: here, path: $TEST_DIR/htpasswd}}"
        run push_image localhost:5000/a/b
        expect_status 1
        expect_text "no basic auth credentials"
        run reg login localhost:5000 user wrong
        expect_status 1
        expect_text "unauthorized: authentication required"
        run reg login localhost:5000 user secret
        expect_status 0
        run push_image localhost:5000/a/b
        expect_status 0
        run pull_image localhost:5000/a/b
        expect_status 0
        is_whole
        run reg logout localhost:5000
        run reg manifest localhost:5000/a/b v1
        expect_status 1
        expect_text "pull access denied for localhost:5000/a/b"
}

@test "a token server with signed tokens: pull, push, mount between repositories, identity tokens" {
        make_image
        make_certificates
        start "$SOURCE_DIR/tests/integration/tools/token_server.py" --port 5001 --key "$TEST_DIR/server.key" --cert "$TEST_DIR/server.crt" \
                >"$TEST_DIR/token.out" 2>&1
        wait_until listens 5001
        start_registry 5000 "auth: {token: {realm: 'http://localhost:5001/token', service: test, issuer: test-issuer, rootcertbundle: $TEST_DIR/server.crt}}"
        run push_image localhost:5000/a/b
        expect_status 1
        expect_text "unauthorized: authentication required"
        run reg login localhost:5000 user wrong
        expect_status 1
        run reg login localhost:5000 user secret
        expect_status 0
        expect_equal "$(jq -r '.auths["localhost:5000"].identitytoken' "$HOME/.docker/config.json")" refresh-me
        run push_image localhost:5000/a/b
        expect_status 0
        digest=$(jq -r '.manifests[0].digest' "$TEST_DIR/oci/index.json")
        layer=$(jq -r '.layers[0].digest' "$TEST_DIR/oci/blobs/sha256/${digest#*:}")
        run reg mount localhost:5000/c/d "$layer" a/b
        expect_output 1
        run pull_image localhost:5000/a/b
        expect_status 0
        is_whole
        run reg logout localhost:5000
        run reg manifest localhost:5000/a/b v1 # anonymous: tokens for pulling public/ only
        expect_status 1
        expect_text "pull access denied for localhost:5000/a/b"
}
