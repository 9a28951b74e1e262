#!/usr/bin/env bats
# What the flags of `create` mean: the documents that coracle makes of them are those that docker's client sends to its engine.
# An engine's API that only listens (tools/create_server.py) is asked by the client that is installed.

load lib
test_limit 2400 # hundreds of calls of docker's client, seconds each on an emulated processor

setup_file() {
        local major
        major=$(docker --version 2>/dev/null | sed -n 's/^Docker version \([0-9]*\)\..*/\1/p')
        export DOCKER_MAJOR=${major:-0}
}

setup() {
        [ "$DOCKER_MAJOR" -ge 20 ] || skip "no docker client of 20.10 or newer; runs where Debian's docker-cli is installed"
        TOOL=$CORACLE_BUILD/tests/integration/tools/tool-container-request
        TEST_DIR=$(mktemp -d)
        cd "$TEST_DIR" || return
        API_VERSION=1.$((DOCKER_MAJOR >= 28 ? 51 : 41)) \
                python3 "$SOURCE_DIR/tests/integration/tools/create_server.py" "$TEST_DIR/socket" "$TEST_DIR" >server.log 2>&1 3>&- &
        SERVER=$!
        wait_ready server.log
        printf '# c\n\nA=1\n  B=two words \nHOME\nNOTTHERE\n' >./env
        printf 'x=1\ny=2\n' >./labels
        printf '{ "defaultAction" : "SCMP_ACT_ALLOW", "x": "a b\\" c" }\n' >seccomp.json
}

teardown() {
        [ -z "${SERVER:-}" ] || { kill "$SERVER" && wait "$SERVER"; } || true
        [ -z "${TEST_DIR:-}" ] || rm -rf "$TEST_DIR"
}

# What is empty is the same as what is not there, and so is docker's -1 for "not given". Docker's order of variables and
# volumes is that of Go's maps: any.
NORMAL='def clean: walk(if type == "object" then with_entries(select(.value != null and .value != "" and .value != 0
                and .value != false and .value != [] and .value != {})) else . end);
        (.Env, .HostConfig.Binds) |= (. // [] | sort) | del(.HostConfig.MemorySwappiness | select(. == -1)) | clean | clean | clean'

# Some of docker's clients from 25 to 27 forget limits of devices (docker/cli issue 5321).
without_forgotten() {
        if [ "$DOCKER_MAJOR" -ge 25 ] && [ "$DOCKER_MAJOR" -le 27 ] &&
                jq -e '.HostConfig.BlkioDeviceReadBps // [] | . == []' request >/dev/null; then
                jq 'del(.HostConfig | .BlkioDeviceReadBps, .BlkioDeviceWriteBps, .BlkioDeviceReadIOps, .BlkioDeviceWriteIOps)'
        else
                cat
        fi
}

# compare FLAG... - prints what differs
compare() {
        local theirs=0 ours=0
        rm -f request cid
        docker -H "unix://$TEST_DIR/socket" create "$@" >docker.out 2>docker.err 3>&- || theirs=$?
        "$TOOL" create "$@" >ours.out 2>ours.err || ours=$?
        if [ ! -e request ]; then
                [ "$ours" = "$theirs" ] || { echo "create $*: docker ends with $theirs ($(head -1 docker.err)), we with $ours"; return; }
                [ "$DOCKER_MAJOR" -lt 28 ] || diff -u <(sed 's/^docker: //;q' docker.err) ours.err || echo "create $*"
        elif [ "$ours" != 0 ]; then
                echo "create $*: $(cat ours.err)"
        else
                diff -u <(without_forgotten <request | jq -S "$NORMAL") <(without_forgotten <ours.out | jq -S "$NORMAL") || echo "create $*"
        fi
}

cases() { # VERSION - those that the installed client understands
        local version line
        while read -r version line; do
                [ "$version" = "$1" ] && [ "$DOCKER_MAJOR" -ge "$version" ] || continue
                eval "compare $line"
        done <"$SOURCE_DIR/tests/integration/container_flags.cases"
}

@test "flags that docker's clients know since 20.10 make the same documents" {
        local found
        found=$(cases 20)
        [ -z "$found" ] || { echo "$found"; return 1; }
}

@test "flags of newer clients make the same documents" {
        local found
        [ "$DOCKER_MAJOR" -ge 28 ] || skip "docker's client is $DOCKER_MAJOR; runs where 28 or newer is installed"
        found=$(cases 28)
        [ -z "$found" ] || { echo "$found"; return 1; }
}
