#include "monitor/log_read.h"

#include "base/alloc.h"
#include "base/date.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
        READ_BYTES = 64 * 1024,
        LINE_MAX_BYTES =
                1 << 20, /* a longer one is none of ours: 16 KiB, each byte six characters at most, and attrs */
        FILES_MAX = 1000,
        ATTRS_MAX = 256,
};

struct log_file {
        int fd; /* for reading at any place */
        dev_t dev;
        ino_t ino; /* of the file as it was found, also where fd is what it decompresses to */
        off_t at;
};

struct log_reader {
        int dirfd; /* borrowed */
        char *name;
        struct log_query q;
        struct log_file *files; /* oldest first; the one that is read is the first */
        size_t n_files;
        char *buf; /* bytes start to len are not used yet */
        size_t start, len;
        bool skipping; /* inside of a line that is too long */
        bool over;
        struct cor_pair attrs[ATTRS_MAX];
};

/* ------------------------------------------------------------------------------------------------------------- files
 */

/* What is in a compressed file, in memory. */
static int decompress(int fd, const char *name, struct cor_err *err)
{
        auto_fd out = memfd_create("log", MFD_CLOEXEC);
        auto_free char *buf = cor_alloc(READ_BYTES);
        gzFile in = out < 0 ? NULL : gzdopen(dup(fd), "rb");
        int n = -1;

        if (!in)
                return cor_fail_errno(err, "decompress %s", name);
        while ((n = gzread(in, buf, READ_BYTES)) > 0)
                if (cor_write_full(out, buf, (size_t)n, err) < 0)
                        break;
        gzclose(in);
        if (n > 0)
                return cor_wrap(err, "decompress %s", name);
        return cor_fd_take(&out); /* the beginning of a damaged one is better than nothing */
}

/* 1: *ret is file @i of the log (0: the one that grows), 0: there is none */
static int open_file(const struct log_reader *r, unsigned i, struct log_file *ret, struct cor_err *err)
{
        auto_str plain = i ? cor_printf("%s.%u", r->name, i) : cor_strdup(r->name);
        auto_str packed = i ? cor_printf("%s.%u.gz", r->name, i) : NULL;
        auto_fd fd = openat(r->dirfd, plain, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        bool compressed = false;
        struct stat st;

        if (fd < 0 && errno == ENOENT && packed) {
                fd = openat(r->dirfd, packed, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
                compressed = true;
        }
        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0)
                return cor_fail_errno(err, "open the log %s", plain);
        *ret = (struct log_file){ .dev = st.st_dev, .ino = st.st_ino };
        ret->fd = compressed ? decompress(fd, packed, err) : cor_fd_take(&fd);
        return ret->fd < 0 ? -1 : 1;
}

static bool same_file(const struct log_file *a, const struct log_file *b)
{
        return a->dev == b->dev && a->ino == b->ino;
}

static void files_free(struct log_file *files, size_t n)
{
        for (size_t i = 0; i < n; i++)
                cor_fd_close(&files[i].fd);
        free(files);
}

/*
 * Find all files that are newer than @known (NULL: all there are), oldest first. While they are opened they may be
 * renamed, each to the next number: then the same one is found twice.
 */
static int find_files(const struct log_reader *r, const struct log_file *known, struct log_file **ret, size_t *ret_n,
                      struct cor_err *err)
{
        struct log_file *found = NULL; /* newest first */
        size_t n = 0;

        for (unsigned i = 0; i < FILES_MAX; i++) {
                struct log_file file = { .fd = -1 };
                int got = open_file(r, i, &file, err);

                if (got < 0) {
                        files_free(found, n);
                        return -1;
                }
                if (got == 0 && i == 0)
                        continue; /* it was just renamed, and is not made anew yet */
                if (got == 0)
                        break;
                if ((known && same_file(&file, known)) || (n > 0 && same_file(&file, &found[n - 1]))) {
                        bool stop = known && same_file(&file, known);

                        cor_fd_close(&file.fd);
                        if (stop)
                                break;
                        continue;
                }
                *COR_GROW(found, n) = file;
        }
        for (size_t i = 0; i < n / 2; i++) {
                struct log_file swap = found[i];

                found[i] = found[n - 1 - i];
                found[n - 1 - i] = swap;
        }
        *ret = found;
        *ret_n = n;
        return 0;
}

/* -------------------------------------------------------------------------------------------------------------- tail
 */

/* Where the last *wanted lines of @f begin; *wanted is then how many are missing still. */
static int seek_back(struct log_file *f, char *buf, int64_t *wanted, struct cor_err *err)
{
        off_t end = lseek(f->fd, 0, SEEK_END), at = end;

        while (at > 0) {
                size_t n = at > READ_BYTES ? READ_BYTES : (size_t)at;

                at -= (off_t)n;
                if (pread(f->fd, buf, n, at) != (ssize_t)n)
                        return cor_fail_errno(err, "read the log");
                for (size_t i = n; i-- > 0;) {
                        if (buf[i] != '\n' || at + (off_t)i + 1 == end)
                                continue;
                        if (--*wanted == 0) {
                                f->at = at + (off_t)i + 1;
                                return 0;
                        }
                }
        }
        if (end > 0)
                --*wanted; /* the first line has nothing before it */
        f->at = 0;
        return 0;
}

static int seek_tail(struct log_reader *r, struct cor_err *err)
{
        int64_t wanted = r->q.tail;
        size_t first = r->n_files;

        while (first > 0 && wanted > 0) {
                first--;
                if (seek_back(&r->files[first], r->buf, &wanted, err) < 0)
                        return -1;
        }
        if (r->q.tail == 0 && r->n_files > 0) {
                first = r->n_files - 1;
                r->files[first].at = lseek(r->files[first].fd, 0, SEEK_END);
        }
        for (size_t i = 0; i < first; i++)
                cor_fd_close(&r->files[i].fd);
        memmove(r->files, r->files + first, (r->n_files - first) * sizeof *r->files);
        r->n_files -= first;
        return 0;
}

int log_reader_open(int dirfd, const char *name, const struct log_query *q, struct log_reader **ret,
                    struct cor_err *err)
{
        auto_log_reader r = cor_alloc(sizeof *r);

        r->dirfd = dirfd;
        r->name = cor_strdup(name);
        r->q = *q;
        r->buf = cor_alloc(LINE_MAX_BYTES + READ_BYTES);
        if (find_files(r, NULL, &r->files, &r->n_files, err) < 0)
                return -1;
        if (r->n_files == 0)
                return cor_fail(err, COR_NOT_FOUND, "there is no log %s", name);
        if (q->tail >= 0 && seek_tail(r, err) < 0)
                return -1;
        *ret = COR_TAKE(r);
        return 0;
}

void log_reader_free(struct log_reader *r)
{
        if (!r)
                return;
        files_free(r->files, r->n_files);
        free(r->name);
        free(r->buf);
        free(r);
}

/* -------------------------------------------------------------------------------------------------------------- lines
 */

/* The file that is read has come to its end: 1 there is a newer one, which is read now, 0 there is none. */
static int next_file(struct log_reader *r, struct cor_err *err)
{
        struct log_file *newer = NULL;
        size_t n = 0;

        if (r->n_files == 1) {
                if (find_files(r, &r->files[0], &newer, &n, err) < 0)
                        return -1;
                if (n == 0) {
                        free(newer);
                        return 0;
                }
                for (size_t i = 0; i < n; i++)
                        *COR_GROW(r->files, r->n_files) = newer[i];
                free(newer);
                return 1; /* what was written to ours before it was rotated is read first */
        }
        cor_fd_close(&r->files[0].fd);
        memmove(r->files, r->files + 1, --r->n_files * sizeof *r->files);
        r->start = r->len = 0; /* a line that never got its end */
        r->skipping = false;
        return 1;
}

/* 1: there are more bytes, 0: none, -1 */
static int fill(struct log_reader *r, struct cor_err *err)
{
        ssize_t n;

        if (r->start > 0) {
                memmove(r->buf, r->buf + r->start, r->len - r->start);
                r->len -= r->start;
                r->start = 0;
        }
        if (r->len >= LINE_MAX_BYTES) {
                r->len = 0;
                r->skipping = true;
        }
        n = pread(r->files[0].fd, r->buf + r->len, READ_BYTES, r->files[0].at);
        if (n < 0)
                return cor_fail_errno(err, "read the log");
        r->files[0].at += n;
        r->len += (size_t)n;
        return n > 0;
}

/* The next line, without its end; 1, 0 if there is no whole one, -1 */
static int next_line(struct log_reader *r, char **ret, size_t *ret_n, struct cor_err *err)
{
        bool again = false; /* at the end of a file that has a newer one, look once more */

        for (;;) {
                char *end = memchr(r->buf + r->start, '\n', r->len - r->start);
                int got;

                if (end) {
                        bool whole = !r->skipping;

                        *ret = r->buf + r->start;
                        *ret_n = (size_t)(end - *ret);
                        r->start += *ret_n + 1;
                        r->skipping = false;
                        if (whole)
                                return 1;
                        continue;
                }
                got = fill(r, err);
                if (got > 0)
                        continue;
                if (got < 0)
                        return -1;
                if (!again && r->n_files == 1) {
                        again = true;
                        got = next_file(r, err);
                } else if (r->n_files > 1) {
                        again = false;
                        got = next_file(r, err);
                }
                if (got <= 0)
                        return got;
        }
}

static bool fits(const struct log_reader *r, int64_t time)
{
        return r->q.since == 0 || time >= r->q.since;
}

int log_reader_next(struct log_reader *r, struct log_entry *ret, struct cor_err *err)
{
        while (!r->over) {
                struct log_line line;
                struct timespec time;
                char *text;
                size_t n;
                int got = next_line(r, &text, &n, err);

                if (got <= 0)
                        return got;
                if (!log_line_parse(text, n, r->attrs, ATTRS_MAX, &line) || !line.log || !line.time ||
                    cor_time_parse(line.time, &time) < 0)
                        continue;
                *ret = (struct log_entry){
                        .stream = cor_streq(line.stream, "stderr") ? LOG_STDERR : LOG_STDOUT,
                        .time = cor_time_ns(&time),
                        .text = line.log,
                        .n = line.log_n,
                        .attrs = line.attrs,
                        .n_attrs = line.n_attrs,
                };
                if (r->q.until != 0 && ret->time > r->q.until) {
                        r->over = true;
                        return 0;
                }
                if (fits(r, ret->time))
                        return 1;
        }
        return 0;
}

bool log_reader_over(const struct log_reader *r)
{
        return r->over;
}
