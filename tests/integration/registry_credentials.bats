# Whom credentials are shown to, where they come from, and how hosts, mirrors, certificates and proxies are chosen.
load lib
load registries

setup() { setup_net; }
teardown() { teardown_net; }

log_in() { # DOMAIN [USER:PASSWORD]
        printf '{"auths":{"%s":{"auth":"%s"}}}' "$1" "$(printf %s "${2:-user:secret}" | base64)" >"$HOME/.docker/config.json"
}

manifest() { reg manifest "$@"; }

# helper NAME SCRIPT - a credential helper in PATH
helper() {
        mkdir -p "$TEST_DIR/bin"
        printf '#!/bin/sh\n%s\n' "$2" >"$TEST_DIR/bin/docker-credential-$1"
        chmod +x "$TEST_DIR/bin/docker-credential-$1"
        PATH=$TEST_DIR/bin:$PATH
}

@test "basic and token authentication, anonymous and not" {
        start_hostile log 5000
        run manifest localhost:5000/public/x v1
        expect_status 0
        run manifest localhost:5000/private/x v1
        expect_status 1
        expect_text "pull access denied for localhost:5000/private/x"
        log_in localhost:5000
        for kind in basic private; do
                run manifest localhost:5000/$kind/x v1
                expect_status 0
        done
        log_in localhost:5000 user:wrong
        for kind in basic private; do
                run manifest localhost:5000/$kind/x v1
                expect_status 1
                expect_text "unauthorized"
        done
}

@test "a token is got once, and again when it is no longer good" {
        start_hostile log 5000
        run reg blobs localhost:5000/short-lived/x "$DIGEST" "$SIZE" "$TEST_DIR/1" "$DIGEST" "$SIZE" "$TEST_DIR/2" \
                "$DIGEST" "$SIZE" "$TEST_DIR/3" "$DIGEST" "$SIZE" "$TEST_DIR/4"
        expect_status 0
        cmp "$TEST_DIR/1" "$TEST_DIR/4"
}

@test "pushing asks for a token with more rights than pulling did" {
        start_hostile log 5000
        log_in localhost:5000
        echo data >"$TEST_DIR/file"
        run reg upload localhost:5000/private/x "$TEST_DIR/file"
        expect_status 0
        grep -q 'scope=repository%3Aprivate%2Fx%3Apull%2Cpush' "$TEST_DIR/log.log"
}

@test "credentials do not follow a redirect, nor go to a foreign address" {
        start_hostile log 5000
        start_hostile other 5001 --host 127.0.0.2
        log_in localhost:5000
        run reg blobs localhost:5000/elsewhere/http/127.0.0.2/5001 "$DIGEST" "$SIZE" "$TEST_DIR/blob"
        expect_status 0
        grep -q 'GET .*auth=- ' "$TEST_DIR/other.log"
        refute grep -q 'auth=[BT]' "$TEST_DIR/other.log"
        run reg blobs localhost:5000/basic/x "$DIGEST" "$SIZE" "$TEST_DIR/blob2" "http://127.0.0.2:5001/v2/basic/x/blobs/$DIGEST"
        expect_status 0 # from the registry, since the foreign address wants credentials
        refute grep -q 'auth=[BT]' "$TEST_DIR/other.log"
        grep -q 'auth=Basic' "$TEST_DIR/log.log"
}

@test "errors do not show the signature of a redirected address" {
        start_hostile log 5000
        run reg blobs localhost:5000/elsewhere/http/127.0.0.2/5999 "$DIGEST" "$SIZE" "$TEST_DIR/blob"
        expect_status 1
        expect_text "127.0.0.2:5999"
        expect_no_text hidden
}

@test "an upload's location elsewhere gets no credentials" {
        start_hostile log 5000
        start_hostile other 5001 --host 127.0.0.2
        log_in localhost:5000
        echo data >"$TEST_DIR/file"
        run reg upload localhost:5000/elsewhere/http/127.0.0.2/5001 "$TEST_DIR/file"
        expect_status 0
        refute grep -q 'auth=[BT]' "$TEST_DIR/other.log"
}

@test "https: certificates by certs.d and hosts.toml, client certificates, and their absence" {
        make_certificates
        name_hosts
        start_hostile log 5443 --tls "$TEST_DIR/server.crt" "$TEST_DIR/server.key" --ca "$TEST_DIR/ca.crt"
        run manifest registry.test:5443/good/x v1
        expect_status 1
        expect_text "certificate" "certs.d/registry.test:5443/ca.crt"
        mkdir "$COR_CONFIG/certs.d/registry.test:5443"
        cp "$TEST_DIR/ca.crt" "$COR_CONFIG/certs.d/registry.test:5443/"
        run manifest registry.test:5443/good/x v1
        expect_status 1 # it wants to see a certificate
        cp "$TEST_DIR/client.crt" "$COR_CONFIG/certs.d/registry.test:5443/client.cert"
        run manifest registry.test:5443/good/x v1
        expect_status 1
        expect_text "client.key"
        cp "$TEST_DIR/client.key" "$COR_CONFIG/certs.d/registry.test:5443/"
        run manifest registry.test:5443/good/x v1
        expect_status 0
        rm -r "$COR_CONFIG/certs.d/registry.test:5443"
        mkdir "$COR_CONFIG/certs.d/registry.test_5443_"
        printf 'ca = "../../../ca.crt"\nclient = [["%s", "%s"]]\n' "$TEST_DIR/client.crt" "$TEST_DIR/client.key" \
                >"$COR_CONFIG/certs.d/registry.test_5443_/hosts.toml"
        run manifest registry.test:5443/good/x v1
        expect_status 0
        unname_hosts
}

@test "https is left for http by insecure registries only, and never by a redirect with credentials" {
        make_certificates
        name_hosts
        start_hostile log 5000
        start_hostile tls 5443 --tls "$TEST_DIR/server.crt" "$TEST_DIR/server.key"
        run manifest registry.test:5000/good/x v1
        expect_status 1
        expect_text "server gave HTTP response to HTTPS client (to allow that, list registry.test:5000 under insecure-registries"
        echo '{"insecure-registries":["registry.test:5000"]}' >"$COR_CONFIG/daemon.json"
        run manifest registry.test:5000/good/x v1
        expect_status 0
        echo '{"insecure-registries":["127.0.0.0/8"]}' >"$COR_CONFIG/daemon.json"
        run manifest registry.test:5000/good/x v1
        expect_status 0
        run manifest registry.test:5443/good/x v1
        expect_status 0
        rm "$COR_CONFIG/daemon.json"
        mkdir "$COR_CONFIG/certs.d/registry.test:5443"
        cp "$TEST_DIR/ca.crt" "$COR_CONFIG/certs.d/registry.test:5443/"
        run reg blobs registry.test:5443/elsewhere/http/registry.test/5000 "$DIGEST" "$SIZE" "$TEST_DIR/blob"
        expect_status 1
        expect_text "from https to plain http"
        log_in registry.test:5443
        run manifest registry.test:5443/plainrealm/x v1
        expect_status 1
        expect_text "without encryption"
        unname_hosts
}

@test "mirrors are asked first; what they lack or break comes from the registry" {
        start_hostile log 5000
        start_hostile mirror 5001
        mkdir "$COR_CONFIG/certs.d/localhost:5000"
        cat >"$COR_CONFIG/certs.d/localhost:5000/hosts.toml" <<-TOML
		server = "http://localhost:5000"
		[host."http://127.0.0.1:5999"]
		[host."http://127.0.0.1:5001"]
		  capabilities = ["pull"]
		  [host."http://127.0.0.1:5001".header]
		    X-Test = "seen"
	TOML
        run reg blobs localhost:5000/good/x "$DIGEST" "$SIZE" "$TEST_DIR/blob"
        expect_status 0
        grep -q "GET /v2/good/x/blobs/$DIGEST?ns=localhost%3A5000 .*x=seen" "$TEST_DIR/mirror.log"
        refute grep -q blobs "$TEST_DIR/log.log"
        run manifest localhost:5000/good/x v1 # by tag: a mirror without "resolve" is not trusted
        expect_status 0
        refute grep -q manifests "$TEST_DIR/mirror.log"
        cat >"$COR_CONFIG/certs.d/localhost:5000/hosts.toml" <<-TOML
		server = "http://localhost:5000"
		[host."http://127.0.0.1:5001/v2/wrong/mirror"]
		  override_path = true
		[host."http://127.0.0.1:5001/cut"]
	TOML
        rm "$TEST_DIR/blob"
        run reg blobs localhost:5000/good/x "$DIGEST" "$SIZE" "$TEST_DIR/blob"
        expect_status 0
        grep -q "GET /v2/wrong/mirror/good/x/blobs" "$TEST_DIR/mirror.log"
        grep -q "GET /v2/good/x/blobs" "$TEST_DIR/log.log"
}

@test "a mistake in hosts.toml and daemon.json is named with its place" {
        mkdir "$COR_CONFIG/certs.d/a.test"
        printf 'server = "https://a.test"\nskip_verfy = true\n' >"$COR_CONFIG/certs.d/a.test/hosts.toml"
        run manifest a.test/x v1
        expect_status 1
        expect_text "certs.d/a.test/hosts.toml: line 2: skip_verfy: unknown key"
        echo '{"max-concurrent-downloads": "many"}' >"$COR_CONFIG/daemon.json"
        run manifest a.test/x v1
        expect_status 1
        expect_text "daemon.json: max-concurrent-downloads: expected"
}

@test "a proxy of the environment is used, except for what NO_PROXY names" {
        start_hostile proxy 3128
        export HTTP_PROXY=http://127.0.0.1:3128 COR_CONFIG
        echo '{"insecure-registries":["10.0.0.0/8"]}' >"$COR_CONFIG/daemon.json"
        mkdir "$COR_CONFIG/certs.d/10.1.2.3:80"
        echo 'server = "http://10.1.2.3:80"' >"$COR_CONFIG/certs.d/10.1.2.3:80/hosts.toml"
        ATTEMPTS=1 run manifest 10.1.2.3:80/good/x v1
        grep -qE 'GET http://10.1.2.3(:80)?/v2/good/x/manifests/v1' "$TEST_DIR/proxy.log"
        : >"$TEST_DIR/proxy.log"
        NO_PROXY=example.org,10.1.0.0/16 ATTEMPTS=1 run manifest 10.1.2.3:80/good/x v1
        expect_status 1
        refute grep -q GET "$TEST_DIR/proxy.log" # "sent" may be the end of the one before
}

@test "https goes through a proxy as a tunnel, and the registry is verified behind it" {
        make_certificates
        name_hosts
        start_hostile proxy 3128
        start_hostile tls 5443 --tls "$TEST_DIR/server.crt" "$TEST_DIR/server.key"
        export HTTPS_PROXY=http://127.0.0.1:3128
        ATTEMPTS=1 run manifest registry.test:5443/good/x v1
        expect_status 1
        expect_text "certificate"
        mkdir "$COR_CONFIG/certs.d/registry.test:5443"
        cp "$TEST_DIR/ca.crt" "$COR_CONFIG/certs.d/registry.test:5443/"
        run manifest registry.test:5443/good/x v1
        expect_status 0
        grep -q 'CONNECT registry.test:5443' "$TEST_DIR/proxy.log"
        unset HTTPS_PROXY
        : >"$TEST_DIR/proxy.log"
        printf 'proxy = "http://127.0.0.1:3128"\nca = "ca.crt"\n' >"$COR_CONFIG/certs.d/registry.test:5443/hosts.toml"
        run manifest registry.test:5443/good/x v1
        expect_status 0
        grep -q 'CONNECT registry.test:5443' "$TEST_DIR/proxy.log"
        rm -r "$COR_CONFIG/certs.d/registry.test:5443"
        SSL_CERT_FILE=$TEST_DIR/ca.crt run manifest registry.test:5443/good/x v1
        expect_status 0
        unname_hosts
}

@test "login, with a token that lasts, and logout" {
        start_hostile log 5000 --whole basic
        start_hostile token 5001 --whole private
        echo '{"HttpHeaders":{"X":"y"},"credHelpers":{}}' >"$HOME/.docker/config.json"
        run reg login localhost:5000 user wrong
        expect_status 1
        expect_text "unauthorized: authentication required"
        run reg login localhost:5000 user secret
        expect_status 0
        run reg auth localhost:5000
        expect_output "user secret -"
        run reg login localhost:5001 user wrong
        expect_status 1
        expect_text "incorrect username or password"
        run reg login localhost:5001 user secret
        expect_status 0
        run reg auth localhost:5001
        expect_output "user  refresh-me"
        run manifest localhost:5001/private/x v1 # by the identity token
        expect_status 0
        grep -q 'POST /token' "$TEST_DIR/token.log"
        expect_equal "$(jq -r .HttpHeaders.X "$HOME/.docker/config.json")" y
        expect_equal "$(stat -c %a "$HOME/.docker/config.json")" 644
        run reg logout localhost:5001
        expect_status 0
        expect_equal "$(jq -c '.auths | keys' "$HOME/.docker/config.json")" '["localhost:5000"]'
}

@test "a new config.json is private, and docker reads it" {
        start_hostile log 5000
        run reg login localhost:5000 user secret
        expect_status 0
        expect_equal "$(stat -c %a "$HOME/.docker/config.json")" 600
        expect_equal "$(jq -r '.auths["localhost:5000"].auth' "$HOME/.docker/config.json" | base64 -d)" user:secret
}

@test "credential helpers give, take and fail" {
        start_hostile log 5000
        helper good 'read server; case $1 in get) [ "$server" = localhost:5000 ] || { echo "credentials not found in native keychain"; exit 1; }
                echo "{\"ServerURL\":\"$server\",\"Username\":\"user\",\"Secret\":\"secret\"}";; esac'
        helper bad 'echo "the keyring is locked"; exit 1'
        helper token 'echo "{\"ServerURL\":\"x\",\"Username\":\"<token>\",\"Secret\":\"refresh-me\"}"'
        helper store 'cat >"$HOME/stored-$1"'
        echo '{"credsStore":"good"}' >"$HOME/.docker/config.json"
        run manifest localhost:5000/basic/x v1
        expect_status 0
        run reg auth elsewhere.test
        expect_status 0
        expect_output ""
        echo '{"credsStore":"bad","credHelpers":{"localhost:5000":"token"}}' >"$HOME/.docker/config.json"
        run manifest localhost:5000/private/x v1
        expect_status 0
        echo '{"credsStore":"bad"}' >"$HOME/.docker/config.json"
        run manifest localhost:5000/basic/x v1
        expect_status 1
        expect_text "docker-credential-bad get failed: the keyring is locked"
        run manifest localhost:5000/public/x v1
        expect_status 0 # needs none
        echo '{"credsStore":"missing"}' >"$HOME/.docker/config.json"
        run manifest localhost:5000/basic/x v1
        expect_status 1
        expect_text "docker-credential-missing: not found"
        echo '{"credsStore":"../../bin/sh"}' >"$HOME/.docker/config.json"
        run manifest localhost:5000/basic/x v1
        expect_status 1
        expect_text "not the name of a credential helper"
        echo '{"credsStore":"store"}' >"$HOME/.docker/config.json"
        run reg login localhost:5000 user secret
        expect_status 0
        expect_equal "$(jq -cS . "$HOME/stored-store")" '{"Secret":"secret","ServerURL":"localhost:5000","Username":"user"}'
        expect_equal "$(jq -c '.auths["localhost:5000"]' "$HOME/.docker/config.json")" '{}'
        run reg logout localhost:5000
        expect_status 0
        expect_equal "$(cat "$HOME/stored-erase")" localhost:5000
}

@test "a broken config.json is named with its place" {
        start_hostile log 5000
        echo '{"auths":{"localhost:5000":{"auth":"!"}}}' >"$HOME/.docker/config.json"
        run manifest localhost:5000/basic/x v1
        expect_status 1
        expect_text "auths.localhost:5000.auth: expected USER:PASSWORD in base64"
        echo '{"auths":[]}' >"$HOME/.docker/config.json"
        run reg auth localhost:5000
        expect_status 1
        expect_text "config.json: auths: expected"
}

@test "search: what the registry gives, or a clear word that it gives none" {
        start_hostile log 5000 --search
        start_hostile none 5001
        run reg search localhost:5000 "a b"
        expect_status 0
        expect_equal "$(jq -r '.query + " " + .results[0].name' <<<"$output")" "a b a/b"
        run reg search localhost:5001 x
        expect_status 1
        expect_text "registry localhost:5001 offers no search"
}

@test "referrers by the fallback tag" {
        start_hostile log 5000
        printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"a/sig","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"%s","size":%s},"layers":[],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":2}}' \
                "$DIGEST" "$SIZE" "$MANIFEST_DIGEST" >"$TEST_DIR/sig"
        own=sha256:$(sha256sum <"$TEST_DIR/sig" | cut -c 1-64)
        for i in 1 2; do # twice: it is listed once
                run reg put localhost:5000/good/x "$own" application/vnd.oci.image.manifest.v1+json "$TEST_DIR/sig"
                expect_status 0
        done
        run reg referrers localhost:5000/good/x "$MANIFEST_DIGEST" a/sig
        expect_status 0
        expect_equal "$(jq -r '.manifests[] | .digest + " " + .artifactType' <<<"$output")" "$own a/sig"
        run reg referrers localhost:5000/good/x "$MANIFEST_DIGEST" a/other
        expect_equal "$(jq -c .manifests <<<"$output")" '[]'
}
