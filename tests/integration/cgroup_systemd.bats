#!/usr/bin/env bats
# Cgroups made by systemd (OC-27, OR-14).

load lib

setup() {
        setup_bundle
        skip_unless systemd
        [ -x "$CORACLE_LIBEXEC/coracle-systemd" ] || skip "needs coracle-systemd: runs where libsystemd is at build time"
        export RUNTIME_FLAGS=--systemd-cgroup
        config '.linux.cgroupsPath = $p' --arg p "$(cgroups_path)"
        UNIT=$TEST_CGROUP-$ID.scope
}
teardown() { teardown_bundle; }

sleeper() {
        config_args sleep 1000
        start_detached
        wait_for running
}

ctl() { systemctl "$(manager_flag)" "$@"; }
property() { ctl show "$UNIT" --property "$1" --value; }
gone() { ! ctl --quiet is-active "$UNIT"; }

@test "systemd: the container is in a scope of its slice" {
        sleeper
        slice=$(scope_dir)
        expect_equal "$(property Slice)" "${slice##*/}"
        expect_equal "$(property Delegate)" yes
        grep -q ":$(cgroup_of)$" "/proc/$(container_pid)/cgroup"
        runtime delete --force "$ID"
        wait_until gone
        [ ! -e "/sys/fs/cgroup$(cgroup_of)" ]
}

@test "systemd: nested slices are made" {
        slice=${TEST_CGROUP//-/_}
        config '.linux.cgroupsPath = $p' --arg p "$slice-inner.slice:$TEST_CGROUP:$ID"
        sleeper
        manager=$(scope_dir)
        grep -q ":${manager%/*}/$slice.slice/$slice-inner.slice/$UNIT$" "/proc/$(container_pid)/cgroup"
        runtime delete --force "$ID"
        ctl stop "$slice-inner.slice" "$slice.slice"
}

@test "systemd: limits are in the files and in the unit's properties" {
        skip_unless cgroup_v2
        config '.linux.resources = ((.linux.resources // {}) + {memory: {limit: 67108864, swap: 134217728},
                cpu: {shares: 1024, quota: 50000, period: 100000, cpus: "0"}, pids: {limit: 33}})'
        sleeper
        dir=/sys/fs/cgroup$(cgroup_of)
        expect_equal "$(cat "$dir/memory.max")" 67108864
        expect_equal "$(property MemoryMax)" 67108864
        expect_equal "$(property MemorySwapMax)" 67108864
        expect_equal "$(cat "$dir/cpu.max")" "50000 100000"
        expect_equal "$(property CPUQuotaPerSecUSec)" 500ms
        expect_equal "$(property CPUWeight)" 100
        expect_equal "$(property AllowedCPUs)" 0
        expect_equal "$(property TasksMax)" 33
        expect_equal "$(cat "$dir/pids.max")" 33
}

@test "systemd: limits survive a reload of systemd" {
        skip_unless cgroup_v2
        config '.linux.resources.memory = {limit: 67108864}'
        sleeper
        runtime update --memory 50331648 "$ID"
        ctl daemon-reload
        expect_equal "$(cat "/sys/fs/cgroup$(cgroup_of)/memory.max")" 50331648
        expect_equal "$(property MemoryMax)" 50331648
}

@test "systemd: devices are denied and allowed, also after a reload" {
        skip_unless root cgroup_v2
        config '.process.capabilities = (.process.capabilities | map_values((. // []) + ["CAP_MKNOD"]))'
        config '.linux.resources.devices = [{allow: true, type: "c", major: 10, minor: 229, access: "r"}]'
        config_args sh -c 'mknod /dev/fuse1 c 10 229; touch /tmp/ready; exec sleep 1000'
        start_detached
        wait_until test -e "$ROOTFS/tmp/ready"
        for _ in before after; do
                run runtime exec "$ID" sh -c ': </dev/null && echo null; : </dev/fuse1'
                expect_text null
                expect_no_text "Operation not permitted"
                run runtime exec "$ID" sh -c ': >>/dev/fuse1'
                expect_text "Operation not permitted"
                ctl daemon-reload
        done
        expect_equal "$(property DevicePolicy)" strict
}

@test "systemd: properties from annotations" {
        config '.annotations = {"org.systemd.property.TimeoutStopSec": "uint64 7",
                "org.systemd.property.Documentation": "[\"man:a(1)\", \"man:b(1)\"]"}'
        sleeper
        expect_equal "$(property TimeoutStopUSec)" 7s
        expect_equal "$(property Documentation | tr -d '"')" "man:a(1) man:b(1)"
}

@test "systemd: wrong properties fail, with the annotation's name, and leave no unit" {
        config '.annotations = {"org.systemd.property.TimeoutStopSec": "uint64 -7"}'
        run run_container
        expect_failure
        expect_text org.systemd.property.TimeoutStopSec
        config '.annotations = {"org.systemd.property.NoSuchThing": "1"}'
        run run_container
        expect_failure
        expect_text NoSuchThing
        wait_until gone
        [ ! -e "/sys/fs/cgroup$(cgroup_of)" ]
}

@test "systemd: a path that is no slice:prefix:name is refused" {
        config '.linux.cgroupsPath = "/foo/bar"'
        run run_container
        expect_failure
        expect_text slice:prefix:name
        config '.linux.cgroupsPath = "a--b.slice:x:y"'
        run run_container
        expect_failure
        expect_text a--b.slice
}

@test "systemd: sub-cgroup and delegated cgroup" {
        skip_unless cgroup_v2
        config '.annotations = {"run.oci.systemd.subgroup": "sub", "run.oci.delegate-cgroup": "payload"}'
        config '.linux.resources.pids = {limit: 44}'
        sleeper
        grep -q ":$(cgroup_of)/sub/payload$" "/proc/$(container_pid)/cgroup"
        expect_equal "$(cat "/sys/fs/cgroup$(cgroup_of)/sub/pids.max")" 44
        runtime exec --detach --pid-file "$TEST_DIR/pid" "$ID" sleep 1000 >/dev/null 2>&1
        grep -q ":$(cgroup_of)/sub/payload$" "/proc/$(cat "$TEST_DIR/pid")/cgroup"
        runtime delete --force "$ID"
        [ ! -e "/sys/fs/cgroup$(cgroup_of)" ]
}

@test "systemd: a failed scope of the same name is no obstacle" {
        systemd-run "$(manager_flag)" --quiet --scope --unit "$UNIT" false || true
        config_args echo fine
        run run_container
        expect_status 0
        expect_text fine
}

@test "systemd: without coracle-systemd the error says what is missing" {
        CORACLE_LIBEXEC=/nonexistent run run_container
        expect_failure
        expect_text /nonexistent/coracle-systemd
}

@test "systemd: update, pause and events" {
        skip_unless cgroup_v2
        sleeper
        runtime update --pids-limit 22 --cpu-quota 20000 "$ID"
        expect_equal "$(property TasksMax)" 22
        expect_equal "$(cat "/sys/fs/cgroup$(cgroup_of)/cpu.max")" "20000 100000"
        runtime pause "$ID"
        expect_equal "$(container_state)" paused
        runtime resume "$ID"
        run runtime events --stats "$ID"
        jq -e '.data.pids.limit == 22' <<<"$output"
}

# ---------------------------------------------------------------------------------------- the manager of a user's session

# Finds $USER_ID, a user other than root whose systemd runs, and gives it the bundle.
find_user() {
        local dir
        skip_unless root # the others run as such a user
        for dir in /run/user/[1-9]*; do
                [ -S "$dir/bus" ] || continue
                USER_ID=${dir##*/}
                USER_DIR=$dir
        done
        [ -n "${USER_ID:-}" ] || skip "needs a user with a systemd session: runs with make check-amd64"
        GROUP_ID=$(stat -c %g "$USER_DIR")
        chown -R "$USER_ID:$GROUP_ID" "$TEST_DIR"
        chmod 755 "$TEST_DIR"
        config 'del(.linux.cgroupsPath) | .linux.namespaces |= map(select(.type != "network")) |
                .mounts |= map(select(.type != "cgroup" and .type != "sysfs")) |
                (.mounts[] | select(.type == "devpts").options) |= map(select(startswith("gid=") | not)) |
                .annotations = {"run.oci.systemd.subgroup": ""}'
}

as_user() {
        setpriv --reuid "$USER_ID" --regid "$GROUP_ID" --init-groups env -u DBUS_SESSION_BUS_ADDRESS "HOME=$TEST_DIR" \
                "XDG_RUNTIME_DIR=$USER_DIR" timeout --foreground -k 5 "$RUNTIME_TIMEOUT" "$RUNTIME" --root "$TEST_DIR/state-user" \
                --systemd-cgroup "$@" 3>&-
}

@test "systemd: a user's container is in a scope of the user's manager, with limits" {
        skip_unless cgroup_v2
        find_user
        config '.linux.resources = {pids: {limit: 33}, memory: {limit: 67108864}}'
        config_args sh -c 'sleep 1000'
        as_user run --detach --bundle "$BUNDLE" --pid-file "$TEST_DIR/pid" "$ID" </dev/null >"$TEST_DIR/out" 2>&1 ||
                { cat "$TEST_DIR/out"; false; }
        pid=$(cat "$TEST_DIR/pid")
        cgroup=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
        [[ $cgroup == */user@$USER_ID.service/user.slice/coracle-$ID.scope ]] || fail "the cgroup is $cgroup"
        expect_equal "$(cat "/sys/fs/cgroup$cgroup/pids.max")" 33
        expect_equal "$(cat "/sys/fs/cgroup$cgroup/memory.max")" 67108864
        # we are in none of the user's cgroups, as in a login session, from where only systemd may move a process
        run as_user exec "$ID" echo inside
        expect_status 0
        expect_output inside
        as_user exec --detach --pid-file "$TEST_DIR/pid" "$ID" sleep 1000 </dev/null >"$TEST_DIR/out" 2>&1 || { cat "$TEST_DIR/out"; false; }
        expect_equal "$(sed -n 's/^0:://p' "/proc/$(cat "$TEST_DIR/pid")/cgroup")" "$cgroup"
        mkdir "/sys/fs/cgroup$cgroup/part" && chown -R "$USER_ID:$GROUP_ID" "/sys/fs/cgroup$cgroup/part"
        as_user exec --detach --cgroup part --pid-file "$TEST_DIR/pid" "$ID" sleep 1000 </dev/null >"$TEST_DIR/out" 2>&1 || { cat "$TEST_DIR/out"; false; }
        expect_equal "$(sed -n 's/^0:://p' "/proc/$(cat "$TEST_DIR/pid")/cgroup")" "$cgroup/part"
        as_user update --pids-limit 44 "$ID"
        expect_equal "$(cat "/sys/fs/cgroup$cgroup/pids.max")" 44
        as_user pause "$ID"
        as_user resume "$ID"
        as_user delete --force "$ID"
        [ ! -e "/sys/fs/cgroup$cgroup" ]
}
