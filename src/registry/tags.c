/* The tags of a repository (distribution-spec, "Listing Tags"), page by page. */
#include "base/json.h"
#include "registry/encode.h"
#include "registry/internal.h"

#include <string.h>

enum { PAGE_TAGS = 1000, MAX_TAGS = 100000, PAGE_MAX_BYTES = 4 << 20 };

struct tag_page {
        const char **items;
        size_t n_items;
};
static const struct cor_json_field tag_page_fields[] = {
        COR_FIELD_LIST("tags", LIST_STR, struct tag_page, items, n_items, 0),
};
static const struct cor_json_doc tag_page_doc = COR_DOC(struct tag_page, tag_page_fields, NULL);

/* The page behind tag @last (NULL: the first one); *@ret_more: the registry has another one. */
static int get_page(struct registry *r, const char *last, struct tag_page **ret, bool *ret_more, struct cor_err *err)
{
        auto_str path = cor_printf("%s/tags/list", r->path);
        auto_text query = COR_TEXT_INIT;
        struct call_spec spec = { .method = "GET", .need = CALL_RESOLVE, .path = path, .body_max = PAGE_MAX_BYTES };
        auto_outcome o = { 0 };

        cor_text_printf(&query, "n=%d", (int)PAGE_TAGS);
        if (last) {
                cor_text_add(&query, "&last=");
                percent_add(&query, last, "");
        }
        spec.query = query.s;
        if (registry_ask(r, &spec, &o, err) < 0)
                return -1;
        if (o.answer.status == 404)
                return cor_fail(err, COR_NOT_FOUND, "repository %s not found: %s", r->name, o.err.msg);
        if (o.err.kind != COR_OK) {
                if (err)
                        *err = o.err;
                return -1;
        }
        *ret_more = o.answer.headers[HTTP_LINK] != NULL;
        return cor_json_parse(&tag_page_doc, o.answer.body ?: "", o.answer.n, "list of tags", ret, err);
}

int registry_list_tags(struct registry *r, struct cor_strv *ret, struct cor_err *err)
{
        bool more = true;

        while (more) {
                auto_json struct tag_page *page = NULL;
                const char *last = ret->n_items > 0 ? ret->items[ret->n_items - 1] : NULL;

                if (get_page(r, last, &page, &more, err) < 0)
                        return -1;
                for (size_t i = 0; i < page->n_items; i++)
                        cor_strv_add(ret, page->items[i]);
                more = more && page->n_items > 0 && !cor_streq(last, page->items[page->n_items - 1]);
                if (ret->n_items > MAX_TAGS)
                        return cor_fail(err, COR_INVALID, "%s has more than %d tags", r->name, (int)MAX_TAGS);
        }
        return 0;
}
