/* Numbers and quoted texts, as Go writes them. */
#include "cli/rune.h"
#include "cli/template_parser.h"

#include <math.h>
#include <string.h>

static int hex_value(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* @digits of @base at @s; -1 if they are not all there */
static int64_t read_code(const char *s, size_t n, size_t digits, int base)
{
        int64_t code = 0;

        if (n < digits)
                return -1;
        for (size_t i = 0; i < digits; i++) {
                int d = hex_value(s[i]);

                if (d < 0 || d >= base)
                        return -1;
                code = code * base + d;
        }
        return code;
}

/* What follows a backslash at @s: appended to @out; its length, or 0 if it means nothing */
static size_t unescape(const char *s, size_t n, char quote, struct cor_text *out)
{
        static const char letters[] = "abfnrtv\\", meanings[] = "\a\b\f\n\r\t\v\\";
        const char *letter = n > 0 && s[0] ? strchr(letters, s[0]) : NULL;
        size_t digits = n == 0 ? 0 : s[0] == 'x' ? 2 : s[0] == 'u' ? 4 : s[0] == 'U' ? 8 : 0;
        int64_t code;

        if (letter || (n > 0 && s[0] == quote)) {
                cor_text_add_c(out, letter ? meanings[letter - letters] : quote);
                return 1;
        }
        if (digits > 0)
                code = read_code(s + 1, n - 1, digits, 16);
        else
                code = read_code(s, n, 3, 8);
        if (code < 0 || (digits <= 2 && code > 255) || code > RUNE_MAX ||
            (digits > 2 && code >= 0xd800 && code < 0xe000))
                return 0;
        if (digits > 2 || (quote == '\'' && code >= 0x80))
                rune_add(out, (uint32_t)code);
        else
                cor_text_add_c(out, (char)code);
        return digits > 0 ? digits + 1 : 3;
}

/* A quoted text without its quotes: false if it is not one */
static bool unquote(const struct token *t, struct cor_text *out)
{
        const char *s = t->text + 1;
        size_t n = t->n - 2;

        if (t->type == TOKEN_RAW_STRING) {
                for (size_t i = 0; i < n; i++)
                        if (s[i] != '\r')
                                cor_text_add_c(out, s[i]);
                return true;
        }
        for (size_t i = 0, len; i < n; i += len) {
                if (s[i] != '\\') {
                        cor_text_add_c(out, s[i]);
                        len = 1;
                        continue;
                }
                len = unescape(s + i + 1, n - i - 1, t->text[0], out);
                if (len++ == 0)
                        return false;
        }
        return true;
}

static struct node *parse_string(struct parser *p, const struct token *t)
{
        struct node *n = parser_node(p, NODE_STRING, t);
        auto_text s = COR_TEXT_INIT;

        if (!unquote(t, &s))
                return parser_fail(p, "invalid syntax");
        n->constant = value_string_n(p->t->pool, s.s, s.len);
        return n;
}

static struct node *parse_char(struct parser *p, const struct token *t)
{
        struct node *n = parser_node(p, NODE_NUMBER, t);
        auto_text s = COR_TEXT_INIT;
        uint32_t rune = 0;
        struct value *v;

        if (!unquote(t, &s) || s.len == 0)
                return parser_fail(p, "invalid syntax");
        if (rune_next(s.s, s.len, &rune) != s.len)
                return parser_fail(p, "malformed character constant: %.*s", (int)t->n, t->text);
        v = value_int(p->t->pool, rune);
        v->type = "int";
        n->constant = v;
        return n;
}

/* 0x1f, 0o17, 017, 0b11, 1_000: true, or false if it is not a whole number; *@ret_over: it is one that does not fit */
static bool read_integer(const char *s, int64_t *ret, bool *ret_over)
{
        bool minus = *s == '-';
        unsigned base = 10;
        uint64_t u = 0;

        s += *s == '-' || *s == '+';
        if (*s == '0' && s[1]) {
                char c = (char)(s[1] | 0x20);

                base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
                s += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
        }
        if (!*s)
                return false;
        *ret_over = false;
        for (; *s; s++) {
                int d = hex_value(*s);

                if (*s == '_' && s[1] != '_' && s[1])
                        continue;
                if (d < 0 || (unsigned)d >= base)
                        return false;
                *ret_over |= __builtin_mul_overflow(u, base, &u) || __builtin_add_overflow(u, (unsigned)d, &u);
        }
        *ret_over |= u > (uint64_t)INT64_MAX + minus;
        *ret = minus ? (int64_t)(0 - u) : (int64_t)u;
        return true;
}

static struct node *parse_number(struct parser *p, const struct token *t)
{
        struct node *n = parser_node(p, NODE_NUMBER, t);
        const char *text = parser_copy(p, t->text, t->n);
        bool over = false;
        struct value *v;
        char *end;
        double d;
        int64_t i;

        if (read_integer(text, &i, &over)) {
                if (over)
                        return parser_fail(p, "integer overflow: \"%s\"", text);
                v = value_int(p->t->pool, i);
                v->type = "int";
        } else {
                d = strtod(text, &end);
                if (!*end && !strpbrk(text, ".eEpP_"))
                        return parser_fail(p, "integer overflow: \"%s\"", text);
                if (*end || !isfinite(d))
                        return parser_fail(p, "illegal number syntax: \"%s\"", text);
                v = value_float(p->t->pool, d);
        }
        n->constant = v;
        return n;
}

struct node *parser_constant(struct parser *p, const struct token *t)
{
        struct node *n;

        if (t->type == TOKEN_NUMBER)
                return parse_number(p, t);
        if (t->type == TOKEN_CHAR_CONSTANT)
                return parse_char(p, t);
        if (t->type != TOKEN_BOOL)
                return parse_string(p, t);
        n = parser_node(p, NODE_BOOL, t);
        n->constant = value_bool(t->text[0] == 't');
        return n;
}
