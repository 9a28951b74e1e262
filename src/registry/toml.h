#ifndef CORACLE_REGISTRY_TOML_H
#define CORACLE_REGISTRY_TOML_H
/*
 * A reader for the part of TOML 1.0 that configuration of this kind is written in: tables, dotted and quoted keys,
 * strings on one line ("basic" and 'literal'), booleans, decimal integers, arrays, inline tables. Dates, floats,
 * strings over several lines and arrays of tables are refused by name. Bytes in, one call for each table and each value
 * out, in their order.
 */
#include "base/alloc.h"
#include <stdbool.h>
#include <stdint.h>

enum toml_type { TOML_STRING, TOML_BOOL, TOML_INTEGER, TOML_ARRAY };

struct toml_value {
        enum toml_type type;
        char *string;
        bool boolean;
        int64_t integer;
        struct toml_value *items;
        size_t n_items;
};

struct toml_entry {
        char *const *path; /* host, https://mirror, ca */
        size_t n_path;
        const struct toml_value *value; /* NULL: the header of a table */
};

/*
 * toml_read() - @entry for everything in @n bytes of @text; what it refuses, and what cannot be read, is INVALID with
 * "line N: " in front. A key given twice is refused.
 */
int toml_read(const char *text, size_t n, int (*entry)(void *context, const struct toml_entry *e, struct cor_err *err),
              void *context, struct cor_err *err) COR_MUST_CHECK;

#endif
