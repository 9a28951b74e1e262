#include "linux/rlimit.h"

#include <stdio.h>
#include <sys/resource.h>

/* "4096", or "unlimited" */
static const char *value(uint64_t n, char buf[24])
{
        if (n == RLIM_INFINITY)
                return "unlimited";
        snprintf(buf, 24, "%llu", (unsigned long long)n);
        return buf;
}

int rlimit_apply(const struct oci_rlimit *limits, size_t n_limits, struct cor_err *err)
{
        for (size_t i = 0; i < n_limits; i++) {
                const struct oci_rlimit *l = &limits[i];
                struct rlimit next = { .rlim_cur = l->soft, .rlim_max = l->hard };
                const char *name = cor_word_of(oci_rlimit_words, l->resource);
                char soft[24], hard[24];

                if (!name)
                        return cor_fail(err, COR_INVALID, "process.rlimits[%zu]: unknown limit %d", i, l->resource);
                if (setrlimit(l->resource, &next) < 0)
                        return cor_fail_errno(err, "process.rlimits: set %s to soft %s, hard %s", name,
                                              value(l->soft, soft), value(l->hard, hard));
        }
        return 0;
}
