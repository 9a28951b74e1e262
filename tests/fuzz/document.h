#ifndef CORACLE_TESTS_FUZZ_DOCUMENT_H
#define CORACLE_TESTS_FUZZ_DOCUMENT_H
/*
 * What holds for any text given as any document: it is either refused, with an error that is fit to print, or read;
 * what was read is printed and reads back to the same.
 */
#include "base/json.h"
#include <stdio.h>
#include <string.h>

#define FUZZ_REQUIRE(TRUTH)                                                                                            \
        do {                                                                                                           \
                if (!(TRUTH)) {                                                                                        \
                        fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #TRUTH);                      \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

static inline void document_error_is_fit(const struct cor_err *err)
{
        FUZZ_REQUIRE(err->kind == COR_INVALID);
        FUZZ_REQUIRE(strncmp(err->msg, "doc: ", 5) == 0 && strlen(err->msg) > 5);
        for (const char *s = err->msg; *s; s++)
                FUZZ_REQUIRE((unsigned char)*s >= 0x20 && *s != 0x7f);
}

static inline void document_survives_printing(const struct cor_json_doc *doc, const void *object)
{
        static const enum cor_json_style styles[] = { COR_JSON_COMPACT, COR_JSON_TABS, COR_JSON_TWO_SPACES };
        auto_text first = COR_TEXT_INIT;

        cor_json_print(doc, object, COR_JSON_COMPACT, &first);
        for (size_t i = 0; i < COR_COUNT(styles); i++) {
                auto_text styled = COR_TEXT_INIT, again = COR_TEXT_INIT;
                struct cor_err err = { 0 };
                auto_json void *copy = NULL;

                cor_json_print(doc, object, styles[i], &styled);
                if (cor_json_parse(doc, styled.s, styled.len, "printed", &copy, &err) < 0) {
                        fprintf(stderr, "%s\n%s\n", err.msg, styled.s);
                        abort();
                }
                cor_json_print(doc, copy, COR_JSON_COMPACT, &again);
                FUZZ_REQUIRE(again.len == first.len && memcmp(again.s, first.s, first.len) == 0);
        }
}

static inline int document_fuzz(const struct cor_json_doc *doc, const uint8_t *data, size_t size)
{
        auto_json void *object = NULL;
        struct cor_err err = { 0 };

        if (cor_json_parse(doc, (const char *)data, size, "doc", &object, &err) < 0) {
                FUZZ_REQUIRE(object == NULL);
                document_error_is_fit(&err);
                return 0;
        }
        FUZZ_REQUIRE(object != NULL);
        document_survives_printing(doc, object);
        return 0;
}

#endif
