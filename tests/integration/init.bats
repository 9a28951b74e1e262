#!/usr/bin/env bats
# coracle-init, rows DI-01 to DI-10: as pid 1 of real pid namespaces, as child subreaper, and on a terminal.
# shellcheck disable=SC2086 # NEW_PIDS is flags

load lib

setup() {
        T=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-init-XXXXXX")
        LOG=$T/log
        : >"$LOG"
        export T LOG
        unset TINI_SUBREAPER TINI_KILL_PROCESS_GROUP TINI_VERBOSITY
        INSTALLED=$CORACLE_BUILD/src/tools/init/coracle-init
        INIT=$INSTALLED
        # A sanitizer build has the program a second time, with sanitizers.
        [ ! -x "$INIT-sanitized" ] || INIT=$INIT-sanitized
        NEW_PIDS=--pid
        [ "$EUID" = 0 ] || NEW_PIDS="--map-root-user --pid"
        export INIT NEW_PIDS
        started=()
        write_scripts
}

teardown() {
        local pid dir
        for pid in "${started[@]}"; do
                kill -KILL "$pid" 2>/dev/null || true
                wait "$pid" 2>/dev/null || true
        done
        for dir in /proc/[0-9]*; do # what was meant to outlive its parents, or is left of a test that failed
                ! grep -qzsxF "T=$T" "$dir/environ" || kill -KILL "${dir#/proc/}" 2>/dev/null || true
        done
        rm -rf "$T"
}

# ------------------------------------------------------------------------------------------------------------- helpers

write_scripts() {
        # record NAME EXIT-CODE SIGNAL... - write down each of these signals; the last one ends it with EXIT-CODE
        cat >"$T/record" <<'EOF'
#!/bin/bash
name=$1 code=$2
shift 2
for sig; do trap "echo '$name got $sig' >>'$LOG'" "$sig"; done
[ -z "$sig" ] || trap "echo '$name got $sig' >>'$LOG'; exit $code" "$sig"
echo "$name ready" >>"$LOG"
while :; do sleep 0.05; done
EOF
        # orphan COMMAND... - start it as a grandchild and leave it behind
        cat >"$T/orphan" <<'EOF'
#!/bin/bash
"$@" </dev/null 3>&- &
exit 0
EOF
        # late - end, but not before having become an orphan of pid 1
        cat >"$T/late" <<'EOF'
#!/bin/bash
echo $$ >"$T/late.pid"
until read -r _ _ _ parent _ <"/proc/$$/stat" && [ "$parent" = 1 ]; do sleep 0.02; done
EOF
        # wait-for-late [quiet] - live until such an orphan was reaped
        cat >"$T/wait-for-late" <<'EOF'
#!/bin/bash
rm -f "$T/late.pid"
"$T/orphan" "$T/late"
until [ -s "$T/late.pid" ]; do sleep 0.02; done
while [ -e "/proc/$(<"$T/late.pid")" ]; do sleep 0.02; done
[ "$1" = quiet ] || echo x
EOF
        chmod +x "$T/record" "$T/orphan" "$T/late" "$T/wait-for-late"
}

# as_pid_1 [OPTION...] COMMAND... - coracle-init as pid 1 of a namespace of its own
as_pid_1() {
        timeout --foreground -k 5 "$RUNTIME_TIMEOUT" unshare $NEW_PIDS --fork --kill-child --mount-proc "$INIT" "$@" 3>&-
}

# start_as_pid_1 ... - the same in the background: $unshare_pid, $init_pid; what it prints is in $T/out
start_as_pid_1() {
        unshare $NEW_PIDS --fork --kill-child --mount-proc env --default-signal=INT,QUIT "$INIT" "$@" \
                </dev/null >"$T/out" 2>&1 3>&- & # which the shell ignores in the background
        unshare_pid=$!
        started+=("$unshare_pid")
        wait_until eval 'has_children "$unshare_pid" || is_gone "$unshare_pid" || [ "$(state_of "$unshare_pid")" = Z ]'
        init_pid=$(children "$unshare_pid" 2>/dev/null || true)
        init_pid=${init_pid%% *}
}

# start_outside ... - coracle-init in the background without a namespace: $init_pid
start_outside() {
        "$INIT" "$@" </dev/null >"$T/out" 2>&1 3>&- &
        init_pid=$!
        started+=("$init_pid")
}

# end_of PID - wait for a background process of this test and keep its exit code in $status
end_of() {
        status=0
        wait "$1" || status=$?
}

children() { cat "/proc/$1/task/$1/children"; }
has_children() { [ -n "$(children "$1")" ]; }
logged() { grep -qxF "$1" "$LOG"; }
wait_for_log() { wait_until logged "$1"; }
expect_log() { logged "$1" || { echo "not in the log: $1"; cat "$LOG"; return 1; }; }
refute_log() { refute logged "$1"; }
state_of() { awk '$1 == "State:" { print $2 }' "/proc/$1/status"; }
is_gone() { [ ! -e "/proc/$1" ]; }

# ------------------------------------------------------------------------------------------- DI-01: run, reap, pass on

@test "DI-01 the exit code of the command is that of init" {
        for code in 0 1 7 125 255; do
                run as_pid_1 sh -c "exit $code"
                expect_status "$code"
                expect_output ""
        done
}

@test "DI-01 a command that ends by a signal gives 128 + its number" {
        for sig in TERM KILL USR1 SEGV; do
                run as_pid_1 bash -c "ulimit -c 0; kill -$sig \$\$"
                expect_status $((128 + $(kill -l "$sig")))
        done
}

@test "DI-01 the command is not pid 1, leads a group of its own, and has pid 1 as parent" {
        run as_pid_1 sh -c 'echo $$ $PPID $(cut -d" " -f5 /proc/$$/stat)'
        expect_output "2 1 2"
}

@test "DI-01 a command that does not exist gives 127, by name and by path" {
        for command in no-such-program ./no-such-program /no/such/program ""; do
                run -127 as_pid_1 "$command"
                expect_text "cannot run \"$command\": no such program"
        done
}

@test "DI-01 a command that cannot be executed gives 126" {
        echo data >"$T/data"
        run as_pid_1 "$T/data"
        expect_status 126
        expect_text "Permission denied"

        run as_pid_1 "$T"
        expect_status 126
}

@test "DI-01 a script whose interpreter does not exist gives 127 and says what is missing" {
        printf '#!/no/interpreter\n' >"$T/lost"
        chmod +x "$T/lost"
        run -127 as_pid_1 "$T/lost"
        expect_text "its interpreter or dynamic loader does not exist"
}

@test "DI-01 a program is looked up in PATH, past folders that do not have it" {
        mkdir "$T/bin"
        printf '#!/bin/sh\necho found "$@"\n' >"$T/bin/my-program"
        chmod +x "$T/bin/my-program"
        PATH=/no/such/folder:$T:$T/bin:$PATH run as_pid_1 my-program a b
        expect_status 0
        expect_output "found a b"

        touch "$T/my-other"
        PATH=$T:$PATH run as_pid_1 my-other
        expect_status 126
}

@test "DI-01 a script without an interpreter line is run by the shell" {
        echo 'echo "$0 has $1"' >"$T/plain"
        chmod +x "$T/plain"
        run as_pid_1 "$T/plain" one
        expect_status 0
        expect_output "$T/plain has one"
}

@test "DI-01 signals are passed on, real-time ones and those that mean a crash included" {
        local names=(HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ
                VTALRM PROF WINCH IO PWR SYS RTMIN RTMIN+1 RTMAX TERM)
        # a shell cannot trap what was ignored when it began, as SIGPIPE is in units of systemd
        start_as_pid_1 env --default-signal "$T/record" main 33 "${names[@]}"
        wait_for_log "main ready"
        for name in "${names[@]}"; do
                kill -s "$name" "$init_pid"
                wait_for_log "main got $name"
        done
        end_of "$unshare_pid"
        expect_equal "$status" 33 "exit code"
        expect_equal "$(grep -c got "$LOG")" "${#names[@]}" "signals, each passed on once"
}

@test "DI-01 a signal goes to the command alone, not to its children" {
        start_as_pid_1 bash -c '"$T/record" child 0 USR1 & exec "$T/record" main 0 USR1 TERM'
        wait_for_log "main ready"
        wait_for_log "child ready"
        kill -USR1 "$init_pid"
        wait_for_log "main got USR1"
        kill -TERM "$init_pid"
        end_of "$unshare_pid"
        refute_log "child got USR1"
}

@test "DI-01 orphans are reaped while the command runs" {
        run as_pid_1 -w bash -c '
                for i in $(seq 20); do "$T/orphan" "$T/late"; done
                for i in $(seq 2000); do
                        zombies=$(grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null)
                        set -- /proc/[0-9]* # counted by the shell itself: init and the shell are left in the end
                        [ -n "$zombies" ] || [ $# -gt 2 ] || exit 9
                        sleep 0.05
                done'
        expect_status 9
        expect_equal "$(grep -c 'warning: reaped orphaned process' <<<"$output")" 20 "orphans reaped"
}

@test "DI-01 the code of the command is not mistaken for that of an orphan that ends at the same time" {
        for _ in 1 2 3 4 5; do
                run as_pid_1 bash -c 'for i in $(seq 30); do "$T/orphan" sh -c "exit 99"; done; exit 42'
                expect_status 42
        done
}

@test "DI-01 the command gets the signal mask and dispositions that init was started with" {
        local expected='grep -E "^Sig(Blk|Ign)" /proc/self/status'
        run sh -c "$expected"
        local plain=$output
        run as_pid_1 sh -c "$expected"
        expect_output "$plain"

        run env --ignore-signal=HUP,TTIN,TTOU,CHLD --block-signal=USR1,PIPE sh -c "$expected"
        local odd=$output
        refute expect_equal "$odd" "$plain"
        run env --ignore-signal=HUP,TTIN,TTOU,CHLD --block-signal=USR1,PIPE unshare $NEW_PIDS --fork --mount-proc \
                "$INIT" sh -c "$expected"
        expect_output "$odd"
}

@test "DI-01 an ignored SIGCHLD does not cost the exit code" {
        run env --ignore-signal=CHLD "$INIT" -s sh -c 'exit 7'
        expect_status 7
}

@test "DI-01 no descriptor is added to those of the command" {
        INIT=/usr/bin/env run as_pid_1 ls /proc/self/fd
        local plain=$output
        run as_pid_1 ls /proc/self/fd
        expect_output "$plain"
}

@test "DI-01 init sleeps until a signal comes" {
        start_as_pid_1 "$T/record" main 0 TERM
        wait_for_log "main ready"
        switches() { awk '/^(non)?voluntary_ctxt_switches/ { n += $2 } END { print n }' "/proc/$init_pid/status"; }
        wait_until eval '[ "$(state_of "$init_pid")" = S ]'
        is_quiet() { # a switch may be counted later than it is seen
                local before
                before=$(switches)
                sleep 2.5
                [ "$(switches)" = "$before" ]
        }
        wait_until is_quiet
        kill -TERM "$init_pid"
        end_of "$unshare_pid"
        expect_equal "$status" 0
}

# ----------------------------------------------------------------------------------------------- DI-02: process group

@test "DI-02 with -g a signal goes to the whole process group" {
        start_as_pid_1 -g bash -c '"$T/record" child 0 USR1 TERM & exec "$T/record" main 5 USR1 TERM'
        wait_for_log "main ready"
        wait_for_log "child ready"
        kill -USR1 "$init_pid"
        wait_for_log "main got USR1"
        wait_for_log "child got USR1"
        kill -TERM "$init_pid"
        end_of "$unshare_pid"
        expect_equal "$status" 5
}

@test "DI-02 TINI_KILL_PROCESS_GROUP does the same" {
        TINI_KILL_PROCESS_GROUP='' start_as_pid_1 bash -c '"$T/record" child 0 TERM & exec "$T/record" main 5 USR2'
        wait_for_log "main ready"
        wait_for_log "child ready"
        kill -USR2 "$init_pid"
        end_of "$unshare_pid"
        expect_equal "$status" 5

        : >"$LOG"
        TINI_KILL_PROCESS_GROUP='' start_as_pid_1 bash -c '"$T/record" child 0 USR1 & exec "$T/record" main 5 USR1 USR2'
        wait_for_log "main ready"
        wait_for_log "child ready"
        kill -USR1 "$init_pid"
        wait_for_log "child got USR1"
        kill -USR2 "$init_pid"
        end_of "$unshare_pid"
}

# --------------------------------------------------------------------------------------------------- DI-03: subreaper

orphan_s_parent() { # OPTION... - whose child an orphan becomes: "init" or another
        "$INIT" "$@" bash -c '
                "$T/orphan" sh -c "echo \$\$ >\"$T/orphan.pid\"; exec sleep 60"
                until [ -s "$T/orphan.pid" ]; do sleep 0.02; done
                pid=$(cat "$T/orphan.pid")
                for i in $(seq 600); do
                        parent=$(cut -d" " -f4 "/proc/$pid/stat")
                        [ "$parent" = "$PPID" ] && echo init && break
                        [ "$parent" = 1 ] && echo pid 1 && break
                        sleep 0.05
                done
                kill -KILL "$pid"' 3>&-
}

@test "DI-03 with -s orphans become children of init though it is not pid 1" {
        run --separate-stderr orphan_s_parent -s
        expect_output init
        [ -z "$stderr" ]
        rm "$T/orphan.pid"
        TINI_SUBREAPER='' run --separate-stderr orphan_s_parent
        expect_output init
        [ -z "$stderr" ]
}

@test "DI-03 without -s and not as pid 1 there is a warning, and init gets no orphans" {
        run --separate-stderr orphan_s_parent
        refute expect_output init
        output=$stderr
        expect_text "warning: neither pid 1 nor child subreaper"
}

@test "DI-03 there is no warning as pid 1" {
        run as_pid_1 true
        expect_output ""
}

# ---------------------------------------------------------------------------------------- DI-04: parent-death signal

start_with_mortal_parent() { # OPTION... - a shell starts init and waits; $parent_pid, $init_pid
        bash -c '"$INIT" "$@" & echo $! >"$T/init.pid"; wait' parent "$@" </dev/null >"$T/out" 2>&1 3>&- &
        parent_pid=$!
        started+=("$parent_pid")
        wait_until test -s "$T/init.pid"
        init_pid=$(cat "$T/init.pid")
}

@test "DI-04 with -p the death of the parent arrives as that signal and is passed on" {
        start_with_mortal_parent -s -p SIGUSR2 -- "$T/record" main 0 USR2
        wait_for_log "main ready"
        kill -KILL "$parent_pid"
        wait_for_log "main got USR2"
        wait_until is_gone "$init_pid"
}

@test "DI-04 without -p the death of the parent changes nothing" {
        start_with_mortal_parent -s -- "$T/record" main 0 USR1 TERM
        wait_for_log "main ready"
        kill -KILL "$parent_pid"
        end_of "$parent_pid"
        kill -USR1 "$init_pid"
        wait_for_log "main got USR1"
        kill -TERM "$init_pid"
        wait_until is_gone "$init_pid"
}

@test "DI-04 -p SIGKILL ends a whole pid namespace with its parent" {
        unshare $NEW_PIDS --fork --mount-proc "$INIT" -p SIGKILL "$T/record" main 0 TERM </dev/null >"$T/out" 2>&1 3>&- &
        unshare_pid=$!
        started+=("$unshare_pid")
        wait_for_log "main ready"
        local init main
        init=$(children "$unshare_pid") && init=${init%% *}
        main=$(children "$init") && main=${main%% *}
        kill -KILL "$unshare_pid"
        wait_until is_gone "$init"
        wait_until is_gone "$main"
}

# ----------------------------------------------------------------------------------------------- DI-05: exit codes

@test "DI-05 -e turns the named codes into 0 and no others" {
        run as_pid_1 -e 3 -e 143 sh -c 'exit 3'
        expect_status 0
        run as_pid_1 -e 3 -e143 sh -c 'kill -TERM $$'
        expect_status 0
        run as_pid_1 -e 3 -e 143 sh -c 'exit 4'
        expect_status 4
        run as_pid_1 -e 127 no-such-program
        expect_status 0
        run as_pid_1 -e 0 -e 255 sh -c 'exit 255'
        expect_status 0
}

@test "DI-05 a wrong code is refused" {
        for code in 256 -1 x '' 1x; do
                run "$INIT" -e "$code" true
                expect_status 1
                expect_text "option -e: \"$code\" is not an exit code"
        done
}

# ------------------------------------------------------------------------------------------------ DI-06: verbosity

@test "DI-06 each -v says more, on standard error" {
        run --separate-stderr as_pid_1 -s "$T/wait-for-late"
        expect_output x
        [ -z "$stderr" ]
        run --separate-stderr as_pid_1 -s -v "$T/wait-for-late"
        expect_output x
        output=$stderr
        expect_text "info: started \"$T/wait-for-late\"" "info: the main child ended with code 0"
        expect_no_text "debug: "
        run as_pid_1 -s -vv "$T/wait-for-late"
        expect_text "info: " "debug: reaped orphaned process"
        expect_no_text "trace: "
        run as_pid_1 -s -vvv true
        expect_text "trace: "
}

@test "DI-06 TINI_VERBOSITY sets the level, and 0 leaves errors only" {
        TINI_VERBOSITY=3 run as_pid_1 true
        expect_text "info: "
        TINI_VERBOSITY=0 run "$INIT" true # would warn that it is not pid 1
        expect_status 0
        expect_output ""
        TINI_VERBOSITY=0 run -127 "$INIT" no-such-program
        expect_text "error: "
        TINI_VERBOSITY=loud run as_pid_1 sh -c 'exit 4'
        expect_status 4
        expect_text 'TINI_VERBOSITY: "loud" is not a number'
}

@test "DI-06 -w warns about what is reaped, and only about that" {
        run as_pid_1 -w "$T/wait-for-late" quiet
        expect_match 'warning: reaped orphaned process [0-9]+$'
        expect_equal "${#lines[@]}" 1 "lines"
        run as_pid_1 "$T/wait-for-late" quiet
        expect_output ""
}

@test "DI-06 what can no longer be said does not reach the command as a signal" {
        (
                trap '' PIPE
                exec 3>&-
                timeout "$RUNTIME_TIMEOUT" unshare $NEW_PIDS --fork --mount-proc env --default-signal=PIPE "$INIT" -vvv bash -c '
                        trap "echo pipe >>\"$LOG\"" PIPE
                        "$T/orphan" true; sleep 0.2; "$T/orphan" true; sleep 0.2' 2>&1 >/dev/null | true
        )
        refute_log pipe
}

# ---------------------------------------------------------------------------------------------- DI-07: command line

@test "DI-07 --version prints what dockerd reads" {
        run "$INIT" --version
        expect_status 0
        expect_match '^tini version [0-9]+\.[0-9]+\.[0-9]+ \(coracle-init [0-9.]+\) - git\.[a-z0-9]+$'
}

@test "DI-07 -h, -l and an empty command line" {
        run --separate-stderr "$INIT" -h
        expect_status 0
        expect_text "usage: coracle-init" -e -g -l -p -s -v -w --version --wait-all --signal-all --grace TINI_SUBREAPER
        [ -z "$stderr" ]
        run --separate-stderr "$INIT" -l
        expect_status 0
        expect_text "Apache License" "musl"
        run --separate-stderr "$INIT"
        expect_status 1
        expect_output ""
        output=$stderr
        expect_text "usage: coracle-init"
        run "$INIT" -s --
        expect_status 1
}

@test "DI-07 options end at the command or at --" {
        run as_pid_1 -- echo -v -- -x
        expect_output "-v -- -x"
        run as_pid_1 echo -- -g -x
        expect_output "-g -x"
        run as_pid_1 echo -g -- -x
        expect_output "-g -- -x"
        run -127 as_pid_1 -g -- -g
        expect_text 'cannot run "-g"'
}

@test "DI-07 wrong options are named and nothing is started" {
        run "$INIT" -z touch "$T/made"
        expect_status 1
        expect_text "unknown option -z"
        run "$INIT" --no-such-option touch "$T/made"
        expect_status 1
        expect_text "unknown option --no-such-option"
        run "$INIT" -p SIGFOO touch "$T/made"
        expect_status 1
        expect_text 'option -p: "SIGFOO" is not a signal'
        run "$INIT" -e
        expect_status 1
        expect_text "option -e needs an argument"
        run "$INIT" --grace 4 touch "$T/made"
        expect_status 1
        expect_text "--wait-all"
        [ ! -e "$T/made" ]
}

@test "DI-07 the minimal form takes every word for the command" {
        INIT=$INSTALLED-minimal
        run as_pid_1 sh -c 'exit 6'
        expect_status 6
        run -127 as_pid_1 --version
        expect_text 'cannot run "--version"'
        run -127 as_pid_1 -- true
        run "$INIT"
        expect_status 1
        expect_text "no options"
        run --separate-stderr "$INIT" sh -c 'exit 7'
        expect_status 7
        output=$stderr
        expect_text "warning: neither pid 1"
        TINI_SUBREAPER=1 run "$INIT" sh -c 'exit 7'
        expect_status 7
        expect_output ""
}

# --------------------------------------------------------------------------------------------------- DI-08: terminal

# on_terminal COMMAND-LINE - run it on a terminal of its own, its keyboard is our standard input
on_terminal() {
        timeout -k 5 "$RUNTIME_TIMEOUT" script -qec "$1" /dev/null 3>&- | tr -d '\r'
}

@test "DI-08 an interactive shell under init has job control" {
        skip_unless "program script"
        type_it() {
                echo 'sleep 0.1 & wait; echo jobs: $?'
                echo 'echo group: $(cut -d" " -f5,8 /proc/$$/stat)'
                echo 'exit 12'
        }
        run bash -c "$(declare -f on_terminal type_it); type_it | on_terminal 'unshare $NEW_PIDS --fork --mount-proc \
                \"\$INIT\" -- bash --norc -i; echo code: \$?'"
        expect_no_text "no job control" "cannot set terminal process group"
        expect_text "jobs: 0" "code: 12"
        expect_match 'group: 2 [0-9]+'
}

@test "DI-08 the command is the terminal's foreground process group, and Ctrl-C reaches it" {
        skip_unless "program script"
        type_it() {
                until grep -q ready "$LOG"; do sleep 0.05; done
                printf '\003'
                until grep -q got "$LOG"; do sleep 0.05; done
        }
        export -f type_it on_terminal
        cat >"$T/reader" <<'EOF'
#!/bin/bash
trap 'echo "got INT" >>"$LOG"; exit 3' INT
echo "group $(cut -d" " -f5 /proc/$$/stat) foreground $(cut -d" " -f8 /proc/$$/stat)" >>"$LOG"
echo ready >>"$LOG"
while :; do sleep 0.05; done
EOF
        chmod +x "$T/reader"
        # init leads the session of the terminal
        run timeout -k 5 "$RUNTIME_TIMEOUT" bash -c 'set -o pipefail; type_it | on_terminal "exec \"$INIT\" -s -- \"$T/reader\""'
        expect_status 3
        expect_log "got INT"
        read -r _ group _ foreground < <(grep '^group' "$LOG")
        expect_equal "$foreground" "$group" "foreground process group"
}

@test "DI-08 the terminal is given back at the end" {
        skip_unless "program script"
        run bash -c "$(declare -f on_terminal)"'; (sleep 1; echo some words) | on_terminal "sh -c '\''
                \"$INIT\" -s true; read -r line; echo read: \$line'\''"'
        expect_text "read: some words"
}

@test "DI-08 in the background, init leaves the terminal to its owner" {
        skip_unless "program script"
        cat >"$T/background" <<'EOF'
#!/bin/bash
set -m
"$INIT" -s sleep 0.5 &
sleep 0.2
read -r _ _ _ _ group _ _ foreground _ < <(sed 's/(.*)/x/' /proc/$$/stat)
[ "$group" = "$foreground" ] && echo still mine
wait
EOF
        chmod +x "$T/background"
        run bash -c "$(declare -f on_terminal)"'; sleep 3 | on_terminal "$T/background"'
        expect_text "still mine"
}

@test "DI-08 a command may write to a terminal that stops background writers" {
        skip_unless "program script"
        run bash -c "$(declare -f on_terminal)"'; sleep 1 | on_terminal "stty tostop; \"$INIT\" -vvv -s -- echo hello"'
        expect_text "hello" "info: the main child ended with code 0"
}

# ------------------------------------------------------------------------------------------------ DI-09: small, static

@test "DI-09 the program is static and smaller than 100 KiB" {
        for program in "$INSTALLED" "$INSTALLED-minimal"; do
                size=$(stat -c %s "$program")
                [ "$size" -lt $((100 * 1024)) ] || fail "$program has $size bytes"
                refute readelf_has_interpreter "$program"
        done
}

@test "DI-09 it runs where there is nothing else" {
        mkdir "$T/root"
        cp "$INSTALLED" "$T/root/init"
        run unshare $NEW_PIDS --fork chroot "$T/root" /init /init --version
        expect_status 0
        expect_text "tini version"
}

# ----------------------------------------------------------------------------------------------------- DI-10: install

@test "DI-10 it is installed under the names it replaces" {
        skip_unless "program meson"
        DESTDIR=$T/dest run meson install -C "$CORACLE_BUILD" --no-rebuild --quiet
        expect_status 0
        for name in bin/coracle-init bin/tini bin/docker-init sbin/docker-init; do
                program=$(find "$T/dest" -path "*/$name")
                run "$program" --version
                expect_status 0
                expect_text "tini version"
        done
        [ -n "$(find "$T/dest" -name 'coracle-init.1*')" ]
}

# ------------------------------------------------------------------------------- beyond tini: all of the descendants

family='"$T/orphan" "$T/record" far 0 $SIGNALS; "$T/record" near 0 $SIGNALS & exec "$T/record" main 21 $SIGNALS'

start_family() { # HOW OPTION... - main, a child of it and an orphan, which know $SIGNALS
        local how=$1
        shift
        "$how" "$@" -- bash -c "$family"
        for name in main near far; do wait_for_log "$name ready"; done
}

expect_all_got() {
        for name in main near far; do wait_for_log "$name got $1"; done
}

@test "--signal-all reaches all processes of the namespace" {
        export SIGNALS="USR1 TERM"
        start_family start_as_pid_1 --signal-all
        kill -USR1 "$init_pid"
        expect_all_got USR1
        kill -TERM "$init_pid"
        end_of "$unshare_pid"
        expect_equal "$status" 21 "exit code"
}

@test "--signal-all reaches the tree of descendants of a subreaper, and nobody else" {
        export SIGNALS="USR1 TERM"
        "$T/record" bystander 0 USR1 </dev/null >/dev/null 2>&1 3>&- &
        started+=($!)
        wait_for_log "bystander ready"
        start_family start_outside --signal-all
        kill -USR1 "$init_pid"
        expect_all_got USR1
        kill -TERM "$init_pid"
        expect_all_got TERM
        end_of "$init_pid"
        expect_equal "$status" 21 "exit code"
        refute_log "bystander got USR1"
}

@test "--signal-all finds the children of a thread that is not the main one" {
        skip_unless "program python3"
        cat >"$T/threads.py" <<'EOF'
import os, signal, subprocess, threading
signal.signal(signal.SIGUSR1, lambda *_: None)
threading.Thread(target=lambda: subprocess.run([os.environ["T"] + "/record", "child", "0", "USR1"])).start()
EOF
        start_outside --signal-all -- python3 "$T/threads.py"
        wait_for_log "child ready"
        kill -USR1 "$init_pid"
        wait_for_log "child got USR1"
        end_of "$init_pid"
}

@test "--signal-all is refused where /proc shows other processes" {
        run unshare $NEW_PIDS --fork sh -c '"$INIT" --signal-all true; exit $?'
        expect_status 1
        expect_text "/proc belongs to another pid namespace"
        run unshare $NEW_PIDS --fork "$INIT" --signal-all true # pid 1 needs no /proc
        expect_status 0
}

@test "without --wait-all init ends with the command" {
        export SIGNALS=TERM
        start_family start_outside -s
        kill -TERM "$init_pid"
        end_of "$init_pid"
        refute_log "far got TERM"
}

@test "--wait-all ends the others with SIGTERM and waits; the code is the command's" {
        for how in start_as_pid_1 start_outside; do
                : >"$LOG"
                $how --wait-all --grace 100 -- bash -c '
                        "$T/orphan" bash -c "trap \"sleep 0.3; echo far is done >>\\\"\$LOG\\\"; exit 5\" TERM
                                echo far ready >>\"\$LOG\"; while :; do sleep 0.05; done"
                        until grep -q "far ready" "$LOG"; do sleep 0.02; done; exit 31'
                end_of "${started[-1]}"
                expect_equal "$status" 31 "exit code"
                expect_log "far is done"
        done
}

@test "--wait-all kills what is left when the grace time is over" {
        for how in start_as_pid_1 start_outside; do
                for grace in 0 1; do
                        : >"$LOG"
                        $how -v --wait-all --grace $grace -- bash -c '
                                "$T/orphan" bash -c "trap \"\" TERM HUP INT; echo \$\$ >\"\$T/far.pid\"
                                        echo far ready >>\"\$LOG\"; while :; do sleep 0.05; done"
                                until grep -q "far ready" "$LOG"; do sleep 0.02; done; exit 32'
                        end_of "${started[-1]}"
                        expect_equal "$status" 32 "exit code"
                        grep -q "killing the remaining descendants" "$T/out"
                        [ "$how" = start_as_pid_1 ] || is_gone "$(cat "$T/far.pid")"
                done
        done
}

@test "--wait-all does not wait for ever for what it may not kill" {
        skip_unless root "program setpriv"
        install -m 4755 "$(command -v setpriv)" "$T/as-root"
        cp "$INSTALLED" "$T/init"
        chmod 711 "$T"
        chmod 666 "$LOG"
        as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
        [ "$(as_nobody "$T/as-root" --reuid 0 id -u)" = 0 ] || skip "needs set-user-id programs in $T: runs elsewhere"
        run as_nobody "$T/init" --wait-all --grace 0 -- bash -c '
                "$T/as-root" --reuid 0 bash -c "echo \$\$ >\"\$T/root.pid\"; exec sleep 1000" 3>&- >/dev/null 2>&1 &
                until [ -s "$T/root.pid" ]; do sleep 0.05; done; exit 36' 3>&-
        expect_status 36
        expect_text "Operation not permitted" "some descendants cannot be killed"
        kill -KILL "$(cat "$T/root.pid")"
}

@test "--wait-all kills a family that grows while it is killed" {
        start_outside --wait-all --grace 0 -- bash -c '
                grow() { trap "" TERM; for i in $(seq 40); do sleep 300 & sleep 0.01; done; wait; }
                export -f grow
                for i in 1 2 3 4; do "$T/orphan" bash -c "echo \$\$ >\"\$T/\$\$.pid\"; grow"; done
                sleep 0.2; exit 33'
        end_of "$init_pid"
        expect_equal "$status" 33 "exit code"
        for dir in /proc/[0-9]*; do
                refute grep -qzxF "T=$T" "$dir/environ" || [ "${dir#/proc/}" = "$$" ] || [ "${dir#/proc/}" = "$BASHPID" ] ||
                        [[ $(tr '\0' ' ' <"$dir/cmdline") != *"sleep 300"* ]]
        done
}

@test "--wait-all --grace infinite waits without a signal" {
        for how in start_as_pid_1 start_outside; do
                : >"$LOG"
                $how -v --wait-all --grace infinite -- bash -c '"$T/orphan" "$T/record" far 0 TERM USR1
                        until grep -q "far ready" "$LOG"; do sleep 0.02; done; echo main done >>"$LOG"; exit 34'
                wait_until grep -q "waiting for the remaining descendants" "$T/out"
                sleep 0.3
                refute_log "far got TERM"
                kill -0 "$init_pid"
                kill -USR1 "$init_pid" # now goes to who is left
                end_of "${started[-1]}"
                expect_log "far got USR1"
                expect_equal "$status" 34 "exit code"
        done
}

@test "--wait-all: a signal that is there with the end of the main child is for those who are left" {
        local main
        for how in start_as_pid_1 start_outside; do
                : >"$LOG"
                rm -f "$T/end"
                $how --wait-all --grace infinite -- bash -c '"$T/orphan" "$T/record" far 0 TERM USR1
                        until [ -e "$T/end" ]; do sleep 0.02; done; exit 34'
                wait_for_log "far ready"
                main=$(pgrep -P "$init_pid" -x bash)
                kill -STOP "$init_pid"
                wait_until eval '[ "$(state_of "$init_pid")" = T ]'
                kill -USR1 "$init_pid"
                touch "$T/end"
                wait_until eval '[ "$(state_of "$main")" = Z ]'
                kill -CONT "$init_pid"
                end_of "${started[-1]}"
                expect_log "far got USR1"
                expect_equal "$status" 34 "exit code"
        done
}

@test "--wait-all with --signal-all sends no second SIGTERM" {
        for how in start_as_pid_1 start_outside; do
                : >"$LOG"
                $how -v --signal-all --wait-all -- bash -c '
                        "$T/orphan" bash -c "n=0; trap \"let n++; echo far term \\\$n >>\\\"\$LOG\\\"\" TERM; trap \"exit 0\" USR1
                                echo far ready >>\"\$LOG\"; while :; do sleep 0.05; done"
                        exec "$T/record" main 35 TERM'
                wait_for_log "far ready"
                wait_for_log "main ready"
                kill -TERM "$init_pid"
                wait_for_log "far term 1"
                wait_for_log "main got TERM"
                wait_until grep -q "waiting for the remaining descendants" "$T/out"
                sleep 0.3
                kill -USR1 "$init_pid"
                end_of "${started[-1]}"
                expect_equal "$status" 35 "exit code"
                expect_equal "$(grep -c 'far term' "$LOG")" 1 "SIGTERMs"
        done
}

@test "--wait-all with nobody to wait for ends at once" {
        run as_pid_1 -v --wait-all sh -c 'exit 8'
        expect_status 8
        expect_no_text "waiting for"
        run "$INIT" --wait-all sh -c 'exit 8'
        expect_status 8
        expect_output ""
}
