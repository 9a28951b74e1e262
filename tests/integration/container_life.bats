#!/usr/bin/env bats
# The life of containers beyond the first run: what the machine's start and end mean to them, how they are stopped, what is told
# of them, what they had printed, and those that another runtime makes.

load lib
load registries
load containers

setup() { setup_containers; }
teardown() { teardown_containers; }

@test "logs: whoever has heard of the end finds the last line, with its end or without" {
        local i
        for i in {1..20}; do
                crun --name "c$i" bb:1 sh -c "echo 1; echo 2; echo $i" >/dev/null
                run coracle logs -n 1 "c$i"
                expect_output "$i"
                crun -d --name "d$i" bb:1 sh -c "echo 1; echo 2; printf $i" >/dev/null
                coracle wait "d$i" >/dev/null
                run coracle logs -n 1 "d$i"
                expect_output "$i"
        done
}

@test "logs: a line without an end does not run into what the next start prints" {
        crun -d --name one --restart on-failure:1 bb:1 sh -c 'printf "no end"; exit 3' >/dev/null
        wait_until has_started_again one
        coracle wait one >/dev/null
        expect_equal "$(jq -r .log "$COR_STORE"/containers/*/*-json.log)" "no end
no end"
}

has_started_again() { [ "$(coracle inspect -f '{{.RestartCount}}' "$1")" = 1 ]; }

@test "other runtimes get a configuration of a version that they take" {
        local program version
        for program in crun runc; do
                program=$(type -P "$program") || skip "there is no $program; runs where Debian's crun and runc are installed"
                crun --name "by-${program##*/}" --runtime "$program" -v "$TEST_DIR:/ro:ro" bb:1 sh -c 'echo out; touch /ro/x 2>/dev/null && echo written' \
                        >"$TEST_DIR/out" 2>&1 || grep -q "hybrid mode" "$TEST_DIR/out" || {
                        expect_equal "$(cat "$TEST_DIR/out")" out
                }
        done
        crun --name forced --runtime "$(type -P runc)" --mount "type=bind,src=$TEST_DIR,dst=/ro,ro,bind-recursive=readonly,bind-propagation=rprivate" \
                bb:1 true >/dev/null 2>&1 || true
        version=$(jq -r .ociVersion "$COR_STORE/containers/$(coracle inspect -f '{{.Id}}' forced)/config.json")
        expect_equal "$version" 1.1.0
        crun --name own bb:1 true
        expect_equal "$(jq -r .ociVersion "$COR_STORE/containers/$(coracle inspect -f '{{.Id}}' own)/config.json")" 1.3.0
}
