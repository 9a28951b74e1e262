#ifndef CORACLE_IMAGE_TAR_INTERNAL_H
#define CORACLE_IMAGE_TAR_INTERNAL_H
/*
 * Pieces that the reader and the writer of archives share, for tar_*.c alone.
 *
 *      tar_header.c   one block of 512 bytes: its fields, numbers and checksum
 *      tar_pax.c      extended headers: records, times, attributes; tar_acl.c: ACLs as text
 *      tar_sparse.c   the maps of sparse files
 *      tar_read.c     the stream
 */
#include "image/tar.h"

#define TAR_BLOCK_BYTES 512

/* Where the fields of a header are (POSIX ustar; those from SPARSE on are GNU's). */
enum {
        AT_NAME = 0,
        AT_MODE = 100,
        AT_UID = 108,
        AT_GID = 116,
        AT_SIZE = 124,
        AT_MTIME = 136,
        AT_CHECKSUM = 148,
        AT_TYPE = 156,
        AT_LINK = 157,
        AT_MAGIC = 257,
        AT_UNAME = 265,
        AT_GNAME = 297,
        AT_MAJOR = 329,
        AT_MINOR = 337,
        AT_PREFIX = 345,
        AT_GNU_ATIME = 345,
        AT_GNU_CTIME = 357,
        AT_GNU_SPARSE = 386,
        AT_GNU_EXTENDED = 482,
        AT_GNU_REALSIZE = 483,
        AT_GNU_MORE_EXTENDED = 504, /* in a block that continues a map */
        AT_STAR_TRAILER = 508,
};
enum { NAME_BYTES = 100, PREFIX_BYTES = 155, STAR_PREFIX_BYTES = 131, OWNER_BYTES = 32 };
enum { GNU_MAP_FIRST = 4, GNU_MAP_MORE = 21, GNU_MAP_BYTES = 24 };

enum tar_dialect { DIALECT_V7, DIALECT_USTAR, DIALECT_GNU, DIALECT_STAR };

/* What one block says, before extended headers; strings are terminated. */
struct tar_header {
        enum tar_dialect dialect;
        uint8_t type; /* the type flag as it stands there */
        char name[PREFIX_BYTES + 1 + NAME_BYTES + 1], link[NAME_BYTES + 1];
        char uname[OWNER_BYTES + 1], gname[OWNER_BYTES + 1];
        int64_t mode, uid, gid, size, mtime, atime, ctime, major, minor;
        bool has_atime, has_ctime;
        int64_t real_size; /* of GNU's sparse file */
};

bool tar_block_is_zero(const uint8_t *block);
/* tar_number() - an octal or base-256 field; -1 if it is neither or too large */
int tar_number(const uint8_t *field, size_t n, int64_t *ret) COR_MUST_CHECK;
/* tar_checksum() - of a header, with the checksum's own field taken as blanks; as both signed and unsigned bytes */
void tar_checksum(const uint8_t *block, int64_t *ret_unsigned, int64_t *ret_signed);
int tar_header_parse(const uint8_t *block, struct tar_header *ret, struct cor_err *err) COR_MUST_CHECK;

/* The records of an extended header, in their order. */
struct tar_pax_record {
        const char *key;
        char *value; /* @len bytes, and a NUL behind them */
        size_t len;
};
struct tar_pax {
        char *raw; /* keys and values point into it */
        struct tar_pax_record *items;
        size_t n_items;
};
/* tar_pax_parse() - takes @raw, @n bytes; what @ret held is freed on success */
int tar_pax_parse(char *raw, size_t n, struct tar_pax *ret, struct cor_err *err) COR_MUST_CHECK;
/* tar_pax_find() - the last record of @key that is not empty (an empty one takes the key back), or NULL */
const struct tar_pax_record *tar_pax_find(const struct tar_pax *pax, const char *key);
void tar_pax_done(struct tar_pax *pax);

/*
 * tar_pax_owners() - owner and times of @pax into @e: all that a global header may say. (A global name, size or map
 * would make this reader see other entries than Go's and libarchive's, which take nothing from a global header.)
 */
int tar_pax_owners(const struct tar_pax *pax, struct tar_entry *e, struct cor_err *err) COR_MUST_CHECK;
/* tar_pax_xattrs() - extended attributes and ACLs; what could not stay in @pax's memory is kept in @ret_own */
int tar_pax_xattrs(const struct tar_pax *pax, struct tar_entry *e, char *ret_own[2], struct cor_err *err)
        COR_MUST_CHECK;
/* tar_pax_time() - seconds since 1970 with a fraction, maybe negative */
int tar_pax_time(const char *s, struct timespec *ret) COR_MUST_CHECK;
/* tar_acl_parse() - the text of an ACL as the kernel's attribute holds it, to be freed; 0, and *ret NULL if a name in
 * it is not a number, or it is no ACL at all */
void tar_acl_parse(const char *text, char **ret, size_t *ret_len);

/* How a file is sparse, told by its records. */
enum tar_sparse { SPARSE_NO, SPARSE_GNU, SPARSE_PAX_0, SPARSE_PAX_1 };

/* tar_sparse_pax() - which kind; for 0.x the map too. *ret_name: the file's own name, or NULL */
int tar_sparse_pax(const struct tar_pax *pax, struct tar_entry *e, enum tar_sparse *ret, const char **ret_name,
                   struct cor_err *err) COR_MUST_CHECK;
/* tar_sparse_gnu() - add up to @n pieces of a GNU map at @map; 0 at its end, 1 if it goes on */
int tar_sparse_gnu(const uint8_t *map, size_t n, struct tar_entry *e, struct cor_err *err) COR_MUST_CHECK;
/* tar_sparse_check() - the pieces are in order, inside the file, and as long as @stored together */
int tar_sparse_check(const struct tar_entry *e, int64_t stored, struct cor_err *err) COR_MUST_CHECK;
int tar_sparse_add(struct tar_entry *e, int64_t offset, int64_t length, struct cor_err *err) COR_MUST_CHECK;

#endif
