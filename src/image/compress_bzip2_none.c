#include "image/compress_foreign.h"

const struct foreign_format foreign_bzip2 = { .name = "bzip2" };
