#ifndef CORACLE_CLI_UNITS_H
#define CORACLE_CLI_UNITS_H
/* Numbers as docker shows them to people. */
#include "base/text.h"

/* units_size() - "12.3MB": powers of 1000, @digits significant digits (3 in lists, 4 elsewhere) */
void units_size(int64_t bytes, int digits, struct cor_text *out);
/* units_binary() - "12.34MiB": powers of 1024, 4 significant digits */
void units_binary(double bytes, struct cor_text *out);
/* units_duration() - "About an hour", "5 days" */
void units_duration(int64_t seconds, struct cor_text *out);
/* units_since() - "5 days ago", from @when (seconds since 1970) to now */
void units_since(int64_t when, struct cor_text *out);
/* units_time() - "2024-02-29 12:00:00 +0100 CET", in the caller's time zone; units_rfc3339() -
 * "2024-02-29T12:00:00+01:00" */
void units_time(int64_t when, struct cor_text *out);
void units_rfc3339(int64_t when, struct cor_text *out);

#endif
