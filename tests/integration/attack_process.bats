# Attacks on the runtime's own processes and on what a container's process gets: the runtime's binary (CVE-2019-5736, see
# also own_binary.bats), descriptors and folders of the host (CVE-2024-21626), capabilities (CVE-2022-29162), users
# (CVE-2026-30892).

load lib

setup() {
        setup_bundle
        cp "$CORACLE_BUILD/tests/integration/tools/tool-attacker" "$ROOTFS/bin/attacker"
}

teardown() { teardown_bundle; }

# ------------------------------------------------------------------------- exec into a container that lies in wait for us

# watch - start a container whose process looks at each new one; its report goes to $TEST_DIR/report
watch() {
        : >"$ROOTFS/report"
        chmod 666 "$ROOTFS/report"
        config_args /bin/sh -c 'attacker watch 90 /stop >/report; sleep 1000'
        start_detached
        wait_until grep -q watching "$ROOTFS/report"
}

end_watch() {
        touch "$ROOTFS/stop"
        wait_until grep -q seen "$ROOTFS/report"
        run cat "$ROOTFS/report"
        expect_match 'seen [1-9]' # it was not asleep
}

capabilities() { # JQ-FILTER of the list of all capabilities that this machine gives
        config '.process.capabilities = (["bounding", "effective", "permitted"] | map({(.): $all}) | add)' \
                --argjson all "$("$RUNTIME" features | jq -c ".linux.capabilities | $1")"
}

# A naive runtime is played by nsenter, which starts a program of the host's among the container's processes. Both are
# copies: the child of nsenter is among them, too, before it starts the program, and what is held is overwritten.
@test "the one who lies in wait catches a runtime that does not protect itself" {
        skip_unless root "program nsenter"
        capabilities .
        watch
        local init
        init=$(container_pid)
        mkdir "$TEST_DIR/naive"
        cp "$(find_busybox)" "$TEST_DIR/naive/busybox"
        cp "$(command -v nsenter)" "$TEST_DIR/naive/nsenter"
        caught() { for i; do grep -q "held $i" "$ROOTFS/report" || return 1; done; }
        for _ in {1..20}; do # until it had its turn at the right moment
                (cd "$TEST_DIR/naive" && ./nsenter -t "$init" -p ./busybox sleep 1) <"$TEST_DIR/naive" >/dev/null 2>&1 3>&-
                ! caught exe cwd fd root || break
        done
        end_watch
        expect_text "held exe" "held cwd" "held fd" "held root" "wrote afterwards"
}

@test "exec shows nothing of itself to a container with the usual capabilities" {
        local i
        watch
        for i in $(seq 15); do runtime exec "$ID" /bin/true </dev/null >/dev/null 2>&1; done
        end_watch
        expect_no_text held wrote
}

@test "exec shows nothing of itself to a container with every capability but that to trace" {
        local i
        capabilities 'map(select(. != "CAP_SYS_PTRACE"))'
        watch
        for i in $(seq 15); do runtime exec --cwd /tmp "$ID" /bin/true </dev/null >/dev/null 2>&1; done
        end_watch
        expect_no_text held wrote
}

@test "exec shows nothing of itself to the root of a user namespace" {
        skip_unless root userns
        local i
        chown -R 100000:100000 "$ROOTFS"
        config '.linux.namespaces += [{type: "user"}] |
                .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
                .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
        capabilities .
        watch
        for i in $(seq 15); do runtime exec "$ID" /bin/true </dev/null >/dev/null 2>&1; done
        end_watch
        expect_no_text held wrote
}

# Whoever may trace may look: what he then holds of our binary cannot be written to, now or when we have ended. The
# images' programs make the runtime execute itself.
@test "a container with every capability cannot write to the runtime's binary" {
        skip_unless root
        local original=$RUNTIME i interpreter
        mkdir "$TEST_DIR/program"
        cp "$(realpath "$RUNTIME")" "$TEST_DIR/program/victim"
        RUNTIME=$TEST_DIR/program/victim
        printf '#!/proc/self/exe\n' >"$ROOTFS/bin/script"
        # a program whose ELF interpreter is the one that executes it
        interpreter=$(head -c 8192 /bin/bash | LC_ALL=C grep -aoE '/lib[a-z0-9/]*/ld[-a-z0-9_.]*\.so[.0-9]*' | head -n 1)
        [ -n "$interpreter" ] || fail "no dynamic program to take"
        LC_ALL=C sed "s|$interpreter|/proc/self/exe$(printf '\\x00%.0s' $(seq $((${#interpreter} - 14))))|" /bin/bash >"$ROOTFS/bin/elf"
        grep -qa /proc/self/exe "$ROOTFS/bin/elf"
        chmod +x "$ROOTFS/bin/script" "$ROOTFS/bin/elf"
        ln -s /proc/self/exe "$ROOTFS/bin/again"
        capabilities .
        watch
        for i in {1..20}; do
                [ "$i" -le 5 ] || ! grep -q "held exe" "$ROOTFS/report" || break
                runtime exec "$ID" /bin/true </dev/null
                run runtime exec "$ID" /bin/script
                run runtime exec "$ID" /bin/elf
                run runtime exec "$ID" /bin/again --version
        done
        end_watch
        RUNTIME=$original
        expect_text "held exe"
        # before Linux 5.12 it is a sealed copy in memory: that can be opened, but not changed
        if kernel_at_least 5.12 && [ -z "${CORACLE_REFUSE:-}" ]; then expect_no_text wrote; else expect_no_text written; fi
        cmp "$TEST_DIR/program/victim" "$(realpath "$original")"
}

@test "the protection of the binary costs no memory of the container, and no copy" {
        skip_unless root "program strace" "kernel 5.12"
        config_args /bin/true
        strace -f -qq -e trace=memfd_create,sendfile,copy_file_range -o "$TEST_DIR/trace" \
                "$RUNTIME" --root "$STATE_ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
        run grep -E 'memfd_create|sendfile|copy_file_range' "$TEST_DIR/trace"
        expect_output ""
}

# --------------------------------------------------------------------------------------- descriptors and folders left open

# CVE-2024-21626. Debian's runc 1.1.5 has the correction.
@test "no working directory leads out by a descriptor" {
        local n
        config_args /bin/sh -c 'pwd -P; ls ../../../../../../../etc/hostname; cat etc/passwd'
        for n in $(seq 3 20); do
                config '.process.cwd = $c' --arg c "/proc/self/fd/$n"
                run run_container "$ID-$n" </dev/null
                expect_failure || { echo "cwd is descriptor $n"; return 1; }
                config '.process.cwd = $c' --arg c "/proc/self/fd/$n/../../.."
                run run_container "$ID-$n-b" </dev/null
                expect_failure || { echo "cwd is above descriptor $n"; return 1; }
        done
        ln -s /proc/self/fd/7 "$ROOTFS/seven"
        config '.process.cwd = "/seven"'
        run run_container
        expect_failure
}

@test "no working directory of exec leads out by a descriptor" {
        local n
        config_args sleep 1000
        start_detached
        for n in $(seq 3 20); do
                run runtime exec --cwd "/proc/self/fd/$n" "$ID" /bin/sh -c 'echo started' </dev/null
                expect_failure || { echo "cwd is descriptor $n"; return 1; }
                expect_no_text started
        done
}

@test "no program of the host is reached by a descriptor" {
        local n args
        config_args sleep 1000
        start_detached
        for n in 3 4 5 6 7 8 9 10 11 12; do
                for args in "/proc/self/fd/$n/../../../../../../bin/busybox" "/proc/self/fd/$n/bin/bash" "/proc/self/fd/$n"; do
                        run ! runtime exec "$ID" "$args" echo started </dev/null
                        expect_failure || { echo "$args"; return 1; }
                        expect_no_text started
                done
        done
        config_args /proc/self/fd/7/../../../../../bin/bash -c 'echo started'
        run ! run_container "$ID-b"
        expect_failure
}

@test "the container's process has three descriptors, whatever the caller left open" {
        exec 21<"$TEST_DIR" 22</etc/passwd 23<"$TEST_DIR"
        config_args /bin/sh -c 'ls -l /proc/self/fd /proc/1/fd'
        run run_container
        expect_status 0
        expect_no_text "$TEST_DIR" /etc/passwd "21 ->" "22 ->"
        config_args sleep 1000
        start_detached
        run runtime exec "$ID" ls /proc/self/fd
        expect_output $'0\n1\n2\n3' # the last is the folder that ls reads
        run runtime exec "$ID" ls /proc/1/fd
        expect_output $'0\n1\n2'
        exec 21<&- 22<&- 23<&-
}

@test "startContainer hooks, which run in the container, get no descriptor of the host" {
        printf '#!/bin/sh\nls -l /proc/self/fd >/hook\n' >"$ROOTFS/bin/hook"
        chmod +x "$ROOTFS/bin/hook"
        config '.hooks.startContainer = [{path: "/bin/hook"}]'
        config_args /bin/true
        exec 21<"$TEST_DIR"
        run run_container
        exec 21<&-
        expect_status 0
        run cat "$ROOTFS/hook"
        expect_text "0 ->" "1 ->"
        expect_no_text "$TEST_DIR" "$STATE_ROOT" "21 ->"
}

# ----------------------------------------------------------------------------------------------- capabilities and users

# CVE-2022-29162: what is inheritable comes back with a program that has file capabilities
@test "no inheritable capabilities, by run and by exec" {
        config 'del(.process.capabilities.inheritable)'
        config_args grep -E '^Cap(Inh|Amb)' /proc/self/status
        run run_container
        expect_output $'CapInh:\t0000000000000000\nCapAmb:\t0000000000000000'
        config_args sleep 1000
        start_detached
        run runtime exec "$ID" grep -E '^Cap(Inh|Amb)' /proc/self/status
        expect_output $'CapInh:\t0000000000000000\nCapAmb:\t0000000000000000'
        run runtime exec --cap CAP_SYS_TIME --cap CAP_NET_RAW "$ID" grep -E '^Cap(Inh|Amb)' /proc/self/status
        expect_output $'CapInh:\t0000000000000000\nCapAmb:\t0000000000000000'
        run runtime exec --user 1000 --cap CAP_SYS_TIME "$ID" grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status
        expect_text $'CapInh:\t0000000000000000' $'CapAmb:\t0000000000000000'
}

@test "the configuration that spec writes has no inheritable capabilities" {
        run jq -c '.process.capabilities | .inheritable, .ambient' "$BUNDLE/config.json"
        expect_match '^(null|\[\])'
        config_args grep ^CapInh /proc/self/status
        run run_container
        expect_output $'CapInh:\t0000000000000000'
}

# CVE-2026-30892: "-u 1" was uid 0 for crun; runc 1.1.5 takes 4294967296 for an additional group. What is not a number must never become root.
@test "exec --user takes numbers from 0 to 2147483647, and nothing that looks like one" {
        local bad
        config_args sleep 1000
        start_detached
        for bad in " " " 1" "1 " "+1" -1 -0 0x0 0x1 1e3 1.0 00x 4294967295 4294967296 4294967297 18446744073709551616 \
                99999999999999999999999999 2147483648 root nobody 1: :1 : 1:: ::1 1:1:1 1:-1 1:4294967295 1:4294967296 \
                "1:0x0" "1: 1" "1:root" "1,2" "1/0" $'1\n' $'\t1' "1;0" "٣" "1:1 " 0: ":0"; do
                run runtime exec --user "$bad" "$ID" id -u </dev/null
                expect_failure || { echo "--user '$bad'"; return 1; }
                expect_text user || { echo "--user '$bad'"; return 1; }
                run runtime exec -u "$bad" "$ID" id -u </dev/null
                expect_failure || { echo "-u '$bad'"; return 1; }
        done
        run runtime exec --user 1 "$ID" sh -c 'id -u; id -g'
        expect_output $'1\n0'
        run runtime exec -u 1:2 "$ID" sh -c 'id -u; id -g'
        expect_output $'1\n2'
        run runtime exec -u1 "$ID" id -u
        expect_output 1
        local last=2147483647
        [ "$EUID" = 0 ] || last=65536 # of the ids that the user has
        run runtime exec "--user=$last:$last" "$ID" id -u
        expect_output "$last"
}

@test "exec with an empty --user is the container's user, not root" {
        config '.process.user = {uid: 1000, gid: 1000}'
        config_args sleep 1000
        start_detached
        run runtime exec --user "" "$ID" sh -c 'id -u; id -g'
        expect_output $'1000\n1000'
        # and a number without a group keeps the container's
        run runtime exec --user 7 "$ID" sh -c 'id -u; id -g'
        expect_output $'7\n1000'
}

@test "other numbers of exec, odd as they may be, are refused as well" {
        local bad
        config_args sleep 1000
        start_detached
        for bad in -1 4294967296 4294967295 x "1,-1" "1,,2" "0x1" " 1"; do
                run runtime exec --additional-gids "$bad" "$ID" id </dev/null
                expect_failure || { echo "--additional-gids '$bad'"; return 1; }
        done
        for bad in -1 x 4294967296 99999999999999999999 1.5; do
                run runtime exec --preserve-fds "$bad" "$ID" id </dev/null
                expect_failure || { echo "--preserve-fds '$bad'"; return 1; }
        done
        for bad in "" CAP_NONE cap 0 " CAP_CHOWN"; do
                run runtime exec --cap "$bad" "$ID" id </dev/null
                expect_failure || { echo "--cap '$bad'"; return 1; }
        done
        for bad in tmp ../tmp ./ " /"; do
                run runtime exec --cwd "$bad" "$ID" id </dev/null
                expect_failure || { echo "--cwd '$bad'"; return 1; }
        done
}

# --------------------------------------------------------------------------------------------------- hostile /etc/passwd

# runc 1.1.5 waits for the fifo.
@test "a hostile /etc/passwd neither holds up a container nor gives it a bad HOME" {
        local kind
        config_args /bin/sh -c 'echo "HOME is $HOME"'
        config '.process.env = ["PATH=/bin"]'
        for kind in fifo folder device link circular huge binary missing relative long; do
                [ "$kind" != device ] || [ "$EUID" = 0 ] || continue # which only root can make
                rm -rf "$ROOTFS/etc/passwd"
                case $kind in
                fifo) mkfifo "$ROOTFS/etc/passwd" ;;
                folder) mkdir "$ROOTFS/etc/passwd" ;;
                device) mknod "$ROOTFS/etc/passwd" c 1 5 ;;
                link) echo "root:x:0:0::$TEST_DIR:" >"$TEST_DIR/passwd"; ln -s "$TEST_DIR/passwd" "$ROOTFS/etc/passwd" ;;
                circular) ln -s passwd "$ROOTFS/etc/passwd" ;;
                huge) truncate -s 8G "$ROOTFS/etc/passwd" ;;
                binary) head -c 100000 /dev/urandom >"$ROOTFS/etc/passwd" ;;
                relative) echo 'root:x:0:0::root:/bin/sh' >"$ROOTFS/etc/passwd" ;;
                long) { printf 'root:x:0:0::/'; head -c 2000000 /dev/zero | tr '\0' a; } >"$ROOTFS/etc/passwd" ;;
                esac
                run run_container "$ID-$kind"
                expect_status 0 || { echo "$kind"; return 1; }
                expect_output "HOME is /" || { echo "$kind"; return 1; }
        done
        rm -rf "$ROOTFS/etc/passwd"
        mkfifo "$ROOTFS/etc/passwd"
        config_args sleep 1000
        start_detached
        run runtime exec "$ID" /bin/sh -c 'echo "HOME is $HOME"' </dev/null
        expect_output "HOME is /"
}
