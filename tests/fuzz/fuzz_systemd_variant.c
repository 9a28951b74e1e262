/* Values of org.systemd.property annotations: parsed or refused, and then as seconds. */
#include "tools/systemd/variant.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was parsed has a type at every level, which is what the D-Bus message is made from. */
static void check(const struct variant *v)
{
        if (!v->type || !*v->type)
                abort();
        for (size_t i = 0; i < v->n_items; i++)
                check(&v->items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        auto_str text = cor_strndup((const char *)data, size);
        auto_variant v = { .type = NULL };
        struct cor_err err = { 0 };

        if (variant_parse(text, &v, &err) < 0) {
                if (!err.msg[0])
                        abort();
                return 0;
        }
        check(&v);
        (void)!variant_seconds(&v, &err);
        return 0;
}
