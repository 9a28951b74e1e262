# shellcheck shell=bash
# What the fault tests share. A test prepares a store and names a fault and a verb:
#
#     prepare() { images make a:1 text; }
#     every_call kill rmi a:1        # or kill-all, eio, enospc, full
#
# every_call runs the verb once for each of its calls that change the disk, each time on a fresh copy of the prepared
# store, with that call going wrong. Each time, afterwards:
#
#   - the store opens, and `check --repair` leaves nothing to complain about
#   - the names are those before the verb or those after it; those after it if the verb reported success
#   - index.json shows the same names
#   - the verb can be run again, and then the names are those after it
#   - once all images are removed, no blob, no layer and nothing half-made is left
#
# FAULT_STEP=7, say, takes every seventh call only; on emulated machines, which are slow, it is 11 unless it is set.

bats_require_minimum_version 1.5.0
[ "${BATS_TEST_TIMEOUT:-0}" -ge 900 ] || export BATS_TEST_TIMEOUT=900 # seconds a test may take, or longer where the run says so

SOURCE_DIR=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
CORACLE_BUILD=${CORACLE_BUILD:-$SOURCE_DIR/build}
export CORACLE_LIBEXEC=$CORACLE_BUILD/src/image # where coracle-transfer is
FAULT=$CORACLE_BUILD/tests/faults/fault
IMAGES=$CORACLE_BUILD/tests/faults/images

faults_setup() {
        # Nothing here depends on the disk: what is killed leaves the same behind in memory, and sooner.
        FAULT_DIR=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/coracle-fault-XXXXXX")
        STORE=$FAULT_DIR/store
}

is_emulated() { [ "$(systemd-detect-virt 2>/dev/null)" = qemu ]; }

# The filter of `fault` goes with no_new_privs, and newuidmap does not work then.
need_root() { [ "$EUID" = 0 ] || skip "needs root, since ordinary users need newuidmap; runs where the tests run as root"; }

need() { # PROGRAM...
        local program
        for program; do
                command -v "$program" >/dev/null || skip "needs $program; runs where the packages of scripts/deps check are"
        done
}

faults_teardown() { [ -z "${FAULT_DIR:-}" ] || rm -rf "$FAULT_DIR"; }

IN=() # a command to put in front: the network namespace of a test

images() { "${IN[@]}" "$IMAGES" "$STORE" "$@"; }

# make_archive - $ARCHIVE, as docker saves images: two layers, the second of which has a whiteout
make_archive() {
        local layout=$FAULT_DIR/layout bundle=$FAULT_DIR/bundle
        umoci init --layout "$layout"
        umoci new --image "$layout:1"
        umoci unpack --image "$layout:1" "$bundle"
        mkdir "$bundle/rootfs/folder"
        seq 20000 >"$bundle/rootfs/folder/numbers"
        ln "$bundle/rootfs/folder/numbers" "$bundle/rootfs/linked"
        umoci repack --image "$layout:1" "$bundle"
        rm -rf "$bundle"
        umoci unpack --image "$layout:1" "$bundle"
        rm "$bundle/rootfs/linked"
        umoci repack --image "$layout:1" "$bundle"
        skopeo copy --quiet "oci:$layout:1" "docker-archive:$ARCHIVE:docker.io/library/small:1"
}

complain() { # WHAT DETAILS... - with everything that helps to see why
        echo "$how call $n ($(sed -n 's/^call //p' "$FAULT_DIR/report")) of ${verb[*]}: $1"
        shift
        printf '%s\n' "$@" "output of the verb:" "$(cat "$FAULT_DIR/out")"
        return 1
}

two_images() { images make a:1 "text of a" make b:1 "text of b" tag a:1 c:1; }

for_each_fault() { # VERB...
        local how
        for how in kill eio full; do every_call "$how" "$@" || return 1; done
}

indexed_names() {
        jq -r '.manifests[] | .annotations["org.opencontainers.image.ref.name"] // "<none>"' "$STORE/images/index.json" | sort
}

expect_whole() { # the status of the verb
        local now
        now=$(images check list) || { complain "check is not content, or the store does not open" "$now"; return 1; }
        now=$(grep -v ' (repaired)$' <<<"$now" | sort)
        if [ "$now" != "$after" ]; then
                [ "$1" != 0 ] || { complain "it was reported as done, but:" "$now" "instead of:" "$after"; return 1; }
                [ "$now" = "$before" ] || { complain "neither done nor undone:" "$now"; return 1; }
        fi
        [ "$(indexed_names)" = "$(sed -n 's/ .*//p' <<<"$now")" ] ||
                { complain "index.json shows other names:" "$(indexed_names)" "instead of:" "$now"; return 1; }
        is_done=
        [ "$now" != "$after" ] || is_done=1
}

expect_to_go_on() { # it works the next time, and everything can be removed
        local now left again=("${verb[@]}")
        [ -z "$is_done" ] || again=()
        now=$(images "${again[@]}" list prune) || { complain "it fails when run again" "$now"; return 1; }
        now=$(grep -v '^[A-Z]' <<<"$now" | sort)
        [ "$now" = "$after" ] || { complain "run again, it does not come to its end:" "$now"; return 1; }
        left=$(find "$STORE/images/blobs" "$STORE/images/ingest" "$STORE/layers" -mindepth 1 \
                ! -path "$STORE/images/blobs/sha256" ! -path "$STORE/layers/.work" ! -path "$STORE/layers/.lock" \
                ! -path "$STORE/images/ingest/sha256-*")
        [ -z "$left" ] || { complain "something is left when all is removed:" "$left"; return 1; }
}

every_call() { # HOW VERB ARGUMENTS...
        local how=$1 n status before after is_done step=${FAULT_STEP:-1}
        [ -n "${FAULT_STEP:-}" ] || ! is_emulated || step=11
        shift
        local verb=("$@")
        rm -rf "${FAULT_DIR:?}"/*
        mkdir "$FAULT_DIR/prepared"
        STORE=$FAULT_DIR/prepared/store
        prepare || return 1
        before=$([ ! -e "$STORE" ] || images list | sort)
        cp -a "$FAULT_DIR/prepared" "$FAULT_DIR/done"
        STORE=$FAULT_DIR/done/store
        images "$@" >/dev/null || { echo "${verb[*]} fails by itself"; return 1; }
        after=$(images list | sort)
        STORE=$FAULT_DIR/store
        for ((n = 1; ; n += step)); do
                rm -rf "$STORE"
                [ ! -e "$FAULT_DIR/prepared/store" ] || cp -a "$FAULT_DIR/prepared/store" "$STORE"
                status=0
                "${IN[@]}" "$FAULT" -o "$FAULT_DIR/report" "$how" "$n" "$IMAGES" "$STORE" "$@" >"$FAULT_DIR/out" 2>&1 || status=$?
                grep -qx 'reached 1' "$FAULT_DIR/report" || break
                expect_whole "$status" && expect_to_go_on || return 1
        done
        [ "$n" -gt 5 ] || { echo "only $n calls were seen: the faults do not work"; return 1; }
        echo "# $how: $(((n - 1) / step)) calls of ${verb[*]}" >&3
}
