/* system doctor: what this machine has and lacks for containers, a line each. */
#include "cli/coracle/verb.h"
#include "engine/doctor.h"
#include "store/store.h"

struct doctor_options {
        const char *format;
        bool quiet;
};

static const char *state_word(enum doctor_state state)
{
        static const char *const words[] = { "good", "limited", "missing" };

        return words[state];
}

static const struct value *finding(struct value_pool *p, const struct doctor_finding *f)
{
        struct value *s = value_struct(p, "doctor.Finding");

        value_field_text(p, s, "State", state_word(f->state));
        value_field_text(p, s, "Check", f->name);
        value_field_text(p, s, "Finding", f->message);
        value_field_text(p, s, "Remedy", f->remedy ? f->remedy : "");
        return s;
}

static int run_doctor(struct invocation *in, struct cor_err *err)
{
        static const struct format_heading headings[] = {
                { "State", "STATE" }, { "Check", "CHECK" }, { "Finding", "FINDING" }, { "Remedy", "REMEDY" }
        };
        const struct doctor_options *o = in->options;
        const struct format format = { .given = o->format,
                                       .standard = "{{.State}}\t{{.Check}}\t{{.Finding}}{{with .Remedy}}: {{.}}{{end}}",
                                       .headings = headings,
                                       .n_headings = COR_COUNT(headings) };
        auto_value_pool p = value_pool_new(SIZE_MAX);
        auto_doctor_report report = { 0 };
        auto_free const struct value **rows = NULL;
        auto_text out = COR_TEXT_INIT;
        auto_str store = NULL;
        size_t n = 0;

        if (format_check(o->format, err) < 0)
                return -1;
        if (in->globals->root)
                store = cor_strdup(in->globals->root);
        else if (store_default_path(&store, err) < 0)
                return -1;
        engine_doctor(store, &report);
        for (size_t i = 0; i < report.n_items; i++) {
                if (!o->quiet || report.items[i].state != DOCTOR_GOOD)
                        *COR_GROW(rows, n) = finding(p, &report.items[i]);
                in->code |= report.items[i].state == DOCTOR_MISSING;
        }
        return format_rows(&format, rows, n, &out, err) < 0 ? -1 : verb_print(&out, err);
}

static const struct option doctor_rows[] = {
        OPTION_ROW("format", 0, TEXT, struct doctor_options, format, "string", 0,
                   "'table', 'table TEMPLATE', 'json', or a Go template"),
        OPTION_ROW("quiet", 'q', FLAG, struct doctor_options, quiet, "", 0, "Show only what is not good"),
};

const struct verb verb_doctor = {
        .summary = "Look what this machine lacks for containers; 1 if something is missing",
        .options_size = sizeof(struct doctor_options),
        .options = doctor_rows,
        .n_options = COR_COUNT(doctor_rows),
        .run = run_doctor,
};
