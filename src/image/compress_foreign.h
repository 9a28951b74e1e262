#ifndef CORACLE_IMAGE_COMPRESS_FOREIGN_H
#define CORACLE_IMAGE_COMPRESS_FOREIGN_H
/*
 * What archives of images may be compressed with, though layers may not: xz and bzip2. Each has a file that reads it,
 * and a compress_NAME_none.c for builds without its library.
 */
#include "image/compress_gunzip.h"
#include <stdbool.h>

struct foreign_format {
        const char *name;
        void *(*open)(void); /* NULL: no memory. The function is NULL: this build cannot read the format */
        void (*close)(void *state);
        /*
         * as far as @io goes; @ended: nothing comes behind its input. 1 at the end of all streams (several may follow
         * each other), 0 needs more, -1 with the reason in *ret_why
         */
        int (*run)(void *state, struct gunzip_io *io, bool ended, const char **ret_why);
};

extern const struct foreign_format foreign_xz, foreign_bzip2;

#endif
