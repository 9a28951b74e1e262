/*
 * What the daemon of the plugin dhcp reads. The first byte says which: a packet from the link, the message in one, a
 * request of the plugin. What a message grants is an address for a host, and its result can be printed and read back.
 */
#include "cni/dhcp_request.h"
#include "cni/dhcp_terms.h"
#include "document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void names_are_fit(const char *const *names, size_t n)
{
        for (size_t i = 0; i < n; i++)
                for (const char *s = names[i]; *s; s++)
                        FUZZ_REQUIRE(strchr("-_.:", *s) || (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
                                     (*s >= 'A' && *s <= 'Z'));
}

static void result_is_fit(const struct cni_result *r)
{
        auto_json struct cni_result *again = NULL;
        auto_text out = COR_TEXT_INIT;
        struct cor_err err = { 0 };
        struct ip_prefix p;

        names_are_fit(r->dns.nameservers, r->dns.n_nameservers);
        names_are_fit(r->dns.search, r->dns.n_search);
        names_are_fit(&r->dns.domain, r->dns.domain ? 1 : 0);
        FUZZ_REQUIRE(r->n_ips == 1 && ip_prefix_parse(r->ips[0].address, &p) == 0);
        for (size_t i = 0; i < r->n_routes; i++)
                FUZZ_REQUIRE(ip_prefix_parse(r->routes[i].dst, &p) == 0 && ip_parse(r->routes[i].gw, &p.ip) == 0);
        FUZZ_REQUIRE(cni_result_print(CNI_1_1_0, r, &out, &err) == 0);
        FUZZ_REQUIRE(cni_result_parse(CNI_1_1_0, out.s, out.len, "doc", &again, &err) == 0);
}

static void read_message(const uint8_t *bytes, size_t n)
{
        auto_json struct cni_result *r = NULL;
        struct cor_err err = { 0 };
        struct dhcp_message m;
        struct dhcp_terms t;
        size_t sum = 0;

        if (dhcp_message_read(bytes, n, &m, &err) < 0) {
                FUZZ_REQUIRE(err.kind == COR_INVALID && err.msg[0]);
                return;
        }
        for (int code = 0; code < 256; code++) {
                size_t len = 0;

                if (dhcp_option(&m, (uint8_t)code, &len))
                        sum += len;
                FUZZ_REQUIRE(m.options[code].at + len <= sizeof m.values);
        }
        FUZZ_REQUIRE(sum <= n);
        if (dhcp_terms_read(&m, true, &t, &err) < 0) {
                FUZZ_REQUIRE(err.kind == COR_INVALID && err.msg[0]);
                return;
        }
        FUZZ_REQUIRE(t.address.bits >= 1 && t.address.bits <= 32 && t.server.len == 4);
        FUZZ_REQUIRE(t.lease_ms < 0 ||
                     (t.renew_ms > 0 && t.renew_ms < t.rebind_ms && t.rebind_ms < t.lease_ms && t.lease_ms >= 2000));
        FUZZ_REQUIRE(dhcp_result(&m, 7, true, &r, &err) == 0);
        result_is_fit(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        size_t n;

        if (size < 1 || size > 4096)
                return 0;
        switch (data[0] % 3) {
        case 0: {
                const uint8_t *message = dhcp_packet_read(data + 1, size - 1, data[0] & 0x80, &n);

                if (message) {
                        FUZZ_REQUIRE(message > data && message + n <= data + size);
                        read_message(message, n);
                }
                return 0;
        }
        case 1:
                read_message(data + 1, size - 1);
                return 0;
        default:
                return document_fuzz(&dhcp_request_doc, data + 1, size - 1);
        }
}
