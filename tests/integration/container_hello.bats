#!/usr/bin/env bats
# The image that comes with the installation. The network namespace of these tests leads nowhere.

load lib
load containers
load registries

setup() { setup_containers; }
teardown() { teardown_containers; }

# Only the container's words, not coracle's
hello() { crun --rm "$@" 2>"$TEST_DIR/err"; }

@test "run hello: a first container, without a network and a registry" {
        run hello hello
        expect_status 0
        expect_text "Hello from a container!" "is process 1 on the host" "To try next:"
        expect_equal "$(cat "$TEST_DIR/err")" ""
        run coracle images --format '{{.Repository}}:{{.Tag}}'
        expect_text hello:latest bb:1
        run coracle inspect -f '{{.Os}} {{json .Config.Cmd}} {{len .RootFS.Layers}}' hello
        expect_output 'linux ["/hello"] 1'
        coracle rmi hello >/dev/null
        run hello --pull never --read-only hello:latest /hello
        expect_status 0
        expect_text "Hello from a container!"
}

@test "run hello: an image of the user's comes before it; with a registry or a platform it is another" {
        coracle tag bb:1 hello
        run hello hello echo mine
        expect_output mine
        coracle rmi hello >/dev/null
        run hello --pull never docker.io/library/hello
        expect_status 125
        run hello --pull never hello:2
        expect_status 125
        run hello --pull never --platform linux/s390x hello
        expect_status 125
        run hello --pull always hello # asks Docker Hub, which cannot be reached from here
        expect_status 125
        run coracle images -q hello
        expect_output ""
}

@test "run hello: an installation without it, and one where it is damaged" {
        mkdir "$TEST_DIR/libexec"
        ln -s "$CORACLE_LIBEXEC"/coracle-* "$TEST_DIR/libexec"
        export CORACLE_LIBEXEC=$TEST_DIR/libexec
        run crun --rm --pull never hello
        expect_status 125
        expect_text "No such image: hello:latest"
        head -c 20000 "$CORACLE_BUILD/libexec/hello.tar" >"$CORACLE_LIBEXEC/hello.tar"
        run crun --rm hello
        expect_status 125
        expect_text "load the image hello that comes with coracle ($CORACLE_LIBEXEC/hello.tar)"
        run coracle ps -aq
        expect_output ""
}
