#include "linux/personality.h"

#include <sys/personality.h>

int personality_apply(const struct oci_personality *p, struct cor_err *err)
{
        if (p->n_flags > 0)
                return cor_fail(err, COR_INVALID, "linux.personality.flags: %s: no flags are defined", p->flags[0]);
        if (personality((unsigned long)p->domain) < 0)
                return cor_fail_errno(err, "linux.personality: set the execution domain");
        return 0;
}
