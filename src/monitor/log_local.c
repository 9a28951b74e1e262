/*
 * local: records (monitor/log_record.h) in containers/<id>/local-logs/container.log, as docker has them; compressed
 * once they are full. The same in containers/<id>/container-cached.log is what `logs` reads where the driver sends
 * everything away.
 */
#include "monitor/log.h"

#include "base/fd.h"
#include "monitor/log_attrs.h"
#include "monitor/log_file.h"
#include "monitor/log_record.h"
#include "monitor/log_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct log_local {
        struct log_file *file;
        struct log_attrs attrs;
};

static void local_close(void *log)
{
        struct log_local *l = log;

        log_file_close(l->file);
        log_attrs_done(&l->attrs);
        free(l);
}

static void local_free(struct log_local **l)
{
        if (*l)
                local_close(*l);
}

/* --- the end that a power cut may have left ----------------------------------------------------------------------- */

/* The length that stands at @at of a file of @size bytes; -1: it cannot be one */
static int64_t length_at(int fd, off_t at, off_t size)
{
        char bytes[LOG_RECORD_FRAME];

        if (at < 0 || at + LOG_RECORD_FRAME > size || pread(fd, bytes, sizeof bytes, at) != (ssize_t)sizeof bytes)
                return -1;
        return log_record_length(bytes);
}

static bool ends_well(int fd, off_t size)
{
        int64_t n = length_at(fd, size - LOG_RECORD_FRAME, size);

        return size == 0 || (n > 0 && length_at(fd, size - 2 * LOG_RECORD_FRAME - n, size) == n);
}

/* Bytes of whole records, from the beginning. */
static off_t whole_records(int fd, off_t size)
{
        off_t at = 0;

        for (;;) {
                int64_t n = length_at(fd, at, size);

                if (n <= 0 || length_at(fd, at + LOG_RECORD_FRAME + n, size) != n)
                        return at;
                at += n + 2 * LOG_RECORD_FRAME;
        }
}

static void repair(int folder, const char *name)
{
        auto_fd fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat st;

        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !ends_well(fd, st.st_size))
                (void)!ftruncate(fd, whole_records(fd, st.st_size));
}

/* --- the driver --------------------------------------------------------------------------------------------------- */

static int open_in(const char *folder, const char *name, const struct log_file_settings *files,
                   const struct log_options *o, const struct log_settings *s, void **ret, struct cor_err *err)
{
        COR_CLEANUP(local_free) struct log_local *l = cor_alloc(sizeof *l);
        auto_fd fd = -1;

        if (log_attrs_make(o, s, true, &l->attrs, err) < 0)
                return -1;
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return cor_fail_errno(err, "open %s", folder);
        repair(fd, name);
        if (log_file_open(folder, name, files, &l->file, err) < 0)
                return -1;
        *ret = COR_TAKE(l);
        return 0;
}

static int local_open(const struct log_options *o, const struct log_settings *s, void **ret, struct cor_err *err)
{
        auto_str folder = cor_printf("%s/" LOG_LOCAL_FOLDER, o->folder);

        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
                return cor_fail_errno(err, "make %s", folder);
        return open_in(folder, LOG_LOCAL_NAME, &s->file, o, s, ret, err);
}

static int cache_open(const struct log_options *o, const struct log_settings *s, void **ret, struct cor_err *err)
{
        return open_in(o->folder, LOG_CACHE_NAME, &s->cache, o, s, ret, err);
}

static void local_write(void *log, const struct log_message *m)
{
        struct log_local *l = log;

        log_record_add(m, l->attrs.items, l->attrs.n_items, log_file_record(l->file));
}

static void local_flush(void *log)
{
        struct log_local *l = log;

        log_file_flush(l->file);
}

static void local_wait(const void *log, struct log_wait *ret)
{
        const struct log_local *l = log;

        log_file_wait(l->file, ret);
}

static void local_step(void *log)
{
        struct log_local *l = log;

        log_file_step(l->file);
}

static void local_rest(void *log)
{
        struct log_local *l = log;

        log_file_rest(l->file);
}

static const struct log_loss *local_loss(const void *log)
{
        const struct log_local *l = log;

        return log_file_loss(l->file);
}

#define LOCAL_DRIVER(NAME, OPEN)                                                                                       \
        {                                                                                                              \
                .name = (NAME), .open = (OPEN), .write = local_write, .flush = local_flush, .close = local_close,      \
                .wait = local_wait, .step = local_step, .rest = local_rest, .loss = local_loss,                        \
        }

const struct log_driver log_local_driver = LOCAL_DRIVER("local", local_open);
const struct log_driver log_cache_driver = LOCAL_DRIVER("cache", cache_open);
