#ifndef CORACLE_REGISTRY_PROBLEM_H
#define CORACLE_REGISTRY_PROBLEM_H
/* What a registry says when it refuses: a status and, most of the time, a JSON document with codes and messages. */
#include "base/err.h"
#include <stdbool.h>

struct problem {
        enum cor_kind kind;
        bool denied, name_unknown, manifest_unknown; /* by its code */
        char text[320]; /* "manifest unknown: manifest unknown", as docker says it; no control characters */
};

/**
 * problem_read() - what an answer says
 * @status: HTTP status, not 2xx
 * @body:   @n bytes from the server
 *
 * Without a document that can be read, the text names the status ("502 Bad Gateway") and what came instead.
 */
struct problem problem_read(int status, const char *body, size_t n);
/* problem_status() - "Not Found" */
const char *problem_status(int status);
/* problem_is_html() - the bytes are a page for people, as proxies and login walls send */
bool problem_is_html(const char *body, size_t n);

#endif
