#!/usr/bin/env bats
# Containers from their creation to their removal, with no daemon: coracle and a monitor for each.

load lib
load registries
load containers

setup() { setup_containers; }
teardown() { teardown_containers; }

@test "run: output, errors and the exit code are the program's" {
        run --separate-stderr crun --rm bb:1 sh -c 'echo out; echo err >&2; exit 7'
        expect_status 7
        expect_output out
        expect_equal "$stderr" err
        [ -z "$(container_ids)" ]
}

@test "run --init: a program that a signal ends gives 128 and its number" {
        run crun --rm --init bb:1 sh -c 'kill -TERM $$; sleep 5'
        expect_status 143
}

@test "run -i: what comes in goes to the program, and its end as well" {
        run crun -i --rm bb:1 sh -c 'cat; echo end' < <(printf 'one\ntwo')
        expect_status 0
        expect_output "one
twoend"
        head -c 3000000 /dev/urandom >"$TEST_DIR/in"
        crun -i --rm bb:1 cat <"$TEST_DIR/in" >"$TEST_DIR/out"
        cmp "$TEST_DIR/in" "$TEST_DIR/out"
}

@test "run: without -i there is nothing to read" {
        run crun --rm bb:1 cat < <(echo no)
        expect_status 0
        expect_output ""
}

@test "run: nothing of the host is open in the container" {
        run crun --rm bb:1 sh -c 'for i in /proc/$$/fd/*; do readlink $i; done | sed "s/pipe:.*/pipe/" | sort -u'
        expect_status 0
        expect_output "/dev/null
pipe"
}

@test "run: programs that cannot be started are 127 and 126, and --rm leaves nothing" {
        run crun --rm bb:1 nosuch
        expect_status 127
        expect_text '"nosuch": executable file not found in $PATH'
        run crun --rm bb:1 /etc/passwd
        expect_status 126
        expect_text "permission denied"
        [ -z "$(container_ids)" ]
}

@test "run: what is wrong with the words is 125, and there is no container" {
        local flags
        for flags in "--memory 1k" "--restart sometimes" "--cap-add CAP_NOT" "--network nosuch" "--volume relative/x:/y" "--ulimit fish=1"; do
                # shellcheck disable=SC2086
                run coracle run $flags bb:1 true
                expect_status 125
        done
        [ -z "$(container_ids)" ]
}

@test "run: an image that is not here is asked of its registry" {
        run crun --rm --pull never nosuch:1 true
        expect_status 125
        expect_text "No such image: nosuch:1"
}

@test "run -d, stop, start, wait, rm: the life of a container" {
        local id
        id=$(crun -d --name one bb:1 sh -c 'trap "exit 9" TERM; echo up >/up; while :; do sleep 0.1; done')
        [[ $id =~ ^[0-9a-f]{64}$ ]]
        wait_until coracle exec one test -e /up
        run coracle start one # it runs already
        expect_status 0
        run coracle rm one
        expect_status 1
        expect_text "container is running: stop the container before removing or force remove"
        run coracle stop one
        expect_status 0
        expect_output one
        run coracle wait one
        expect_output 9
        run coracle stop one # it does not run any more
        expect_status 0
        run coracle exec one true
        expect_status 1
        expect_text "is not running"
        run coracle start one
        expect_status 0
        coracle exec one test -e /up # its files are still there
        coracle kill -s KILL one
        run coracle wait one
        expect_output 137
        run coracle rm "${id:0:12}"
        expect_status 0
        run coracle rm one
        expect_status 1
        expect_text "No such container: one"
}

@test "stop: a program that does not listen is killed after the time given" {
        crun -d --name one bb:1 sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null
        run coracle stop -t 1 one
        expect_status 0
        run coracle wait one
        expect_output 137
}

has_counted() { [ "$(coracle exec one cat /count | wc -l)" = "$1" ]; }

@test "restart: a new program with the same files; of one that has ended, a start" {
        crun -d --name one bb:1 sh -c 'echo x >>/count; exec sleep 100' >/dev/null
        wait_until coracle exec one test -s /count
        run coracle restart -t 0 one
        expect_status 0
        wait_until has_counted 2
        coracle stop -t 0 one
        coracle restart one
        wait_until has_counted 3
}

@test "limits arrive in the cgroup, and nothing is warned of that this machine has" {
        skip_unless "controller memory" "controller pids"
        run --separate-stderr crun -d --memory 64m --pids-limit 20 bb:1 sleep 100
        expect_status 0
        expect_equal "$stderr" ""
        expect_equal "$(cgroup_value memory memory.limit_in_bytes memory.max "$(container_cgroup "$output")")" 67108864
        expect_equal "$(cgroup_value pids pids.max pids.max "$(container_cgroup "$output")")" 20
}

@test "events: what was done, in its order" {
        local since
        since=$(date +%s.%N)
        coracle create --cgroup-parent "$CGROUP_PARENT" --network none --name one bb:1 sleep 100 >/dev/null
        coracle rename one two
        coracle start two
        coracle update --pids-limit 50 two
        coracle stop -t 0 two
        coracle rm two
        run coracle events --since "$since" --until 0s --format '{{.Action}} {{.Actor.Attributes.name}}'
        expect_output "create one
rename two
start two
update two
kill two
die two
stop two
destroy two"
}

@test "logs: files that are full are renamed, and so many are kept; what each line carries" {
        local folder
        crun -d --name one --label team=blue --env X=1 --log-opt max-size=4k --log-opt max-file=3 --log-opt labels=team,none \
                --log-opt env=X --log-opt 'tag={{.Name}}/{{.ID}}' bb:1 sh -c 'i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i + 1)); done' >/dev/null
        coracle wait one
        folder=$COR_STORE/containers/$(container_ids)
        run ls "$folder"
        expect_match '[0-9a-f]{64}-json.log
[0-9a-f]{64}-json.log.1
[0-9a-f]{64}-json.log.2'
        expect_no_text json.log.3
        for file in "$folder"/*-json.log*; do [ "$(stat -c %s "$file")" -le 8192 ]; done
        run coracle logs one
        expect_equal "${lines[-1]}" "line 199"
        [ "${#lines[@]}" -lt 200 ]
        run coracle logs --details -n 1 one
        expect_output "X=1,tag=one/$(container_ids | cut -c1-12),team=blue line 199"
}

@test "logs: drivers and options that are not there are refused before anything is made" {
        local flags
        for flags in "--log-driver nosuch" "--log-opt nosuch=1" "--log-opt max-size=big" "--log-opt max-file=0" "--log-opt compress=maybe" "--log-opt tag={{.Nosuch}}"; do
                # shellcheck disable=SC2086
                run crun $flags bb:1 true
                expect_status 125
        done
        [ -z "$(container_ids)" ]
        crun --name quiet --log-driver none bb:1 echo x
        run coracle logs quiet
        expect_status 1
        expect_text "configured logging driver does not support reading"
}

@test "pause and unpause: a frozen container is not entered" {
        crun -d --name one bb:1 sleep 100 >/dev/null
        run coracle pause one
        expect_status 0
        run coracle exec one true
        expect_status 1
        expect_text "is paused, unpause the container before exec"
        run coracle pause one
        expect_status 1
        expect_text "is already paused"
        run coracle unpause one
        expect_status 0
        run coracle unpause one
        expect_status 1
        expect_text "is not paused"
        coracle exec one true
        coracle pause one
        run coracle stop -t 5 one
        expect_status 0
}

@test "exec: environment, user, folder, exit code, stdin" {
        crun -d --name one -e A=1 bb:1 sleep 100 >/dev/null
        # shellcheck disable=SC2016
        run coracle exec -e B=2 -e A=3 -w /tmp -u test one sh -c 'echo $A $B $(pwd) $(id -un) $HOME; exit 5'
        expect_status 5
        expect_output "3 2 /tmp test /tmp"
        run coracle exec -i one cat < <(echo through)
        expect_output through
        run coracle exec one nosuch
        expect_status 127
        run coracle exec one /etc/passwd
        expect_status 126
        run coracle exec -u nobody-there one true
        expect_failure
        expect_text "unable to find user nobody-there: no matching entries in passwd file"
        coracle exec -d one sh -c 'echo later >/later'
        wait_until coracle exec one test -s /later
        run coracle exec nosuch true
        expect_status 1
        expect_text "No such container: nosuch"
}

@test "names: taken, malformed, made up, changed" {
        crun -d --name one bb:1 sleep 100 >/dev/null
        run crun --name one bb:1 true
        expect_status 125
        expect_match 'Conflict. The container name "/one" is already in use by container "[0-9a-f]{64}"'
        run crun --name 'a b' bb:1 true
        expect_status 125
        expect_text "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        run coracle rename one two
        expect_status 0
        run coracle rename two two
        expect_status 1
        coracle exec two true
        run coracle exec one true
        expect_status 1
}

@test "an image that a container has is kept; its layers too, when it is forced away" {
        local id
        id=$(crun -d bb:1 sleep 100)
        run coracle rmi bb:1
        expect_status 1
        expect_text "conflict: unable to remove repository reference \"bb:1\" (must force) - container ${id:0:12} is using"
        run coracle rmi -f "$(coracle images -q bb:1)"
        expect_status 1
        expect_text "(cannot be forced) - image is being used by running container ${id:0:12}"
        run coracle image prune -af
        expect_output "Total reclaimed space: 0B"
        coracle stop -t 0 "$id"
        run coracle rmi "$(coracle images -q bb:1)"
        expect_status 1
        expect_text "(must be forced) - image is being used by stopped container ${id:0:12}"
        coracle rmi -f bb:1
        [ -z "$(coracle images -aq)" ]
        coracle start "$id"
        coracle exec "$id" /bin/true
        coracle rm -f "$id"
}

@test "kill -9 of the monitor: the next command tells the truth and cleans up" {
        local id monitor pid
        id=$(crun -d --name one bb:1 sleep 1000)
        pid=$(pgrep -f "coracle-monitor --store $COR_STORE $id")
        monitor=$(echo "$pid" | head -n 1)
        kill -9 "$monitor"
        wait_until process_is_gone "$monitor"
        run coracle exec one true
        expect_status 1
        expect_text "is not running"
        run coracle wait one
        expect_output 137
        refute pgrep -f "coracle-monitor --store $COR_STORE $id"
        for dir in /sys/fs/cgroup/*/"$(container_cgroup "$id")" /sys/fs/cgroup"$(container_cgroup "$id")"; do [ ! -e "$dir" ]; done
        coracle start one
        coracle exec one true
}

@test "the monitor is in a session of its own, and its binary cannot be written" {
        local id pid
        id=$(crun -d --name one bb:1 sleep 1000)
        pid=$(pgrep -f "coracle-monitor --store $COR_STORE $id" | head -n 1)
        [ "$(cat "/proc/$pid/comm")" = coracle-monitor ]
        [ "$(ps -o sid= -p "$pid" | tr -d ' ')" = "$pid" ]
        refute grep -zq CORACLE_CLONE_SELF "/proc/$(coracle inspect -f '{{.State.Pid}}' one)/environ"
        run touch -c "/proc/$pid/exe" # a write would be refused in any case, as the file is executed
        [[ $(readlink "/proc/$pid/exe") == /memfd:* ]] || expect_text "Read-only file system" # else a sealed copy (own_binary.bats)
}

@test "kill -9 of coracle: the container goes on" {
        local pid
        nsenter --net="/proc/$NET/ns/net" "$CORACLE" run --cgroup-parent "$CGROUP_PARENT" --network none --name one bb:1 sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
        pid=$!
        wait_until coracle exec one true
        kill -9 "$pid"
        wait "$pid" || true
        coracle exec one true
}

@test "twenty at once, by as many calls" {
        local i pids=()
        for i in {1..20}; do crun --rm --name "c$i" bb:1 sh -c "exit $i" 2>"$TEST_DIR/err$i" & pids+=($!); done
        for i in {1..20}; do
                local code=0
                wait "${pids[i - 1]}" || code=$?
                [ "$code" = "$i" ] || { cat "$TEST_DIR/err$i"; fail "container $i ended with $code"; }
        done
        [ -z "$(container_ids)" ]
}

@test "start and rm -f by many at once: each call ends, and nothing is left" {
        local i pids=()
        coracle create --cgroup-parent "$CGROUP_PARENT" --network none --name one bb:1 sleep 100 >/dev/null
        for i in {1..8}; do
                coracle start one >/dev/null 2>&1 3>&- &
                pids+=($!)
                coracle stop -t 0 one >/dev/null 2>&1 3>&- &
                pids+=($!)
        done
        wait "${pids[@]}"
        coracle rm -f one
        [ -z "$(container_ids)" ]
}

@test "the default network: an address of the bridge, and a way from one container to another" {
        local ip
        coracle run -d --cgroup-parent "$CGROUP_PARENT" --name server bb:1 sh -c 'while :; do echo hello | nc -l -p 80; done' >/dev/null
        ip=$(coracle exec server sh -c "ip -4 addr show eth0 | sed -n 's|.* inet \([0-9.]*\)/.*|\1|p; s|^ *inet \([0-9.]*\)/.*|\1|p'" | head -n 1)
        [[ $ip == 172.17.0.* ]]
        wait_until in_net timeout 5 bash -c "read -r line </dev/tcp/$ip/80 && [ \"\$line\" = hello ]"
        # shellcheck disable=SC2016
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" bb:1 sh -c 'for i in $(seq 100); do nc -w 2 '"$ip"' 80 </dev/null | grep hello && break; sleep 0.3; done; grep -c "$(hostname)" /etc/hosts'
        expect_status 0
        expect_text hello 1
}

@test "the way out of the default network has the host's address" {
        # another namespace, connected with the test's, that knows nothing of the bridge's subnet
        nsenter --net="/proc/$NET/ns/net" unshare -n sleep 300 </dev/null >/dev/null 2>&1 3>&- &
        local far=$!
        SERVERS+=("$far")
        wait_until far_is_apart "$far"
        in_net ip link add up0 type veth peer name down0 netns "$far"
        in_net ip addr add 10.9.8.1/24 dev up0 && in_net ip link set up0 up
        nsenter --net="/proc/$far/ns/net" sh -c 'ip addr add 10.9.8.2/24 dev down0 && ip link set down0 up'
        run coracle run --rm --cgroup-parent "$CGROUP_PARENT" bb:1 ping -c 1 -W 5 10.9.8.2
        expect_status 0
}

far_is_apart() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink "/proc/$NET/ns/net")" ] && [ "$(cat "/proc/$1/comm")" = sleep ]; }

@test "restart policies: on-failure so many times, and not after a stop" {
        crun -d --name one --restart on-failure:2 bb:1 sh -c 'echo x >>/count; exit 3' >/dev/null
        run coracle wait one
        expect_output 3
        coracle start one
        coracle wait one
        crun -d --name two --restart always bb:1 sleep 1000 >/dev/null
        coracle stop -t 0 two
        run coracle exec two true
        expect_status 1
}
