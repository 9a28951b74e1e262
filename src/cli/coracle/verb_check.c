/* system check: is every blob, layer and row what it should be? */
#include "base/fd.h"
#include "cli/coracle/verb.h"
#include "cli/progress.h"

#include <unistd.h>

struct check_options {
        bool repair, quiet;
};

static void on_update(void *context, const struct transfer_progress *u)
{
        const struct progress_change c = { .id = u->id, .status = u->status, .current = u->current, .total = u->total };

        progress_show(context, &c);
}

static const char *plural(int64_t n)
{
        return n == 1 ? "" : "s";
}

/* How many are left as they are */
static size_t add_findings(const struct check_report *r, struct cor_text *out)
{
        size_t left = 0;

        for (size_t i = 0; i < r->n_items; i++) {
                cor_text_printf(out, "%s%s\n", r->items[i].what, r->items[i].repaired ? " (repaired)" : "");
                left += !r->items[i].repaired;
        }
        return left;
}

static void add_summary(const struct check_report *r, size_t left, struct cor_text *out)
{
        cor_text_printf(out, "Looked at %lld image%s, %lld layer%s and %lld blob%s: ", (long long)r->images,
                        plural(r->images), (long long)r->layers, plural(r->layers), (long long)r->blobs,
                        plural(r->blobs));
        if (r->n_items == 0)
                cor_text_add(out, "all is well\n");
        else
                cor_text_printf(out, "%zu finding%s, %zu repaired\n", r->n_items, plural((int64_t)r->n_items),
                                r->n_items - left);
}

static int run_check(struct invocation *in, struct cor_err *err)
{
        const struct check_options *o = in->options;
        auto_progress progress = progress_new(STDERR_FILENO);
        const struct engine_progress updates = { .update = on_update, .context = progress };
        auto_check_report report = { 0 };
        auto_text out = COR_TEXT_INIT;
        auto_engine e = { 0 };
        size_t left;

        if (verb_engine(in, &e, err) < 0 || engine_check(&e, o->repair, o->quiet ? NULL : &updates, &report, err) < 0)
                return -1;
        left = add_findings(&report, &out);
        if (!o->quiet)
                add_summary(&report, left, &out);
        in->code = left > 0;
        return verb_print(&out, err);
}

static const struct option check_rows[] = {
        OPTION_ROW("quiet", 'q', FLAG, struct check_options, quiet, "", 0, "Show findings only"),
        OPTION_ROW("repair", 0, FLAG, struct check_options, repair, "", 0,
                   "Fetch what is broken again from where it came, and remove broken things that nothing needs"),
};

const struct verb verb_check = {
        .summary = "Look whether the store is whole; 1 if it is not",
        .options_size = sizeof(struct check_options),
        .options = check_rows,
        .n_options = COR_COUNT(check_rows),
        .run = run_check,
};
