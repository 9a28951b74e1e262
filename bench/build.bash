# shellcheck shell=bash
# The programs to compare; sourced by the benchmarks. $here is the folder of the benchmark, $build becomes the build's.
build=$(cd "${CORACLE_BUILD:-$here/../build}" && pwd)

# In a virtual machine there is no compiler, and the programs came with it (tests/machines/run).
build_programs() { # build_programs FILE...: of the build, made or brought up to date
	local file
	if command -v ninja >/dev/null; then
		ninja -C "$build" -j "${JOBS:-2}" "$@" >/dev/null
		return
	fi
	for file; do
		[ -x "$build/$file" ] || { echo "${0##*/}: there is no $file in $build, nor ninja to make it" >&2; return 1; }
	done
}
