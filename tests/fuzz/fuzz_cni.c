/*
 * What the CNI plugins read: a network configuration (its protocol's part, and host-local's), results of every version,
 * conditions of portmap. The first byte says which. A result that is read is printed in every version, and what was
 * printed in the newest reads back.
 */
#include "cni/condition.h"
#include "cni/host_local.h"
#include "document.h"
#include "spec/cni.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_all(const struct cni_result *r)
{
        struct cor_err err = { 0 };

        for (int version = CNI_0_1_0; version <= CNI_1_1_0; version++) {
                auto_json struct cni_result *again = NULL;
                auto_text out = COR_TEXT_INIT;

                if (cni_result_print(version, r, &out, &err) < 0) {
                        FUZZ_REQUIRE(version <= CNI_0_2_0 && err.kind == COR_INVALID);
                        continue;
                }
                FUZZ_REQUIRE(cni_result_parse(version, out.s, out.len, "doc", &again, &err) == 0);
                FUZZ_REQUIRE(version <= CNI_0_2_0 || again->n_ips == r->n_ips);
        }
}

static void read_result(int version, const char *text, size_t len)
{
        auto_json struct cni_result *r = NULL;
        struct cor_err err = { 0 };

        if (cni_result_parse(version, text, len, "doc", &r, &err) < 0)
                document_error_is_fit(&err);
        else
                print_all(r);
}

static void read_host_local(const char *text, size_t len)
{
        struct cni_config config = { .name = "fuzz" };
        struct cni_call c = { .plugin = "host-local",
                              .args = "",
                              .input = text,
                              .input_len = len,
                              .config = &config,
                              .version = CNI_1_1_0 };
        auto_json struct host_local *h = NULL;
        struct cor_err err = { 0 };

        if (host_local_load(&c, &h, &err) < 0) {
                FUZZ_REQUIRE(err.kind == COR_INVALID && err.msg[0]);
                return;
        }
        for (size_t i = 0; i < h->n_pools; i++)
                for (size_t j = 0; j < h->pools[i].n_ranges; j++)
                        FUZZ_REQUIRE(pool_find(&h->pools[i], &h->pools[i].ranges[j].end) == &h->pools[i].ranges[j]);
}

static void read_conditions(const char *text, size_t len, bool six)
{
        auto_str copy = cor_strndup(text, len);
        struct nft_change change = { .family = 1, .table = "t" };
        struct cor_err err = { 0 };
        const char *words[32];
        char *cursor = copy;
        struct nft_rule r;
        size_t n = 0;

        while (n < COR_COUNT(words) && (words[n] = cor_split_next(&cursor, ' ')))
                n++;
        if (condition_check(words, n, six, "conditions", &err) < 0)
                return;
        nft_rule_begin(&r, &change, "ports");
        condition_put(words, n, six, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *)data + 1;

        if (size == 0)
                return 0;
        switch (data[0] % 12) {
        case 8:
                return document_fuzz(&cni_config_doc, data + 1, size - 1);
        case 9:
                read_host_local(text, size - 1);
                return 0;
        case 10:
        case 11:
                read_conditions(text, size - 1, data[0] % 12 == 11);
                return 0;
        default:
                read_result(data[0] % 12 % (CNI_1_1_0 + 1), text, size - 1);
                return 0;
        }
}
