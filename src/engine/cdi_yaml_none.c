/* Built without libyaml. */
#include "engine/cdi.h"

int cdi_yaml_to_json(const char *text, size_t n, char **ret, struct cor_err *err)
{
        (void)text, (void)n, (void)ret;
        return cor_fail(err, COR_UNSUPPORTED, "this build reads no YAML: expected JSON");
}
