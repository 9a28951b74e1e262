# Images of an ordinary user: the same commands, in that user's store, by way of a user namespace. Who that is, and which
# subordinate ids there are, is known in a mount namespace of the test's own.
load lib
load registries
load images

setup() {
        skip_unless userns "program newuidmap" "program setpriv" "program docker-registry" "program umoci" "program skopeo"
        [ "$(id -u)" = 0 ] || skip "makes a user of its own, which needs root: runs on the CI machine"
        [ -e /etc/subuid ] && [ -e /etc/subgid ] || skip "needs the files /etc/subuid and /etc/subgid: runs on the CI machine"
        setup_net
        chmod 755 "$TEST_DIR"
        start_registry 5000
        R=localhost:5000
        make_layout image
        in_net skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$TEST_DIR/image:x" docker://$R/x:1
        # built files may lie where only root may go
        install -m 755 "$CORACLE_BUILD/src/cli/coracle" "$CORACLE_BUILD/src/image/coracle-transfer" "$TEST_DIR/"
        install -d -o 4242 -g 4242 "$TEST_DIR/walker"
}
teardown() { teardown_net; }

# as_walker RANGES COMMAND... - by the user walker, whose subordinate ids are RANGES ("walker:300000:65536", or empty)
as_walker() {
        local file ranges=$1
        shift
        for file in passwd subuid subgid; do cp "/etc/$file" "$TEST_DIR/$file"; done
        echo "walker:x:4242:4242::$TEST_DIR/walker:/bin/sh" >>"$TEST_DIR/passwd"
        [ -z "$ranges" ] || echo "$ranges" | tee -a "$TEST_DIR/subuid" >>"$TEST_DIR/subgid"
        # shellcheck disable=SC2016
        in_net unshare --mount --propagation private bash -c '
                for file in passwd subuid subgid; do mount --bind "$1/$file" "/etc/$file"; done
                dir=$1 && shift
                exec setpriv --reuid 4242 --regid 4242 --clear-groups env -i PATH="$PATH" HOME="$dir/walker" CORACLE_LIBEXEC="$dir" \
                        timeout -k 5 "$RUNTIME_TIMEOUT" "$@"' - "$TEST_DIR" "$@"
}

@test "an ordinary user pulls, looks, saves and removes" {
        run as_walker walker:300000:65536 "$TEST_DIR/coracle" pull $R/x:1
        expect_status 0
        local store=$TEST_DIR/walker/.local/share/coracle conf
        [ -d "$store" ]
        conf=$(find "$store/layers" -path '*/etc/conf')
        [ "$(stat -c %u:%g "$conf")" = 301233:305677 ] # 1234:5678 inside
        run as_walker walker:300000:65536 "$TEST_DIR/coracle" images --format '{{.Repository}}:{{.Tag}}'
        expect_output "$R/x:1"
        as_walker walker:300000:65536 "$TEST_DIR/coracle" save $R/x:1 >"$TEST_DIR/saved.tar"
        skopeo --insecure-policy inspect "docker-archive:$TEST_DIR/saved.tar" >/dev/null
        run as_walker walker:300000:65536 "$TEST_DIR/coracle" rmi $R/x:1
        expect_status 0
        [ "$(find "$store/layers" -mindepth 1 -maxdepth 1 ! -name '.*' | wc -l)" = 0 ]
}

@test "opaque directories and whiteouts of a user hide what lies below" {
        as_walker walker:300000:65536 "$TEST_DIR/coracle" pull -q $R/x:1
        # shellcheck disable=SC2016
        run as_walker walker:300000:65536 bash -c '
                layers=$("$1/coracle" inspect --format "{{.GraphDriver.Data.UpperDir}}:{{.GraphDriver.Data.LowerDir}}" '$R'/x:1)
                mkdir -p "$HOME/m"
                exec unshare --user --map-root-user --mount sh -c "LIBMOUNT_FORCE_MOUNT2=always mount -t overlay overlay -o userxattr,lowerdir=$layers $HOME/m && ls $HOME/m $HOME/m/opaque"' - "$TEST_DIR"
        expect_status 0
        [[ $output == *four* && $output != *three* && $output != *gone* ]]
}

@test "without subordinate ids there is a message that says what to do" {
        run as_walker '' "$TEST_DIR/coracle" pull $R/x:1
        expect_status 1
        [[ $output == *"this user has no subordinate ids"*"usermod --add-subuids"* ]]
        [ "$(find "$TEST_DIR/walker" -path '*/layers/*' -name diff | wc -l)" = 0 ]
}

@test "a user's own configuration of registries counts" {
        install -d -o 4242 -g 4242 "$TEST_DIR/walker/.config" "$TEST_DIR/walker/.config/coracle"
        echo '{"registry-mirrors":["http://localhost:5000"]}' >"$TEST_DIR/walker/.config/coracle/daemon.json"
        run as_walker walker:300000:65536 "$TEST_DIR/coracle" pull docker.io/x:1
        expect_status 1 # the mirror has x, but the name is library/x
        in_net skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$TEST_DIR/image:x" docker://$R/library/x:1
        run as_walker walker:300000:65536 "$TEST_DIR/coracle" pull docker.io/x:1
        expect_status 0
}
