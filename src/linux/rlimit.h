#ifndef CORACLE_LINUX_RLIMIT_H
#define CORACLE_LINUX_RLIMIT_H
/* Resource limits of the calling process. */
#include "spec/oci.h"

/* rlimit_apply() - set each of them; the error names the limit and both values. No allocation. */
int rlimit_apply(const struct oci_rlimit *limits, size_t n_limits, struct cor_err *err) COR_MUST_CHECK;

#endif
