/* Go's package fmt, as far as templates reach it: %v, and Sprintf() with its verbs, flags and complaints. */
#include "cli/rune.h"
#include "cli/value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH_MAX = 1000000, PRECISION_NONE = -1, EXPONENT_MAX = 6 };

/* One verb of a format: "%-8.3f" */
struct verb {
        uint32_t letter;
        bool minus, plus, sharp, space, zero;
        int width, precision; /* width 0: none */
};

struct printer {
        const char *p, *end;
        const struct value *const *args;
        size_t n_args, next, limit;
        bool reordered, bad_index;
        struct cor_text *out;
};

/* ---- padding ---- */

static void pad(const struct verb *v, const char *s, size_t n, struct cor_text *out)
{
        size_t width = rune_count(s, n),
               missing = v->width > 0 && (size_t)v->width > width ? (size_t)v->width - width : 0;

        if (v->minus)
                cor_text_add_n(out, s, n);
        for (; missing > 0; missing--)
                cor_text_add_c(out, v->zero && !v->minus ? '0' : ' ');
        if (!v->minus)
                cor_text_add_n(out, s, n);
}

/* @sign in front of the zeros that fill a number up */
static void pad_number(const struct verb *v, const char *sign, const char *digits, bool zeros, struct cor_text *out)
{
        struct verb rest = *v;
        auto_text t = COR_TEXT_INIT;

        cor_text_add(&t, sign);
        if (v->zero && !v->minus && zeros)
                for (size_t n = strlen(sign) + strlen(digits); (size_t)v->width > n && v->width > 0; n++)
                        cor_text_add_c(&t, '0');
        cor_text_add(&t, digits);
        rest.zero = false;
        pad(&rest, t.s ? t.s : "", t.len, out);
}

/* ---- numbers ---- */

static void to_base(uint64_t u, unsigned base, bool capital, int least, struct cor_text *out)
{
        static const char small[] = "0123456789abcdef", large[] = "0123456789ABCDEF";
        char buf[65], *p = buf + sizeof buf - 1;

        *p = '\0';
        do
                *--p = (capital ? large : small)[u % base];
        while ((u /= base) > 0);
        for (int n = (int)strlen(p); n < least; n++)
                cor_text_add_c(out, '0');
        cor_text_add(out, p);
}

static void print_integer(const struct verb *v, int64_t i, struct cor_text *out)
{
        uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
        unsigned base = v->letter == 'b'                       ? 2
                        : v->letter == 'o' || v->letter == 'O' ? 8
                        : (v->letter | 32) == 'x'              ? 16
                                                               : 10;
        auto_text digits = COR_TEXT_INIT;
        const char *sign = i < 0 ? "-" : v->plus ? "+" : v->space ? " " : "";

        if (v->letter == 'O')
                cor_text_add(&digits, "0o");
        if (v->sharp && base != 10)
                cor_text_add(&digits, base == 2 ? "0b" : base == 8 ? "0" : v->letter == 'X' ? "0X" : "0x");
        if (v->precision != 0 || u != 0)
                to_base(u, base, v->letter == 'X', v->precision, &digits);
        pad_number(v, sign, digits.s ? digits.s : "", v->precision == PRECISION_NONE, out);
}

/* "1e+06": the exponent has two digits at least */
static void shortest(double d, char *buf, size_t size, int *ret_exponent)
{
        for (int digits = 0; digits <= 16; digits++) {
                snprintf(buf, size, "%.*e", digits, d);
                if (strtod(buf, NULL) == d)
                        break;
        }
        *ret_exponent = atoi(strchr(buf, 'e') + 1);
}

/* %v and %g without a precision: as short as reads back the same */
static void add_shortest(double d, bool capital, struct cor_text *out)
{
        char buf[400];
        int exponent;

        shortest(d, buf, sizeof buf, &exponent);
        if (exponent >= -4 && exponent < EXPONENT_MAX) {
                size_t digits = strcspn(buf, "e") - (strchr(buf, '.') ? 1 : 0);
                int behind = (int)digits - 1 - exponent;

                snprintf(buf, sizeof buf, "%.*f", behind > 0 ? behind : 0, d);
        } else if (capital) {
                *strchr(buf, 'e') = 'E';
        }
        cor_text_add(out, buf);
}

static void add_precise(uint32_t letter, int precision, double d, struct cor_text *out)
{
        if (precision == PRECISION_NONE)
                precision = 6;
        if (letter == 'e' || letter == 'E')
                cor_text_printf(out, letter == 'e' ? "%.*e" : "%.*E", precision, d);
        else if (letter == 'f' || letter == 'F')
                cor_text_printf(out, "%.*f", precision, d);
        else
                cor_text_printf(out, letter == 'G' ? "%.*G" : "%.*g", precision, d);
}

/* "0x1.cp+01": two digits of exponent at least, where C has one */
static void add_hexadecimal(uint32_t letter, int precision, double d, struct cor_text *out)
{
        auto_text t = COR_TEXT_INIT;
        char *exponent;

        if (precision == PRECISION_NONE)
                cor_text_printf(&t, letter == 'x' ? "%a" : "%A", d);
        else
                cor_text_printf(&t, letter == 'x' ? "%.*a" : "%.*A", precision, d);
        exponent = strpbrk(t.s, "pP") + 2;
        cor_text_add_n(out, t.s, (size_t)(exponent - t.s));
        cor_text_printf(out, "%s%s", exponent[1] ? "" : "0", exponent);
}

static void print_float(const struct verb *v, double d, struct cor_text *out)
{
        bool general = v->letter == 'v' || v->letter == 'g' || v->letter == 'G';
        auto_text digits = COR_TEXT_INIT;

        if (!isfinite(d))
                cor_text_add(&digits, isnan(d) ? "NaN" : "Inf");
        else if (general && v->precision == PRECISION_NONE)
                add_shortest(fabs(d), v->letter == 'G', &digits);
        else if (v->letter == 'x' || v->letter == 'X')
                add_hexadecimal(v->letter, v->precision, fabs(d), &digits);
        else
                add_precise(v->letter, v->precision, fabs(d), &digits);
        pad_number(v, signbit(d) && !isnan(d) ? "-" : v->plus ? "+" : v->space ? " " : "", digits.s, isfinite(d), out);
}

/* ---- texts ---- */

static void add_hex(const struct verb *v, const struct value *x, struct cor_text *out)
{
        auto_text t = COR_TEXT_INIT;
        size_t n = v->precision != PRECISION_NONE && (size_t)v->precision < x->n ? (size_t)v->precision : x->n;

        if (v->sharp && n > 0 && !v->space)
                cor_text_add(&t, v->letter == 'X' ? "0X" : "0x");
        for (size_t i = 0; i < n; i++) {
                if (v->space && i > 0)
                        cor_text_add_c(&t, ' ');
                if (v->space && v->sharp)
                        cor_text_add(&t, v->letter == 'X' ? "0X" : "0x");
                cor_text_printf(&t, v->letter == 'X' ? "%02X" : "%02x", (uint8_t)x->text[i]);
        }
        pad(v, t.s ? t.s : "", t.len, out);
}

/* The first @n code points */
static size_t cut(const char *s, size_t n, int precision)
{
        uint32_t rune;
        size_t i = 0;

        if (precision == PRECISION_NONE)
                return n;
        for (int count = 0; i < n && count < precision; count++)
                i += rune_next(s + i, n - i, &rune);
        return i;
}

static void print_text(const struct verb *v, const struct value *x, struct cor_text *out)
{
        size_t n = cut(x->text, x->n, v->precision);
        auto_text t = COR_TEXT_INIT;

        if (v->letter == 'q' || (v->letter == 'v' && v->sharp)) {
                if (v->letter == 'q' && v->sharp && !memchr(x->text, '`', n) && !memchr(x->text, '\n', n))
                        cor_text_printf(&t, "`%.*s`", (int)n, x->text);
                else
                        rune_quote(x->text, n, v->letter == 'q' && v->plus, &t);
                pad(v, t.s, t.len, out);
        } else if (v->letter == 'x' || v->letter == 'X') {
                add_hex(v, x, out);
        } else {
                pad(v, x->text, n, out);
        }
}

static void print_rune(const struct verb *v, int64_t i, struct cor_text *out)
{
        uint32_t rune = i >= 0 && i <= RUNE_MAX ? (uint32_t)i : RUNE_ERROR;
        auto_text one = COR_TEXT_INIT, t = COR_TEXT_INIT;

        rune_add(&one, rune);
        if (v->letter == 'c') {
                cor_text_add_n(&t, one.s, one.len);
        } else if (v->letter == 'U') {
                cor_text_printf(&t, "U+%04llX", (unsigned long long)i);
                if (v->sharp && rune_is_printable(rune))
                        cor_text_printf(&t, " '%s'", one.s);
        } else { /* a quoted character: single quotes need the backslash, double ones do not */
                auto_text q = COR_TEXT_INIT;

                rune_quote(one.s, one.len, v->plus, &q);
                q.s[0] = q.s[q.len - 1] = '\'';
                if (rune == '"')
                        cor_text_add(&t, "'\"'");
                else if (rune == '\'')
                        cor_text_add(&t, "'\\''");
                else
                        cor_text_add_n(&t, q.s, q.len);
        }
        pad(v, t.s, t.len, out);
}

/* "1h0m5s", "1.5s", "300ms": nanoseconds as Go shows a time.Duration */
static void print_duration(const struct verb *v, int64_t ns, struct cor_text *out)
{
        static const struct {
                char name[4];
                uint32_t ns;
        } units[] = { { "ns", 1 }, { "µs", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
        uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns, minutes = u / 60000000000;
        auto_text t = COR_TEXT_INIT;
        size_t i = 0;

        while (i + 1 < COR_COUNT(units) && u >= units[i + 1].ns)
                i++;
        if (ns < 0)
                cor_text_add_c(&t, '-');
        if (minutes >= 60)
                cor_text_printf(&t, "%lluh", (unsigned long long)minutes / 60);
        if (minutes > 0)
                cor_text_printf(&t, "%llum", (unsigned long long)minutes % 60);
        u %= 60000000000;
        cor_text_printf(&t, "%llu", (unsigned long long)u / units[i].ns);
        if (u % units[i].ns) {
                char digits[10]; /* what follows the point, without zeros at the end */
                int n = snprintf(digits, sizeof digits, "%09llu",
                                 (unsigned long long)(u % units[i].ns * (1000000000 / units[i].ns)));

                while (n > 0 && digits[n - 1] == '0')
                        n--;
                cor_text_printf(&t, ".%.*s", n, digits);
        }
        cor_text_add(&t, ns == 0 ? "s" : units[i].name);
        pad(v, t.s, t.len, out);
}

/* ---- any value ---- */

static void print_value(const struct verb *v, const struct value *x, unsigned depth, struct cor_text *out);

static const char *verbs_of(const struct value *x)
{
        switch (x->kind) {
        case VALUE_BOOL:
                return "tv";
        case VALUE_INT:
                return "vdboOxXcqU";
        case VALUE_FLOAT:
                return "veEfFgGxX";
        case VALUE_STRING:
        case VALUE_NUMBER:
                return "vsxXq";
        default:
                return "v";
        }
}

static void print_bad(const struct verb *v, const struct value *x, struct cor_text *out)
{
        const struct verb plain = { .letter = 'v', .precision = PRECISION_NONE };

        cor_text_add(out, "%!");
        rune_add(out, v->letter);
        cor_text_add_c(out, '(');
        if (x->kind == VALUE_NONE || x->kind == VALUE_NIL) {
                cor_text_add(out, "<nil>");
        } else {
                cor_text_printf(out, "%s=", value_type_name(x));
                print_value(&plain, x, 0, out);
        }
        cor_text_add_c(out, ')');
}

static void print_member(const struct verb *v, const struct value *around, size_t i, unsigned depth,
                         struct cor_text *out)
{
        const struct value_member *m = &around->members[i];
        const struct value name = { .kind = VALUE_STRING, .text = m->name, .n = strlen(m->name) };

        if (around->kind == VALUE_MAP) {
                print_value(v, &name, depth, out);
                cor_text_add_c(out, ':');
        } else if (v->letter == 'v' && (v->plus || v->sharp)) {
                cor_text_printf(out, "%s:", m->name);
        }
        print_value(v, m->value, depth, out);
}

static void print_members(const struct verb *v, const struct value *x, unsigned depth, struct cor_text *out)
{
        bool source = v->sharp && v->letter == 'v';

        cor_text_add(out, source ? value_type_name(x) : x->kind == VALUE_MAP ? "map" : "");
        cor_text_add_c(out, source || x->kind == VALUE_STRUCT ? '{' : '[');
        for (size_t i = 0; i < x->n; i++) {
                if (i > 0)
                        cor_text_add(out, source ? ", " : " ");
                print_member(v, x, i, depth, out);
        }
        cor_text_add_c(out, source || x->kind == VALUE_STRUCT ? '}' : ']');
}

static void print_list(const struct verb *v, const struct value *x, unsigned depth, struct cor_text *out)
{
        bool source = v->sharp && v->letter == 'v';

        if (source)
                cor_text_add(out, value_type_name(x));
        cor_text_add_c(out, source ? '{' : '[');
        for (size_t i = 0; i < x->n; i++) {
                if (i > 0)
                        cor_text_add(out, source ? ", " : " ");
                print_value(v, x->items[i], depth, out);
        }
        cor_text_add_c(out, source ? '}' : ']');
}

static void print_nil(const struct verb *v, const struct value *x, unsigned depth, struct cor_text *out)
{
        static const char nil[] = "<nil>", source[] = "interface {}(nil)";
        bool as_source = v->sharp && depth > 0;

        if (v->letter != 'v' && depth == 0)
                print_bad(v, x, out);
        else
                pad(v, as_source ? source : nil, strlen(as_source ? source : nil), out);
}

static void print_scalar(const struct verb *v, const struct value *x, struct cor_text *out)
{
        if (x->kind == VALUE_INT && cor_streq(x->type, VALUE_DURATION) && (v->letter == 'v' || v->letter == 's'))
                print_duration(v, x->integer, out);
        else if (v->letter >= 0x80 || !strchr(verbs_of(x), (char)v->letter))
                print_bad(v, x, out);
        else if (x->kind == VALUE_BOOL)
                pad(v, x->boolean ? "true" : "false", x->boolean ? 4 : 5, out);
        else if (x->kind == VALUE_FLOAT)
                print_float(v, x->real, out);
        else if (x->kind != VALUE_INT)
                print_text(v, x, out);
        else if (v->letter == 'c' || v->letter == 'q' || v->letter == 'U')
                print_rune(v, x->integer, out);
        else
                print_integer(v, x->integer, out);
}

/* Of lists, maps and structs each element gets the verb. */
static void print_value(const struct verb *v, const struct value *x, unsigned depth, struct cor_text *out)
{
        if (x->kind == VALUE_NONE || x->kind == VALUE_NIL)
                print_nil(v, x, depth, out);
        else if (x->kind == VALUE_LIST)
                print_list(v, x, depth + 1, out);
        else if (x->kind == VALUE_MAP || x->kind == VALUE_STRUCT)
                print_members(v, x, depth + 1, out);
        else
                print_scalar(v, x, out);
}

void value_print(const struct value *v, struct cor_text *out)
{
        const struct verb plain = { .letter = 'v', .precision = PRECISION_NONE };

        print_value(&plain, v, 0, out);
}

/* ---- Sprintf ---- */

/* "[2]": which argument comes next, from 1 on */
static void read_index(struct printer *f)
{
        size_t n = 0;
        const char *p = f->p + 1;

        if (f->p == f->end || *f->p != '[')
                return;
        f->reordered = true;
        for (; p < f->end && isdigit((unsigned char)*p) && n <= WIDTH_MAX; p++)
                n = 10 * n + (size_t)(*p - '0');
        if (p < f->end && *p == ']' && p > f->p + 1 && n >= 1 && n <= f->n_args) {
                f->next = n - 1;
                f->p = p + 1;
                return;
        }
        f->bad_index = true;
        p = memchr(f->p, ']', (size_t)(f->end - f->p));
        f->p = p ? p + 1 : f->p + 1;
}

/* A number, or an asterisk for the next argument: @none if there is neither */
static int read_number(struct printer *f, int none, const char *complaint)
{
        int n = none;

        read_index(f);
        if (f->p < f->end && *f->p == '*') {
                const struct value *a = f->next < f->n_args ? f->args[f->next++] : NULL;

                f->p++;
                if (a && a->kind == VALUE_INT && a->integer >= -WIDTH_MAX && a->integer <= WIDTH_MAX)
                        return (int)a->integer;
                cor_text_add(f->out, complaint);
                return none;
        }
        for (int digits = 0; f->p < f->end && isdigit((unsigned char)*f->p); f->p++) {
                n = digits++ == 0 ? 0 : n;
                n = n > WIDTH_MAX ? n : 10 * n + (*f->p - '0');
        }
        return n > WIDTH_MAX ? none : n;
}

static void read_flags(struct printer *f, struct verb *v)
{
        for (; f->p < f->end; f->p++) {
                if (*f->p == '-')
                        v->minus = true;
                else if (*f->p == '+')
                        v->plus = true;
                else if (*f->p == '#')
                        v->sharp = true;
                else if (*f->p == ' ')
                        v->space = true;
                else if (*f->p == '0')
                        v->zero = true;
                else
                        return;
        }
}

static void read_verb(struct printer *f, struct verb *v)
{
        read_flags(f, v);
        v->width = read_number(f, 0, "%!(BADWIDTH)");
        if (v->width < 0) {
                v->width = -v->width;
                v->minus = true;
        }
        if (f->p < f->end && *f->p == '.') {
                f->p++;
                v->precision = read_number(f, 0, "%!(BADPREC)");
                if (v->precision < 0)
                        v->precision = PRECISION_NONE;
        }
        read_index(f);
}

static void do_verb(struct printer *f)
{
        struct verb v = { .precision = PRECISION_NONE };

        f->bad_index = false;
        read_verb(f, &v);
        if (f->p == f->end) {
                cor_text_add(f->out, "%!(NOVERB)");
                return;
        }
        f->p += rune_next(f->p, (size_t)(f->end - f->p), &v.letter);
        if (v.letter == '%') {
                cor_text_add_c(f->out, '%');
        } else if (f->bad_index || f->next >= f->n_args) {
                cor_text_add(f->out, "%!");
                rune_add(f->out, v.letter);
                cor_text_add(f->out, f->bad_index ? "(BADINDEX)" : "(MISSING)");
        } else if (v.letter == 'T') {
                const char *type = value_type_name(f->args[f->next]);

                if (f->args[f->next++]->kind <= VALUE_NIL)
                        type = "<nil>";
                pad(&v, type, strlen(type), f->out);
        } else {
                print_value(&v, f->args[f->next++], 0, f->out);
        }
}

static void add_extra(struct printer *f)
{
        cor_text_add(f->out, "%!(EXTRA ");
        for (size_t i = f->next; i < f->n_args && f->out->len <= f->limit; i++) {
                if (i > f->next)
                        cor_text_add(f->out, ", ");
                if (f->args[i]->kind > VALUE_NIL)
                        cor_text_printf(f->out, "%s=", value_type_name(f->args[i]));
                value_print(f->args[i], f->out);
        }
        cor_text_add_c(f->out, ')');
}

void value_printf(const char *format, const struct value *const *args, size_t n_args, size_t limit,
                  struct cor_text *out)
{
        struct printer f = {
                .p = format, .end = format + strlen(format), .args = args, .n_args = n_args, .limit = limit, .out = out
        };

        while (f.p < f.end && out->len <= limit) {
                size_t n = strcspn(f.p, "%");

                cor_text_add_n(out, f.p, n);
                f.p += n;
                if (f.p == f.end)
                        break;
                f.p++;
                do_verb(&f);
        }
        if (!f.reordered && f.next < n_args && out->len <= limit)
                add_extra(&f);
}
