/*
 * Carrying out the tree. What evaluates gives a value, or NULL once the error is set; what walks gives an enum walked.
 * r->node is the node that an error is said to be at: it is set at the same places where Go sets it.
 */
#include "cli/rune.h"
#include "cli/template_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEMPLATE_DEPTH_MAX = 200, ARGUMENTS_MAX = 1000 };
enum walked { WALKED = 0, WALKED_BREAK, WALKED_CONTINUE, WALK_FAILED = -1 };

struct variable {
        const char *name;
        const struct value *value;
};

struct run {
        const struct template *t;
        const char *name; /* of the template that runs */
        const struct node *node;
        struct value_pool *pool;
        struct variable *variables;
        size_t n_variables, room_variables;
        unsigned flags, depth;
        bool boxed; /* the dot was taken from a list or a map of anything */
        uint64_t steps;
        struct cor_text *out;
        size_t start; /* of our output in there */
        struct cor_err *err;
};

static const struct value *eval_pipeline(struct run *r, const struct value *dot, const struct node *pipe);
static const struct value *eval_function(struct run *r, const struct value *dot, const struct node *identifier,
                                         const struct node *command, const struct value *final);
static enum walked walk(struct run *r, const struct value *dot, const struct node *n);

/* ---- errors and bounds ---- */

static size_t column_of(const struct template *t, size_t pos)
{
        size_t start = pos;

        while (start > 0 && t->text[start - 1] != '\n')
                start--;
        return pos - start;
}

static void *COR_PRINTF(2, 3) fail(struct run *r, const char *fmt, ...)
{
        auto_text context = COR_TEXT_INIT, name = COR_TEXT_INIT;
        auto_str said = NULL;
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&said, fmt, ap) < 0)
                said = NULL;
        va_end(ap);
        node_print(r->node, &context);
        rune_quote(r->name, strlen(r->name), false, &name);
        cor_fail(r->err, COR_INVALID, "template: :%u:%zu: executing %s at <%s>: %s", r->node->line,
                 column_of(r->t, r->node->pos), name.s, context.s ? context.s : "", said ? said : "");
        return NULL;
}

static bool within_bounds(struct run *r, uint64_t cost)
{
        r->steps += cost;
        if (r->steps > TEMPLATE_STEPS_MAX)
                fail(r, "takes too long");
        else if (value_pool_full(r->pool))
                fail(r, "needs too much memory");
        else if (r->out->len - r->start > TEMPLATE_OUTPUT_MAX)
                fail(r, "writes too much");
        else
                return true;
        return false;
}

/* ---- variables ---- */

static void push(struct run *r, const char *name, const struct value *v)
{
        if (r->n_variables == r->room_variables) {
                r->room_variables = r->room_variables ? 2 * r->room_variables : 16;
                r->variables = cor_realloc_array(r->variables, r->room_variables, sizeof *r->variables);
        }
        r->variables[r->n_variables++] = (struct variable){ .name = name, .value = v };
}

/* The parser has seen to it that there is one. */
static struct variable *variable(struct run *r, const char *name)
{
        for (size_t i = r->n_variables; i-- > 0;)
                if (strcmp(r->variables[i].name, name) == 0)
                        return &r->variables[i];
        return fail(r, "undefined variable: %s", name);
}

/* ---- fields ---- */

static const struct value *missing_key(struct run *r, const char *name)
{
        return r->flags & TEMPLATE_MISSING ? fail(r, "map has no entry for key \"%s\"", name) : &value_none;
}

static const struct value *eval_field(struct run *r, const struct value *receiver, const char *name, bool has_arguments,
                                      bool boxed)
{
        const struct value *found;

        if (receiver->kind == VALUE_NONE)
                return r->flags & TEMPLATE_MISSING ? fail(r, "nil data; no entry for key \"%s\"", name) : &value_none;
        if (receiver->kind == VALUE_NIL)
                return fail(r, "nil pointer evaluating %s.%s", value_type_name(receiver), name);
        found = value_find(receiver, name, strlen(name));
        if (receiver->kind == VALUE_MAP && has_arguments)
                return fail(r, "%s is not a method but has arguments", name);
        if (found && has_arguments)
                return fail(r, "%s has arguments but cannot be invoked as function", name);
        if (found)
                return found;
        if (receiver->kind == VALUE_MAP)
                return missing_key(r, name);
        return fail(r, "can't evaluate field %s in type %s", name, boxed ? "interface {}" : value_type_name(receiver));
}

static const struct value *eval_fields(struct run *r, const struct value *v, const struct node *n, size_t first,
                                       bool has_arguments)
{
        bool boxed = n->type == NODE_FIELD && r->boxed; /* in an interface, which is all that an error tells of it */

        for (size_t i = first; v && i < n->n_names; i++) {
                const struct value *around = v;

                v = eval_field(r, v, n->names[i], has_arguments && i + 1 == n->n_names, boxed);
                boxed = around->kind == VALUE_MAP;
        }
        return v;
}

/* ---- arguments ---- */

static const char *want_name(char want)
{
        return want == 's' ? "string" : want == 'i' ? "int" : want == 'l' ? "[]string" : "interface {}";
}

static bool is_text_list(const struct value *v)
{
        for (size_t i = 0; v->kind == VALUE_LIST && i < v->n; i++)
                if (v->items[i]->kind != VALUE_STRING)
                        return false;
        return v->kind == VALUE_LIST;
}

/* @v as an argument of the kind @want */
static const struct value *fit(struct run *r, const struct value *v, char want)
{
        static const struct value no_items = { .kind = VALUE_LIST };

        if (!v)
                return NULL;
        if (want == 'v')
                return v->kind == VALUE_NONE ? &value_nil : v;
        if (v->kind == VALUE_NONE)
                return want == 'l' ? &no_items : fail(r, "invalid value; expected %s", want_name(want));
        if (want == 's' ? v->kind == VALUE_STRING : want == 'i' ? v->kind == VALUE_INT : is_text_list(v))
                return v;
        return fail(r, "wrong type for value; expected %s; got %s", want_name(want), value_type_name(v));
}

static bool is_small_whole(double d)
{
        return d > INT32_MIN && d < INT32_MAX && d == (double)(int32_t)d;
}

static const struct value *fit_constant(struct run *r, const struct node *n, char want)
{
        auto_text shown = COR_TEXT_INIT;

        if (want == 'v' || (want == 's' && n->type == NODE_STRING) ||
            (want == 'i' && n->type == NODE_NUMBER && n->constant->kind == VALUE_INT))
                return n->constant;
        if (want == 'i' && n->type == NODE_NUMBER && is_small_whole(n->constant->real))
                return value_int(r->pool, (int64_t)n->constant->real);
        node_print(n, &shown);
        if (want == 'l')
                return fail(r, "can't handle %s for arg of type []string", shown.s);
        return fail(r, "expected %s; found %s", want == 's' ? "string" : "integer", shown.s);
}

static const struct value *eval_operand(struct run *r, const struct value *dot, const struct node *n);

/* What stands before the first dot of a chain */
static const struct value *eval_base(struct run *r, const struct value *dot, const struct node *n)
{
        const struct value *v;

        r->node = n;
        v = eval_operand(r, dot, n);
        return v && v->kind == VALUE_NIL ? &value_none : v;
}

/* The value of an operand, before anybody asks what it is for */
static const struct value *eval_operand(struct run *r, const struct value *dot, const struct node *n)
{
        const struct value *v;
        struct variable *found;

        switch (n->type) {
        case NODE_DOT:
                return dot;
        case NODE_FIELD:
                r->node = n;
                return eval_fields(r, dot, n, 0, false);
        case NODE_VARIABLE:
                r->node = n;
                found = variable(r, n->names[0]);
                return found ? eval_fields(r, found->value, n, 1, false) : NULL;
        case NODE_PIPE:
                return eval_pipeline(r, dot, n);
        case NODE_IDENTIFIER:
                return eval_function(r, dot, n, n, NULL);
        case NODE_CHAIN:
                r->node = n;
                v = eval_base(r, dot, n->base);
                return v ? eval_fields(r, v, n, 0, false) : NULL;
        default:
                return n->constant;
        }
}

static const struct value *eval_argument(struct run *r, const struct value *dot, const struct node *n, char want)
{
        r->node = n;
        if (n->type == NODE_NIL && want == 'l')
                return fit(r, &value_none, want);
        if (n->type == NODE_NIL)
                return want == 'v' ? &value_nil : fail(r, "cannot assign nil to %s", want_name(want));
        if (n->type >= NODE_BOOL)
                return fit_constant(r, n, want);
        return fit(r, eval_operand(r, dot, n), want);
}

/* ---- calls ---- */

static char want_of(const struct template_function *f, size_t i)
{
        size_t last = strlen(f->wants) - 1;

        return f->wants[i < last ? i : last];
}

/* `and` and `or` stop at the first argument that decides. */
static const struct value *eval_logic(struct run *r, const struct value *dot, const struct node *command, bool is_or,
                                      const struct value *final)
{
        const struct value *v = &value_nil;

        for (size_t i = 1; i < command->n_items; i++) {
                v = eval_argument(r, dot, command->items[i], 'v');
                if (!v || value_truth(v) == is_or)
                        return v;
        }
        return final ? fit(r, final, 'v') : v;
}

static bool count_fits(struct run *r, const struct template_function *f, size_t given, bool final)
{
        size_t n = given + final;

        if (f->more && n < f->fixed)
                fail(r, "wrong number of args for %s: want at least %u got %zu", f->name, f->fixed, given);
        else if (!f->more && n != f->fixed)
                fail(r, "wrong number of args for %s: want %u got %zu", f->name, f->fixed, n);
        else if (n > ARGUMENTS_MAX)
                fail(r, "too many arguments for %s", f->name);
        else
                return true;
        return false;
}

static const struct value *call(struct run *r, const struct template_function *f, const struct node *command,
                                const struct value *const *args, size_t n)
{
        struct template_call c = { .pool = r->pool, .flags = r->flags, .args = args, .n_args = n };
        struct cor_err err = { 0 };
        const struct value *v = f->run(&c, &err);

        if (!v)
                r->node = command;
        if (!v)
                return fail(r, "error calling %s: %s", f->name, err.msg);
        return within_bounds(r, c.cost) ? v : NULL;
}

/* @command: the identifier and its arguments, or the identifier alone; @final: what came through the pipe, or NULL */
static const struct value *eval_function(struct run *r, const struct value *dot, const struct node *identifier,
                                         const struct node *command, const struct value *final)
{
        const struct template_function *f = identifier->function;
        size_t given = command->type == NODE_COMMAND ? command->n_items - 1 : 0, n = 0;
        auto_free const struct value **args = NULL;

        r->node = identifier;
        if (!count_fits(r, f, given, final != NULL))
                return NULL;
        if (!f->run) {
                static const struct node alone = { .type = NODE_COMMAND };

                return eval_logic(r, dot, given > 0 ? command : &alone, f->name[0] == 'o', final);
        }
        args = cor_alloc((given + 1) * sizeof(const struct value *));
        for (; n < given; n++) {
                args[n] = eval_argument(r, dot, command->items[n + 1], want_of(f, n));
                if (!args[n])
                        return NULL;
        }
        if (final) {
                args[n] = fit(r, final, want_of(f, n));
                if (!args[n++])
                        return NULL;
        }
        return call(r, f, command, args, n);
}

static const struct value *not_a_function(struct run *r, const struct node *command, const struct value *final)
{
        auto_text shown = COR_TEXT_INIT;

        if (command->n_items == 1 && !final)
                return &value_none;
        node_print(command->items[0], &shown);
        return fail(r, "can't give argument to non-function %s", shown.s);
}

static const struct value *eval_command(struct run *r, const struct value *dot, const struct node *command,
                                        const struct value *final)
{
        const struct node *first = command->items[0];
        bool arguments = command->n_items > 1 || final;
        const struct value *v;
        struct variable *found;

        if (first->type == NODE_IDENTIFIER)
                return eval_function(r, dot, first, command, final);
        if (first->type != NODE_PIPE)
                r->node = first;
        if (first->type == NODE_FIELD)
                return eval_fields(r, dot, first, 0, arguments);
        if (first->type == NODE_VARIABLE && first->n_names > 1) {
                found = variable(r, first->names[0]);
                return found ? eval_fields(r, found->value, first, 1, arguments) : NULL;
        }
        if (first->type == NODE_CHAIN) {
                v = eval_base(r, dot, first->base);
                return v ? eval_fields(r, v, first, 0, arguments) : NULL;
        }
        if (!not_a_function(r, command, final))
                return NULL;
        if (first->type == NODE_NIL)
                return fail(r, "nil is not a command");
        return eval_operand(r, dot, first);
}

static const struct value *eval_pipeline(struct run *r, const struct value *dot, const struct node *pipe)
{
        const struct value *v = NULL;

        r->node = pipe;
        for (size_t i = 0; i < pipe->n_items; i++) {
                if (!within_bounds(r, 1))
                        return NULL;
                v = eval_command(r, dot, pipe->items[i], v);
                if (!v)
                        return NULL;
                if (v->kind == VALUE_NIL)
                        v = &value_none;
        }
        for (size_t i = 0; i < pipe->n_variables; i++) {
                if (!pipe->assigns) {
                        push(r, pipe->variables[i]->names[0], v);
                } else {
                        struct variable *found = variable(r, pipe->variables[i]->names[0]);

                        if (!found)
                                return NULL;
                        found->value = v;
                }
        }
        return v;
}

/* ---- actions ---- */

static int print(struct run *r, const struct value *v)
{
        if (v->kind == VALUE_NONE || v->kind == VALUE_NIL)
                cor_text_add(r->out, "<no value>");
        else
                value_print(v, r->out);
        return within_bounds(r, 0) ? WALKED : WALK_FAILED;
}

static enum walked walk_choice(struct run *r, const struct value *dot, const struct node *n)
{
        size_t scope = r->n_variables;
        const struct value *v = eval_pipeline(r, dot, n->pipe);
        bool boxed = r->boxed;
        enum walked w = WALKED;

        if (!v)
                return WALK_FAILED;
        if (value_truth(v)) {
                r->boxed = boxed && n->type != NODE_WITH;
                w = walk(r, n->type == NODE_WITH ? v : dot, n->list);
                r->boxed = boxed;
        } else if (n->other) {
                w = walk(r, dot, n->other);
        }
        r->n_variables = scope;
        return w;
}

/* One round of a range: its variables are the last ones, where the pipeline has made them, or older ones. */
static enum walked walk_item(struct run *r, const struct node *n, const struct value *v, const struct value *index,
                             const struct value *item)
{
        const struct node *pipe = n->pipe;
        size_t scope = r->n_variables, count = pipe->n_variables;
        bool boxed = r->boxed;
        enum walked w;

        if (count > 0 && pipe->assigns) {
                for (size_t i = 0; i < count; i++) {
                        struct variable *found = variable(r, pipe->variables[i]->names[0]);

                        if (!found)
                                return WALK_FAILED;
                        found->value = count == 2 && i == 0 ? index : item;
                }
        } else if (count > 0) {
                r->variables[scope - 1].value = item;
                if (count > 1)
                        r->variables[scope - 2].value = index;
        }
        r->boxed = !v->type && v->kind != VALUE_INT;
        w = walk(r, item, n->list);
        r->boxed = boxed;
        r->n_variables = scope;
        return w;
}

static const struct value *range_index(struct run *r, const struct value *v, size_t i)
{
        struct value *index;

        if (v->kind == VALUE_MAP)
                return value_string(r->pool, v->members[i].name);
        index = value_int(r->pool, (int64_t)i);
        index->type = "int";
        return index;
}

static enum walked walk_items(struct run *r, const struct node *n, const struct value *v)
{
        size_t count = v->kind == VALUE_INT ? (size_t)v->integer : v->n;
        bool indexed = n->pipe->n_variables > 1 || v->kind == VALUE_INT;

        for (size_t i = 0; i < count; i++) {
                const struct value *index = indexed ? range_index(r, v, i) : &value_nil;
                enum walked w;

                if (!within_bounds(r, 1))
                        return WALK_FAILED;
                w = walk_item(r, n, v, index,
                              v->kind == VALUE_LIST  ? v->items[i]
                              : v->kind == VALUE_MAP ? v->members[i].value
                                                     : index);
                if (w == WALK_FAILED)
                        return w;
                if (w == WALKED_BREAK)
                        break;
        }
        return WALKED;
}

static enum walked walk_range(struct run *r, const struct value *dot, const struct node *n)
{
        size_t scope = r->n_variables;
        const struct value *v = eval_pipeline(r, dot, n->pipe);
        enum walked w = WALKED;

        if (!v)
                return WALK_FAILED;
        if (v->kind != VALUE_NONE && v->kind != VALUE_LIST && v->kind != VALUE_MAP && v->kind != VALUE_INT) {
                auto_text shown = COR_TEXT_INIT;

                value_print(v, &shown);
                fail(r, "range can't iterate over %.200s", shown.s ? shown.s : "");
                return WALK_FAILED;
        }
        if (v->kind == VALUE_INT ? v->integer > 0 : value_truth(v))
                w = walk_items(r, n, v);
        else if (n->other)
                w = walk(r, dot, n->other);
        r->n_variables = scope;
        return w;
}

static const struct node *named(const struct template *t, const char *name)
{
        for (size_t i = 0; i < t->n_named; i++)
                if (strcmp(t->named[i].name, name) == 0)
                        return t->named[i].list;
        return NULL;
}

/* Another template sees its own $ and none of our variables. */
static enum walked walk_template(struct run *r, const struct value *dot, const struct node *n)
{
        const struct node *list = named(r->t, n->text);
        const struct value *v = &value_none;
        struct run inner = *r;
        enum walked w;

        if (!list) {
                fail(r, "template \"%s\" not defined", n->text);
                return WALK_FAILED;
        }
        if (r->depth >= TEMPLATE_DEPTH_MAX) {
                fail(r, "exceeded maximum template depth (%d)", TEMPLATE_DEPTH_MAX);
                return WALK_FAILED;
        }
        if (n->pipe) {
                v = eval_pipeline(r, dot, n->pipe);
                if (!v)
                        return WALK_FAILED;
        }
        inner.name = n->text;
        inner.depth = r->depth + 1;
        inner.boxed = false;
        inner.variables = NULL;
        inner.n_variables = inner.room_variables = 0;
        push(&inner, "$", v);
        w = walk(&inner, v, list);
        free(inner.variables);
        r->steps = inner.steps;
        return w;
}

static enum walked walk_list(struct run *r, const struct value *dot, const struct node *n)
{
        enum walked w = WALKED;

        for (size_t i = 0; i < n->n_items && w == WALKED; i++)
                w = walk(r, dot, n->items[i]);
        return w;
}

static enum walked walk(struct run *r, const struct value *dot, const struct node *n)
{
        const struct value *v;

        r->node = n;
        if (!within_bounds(r, 1))
                return WALK_FAILED;
        switch (n->type) {
        case NODE_LIST:
                return walk_list(r, dot, n);
        case NODE_TEXT:
                cor_text_add_n(r->out, n->text, n->n);
                return WALKED;
        case NODE_IF:
        case NODE_WITH:
                return walk_choice(r, dot, n);
        case NODE_RANGE:
                return walk_range(r, dot, n);
        case NODE_TEMPLATE:
                return walk_template(r, dot, n);
        case NODE_BREAK:
                return WALKED_BREAK;
        case NODE_CONTINUE:
                return WALKED_CONTINUE;
        default:
                v = eval_pipeline(r, dot, n->pipe);
                if (!v)
                        return WALK_FAILED;
                return n->pipe->n_variables > 0 ? WALKED : (enum walked)print(r, v);
        }
}

int template_run(const struct template *t, const struct value *data, unsigned flags, struct cor_text *out,
                 struct cor_err *err)
{
        auto_value_pool pool = value_pool_new(TEMPLATE_MEMORY_MAX);
        struct run r = { .t = t, .name = "", .pool = pool, .flags = flags, .out = out, .start = out->len, .err = err };
        enum walked w;

        push(&r, "$", data);
        w = walk(&r, data, t->named[0].list);
        free(r.variables);
        return w == WALK_FAILED ? -1 : 0;
}
