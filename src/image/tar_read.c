/*
 * The reader: a buffer over the source, and in it the entries one after the other.
 *
 *      [extension: x g L K]* header [map of a sparse file] data padding … zero zero
 *
 * Where the readers of this world disagree, it is with Go's, which docker, containerd, podman and umoci use: links,
 * devices, directories and fifos have no data whatever their size says; what follows the first of two empty blocks is
 * not read; a name that ends with / means a directory only where the type is that of the oldest archives.
 */
#include "image/tar_internal.h"

#include "base/text.h"

#include <string.h>

#define BUFFER_BYTES       (256U << 10)
#define ENTRIES_DEFAULT    4000000
#define HEADER_DEFAULT     (1 << 20)
#define GLOBAL_BYTES_MAX   (64U << 10) /* of a global header: it is applied to each entry */
#define MAP_LINE_BYTES_MAX 24

struct tar_reader {
        struct tar_source source;
        struct tar_limits limits;
        uint8_t *buf;
        size_t pos, fill; /* what of the buffer is still to be used */
        int64_t offset;   /* of buf[pos] in the archive */
        bool source_ended, ended;
        int64_t n_entries, bytes;

        struct tar_entry entry;
        struct tar_header header;
        struct tar_pax pax, global;
        char *long_name, *long_link, *own_xattrs[2]; /* memory of this entry */

        int64_t left;     /* bytes of the entry's data that are still in the archive */
        unsigned padding; /* behind them */
        int64_t at;       /* where in the file the next byte of data belongs */
        size_t extent;    /* of a sparse file: the piece under way, and how much of it is done */
        int64_t extent_done;
};

struct tar_reader *tar_reader_new(const struct tar_source *source, const struct tar_limits *limits)
{
        struct tar_reader *r = cor_alloc(sizeof *r);

        r->source = *source;
        if (limits)
                r->limits = *limits;
        if (r->limits.entries <= 0)
                r->limits.entries = ENTRIES_DEFAULT;
        if (r->limits.header_bytes <= 0)
                r->limits.header_bytes = HEADER_DEFAULT;
        r->buf = cor_alloc(BUFFER_BYTES);
        return r;
}

static void reset_entry(struct tar_reader *r)
{
        struct tar_extent *extents = r->entry.extents;
        struct tar_xattr *xattrs = r->entry.xattrs;

        tar_pax_done(&r->pax);
        free(r->long_name);
        free(r->long_link);
        free(r->own_xattrs[0]);
        free(r->own_xattrs[1]);
        r->long_name = r->long_link = r->own_xattrs[0] = r->own_xattrs[1] = NULL;
        r->entry = (struct tar_entry){ .extents = extents, .xattrs = xattrs }; /* their memory serves the next ones */
        r->at = r->extent_done = 0;
        r->extent = 0;
}

void tar_reader_free(struct tar_reader *r)
{
        if (!r)
                return;
        reset_entry(r);
        tar_pax_done(&r->global);
        free(r->entry.extents);
        free(r->entry.xattrs);
        free(r->buf);
        free(r);
}

/* ------------------------------------------------------------------------------------------------------- the stream */

static int fail_at(struct tar_reader *r, struct cor_err *err)
{
        return cor_wrap(err, "tar archive, byte %lld", (long long)r->offset);
}

/* Have @n bytes (or all that are left) at buf[pos]; how many there are, at least. */
static ssize_t need(struct tar_reader *r, size_t n, struct cor_err *err)
{
        if (r->fill - r->pos >= n)
                return (ssize_t)(r->fill - r->pos);
        if (r->pos == r->fill)
                r->pos = r->fill = 0;
        else if (r->pos + n > BUFFER_BYTES) {
                memmove(r->buf, r->buf + r->pos, r->fill - r->pos);
                r->fill -= r->pos;
                r->pos = 0;
        }
        while (r->fill - r->pos < n && !r->source_ended) {
                ssize_t got = r->source.read(r->source.context, r->buf + r->fill, BUFFER_BYTES - r->fill, err);

                if (got < 0)
                        return -1;
                r->fill += (size_t)got;
                r->source_ended = got == 0;
        }
        return (ssize_t)(r->fill - r->pos);
}

static void use(struct tar_reader *r, size_t n)
{
        r->pos += n;
        r->offset += (int64_t)n;
}

static int cut_off(struct tar_reader *r, struct cor_err *err)
{
        cor_fail(err, COR_INVALID, "the archive is cut off");
        return fail_at(r, err);
}

static int skip(struct tar_reader *r, int64_t n, struct cor_err *err)
{
        while (n > 0) {
                ssize_t got = need(r, 1, err);

                if (got <= 0)
                        return got < 0 ? -1 : cut_off(r, err);
                if (got > n)
                        got = (ssize_t)n;
                use(r, (size_t)got);
                n -= got;
        }
        return 0;
}

/* The next block, valid until the next call: 1, or 0 at the end of the source. */
static int next_block(struct tar_reader *r, const uint8_t **ret, struct cor_err *err)
{
        ssize_t got = need(r, TAR_BLOCK_BYTES, err);

        if (got < 0)
                return -1;
        if (got == 0)
                return 0;
        if (got < TAR_BLOCK_BYTES)
                return cut_off(r, err);
        *ret = r->buf + r->pos;
        use(r, TAR_BLOCK_BYTES);
        return 1;
}

/* Into r->header: 1; 0 at the end of the archive, be it marked or not. */
static int next_header(struct tar_reader *r, struct cor_err *err)
{
        const uint8_t *block;
        int got = next_block(r, &block, err);

        if (got <= 0)
                return got;
        if (!tar_block_is_zero(block))
                return tar_header_parse(block, &r->header, err) < 0 ? fail_at(r, err) : 1;
        got = next_block(r, &block, err);
        if (got <= 0)
                return got;
        if (tar_block_is_zero(block))
                return 0;
        cor_fail(err, COR_INVALID, "a lone empty block, and more behind it");
        return fail_at(r, err);
}

static unsigned padding_of(int64_t size)
{
        return (unsigned)(-(uint64_t)size % TAR_BLOCK_BYTES);
}

/* The data of an extension; free() *ret. */
static int payload(struct tar_reader *r, char **ret, size_t *ret_n, struct cor_err *err)
{
        int64_t size = r->header.size;
        auto_str raw = NULL;
        size_t done = 0;

        if (size < 0 || size > r->limits.header_bytes) {
                cor_fail(err, COR_INVALID, "header of %lld bytes, more than the limit of %lld", (long long)size,
                         (long long)r->limits.header_bytes);
                return fail_at(r, err);
        }
        raw = cor_alloc_limited((size_t)size + 1, (size_t)r->limits.header_bytes + 1, "tar header", err);
        if (!raw)
                return -1;
        while (done < (size_t)size) {
                ssize_t got = need(r, 1, err);

                if (got <= 0)
                        return got < 0 ? -1 : cut_off(r, err);
                if ((size_t)got > (size_t)size - done)
                        got = (ssize_t)((size_t)size - done);
                memcpy(raw + done, r->buf + r->pos, (size_t)got);
                use(r, (size_t)got);
                done += (size_t)got;
        }
        if (skip(r, padding_of(size), err) < 0)
                return -1;
        *ret = COR_TAKE(raw);
        *ret_n = (size_t)size;
        return 0;
}

/* ------------------------------------------------------------------------------------------------------- extensions */

/* It takes the place of the one before, as to GNU tar. Takes @raw. */
static int take_global(struct tar_reader *r, char *raw, size_t n, struct cor_err *err)
{
        if (n > GLOBAL_BYTES_MAX) {
                free(raw);
                cor_fail(err, COR_INVALID, "global header of more than %u bytes", GLOBAL_BYTES_MAX);
                return fail_at(r, err);
        }
        return tar_pax_parse(raw, n, &r->global, err) < 0 ? fail_at(r, err) : 1;
}

/* If the header is one that speaks of the next: take it, 1. */
static int take_extension(struct tar_reader *r, struct cor_err *err)
{
        auto_str raw = NULL;
        uint8_t type = r->header.type;
        size_t n = 0;

        if (!strchr("xXgLKN", type) || type == '\0')
                return 0;
        if (payload(r, &raw, &n, err) < 0)
                return -1;
        switch (type) {
        case 'L':
                free(r->long_name);
                r->long_name = COR_TAKE(raw);
                return 1;
        case 'K':
                free(r->long_link);
                r->long_link = COR_TAKE(raw);
                return 1;
        case 'g':
                return take_global(r, COR_TAKE(raw), n, err);
        case 'N': /* names as GNU tar wrote them before 1990 */
                return 1;
        default:
                return tar_pax_parse(COR_TAKE(raw), n, &r->pax, err) < 0 ? fail_at(r, err) : 1;
        }
}

/* -------------------------------------------------------------------------------------------------------- one entry */

/* 1 known, 0 not one that is unpacked */
static int type_of(const struct tar_header *h, const char *name, enum tar_type *ret)
{
        switch (h->type) {
        case '\0':
                *ret = cor_ends_with(name, "/") ? TAR_DIR : TAR_FILE;
                return 1;
        case '0':
        case '7': /* contiguous */
        case 'S': /* GNU, sparse */
                *ret = TAR_FILE;
                return 1;
        case '1':
                *ret = TAR_HARDLINK;
                return 1;
        case '2':
                *ret = TAR_SYMLINK;
                return 1;
        case '3':
                *ret = TAR_CHAR;
                return 1;
        case '4':
                *ret = TAR_BLOCK;
                return 1;
        case '5':
        case 'D': /* GNU, a directory with a list of its files as data */
                *ret = TAR_DIR;
                return 1;
        case '6':
                *ret = TAR_FIFO;
                return 1;
        default:
                return 0;
        }
}

/* A string of the pax header, which holds no NUL. */
static int pax_string(struct tar_reader *r, const char *key, char **ret, struct cor_err *err)
{
        const struct tar_pax_record *record = tar_pax_find(&r->pax, key);

        if (!record)
                return 0;
        if (strlen(record->value) != record->len)
                return cor_fail(err, COR_INVALID, "pax header: NUL in %s", key);
        *ret = record->value;
        return 0;
}

static int pax_size(struct tar_reader *r, int64_t *ret, struct cor_err *err)
{
        const struct tar_pax_record *record = tar_pax_find(&r->pax, "size");

        if (record && cor_parse_i64(record->value, ret) < 0)
                return cor_fail(err, COR_INVALID, "pax header: size is not a number");
        return *ret < 0 ? cor_fail(err, COR_INVALID, "a negative size") : 0;
}

static int from_header(struct tar_reader *r, struct cor_err *err)
{
        struct tar_header *h = &r->header;
        struct tar_entry *e = &r->entry;

        e->name = r->long_name ? r->long_name : h->name;
        e->link = r->long_link ? r->long_link : h->link;
        e->mode = (uint32_t)h->mode & 07777;
        e->uname = h->uname;
        e->gname = h->gname;
        e->mtime.tv_sec = h->mtime;
        e->atime.tv_sec = h->atime;
        e->ctime.tv_sec = h->ctime;
        e->has_atime = h->has_atime;
        e->has_ctime = h->has_ctime;
        e->uid = (uint64_t)h->uid;
        e->gid = (uint64_t)h->gid;
        if (h->major < 0 || h->major > UINT32_MAX || h->minor < 0 || h->minor > UINT32_MAX)
                return cor_fail(err, COR_INVALID, "the device number %lld:%lld does not exist", (long long)h->major,
                                (long long)h->minor);
        e->dev_major = (uint32_t)h->major;
        e->dev_minor = (uint32_t)h->minor;
        return 0;
}

static int check_owner(const struct tar_entry *e, struct cor_err *err)
{
        if (e->uid >= UINT32_MAX || e->gid >= UINT32_MAX) /* the last one means "none" to the kernel */
                return cor_fail(err, COR_INVALID, "the owner %lld:%lld does not exist", (long long)e->uid,
                                (long long)e->gid);
        return 0;
}

/* The map of GNU's own kind: four pieces in the header, and 21 in each block behind it. */
static int gnu_map(struct tar_reader *r, const uint8_t *header_map, bool extended, struct cor_err *err)
{
        const uint8_t *block;
        int more = tar_sparse_gnu(header_map, GNU_MAP_FIRST, &r->entry, err);

        while (more >= 0 && extended) {
                int got = next_block(r, &block, err);

                if (got <= 0)
                        return got < 0 ? -1 : cut_off(r, err);
                extended = block[AT_GNU_MORE_EXTENDED] != '\0';
                if (more > 0)
                        more = tar_sparse_gnu(block, GNU_MAP_MORE, &r->entry, err);
        }
        return more < 0 ? -1 : 0;
}

/* One line of the map of 1.0: a number. It is the first part of the data, so *left shrinks. */
static int map_number(struct tar_reader *r, int64_t *left, int64_t *ret, struct cor_err *err)
{
        char line[MAP_LINE_BYTES_MAX];
        size_t n = 0;

        for (;;) {
                ssize_t got = *left > 0 ? need(r, 1, err) : 0;
                char c;

                if (got < 0)
                        return -1;
                if (got == 0 || n == sizeof line)
                        return cor_fail(err, COR_INVALID, "the map of the sparse file is damaged");
                c = (char)r->buf[r->pos];
                use(r, 1);
                (*left)--;
                if (c == '\n')
                        break;
                line[n++] = c;
        }
        line[n] = '\0';
        if (cor_parse_i64(line, ret) < 0 || *ret < 0)
                return cor_fail(err, COR_INVALID, "the map of the sparse file is damaged");
        return 0;
}

static int map_of_data(struct tar_reader *r, int64_t *left, struct cor_err *err)
{
        int64_t whole = *left, n, offset, length, rest;

        if (map_number(r, left, &n, err) < 0)
                return -1;
        for (; n > 0; n--)
                if (map_number(r, left, &offset, err) < 0 || map_number(r, left, &length, err) < 0 ||
                    tar_sparse_add(&r->entry, offset, length, err) < 0)
                        return -1;
        rest = padding_of(whole - *left);
        if (rest > *left)
                return cor_fail(err, COR_INVALID, "the map of the sparse file is damaged");
        *left -= rest;
        return skip(r, rest, err);
}

/* Sizes and the map: what is in the archive (r->left) and what becomes of it (e->size). */
static int sizes(struct tar_reader *r, bool gnu_sparse, struct cor_err *err)
{
        struct tar_entry *e = &r->entry;
        int64_t stored = r->header.size;
        enum tar_sparse kind;
        const char *name;

        if (pax_size(r, &stored, err) < 0)
                return -1;
        if (e->type != TAR_FILE) {
                r->left = r->header.type == 'D' ? stored : 0;
                r->padding = padding_of(r->left);
                return 0;
        }
        e->size = stored;
        if (tar_sparse_pax(&r->pax, e, &kind, &name, err) < 0)
                return -1;
        if (name)
                e->name = (char *)(uintptr_t)name;
        if (gnu_sparse && kind == SPARSE_NO) {
                e->sparse = true;
                e->size = r->header.real_size;
        }
        if (e->size < 0)
                return cor_fail(err, COR_INVALID, "a negative size");
        r->padding = padding_of(stored);
        if (kind == SPARSE_PAX_1 && map_of_data(r, &stored, err) < 0)
                return -1;
        r->left = stored;
        return e->sparse ? tar_sparse_check(e, stored, err) : 0;
}

static int fill_entry(struct tar_reader *r, struct cor_err *err)
{
        struct tar_entry *e = &r->entry;
        bool gnu_sparse = r->header.type == 'S', extended = r->buf[r->pos - TAR_BLOCK_BYTES + AT_GNU_EXTENDED] != '\0';
        uint8_t map[GNU_MAP_FIRST * GNU_MAP_BYTES];
        int known;

        /* The header is still in the buffer: nothing has been read since. */
        memcpy(map, r->buf + r->pos - TAR_BLOCK_BYTES + AT_GNU_SPARSE, sizeof map);
        if (from_header(r, err) < 0 || pax_string(r, "path", &e->name, err) < 0 ||
            pax_string(r, "linkpath", &e->link, err) < 0)
                return -1;
        known = type_of(&r->header, e->name, &e->type);
        if (tar_pax_owners(&r->global, e, err) < 0 || tar_pax_owners(&r->pax, e, err) < 0 ||
            tar_pax_xattrs(&r->pax, e, r->own_xattrs, err) < 0)
                return -1;
        if (!known) { /* its data is skipped */
                if (pax_size(r, &r->header.size, err) < 0)
                        return -1;
                r->left = r->header.size;
                r->padding = padding_of(r->left);
                return 0;
        }
        if (check_owner(e, err) < 0 || (gnu_sparse && gnu_map(r, map, extended, err) < 0) ||
            sizes(r, gnu_sparse, err) < 0)
                return -1;
        return 1;
}

static int count(struct tar_reader *r, struct cor_err *err)
{
        if (++r->n_entries <= r->limits.entries)
                return 0;
        cor_fail(err, COR_INVALID, "archive bomb: more than %lld entries (image-max-entries in daemon.json)",
                 (long long)r->limits.entries);
        return fail_at(r, err);
}

static int count_bytes(struct tar_reader *r, struct cor_err *err)
{
        if (r->entry.size > INT64_MAX - r->bytes ||
            (r->limits.bytes > 0 && r->bytes + r->entry.size > r->limits.bytes)) {
                cor_fail(err, COR_INVALID,
                         "archive bomb: its files hold more than %lld bytes (image-max-layer-size in daemon.json)",
                         (long long)(r->limits.bytes > 0 ? r->limits.bytes : INT64_MAX));
                return fail_at(r, err);
        }
        r->bytes += r->entry.size;
        return 0;
}

int tar_next(struct tar_reader *r, const struct tar_entry **ret, struct cor_err *err)
{
        int known = 0;

        if (r->ended)
                return 0;
        while (known == 0) {
                int got, extension = 1;

                if (skip(r, r->left, err) < 0 || skip(r, r->padding, err) < 0)
                        return -1;
                r->left = r->padding = 0;
                reset_entry(r);
                while (extension > 0) {
                        got = next_header(r, err);
                        if (got <= 0) {
                                r->ended = got == 0;
                                return got;
                        }
                        extension = count(r, err) < 0 ? -1 : take_extension(r, err);
                }
                if (extension < 0)
                        return -1;
                known = fill_entry(r, err);
        }
        if (known < 0)
                return fail_at(r, err);
        if (count_bytes(r, err) < 0)
                return -1;
        *ret = &r->entry;
        return 1;
}

/* ------------------------------------------------------------------------------------------------------------- data */

/* How many of the bytes that come next lie together in the file; r->at is where. */
static int64_t together(struct tar_reader *r)
{
        while (r->extent < r->entry.n_extents) {
                const struct tar_extent *x = &r->entry.extents[r->extent];

                if (r->extent_done < x->length) {
                        r->at = x->offset + r->extent_done;
                        return x->length - r->extent_done;
                }
                r->extent++;
                r->extent_done = 0;
        }
        return 0;
}

int tar_data(struct tar_reader *r, int64_t *ret_offset, const void **ret_bytes, size_t *ret_n, struct cor_err *err)
{
        int64_t want = r->entry.sparse ? together(r) : r->left;
        ssize_t got;

        if (r->left == 0 || r->entry.type != TAR_FILE)
                return 0;
        got = need(r, 1, err);
        if (got <= 0)
                return got < 0 ? -1 : cut_off(r, err);
        if (got > want)
                got = (ssize_t)want;
        *ret_offset = r->at;
        *ret_bytes = r->buf + r->pos;
        *ret_n = (size_t)got;
        use(r, (size_t)got);
        r->left -= got;
        r->at += got;
        r->extent_done += got;
        return 1;
}

int tar_drain(struct tar_reader *r, struct cor_err *err)
{
        for (;;) {
                ssize_t got = need(r, 1, err);

                if (got <= 0)
                        return (int)got;
                use(r, (size_t)got);
        }
}
