#include "cli/template_tree.h"

#include "cli/rune.h"

static void print_all(struct node *const *items, size_t n, const char *between, struct cor_text *out)
{
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        cor_text_add(out, between);
                if (items[i]->type == NODE_PIPE) {
                        cor_text_add_c(out, '(');
                        node_print(items[i], out);
                        cor_text_add_c(out, ')');
                } else {
                        node_print(items[i], out);
                }
        }
}

static void print_names(const struct node *n, const char *first, struct cor_text *out)
{
        for (size_t i = 0; i < n->n_names; i++)
                cor_text_printf(out, "%s%s", i == 0 ? first : ".", n->names[i]);
}

static void print_pipe(const struct node *n, struct cor_text *out)
{
        if (n->n_variables > 0) {
                print_all(n->variables, n->n_variables, ", ", out);
                cor_text_add(out, n->assigns ? " = " : " := ");
        }
        print_all(n->items, n->n_items, " | ", out);
}

static void print_template(const struct node *n, struct cor_text *out)
{
        cor_text_add(out, "{{template ");
        rune_quote(n->text, __builtin_strlen(n->text), false, out);
        if (n->pipe) {
                cor_text_add_c(out, ' ');
                print_pipe(n->pipe, out);
        }
        cor_text_add(out, "}}");
}

/* Errors show operands, commands and pipelines, and {{template}}; other actions are never where one is. */
void node_print(const struct node *n, struct cor_text *out)
{
        struct node *base = n->base;

        switch (n->type) {
        case NODE_PIPE:
                print_pipe(n, out);
                break;
        case NODE_COMMAND:
                print_all(n->items, n->n_items, " ", out);
                break;
        case NODE_FIELD:
                print_names(n, ".", out);
                break;
        case NODE_VARIABLE:
                print_names(n, "", out);
                break;
        case NODE_CHAIN:
                print_all(&base, 1, "", out);
                print_names(n, ".", out);
                break;
        case NODE_TEMPLATE:
                print_template(n, out);
                break;
        case NODE_ACTION:
                cor_text_add(out, "{{");
                print_pipe(n->pipe, out);
                cor_text_add(out, "}}");
                break;
        default:
                cor_text_add_n(out, n->text, n->n);
        }
}
