#include "spec/cni.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 4000, PLENTY_BYTES = 16 << 20 };

static size_t allocated(void)
{
        const struct mallinfo2 m = mallinfo2();

        return m.uordblks + m.hblkhd;
}

static void a_result_grows_in_proportion_to_what_is_in_it(void **state)
{
        auto_json struct cni_result *r = cni_result_new();
        size_t before = allocated();

        for (int i = 0; i < MANY; i++) {
                cni_result_add_ip(r)->address = i % 2 ? "10.9.0.2/24" : "10.9.0.3/24";
                cni_result_add_route(r)->dst = i % 2 ? "0.0.0.0/0" : "10.0.0.0/8";
                cni_result_add_interface(r)->mtu = (uint32_t)i;
        }
        assert_true(allocated() - before < PLENTY_BYTES);
        assert_int_equal(r->n_ips, MANY);
        assert_int_equal(r->n_routes, MANY);
        assert_int_equal(r->n_interfaces, MANY);
        for (int i = 0; i < MANY; i++) {
                assert_string_equal(r->ips[i].address, i % 2 ? "10.9.0.2/24" : "10.9.0.3/24");
                assert_string_equal(r->routes[i].dst, i % 2 ? "0.0.0.0/0" : "10.0.0.0/8");
                assert_int_equal(r->interfaces[i].mtu, i);
        }
}

static void what_was_read_is_added_to(void **state)
{
        static const char text[] = "{\"ips\":[{\"address\":\"10.9.0.2/24\"},{\"address\":\"10.9.0.3/24\"}]}";
        auto_json struct cni_result *r = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(cni_result_parse(CNI_1_1_0, text, strlen(text), "it", &r, &err), 0);
        for (int i = 0; i < 9; i++)
                cni_result_add_ip(r)->address = "fd00::2/64";
        assert_int_equal(r->n_ips, 11);
        assert_string_equal(r->ips[0].address, "10.9.0.2/24");
        assert_string_equal(r->ips[1].address, "10.9.0.3/24");
        assert_string_equal(r->ips[2].address, "fd00::2/64");
        assert_string_equal(r->ips[10].address, "fd00::2/64");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_result_grows_in_proportion_to_what_is_in_it),
                cmocka_unit_test(what_was_read_is_added_to),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
