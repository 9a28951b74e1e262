#ifndef CORACLE_REGISTRY_REDIRECT_H
#define CORACLE_REGISTRY_REDIRECT_H
/* What headers say about where and when (libcurl's parsers of URLs and dates). */
#include "base/err.h"
#include <time.h>

/*
 * redirect_resolve() - @location, relative to @base; INVALID for anything but http and https, and for user names in it;
 * free() *ret
 */
int redirect_resolve(const char *base, const char *location, char **ret, struct cor_err *err) COR_MUST_CHECK;
/* redirect_date() - the time of an HTTP date, -1 if it is none */
time_t redirect_date(const char *s);

#endif
