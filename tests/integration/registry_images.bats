# Whole images by the commands that users type, where the way to the registry is not the plain one: by https, with
# credentials and helpers, over mirrors, and from registries that misbehave. Credentials are looked up in the process that has
# given up its rights.
load lib
load registries
load images

setup() {
        skip_unless "program docker-registry" "program umoci" "program skopeo" "program htpasswd"
        [ "$(id -u)" = 0 ] || skip "owners need root: runs where the suite is started by root; images_rootless.bats is for others"
        setup_net
        make_layout image
}
teardown() {
        hide_images
        teardown_net
}

# start_private PORT - docker-registry by https that wants user:secret
start_private() {
        make_certificates
        htpasswd -Bbn user secret >"$TEST_DIR/htpasswd"
        start_registry "$1" "  tls: {certificate: $TEST_DIR/server.crt, key: $TEST_DIR/server.key}" \
                "auth: {htpasswd: {realm: here, path: $TEST_DIR/htpasswd}}"
}

name_registry_test() {
        name_hosts
        mkdir -p "$COR_CONFIG/certs.d/registry.test:5443"
        cp "$TEST_DIR/ca.crt" "$COR_CONFIG/certs.d/registry.test:5443/"
}

@test "login, push, pull and logout at a private registry by https" {
        start_private 5443
        name_registry_test
        in_net skopeo --insecure-policy copy -q --dest-tls-verify=false --dest-creds user:secret "oci:$TEST_DIR/image:x" \
                docker://registry.test:5443/a/b:1
        run coracle pull registry.test:5443/a/b:1
        expect_status 1
        expect_text "pull access denied for registry.test:5443/a/b" "no basic auth credentials"
        run coracle login -u user --password-stdin registry.test:5443 <<<secret
        expect_status 0
        run coracle pull -q registry.test:5443/a/b:1
        expect_status 0
        coracle tag registry.test:5443/a/b:1 registry.test:5443/c/d:2
        run coracle push registry.test:5443/c/d:2
        expect_status 0
        run coracle logout registry.test:5443
        expect_status 0
        run coracle push registry.test:5443/c/d:2
        expect_status 1
        expect_text "no basic auth credentials"
        run coracle pull registry.test:5443/c/d:2
        expect_status 1
        unname_hosts
}

@test "a credential helper is asked by the transfer" {
        start_private 5443
        name_registry_test
        in_net skopeo --insecure-policy copy -q --dest-tls-verify=false --dest-creds user:secret "oci:$TEST_DIR/image:x" \
                docker://registry.test:5443/a/b:1
        mkdir "$TEST_DIR/bin"
        printf '#!/bin/sh\nread server; echo "$server" >>"%s/asked"\necho "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"user\\",\\"Secret\\":\\"secret\\"}"\n' \
                "$TEST_DIR" >"$TEST_DIR/bin/docker-credential-test"
        chmod +x "$TEST_DIR/bin/docker-credential-test"
        echo '{"credHelpers":{"registry.test:5443":"test"}}' >"$HOME/.docker/config.json"
        PATH=$TEST_DIR/bin:$PATH run coracle pull -q registry.test:5443/a/b:1
        expect_status 0
        expect_equal "$(sort -u "$TEST_DIR/asked")" registry.test:5443
        unname_hosts
}

@test "a mirror gives the layers, the registry what the tag means" {
        start_registry 5000
        start_registry 5001
        for port in 5000 5001; do
                in_net skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$TEST_DIR/image:x" docker://localhost:$port/a/b:1
                : >"$TEST_DIR/registry-$port.out"
        done
        mkdir "$COR_CONFIG/certs.d/localhost:5000"
        printf 'server = "http://localhost:5000"\n[host."http://localhost:5999"]\n[host."http://localhost:5001"]\ncapabilities = ["pull"]\n' \
                >"$COR_CONFIG/certs.d/localhost:5000/hosts.toml"
        run coracle pull localhost:5000/a/b:1
        expect_status 0
        grep -q '/blobs/' "$TEST_DIR/registry-5001.out"
        refute grep -q '/blobs/' "$TEST_DIR/registry-5000.out"
        refute grep -q '/manifests/1' "$TEST_DIR/registry-5001.out"
}

# spoil KIND - in the mirror's storage: the blobs of all layers (what begins like gzip), damaged
spoil() {
        python3 - "$1" "$TEST_DIR/storage-5001" <<'END'
import glob, sys
kind, storage = sys.argv[1:]
n = 0
for name in glob.glob(storage + '/**/blobs/**/data', recursive=True):
    data = bytearray(open(name, 'rb').read())
    if data[:2] != b'\x1f\x8b':
        continue
    n += 1
    if kind == 'garbage':
        data[20:] = bytes(len(data) - 20)
    elif kind == 'end':
        data[-6] ^= 1
    elif kind == 'time':
        data[4:8] = b'\x01\x02\x03\x04' # another digest, the same tar
    elif kind == 'other':
        import gzip, io, tarfile
        out = io.BytesIO()
        tar = tarfile.open(fileobj=out, mode='w')
        link = tarfile.TarInfo('into/what/is/below') # leans on other layers, as the true one does not
        link.type, link.linkname = tarfile.LNKTYPE, 'etc/one'
        tar.addfile(link)
        tar.close()
        other = gzip.compress(out.getvalue())
        data = other + bytes(max(0, len(data) - len(other)))
    open(name, 'wb').write(data)
assert n > 0
END
}

@test "a mirror that sends wrong bytes is followed by the registry" {
        for kind in garbage end time other; do
                start_registry 5000
                start_registry 5001
                for port in 5000 5001; do
                        in_net skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$TEST_DIR/image:x" docker://localhost:$port/a/b:1
                        : >"$TEST_DIR/registry-$port.out"
                done
                mkdir -p "$COR_CONFIG/certs.d/localhost:5000"
                printf 'server = "http://localhost:5000"\n[host."http://localhost:5001"]\ncapabilities = ["pull"]\n' \
                        >"$COR_CONFIG/certs.d/localhost:5000/hosts.toml"
                spoil $kind
                run coracle pull localhost:5000/a/b:1
                expect_status 0
                grep -q '/blobs/' "$TEST_DIR/registry-5001.out"
                grep -q '/blobs/' "$TEST_DIR/registry-5000.out"
                run coracle system check
                expect_status 0
                show_image localhost:5000/a/b:1 "$TEST_DIR/seen"
                [ -e "$TEST_DIR/umoci/rootfs" ] || unpack_layout "$TEST_DIR/image:x" "$TEST_DIR/umoci"
                same_tree "$TEST_DIR/umoci/rootfs" "$TEST_DIR/seen"
                hide_images
                coracle rmi localhost:5000/a/b:1
                expect_equal "$(find "$TEST_DIR/store/images/ingest" -type f | wc -l)" 0
                # from the mirror alone, nothing comes in, and nothing stays
                printf 'server = "http://localhost:5999"\n[host."http://localhost:5001"]\n' \
                        >"$COR_CONFIG/certs.d/localhost:5000/hosts.toml"
                run coracle pull localhost:5000/a/b:1
                expect_status 1
                expect_equal "$(coracle images -q)" ""
                kill -KILL "${SERVERS[@]:1}" && wait "${SERVERS[@]:1}" 2>/dev/null || true
                SERVERS=("${SERVERS[0]}")
                rm -r "$TEST_DIR"/storage-500?
        done
}

@test "nothing is left of an image that could not be had" {
        start_hostile log 5000
        for kind in denied html wrong endless garbage limit tofile loop401; do
                run coracle pull localhost:5000/$kind/x:v1
                expect_status 1
                expect_text "Error"
        done
        run coracle images -q
        expect_output ""
        run coracle pull localhost:5000/good/x:none
        expect_status 1
        expect_text "manifest for localhost:5000/good/x:none not found: manifest unknown: manifest unknown"
}
