#ifndef CORACLE_CLI_VALUE_DOC_H
#define CORACLE_CLI_VALUE_DOC_H
/* Documents of base/json.h as templates look at them. */
#include "base/json.h"
#include "cli/value.h"

/* value_from_doc() - @object, described by @doc; its members have Go's names, and are in the order of the table */
struct value *value_from_doc(struct value_pool *p, const struct cor_json_doc *doc, const void *object);

#endif
