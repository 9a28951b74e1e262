#include "monitor/log_read.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "monitor/log_files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
        READ_BYTES = 64 * 1024,
        /* a longer one is none of ours: 16 KiB, each byte six characters at most, and attrs */
        RECORD_MAX_BYTES = 1 << 20,
};

struct log_reader {
        int dirfd; /* borrowed */
        char *name;
        const struct log_form *form;
        struct log_query q;
        struct log_part_file *files; /* oldest first; the one that is read is the first */
        size_t n_files;
        char *buf; /* bytes start to len are not used yet */
        size_t start, len;
        bool skipping; /* inside of a record that is too long: the next one that is found is its rest */
        bool over;
        struct cor_pair attrs[LOG_ATTRS_MAX];
};

static void drop_first(struct log_reader *r, size_t n)
{
        for (size_t i = 0; i < n; i++)
                cor_fd_close(&r->files[i].fd);
        memmove(r->files, r->files + n, (r->n_files - n) * sizeof *r->files);
        r->n_files -= n;
}

/* Where the last messages begin that are asked for. */
static int seek_tail(struct log_reader *r, struct cor_err *err)
{
        int64_t wanted = r->q.tail;
        size_t first = r->n_files;

        while (first > 0 && wanted > 0) {
                struct log_part_file *f = &r->files[--first];

                if (log_part_file_ready(f, err) < 0 || r->form->seek_back(f->fd, &wanted, &f->at, err) < 0)
                        return -1;
        }
        if (r->q.tail == 0 && r->n_files > 0) {
                first = r->n_files - 1;
                r->files[first].at = lseek(r->files[first].fd, 0, SEEK_END);
        }
        drop_first(r, first);
        return 0;
}

int log_reader_open(int dirfd, const char *name, enum log_format format, const struct log_query *q,
                    struct log_reader **ret, struct cor_err *err)
{
        auto_log_reader r = cor_alloc(sizeof *r);

        r->dirfd = dirfd;
        r->name = cor_strdup(name);
        r->form = format == LOG_FORMAT_JSON ? &log_json_form : &log_local_form;
        r->q = *q;
        r->buf = cor_alloc(RECORD_MAX_BYTES + READ_BYTES);
        if (log_files_find(dirfd, name, NULL, &r->files, &r->n_files, err) < 0)
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
        log_files_free(r->files, r->n_files);
        free(r->name);
        free(r->buf);
        free(r);
}

/* The file that is read has come to its end: 1 there is a newer one, which is read now, 0 there is none. */
static int next_file(struct log_reader *r, struct cor_err *err)
{
        struct log_part_file *newer = NULL;
        size_t n = 0;

        if (r->n_files == 1) {
                if (log_files_find(r->dirfd, r->name, &r->files[0], &newer, &n, err) < 0)
                        return -1;
                for (size_t i = 0; i < n; i++)
                        *COR_GROW(r->files, r->n_files) = newer[i];
                free(newer);
                return n > 0; /* what was written to ours before it was rotated is read first */
        }
        drop_first(r, 1);
        r->start = r->len = 0; /* a record that never got its end */
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
        if (r->len >= RECORD_MAX_BYTES) {
                r->len = 0;
                r->skipping = true;
        }
        if (log_part_file_ready(&r->files[0], err) < 0)
                return -1;
        n = pread(r->files[0].fd, r->buf + r->len, READ_BYTES, r->files[0].at);
        if (n < 0)
                return cor_fail_errno(err, "read the log");
        r->files[0].at += n;
        r->len += (size_t)n;
        return n > 0;
}

/* The next entry; 1, 0 if there is no whole one, -1 */
static int next_entry(struct log_reader *r, struct log_entry *ret, struct cor_err *err)
{
        bool again = false; /* at the end of a file that has a newer one, look once more */

        for (;;) {
                size_t used = 0;
                int got = r->form->take(r->buf + r->start, r->len - r->start, r->attrs, &used, ret);

                if (got > 0) {
                        bool whole = !r->skipping;

                        r->start += used;
                        r->skipping = false;
                        if (whole && ret->text)
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
                } else if (r->n_files > 1 && r->form->resync && r->start < r->len) {
                        r->start++; /* no more will come: the length that stands there is none */
                        got = 1;
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
                int got = next_entry(r, ret, err);

                if (got <= 0)
                        return got;
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
