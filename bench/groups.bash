# shellcheck shell=bash
# The benchmarks' own parent cgroup in each hierarchy; sourced by bench/runtime and bench/engine.
cgroups=/sys/fs/cgroup

groups_of() { # groups_of NAME: its folder in each hierarchy
	if [ -e $cgroups/cgroup.controllers ]; then
		echo "$cgroups/$1"
	else
		for h in "$cgroups"/*/; do
			[ -L "${h%/}" ] || [ "$h" = $cgroups/unified/ ] || echo "$h$1"
		done
	fi
}

# Where version 2 has a mount of its own beside version 1, crun refuses to work: there it is out of sight.
groups_make() { # groups_make NAME, in a mount namespace of its own
	local g
	umount -l $cgroups/unified 2>/dev/null || true
	while read -r g; do
		mkdir "$g"
		if [ -e "$g/cpuset.cpus" ] && [ ! -e $cgroups/cgroup.controllers ]; then
			cat "${g%/*}/cpuset.cpus" >"$g/cpuset.cpus"
			cat "${g%/*}/cpuset.mems" >"$g/cpuset.mems"
		fi
	done < <(groups_of "$1")
	if [ -e $cgroups/cgroup.controllers ]; then
		tr ' ' '\n' <$cgroups/cgroup.controllers | while read -r c; do
			echo "+$c" >"$cgroups/$1/cgroup.subtree_control" 2>/dev/null || true
		done
	fi
}

# shellcheck disable=SC2317 # called by traps
groups_remove() { # groups_remove NAME, once all in it have ended
	local g _
	while read -r g; do
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			[ -d "$g" ] || break
			find "$g" -depth -type d -exec rmdir {} + 2>/dev/null && break
			sleep 0.1
		done
		[ ! -d "$g" ] || echo "bench: cannot remove $g" >&2
	done < <(groups_of "$1")
}
