/* Published ports as docker's documents ask for them, and as its lists show them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "network/port_wish.h"
#include "network/ports_line.h"
#include <netinet/in.h>

static int read_wishes(const char *config, const char *host, struct port_wishes *ret, struct cor_err *err)
{
        auto_json struct docker_config *c = NULL;
        auto_json struct docker_host_config *h = NULL;

        assert_int_equal(cor_json_parse(&docker_config_doc, config, strlen(config), "Config", &c, err), 0);
        assert_int_equal(cor_json_parse(&docker_host_config_doc, host, strlen(host), "HostConfig", &h, err), 0);
        return port_wishes_read(c, h, ret, err);
}

static void bindings_and_exposed_ports_are_read(void **state)
{
        auto_port_wishes w = { .items = NULL };
        struct cor_err err = { 0 };

        (void)state;
        assert_int_equal(read_wishes("{\"ExposedPorts\":{\"99/tcp\":{},\"80/tcp\":{}}}",
                                     "{\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"},"
                                     "{\"HostIp\":\"0:0::1\",\"HostPort\":\"\"}],"
                                     "\"53/udp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"5300-5310\"}]}}",
                                     &w, &err),
                         0);
        assert_int_equal(w.n_items, 4);
        assert_int_equal(w.items[0].protocol, IPPROTO_TCP);
        assert_int_equal(w.items[0].port, 80);
        assert_int_equal(w.items[0].first, 8080);
        assert_int_equal(w.items[0].last, 8080);
        assert_true(w.items[0].published);
        assert_string_equal(w.items[1].ip, "::1"); /* as addresses are written */
        assert_int_equal(w.items[1].first, 0);
        assert_int_equal(w.items[2].port, 99);
        assert_false(w.items[2].published);
        assert_int_equal(w.items[3].protocol, IPPROTO_UDP);
        assert_int_equal(w.items[3].first, 5300);
        assert_int_equal(w.items[3].last, 5310);
}

static void all_exposed_ports_are_published_when_asked(void **state)
{
        auto_port_wishes w = { .items = NULL };
        struct cor_err err = { 0 };

        (void)state;
        assert_int_equal(read_wishes("{\"ExposedPorts\":{\"99\":{},\"80/tcp\":{}}}",
                                     "{\"PublishAllPorts\":true,\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"80\"}]}}",
                                     &w, &err),
                         0);
        assert_int_equal(w.n_items, 2);
        assert_int_equal(w.items[0].first, 80);
        assert_int_equal(w.items[1].port, 99);
        assert_true(w.items[1].published);
        assert_int_equal(w.items[1].last, 0);
}

static void wrong_ports_are_refused(void **state)
{
        static const char *const wrong[] = {
                "{\"80/icmp\":[{}]}",
                "{\"0/tcp\":[{}]}",
                "{\"65536/tcp\":[{}]}",
                "{\"80/tcp\":[{\"HostPort\":\"x\"}]}",
                "{\"80/tcp\":[{\"HostPort\":\"9-8\"}]}",
                "{\"80/tcp\":[{\"HostPort\":\"8-\"}]}",
                "{\"80/tcp\":[{\"HostPort\":\"8-9-10\"}]}",
                "{\"80/tcp\":[{\"HostPort\":\"70000\"}]}",
                "{\"80/tcp\":[{\"HostIp\":\"1.2.3\"}]}",
                "{\"80/tcp\":[{\"HostIp\":\"[::1]\"}]}",
        };

        (void)state;
        for (size_t i = 0; i < COR_COUNT(wrong); i++) {
                auto_port_wishes w = { .items = NULL };
                auto_str host = cor_printf("{\"PortBindings\":%s}", wrong[i]);
                struct cor_err err = { 0 };

                if (read_wishes("{}", host, &w, &err) == 0)
                        fail_msg("%s", wrong[i]);
                assert_int_equal(err.kind, COR_INVALID);
        }
}

static void lines_fold_what_has_the_same_number_inside_and_outside(void **state)
{
        struct docker_port_binding same[] = { { "0.0.0.0", "80" }, { "::", "80" } }, next[] = { { "0.0.0.0", "81" } },
                                   other[] = { { "127.0.0.1", "5353" } }, far[] = { { "0.0.0.0", "90" } };
        const struct docker_port_bindings ports[] = {
                { "90/tcp", far, 1 },  { "80/tcp", same, 2 }, { "53/udp", other, 1 }, { "81/tcp", next, 1 },
                { "70/tcp", NULL, 0 }, { "71/tcp", NULL, 0 }, { "72/udp", NULL, 0 },
        };
        auto_str line = ports_line(ports, COR_COUNT(ports));
        auto_str none = ports_line(NULL, 0);

        (void)state;
        assert_string_equal(line, "0.0.0.0:80-81->80-81/tcp, 70-71/tcp, 72/udp, 0.0.0.0:90->90/tcp, [::]:80->80/tcp, "
                                  "127.0.0.1:5353->53/udp");
        assert_string_equal(none, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bindings_and_exposed_ports_are_read),
                cmocka_unit_test(all_exposed_ports_are_published_when_asked),
                cmocka_unit_test(wrong_ports_are_refused),
                cmocka_unit_test(lines_fold_what_has_the_same_number_inside_and_outside),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
