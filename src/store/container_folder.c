/* The folders of containers, and their locks. */
#include "base/file.h"
#include "base/log.h"
#include "store/container.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ID_DIGITS = 64 };

static int check_id(const char *id, struct cor_err *err)
{
        if (strlen(id) == ID_DIGITS && strspn(id, "0123456789abcdef") == ID_DIGITS)
                return 0;
        return cor_fail(err, COR_INVALID, "'%.80s' is not the id of a container: expected 64 hexadecimal digits", id);
}

char *container_folder_path(const struct store *s, const char *id)
{
        return cor_printf("%s/containers/%s", store_path(s), id);
}

int container_folder_open(const struct store *s, const char *id, struct cor_err *err)
{
        int fd;

        if (check_id(id, err) < 0 || store_containers(s, err) < 0)
                return -1;
        fd = openat(s->containers, id, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return cor_fail(err, COR_NOT_FOUND, "container %s has lost its folder in %s/containers", id, s->path);
        return fd < 0 ? cor_fail_errno(err, "open the folder of container %s", id) : fd;
}

int container_folder_drop(struct store *s, const char *id, char **ret_gone, struct cor_err *err)
{
        char gone[STORE_NAME_MAX];

        if (check_id(id, err) < 0 || store_containers(s, err) < 0)
                return -1;
        store_random_name(STORE_GONE, gone);
        if (renameat(s->containers, id, s->container_work, gone) == 0)
                *ret_gone = cor_strdup(gone);
        else if (errno == ENOENT)
                *ret_gone = NULL;
        else
                return cor_fail_errno(err, "remove the folder of container %s", id);
        return 0;
}

int container_folder_clear(struct store *s, const char *gone, struct cor_err *err)
{
        if (store_containers(s, err) < 0 || cor_own_remove_tree(s->container_work, gone, err) < 0)
                return cor_wrap(err, "remove the folder of a container");
        return 0;
}

int container_folder_remove(struct store *s, const char *id, struct cor_err *err)
{
        auto_str gone = NULL;

        if (container_folder_drop(s, id, &gone, err) < 0)
                return -1;
        return gone ? container_folder_clear(s, gone, err) : 0;
}

static int open_locks(const struct store *s, struct cor_err *err)
{
        int fd;

        if (store_containers(s, err) < 0)
                return -1;
        fd = openat(s->containers, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? cor_fail_errno(err, "open the locks of containers") : fd;
}

static int64_t lock_byte(int64_t number, enum container_lock_kind kind)
{
        return 2 * number + (kind == CONTAINER_LOCK_WORK);
}

int container_row_lock(const struct store *s, int64_t number, enum container_lock_kind kind, int wait_ms,
                       struct cor_err *err)
{
        auto_fd fd = open_locks(s, err);
        int held = fd < 0 ? -1 : cor_lock_byte(fd, lock_byte(number, kind), wait_ms, err);

        if (held < 0)
                return -1;
        if (held == 0)
                return cor_fail(err, COR_BUSY,
                                kind == CONTAINER_LOCK_WORK ? "another command is working on the container"
                                                            : "another monitor has the container");
        return cor_fd_take(&fd);
}

int container_row_locked(const struct store *s, int64_t number, enum container_lock_kind kind, struct cor_err *err)
{
        struct store *m = (struct store *)(uintptr_t)s; /* that it is opened late cannot be seen from outside */

        if (m->container_locks < 0)
                m->container_locks = open_locks(s, err);
        return m->container_locks < 0 ? -1 : store_byte_locked(m->container_locks, lock_byte(number, kind), err);
}
