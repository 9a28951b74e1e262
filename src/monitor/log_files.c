#include "monitor/log_files.h"

#include "base/alloc.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { PIECE = 64 * 1024, FILES_MAX = 1000, TRAILER = 8, GAP_MAX = 4 };
static const off_t UNPACKED_MAX = (off_t)4 << 30;

static uint32_t little(const uint8_t *b)
{
        return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* What stands at the end of a compressed file: the checksum and the length of what is in it. */
static void read_trailer(struct log_part_file *f, off_t size)
{
        uint8_t b[TRAILER];

        if (size < TRAILER || pread(f->fd, b, sizeof b, size - TRAILER) != (ssize_t)sizeof b)
                return;
        f->crc = little(b);
        f->len = little(b + 4);
}

/* 1: *ret is file @i of the log (0: the one that grows), 0: there is none */
static int open_file(int dirfd, const char *name, unsigned i, struct log_part_file *ret, struct cor_err *err)
{
        auto_str plain = i ? cor_printf("%s.%u", name, i) : cor_strdup(name);
        auto_str packed = i ? cor_printf("%s.%u.gz", name, i) : NULL;
        auto_fd fd = openat(dirfd, plain, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct log_part_file f = { .fd = -1 };
        struct stat st;

        if (fd < 0 && errno == ENOENT && packed) {
                fd = openat(dirfd, packed, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
                f.packed = true;
        }
        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0)
                return cor_fail_errno(err, "open the log %s", plain);
        if (!S_ISREG(st.st_mode))
                return cor_fail(err, COR_INVALID, "the log %s is not a file", plain);
        f.dev = st.st_dev;
        f.ino = st.st_ino;
        f.fd = cor_fd_take(&fd);
        if (f.packed)
                read_trailer(&f, st.st_size);
        *ret = f;
        return 1;
}

static uint32_t checksum(int fd, off_t size)
{
        auto_free uint8_t *buf = cor_alloc(PIECE);
        uLong crc = crc32(0, NULL, 0);
        off_t at = 0;
        ssize_t n;

        while (at < size && (n = pread(fd, buf, PIECE, at)) > 0) {
                crc = crc32(crc, buf, (uInt)n);
                at += n;
        }
        return (uint32_t)crc;
}

/* @packed is what became of @plain */
static bool is_packed_of(const struct log_part_file *packed, const struct log_part_file *plain)
{
        struct stat st;

        return fstat(plain->fd, &st) == 0 && st.st_size > 0 && (uint32_t)st.st_size == packed->len &&
               checksum(plain->fd, st.st_size) == packed->crc;
}

static bool same_file(const struct log_part_file *a, const struct log_part_file *b)
{
        if (a->packed != b->packed)
                return a->packed ? is_packed_of(a, b) : is_packed_of(b, a);
        return a->dev == b->dev && a->ino == b->ino;
}

void log_files_free(struct log_part_file *files, size_t n)
{
        for (size_t i = 0; i < n; i++)
                cor_fd_close(&files[i].fd);
        free(files);
}

static void reverse(struct log_part_file *files, size_t n)
{
        for (size_t i = 0; i < n / 2; i++) {
                struct log_part_file swap = files[i];

                files[i] = files[n - 1 - i];
                files[n - 1 - i] = swap;
        }
}

struct found {
        struct log_part_file *items; /* newest first */
        size_t n_items;
};

static void found_done(struct found *f)
{
        log_files_free(f->items, f->n_items);
}

/*
 * Files move away from us, to higher numbers: none is missed, but one may be found a second time. What was found since
 * the first time has come behind it, is newer and in the wrong place, and is found the next time.
 */
static void add(struct found *f, struct log_part_file *file)
{
        size_t n = f->n_items;

        while (n > 0 && !same_file(file, &f->items[n - 1]))
                n--;
        if (n == 0) {
                *COR_GROW(f->items, f->n_items) = *file;
                return;
        }
        cor_fd_close(&file->fd);
        while (f->n_items > n)
                cor_fd_close(&f->items[--f->n_items].fd);
}

/* While files are renamed there is a gap, which goes from the last one to the first: is it that, and not the end? */
static bool is_gap(int dirfd, const char *name, unsigned at)
{
        for (unsigned i = at + 1; i <= at + GAP_MAX; i++) {
                auto_str plain = cor_printf("%s.%u", name, i);
                auto_str packed = cor_printf("%s.gz", plain);

                if (faccessat(dirfd, plain, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
                    faccessat(dirfd, packed, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return true;
        }
        return false;
}

static int look(int dirfd, const char *name, const struct log_part_file *known, struct found *f, struct cor_err *err)
{
        for (unsigned i = 0; i < FILES_MAX; i++) {
                struct log_part_file file = { .fd = -1 };
                int got = open_file(dirfd, name, i, &file, err);

                if (got < 0)
                        return -1;
                if (got == 0 && !is_gap(dirfd, name, i))
                        return 0;
                if (got == 0)
                        continue;
                if (known && same_file(&file, known)) {
                        cor_fd_close(&file.fd);
                        return 0;
                }
                add(f, &file);
        }
        return 0;
}

int log_files_find(int dirfd, const char *name, const struct log_part_file *known, struct log_part_file **ret,
                   size_t *ret_n, struct cor_err *err)
{
        struct found f = { .items = NULL };

        if (look(dirfd, name, known, &f, err) < 0) {
                found_done(&f);
                return -1;
        }
        reverse(f.items, f.n_items);
        *ret = f.items;
        *ret_n = f.n_items;
        return 0;
}

int log_part_file_ready(struct log_part_file *f, struct cor_err *err)
{
        auto_fd out = -1;
        auto_free char *buf = NULL;
        gzFile in;
        off_t total = 0;
        int n = -1;

        if (!f->packed)
                return 0;
        out = memfd_create("log", MFD_CLOEXEC);
        in = out < 0 || lseek(f->fd, 0, SEEK_SET) < 0 ? NULL : gzdopen(dup(f->fd), "rb");
        if (!in)
                return cor_fail_errno(err, "decompress a log");
        buf = cor_alloc(PIECE);
        while (total < UNPACKED_MAX && (n = gzread(in, buf, PIECE)) > 0) {
                if (cor_write_full(out, buf, (size_t)n, err) < 0)
                        break;
                total += n;
        }
        gzclose(in);
        if (n > 0 && total < UNPACKED_MAX)
                return cor_wrap(err, "decompress a log");
        cor_fd_close(&f->fd);
        f->fd = cor_fd_take(&out);
        f->packed = false;
        return 0;
}
