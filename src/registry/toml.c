#include "registry/toml.h"
#include "base/text.h"
#include <string.h>

enum {
        DEPTH_MAX = 8, /* of arrays and inline tables */
        PATH_MAX_KEYS = 16,
        KEYS_MAX = 4096, /* in a document */
};

struct reader {
        const char *s, *end;
        unsigned line;
        struct cor_strv path; /* of the entry at hand */
        size_t table;         /* how much of it is the table's */
        struct cor_strv seen; /* joined paths of values */
        int (*entry)(void *context, const struct toml_entry *e, struct cor_err *err);
        void *context;
        struct cor_err *err;
};

static int read_value(struct reader *r, struct toml_value *v, unsigned depth);

static int fail(struct reader *r, const char *what)
{
        return cor_fail(r->err, COR_INVALID, "%s", what);
}

static int peek(const struct reader *r)
{
        return r->s < r->end ? (unsigned char)*r->s : -1;
}

static bool take(struct reader *r, char c)
{
        if (peek(r) != c)
                return false;
        r->s++;
        return true;
}

static void skip_blanks(struct reader *r)
{
        while (peek(r) == ' ' || peek(r) == '\t')
                r->s++;
}

/* To the end of the line if only a comment is left; -1 if there is more. */
static int end_line(struct reader *r)
{
        skip_blanks(r);
        if (take(r, '#'))
                while (peek(r) >= 0 && peek(r) != '\n')
                        r->s++;
        if (peek(r) == '\r' && r->s + 1 < r->end && r->s[1] == '\n')
                r->s++;
        if (peek(r) < 0)
                return 0;
        if (!take(r, '\n'))
                return fail(r, "expected the end of the line");
        r->line++;
        return 0;
}

/* Over blanks, comments and ends of lines. */
static int skip_lines(struct reader *r)
{
        for (;;) {
                skip_blanks(r);
                if (peek(r) != '#' && peek(r) != '\n' && peek(r) != '\r')
                        return 0;
                if (end_line(r) < 0)
                        return -1;
        }
}

/* ---------------------------------------------------------------------------------------------------------- strings */

static void add_utf8(struct cor_text *t, uint32_t c)
{
        if (c < 0x80) {
                cor_text_add_c(t, (char)c);
                return;
        }
        if (c < 0x800) {
                cor_text_add_c(t, (char)(0xc0 | c >> 6));
        } else {
                if (c < 0x10000) {
                        cor_text_add_c(t, (char)(0xe0 | c >> 12));
                } else {
                        cor_text_add_c(t, (char)(0xf0 | c >> 18));
                        cor_text_add_c(t, (char)(0x80 | (c >> 12 & 0x3f)));
                }
                cor_text_add_c(t, (char)(0x80 | (c >> 6 & 0x3f)));
        }
        cor_text_add_c(t, (char)(0x80 | (c & 0x3f)));
}

static int read_code_point(struct reader *r, int digits, struct cor_text *t)
{
        char hex[9] = "";
        uint64_t c;

        if (r->end - r->s < digits)
                return fail(r, "the string has no end");
        memcpy(hex, r->s, (size_t)digits);
        if (strspn(hex, "0123456789abcdefABCDEF") != (size_t)digits || cor_parse_u64_base(hex, 16, &c) < 0 || c == 0 ||
            c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                return fail(r, "\\u and \\U need the hexadecimal digits of a character");
        r->s += digits;
        add_utf8(t, (uint32_t)c);
        return 0;
}

static int read_escape(struct reader *r, struct cor_text *t)
{
        static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
        int c = peek(r);
        const char *at = c > 0 ? strchr(from, c) : NULL;

        if (c >= 0)
                r->s++;
        if (at) {
                cor_text_add_c(t, to[at - from]);
                return 0;
        }
        if (c == 'u' || c == 'U')
                return read_code_point(r, c == 'u' ? 4 : 8, t);
        return fail(r, "unknown escape in a string");
}

static int read_string(struct reader *r, char **ret)
{
        char quote = *r->s++;
        auto_text t = COR_TEXT_INIT;

        if (r->end - r->s >= 2 && r->s[0] == quote && r->s[1] == quote)
                return fail(r, "strings over several lines are not understood here");
        for (;;) {
                int c = peek(r);

                if (c < 0 || c == '\n')
                        return fail(r, "the string has no end on this line");
                r->s++;
                if (c == quote)
                        break;
                if (c == '\\' && quote == '"') {
                        if (read_escape(r, &t) < 0)
                                return -1;
                } else if ((c < ' ' && c != '\t') || c == 0x7f) {
                        return fail(r, "a control character in a string");
                } else {
                        cor_text_add_c(&t, (char)c);
                }
        }
        *ret = cor_text_take(&t);
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------- keys */

static void forget_path(struct reader *r, size_t keep)
{
        while (r->path.n_items > keep) {
                free(r->path.items[--r->path.n_items]);
                r->path.items[r->path.n_items] = NULL;
        }
}

static size_t bare_len(const struct reader *r)
{
        size_t n = 0;

        while (r->s + n < r->end && r->s[n] &&
               strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", r->s[n]))
                n++;
        return n;
}

/* a.b."c d" */
static int read_key(struct reader *r)
{
        do {
                char *key;

                skip_blanks(r);
                if (peek(r) == '"' || peek(r) == '\'') {
                        if (read_string(r, &key) < 0)
                                return -1;
                } else {
                        size_t n = bare_len(r);

                        if (n == 0)
                                return fail(r, "expected a key");
                        key = cor_strndup(r->s, n);
                        r->s += n;
                }
                cor_strv_take(&r->path, key);
                if (r->path.n_items > PATH_MAX_KEYS)
                        return fail(r, "too many keys within each other");
                skip_blanks(r);
        } while (take(r, '.'));
        return 0;
}

/* ----------------------------------------------------------------------------------------------------------- values */

static void value_done(struct toml_value *v)
{
        free(v->string);
        for (size_t i = 0; i < v->n_items; i++)
                value_done(&v->items[i]);
        free(v->items);
}

static int read_array(struct reader *r, struct toml_value *v, unsigned depth)
{
        r->s++;
        v->type = TOML_ARRAY;
        for (;;) {
                if (skip_lines(r) < 0)
                        return -1;
                if (take(r, ']'))
                        return 0;
                if (v->n_items == KEYS_MAX)
                        return fail(r, "too many items in an array");
                if (read_value(r, COR_GROW(v->items, v->n_items), depth + 1) < 0 || skip_lines(r) < 0)
                        return -1;
                if (!take(r, ',') && peek(r) != ']')
                        return fail(r, "expected ',' or ']' in an array");
        }
}

static int read_word(struct reader *r, struct toml_value *v)
{
        size_t n = bare_len(r) + (size_t)(peek(r) == '+');
        auto_str word = cor_strndup(r->s, n);

        if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
                v->type = TOML_BOOL;
                v->boolean = *word == 't';
        } else if (r->s + n < r->end && (r->s[n] == '.' || r->s[n] == ':')) {
                return fail(r, "floats and dates are not understood here");
        } else if (cor_parse_i64(word + (*word == '+'), &v->integer) == 0) {
                v->type = TOML_INTEGER;
        } else {
                return fail(r, "expected a value: a string in quotes, true, false, an integer or an array");
        }
        r->s += n;
        return 0;
}

static int read_value(struct reader *r, struct toml_value *v, unsigned depth)
{
        if (depth > DEPTH_MAX)
                return fail(r, "too many arrays within each other");
        switch (peek(r)) {
        case '"':
        case '\'':
                v->type = TOML_STRING;
                return read_string(r, &v->string);
        case '[':
                return read_array(r, v, depth);
        case '{':
                return fail(r, "a table in an array is not understood here");
        default:
                return read_word(r, v);
        }
}

/* ---------------------------------------------------------------------------------------------------------- entries */

static int emit(struct reader *r, const struct toml_value *v)
{
        struct toml_entry e = { .path = r->path.items, .n_path = r->path.n_items, .value = v };

        return r->entry(r->context, &e, r->err);
}

/* The path as one string, for comparison: lengths keep "a"."b" and "a.b" apart. */
static int see(struct reader *r)
{
        auto_text t = COR_TEXT_INIT;
        auto_str joined = NULL;

        for (size_t i = 0; i < r->path.n_items; i++)
                cor_text_printf(&t, "%zu.%s", strlen(r->path.items[i]), r->path.items[i]);
        joined = cor_text_take(&t);
        for (size_t i = 0; i < r->seen.n_items; i++)
                if (strcmp(r->seen.items[i], joined) == 0)
                        return cor_fail(r->err, COR_INVALID, "'%.100s' is given twice",
                                        r->path.items[r->path.n_items - 1]);
        if (r->seen.n_items == KEYS_MAX)
                return fail(r, "too many keys");
        cor_strv_take(&r->seen, COR_TAKE(joined));
        return 0;
}

static int read_pair(struct reader *r, unsigned depth);

/* { a = 1, b = 2 }, whose keys are below the path at hand */
static int read_inline_table(struct reader *r, unsigned depth)
{
        size_t outer = r->path.n_items;

        r->s++;
        skip_blanks(r);
        if (depth > DEPTH_MAX)
                return fail(r, "too many tables within each other");
        if (emit(r, NULL) < 0)
                return -1;
        if (take(r, '}'))
                return 0;
        do {
                skip_blanks(r);
                if (read_pair(r, depth + 1) < 0)
                        return -1;
                forget_path(r, outer);
                skip_blanks(r);
        } while (take(r, ','));
        return take(r, '}') ? 0 : fail(r, "expected ',' or '}' in a table");
}

static int read_pair(struct reader *r, unsigned depth)
{
        struct toml_value v = { .type = TOML_STRING };
        int result;

        if (read_key(r) < 0)
                return -1;
        if (!take(r, '='))
                return fail(r, "expected '=' after the key");
        skip_blanks(r);
        if (see(r) < 0)
                return -1;
        if (peek(r) == '{')
                return read_inline_table(r, depth);
        result = read_value(r, &v, 0);
        if (result == 0)
                result = emit(r, &v);
        value_done(&v);
        return result;
}

static int read_header(struct reader *r)
{
        r->s++;
        if (peek(r) == '[')
                return fail(r, "arrays of tables ([[…]]) are not understood here");
        forget_path(r, 0);
        if (read_key(r) < 0)
                return -1;
        if (!take(r, ']'))
                return fail(r, "expected ']' after the name of the table");
        r->table = r->path.n_items;
        return emit(r, NULL);
}

static int read_line(struct reader *r)
{
        if (peek(r) == '[')
                return read_header(r);
        forget_path(r, r->table);
        return read_pair(r, 0);
}

static int read_all(struct reader *r)
{
        while (skip_lines(r) == 0) {
                if (peek(r) < 0)
                        return 0;
                if (read_line(r) < 0 || end_line(r) < 0)
                        return -1;
        }
        return -1;
}

int toml_read(const char *text, size_t n, int (*entry)(void *context, const struct toml_entry *e, struct cor_err *err),
              void *context, struct cor_err *err)
{
        struct cor_err problem = { 0 };
        struct reader r = {
                .s = text, .end = text + n, .line = 1, .entry = entry, .context = context, .err = &problem
        };
        int result;

        if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                r.s += 3;
        result = read_all(&r);
        cor_strv_done(&r.path);
        cor_strv_done(&r.seen);
        if (result == 0)
                return 0;
        cor_wrap(&problem, "line %u", r.line);
        if (err)
                *err = problem;
        return -1;
}
