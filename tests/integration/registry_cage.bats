# What is left to the process that speaks with registries, or reads an archive, once somebody has taken it over: tool-takeover
# makes it carry out system calls, as injected code would. And that all it has to do for honest people still works inside.
load lib
load registries
load images

setup() {
        setup_net
        TAKEOVER=$CORACLE_BUILD/tests/integration/tools/tool-takeover
}
teardown() {
        if [ -n "${JOB:-}" ]; then # the transfer ends with it
                kill -KILL "$JOB" 2>/dev/null || true
                wait "$JOB" 2>/dev/null || true
                wait_until refute network_process || true
        fi
        [ -z "${TRUSTED:-}" ] || umount -l /etc/ssl/certs/ca-certificates.crt
        teardown_net
}

# begin COMMAND... - coracle in the background, until teardown; its own process is $JOB
begin() {
        CORACLE_LIBEXEC=$CORACLE_BUILD/src/image nsenter --net="/proc/$NET/ns/net" "$CORACLE_BUILD/src/cli/coracle" --root "$TEST_DIR/store" "$@" \
                <&0 >/dev/null 2>&1 3>&- &
        JOB=$!
}

caged() {
        ! grep -q __asan_ "$CORACLE_BUILD/src/image/coracle-transfer" ||
                skip "sanitizers need what the cage takes away: runs in builds without them"
        skip_unless root # to take a process over
}

# network_process - sets PROCESS, the number of the transfer's process that the engine started, once it waits confined
network_process() {
        local folder parent
        for folder in /proc/[0-9]*; do
                [ "$(cat "$folder/comm" 2>/dev/null)" = coracle-transfe ] || continue
                parent=$(sed -n 's/^PPid:\t//p' "$folder/status" 2>/dev/null)
                [ "$parent" = "$JOB" ] || continue
                PROCESS=${folder#/proc/}
                grep -q '^Seccomp:.2' "$folder/status" && grep -q '^State:.S' "$folder/status" && return 0
        done
        return 1
}

is_field() { [ "$(sed -n "s/^$2:[ \t]*//p" "/proc/$1/status")" = "$3" ]; }

# expect_calls PID - what all of these processes may and may not do
expect_calls() {
        local pid=$1 landlock refused=EACCES
        landlock=$("$TAKEOVER" landlock)
        [ "$landlock" -ge 2 ] || refused=ok
        run "$TAKEOVER" "$pid" exec /bin/true fork - executable - mount /proc ptrace $$ kill $$ setuid - socket unix \
                socket netlink socket packet
        expect_output "$(printf '%s\n' "exec /bin/true: EPERM" "fork -: EPERM" "executable -: EPERM" "mount /proc: EPERM" \
                "ptrace $$: EPERM" "kill $$: EPERM" "setuid -: EPERM" "socket unix: EPERM" "socket netlink: EPERM" \
                "socket packet: EPERM")"
        : >"$TEST_DIR/outside"
        run "$TAKEOVER" "$pid" create "$TEST_DIR/store/images/ingest/new-thing" read /etc/passwd write "$TEST_DIR/outside" \
                create "$TEST_DIR/new" list /etc create "$TEST_DIR/store/new" create "$TEST_DIR/store/layers/new" \
                write "$TEST_DIR/store/coracle.db" write "$TEST_DIR/store/images/index.json" \
                list "$TEST_DIR/store/layers" write "$TEST_DIR/store/images/blobs/sha256/there"
        expect_output "$(printf '%s\n' "create $TEST_DIR/store/images/ingest/new-thing: ok" "read /etc/passwd: $refused" \
                "write $TEST_DIR/outside: $refused" "create $TEST_DIR/new: $refused" "list /etc: $refused" \
                "create $TEST_DIR/store/new: $refused" "create $TEST_DIR/store/layers/new: $refused" \
                "write $TEST_DIR/store/coracle.db: $refused" "write $TEST_DIR/store/images/index.json: $refused" \
                "list $TEST_DIR/store/layers: ok" "write $TEST_DIR/store/images/blobs/sha256/there: $refused")"
        is_field "$pid" NoNewPrivs 1
        is_field "$pid" Seccomp 2
        for set in CapInh CapPrm CapEff CapAmb; do is_field "$pid" $set 0000000000000000; done
}

@test "who takes over the process that speaks with a registry has TCP and the blobs on their way in, and no more" {
        caged
        start_hostile log 5000
        coracle images -q # makes the store
        echo there >"$TEST_DIR/store/images/blobs/sha256/there"
        begin pull localhost:5000/stall/x:v1
        wait_until grep -q 'GET.*/manifests/' "$TEST_DIR/log.log"
        wait_until network_process
        expect_calls "$PROCESS"
        run "$TAKEOVER" "$PROCESS" socket inet socket inet6 bind 7777
        expect_output "$(printf '%s\n' "socket inet: ok" "socket inet6: ok" "bind 7777: EPERM")"
}

@test "who takes over the process that reads an archive has no network at all" {
        caged
        coracle images -q
        echo there >"$TEST_DIR/store/images/blobs/sha256/there"
        mkfifo "$TEST_DIR/pipe"
        exec 9<>"$TEST_DIR/pipe" # which so has a writer
        begin load <"$TEST_DIR/pipe" 9>&-
        wait_until network_process
        expect_calls "$PROCESS"
        run "$TAKEOVER" "$PROCESS" socket inet socket inet6
        exec 9>&-
        expect_output "$(printf '%s\n' "socket inet: EPERM" "socket inet6: EPERM")"
}

@test "a kernel without Landlock gets the rest of the cage, and pulls" {
        skip_unless "program strace" "program docker-registry" "program umoci" "program skopeo"
        caged
        make_layout image
        start_registry 5000
        in_net skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$TEST_DIR/image:x" docker://localhost:5000/a/b:1
        CORACLE_LIBEXEC=$CORACLE_BUILD/src/image run in_net timeout -k 5 "$RUNTIME_TIMEOUT" strace -f -qq -o "$TEST_DIR/calls" -e trace=landlock_create_ruleset,seccomp \
                -e inject=landlock_create_ruleset:error=ENOSYS "$CORACLE_BUILD/src/cli/coracle" --root "$TEST_DIR/store" pull -q localhost:5000/a/b:1
        expect_status 0
        grep -q 'landlock_create_ruleset.*ENOSYS' "$TEST_DIR/calls"
        refute grep -q 'landlock_create_ruleset.* = 0' "$TEST_DIR/calls"
}

@test "names, a proxy with a name, certificates of the system and a client's are to be had from inside" {
        skip_unless root # other files in /etc
        make_certificates
        name_hosts
        start_hostile proxy 3128
        start_hostile tls 5443 --tls "$TEST_DIR/server.crt" "$TEST_DIR/server.key" --ca "$TEST_DIR/ca.crt"
        mkdir "$COR_CONFIG/certs.d/registry.test:5443"
        cp "$TEST_DIR/client.crt" "$COR_CONFIG/certs.d/registry.test:5443/client.cert"
        cp "$TEST_DIR/client.key" "$COR_CONFIG/certs.d/registry.test:5443/"
        run coracle manifest inspect registry.test:5443/good/x:v1
        expect_status 1
        expect_text "certificate"
        # no file of ours names the authority: it is the system's now
        cat /etc/ssl/certs/ca-certificates.crt "$TEST_DIR/ca.crt" >"$TEST_DIR/all.crt"
        mount --bind "$TEST_DIR/all.crt" /etc/ssl/certs/ca-certificates.crt
        TRUSTED=1
        run coracle manifest inspect registry.test:5443/good/x:v1
        expect_status 0
        HTTPS_PROXY=http://proxy.test:3128 run coracle manifest inspect registry.test:5443/good/x:v1
        expect_status 0
        grep -q 'CONNECT registry.test:5443' "$TEST_DIR/proxy.log"
        HTTPS_PROXY=http://nowhere.test:3128 run coracle manifest inspect registry.test:5443/good/x:v1
        expect_status 1
        expect_text "Could not resolve proxy: nowhere.test"
        run coracle manifest inspect nowhere.test:5443/good/x:v1
        expect_status 1
        expect_text "Could not resolve host: nowhere.test"
        unname_hosts
}

@test "a resolver that is reached by a Unix socket is asked, too" {
        skip_unless root # a socket in /run
        cat >"$TEST_DIR/nscd.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind('/run/nscd/socket')
s.listen(8)
open(sys.argv[1], 'w').close()
while True:
    c, _ = s.accept()
    open(sys.argv[1], 'ab').write(c.recv(1024))
    c.close()
END
        (
                CORACLE_LIBEXEC=$CORACLE_BUILD/src/image RUNTIME_TIMEOUT=60 NET=$NET TEST_DIR=$TEST_DIR \
                        unshare --mount --propagation private bash -c '
                        . "$0/images.bash"; . "$0/registries.bash"
                        mount -t tmpfs none /run && mkdir /run/nscd && ln -sfn /run /var/run 2>/dev/null
                        python3 "$TEST_DIR/nscd.py" "$TEST_DIR/asked" & server=$!
                        until [ -e "$TEST_DIR/asked" ]; do kill -0 $server || exit 1; sleep 0.05; done
                        coracle manifest inspect behind-a-socket.test:5000/a/b:1
                        kill $server' "$SOURCE_DIR/tests/integration"
        ) >"$TEST_DIR/out" 2>&1 3>&- || true
        grep -aq behind-a-socket.test "$TEST_DIR/asked" || { cat "$TEST_DIR/out"; false; }
}
