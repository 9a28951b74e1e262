/* Ports of the host, as rows of the containers that have them. */
#include "base/text.h"
#include "store/container.h"
#include "store/port.h"
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "opened.h"

static int64_t add_container(struct store *s, char first, const char *name)
{
        auto_container_row r = { .id = cor_printf("%c%063d", first, 0),
                                 .name = cor_strdup(name),
                                 .image = cor_strdup(""),
                                 .auto_remove = true };
        struct cor_err err = { 0 };

        if (container_row_add(s, &r, &err) < 0)
                fail_msg("%s", err.msg);
        return r.number;
}

struct wish {
        size_t seen; /* rows of others */
        bool drop;
        uint16_t port;
};

static int choose(void *data, struct port_rows *others, struct port_rows *own, struct cor_err *err)
{
        struct wish *w = data;
        struct port_row *p;

        w->seen = others->n_items;
        for (size_t i = 0; i < others->n_items; i++)
                others->items[i].dropped = w->drop;
        if (w->port == 0)
                return cor_fail(err, COR_BUSY, "none");
        p = COR_GROW(own->items, own->n_items);
        *p = (struct port_row){ .protocol = IPPROTO_TCP,
                                .host_ip = "0.0.0.0",
                                .host_port = w->port,
                                .container_ip = "10.0.0.2",
                                .container_port = 80,
                                .direct = true };
        return 0;
}

static size_t count(struct store *s, int64_t number)
{
        auto_port_rows rows = { 0 };
        struct cor_err err = { 0 };

        assert_int_equal(port_all(s, number, &rows, &err), 0);
        return rows.n_items;
}

static void ports_belong_to_their_container(void **state)
{
        struct store *s = open_store(*state, STORE_DATABASE);
        int64_t one = add_container(s, 'a', "one"), two = add_container(s, 'b', "two");
        struct wish w = { .port = 8080 };
        auto_port_rows rows = { 0 };
        struct cor_err err = { 0 };

        assert_int_equal(port_take(s, one, choose, &w, &err), 0);
        assert_int_equal(w.seen, 0);
        assert_int_equal(port_take(s, one, choose, &w, &err), 0); /* its own are replaced, not seen */
        assert_int_equal(w.seen, 0);
        w.port = 8081;
        assert_int_equal(port_take(s, two, choose, &w, &err), 0);
        assert_int_equal(w.seen, 1);
        assert_int_equal(count(s, 0), 2);
        assert_int_equal(port_all(s, one, &rows, &err), 0);
        assert_int_equal(rows.n_items, 1);
        assert_int_equal(rows.items[0].container, one);
        assert_int_equal(rows.items[0].host_port, 8080);
        assert_int_equal(rows.items[0].protocol, IPPROTO_TCP);
        assert_int_equal(rows.items[0].container_port, 80);
        assert_true(rows.items[0].direct);
        assert_string_equal(rows.items[0].host_ip, "0.0.0.0");
        assert_string_equal(rows.items[0].container_ip, "10.0.0.2");
        assert_int_equal(container_row_remove(s, one, false, &err), 0);
        assert_int_equal(count(s, 0), 1);
        assert_int_equal(port_drop(s, two, NULL, &err), 1);
        assert_int_equal(port_drop(s, two, NULL, &err), 0);
        store_free(s);
}

static void nothing_changes_when_none_can_be_had(void **state)
{
        struct store *s = open_store(*state, STORE_DATABASE);
        int64_t one = add_container(s, 'a', "one"), two = add_container(s, 'b', "two");
        struct wish w = { .port = 8080 }, none = { .drop = true };
        struct cor_err err = { 0 };

        assert_int_equal(port_take(s, one, choose, &w, &err), 0);
        assert_int_equal(port_take(s, two, choose, &none, &err), -1);
        assert_int_equal(err.kind, COR_BUSY);
        assert_int_equal(count(s, one), 1);
        assert_int_equal(port_take(s, two, choose, &w, &err),
                         -1); /* twice the same: not even if @choose does not look */
        w.drop = true;
        assert_int_equal(port_take(s, two, choose, &w, &err), 0);
        assert_int_equal(count(s, one), 0);
        assert_int_equal(count(s, two), 1);
        store_free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(ports_belong_to_their_container),
                scratch_test(nothing_changes_when_none_can_be_had),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
