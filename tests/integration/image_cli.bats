#!/usr/bin/env bats
# The program coracle: what its commands print, and how they end. Images are made of a small tree with import, and go through
# Debian's docker-registry where a registry is needed.

load lib
load registries

setup() {
        skip_unless root # a store whose layers have owners; the store of a user is the concern of images_rootless.bats
        setup_net
        export CORACLE_LIBEXEC=$CORACLE_BUILD/src/image COR_STORE=$TEST_DIR/store TZ=UTC
        CORACLE=$CORACLE_BUILD/src/cli/coracle
        mkdir -p "$TEST_DIR/tree/etc"
        echo here >"$TEST_DIR/tree/etc/name"
}

teardown() { teardown_net; }

coracle() { timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE" "$@" 3>&-; }

net_coracle() { in_net timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE" "$@" 3>&-; }

# make_image NAME [FLAG...] - the tree as an image; prints its id
make_image() {
        local name=$1
        shift
        tar -C "$TEST_DIR/tree" -c . | coracle import "$@" - "$name"
}

in_a_terminal() { # COLUMNS COMMAND - given to a shell
        timeout -k 5 "$RUNTIME_TIMEOUT" script -qec "stty rows 30 cols $1; $2" /dev/null </dev/null 3>&-
}

@test "an empty store: the heading of the table, and nothing for templates" {
        run coracle images
        expect_status 0
        expect_output "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE"
        run coracle images -q
        expect_output ""
        run coracle images --format '{{.ID}}'
        expect_output ""
}

@test "images: a row for each name; -q, --no-trunc, --digests, patterns, filters" {
        local id
        id=$(make_image debian:12)
        coracle tag debian:12 localhost:5000/x/y
        run coracle images
        expect_status 0
        expect_match "^REPOSITORY           TAG       IMAGE ID       CREATED +SIZE"
        expect_match "debian               12        ${id:7:12}   (Less than a|[0-9]+) seconds? ago +5B"
        expect_match "localhost:5000/x/y   latest    ${id:7:12}   "
        run coracle images -q
        expect_output "${id:7:12}
${id:7:12}"
        run coracle image ls --quiet --no-trunc debian
        expect_output "$id"
        run coracle images --digests --format '{{.Digest}}' debian
        expect_output "<none>"
        run coracle images --format '{{.Repository}}:{{.Tag}}' 'localhost:5000/*/*'
        expect_output localhost:5000/x/y:latest
        run coracle images -q -f dangling=true
        expect_output ""
        run coracle images -q nothing-of-this-name
        expect_status 0
        expect_output ""
}

@test "images --format: templates, tables, json; errors in Go's words" {
        local id
        id=$(make_image debian:12)
        run coracle images --format 'table {{.ID}}\t{{.Repository | upper}}'
        expect_output "IMAGE ID       REPOSITORY
${id:7:12}   DEBIAN"
        run coracle images --format '{{json .}}'
        expect_equal "$(jq -r '.Repository + .Tag + .Digest + .Containers' <<<"$output")" 'debian12<none>N/A'
        expect_text '"Digest":"\u003cnone\u003e"'
        run coracle images --format json
        expect_equal "$(jq -r .ID <<<"$output")" "${id:7:12}"
        run coracle images --format '{{.Foo}}'
        expect_status 1
        expect_output "Error: template parsing error: template: :1:2: executing \"\" at <.Foo>: can't evaluate field Foo in type *formatter.imageContext"
        run coracle images --format '{{.ID'
        expect_status 1
        expect_text "template: :1: unclosed action"
}

@test "images --tree: names, and what they lead to" {
        local id
        id=$(make_image debian:12)
        coracle tag debian:12 second
        run coracle images --tree
        expect_status 0
        expect_match "^IMAGE +ID +DISK USAGE +CONTENT SIZE"
        expect_match "debian:12 +${id:7:12}"
        expect_match "second:latest +${id:7:12}"
        expect_match "└─ linux/[a-z0-9]+ +[0-9a-f]{12} +5B +[0-9.]+k?B"
}

@test "rmi: names go one by one, then the image; what is not there; an id with several names" {
        local id
        id=$(make_image one)
        coracle tag one two
        run coracle rmi "${id:7:12}"
        expect_status 1
        expect_text "Error: " "must be forced" "multiple repositories"
        run coracle rmi one nothing two
        expect_status 1
        expect_text "Untagged: one:latest" "Error: No such image: nothing:latest" "Untagged: two:latest" "Deleted: $id"
        run coracle images -q
        expect_output ""
        run coracle rmi --force nothing
        expect_status 0
        expect_text "No such image: nothing:latest"
}

@test "inspect: docker's object, templates with Go's and JSON's names, and those that are missing" {
        local id
        id=$(make_image one -c 'CMD ["sh","-c"]' -c 'ENV A=b' -c 'LABEL x=y' -c 'EXPOSE 80' -m why)
        run coracle inspect one
        expect_status 0
        expect_equal "$(jq -rc '.[0] | [.Id, .RepoTags, .Comment, .Config.Cmd, .Config.Env, .Config.Labels, .Config.ExposedPorts, .Os, .RootFS.Type]' <<<"$output")" \
                "[\"$id\",[\"one:latest\"],\"why\",[\"sh\",\"-c\"],[\"A=b\"],{\"x\":\"y\"},{\"80/tcp\":{}},\"linux\",\"layers\"]"
        [ -f "$(jq -r '.[0].GraphDriver.Data.UpperDir' <<<"$output")/etc/name" ]
        run coracle inspect -f '{{.ID}} {{.Config.Cmd}} {{index .Config.Labels "x"}} {{json .Config.Env}} {{len .RootFS.Layers}}' one
        expect_output "$id [sh -c] y [\"A=b\"] 1"
        run coracle inspect -f '{{.Id}}{{range .RepoTags}} {{.}}{{end}}' "${id:7:12}"
        expect_output "$id one:latest"
        run coracle inspect -f '{{.Nothing}}' one
        expect_status 1
        expect_text 'map has no entry for key "Nothing"'
        run --separate-stderr coracle inspect one nothing
        expect_status 1
        expect_equal "$(jq -r '.[].Id' <<<"$output")" "$id"
        expect_equal "$stderr" "Error: No such object: nothing"
        run coracle image inspect nothing
        expect_status 1
        expect_output "[]
Error: No such image: nothing"
        run coracle inspect --type elephant one
        expect_status 1
        expect_text 'not a valid value for --type'
}

@test "history: what was done and how large it is" {
        local id
        id=$(make_image one -m why)
        run coracle history one
        expect_status 0
        expect_match "^IMAGE +CREATED +CREATED BY +SIZE +COMMENT"
        expect_match "${id:7:12}   .* 5B +why"
        run coracle history -H=false --format '{{.Size}} {{.CreatedAt}}' one
        expect_match '^5 20[0-9-]+T[0-9:]+Z$'
        run coracle history -q --no-trunc one
        expect_output "$id"
        run coracle history nothing
        expect_status 1
        expect_output "Error: No such image: nothing:latest"
}

@test "what an image says of itself does not command the terminal, and stays what it is elsewhere" {
        make_image one -m $'a\e[31mb'
        run coracle history --format '{{.Comment}}' one
        expect_output $'a\e[31mb'
        run in_a_terminal 80 "'$CORACLE' history --format '{{.Comment}}' one"
        expect_text 'a?[31mb'
        expect_no_text $'\e'
}

@test "save, load: archives that others read; a file appears when it is whole" {
        local id
        id=$(make_image one:1)
        run coracle save one:1 -o "$TEST_DIR/one.tar"
        expect_status 0
        expect_output ""
        expect_equal "$(tar -xOf "$TEST_DIR/one.tar" manifest.json | jq -r '.[0].RepoTags[0]')" one:1
        coracle rmi one:1
        run coracle load -q -i "$TEST_DIR/one.tar"
        expect_status 0
        expect_output "Loaded image: one:1"
        coracle rmi one:1
        run coracle load <"$TEST_DIR/one.tar"
        expect_status 0
        expect_output "Loaded image: one:1"
        coracle rmi one:1
        run in_a_terminal 130 "'$CORACLE' load -i '$TEST_DIR/one.tar'"
        expect_status 0
        expect_text ": Loading layer" ": Loaded" "Loaded image: one:1"
        run bash -c "'$CORACLE' save one:1 | '$CORACLE' load"
        expect_status 0
        expect_text "Loaded image: one:1"
        expect_equal "$(coracle images -q --no-trunc)" "$id"
        run coracle save -o "$TEST_DIR/two.tar" one:1 nothing
        expect_status 1
        expect_text "No such image: nothing:latest"
        run ls "$TEST_DIR"
        expect_no_text two.tar
        run in_a_terminal 80 "'$CORACLE' save one:1"
        expect_status 1
        expect_text "cowardly refusing to save to a terminal"
        run coracle load -i "$TEST_DIR/nothing"
        expect_status 1
        expect_text "Error: open $TEST_DIR/nothing: No such file or directory"
        echo "this is no archive" >"$TEST_DIR/text"
        run coracle load -i "$TEST_DIR/text"
        expect_status 1
        expect_match '^Error: '
}

@test "prune asks before it removes, and says what came of it" {
        local id
        id=$(make_image one)
        run coracle image prune --all <<<n
        expect_status 0
        expect_text "WARNING! This will remove all images without at least one container" "Are you sure you want to continue? [y/N]"
        expect_no_text "Total reclaimed space"
        expect_equal "$(coracle images -q --no-trunc)" "$id"
        run coracle system prune </dev/null
        expect_status 0
        expect_text "- all dangling images"
        run coracle image prune -f
        expect_output "Total reclaimed space: 0B"
        run coracle image prune -a <<<y
        expect_text "Deleted Images:" "untagged: one:latest" "deleted: $id"
        expect_match 'Total reclaimed space: [1-9]'
        expect_equal "$(coracle images -q)" ""
        run coracle image prune --filter nothing
        expect_status 125
        expect_text "bad format of filter (expected name=value)"
}

@test "system df: layers count once" {
        make_image one -m first
        make_image two -m second
        run coracle system df
        expect_status 0
        expect_output "TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE
Images          2         0         5B        5B (100%)
Containers      0         0         0B        0B
Local Volumes   0         0         0B        0B
Build Cache     0         0         0B        0B"
        run coracle system df -v
        expect_match 'one +latest +[0-9a-f]{12} .* 5B +5B +0B +0'
        run coracle system df --format '{{.Type}}={{.TotalCount}}'
        expect_text "Images=2"
}

@test "info: the store and the machine, in docker's names" {
        make_image one
        run coracle info
        expect_status 0
        expect_text "Images: 1" "Kernel Version: $(uname -r)" "Root Dir: $TEST_DIR/store"
        run coracle system info -f '{{.Images}} {{.OSType}} {{.NCPU}} {{.DockerRootDir}}'
        expect_output "1 linux $(getconf _NPROCESSORS_ONLN) $TEST_DIR/store"
        run coracle info -f json
        expect_equal "$(jq -r '.Architecture' <<<"$output")" "$(uname -m)"
}

@test "system check: all is well, and what it says of a damaged blob and a layer that is gone" {
        skip_unless "program docker-registry"
        start_registry 5000
        local id layer blob
        make_image localhost:5000/x
        net_coracle push -q localhost:5000/x
        coracle rmi localhost:5000/x
        net_coracle pull -q localhost:5000/x
        run coracle system check
        expect_status 0
        expect_text "Looked at 1 image, 1 layer and "
        expect_text "all is well"
        run coracle system check -q
        expect_output ""
        id=$(coracle images -q --no-trunc)
        blob=$(net_coracle manifest inspect localhost:5000/x | jq -r '.layers[0].digest')
        chmod u+w "$TEST_DIR/store/images/blobs/sha256/${blob#*:}"
        printf x | dd of="$TEST_DIR/store/images/blobs/sha256/${blob#*:}" bs=1 seek=5 conv=notrunc status=none
        run coracle system check
        expect_status 1
        expect_text "$blob" "0 repaired"
        run net_coracle system check --repair
        expect_status 0
        expect_text "$blob" "(repaired)"
        layer=$(coracle inspect -f '{{.GraphDriver.Data.UpperDir}}' "$id")
        rm -r "${layer%/diff}"
        run coracle system check -q
        expect_status 1
        expect_match '^(layer|image) .+'
        run net_coracle system check --repair
        expect_status 0
        [ -f "$layer/etc/name" ]
        run coracle system check
        expect_status 0
        expect_text "all is well"
}

@test "words that make no sense: what was expected, and docker's exit codes" {
        run coracle images --foo
        expect_status 125
        expect_output "unknown flag: --foo

Usage:  coracle images [OPTIONS] [REPOSITORY[:TAG]]

Run 'coracle images --help' for more information"
        run coracle images -z
        expect_status 125
        expect_text "unknown shorthand flag: 'z' in -z"
        run coracle images --format
        expect_status 125
        expect_text "flag needs an argument: --format"
        run coracle tag one
        expect_status 1
        expect_text "coracle: 'coracle tag' requires 2 arguments" "Usage:  coracle tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]"
        run coracle rmi
        expect_status 1
        expect_text "'coracle rmi' requires at least 1 argument"
        run coracle images a b
        expect_status 1
        expect_text "'coracle images' requires at most 1 argument"
        run coracle row
        expect_status 1
        expect_text "coracle: unknown command: coracle row"
        run coracle image row
        expect_status 1
        expect_text "coracle: unknown command: coracle image row"
        run coracle --nothing
        expect_status 125
        run coracle tag one Two
        expect_status 1
        expect_text "must be lowercase"
        run coracle pull -a x:y
        expect_status 1
        expect_text "tag can't be used with --all-tags/-a"
        run coracle pull --disable-content-trust=false x
        expect_status 1
        expect_text "Docker Content Trust is not supported"
        run coracle --root /dev/null/x images
        expect_status 1
        expect_text "Error: " "/dev/null/x"
}

@test "help: of the program, of a group, of a command" {
        local text
        text=$(coracle --help)
        expect_equal "$(coracle)" "$text"
        expect_equal "$(coracle help)" "$text"
        [[ $text == "Usage:  coracle [OPTIONS] COMMAND"*"Management Commands:"*"  image "*"Commands:"*"  pull "*"Global Options:"* ]]
        run coracle image
        expect_status 0
        expect_text "Usage:  coracle image COMMAND" "  prune "
        run coracle help image rm
        expect_text "Usage:  coracle image rm [OPTIONS] IMAGE [IMAGE...]" "coracle rmi, coracle image rm, coracle image remove"
        run coracle pull --help
        expect_status 0
        expect_text "  -a, --all-tags " "      --platform string "
        run coracle --version
        expect_match '^Coracle version [0-9.]+$'
        run coracle version -f '{{.Client.Version}}'
        expect_match '^[0-9.]+$'
}

@test "pull and push: docker's lines, -q, what is there already, and what is not" {
        skip_unless "program docker-registry"
        start_registry 5000
        local id digest
        id=$(make_image localhost:5000/a/b:1)
        run net_coracle push localhost:5000/a/b:1
        expect_status 0
        expect_match '^The push refers to repository \[localhost:5000/a/b\]
[0-9a-f]{12}: Preparing
[0-9a-f]{12}: Pushed
1: digest: sha256:[0-9a-f]{64} size: [0-9]+$'
        digest=$(grep -o 'sha256:[0-9a-f]*' <<<"$output")
        run net_coracle push -q localhost:5000/a/b:1
        expect_output localhost:5000/a/b:1
        coracle rmi localhost:5000/a/b:1
        run net_coracle pull localhost:5000/a/b:1
        expect_status 0
        expect_match "^1: Pulling from a/b
[0-9a-f]{12}: Pulling fs layer
"
        expect_text ": Pull complete
Digest: $digest
Status: Downloaded newer image for localhost:5000/a/b:1
localhost:5000/a/b:1"
        expect_no_text Downloading $'\e'
        expect_equal "$(coracle images -q --no-trunc)" "$id"
        run net_coracle pull localhost:5000/a/b:1
        expect_text ": Already exists" "Status: Image is up to date for localhost:5000/a/b:1"
        run net_coracle pull -q localhost:5000/a/b@"$digest"
        expect_output "localhost:5000/a/b@$digest"
        run coracle images --digests --format '{{.Repository}} {{.Tag}} {{.Digest}}'
        expect_output "localhost:5000/a/b 1 $digest"
        run net_coracle pull localhost:5000/a/b
        expect_status 1
        expect_text "Using default tag: latest" "Error: manifest for localhost:5000/a/b:latest not found"
        run net_coracle push localhost:5000/nothing
        expect_status 1
        expect_text "An image does not exist locally with the tag: localhost:5000/nothing"
        run net_coracle manifest inspect localhost:5000/a/b:1
        expect_status 0
        expect_equal "$(jq -r .config.digest <<<"$output")" "$id"
        expect_match '^\{
   "schemaVersion": 2,'
        run net_coracle search localhost:5000/x
        expect_status 1
        expect_text "localhost:5000 offers no search"
}

@test "progress on a terminal: one line a layer, a bar while bytes come; none on a dumb one" {
        skip_unless "program docker-registry" "program script"
        start_registry 5000
        head -c 3000000 /dev/urandom >"$TEST_DIR/tree/random"
        make_image localhost:5000/big
        net_coracle push -q localhost:5000/big
        coracle rmi localhost:5000/big
        run in_net timeout -k 5 "$RUNTIME_TIMEOUT" script -qec "stty rows 30 cols 130; NO_COLOR=1 '$CORACLE' pull localhost:5000/big:latest" /dev/null </dev/null
        expect_status 0
        expect_match $'\e\\[1A\e\\[2K\r[0-9a-f]{12}: Downloading \\[=*> *\\] +[0-9.]+k?M?B/[0-9.]+MB'
        expect_text $'\e[1A\e[2K\r' "Pull complete" "Status: Downloaded newer image"
        refute grep -q $'\e\\[[0-9;]*m' <<<"$output" # no colour
        coracle rmi localhost:5000/big
        run in_net timeout -k 5 "$RUNTIME_TIMEOUT" script -qec "TERM=dumb '$CORACLE' pull localhost:5000/big:latest" /dev/null </dev/null
        expect_status 0
        expect_no_text $'\e' Downloading
        run in_net timeout -k 5 "$RUNTIME_TIMEOUT" script -qec "'$CORACLE' pull -q localhost:5000/big:latest" /dev/null </dev/null
        expect_output $'localhost:5000/big:latest\r'
}

# stalling_registry PORT - has an image x:1 whose only layer stops after 1000 bytes
stalling_registry() {
        cat >"$TEST_DIR/stalling.py" <<-'PYTHON'
	import hashlib, http.server, json, sys, time
	digest = lambda data: 'sha256:' + hashlib.sha256(data).hexdigest()
	layer = 'sha256:' + 64 * '1'
	config = json.dumps({'architecture': sys.argv[2], 'os': 'linux', 'rootfs': {'type': 'layers', 'diff_ids': [layer]}}).encode()
	kind = 'application/vnd.oci.image.%s'
	manifest = json.dumps({'schemaVersion': 2, 'mediaType': kind % 'manifest.v1+json',
	    'config': {'mediaType': kind % 'config.v1+json', 'digest': digest(config), 'size': len(config)},
	    'layers': [{'mediaType': kind % 'layer.v1.tar', 'digest': layer, 'size': 1000000}]}).encode()
	class Handler(http.server.BaseHTTPRequestHandler):
	    protocol_version = 'HTTP/1.1'
	    def do_GET(self):
	        body = config if digest(config) in self.path else manifest
	        stalls = layer in self.path
	        self.send_response(200)
	        self.send_header('Content-Type', kind % 'manifest.v1+json')
	        self.send_header('Content-Length', str(1000000 if stalls else len(body)))
	        self.end_headers()
	        if self.command == 'HEAD':
	            return
	        self.wfile.write(bytes(1000) if stalls else body)
	        if stalls:
	            print('stalled', flush=True)
	            time.sleep(600)
	    do_HEAD = do_GET
	http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
	PYTHON
        start python3 "$TEST_DIR/stalling.py" "$1" "$(coracle version -f '{{.Client.Arch}}')" >"$TEST_DIR/stalling.out" 2>&1
        wait_until listens "$1"
}

@test "an interrupted pull ends at once, and so does the transfer" {
        stalling_registry 5000
        nsenter --net="/proc/$NET/ns/net" "$CORACLE" pull localhost:5000/x:1 </dev/null >"$TEST_DIR/out" 2>&1 3>&- &
        local pid=$! status=0 transfer
        wait_until grep -q stalled "$TEST_DIR/stalling.out" # some bytes have come, and no more will
        transfer=$(pgrep -o -P "$pid")
        [ -n "$transfer" ]
        kill -TERM "$pid" # what runs in the background here does not hear of Ctrl-C; both have the same way of ending
        wait "$pid" || status=$?
        expect_equal "$status" 143
        wait_until process_is_gone "$transfer"
}

@test "an interrupted pull ends at once, too, when the registry has not said a word" {
        start python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 5000)); time.sleep(600)'
        wait_until listens 5000
        nsenter --net="/proc/$NET/ns/net" "$CORACLE" pull localhost:5000/x:1 </dev/null >"$TEST_DIR/out" 2>&1 3>&- &
        local pid=$! status=0 transfer
        wait_until grep -q "Pulling from" "$TEST_DIR/out"
        transfer=$(pgrep -o -P "$pid")
        [ -n "$transfer" ]
        kill -TERM "$pid"
        wait "$pid" || status=$?
        expect_equal "$status" 143
        wait_until process_is_gone "$transfer"
}

@test "login: from standard input, refused, without a terminal; what a registry wants is kept; logout" {
        skip_unless "program docker-registry" "program htpasswd"
        htpasswd -Bbn user secret >"$TEST_DIR/htpasswd"
        start_registry 5000 "auth: {htpasswd: {realm: test, path: $TEST_DIR/htpasswd}}"
        run net_coracle login -u user --password-stdin localhost:5000 <<<wrong
        expect_status 1
        expect_match '^Error: '
        [ ! -e "$HOME/.docker/config.json" ] || [ "$(jq '.auths | length' "$HOME/.docker/config.json")" = 0 ]
        run net_coracle --config "$TEST_DIR/elsewhere" login -u user --password-stdin localhost:5000 <<<secret
        expect_status 0
        expect_text "Login Succeeded"
        expect_equal "$(jq -r '.auths["localhost:5000"].auth' "$TEST_DIR/elsewhere/config.json" | base64 -d)" user:secret
        make_image localhost:5000/mine
        run net_coracle push -q localhost:5000/mine
        expect_status 1
        run net_coracle --config "$TEST_DIR/elsewhere" push -q localhost:5000/mine
        expect_status 0
        run net_coracle --config "$TEST_DIR/elsewhere" logout localhost:5000
        expect_output "Removing login credentials for localhost:5000"
        run net_coracle --config "$TEST_DIR/elsewhere" logout https://localhost:5000/
        expect_output "Not logged in to localhost:5000"
        run net_coracle login localhost:5000 </dev/null
        expect_status 1
        expect_output "Error: Cannot perform an interactive login from a non TTY device"
        run net_coracle login -p x --password-stdin localhost:5000 </dev/null
        expect_status 1
        expect_text "mutually exclusive"
}

@test "login asks on a terminal, and does not echo the password" {
        skip_unless "program docker-registry" "program htpasswd" "program script"
        htpasswd -Bbn user secret >"$TEST_DIR/htpasswd"
        start_registry 5000 "auth: {htpasswd: {realm: test, path: $TEST_DIR/htpasswd}}"
        : >"$TEST_DIR/screen"
        echo_is_off() { stty -F "$(cat "$TEST_DIR/tty")" -a | grep -qw -e -echo; }
        type_it() { # each word when it is asked for
                wait_until grep -q Username: "$TEST_DIR/screen"
                echo user
                wait_until grep -q Password: "$TEST_DIR/screen"
                wait_until echo_is_off # which happens behind the prompt
                echo secret
        }
        type_it | in_net timeout -k 5 "$RUNTIME_TIMEOUT" script -qefc "tty >'$TEST_DIR/tty'; '$CORACLE' login localhost:5000" "$TEST_DIR/screen" >/dev/null 3>&-
        run cat "$TEST_DIR/screen"
        expect_text "Username: user" "Password: " "Login Succeeded"
        expect_no_text secret
        : >"$TEST_DIR/screen"
        give_up() {
                wait_until grep -q Password: "$TEST_DIR/screen"
                wait_until echo_is_off
                printf 'sec\003'
        }
        give_up | in_net timeout -k 5 "$RUNTIME_TIMEOUT" script -qefc "tty >'$TEST_DIR/tty'; '$CORACLE' login -u user localhost:5000; stty -a" "$TEST_DIR/screen" >/dev/null 3>&-
        run cat "$TEST_DIR/screen"
        expect_text "Error: interrupted" "isig icanon" " echo "
        expect_no_text "-isig" "-echo "
}

@test "completion: scripts that shells read; names of images come from the store" {
        local shell
        for shell in bash zsh fish; do
                coracle completion $shell >"$TEST_DIR/completion.$shell"
                command -v $shell >/dev/null || continue
                case $shell in
                fish) fish --no-execute "$TEST_DIR/completion.fish" ;;
                *) $shell -n "$TEST_DIR/completion.$shell" ;;
                esac
        done
        make_image debian:12
        make_image localhost:5000/x
        complete_line() { # LINE
                # shellcheck disable=SC1091
                . "$TEST_DIR/completion.bash"
                PATH=$CORACLE_BUILD/src/cli:$PATH
                # shellcheck disable=SC2034
                COMP_LINE=$1 COMP_POINT=${#1} COMP_CWORD=1 COMP_WORDS=()
                _coracle
                echo "${COMPREPLY[*]}"
        }
        run complete_line "coracle ima"
        expect_output "images image"
        run complete_line "coracle rmi "
        expect_text debian:12 localhost:5000/x:latest
        run complete_line "coracle image rm debian:"
        expect_output 12
        run coracle completion csh
        expect_status 1
        expect_text "expected bash, zsh or fish"
        rm -r "$TEST_DIR/store"
        run complete_line "coracle rmi "
        expect_output ""
        [ ! -e "$TEST_DIR/store" ]
}
