#include "cli/template_parser.h"

#include "cli/rune.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- words ---- */

struct token parser_next(struct parser *p)
{
        if (p->n_peeked > 0)
                p->n_peeked--;
        else
                p->token[0] = lexer_next(&p->lexer);
        return p->token[p->n_peeked];
}

void parser_back(struct parser *p)
{
        p->n_peeked++;
}

/* The last word was token[0]; @one was before it. */
void parser_back_two(struct parser *p, struct token one)
{
        p->token[1] = one;
        p->n_peeked = 2;
}

void parser_back_three(struct parser *p, struct token two, struct token one)
{
        p->token[1] = one;
        p->token[2] = two;
        p->n_peeked = 3;
}

struct token parser_peek(struct parser *p)
{
        if (p->n_peeked > 0)
                return p->token[p->n_peeked - 1];
        p->n_peeked = 1;
        p->token[0] = lexer_next(&p->lexer);
        return p->token[0];
}

struct token parser_next_word(struct parser *p)
{
        struct token t;

        do
                t = parser_next(p);
        while (t.type == TOKEN_SPACE);
        return t;
}

struct token parser_peek_word(struct parser *p)
{
        struct token t = parser_next_word(p);

        parser_back(p);
        return t;
}

/* ---- errors ---- */

void *COR_PRINTF(2, 3) parser_fail(struct parser *p, const char *fmt, ...)
{
        auto_str said = NULL;
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&said, fmt, ap) < 0)
                said = NULL;
        va_end(ap);
        cor_fail(p->err, COR_INVALID, "template: :%u: %s", p->token[0].line, said ? said : "");
        return NULL;
}

static void show_token(const struct token *t, struct cor_text *out)
{
        size_t n = t->n;
        uint32_t rune;

        if (t->type == TOKEN_END_OF_TEXT) {
                cor_text_add(out, "EOF");
        } else if (t->type == TOKEN_ERROR) {
                cor_text_add_n(out, t->text, t->n);
        } else if (t->type > TOKEN_KEYWORD) {
                cor_text_printf(out, "<%.*s>", (int)t->n, t->text);
        } else {
                if (t->n > 10) { /* ten code points, and dots */
                        n = 0;
                        for (int i = 0; i < 10 && n < t->n; i++)
                                n += rune_next(t->text + n, t->n - n, &rune);
                }
                rune_quote(t->text, n, false, out);
                cor_text_add(out, t->n > 10 ? "..." : "");
        }
}

void *parser_unexpected(struct parser *p, struct token t, const char *context)
{
        auto_text shown = COR_TEXT_INIT;

        show_token(&t, &shown);
        if (t.type != TOKEN_ERROR)
                return parser_fail(p, "unexpected %s in %s", shown.s, context);
        if (p->action_line != 0 && p->action_line != t.line)
                cor_text_printf(&shown, "%s started at :%u", cor_ends_with(shown.s, " action") ? "" : " in action",
                                p->action_line);
        return parser_fail(p, "%s", shown.s);
}

/* ---- nodes ---- */

struct node *parser_node(struct parser *p, enum node_type type, const struct token *t)
{
        struct node *n = value_pool_take(p->t->pool, sizeof *n);

        n->type = type;
        n->pos = t->pos;
        n->line = t->line;
        n->text = t->text;
        n->n = t->n;
        return n;
}

/* One more at the end of a list that lies in the pool */
void parser_add(struct parser *p, void *items, size_t *n, void *item)
{
        void ***list = items;

        if ((*n & (*n - 1)) == 0) {
                void **larger = value_pool_take(p->t->pool, (*n ? 2 * *n : 1) * sizeof *larger);

                if (*n > 0)
                        memcpy(larger, *list, *n * sizeof *larger);
                *list = larger;
        }
        (*list)[(*n)++] = item;
}

char *parser_copy(struct parser *p, const char *s, size_t n)
{
        char *c = value_pool_take(p->t->pool, n + 1);

        memcpy(c, s, n);
        return c;
}
