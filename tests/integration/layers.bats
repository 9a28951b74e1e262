# shellcheck disable=SC2094 # archives are read twice, never written
# Layers: what becomes of archives, compared with umoci and GNU tar, down to attributes and nanoseconds. The archives are
# made by layer_corpus.py; layer_tree.py lists all there is to know about a tree. tool-layer is the library without the
# store; with --confine it runs as the process does that unpacks.
load lib

setup_file() {
        export CORPUS=$BATS_FILE_TMPDIR/corpus
        mkdir "$CORPUS"
        "$BATS_TEST_DIRNAME/layer_corpus.py" "$CORPUS"
}

setup() {
        [ "$(id -u)" = 0 ] || skip "owners and devices need root: runs where the suite is started by root; rootless.bats is for others"
        TEST_DIR=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
        LAYER=$CORACLE_BUILD/tests/integration/tools/tool-layer
        TREE=$BATS_TEST_DIRNAME/layer_tree.py
        HERE=$BATS_TEST_DIRNAME
}

teardown() {
        [ -z "${TEST_DIR:-}" ] || { umount "$TEST_DIR"/*/merged 2>/dev/null || true; remove_tree "$TEST_DIR"; }
}

# unpack CASE [FLAGS...] - apply its layers, and show them together at $TEST_DIR/CASE/merged
unpack() {
        local dir=$TEST_DIR/$1 archive lower=() n=0
        mkdir -p "$dir/merged" "$dir/0"
        while [ -e "$CORPUS/good/$1/$((n + 1)).tar" ]; do
                archive=$CORPUS/good/$1/$((++n)).tar
                mkdir "$dir/$n"
                "$LAYER" apply --confine "${@:2}" "$dir/$n" "${lower[@]}" <"$archive" >"$dir/said.$n" || return
                lower=("$dir/$n" "${lower[@]}")
        done
        mount_overlay "lowerdir=$(IFS=: && echo "${lower[*]}"):$dir/0" "$dir/merged"
}

referee() { # CASE FOLDER - unpack it as the one who knows does
        local dir=$CORPUS/good/$1
        mkdir "$2"
        if [ "$(<"$dir/referee")" = tar ]; then
                tar --xattrs --xattrs-include='*' --acls --numeric-owner -C "$2" -xf "$dir/1.tar"
        else
                umoci unpack --image "$dir/oci:t" "$2/bundle" >"$2/log" 2>&1 || { cat "$2/log"; return 1; }
        fi
}

same_as_referee() { # CASE
        local want=$TEST_DIR/$1.referee
        referee "$1" "$want" || return
        [ "$(<"$CORPUS/good/$1/referee")" = tar ] || want=$want/bundle/rootfs
        unpack "$1" || return
        diff -u <("$TREE" --free "$CORPUS/good/$1/free" "$want") <("$TREE" --free "$CORPUS/good/$1/free" "$TEST_DIR/$1/merged")
}

all_same() { # CASE... - each is tried, whatever became of the others
        local case failed=
        for case; do
                same_as_referee "$case" || { echo "=== $case is not as $(<"$CORPUS/good/$case/referee") unpacks it"; failed=1; }
        done
        [ -z "$failed" ]
}

refused() { # TEXT FLAGS... <ARCHIVE - it is refused with a message that has TEXT, and nothing is made elsewhere
        local text=$1 folder=$TEST_DIR/refused
        shift
        remove_tree "$folder"
        mkdir -p "$folder/layer"
        run "$LAYER" apply "$@" "$folder/layer"
        [ "$status" = 1 ] || { echo "not refused: status $status, $output"; return 1; }
        [[ $output == *"$text"* ]] || { echo "the message is: $output"; echo "and lacks: $text"; return 1; }
        [ "$(ls -A "$folder")" = layer ]
}

@test "single layers come out as umoci unpacks them: kinds, names, numbers, attributes" {
        all_same kinds names numbers xattrs
}

@test "single layers come out as umoci unpacks them: entries given twice, links on the way, many directories" {
        all_same again links dirs child-first
}

@test "sparse files of GNU's four forms, ACLs as text and global headers come out as GNU tar unpacks them" {
        all_same sparse-gnu sparse-pax-0.0 sparse-pax-0.1 sparse-pax-1.0 acls globals
        for form in gnu pax-0.0 pax-0.1 pax-1.0; do
                [ "$(stat -c %b "$TEST_DIR/sparse-$form/1/hole")" = 0 ]
                [ "$(stat -c %b "$TEST_DIR/sparse-$form/1/many")" -lt 2000 ]
        done
}

@test "a part of this system comes out as GNU tar unpacks it, and goes back" {
        tar -C / --xattrs --xattrs-include='*' --acls --numeric-owner -czf "$TEST_DIR/tar" etc usr/sbin usr/share/zoneinfo 2>/dev/null ||
                [ $? = 1 ] # files that others changed meanwhile
        mkdir "$TEST_DIR"/{ours,tars,again}
        "$LAYER" apply --confine "$TEST_DIR/ours" <"$TEST_DIR/tar"
        tar -C "$TEST_DIR/tars" --xattrs --xattrs-include='*' --acls --numeric-owner -xzf "$TEST_DIR/tar"
        printf 'usr\nusr/share\n' >"$TEST_DIR/free" # folders that the archive does not name
        diff -u <("$TREE" --free "$TEST_DIR/free" "$TEST_DIR/tars") <("$TREE" --free "$TEST_DIR/free" "$TEST_DIR/ours")
        "$LAYER" diff --zstd "$TEST_DIR/ours" | "$LAYER" apply --confine "$TEST_DIR/again"
        diff -u <("$TREE" "$TEST_DIR/ours") <("$TREE" "$TEST_DIR/again")
}

@test "whiteouts on lower layers come out as umoci unpacks them" {
        all_same whiteouts whiteout-file-after whiteout-file-before whiteout-dir-after whiteout-dir-before nothing
}

@test "whiteouts and opaque directories on lower layers come out as umoci unpacks them" {
        all_same whiteout-then-implied opaque-first opaque-last opaque-and-whiteouts whiteout-in-default-acl delete-and-again
}

@test "what replaces something of lower layers comes out as umoci unpacks it" {
        all_same dir-to-file file-to-dir dir-file-dir file-then-dir-in-one link-to-dir attributes-only
}

@test "archives that lack directories of lower layers come out as umoci unpacks them" {
        all_same missing-parent parent-is-link-below whiteout-behind-link deleted-parent opaque-parent
}

@test "archives with hard links into lower layers come out as umoci unpacks them" {
        all_same hardlink-below hardlink-below-twice hardlink-symlink-below hardlink-behind-link hardlink-two-down
}

@test "whether an archive leans on lower layers is known without them" {
        local case n
        for case in whiteouts whiteout-file-after whiteout-dir-before opaque-last dir-to-file file-to-dir attributes-only; do
                mkdir -p "$TEST_DIR/$case.probe"
                n=$("$LAYER" apply --probe "$TEST_DIR/$case.probe" <"$CORPUS/good/$case/2.tar")
                [[ $n == *" needs_lower=0"* ]] || { echo "$case: $n"; return 1; }
        done
        for case in missing-parent parent-is-link-below whiteout-behind-link hardlink-below hardlink-behind-link; do
                mkdir -p "$TEST_DIR/$case.probe"
                n=$("$LAYER" apply --probe "$TEST_DIR/$case.probe" <"$CORPUS/good/$case/2.tar")
                [[ $n == *" needs_lower=1 "*" "* ]] || { echo "$case: $n"; return 1; }
                unpack "$case" # and with them, too
                grep -q ' needs_lower=1 ' "$TEST_DIR/$case/said.2"
        done
}

@test "a layer made from an unpacked layer unpacks to the same, to GNU tar and to umoci too" {
        local case dir
        for case in kinds names numbers xattrs again sparse-pax-1.0 whiteouts opaque-last hardlink-below; do
                unpack "$case"
                dir=$TEST_DIR/$case
                for dir in "$TEST_DIR/$case"/[1-9]; do
                        mkdir "$dir.again"
                        "$LAYER" diff "$dir" >"$dir.tar"
                        "$LAYER" apply "$dir.again" <"$dir.tar"
                        diff -u <("$TREE" "$dir") <("$TREE" "$dir.again") || { echo "=== $case"; return 1; }
                        cmp "$dir.tar" <("$LAYER" diff "$dir.again")
                done
        done
        for case in kinds names numbers xattrs sparse-pax-1.0; do
                dir=$TEST_DIR/$case/1
                mkdir "$dir.tarred"
                "$LAYER" diff "$dir" | tar --xattrs --xattrs-include='*' --numeric-owner -C "$dir.tarred" -xf -
                diff -u <("$TREE" "$dir") <("$TREE" "$dir.tarred") || { echo "=== $case"; return 1; }
        done
}

@test "what is changed on an overlay becomes a layer that umoci unpacks to the same" {
        local dir=$TEST_DIR/overlay
        mkdir -p "$dir"/{lower,upper,work,merged,layer2}
        "$LAYER" apply "$dir/lower" <"$CORPUS/good/whiteouts/1.tar"
        mount -t overlay overlay -o "lowerdir=$dir/lower,upperdir=$dir/upper,workdir=$dir/work" "$dir/merged"
        (
                cd "$dir/merged"
                rm plain && rm -r gone && rm -r opt && mkdir -m 700 opt && echo new >opt/new
                mv var/lib/db var/lib/moved && ln var/lib/moved var/hard && ln etc/shadow etc/shadow-too
                chmod 4711 bin-real/sh && setfattr -n user.new -v attr etc && chown -h 5:6 sym
                rm -r swap-dir && echo file >swap-dir && rm swap-file && mkdir swap-file
                truncate -s 5M hole && mkfifo fifo && mknod null c 1 3 && ln -s nowhere link
                mkdir -p a/b/c && rmdir a/b/c && setfacl -m u:77:r bin-real/sh && touch -d @-5.25 etc/passwd
        )
        "$LAYER" diff "$dir/upper" >"$dir/2.tar"
        tar -tf "$dir/2.tar" | grep -qx 'opt/.wh..wh..opq'
        "$LAYER" apply --confine "$dir/layer2" "$dir/lower" <"$dir/2.tar" >"$dir/said"
        grep -q needs_lower=0 "$dir/said"
        "$TREE" "$dir/merged" >"$dir/before"
        umount "$dir/merged"
        mount -t overlay overlay -o "lowerdir=$dir/layer2:$dir/lower" "$dir/merged"
        diff -u "$dir/before" <("$TREE" "$dir/merged")
        "$HERE/layer_corpus.py" --layout "$dir/oci" "$CORPUS/good/whiteouts/1.tar" "$dir/2.tar"
        umoci unpack --image "$dir/oci:t" "$dir/bundle" >"$dir/log" 2>&1 || { cat "$dir/log"; return 1; }
        printf 'opt\n' >"$dir/free" # umoci does not keep the time of an opaque directory
        diff -u <("$TREE" --free "$dir/free" "$dir/bundle/rootfs") <("$TREE" --free "$dir/free" "$dir/merged")
}

@test "what an overlay has of a lower layer by reference only is not packed as if it were all" {
        local dir=$TEST_DIR/overlay options
        for options in redirect_dir=on metacopy=on; do
                rm -rf "$dir"
                mkdir -p "$dir"/{lower/dir/sub,upper,work,merged}
                echo data >"$dir/lower/file"
                mount -t overlay overlay -o "lowerdir=$dir/lower,upperdir=$dir/upper,workdir=$dir/work,$options" "$dir/merged"
                mv "$dir/merged/dir" "$dir/merged/moved"
                chmod 600 "$dir/merged/file"
                umount "$dir/merged"
                run "$LAYER" diff "$dir/upper"
                [ "$status" = 1 ]
                [[ $output == *"the overlay was not mounted with redirect_dir=off,metacopy=off"* ]]
        done
}

@test "holes stay holes on the way through an archive" {
        mkdir "$TEST_DIR/from" "$TEST_DIR/to"
        truncate -s 10G "$TEST_DIR/from/hole"
        "$LAYER" diff "$TEST_DIR/from" >"$TEST_DIR/tar"
        [ "$(stat -c %s "$TEST_DIR/tar")" -lt 10000 ]
        "$LAYER" apply "$TEST_DIR/to" <"$TEST_DIR/tar"
        [ "$(stat -c '%s %b' "$TEST_DIR/to/hole")" = "10737418240 0" ]
}

@test "an attribute whose name a pax record cannot hold goes through an archive" {
        mkdir "$TEST_DIR/from" "$TEST_DIR/to"
        touch "$TEST_DIR/from/file"
        setfattr -n 'user.a=b%c' -v 0x00ff0a3d41 "$TEST_DIR/from/file"
        "$LAYER" diff "$TEST_DIR/from" | "$LAYER" apply "$TEST_DIR/to"
        diff -u <("$TREE" "$TEST_DIR/from") <("$TREE" "$TEST_DIR/to")
}

@test "a file that a whiteout's name would make something else is refused, and sockets are left out" {
        mkdir -p "$TEST_DIR/from/dir"
        python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$TEST_DIR/from/socket"
        [ "$("$LAYER" diff "$TEST_DIR/from" | tar -t)" = $'./\ndir/' ]
        touch "$TEST_DIR/from/dir/.wh.x"
        run "$LAYER" diff "$TEST_DIR/from"
        [ "$status" = 1 ]
        [[ $output == *"dir: .wh.x: a name that begins with .wh. cannot be in a layer"* ]]
}

@test "gzip of one and of several members, zstd of several frames and skippable ones, and no compression" {
        local archive=$CORPUS/good/kinds/1.tar out=$TEST_DIR/out
        "$LAYER" inflate <"$archive" | cmp - "$archive"
        gzip -c "$archive" | "$LAYER" inflate | cmp - "$archive"
        { head -c 1000 "$archive" | gzip -1; tail -c +1001 "$archive" | gzip -9; } | "$LAYER" inflate | cmp - "$archive"
        { gzip -c "$archive"; head -c 5000 /dev/zero; } | "$LAYER" inflate | cmp - "$archive"
        split -b 700 --filter='gzip -c' "$archive" | "$LAYER" inflate | cmp - "$archive" # a member each, as eStargz has
        zstd -qc "$archive" | "$LAYER" inflate | cmp - "$archive"
        { head -c 1000 "$archive" | zstd -qc; printf '\x50\x2a\x4d\x18\x03\0\0\0abc'; tail -c +1001 "$archive" | zstd -qc; } >"$out"
        "$LAYER" inflate <"$out" | cmp - "$archive"
        { printf '\x5e\x2a\x4d\x18\x03\0\0\0abc'; cat "$out"; } | "$LAYER" inflate | cmp - "$archive"
        : | "$LAYER" inflate | cmp - /dev/null
}

@test "compressed streams that are cut, damaged, followed by something or unknown are refused" {
        local archive=$CORPUS/good/kinds/1.tar
        gzip -c "$archive" >"$TEST_DIR/gz"
        zstd -qc "$archive" >"$TEST_DIR/zst"
        head -c -1 "$TEST_DIR/gz" | refused "cut off"
        head -c 5 "$TEST_DIR/gz" | refused "cut off"
        head -c -1 "$TEST_DIR/zst" | refused "cut off"
        { cat "$TEST_DIR/gz"; echo more; } | refused "something else follows"
        { head -c 300 "$TEST_DIR/gz"; head -c 300 /dev/zero | tr '\0' x; } | refused "stream is"
        { head -c -8 "$TEST_DIR/gz"; printf '\1\2\3\4\5\6\7\10'; } | refused "is damaged"
        { head -c 300 "$TEST_DIR/zst"; head -c 300 /dev/zero | tr '\0' x; } | refused "is damaged"
        bzip2 -c "$archive" 2>/dev/null | refused "compressed with bzip2" || [ -z "$(command -v bzip2)" ]
}

@test "the archive of a layer is the same bytes each time, compressed and not" {
        unpack kinds
        "$LAYER" diff --gzip "$TEST_DIR/kinds/1" >"$TEST_DIR/a"
        sleep 1.1
        "$LAYER" diff --gzip "$TEST_DIR/kinds/1" | cmp - "$TEST_DIR/a"
        gzip -dc "$TEST_DIR/a" | cmp - <("$LAYER" diff "$TEST_DIR/kinds/1")
        "$LAYER" diff --zstd "$TEST_DIR/kinds/1" | zstd -qdc | cmp - <("$LAYER" diff "$TEST_DIR/kinds/1")
}

@test "damaged and hostile archives are refused with the reason" {
        local archive failed=
        for archive in "$CORPUS"/bad/*.tar; do
                refused "$(<"${archive%.tar}.says")" <"$archive" || { echo "=== ${archive##*/}"; failed=1; }
        done
        [ -z "$failed" ]
}

@test "names of an archive do not speak to the terminal" {
        python3 -c 'import sys, tarfile
tar = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")
tar.addfile(tarfile.TarInfo("a\x1b[2J\u009b"))
tar.addfile(tarfile.TarInfo("a\x1b[2J\u009b/b"))
tar.close()' >"$TEST_DIR/tar"
        refused 'a\033[2J\302\233/b: a?[2J??, where it should be in, is not a directory' <"$TEST_DIR/tar"
}

@test "links lead nowhere but into the layer" {
        mkdir "$TEST_DIR/victim" "$TEST_DIR/layer"
        python3 - "$TEST_DIR/victim" >"$TEST_DIR/tar" <<-'EOF'
	import sys, tarfile
	def add(name, **fields):
	    info = tarfile.TarInfo(name)
	    for key, value in fields.items():
	        setattr(info, key, value)
	    tar.addfile(info)
	tar = tarfile.open(fileobj=sys.stdout.buffer, mode='w|')
	add('out', type=tarfile.SYMTYPE, linkname=sys.argv[1])
	add('out/file', mode=0o666)
	add('up', type=tarfile.SYMTYPE, linkname='../' * 40 + sys.argv[1][1:])
	add('up/other', mode=0o666)
	add('magic', type=tarfile.SYMTYPE, linkname='/proc/self/root')
	add('magic' + sys.argv[1] + '/third', mode=0o666)
	add('out/.wh.gone')
	add('hard', type=tarfile.LNKTYPE, linkname='out/file')
	tar.close()
	EOF
        "$LAYER" apply "$TEST_DIR/layer" <"$TEST_DIR/tar"
        [ -z "$(ls -A "$TEST_DIR/victim")" ]
        [ -f "$TEST_DIR/layer$TEST_DIR/victim/file" ]
        [ -f "$TEST_DIR/layer$TEST_DIR/victim/other" ]
        [ -f "$TEST_DIR/layer/proc/self/root$TEST_DIR/victim/third" ] # made as folders: there is no such link in the layer
        [ "$(stat -c %h "$TEST_DIR/layer/hard")" = 2 ]
}

@test "bombs are refused: by ratio, by bytes, by entries" {
        head -c 80M /dev/zero >"$TEST_DIR/zeros"
        tar -C "$TEST_DIR" -czf "$TEST_DIR/bomb" zeros
        refused "archive bomb" --ratio 100 <"$TEST_DIR/bomb"
        refused "archive bomb: its files hold more than 1000000 bytes" --bytes 1000000 <"$TEST_DIR/bomb"
        refused "archive bomb: more than 500 entries" --entries 500 <"$CORPUS/good/dirs/1.tar"
        python3 -c 'import sys, tarfile
for i in range(3): sys.stdout.buffer.write(tarfile.TarInfo(f"{i}" + "/d" * 40).tobuf())
sys.stdout.buffer.write(bytes(1024))' >"$TEST_DIR/bomb"
        refused "archive bomb: more than 100 directories without an entry" --entries 100 <"$TEST_DIR/bomb"
        truncate -s 1T "$TEST_DIR/zeros"
        tar --sparse -C "$TEST_DIR" -cf "$TEST_DIR/bomb" zeros
        refused "archive bomb: its files hold more than" --bytes 1000000000 <"$TEST_DIR/bomb"
}

@test "a directory two thousand deep that only the layers below have" {
        local lower=() n
        python3 -c 'import sys, tarfile
tar = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT)
info = tarfile.TarInfo("/".join("d" * 2000) + "/" + sys.argv[1])
tar.addfile(info)
tar.close()' one >"$TEST_DIR/tar"
        mkdir "$TEST_DIR"/{1..4}
        for n in {1..4}; do
                "$LAYER" apply "$TEST_DIR/$n" "${lower[@]}" <"$TEST_DIR/tar" >"$TEST_DIR/said"
                lower=("$TEST_DIR/$n" "${lower[@]}")
        done
        grep -q 'needs_lower=1' "$TEST_DIR/said"
        [ "$(find "$TEST_DIR/4" -type d | wc -l)" = 2001 ]
        [ "$(find "$TEST_DIR/4" -type f -name one | wc -l)" = 1 ]
        rm -rf "$TEST_DIR"/{1..4} # faster than the teardown, which looks at each file
}

@test "in a user namespace with enough ids layers come out as without, but for what only root may" {
        local case sleeper status=0
        chmod 755 "$TEST_DIR"
        mkdir "$TEST_DIR/layers"
        chown 100000:100000 "$TEST_DIR/layers"
        unshare --user sleep 1000 3>&- &
        sleeper=$!
        until echo "0 100000 65536" >"/proc/$sleeper/uid_map" && [ "$(readlink "/proc/$sleeper/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do
                kill -0 "$sleeper" || return 1
        done 2>/dev/null
        echo "0 100000 65536" >"/proc/$sleeper/gid_map"
        for case in names xattrs again links whiteouts; do
                # shellcheck disable=SC2016 # the shell inside
                nsenter --user --setuid 0 --setgid 0 --target "$sleeper" sh -c 'mkdir "$2" && exec "$1" apply --rootless --confine "$2"' \
                        - "$LAYER" "$TEST_DIR/layers/$case" <"$CORPUS/good/$case/1.tar" || status=1
                mkdir "$TEST_DIR/$case.root"
                "$LAYER" apply "$TEST_DIR/$case.root" <"$CORPUS/good/$case/1.tar"
                diff -u <("$TREE" "$TEST_DIR/$case.root" | sed -E "s/\('trusted\.[^)]*\)(, )?//; s/trusted.overlay/user.overlay/") \
                        <(nsenter --user --setuid 0 --setgid 0 --target "$sleeper" "$TREE" "$TEST_DIR/layers/$case" |
                                sed -E "s/\('user.overlay[^)]*\)(, )?//") || status=1
        done
        kill "$sleeper"
        wait "$sleeper" || true
        [ "$status" = 0 ]
}

@test "attributes of overlayfs, of the host's policy and of nobody are not taken from an archive" {
        python3 - >"$TEST_DIR/tar" <<-'EOF'
	import sys, tarfile
	info = tarfile.TarInfo('dir')
	info.type = tarfile.DIRTYPE
	info.pax_headers = {'SCHILY.xattr.' + name: 'y' for name in (
	    'trusted.overlay.redirect', 'trusted.overlay.opaque', 'trusted.overlay.metacopy', 'user.overlay.opaque',
	    'security.selinux', 'com.apple.quarantine', 'system.nfs4_acl', 'user.kept')}
	tar = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.PAX_FORMAT)
	tar.addfile(info)
	tar.close()
	EOF
        mkdir "$TEST_DIR/layer"
        "$LAYER" apply "$TEST_DIR/layer" <"$TEST_DIR/tar"
        [ "$(getfattr -h -m - --absolute-names -d "$TEST_DIR/layer/dir" | grep '=')" = 'user.kept="y"' ]
}

@test "entries that mean nothing are skipped: aufs' own, and unknown types" {
        python3 - >"$TEST_DIR/tar" <<-'EOF'
	import io, sys, tarfile
	tar = tarfile.open(fileobj=sys.stdout.buffer, mode='w|')
	for name, kind in (('.wh..wh.aufs', b'0'), ('.wh..wh.plnk', b'5'), ('.wh..wh.plnk/1.2', b'0'), ('odd', b'Q'), ('new', b'0')):
	    info = tarfile.TarInfo(name)
	    info.type = kind
	    info.size = 700 if kind in b'0Q' else 0
	    sys.stdout.buffer.write(info.tobuf() + b'x' * info.size + b'\0' * (-info.size % 512))
	tar.close()
	EOF
        mkdir "$TEST_DIR/layer"
        "$LAYER" apply "$TEST_DIR/layer" <"$TEST_DIR/tar"
        [ "$(ls -A "$TEST_DIR/layer")" = new ]
}

@test "without root a device is refused by its name, and a whiteout is none" {
        mkdir "$TEST_DIR/layer"
        python3 -c 'import sys, tarfile
i = tarfile.TarInfo("dev/sda"); i.type = tarfile.BLKTYPE; i.devmajor = 8
sys.stdout.buffer.write(i.tobuf() + b"\0" * 1024)' >"$TEST_DIR/tar"
        refused "dev/sda: only root can make the device 8:0" --rootless <"$TEST_DIR/tar"
        python3 -c 'import sys, tarfile
sys.stdout.buffer.write(tarfile.TarInfo("dev/.wh.sda").tobuf() + b"\0" * 1024)' | "$LAYER" apply --rootless "$TEST_DIR/layer"
        [ "$(stat -c '%F %t:%T' "$TEST_DIR/layer/dev/sda")" = "character special file 0:0" ]
}

@test "a disk that is full, and an owner without a place in the user namespace, are said" {
        mkdir "$TEST_DIR/layer"
        mount -t tmpfs -o size=1m none "$TEST_DIR/layer"
        head -c 3M /dev/urandom >"$TEST_DIR/big"
        tar -C "$TEST_DIR" -cf "$TEST_DIR/tar" big
        run "$LAYER" apply "$TEST_DIR/layer" <"$TEST_DIR/tar"
        umount "$TEST_DIR/layer"
        [ "$status" = 1 ]
        [[ $output == *"big: write: No space left on device"* ]]

        tar -C "$TEST_DIR" --owner 5000 --group 5000 -cf "$TEST_DIR/tar" big
        run unshare --user --map-root-user "$LAYER" apply --rootless "$TEST_DIR/layer" <"$TEST_DIR/tar"
        [ "$status" = 1 ]
        [[ $output == *"big: its owner 5000:5000 has no place in this user namespace"* ]]
}

@test "the cage of the process that unpacks holds" {
        ! grep -q __asan_default_options "$LAYER" || skip "sanitizers need what it takes away: runs in builds without them"
        local outside=refused
        [ "$("$CORACLE_BUILD/tests/integration/tools/tool-takeover" landlock)" -ge 2 ] || outside=ok # by Landlock alone
        mkdir "$TEST_DIR/cage"
        echo outside >"$TEST_DIR/outside"
        run "$LAYER" cage "$TEST_DIR/cage" "$TEST_DIR/outside"
        echo "$output"
        [ "$status" = 0 ]
        [ "$output" = "$(printf '%s\n' "write inside: ok" "thread: ok" "read outside: $outside" "write outside: $outside" \
                "fork: refused" "exec: refused" "socket: refused" "mount: refused" "unshare: refused" "ptrace: refused" \
                "kill: refused" "setuid: refused" "open_by_handle: refused" "executable memory: refused" "bpf: refused" \
                "chroot: refused")" ]
}
