#include "cli/template_lex.h"

#include "cli/rune.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
        char word[9];
        uint8_t type;
} keywords[] = {
        { "block", TOKEN_BLOCK },
        { "break", TOKEN_BREAK },
        { "continue", TOKEN_CONTINUE },
        { "define", TOKEN_DEFINE },
        { "else", TOKEN_ELSE },
        { "end", TOKEN_END },
        { "if", TOKEN_IF },
        { "nil", TOKEN_NIL },
        { "range", TOKEN_RANGE },
        { "template", TOKEN_TEMPLATE },
        { "with", TOKEN_WITH },
};

void lexer_init(struct lexer *l, const char *text, size_t len)
{
        *l = (struct lexer){ .text = text, .len = len, .line = 1, .start_line = 1 };
}

static int at(const struct lexer *l, size_t offset)
{
        return l->pos + offset < l->len ? (uint8_t)l->text[l->pos + offset] : -1;
}

static bool is_space(int c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool starts(const struct lexer *l, size_t offset, const char *what)
{
        size_t n = strlen(what);

        return l->len - l->pos >= offset + n && memcmp(l->text + l->pos + offset, what, n) == 0;
}

static void count_lines(struct lexer *l, size_t from, size_t to)
{
        for (size_t i = from; i < to; i++)
                if (l->text[i] == '\n')
                        l->line++;
}

/* What was read since the last word; the next one begins here. */
static struct token emit(struct lexer *l, enum token_type type)
{
        struct token t = {
                .type = type, .pos = l->start, .line = l->start_line, .text = l->text + l->start, .n = l->pos - l->start
        };

        count_lines(l, l->start, l->pos);
        l->start = l->pos;
        l->start_line = l->line;
        return t;
}

static void skip(struct lexer *l)
{
        (void)emit(l, TOKEN_TEXT);
}

static struct token COR_PRINTF(2, 3) fail(struct lexer *l, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(l->message, sizeof l->message, fmt, ap);
        va_end(ap);
        l->ended = true;
        return (struct token){
                .type = TOKEN_ERROR, .pos = l->start, .line = l->start_line, .text = l->message, .n = strlen(l->message)
        };
}

/* "U+0040 '@'" */
static struct token fail_rune(struct lexer *l, const char *what)
{
        auto_text shown = COR_TEXT_INIT;
        uint32_t rune = 0;

        if (l->pos < l->len)
                rune_next(l->text + l->pos, l->len - l->pos, &rune);
        cor_text_printf(&shown, "U+%04X", rune);
        if (rune_is_printable(rune)) {
                cor_text_add(&shown, " '");
                rune_add(&shown, rune);
                cor_text_add_c(&shown, '\'');
        }
        return fail(l, "%s %s", what, shown.s);
}

/* ---- outside of actions ---- */

static bool trims_left(const struct lexer *l, size_t offset)
{
        return at(l, offset) == '-' && is_space(at(l, offset + 1));
}

/* How long the end of an action is here, with the space and the dash that trim what follows; 0: it is none */
static size_t right_delimiter(const struct lexer *l, bool *ret_trim)
{
        *ret_trim = is_space(at(l, 0)) && at(l, 1) == '-' && starts(l, 2, "}}");
        return *ret_trim ? 4 : starts(l, 0, "}}") ? 2 : 0;
}

static void skip_spaces(struct lexer *l)
{
        while (is_space(at(l, 0)))
                l->pos++;
        skip(l);
}

/* Text up to the next action; what its dash trims is left out. */
static struct token lex_text(struct lexer *l)
{
        const char *next = memmem(l->text + l->pos, l->len - l->pos, "{{", 2);
        size_t end = next ? (size_t)(next - l->text) : l->len, kept;
        struct token t;

        l->pos = end;
        kept = end;
        if (next && trims_left(l, 2))
                while (kept > l->start && is_space(l->text[kept - 1]))
                        kept--;
        t = emit(l, TOKEN_TEXT);
        t.n = kept - t.pos;
        return t;
}

/* "/" and "*" and what follows them, to the end of the action; 0, or an error in *@ret */
static int lex_comment(struct lexer *l, struct token *ret)
{
        const char *end = memmem(l->text + l->pos + 2, l->len - l->pos - 2, "*/", 2);
        size_t n;
        bool trim;

        if (!end) {
                *ret = fail(l, "unclosed comment");
                return -1;
        }
        l->pos = (size_t)(end - l->text) + 2;
        n = right_delimiter(l, &trim);
        if (n == 0) {
                *ret = fail(l, "comment ends before closing delimiter");
                return -1;
        }
        l->pos += n;
        skip(l);
        if (trim)
                skip_spaces(l);
        return 0;
}

/* At "{{". A comment is no word: 0, and the text behind it is next. 1: *@ret. */
static int lex_left(struct lexer *l, struct token *ret)
{
        size_t marker = trims_left(l, 2) ? 2 : 0;

        if (starts(l, 2 + marker, "/*")) {
                l->pos += 2 + marker;
                skip(l);
                return lex_comment(l, ret) < 0 ? 1 : 0;
        }
        l->pos += 2;
        *ret = emit(l, TOKEN_LEFT);
        l->pos += marker;
        skip(l);
        l->inside = true;
        l->parens = 0;
        return 1;
}

/* ---- in actions ---- */

static bool at_terminator(const struct lexer *l)
{
        int c = at(l, 0);

        return c < 0 || is_space(c) || strchr(".,|:)(", c) || starts(l, 0, "}}");
}

static void skip_letters(struct lexer *l)
{
        uint32_t rune;
        size_t n;

        while (l->pos < l->len) {
                n = rune_next(l->text + l->pos, l->len - l->pos, &rune);
                if (!rune_is_letter(rune))
                        break;
                l->pos += n;
        }
}

/* A space that begins the end of the action belongs to that. */
static struct token lex_space(struct lexer *l)
{
        while (is_space(at(l, 0))) {
                bool trim;

                if (right_delimiter(l, &trim) > 0)
                        break;
                l->pos++;
        }
        return emit(l, TOKEN_SPACE);
}

static struct token lex_name(struct lexer *l, enum token_type type, enum token_type alone)
{
        l->pos++;
        if (at_terminator(l))
                return emit(l, alone);
        skip_letters(l);
        return at_terminator(l) ? emit(l, type) : fail_rune(l, "bad character");
}

static struct token lex_identifier(struct lexer *l)
{
        const char *s = l->text + l->start;
        size_t n;

        skip_letters(l);
        if (!at_terminator(l))
                return fail_rune(l, "bad character");
        n = l->pos - l->start;
        for (size_t i = 0; i < COR_COUNT(keywords); i++)
                if (strlen(keywords[i].word) == n && memcmp(keywords[i].word, s, n) == 0)
                        return emit(l, (enum token_type)keywords[i].type);
        if ((n == 4 && memcmp(s, "true", 4) == 0) || (n == 5 && memcmp(s, "false", 5) == 0))
                return emit(l, TOKEN_BOOL);
        return emit(l, TOKEN_IDENTIFIER);
}

static void accept_run(struct lexer *l, const char *set)
{
        while (at(l, 0) > 0 && strchr(set, at(l, 0)))
                l->pos++;
}

static bool accept(struct lexer *l, const char *set)
{
        bool fits = at(l, 0) > 0 && strchr(set, at(l, 0));

        l->pos += fits;
        return fits;
}

/* Decimal, or in another base by its prefix, with a fraction and an exponent; what it is worth the parser says. */
static struct token lex_number(struct lexer *l)
{
        const char *digits = "0123456789_";
        uint32_t rune = 0;

        accept(l, "+-");
        if (accept(l, "0")) {
                if (accept(l, "xX"))
                        digits = "0123456789abcdefABCDEF_";
                else if (accept(l, "oO"))
                        digits = "01234567_";
                else if (accept(l, "bB"))
                        digits = "01_";
        }
        accept_run(l, digits);
        if (accept(l, "."))
                accept_run(l, digits);
        if (strlen(digits) == 11 && accept(l, "eE")) {
                accept(l, "+-");
                accept_run(l, "0123456789_");
        }
        if (strlen(digits) == 23 && accept(l, "pP")) {
                accept(l, "+-");
                accept_run(l, "0123456789_");
        }
        if (l->pos < l->len)
                rune_next(l->text + l->pos, l->len - l->pos, &rune);
        if (l->pos < l->len && (rune_is_letter(rune) || rune == '+' || rune == '-')) {
                auto_text shown = COR_TEXT_INIT;

                l->pos++; /* a complex number, or none; there is no use for them here */
                if (rune == '+' || rune == '-')
                        accept_run(l, digits);
                rune_quote(l->text + l->start, l->pos - l->start, false, &shown);
                return fail(l, "bad number syntax: %.60s", shown.s);
        }
        return emit(l, TOKEN_NUMBER);
}

static struct token lex_quoted(struct lexer *l, char quote, enum token_type type, const char *complaint)
{
        for (l->pos++; l->pos < l->len; l->pos++) {
                if (l->text[l->pos] == '\\' && l->pos + 1 < l->len && l->text[l->pos + 1] != '\n') {
                        l->pos++;
                } else if (l->text[l->pos] == '\n' || l->text[l->pos] == '\\') {
                        break;
                } else if (l->text[l->pos] == quote) {
                        l->pos++;
                        return emit(l, type);
                }
        }
        return fail(l, "%s", complaint);
}

static struct token lex_raw(struct lexer *l)
{
        const char *end = memchr(l->text + l->pos + 1, '`', l->len - l->pos - 1);

        if (!end)
                return fail(l, "unterminated raw quoted string");
        l->pos = (size_t)(end - l->text) + 1;
        return emit(l, TOKEN_RAW_STRING);
}

static struct token one(struct lexer *l, enum token_type type)
{
        l->pos++;
        return emit(l, type);
}

static struct token lex_right(struct lexer *l, size_t n, bool trim)
{
        struct token t;

        if (l->parens > 0)
                return fail(l, "unclosed left paren");
        if (trim) { /* the space and the dash are no part of the word */
                l->pos += 2;
                skip(l);
                n -= 2;
        }
        l->pos += n;
        t = emit(l, TOKEN_RIGHT);
        l->inside = false;
        if (trim)
                skip_spaces(l);
        return t;
}

static struct token lex_paren(struct lexer *l, int c)
{
        if (c == '(') {
                l->parens++;
                return one(l, TOKEN_LEFT_PAREN);
        }
        if (l->parens == 0)
                return fail(l, "unexpected right paren");
        l->parens--;
        return one(l, TOKEN_RIGHT_PAREN);
}

static struct token lex_inside(struct lexer *l)
{
        bool trim;
        size_t n = right_delimiter(l, &trim);
        int c = at(l, 0);
        uint32_t rune;

        if (n > 0)
                return lex_right(l, n, trim);
        if (c < 0)
                return fail(l, "unclosed action");
        if (is_space(c))
                return lex_space(l);
        if (c == ':' && at(l, 1) != '=')
                return fail(l, "expected :=");
        if (c == ':') {
                l->pos++;
                return one(l, TOKEN_DECLARE);
        }
        if (c == '=' || c == '|')
                return one(l, c == '=' ? TOKEN_ASSIGN : TOKEN_PIPE);
        if (c == '"')
                return lex_quoted(l, '"', TOKEN_STRING, "unterminated quoted string");
        if (c == '\'')
                return lex_quoted(l, '\'', TOKEN_CHAR_CONSTANT, "unterminated character constant");
        if (c == '`')
                return lex_raw(l);
        if (c == '$')
                return lex_name(l, TOKEN_VARIABLE, TOKEN_VARIABLE);
        if (c == '.' && !(at(l, 1) >= '0' && at(l, 1) <= '9'))
                return lex_name(l, TOKEN_FIELD, TOKEN_DOT);
        if (c == '.' || c == '+' || c == '-' || isdigit(c))
                return lex_number(l);
        if (c == '(' || c == ')')
                return lex_paren(l, c);
        rune_next(l->text + l->pos, l->len - l->pos, &rune);
        if (rune_is_letter(rune))
                return lex_identifier(l);
        return c < 0x80 && isprint(c) ? one(l, TOKEN_CHAR) : fail_rune(l, "unrecognized character in action:");
}

struct token lexer_next(struct lexer *l)
{
        struct token t;

        while (!l->ended) {
                if (l->inside)
                        return lex_inside(l);
                if (starts(l, 0, "{{")) {
                        if (lex_left(l, &t) != 0)
                                return t;
                        continue;
                }
                if (l->pos >= l->len)
                        break;
                t = lex_text(l);
                if (t.n > 0)
                        return t;
        }
        l->start = l->pos;
        return emit(l, TOKEN_END_OF_TEXT);
}
