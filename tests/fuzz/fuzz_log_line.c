/*
 * One line of a json-file log: it is refused, or its parts lie within the line, end with NUL, and, written as a line
 * again, are read back as they were.
 */
#include "base/text.h"
#include "monitor/log_read.h"

#include "require.h"

enum { ATTRS_MAX = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_string(struct cor_text *t, const char *s, size_t n)
{
        cor_text_add_c(t, '"');
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)s[i] < 0x20 || s[i] == '"' || s[i] == '\\')
                        cor_text_printf(t, "\\u%04x", (unsigned)s[i]);
                else
                        cor_text_add_c(t, s[i]);
        cor_text_add_c(t, '"');
}

static void add_member(struct cor_text *t, const char *key, const char *s, size_t n)
{
        if (!s)
                return;
        cor_text_printf(t, "%s\"%s\":", t->len > 1 ? "," : "", key);
        add_string(t, s, n);
}

static void write_again(const struct log_line *l, struct cor_text *t)
{
        cor_text_add_c(t, '{');
        add_member(t, "log", l->log, l->log_n);
        add_member(t, "stream", l->stream, l->stream ? strlen(l->stream) : 0);
        add_member(t, "time", l->time, l->time ? strlen(l->time) : 0);
        cor_text_printf(t, "%s\"attrs\":{", t->len > 1 ? "," : "");
        for (size_t i = 0; i < l->n_attrs; i++) {
                cor_text_add(t, i > 0 ? "," : "");
                add_string(t, l->attrs[i].key, strlen(l->attrs[i].key));
                cor_text_add_c(t, ':');
                add_string(t, l->attrs[i].value, strlen(l->attrs[i].value));
        }
        cor_text_add(t, "}}");
}

static void reads_back(const struct log_line *l)
{
        struct cor_pair attrs[ATTRS_MAX];
        auto_text t = COR_TEXT_INIT;
        struct log_line back;

        write_again(l, &t);
        FUZZ_REQUIRE(log_line_parse(t.s, t.len, attrs, ATTRS_MAX, &back));
        FUZZ_REQUIRE(!back.log == !l->log && back.log_n == l->log_n &&
                     (!l->log || !memcmp(back.log, l->log, l->log_n)));
        FUZZ_REQUIRE(cor_streq(back.stream, l->stream) && cor_streq(back.time, l->time) && back.n_attrs == l->n_attrs);
        for (size_t i = 0; i < l->n_attrs; i++)
                FUZZ_REQUIRE(strcmp(back.attrs[i].key, l->attrs[i].key) == 0 &&
                             strcmp(back.attrs[i].value, l->attrs[i].value) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *line = fuzz_copy(data, size);
        struct cor_pair attrs[ATTRS_MAX];
        struct log_line l;

        if (log_line_parse(line, size, attrs, ATTRS_MAX, &l)) {
                if (l.log) {
                        fuzz_is_within(l.log, l.log_n + 1, line, size);
                        FUZZ_REQUIRE(l.log[l.log_n] == '\0');
                }
                if (l.stream)
                        fuzz_text_is_within(l.stream, line, size);
                if (l.time)
                        fuzz_text_is_within(l.time, line, size);
                FUZZ_REQUIRE(l.n_attrs <= ATTRS_MAX);
                for (size_t i = 0; i < l.n_attrs; i++) {
                        fuzz_text_is_within(l.attrs[i].key, line, size);
                        fuzz_text_is_within(l.attrs[i].value, line, size);
                }
                reads_back(&l);
        }
        free(line);
        return 0;
}
