#include "image/limits.h"

#include <stdint.h>

struct image_limits image_limits_of(const struct registry_config *c)
{
        return (struct image_limits){ .ratio = c->image_ratio,
                                      .entries = c->image_entries > 0 ? c->image_entries : INT64_MAX,
                                      .bytes = c->image_bytes };
}
