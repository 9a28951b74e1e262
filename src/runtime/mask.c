/*
 * linux.maskedPaths and linux.readonlyPaths. Runs after the change of root: no path leads out any more, and each is
 * walked once, without magic links. What is put over a file is a character device 1:3 that was looked at
 * (CVE-2025-31133: the image replaced /dev/null).
 */
#include "runtime/rootfs.h"

#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct mask {
        int root;
        int null;  /* /dev/null, checked; or -1 */
        int empty; /* a read-only, empty tmpfs, attached somewhere; or -1 */
};

static void mask_done(struct mask *m)
{
        cor_fd_close(&m->root);
        cor_fd_close(&m->null);
        cor_fd_close(&m->empty);
}

static int open_null(struct mask *m, struct cor_err *err)
{
        struct stat st;

        m->null = cor_root_open(m->root, "/dev/null", O_PATH, 0, err);
        if (m->null < 0)
                return -1;
        if (fstat(m->null, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
                return cor_fail(err, COR_DENIED, "/dev/null in the container is not the null device");
        return 0;
}

static int mask_file(struct mask *m, int target, struct cor_err *err)
{
        auto_fd clone = -1;

        if (m->null < 0 && open_null(m, err) < 0)
                return -1;
        clone = mount_clone(m->null, "", false, false, err);
        return clone < 0 ? -1 : mount_attach(clone, target, err);
}

/* One tmpfs serves all: the first directory gets it, the others a clone of that mount. */
static int mask_directory(struct mask *m, int target, struct cor_err *err)
{
        auto_fd clone = -1;

        if (m->empty >= 0) {
                clone = mount_clone(m->empty, "", false, false, err);
                return clone < 0 ? -1 : mount_attach(clone, target, err);
        }
        m->empty = mount_new_on(target, "tmpfs", "tmpfs", "size=0k,nr_blocks=1,nr_inodes=1", 0,
                                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);
        return m->empty < 0 ? -1 : 0;
}

static bool is_missing(const struct cor_err *err)
{
        return err->sys == ENOENT || err->sys == ENOTDIR;
}

static int mask_path(struct mask *m, const char *path, struct cor_err *err)
{
        struct cor_err why = { 0 };
        auto_fd target = cor_root_open(m->root, path, O_PATH, 0, &why);
        struct stat st;

        if (target < 0) {
                if (is_missing(&why))
                        return 0;
                *err = why;
                return -1;
        }
        if (fstat(target, &st) < 0)
                return cor_fail_errno(err, "look at it");
        return S_ISDIR(st.st_mode) ? mask_directory(m, target, err) : mask_file(m, target, err);
}

static int readonly_path(struct mask *m, const char *path, struct cor_err *err)
{
        static const struct mount_attrs readonly = { .set = MOUNT_ATTR_RDONLY };
        struct cor_err why = { 0 };
        auto_fd target = cor_root_open(m->root, path, O_PATH, 0, &why);
        auto_fd clone = -1;

        if (target < 0) {
                if (is_missing(&why))
                        return 0;
                *err = why;
                return -1;
        }
        clone = mount_clone(target, "", true, false, err);
        if (clone < 0 || mount_attach(clone, target, err) < 0)
                return -1;
        if (mount_change(clone, &readonly, true, err) == 0)
                return 0;
        return err->kind == COR_UNSUPPORTED ? mount_change(clone, &readonly, false, err) : -1;
}

int rootfs_mask(const struct plan *p, struct cor_err *err)
{
        const struct oci_linux *l = p->config->linux_;
        COR_CLEANUP(mask_done) struct mask m = { .root = -1, .null = -1, .empty = -1 };

        if (l->n_masked_paths + l->n_readonly_paths == 0)
                return 0;
        m.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (m.root < 0)
                return cor_fail_errno(err, "open /");
        for (size_t i = 0; i < l->n_readonly_paths; i++)
                if (readonly_path(&m, l->readonly_paths[i], err) < 0)
                        return cor_wrap(err, "linux.readonlyPaths: %s", l->readonly_paths[i]);
        for (size_t i = 0; i < l->n_masked_paths; i++)
                if (mask_path(&m, l->masked_paths[i], err) < 0)
                        return cor_wrap(err, "linux.maskedPaths: %s", l->masked_paths[i]);
        return 0;
}
