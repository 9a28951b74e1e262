/* Networks: their documents, their subnets, and bridges in network namespaces of our own. */
#include "../linux/child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/text.h"
#include "linux/link.h"
#include "linux/route.h"
#include "network/bridge.h"
#include "network/connect.h"
#include "network/default.h"

#include "../store/opened.h"

#define SEED "0123456789abcdef"

static const struct pools standard = { .n_items = 0 };

static void test_modes(void **state)
{
        (void)state;
        assert_true(network_wanted(NULL));
        assert_true(network_wanted(""));
        assert_true(network_wanted("default"));
        assert_true(network_wanted("bridge"));
        assert_true(network_wanted("mine"));
        assert_false(network_wanted("host"));
        assert_false(network_wanted("none"));
        assert_false(network_wanted("container:abc"));
}

static struct ip_prefix prefix(const char *text)
{
        struct ip_prefix p;

        assert_int_equal(ip_prefix_parse(text, &p), 0);
        return p;
}

static void expect_pool_of(const struct pools *own, int family, const struct ip_prefix *others, size_t n,
                           const char *expected)
{
        char text[IP_TEXT_BYTES] = "none";
        struct ip_prefix p;

        if (pool_choose(own, family, SEED, others, n, &p))
                ip_prefix_text(&p, text);
        assert_string_equal(text, expected);
}

static void expect_pool(int family, const struct ip_prefix *others, size_t n, const char *expected)
{
        expect_pool_of(&(struct pools){ .n_items = 0 }, family, others, n, expected);
}

static void test_pools(void **state)
{
        const struct ip_prefix part = prefix("172.17.5.1/24"), wide = prefix("172.16.0.0/12");
        const struct ip_prefix all[] = { wide, prefix("192.168.0.0/16") }, six = prefix("fd01:2345:6789::/64");

        (void)state;
        expect_pool(0, NULL, 0, "172.17.0.0/16");
        expect_pool(0, &part, 1, "172.18.0.0/16");
        expect_pool(0, &wide, 1, "192.168.0.0/20");
        expect_pool(0, all, COR_COUNT(all), "none");
        expect_pool(1, NULL, 0, "fd01:2345:6789::/64");
        expect_pool(1, &six, 1, "fd01:2345:6789:1::/64");
}

/* Those of daemon.json, up to the ends of all addresses; what is taken is large, small, and not in line with them. */
static void test_pools_of_ones_own(void **state)
{
        struct pool four[] = { { prefix("10.0.0.0/8"), 30 }, { prefix("255.255.255.0/24"), 25 } };
        struct pool six[] = { { prefix("ffff:ffff:ffff:ffff::/64"), 126 } };
        const struct pools own = { four, COR_COUNT(four) }, own6 = { six, COR_COUNT(six) };
        const struct ip_prefix taken[] = { prefix("10.0.0.0/9"), prefix("10.128.0.5/32"), prefix("10.128.0.8/29") };
        const struct ip_prefix most[] = { prefix("10.0.0.0/8"), prefix("255.255.255.9/32"),
                                          prefix("255.255.255.255/32") };
        const struct ip_prefix ends = prefix("ffff:ffff:ffff:ffff::/64");

        (void)state;
        expect_pool_of(&own, 0, NULL, 0, "10.0.0.0/30");
        expect_pool_of(&own, 0, taken, 1, "10.128.0.0/30");
        expect_pool_of(&own, 0, taken, COR_COUNT(taken), "10.128.0.0/30");
        expect_pool_of(&own, 0, most, 2, "255.255.255.128/25");
        expect_pool_of(&own, 0, most, COR_COUNT(most), "none");
        expect_pool_of(&own, 1, NULL, 0, "fd01:2345:6789::/64");
        expect_pool_of(&own6, 0, NULL, 0, "none");
        expect_pool_of(&own6, 1, NULL, 0, "ffff:ffff:ffff:ffff::/126");
        expect_pool_of(&own6, 1, &ends, 1, "none");
}

static int parse(const char *driver, const char *document, struct network **ret, struct cor_err *err)
{
        auto_network_row row = { .name = cor_strdup("n"),
                                 .driver = cor_strdup(driver),
                                 .document = cor_strdup(document),
                                 .id = cor_alloc(65) };

        memset(row.id, 'c', 64);
        return network_parse(&row, ret, err);
}

static void test_documents(void **state)
{
        struct cor_err err = { 0 };
        auto_network n = NULL;
        struct network *bad = NULL;
        static const char *const wrong[][3] = {
                { "bridge", "{\"IPAM\":{\"Config\":[{\"Subnet\":\"10.0.0.0\"}]}}", "invalid subnet 10.0.0.0" },
                { "bridge", "{\"IPAM\":{\"Config\":[{\"Subnet\":\"10.0.0.0/24\",\"Gateway\":\"10.0.1.1\"}]}}",
                  "invalid gateway address 10.0.1.1: it is not in subnet 10.0.0.0/24" },
                { "bridge", "{\"IPAM\":{\"Config\":[{\"Subnet\":\"10.0.0.0/24\",\"IPRange\":\"10.1.0.0/25\"}]}}",
                  "invalid ip-range 10.1.0.0/25" },
                { "bridge",
                  "{\"IPAM\":{\"Config\":[{\"Subnet\":\"10.0.0.0/24\",\"AuxiliaryAddresses\":{\"a\":\"x\"}}]}}",
                  "invalid auxiliary address x" },
                { "bridge", "{\"Options\":{\"com.docker.network.bridge.enable_icc\":\"maybe\"}}", "ParseBool" },
                { "bridge", "{\"Options\":{\"com.docker.network.driver.mtu\":\"-1\"}}", "expected a number" },
                { "bridge", "{\"Options\":{\"com.docker.network.bridge.name\":\"a/b\"}}", "no name of an interface" },
                { "bridge", "{\"Options\":{\"com.docker.network.bridge.gateway_mode_ipv4\":\"x\"}}",
                  "unknown gateway" },
                { "bridge", "{\"Options\":{\"com.docker.network.bridge.gateway_mode_ipv4\":\"isolated\"}}",
                  "internal" },
                { "macvlan", "{\"Options\":{\"macvlan_mode\":\"x\"}}", "unknown macvlan_mode x" },
                { "ipvlan", "{\"Options\":{\"parent\":\"eth0.5000\"}}", "vlan id must be between 1-4094" },
                { "swarm", "{}", "plugin \"swarm\" not found" },
                { "bridge", "{\"IPAM\":[]}", "IPAM" },
        };

        (void)state;
        assert_int_equal(
                parse("bridge",
                      "{\"EnableIPv4\":true,\"Internal\":true,\"IPAM\":{\"Config\":[{\"Subnet\":\"10.0.0.5/24\","
                      "\"IPRange\":\"10.0.0.64/27\",\"Gateway\":\"10.0.0.1\","
                      "\"AuxiliaryAddresses\":{\"a\":\"10.0.0.70\"}}]}}",
                      &n, &err),
                0);
        assert_string_equal(n->bridge, "br-cccccccccccc");
        assert_true(n->internal && n->together && n->masquerade);
        assert_int_equal(n->n_subnets, 1);
        assert_int_equal(n->subnets[0].pool.first.bytes[3], 64);
        assert_int_equal(n->subnets[0].pool.last.bytes[3], 95);
        assert_int_equal(n->subnets[0].pool.n_not, 4);
        for (size_t i = 0; i < COR_COUNT(wrong); i++) {
                assert_int_equal(parse(wrong[i][0], wrong[i][1], &bad, &err), -1);
                if (!strstr(err.msg, wrong[i][2]))
                        fail_msg("%s: %s", wrong[i][1], err.msg);
        }
}

/* ---- bridges ---- */

static void own_namespaces(void)
{
        CHECK(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0);
        CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mount("sysfs", "/sys", "sysfs", 0, NULL) == 0);
}

struct opened {
        struct store *s;
        int run, sock, nft;
};

static struct opened open_all(struct scratch *scratch)
{
        struct opened o;
        char path[PATH_MAX + 8];
        struct cor_err failed = { 0 };

        snprintf(path, sizeof path, "%s/store", scratch->path);
        CHECK(store_open(path, STORE_CREATE | STORE_DATABASE, &o.s, &failed) == 0);
        o.run = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK_OK(o.sock = netlink_open(NETLINK_ROUTE, &err));
        CHECK_OK(o.nft = netlink_open(NETLINK_NETFILTER, &err));
        return o;
}

static struct network *get(struct opened *o, const char *name)
{
        auto_network_row row = { 0 };
        struct network *n = NULL;

        CHECK_OK(network_row_find(o->s, name, &row, &err));
        CHECK_OK(network_parse(&row, &n, &err));
        return n;
}

static void flush_firewall(const struct opened *o)
{
        auto_nft_change c = { .family = 0 };

        firewall_begin(&c);
        nft_delete_table(&c);
        CHECK_OK(nft_change_commit(&c, o->nft, &err));
}

/* Made twice; then somebody removes it, and the firewall. */
static void make_default(void *data)
{
        struct scratch *scratch = data;
        struct cor_err failed = { 0 };
        struct link first, again;
        struct network *n;
        struct opened o;
        int index;

        own_namespaces();
        o = open_all(scratch);
        n = get(&o, "bridge");
        CHECK(n->is_default && n->n_subnets == 0 && strcmp(n->bridge, BRIDGE_DEFAULT) == 0);
        CHECK_OK(network_default_settle(o.s, &(struct network_default){ .pools = &standard }, &err));
        network_free(n);
        n = get(&o, "bridge");
        CHECK(n->n_subnets == 1 && n->subnets[0].gateway.bytes[1] == 17 && n->subnets[0].gateway.bytes[3] == 1);
        CHECK_OK(bridge_open(o.s, o.run, o.sock, n, &index, &err));
        CHECK_OK(link_get(o.sock, BRIDGE_DEFAULT, &first, &err));
        CHECK(first.index == index && firewall_whole(o.nft, &failed) == 1);
        CHECK(firewall_has_network(o.nft, BRIDGE_DEFAULT, &failed) == 1);
        CHECK_OK(bridge_open(o.s, o.run, o.sock, n, &index, &err));
        CHECK(first.index == index);
        CHECK_OK(link_remove(o.sock, index, &err));
        flush_firewall(&o);
        CHECK(firewall_whole(o.nft, &failed) == 0);
        CHECK_OK(bridge_open(o.s, o.run, o.sock, n, &index, &err));
        CHECK_OK(link_get(o.sock, BRIDGE_DEFAULT, &again, &err));
        CHECK(again.index == index && firewall_whole(o.nft, &failed) == 1);
        CHECK(firewall_has_network(o.nft, BRIDGE_DEFAULT, &failed) == 1);
        CHECK_OK(bridge_remove(o.run, o.sock, n, &err));
        CHECK_OK(bridge_remove(o.run, o.sock, n, &err));
        CHECK(firewall_has_network(o.nft, BRIDGE_DEFAULT, &failed) == 0);
        CHECK(link_find(o.sock, BRIDGE_DEFAULT, &again, &failed) == 0);
        network_free(n);
        store_free(o.s);
}

static void test_default(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(make_default, *state), 0);
}

static int add(struct opened *o, const char *name, const char *document, struct cor_err *err)
{
        auto_network_row row = { .name = cor_strdup(name),
                                 .driver = cor_strdup("bridge"),
                                 .document = cor_strdup(document),
                                 .id = cor_printf("%02x%062x", (unsigned)name[0], 0U) };

        return network_subnet_add(o->s, &row, &standard, err);
}

/* The host's servers of names are those of a file of ours. */
static void own_servers(const struct scratch *scratch, const char *text)
{
        char path[PATH_MAX + 16];
        FILE *f;

        snprintf(path, sizeof path, "%s/resolv.conf", scratch->path);
        f = fopen(path, "we");
        CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
        CHECK(mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0);
}

/* Nobody's subnet twice: neither a network's nor the host's, nor that of a server of names. */
static void choose_subnets(void *data)
{
        struct address a = { .index = 1, .ip = prefix("172.17.9.1/24") };
        struct route way = { .dst = prefix("172.21.5.0/24"), .index = 1, .scope = RT_SCOPE_LINK };
        struct cor_err failed = { 0 };
        struct network *n;
        struct opened o;

        own_namespaces();
        own_servers(data,
                    "search example\nnameserver 172.19.0.77\n nameserver 172.18.0.1\nnameserver\t172.20.0.1 # x\n");
        o = open_all(data);
        CHECK_OK(address_add(o.sock, &a, &err));
        CHECK_OK(link_set_up(o.sock, 1, true, &err));
        CHECK_OK(route_add(o.sock, &way, &err));
        CHECK_OK(add(&o, "a", "{\"EnableIPv4\":true,\"EnableIPv6\":true}", &err));
        n = get(&o, "a");
        CHECK(n->n_subnets == 2 && n->subnets[0].subnet.ip.bytes[1] == 18 && n->subnets[1].subnet.ip.bytes[0] == 0xfd);
        CHECK(n->subnets[1].gateway.len == 16 && n->subnets[1].gateway.bytes[15] == 1);
        network_free(n);
        CHECK_OK(add(&o, "b", "{\"EnableIPv4\":true}", &err));
        n = get(&o, "b");
        CHECK(n->subnets[0].subnet.ip.bytes[1] == 22);
        network_free(n);
        CHECK(add(&o, "c", "{\"EnableIPv4\":true,\"IPAM\":{\"Config\":[{\"Subnet\":\"172.18.4.0/24\"}]}}", &failed) <
              0);
        CHECK(strstr(failed.msg, "Pool overlaps with other one on this address space"));
        store_free(o.s);
}

static void test_subnets(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(choose_subnets, *state), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_modes),
                cmocka_unit_test(test_pools),
                cmocka_unit_test(test_pools_of_ones_own),
                cmocka_unit_test(test_documents),
                cmocka_unit_test_setup_teardown(test_default, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_subnets, scratch_setup, scratch_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
