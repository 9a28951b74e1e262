#ifndef CORACLE_TESTS_CGROUP_TREE_H
#define CORACLE_TESTS_CGROUP_TREE_H
/*
 * A made-up /sys/fs/cgroup in a temporary folder: plain directories, whose files a test puts there and reads again.
 * What the kernel would do when a directory is made (fill it) does not happen, so tests make it beforehand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/file.h"
#include "linux/cgroup_priv.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char tree[64], tree_self[96];

static inline void tree_make(enum cgroup_mode mode, const char *self)
{
        struct cgroup_layout none = { .root_fd = -1 };

        cgroup_layout_keep(&none); /* of another test's tree */
        snprintf(tree, sizeof tree, "/tmp/coracle-cgroup-XXXXXX");
        assert_non_null(mkdtemp(tree));
        snprintf(tree_self, sizeof tree_self, "%s.self", tree);
        int fd = open(tree_self, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, self, strlen(self)), strlen(self));
        close(fd);
        cgroup_host = (struct cgroup_host){
                .root = tree, .self_cgroup = tree_self, .mountinfo = "/dev/null", .made_up = true, .mode = mode
        };
}

static inline void tree_remove(void)
{
        int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(cor_own_remove_tree(tmp, strrchr(tree, '/') + 1, NULL), 0);
        close(tmp);
        unlink(tree_self);
}

static inline void tree_dir(const char *path)
{
        auto_str full = cor_printf("%s/%s", tree, path);

        assert_int_equal(cor_mkdirs(full, 0755, NULL), 0);
}

/* Put @text into file @path; its directory is made. */
static inline void tree_put(const char *path, const char *text)
{
        auto_str full = cor_printf("%s/%s", tree, path), *dir = cor_strdup(full);

        *strrchr(dir, '/') = '\0';
        assert_int_equal(cor_mkdirs(dir, 0755, NULL), 0);
        int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        close(fd);
}

/* Empty files @names, separated by blanks, in @dir. */
static inline void tree_files(const char *dir, const char *names)
{
        auto_str copy = cor_strdup(names);
        char *cursor = copy, *name;

        while ((name = cgroup_next_word(&cursor))) {
                auto_str path = cor_printf("%s/%s", dir, name);

                tree_put(path, "");
        }
}

static inline void tree_expect(const char *path, const char *text)
{
        auto_str full = cor_printf("%s/%s", tree, path), *is = NULL;

        if (cor_read_file(full, 1 << 16, &is, NULL, NULL) < 0)
                fail_msg("%s cannot be read", path);
        if (strcmp(is, text) != 0)
                fail_msg("%s is '%s' instead of '%s'", path, is, text);
}

static inline bool tree_has(const char *path)
{
        auto_str full = cor_printf("%s/%s", tree, path);

        return access(full, F_OK) == 0;
}

/* The resources of a JSON text; cor_json_free() */
static inline struct oci_resources *resources_of(const char *json)
{
        struct cor_err err = { 0 };
        struct oci_resources *r;

        if (oci_resources_parse(json, strlen(json), "test", &r, &err) < 0)
                fail_msg("%s", err.msg);
        return r;
}

static inline void expect_error(const struct cor_err *err, enum cor_kind kind, const char *part)
{
        if (err->kind != kind || !strstr(err->msg, part))
                fail_msg("error of kind %d '%s' instead of kind %d with '%s'", err->kind, err->msg, kind, part);
}

#endif
