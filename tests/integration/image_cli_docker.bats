#!/usr/bin/env bats
# runs alone
# What coracle prints beside what docker's own command line prints, of the same images: they are built and held by Debian's
# dockerd, and loaded into our store.

load lib
load engines

setup_file() {
        has_docker || return 0 # every test will skip
        setup_world
        docker_client
        world_dockerd '{}'
        export TZ=UTC COR_STORE=$T/store CORACLE_LIBEXEC=$CORACLE_BUILD/src/image
        make_images
        docker_ save base built:1 built:second localhost:5000/some/name >"$T/all.tar"
        docker_ rmi built:1 built:second localhost:5000/some/name base # and with them what the builder knows of parents
        docker_ load -qi "$T/all.tar"
        coracle load -qi "$T/all.tar"
}

setup() {
        skip_unless root "program dockerd" "program containerd" "program docker" "program runc"
        [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ] || skip_unless "program apparmor_parser"
}

teardown_file() { teardown_world; }

coracle() { timeout -k 5 "$RUNTIME_TIMEOUT" "$CORACLE_BUILD/src/cli/coracle" "$@" 3>&-; }

# Two images, one on top of the other, without a container that runs.
make_images() {
        mkdir "$T/context"
        seq 1000 >"$T/context/numbers"
        cat >"$T/context/Dockerfile" <<-'DOCKERFILE'
		FROM base
		COPY numbers /numbers
		ENV COLOUR=blue QUOTED="a b"
		LABEL org.example.title="A title" org.example.html="<b> & </b>"
		EXPOSE 80/tcp 53/udp
		VOLUME /data
		USER test:test
		WORKDIR /tmp
		HEALTHCHECK --interval=5s --retries=2 CMD true
		STOPSIGNAL SIGINT
		ENTRYPOINT ["/bin/sh", "-c"]
		CMD ["echo", "hello"]
	DOCKERFILE
        tar -C "$T/rootfs" -c . | docker_ import -m "the base" -c 'CMD ["/bin/sh"]' - base
        DOCKER_BUILDKIT=0 docker_ build -q -t built:1 -t built:second -t localhost:5000/some/name "$T/context"
}

# comparable - a second may pass between one program and the other; newer docker shows names in full
comparable() {
        sed -E 's/^Error( response from daemon)?: //; s/(About a|Less than a|[0-9]+) (second|minute)s? ago */TIME /; s/CREATED +/CREATED /
                s/(repository name) \([^)]*\)/\1/; s/(No such image: [^:]*):latest/\1/'
}

# both ARGUMENT... - docker and coracle print the same and end the same way; but for "Error: ", which docker says in other
# words or not at all, and for the order of the repositories of an image, which is not the same twice with docker
both() {
        local theirs ours their_status=0 our_status=0
        theirs=$(docker_ "$@" 2>&1) || their_status=$?
        ours=$(coracle "$@" 2>&1) || our_status=$?
        theirs=$(comparable <<<"$theirs")
        ours=$(comparable <<<"$ours")
        if [ "$1" = images ]; then
                theirs=$(sort <<<"$theirs")
                ours=$(sort <<<"$ours")
        fi
        if [ "$theirs" != "$ours" ] || [ $their_status != $our_status ]; then
                printf 'of: %s\ndocker says (%s):\n%s\ncoracle says (%s):\n%s\n' "$*" $their_status "$theirs" $our_status "$ours"
                return 1
        fi
}

@test "images: tables, formats and filters are the same" {
        both images
        both images --no-trunc
        both images -q
        both images built
        both images built:1
        both images 'b*'
        both images --filter label=org.example.title
        both images --filter label=org.example.title=other
        both images --filter reference='localhost:*/*/*'
        both images --filter before=built:1 -q
        both images --filter since=base -q
        both images --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}} {{.CreatedAt}}'
        both images --format 'table {{.ID}}\t{{.Repository}}\t{{.CreatedAt}}\t{{.VirtualSize}}\t{{.Containers}}'
        both images --format '{{json .}}' base
        both images --format raw base
        both images --format '{{.Foo}}'
        both images --format '{{.ID'
        both images --format '{{if eq .Repository "base"}}{{.Tag | upper}}{{else}}{{pad .Repository 2 2}}|{{end}}'
}

@test "history: the same of both images" {
        both history built:1
        both history --no-trunc base
        both history -q base
        both history -H=false base
        both history --format '{{.CreatedBy}}|{{.Size}}|{{.Comment}}|{{.CreatedAt}}' built:1
        both history --format 'table {{.ID}}\t{{.Size}}' base
        both history --format '{{json .}}' base
        both history --format '{{.Foo}}' base
}

# What is docker's own, or depends on where layers lie
plain() {
        jq 'del(.[] | .VirtualSize, .GraphDriver, .Metadata, .Container, .ContainerConfig, .DockerVersion, .Parent, .Config.Image, .Config.Hostname)
                | .[].RepoTags |= sort'
}

@test "inspect: the same object" {
        expect_equal "$(coracle inspect base built:1 | plain)" "$(docker_ inspect base built:1 | plain)"
        expect_equal "$(coracle image inspect base built:1 | plain)" "$(docker_ image inspect base built:1 | plain)"
}

@test "inspect --format: templates give the same" {
        local template
        while IFS= read -r template; do
                both inspect --type image --format "$template" built:1
                both image inspect -f "$template" base
        done <<-'TEMPLATES'
		{{.ID}}
		{{.Id}}
		{{.Os}}/{{.Architecture}}
		{{.Config.Cmd}}
		{{json .Config.Env}}
		{{json .Config.Labels}}
		{{json .Config.ExposedPorts}}
		{{.Config.ExposedPorts}}
		{{range .Config.Env}}{{println .}}{{end}}
		{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}
		{{with .Config.Healthcheck}}{{.Test}} {{.Interval}} {{.Retries}}{{else}}none{{end}}
		{{index .Config.Cmd 0}}
		{{index .Config.Cmd 7}}
		{{index .Config.Labels "org.example.title"}}
		{{join .Config.Cmd " "}}
		{{join .Config.Entrypoint ","}}
		{{len .RootFS.Layers}} {{.RootFS.Type}}
		{{.Size}}
		{{printf "%d %T" .Size .Size}}
		{{.Created}} {{.Author}} {{.Comment}}
		{{.Config.WorkingDir}}{{.Config.User}}
		{{if .Config.OnBuild}}x{{else}}none{{end}}{{.Config.OnBuild}}{{json .Config.OnBuild}}
		{{.Nothing}}
		{{.Config.Nothing}}
		{{.Config.Cmd.Nothing}}
		{{.Os.Nothing}}
		{{nothing .Os}}
		{{.Os
		{{json .RootFS}}
		{{json .Config.Healthcheck}}
		{{json .Config.Volumes}}
		{{eq .Os "linux"}} {{eq .Size 5}} {{gt .Size 5}}
		{{eq .Os 5}}
		{{upper .Os}} {{title .Os}} {{truncate .ID 12}} {{slice .ID 7 19}}
		{{split .ID ":"}} {{index (split .ID ":") 1}}
	TEMPLATES
}

@test "what fails fails in the same words" {
        both inspect --format '{{.Id}}' nothing
        both pull -a x:y
        both pull Upper
        run coracle images -f dangling=perhaps
        expect_status 1
        expect_text "nvalid filter 'dangling="
}

@test "tag and rmi: the same lines, and the same refusals" {
        local id
        id=$(docker_ images -q base)
        both tag base extra:1
        both tag "$id" localhost:5000/extra/two
        both images
        both rmi extra:1
        both rmi localhost:5000/extra/two
        both rmi "$id"
        both rmi "$(docker_ images -q built:1)"
        both tag nothing x
        both tag base Upper
        both tag base "x@sha256:$(printf '%064d' 1)"
        both rmi nothing
        both rmi Upper
        both history nothing
        both image prune -f
        both images
}

@test "system df: the same summary" {
        both system df
        both system df --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}} {{.Reclaimable}}'
        both system df --format 'table {{.Size}}\t{{.Type}}'
        both system df --format '{{json .}}'
}

# Each member of docker's document is there, with a value of the same kind, but for what docker 28 has no more. "nil" and
# an empty list are one kind. What concerns a daemon and its helpers only is as if there was none.
@test "info: docker's document; version: what is asked for in templates" {
        local kinds='def kind: if . == null then "array" else type end;
                [paths as $p | select($p | all(type == "string")) | {($p | join(".")): (getpath($p) | kind)}] | add |
                with_entries(select(.key | test("^(Runtimes|RegistryConfig.IndexConfigs|Swarm.Cluster|ClientInfo)[.]|SystemStatus") | not))'
        local gone='^(KernelMemory(TCP)?|BridgeNf.*|RegistryConfig.AllowNondistributable.*|.*Commit.Expected|Swarm.(RemoteManagers|Cluster)|'
        gone+='ClusterStore|ClusterAdvertise|GenericResources|ClientInfo|DefaultAddressPools)$'
        docker_ info --format '{{json .}}' | jq -S "$kinds" >"$T/info.docker"
        coracle info --format '{{json .}}' | jq -S "$kinds" >"$T/info.coracle"
        run jq -r --slurpfile ours "$T/info.coracle" --arg gone "$gone" 'to_entries[] | select(.key | test($gone) | not) |
                select($ours[0][.key] != .value) | "\(.key): \(.value), and not \($ours[0][.key])"' "$T/info.docker"
        expect_output ""
        local template='{{.OSType}} {{.Architecture}} {{.NCPU}} {{.MemTotal}} {{.KernelVersion}} {{.OperatingSystem}} {{.OSVersion}} {{.Name}} {{.Images}}
                {{.CgroupVersion}} {{.CgroupDriver}} {{.MemoryLimit}} {{.CPUShares}} {{.CPUCfsPeriod}} {{.CPUCfsQuota}} {{.PidsLimit}} {{.OomKillDisable}}
                {{.LoggingDriver}} {{.Swarm.LocalNodeState}} {{.IndexServerAddress}} {{.Containers}} {{.HTTPProxy}} {{.Plugins.Volume}}'
        is_cgroup_v2 || template+=' {{.SwapLimit}}' # with version 2, docker looks in its own cgroup: there is none in its world
        run docker_ info --format "$template"
        local theirs=${output/ (containerized)/} # as its world is
        run coracle info --format "$template"
        expect_output "$theirs"
        run coracle info --format '{{.IPv4Forwarding}}' # docker's world is another network
        expect_output "$([ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] && echo true || echo false)"
        run coracle version --format '{{.Server.Version}} {{.Server.Os}} {{.Client.Arch}} {{.Server.KernelVersion}}'
        expect_output "$(coracle version --format '{{.Client.Version}}') $(docker_ version --format '{{.Server.Os}} {{.Client.Arch}} {{.Server.KernelVersion}}')"
}

@test "info: lines for people, what this machine cannot do, and a proxy without its password" {
        export HTTPS_PROXY=http://user:secret@proxy.example:3128 COR_CONFIG=$T/config
        mkdir -p "$COR_CONFIG"
        echo '{"default-address-pools": [{"base": "10.10.0.0/16", "size": 24}], "registry-mirrors": ["https://mirror.example"], "insecure-registries": ["old.example:5000"]}' >"$COR_CONFIG/daemon.json"
        run coracle info
        expect_status 0
        expect_text " Storage Driver: overlay" " Cgroup Version: " "  Volume: local" "  seccomp" "   Profile: builtin" \
                " HTTPS Proxy: http://xxxxx:xxxxx@proxy.example:3128" "  127.0.0.0/8" \
                "   Base: 10.10.0.0/16, Size: 24" "  https://mirror.example" "  old.example:5000"
        expect_no_text secret
        echo '{"default-address-pools": [{"base": "nonsense", "size": 24}]}' >"$COR_CONFIG/daemon.json"
        run coracle info
        expect_status 1
        expect_text "$COR_CONFIG/daemon.json" "default-address-pools[0].base"
        rm -r "$COR_CONFIG"
}

@test "what we save docker loads, and has the same image" {
        local id
        id=$(docker_ images -q --no-trunc built:1)
        expect_equal "$(coracle images -q --no-trunc built:1)" "$id"
        docker_ rmi built:1 built:second localhost:5000/some/name
        coracle save built:1 | docker_ load
        expect_equal "$(docker_ images -q --no-trunc built:1)" "$id"
        coracle save built:second localhost:5000/some/name | docker_ load
        both images
}
