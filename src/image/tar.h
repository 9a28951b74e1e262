#ifndef CORACLE_IMAGE_TAR_H
#define CORACLE_IMAGE_TAR_H
/*
 * Tar streams, bytes in and bytes out: POSIX ustar, pax (POSIX.1-2001), GNU (long names, base-256 numbers, sparse files
 * of all four kinds) and v7 read; pax written. Names are bytes, never converted. Extended attributes are those of
 * SCHILY.xattr.* (and LIBARCHIVE.xattr.*), POSIX ACLs as SCHILY.acl.*.
 *
 * Why not libarchive: this parser runs in the process that may change owners and make devices, so that process carries
 * no more code than it needs; names that are not UTF-8 and all of a layer's details pass unconverted.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum tar_type { TAR_FILE, TAR_HARDLINK, TAR_SYMLINK, TAR_CHAR, TAR_BLOCK, TAR_DIR, TAR_FIFO };

struct tar_xattr {
        char *name;
        char *value; /* bytes */
        size_t len;
};
/* A piece of a sparse file that holds data. */
struct tar_extent {
        int64_t offset, length;
};

struct tar_entry {
        enum tar_type type;
        char *name, *link; /* as they stand in the archive; link: target of both kinds of links */
        uint32_t mode;     /* permission bits with set-id and sticky */
        uint64_t uid, gid;
        char *uname, *gname;
        int64_t size; /* of the file once unpacked (a sparse one with its holes) */
        struct timespec mtime, atime, ctime;
        bool has_atime, has_ctime;
        uint32_t dev_major, dev_minor;
        struct tar_xattr *xattrs;
        size_t n_xattrs;
        struct tar_extent *extents; /* of a sparse file */
        size_t n_extents;
        bool sparse;
};

/* What a reader refuses to go beyond; 0 is the default in brackets. */
struct tar_limits {
        int64_t entries;      /* [4 million] */
        int64_t bytes;        /* of all file contents as unpacked, holes included [unlimited] */
        int64_t header_bytes; /* of one entry's pax or long name records [1 MiB] */
};

/* Where the bytes come from: up to @n bytes into @buf; 0 at the end, -1 with an error. */
struct tar_source {
        ssize_t (*read)(void *context, void *buf, size_t n, struct cor_err *err);
        void *context;
};

struct tar_reader;
struct tar_reader *tar_reader_new(const struct tar_source *source, const struct tar_limits *limits);
void tar_reader_free(struct tar_reader *r);
static inline void tar_reader_free_p(struct tar_reader **r)
{
        tar_reader_free(*r);
}
#define auto_tar_reader COR_CLEANUP(tar_reader_free_p) struct tar_reader *
/*
 * tar_next() - the next entry, valid until the next call: 1, 0 at the end of the archive, -1 INVALID with the place.
 * Data of the entry before that was not read is skipped. Owners and times of global pax headers apply, and nothing else
 * of them; entries of unknown types are skipped.
 */
int tar_next(struct tar_reader *r, const struct tar_entry **ret, struct cor_err *err) COR_MUST_CHECK;
/* tar_data() - the next piece of the entry's data: 1 with offset in the file and bytes (borrowed), 0 at its end */
int tar_data(struct tar_reader *r, int64_t *ret_offset, const void **ret_bytes, size_t *ret_n, struct cor_err *err)
        COR_MUST_CHECK;
/* tar_drain() - read to the end of the source, so that its hash covers the padding too */
int tar_drain(struct tar_reader *r, struct cor_err *err) COR_MUST_CHECK;

/* Where written bytes go. */
struct tar_sink {
        int (*write)(void *context, const void *bytes, size_t n, struct cor_err *err);
        void *context;
        void (*owner)(void *context, uint64_t *uid, uint64_t *gid); /* owners as they are to be written; or NULL */
};
struct tar_writer;
struct tar_writer *tar_writer_new(const struct tar_sink *sink);
void tar_writer_free(struct tar_writer *w);
static inline void tar_writer_free_p(struct tar_writer **w)
{
        tar_writer_free(*w);
}
#define auto_tar_writer COR_CLEANUP(tar_writer_free_p) struct tar_writer *
/* tar_write_entry() - header (ustar where it fits, pax records where not), then exactly the entry's bytes by
 * tar_write_data() */
int tar_write_entry(struct tar_writer *w, const struct tar_entry *e, struct cor_err *err) COR_MUST_CHECK;
int tar_write_data(struct tar_writer *w, const void *bytes, size_t n, struct cor_err *err) COR_MUST_CHECK;
/* tar_write_end() - padding and the two empty blocks */
int tar_write_end(struct tar_writer *w, struct cor_err *err) COR_MUST_CHECK;

#endif
