#ifndef CORACLE_CLI_TEMPLATE_PARSER_H
#define CORACLE_CLI_TEMPLATE_PARSER_H
/*
 * What the files of the parser share. The grammar is that of Go's text/template/parse; three words of look-ahead are
 * enough: "$x foo" is known to be no declaration only at the third. What returns a node returns NULL once the error is
 * set.
 *
 *      template_parser.c    words and nodes
 *      template_constant.c  numbers and quoted texts
 *      template_pipeline.c  operands, commands, pipelines
 *      template_parse.c     actions, and the whole
 */
#include "cli/template_lex.h"
#include "cli/template_tree.h"

enum { TEMPLATE_NESTING_MAX = 500, TEMPLATE_LOOK_AHEAD = 3 };

struct parser {
        struct template *t;
        struct lexer lexer;
        struct token token[TEMPLATE_LOOK_AHEAD];
        int n_peeked;
        unsigned action_line, ranges, depth;
        const char **variables; /* those in scope, with their dollar signs */
        size_t n_variables, room_variables;
        struct cor_err *err;
};

/* ---- words ---- */

struct token parser_next(struct parser *p);
struct token parser_peek(struct parser *p);
/* parser_next_word(), parser_peek_word() - spaces left out */
struct token parser_next_word(struct parser *p);
struct token parser_peek_word(struct parser *p);
/* parser_back() - the last word once more; _two: @one was before it; _three: @two, @one and then it */
void parser_back(struct parser *p);
void parser_back_two(struct parser *p, struct token one);
void parser_back_three(struct parser *p, struct token two, struct token one);
/* parser_fail(), parser_unexpected() - set the error; NULL */
void *parser_fail(struct parser *p, const char *fmt, ...) COR_PRINTF(2, 3);
void *parser_unexpected(struct parser *p, struct token t, const char *context);

/* ---- nodes ---- */

struct node *parser_node(struct parser *p, enum node_type type, const struct token *t);
/* parser_add() - one more item at the end of the list at @items (its address), which lies in the pool */
void parser_add(struct parser *p, void *items, size_t *n, void *item);
char *parser_copy(struct parser *p, const char *s, size_t n);
/* parser_constant() - a number, a character, a quoted text, true or false */
struct node *parser_constant(struct parser *p, const struct token *t);
/* parser_declare() - a variable is in scope from here on */
void parser_declare(struct parser *p, const char *name);
/* parser_pipeline() - up to the word @end, which is read; @context for errors */
struct node *parser_pipeline(struct parser *p, const char *context, enum token_type end);

#endif
