# What registries may do to us: every case ends, with an error that says what happened, and nothing leaks.
load lib
load registries

setup() {
        setup_net
        start_hostile log 5000
        export STALL_MS=$((250 * ${WAIT_SECONDS:-20})) ATTEMPTS=3 # longer on slow machines
}
teardown() { teardown_net; }

blob() { reg blobs "localhost:5000/$1/x" "$DIGEST" "$SIZE" "$TEST_DIR/blob"; } # KIND
manifest() { reg manifest "localhost:5000/$1/x" "${2:-v1}"; }                   # KIND [REFERENCE]
whole() { [ "sha256:$(sha256sum <"$TEST_DIR/blob" | cut -c 1-64)" = "$DIGEST" ]; }
bytes_sent() { awk '/^sent/ { n += $2 } END { print n + 0 }' "$TEST_DIR/log.log"; }
requests() { grep -c "$1" "$TEST_DIR/log.log"; } # PATTERN
impatient() { export STALL_MS=$((STALL_MS / 5)); } # for tests that wait for nothing else
is_sent() { [ "$(bytes_sent)" = "$1" ]; }
expect_sent() { wait_until is_sent "$1" || fail "$(bytes_sent) bytes sent, not $1"; } # which is noted once they have gone

@test "a blob and a manifest come from a registry that behaves" {
        run blob good
        expect_status 0
        whole
        run manifest good
        expect_status 0
        expect_text "$MANIFEST_DIGEST application/vnd.oci.image.manifest.v1+json"
}

@test "a download goes on where the connection was cut, and no byte comes twice" {
        run blob cut
        expect_status 0
        whole
        expect_sent "$SIZE"
        grep -q 'range=bytes=2000000-' "$TEST_DIR/log.log"
}

@test "a download of an earlier process is continued" {
        run blob good
        expect_sent "$SIZE"
        : >"$TEST_DIR/log.log"
        truncate -s 1234567 "$TEST_DIR/blob"
        run blob good
        expect_status 0
        whole
        expect_sent $((SIZE - 1234567))
}

@test "damaged bytes of an earlier process are found, and the blob comes anew" {
        head -c 1000 /dev/zero >"$TEST_DIR/blob"
        run blob good
        expect_status 0
        expect_text "restarts: 1"
        whole
}

@test "a server that ignores ranges is heard from the start" {
        run blob norange
        expect_status 0
        expect_text "restarts: 1"
        whole
}

@test "a server that is cut short each time and ignores ranges does not go on for ever" {
        run blob norange-cut
        expect_status 1
        [ "$(requests blobs)" -le 5 ]
}

@test "connections cut at once use up the attempts" {
        run blob cut-at-once
        expect_status 1
        expect_equal "$(requests blobs)" 3
}

@test "a stalled download is begun again from where it was" {
        run blob stall-once
        expect_status 0
        whole
        grep -q 'range=bytes=1000-' "$TEST_DIR/log.log"
}

@test "a registry that stalls for ever is given up" {
        impatient
        for kind in stall stall-head; do
                run blob $kind
                expect_status 1
                expect_text "within"
        done
        for kind in stall stall-head; do
                run manifest $kind
                expect_status 1
                expect_text "within"
        done
}

@test "more bytes than there should be are not taken" {
        for kind in endless long short; do
                rm -f "$TEST_DIR/blob"
                run blob $kind
                expect_status 1
                expect_text "$DIGEST"
                [ "$(stat -c %s "$TEST_DIR/blob")" -le "$SIZE" ]
        done
}

@test "a body without a length that ends early is continued" {
        run blob short-close
        expect_status 0
        whole
}

@test "bytes with another digest are refused" {
        run blob wrong
        expect_status 1
        expect_text "not $DIGEST"
}

@test "a part of somewhere else than asked for is refused" {
        run blob wrongrange
        expect_status 1
        expect_text "asked for bytes from"
}

@test "an HTML page is neither a blob nor a manifest" {
        run blob html
        expect_status 1
        run manifest html
        expect_status 1
        expect_text "HTML page"
}

@test "redirects lead to http and https only" {
        for kind in tofile toftp tonowhere; do
                run blob $kind
                expect_status 1
        done
        run manifest tofile
        expect_status 1
        expect_text "expected an http or https URL"
        expect_no_text "root:"
}

@test "a loop of redirects ends" {
        run blob loop
        expect_status 1
        expect_text "redirects"
        [ "$(requests blobs)" -le 12 ]
}

@test "too many requests: Retry-After is waited for, but not for an hour" {
        run blob busy
        expect_status 0
        whole
        run manifest limit
        expect_status 1
        expect_text "toomanyrequests: You have reached your pull rate limit."
        expect_equal "$(requests manifests)" 1
}

@test "a server that fails is asked again, and given up" {
        run blob broken-once
        expect_status 0
        rm "$TEST_DIR/blob"
        run blob broken
        expect_status 1
        expect_text "500 Internal Server Error (an HTML page instead of a registry's answer)"
}

@test "headers without an end are not read for ever" {
        run blob headers
        expect_status 1
        run manifest headers
        expect_status 1
}

@test "a manifest of gigabytes, of another digest, or none" {
        run manifest endless
        expect_status 1
        expect_text "longer than 4194304 bytes"
        run manifest wrong
        expect_status 1
        expect_text "$MANIFEST_DIGEST"
        run manifest other "$MANIFEST_DIGEST"
        expect_status 1
        expect_text "not $MANIFEST_DIGEST as they should"
        run manifest good nothing
        expect_status 1
        expect_text "error 2: manifest for localhost:5000/good/x:nothing not found: manifest unknown: manifest unknown"
        run manifest noanswer
        expect_status 1
        run manifest garbage
        expect_status 1
        run manifest notjson
        expect_status 1
        expect_text "404 Not Found"
}

@test "what a registry says cannot steer the terminal" {
        run manifest escape
        expect_status 1
        expect_text "red  [31m alert"
        refute grep -q $'\x1b' <<<"$output"
        run manifest broken
        expect_status 1
        refute grep -q $'\x1b' <<<"$output"
}

@test "refusals in docker's words" {
        run manifest denied
        expect_status 1
        expect_text "error 4: pull access denied for localhost:5000/denied/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"
        run manifest basic
        expect_status 1
        expect_text "no basic auth credentials"
        run manifest nochallenge
        expect_status 1
        expect_text "unauthorized: go away"
        run reg manifest localhost:5999/a/b v1
        expect_status 1
        expect_text 'Get "http'
        expect_match "Could(n't| not) connect" # as libcurl 7 and 8 put it
}

@test "401 for ever ends; so do token servers that misbehave" {
        impatient
        run manifest loop401
        expect_status 1
        expect_text "unauthorized: authentication required"
        [ "$(requests manifests)" -le 4 ]
        run manifest badtoken
        expect_status 1
        expect_text "no usable token"
        refute grep -q 'x=yes' "$TEST_DIR/log.log"
        run manifest htmltoken
        expect_status 1
        expect_text "token server"
        run manifest endlesstoken
        expect_status 1
        expect_text "longer than"
        run manifest stalltoken
        expect_status 1
        run manifest deniedtoken
        expect_status 1
        expect_text "incorrect username or password"
        run manifest filerealm
        expect_status 1
        expect_text "not an http or https URL"
}

@test "uploads survive cuts, refusals of size and of PATCH, and an answer that is lost" {
        head -c 6000000 /dev/urandom >"$TEST_DIR/file"
        for kind in good cutup small nopatch lost; do
                run reg upload "localhost:5000/$kind/x" "$TEST_DIR/file"
                expect_status 0
                read -r digest size <<<"$output"
                rm -f "$TEST_DIR/back"
                run reg blobs localhost:5000/good/x "$digest" "$size" "$TEST_DIR/back"
                expect_status 0
                cmp "$TEST_DIR/file" "$TEST_DIR/back"
                printf x >>"$TEST_DIR/file"
        done
}

@test "uploads that cannot come about end" {
        impatient
        head -c 6000000 /dev/urandom >"$TEST_DIR/file"
        for kind in cutup-always stallup nowhere ftp denied; do
                run reg upload "localhost:5000/$kind/x" "$TEST_DIR/file"
                expect_status 1
        done
}
