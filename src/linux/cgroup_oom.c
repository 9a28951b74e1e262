/*
 * Out-of-memory events. Version 1 signals an eventfd that is registered in cgroup.event_control, also when the cgroup
 * is removed. Version 2 counts in memory.events; an inotify watch wakes us, and cgroup.events tells the end.
 */
#include "linux/cgroup_priv.h"

#include "base/fd.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

struct cgroup_oom {
        struct cgroup_dir dir; /* a copy with its own fd and no names */
        bool v2;
        int fd;
        uint64_t seen;
};

/* The value of "key N" in a flat-keyed file; 0 if it is not there. */
static uint64_t key_of(const struct cgroup_dir *d, const char *file, const char *key)
{
        auto_str text = cgroup_read_all(d, file);
        char *cursor = text, *line;
        size_t len = strlen(key);
        uint64_t value = 0;

        while ((line = cgroup_next_line(&cursor))) {
                char *s = line + len + 1;

                if (strncmp(line, key, len) == 0 && line[len] == ' ' && cgroup_parse_u64(&s, &value))
                        return value;
        }
        return 0;
}

static int open_v1(struct cgroup_oom *o, struct cor_err *err)
{
        auto_fd control = openat(o->dir.fd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
        char text[32];

        o->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (o->fd < 0 || control < 0)
                return cor_fail_errno(err, "watch memory.oom_control");
        snprintf(text, sizeof text, "%d %d", o->fd, control);
        if (cor_write_at(o->dir.fd, "cgroup.event_control", text, err) < 0)
                return cor_wrap(err, "watch memory.oom_control");
        return 0;
}

static int open_v2(struct cgroup_oom *o, struct cor_err *err)
{
        static const char *const files[] = { "memory.events", "cgroup.events" };

        o->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (o->fd < 0)
                return cor_fail_errno(err, "watch memory.events: inotify");
        for (size_t i = 0; i < COR_COUNT(files); i++) {
                char path[64];

                snprintf(path, sizeof path, "/proc/self/fd/%d/%s", o->dir.fd, files[i]);
                if (inotify_add_watch(o->fd, path, IN_MODIFY | IN_DELETE_SELF) < 0)
                        return cor_fail_errno(err, "watch %s", files[i]);
        }
        o->seen = key_of(&o->dir, "memory.events", "oom_kill");
        return 0;
}

int cgroup_oom_open(struct cgroup *cg, struct cgroup_oom **ret, struct cor_err *err)
{
        struct cgroup_dir *d = cgroup_dir_of(cg, CTL_MEMORY);
        struct cgroup_oom *o;

        if (!d || !cgroup_has_file(d, d->h->v2 ? "memory.events" : "memory.oom_control"))
                return cor_fail(err, COR_UNSUPPORTED, "the container has no memory cgroup to watch");
        o = cor_alloc(sizeof *o);
        o->v2 = d->h->v2;
        o->fd = -1;
        o->dir.fd = fcntl(d->fd, F_DUPFD_CLOEXEC, 3);
        if (o->dir.fd < 0) {
                (void)cor_fail_errno(err, "watch memory events");
                cgroup_oom_close(o);
                return -1;
        }
        if ((o->v2 ? open_v2(o, err) : open_v1(o, err)) < 0) {
                cgroup_oom_close(o);
                return -1;
        }
        *ret = o;
        return 0;
}

int cgroup_oom_fd(const struct cgroup_oom *o)
{
        return o->fd;
}

/* Inotify says only that something changed; what, the files tell. */
static int check_v2(struct cgroup_oom *o, uint64_t *ret_events, bool *ret_gone)
{
        char buf[4096] __attribute__((aligned(8)));
        uint64_t now;

        while (read(o->fd, buf, sizeof buf) > 0)
                ;
        now = key_of(&o->dir, "memory.events", "oom_kill");
        *ret_events = now > o->seen ? now - o->seen : 0;
        if (now > o->seen)
                o->seen = now;
        *ret_gone = !cgroup_has_file(&o->dir, "cgroup.events") || key_of(&o->dir, "cgroup.events", "populated") == 0;
        return 0;
}

int cgroup_oom_check(struct cgroup_oom *o, uint64_t *ret_events, bool *ret_gone, struct cor_err *err)
{
        uint64_t count = 0;

        if (o->v2)
                return check_v2(o, ret_events, ret_gone);
        if (read(o->fd, &count, sizeof count) < 0 && errno != EAGAIN)
                return cor_fail_errno(err, "read OOM events");
        /* the removal of the cgroup is signalled, too */
        *ret_gone = !cgroup_has_file(&o->dir, "cgroup.event_control");
        *ret_events = *ret_gone && count > 0 ? count - 1 : count;
        return 0;
}

void cgroup_oom_close(struct cgroup_oom *o)
{
        if (!o)
                return;
        cor_fd_close(&o->fd);
        cor_fd_close(&o->dir.fd);
        free(o);
}
