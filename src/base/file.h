#ifndef CORACLE_BASE_FILE_H
#define CORACLE_BASE_FILE_H
/*
 * Files and paths. Two look-ups, named by what they trust: `cor_root_…` for whatever an image or a container can write
 * (links resolve inside the root, no magic links), `cor_own_…` for our own state (beneath the directory, no links at
 * all). Paths are an fd and a name; AT_FDCWD is taken where the caller's own view is meant.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* cor_root_open() - openat2(RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS) of @path under @rootfd; EAGAIN is retried */
int cor_root_open(int rootfd, const char *path, int flags, mode_t mode, struct cor_err *err) COR_MUST_CHECK;
/* cor_root_open_nofollow() - the same, but a link as the last component is opened itself (O_PATH) or refused */
int cor_root_open_nofollow(int rootfd, const char *path, int flags, struct cor_err *err) COR_MUST_CHECK;
/*
 * cor_root_mkdirs() - open directory @path under @rootfd as O_PATH, making what is missing with @mode. Links on the way
 * are followed inside the root; a dangling link's target is made inside the root as well. NOT a directory: INVALID.
 */
int cor_root_mkdirs(int rootfd, const char *path, mode_t mode, struct cor_err *err) COR_MUST_CHECK;
/*
 * cor_root_mkfile() - open file @path under @rootfd as O_PATH (whatever it is, a device say, as long as it is not a
 * directory: INVALID), making it as an empty regular one (0644) and its directories (0755) if missing
 */
int cor_root_mkfile(int rootfd, const char *path, struct cor_err *err) COR_MUST_CHECK;

/* cor_own_open() - openat2(RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS) of @path under @dirfd */
int cor_own_open(int dirfd, const char *path, int flags, mode_t mode, struct cor_err *err) COR_MUST_CHECK;
/* cor_own_write() - replace file @name in @dirfd atomically: written beside, renamed; @sync also fsyncs file and dir */
int cor_own_write(int dirfd, const char *name, const void *data, size_t n, mode_t mode, bool sync, struct cor_err *err)
        COR_MUST_CHECK;
/* cor_own_read() - the whole of @name in @dirfd, NUL-terminated; INVALID if over @limit bytes. free() *ret */
int cor_own_read(int dirfd, const char *name, size_t limit, char **ret, size_t *ret_n, struct cor_err *err)
        COR_MUST_CHECK;
/* cor_own_remove_tree() - remove @name in @dirfd and what is below it; no link is followed; absence is success */
int cor_own_remove_tree(int dirfd, const char *name, struct cor_err *err) COR_MUST_CHECK;
/* cor_mkdirs() - make directory @path (the caller's own view, links followed) with its parents */
int cor_mkdirs(const char *path, mode_t mode, struct cor_err *err) COR_MUST_CHECK;

/*
 * cor_read_fd() / cor_read_file() - everything up to @limit bytes, NUL-terminated; free() *ret. A file that is a pipe
 * or a device has to come to its end within ten seconds (TIMEOUT).
 */
int cor_read_fd(int fd, const char *what, size_t limit, char **ret, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;
int cor_read_file(const char *path, size_t limit, char **ret, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;
/* cor_write_at() - write @text in one write() to the existing @path below @dirfd (kernel interface files) */
int cor_write_at(int dirfd, const char *path, const char *text, struct cor_err *err) COR_MUST_CHECK;
/*
 * cor_read_at() - read an existing small kernel file into @buf of @size bytes (terminated, final newline cut); length.
 * A file that does not fit is an error.
 */
ssize_t cor_read_at(int dirfd, const char *path, char *buf, size_t size, struct cor_err *err) COR_MUST_CHECK;

/*
 * cor_copy_content() - all that regular file @from has now, to @to, which is empty: what is a hole stays one, and who
 * goes on writing is not followed. Files of the kernel that say they have no size may have 64 MiB. Its size, or -1
 */
int64_t cor_copy_content(int from, int to, struct cor_err *err) COR_MUST_CHECK;

/* cor_path_clean() - @path made lexically absolute: "//", "." and ".." removed, never above "/"; free() */
char *cor_path_clean(const char *path) __attribute__((returns_nonnull));
/* cor_path_absolute() - @path in the caller's working directory, cleaned; free() */
int cor_path_absolute(const char *path, char **ret, struct cor_err *err) COR_MUST_CHECK;

#endif
