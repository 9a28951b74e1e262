/* What runs a container, ours or another OCI runtime (--runtime PATH), and what is asked of it meanwhile. */
#include "base/fd.h"
#include "base/file.h"
#include "engine/container_internal.h"
#include "monitor/other_runtime.h"
#include "runtime/record.h"
#include "store/container.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { SHORT_ID = 12 };

int engine_runtime_open(struct engine *e, struct engine_runtime *ret, struct cor_err *err)
{
        const char *run;

        if (store_run_path(e->store, &run, err) < 0)
                return -1;
        ret->root = cor_printf("%s/runtime", run);
        ret->context = (struct runtime_context){ .root = ret->root, .rootless = runtime_default_rootless() };
        return 0;
}

void engine_runtime_done(struct engine_runtime *r)
{
        free(r->root);
        r->root = NULL;
}

int container_config_read(struct engine *e, const char *id, struct oci_config **ret, struct cor_err *err)
{
        auto_fd folder = container_folder_open(e->store, id, err);
        auto_str text = NULL;
        size_t n;

        if (folder < 0 || cor_own_read(folder, "config.json", OCI_CONFIG_MAX_BYTES, &text, &n, err) < 0)
                return -1;
        return oci_config_parse(text, n, "config.json", ret, err);
}

int container_other(struct engine *e, const char *id, struct container_other *ret, struct cor_err *err)
{
        auto_str link = NULL;
        char program[PATH_MAX];
        const char *run;
        ssize_t n;

        *ret = (struct container_other){ 0 };
        if (store_run_path(e->store, &run, err) < 0)
                return -1;
        link = cor_printf("%s/%s/" OTHER_RUNTIME_LINK, run, id);
        n = readlink(link, program, sizeof program);
        if (n < 0 && errno != ENOENT)
                return cor_fail_errno(err, "read %s", link);
        if (n <= 0)
                return 0;
        ret->program = cor_strndup(program, (size_t)n);
        ret->run = cor_printf("%s/%s", run, id);
        return 0;
}

void container_other_done(struct container_other *o)
{
        free(o->program);
        free(o->run);
        *o = (struct container_other){ 0 };
}

/* ---- its cgroup ---- */

static int own_cgroup(struct engine *e, const char *id, struct cgroup **ret, struct cor_err *err)
{
        auto_container container = CONTAINER_INIT;
        auto_engine_runtime runtime = { .root = NULL };

        if (engine_runtime_open(e, &runtime, err) < 0 || container_open(&runtime.context, id, &container, err) < 0)
                return -1;
        return container_cgroup(&container, ret, err);
}

/* Where config.json says. */
static int other_cgroup(struct engine *e, const char *id, struct cgroup **ret, struct cor_err *err)
{
        struct cgroup_request request = { .manager = CGROUP_CGROUPFS,
                                          .rootless = runtime_default_rootless(),
                                          .id = id };
        auto_json struct oci_config *config = NULL;
        auto_cgroup_where where = NULL;

        if (container_config_read(e, id, &config, err) < 0)
                return -1;
        request.path = config->linux_ ? config->linux_->cgroups_path : NULL;
        if (cgroup_path_is_systemd(request.path))
                request.manager = CGROUP_SYSTEMD;
        return cgroup_plan(&request, &where, err) < 0 ? -1 : cgroup_open(where, ret, err);
}

int container_cgroup_of(struct engine *e, const char *id, struct cgroup **ret, struct cor_err *err)
{
        auto_container_other other = { 0 };

        if (container_other(e, id, &other, err) < 0)
                return -1;
        return other.program ? other_cgroup(e, id, ret, err) : own_cgroup(e, id, ret, err);
}

/* ---- exec ---- */

static int process_file(const char *process, struct cor_err *err)
{
        auto_fd fd = memfd_create("process", 0); /* inherited */
        size_t len = strlen(process);

        if (fd < 0 || write(fd, process, len) != (ssize_t)len)
                return cor_fail_errno(err, "keep the process's document");
        return cor_fd_take(&fd);
}

/* The files of one exec, in RUN/<id>. */
struct exec_files {
        char *pid, *log;
};

static void exec_files_done(struct exec_files *f)
{
        (void)unlink(f->pid);
        (void)unlink(f->log);
        free(f->pid);
        free(f->log);
}

static int run_exec(const struct other_runtime *o, const char *const *words, const struct spawn_stdio *stdio,
                    struct cor_err *err)
{
        auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
        int fds[3];

        if (null < 0)
                return cor_fail_errno(err, "open /dev/null");
        for (int i = 0; i < 3; i++)
                fds[i] = stdio->fd[i] >= 0 ? stdio->fd[i] : null;
        return other_runtime_run(o, words, fds, err);
}

/* Detached from the runtime, so that it becomes our child. */
int container_other_exec(const struct container_other *other, const struct other_exec *x, pid_t *ret_pid,
                         int *ret_master, struct cor_err *err)
{
        auto_str name = cor_strndup(x->name, SHORT_ID);
        COR_CLEANUP(exec_files_done) struct exec_files files = { cor_printf("%s/exec-%s.pid", other->run, name),
                                                                 cor_printf("%s/exec-%s.log", other->run, name) };
        const struct other_runtime o = { .program = other->program, .run = other->run, .log = files.log };
        auto_other_console console = OTHER_CONSOLE_INIT;
        auto_fd process = process_file(x->process, err);
        auto_str path = cor_printf("/proc/self/fd/%d", process);
        const char *words[] = {
                "exec", "--detach", "--pid-file", files.pid, "--process", path, x->id, NULL, NULL, NULL
        };

        if (process < 0)
                return -1;
        if (x->tty) {
                if (other_console_listen(&o, name, &console, err) < 0)
                        return -1;
                words[6] = "--console-socket";
                words[7] = console.path;
                words[8] = x->id;
        }
        if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                return cor_fail_errno(err, "become a subreaper");
        if (run_exec(&o, words, &x->stdio, err) < 0 || other_runtime_pid(&o, files.pid, ret_pid, err) < 0)
                return -1;
        *ret_master = x->tty ? other_console_take(&o, &console, err) : -1;
        return x->tty && *ret_master < 0 ? -1 : 0;
}
