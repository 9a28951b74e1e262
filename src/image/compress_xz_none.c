#include "image/compress_foreign.h"

const struct foreign_format foreign_xz = { .name = "xz" };
