/* The WWW-Authenticate header of a registry, and the request for a token that it leads to. */
#include "base/alloc.h"
#include "registry/auth.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        auto_str header = cor_strndup((const char *)data, size);
        auto_challenges all = { 0 };
        auto_strv scopes = { 0 };
        struct registry_auth auth = { .user = (char[]){ "u" }, .password = (char[]){ "p" } };
        struct token_request t = { 0 };
        const struct challenge *c;

        challenges_parse(header, &all);
        assert(all.n_items <= 16);
        c = challenges_choose(&all);
        if (!c || c->scheme != CHALLENGE_BEARER)
                return 0;
        if (c->scope)
                cor_strv_add(&scopes, c->scope);
        if (token_request_make(c, &auth, "https://r.test", &scopes, true, &t, NULL) == 0) {
                assert(strncmp(t.url, "https://", 8) == 0);
                token_request_done(&t);
        }
        return 0;
}
