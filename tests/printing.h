#ifndef CORACLE_TESTS_PRINTING_H
#define CORACLE_TESTS_PRINTING_H
/* What holds for any document that was read: printed, in each style, it reads back to the same. */
#include "base/json.h"
#include <string.h>

/* printing_fault() - NULL if it holds for @object, else what does not; free() */
static inline char *printing_fault(const struct cor_json_doc *doc, const void *object)
{
        static const enum cor_json_style styles[] = { COR_JSON_COMPACT, COR_JSON_TABS, COR_JSON_TWO_SPACES };
        auto_text first = COR_TEXT_INIT, fault = COR_TEXT_INIT;

        cor_json_print(doc, object, COR_JSON_COMPACT, &first);
        for (size_t i = 0; i < COR_COUNT(styles) && !fault.s; i++) {
                auto_text styled = COR_TEXT_INIT, again = COR_TEXT_INIT;
                struct cor_err err = { 0 };
                auto_json void *copy = NULL;

                cor_json_print(doc, object, styles[i], &styled);
                if (cor_json_parse(doc, styled.s, styled.len, "printed", &copy, &err) < 0) {
                        cor_text_printf(&fault, "%s\n%s", err.msg, styled.s);
                        break;
                }
                cor_json_print(doc, copy, COR_JSON_COMPACT, &again);
                if (again.len != first.len || memcmp(again.s, first.s, first.len) != 0)
                        cor_text_printf(&fault, "printed as\n%s\nit reads back as\n%s", first.s, again.s);
        }
        return fault.s ? cor_text_take(&fault) : NULL;
}

#endif
