# shellcheck shell=bash
# Helpers for tests of an ordinary user's containers, beside lib: who that is, and which subordinate ids there are, is
# known in a mount namespace of the test's own.
#
#   setup_rootless      the user walker, and in walker's store the image small, which is busybox
#   coracle ARGUMENT... the program, by walker, in the network namespace of process $NET if that is set;
#                       $TEST_DIR/{fuse,tun,resolv.conf} are /dev/fuse, /dev/net/tun and /etc/resolv.conf, where they are
#   teardown_rootless   removes every container
#   open_fuse, open_tun what udev does with these where there is one: everybody may use them

setup_rootless() {
        local file
        skip_unless userns "program newuidmap" "program setpriv"
        [ "$(id -u)" = 0 ] || skip "makes a user of its own, which needs root: runs on the CI machine"
        [ -e /etc/subuid ] && [ -e /etc/subgid ] || skip "needs the files /etc/subuid and /etc/subgid: runs on the CI machine"
        TEST_DIR=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
        chmod 755 "$TEST_DIR"
        make_rootfs "$TEST_DIR/tree"
        mkdir "$TEST_DIR/tree/data" && echo text >"$TEST_DIR/tree/data/file"
        tar -C "$TEST_DIR/tree" -cf "$TEST_DIR/small.tar" .
        for file in passwd subuid subgid; do cp "/etc/$file" "$TEST_DIR/$file"; done
        echo "walker:x:4242:4242::$TEST_DIR/walker:/bin/sh" >>"$TEST_DIR/passwd"
        echo walker:300000:65536 | tee -a "$TEST_DIR/subuid" >>"$TEST_DIR/subgid"
        # built files may lie where only root may go
        install -m 755 "$CORACLE_BUILD/src/cli/coracle" "$CORACLE_BUILD/src/image/coracle-transfer" \
                "$CORACLE_BUILD/libexec/coracle-monitor" "$CORACLE_BUILD/src/tools/init/coracle-init" "$TEST_DIR/"
        install -d -o 4242 -g 4242 "$TEST_DIR/walker" "$TEST_DIR/walker/run"
        coracle import -c 'CMD ["sh"]' "$TEST_DIR/small.tar" small >/dev/null
}

teardown_rootless() {
        [ -n "${TEST_DIR:-}" ] || return 0
        coracle ps -aq | while read -r id; do coracle rm -f "$id"; done >/dev/null 2>&1 || true
        remove_tree "$TEST_DIR"
}

coracle() {
        local net=()
        [ -z "${NET:-}" ] || net=(nsenter --net="/proc/$NET/ns/net")
        # shellcheck disable=SC2016
        "${net[@]}" unshare --mount --propagation private bash -c '
                for file in passwd subuid subgid; do mount --bind "$1/$file" "/etc/$file"; done
                [ ! -e "$1/fuse" ] || mount --bind "$1/fuse" /dev/fuse
                [ ! -e "$1/resolv.conf" ] || mount --bind "$1/resolv.conf" /etc/resolv.conf
                [ ! -e "$1/tun" ] || mount --bind "$1/tun" /dev/net/tun
                [ ! -e "$1/over" ] || mount -t overlay overlay -o "lowerdir=$1/over/lower,upperdir=$1/over/upper,workdir=$1/over/work" "$1/over/there"
                dir=$1 && shift
                exec setpriv --reuid 4242 --regid 4242 --clear-groups env -i PATH="${PATH_OF_USER:-$PATH}" HOME="$dir/walker" \
                        XDG_RUNTIME_DIR="$dir/walker/run" CORACLE_LIBEXEC="$dir" timeout -k 5 "$RUNTIME_TIMEOUT" "$dir/coracle" "$@"' \
                - "$TEST_DIR" "$@" 3>&-
}

open_fuse() {
        skip_unless "program fuse-overlayfs" "filesystem fuse"
        [ -c /dev/fuse ] || skip "needs /dev/fuse: runs on the CI machine"
        mknod -m 666 "$TEST_DIR/fuse" c 10 229
}

open_tun() {
        [ -c /dev/net/tun ] || skip "needs /dev/net/tun: runs on the CI machine"
        mknod -m 666 "$TEST_DIR/tun" c 10 200
}
