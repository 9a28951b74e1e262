#ifndef CORACLE_CLI_FORMAT_H
#define CORACLE_CLI_FORMAT_H
/* --format of commands that show lists, as docker understands it. */
#include "cli/value.h"

/* A field of a row, and the heading of its column. */
struct format_heading {
        const char *field, *heading;
};

struct format {
        const char *given;    /* what the user wrote, or NULL */
        const char *standard; /* the table when nothing was given: fields, parted by "\t" */
        const struct format_heading *headings;
        size_t n_headings;
};

/*
 * format_rows() - append the rows: "table" and "" give the standard table, "table TEMPLATE" one of that template,
 * "json" an object for each, and a template a line for each, with \t and \n understood. INVALID: "template parsing
 * error: ..."
 */
int format_rows(const struct format *f, const struct value *const *rows, size_t n, struct cor_text *out,
                struct cor_err *err) COR_MUST_CHECK;

/*
 * The same a row at a time, so that none has to be kept: format_begin(), format_row() for each, and format_end(), which
 * appends all to @out. format_done() in any case
 */
struct format_list {
        const struct format *format;
        struct template *template;
        bool table;
        struct cor_text rows;
};
int format_begin(const struct format *f, struct format_list *ret, struct cor_err *err) COR_MUST_CHECK;
int format_row(struct format_list *l, const struct value *row, struct cor_err *err) COR_MUST_CHECK;
int format_end(const struct format_list *l, struct cor_text *out, struct cor_err *err) COR_MUST_CHECK;
void format_done(struct format_list *l);
#define auto_format_list COR_CLEANUP(format_done) struct format_list

/* format_names() - the format tells of @field somewhere: what is expensive or changes rows is asked for */
bool format_names(const struct format *f, const char *field);
/* format_check() - @given is a template, or "json" or NULL */
int format_check(const char *given, struct cor_err *err) COR_MUST_CHECK;
/*
 * format_inspect() - objects shown whole: as a JSON list (@given NULL or "json"), or by a template for each. @objects
 * are structs; names of JSON are tried when those of Go do not fit. When a template fails, @out holds what those before
 * gave.
 */
int format_inspect(const char *given, const struct value *const *objects, size_t n, struct cor_text *out,
                   struct cor_err *err) COR_MUST_CHECK;

#endif
