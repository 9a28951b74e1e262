/* A request at the API socket of coracle-usernet: refused with words that fit into an answer, or one that can be
 * carried out. */
#include "tools/usernet/request.h"

#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer_is_fit(const struct request *r)
{
        const struct request_entry entry = { .id = r->id, .forward = r->forward };
        auto_text out = COR_TEXT_INIT;

        request_answer_list(&entry, 1, &out);
        FUZZ_REQUIRE(out.len > 0 && strlen(out.s) == out.len && strstr(out.s, "\"entries\":[{\"id\":"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct ip guest = { 4, { 10, 0, 2, 100 } }, guests[] = { { 0 }, { 16, { 0xfd } } };
        char *text;
        struct cor_err err = { 0 };
        struct request r;

        if (size == 0)
                return 0;
        text = fuzz_copy(data, size);
        if (request_parse(text, size, &guest, &guests[size & 1], &r, &err) < 0) {
                auto_text out = COR_TEXT_INIT;

                FUZZ_REQUIRE(cor_starts_with(err.msg, "bad request: "));
                request_answer_error(err.msg, &out);
                FUZZ_REQUIRE(out.len > 0 && strlen(out.s) == out.len);
        } else {
                FUZZ_REQUIRE(size < REQUEST_MAX);
                if (r.kind == REQUEST_ADD) {
                        FUZZ_REQUIRE(r.forward.host_port > 0 && r.forward.guest_port > 0);
                        FUZZ_REQUIRE(r.forward.host.len > 0 && r.forward.host.len == r.forward.guest.len);
                }
                answer_is_fit(&r);
        }
        free(text);
        return 0;
}
