/* Networks and endpoints: names, and addresses that nobody gets twice. */
#include "base/text.h"
#include "store/container.h"
#include "store/endpoint.h"
#include "store/hash.h"
#include "store/network.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "opened.h"

enum { RACERS = 3, EACH = 20 };

static void ok(int r, const struct cor_err *err)
{
        if (r < 0)
                fail_msg("%s", err->msg);
}

static int64_t add_container(struct store *s, const char *name, unsigned n)
{
        auto_container_row r = { .id = cor_printf("%064x", n), .name = cor_strdup(name), .image = cor_strdup("i") };
        struct cor_err err = { 0 };

        r.image_id = hash_bytes("image", 5);
        r.config = cor_strdup("{}");
        r.host_config = cor_strdup("{}");
        ok(container_row_add(s, &r, &err), &err);
        return r.number;
}

static int64_t add_network(struct store *s, const char *name, char digit)
{
        auto_network_row r = {
                .name = cor_strdup(name), .driver = cor_strdup("bridge"), .created = 1, .document = cor_strdup("{}")
        };
        struct cor_err err = { 0 };

        r.id = cor_alloc(65);
        memset(r.id, digit, 64);
        ok(network_row_add(s, &r, NULL, NULL, &err), &err);
        return r.number;
}

static struct ip ip(const char *text)
{
        struct ip a;

        assert_int_equal(ip_parse(text, &a), 0);
        return a;
}

/* 10.0.0.0/29, of which .1 is the gateway's and .3 somebody else's */
static struct ip not [3];
static struct endpoint_pool small_pool(void)
{
        struct endpoint_pool p = { .first = ip("10.0.0.0"), .last = ip("10.0.0.6"), .not = not, .n_not = 3 };

        not [0] = ip("10.0.0.0");
        not [1] = ip("10.0.0.1");
        not [2] = ip("10.0.0.3");
        assert_int_equal(ip_prefix_parse("10.0.0.0/29", &p.subnet), 0);
        return p;
}

static int take(struct store *s, int64_t network, int64_t container, const struct endpoint_pool *p, const char *wanted,
                const char *name, char *ret, struct cor_err *err)
{
        struct endpoint_new n = {
                .row = { .network = network, .container = container }, .pools = p, .n_pools = 1, .has[0] = true
        };
        struct endpoint_new *const list[] = { &n };
        int r;

        n.row.id = cor_strdup("e");
        n.row.interface = cor_strdup("eth0");
        n.network_name = (char *)(uintptr_t) "net";
        if (name)
                cor_strv_add(&n.row.names, name);
        if (wanted)
                n.wanted[0] = ip(wanted);
        r = endpoint_rows_add(s, list, 1, err);
        ip_text(&n.row.ip[0].ip, ret);
        endpoint_row_done(&n.row);
        return r;
}

static void test_names(void **state)
{
        struct scratch *scratch = *state;
        auto_store s = open_store(scratch, STORE_DATABASE);
        auto_network_row row = { 0 }, again = { .name = cor_strdup("mine") };
        auto_network_rows all = { 0 };
        struct cor_err err = { 0 };

        ok(network_row_find(s, "bridge", &row, &err), &err);
        assert_int_equal(strlen(row.id), 64);
        network_row_done(&row);
        add_network(s, "mine", 'a');
        add_network(s, "other", 'b');
        ok(network_row_find(s, "aaa", &row, &err), &err);
        assert_string_equal(row.name, "mine");
        assert_int_equal(network_row_add(s, &again, NULL, NULL, &err), -1);
        assert_int_equal(err.kind, COR_EXISTS);
        assert_string_equal(err.msg, "network with name mine already exists");
        network_row_done(&again);
        assert_int_equal(network_row_find(s, "nope", &again, &err), -1);
        assert_string_equal(err.msg, "network nope not found");
        ok(network_row_all(s, &all, &err), &err);
        assert_int_equal(all.n_items, 5);
        ok(network_row_remove(s, &row, &err), &err);
        assert_int_equal(network_row_remove(s, &row, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
}

static void test_addresses(void **state)
{
        struct scratch *scratch = *state;
        auto_store s = open_store(scratch, STORE_DATABASE);
        int64_t net = add_network(s, "net", 'a');
        const struct endpoint_pool p = small_pool();
        auto_network_row row = { 0 };
        struct cor_err err = { 0 };
        char text[IP_TEXT_BYTES];
        int64_t c[6];

        for (unsigned i = 0; i < COR_COUNT(c); i++) {
                auto_str name = cor_printf("c%u", i);

                c[i] = add_container(s, name, i + 1);
        }
        ok(take(s, net, c[0], &p, NULL, NULL, text, &err), &err);
        assert_string_equal(text, "10.0.0.2");
        ok(take(s, net, c[1], &p, "10.0.0.5", NULL, text, &err), &err);
        assert_int_equal(take(s, net, c[2], &p, "10.0.0.5", NULL, text, &err), -1);
        assert_string_equal(err.msg, "Address already in use");
        assert_int_equal(take(s, net, c[2], &p, "10.0.0.1", NULL, text, &err), -1);
        assert_int_equal(take(s, net, c[2], &p, "10.0.1.1", NULL, text, &err), -1);
        assert_non_null(strstr(err.msg, "no configured subnet contains IP address 10.0.1.1"));
        ok(take(s, net, c[2], &p, NULL, NULL, text, &err), &err);
        assert_string_equal(text, "10.0.0.4");
        ok(take(s, net, c[3], &p, NULL, NULL, text, &err), &err);
        assert_string_equal(text, "10.0.0.6");
        assert_int_equal(take(s, net, c[4], &p, NULL, NULL, text, &err), -1);
        assert_int_equal(err.kind, COR_BUSY);
        assert_non_null(strstr(err.msg, "no available IPv4 addresses"));

        ok(network_row_get(s, net, &row, &err), &err);
        assert_int_equal(row.users, 4);
        assert_int_equal(network_row_remove(s, &row, &err), -1);
        assert_non_null(strstr(err.msg, "network net has active endpoints (name:\"c0\" id:\"e\""));

        /* an address goes with its endpoint, and with its container */
        ok(endpoint_row_remove(s, c[0], net, &err), &err);
        ok(take(s, net, c[4], &p, NULL, NULL, text, &err), &err);
        assert_string_equal(text, "10.0.0.2");
        ok(container_row_remove(s, c[2], false, &err), &err);
        ok(take(s, net, c[5], &p, NULL, NULL, text, &err), &err);
        assert_string_equal(text, "10.0.0.4");
}

static void test_lookup(void **state)
{
        struct scratch *scratch = *state;
        auto_store s = open_store(scratch, STORE_DATABASE);
        int64_t net = add_network(s, "net", 'a'), other = add_network(s, "other", 'b');
        const struct endpoint_pool p = small_pool();
        struct endpoint_addresses found = { 0 };
        int64_t a = add_container(s, "a", 1), b = add_container(s, "b", 2);
        struct ip first = ip("10.0.0.2");
        struct cor_err err = { 0 };
        char text[IP_TEXT_BYTES];
        auto_str name = NULL;
        bool known = false;

        ok(take(s, net, a, &p, NULL, "Web", text, &err), &err);
        ok(take(s, net, b, &p, NULL, "web", text, &err), &err);
        ok(endpoint_lookup(s, net, "WEB", &found, &known, &err), &err);
        assert_true(known);
        assert_int_equal(found.n_items, 2);
        free(found.items);
        found = (struct endpoint_addresses){ 0 };
        known = false;
        ok(endpoint_lookup(s, other, "web", &found, &known, &err), &err);
        assert_false(known);
        assert_int_equal(endpoint_name_of(s, net, &first, &name, &err), 1);
        assert_string_equal(name, "a");
        assert_int_equal(endpoint_name_of(s, other, &first, &name, &err), 0);
}

/* Several processes at once: as many addresses as endpoints. */
static void race(struct scratch *scratch, int64_t net, unsigned racer)
{
        auto_store s = open_store(scratch, STORE_DATABASE);
        struct endpoint_pool p = { .first = ip("10.1.0.2"), .last = ip("10.1.0.254") };
        struct cor_err err = { 0 };
        char text[IP_TEXT_BYTES];

        (void)!ip_prefix_parse("10.1.0.0/24", &p.subnet);
        for (unsigned i = 0; i < EACH; i++) {
                auto_str name = cor_printf("r%u-%u", racer, i);

                if (take(s, net, add_container(s, name, 1000 * (racer + 1) + i), &p, NULL, NULL, text, &err) < 0)
                        _exit(1);
        }
        _exit(0);
}

static void test_race(void **state)
{
        struct scratch *scratch = *state;
        auto_store s = open_store(scratch, STORE_DATABASE);
        int64_t net = add_network(s, "net", 'a');
        auto_endpoint_rows rows = { 0 };
        struct cor_err err = { 0 };
        pid_t racers[RACERS];
        int status;

        store_free(COR_TAKE(s)); /* a connection does not live across a fork */
        for (unsigned i = 0; i < RACERS; i++) {
                racers[i] = fork();
                if (racers[i] == 0)
                        race(scratch, net, i);
        }
        for (unsigned i = 0; i < RACERS; i++) {
                assert_int_equal(waitpid(racers[i], &status, 0), racers[i]);
                assert_int_equal(status, 0);
        }
        s = open_store(scratch, STORE_DATABASE);
        ok(endpoint_rows_find(s, net, 0, false, &rows, &err), &err);
        assert_int_equal(rows.n_items, RACERS * EACH);
        for (size_t i = 0; i < rows.n_items; i++)
                for (size_t k = 0; k < i; k++)
                        assert_false(ip_equal(&rows.items[i].ip[0].ip, &rows.items[k].ip[0].ip));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_names, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_addresses, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_lookup, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_race, scratch_setup, scratch_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
