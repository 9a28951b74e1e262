#!/usr/bin/env bats
# Containers in a person's terminal: tmux plays the terminal and the person.

load lib

setup_file() {
        [ "$(id -u)" = 0 ] || return 0
        STORE=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
        local tree=$STORE/tree name
        mkdir -p "$tree/bin" "$tree/tmp"
        cp "$(command -v busybox)" "$tree/bin/busybox"
        for name in $(busybox --list); do [ "$name" = busybox ] || ln -s busybox "$tree/bin/$name"; done
        LIBEXEC=$STORE/libexec
        mkdir "$LIBEXEC"
        ln -s "$CORACLE_BUILD/src/image/coracle-transfer" "$CORACLE_BUILD/libexec/coracle-monitor" \
                "$CORACLE_BUILD/src/tools/init/coracle-init" "$LIBEXEC"
        export STORE LIBEXEC
        tar -C "$tree" -c . | coracle import -c 'CMD ["sh"]' - bb
}

teardown_file() {
        [ -z "${STORE:-}" ] || rm -rf "$STORE"
}

setup() {
        skip_unless root # networks and cgroups of the whole machine
        command -v tmux >/dev/null || skip "there is no tmux; runs where it is installed"
        TEST_DIR=$(mktemp -d "${CORACLE_TEST_TMP:-${TMPDIR:-/tmp}}/coracle-test-XXXXXX")
        export HOME=$TEST_DIR
        unset DOCKER_CONFIG TMUX
        cat >"$TEST_DIR/c" <<SCRIPT
#!/bin/sh
CORACLE_LIBEXEC=$LIBEXEC exec $CORACLE_BUILD/src/cli/coracle --root $STORE/store "\$@"
SCRIPT
        chmod +x "$TEST_DIR/c"
        (cd "$TEST_DIR" && PS1='\$ ' screen -f /dev/null new-session -d -x 80 -y 24 "PS1='host> ' exec sh" 3>&-)
        expect_screen '^host>'
}

teardown() {
        [ -n "${TEST_DIR:-}" ] || return 0
        screen kill-server || true
        coracle ps -aq | while read -r id; do coracle rm -f "$id"; done >/dev/null 2>&1 || true
        rm -rf "$TEST_DIR"
}

coracle() { CORACLE_LIBEXEC=$LIBEXEC timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE_BUILD/src/cli/coracle" --root "$STORE/store" "$@" 3>&-; }

screen() { timeout "$RUNTIME_TIMEOUT" tmux -S "$TEST_DIR/tmux" "$@" 3>&-; }

enter() { screen send-keys -l "$*" && screen send-keys Enter; } # a line, as a person types it

shows() { screen capture-pane -p | grep -Eq -- "$1"; }

expect_screen() { # REGEX - on a line of its own, sooner or later
        wait_until shows "$1" || { screen capture-pane -p; return 1; }
}

@test "run -it: a shell with a terminal of the right size, that follows the window" {
        enter './c run -it --rm --network none bb; echo "code $?"'
        expect_screen '^[/~] #'
        enter stty size
        expect_screen '^24 80$'
        screen resize-window -x 100 -y 30
        enter 'until [ "$(stty size)" = "30 100" ]; do sleep 0.1; done; stty size'
        expect_screen '^30 100$'
        enter 'exit 6'
        expect_screen '^code 6$'
        enter 'stty -a | grep -o " -*echo "' # the terminal is as it was
        expect_screen '^ *echo *$'
}

@test "Ctrl-C is for the program in the container" {
        enter ./c run -it --rm --name interrupted --network none bb
        expect_screen '^[/~] #'
        enter 'sleep 1000'
        wait_until coracle exec interrupted pidof sleep # what is echoed does not run yet
        screen send-keys C-c
        enter 'echo "status $?"'
        expect_screen '^status 130$'
        enter exit
        expect_screen '^host>'
}

@test "Ctrl-C without a terminal of its own: the signal is handed on" {
        enter "./c run --rm --network none bb sh -c 'trap \"echo interrupted; exit 3\" INT; echo ready; while :; do sleep 0.1; done'; echo \"code \$?\""
        expect_screen '^ready'
        screen send-keys C-c
        expect_screen 'interrupted$'
        expect_screen '^code 3$'
}

# What is typed while a command still has the terminal is the command's: what comes after it stands in the same line.

@test "detach and attach again: ctrl-p ctrl-q, other keys, keys of config.json" {
        enter './c run -it --name dd --network none bb; echo "left $?"'
        expect_screen '^[/~] #'
        enter 'COLOUR=green'
        screen send-keys C-p C-q
        expect_screen 'left 0$'
        run coracle inspect -f '{{.State.Running}}' dd
        expect_output true
        enter './c attach --detach-keys ctrl-x,x dd; echo "back $?"'
        expect_screen '^[/~] # *$'
        enter 'echo "it is $COLOUR"'
        expect_screen '^it is green$'
        screen send-keys C-x x
        expect_screen 'back 0$'
        mkdir "$TEST_DIR/.docker" && echo '{"detachKeys":"ctrl-e,e"}' >"$TEST_DIR/.docker/config.json"
        enter './c attach dd; echo "again $?"'
        enter 'echo "still $COLOUR"'
        expect_screen '^still green$'
        screen send-keys C-e e
        expect_screen 'again 0$'
        run coracle inspect -f '{{.State.Running}}' dd
        expect_output true
        wait_until events_tell dd 3 attach
        wait_until events_tell dd 3 detach
        events_tell dd 1 start
        coracle events --since 10m --until 0s -f container=dd -f event=resize --format '{{.Actor.Attributes.height}} {{.Actor.Attributes.width}}' |
                grep -qx '24 80'
}

events_tell() { # CONTAINER COUNT ACTION
        [ "$(coracle events --since 10m --until 0s -f "container=$1" -f "event=$3" --format '{{.Action}}' | grep -c .)" = "$2" ]
}

@test "exec -it: a second shell; who detaches leaves it running" {
        coracle run -d --name xx --network none bb sleep 1000
        enter './c exec -it xx sh; echo "left $?"'
        expect_screen '^[/~] #'
        enter 'stty size; tty'
        expect_screen '^24 80$'
        expect_screen '^/dev/pts/'
        enter 'sh -c "sleep 2; echo late >/tmp/late" &'
        screen send-keys C-p C-q
        expect_screen 'left 0$'
        wait_until coracle exec xx cat /tmp/late
        events_tell xx 1 exec_detach
        enter './c exec -it xx sh -c "exit 8"; echo "code $?"'
        expect_screen 'code 8$'
}
