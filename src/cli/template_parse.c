/* Actions, and the whole template. */
#include "cli/template_parser.h"

#include <string.h>

static struct node *parse_action(struct parser *p);

static struct node *text_or_action(struct parser *p)
{
        struct token t = parser_next_word(p);
        struct node *n;

        if (t.type == TOKEN_TEXT)
                return parser_node(p, NODE_TEXT, &t);
        if (t.type != TOKEN_LEFT)
                return parser_unexpected(p, t, "input");
        p->action_line = t.line;
        n = parse_action(p);
        p->action_line = 0;
        return n;
}

/* Nodes up to {{end}} or {{else}}, which is *@ret_last */
static struct node *parse_list(struct parser *p, struct node **ret_last)
{
        struct token t = parser_peek_word(p);
        struct node *list = parser_node(p, NODE_LIST, &t), *n;

        while (parser_peek_word(p).type != TOKEN_END_OF_TEXT) {
                n = text_or_action(p);
                if (!n)
                        return NULL;
                if (n->type == NODE_END || n->type == NODE_ELSE) {
                        *ret_last = n;
                        return list;
                }
                parser_add(p, &list->items, &list->n_items, n);
        }
        return parser_fail(p, "unexpected EOF");
}

static struct node *expect_right(struct parser *p, struct node *n, const char *context)
{
        struct token t = parser_next_word(p);

        return t.type == TOKEN_RIGHT ? n : parser_unexpected(p, t, context);
}

static struct node *parse_control(struct parser *p, const struct token *t, enum node_type type, const char *context);

/* {{else if …}} and {{else with …}} are an else with one if in it, and share its end. */
static struct node *parse_else(struct parser *p, enum node_type type)
{
        struct token t = parser_peek(p);
        struct node *list, *n;

        if ((type == NODE_IF && t.type == TOKEN_IF) || (type == NODE_WITH && t.type == TOKEN_WITH)) {
                parser_next(p);
                list = parser_node(p, NODE_LIST, &t);
                n = parse_control(p, &t, type, type == NODE_IF ? "if" : "with");
                if (!n)
                        return NULL;
                parser_add(p, &list->items, &list->n_items, n);
                return list;
        }
        list = parse_list(p, &n);
        if (!list)
                return NULL;
        return n->type == NODE_END ? list : parser_fail(p, "expected end; found {{else}}");
}

static struct node *parse_control(struct parser *p, const struct token *t, enum node_type type, const char *context)
{
        struct node *n = parser_node(p, type, t), *last = NULL;
        size_t scope = p->n_variables;

        if (p->depth++ >= TEMPLATE_NESTING_MAX)
                return parser_fail(p, "nested too deeply");
        n->pipe = parser_pipeline(p, context, TOKEN_RIGHT);
        if (!n->pipe)
                return NULL;
        p->ranges += type == NODE_RANGE;
        n->list = parse_list(p, &last);
        p->ranges -= type == NODE_RANGE;
        if (!n->list || !last)
                return NULL;
        if (last->type == NODE_ELSE) {
                n->other = parse_else(p, type);
                if (!n->other)
                        return NULL;
        }
        p->n_variables = scope;
        p->depth--;
        return n;
}

/* "else" may be followed by an if or a with, which its caller reads. */
static struct node *parse_else_word(struct parser *p, const struct token *t)
{
        struct token after = parser_peek_word(p);

        if (after.type == TOKEN_IF || after.type == TOKEN_WITH)
                return parser_node(p, NODE_ELSE, t);
        return expect_right(p, parser_node(p, NODE_ELSE, t), "else");
}

static struct node *parse_jump(struct parser *p, const struct token *t)
{
        const char *context = t->type == TOKEN_BREAK ? "{{break}}" : "{{continue}}";
        struct node *n = parser_node(p, t->type == TOKEN_BREAK ? NODE_BREAK : NODE_CONTINUE, t);

        if (!expect_right(p, n, context))
                return NULL;
        return p->ranges > 0 ? n : parser_fail(p, "%s outside {{range}}", context);
}

/* The quoted name behind template, define and block */
static const char *parse_name(struct parser *p, const char *context)
{
        struct token t = parser_next_word(p);
        struct node *n;

        if (t.type != TOKEN_STRING && t.type != TOKEN_RAW_STRING)
                return parser_unexpected(p, t, context);
        n = parser_constant(p, &t);
        return n ? n->constant->text : NULL;
}

static struct node *parse_template(struct parser *p)
{
        struct token name = parser_peek_word(p);
        struct node *n = parser_node(p, NODE_TEMPLATE, &name);

        n->text = parse_name(p, "template clause");
        if (!n->text)
                return NULL;
        if (parser_next_word(p).type == TOKEN_RIGHT)
                return n;
        parser_back(p);
        n->pipe = parser_pipeline(p, "template clause", TOKEN_RIGHT);
        return n->pipe ? n : NULL;
}

static bool is_empty(const struct node *list)
{
        for (size_t i = 0; i < list->n_items; i++) {
                if (list->items[i]->type != NODE_TEXT)
                        return false;
                for (size_t j = 0; j < list->items[i]->n; j++)
                        if (!strchr(" \t\r\n", list->items[i]->text[j]))
                                return false;
        }
        return true;
}

/* A name stands for one list; an empty one gives way. The template itself, "", comes last. */
static int define(struct parser *p, const char *name, struct node *list)
{
        struct template *t = p->t;

        for (size_t i = 0; i < t->n_named; i++) {
                if (strcmp(t->named[i].name, name) != 0)
                        continue;
                if (is_empty(t->named[i].list)) {
                        t->named[i].list = list;
                } else if (!is_empty(list)) {
                        parser_fail(p, "template: multiple definition of template \"%s\"", name);
                        return -1;
                }
                return 0;
        }
        *COR_GROW(t->named, t->n_named) = (struct template_named){ .name = name, .list = list };
        return 0;
}

/* The body of a define or a block, whose variables are its own */
static int parse_body(struct parser *p, const char *name, const char *context)
{
        const char **variables = p->variables;
        size_t n_variables = p->n_variables, room = p->room_variables;
        unsigned ranges = p->ranges;
        struct node *list, *last = NULL;

        if (p->depth++ >= TEMPLATE_NESTING_MAX) {
                parser_fail(p, "nested too deeply");
                return -1;
        }
        p->variables = NULL;
        p->n_variables = p->room_variables = 0;
        p->ranges = 0;
        parser_declare(p, "$");
        list = parse_list(p, &last);
        free(p->variables);
        p->variables = variables;
        p->n_variables = n_variables;
        p->room_variables = room;
        p->ranges = ranges;
        p->depth--;
        if (list && last && last->type != NODE_END)
                list = parser_fail(p, "unexpected {{else}} in %s", context);
        return list ? define(p, name, list) : -1;
}

static struct node *parse_block(struct parser *p, const struct token *t)
{
        struct node *n = parser_node(p, NODE_TEMPLATE, t);

        n->text = parse_name(p, "block clause");
        if (!n->text)
                return NULL;
        n->pipe = parser_pipeline(p, "block clause", TOKEN_RIGHT);
        return n->pipe && parse_body(p, n->text, "block clause") == 0 ? n : NULL;
}

static struct node *parse_action(struct parser *p)
{
        struct token t = parser_next_word(p);
        struct node *n;

        switch (t.type) {
        case TOKEN_BLOCK:
                return parse_block(p, &t);
        case TOKEN_BREAK:
        case TOKEN_CONTINUE:
                return parse_jump(p, &t);
        case TOKEN_ELSE:
                return parse_else_word(p, &t);
        case TOKEN_END:
                return expect_right(p, parser_node(p, NODE_END, &t), "end");
        case TOKEN_IF:
                return parse_control(p, &t, NODE_IF, "if");
        case TOKEN_RANGE:
                return parse_control(p, &t, NODE_RANGE, "range");
        case TOKEN_WITH:
                return parse_control(p, &t, NODE_WITH, "with");
        case TOKEN_TEMPLATE:
                return parse_template(p);
        default:
                parser_back(p);
                t = parser_peek(p);
                n = parser_node(p, NODE_ACTION, &t);
                n->pipe = parser_pipeline(p, "command", TOKEN_RIGHT);
                return n->pipe ? n : NULL;
        }
}

static int parse_definition(struct parser *p)
{
        const char *name = parse_name(p, "define clause");
        struct token t;

        if (!name)
                return -1;
        t = parser_next_word(p);
        if (t.type != TOKEN_RIGHT) {
                parser_unexpected(p, t, "define clause");
                return -1;
        }
        return parse_body(p, name, "define clause");
}

/* The whole text; definitions stand at the top only. */
static int parse_all(struct parser *p, struct node *list)
{
        while (parser_peek(p).type != TOKEN_END_OF_TEXT) {
                struct node *n;

                if (parser_peek(p).type == TOKEN_LEFT) {
                        struct token left = parser_next(p);

                        if (parser_next_word(p).type == TOKEN_DEFINE) {
                                if (parse_definition(p) < 0)
                                        return -1;
                                continue;
                        }
                        parser_back_two(p, left);
                }
                n = text_or_action(p);
                if (!n)
                        return -1;
                if (n->type == NODE_END || n->type == NODE_ELSE) {
                        parser_fail(p, "unexpected {{%s}}", n->type == NODE_END ? "end" : "else");
                        return -1;
                }
                parser_add(p, &list->items, &list->n_items, n);
        }
        return 0;
}

int template_parse(const char *text, struct template **ret, struct cor_err *err)
{
        auto_template t = cor_alloc(sizeof *t);
        struct parser p = { .t = t, .err = err };
        struct token start = { .line = 1 };
        struct node *list;
        int r;

        if (strlen(text) > TEMPLATE_MAX_BYTES)
                return cor_fail(err, COR_INVALID, "template: longer than %d bytes", TEMPLATE_MAX_BYTES);
        t->pool = value_pool_new(SIZE_MAX);
        t->len = strlen(text);
        t->text = parser_copy(&p, text, t->len);
        list = parser_node(&p, NODE_LIST, &start);
        *COR_GROW(t->named, t->n_named) =
                (struct template_named){ .name = "", .list = parser_node(&p, NODE_LIST, &start) };
        lexer_init(&p.lexer, t->text, t->len);
        parser_declare(&p, "$");
        r = parse_all(&p, list) < 0 ? -1 : define(&p, "", list);
        free(p.variables);
        if (r < 0)
                return -1;
        *ret = COR_TAKE(t);
        return 0;
}

void template_free(struct template *t)
{
        if (!t)
                return;
        value_pool_free(t->pool);
        free(t->named);
        free(t);
}
