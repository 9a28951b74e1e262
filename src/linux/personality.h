#ifndef CORACLE_LINUX_PERSONALITY_H
#define CORACLE_LINUX_PERSONALITY_H
/* Execution domain of the calling process (linux.personality). */
#include "spec/oci.h"

/* personality_apply() - PER_LINUX or PER_LINUX32; the specification knows no flags yet: any is INVALID */
int personality_apply(const struct oci_personality *p, struct cor_err *err) COR_MUST_CHECK;

#endif
