/*
 * The writer: POSIX ustar, and before it a pax header for whatever ustar has no room for. The same entry gives the same
 * bytes, always: records are in the order of their keys, and the headers of our own have no owner and no time.
 */
#include "image/tar_internal.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define OCTAL_7_MAX  07777777 /* what fits a field of 8 bytes, and one of 12 */
#define OCTAL_11_MAX 077777777777LL
#define NAME_MAX_OUT (1U << 20)

struct record {
        char *key, *value;
        size_t len;
};

struct tar_writer {
        struct tar_sink sink;
        int64_t left; /* of the entry's data */
        unsigned padding;
        struct record *records; /* of the header that is being made */
        size_t n_records;
        struct cor_text map; /* of a sparse file */
};

struct tar_writer *tar_writer_new(const struct tar_sink *sink)
{
        struct tar_writer *w = cor_alloc(sizeof *w);

        w->sink = *sink;
        return w;
}

static void drop_records(struct tar_writer *w)
{
        for (size_t i = 0; i < w->n_records; i++) {
                free(w->records[i].key);
                free(w->records[i].value);
        }
        free(w->records);
        w->records = NULL;
        w->n_records = 0;
}

void tar_writer_free(struct tar_writer *w)
{
        if (!w)
                return;
        drop_records(w);
        cor_text_done(&w->map);
        free(w);
}

/* ---------------------------------------------------------------------------------------------------------- records */

static void add_bytes(struct tar_writer *w, char *key, const void *value, size_t len)
{
        char *copy = cor_alloc(len + 1);

        if (len > 0)
                memcpy(copy, value, len);
        *COR_GROW(w->records, w->n_records) = (struct record){ key, copy, len };
}

static void add(struct tar_writer *w, const char *key, const char *value)
{
        add_bytes(w, cor_strdup(key), value, strlen(value));
}

static void add_number(struct tar_writer *w, const char *key, long long value)
{
        char text[24];

        snprintf(text, sizeof text, "%lld", value);
        add(w, key, text);
}

/* "-1.5" is how pax writes half a second before -1. */
static void add_time(struct tar_writer *w, const char *key, struct timespec t)
{
        bool back = t.tv_sec < 0 && t.tv_nsec > 0;
        long long seconds = back ? (long long)t.tv_sec + 1 : (long long)t.tv_sec;
        long ns = back ? 1000000000 - t.tv_nsec : t.tv_nsec;
        char text[48];
        size_t n;

        snprintf(text, sizeof text, "%s%lld.%09ld", back && seconds == 0 ? "-" : "", seconds, ns);
        n = strlen(text);
        while (text[n - 1] == '0')
                n--;
        text[text[n - 1] == '.' ? n - 1 : n] = '\0';
        add(w, key, text);
}

/* libarchive's form, for a name that a record's key cannot hold. */
static void add_coded_xattr(struct tar_writer *w, const struct tar_xattr *x)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const uint8_t *value = (const uint8_t *)x->value;
        auto_text key = COR_TEXT_INIT, coded = COR_TEXT_INIT;

        cor_text_add(&key, "LIBARCHIVE.xattr.");
        for (const char *c = x->name; *c; c++)
                if (*c == '=' || *c == '%')
                        cor_text_printf(&key, "%%%02X", (unsigned)*c);
                else
                        cor_text_add_c(&key, *c);
        for (size_t i = 0; i < x->len; i += 3) {
                uint32_t bits = (uint32_t)value[i] << 16;

                bits |= i + 1 < x->len ? (uint32_t)value[i + 1] << 8 : 0;
                bits |= i + 2 < x->len ? value[i + 2] : 0;
                for (size_t d = 0; d < (x->len - i < 3 ? x->len - i + 1 : 4); d++)
                        cor_text_add_c(&coded, digits[bits >> (18 - 6 * d) & 63]);
        }
        add_bytes(w, cor_text_take(&key), coded.s ? coded.s : "", coded.len);
}

static void add_xattrs(struct tar_writer *w, const struct tar_entry *e)
{
        for (size_t i = 0; i < e->n_xattrs; i++)
                if (strchr(e->xattrs[i].name, '='))
                        add_coded_xattr(w, &e->xattrs[i]);
                else
                        add_bytes(w, cor_printf("SCHILY.xattr.%s", e->xattrs[i].name), e->xattrs[i].value,
                                  e->xattrs[i].len);
}

static int by_key(const void *a, const void *b)
{
        return strcmp(((const struct record *)a)->key, ((const struct record *)b)->key);
}

/* "LENGTH KEY=VALUE\n", where the length counts itself. */
static void print_record(const struct record *r, struct cor_text *out)
{
        size_t rest = strlen(r->key) + r->len + 3, len;

        for (size_t digits = 1, power = 10;; digits++, power *= 10) {
                len = rest + digits;
                if (len < power)
                        break;
        }
        cor_text_printf(out, "%zu %s=", len, r->key);
        cor_text_add_n(out, r->value, r->len);
        cor_text_add_c(out, '\n');
}

/* ----------------------------------------------------------------------------------------------------------- blocks */

static int put(struct tar_writer *w, const void *bytes, size_t n, struct cor_err *err)
{
        return n > 0 ? w->sink.write(w->sink.context, bytes, n, err) : 0;
}

static int pad(struct tar_writer *w, unsigned n, struct cor_err *err)
{
        static const uint8_t zero[TAR_BLOCK_BYTES];

        return put(w, zero, n, err);
}

static unsigned padding_of(int64_t size)
{
        return (unsigned)(-(uint64_t)size % TAR_BLOCK_BYTES);
}

static void octal(uint8_t *block, size_t at, size_t n, long long value)
{
        char text[24];

        snprintf(text, sizeof text, "%0*llo", (int)n - 1, (unsigned long long)value);
        memcpy(block + at, text, n);
}

/* Fields have no terminator when they are full. */
static void set(uint8_t *block, size_t at, const void *bytes, size_t n)
{
        memcpy(block + at, bytes, n);
}

/* Where to cut a long name, so that both parts have room; 0: nowhere. */
static size_t cut_of(const char *name, size_t len)
{
        size_t most = len - 1 < PREFIX_BYTES ? len - 1 : PREFIX_BYTES;

        for (size_t i = most; i > 0 && len - i - 1 <= NAME_BYTES; i--)
                if (name[i] == '/' && len - i - 1 > 0)
                        return i;
        return 0;
}

/* @name into its fields; false: it has no room. */
static bool set_name(uint8_t *block, const char *name)
{
        size_t len = strlen(name), cut;

        if (len <= NAME_BYTES) {
                set(block, AT_NAME, name, len);
                return true;
        }
        cut = cut_of(name, len);
        if (cut == 0) {
                set(block, AT_NAME, name, NAME_BYTES);
                return false;
        }
        set(block, AT_PREFIX, name, cut);
        set(block, AT_NAME, name + cut + 1, len - cut - 1);
        return true;
}

static void set_frame(uint8_t *block, char type)
{
        static const char magic_and_version[8] = { 'u', 's', 't', 'a', 'r', '\0', '0', '0' };

        block[AT_TYPE] = (uint8_t)type;
        set(block, AT_MAGIC, magic_and_version, sizeof magic_and_version);
}

static int put_header(struct tar_writer *w, uint8_t *block, struct cor_err *err)
{
        int64_t sum, as_signed;

        tar_checksum(block, &sum, &as_signed);
        octal(block, AT_CHECKSUM, 7, sum);
        block[AT_CHECKSUM + 7] = ' ';
        return put(w, block, TAR_BLOCK_BYTES, err);
}

static const char *last_part(const char *name)
{
        size_t n = strlen(name);

        while (n > 1 && name[n - 1] == '/')
                n--;
        while (n > 0 && name[n - 1] != '/')
                n--;
        return name + n;
}

static int put_records(struct tar_writer *w, const char *name, struct cor_err *err)
{
        uint8_t block[TAR_BLOCK_BYTES] = { 0 };
        auto_text out = COR_TEXT_INIT;
        char own_name[NAME_BYTES];

        if (w->n_records == 0)
                return 0;
        qsort(w->records, w->n_records, sizeof *w->records, by_key);
        for (size_t i = 0; i < w->n_records; i++)
                print_record(&w->records[i], &out);
        snprintf(own_name, sizeof own_name, "PaxHeaders.0/%.80s", last_part(name));
        set_name(block, own_name);
        set_frame(block, 'x');
        octal(block, AT_MODE, 8, 0);
        octal(block, AT_UID, 8, 0);
        octal(block, AT_GID, 8, 0);
        octal(block, AT_SIZE, 12, (long long)out.len);
        octal(block, AT_MTIME, 12, 0);
        if (put_header(w, block, err) < 0 || put(w, out.s, out.len, err) < 0)
                return -1;
        return pad(w, padding_of((int64_t)out.len), err);
}

/* ---------------------------------------------------------------------------------------------------------- entries */

static char type_flag(enum tar_type type)
{
        static const char flags[] = { [TAR_FILE] = '0',  [TAR_HARDLINK] = '1', [TAR_SYMLINK] = '2', [TAR_CHAR] = '3',
                                      [TAR_BLOCK] = '4', [TAR_DIR] = '5',      [TAR_FIFO] = '6' };

        return flags[type];
}

/* A number in its field, or as a record if it has no room there. */
static void number(struct tar_writer *w, uint8_t *block, size_t at, size_t n, const char *key, int64_t value)
{
        bool fits = value >= 0 && value <= (n == 8 ? OCTAL_7_MAX : OCTAL_11_MAX);

        octal(block, at, n, fits ? value : 0);
        if (!fits)
                add_number(w, key, value);
}

static void text_field(struct tar_writer *w, uint8_t *block, size_t at, size_t room, const char *key, const char *value)
{
        size_t n = value ? strlen(value) : 0;

        if (n > 0)
                set(block, at, value, n < room ? n : room);
        if (n > room)
                add(w, key, value);
}

static bool ends_with_hole(const struct tar_entry *e)
{
        const struct tar_extent *last;

        if (e->n_extents == 0)
                return true;
        last = &e->extents[e->n_extents - 1];
        return last->offset + last->length < e->size;
}

/* The map of a sparse file as text, in front of its data, and what says so (GNU's version 1.0). */
static int64_t sparse_map(struct tar_writer *w, const struct tar_entry *e)
{
        bool hole = ends_with_hole(e);
        int64_t stored = 0;

        cor_text_done(&w->map);
        cor_text_printf(&w->map, "%zu\n", e->n_extents + hole);
        for (size_t i = 0; i < e->n_extents; i++) {
                cor_text_printf(&w->map, "%lld\n%lld\n", (long long)e->extents[i].offset,
                                (long long)e->extents[i].length);
                stored += e->extents[i].length;
        }
        if (hole) /* GNU tar takes the size from the last piece */
                cor_text_printf(&w->map, "%lld\n0\n", (long long)e->size);
        for (unsigned n = padding_of((int64_t)w->map.len); n > 0; n--)
                cor_text_add_c(&w->map, '\0');
        add(w, "GNU.sparse.major", "1");
        add(w, "GNU.sparse.minor", "0");
        add(w, "GNU.sparse.name", e->name);
        add_number(w, "GNU.sparse.realsize", e->size);
        return stored + (int64_t)w->map.len;
}

static void set_times(struct tar_writer *w, uint8_t *block, const struct tar_entry *e)
{
        bool fits = e->mtime.tv_nsec == 0 && e->mtime.tv_sec >= 0 && e->mtime.tv_sec <= OCTAL_11_MAX;

        octal(block, AT_MTIME, 12, fits ? (long long)e->mtime.tv_sec : 0);
        if (!fits)
                add_time(w, "mtime", e->mtime);
        if (e->has_atime)
                add_time(w, "atime", e->atime);
        if (e->has_ctime)
                add_time(w, "ctime", e->ctime);
}

static void fill(struct tar_writer *w, uint8_t *block, const struct tar_entry *e)
{
        bool sparse = e->type == TAR_FILE && e->sparse, device = e->type == TAR_CHAR || e->type == TAR_BLOCK;
        int64_t stored = e->type != TAR_FILE ? 0 : sparse ? sparse_map(w, e) : e->size;
        char own_name[NAME_BYTES];

        set_frame(block, type_flag(e->type));
        if (sparse) {
                snprintf(own_name, sizeof own_name, "GNUSparseFile.0/%.80s", last_part(e->name));
                set_name(block, own_name);
        } else if (!set_name(block, e->name)) {
                add(w, "path", e->name);
        }
        octal(block, AT_MODE, 8, e->mode & 07777);
        number(w, block, AT_UID, 8, "uid", (int64_t)e->uid);
        number(w, block, AT_GID, 8, "gid", (int64_t)e->gid);
        number(w, block, AT_SIZE, 12, "size", stored);
        set_times(w, block, e);
        text_field(w, block, AT_UNAME, OWNER_BYTES - 1, "uname", e->uname);
        text_field(w, block, AT_GNAME, OWNER_BYTES - 1, "gname", e->gname);
        if (e->type == TAR_HARDLINK || e->type == TAR_SYMLINK)
                text_field(w, block, AT_LINK, NAME_BYTES, "linkpath", e->link);
        octal(block, AT_MAJOR, 8, device ? e->dev_major & OCTAL_7_MAX : 0);
        octal(block, AT_MINOR, 8, device ? e->dev_minor & OCTAL_7_MAX : 0);
        add_xattrs(w, e);
        w->left = stored;
        w->padding = padding_of(stored);
}

static int finish_data(struct tar_writer *w, struct cor_err *err)
{
        unsigned padding = w->padding;

        if (w->left > 0)
                return cor_fail(err, COR_SYSTEM, "tar archive: %lld bytes of an entry's data are missing",
                                (long long)w->left);
        w->padding = 0;
        return pad(w, padding, err);
}

static int write_entry(struct tar_writer *w, const struct tar_entry *e, struct cor_err *err)
{
        uint8_t block[TAR_BLOCK_BYTES] = { 0 };
        int r;

        if (finish_data(w, err) < 0)
                return -1;
        if (strlen(e->name) > NAME_MAX_OUT || (e->link && strlen(e->link) > NAME_MAX_OUT))
                return cor_fail(err, COR_INVALID, "tar archive: a name of more than %u bytes", NAME_MAX_OUT);
        if (e->uid > INT64_MAX || e->gid > INT64_MAX || e->dev_major > OCTAL_7_MAX || e->dev_minor > OCTAL_7_MAX)
                return cor_fail(err, COR_INVALID, "tar archive: %s: its owner or device cannot be written", e->name);
        fill(w, block, e);
        r = put_records(w, e->name, err);
        drop_records(w);
        if (r < 0 || put_header(w, block, err) < 0)
                return -1;
        return e->type == TAR_FILE && e->sparse ? tar_write_data(w, w->map.s, w->map.len, err) : 0;
}

int tar_write_entry(struct tar_writer *w, const struct tar_entry *e, struct cor_err *err)
{
        struct tar_entry owned = *e;

        if (w->sink.owner)
                w->sink.owner(w->sink.context, &owned.uid, &owned.gid);
        return write_entry(w, &owned, err);
}

int tar_write_data(struct tar_writer *w, const void *bytes, size_t n, struct cor_err *err)
{
        if ((uint64_t)n > (uint64_t)w->left)
                return cor_fail(err, COR_SYSTEM, "tar archive: an entry has more data than its size");
        w->left -= (int64_t)n;
        return put(w, bytes, n, err);
}

int tar_write_end(struct tar_writer *w, struct cor_err *err)
{
        if (finish_data(w, err) < 0 || pad(w, TAR_BLOCK_BYTES, err) < 0)
                return -1;
        return pad(w, TAR_BLOCK_BYTES, err);
}
