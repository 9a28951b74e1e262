#!/usr/bin/env bats
# The files of containers: diff, export, commit, cp; and what `system check` says of what is left of them.

load lib
load registries
load containers

setup() { setup_containers; }
teardown() { teardown_containers; }

# change CONTAINER - one change of each kind
change() {
        coracle exec "$1" sh -c 'mkdir /d && echo x >/d/f && echo new >/new && rm /bin/cat && ln -s /etc/passwd /l &&
                rm -r /opt/gone && mkdir /opt/gone && echo 1 >/opt/gone/back'
}

# An image with a folder whose content can be hidden
make_opt_image() {
        crun --name opt bb:1 sh -c 'mkdir -p /opt/gone && echo 1 >/opt/gone/one && echo 2 >/opt/gone/two'
        coracle commit opt opt:1 >/dev/null
        coracle rm opt >/dev/null
}

start_changed() {
        make_opt_image
        crun -d --name web "$@" opt:1 sleep 1000 >/dev/null
        change web
}

@test "diff: what was added, changed and deleted, running and stopped" {
        local wanted
        start_changed
        wanted="C /bin
D /bin/cat
A /d
A /d/f
A /l
A /new
C /opt
C /opt/gone
A /opt/gone/back
D /opt/gone/one
D /opt/gone/two"
        run coracle diff web
        expect_status 0
        expect_output "$wanted"
        coracle stop -t 0 web
        run coracle container diff web
        expect_output "$wanted"
}

@test "diff: a container that was only created has changed nothing" {
        coracle create --name new bb:1 true
        run coracle diff new
        expect_status 0
        expect_output ""
        run coracle diff none
        expect_status 1
        [[ "$output" == *"No such container: none"* ]]
}

@test "export: all files but what is mounted, running and stopped" {
        local state
        start_changed -v vol:/data --tmpfs /scratch
        coracle exec web sh -c 'echo 1 >/data/in-volume; echo 2 >/scratch/in-memory'
        for state in running stopped; do
                coracle export -o "$TEST_DIR/$state.tar" web
                mkdir "$TEST_DIR/$state"
                tar -C "$TEST_DIR/$state" -xf "$TEST_DIR/$state.tar"
                [ "$(<"$TEST_DIR/$state/d/f")" = x ] && [ "$(readlink "$TEST_DIR/$state/l")" = /etc/passwd ]
                [ ! -e "$TEST_DIR/$state/bin/cat" ] && [ ! -e "$TEST_DIR/$state/opt/gone/one" ]
                [ -z "$(find "$TEST_DIR/$state/data" "$TEST_DIR/$state/scratch" "$TEST_DIR/$state/proc" -mindepth 1)" ]
                coracle stop -t 0 web
        done
        diff -r --no-dereference "$TEST_DIR/running" "$TEST_DIR/stopped"
        run coracle export none
        expect_status 1
        coracle rm -v web && coracle volume rm vol
}

@test "holes of files stay holes, in a volume and by cp: a small image cannot fill the disk" {
        mkdir -p "$TEST_DIR/tree/data" "$TEST_DIR/mine"
        truncate -s 64M "$TEST_DIR/tree/data/file"
        printf end | dd of="$TEST_DIR/tree/data/file" bs=1M seek=32 conv=notrunc status=none
        tar -C "$TEST_DIR/tree" -cSf "$TEST_DIR/holes.tar" .
        coracle import -c 'VOLUME /data' -c 'CMD ["/none"]' "$TEST_DIR/holes.tar" holes:1
        coracle create --name web --network none -v vol:/data holes:1 >/dev/null
        coracle cp web:/data/file "$TEST_DIR/mine/out"
        coracle cp "$TEST_DIR/mine/out" web:/data/in
        coracle cp "$TEST_DIR/mine/out" web:/below
        for file in "$COR_STORE"/volumes/vol/_data/{file,in} "$TEST_DIR/mine/out" "$COR_STORE"/containers/*/upper/below; do
                cmp "$TEST_DIR/tree/data/file" "$file"
                [ "$(stat -c %b "$file")" -lt 10000 ] || fail "$file: $(stat -c %b "$file") blocks"
        done
        coracle rm -v web && coracle volume rm vol
}

@test "export: what is written to a full disk is an error, and no half of a file" {
        start_changed
        run sh -c "'$CORACLE' export web >/dev/full"
        expect_status 1
        [[ "$output" == *"No space left on device"* ]]
        run coracle export -o "$TEST_DIR/none/x.tar" web
        expect_status 1
        [ -z "$(find "$TEST_DIR" -maxdepth 1 -name 'x.tar*')" ]
}

@test "commit: an image with one layer more, which others can be made from" {
        start_changed
        run coracle commit -a 'Me <me@example.org>' -m 'a message' -c 'ENV A=b' -c 'CMD ["sh", "-c", "ls /bin/cat; cat /new 2>&1; echo $A"]' web new:1
        expect_status 0
        [[ "$output" =~ ^sha256:[0-9a-f]{64}$ ]]
        run coracle inspect --format '{{.Author}}/{{.Comment}}/{{len .RootFS.Layers}}/{{index .Config.Env 0}}' new:1
        expect_output "Me <me@example.org>/a message/3/A=b"
        run coracle history --format '{{.CreatedBy}}|{{.Comment}}' new:1
        [ "${lines[0]}" = "sleep 1000|a message" ]
        run crun --rm new:1 sh -c 'ls /bin /opt/gone; busybox cat /new; echo $A'
        expect_status 0
        [[ "$output" == *back*new*b ]] && [[ "$output" != *one* ]] && [[ " $(echo "$output" | tr '\n' ' ')" != *" cat "* ]]
        run coracle ps --format '{{.Status}}'
        [[ "$output" == Up* ]] && [[ "$output" != *Paused* ]]
        coracle save new:1 | tar -t >/dev/null
        coracle rmi new:1
}

@test "commit: of a container whose image is gone, and with what is no instruction" {
        start_changed
        run coracle commit -c 'FROM x' web
        expect_status 1
        [[ "$output" == *"FROM is not a valid change command"* ]]
        run coracle commit web UPPER:1
        expect_status 1
        [[ "$output" == *"must be lowercase"* ]]
        run coracle ps --format '{{.Status}}'
        [[ "$output" != *Paused* ]]
}

@test "cp: docker's rules for files and directories, in and out" {
        mkdir -p "$TEST_DIR/h/d/sub"
        echo 1 >"$TEST_DIR/h/f" && echo 2 >"$TEST_DIR/h/d/x" && echo 3 >"$TEST_DIR/h/d/sub/y" && ln -s x "$TEST_DIR/h/d/link"
        chown 1234:1234 "$TEST_DIR/h/f"
        crun -d --name web bb:1 sleep 1000 >/dev/null
        cd "$TEST_DIR/h"
        coracle cp f web:/name && coracle cp f web:/bin && coracle cp d web:/new && coracle cp d web:/new && coracle cp d/. web:new2
        run coracle exec web sh -c 'cat /name /bin/f /new/x /new/sub/y /new/d/x /new2/x; ls -ln /name | (read a b c d e; echo $c $d); ls -l /new/link'
        expect_status 0
        [[ "$output" == "1
1
2
3
2
2
0 0
"*"-> x" ]]
        coracle cp -a f web:/owned
        [ "$(coracle exec web ls -ln /owned | awk '{ print $3 $4 }')" = 12341234 ]
        coracle exec web sh -c 'echo 4 >/name; chmod 4755 /name; ln -s name /lname'
        mkdir out
        coracle cp web:name out && coracle cp web:/new out/made && coracle cp web:/new out && coracle cp web:/new/. out/inside
        [ "$(cat out/name out/made/x out/new/x out/inside/x | tr '\n' ' ')" = "4 2 2 2 " ]
        [ ! -u out/name ] # nobody's program becomes root's on the host
        coracle cp web:/lname out && [ -L out/lname ]
        coracle cp -L web:/lname out/followed && [ "$(<out/followed)" = 4 ]
}

@test "cp: what cannot be copied is said" {
        crun -d --name web bb:1 sleep 1000 >/dev/null
        cd "$TEST_DIR" && mkdir dir && echo 1 >file
        run coracle cp web:/none .
        expect_status 1
        [[ "$output" == *"Could not find the file /none in container"* ]]
        run coracle cp none web:/
        expect_status 1
        [[ "$output" == *"no such file or directory"* ]]
        run coracle cp file web:/none/
        expect_status 1
        [[ "$output" == *"no such directory"* ]]
        run coracle cp dir web:/bin/sh
        expect_status 1
        [[ "$output" == *"cannot copy directory"* ]]
        run coracle cp web:/dev/null .
        expect_status 1
        [[ "$output" == *device* ]]
        run coracle cp file dir
        expect_status 1
        [[ "$output" == *"must specify at least one container source"* ]]
        run coracle cp web:/a web:/b
        expect_status 1
        [[ "$output" == *"copying between containers is not supported"* ]]
}

@test "cp: archives through standard input and output" {
        mkdir -p "$TEST_DIR/h/d" && echo 1 >"$TEST_DIR/h/d/x" && echo 2 >"$TEST_DIR/h/f"
        chown 77:88 "$TEST_DIR/h/f"
        coracle create --name web bb:1 true >/dev/null
        tar -C "$TEST_DIR/h" -c d f | coracle cp - web:/
        run sh -c "'$CORACLE' cp web:/d - | tar -tf -"
        expect_output "d/
d/x"
        run sh -c "'$CORACLE' cp web:/f - | tar --numeric-owner -tvf -"
        [[ "$output" == *77/88* ]]
        run sh -c "echo nonsense | '$CORACLE' cp - web:/"
        expect_status 1
}

@test "cp: links of a container do not lead out of it" {
        crun -d --name web bb:1 sh -c 'ln -s / /top; ln -s ../../../../../../../../ /up; ln -s /proc/1/root /magic; mkdir -p '"$TEST_DIR"' && sleep 1000' >/dev/null
        wait_until coracle exec web ls -d "$TEST_DIR"
        echo mine >"$TEST_DIR/file"
        for link in top up; do
                coracle cp "$TEST_DIR/file" "web:/$link$TEST_DIR/evil"
                [ ! -e "$TEST_DIR/evil" ]
                [ "$(coracle exec web sh -c "cat $TEST_DIR/evil; rm $TEST_DIR/evil")" = mine ]
        done
        run coracle cp "$TEST_DIR/file" "web:/magic$TEST_DIR/evil"
        expect_status 1
        [ ! -e "$TEST_DIR/evil" ]
        run coracle cp "web:/top$TEST_DIR/file" "$TEST_DIR/back"
        expect_status 1
        [[ "$output" == *"Could not find the file"* ]]
}

# The way to the file changes all the time: from inside a link to the host's root that becomes a directory and back.
@test "cp: a container that changes links under the copy gets nothing of the host" {
        crun -d --name web bb:1 sh -c 'mkdir -p /a/real/etc && echo inner >/a/real/etc/hostname && ln -s / /a/link
                while :; do ln -sfn real /a/way; ln -sfn ../../../../.. /a/way; done' >/dev/null
        wait_until coracle exec web ls /a/way
        for i in 1 2 3 4 5 6 7 8 9 10; do
                coracle cp web:/a/way/etc/hostname "$TEST_DIR/got" 2>/dev/null || continue
                [ "$(<"$TEST_DIR/got")" != "$(</etc/hostname)" ] || [ "$(<"$TEST_DIR/got")" = "$(coracle exec web cat /etc/hostname)" ]
        done
}

@test "cp: into and out of volumes, running and stopped, as the container would have them" {
        mkdir "$TEST_DIR/bound" && echo 3 >"$TEST_DIR/bound/z"
        crun --name web -v vol:/data -v "$TEST_DIR/bound:/bound:ro" bb:1 sh -c 'echo 1 >/data/x'
        coracle cp web:/data/x "$TEST_DIR/x" && [ "$(<"$TEST_DIR/x")" = 1 ]
        coracle cp web:/bound/z "$TEST_DIR/z" && [ "$(<"$TEST_DIR/z")" = 3 ]
        echo 2 >"$TEST_DIR/y"
        coracle cp "$TEST_DIR/y" web:/data/y
        [ "$(<"$COR_STORE/volumes/vol/_data/y")" = 2 ]
        run coracle cp "$TEST_DIR/y" web:/bound/y
        expect_status 1
        [[ "$output" == *"Read-only file system"* ]]
        [ ! -e "$TEST_DIR/bound/y" ]
        run grep -c "$TEST_DIR/store" /proc/self/mounts
        expect_output 0
        coracle rm -v web
        crun -d --name web -v vol:/data bb:1 sleep 1000 >/dev/null
        coracle cp "$TEST_DIR/x" web:/data/new
        [ "$(<"$COR_STORE/volumes/vol/_data/new")" = 1 ]
        coracle rm -f web && coracle volume rm vol
}

@test "system check: finds what killed monitors leave, and clears it away" {
        local id monitor
        id=$(crun -d --name web bb:1 sleep 1000)
        run coracle system check -q
        expect_status 0
        monitor=$(processes_of "$COR_STORE")
        kill -9 "${monitor##* }"
        wait_until process_is_gone "${monitor##* }"
        mkdir -p "$COR_STORE/containers/$(printf '%064d' 5)" "$COR_STORE/volumes/stray/_data"
        mkdir "$(dirname "$(dirname "$(ls "$CORACLE_RUN"/*/*/monitor)")")/$(printf '%064d' 6)"
        run coracle system check -q
        expect_status 1
        [[ "$output" == *"container $(printf '%064d' 5): there is a folder"* ]]
        [[ "$output" == *"volume stray: there is a folder"* ]]
        [[ "$output" == *"container $(printf '%064d' 6): the folder of its sockets is left"* ]]
        [[ "$output" != *"$id"* ]] # what the monitor left was put right on the way
        run coracle system check -q --repair
        expect_status 0
        run coracle system check -q
        expect_status 0
        expect_output ""
        run coracle ps -a --format '{{.Status}}'
        [[ "$output" == "Exited (137)"* ]]
}
