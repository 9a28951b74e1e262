#ifndef CORACLE_MONITOR_LOG_FILES_H
#define CORACLE_MONITOR_LOG_FILES_H
/*
 * The files of a log that is read: NAME, NAME.1 (older) or NAME.1.gz, … While they are looked for they may be renamed,
 * each to the next number, and a plain one may be replaced by its compressed form; each is found once all the same.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct log_part_file {
        int fd; /* for reading at any place, once log_part_file_ready() was called */
        dev_t dev;
        ino_t ino;
        bool packed;       /* fd is the compressed one still */
        uint32_t crc, len; /* of what is in it, if packed */
        off_t at;          /* how far it was read */
};

/*
 * log_files_find() - all that are newer than @known (NULL: all there are), oldest first; log_files_free(). None is no
 * error
 */
int log_files_find(int dirfd, const char *name, const struct log_part_file *known, struct log_part_file **ret,
                   size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;
/* log_part_file_ready() - decompress it, if need be: the beginning of a damaged one is better than nothing */
int log_part_file_ready(struct log_part_file *f, struct cor_err *err) COR_MUST_CHECK;
void log_files_free(struct log_part_file *files, size_t n);

#endif
