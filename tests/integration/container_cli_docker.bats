#!/usr/bin/env bats
# docs/docker-compatibility.md tells the truth of every command and flag of the docker client that is installed.

load lib
test_limit 2400 # hundreds of calls of docker's client, seconds each on an emulated processor

@test "the page of docker's commands and flags tells of all, and what it tells is so" {
        command -v docker >/dev/null || skip "there is no docker client; runs where Debian's docker-cli is installed"
        local client
        for client in $(type -ap docker | xargs realpath | sort -u); do # an older one beside the newest, where both are there
                run "$SOURCE_DIR/tests/integration/tools/docker_help.py" "$client" \
                        "$CORACLE_BUILD/src/cli/coracle" "$SOURCE_DIR/docs/docker-compatibility.md" 3>&-
                expect_output ""
                expect_status 0
        done
}
