# shellcheck shell=bash disable=SC2154
# The stacks that are compared, as the distribution packages them, and the namespaces that they run in; sourced behind
# build.bash, and groups.bash for enter_namespaces. $work is the benchmark's folder: each stack has its store in $work/STACK/root.
docker_socket=unix:///run/bench-docker.sock

# The benchmark once more, inside: a folder and namespaces of its own, and no container or daemon stays when it ends.
enter_namespaces() { # enter_namespaces WORD...
	work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/coracle-bench.XXXXXX")
	export BENCH_GROUP=coracle-bench-$$
	trap 'groups_remove "$BENCH_GROUP"; rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
	BENCH_INSIDE=$work unshare --mount --propagation private --pid --net --fork --kill-child --mount-proc -- "$0" "$@"
}

prepare_namespaces() { # inside, before anything is started
	ip link set lo up
	mount -t tmpfs -o mode=755 tmpfs /run
	unset XDG_RUNTIME_DIR # is not there any more, and runc would use it
	mkdir -p "$work/tmp" "$work/podman/tmp"
}

has() { case " $STACKS " in *" $1 "*) return 0 ;; *) return 1 ;; esac; } # has STACK: it is to be compared

command_of() { # command_of STACK: words without blanks in them
	case $1 in
	coracle) echo "$build/src/cli/coracle --root $work/coracle/root" ;;
	docker) echo "docker -H $docker_socket" ;;
	podman) echo "env TMPDIR=$work/podman/tmp podman --root $work/podman/root --runroot /run/podman --cgroup-manager cgroupfs --events-backend none" ;;
	esac
}

do_in() { # do_in STACK WORD...
	local command
	read -ra command <<<"$(command_of "$1")"
	"${command[@]}" "${@:2}"
}

answers() { # answers NAME COMMAND...: the daemon lets the command succeed, within a minute
	local _
	for _ in $(seq 600); do
		"${@:2}" >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "${0##*/}: $1 does not answer: $(tail -n 3 "$work/$1.log")" >&2
	return 1
}

dockerd_start() { # dockerd_start OPTION...: its pid is in /run/bench-docker.pid
	dockerd --data-root "$work/docker/root" --exec-root /run/bench-docker --pidfile /run/bench-docker.pid \
		--host $docker_socket --exec-opt native.cgroupdriver=cgroupfs "$@" >"$work/dockerd.log" 2>&1 </dev/null &
	answers dockerd docker -H $docker_socket version
}
