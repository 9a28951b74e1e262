#include "engine/image_filter.h"
#include "base/date.h"
#include "base/text.h"
#include "engine/pattern.h"
#include "image/reference.h"

#include <string.h>
#include <time.h>

void image_match_done(struct image_match *m)
{
        cor_strv_done(&m->labels);
        cor_strv_done(&m->labels_not);
        cor_strv_done(&m->references);
}

/* What a filter is parsed with. */
struct parsing {
        struct engine *e;
        struct image_match *m;
};

static int parse_dangling(struct parsing *p, const char *value, struct cor_err *err)
{
        bool yes = cor_streq(value, "true") || cor_streq(value, "1");
        bool no = cor_streq(value, "false") || cor_streq(value, "0");

        if ((!yes && !no) || (p->m->has_dangling && p->m->dangling != yes))
                return cor_fail(err, COR_INVALID, "invalid filter 'dangling=[%s]'", value);
        p->m->has_dangling = true;
        p->m->dangling = yes;
        return 0;
}

static int created_of(struct parsing *p, const char *name, struct timespec *ret, struct cor_err *err)
{
        auto_image_row i = { 0 };

        if (engine_image(p->e, name, &i, err) < 0)
                return -1;
        *ret = (struct timespec){ i.created, i.created_ns };
        return 0;
}

static int parse_before(struct parsing *p, const char *value, struct cor_err *err)
{
        p->m->has_before = true;
        return created_of(p, value, &p->m->before, err);
}

static int parse_since(struct parsing *p, const char *value, struct cor_err *err)
{
        p->m->has_since = true;
        return created_of(p, value, &p->m->since, err);
}

/* A point in time, or how long ago. */
static int parse_until(struct parsing *p, const char *value, struct cor_err *err)
{
        int64_t ns;

        if (p->m->has_until)
                return cor_fail(err, COR_INVALID, "more than one until filter specified");
        if (cor_moment_parse(value, &ns) < 0)
                return cor_fail(err, COR_INVALID, "failed to parse value as time or duration: \"%.100s\"", value);
        p->m->has_until = true;
        p->m->until = ns / 1000000000;
        return 0;
}

static int parse_label(struct parsing *p, const char *value, struct cor_err *err)
{
        cor_strv_add(&p->m->labels, value);
        return 0;
}

static int parse_label_not(struct parsing *p, const char *value, struct cor_err *err)
{
        cor_strv_add(&p->m->labels_not, value);
        return 0;
}

static int parse_reference(struct parsing *p, const char *value, struct cor_err *err)
{
        cor_strv_add(&p->m->references, value);
        return 0;
}

static const struct {
        const char *key;
        bool list, prune;
        int (*parse)(struct parsing *p, const char *value, struct cor_err *err);
} filters[] = {
        { "dangling", true, true, parse_dangling },    { "label", true, true, parse_label },
        { "label!", false, true, parse_label_not },    { "before", true, false, parse_before },
        { "since", true, false, parse_since },         { "until", true, true, parse_until },
        { "reference", true, false, parse_reference },
};

static int parse_one(struct parsing *p, const char *item, enum image_filter_use use, struct cor_err *err)
{
        const char *equals = strchr(item, '=');
        auto_str key = cor_strndup(item, equals ? (size_t)(equals - item) : strlen(item));

        if (equals && equals > item && equals[-1] == '!') /* label!=x */
                key[strlen(key) - 1] = '!';
        for (size_t i = 0; equals && i < COR_COUNT(filters); i++)
                if (cor_streq(key, filters[i].key) && (use == IMAGE_FILTER_LIST ? filters[i].list : filters[i].prune))
                        return filters[i].parse(p, equals + 1, err);
        return cor_fail(err, COR_INVALID, "invalid filter '%s'", key);
}

int image_match_parse(struct engine *e, const struct image_filter *filter, enum image_filter_use use,
                      struct image_match *ret, struct cor_err *err)
{
        auto_image_match m = { 0 };
        struct parsing p = { e, &m };

        for (size_t i = 0; filter && i < filter->n_items; i++)
                if (parse_one(&p, filter->items[i], use, err) < 0)
                        return -1;
        *ret = m;
        m = (struct image_match){ 0 };
        return 0;
}

/* "KEY" fits whatever value it has, "KEY=VALUE" that one. */
static bool has_label(const struct image_row *i, const char *wanted)
{
        size_t n = strlen(wanted);
        bool with_value = strchr(wanted, '=') != NULL;

        for (size_t l = 0; l < i->labels.n_items; l++) {
                const char *label = i->labels.items[l];

                if (with_value ? strcmp(label, wanted) == 0 : strncmp(label, wanted, n) == 0 && label[n] == '=')
                        return true;
        }
        return false;
}

/* Which of the two was made first: less than 0 when @i was. */
static int compare_made(const struct image_row *i, const struct timespec *other)
{
        if (i->created != other->tv_sec)
                return i->created < other->tv_sec ? -1 : 1;
        return (i->created_ns > other->tv_nsec) - (i->created_ns < other->tv_nsec);
}

bool image_match_fits(const struct image_match *m, const struct image_row *i)
{
        if ((m->has_before && compare_made(i, &m->before) >= 0) || (m->has_since && compare_made(i, &m->since) <= 0) ||
            (m->has_until && i->created > m->until))
                return false;
        for (size_t l = 0; l < m->labels.n_items; l++)
                if (!has_label(i, m->labels.items[l]))
                        return false;
        for (size_t l = 0; l < m->labels_not.n_items; l++)
                if (has_label(i, m->labels_not.items[l]))
                        return false;
        return true;
}

/* As docker does: against the name as people write it, then against the same without tag and digest. */
static int name_fits(const struct image_match *m, const char *name, struct cor_err *err)
{
        auto_reference r = { 0 };
        auto_str familiar = NULL;
        auto_str bare = NULL;

        if (reference_parse(name, &r, NULL) < 0) /* not ours to judge here */
                return 0;
        familiar = reference_familiar(&r);
        bare = reference_familiar_name(&r);
        for (size_t i = 0; i < m->references.n_items; i++) {
                int fits = pattern_match(m->references.items[i], familiar);

                if (fits < 0)
                        return cor_fail(err, COR_INVALID, "syntax error in pattern");
                if (fits > 0 || pattern_match(m->references.items[i], bare) > 0)
                        return 1;
        }
        return 0;
}

static int keep_fitting(const struct image_match *m, struct cor_strv *names, struct cor_err *err)
{
        struct cor_strv kept = { 0 };

        for (size_t i = 0; i < names->n_items; i++) {
                int fits = name_fits(m, names->items[i], err);

                if (fits < 0) {
                        cor_strv_done(&kept);
                        return -1;
                }
                if (fits > 0)
                        cor_strv_add(&kept, names->items[i]);
        }
        cor_strv_done(names);
        *names = kept;
        return 0;
}

int image_match_names(const struct image_match *m, struct image_row *i, struct cor_err *err)
{
        if (m->references.n_items == 0)
                return 1;
        if (keep_fitting(m, &i->names, err) < 0 || keep_fitting(m, &i->repo_digests, err) < 0)
                return -1;
        return i->names.n_items > 0 || i->repo_digests.n_items > 0;
}
