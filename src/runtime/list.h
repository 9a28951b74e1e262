#ifndef CORACLE_RUNTIME_LIST_H
#define CORACLE_RUNTIME_LIST_H
/* All containers; the rest of it is in lifecycle.h. */
#include "runtime/lifecycle.h"
#include "runtime/record.h"

/* container_list_json() - the list as one line of JSON: an array of state documents */
void container_list_json(const struct container_info *list, size_t n, struct cor_text *out);

/* container_describe() - what there is to say about @c; ends with container_describe_done() */
int container_describe(const struct container *c, struct container_info *ret, struct cor_err *err) COR_MUST_CHECK;
void container_describe_done(struct container_info *info);
/* container_describe_json() - append the state document of @info */
void container_describe_json(const struct container_info *info, enum cor_json_style style, struct cor_text *out);

#endif
