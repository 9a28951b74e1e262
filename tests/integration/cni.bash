# shellcheck shell=bash disable=SC2030,SC2031
# Helpers for tests of the CNI plugins. Loaded after lib.
#
# setup_cni makes, for one test, a host of its own: network and mount namespaces held by one process, with an empty /run.
# teardown_cni ends it, and all that was made in it is gone.
#
#   $TEST_DIR   a folder of the test; $TEST_DIR/data is the dataDir of host-local
#   $CNI_BIN    a folder with a link to coracle-cni for each plugin
#   $REFERENCE  where Debian's plugins are
#
#   host COMMAND...                 run it on this host
#   container NAME                  a network namespace /run/netns/NAME
#   cni COMMAND CONFIG [VARIABLE=VALUE...]
#                                   call the plugin that CONFIG.type names; CNI_CONTAINERID is one, CNI_NETNS /run/netns/c1,
#                                   CNI_IFNAME eth0, CNI_PATH $CNI_BIN, unless said otherwise. PLUGINS=DIR takes others.
#   with_result CONFIG RESULT       the configuration with RESULT as prevResult

export REFERENCE=/usr/lib/cni

setup_cni() {
        local plugin
        printf -v TEST_DIR '%s/coracle-cni-%08x' "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}" "$SRANDOM"
        CNI_BIN=$TEST_DIR/bin
        mkdir -p "$CNI_BIN" "$TEST_DIR/data"
        for plugin in $("$CORACLE_BUILD/src/cni/coracle-cni" --help | sed -n 's/^  \([a-z-]*\)  .*/\1/p'); do
                ln -s "$CORACLE_BUILD/src/cni/coracle-cni" "$CNI_BIN/$plugin"
        done
        unshare --net --mount --propagation private bash -c '
                mount -t tmpfs tmpfs /run && mkdir /run/netns && mount -t sysfs sysfs /sys &&
                ip link set lo up && : >"$1/ready" && exec sleep 100000' bash "$TEST_DIR" </dev/null >"$TEST_DIR/log" 2>&1 3>&- &
        HOST_PID=$!
        wait_until test -e "$TEST_DIR/ready" || { cat "$TEST_DIR/log"; return 1; }
}

teardown_cni() {
        [ -n "${TEST_DIR:-}" ] || return 0
        if [ -n "${HOST_PID:-}" ]; then
                host bash -c 'for n in /run/netns/*; do umount -l "$n"; done' 2>/dev/null || true
                kill -KILL "$HOST_PID" 2>/dev/null || true
                wait "$HOST_PID" 2>/dev/null || true
        fi
        remove_tree "$TEST_DIR"
        TEST_DIR=
}

host() { nsenter --target "$HOST_PID" --net --mount "$@" 3>&-; }

container() {
        local name
        for name; do host ip netns add "$name"; done
}

inside() { # CONTAINER COMMAND...
        host ip netns exec "$@"
}

cni() { # COMMAND CONFIG [VARIABLE=VALUE...]
        local command=$1 config=$2 plugin
        shift 2
        plugin=$(jq -r .type <<<"$config")
        host timeout -k 5 "$RUNTIME_TIMEOUT" env CNI_COMMAND="$command" CNI_CONTAINERID=one CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
                CNI_PATH="${PLUGINS:-$CNI_BIN}" "$@" "${PLUGINS:-$CNI_BIN}/$plugin" <<<"$config"
}

with_result() { # CONFIG RESULT
        jq -c --argjson r "$2" '.prevResult = $r' <<<"$1"
}

# change CONFIG FILTER - another configuration
change() { jq -c "$2" <<<"$1"; }

# host_state - everything that a plugin may have made on the host, without counters and what changes by itself
host_state() {
        host ip -o link | sed 's/^[0-9]*: //; s/@[^:]*//; s/ qlen [0-9]*//; s/ qdisc [a-z]*//; s/ state [A-Z]*//; s/<[^>]*>//; s/link-netns[^ ]* [^ ]*//'
        host ip -o addr | sed 's/^[0-9]*: //; s/ *valid_lft.*//; s/ tentative//' | grep -v fe80 || true
        host ip route | sed 's/ linkdown//'
        host ip -6 route | sed 's/ linkdown//' | grep -v fe80 || true
        host ip rule
        host ip -6 rule
        host nft list ruleset
        ls "$TEST_DIR"/data/* 2>/dev/null || true
}

# host_is STATE WHAT - the host's state is that again; what a namespace had goes a moment after it
host_is() { wait_until has_state "$1" || expect_equal "$(host_state)" "$1" "$2"; }
has_state() { [ "$(host_state)" = "$1" ]; }

# network_of CONTAINER - addresses and routes of its eth0, to be compared
network_of() {
        inside "$1" ip -j addr show dev "${2:-eth0}" | jq -c '.[0] | {mtu, addresses: [.addr_info[] | select(.scope != "link") |
                .local + "/" + (.prefixlen | tostring)] | sort}'
        inside "$1" ip -j route | jq -c 'map({dst, gateway, dev, prefsrc, metric}) | sort[]'
        inside "$1" ip -j -6 route | jq -c 'map(select(.dst | startswith("fe80") | not) | {dst, gateway, dev}) | sort[]'
}

# shape RESULT - a result without what is random in it
shape() {
        jq -S 'walk(if type == "string" then gsub("^veth[0-9a-f]+$"; "veth") | gsub("^([0-9a-f]{2}:){5}[0-9a-f]{2}$"; "mac")
                else . end)' <<<"$1"
}

# skip_unless_link KIND [link PARENT] [SETTING...] - a kernel may lack interfaces of a kind
skip_unless_link() {
        local kind=$1 parent=()
        shift
        [ "${1:-}" != link ] || { parent=(link "$2") && shift 2; }
        host ip link add "${parent[@]}" name probe0 type "$kind" "$@" 2>/dev/null || skip "this kernel has no $kind interfaces: runs with make check-amd64"
        host ip link del probe0
}

need_reference() {
        [ -x "$REFERENCE/bridge" ] || skip "Debian's plugins are not in $REFERENCE (containernetworking-plugins): make deps brings them"
}
