#!/usr/bin/env bats
# RPM packages, made of what the build under test installs: that the spec knows each file, what is in which package, what they
# ask for, and what their scripts do. tests/packages/rpm installs those that are built from the source (make check-rpm).

load lib

PACKAGES=(coracle coracle-cni coracle-init coracle-proxy coracle-runtime coracle-systemd coracle-usernet)

needs() {
        skip_unless "program rpmbuild" "program meson"
        [ -x "$CORACLE_BUILD/src/tools/usernet/coracle-usernet" ] && [ -x "$CORACLE_BUILD/src/tools/systemd/coracle-systemd" ] ||
                skip "needs a build with libslirp and libsystemd, as packages are: runs wherever scripts/deps has installed what a build needs"
        [ -x "$CORACLE_BUILD/src/tools/init/coracle-init" ] ||
                skip "needs coracle-init as it is installed: runs with every build without sanitizers"
}

setup_file() {
        WHY_SKIPPED=$(why_skip needs) && export WHY_SKIPPED
        [ -z "$WHY_SKIPPED" ] || return 0
        export T=$BATS_FILE_TMPDIR VERSION=1.2.3~test SOURCE_DATE_EPOCH=1700000000
        installed_tree "$T/tree"
        "$SOURCE_DIR/scripts/rpm" --tree "$T/tree" "$T/rpms"
}

setup() {
        [ -z "$WHY_SKIPPED" ] || skip "$WHY_SKIPPED"
}

# installed_tree DIR - what meson installs, below usr/ whatever the prefix of the build
installed_tree() {
        local prefix link
        prefix=$(meson introspect "$CORACLE_BUILD" --buildoptions | jq -r '.[] | select(.name == "prefix").value')
        DESTDIR=$T/dest meson install -C "$CORACLE_BUILD" --no-rebuild --quiet
        mkdir -p "$1"
        mv "$T/dest$prefix" "$1/usr"
        rm -f "$1"/usr/{bin/tini,bin/docker-init,sbin/docker-init} # packages are built with -Dinit_aliases=false
        rmdir --ignore-fail-on-non-empty "$1/usr/sbin" 2>/dev/null || true
        while IFS= read -r link; do # to what lay below the prefix
                ln -snf "/usr${link#*" $prefix"}" "$1/${link%% *}"
        done < <(find "$1" -type l -lname "$prefix/*" -printf '%P %l\n')
}

query() { # PACKAGE OPTION... - of rpm
        rpm --dbpath "$T/db" -qp "${@:2}" "$T/rpms/$1-$VERSION-1.$(uname -m).rpm"
}

@test "the spec names the version of meson.build" {
        run -0 sed -n "s/^ *version: '\([0-9.]*\)',\$/\1/p" "$SOURCE_DIR/meson.build"
        grep -qx "Version: *$output" "$SOURCE_DIR/packaging/rpm/coracle.spec"
}

@test "each file that meson installs is in one package, and the packages are those of Debian" {
        run env LC_ALL=C ls "$T/rpms"
        expect_output "$(for name in "${PACKAGES[@]}"; do
                [ "$name" != coracle ] || echo "$name-$VERSION-1.src.rpm"
                echo "$name-$VERSION-1.$(uname -m).rpm"
        done | LC_ALL=C sort)"
        run sed -n 's/^Package: //p' "$SOURCE_DIR/packaging/debian/control"
        [ "$(LC_ALL=C sort <<<"$output")" = "$(printf '%s\n' "${PACKAGES[@]}")" ]
        local name
        for name in "${PACKAGES[@]}"; do
                query "$name" --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' | sed -n 's/^[^d][^ ]* //p'
        done | grep -v '^/usr/share/\(doc\|licenses\)/' | LC_ALL=C sort >"$T/packed"
        (cd "$T/tree" && find . ! -type d -printf '/%P\n' | sed '/\/man\//s/$/.gz/' | LC_ALL=C sort) | diff - "$T/packed"
        for name in "${PACKAGES[@]}"; do
                query "$name" --licensefiles | grep -q '/LICENSE$'
        done
}

@test "a unit of Debian's package is in the RPM package of the same name, and so is each program" {
        local name path
        for name in "${PACKAGES[@]}"; do
                query "$name" --list >"$T/list"
                while read -r path _; do # as in the lists of debhelper
                        case $path in
                        *\**) grep -q "^/${path%%\**}" "$T/list" ;;
                        */man/*) grep -qx "/$path.gz" "$T/list" ;;
                        *) grep -qx "/$path" "$T/list" ;;
                        esac || { echo "$name lacks $path"; return 1; }
                done <"$SOURCE_DIR/packaging/debian/$name.install"
        done
}

@test "nothing is taken from others" {
        local name
        for name in "${PACKAGES[@]}"; do
                run ! grep -E '/(runc|crun|tini|docker[^/]*|containerd[^/]*)$|^/usr/lib/cni/|^/opt/' < <(query "$name" --list | grep -v /doc/)
                run -0 query "$name" --conflicts
                expect_output ""
                run -0 query "$name" --obsoletes
                expect_output ""
                run ! grep -vE "^$name(\(.*\))? = $VERSION-1\$" < <(query "$name" --provides)
        done
}

@test "coracle asks for its init and the libraries of its helpers, single programs for none of our packages" {
        local name
        run -0 query coracle --requires
        expect_text "coracle-init("
        expect_text "libcurl.so.4"
        run -0 query coracle --recommends
        expect_text "coracle-systemd("
        expect_text "coracle-usernet("
        for name in coracle-cni coracle-init coracle-proxy coracle-runtime coracle-systemd coracle-usernet; do
                run ! grep '^coracle' < <(query "$name" --requires)
        done
        run ! grep '\.so' < <(query coracle-init --requires) # goes into containers
}

@test "links hold below any root" {
        local name
        for name in coracle-cni coracle-init; do
                query "$name" --qf '[%{FILELINKTOS}\n]' | grep . >"$T/links"
                run ! grep '^/' "$T/links"
        done
}

# script PACKAGE WHICH COUNT - what the script of a package does, with that many installed; programs that it calls do nothing
script() {
        local fakes=$BATS_TEST_TMPDIR/fakes
        mkdir -p "$fakes"
        printf '#!/bin/sh\necho "${0##*/} $*"\n' | tee "$fakes/coracle" "$fakes/systemd-update-helper" >/dev/null
        chmod 755 "$fakes"/*
        query "$1" --qf "%{$2}" | sed -e "s,/usr/bin/coracle,$fakes/coracle,g" -e "s,/usr/lib/systemd/systemd-update-helper,$fakes/systemd-update-helper,g" >"$fakes/script"
        sh "$fakes/script" "$3"
}

@test "containers are stopped before the programs go, and left alone by an upgrade" {
        local name
        run -0 script coracle POSTIN 1
        expect_output "systemd-update-helper install-system-units coracle.service"
        run script coracle POSTIN 2
        expect_output ""
        run script coracle PREUN 1
        expect_output ""
        run -0 script coracle PREUN 0
        expect_output "systemd-update-helper remove-system-units coracle.service
coracle system stop"
        run -0 script coracle-cni PREUN 0
        expect_output "systemd-update-helper remove-system-units coracle-dhcp.socket coracle-dhcp.service"
        run -0 query coracle --qf '%{POSTUN}%{PREIN}'
        expect_output "(none)(none)"
        for name in coracle-init coracle-proxy coracle-runtime coracle-systemd coracle-usernet; do
                run -0 query "$name" --scripts
                expect_output ""
        done
}

@test "the same tree gives the same bytes, wherever and whenever" {
        cp -R --no-dereference "$T/tree" "$T/elsewhere"
        (umask 077 && TZ=Asia/Tokyo LANG=C "$SOURCE_DIR/scripts/rpm" --tree "$T/elsewhere" "$T/again")
        rm "$T"/again/*.src.rpm # has the folder of the build in it
        [ "$(find "$T/again" -name '*.rpm' | wc -l)" = ${#PACKAGES[@]} ]
        diff -r --exclude='*.src.rpm' "$T/rpms" "$T/again"
}
