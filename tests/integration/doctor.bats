#!/usr/bin/env bats
# system doctor: what it says of this machine, and of one that lacks something.

load lib

setup() {
        TEST_DIR=$(mktemp -d "${TMPDIR:-/tmp}/coracle-test.XXXXXX")
        chmod 755 "$TEST_DIR"
        export COR_STORE=$TEST_DIR/store CORACLE_LIBEXEC=$CORACLE_BUILD/libexec HOME=$TEST_DIR
}

teardown() { rm -rf "$TEST_DIR"; }

coracle() { timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE_BUILD/src/cli/coracle" "$@" 3>&-; }

# lacking COMMAND - what the doctor says in a mount namespace in which COMMAND took something away
lacking() {
        run timeout -k 5 "$RUNTIME_TIMEOUT" unshare --mount --propagation private \
                bash -c "$1"' && exec "$0" system doctor -q' "$CORACLE_BUILD/src/cli/coracle" 3>&-
}

# says REGEX, says_not REGEX - a line of the last output is, or none is
says() { grep -qE "$1" <<<"$output" || fail "no line is $1 in: $output"; }
says_not() { ! grep -E "$1" <<<"$output" || fail "not expected: $1"; }

# Other tests may have interfaces here at the same time.
left_behind() { { ip -o link; nft list tables 2>/dev/null; } | grep -E 'doctor|coracle' || true; }

@test "a machine that runs these tests has what root's containers need; nothing is left of what was tried" {
        skip_unless root
        local before
        before=$(left_behind)
        run coracle system doctor
        expect_status 0
        says '^good +kernel +Linux '"$(uname -r | sed 's/[.+]/\\&/g')"
        says '^good +overlay '
        says '^good +nftables '
        says '^good +installation +whole'
        expect_equal "$(left_behind)" "$before"
        [ ! -e "$COR_STORE" ]
        run coracle system doctor --format json
        expect_equal "$(jq -r 'select(.Check == "namespaces") | "\(.State) \(.Finding)"' <<<"$output")" "good of all kinds"
        run coracle system doctor --format '{{.Check'
        expect_failure
}

@test "what is missing is said with the command that mends it" {
        skip_unless root
        lacking 'mount -t tmpfs none /sys/fs/cgroup'
        expect_status 1
        says '^missing +cgroups +none are mounted: mount -t cgroup2 cgroup2 /sys/fs/cgroup$'
        says_not '^good'
        mkdir "$COR_STORE"
        lacking "mount -t tmpfs -o size=1m none $COR_STORE"
        expect_status 0
        says "^limited +disk +$COR_STORE: [01] MB .*: coracle system prune --all\$"
        lacking "mount -t tmpfs -o ro none $COR_STORE"
        expect_status 1
        says "^missing +disk +$COR_STORE is read-only\$"
        lacking "export CORACLE_LIBEXEC=$TEST_DIR/nowhere"
        expect_status 1
        says "^missing +installation .* $TEST_DIR/nowhere/coracle-monitor"
}

@test "root of a container is told so, and an ordinary user what they lack" {
        skip_unless root "program setpriv"
        run timeout 60 setpriv --bounding-set=-sys_admin,-net_admin --inh-caps=-all "$CORACLE_BUILD/src/cli/coracle" system doctor -q 3>&-
        expect_status 1
        says '^missing +rights +this root may not make namespaces'
        says_not '^missing +(overlay|nftables)'
        run timeout 60 setpriv --reuid=54321 --regid=54321 --clear-groups "$CORACLE_BUILD/src/cli/coracle" system doctor -q 3>&-
        expect_status 1
        says '^missing +subordinate ids +.*(usermod --add-subuids 100000-165535 --add-subgids 100000-165535 |apt install uidmap)'
        says '^limited +networks '
}
