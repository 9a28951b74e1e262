/* nftables in network namespaces of our own. */
#include "linux/nft_rule.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "child.h"

#define TABLE "coracle-test"
enum { MANY = 5000 };
static const struct nft_set map = {
        .name = "ports",
        .key_type = NFT_TYPE_PAIR(NFT_TYPE_IPV4, NFT_TYPE_PORT),
        .key_len = 8,
        .map = true,
        .data_type = NFT_TYPE_PAIR(NFT_TYPE_IPV4, NFT_TYPE_PORT),
        .data_len = 8,
};

static int open_in_new_namespace(void)
{
        struct cor_err why = { 0 };
        int sock;

        CHECK(unshare(CLONE_NEWNET) == 0);
        sock = netlink_open(NETLINK_NETFILTER, &why);
        CHECK(sock >= 0);
        return sock;
}

/* Every expression there is, so that the kernel has seen each; what they do is shown where they are used. */
static void put_rules(struct nft_change *c)
{
        const uint32_t any = 0, local = 2;
        const uint8_t six[16] = { 0xfd };
        struct nft_rule r;

        nft_rule_begin(&r, c, "in");
        nft_match_family(&r, NFPROTO_IPV4);
        nft_match_protocol(&r, IPPROTO_TCP);
        nft_load_fib_type(&r, NFT_REG32_00);
        nft_compare(&r, NFT_REG32_00, NFT_CMP_EQ, &local, sizeof local);
        nft_load(&r, &any, sizeof any, NFT_REG32_00);
        nft_load_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG32_01);
        nft_look_up(&r, "ports", NFT_REG32_00, NFT_REG32_04);
        nft_nat(&r, NFT_NAT_DNAT, NFPROTO_IPV4, NFT_REG32_04, NFT_REG32_05);
        nft_rule_end(&r, c);

        nft_rule_begin(&r, c, "out");
        nft_match_ct_bits(&r, NFT_CT_STATUS, 1 << 5);
        nft_match_interface(&r, NFT_META_OIFNAME, NFT_CMP_NEQ, "lo");
        nft_match_network(&r, true, NFT_CMP_EQ, six, sizeof six, 7);
        nft_count(&r);
        nft_masquerade_packet(&r);
        nft_rule_end(&r, c);

        nft_rule_begin(&r, c, "side");
        nft_load_ct_of(&r, NFT_CT_PROTO_DST, 0, NFT_REG32_01);
        nft_load_meta(&r, NFT_META_MARK, NFT_REG32_00);
        nft_look_up_not(&r, "keys", NFT_REG32_00);
        nft_set_meta(&r, NFT_META_MARK, NFT_REG32_00);
        nft_reject(&r, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
        nft_rule_end(&r, c);

        nft_rule_begin(&r, c, "filter");
        nft_verdict(&r, NFT_JUMP, "side");
        nft_rule_end(&r, c);
}

static void put_table(struct nft_change *c)
{
        static const struct nft_chain chains[] = {
                { .name = "in", .type = "nat", .hook = NF_INET_PRE_ROUTING, .priority = -100 },
                { .name = "out", .type = "nat", .hook = NF_INET_POST_ROUTING, .priority = 100 },
                { .name = "filter", .type = "filter", .hook = NF_INET_FORWARD },
                { .name = "side" },
        };
        static const struct nft_set keys = { .name = "keys", .key_type = NFT_TYPE_MARK, .key_len = 4 };

        nft_add_table(c);
        nft_add_set(c, &map);
        nft_add_set(c, &keys);
        for (size_t i = 0; i < COR_COUNT(chains); i++) {
                nft_add_chain(c, &chains[i]);
                nft_flush_chain(c, chains[i].name);
        }
        put_rules(c);
}

static void make_twice(void *data)
{
        int sock = open_in_new_namespace();
        struct cor_err why = { 0 };

        (void)data;
        CHECK(nft_find_table(sock, NFPROTO_INET, TABLE, &why) == 0);
        for (int i = 0; i < 2; i++) {
                auto_nft_change c;

                nft_change_begin(&c, NFPROTO_INET, TABLE);
                put_table(&c);
                CHECK_OK(nft_change_commit(&c, sock, &err));
                CHECK(nft_find_table(sock, NFPROTO_INET, TABLE, &why) == 1);
                CHECK(nft_find_chain(sock, NFPROTO_INET, TABLE, "side", &why) == 1);
                CHECK(nft_find_chain(sock, NFPROTO_INET, TABLE, "other", &why) == 0);
        }
}

static int put_element(int sock, const struct nft_element *e, size_t n, bool add, struct cor_err *err)
{
        auto_nft_change c;

        nft_change_begin(&c, NFPROTO_INET, TABLE);
        if (add)
                nft_add_elements(&c, "ports", e, n);
        else
                nft_delete_elements(&c, "ports", e, n);
        return nft_change_commit(&c, sock, err);
}

/* More than fit into a message, into a first buffer, and into what a socket takes. */
static void many_elements(void *data)
{
        static struct nft_element items[MANY];
        static uint8_t keys[MANY][8];
        int sock = open_in_new_namespace();
        struct cor_err why = { 0 };
        auto_nft_change c;

        (void)data;
        for (size_t i = 0; i < MANY; i++) {
                keys[i][4] = (uint8_t)(i >> 8);
                keys[i][5] = (uint8_t)i;
                items[i] = (struct nft_element){ .key = keys[i], .data = keys[i], .key_len = 8, .data_len = 8 };
        }
        nft_change_begin(&c, NFPROTO_INET, TABLE);
        nft_add_table(&c);
        nft_add_set(&c, &map);
        nft_add_elements(&c, "ports", items, MANY);
        CHECK_OK(nft_change_commit(&c, sock, &err));
        CHECK_OK(put_element(sock, items, MANY, true, &err)); /* the same again */

        items[7].data = keys[8];
        CHECK(put_element(sock, &items[7], 1, true, &why) == -1 && why.sys == EEXIST);
        items[7].data = NULL;
        CHECK_OK(put_element(sock, &items[7], 1, false, &err));
        CHECK(put_element(sock, &items[6], 2, false, &why) == -1 && why.sys == ENOENT); /* both or none: */
        items[7].data = keys[8];
        CHECK_OK(put_element(sock, &items[7], 1, true, &err));
        CHECK_OK(put_element(sock, &items[6], 1, false, &err));
}

static void nothing_is_no_error(void *data)
{
        int sock = open_in_new_namespace();
        struct cor_err why = { 0 };
        auto_nft_change c, gone;

        (void)data;
        nft_change_begin(&c, NFPROTO_INET, TABLE);
        CHECK_OK(nft_change_commit(&c, sock, &err));
        nft_change_begin(&gone, NFPROTO_INET, TABLE);
        nft_delete_table(&gone);
        CHECK(nft_change_commit(&gone, sock, &why) == -1 && why.kind == COR_NOT_FOUND);
}

static void a_table_can_be_made_again(void **state)
{
        (void)state;
        NEED_ROOT();
        assert_int_equal(in_child(make_twice, NULL), 0);
}

static void thousands_of_elements_are_one_change(void **state)
{
        (void)state;
        NEED_ROOT();
        assert_int_equal(in_child(many_elements, NULL), 0);
}

static void what_is_gone_is_told(void **state)
{
        (void)state;
        NEED_ROOT();
        assert_int_equal(in_child(nothing_is_no_error, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_table_can_be_made_again),
                cmocka_unit_test(thousands_of_elements_are_one_change),
                cmocka_unit_test(what_is_gone_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
