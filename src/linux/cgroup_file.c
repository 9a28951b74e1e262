/* Reading and writing the files of one cgroup directory, and walking their text. */
#include "linux/cgroup_priv.h"

#include "base/fd.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cgroup_write(const struct cgroup_dir *d, const char *file, const char *value, struct cor_err *err)
{
        auto_fd fd = openat(d->fd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        size_t len = strlen(value);
        ssize_t n;

        if (fd < 0)
                return cor_fail_errno(err, "cgroup %s: cannot set %s to '%s'", d->path, file, value);
        do
                n = write(fd, value, len);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return cor_fail_errno(err, "cgroup %s: cannot set %s to '%s'", d->path, file, value);
        if ((size_t)n != len)
                return cor_fail(err, COR_SYSTEM, "cgroup %s: %s took only a part of '%s'", d->path, file, value);
        return 0;
}

int cgroup_write_i64(const struct cgroup_dir *d, const char *file, int64_t value, struct cor_err *err)
{
        char text[24];

        snprintf(text, sizeof text, "%" PRId64, value);
        return cgroup_write(d, file, text, err);
}

int cgroup_write_u64(const struct cgroup_dir *d, const char *file, uint64_t value, struct cor_err *err)
{
        char text[24];

        snprintf(text, sizeof text, "%" PRIu64, value);
        return cgroup_write(d, file, text, err);
}

int cgroup_write_max(const struct cgroup_dir *d, const char *file, int64_t value, struct cor_err *err)
{
        return value == -1 ? cgroup_write(d, file, "max", err) : cgroup_write_i64(d, file, value, err);
}

ssize_t cgroup_read(const struct cgroup_dir *d, const char *file, char *buf, size_t size, struct cor_err *err)
{
        ssize_t n = cor_read_at(d->fd, file, buf, size, err);

        if (n < 0)
                return cor_wrap(err, "cgroup %s", d->path);
        return n;
}

char *cgroup_read_all(const struct cgroup_dir *d, const char *file)
{
        auto_fd fd = openat(d->fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct cor_err err = { 0 };
        char *text = NULL;

        if (fd < 0)
                return NULL;
        if (cor_read_fd(fd, file, CGROUP_FILE_MAX, &text, NULL, &err) < 0) {
                errno = err.sys ? err.sys : EFBIG;
                return NULL;
        }
        return text;
}

int cgroup_read_u64(const struct cgroup_dir *d, const char *file, uint64_t *ret)
{
        char buf[64];

        if (cor_read_at(d->fd, file, buf, sizeof buf, NULL) < 0)
                return -1;
        if (strcmp(buf, "max") == 0) {
                *ret = UINT64_MAX;
                return 0;
        }
        if (buf[0] == '-') { /* version 1 shows a quota of -1 */
                *ret = UINT64_MAX;
                return 0;
        }
        return cor_parse_u64(buf, ret);
}

bool cgroup_has_file(const struct cgroup_dir *d, const char *file)
{
        return faccessat(d->fd, file, F_OK, 0) == 0;
}

char *cgroup_next_line(char **cursor)
{
        char *line = *cursor, *end;

        if (!line || !*line)
                return NULL;
        end = strchrnul(line, '\n');
        *cursor = *end ? end + 1 : end;
        *end = '\0';
        return line;
}

char *cgroup_next_word(char **cursor)
{
        char *word = *cursor + strspn(*cursor, " \t"), *end;

        if (!*word) {
                *cursor = word;
                return NULL;
        }
        end = word + strcspn(word, " \t");
        *cursor = *end ? end + 1 : end;
        *end = '\0';
        return word;
}

bool cgroup_parse_u64(char **s, uint64_t *ret)
{
        uint64_t value = 0;
        char *at = *s;

        for (; *at >= '0' && *at <= '9'; at++)
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
                        return false;
        if (at == *s)
                return false;
        *s = at;
        *ret = value;
        return true;
}
