# shellcheck shell=bash
# Helpers for tests of networks, beside lib, registries and containers:
#
#   begin NAME FLAG...           a container that waits
#   address_of NAME NETWORK      its address there, and address6_of that of IPv6
#   reaches NAME ADDRESS         that it does, and is_cut_off that it does not
#   pid_of NAME                  its first process
#   serve NAME PORT...           a server in its network, $PEER, that answers with NAME and who asks, until teardown
#   start_far PREFIX6            another host beside the test's, by up0 here and down0 there: 10.9.8.1 and .2, PREFIX6::1
#                                and ::2; it knows of no subnet of ours. in_far COMMAND... runs there
#   teardown_networks            teardown_containers, which fails also if host_state, a function of the file, does not
#                                become again what setup wrote to $TEST_DIR/before

PEER=$BATS_TEST_DIRNAME/tools/peer.py

begin() {
        local name=$1
        shift
        coracle run -d --cgroup-parent "$CGROUP_PARENT" --name "$name" "$@" bb:1 sleep 3600 >/dev/null
}

address_of() { coracle inspect -f "{{with index .NetworkSettings.Networks \"$2\"}}{{.IPAddress}}{{end}}" "$1"; }
address6_of() { coracle inspect -f "{{with index .NetworkSettings.Networks \"$2\"}}{{.GlobalIPv6Address}}{{end}}" "$1"; }
reaches() { coracle exec "$1" ping -c 1 -W 5 "$2" >/dev/null 2>&1; }
is_cut_off() { ! coracle exec "$1" ping -c 1 -W 1 "$2" >/dev/null 2>&1; }

pid_of() { coracle inspect -f '{{.State.Pid}}' "$1"; }

serve() { # NAME PORT...
        local pid
        pid=$(pid_of "$1")
        rm -f "$TEST_DIR/$1.ready" # of an earlier one
        nsenter --net="/proc/$pid/ns/net" python3 "$PEER" serve "$@" </dev/null >"$TEST_DIR/$1.ready" 2>&1 3>&- &
        SERVERS+=($!)
        wait_ready "$TEST_DIR/$1.ready"
}

far_is_apart() { [ "$(readlink "/proc/$FAR/ns/net")" != "$(readlink "/proc/$NET/ns/net")" ] && [ "$(cat "/proc/$FAR/comm")" = sleep ]; }
in_far() { nsenter --net="/proc/$FAR/ns/net" "$@"; }
start_far() {
        nsenter --net="/proc/$NET/ns/net" unshare -n sleep 3600 </dev/null >/dev/null 2>&1 3>&- &
        FAR=$!
        SERVERS+=("$FAR")
        wait_until far_is_apart
        in_net ip link add up0 type veth peer name down0 netns "$FAR"
        in_net sh -c "ip addr add 10.9.8.1/24 dev up0 && ip -6 addr add $1::1/64 dev up0 nodad && ip link set up0 up"
        in_far sh -c "ip addr add 10.9.8.2/24 dev down0 && ip -6 addr add $1::2/64 dev down0 nodad && ip link set down0 up"
}

# The kernel takes its time to clear a namespace away.
is_as_before() { host_state | cmp -s "$TEST_DIR/before" -; }

teardown_networks() {
        local id left=0
        if [ -n "${TEST_DIR:-}" ] && [ -e "$TEST_DIR/before" ]; then
                for id in $(container_ids); do coracle rm -f -v "$id" >/dev/null 2>&1 || true; done
                coracle network prune -f >/dev/null 2>&1 || true
                wait_until is_as_before || { host_state | diff "$TEST_DIR/before" - || true; left=1; }
        fi
        teardown_containers && [ "$left" = 0 ]
}
