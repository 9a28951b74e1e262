# Faults while an image is made in the store: kill -9 and errors of the disk at every call.
load faults
setup() { need_root && need jq && faults_setup; }
teardown() { faults_teardown; }

@test "making the first image of a store, which is made on the way" {
        prepare() { :; }
        for_each_fault make a:1 "text of a"
}

@test "making another image that shares a layer" {
        prepare() { two_images; }
        for_each_fault make d:1 "text of d"
}

@test "making an image again under the name of another" {
        prepare() { two_images; }
        for_each_fault make b:1 "text of a"
}
