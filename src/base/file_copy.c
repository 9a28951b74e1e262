/* Content from one file to another. */
#include "base/file.h"

#include "base/alloc.h"
#include "base/fd.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { PIECE = 1 << 20, BUFFER = 256 << 10, UNSIZED_MAX = 64 << 20 };

/* From where both are, up to @limit bytes or to the file's end; how many */
static int64_t copy_read(int from, int to, int64_t limit, struct cor_err *err)
{
        auto_str buf = cor_alloc(BUFFER);
        int64_t total = 0;

        while (total < limit) {
                ssize_t n = read(from, buf, limit - total < BUFFER ? (size_t)(limit - total) : BUFFER);

                if (n == 0)
                        break;
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return cor_fail_errno(err, "read");
                if (cor_write_full(to, buf, (size_t)n, err) < 0)
                        return -1;
                total += n;
        }
        return total;
}

/* What has no size, as files of procfs, ends where it ends; what does not is no such file. */
static int64_t copy_unsized(int from, int to, struct cor_err *err)
{
        int64_t n = copy_read(from, to, UNSIZED_MAX + 1, err);

        return n <= UNSIZED_MAX ? n
                                : cor_fail(err, COR_INVALID, "a file whose size is said to be 0 has more than %d MiB",
                                           UNSIZED_MAX >> 20);
}

/* From @at up to @end; how far it came: less, where the file ends by now */
static off_t copy_piece(int from, int to, off_t at, off_t end, struct cor_err *err)
{
        if (lseek(to, at, SEEK_SET) < 0)
                return cor_fail_errno(err, "seek");
        while (at < end) {
                ssize_t n = sendfile(to, from, &at, end - at < PIECE ? (size_t)(end - at) : PIECE);

                if (n == 0)
                        break;
                if (n < 0 && errno == EINVAL && lseek(from, at, SEEK_SET) == at) { /* not every file can */
                        int64_t rest = copy_read(from, to, end - at, err);

                        return rest < 0 ? -1 : at + rest;
                }
                if (n < 0 && errno != EINTR)
                        return cor_fail_errno(err, "copy");
        }
        return at;
}

/* The next piece of data at or behind @at; false: there is none up to @size */
static bool find_data(int fd, off_t at, off_t size, off_t *ret_begin, off_t *ret_end)
{
        off_t begin = lseek(fd, at, SEEK_DATA), end;

        if (begin < 0 && errno == ENXIO)
                return false;
        if (begin < 0) /* a file system that knows of no holes */
                begin = at;
        end = lseek(fd, begin, SEEK_HOLE);
        *ret_begin = begin;
        *ret_end = end > begin && end < size ? end : size;
        return begin < size;
}

int64_t cor_copy_content(int from, int to, struct cor_err *err)
{
        off_t at = 0, begin, end, size;
        struct stat st;

        if (fstat(from, &st) < 0)
                return cor_fail_errno(err, "look at a file");
        size = st.st_size;
        if (size == 0)
                return copy_unsized(from, to, err);
        for (; at < size && find_data(from, at, size, &begin, &end); at = end) {
                off_t done = copy_piece(from, to, begin, end, err);

                if (done < 0)
                        return -1;
                if (done != end) /* it has become shorter, or was never so long, as files of sysfs */
                        size = end = done;
        }
        return ftruncate(to, size) < 0 ? cor_fail_errno(err, "set the size") : size;
}
