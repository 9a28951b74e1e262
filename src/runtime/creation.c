/*
 * What making a container and restoring one have in common. Runs in the runtime's own process.
 */
#include "runtime/creation.h"

#include "base/fd.h"
#include "base/log.h"
#include "linux/terminal.h"
#include "runtime/notify.h"
#include "runtime/teardown.h"

#include <linux/magic.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { REAP_TIMEOUT_MS = 10000 };

/*
 * What /proc/self/fd would say of @fd, which costs an inode each time: pipes, sockets and the null device are known by
 * what they are. NULL when it is not open.
 */
static char *name_of(int fd)
{
        char path[32], target[256];
        struct statfs fs;
        struct stat st;
        ssize_t n;

        if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
                return NULL;
        if (fs.f_type == PIPEFS_MAGIC)
                return cor_printf("pipe:[%ju]", (uintmax_t)st.st_ino);
        if (fs.f_type == SOCKFS_MAGIC)
                return cor_printf("socket:[%ju]", (uintmax_t)st.st_ino);
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
                return cor_strdup("/dev/null");
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        n = readlink(path, target, sizeof target);
        return n < 0 ? NULL : cor_strndup(target, (size_t)n);
}

/* What 0, 1 and 2 are: CRIU has to be told about pipes and terminals that came from outside. */
static void note_descriptors(struct creation *c)
{
        for (int fd = 0; fd < 3; fd++) {
                c->fds[fd] = name_of(fd);
                if (!c->fds[fd])
                        c->fds[fd] = cor_strdup("");
        }
        c->record.descriptors = (const char **)c->fds;
        c->record.n_descriptors = 3;
}

static void record_cgroup(struct creation *c)
{
        const struct plan *p = c->plan;

        if (p->cgroup || p->where)
                c->record.cgroup = *(p->cgroup ? cgroup_where(p->cgroup) : p->where);
}

int creation_save(struct creation *c, struct cor_err *err)
{
        record_cgroup(c);
        return container_save(&c->plan->container, &c->record, err);
}

int creation_make_folder(struct creation *c, const char *config, size_t config_len, struct cor_err *err)
{
        struct plan *p = c->plan;

        if (container_make(p->ctx, p->options->id, &p->container, err) < 0)
                return -1;
        cor_text_add_now(&c->created, true);
        note_descriptors(c);
        c->record.version = CORACLE_VERSION;
        c->record.oci_version = p->config->oci_version;
        c->record.id = p->options->id;
        c->record.bundle = p->bundle;
        c->record.rootfs = p->rootfs;
        c->record.created = c->created.s;
        c->record.owner = geteuid();
        c->record.rootless = p->ctx->rootless;
        c->record.terminal = p->config->process->terminal;
        record_cgroup(c);
        if (container_begin(&p->container, &c->record, config, config_len, err) < 0)
                return -1;
        return notify_make(p, err);
}

int creation_make_cgroup(struct plan *p, struct cor_err *err)
{
        struct cgroup_request req;

        plan_cgroup_request(p, &req);
        if (cgroup_create(&req, p->where, &p->cgroup, err) < 0)
                return -1;
        return cgroup_entry_open(p->cgroup, 0, NULL, 0, &p->entry, err);
}

/* Hooks in the container have timeouts of their own, or none. */
static bool has_own_hooks(const struct oci_hooks *h)
{
        return h && h->n_create_container + h->n_start_container > 0;
}

struct watch creation_watch(const struct creation *c)
{
        struct watch w = WATCH_INIT;

        w.who = "the container's first process";
        w.pid = c->init;
        w.cgroup = c->plan->cgroup;
        w.fg = c->fg;
        w.may_idle = has_own_hooks(c->plan->config->hooks);
        return w;
}

int creation_next(const struct creation *c, struct message *ret, int *ret_fd, struct cor_err *err)
{
        struct watch w = creation_watch(c);

        if (watch_wait(&w, c->plan->sync_parent, err) < 0)
                return -1;
        return message_receive(c->plan->sync_parent, ret, ret_fd, err);
}

void creation_reap(pid_t pid)
{
        if (cor_child_wait(pid, REAP_TIMEOUT_MS, NULL) == 0)
                cor_warn("process %d does not end", (int)pid);
}

int creation_record_init(struct creation *c, struct cor_err *err)
{
        struct cor_procid id;

        if (cor_procid_get(c->init, &id, NULL, err) < 0)
                return -1;
        c->record.pid = id.pid;
        c->record.start_time = id.start_time;
        c->record.clos = c->clos;
        /* as a rule nobody asks before container_ready(), and nothing of the record changes before it */
        return c->plan->hooks_in_runtime || c->plan->cgroup_attach || c->clos ? creation_save(c, err) : 0;
}

int creation_ready(struct creation *c, struct cor_err *err)
{
        const struct cor_procid id = { .pid = c->record.pid, .start_time = c->record.start_time };

        return container_ready(&c->plan->container, &id, err);
}

struct hook_state creation_state(const struct creation *c, const char *status)
{
        return (struct hook_state){
                .id = c->plan->options->id,
                .bundle = c->plan->bundle,
                .rootfs = c->plan->rootfs,
                .status = status,
                .pid = strcmp(status, "stopped") == 0 ? 0 : c->init,
        };
}

int creation_hooks(struct creation *c, struct cor_err *err)
{
        const struct oci_config *config = c->plan->config;
        const struct oci_hooks *h = config->hooks;
        struct hook_state state = creation_state(c, "creating");

        if (hooks_run("prestart", h->prestart, h->n_prestart, config, &state, false, err) < 0 ||
            hooks_run("createRuntime", h->create_runtime, h->n_create_runtime, config, &state, false, err) < 0)
                return -1;
        return 0;
}

int creation_take_console(struct creation *c, int *master, struct cor_err *err)
{
        const struct plan *p = c->plan;

        if (*master < 0)
                return cor_fail(err, COR_SYSTEM, "the container sent no terminal");
        if (p->console_socket >= 0)
                return terminal_send(p->console_socket, *master, err);
        c->master = cor_fd_take(master);
        return 0;
}

void creation_undo(struct creation *c)
{
        struct plan *p = c->plan;
        struct cor_err err = { 0 };

        if (c->init > 0) {
                kill(c->init, SIGKILL);
                /* a frozen process of version 1 dies only when thawed */
                if (p->cgroup && cgroup_is_frozen(p->cgroup, &err) == 1)
                        (void)!cgroup_freeze(p->cgroup, false, 0, &err);
                cor_err_clear(&err);
                creation_reap(c->init);
        }
        if (p->container.dirfd < 0)
                return;
        /* should descriptors be what is lacking: removing needs some */
        cor_fd_close(&p->sync_parent);
        cor_fd_close(&p->sync_child);
        cor_fd_close(&p->listen_fd);
        cor_fd_close(&p->console_socket);
        if (teardown(p->ctx, &p->container, p->cgroup, c->clos, &err) < 0)
                cor_warn("%s", err.msg);
        if (c->hooks_due) {
                const struct oci_hooks *h = p->config->hooks;
                struct hook_state state = creation_state(c, "stopped");

                (void)!hooks_run("poststop", h->poststop, h->n_poststop, p->config, &state, true, &err);
        }
}

void creation_done(struct creation *c)
{
        for (int i = 0; i < 3; i++)
                free(c->fds[i]);
        free(c->clos);
        cor_text_done(&c->created);
        cor_fd_close(&c->master);
}
