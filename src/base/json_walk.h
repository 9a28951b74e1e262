#ifndef CORACLE_BASE_JSON_WALK_H
#define CORACLE_BASE_JSON_WALK_H
/* JSON whose shape nobody knows beforehand: the reader calls for each thing it meets, in the order of the text. */
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

enum cor_json_event_kind {
        COR_JSON_EVENT_NULL,
        COR_JSON_EVENT_BOOL,
        COR_JSON_EVENT_NUMBER, /* `text`, as JSON writes it */
        COR_JSON_EVENT_STRING, /* `text` */
        COR_JSON_EVENT_LIST,   /* its items follow, then END */
        COR_JSON_EVENT_OBJECT, /* KEY and a value for each member, then END */
        COR_JSON_EVENT_KEY,    /* `text` */
        COR_JSON_EVENT_END,
};

struct cor_json_event {
        enum cor_json_event_kind kind;
        bool boolean;
        const char *text; /* valid during the call only; may hold NUL */
        size_t len;
};

enum { COR_JSON_WALK_DEPTH = 128 }; /* lists and objects within each other */

/*
 * cor_json_walk() - read @len bytes at @text and call @event for what is in there; stops when that fails. INVALID with
 * line and column when it is not JSON, or nested more than COR_JSON_WALK_DEPTH deep. @what names it in errors.
 */
int cor_json_walk(const char *text, size_t len, const char *what,
                  int (*event)(void *context, const struct cor_json_event *e, struct cor_err *err), void *context,
                  struct cor_err *err) COR_MUST_CHECK;

#endif
