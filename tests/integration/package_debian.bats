#!/usr/bin/env bats
# Debian packages, made of what the build under test installs: what is in them, what they ask for, what their scripts do, and
# that they stand beside the packages of others. tests/packages/debian installs them in fresh Debian systems (make check-deb).

load lib

PACKAGES=(coracle coracle-cni coracle-init coracle-proxy coracle-runtime coracle-systemd coracle-usernet)

needs() {
        skip_unless "program dh" "program meson" "program dpkg-shlibdeps"
        ! readelf -d "$CORACLE_BUILD/src/cli/coracle-runtime" | grep -q NEEDED ||
                skip "needs programs that are linked static-pie: runs with every build without sanitizers"
        [ -x "$CORACLE_BUILD/src/tools/usernet/coracle-usernet" ] ||
                skip "needs a build with libslirp, as packages are: runs wherever scripts/deps has installed what a build needs"
}

setup_file() {
        WHY_SKIPPED=$(why_skip needs) && export WHY_SKIPPED
        [ -z "$WHY_SKIPPED" ] || return 0
        export T=$BATS_FILE_TMPDIR VERSION=1.2.3~test SOURCE_DATE_EPOCH=1700000000
        installed_tree "$T/tree"
        "$SOURCE_DIR/scripts/deb" --tree "$T/tree" "$(dpkg --print-architecture)" "$T/debs"
        again
        local deb
        mkdir "$T/files" "$T/control"
        for deb in "$T"/debs/*.deb; do
                dpkg-deb -x "$deb" "$T/files/$(basename "${deb%%_*}")"
                dpkg-deb -e "$deb" "$T/control/$(basename "${deb%%_*}")"
        done
}

setup() {
        [ -z "$WHY_SKIPPED" ] || skip "$WHY_SKIPPED"
}

# The same once more, later, in another place, with other settings. Here, since a file has more time than a test.
again() {
        mkdir "$T/elsewhere"
        cp -R --no-dereference "$T/tree" "$T/elsewhere/tree"
        (umask 077 && TZ=Asia/Tokyo LANG=C "$SOURCE_DIR/scripts/deb" --tree "$T/elsewhere/tree" \
                "$(dpkg --print-architecture)" "$T/again")
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

paths() { # PACKAGE... - all files and links, from the root on
        local package
        for package; do
                find "$T/files/$package" ! -type d -printf '/%P\n'
        done
}

owners() { # PATH - the packages installed here that have this path, under its names before and after /usr was merged
        local name
        for name in "$1" "${1#/usr}" "/usr$1"; do
                dpkg-query -S "$name" 2>/dev/null | sed -n 's/: .*//p'
        done
}

@test "what meson installs is in the packages, each file in one of them" {
        run env LC_ALL=C ls "$T/files"
        expect_output "$(printf '%s\n' "${PACKAGES[@]}")"
        [ -z "$(paths "${PACKAGES[@]}" | sort | uniq -d)" ]
        for name in coracle coracle-cni coracle-init coracle-proxy coracle-runtime coracle-usernet; do
                [ -x "$T/files/$name/usr/bin/$name" ]
                ls "$T/files/$name/usr/share/man/"man*/"$name".?.gz
                [ -s "$T/files/$name/usr/share/doc/$name/copyright" ]
        done
        # the others are named above, or have another place in Debian
        comm -23 <(cd "$T/tree" && find . ! -type d -printf '/%P\n' | sed -e 's,^/./,/,' -e '/\/man\//d' \
                -e 's,zsh/site-functions,zsh/vendor-completions,' | sort) <(paths "${PACKAGES[@]}" | sort) >"$T/left"
        [ ! -s "$T/left" ] || { cat "$T/left"; false; }
}

@test "no package has a path that a package of Debian has" {
        local path owner found=
        owners /usr/bin/ls | grep -qx coreutils # we would see it
        while IFS= read -r path; do
                case $path in
                */bin/runc | */bin/crun | */sbin/runc | */sbin/crun | */tini | */docker* | */containerd* | /usr/lib/cni/* | /opt/*)
                        [[ $path == */doc/coracle/docker-compatibility.md.gz ]] || found+="$path is a name of others"$'\n' ;;
                esac
                owner=$(owners "$path" | grep -v '^coracle') || continue
                found+="$path belongs to $owner"$'\n'
        done < <(paths "${PACKAGES[@]}")
        [ -z "$found" ] || { echo "$found"; false; }
}

@test "the packages conflict with nothing, and those of single programs need nothing" {
        local package
        for package in "${PACKAGES[@]}"; do
                run ! grep -E '^(Conflicts|Breaks|Replaces|Provides|Pre-Depends):' "$T/control/$package/control"
                grep -qx "Version: $VERSION" "$T/control/$package/control"
        done
        for package in coracle-cni coracle-init coracle-proxy coracle-runtime; do
                run ! grep '^Depends:' "$T/control/$package/control"
        done
        grep -E '^Depends:.*coracle-init \(= [^)]*\).*libcurl4' "$T/control/coracle/control"
        grep -E '^Static-Built-Using: musl \(= ' "$T/control/coracle-init/control"
}

@test "what is unpacked runs" {
        run -0 "$T/files/coracle-runtime/usr/bin/coracle-runtime" --version
        run -0 "$T/files/coracle/usr/bin/coracle" --version
        run -0 "$T/files/coracle-init/usr/libexec/coracle/coracle-init" -- true
        run -0 env CNI_COMMAND=VERSION "$T/files/coracle-cni/usr/libexec/coracle/cni/bridge" <<<'{"cniVersion":"1.0.0"}'
        expect_text supportedVersions
}

# called SCRIPT ARGUMENT... - run a maintainer script of coracle; prints the programs that it calls, which do nothing
called() {
        local fakes=$BATS_TEST_TMPDIR/fakes program
        mkdir -p "$fakes"
        for program in coracle systemctl deb-systemd-helper deb-systemd-invoke rm update-alternatives; do
                printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\n' $program "$BATS_TEST_TMPDIR" >"$fakes/$program"
                chmod 755 "$fakes/$program"
        done
        echo '[[ $* != *debian-installed* ]]' >>"$fakes/deb-systemd-helper" # nothing was installed before
        sed -i '1s,/bin/sh,/bin/bash,' "$fakes/deb-systemd-helper"
        : >"$BATS_TEST_TMPDIR/calls"
        PATH=$fakes:/usr/bin:/bin /bin/sh "$T/control/coracle/$1" "${@:2}" || return
        cat "$BATS_TEST_TMPDIR/calls"
}

@test "containers are stopped before the programs go, and left alone by an upgrade; data stays on purge" {
        run find "$T/control" \( -name 'pre*' -o -name 'post*' \) ! -path '*/coracle/*' ! -path '*/coracle-cni/*'
        expect_output ""
        run -0 called prerm upgrade 9.9
        expect_output ""
        run -0 called prerm remove
        [ "${lines[-1]}" = "coracle system stop" ]
        run -0 called postinst configure ""
        expect_text "deb-systemd-helper enable coracle.service"
        expect_no_text "--user enable"
        run ! grep -r 'deb-systemd-invoke start' "$T/control/coracle-cni"
        run -0 called postrm purge
        expect_no_text "rm "
        run ! grep -r /var/lib/coracle "$T/control"
}

@test "the same tree gives the same bytes, wherever and whenever" {
        [ "$(find "$T/debs" "$T/again" -name '*.deb' | wc -l)" = $((2 * ${#PACKAGES[@]})) ]
        diff -r "$T/debs" "$T/again"
}

@test "the version is that of the tag, or on the way there by the date of the commit; a source archive keeps it" {
        skip_unless "program git"
        local tree=$BATS_TEST_TMPDIR/tree
        mkdir -p "$tree/scripts"
        cp "$SOURCE_DIR"/scripts/{version,dist} "$tree/scripts/"
        printf "project('coracle', 'c',\n  version: '7.2.1',\n" >"$tree/meson.build"
        export GIT_COMMITTER_DATE="1700000000 +0900" GIT_CONFIG_GLOBAL=/dev/null
        git -C "$tree" init -q
        git -C "$tree" add meson.build scripts
        git -C "$tree" -c user.name=somebody -c user.email=somebody@example.org commit -q -m first
        run -0 "$tree/scripts/version"
        expect_output "7.2.1~git20231114.221320"
        dpkg --compare-versions "$output" lt 7.2.1
        dpkg --compare-versions "$output" gt 7.2.0
        run -0 "$tree/scripts/version" --date
        expect_output 1700000000
        echo "# changed" >>"$tree/meson.build"
        run -0 "$tree/scripts/version"
        expect_output "7.2.1~git20231114.221320+local"
        run -0 "$tree/scripts/dist" "$tree/dist" # the commit, not the change
        cp -a "$tree/.git" "$BATS_TEST_TMPDIR/.git" && git -C "$BATS_TEST_TMPDIR" checkout -q -f
        touch "$BATS_TEST_TMPDIR/meson.build"
        run -0 "$BATS_TEST_TMPDIR/scripts/dist" "$BATS_TEST_TMPDIR/dist"
        cmp "$tree/dist/coracle-7.2.1~git20231114.221320.tar.gz" "$output"
        tar -xzf "$output" -C "$BATS_TEST_TMPDIR"
        run -0 "$BATS_TEST_TMPDIR/coracle-7.2.1~git20231114.221320/scripts/version"
        expect_output "7.2.1~git20231114.221320"
        git -C "$tree" checkout -q meson.build
        git -C "$tree" tag v7.2.1
        run -0 "$tree/scripts/version"
        expect_output "7.2.1"
        rm -rf "$tree/.git"
        run -0 "$tree/scripts/version"
        expect_output "7.2.1~local"
        echo "7.2.1~git20231114.221320 1700000000" >"$tree/.version"
        run -0 "$tree/scripts/version" --date
        expect_output 1700000000
}
