#ifndef CORACLE_STORE_ROW_H
#define CORACLE_STORE_ROW_H
/* What the rows of containers and volumes share; inside the store only. */
#include "base/alloc.h"
#include "base/text.h"
#include "store/db.h"

#include <string.h>

/* row_put_words() - "KEY=VALUE" texts as one value, each ended by a NUL; row_get_words() reads them */
static inline void row_put_words(const struct cor_strv *words, struct cor_text *out)
{
        for (size_t i = 0; i < words->n_items; i++)
                cor_text_add_n(out, words->items[i], strlen(words->items[i]) + 1);
}

static inline void row_get_words(const struct db_rows *rows, int column, struct cor_strv *ret)
{
        size_t n;
        const char *bytes = db_bytes(rows, column, &n);

        for (size_t at = 0, len; at < n; at += len + 1) {
                auto_str word = cor_strndup(bytes + at, n - at);

                len = strlen(word);
                cor_strv_take(ret, COR_TAKE(word));
        }
}

struct volume_row;
/* volume_insert() - the row of a volume and its folder, inside the caller's transaction; EXISTS */
int volume_insert(struct store *s, const struct volume_row *v, struct cor_err *err) COR_MUST_CHECK;
struct volume_rows;
/* volume_insert_missing() - those of @l that are not there yet; their ->made is true then */
int volume_insert_missing(struct store *s, struct volume_rows *l, struct cor_err *err) COR_MUST_CHECK;
/* volume_sweep() - that transaction was not committed: folders that left for their places are removed */
int volume_sweep(struct store *s, const struct volume_rows *l, struct cor_err *err) COR_MUST_CHECK;

#endif
