#!/usr/bin/env bats
# runs alone
# Real clients of CNI call our plugins: Debian's podman (its network backend is CNI) and containerd's ctr run --cni.

load lib
load engines

setup_file() {
        can_run || return 0 # every test will skip
        local plugin
        setup_world
        mkdir "$T/bin" "$T/net.d"
        # what plugins and clients write below /var/lib, /etc and /opt stays in the world
        world sh -c 'for dir in /etc /opt /var/lib; do
                mkdir -p "/run/over$dir/up" "/run/over$dir/work" &&
                LIBMOUNT_FORCE_MOUNT2=always mount -t overlay overlay -o "lowerdir=$dir,upperdir=/run/over$dir/up,workdir=/run/over$dir/work" "$dir" || exit 1
                done'
        for plugin in $("$CORACLE_BUILD/src/cni/coracle-cni" --help | sed -n 's/^  \([a-z-]*\)  .*/\1/p'); do
                ln -s "$CORACLE_BUILD/src/cni/coracle-cni" "$T/bin/$plugin"
        done
        cat >"$T/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1000:2000"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "cni"
cni_plugin_dirs = ["$T/bin"]
network_config_dir = "$T/net.d"
CONF
        printf '[storage]\ndriver = "vfs"\ngraphroot = "%s"\nrunroot = "/run/podman"\n' "$T/storage" >"$T/storage.conf"
        printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$T/policy.json"
        podman_has_cni || return 0 # its tests will skip
        tar -C "$T/rootfs" -c . >"$T/rootfs.tar"
        podman_ import -q -c 'CMD ["/bin/sh"]' "$T/rootfs.tar" small
}

can_run() { [ "$(id -u)" = 0 ] && ! by_systemd; }

# podman_has_cni - not so since its version 5, and Debian 13 builds it without
podman_has_cni() {
        command -v podman >/dev/null && command -v conmon >/dev/null && [ "$(podman_ info --format '{{.Host.NetworkBackend}}')" = cni ]
}

teardown_file() { teardown_world; }

setup() {
        ! by_systemd || skip "networks do not depend on who makes cgroups: it runs without --systemd-cgroup"
        skip_unless root
        case $BATS_TEST_DESCRIPTION in podman*) podman_has_cni || skip "there is no podman with CNI (Debian 13's has none): it runs where it is" ;; esac
}

teardown() {
        case $BATS_TEST_DESCRIPTION in podman*) podman_ rm -f -a -t 0 >/dev/null || true ;; esac
}

podman_() {
        world env CONTAINERS_CONF="$T/containers.conf" CONTAINERS_STORAGE_CONF="$T/storage.conf" TMPDIR="$T" podman --runtime "$RUNTIME" "$@"
}

# links - the host's interfaces that a container may have left
links() { world ip -o link | grep -c veth || true; }

@test "podman run: a container of the default network, with a published port" {
        local ip
        podman_ run -d --name web -p 8080:80 small sh -c 'while :; do echo hello | nc -l -p 80; done'
        ip=$(podman_ inspect web --format '{{.NetworkSettings.IPAddress}}')
        [ -n "$ip" ]
        wait_until answers "$ip" 80
        wait_until answers 127.0.0.1 8080
        world nft list ruleset | grep -q coracle_cni_portmap
        run podman_ exec web ip addr show eth0
        expect_status 0
        expect_text "$ip/16"
        podman_ rm -f -t 0 web
        expect_equal "$(links)" 0 "interfaces"
        run world nft list table inet coracle_cni_portmap
        expect_no_text "dport 8080"
        run world nft list table inet coracle_cni_masquerade
        expect_no_text "$ip"
        ! world test -e "/var/lib/cni/networks/podman/$ip" || fail "the address is not given back" || return 1
}

answers() { # ADDRESS PORT
        [ "$(world timeout 5 bash -c "exec 3<>/dev/tcp/$1/$2 && head -n 1 <&3")" = hello ]
}

@test "podman network: two containers of a network of their own, a fixed address and hardware address" {
        podman_ network create --subnet 10.77.0.0/24 blue
        podman_ run -d --name one --network blue --ip 10.77.0.50 --mac-address 02:11:22:33:44:55 small sh -c 'while :; do echo hello | nc -l -p 80; done'
        run podman_ exec one ip addr show eth0
        expect_text "10.77.0.50/24" "02:11:22:33:44:55"
        wait_until podman_ run --rm --network blue small sh -c '[ "$(nc -w 5 10.77.0.50 80 </dev/null)" = hello ]'
        run podman_ run --rm --network blue --ip 10.77.0.50 small true
        expect_failure
        expect_text "10.77.0.50"
        podman_ rm -f -t 0 one
        expect_equal "$(links)" 0
        podman_ network rm blue
}

@test "podman network: macvlan with the addresses of a DHCP server" {
        local lease
        busybox --list | grep -qx udhcpd || skip "this busybox has no udhcpd (Debian: busybox-static)"
        printf '%s\n' 'start 10.78.0.100' 'end 10.78.0.110' 'interface up1' "lease_file $T/leases" "pidfile $T/server.pid" \
                'option subnet 255.255.255.0' 'option router 10.78.0.1' 'option lease 3600' >"$T/server.conf"
        : >"$T/leases"
        world sh -c 'ip netns add lan && ip link add up0 type veth peer name up1 netns lan && ip link set up0 up &&
                ip netns exec lan ip addr add 10.78.0.1/24 dev up1 && ip netns exec lan ip link set up1 up &&
                ip netns exec lan busybox udhcpd -a 1 "$1/server.conf" </dev/null >"$1/server.log" 2>&1 &&
                "$1/bin/dhcp" daemon </dev/null >"$1/dhcp.log" 2>&1 &' sh "$T"
        wait_until grep -q "at work at /run/cni/dhcp.sock" "$T/dhcp.log"
        podman_ network create -d macvlan -o parent=up0 office
        run podman_ run --rm --name web --network office small sh -c 'ip addr show eth0 && ip route && ping -c 1 -W 10 10.78.0.1'
        expect_status 0
        expect_text "inet 10.78.0.1" "default via 10.78.0.1 dev eth0" "1 packets received"
        lease=$(grep -o '10.78.0.1[0-9]*/24 is granted' "$T/dhcp.log")
        wait_until grep -qF "${lease% is granted} is released" "$T/dhcp.log"
        podman_ network rm office
}

@test "ctr run --cni: containerd's client" {
        local program
        for program in containerd ctr umoci; do
                command -v "$program" >/dev/null || skip "there is no $program: make deps brings it"
        done
        world_containerd
        make_image
        world sh -c 'mkdir -p /etc/cni/net.d && rm -f /etc/cni/net.d/* && mkdir -p /opt/cni && rm -rf /opt/cni/bin && ln -s "$1" /opt/cni/bin' sh "$T/bin"
        world sh -c 'cat >/etc/cni/net.d/10-test.conflist' <<'CONF'
{"cniVersion":"1.0.0","name":"test","plugins":[
  {"type":"bridge","bridge":"cni5","isDefaultGateway":true,"ipMasq":true,"ipam":{"type":"host-local","dataDir":"/run/cni-data","subnet":"10.55.0.0/24"}},
  {"type":"portmap","capabilities":{"portMappings":true}},
  {"type":"firewall"},
  {"type":"tuning"}]}
CONF
        run ctr_ run --rm --cni --runc-binary "$RUNTIME" localhost/small:small first ip addr show eth0
        expect_status 0
        expect_text "10.55.0.2/24"
        expect_equal "$(links)" 0
        run world ls /run/cni-data/test
        expect_no_text 10.55.0.2
}

make_image() { # an OCI archive
        umoci init --layout "$T/oci" && umoci new --image "$T/oci:small"
        umoci unpack --image "$T/oci:small" "$T/bundle"
        cp -a "$T/rootfs/." "$T/bundle/rootfs/"
        umoci repack --image "$T/oci:small" "$T/bundle"
        umoci config --image "$T/oci:small" --config.cmd /bin/sh --config.env PATH=/bin
        tar -C "$T/oci" -c . | ctr_ image import --base-name localhost/small -
}
