#ifndef CORACLE_RUNTIME_PS_H
#define CORACLE_RUNTIME_PS_H
/* Showing processes. Which ones are a container's is container_pids()'s to say (lifecycle.h). */
#include "base/text.h"
#include <sys/types.h>

/**
 * ps_table() - append the lines of ps(1) that are about @pids, and its heading
 * @args: @n_args options for ps; "-ef" if there are none
 *
 * Without a ps program (and without options for it) the table is made from /proc. INVALID if ps was given options that
 * make it leave out the column PID; then there is no telling which lines to show.
 */
int ps_table(const pid_t *pids, size_t n_pids, char *const *args, size_t n_args, struct cor_text *out,
             struct cor_err *err) COR_MUST_CHECK;
/* ps_filter() - the part that reads ps's output (changed in place) */
int ps_filter(char *output, const pid_t *pids, size_t n_pids, struct cor_text *out, struct cor_err *err) COR_MUST_CHECK;

#endif
