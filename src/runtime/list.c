#include "runtime/list.h"

#include "base/log.h"

/* A container may go away while we look: that is no error, and none worth a warning. */
static int describe(const struct runtime_context *ctx, const char *id, struct container_info *ret)
{
        auto_container c = CONTAINER_INIT;
        struct cor_err err = { 0 };

        if (container_open(ctx, id, &c, &err) == 0 && container_describe(&c, ret, &err) == 0)
                return 0;
        if (err.kind != COR_NOT_FOUND || c.dirfd >= 0)
                cor_warn("%s", err.msg);
        return -1;
}

int container_list(const struct runtime_context *ctx, struct container_info **ret, size_t *ret_n, struct cor_err *err)
{
        auto_strv ids = { 0 };
        struct container_info *list = NULL, info;
        size_t n = 0;

        if (container_ids(ctx, &ids, err) < 0)
                return -1;
        for (size_t i = 0; i < ids.n_items; i++)
                if (describe(ctx, ids.items[i], &info) == 0)
                        *COR_GROW(list, n) = info;
        *ret = list;
        *ret_n = n;
        return 0;
}

void container_list_free(struct container_info *list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                container_describe_done(&list[i]);
        free(list);
}

void container_list_json(const struct container_info *list, size_t n, struct cor_text *out)
{
        cor_text_add_c(out, '[');
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        cor_text_add_c(out, ',');
                container_describe_json(&list[i], COR_JSON_COMPACT, out);
        }
        cor_text_add(out, "]\n");
}
