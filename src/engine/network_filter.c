/* Filters of networks, in docker's words: of one key any value may fit, but labels have to fit all. */
#include "engine/network.h"

#include "base/date.h"
#include "base/text.h"

#include <string.h>

/* What a network is asked. */
struct subject {
        const struct network_row *row;
        const struct docker_network *d;
};

static bool has_label(const struct docker_network *d, const char *wanted)
{
        for (size_t i = 0; i < d->n_labels; i++) {
                auto_str word = cor_printf("%s=%s", d->labels[i].key, d->labels[i].value);

                if (strcmp(d->labels[i].key, wanted) == 0 || strcmp(word, wanted) == 0)
                        return true;
        }
        return false;
}

static bool is_dangling(const struct subject *s, const char *value)
{
        bool unused = s->row->users == 0 && !network_is_predefined(s->row->name);

        return unused == (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

static bool fits_driver(const struct subject *s, const char *value)
{
        return strcmp(s->row->driver, value) == 0;
}

static bool fits_id(const struct subject *s, const char *value)
{
        return cor_starts_with(s->row->id, value);
}

static bool fits_name(const struct subject *s, const char *value)
{
        return strstr(s->row->name, value) != NULL;
}

static bool fits_scope(const struct subject *s, const char *value)
{
        (void)s;
        return strcmp(value, "local") == 0;
}

static bool fits_type(const struct subject *s, const char *value)
{
        return network_is_predefined(s->row->name) == (strcmp(value, "builtin") == 0);
}

static bool fits_label(const struct subject *s, const char *value)
{
        return has_label(s->d, value);
}

static bool lacks_label(const struct subject *s, const char *value)
{
        return !has_label(s->d, value);
}

static bool is_older(const struct subject *s, const char *value)
{
        int64_t ns;

        return cor_moment_parse(value, &ns) == 0 && s->row->created < ns;
}

static const struct key {
        const char *key;
        bool list, prune, all; /* all: every value has to fit */
        bool (*fits)(const struct subject *s, const char *value);
} keys[] = {
        { "dangling", true, false, false, is_dangling }, { "driver", true, false, false, fits_driver },
        { "id", true, false, false, fits_id },           { "name", true, false, false, fits_name },
        { "scope", true, false, false, fits_scope },     { "type", true, false, false, fits_type },
        { "label", true, true, true, fits_label },       { "label!", false, true, true, lacks_label },
        { "until", false, true, false, is_older },
};

static const struct key *find_key(const struct network_filter *f, const char *name)
{
        for (size_t i = 0; i < COR_COUNT(keys); i++)
                if (strcmp(keys[i].key, name) == 0 && (f->prune ? keys[i].prune : keys[i].list))
                        return &keys[i];
        return NULL;
}

static bool is_one_of(const char *value, const char *const *words)
{
        for (; *words; words++)
                if (strcmp(*words, value) == 0)
                        return true;
        return false;
}

static int check(const struct network_filter *f, struct cor_err *err)
{
        static const char *const booleans[] = { "true", "false", "1", "0", NULL };
        static const char *const types[] = { "custom", "builtin", NULL };

        for (size_t i = 0; i < f->n_items; i++) {
                const char *key = f->items[i].key, *value = f->items[i].value;
                int64_t ns;

                if (!find_key(f, key))
                        return cor_fail(err, COR_INVALID, "invalid filter '%.50s'", key);
                if ((strcmp(key, "dangling") == 0 && !is_one_of(value, booleans)) ||
                    (strcmp(key, "type") == 0 && !is_one_of(value, types)))
                        return cor_fail(err, COR_INVALID, "invalid filter '%s=%.50s'", key, value);
                if (strcmp(key, "until") == 0 && cor_moment_parse(value, &ns) < 0)
                        return cor_fail(err, COR_INVALID, "invalid filter 'until=%.50s'", value);
        }
        return 0;
}

static bool passes(const struct network_filter *f, const struct subject *s)
{
        for (size_t k = 0; k < COR_COUNT(keys); k++) {
                bool asked = false, any = false;

                for (size_t i = 0; i < f->n_items; i++) {
                        bool one;

                        if (strcmp(f->items[i].key, keys[k].key) != 0)
                                continue;
                        one = keys[k].fits(s, f->items[i].value);
                        if (keys[k].all && !one)
                                return false;
                        asked = true;
                        any = any || one;
                }
                if (asked && !any)
                        return false;
        }
        return true;
}

int engine_networks(struct engine *e, const struct network_filter *f, struct network_rows *ret, struct cor_err *err)
{
        auto_network_rows rows = { 0 };
        size_t kept = 0;

        if (check(f, err) < 0 || network_row_all(e->store, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                auto_json struct docker_network *d = NULL;
                struct network_row row = rows.items[i];

                if (network_row_document(&row, &d, err) < 0)
                        return -1;
                if (!passes(f, &(struct subject){ &row, d })) {
                        network_row_done(&rows.items[i]);
                        continue;
                }
                memset(&rows.items[i], 0, sizeof row);
                rows.items[kept++] = row;
        }
        rows.n_items = kept;
        *ret = rows;
        rows = (struct network_rows){ 0 };
        return 0;
}
