#!/usr/bin/env bats
# The recipe of the packages for Alpine Linux: its functions, called as abuild calls them, on what the build under test installs.

load lib

needs() {
        skip_unless "program meson" "program busybox"
        [ -x "$CORACLE_BUILD/src/tools/init/coracle-init" ] ||
                skip "needs coracle-init as it is installed: runs with every build without sanitizers"
        [ -x "$CORACLE_BUILD/src/tools/usernet/coracle-usernet" ] ||
                skip "needs a build with libslirp, as packages are: runs wherever scripts/deps has installed what a build needs"
}

setup_file() {
        WHY_SKIPPED=$(why_skip needs) && export WHY_SKIPPED
        [ -z "$WHY_SKIPPED" ] || return 0
        export T=$BATS_FILE_TMPDIR
        local prefix
        prefix=$(meson introspect "$CORACLE_BUILD" --buildoptions | jq -r '.[] | select(.name == "prefix").value')
        DESTDIR=$T/dest meson install -C "$CORACLE_BUILD" --no-rebuild --quiet
        mkdir -p "$T/tree"
        mv "$T/dest$prefix" "$T/tree/usr"
        # packages are built with -Dinit_aliases=false and -Dsystemd=disabled
        rm -rf "$T"/tree/usr/{bin/tini,bin/docker-init,sbin} "$T/tree/usr/libexec/coracle/coracle-systemd"
        split "$T/tree" "$T/pkg"
}

setup() {
        [ -z "$WHY_SKIPPED" ] || skip "$WHY_SKIPPED"
}

# split TREE PKG - package() and the functions of its own packages, with TREE as what meson installs; into PKG/NAME
split() {
        cat >"$T/abuild" <<'SCRIPT'
set -eu
tree=$1 packages=$2 srcdir=$3/srcdir pkgdir=$2/coracle
mkdir -p "$srcdir" "$pkgdir"
. "$3/packaging/APKBUILD"
cp "$3/packaging/coracle.initd" "$srcdir/"
meson() { cp -a "$tree/." "$pkgdir/"; }
amove() { # abuild's: paths below the main package, which must be there
        for path; do
                mkdir -p "$subpkgdir/${path%/*}"
                mv "$pkgdir/$path" "$subpkgdir/$path"
        done
}
cd "$3/source"
package
for name in $subpackages; do
        subpkgdir=$packages/$name
        case ${name#"$pkgname"-} in # those that have a function of abuild
        doc) amove usr/share/doc usr/share/man ;;
        openrc) amove etc/init.d ;;
        bash-completion) amove usr/share/bash-completion/completions ;;
        zsh-completion) amove usr/share/zsh/site-functions ;;
        fish-completion) amove usr/share/fish/vendor_completions.d ;;
        *)
                (
                        ${name#"$pkgname"-}
                        echo "$pkgdesc" >"$subpkgdir.pkgdesc"
                        [ -z "$install$depends" ]
                )
                ;;
        esac
done
SCRIPT
        ln -sfn "$SOURCE_DIR/packaging/alpine" "$T/packaging"
        ln -sfn "$SOURCE_DIR" "$T/source"
        busybox sh "$T/abuild" "$1" "$2" "$T"
}

files() { # PACKAGE
        (cd "$T/pkg/$1" && find . ! -type d -printf '%P\n' | LC_ALL=C sort)
}

@test "the recipe names the version of meson.build, and its scripts are those of a plain shell" {
        run -0 sed -n "s/^ *version: '\([0-9.]*\)',\$/\1/p" "$SOURCE_DIR/meson.build"
        grep -qx "pkgver=$output" "$SOURCE_DIR/packaging/alpine/APKBUILD"
        local file
        for file in "$SOURCE_DIR"/packaging/alpine/*; do
                sh -n "$file"
                busybox sh -n "$file"
        done
}

@test "each program has the package that Debian has it in; what is left is coracle" {
        local name path
        for name in init cni usernet proxy runtime; do
                [ -d "$T/pkg/coracle-$name" ]
                while IFS= read -r path; do
                        [ -e "$T/pkg/coracle-$name/$path" ] || [ -L "$T/pkg/coracle-$name/$path" ] ||
                                { echo "coracle-$name lacks $path"; return 1; }
                done < <(grep -v '/man/\|completions\|site-functions\|systemd' "$SOURCE_DIR/packaging/debian/coracle-$name.install")
                grep -q . "$T/pkg/coracle-$name.pkgdesc"
        done
        run -0 files coracle
        expect_output "usr/bin/coracle
usr/libexec/coracle/coracle-monitor
usr/libexec/coracle/coracle-tls
usr/libexec/coracle/coracle-transfer
usr/libexec/coracle/hello.tar"
}

@test "the service of OpenRC is the one that boot.md shows" {
        diff <(sed -n '/^## OpenRC/,/^## /s/^    //p' "$SOURCE_DIR/docs/boot.md" | tr -d '\n\t ') \
                <(tr -d '\n\t ' <"$SOURCE_DIR/packaging/alpine/coracle.initd")
        [ -x "$T/pkg/coracle-openrc/etc/init.d/coracle" ]
}
