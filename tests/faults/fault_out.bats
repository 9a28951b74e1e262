# Faults in what takes images out of the store, save and push: kill -9 and errors of the disk at every call. The store has
# to be what it was, a file or an image at the registry is whole or not there, and the next attempt succeeds.
load ../integration/lib
load ../integration/registries
load faults

setup() {
        need_root
        need umoci skopeo docker-registry jq
        setup_net
        faults_setup
        IN=(nsenter "--net=/proc/$NET/ns/net")
        ARCHIVE=$TEST_DIR/small.tar
        make_archive
        two_images
        images load "$ARCHIVE" >/dev/null
        before=$(images list | sort)
}

teardown() {
        [ -z "${SERVERS:-}" ] || teardown_net
        faults_teardown
}

coracle() { "${IN[@]}" "$CORACLE_BUILD/src/cli/coracle" --root "$STORE" "$@"; }

# every_call_out HOW EXPECT VERB... - EXPECT STATUS says whether what came out is as it should be, and takes it away
every_call_out() {
        local how=$1 expect=$2 step=${FAULT_STEP:-1} n status now
        [ -n "${FAULT_STEP:-}" ] || ! is_emulated || step=11
        shift 2
        local verb=("$@")
        for ((n = 1; ; n += step)); do
                status=0
                "${IN[@]}" "$FAULT" -o "$FAULT_DIR/report" "$how" "$n" "$CORACLE_BUILD/src/cli/coracle" --root "$STORE" \
                        "${verb[@]}" >"$FAULT_DIR/out" 2>&1 || status=$?
                grep -qx 'reached 1' "$FAULT_DIR/report" || break
                now=$(images check list | sort) || { complain "check is not content" "$now"; return 1; }
                [ "$now" = "$before" ] || { complain "the store has changed:" "$now" "instead of:" "$before"; return 1; }
                [ -z "$(find "$STORE/images/ingest" -type f)" ] || { complain "half a blob stays"; return 1; }
                "$expect" "$status" || { complain "what came out is not right (status $status)"; return 1; }
                coracle "${verb[@]}" >"$FAULT_DIR/again" 2>&1 || { complain "it fails when run again" "$(cat "$FAULT_DIR/again")"; return 1; }
                "$expect" 0 || { complain "what came out the second time is not right"; return 1; }
        done
        [ "$n" -gt 5 ] || { echo "only $n calls were seen: the faults do not work"; return 1; }
        echo "# $how: $(((n - 1) / step)) calls of ${verb[*]}" >&3
}

whole_file() { # STATUS
        local there=
        [ ! -e "$FAULT_DIR/saved.tar" ] || there=1
        [ "$1" != 0 ] || [ -n "$there" ] || return 1
        [ -z "$there" ] || cmp "$FAULT_DIR/saved.tar" "$FAULT_DIR/expected.tar" || return 1
        rm -f "$FAULT_DIR"/saved.tar*
}

save_all() {
        coracle save -o "$FAULT_DIR/expected.tar" small:1
        skopeo inspect "docker-archive:$FAULT_DIR/expected.tar" >/dev/null
        every_call_out "$1" whole_file save -o "$FAULT_DIR/saved.tar" small:1
}

@test "save, one process killed" { save_all kill; }

@test "save, all its processes killed" { save_all kill-all; }

@test "save, a call failing with EIO" { save_all eio; }

@test "save, the disk full from a call on" { save_all full; }

# At the registry: with all its layers, or unknown there. It has forgotten everything afterwards.
whole_image() { # STATUS
        local found
        found=$("${IN[@]}" skopeo inspect --tls-verify=false --config docker://localhost:5000/small:1 2>"$FAULT_DIR/skopeo") ||
                { [ "$1" != 0 ] && grep -q 'manifest unknown\|name unknown' "$FAULT_DIR/skopeo"; } || return 1
        [ -z "$found" ] || [ "$(jq -r '.rootfs.diff_ids[]' <<<"$found")" = "$layers" ] || return 1
        wait_until rm -rf "$TEST_DIR"/storage-5000/docker/registry/v2/{repositories,blobs} # it may be writing there still
}

push_all() {
        local layers
        start_registry 5000
        coracle tag small:1 localhost:5000/small:1
        before=$(images list | sort)
        layers=$(coracle inspect --format '{{range .RootFS.Layers}}{{println .}}{{end}}' small:1 | sed '/^$/d')
        every_call_out "$1" whole_image push localhost:5000/small:1
}

@test "push, one process killed" { push_all kill; }

@test "push, all its processes killed" { push_all kill-all; }

@test "push, a call failing with EIO" { push_all eio; }

@test "push, the disk full from a call on" { push_all full; }
