/*
 * Templates: the whole input is one, run on a small object with every kind of value, as an action, and once more as the
 * heading of a table. Whatever it is, it ends, and says why it fails.
 */
#include "cli/template.h"

#include <assert.h>
#include <string.h>

static const char object[] = "{\"s\":\"hello\",\"n\":5,\"f\":1.5,\"t\":true,\"nil\":null,\"l\":[\"a\",1,null],"
                             "\"m\":{\"b\":\"2\",\"a\":{\"x\":[]}},\"u\":\"\\u00e9\\u2028\"}";

static void run(const struct template *t, const struct value *data, unsigned flags)
{
        struct cor_err err = { 0 };
        auto_text out = COR_TEXT_INIT;

        assert((template_run(t, data, flags, &out, &err) < 0) == (err.kind == COR_INVALID));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        auto_str text = cor_strndup((const char *)data, size);
        const struct value *v = NULL;
        struct cor_err err = { 0 };
        auto_template t = NULL;

        assert(value_from_json(pool, object, strlen(object), NULL, &v, &err) == 0);
        if (template_parse(text, &t, &err) < 0) {
                assert(err.kind == COR_INVALID && strncmp(err.msg, "template: ", 10) == 0);
                return 0;
        }
        run(t, v, 0);
        run(t, v, TEMPLATE_MISSING | TEMPLATE_HEADER);
        return 0;
}
