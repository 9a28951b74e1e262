# Faults in the verbs that change which images there are: kill -9 and errors of the disk at every call.
load faults
setup() { need_root && need jq && faults_setup; }
teardown() { faults_teardown; }

@test "tag" {
        prepare() { two_images; }
        for_each_fault tag b:1 new:1
}

@test "rmi of one of two names" {
        prepare() { two_images; }
        for_each_fault rmi a:1
}

@test "rmi of the last name" {
        prepare() { two_images; }
        for_each_fault rmi b:1
}

@test "prune" {
        prepare() { two_images; }
        for_each_fault prune
}
