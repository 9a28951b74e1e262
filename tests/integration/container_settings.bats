#!/usr/bin/env bats
# What `run` sets for a container, as its processes find it.

load lib
load registries
load containers

setup() { setup_containers; }

teardown() {
        if [ -n "${BINFMT:-}" ]; then
                [ ! -e "$BINFMT/${HANDLER:-none}" ] || echo -1 >"$BINFMT/$HANDLER"
                ! mountpoint -q "$BINFMT" || umount "$BINFMT"
        fi
        teardown_containers
}

@test "variables: the image's, those of files, those given, those of the caller" {
        printf 'A=file\nB=file # no comment\n#C=no\nCALLER\nNOWHERE\n  D=indented\n' >"$TEST_DIR/env"
        tar -C "$BATS_RUN_TMPDIR/busybox" -cf - . | coracle import -c 'ENV A=image' -c 'ENV I=image' - env >/dev/null
        CALLER=outside run crun --rm --env-file "$TEST_DIR/env" -e A=given -e "SPACES=a  b" -e UNSET_BY_CALLER env /bin/busybox env
        expect_status 0
        expect_text A=given I=image "B=file # no comment" CALLER=outside "SPACES=a  b" "PATH=/usr/local/sbin:" HOSTNAME= HOME=/root
        expect_no_text C=no NOWHERE UNSET_BY_CALLER
        run crun --rm -e I env /bin/busybox sh -c 'echo ${I-none}'
        expect_output none
        run crun --rm --env-file "$TEST_DIR/none" env true
        expect_status 125
        printf 'BAD KEY=1\n' >"$TEST_DIR/env"
        run crun --rm --env-file "$TEST_DIR/env" env true
        expect_status 125
        expect_text "BAD KEY"
}

@test "users and groups: names of the image, numbers, additional groups, and the user's home" {
        run crun --rm -u test bb:1 sh -c 'id; echo $HOME'
        expect_text "uid=1000(test) gid=1000(test) groups=1000(test),2000(extra)"
        run crun --rm -u 1234:5678 --group-add extra --group-add 77 bb:1 sh -c 'id -u; id -g; id -G'
        expect_output $'1234\n5678\n5678 77 2000'
        run crun --rm -u :2000 bb:1 sh -c 'id -u; id -g'
        expect_output $'0\n2000'
        run crun --rm -u nosuch bb:1 true
        expect_status 125
        expect_text "unable to find user nosuch: no matching entries in passwd file"
        run crun --rm -u test:nosuch bb:1 true
        expect_text "unable to find group nosuch: no matching entries in group file"
}

@test "the program: entrypoint, command, working folder that is made, and --init" {
        tar -C "$BATS_RUN_TMPDIR/busybox" -cf - . | coracle import -c 'ENTRYPOINT ["/bin/busybox","echo","entry"]' -c 'CMD ["cmd"]' - entry >/dev/null
        run crun --rm entry
        expect_output "entry cmd"
        run crun --rm entry other words
        expect_output "entry other words"
        run crun --rm --entrypoint /bin/busybox entry pwd
        expect_output /
        run crun --rm --entrypoint '' entry /bin/busybox echo bare
        expect_output bare
        run crun --rm -w /made/here bb:1 pwd
        expect_output /made/here
        run crun --rm --init bb:1 sh -c 'echo $$; tr "\0" " " </proc/1/cmdline'
        expect_text "/sbin/docker-init" "-- sh -c"
}

@test "names: host name, domain, hosts, resolv.conf" {
        run crun --rm -h box --domainname example.org --add-host db:10.1.2.3 --add-host six:[fe80::1] --dns 10.9.8.7 --dns-search a.example --dns-option ndots:3 \
                bb:1 sh -c 'hostname; cat /proc/sys/kernel/domainname /etc/hostname /etc/hosts /etc/resolv.conf'
        expect_text box example.org $'10.1.2.3\tdb' $'fe80::1\tsix' "nameserver 10.9.8.7" "search a.example" "options ndots:3" $'127.0.0.1\tlocalhost'
        run crun --rm --uts host -h box bb:1 true
        expect_status 125
        expect_text "conflicting options: hostname and the UTS mode"
        crun -d --name first -h theirs --domainname example.org bb:1 sleep 1000 >/dev/null
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network container:first bb:1 sh -c 'hostname; cat /proc/sys/kernel/domainname /etc/hostname'
        expect_output $'theirs\nexample.org\ntheirs'
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" --network container:first -h own bb:1 true
        expect_status 125
        expect_text "conflicting options: hostname and the network mode"
}

@test "limits: memory, swap, processors, shares, processes, weights and rates of devices" {
        skip_unless "controller memory" "controller cpu" "controller pids" "controller cpuset"
        local id path
        id=$(crun -d --memory 64m --memory-reservation 32m --memory-swap 96m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 33 \
                --oom-score-adj 321 --shm-size 7m bb:1 sleep 1000)
        path=$(container_cgroup "$id")
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max "$path")" 67108864
        expect_equal "$(cgroup_value memory memory.soft_limit_in_bytes memory.low "$path")" 33554432
        expect_equal "$(cgroup_value cpuset cpuset.cpus cpuset.cpus "$path")" 0
        expect_equal "$(cgroup_value pids pids.max pids.max "$path")" 33
        if is_cgroup_v2; then
                expect_equal "$(cgroup_value cpu - cpu.max "$path")" "50000 100000"
        else
                expect_equal "$(cgroup_value cpu cpu.cfs_quota_us - "$path")" 50000
                expect_equal "$(cgroup_value cpu cpu.shares - "$path")" 512
        fi
        expect_equal "$(cat "/proc/$(coracle inspect -f '{{.State.Pid}}' "$id")/oom_score_adj")" 321
        run coracle exec "$id" grep ' /dev/shm ' /proc/mounts
        expect_text size=7168k
}

@test "limits that cannot be are refused, and those that this kernel does not have are warned of" {
        local flag
        for flag in "--memory 1k" "--memory 64m --memory-swap 32m" "--cpus 9999" "--cpuset-cpus 9999" "--pids-limit x" "--blkio-weight 9" \
                "--oom-score-adj 1001" "--shm-size -1" "--ulimit nosuch=1" "--device-read-bps /nosuch:1mb" "--memory-swappiness 101" \
                "--device-cgroup-rule x" "--sysctl nonsense"; do
                # shellcheck disable=SC2086
                run crun --rm $flag bb:1 true
                expect_status 125
                [ -n "$output" ] || fail "$flag: nothing is said"
        done
        run coracle ps -aq
        expect_output ""
}

@test "ulimits, kernel parameters, devices and their rules" {
        run crun --rm --ulimit nofile=123:456 --ulimit core=0 bb:1 sh -c 'ulimit -n; ulimit -Hn; ulimit -c'
        expect_output $'123\n456\n0'
        run crun --rm --sysctl net.ipv4.ip_forward=1 --sysctl kernel.shmmni=1234 bb:1 cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni
        expect_output $'1\n1234'
        run crun --rm --sysctl kernel.panic=1 bb:1 true
        expect_status 125
        expect_text kernel.panic
        run crun --rm --device /dev/kmsg:/dev/mine:r bb:1 sh -c 'stat -c %t:%T /dev/mine; ls /dev/kmsg'
        expect_text 1:b "No such file"
        run crun --rm bb:1 sh -c 'mknod /x c 1 11 && cat /x' # not one that all may use
        expect_text "Operation not permitted"
        run crun --rm --device-cgroup-rule 'c 1:7 rwm' --cap-add MKNOD bb:1 sh -c 'mknod /full2 c 1 7 && echo x >/full2'
        expect_text "No space left on device"
}

@test "rights: capabilities, privileged, new privileges, masked and read-only paths, filter" {
        run crun --rm bb:1 grep CapEff /proc/self/status
        expect_output $'CapEff:\t00000000a80425fb'
        run crun --rm --cap-drop ALL --cap-add NET_RAW bb:1 grep CapEff /proc/self/status
        expect_output $'CapEff:\t0000000000002000'
        run crun --rm --security-opt no-new-privileges bb:1 grep NoNewPrivs /proc/self/status
        expect_output $'NoNewPrivs:\t1'
        run crun --rm bb:1 sh -c 'grep Seccomp: /proc/self/status; echo x >/proc/sys/kernel/hostname; ls /sys/firmware | wc -l; head -c 1 /proc/kcore | wc -c'
        expect_text $'Seccomp:\t2' "Read-only file system" 0
        run crun --rm --security-opt seccomp=unconfined --security-opt systempaths=unconfined bb:1 sh -c 'grep Seccomp: /proc/self/status; grep -c "/proc/sys " /proc/mounts'
        expect_output $'Seccomp:\t0\n0'
        run crun --rm --security-opt odd=1 bb:1 true
        expect_status 125
        run crun --rm --cap-add NONSENSE bb:1 true
        expect_status 125
        expect_text NONSENSE
}

@test "namespaces of the host and of other containers" {
        local kind
        for kind in pid uts ipc; do
                run crun --rm "--$kind" host bb:1 readlink "/proc/self/ns/$kind"
                expect_output "$(in_net readlink "/proc/self/ns/$kind")"
        done
        crun -d --name donor --ipc shareable bb:1 sleep 1000 >/dev/null
        for kind in pid ipc; do
                run crun --rm "--$kind" container:donor bb:1 readlink "/proc/self/ns/$kind"
                expect_output "$(readlink "/proc/$(coracle inspect -f '{{.State.Pid}}' donor)/ns/$kind")"
        done
        run crun --rm --cgroupns private bb:1 cat /proc/self/cgroup
        expect_no_text "$CGROUP_PARENT"
        run crun --rm --cgroupns host bb:1 cat /proc/self/cgroup
        expect_text "${CGROUP_PARENT#/}"
}

@test "stop signal and time, labels, annotations, files with the id and the pid" {
        local id started
        cd "$TEST_DIR"
        id=$(crun -d --name one --stop-signal USR1 --stop-timeout 77 --label a=1 --label b --annotation k=v --cidfile cid --pidfile pid --restart always \
                bb:1 sh -c 'trap "exit 5" USR1; echo ready; while :; do sleep 0.1; done')
        expect_equal "$(cat cid)" "$id"
        started=$(cat pid)
        expect_equal "$started" "$(coracle inspect -f '{{.State.Pid}}' one)"
        run coracle inspect -f '{{json .Config.Labels}} {{.Config.StopSignal}} {{.Config.StopTimeout}} {{json .HostConfig.Annotations}} {{.HostConfig.ContainerIDFile}}' one
        expect_output '{"a":"1","b":""} USR1 77 {"k":"v"} cid'
        wait_until has_logged one ready
        kill -KILL "$started"
        wait_until is_other pid "$started"
        expect_equal "$(cat pid)" "$(coracle inspect -f '{{.State.Pid}}' one)"
        wait_until has_logged one $'ready\nready'
        coracle stop one >/dev/null
        run coracle inspect -f '{{.State.ExitCode}}' one
        expect_output 5
        run crun --rm --cidfile cid bb:1 true
        expect_status 125
        expect_text "container ID file found"
        run crun --rm --pidfile /nowhere/pid bb:1 true
        expect_status 125
        expect_text "--pidfile" /nowhere
        run crun --rm --stop-signal NOSUCH bb:1 true
        expect_status 125
        expect_text "invalid signal: NOSUCH"
}

has_logged() { [ "$(coracle logs "$1")" = "$2" ]; }

is_other() { [ -s "$1" ] && [ "$(cat "$1")" != "$2" ] && [ "$(cat "$1")" = "$(coracle inspect -f '{{.State.Pid}}' one)" ]; }

# An image of another machine, of which only the label is one
other_machine() { tar -C "$BATS_RUN_TMPDIR/busybox" -cf - . | coracle import --platform "linux/$1" -c 'CMD ["sh"]' - "$2" >/dev/null; }

@test "platforms: a warning for an image of another machine, unless it was asked for; others than wanted are looked for" {
        other_machine s390x other
        run --separate-stderr crun --rm other echo ran
        expect_status 0
        expect_output ran
        expect_equal "${stderr%% (linux/s390x)*}" "WARNING: The requested image's platform"
        [[ $stderr == *"does not match the detected host platform (linux/"*") and no specific platform was requested" ]] || fail "$stderr"
        run --separate-stderr crun --rm --platform linux/s390x other echo ran
        expect_output ran
        expect_equal "$stderr" ""
        run --separate-stderr crun --rm bb:1 true
        expect_equal "$stderr" ""
        run crun --rm --pull never --platform linux/ppc64le other true
        expect_status 125
        expect_text "was found but does not match the specified platform: wanted linux/ppc64le, actual: linux/s390x"
        run crun --rm --platform linux/ppc64le other true # asks the registry, which cannot be reached
        expect_status 125
        expect_text "Unable to find image 'other:latest' locally"
}

@test "platforms: programs of another machine run by binfmt_misc" {
        skip_unless "arch x86_64" "program riscv64-linux-gnu-gcc" "program qemu-riscv64-static"
        BINFMT=$TEST_DIR/binfmt
        mkdir "$BINFMT"
        mount -t binfmt_misc binfmt_misc "$BINFMT" 2>/dev/null || skip "needs binfmt_misc: runs on the CI machine"
        mkdir "$TEST_DIR/tree"
        cat >"$TEST_DIR/machine.s" <<-'PROGRAM' # write(1, text, 8); exit(0)
		.globl _start
		_start: li a7, 64
		li a0, 1
		la a1, text
		li a2, 8
		ecall
		li a7, 93
		li a0, 0
		ecall
		.data
		text: .ascii "riscv64\n"
	PROGRAM
        riscv64-linux-gnu-gcc -nostdlib -static -o "$TEST_DIR/tree/machine" "$TEST_DIR/machine.s"
        tar -C "$TEST_DIR/tree" -cf - . | coracle import --platform linux/riscv64 -c 'CMD ["/machine"]' - foreign >/dev/null
        HANDLER=coracle-test-${TEST_DIR##*-}
        # the program is opened now (F): containers need not have it
        printf ':%s:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xf3\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:%s:F' \
                "$HANDLER" "$(command -v qemu-riscv64-static)" >"$BINFMT/register"
        run --separate-stderr crun --rm foreign
        expect_status 0
        expect_output riscv64
        [[ $stderr == *"(linux/riscv64) does not match the detected host platform"* ]] || fail "$stderr"
        echo -1 >"$BINFMT/$HANDLER"
        [ ! -e "$BINFMT/qemu-riscv64" ] || return 0
        run crun --rm --platform linux/riscv64 foreign
        expect_text "Exec format error"
        [ "$status" -gt 125 ] || fail "status $status"
}
