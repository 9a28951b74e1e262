# shellcheck shell=bash disable=SC2030,SC2031
# Log drivers: what they keep and send, to whom, and what becomes of it when nobody takes it. Real receivers: journald and
# journalctl, busybox syslogd and nc, gzip, and dockerd as the judge of its own format.
load lib
load registries
load containers

setup() { setup_containers; }

teardown() {
        local pid status=0
        for pid in ${RECEIVERS:-}; do kill -CONT "$pid" 2>/dev/null || true; done
        [ -z "${FULL:-}" ] || umount -l "$FULL" || status=1 # lazily: a monitor may write there still
        teardown_containers || status=1
        for pid in ${RECEIVERS:-}; do kill "$pid" 2>/dev/null || true; done
        return "$status"
}

folder_of() { echo "$COR_STORE/containers/$(coracle inspect -f '{{.Id}}' "$1")"; }

lines() { echo "i=0; while [ \$i -lt $1 ]; do echo line \$i; i=\$((i + 1)); done"; }

has_compressed() { compgen -G "$1/*.log.*.gz"; } # FOLDER

@test "local: records that are rotated and compressed, and read back" {
        local dir
        crun -d --name one --log-driver local --log-opt max-size=2k --log-opt max-file=4 bb:1 sh -c "$(lines 400); echo last >&2; while [ ! -e /go ]; do sleep 0.1; done" >/dev/null
        dir=$(folder_of one)/local-logs
        wait_until has_compressed "$dir"
        let_go one /go
        coracle wait one >/dev/null
        # what the end of the container has no time to compress stays as it is
        expect_equal "$(ls "$dir" | sed 's/\.gz$//')" "container.log
container.log.1
container.log.2
container.log.3"
        ls "$dir"/container.log.*.gz
        gzip -t "$dir"/container.log.*.gz
        run --separate-stderr coracle logs one
        expect_status 0
        expect_equal "${lines[-1]}" "line 399"
        expect_equal "$stderr" last
        [ "${#lines[@]}" -lt 400 ]
        expect_equal "$((400 - ${#lines[@]}))" "$(head -n 1 <<<"$output" | tr -dc 0-9)" # none is missing between
        run coracle logs -n 2 one
        expect_output "line 399
last"
        run coracle logs -t -n 1 one
        expect_match '20[0-9-]*T[0-9:.]*Z last'
}

@test "local: long lines are in parts, which read as one; labels and variables are noted" {
        crun --name one --log-driver local --label a=1 --label ab=2 --env X=y --log-opt labels-regex='^a' --log-opt env=X --log-opt 'tag={{.Name}}' \
                bb:1 sh -c 'head -c 40000 /dev/zero | tr "\0" z; echo; printf end' >/dev/null
        run coracle logs one
        expect_equal "${#output}" 40004
        expect_equal "${output:39999}" "z
end"
        run coracle logs --details -n 1 one
        expect_output "X=y,a=1,ab=2,tag=one end"
}

@test "json-file: compressed files are docker's, whoever reads them, and a reader follows across them" {
        local dir
        crun -d --name one --log-opt max-size=4k --log-opt max-file=200 --log-opt compress=true bb:1 sh -c "$(lines 20); while [ ! -e /go ]; do sleep 0.1; done; $(lines 600); while [ ! -e /end ]; do sleep 0.1; done" >/dev/null
        dir=$(folder_of one)
        coracle logs -f one >"$TEST_DIR/followed" &
        wait_until grep -q 'line 19' "$TEST_DIR/followed"
        let_go one /go
        wait_until has_compressed "$dir"
        let_go one /end
        coracle wait one >/dev/null
        wait $!
        ls "$dir"/*-json.log.*.gz # the oldest is the first to be compressed, and the end of the container does not wait for all
        gzip -dc "$dir"/*-json.log.*.gz | jq -e .log >/dev/null
        expect_equal "$(cat "$TEST_DIR/followed")" "$(sh -c "$(lines 20); $(lines 600)")"
        run coracle logs one
        expect_output "$(sh -c "$(lines 20); $(lines 600)")"
        [ -z "$(find "$dir" -name "*.packing")" ]
}

@test "a disk that is full stops the log, not the container, and it is said" {
        local dir
        coracle create --cgroup-parent "$CGROUP_PARENT" --network none --name one --log-driver local --log-opt max-file=1 --log-opt compress=false bb:1 \
                sh -c "echo first; $(lines 20000); touch /done; while [ ! -e /go ]; do sleep 0.1; done; echo after" >/dev/null
        dir=$(folder_of one)/local-logs
        mkdir -m 700 "$dir"
        mount -t tmpfs -o size=64k tmpfs "$dir"
        FULL=$dir
        coracle start one >/dev/null
        wait_until coracle exec one test -e /done
        wait_until grep -q "what the container prints is lost: .*No space left on device" "$CORACLE_RUN"/*/*/log
        mount -o remount,size=1m "$dir"
        let_go one /go
        expect_equal "$(coracle wait one)" 0
        run --separate-stderr coracle logs one
        expect_status 0
        expect_equal "${lines[0]}" first
        expect_equal "${lines[-1]}" after
        [[ $stderr =~ ^"coracle: "[0-9]+" messages were lost: ".*"No space left on device"$ ]]
        expect_equal "$((20002 - ${#lines[@]}))" "$(tr -dc 0-9 <<<"$stderr")" # each that is missing was counted
}

@test "info: the log drivers that there are" {
        run coracle info -f '{{.LoggingDriver}} {{json .Plugins.Log}}'
        expect_output 'json-file ["journald","json-file","local","syslog"]'
}

# ------------------------------------------------------------------------------------------------------------- journald

# A journal of the test's own, in a mount namespace where coracle is run, too.
start_journal() {
        local journald
        for journald in /usr/lib/systemd/systemd-journald /lib/systemd/systemd-journald ''; do [ ! -x "$journald" ] || break; done
        if [ -z "$journald" ] || [ ! -e /etc/systemd/journald.conf ] || [ ! -e /etc/machine-id ] || ! command -v journalctl >/dev/null; then skip "there is no journald here (the guests have one)"; fi
        mkdir "$TEST_DIR/journal"
        head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$TEST_DIR/machine-id"
        echo >>"$TEST_DIR/machine-id"
        printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nRateLimitBurst=0\nForwardToSyslog=no\nForwardToWall=no\n' >"$TEST_DIR/journald.conf"
        # Where systemd runs the machine, the rest of /run/systemd has to stay: cgroups are made by way of it.
        # shellcheck disable=SC2016
        unshare --mount --propagation private bash -c 'set -e
                if [ -d /run/systemd/system ]; then mount -t tmpfs tmpfs /run/systemd/journal; else mount -t tmpfs tmpfs /run; fi
                mkdir -p /run/systemd/journal /run/log
                mount -t tmpfs tmpfs /run/log
                mkdir /run/log/journal
                mount --bind "$1/journald.conf" /etc/systemd/journald.conf
                mount --bind "$1/machine-id" /etc/machine-id
                touch "$1/journal/ready"
                exec "$2"' bash "$TEST_DIR" "$journald" >"$TEST_DIR/journald.out" 2>&1 3>&- &
        JOURNAL=$!
        RECEIVERS+=" $JOURNAL"
        wait_until test -e "$TEST_DIR/journal/ready" || { cat "$TEST_DIR/journald.out"; return 1; }
        wait_until in_journal test -S /run/systemd/journal/socket
        wait_until in_journal journalctl --sync
        coracle() { in_journal nsenter --net="/proc/$NET/ns/net" timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE" "$@" 3>&-; }
}

in_journal() { nsenter --target "$JOURNAL" --mount -- "$@"; }

@test "journald: the journal gets docker's fields, and logs reads them back" {
        local id
        start_journal
        crun --name one --log-driver journald --label a.b=c --log-opt labels=a.b --log-opt 'tag=t/{{.Name}}' bb:1 sh -c 'echo out; echo err >&2; echo; printf half' >/dev/null 2>&1
        id=$(coracle inspect -f '{{.Id}}' one)
        in_journal journalctl --sync
        run in_journal journalctl -o json "CONTAINER_ID_FULL=$id"
        expect_equal "$(jq -r '[.MESSAGE, .PRIORITY, .CONTAINER_NAME, .CONTAINER_TAG, .SYSLOG_IDENTIFIER, .IMAGE_NAME, .A_B, .CONTAINER_PARTIAL_MESSAGE] | join(" ")' <<<"$output" | sort)" \
                " 6 one t/one t/one bb:1 c 
err 3 one t/one t/one bb:1 c 
half 6 one t/one t/one bb:1 c true
out 6 one t/one t/one bb:1 c "
        expect_equal "$(jq -r .CONTAINER_ID <<<"${lines[0]}")" "${id:0:12}"
        run --separate-stderr coracle logs one
        expect_output "out

half"
        expect_equal "$stderr" err
        run coracle logs --details -n 1 one
        expect_output "A_B=c half"
        run coracle logs --since 1h --until 30m one
        expect_output ""
}

@test "journald: labels of an image are no fields of the driver's, nor a message another container's" {
        local id
        start_journal
        crun --name one --log-driver journald bb:1 echo mine >/dev/null
        id=$(coracle inspect -f '{{.Id}}' one)
        crun --name two --log-driver journald --label "container.id.full=$id" --label priority=0 --label syslog.identifier=sshd --label other=x \
                --log-opt labels-regex=. bb:1 echo theirs >/dev/null
        in_journal journalctl --sync
        run coracle logs one
        expect_output mine
        run in_journal journalctl -o json CONTAINER_NAME=two
        expect_equal "$(jq -c '[.MESSAGE, .PRIORITY, .OTHER, .SYSLOG_IDENTIFIER == .CONTAINER_ID]' <<<"$output")" '["theirs","6","x",true]'
}

@test "journald: what is too large for a datagram arrives, too, and a reader follows to the end" {
        local big follower
        start_journal
        big=$(head -c 100000 /dev/zero | tr '\0' v)
        # the kernel takes datagrams up to net.core.wmem_max: two variables of this size are more
        crun -d --name one --log-driver journald --env "A=$big" --env "B=$big" --env "C=$big" --log-opt env=A,B,C bb:1 sh -c 'echo big; while [ ! -e /go ]; do sleep 0.1; done; seq 1 100' >/dev/null
        coracle logs -f one >"$TEST_DIR/followed" &
        follower=$!
        wait_until grep -qx big "$TEST_DIR/followed"
        let_go one /go
        coracle wait one >/dev/null
        wait "$follower"
        expect_equal "$(cat "$TEST_DIR/followed")" "$(echo big; seq 1 100)"
        in_journal journalctl --sync
        expect_equal "$(in_journal journalctl -o json --output-fields=A -n 1 --all CONTAINER_NAME=one | jq -r .A | wc -c)" 100001
}

@test "journald: one that does not read holds a container back no longer than a moment, and lost messages are counted" {
        start_journal
        kill -STOP "$JOURNAL"
        run crun --name one --log-driver journald bb:1 sh -c 'yes "$(head -c 10000 /dev/zero | tr "\0" x)" | head -n 500; exit 7'
        kill -CONT "$JOURNAL"
        expect_status 7
        run --separate-stderr coracle logs one
        [[ $stderr =~ ^"coracle: "([0-9]+)" messages were lost: nobody takes it"$ ]]
        expect_equal "$((${#lines[@]} + BASH_REMATCH[1]))" 500
}

@test "journald: without one the container is not started, and says why" {
        run crun --name one --log-driver journald bb:1 true
        if [ -S /run/systemd/journal/socket ]; then
                expect_status 0
        else
                expect_status 125
                expect_text "failed to initialize logging driver: journald is not enabled on this host"
        fi
}

# --------------------------------------------------------------------------------------------------------------- syslog

# rsyslogd in the test's network namespace: unixgram at $TEST_DIR/dev-log, udp 514, tcp 601; what it understands is in
# $TEST_DIR/received
start_rsyslog() {
        if ! command -v rsyslogd >/dev/null; then skip "there is no rsyslogd here (where the test packages are installed there is)"; fi
        cat >"$TEST_DIR/rsyslog.conf" <<EOC
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imtcp")
input(type="imuxsock" Socket="$TEST_DIR/dev-log" CreatePath="on" RateLimit.Interval="0" UseSysTimeStamp="off")
input(type="imudp" port="514")
input(type="imtcp" port="601")
template(name="t" type="string" string="%syslogfacility-text% %syslogseverity-text% %syslogtag% |%msg%|\n")
action(type="omfile" file="$TEST_DIR/received" template="t")
EOC
        in_net rsyslogd -n -C -f "$TEST_DIR/rsyslog.conf" -i "$TEST_DIR/rsyslog.pid" >"$TEST_DIR/rsyslog.out" 2>&1 3>&- &
        wait_until test -s "$TEST_DIR/rsyslog.pid"
        RECEIVERS+=" $(cat "$TEST_DIR/rsyslog.pid")"
        wait_until test -S "$TEST_DIR/dev-log"
        wait_until listens 601
}

listens_no_more() { ! listens "$1"; }

received() { grep -q -- "$1" "$TEST_DIR/received"; }

@test "syslog: a real server understands each format over each transport; logs reads the copy" {
        local where format n=0
        start_rsyslog
        for where in "unixgram://$TEST_DIR/dev-log" udp://127.0.0.1 tcp://127.0.0.1:601; do
                for format in '' rfc3164 rfc5424 rfc5424micro; do
                        n=$((n + 1))
                        crun --name "c$n" --log-driver syslog --log-opt "syslog-address=$where" --log-opt "syslog-format=$format" --log-opt syslog-facility=local3 --log-opt "tag=tag$n" \
                                bb:1 sh -c "echo out$n; echo err$n >&2" >/dev/null 2>&1
                        wait_until received "out$n|"
                        wait_until received "err$n|"
                        if [[ $format && $where == unixgram* ]]; then continue; fi # rsyslogd expects no host name in what comes by a local socket
                        received "^local3 info tag$n.*| *out$n|" || { cat "$TEST_DIR/received"; return 1; }
                        received "^local3 err tag$n.*| *err$n|"
                done
        done
        # a label is the image's: a message ends where we say
        crun --log-driver syslog --log-opt syslog-address=tcp://127.0.0.1:601 --label "who=me
<9>forged: yes" --log-opt 'tag={{index .ContainerLabels "who"}}' bb:1 echo genuine >/dev/null
        wait_until received "genuine|"
        run grep -c '^user' "$TEST_DIR/received"
        expect_output 0
        run coracle logs c1
        expect_output "out1
err1"
        coracle rm -f c2 >/dev/null
        crun --name c2 --log-driver syslog --log-opt syslog-address=udp://127.0.0.1 --log-opt cache-disabled=true bb:1 echo x >/dev/null
        run coracle logs c2
        expect_status 1
        expect_text "configured logging driver does not support reading"
}

@test "syslog: a server that is not there is an error; one that goes away takes no container with it" {
        run crun --log-driver syslog --log-opt syslog-address=tcp://127.0.0.1:601 bb:1 true
        expect_status 125
        expect_text "failed to initialize logging driver: dial tcp 127.0.0.1:601: connect: Connection refused"
        start_rsyslog
        crun -d --name one --log-driver syslog --log-opt syslog-address=tcp://127.0.0.1:601 bb:1 \
                sh -c 'echo first; while [ ! -e /go ]; do sleep 0.1; done; i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i + 1)); done; touch /done; while [ ! -e /go2 ]; do sleep 0.1; done; while :; do echo again; sleep 0.1; done' >/dev/null
        wait_until received "first|"
        kill -KILL "$(cat "$TEST_DIR/rsyslog.pid")"
        wait_until listens_no_more 601
        let_go one /go
        wait_until coracle exec one test -e /done
        wait_until grep -q "is lost: .*127.0.0.1:601" "$CORACLE_RUN"/*/*/log
        rm "$TEST_DIR/rsyslog.pid"
        start_rsyslog
        let_go one /go2
        WAIT_SECONDS=90 wait_until received "again|" # up to half a minute lies between two attempts
        wait_until grep -q "kept again; messages lost: [1-9]" "$CORACLE_RUN"/*/*/log
        run coracle stop -t 0 one
        expect_status 0
        expect_equal "$(coracle logs one | grep -c line)" 5000
}

@test "syslog: a container that is started again does not wait for a server that has gone" {
        start_rsyslog
        crun -d --name one --restart on-failure:1 --log-driver syslog --log-opt syslog-address=tcp://localhost:601 --stop-signal KILL bb:1 \
                sh -c 'if [ -e /second ]; then echo back; exit 0; fi; touch /second; echo first; while [ ! -e /go ]; do sleep 0.1; done; exit 3' >/dev/null
        wait_until received "first|"
        kill -KILL "$(cat "$TEST_DIR/rsyslog.pid")"
        wait_until listens_no_more 601
        let_go one /go
        wait_until sh -c '[ "$("$0" inspect -f "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}" one)" = "exited 0 1" ]' "$CORACLE"
        expect_equal "$(coracle logs one)" "first
back"
}

@test "syslog: a server that does not read holds a container back no longer than a moment; without blocking, not at all" {
        start_rsyslog
        kill -STOP "$(cat "$TEST_DIR/rsyslog.pid")"
        crun --name one --log-driver syslog --log-opt syslog-address=tcp://127.0.0.1:601 --log-opt mode=non-blocking --log-opt max-buffer-size=100k \
                bb:1 sh -c 'yes "$(head -c 30000 /dev/zero | tr "\0" x)" | head -n 300' >/dev/null
        crun --name two --log-driver syslog --log-opt syslog-address=tcp://127.0.0.1:601 \
                bb:1 sh -c 'yes "$(head -c 30000 /dev/zero | tr "\0" x)" | head -n 300' >/dev/null
        expect_equal "$(coracle logs one | wc -c)" 9000300
        expect_equal "$(coracle logs two | wc -c)" 9000300
        coracle logs one 2>&1 >/dev/null | grep -qx 'coracle: [0-9]* messages were lost: the buffer of mode=non-blocking is full (max-buffer-size)'
}

@test "syslog: by TLS, to a server that is who it should be" {
        local id
        [ -x "$CORACLE_LIBEXEC/coracle-tls" ] || skip "this build has no coracle-tls: libssl was not there (CI has it)"
        make_certificates
        mkfifo "$TEST_DIR/nothing" # that never ends: with its input the server ends, too
        in_net openssl s_server -accept 6514 -cert "$TEST_DIR/server.crt" -key "$TEST_DIR/server.key" -CAfile "$TEST_DIR/ca.crt" -Verify 1 -verify_return_error -quiet \
                >"$TEST_DIR/received" 2>"$TEST_DIR/s_server.log" <>"$TEST_DIR/nothing" 3>&- &
        RECEIVERS+=" $!"
        wait_until listens 6514
        tls() { crun --log-driver syslog --log-opt "syslog-address=tcp+tls://$1:6514" "${@:2}"; }
        own=(--log-opt syslog-tls-cert="$TEST_DIR/client.crt" --log-opt syslog-tls-key="$TEST_DIR/client.key")
        tls localhost --log-opt syslog-tls-ca-cert="$TEST_DIR/ca.crt" "${own[@]}" --log-opt syslog-format=rfc5424 --log-opt tag=one bb:1 sh -c 'echo first; echo second >&2' >/dev/null 2>&1
        wait_until received 'one - second'
        run cat "$TEST_DIR/received"
        expect_match '([0-9]+) <30>1 20[0-9T:-]+(Z|[+-][0-9:]+) [^ ]+ one [0-9]+ one - first
([0-9]+) <27>1 20[0-9T:-]+(Z|[+-][0-9:]+) [^ ]+ one [0-9]+ one - second'
        # each message behind its length, which counts the newline
        while read -r n rest; do expect_equal "$n" "$((${#rest} + 1))"; done <"$TEST_DIR/received"
        tls 127.0.0.1 --log-opt syslog-tls-skip-verify=1 "${own[@]}" bb:1 echo third >/dev/null
        wait_until received 'third'
        run tls localhost "${own[@]}" bb:1 true
        expect_status 125
        expect_text "failed to initialize logging driver: dial tcp localhost:6514: x509: "
        run tls 127.0.0.3 --log-opt syslog-tls-ca-cert="$TEST_DIR/ca.crt" "${own[@]}" bb:1 true
        expect_status 125
        expect_text "x509: IP address mismatch"
        run tls localhost --log-opt syslog-tls-ca-cert=/nowhere bb:1 true
        expect_status 125
        expect_text "log opt syslog-tls-ca-cert: /nowhere: No such file or directory"
}
