/* The bridge: its subnet, and the real thing in network namespaces of our own. */
#include "../linux/child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "linux/netdev_message.h"
#include "network/bridge.h"
#include "network/connect.h"
#include "network/firewall.h"

static void test_modes(void **state)
{
        (void)state;
        assert_true(network_wanted(NULL));
        assert_true(network_wanted(""));
        assert_true(network_wanted("default"));
        assert_true(network_wanted("bridge"));
        assert_false(network_wanted("host"));
        assert_false(network_wanted("none"));
        assert_false(network_wanted("container:abc"));
}

static void test_choose(void **state)
{
        const struct subnet one = { 172u << 24 | 17u << 16 | 5u << 8 | 1, 24 };
        const struct subnet wide = { 172u << 24 | 16u << 16, 12 };
        const struct subnet all[] = { wide, { 192u << 24 | 168u << 16, 16 } };
        struct subnet s;

        (void)state;
        assert_true(bridge_choose(NULL, 0, &s));
        assert_int_equal(s.address, 172u << 24 | 17u << 16);
        assert_int_equal(s.prefix_len, 16);
        assert_true(bridge_choose(&one, 1, &s)); /* a part of it is taken */
        assert_int_equal(s.address, 172u << 24 | 18u << 16);
        assert_true(bridge_choose(&wide, 1, &s)); /* it lies in a larger one */
        assert_int_equal(s.address, 192u << 24 | 168u << 16);
        assert_int_equal(s.prefix_len, 20);
        assert_false(bridge_choose(all, COR_COUNT(all), &s));
}

/* As a real one is made: twice, and then with its first subnet taken. */
static void make_twice(void *data)
{
        const uint32_t address = htonl(172u << 24 | 17u << 16 | 9u << 8 | 1);
        struct netdev_address a = { .family = AF_INET, .prefix_len = 24, .local.len = 4, .address.len = 4 };
        struct nft_change change;
        struct bridge first, second;
        struct netlink_request r;
        int sock, nft, run;
        char folder[] = "/tmp/coracle-bridge-XXXXXX";

        (void)data;
        CHECK(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0);
        CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mkdtemp(folder));
        run = open(folder, O_RDONLY | O_DIRECTORY);
        CHECK_OK(sock = netlink_open(NETLINK_ROUTE, &err));
        CHECK_OK(nft = netlink_open(NETLINK_NETFILTER, &err));
        CHECK_OK(bridge_open(sock, run, &first, &err));
        CHECK(first.address == (172u << 24 | 17u << 16 | 1) && first.prefix_len == 16);
        CHECK(firewall_whole(nft, NULL) == 1);
        CHECK_OK(bridge_open(sock, run, &second, &err));
        CHECK(first.index == second.index && first.address == second.address && first.prefix_len == second.prefix_len);

        /* somebody has removed it, and uses its subnet */
        netdev_make_delete(&r, BRIDGE_INTERFACE);
        CHECK_OK(netlink_exchange(sock, &r, NULL, NULL, &err));
        firewall_begin(&change);
        nft_delete_table(&change);
        CHECK_OK(nft_change_commit(&change, nft, &err));
        nft_change_done(&change);
        memcpy(a.local.bytes, &address, 4);
        memcpy(a.address.bytes, &address, 4);
        netdev_make_address(&r, &a, 1);
        CHECK_OK(netlink_exchange(sock, &r, NULL, NULL, &err));
        CHECK(firewall_whole(nft, NULL) == 0);
        CHECK_OK(bridge_open(sock, run, &second, &err));
        CHECK(firewall_whole(nft, NULL) == 1);
        CHECK(second.address == (172u << 24 | 18u << 16 | 1));
        unlinkat(run, "network.lock", 0);
        rmdir(folder);
}

static void test_real(void **state)
{
        (void)state;
        NEED_ROOT();
        assert_int_equal(in_child(make_twice, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_modes),
                cmocka_unit_test(test_choose),
                cmocka_unit_test(test_real),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
