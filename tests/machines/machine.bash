# shellcheck shell=bash disable=SC2034
# The machines that there are, and where their images are kept. Sourced by image and run with the name of a machine in
# $machine.

top=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
here=$top/tests/machines
suite=trixie     # the first release of Debian with riscv64
sources=()       # beside that suite
unpacked=        # the group of packages, and the folder, of a machine whose packages are only unpacked
case $machine in
amd64) arch=amd64 kernel='^linux-image-6\.[0-9].*-cloud-amd64$' ;;
riscv64) arch=riscv64 kernel='^linux-image-6\.[0-9].*-riscv64$' ;;
riscv64-small) arch=riscv64 kernel='' unpacked=small ;;
kernel-5.10) arch=amd64 kernel='^linux-image-5\.10\..*-cloud-amd64$' sources=(bullseye) ;;
*) echo "machines: which machine? amd64, riscv64, riscv64-small or kernel-5.10, not '$machine'" >&2; exit 2 ;;
esac

cache=${XDG_CACHE_HOME:-/var/cache}/coracle-machines

say() { echo "$machine: $*" >&2; }
die() { say "$*"; exit 2; }
