/* Operands, commands and pipelines. */
#include "cli/rune.h"
#include "cli/template_parser.h"

#include <string.h>

static void add_name(struct parser *p, struct node *n, const struct token *t, size_t skipped)
{
        parser_add(p, &n->names, &n->n_names, parser_copy(p, t->text + skipped, t->n - skipped));
}

static struct node *use_variable(struct parser *p, const struct token *t)
{
        struct node *n = parser_node(p, NODE_VARIABLE, t);

        add_name(p, n, t, 0);
        for (size_t i = p->n_variables; i-- > 0;)
                if (strcmp(p->variables[i], n->names[0]) == 0)
                        return n;
        return parser_fail(p, "undefined variable \"%s\"", n->names[0]);
}

static struct node *parse_identifier(struct parser *p, const struct token *t)
{
        struct node *n = parser_node(p, NODE_IDENTIFIER, t);

        n->function = template_function_find(t->text, t->n);
        if (n->function)
                return n;
        return parser_fail(p, "function \"%.*s\" not defined", (int)t->n, t->text);
}

/* One operand without fields behind it. *@ret is NULL if the next word begins none. */
static int parse_term(struct parser *p, struct node **ret)
{
        struct token t = parser_next_word(p);

        switch (t.type) {
        case TOKEN_IDENTIFIER:
                *ret = parse_identifier(p, &t);
                break;
        case TOKEN_DOT:
        case TOKEN_NIL:
                *ret = parser_node(p, t.type == TOKEN_DOT ? NODE_DOT : NODE_NIL, &t);
                break;
        case TOKEN_VARIABLE:
                *ret = use_variable(p, &t);
                break;
        case TOKEN_FIELD:
                *ret = parser_node(p, NODE_FIELD, &t);
                add_name(p, *ret, &t, 1);
                break;
        case TOKEN_BOOL:
        case TOKEN_CHAR_CONSTANT:
        case TOKEN_NUMBER:
        case TOKEN_STRING:
        case TOKEN_RAW_STRING:
                *ret = parser_constant(p, &t);
                break;
        case TOKEN_LEFT_PAREN:
                *ret = parser_pipeline(p, "parenthesized pipeline", TOKEN_RIGHT_PAREN);
                break;
        default:
                parser_back(p);
                *ret = NULL;
                return 0;
        }
        return *ret ? 0 : -1;
}

/* ".a.b" is one operand, placed at its second word, as Go has it; so is (pipeline).a */
static struct node *parse_fields(struct parser *p, struct node *base)
{
        struct token first = parser_peek(p);
        struct node *n = base;

        if (base->type >= NODE_BOOL || base->type == NODE_DOT || base->type == NODE_NIL) {
                auto_text shown = COR_TEXT_INIT;

                rune_quote(base->text, base->n, false, &shown);
                return parser_fail(p, "unexpected . after term %s", shown.s);
        }
        if (base->type != NODE_FIELD && base->type != NODE_VARIABLE) {
                n = parser_node(p, NODE_CHAIN, &first);
                n->base = base;
        }
        n->pos = first.pos;
        n->line = first.line;
        while (parser_peek(p).type == TOKEN_FIELD) {
                struct token t = parser_next(p);

                add_name(p, n, &t, 1);
        }
        return n;
}

/* Operands up to the end of the command */
static struct node *parse_command(struct parser *p)
{
        struct token t = parser_peek_word(p);
        struct node *command = parser_node(p, NODE_COMMAND, &t), *operand;

        do {
                (void)parser_peek_word(p);
                if (parse_term(p, &operand) < 0)
                        return NULL;
                if (operand && parser_peek(p).type == TOKEN_FIELD) {
                        operand = parse_fields(p, operand);
                        if (!operand)
                                return NULL;
                }
                if (operand)
                        parser_add(p, &command->items, &command->n_items, operand);
                t = parser_next(p);
        } while (t.type == TOKEN_SPACE);
        if (t.type == TOKEN_RIGHT || t.type == TOKEN_RIGHT_PAREN)
                parser_back(p);
        else if (t.type != TOKEN_PIPE)
                return parser_unexpected(p, t, "operand");
        return command->n_items > 0 ? command : parser_fail(p, "empty command");
}

void parser_declare(struct parser *p, const char *name)
{
        if (p->n_variables == p->room_variables) {
                p->room_variables = p->room_variables ? 2 * p->room_variables : 16;
                p->variables = cor_realloc_array(p->variables, p->room_variables, sizeof *p->variables);
        }
        p->variables[p->n_variables++] = name;
}

static void take_variable(struct parser *p, struct node *pipe, const struct token *t)
{
        struct node *n = parser_node(p, NODE_VARIABLE, t);

        add_name(p, n, t, 0);
        parser_add(p, &pipe->variables, &pipe->n_variables, n);
        parser_declare(p, n->names[0]);
}

/* "$i, $x :=" in front of a pipeline; 0, or -1 and an error */
static int parse_variables(struct parser *p, struct node *pipe, const char *context)
{
        for (;;) {
                struct token v = parser_peek_word(p), after, word;

                if (v.type != TOKEN_VARIABLE)
                        return 0;
                parser_next(p);
                after = parser_peek(p);
                word = parser_peek_word(p);
                if (word.type == TOKEN_ASSIGN || word.type == TOKEN_DECLARE) {
                        pipe->assigns = word.type == TOKEN_ASSIGN;
                        parser_next_word(p);
                        take_variable(p, pipe, &v);
                        return 0;
                }
                if (word.type != TOKEN_CHAR || word.text[0] != ',') {
                        if (after.type == TOKEN_SPACE)
                                parser_back_three(p, v, after);
                        else
                                parser_back_two(p, v);
                        return 0;
                }
                parser_next_word(p);
                take_variable(p, pipe, &v);
                if (strcmp(context, "range") != 0 || pipe->n_variables >= 2) {
                        parser_fail(p, "too many declarations in %s", context);
                        return -1;
                }
                word = parser_peek_word(p);
                if (word.type != TOKEN_VARIABLE && word.type != TOKEN_RIGHT && word.type != TOKEN_RIGHT_PAREN) {
                        parser_fail(p, "range can only initialize variables");
                        return -1;
                }
        }
}

static bool begins_operand(enum token_type type)
{
        return type == TOKEN_BOOL || type == TOKEN_CHAR_CONSTANT || type == TOKEN_DOT || type == TOKEN_FIELD ||
               type == TOKEN_IDENTIFIER || type == TOKEN_NUMBER || type == TOKEN_NIL || type == TOKEN_RAW_STRING ||
               type == TOKEN_STRING || type == TOKEN_VARIABLE || type == TOKEN_LEFT_PAREN;
}

/* What comes behind a pipe has to take what comes out of it. */
static struct node *check_pipeline(struct parser *p, struct node *pipe, const char *context)
{
        if (pipe->n_items == 0)
                return parser_fail(p, "missing value for %s", context);
        for (size_t i = 1; i < pipe->n_items; i++) {
                enum node_type type = pipe->items[i]->items[0]->type;

                if (type >= NODE_BOOL || type == NODE_DOT || type == NODE_NIL)
                        return parser_fail(p, "non executable command in pipeline stage %zu", i + 1);
        }
        return pipe;
}

struct node *parser_pipeline(struct parser *p, const char *context, enum token_type end)
{
        struct token t = parser_peek_word(p);
        struct node *pipe = parser_node(p, NODE_PIPE, &t), *command;

        if (p->depth++ >= TEMPLATE_NESTING_MAX)
                return parser_fail(p, "nested too deeply");
        if (parse_variables(p, pipe, context) < 0)
                return NULL;
        while ((t = parser_next_word(p)).type != end) {
                if (!begins_operand(t.type))
                        return parser_unexpected(p, t, context);
                parser_back(p);
                command = parse_command(p);
                if (!command)
                        return NULL;
                parser_add(p, &pipe->items, &pipe->n_items, command);
        }
        p->depth--;
        return check_pipeline(p, pipe, context);
}
