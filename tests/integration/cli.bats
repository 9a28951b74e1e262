# The command line as a whole: options before the command, help, logs, exit codes, the names runc and crun.

load lib
setup() { setup_bundle; }
teardown() { teardown_bundle; }

# as NAME ARGUMENT... - the runtime, started through a link of that name
as() {
        ln -sf "$RUNTIME" "$TEST_DIR/$1"
        timeout --foreground -k 5 "$RUNTIME_TIMEOUT" "$TEST_DIR/$1" --root "$STATE_ROOT" "${@:2}" 3>&-
}

@test "--version names program, commit, spec and libseccomp, with one line that says version" {
        run "$RUNTIME" --version
        expect_status 0
        expect_match '^coracle-runtime version [0-9]+\.[0-9]+\.[0-9]+' 'commit: [0-9a-f.]+' 'spec: 1\.3\.0' 'libseccomp: [0-9]'
        expect_equal "$(grep -c version <<<"$output")" 1 "lines with the word version"
        run "$RUNTIME" -v
        expect_match '^coracle-runtime version '
}

@test "--version under the names runc and crun begins as theirs do" {
        run as runc --version
        expect_match '^runc version 1\.[0-9]+\.[0-9]+' 'spec: '
        run as crun --version
        expect_match '^crun version 1\.[0-9]+'
        run as crun -V
        expect_match '^crun version 1\.[0-9]+'
}

@test "--help, help and no command show all commands" {
        run "$RUNTIME" --help
        expect_status 0
        expect_text create start run exec state list ps kill delete pause resume update events spec features --root
        local help=$output
        run "$RUNTIME" help
        expect_output "$help"
        run "$RUNTIME"
        expect_status 0
        expect_output "$help"
        run "$RUNTIME" -h
        expect_output "$help"
        run "$RUNTIME" '-?'
        expect_output "$help"
}

@test "each command shows its options" {
        local command
        for command in $("$RUNTIME" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
                run "$RUNTIME" "$command" --help
                expect_status 0
                expect_match "^usage: coracle-runtime $command"
                local help=$output
                run "$RUNTIME" help "$command"
                expect_output "$help"
                run "$RUNTIME" "$command" --usage
                expect_status 0
                expect_equal "${#lines[@]}" 1 "lines of --usage"
        done
}

@test "wrong command lines are refused with a reason" {
        run "$RUNTIME" bogus
        expect_status 1
        expect_text "unknown command bogus"
        run "$RUNTIME" --bogus list
        expect_status 1
        expect_text "unknown option --bogus"
        run runtime state
        expect_status 1
        expect_text '"state" wants the arguments CONTAINER: 0 given'
        run runtime start one two
        expect_status 1
        expect_text "2 given"
        run runtime list --format yaml
        expect_status 1
        expect_text "option --format: expected one of table|json"
        run runtime create --bundle
        expect_status 1
        expect_text "option --bundle needs a value"
        run "$RUNTIME" --log-format xml list
        expect_status 1
        expect_text "option --log-format: expected one of text|json"
        run "$RUNTIME" --root / list
        expect_status 1
        expect_text "option --root"
        run "$RUNTIME" --root= list
        expect_status 1
        expect_text "option --root"
}

@test "options may be spelled as Go and as getopt do, before and after the container" {
        config_args true
        run runtime run "$ID" --bundle "$BUNDLE"
        expect_status 0
        run runtime run -bundle="$BUNDLE" "$ID"
        expect_status 0
        run runtime run "-b$BUNDLE" "$ID"
        expect_status 0
        run runtime run --bun "$BUNDLE" "$ID"
        expect_status 0
        run as runc run --bun "$BUNDLE" "$ID"
        expect_status 1
        expect_text "unknown option --bun"
}

@test "--root may be relative" {
        config_args sleep 60
        cd "$TEST_DIR"
        timeout "$RUNTIME_TIMEOUT" "$RUNTIME" --root state run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
        run runtime list -q
        expect_output "$ID"
        cd /
        expect_equal "$(container_state)" running
}

@test "an error goes to the log as JSON, with the words that engines look for, and to stderr" {
        config_args no-such-program
        run --separate-stderr runtime --log "$TEST_DIR/log" --log-format json create --bundle "$BUNDLE" "$ID"
        expect_status 1
        expect_equal "$(jq -r .level "$TEST_DIR/log")" error
        [[ $(jq -r .msg "$TEST_DIR/log") == "coracle-runtime create failed: "*"executable file not found in \$PATH"* ]] ||
                fail "log: $(cat "$TEST_DIR/log")"
        [[ $(jq -r .time "$TEST_DIR/log") =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T ]] || fail "log: $(cat "$TEST_DIR/log")"
        [[ $stderr == *"executable file not found in"* ]] || fail "stderr: $stderr"
        expect_equal "$(wc -l <"$TEST_DIR/log")" 1 "lines in the log"
}

@test "under the name runc the log's message begins as runc's" {
        config_args no-such-program
        run as runc --log "$TEST_DIR/log" --log-format json create --bundle "$BUNDLE" "$ID"
        expect_status 1
        [[ $(jq -r .msg "$TEST_DIR/log") == "runc create failed: "* ]] || fail "log: $(cat "$TEST_DIR/log")"
        run as runc --log "$TEST_DIR/log2" --log-format json exec no-such-container true
        expect_status 255
        [[ $(jq -r .msg "$TEST_DIR/log2") == "exec failed: container does not exist"* ]] || fail "log: $(cat "$TEST_DIR/log2")"
}

@test "the log is text unless asked otherwise, and file: is understood" {
        run runtime --log "file:$TEST_DIR/log" state no-such-container
        expect_status 1
        grep -q 'level=error msg="container does not exist' "$TEST_DIR/log"
        cd "$TEST_DIR"
        run as runc --log file:here state no-such-container
        expect_status 1
        [ -e "$TEST_DIR/file:here" ]
}

@test "without a log JSON goes to stderr" {
        run --separate-stderr runtime --log-format json state no-such-container
        expect_status 1
        [[ $(jq -r .msg <<<"$stderr") == "container does not exist"* ]] || fail "stderr: $stderr"
}

@test "--log syslog: and journald: send datagrams, or say why not" {
        skip_unless root "program python3" "program unshare"
        cat >"$TEST_DIR/listen.py" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(20)
print("ready", flush=True)
sys.stdout.buffer.write(s.recv(4096))
PY
        cat >"$TEST_DIR/try" <<'SH'
mkdir -p /run/systemd/journal
mount -t tmpfs tmpfs /run/systemd/journal
python3 "$1/listen.py" /run/systemd/journal/socket >"$1/journal" & 
until grep -q ready "$1/journal"; do sleep 0.05; done
"$2" --root "$1/state" --log journald:boat state no-such-container
wait
mount -t tmpfs tmpfs /dev
python3 "$1/listen.py" /dev/log >"$1/syslog" &
until grep -q ready "$1/syslog"; do sleep 0.05; done
"$2" --root "$1/state" --log syslog:boat state no-such-container
wait
rm /dev/log
"$2" --root "$1/state" --log syslog:boat state no-such-container 2>"$1/refused"
true
SH
        timeout "$RUNTIME_TIMEOUT" unshare --mount --propagation private bash "$TEST_DIR/try" "$TEST_DIR" "$RUNTIME" 3>&-
        grep -aq 'SYSLOG_IDENTIFIER=boat' "$TEST_DIR/journal"
        grep -aq 'PRIORITY=3' "$TEST_DIR/journal"
        grep -aq 'container does not exist' "$TEST_DIR/journal"
        grep -aq '^<11>boat: container does not exist' "$TEST_DIR/syslog"
        grep -q 'option --log' "$TEST_DIR/refused"
}

@test "--log-level says what is logged, --debug is all of it" {
        config_args true
        run runtime --log "$TEST_DIR/quiet" --log-level error --criu x run --bundle "$BUNDLE" "$ID"
        expect_status 0
        [ ! -s "$TEST_DIR/quiet" ]
        run runtime --log "$TEST_DIR/loud" --debug --criu x run --bundle "$BUNDLE" "$ID"
        expect_status 0
        grep -q 'level=debug msg="--criu x is ignored' "$TEST_DIR/loud"
}

@test "a program that cannot be run: 127 when missing, 126 when refused, and as runc and crun under their names" {
        config_args no-such-program
        run -127 run_container
        run as runc run --bundle "$BUNDLE" "$ID"
        expect_status 1
        run as crun run --bundle "$BUNDLE" "$ID"
        expect_status 1
        config_args /etc/passwd
        run run_container
        expect_status 126
        run as runc run --bundle "$BUNDLE" "$ID"
        expect_status 1
}

@test "closed standard descriptors do not become the container's" {
        config_args sh -c 'for f in 0 1 2; do readlink /proc/self/fd/$f; done >/out; ls /proc/self/fd >>/out'
        runtime run --bundle "$BUNDLE" "$ID" <&- >&- 2>&-
        [ "$(grep -c '^/dev/null$\|^/out$' "$ROOTFS/out")" -eq 3 ] || fail "$(cat "$ROOTFS/out")"
        refute grep -qE '^([4-9]|[1-9][0-9])$' "$ROOTFS/out"
}

@test "completions are scripts that their shells can read" {
        local shell
        for shell in bash zsh fish; do
                "$RUNTIME" completion $shell >"$TEST_DIR/completion.$shell"
                grep -q preserve-fds "$TEST_DIR/completion.$shell"
                command -v $shell >/dev/null || continue
                case $shell in
                fish) fish --no-execute "$TEST_DIR/completion.fish" ;;
                *) $shell -n "$TEST_DIR/completion.$shell" ;;
                esac
        done
        run "$RUNTIME" completion csh
        expect_status 1
}

# complete_words WORD... - what bash would offer for the last of these words
complete_words() {
        (
                complete() { :; }
                # shellcheck disable=SC1090
                . <("$RUNTIME" completion bash)
                COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
                _coracle_runtime
                echo "${COMPREPLY[*]}"
        )
}

@test "bash completes commands, options, values and containers" {
        run complete_words coracle-runtime pa
        expect_output pause
        run complete_words coracle-runtime --root /nowhere --log-format ""
        expect_output "text json"
        run complete_words coracle-runtime --deb
        expect_output --debug
        run complete_words coracle-runtime --root /nowhere exec --user 0 --no-n
        expect_output --no-new-privs
        run complete_words coracle-runtime list --format j
        expect_output json
        run complete_words coracle-runtime completion z
        expect_output zsh
        run complete_words coracle-runtime mounts add --h
        expect_output --help
        config_args sleep 60
        start_detached
        run complete_words "$RUNTIME" --root "$STATE_ROOT" mounts rem
        expect_output remove
        run complete_words "$RUNTIME" --root "$STATE_ROOT" mounts remove ""
        expect_output "$ID"
        run complete_words "$RUNTIME" --root "$STATE_ROOT" kill ct-
        expect_output "$ID"
}
