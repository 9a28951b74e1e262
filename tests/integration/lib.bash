# shellcheck shell=bash disable=SC2030,SC2031
# Helpers of the integration tests. A test file looks like this:
#
#     load lib
#     setup() { setup_bundle; }
#     teardown() { teardown_bundle; }
#
#     @test "the container has the hostname of its configuration" {
#             config '.hostname = "blue"'
#             config_args hostname
#             run run_container
#             expect_status 0
#             expect_output blue
#     }
#
# setup_bundle makes and names, for this one test:
#   $TEST_DIR     a folder that teardown_bundle removes
#   $BUNDLE       the bundle: config.json, as `$RUNTIME spec` writes it, without a terminal
#   $ROOTFS       $BUNDLE/rootfs: a writable copy of busybox in bin/, with a link for each applet
#   $STATE_ROOT   what the runtime gets as --root
#   $ID           a container id
#   $TEST_CGROUP  a name for cgroups; whatever lies beneath it in any hierarchy is emptied and removed afterwards.
#                 The bundle's linux.cgroupsPath is /$TEST_CGROUP/$ID, or system.slice:$TEST_CGROUP:$ID with --systemd-cgroup;
#                 for a user other than root the first is below $CORACLE_CGROUP_BASE and the second is user.slice:...
#
# From the environment:
#   CORACLE_BUILD  the meson build folder; by default build/ in the source tree
#   RUNTIME        the runtime under test; by default $CORACLE_BUILD/src/cli/coracle-runtime. Point it at /usr/bin/runc or
#                  /usr/bin/crun to test the tests.
#   RUNTIME_FLAGS  global flags for every call, e.g. --systemd-cgroup
#   CORACLE_CGROUP_BASE  for a user other than root: the cgroup that is delegated to the run (the runner finds it)
#
# The runner (tests/integration/run) puts each run into mount and process namespaces of its own. A test that is started
# by bats alone works too, but what its teardown does not reach stays behind.
#
# A container that outlives the command which started it must not inherit the output of `run`, or `run` waits for the
# container too: create_container and start_detached see to that.

bats_require_minimum_version 1.5.0

SOURCE_DIR=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
CORACLE_BUILD=${CORACLE_BUILD:-$SOURCE_DIR/build}
RUNTIME=${RUNTIME:-$CORACLE_BUILD/src/cli/coracle-runtime}
export CORACLE_LIBEXEC=${CORACLE_LIBEXEC:-$CORACLE_BUILD/src/tools/systemd} # programs that the runtime starts
export RUNTIME_TIMEOUT=${RUNTIME_TIMEOUT:-120} # seconds that one call of the runtime may take
# Where hierarchies are mounted. bats reads this file for each test file and inherits what it exports to each of the tests.
export CGROUP_MOUNTS=${CGROUP_MOUNTS-$(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/self/mounts)}

# ------------------------------------------------------------------------------------------------- bundle and teardown

setup_bundle() {
        [ -x "$RUNTIME" ] || { echo "there is no runtime at $RUNTIME (run make, or set CORACLE_BUILD or RUNTIME)"; return 1; }
        printf -v TEST_DIR '%s/coracle-test-%08x' "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}" "$SRANDOM"
        mkdir -m 755 "$TEST_DIR" # containers with mapped ids walk through it
        TEST_CGROUP=${CORACLE_TEST_RUN:-coracle-test-$$}-${TEST_DIR##*-}
        ID=ct-${TEST_DIR##*-}
        STATE_ROOT=$TEST_DIR/state
        add_bundle bundle
        BUNDLE=$TEST_DIR/bundle
        # shellcheck disable=SC2034 # for the tests
        ROOTFS=$BUNDLE/rootfs
}

# add_bundle NAME [SUFFIX] - make one more bundle in $TEST_DIR/NAME, for tests with several containers; its cgroup is that
# of the container $ID-SUFFIX. All are copies of one that the first test of a file makes.
add_bundle() {
        local path pattern text
        path=$(cgroups_path "$ID${2:+-$2}")
        pattern=$BATS_RUN_TMPDIR/bundle${path:+-with-cgroup}
        [ -d "$pattern" ] || make_bundle "$pattern" "${path:+CGROUPS_PATH}"
        cp -a "$pattern" "$TEST_DIR/$1"
        IFS= read -r -d '' text <"$pattern/config.json" || true # there is no zero byte
        printf '%s' "${text/CGROUPS_PATH/"$path"}" >"$TEST_DIR/$1/config.json"
}

make_bundle() { # DIR CGROUPS-PATH
        mkdir -m 755 "$1"
        make_rootfs "$1/rootfs"
        (cd "$1" && "$RUNTIME" spec)
        jq --arg path "$2" '.process.terminal = false | .root.readonly = false |
                if $path != "" then .linux.cgroupsPath = $path else . end' "$1/config.json" >"$1/config.new"
        mv "$1/config.new" "$1/config.json"
}

# make_rootfs DIR - the smallest useful root file system
make_rootfs() {
        local busybox
        busybox=$(find_busybox)
        mkdir -p "$1"/{bin,dev,etc,proc,root,sys,tmp,usr,var}
        chmod 1777 "$1/tmp"
        cp "$busybox" "$1/bin/busybox"
        "$1/bin/busybox" --install "$1/bin"
        printf 'root:x:0:0:root:/root:/bin/sh\ntest:x:1000:1000:test:/tmp:/bin/sh\n' >"$1/etc/passwd"
        printf 'root:x:0:\ntest:x:1000:\nextra:x:2000:test\n' >"$1/etc/group"
}

find_busybox() {
        local b
        for b in /bin/busybox.static /bin/busybox /usr/bin/busybox; do
                if [ -x "$b" ] && ! readelf_has_interpreter "$b"; then
                        echo "$b"
                        return
                fi
        done
        echo "there is no static busybox (Debian: busybox-static)" >&2
        return 1
}

readelf_has_interpreter() { # without binutils: the name of the loader stands in the first page of a dynamic program
        head -c 4096 "$1" | grep -qaE '/ld-(linux|musl)[-a-z0-9_.]*\.so'
}

# What was said in a failed test and is not in its results yet: tests/integration/run looks there for what the kernel lacks.
say_what_was_refused() {
        [ -n "${CORACLE_REFUSE:-}" ] && [ -z "${BATS_TEST_COMPLETED:-}" ] || return 0
        [ -z "${output:-}" ] || printf '%s\n' "$output"
        grep -hsIE '(refuses|needs?) .*Linux [0-9]' "$TEST_DIR"/* || true
}

teardown_bundle() {
        [ -n "${TEST_DIR:-}" ] || return 0
        local state root
        say_what_was_refused
        for root in "$STATE_ROOT" "$TEST_DIR"/state-*; do
                for state in "$root"/*/; do
                        [ -d "$state" ] || continue
                        # shellcheck disable=SC2086
                        timeout -k 5 20 "$RUNTIME" --root "$root" ${RUNTIME_FLAGS:-} delete --force "$(basename "$state")" \
                                >/dev/null 2>&1 3>&- || true
                done
        done
        remove_cgroups "$TEST_CGROUP"
        remove_tree "$TEST_DIR"
        TEST_DIR=
}

# choose_cgroup_parent - $CGROUP_PARENT, for coracle's --cgroup-parent: /$TEST_CGROUP, or the slice $TEST_CGROUP.slice where the
# engine lets systemd make the cgroups
choose_cgroup_parent() {
        CGROUP_PARENT=/$TEST_CGROUP
        if is_cgroup_v2 && [ -d /run/systemd/system ] && [ -x "$CORACLE_LIBEXEC/coracle-systemd" ]; then
                TEST_CGROUP=${TEST_CGROUP//-/_} # a slice is below those that the parts before each - name
                CGROUP_PARENT=$TEST_CGROUP.slice
        fi
}

# remove_cgroups NAME - kill what lives in the cgroups named NAME* at the top of each hierarchy (and beneath), remove them
remove_cgroups() {
        local mount dir scopes tries left="" end=$((SECONDS + ${WAIT_SECONDS:-30}))
        [ -n "$1" ] || return 1
        scopes=$(scope_dir)
        if [ -d /run/systemd/system ] && command -v systemctl >/dev/null; then
                timeout 20 systemctl "$(manager_flag)" stop "$1*.scope" "$1*.slice" >/dev/null 2>&1 || true
        fi
        for ((tries = 1; tries < 3 || SECONDS < end; tries++)); do
                left=
                for mount in $CGROUP_MOUNTS; do
                        for dir in "$mount${CORACLE_CGROUP_BASE:-}/$1"* "$mount$scopes/$1"*; do
                                [ -d "$dir" ] || continue
                                [ "$tries" -gt 1 ] && empty_cgroup "$dir"
                                find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
                                [ ! -d "$dir" ] || left=$dir
                        done
                done
                [ -n "$left" ] || return 0
                [ "$tries" = 1 ] || sleep 0.1
        done
        echo "cannot remove the cgroup $left"
        return 1
}

empty_cgroup() { # a directory: thaw and kill all processes below it
        local pid file
        while IFS= read -r -d '' file; do
                case $file in
                *freezer.state) echo THAWED >"$file" || true ;;
                *cgroup.freeze) echo 0 >"$file" || true ;;
                *cgroup.procs) while read -r pid; do [ "$pid" = 0 ] || kill -KILL "$pid" || true; done <"$file" ;;
                esac
        done 2>/dev/null < <(find "$1" -depth \( -name freezer.state -o -name cgroup.freeze -o -name cgroup.procs \) -print0)
        return 0
}

remove_tree() { # a directory: undo the mounts below it, then delete it, never crossing into another file system
        local mounts mount
        mapfile -t mounts </proc/self/mountinfo
        if [[ "${mounts[*]}" == *" $1"[/\ ]* ]]; then
                while read -r mount; do
                        umount -l "$(printf '%b' "$mount")" 2>/dev/null || true
                done < <(awk -v dir="$1/" 'index($5 "/", dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
        fi
        rm -rf --one-file-system "$1" 2>/dev/null && return
        ! command -v chattr >/dev/null || chattr -R -f -i "$1" 2>/dev/null || true # some file may be immutable
        rm -rf --one-file-system "$1"
}

# mount_overlay OPTIONS DIR - in the old way: what newer programs use takes 255 bytes of lowerdir and no more
mount_overlay() { LIBMOUNT_FORCE_MOUNT2=always mount -t overlay overlay -o "$1" "$2"; }

# -------------------------------------------------------------------------------------------------------- configuration

# config FILTER [JQ-ARGUMENT...] - change config.json of $BUNDLE: config '.hostname = $name' --arg name blue
config() {
        local filter=$1
        shift
        filter=$(jq "$filter" "$@" <"$BUNDLE/config.json") && printf '%s\n' "$filter" >"$BUNDLE/config.json"
}

# config_args WORD... - what the container runs
config_args() {
        config '.process.args = $ARGS.positional' --args -- "$@"
}

# share_pids - no pid namespace of its own; a user can make no procfs for it, and shows the host's
share_pids() {
        config '.linux.namespaces |= map(select(.type != "pid"))'
        [ "$EUID" = 0 ] || config '(.mounts[] | select(.type == "proc")) =
                {destination: "/proc", type: "none", source: "/proc", options: ["rbind"]}'
}

# ---------------------------------------------------------------------------------------------------------- the runtime

# runtime ARGUMENT... - the runtime under test with this test's state; it is ended after $RUNTIME_TIMEOUT seconds
runtime() {
        # shellcheck disable=SC2086
        timeout --foreground -k 5 "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$STATE_ROOT" ${RUNTIME_FLAGS:-} "$@" 3>&-
}

# run_container [ID [FLAG...]] - run the bundle in the foreground; use `run run_container`
run_container() {
        local id=${1:-$ID}
        shift || true
        runtime run --bundle "$BUNDLE" "$@" "$id" </dev/null
}

# start_detached [ID [FLAG...]] - run the bundle in the background; its output goes to $TEST_DIR/ID.out
start_detached() {
        local id=${1:-$ID}
        shift || true
        runtime run --detach --bundle "$BUNDLE" "$@" "$id" </dev/null >"$TEST_DIR/$id.out" 2>&1 || show_output_file "$id"
}

# create_container [ID [FLAG...]] - create without start; its output goes to $TEST_DIR/ID.out
create_container() {
        local id=${1:-$ID}
        shift || true
        runtime create --bundle "$BUNDLE" "$@" "$id" </dev/null >"$TEST_DIR/$id.out" 2>&1 || show_output_file "$id"
}

show_output_file() {
        local status=$?
        cat "$TEST_DIR/$1.out"
        return "$status"
}

# container_state [ID] - created, running, paused or stopped; fails when there is no such container
container_state() {
        local state
        state=$(runtime state "${1:-$ID}") && jq -er .status <<<"$state"
}

# container_pid [ID] - process id of the container's init
container_pid() {
        local state
        state=$(runtime state "${1:-$ID}") && jq -er .pid <<<"$state"
}

# wait_until COMMAND... - try a command until it succeeds; fails after a minute (WAIT_SECONDS)
wait_until() {
        local end=$((SECONDS + ${WAIT_SECONDS:-60}))
        until "$@" >/dev/null 2>&1; do
                [ "$SECONDS" -lt "$end" ] || { echo "still not so after ${WAIT_SECONDS:-60} s: $*"; return 1; }
                sleep 0.05
        done
}

# wait_ready FILE - wait until a server of the test's has written "ready" to the file; else show what it wrote
wait_ready() {
        wait_until grep -qs ready "$1" || { cat "$1"; return 1; }
}

process_is_gone() { [ ! -e "/proc/$1" ] || grep -qs '^State:.Z' "/proc/$1/status"; } # or has ended, and nobody took note yet

# wait_for STATE [ID] - wait until the container is created, running, paused or stopped
wait_for() {
        wait_until is_in_state "$1" "${2:-$ID}"
}

is_in_state() { # asked often: without jq
        local state
        state=$(runtime state "$2") && [[ $state =~ \"status\":\ ?\"$1\" ]]
}

# -------------------------------------------------------------------------------------------------------------- cgroups

by_systemd() { [[ " ${RUNTIME_FLAGS:-} " == *" --systemd-cgroup "* ]]; }

# The systemd that makes our scopes, as a flag of systemctl: the machine's, or that of the user's session.
manager_flag() { if [ "$EUID" = 0 ]; then echo --system; else echo --user; fi; }

# Where it has the slice in which containers are.
scope_dir() {
        if [ "$EUID" = 0 ]; then echo /system.slice; else echo "/user.slice/user-$EUID.slice/user@$EUID.service/user.slice"; fi
}

# may_make_cgroups - whether the tests have a place where they may
may_make_cgroups() { [ "$EUID" = 0 ] || by_systemd || [ -n "${CORACLE_CGROUP_BASE:-}" ]; }

# cgroups_path [ID] - what linux.cgroupsPath says for a container of this test; empty for a user without a place for it
cgroups_path() {
        local slice
        if by_systemd; then
                slice=$(scope_dir)
                echo "${slice##*/}:$TEST_CGROUP:${1:-$ID}"
        elif may_make_cgroups; then
                cgroup_of "$@"
        fi
}

# use_cgroup ID - the bundle's container goes there
use_cgroup() {
        config 'if $path == "" then . else .linux.cgroupsPath = $path end' --arg path "$(cgroups_path "$1")"
}

# cgroup_of [ID] - and where that is, from the root of a hierarchy on
cgroup_of() {
        if by_systemd; then
                echo "$(scope_dir)/$TEST_CGROUP-${1:-$ID}.scope"
        else
                echo "${CORACLE_CGROUP_BASE:-}/$TEST_CGROUP/${1:-$ID}"
        fi
}

# cgroup_dir CONTROLLER [PATH] - where the cgroup PATH (default: that of the bundle) is for a controller, whichever
# hierarchy that is in; CONTROLLER may also be "unified" or "systemd"
cgroup_dir() {
        local path=${2:-$(cgroup_of)} mount type options
        while read -r _ mount type options _; do
                case $type in
                cgroup) [[ ,$options, == *,$1,* || ($1 == systemd && $options == *name=systemd*) ]] || continue ;;
                cgroup2) [[ $1 == unified ]] || is_always_unified "$1" || grep -qw "$1" "$mount$(delegated)/cgroup.controllers" ||
                        continue ;;
                *) continue ;;
                esac
                echo "$mount$path"
                return 0
        done </proc/self/mounts
        echo "no cgroup hierarchy has the controller $1" >&2
        return 1
}

# Where our cgroups begin, and which controllers there are for them.
delegated() {
        local dir
        dir=$(scope_dir)
        if [ "$EUID" != 0 ] && by_systemd; then echo "${dir%/*}"; else echo "${CORACLE_CGROUP_BASE:-}"; fi
}

# What were controllers is in every unified cgroup, and named nowhere.
is_always_unified() { [[ $1 == freezer || $1 == devices ]] && is_cgroup_v2; }

# nsenter_container NAMESPACE-FLAG... -- COMMAND... - enter namespaces of the container; a user has rights there only as
# root of its user namespace
nsenter_container() {
        local flags=(--target "$(container_pid)")
        [ "$EUID" = 0 ] || flags+=(--user --preserve-credentials)
        nsenter "${flags[@]}" "$@"
}

# cgroup_value CONTROLLER V1-FILE V2-FILE [PATH] - read a file of the bundle's cgroup
cgroup_value() {
        local dir
        dir=$(cgroup_dir "$1" "${4:-}") || return 1
        if is_cgroup_v2 || [ "$1" = unified ] || [ ! -e "$dir/$2" ]; then cat "$dir/$3"; else cat "$dir/$2"; fi
}

is_cgroup_v2() { [ -e /sys/fs/cgroup/cgroup.controllers ]; }

# --------------------------------------------------------------------------------------------------------- expectations

# All of these show what came instead; they look at $status and $output of the last `run`.

expect_status() {
        [ "$status" -eq "$1" ] || fail "exit status $status, expected $1" || return 1
}

expect_failure() {
        [ "$status" -ne 0 ] || fail "exit status 0, expected a failure" || return 1
        [ "$status" -lt 124 ] || [ "$status" -gt 125 ] || fail "the runtime did not end by itself (exit status $status)" || return 1
}

# expect_output TEXT - the whole output is TEXT
expect_output() {
        [ "$output" = "$1" ] || fail "expected the output: $1" || return 1
}

# expect_text TEXT... - each TEXT is somewhere in the output
expect_text() {
        local text
        for text; do
                [[ $output == *"$text"* ]] || fail "expected in the output: $text" || return 1
        done
}

# expect_no_text TEXT... - none of these is in the output
expect_no_text() {
        local text
        for text; do
                [[ $output != *"$text"* ]] || fail "not expected in the output: $text" || return 1
        done
}

# expect_match REGEX... - each extended regular expression fits somewhere in the output
expect_match() {
        local regex
        for regex; do
                [[ $output =~ $regex ]] || fail "expected in the output, as a regular expression: $regex" || return 1
        done
}

# expect_equal GOT EXPECTED [WHAT]
expect_equal() {
        [ "$1" = "$2" ] || fail "${3:-value}: got '$1', expected '$2'" || return 1
}

# refute COMMAND... - the command must fail (a plain `! command` in the middle of a test fails nothing)
refute() {
        if ("$@") >/dev/null 2>&1; then fail "expected to fail: $*"; fi
}

fail() {
        echo "$*"
        [ -z "${output+x}" ] || { echo "output of the last run:"; echo "$output"; }
        return 1
}

# own_mounts - /proc/self/mountinfo without what files that run beside this one have mounted, who share the namespace
own_mounts() {
        awk -v beside="${CORACLE_TEST_TMP:-}/coracle-test-" -v own="$TEST_DIR/" '
                index($5, own) == 1 || (index($5, beside) != 1 && $5 !~ "^/(etc/(hosts|passwd|subuid|subgid|ssl/certs/ca-certificates.crt)|run/dbus|run/netns(/.*)?)$|/coracle-fault-")' \
                /proc/self/mountinfo
}

# ---------------------------------------------------------------------------------------------------------------- skips

# skip_unless NEED... - skip the test where one of these is missing, and say where it runs instead:
#   root, cgroup, userns, userns_for_all, systemd, cgroup_v1, cgroup_v2, hybrid, "controller memory", "cap sys_resource",
#   "program criu", "kernel 5.12", "all calls", "arch x86_64", "filesystem overlay"
skip_unless() {
        local need word
        for need; do
                word=${need#* }
                # shellcheck disable=SC2015
                case $need in
                root) [ "$(id -u)" = 0 ] || skip "needs root: runs where the suite is started by root" ;;
                cgroup) may_make_cgroups ||
                        skip "needs a cgroup to write to: runs as root, and for a user to whom systemd delegates one" ;;
                userns) unshare -U true 2>/dev/null || skip "needs user namespaces: runs with make check-amd64" ;;
                userns_for_all) userns_for_all || skip "user namespaces are not for every user here: runs on the CI machine" ;;
                systemd) [ -d /run/systemd/system ] || skip "needs systemd as pid 1: runs with make check-amd64" ;;
                cgroup_v2) is_cgroup_v2 || skip "needs unified cgroups: runs with make check-amd64" ;;
                cgroup_v1) has_cgroup_v1 || skip "needs version 1 cgroups: runs on the CI machine" ;;
                hybrid) [ -e /sys/fs/cgroup/unified/cgroup.procs ] || skip "needs hybrid cgroups: runs on the CI machine" ;;
                "controller "*)
                        skip_unless cgroup
                        (cgroup_dir "$word" >/dev/null 2>&1) ||
                                skip "needs the cgroup controller $word: runs $(where_controller "$word")"
                        ;;
                "cap "*) has_capability "$word" || skip "needs the capability $word: runs with make check-amd64" ;;
                "program "*) command -v "$word" >/dev/null ||
                        skip "needs the program $word: runs where it is installed (make deps)" ;;
                "all calls") [ -z "${CORACLE_REFUSE:-}" ] || skip "is about what is done without CORACLE_REFUSE: runs where that is not set" ;;
                "kernel "*) kernel_at_least "$word" ||
                        skip "needs Linux $word, this is $(uname -r): runs on the CI machine" ;;
                "arch "*) [ "$(uname -m)" = "$word" ] || skip "is about $word: runs on machines of that kind" ;;
                "filesystem "*) grep -qw "$word" /proc/filesystems ||
                        skip "needs the file system $word: runs with make check-amd64" ;;
                *) echo "skip_unless: unknown need '$need'"; return 1 ;;
                esac
        done
}

# test_limit SECONDS - in front of a file's tests: each may take so long, or longer where the run says so
test_limit() {
        [ "${BATS_TEST_TIMEOUT:-0}" -ge "$1" ] || export BATS_TEST_TIMEOUT=$1
}

# why_skip COMMAND... - for setup_file(), in which not all versions of bats can skip: the reason that COMMAND has, if any
why_skip() {
        (
                # shellcheck disable=SC2317
                skip() { printf '%s' "$1" && exit; }
                "$@"
        )
}

userns_for_all() { # also for users without rights
        [ "$(cat /proc/sys/kernel/unprivileged_userns_clone 2>/dev/null)" != 0 ] &&
                [ "$(cat /proc/sys/kernel/apparmor_restrict_unprivileged_userns 2>/dev/null)" != 1 ] &&
                setpriv --reuid 54321 --regid 54322 --clear-groups unshare -U true 2>/dev/null
}

where_controller() { # NAME - those of version 1 alone are where version 1 is
        case $1 in
        blkio | net_cls | net_prio | devices | freezer) echo "on the CI machine" ;;
        *) [ "$EUID" = 0 ] && echo "with make check-amd64" || echo "with make check-amd64, as root" ;;
        esac
}

has_cgroup_v1() { grep -qE '^[^ ]+ [^ ]+ cgroup ' /proc/self/mounts; }

has_capability() { # chown, sys_admin, ...; asks for it in the bounding set, since the suite runs as root
        [ "$(capsh --has-b="cap_$1" >/dev/null 2>&1; echo $?)" = 0 ]
}

kernel_at_least() { # MAJOR.MINOR
        local have
        have=$(uname -r)
        [ "$(printf '%s\n%s\n' "$1" "${have%%[!0-9.]*}" | sort -V | head -n 1)" = "$1" ]
}
