/* DNS messages: a query, and what claims to be its answer. Whatever is answered fits, and can be read again. */
#include "network/dns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct ip ips[] = { { 4, { 10, 0, 0, 1 } }, { 16, { 0xfd, 1 } }, { 4, { 10, 0, 0, 2 } } };
        static uint8_t out[DNS_MESSAGE_MAX];
        struct dns_question q;
        enum dns_code code;
        struct ip ip;
        size_t n;

        if (size > 2048 || !dns_read_question(data, size, &q, &code))
                return 0;
        assert(strlen(q.name) < sizeof q.name && q.end <= size);
        n = dns_write_answer(data, &q, &(struct dns_answer){ code, ips, COR_COUNT(ips), "name.net" }, q.udp_bytes, out);
        assert(n >= DNS_HEADER_BYTES && n <= DNS_UDP_MAX);
        if (q.end) {
                assert(n <= q.udp_bytes);
                assert(dns_answers(out, n, data, &q, q.id));
        }
        (void)dns_answers(data, size, out, &q, q.id);
        (void)dns_reverse(q.name, &ip);
        return 0;
}
