#include "monitor/external.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "linux/mount.h"
#include "linux/namespace.h"
#include "monitor/monitor.h"
#include "monitor/other_runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Names in RUN/<id>. */
#define PID_FILE "pid"
#define LOG_FILE "runtime.log"

enum { END_TIMEOUT_MS = 5000, SHORT_ID = 12 };

struct external {
        bool mounted, created;
        struct other_console console;
        char *log;
};

/* --- its commands ------------------------------------------------------------------------------------------------- */

static struct other_runtime runtime_of(const struct monitor *m)
{
        return (struct other_runtime){ .program = m->settings.runtime, .run = m->run, .log = m->life.external->log };
}

static int run(const struct monitor *m, const char *const *words, struct cor_err *err)
{
        const struct other_runtime o = runtime_of(m);

        return other_runtime_run(&o, words, (int[]){ -1, -1, -1 }, err);
}

/* --- start -------------------------------------------------------------------------------------------------------- */

static int mount_root(struct monitor *m, struct external *x, int root, struct cor_err *err)
{
        auto_str place = cor_printf("%s/rootfs", m->run);
        auto_fd at = -1;

        if (!m->life.private) {
                if (namespace_unshare(CLONE_NEWNS, err) < 0 || mount_propagation("/", MS_SLAVE | MS_REC, err) < 0)
                        return -1;
                m->life.private = true;
                /* what it has open lies on mounts of the other namespace, and those make no overlay here */
                monitor_close_store(m);
                if (monitor_open_store(m, err) < 0)
                        return -1;
        }
        at = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (at < 0)
                return cor_fail_errno(err, "open %s", place);
        if (mount_attach(root, at, err) < 0)
                return -1;
        x->mounted = true;
        return 0;
}

static int receive_console(struct monitor *m, struct external *x, struct cor_err *err)
{
        const struct other_runtime o = runtime_of(m);
        auto_fd master = other_console_take(&o, &x->console, err);

        return master < 0 ? -1 : life_take_terminal(m, master, err);
}

static int listen_for_console(struct monitor *m, struct external *x, struct cor_err *err)
{
        const struct other_runtime o = runtime_of(m);
        auto_str name = cor_strndup(m->id, SHORT_ID);

        return other_console_listen(&o, name, &x->console, err);
}

static int create(struct monitor *m, struct external *x, struct cor_err *err)
{
        const struct other_runtime o = runtime_of(m);
        auto_str pid_file = cor_printf("%s/" PID_FILE, m->run);
        auto_str link = cor_printf("%s/" OTHER_RUNTIME_LINK, m->run);
        const char *words[] = { "create", "--bundle", m->folder, "--pid-file", pid_file, m->id, NULL, NULL, NULL };
        COR_CLEANUP(life_ends_done) struct life_ends e = LIFE_ENDS_INIT;

        if (m->settings.tty) {
                if (listen_for_console(m, x, err) < 0)
                        return -1;
                words[5] = "--console-socket";
                words[6] = x->console.path;
                words[7] = m->id;
        } else if (life_make_pipes(m, &e, err) < 0) {
                return -1;
        }
        if (symlink(m->settings.runtime, link) < 0 && errno != EEXIST)
                return cor_fail_errno(err, "make %s", link);
        x->created = true;
        if (other_runtime_run(&o, words, e.fd, err) < 0 || other_runtime_pid(&o, pid_file, &m->life.pid, err) < 0)
                return -1;
        return m->settings.tty ? receive_console(m, x, err) : 0;
}

int external_start(struct monitor *m, int root, struct cor_err *err)
{
        struct external *x = cor_alloc(sizeof *x);

        x->console = (struct other_console)OTHER_CONSOLE_INIT;
        x->log = cor_printf("%s/" LOG_FILE, m->run);
        m->life.external = x;
        if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                return cor_fail_errno(err, "become a subreaper");
        if (mount_root(m, x, root, err) < 0)
                return -1;
        if (create(m, x, err) < 0 || life_look(m, err) < 0)
                return -1;
        return run(m, (const char *[]){ "start", m->id, NULL }, err);
}

/* --- afterwards --------------------------------------------------------------------------------------------------- */

int external_freeze(struct monitor *m, bool frozen, struct cor_err *err)
{
        return run(m, (const char *[]){ frozen ? "pause" : "resume", m->id, NULL }, err);
}

void external_kill(struct monitor *m)
{
        struct cor_err err = { 0 };

        if (m->life.frozen && external_freeze(m, false, &err) < 0)
                cor_warn("%s", err.msg);
}

void external_end(struct monitor *m)
{
        static const char *const files[] = { PID_FILE, LOG_FILE, OTHER_RUNTIME_LINK };
        struct external *x = m->life.external;
        auto_fd folder = open(m->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        auto_str place = cor_printf("%s/rootfs", m->run);
        struct cor_err err = { 0 };

        if (x->created && run(m, (const char *[]){ "delete", "--force", m->id, NULL }, &err) < 0)
                cor_warn("%s", err.msg);
        if (m->life.pid > 0)
                (void)cor_child_wait(m->life.pid, END_TIMEOUT_MS, NULL);
        if (x->mounted && umount2(place, MNT_DETACH) < 0)
                cor_warn("unmount %s: %m", place);
        other_console_done(&x->console);
        for (size_t i = 0; folder >= 0 && i < COR_COUNT(files); i++)
                (void)unlinkat(folder, files[i], 0);
        if (folder >= 0 && cor_own_remove_tree(folder, OTHER_RUNTIME_STATE, &err) < 0)
                cor_warn("%s", err.msg);
        free(x->log);
        free(x);
        m->life.external = NULL;
}

void external_exec(const struct monitor *m, const struct cor_strv *command, int output)
{
        const char **words = cor_realloc_array(NULL, command->n_items + 3, sizeof *words);
        const struct other_runtime o = runtime_of(m);
        size_t n = 0;

        words[n++] = "exec";
        words[n++] = m->id;
        for (size_t i = 0; i < command->n_items; i++)
                words[n++] = command->items[i];
        words[n] = NULL;
        other_runtime_become(&o, words, (int[]){ -1, output, output });
}
