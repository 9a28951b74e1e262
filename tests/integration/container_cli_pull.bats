#!/usr/bin/env bats
# Images named by run and create that are not here: they come from a registry, Debian's docker-registry.

load lib
load registries

setup() {
        skip_unless root "program docker-registry"
        setup_net
        LIBEXEC=$TEST_DIR/libexec
        mkdir -p "$LIBEXEC" "$TEST_DIR/tree/bin"
        ln -s "$CORACLE_BUILD/src/image/coracle-transfer" "$CORACLE_BUILD/libexec/coracle-monitor" \
                "$CORACLE_BUILD/src/tools/init/coracle-init" "$LIBEXEC"
        cp "$(command -v busybox)" "$TEST_DIR/tree/bin/busybox"
        start_registry 5000
        tar -C "$TEST_DIR/tree" -c . | coracle there import - localhost:5000/bb:1
        coracle there push -q localhost:5000/bb:1
}

teardown() {
        [ -z "${TEST_DIR:-}" ] || coracle here ps -aq | while read -r id; do coracle here rm -f "$id"; done >/dev/null 2>&1 || true
        teardown_net
}

# coracle STORE COMMAND...
coracle() {
        local store=$1
        shift
        CORACLE_LIBEXEC=$LIBEXEC in_net timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE_BUILD/src/cli/coracle" --root "$TEST_DIR/$store" "$@" 3>&-
}

@test "run pulls what is not here, and tells of it beside the container's output" {
        coracle here run --rm --network none localhost:5000/bb:1 /bin/busybox echo hello >"$TEST_DIR/out" 2>"$TEST_DIR/err"
        expect_equal "$(cat "$TEST_DIR/out")" hello
        expect_equal "$(head -n 1 "$TEST_DIR/err")" "Unable to find image 'localhost:5000/bb:1' locally"
        expect_equal "$(tail -n 1 "$TEST_DIR/err")" "Status: Downloaded newer image for localhost:5000/bb:1"
        coracle here run --rm --network none localhost:5000/bb:1 /bin/busybox echo again >"$TEST_DIR/out" 2>"$TEST_DIR/err"
        expect_equal "$(cat "$TEST_DIR/err")" "" # it is here now
}

@test "--quiet, --pull always and never; names and tags that nobody has" {
        run coracle here run -q --rm --network none localhost:5000/bb:1 /bin/busybox echo quiet
        expect_output quiet
        run coracle here create --pull always --network none localhost:5000/bb:1 /bin/busybox
        expect_status 0
        expect_text "Status: Image is up to date for localhost:5000/bb:1"
        run coracle here run --pull never --rm --network none localhost:5000/bb:2 true
        expect_status 125
        expect_text "No such image: localhost:5000/bb:2"
        run coracle here run --rm --network none localhost:5000/bb:2 true
        expect_status 125
        expect_text "Unable to find image 'localhost:5000/bb:2' locally"
        run coracle here create --network none localhost:5000/nothing
        expect_status 1
        expect_text "Unable to find image 'localhost:5000/nothing:latest' locally"
        run coracle here run --pull sometimes localhost:5000/bb:1
        expect_status 125
        expect_text "invalid pull option: 'sometimes'"
}
