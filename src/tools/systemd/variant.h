#ifndef CORACLE_TOOLS_SYSTEMD_VARIANT_H
#define CORACLE_TOOLS_SYSTEMD_VARIANT_H
/*
 * Values in GVariant's text form, as annotations org.systemd.property.* have them: true, 5, uint64 5, 1.5, 'text',
 * ['a', 'b'], (1, 'x'), @as []. Dictionaries, maybes and variants are not among what a unit's properties take.
 */
#include "base/text.h"
#include <stdint.h>

enum variant_kind { VARIANT_BOOL, VARIANT_NUMBER, VARIANT_STRING, VARIANT_ARRAY, VARIANT_TUPLE };

struct variant {
        enum variant_kind kind;
        char *type; /* as D-Bus spells it, given in the text or inferred */
        bool fixed; /* given in the text */
        bool truth;
        bool negative, fraction; /* NUMBER: the value is `number`, with a sign, or `real` */
        uint64_t number;
        double real;
        char *text;            /* STRING */
        struct variant *items; /* ARRAY, TUPLE */
        size_t n_items;
};

enum { VARIANT_MAX_DEPTH = 16 };

/* variant_parse() - the whole of @text is one value, with all types known and numbers in their type's range */
int variant_parse(const char *text, struct variant *ret, struct cor_err *err) COR_MUST_CHECK;
/* variant_seconds() - a number of seconds becomes microseconds, of type t */
int variant_seconds(struct variant *v, struct cor_err *err) COR_MUST_CHECK;
void variant_done(struct variant *v);
#define auto_variant COR_CLEANUP(variant_done) struct variant

#endif
