#ifndef CORACLE_CLI_TABULAR_H
#define CORACLE_CLI_TABULAR_H
/*
 * Columns: text whose cells end with a tab is lined up, as Go's text/tabwriter does it with docker's settings (cells of
 * 10 characters at least, 3 of them blank). What follows the last tab of a line stands as it is.
 */
#include "base/text.h"

void tabular_add(const char *text, size_t n, struct cor_text *out);

#endif
