#include "cli/format.h"

#include "cli/tabular.h"
#include "cli/template.h"

#include <string.h>

/* "\t" and "\n" as a shell passes them; spaces around are dropped */
static char *unescape(const char *s)
{
        struct cor_text t = COR_TEXT_INIT;
        size_t n;

        s += strspn(s, " ");
        for (n = strlen(s); n > 0 && s[n - 1] == ' ';)
                n--;
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '\\' && i + 1 < n && (s[i + 1] == 't' || s[i + 1] == 'n'))
                        cor_text_add_c(&t, s[++i] == 't' ? '\t' : '\n');
                else
                        cor_text_add_c(&t, s[i]);
        }
        return cor_text_take(&t);
}

static int parse(const char *text, struct template **ret, struct cor_err *err)
{
        return template_parse(text, ret, err) < 0 ? cor_wrap(err, "template parsing error") : 0;
}

static int run(const struct template *t, const struct value *v, unsigned flags, struct cor_text *out,
               struct cor_err *err)
{
        return template_run(t, v, flags, out, err) < 0 ? cor_wrap(err, "template parsing error") : 0;
}

/* The rows come first: what is wrong with the template is told of them, and then nothing is printed. */
static int add_table(const struct format_list *l, struct cor_text *out, struct cor_err *err)
{
        const struct format *f = l->format;
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        struct value *heading = value_map(pool);
        auto_text table = COR_TEXT_INIT;

        for (size_t i = 0; i < f->n_headings; i++)
                value_append(pool, heading, f->headings[i].field, value_string(pool, f->headings[i].heading));
        value_sort(heading);
        if (run(l->template, heading, TEMPLATE_HEADER, &table, err) < 0)
                return -1;
        cor_text_add_c(&table, '\n');
        cor_text_add_n(&table, l->rows.s, l->rows.len);
        tabular_add(table.s, table.len, out);
        return 0;
}

/* The template of the table that is asked for; NULL: it is no table */
static const char *table_of(const struct format *f)
{
        const char *rest = f->given;

        if (!rest || !*rest || strcmp(rest, "table") == 0)
                return f->standard;
        return strncmp(rest, "table", 5) == 0 ? rest + 5 : NULL;
}

int format_begin(const struct format *f, struct format_list *ret, struct cor_err *err)
{
        const char *table = table_of(f), *text = table                           ? table
                                                 : strcmp(f->given, "json") == 0 ? "{{json .}}"
                                                                                 : f->given;
        auto_str unescaped = unescape(text);

        *ret = (struct format_list){ .format = f, .table = table != NULL };
        return parse(unescaped, &ret->template, err);
}

int format_row(struct format_list *l, const struct value *row, struct cor_err *err)
{
        if (run(l->template, row, 0, &l->rows, err) < 0)
                return -1;
        cor_text_add_c(&l->rows, '\n');
        return 0;
}

int format_end(const struct format_list *l, struct cor_text *out, struct cor_err *err)
{
        if (l->table)
                return add_table(l, out, err);
        cor_text_add_n(out, l->rows.s, l->rows.len);
        return 0;
}

void format_done(struct format_list *l)
{
        template_free(l->template);
        l->template = NULL;
        cor_text_done(&l->rows);
}

int format_rows(const struct format *f, const struct value *const *rows, size_t n, struct cor_text *out,
                struct cor_err *err)
{
        auto_format_list l = { 0 };

        if (format_begin(f, &l, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (format_row(&l, rows[i], err) < 0)
                        return -1;
        return format_end(&l, out, err);
}

bool format_names(const struct format *f, const char *field)
{
        auto_str name = cor_printf(".%s", field);
        const char *table = table_of(f);

        return strstr(table ? table : f->given, name) != NULL;
}

/* What docker does: the object with Go's names, and if that fails, the JSON of it. */
static int inspect_one(const struct template *t, const struct value *object, struct cor_text *out, struct cor_err *err)
{
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        auto_text text = COR_TEXT_INIT, json = COR_TEXT_INIT;
        struct cor_err first = { 0 };
        const struct value *plain;

        if (template_run(t, object, 0, &text, &first) < 0) {
                value_to_json(object, 0, &json);
                text.len = 0;
                if (value_from_json(pool, json.s, json.len, "object", &plain, err) < 0 ||
                    run(t, plain, TEMPLATE_MISSING, &text, err) < 0)
                        return -1;
        }
        cor_text_add_n(out, text.s, text.len);
        cor_text_add_c(out, '\n');
        return 0;
}

int format_check(const char *given, struct cor_err *err)
{
        auto_template t = NULL;

        return !given || strcmp(given, "json") == 0 ? 0 : parse(given, &t, err);
}

int format_inspect(const char *given, const struct value *const *objects, size_t n, struct cor_text *out,
                   struct cor_err *err)
{
        const struct value list = { .kind = VALUE_LIST, .n = n, .items = (const struct value **)(uintptr_t)objects };
        auto_template t = NULL;
        int r = 0;

        if (!given || strcmp(given, "json") == 0) {
                value_to_json(&list, given ? 0 : 4, out);
                cor_text_add_c(out, '\n');
                return 0;
        }
        if (parse(given, &t, err) < 0)
                return -1;
        for (size_t i = 0; i < n && r == 0; i++)
                r = inspect_one(t, objects[i], out, err);
        if (out->len == 0) /* as docker does it */
                cor_text_add_c(out, '\n');
        return r;
}
