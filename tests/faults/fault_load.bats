# Faults in load: kill -9 and errors of the disk at every call, in the program, in the process that reads the archive and in
# those that unpack.
load faults

setup() {
        need_root
        need umoci skopeo jq
        faults_setup
        ARCHIVE=$BATS_TEST_TMPDIR/small.tar
        make_archive
        prepare() { two_images; }
}

teardown() { faults_teardown; }

@test "load, one process killed" { every_call kill load "$ARCHIVE"; }

@test "load, all its processes killed" { every_call kill-all load "$ARCHIVE"; }

@test "load, a call failing with EIO" { every_call eio load "$ARCHIVE"; }

@test "load, the disk full from a call on" { every_call full load "$ARCHIVE"; }
