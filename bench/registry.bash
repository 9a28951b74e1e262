# shellcheck shell=bash disable=SC2154
# A registry on loopback whose blobs are in memory; sourced by benchmarks of images behind stacks.bash, inside their
# namespaces. $work is the benchmark's folder, $registry becomes HOST:PORT.
registry=127.0.0.1:5000

registry_start() {
	mkdir -p "$work/registry"
	mount -t tmpfs tmpfs "$work/registry"
	cat >"$work/registry.yml" <<-YAML
		version: 0.1
		storage: { filesystem: { rootdirectory: $work/registry }, delete: { enabled: true } }
		http: { addr: "$registry" }
		log: { level: error, accesslog: { disabled: true } }
	YAML
	docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
	answers registry bash -c "exec 3<>/dev/tcp/${registry/:/\/}"
}

registry_fill() { # registry_fill LAYOUT:REFERENCE NAME
	skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$1" "docker://$2"
}
