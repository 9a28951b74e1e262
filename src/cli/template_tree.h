#ifndef CORACLE_CLI_TEMPLATE_TREE_H
#define CORACLE_CLI_TEMPLATE_TREE_H
/* What the files of the template engine share: the tree that a text becomes, and the functions it may call. */
#include "cli/template.h"

enum node_type {
        NODE_LIST, /* items: texts and actions */
        NODE_TEXT,
        NODE_ACTION, /* pipe */
        NODE_IF,     /* pipe, list, other; so have the next two */
        NODE_RANGE,
        NODE_WITH,
        NODE_TEMPLATE, /* text: its name; pipe or NULL */
        NODE_BREAK,
        NODE_CONTINUE,
        NODE_ELSE, /* these two end a list, and are not kept */
        NODE_END,
        NODE_PIPE,    /* items: commands; variables */
        NODE_COMMAND, /* items: operands */
        NODE_IDENTIFIER,
        NODE_DOT,
        NODE_NIL,
        NODE_FIELD,    /* names; so have the next two */
        NODE_CHAIN,    /* (base).names */
        NODE_VARIABLE, /* names[0] begins with a dollar sign */
        NODE_BOOL,     /* constant; so have the next two */
        NODE_NUMBER,
        NODE_STRING,
};

struct node {
        enum node_type type;
        unsigned line;
        size_t pos;
        const char *text; /* a text, a name, a constant as it was written; @n bytes */
        size_t n;
        struct node **items;
        size_t n_items;
        const char **names;
        size_t n_names;
        struct node **variables; /* of a pipe: those it sets */
        size_t n_variables;
        struct node *pipe, *list, *other, *base;
        const struct value *constant;
        const struct template_function *function;
        bool assigns; /* a pipe: "=" and not ":=" */
};

struct template_named {
        const char *name;
        struct node *list;
};

struct template
{
        struct value_pool *pool; /* of the tree */
        const char *text;
        size_t len;
        struct template_named *named; /* [0] is the template itself, called "" */
        size_t n_named;
};

/* node_print() - as it stands in errors */
void node_print(const struct node *n, struct cor_text *out);

/* ---- functions ---- */

struct template_call {
        struct value_pool *pool; /* for results */
        unsigned flags;          /* of template_run() */
        const struct value *const *args;
        size_t n_args;
        uint64_t cost; /* what it took, in steps, beyond one */
};

struct template_function {
        char name[10];
        uint8_t fixed; /* arguments it has to have; with `more` any number may follow */
        bool more;
        /* what they are: v anything, s string, i int, l list of strings; the last one stands for all that follow */
        char wants[4];
        /* NULL and an error on failure */
        const struct value *(*run)(struct template_call *c, struct cor_err *err);
};
/* template_function_find() - NULL if there is none; `and` and `or` have no run(): not all their arguments are evaluated
 */
const struct template_function *template_function_find(const char *name, size_t n);

#endif
