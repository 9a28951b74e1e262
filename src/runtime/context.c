#include "runtime/context.h"

#include "base/file.h"
#include "base/text.h"

#include <stdio.h>
#include <unistd.h>

enum { MAP_MAX_BYTES = 64 << 10 };

/* The first user namespace of a system maps every id onto itself, in one line. */
static bool read_first_user_namespace(void)
{
        auto_str text = NULL;
        unsigned inside, outside, count;
        int end = 0;
        size_t n;

        if (cor_read_file("/proc/self/uid_map", MAP_MAX_BYTES, &text, &n, NULL) < 0)
                return true; /* a kernel without user namespaces, or no /proc to tell */
        return sscanf(text, "%u %u %u %n", &inside, &outside, &count, &end) == 3 && inside == 0 && outside == 0 &&
               count == UINT32_MAX && text[end] == '\0';
}

static bool in_first_user_namespace(void)
{
        static int known = -1;

        if (known < 0)
                known = read_first_user_namespace();
        return known;
}

bool runtime_default_rootless(void)
{
        return geteuid() != 0 || !in_first_user_namespace();
}

int runtime_default_root(char **ret, struct cor_err *err)
{
        const char *session = getenv("XDG_RUNTIME_DIR");
        bool root = geteuid() == 0;

        if (root && (in_first_user_namespace() || !session || !*session)) {
                *ret = cor_strdup("/run/coracle/runtime");
                return 0;
        }
        if (session && session[0] == '/') {
                *ret = cor_printf("%s/coracle/runtime", session);
                return 0;
        }
        return cor_fail(err, COR_INVALID,
                        "no place for the state of containers: XDG_RUNTIME_DIR is not an absolute path; set it, or "
                        "give --root DIR");
}
