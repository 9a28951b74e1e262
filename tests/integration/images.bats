# Images in and out of the store: a real registry, and the clients that others use as partners and referees.
load lib
load registries
load images

setup() {
        skip_unless "program docker-registry" "program umoci" "program skopeo"
        [ "$(id -u)" = 0 ] || skip "owners need root: runs where the suite is started by root; images_rootless.bats is for others"
        setup_net
        start_registry 5000
        R=localhost:5000
        PODMAN_RUN=$(mktemp -d /tmp/cor-XXXXXX) # podman wants a short name there
}
teardown() {
        hide_images
        [ -z "${PODMAN_RUN:-}" ] || remove_tree "$PODMAN_RUN"
        teardown_net
}

# own_podman COMMAND... - with a store of the test's own
own_podman() {
        in_net podman --root "$TEST_DIR/p" --runroot "$PODMAN_RUN" --storage-driver vfs "$@"
}

push_layout() { # LAYOUT NAME
        in_net skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$TEST_DIR/$1:x" "docker://$R/$2"
}

digest_at() { in_net skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$R/$1"; }

requests() { # METHOD PATTERN - how many of them the registry has seen
        grep -cE "\"$1 [^\"]*$2" "$TEST_DIR/registry-5000.out" || true
}

has_seen() { [ "$(requests "$1" "$2")" -ge "$3" ]; } # which it writes down when it has answered

@test "what skopeo pushed is pulled, and looks as umoci unpacks it" {
        make_layout image
        push_layout image x:1
        run coracle pull $R/x:1
        expect_status 0
        [[ $output == *"1: Pulling from x"*"Digest: $(digest_at x:1)"*"Status: Downloaded newer image for $R/x:1"* ]]
        show_image $R/x:1 "$TEST_DIR/ours"
        unpack_layout "$TEST_DIR/image:x" "$TEST_DIR/theirs"
        same_tree "$TEST_DIR/theirs/rootfs" "$TEST_DIR/ours"
}

@test "a second pull says that all is there, and fetches nothing" {
        make_layout image
        push_layout image x:1
        coracle pull -q $R/x:1
        wait_until has_seen GET /blobs/ 4 # three layers and the configuration
        : >"$TEST_DIR/registry-5000.out"
        run coracle pull $R/x:1
        expect_status 0
        [[ $output == *"Status: Image is up to date for $R/x:1"* ]]
        [ "$(requests GET /blobs/)" = 0 ]
}

@test "an image of buildah is pulled and run through podman again, with the same id" {
        skip_unless "program buildah"
        local id buildah="buildah --root $TEST_DIR/b --runroot $TEST_DIR/br --storage-driver vfs" container
        container=$($buildah from scratch)
        mkdir "$TEST_DIR/tree" && cp "$(command -v busybox)" "$TEST_DIR/tree/busybox"
        $buildah add -q "$container" "$TEST_DIR/tree" /bin >/dev/null
        $buildah config --cmd '["/bin/busybox","true"]' --env A=b "$container"
        id=$($buildah commit -q "$container" built)
        in_net $buildah push -q --tls-verify=false built docker://$R/built:1
        coracle pull -q $R/built:1
        [ "$(coracle images -q --no-trunc)" = "sha256:$id" ]
        [ "$(coracle inspect --format '{{json .Config.Env}}{{json .Config.Cmd}}' $R/built:1)" = '["A=b"]["/bin/busybox","true"]' ] ||
                [[ $(coracle inspect --format '{{json .Config.Env}}' $R/built:1) == *'"A=b"'* ]]
        coracle tag $R/built:1 $R/again:2
        run coracle push $R/again:2
        expect_status 0
        [ "$(digest_at again:2)" = "$(digest_at built:1)" ]
}

@test "a schema 2 image of docker's kind comes and goes with its digest" {
        make_layout image
        in_net skopeo --insecure-policy copy -q --format v2s2 --dest-tls-verify=false "oci:$TEST_DIR/image:x" docker://$R/x:1
        coracle pull -q $R/x:1
        coracle tag $R/x:1 $R/y:1
        coracle push -q $R/y:1
        [ "$(digest_at y:1)" = "$(digest_at x:1)" ]
}

@test "zstd and plain layers are unpacked, too" {
        local kind
        make_layout image
        unpack_layout "$TEST_DIR/image:x" "$TEST_DIR/theirs"
        for kind in zstd gzip; do
                in_net skopeo --insecure-policy copy -q --dest-compress-format $kind --dest-tls-verify=false --dest-force-compress-format \
                        "oci:$TEST_DIR/image:x" docker://$R/$kind:1 2>/dev/null ||
                        in_net skopeo --insecure-policy copy -q --dest-compress-format $kind --dest-tls-verify=false \
                                "oci:$TEST_DIR/image:x" docker://$R/$kind:1
                coracle pull -q $R/$kind:1
                show_image $R/$kind:1 "$TEST_DIR/$kind"
                same_tree "$TEST_DIR/theirs/rootfs" "$TEST_DIR/$kind"
        done
        skopeo --insecure-policy copy -q --dest-decompress "oci:$TEST_DIR/image:x" "dir:$TEST_DIR/plain"
        in_net skopeo --insecure-policy copy -q --dest-tls-verify=false "dir:$TEST_DIR/plain" docker://$R/plain:1
        coracle pull -q $R/plain:1
        show_image $R/plain:1 "$TEST_DIR/plain.shown"
        same_tree "$TEST_DIR/theirs/rootfs" "$TEST_DIR/plain.shown"
}

@test "an index gives each platform its own image" {
        local arch digest entries=
        for arch in amd64 riscv64; do
                make_layout $arch
                umoci config --image "$TEST_DIR/$arch:x" --architecture $arch >/dev/null
                push_layout $arch multi:$arch
                digest=$(digest_at multi:$arch)
                entries+="${entries:+,}{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"$digest\",\"size\":$(
                        in_net skopeo inspect --tls-verify=false --raw "docker://$R/multi:$arch" | wc -c
                ),\"platform\":{\"os\":\"linux\",\"architecture\":\"$arch\"}}"
        done
        printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}' "$entries" |
                in_net python3 -c 'import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1], sys.stdin.buffer.read(), {"Content-Type": sys.argv[2]}, method="PUT"))' \
                        http://$R/v2/multi/manifests/1 application/vnd.oci.image.index.v1+json
        coracle pull -q --platform linux/riscv64 $R/multi:1
        [ "$(coracle inspect --format '{{.Os}}/{{.Architecture}}' $R/multi:1)" = linux/riscv64 ]
        coracle pull -q --platform linux/amd64 $R/multi:1
        [ "$(coracle inspect --format '{{.Architecture}}' $R/multi:1)" = amd64 ]
        run coracle pull --platform linux/s390x $R/multi:1
        expect_status 1
        [[ $output == *"no matching manifest for linux/s390x in the manifest list entries"* ]]
}

@test "by digest, and by a digest that is not there" {
        make_layout image
        push_layout image x:1
        local digest
        digest=$(digest_at x:1)
        run coracle pull "$R/x@$digest"
        expect_status 0
        [[ $output == *"Digest: $digest"* ]]
        run coracle pull "$R/x@sha256:$(printf '0%.0s' {1..64})"
        expect_status 1
        [[ $output == *"not found"* ]]
}

@test "all tags of a repository" {
        make_layout image
        push_layout image x:1
        push_layout image x:2
        run coracle pull -a $R/x
        expect_status 0
        [ "$(coracle images --format '{{.Repository}}:{{.Tag}}' | sort | tr '\n' ' ')" = "$R/x:1 $R/x:2 " ]
}

@test "a layer that leans on the ones below: a hard link into them, a folder without an entry" {
        mkdir -p "$TEST_DIR/a/dir" && echo low >"$TEST_DIR/a/dir/file" && chmod 700 "$TEST_DIR/a/dir"
        tar -C "$TEST_DIR/a" -cf "$TEST_DIR/1.tar" .
        ln "$TEST_DIR/a/dir/file" "$TEST_DIR/a/dir/second" && echo up >"$TEST_DIR/a/dir/new"
        python3 - "$TEST_DIR/2.tar" <<'PY'
import io, sys, tarfile
with tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT) as t:
    link = tarfile.TarInfo('dir/second'); link.type = tarfile.LNKTYPE; link.linkname = 'dir/file'; t.addfile(link)
    new = tarfile.TarInfo('dir/new'); new.size = 3; t.addfile(new, io.BytesIO(b'up\n'))
PY
        umoci init --layout "$TEST_DIR/oci" && umoci new --image "$TEST_DIR/oci:x"
        umoci raw add-layer --image "$TEST_DIR/oci:x" "$TEST_DIR/1.tar" && umoci raw add-layer --image "$TEST_DIR/oci:x" "$TEST_DIR/2.tar"
        in_net skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$TEST_DIR/oci:x" docker://$R/lean:1
        run coracle pull $R/lean:1
        expect_status 0
        local store=$TEST_DIR/store top
        [ "$(find "$store/layers" -maxdepth 1 -mindepth 1 ! -name '.*' | wc -l)" = 2 ]
        top=$(find "$store/layers" -maxdepth 4 -name new -printf '%h\n')
        [ "$(stat -c %a "$top")" = 700 ]
        [ "$(cat "$top/second")" = low ]
        # the same archive stands for something else on other layers, so it is not taken from there
        umoci new --image "$TEST_DIR/oci:y" && umoci raw add-layer --image "$TEST_DIR/oci:y" "$TEST_DIR/2.tar" || return 1
        in_net skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$TEST_DIR/oci:y" docker://$R/alone:1
        run coracle pull $R/alone:1
        expect_status 1
        [[ $output == *"dir/second"* ]]
}

@test "pull --discard keeps the unpacked form only, which cannot be pushed, and a further pull makes it whole" {
        make_layout image
        push_layout image x:1
        run coracle pull -q --discard $R/x:1
        expect_status 0
        [ "$(find "$TEST_DIR/store/images" -size +100k | wc -l)" = 0 ]
        unpack_layout "$TEST_DIR/image:x" "$TEST_DIR/theirs"
        show_image $R/x:1 "$TEST_DIR/ours"
        same_tree "$TEST_DIR/theirs/rootfs" "$TEST_DIR/ours"
        coracle tag $R/x:1 $R/y:1
        run coracle push $R/y:1
        expect_status 1
        [[ $output == *"it was unpacked and discarded, pull the image again"* ]]
        run coracle save -o "$TEST_DIR/saved.tar" $R/x:1
        expect_status 1
        coracle pull -q $R/x:1
        run coracle push -q $R/y:1
        expect_status 0
        run coracle system check
        expect_status 0
}

@test "two pulls of one image at the same time share the work" {
        make_layout image
        push_layout image x:1
        : >"$TEST_DIR/registry-5000.out"
        coracle pull $R/x:1 >"$TEST_DIR/first" 2>&1 3>&- &
        local first=$!
        run coracle pull $R/x:1
        expect_status 0
        wait $first || { cat "$TEST_DIR/first"; return 1; }
        [ "$(coracle images -q | wc -l)" = 1 ]
        [ "$(find "$TEST_DIR/store/layers" -maxdepth 1 -mindepth 1 ! -name '.*' | wc -l)" = 3 ]
}

# localhost:5001 is the registry as well, but of each connection no more than 20 MB come through: a pull stays unfinished.
slow_way() {
        cat >"$TEST_DIR/way.py" <<'END'
import socket, socketserver, threading, time
def carry(source, target, left):
    while left > 0 and (piece := source.recv(65536)):
        target.sendall(piece)
        left -= len(piece)
    if left > 0:
        return target.shutdown(socket.SHUT_WR)
    time.sleep(600)
class Way(socketserver.BaseRequestHandler):
    def handle(self):
        there = socket.create_connection(("127.0.0.1", 5000))
        threading.Thread(target=carry, args=(self.request, there, 1 << 60), daemon=True).start()
        carry(there, self.request, 20000000)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
Server(("127.0.0.1", 5001), Way).serve_forever()
END
        start python3 "$TEST_DIR/way.py" >"$TEST_DIR/way.out" 2>&1
        wait_until listens 5001
}

@test "a pull that is killed leaves the store whole, and the next one goes on from there" {
        make_layout image
        head -c 60000000 /dev/urandom >"$TEST_DIR/big" && tar -C "$TEST_DIR" -cf "$TEST_DIR/big.tar" big
        umoci raw add-layer --image "$TEST_DIR/image:x" "$TEST_DIR/big.tar" 2>/dev/null
        push_layout image x:1
        slow_way
        CORACLE_LIBEXEC=$CORACLE_BUILD/src/image nsenter --net="/proc/$NET/ns/net" "$CORACLE_BUILD/src/cli/coracle" \
                --root "$TEST_DIR/store" pull localhost:5001/x:1 >/dev/null 2>&1 3>&- & # no function: its number is the program's
        local pull=$! partial
        wait_until eval '[ "$(find "$TEST_DIR/store/images/ingest" -size +5M 2>/dev/null | wc -l)" -gt 0 ]'
        kill -KILL "$pull"
        wait $pull 2>/dev/null || true
        partial=$(find "$TEST_DIR/store/images/ingest" -size +5M | wc -l)
        [ "$(coracle images -q | wc -l)" = 0 ]
        run coracle pull $R/x:1
        expect_status 0
        [ "$partial" -gt 0 ]
        show_image $R/x:1 "$TEST_DIR/ours"
        cmp "$TEST_DIR/big" "$TEST_DIR/ours/big"
}

@test "plain layers are compressed on push, each once, and give the same digests every time" {
        local i digest
        mkdir "$TEST_DIR/plain"
        for i in 1 2 3 4; do
                mkdir "$TEST_DIR/t$i" && seq "${i}00000" "${i}90000" >"$TEST_DIR/t$i/numbers$i"
                tar -C "$TEST_DIR/t$i" -cf "$TEST_DIR/plain/$i.tar" .
        done
        cp "$TEST_DIR/plain/2.tar" "$TEST_DIR/plain/5.tar" # the same once more
        for i in 1 2 3 4 5; do sha256sum <"$TEST_DIR/plain/$i.tar" | sed 's/ .*//; s/^/sha256:/'; done >"$TEST_DIR/diffs"
        jq -nR '{architecture: "amd64", os: "linux", config: {}, rootfs: {type: "layers", diff_ids: [inputs]}}' <"$TEST_DIR/diffs" \
                >"$TEST_DIR/plain/config.json"
        echo '[{"Config":"config.json","RepoTags":["'$R'/plain:1"],"Layers":["1.tar","2.tar","3.tar","4.tar","5.tar"]}]' \
                >"$TEST_DIR/plain/manifest.json"
        tar -C "$TEST_DIR/plain" -cf "$TEST_DIR/plain.tar" .
        coracle load -i "$TEST_DIR/plain.tar"
        run coracle push $R/plain:1
        expect_status 0
        digest=$(digest_at plain:1)
        run in_net skopeo inspect --raw --tls-verify=false docker://$R/plain:1
        expect_equal "$(jq -r '.layers[].mediaType' <<<"$output" | sort -u)" application/vnd.oci.image.layer.v1.tar+gzip
        expect_equal "$(jq -r '.layers[].digest' <<<"$output" | wc -l)" 5
        expect_equal "$(jq -r '.layers[1].digest' <<<"$output")" "$(jq -r '.layers[4].digest' <<<"$output")"
        wait_until has_seen PUT /plain/blobs/uploads 5 # four layers and the configuration
        in_net skopeo --insecure-policy copy -q --src-tls-verify=false --dest-decompress docker://$R/plain:1 "dir:$TEST_DIR/back"
        while read -r i; do [ -e "$TEST_DIR/back/${i#sha256:}" ]; done <"$TEST_DIR/diffs"
        coracle tag $R/plain:1 $R/other:1
        coracle push $R/other:1
        expect_equal "$(digest_at other:1)" "$digest"
}

@test "save: podman, docker's form and skopeo read it; digests stay" {
        make_layout image
        push_layout image x:1
        coracle pull -q $R/x:1
        run coracle save -o "$TEST_DIR/saved.tar" $R/x:1
        expect_status 0
        skopeo --insecure-policy copy -q "docker-archive:$TEST_DIR/saved.tar:$R/x:1" "oci:$TEST_DIR/back:x"
        unpack_layout "$TEST_DIR/back:x" "$TEST_DIR/theirs"
        show_image $R/x:1 "$TEST_DIR/ours"
        same_tree "$TEST_DIR/theirs/rootfs" "$TEST_DIR/ours"
        mkdir "$TEST_DIR/layout" && tar -C "$TEST_DIR/layout" -xf "$TEST_DIR/saved.tar"
        [ "$(jq -r '.manifests[0].digest' "$TEST_DIR/layout/index.json")" = "$(digest_at x:1)" ]
        own_podman load -q -i "$TEST_DIR/saved.tar" | grep -qF "$R/x:1"
}

@test "save and load by pipe give the same image" {
        local id
        make_layout image
        push_layout image x:1
        coracle pull -q $R/x:1
        id=$(coracle images -q --no-trunc)
        coracle save $R/x:1 | STORE=$TEST_DIR/other coracle load >"$TEST_DIR/said"
        run cat "$TEST_DIR/said"
        expect_output "Loaded image: $R/x:1"
        [ "$(STORE=$TEST_DIR/other coracle images -q --no-trunc)" = "$id" ]
}

@test "archives of podman, skopeo and umoci are loaded" {
        make_layout image
        unpack_layout "$TEST_DIR/image:x" "$TEST_DIR/theirs"
        skopeo --insecure-policy copy -q "oci:$TEST_DIR/image:x" "docker-archive:$TEST_DIR/docker.tar:some/name:1"
        skopeo --insecure-policy copy -q "oci:$TEST_DIR/image:x" "oci-archive:$TEST_DIR/oci.tar:some/name:2"
        push_layout image x:1
        own_podman pull -q --tls-verify=false $R/x:1 >/dev/null
        own_podman tag \
                "$(own_podman images -q)" some/name:3
        own_podman save -q -o "$TEST_DIR/podman.tar" some/name:3
        (cd "$TEST_DIR/image" && tar -czf "$TEST_DIR/layout.tar.gz" .)
        local archive
        for archive in docker oci podman; do
                STORE=$TEST_DIR/$archive.store coracle load -q -i "$TEST_DIR/$archive.tar" >"$TEST_DIR/said"
                grep -q "^Loaded image: .*some/name:" "$TEST_DIR/said" || { cat "$TEST_DIR/said"; return 1; }
                STORE=$TEST_DIR/$archive.store show_image "$(sed 's/^Loaded image: //' "$TEST_DIR/said")" "$TEST_DIR/$archive.shown"
                same_tree "$TEST_DIR/theirs/rootfs" "$TEST_DIR/$archive.shown"
        done
        STORE=$TEST_DIR/layout.store coracle load <"$TEST_DIR/layout.tar.gz" | grep -qE '^Loaded image ID: sha256:[0-9a-f]{64}$'
}

@test "import from an address: redirects are followed, what is cut off is tried again, and limits hold" {
        mkdir "$TEST_DIR/root" "$TEST_DIR/www" && echo hello >"$TEST_DIR/root/file"
        head -c 3000000 /dev/urandom >"$TEST_DIR/root/random"
        tar -C "$TEST_DIR/root" --format=pax -czf "$TEST_DIR/www/root.tar.gz" .
        cat >"$TEST_DIR/www.py" <<'END'
import http.server, socketserver, sys
whole = open(sys.argv[1] + '/root.tar.gz', 'rb').read()
cuts = 0
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global cuts
        name = self.path
        if name.startswith('/to/'):
            self.send_response(302)
            self.send_header('Location', {'file': 'file:///etc/passwd', 'root': '/root.tar.gz', 'loop': '/to/loop'}[name[4:]])
            self.send_header('Content-Length', '0')
            return self.end_headers()
        if name == '/missing':
            return self.send_error(404)
        self.send_response(200)
        if name != '/endless':
            self.send_header('Content-Length', str(len(whole)))
        self.end_headers()
        if name == '/cut':
            cuts += 1
            self.wfile.write(whole if cuts > 1 else whole[:1000000])
            self.close_connection = True
        elif name == '/endless':
            while True:
                self.wfile.write(bytes(100000))
        else:
            self.wfile.write(whole)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
Server(('127.0.0.1', 8000), Handler).serve_forever()
END
        start python3 "$TEST_DIR/www.py" "$TEST_DIR/www" >"$TEST_DIR/www.log" 2>&1
        wait_until listens 8000
        for name in root.tar.gz to/root cut; do
                run coracle import "http://localhost:8000/$name" made/here:1
                expect_status 0
                expect_match '^sha256:[0-9a-f]{64}$'
                show_image made/here:1 "$TEST_DIR/ours"
                same_tree "$TEST_DIR/root" "$TEST_DIR/ours"
                hide_images
                coracle rmi made/here:1
        done
        run coracle import http://localhost:8000/missing x
        expect_status 1
        expect_text "fetch http://localhost:8000/missing: " "404"
        run coracle import http://localhost:8000/to/file x
        expect_status 1
        expect_text "fetch http://localhost:8000/to/file: " "file:///etc/passwd"
        run coracle import http://localhost:8000/to/loop x
        expect_status 1
        expect_text "more than" "redirects"
        echo '{"image-max-layer-size":"1m"}' >"$COR_CONFIG/daemon.json"
        for name in root.tar.gz endless; do
                run coracle import http://localhost:8000/$name x
                expect_status 1
                expect_text "it has more than the 1048576 bytes of image-max-layer-size in daemon.json"
        done
        run coracle import http://user:secret@localhost:8000/root.tar.gz x
        expect_status 1
        expect_text "is no address to fetch from"
        run coracle import http://localhost:8001/root.tar.gz x
        expect_status 1
        expect_text "fetch http://localhost:8001/root.tar.gz: "
        expect_equal "$(coracle images -q)" ""
        expect_equal "$(find "$TEST_DIR/store/images/ingest" -type f)" ""
}

@test "archives may be compressed with xz and bzip2, too; layers may not" {
        skip_unless "program xz" "program bzip2"
        make_layout image
        tar -C "$TEST_DIR/image" -cf "$TEST_DIR/image.tar" .
        for program in xz bzip2; do
                $program -kc "$TEST_DIR/image.tar" >"$TEST_DIR/image.$program"
                head -c 100000 "$TEST_DIR/image.$program" >"$TEST_DIR/cut"
                run coracle load -i "$TEST_DIR/cut"
                expect_status 1
                expect_text "archive: the $program stream cannot be read near byte 100000: it ends too early"
                run coracle load -i "$TEST_DIR/image.$program"
                expect_status 0
                expect_text "Loaded image ID: sha256:"
                coracle image prune -af >/dev/null
                # two streams, one behind the other, are one
                { head -c 1000000 "$TEST_DIR/image.1.tar" | $program -c && tail -c +1000001 "$TEST_DIR/image.1.tar" | $program -c; } >"$TEST_DIR/root.$program"
                run coracle import "$TEST_DIR/root.$program" root:$program
                expect_status 0
                expect_equal "$(coracle inspect --format '{{index .RootFS.Layers 0}}' root:$program)" \
                        "sha256:$(sha256sum <"$TEST_DIR/image.1.tar" | cut -c 1-64)"
                $program -c /etc/passwd | coracle import - bad:1 2>"$TEST_DIR/err" && fail "no archive was imported"
                coracle rmi root:$program
        done
        head -c 100000000 /dev/zero | xz -c >"$TEST_DIR/bomb"
        run coracle load -i "$TEST_DIR/bomb"
        expect_status 1
        expect_text "archive bomb" "image-max-ratio"
        expect_equal "$(find "$TEST_DIR/store/images/ingest" -type f)" ""
}

@test "import: a tar of a root filesystem becomes an image" {
        mkdir "$TEST_DIR/root" && echo hello >"$TEST_DIR/root/file" && chown 7:8 "$TEST_DIR/root/file"
        tar -C "$TEST_DIR/root" --format=pax -czf "$TEST_DIR/root.tar.gz" .
        run coracle import -c 'CMD ["/file"]' -c 'ENV A=b C="d e"' -c 'EXPOSE 80' -m 'from a test' "$TEST_DIR/root.tar.gz" made/here:1
        expect_status 0
        [[ $output == sha256:* ]]
        [ "$(coracle inspect --format '{{json .Config.Cmd}} {{json .Config.Env}} {{.Comment}}' made/here:1)" = '["/file"] ["A=b","C=d e"] from a test' ]
        show_image made/here:1 "$TEST_DIR/ours"
        same_tree "$TEST_DIR/root" "$TEST_DIR/ours"
        coracle tag made/here:1 $R/made:1
        coracle push -q $R/made:1
        in_net skopeo inspect --tls-verify=false docker://$R/made:1 | jq -e '.Architecture' >/dev/null
}

@test "Debian's own root filesystem, by mmdebstrap, comes out as tar unpacks it" {
        skip_unless "program mmdebstrap"
        [ -n "${CORACLE_NETWORK_TESTS:-}" ] || skip "needs a package archive: runs where CORACLE_NETWORK_TESTS is set; bench/images uses the same input"
        mmdebstrap --quiet --variant=essential "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$TEST_DIR/debian.tar"
        coracle import -q "$TEST_DIR/debian.tar" debian:essential
        mkdir "$TEST_DIR/theirs" && tar -C "$TEST_DIR/theirs" --xattrs --xattrs-include='*' --numeric-owner -xf "$TEST_DIR/debian.tar"
        show_image debian:essential "$TEST_DIR/ours"
        same_tree "$TEST_DIR/theirs" "$TEST_DIR/ours"
}

@test "removing gives back what nothing refers to, and only that" {
        make_layout image
        push_layout image x:1
        coracle pull -q $R/x:1
        coracle tag $R/x:1 y:1
        run coracle rmi $R/x:1
        expect_status 0
        [[ $output == *"Untagged: $R/x:1"* && $output != *Deleted* ]]
        run coracle rmi y:1
        expect_status 0
        [[ $output == *"Untagged: y:1"*"Deleted: sha256:"* ]]
        [ "$(find "$TEST_DIR/store/images/blobs" -type f | wc -l)" = 0 ]
        [ "$(find "$TEST_DIR/store/layers" -maxdepth 1 -mindepth 1 ! -name '.*' | wc -l)" = 0 ]
}

@test "the store is an OCI layout that skopeo reads" {
        make_layout image
        push_layout image x:1
        coracle pull -q $R/x:1
        in_net skopeo --insecure-policy copy -q "oci:$TEST_DIR/store/images:$R/x:1" "oci:$TEST_DIR/copied:x" ||
                in_net skopeo --insecure-policy copy -q "oci:$TEST_DIR/store/images" "oci:$TEST_DIR/copied:x"
        unpack_layout "$TEST_DIR/copied:x" "$TEST_DIR/theirs"
        show_image $R/x:1 "$TEST_DIR/ours"
        same_tree "$TEST_DIR/theirs/rootfs" "$TEST_DIR/ours"
}

@test "a layer that does not become what the configuration says is refused, and nothing of it stays" {
        make_layout image
        local config manifest blobs=$TEST_DIR/image/blobs/sha256 old new size
        manifest=$(jq -r '.manifests[0].digest[7:]' "$TEST_DIR/image/index.json")
        config=$(jq -r '.config.digest[7:]' "$blobs/$manifest")
        jq -c --arg d "sha256:$(printf '1%.0s' {1..64})" '.rootfs.diff_ids[2] = $d' "$blobs/$config" >"$TEST_DIR/config.json"
        new=$(sha256sum <"$TEST_DIR/config.json" | cut -c 1-64) size=$(stat -c %s "$TEST_DIR/config.json")
        cp "$TEST_DIR/config.json" "$blobs/$new"
        jq -c --arg d "sha256:$new" --argjson s "$size" '.config.digest = $d | .config.size = $s' "$blobs/$manifest" >"$TEST_DIR/manifest"
        old=$(sha256sum <"$TEST_DIR/manifest" | cut -c 1-64) size=$(stat -c %s "$TEST_DIR/manifest")
        cp "$TEST_DIR/manifest" "$blobs/$old"
        jq -c --arg d "sha256:$old" --argjson s "$size" '.manifests[0].digest = $d | .manifests[0].size = $s' "$TEST_DIR/image/index.json" >"$TEST_DIR/index"
        cp "$TEST_DIR/index" "$TEST_DIR/image/index.json"
        (cd "$TEST_DIR/image" && tar -cf "$TEST_DIR/bad.tar" .)
        run coracle load -i "$TEST_DIR/bad.tar"
        expect_status 1
        [[ $output == *"but the image's configuration says sha256:1111"* ]]
        [ "$(coracle images -q | wc -l)" = 0 ]
        coracle image prune -f >/dev/null
        [ "$(find "$TEST_DIR/store/images/blobs" -type f | wc -l)" = 0 ]
}

@test "what is no archive, or a broken one, is refused with a reason" {
        run coracle load -i "$TEST_DIR/nothing"
        expect_status 1
        [[ $output == *"$TEST_DIR/nothing"* ]]
        head -c 100000 /dev/urandom >"$TEST_DIR/noise"
        run coracle load -i "$TEST_DIR/noise"
        expect_status 1
        : >"$TEST_DIR/empty.tar"
        run coracle load -i "$TEST_DIR/empty.tar"
        expect_status 1
        tar -C "$TEST_DIR" -cf "$TEST_DIR/other.tar" noise
        run coracle load -i "$TEST_DIR/other.tar"
        expect_status 1
        [[ $output == *"neither an OCI image layout (index.json) nor a docker archive (manifest.json)"* ]]
        [ "$(coracle images -q | wc -l)" = 0 ]
}

@test "what unpacks to too much is refused with the limit's name, and comes in when daemon.json raises it" {
        head -c 100000000 /dev/zero >"$TEST_DIR/zeros" && tar -C "$TEST_DIR" -czf "$TEST_DIR/zeros.tar.gz" zeros && rm "$TEST_DIR/zeros"
        run coracle import "$TEST_DIR/zeros.tar.gz" zeros
        expect_status 1
        expect_text "archive bomb" "image-max-ratio in daemon.json"
        echo '{"image-max-ratio":2000}' >"$COR_CONFIG/daemon.json"
        run coracle import "$TEST_DIR/zeros.tar.gz" zeros
        expect_status 0
        echo '{"image-max-ratio":0,"image-max-layer-size":"50m"}' >"$COR_CONFIG/daemon.json"
        coracle rmi zeros && coracle system prune -f >/dev/null
        run coracle import "$TEST_DIR/zeros.tar.gz" zeros
        expect_status 1
        expect_text "hold more than 52428800 bytes" "image-max-layer-size in daemon.json"

        make_layout image
        echo '{"image-max-entries":5}' >"$COR_CONFIG/daemon.json"
        push_layout image a/b:1
        run coracle pull localhost:5000/a/b:1
        expect_status 1
        expect_text "more than 5 entries" "image-max-entries in daemon.json" "layer sha256:"
        tar -C "$TEST_DIR/image" -cf "$TEST_DIR/image.tar" .
        run coracle load -i "$TEST_DIR/image.tar"
        expect_status 1
        expect_text "more than 5 entries" "image-max-entries in daemon.json"
        expect_equal "$(coracle images -q)" ""
        echo '{"image-max-entries":0}' >"$COR_CONFIG/daemon.json"
        run coracle pull -q localhost:5000/a/b:1
        expect_status 0
        echo '{"image-max-layer-size":"much"}' >"$COR_CONFIG/daemon.json"
        run coracle pull -q localhost:5000/a/b:1
        expect_status 1
        expect_text "daemon.json: image-max-layer-size: expected a size"
}

@test "Ctrl-C ends a pull at once, and what has come is kept" {
        make_layout image
        head -c 80000000 /dev/urandom >"$TEST_DIR/big" && tar -C "$TEST_DIR" -cf "$TEST_DIR/big.tar" big
        umoci raw add-layer --image "$TEST_DIR/image:x" "$TEST_DIR/big.tar" 2>/dev/null
        push_layout image x:1
        slow_way
        # a group of its own, as a shell with job control gives it
        CORACLE_LIBEXEC=$CORACLE_BUILD/src/image nsenter --net="/proc/$NET/ns/net" setsid env --default-signal=INT \
                "$CORACLE_BUILD/src/cli/coracle" --root "$TEST_DIR/store" pull localhost:5001/x:1 >"$TEST_DIR/said" 2>&1 3>&- &
        local pull=$!
        wait_until eval '[ "$(find "$TEST_DIR/store/images/ingest" -size +3M 2>/dev/null | wc -l)" -gt 0 ]'
        kill -INT -- "-$pull"
        status=0
        wait $pull || status=$?
        [ "$status" = 130 ]
        wait_until eval '! pgrep -f "$TEST_DIR/store" >/dev/null'
        wait_until eval '[ "$(find "$TEST_DIR/store/layers/.work" -mindepth 1 -maxdepth 1 | wc -l)" = 0 ]'
        [ "$(find "$TEST_DIR/store/images/ingest" -size +3M | wc -l)" -gt 0 ]
        [ "$(coracle images -q | wc -l)" = 0 ]
        run coracle pull -q $R/x:1
        expect_status 0
}

@test "names that cannot be are refused as docker refuses them" {
        run coracle pull user/Upper
        expect_status 1
        [[ $output == *"invalid reference format: repository name (user/Upper) must be lowercase"* ]]
        run coracle push nothing/here
        expect_status 1
        [[ $output == *"An image does not exist locally with the tag: nothing/here"* ]]
        run coracle pull $R/nothing:1
        expect_status 1
        [[ $output == *"$R/nothing:1"*"not found"* ]]
}

@test "push, save and load of a platform that the image is not of are refused" {
        make_layout image
        push_layout image x:1
        coracle pull -q $R/x:1
        coracle save -o "$TEST_DIR/saved.tar" $R/x:1
        coracle tag $R/x:1 $R/y:1
        run coracle push --platform linux/s390x $R/y:1
        expect_status 1
        [[ $output == *"image with reference $R/y:1 was found but does not match the specified platform: wanted linux/s390x, actual: linux/"* ]]
        run coracle save --platform linux/s390x -o "$TEST_DIR/other.tar" $R/x:1
        expect_status 1
        [ ! -e "$TEST_DIR/other.tar" ]
        run env STORE="$TEST_DIR/empty.store" CORACLE_BUILD="$CORACLE_BUILD" bash -c "$(declare -f coracle in_net); NET=$NET; coracle load --platform linux/s390x -i '$TEST_DIR/saved.tar'"
        expect_status 1
        [[ $output == *"does not match the specified platform"* ]]
        run coracle push -q --platform "linux/$(coracle inspect --format '{{.Architecture}}' $R/x:1)" $R/y:1
        expect_status 0
}

@test "a second pull of all tags says that all is there" {
        make_layout image
        push_layout image x:1
        push_layout image x:2
        run coracle pull -a $R/x
        expect_status 0
        [[ $output == *"Downloaded newer image"* ]]
        run coracle pull -a $R/x
        expect_status 0
        [[ $output == *"Image is up to date"* ]]
}

@test "an archive of more files than may usually be open is loaded" {
        make_layout image
        mkdir "$TEST_DIR/more"
        skopeo --insecure-policy copy -q "oci:$TEST_DIR/image:x" "docker-archive:$TEST_DIR/many.tar:many:1"
        (cd "$TEST_DIR/more" && for i in $(seq 1500); do echo "$i" >"file-$i"; done && tar -rf "$TEST_DIR/many.tar" .)
        run env STORE="$TEST_DIR/store" CORACLE_BUILD="$CORACLE_BUILD" bash -c "ulimit -Sn 1024; $(declare -f coracle in_net); NET=$NET; coracle load -i '$TEST_DIR/many.tar'"
        expect_status 0
        [[ $output == *"many:1"* ]]
}
