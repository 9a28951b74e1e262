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

int container_folder_new(struct store *s, struct store_new *ret, struct cor_err *err)
{
        return store_containers(s, err) < 0 || store_new_make(s->container_work, ret, err) < 0 ? -1 : 0;
}

void container_gone_done(struct container_gone *g)
{
        cor_fd_close(&g->lock);
        free(g->name);
        g->name = NULL;
}

/* Under the name of a thing that is being made: others leave it alone as long as it is locked, and remove it later. */
int container_folder_drop(struct store *s, const char *id, struct container_gone *ret, struct cor_err *err)
{
        auto_container_gone gone = CONTAINER_GONE_NONE;
        char name[STORE_NAME_MAX];

        if (check_id(id, err) < 0 || store_containers(s, err) < 0)
                return -1;
        gone.lock = openat(s->containers, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (gone.lock < 0 && errno != ENOENT)
                return cor_fail_errno(err, "remove the folder of container %s", id);
        if (gone.lock < 0)
                goto done;
        if (cor_flock(gone.lock, 0, err) < 0)
                return -1;
        store_random_name(STORE_NEW, name);
        if (renameat(s->containers, id, s->container_work, name) == 0)
                gone.name = cor_strdup(name);
        else if (errno == ENOENT)
                cor_fd_close(&gone.lock);
        else
                return cor_fail_errno(err, "remove the folder of container %s", id);
done:
        *ret = gone;
        gone = (struct container_gone)CONTAINER_GONE_NONE;
        return 0;
}

int container_folder_clear(struct store *s, struct container_gone *gone, struct cor_err *err)
{
        int r = 0;

        if (gone->name && (store_containers(s, err) < 0 || cor_own_remove_tree(s->container_work, gone->name, err) < 0))
                r = cor_wrap(err, "remove the folder of a container");
        container_gone_done(gone);
        return r;
}

int container_folder_remove(struct store *s, const char *id, struct cor_err *err)
{
        auto_container_gone gone = CONTAINER_GONE_NONE;

        return container_folder_drop(s, id, &gone, err) < 0 ? -1 : container_folder_clear(s, &gone, err);
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

        if (m->container_locks < 0 && store_containers(s, err) == 0) { /* to look at them, reading is enough */
                m->container_locks = openat(s->containers, ".lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
                if (m->container_locks < 0)
                        m->container_locks = open_locks(s, err);
        }
        return m->container_locks < 0 ? -1 : store_byte_locked(m->container_locks, lock_byte(number, kind), err);
}
