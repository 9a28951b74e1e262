#ifndef CORACLE_BASE_DATE_H
#define CORACLE_BASE_DATE_H
/* Points in time as documents and people write them. */
#include "base/cleanup.h"
#include <stdint.h>
#include <time.h>

/*
 * cor_time_parse() - RFC 3339, as JSON documents have it: 2024-02-29T23:59:59.123456789+01:00; -1 without touching *ret
 * otherwise (no such day, no such hour)
 */
int cor_time_parse(const char *s, struct timespec *ret) COR_MUST_CHECK;
/*
 * cor_time_parse_loose() - what docker takes on its command line: seconds since 1970 with an optional fraction, or
 * RFC 3339 that may end after the day, the hour or the minute, and without a zone is in that of the caller
 */
int cor_time_parse_loose(const char *s, struct timespec *ret) COR_MUST_CHECK;
/*
 * cor_moment_parse() - the same as nanoseconds since 1970; or a duration, which means so long ago ("10m", "1h30m").
 * What lies before or after all that they can tell (1677 to 2262) is the first or the last of them
 */
int cor_moment_parse(const char *s, int64_t *ret_ns) COR_MUST_CHECK;
/* cor_time_ns() - nanoseconds since 1970; in the same way at the ends */
int64_t cor_time_ns(const struct timespec *t);
/* cor_wall_ns() - the wall clock, nanoseconds since 1970 */
int64_t cor_wall_ns(void);

#endif
