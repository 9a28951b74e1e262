#ifndef CORACLE_TESTS_FUZZ_DOCUMENT_H
#define CORACLE_TESTS_FUZZ_DOCUMENT_H
/*
 * What holds for any text given as any document: it is either refused, with an error that is fit to print, or read;
 * what was read is printed and reads back to the same.
 */
#include "../printing.h"
#include "require.h"
#include <stdio.h>
#include <string.h>

static inline void document_error_is_fit(const struct cor_err *err)
{
        FUZZ_REQUIRE(err->kind == COR_INVALID);
        FUZZ_REQUIRE(strncmp(err->msg, "doc: ", 5) == 0 && strlen(err->msg) > 5);
        for (const char *s = err->msg; *s; s++)
                FUZZ_REQUIRE((unsigned char)*s >= 0x20 && *s != 0x7f);
}

static inline int document_fuzz(const struct cor_json_doc *doc, const uint8_t *data, size_t size)
{
        auto_json void *object = NULL;
        auto_str fault = NULL;
        struct cor_err err = { 0 };

        if (cor_json_parse(doc, (const char *)data, size, "doc", &object, &err) < 0) {
                FUZZ_REQUIRE(object == NULL);
                document_error_is_fit(&err);
                return 0;
        }
        FUZZ_REQUIRE(object != NULL);
        fault = printing_fault(doc, object);
        if (fault) {
                fprintf(stderr, "%s\n", fault);
                abort();
        }
        return 0;
}

#endif
