#ifndef CORACLE_CLI_TEMPLATE_H
#define CORACLE_CLI_TEMPLATE_H
/*
 * Go's text/template as users of docker write it for --format: fields, pipelines, variables, if, range, with, define,
 * block, template, break, continue; its built-in functions, and docker's: json, split, join, title, lower, upper, pad,
 * truncate. Errors have Go's words, so that what is known about them helps here.
 *
 * A template is input: nesting, steps, memory and output are bounded.
 */
#include "cli/value.h"

struct template;

enum {
        TEMPLATE_MAX_BYTES = 128 << 10, /* of its text; Linux takes no longer argument */
        TEMPLATE_OUTPUT_MAX = 64 << 20,
        TEMPLATE_MEMORY_MAX = 64 << 20, /* for what functions make */
        TEMPLATE_STEPS_MAX = 20 * 1000 * 1000,
};

enum {
        TEMPLATE_MISSING = 1, /* a map without the key asked for is an error, as docker inspect has it */
        TEMPLATE_HEADER = 2,  /* docker's functions leave their text as it is: the heading of a table */
};

/* template_parse() - INVALID: "template: :1: unexpected ..." */
int template_parse(const char *text, struct template **ret, struct cor_err *err) COR_MUST_CHECK;
void template_free(struct template *t);
static inline void template_free_p(struct template **t)
{
        template_free(*t);
}
#define auto_template COR_CLEANUP(template_free_p) struct template *

/* template_run() - append what it makes of @data; INVALID: "template: :1:2: executing ...", @out then holds a part */
int template_run(const struct template *t, const struct value *data, unsigned flags, struct cor_text *out,
                 struct cor_err *err) COR_MUST_CHECK;

#endif
