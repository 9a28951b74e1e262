#include "monitor/log_file.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "monitor/log_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH_BYTES = 32 * 1024, KEEP_BYTES = 4096, PACK_MS = 10 * 1000, LAST_PACK_MS = 3 * 1000 };

#define PACKING ".packing"

struct log_file {
        int folder;
        char *name;
        struct log_file_settings settings;
        int fd; /* of the one that grows; -1: it could not be opened */
        off_t size;
        struct cor_text records; /* not written yet */
        size_t n_records;
        struct log_loss loss;
        struct log_pack pack;
        unsigned packing; /* number of the file that is compressed */
        bool pack_failed; /* not tried again before the next rotation */
};

static int open_file(struct log_file *f, struct cor_err *err)
{
        struct stat st;

        f->fd = openat(f->folder, f->name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (f->fd < 0 || fstat(f->fd, &st) < 0)
                return cor_fail_errno(err, "open %s", f->name);
        f->size = st.st_size;
        return 0;
}

/* --- compressing -------------------------------------------------------------------------------------------------- */

static void unlink_packing(struct log_file *f)
{
        auto_str name = cor_printf("%s" PACKING, f->name);

        (void)unlinkat(f->folder, name, 0);
}

static int pack_begin(struct log_file *f, int from, unsigned number, struct cor_err *err)
{
        auto_str name = cor_printf("%s" PACKING, f->name);
        auto_fd to = -1;

        unlink_packing(f);
        to = openat(f->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (to < 0)
                return cor_fail_errno(err, "make %s", name);
        f->packing = number;
        return log_pack_begin(&f->pack, from, to, err);
}

/* The oldest that is not compressed yet, if there is one. */
static void pack_next(struct log_file *f)
{
        struct cor_err err = { 0 };

        if (!f->settings.compress || f->pack_failed || f->pack.pid)
                return;
        for (unsigned i = f->settings.max_file - 1; i > 0; i--) {
                auto_str name = cor_printf("%s.%u", f->name, i);
                auto_fd from = openat(f->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

                if (from < 0)
                        continue;
                if (pack_begin(f, from, i, &err) < 0) {
                        cor_warn("compress %s: %s", name, err.msg);
                        f->pack_failed = true;
                }
                return;
        }
}

static void pack_end(struct log_file *f, int timeout_ms)
{
        auto_str packing = cor_printf("%s" PACKING, f->name);
        auto_str plain = cor_printf("%s.%u", f->name, f->packing);
        auto_str packed = cor_printf("%s.gz", plain);

        if (!log_pack_end(&f->pack, timeout_ms)) {
                cor_warn("compress %s: it did not succeed", plain);
                f->pack_failed = true;
        } else if (f->packing < f->settings.max_file) {
                /* both are there for a moment; who reads looks for the plain one first */
                if (renameat(f->folder, packing, f->folder, packed) == 0)
                        (void)unlinkat(f->folder, plain, 0);
                else
                        f->pack_failed = true;
        }
        unlink_packing(f);
}

void log_file_wait(const struct log_file *f, struct log_wait *ret)
{
        if (!f->pack.pid)
                return;
        ret->fd = f->pack.pipe;
        ret->events = POLLIN;
}

void log_file_step(struct log_file *f)
{
        if (!f->pack.pid || cor_wait_readable(f->pack.pipe, 0, NULL) <= 0)
                return;
        pack_end(f, PACK_MS);
        pack_next(f);
}

/* --- rotation ----------------------------------------------------------------------------------------------------- */

static int move(struct log_file *f, const char *suffix, unsigned from, struct cor_err *err)
{
        auto_str to = cor_printf("%s.%u%s", f->name, from + 1, suffix);
        auto_str name = from ? cor_printf("%s.%u%s", f->name, from, suffix) : cor_strdup(f->name);

        if (renameat(f->folder, name, f->folder, to) < 0 && errno != ENOENT)
                return cor_fail_errno(err, "rename %s", name);
        return 0;
}

static void drop_oldest(struct log_file *f)
{
        auto_str plain = cor_printf("%s.%u", f->name, f->settings.max_file - 1);
        auto_str packed = cor_printf("%s.gz", plain);

        (void)unlinkat(f->folder, plain, 0);
        (void)unlinkat(f->folder, packed, 0);
}

/* What is compressed just now goes on, under its next number. With one file alone, it is begun anew. */
static int rotate(struct log_file *f, struct cor_err *err)
{
        unsigned last = f->settings.max_file - 1;

        if (last > 0)
                drop_oldest(f);
        for (unsigned i = last; i > 0; i--)
                if (move(f, "", i - 1, err) < 0 || (i > 1 && move(f, ".gz", i - 1, err) < 0))
                        return -1;
        if (last == 0 && unlinkat(f->folder, f->name, 0) < 0 && errno != ENOENT)
                return cor_fail_errno(err, "remove %s", f->name);
        f->packing++;
        f->pack_failed = false;
        cor_fd_close(&f->fd);
        if (open_file(f, err) < 0)
                return -1;
        pack_next(f);
        return 0;
}

/* As docker, a file is full once it has its bytes: the last record may lie over. */
static bool is_full(const struct log_file *f)
{
        return f->settings.max_size > 0 && (uint64_t)f->size + f->records.len >= f->settings.max_size;
}

/* --- records ------------------------------------------------------------------------------------------------------ */

static int write_records(struct log_file *f, struct cor_err *err)
{
        int r = 0;

        if (f->fd < 0 && open_file(f, err) < 0)
                return -1;
        if (f->records.len > 0)
                r = cor_write_full(f->fd, f->records.s, f->records.len, err);
        if (r == 0)
                f->size += (off_t)f->records.len;
        else
                (void)!ftruncate(f->fd, f->size);
        return r;
}

static void write_out(struct log_file *f)
{
        struct cor_err err = { 0 };

        if (f->records.len == 0)
                return;
        if (write_records(f, &err) < 0)
                log_loss_add(&f->loss, f->n_records, &err);
        else
                log_loss_over(&f->loss);
        f->records.len = 0;
        f->n_records = 0;
}

struct cor_text *log_file_record(struct log_file *f)
{
        struct cor_err err = { 0 };

        if (f->records.len >= BATCH_BYTES || is_full(f))
                write_out(f);
        if (is_full(f) && rotate(f, &err) < 0) { /* then it grows: better than nothing */
                cor_warn("rotate %s: %s", f->name, err.msg);
                f->settings.max_size += (uint64_t)BATCH_BYTES;
        }
        f->n_records++;
        return &f->records;
}

void log_file_flush(struct log_file *f)
{
        write_out(f);
}

const struct log_loss *log_file_loss(const struct log_file *f)
{
        return &f->loss;
}

void log_file_rest(struct log_file *f)
{
        if (f->records.len == 0 && f->records.room > KEEP_BYTES)
                cor_text_done(&f->records);
}

/* --- open and close ----------------------------------------------------------------------------------------------- */

int log_file_open(const char *folder, const char *name, const struct log_file_settings *s, struct log_file **ret,
                  struct cor_err *err)
{
        auto_log_file f = cor_alloc(sizeof *f);

        *f = (struct log_file){ .fd = -1, .settings = *s, .name = cor_strdup(name), .pack = LOG_PACK_INIT };
        if (s->max_size > INT64_MAX)
                f->settings.max_size = 0;
        f->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (f->folder < 0)
                return cor_fail_errno(err, "open %s", folder);
        if (open_file(f, err) < 0)
                return -1;
        unlink_packing(f); /* of a monitor that was killed */
        pack_next(f);
        *ret = COR_TAKE(f);
        return 0;
}

void log_file_close(struct log_file *f)
{
        int64_t until;

        if (!f)
                return;
        write_out(f);
        until = cor_now_ms() + LAST_PACK_MS;
        while (f->pack.pid) {
                int64_t left = until - cor_now_ms();

                pack_end(f, left > 0 ? (int)left : 0);
                if (left > 0)
                        pack_next(f);
        }
        cor_text_done(&f->records);
        cor_fd_close(&f->fd);
        cor_fd_close(&f->folder);
        free(f->name);
        free(f);
}
