#ifndef CORACLE_TESTS_SCRATCH_H
#define CORACLE_TESTS_SCRATCH_H
/*
 * A folder for one test case, made by scratch_setup() and removed with all that is in it by scratch_teardown(); both
 * are fixtures of cmocka. Names given to the helpers are below it. Include after <cmocka.h>.
 */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
        char path[PATH_MAX];
        int fd; /* O_PATH */
};

static inline int scratch_setup(void **state)
{
        struct scratch *s = calloc(1, sizeof *s);
        const char *parent = getenv("TMPDIR");

        snprintf(s->path, sizeof s->path, "%s/coracle-test.XXXXXX", parent && parent[0] == '/' ? parent : "/tmp");
        if (!mkdtemp(s->path) || (s->fd = open(s->path, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
                return -1;
        *state = s;
        return 0;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
        return remove(path);
}

static inline int scratch_teardown(void **state)
{
        struct scratch *s = *state;
        int r = nftw(s->path, scratch_remove_one, 32, FTW_DEPTH | FTW_PHYS);

        close(s->fd);
        free(s);
        return r;
}

static inline void scratch_dir(struct scratch *s, const char *name)
{
        assert_int_equal(mkdirat(s->fd, name, 0755), 0);
}

static inline void scratch_link(struct scratch *s, const char *target, const char *name)
{
        assert_int_equal(symlinkat(target, s->fd, name), 0);
}

static inline void scratch_file(struct scratch *s, const char *name, const char *text)
{
        int fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
}

static inline int scratch_has(struct scratch *s, const char *name)
{
        struct stat st;

        return fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The whole of a small file; free(). */
static inline char *scratch_text(struct scratch *s, const char *name)
{
        int fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC);
        char *text = calloc(1, 65536);
        ssize_t n;

        assert_true(fd >= 0);
        n = read(fd, text, 65535);
        assert_true(n >= 0);
        close(fd);
        return text;
}

#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

#endif
