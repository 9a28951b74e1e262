#include "runtime/plan.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "linux/lsm.h"
#include "linux/namespace.h"
#include "linux/procfs.h"
#include "linux/sysctl.h"
#include "runtime/message.h"
#include "runtime/notify.h"
#include "runtime/plan_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PRESERVED_FDS_MAX = 1024 };

void plan_init(struct plan *p)
{
        *p = (struct plan){
                .root_tree = -1,
                .container = CONTAINER_INIT,
                .seccomp = SECCOMP_PROGRAM_INIT,
                .entry = CGROUP_ENTRY_INIT,
                .procfs = -1,
                .sync_parent = -1,
                .sync_child = -1,
                .listen_fd = -1,
                .console_socket = -1,
        };
}

void plan_shed(struct plan *p)
{
        plan_mounts_done(p);
        for (size_t i = 0; i < p->n_joins; i++)
                cor_fd_close(&p->joins[i].fd);
        p->n_joins = 0;
        if (p->idmap_owned)
                idmap_done(&p->idmap);
        p->idmap_owned = false;
        seccomp_program_done(&p->seccomp);
        cgroup_entry_done(&p->entry);
        cor_fd_close(&p->procfs);
        cor_fd_close(&p->sync_parent);
        cor_fd_close(&p->sync_child);
        cor_fd_close(&p->listen_fd);
        cor_fd_close(&p->console_socket);
}

void plan_done(struct plan *p)
{
        plan_shed(p);
        cgroup_close(p->cgroup);
        cgroup_where_free(p->where);
        container_done(&p->container);
        free(p->bundle);
        free(p->rootfs);
        cor_json_free(p->config);
        plan_init(p);
}

static int read_config(struct plan *p, char **ret_text, size_t *ret_len, struct cor_err *err)
{
        const char *name = p->options->config ? p->options->config : "config.json";
        auto_str path = name[0] == '/' ? cor_strdup(name) : cor_printf("%s/%s", p->bundle, name);

        if (cor_read_file(path, OCI_CONFIG_MAX_BYTES, ret_text, ret_len, err) < 0)
                return err && err->kind == COR_NOT_FOUND
                               ? cor_fail(err, COR_NOT_FOUND, "JSON specification file %s not found", path)
                               : -1;
        return oci_config_parse(*ret_text, *ret_len, path, &p->config, err);
}

/* What these ask for changes who runs the container, or who watches it: to go on without it would be another thing. */
static int refuse_annotations(const struct oci_config *config, struct cor_err *err)
{
        static const struct {
                const char *key, *why;
        } refused[] = {
                { "run.oci.handler", "other ways to run a container are not part of this runtime" },
                { "run.oci.seccomp.plugins", "plugins cannot be loaded; run.oci.seccomp.receiver names a socket" },
        };

        for (size_t i = 0; i < COR_COUNT(refused); i++) {
                const char *value = oci_annotation(config, refused[i].key);

                if (value && value[0])
                        return cor_fail(err, COR_UNSUPPORTED, "annotations[\"%s\"]: \"%.80s\": not supported: %s",
                                        refused[i].key, value, refused[i].why);
        }
        return 0;
}

/* Whether @path leads to a directory through no link, "." or "..", and so is what the kernel would say. */
static bool is_real(const char *path)
{
        const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
        auto_str clean = cor_path_clean(path);
        auto_fd fd = -1;

        if (strcmp(clean, path) != 0)
                return false;
        fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
        return fd >= 0;
}

/* The path with all links resolved, asked of the kernel by way of a descriptor rather than component by component. */
static int real_path(const char *path, char **ret, struct cor_err *err)
{
        auto_fd fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        char link[48], real[PATH_MAX];
        ssize_t n;

        if (fd < 0)
                return cor_fail_errno(err, "root.path: %s", path);
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, real, sizeof real);
        if (n < 0 || n == sizeof real || real[0] != '/')
                return cor_fail(err, COR_INVALID, "root.path: %s has no path", path);
        *ret = cor_strndup(real, (size_t)n);
        return 0;
}

static int resolve_root(struct plan *p, struct cor_err *err)
{
        auto_str joined = NULL;
        const char *path;

        if (!p->config->root)
                return cor_fail(err, COR_INVALID, "config.json: root: required");
        path = p->config->root->path;
        joined = path[0] == '/' ? cor_strdup(path) : cor_printf("%s/%s", p->bundle, path);
        if (is_real(joined))
                p->rootfs = COR_TAKE(joined);
        else if (real_path(joined, &p->rootfs, err) < 0)
                return -1;
        if (strcmp(p->rootfs, "/") == 0)
                return cor_fail(err, COR_INVALID, "root.path: the host's own root cannot be a container's");
        return 0;
}

static int check_terminal(const struct plan *p, struct cor_err *err)
{
        bool terminal = p->config->process->terminal;

        if (terminal && p->options->detach && !p->options->console_socket)
                return cor_fail(err, COR_INVALID,
                                "cannot allocate tty if the runtime will detach without setting console socket");
        if (!(terminal && p->options->detach) && p->options->console_socket)
                return cor_fail(err, COR_INVALID,
                                "cannot use console socket if the runtime will not detach or allocate tty");
        return 0;
}

/* --- namespaces --------------------------------------------------------------------------------------------------- */

/* A namespace that is joined by its path may be the host's all the same. */
static int refuse_host_sysctls(const struct plan *p, const struct oci_namespace *ns, struct cor_err *err)
{
        const struct oci_linux *l = p->config->linux_;

        for (size_t i = 0; i < l->n_sysctl; i++)
                if (sysctl_namespace(l->sysctl[i].key) == ns->type)
                        return cor_fail(err, COR_INVALID,
                                        "linux.sysctl[\"%.80s\"]: not allowed: %s is the host's own namespace",
                                        l->sysctl[i].key, ns->path);
        return 0;
}

static int add_join(struct plan *p, const struct oci_namespace *ns, struct cor_err *err)
{
        auto_fd fd = namespace_open(ns->path, ns->type, err);
        int ours;

        if (fd < 0)
                return cor_wrap(err, "linux.namespaces");
        ours = namespace_is_ours(p->procfs, fd, ns->type, err);
        if (ours < 0 || (ours && refuse_host_sysctls(p, ns, err) < 0))
                return -1;
        if (ours && ns->type == CLONE_NEWUSER)
                return 0; /* setns(2) refuses the user namespace one is in */
        p->joins[p->n_joins].type = ns->type;
        p->joins[p->n_joins++].fd = cor_fd_take(&fd);
        return 0;
}

static bool is_joined(const struct plan *p, int type)
{
        for (size_t i = 0; i < p->n_joins; i++)
                if (p->joins[i].type == type)
                        return true;
        return false;
}

static int plan_namespaces(struct plan *p, struct cor_err *err)
{
        for (const struct namespace_type *t = namespace_types; t->name; t++) {
                const struct oci_namespace *ns = oci_namespace_find(p->config, t->flag);

                if (!ns)
                        continue;
                if (ns->path) {
                        if (add_join(p, ns, err) < 0)
                                return -1;
                } else if (t->flag == CLONE_NEWCGROUP) {
                        p->new_cgroup = true;
                } else if (t->flag == CLONE_NEWTIME) {
                        p->new_time = true;
                } else {
                        p->new_flags |= t->flag;
                }
        }
        if (!(p->new_flags & CLONE_NEWNS) && !is_joined(p, CLONE_NEWNS))
                return cor_fail(err, COR_UNSUPPORTED,
                                "linux.namespaces: a mount namespace is needed, or the mounts would be the host's");
        /* a user without rights gets a user namespace, asked for or not: nothing would work without */
        if (geteuid() != 0 && !is_joined(p, CLONE_NEWUSER))
                p->new_flags |= CLONE_NEWUSER;
        p->user_new = p->new_flags & CLONE_NEWUSER;
        p->userns = p->user_new || is_joined(p, CLONE_NEWUSER);
        p->intermediate = (p->userns && p->n_joins) || is_joined(p, CLONE_NEWPID) || p->new_time;
        return 0;
}

static int plan_idmap(struct plan *p, struct cor_err *err)
{
        const struct oci_linux *l = p->config->linux_;
        const struct oci_user *u = &p->config->process->user;

        p->idmap = (struct idmap){
                .uids = l->uid_mappings,
                .gids = l->gid_mappings,
                .n_uids = l->n_uid_mappings,
                .n_gids = l->n_gid_mappings,
        };
        if (!p->user_new) {
                /* one that is not ours is looked at by init, from inside */
                p->setgroups_denied = !p->userns && p->ctx->rootless && process_setgroups_denied(p->procfs);
                return 0;
        }
        if (l->n_uid_mappings == 0 && l->n_gid_mappings == 0 && geteuid() != 0) {
                p->idmap_owned = true;
                if (idmap_rootless_default(0, 0, &p->idmap, err) < 0)
                        return -1;
        }
        if (p->idmap.n_uids == 0 || p->idmap.n_gids == 0)
                return cor_fail(err, COR_INVALID, "linux.%s: required for a new user namespace",
                                p->idmap.n_uids == 0 ? "uidMappings" : "gidMappings");
        if (idmap_check(p->idmap.uids, p->idmap.n_uids, "linux.uidMappings", err) < 0 ||
            idmap_check(p->idmap.gids, p->idmap.n_gids, "linux.gidMappings", err) < 0)
                return -1;
        /* without privileges and for the caller's own id alone, the kernel wants setgroups to be given up */
        p->setgroups_denied = geteuid() != 0 && p->idmap.n_gids == 1 && p->idmap.gids[0].size == 1;
        if (!idmap_to_host(p->idmap.uids, p->idmap.n_uids, u->uid, &(uint32_t){ 0 }))
                return cor_fail(err, COR_INVALID, "process.user.uid: %u is not mapped by linux.uidMappings", u->uid);
        if (!idmap_to_host(p->idmap.gids, p->idmap.n_gids, u->gid, &(uint32_t){ 0 }))
                return cor_fail(err, COR_INVALID, "process.user.gid: %u is not mapped by linux.gidMappings", u->gid);
        return 0;
}

/* --- the process -------------------------------------------------------------------------------------------------- */

int plan_descriptors(int preserve_fds, struct process_plan *pp, struct cor_err *err)
{
        const char *listen = getenv("LISTEN_FDS"), *listener = getenv("LISTEN_PID");
        uint32_t n_listen = 0, pid;

        /* sd_listen_fds(3): those of another process, who forgot to clear its environment */
        if (listener && (cor_parse_u32(listener, &pid) < 0 || pid != (uint32_t)getpid()))
                listen = NULL;
        if (listen && cor_parse_u32(listen, &n_listen) < 0)
                return cor_fail(err, COR_INVALID, "LISTEN_FDS=%.40s: not a number", listen);
        if (preserve_fds < 0 || preserve_fds > PRESERVED_FDS_MAX || n_listen > PRESERVED_FDS_MAX)
                return cor_fail(err, COR_INVALID, "--preserve-fds: expected a number from 0 to %d", PRESERVED_FDS_MAX);
        pp->n_listen_fds = n_listen;
        pp->n_fds = 3 + n_listen + (unsigned)preserve_fds;
        for (unsigned fd = 3; fd < pp->n_fds; fd++) {
                int flags = fcntl((int)fd, F_GETFD);

                if (flags >= 0 && (flags & FD_CLOEXEC)) { /* opened since we began: ours, not the caller's */
                        flags = -1;
                        errno = EBADF;
                }
                if (flags < 0)
                        return cor_fail_errno(err, "--preserve-fds: descriptor %u", fd);
        }
        /* what else the caller left open is none of the container's business (CVE-2024-21626) */
        return cor_fds_cloexec_from(pp->n_fds, err);
}

int plan_seccomp(const struct oci_config *config, struct seccomp_program *program, struct cor_err *err)
{
        struct seccomp_options o = SECCOMP_OPTIONS_INIT;
        auto_fd cache = -1;
        auto_str dir = NULL;
        int r;

        if (seccomp_options_read(config->annotations, config->n_annotations, &o, err) < 0)
                return -1;
        if (!o.listener_path)
                o.listener_path = getenv("RUN_OCI_SECCOMP_RECEIVER");
        if (o.listener_path && o.listener_path[0] != '/')
                return cor_fail(err, COR_INVALID, "RUN_OCI_SECCOMP_RECEIVER=%.200s: expected an absolute path",
                                o.listener_path);
        if (runtime_default_root(&dir, NULL) == 0) {
                char *slash = strrchr(dir, '/'); /* …/coracle/runtime: the cache lies beside */

                *slash = '\0';
                cache = cor_mkdirs(dir, 0700, NULL) < 0 ? -1 : open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (cache >= 0)
                        o.cache_dirfd = seccomp_cache_open(cache, "seccomp");
        }
        r = seccomp_program_make(config->linux_->seccomp, &o, program, err);
        cor_fd_close(&o.cache_dirfd);
        return r;
}

static int plan_process(struct plan *p, struct cor_err *err)
{
        const struct oci_linux *l = p->config->linux_;

        if (lsm_check(NULL, NULL, l->mount_label, err) < 0 ||
            process_plan_init(&p->process, p->config->process, err) < 0)
                return -1;
        p->process.procfs = p->procfs;
        p->process.userns = p->userns;
        p->process.shut = p->userns && geteuid() != 0;
        p->process.setgroups_denied = p->setgroups_denied;
        p->process.groups_fixed = !p->userns && process_groups_fixed(p->procfs);
        p->process.keep_groups = cor_streq(oci_annotation(p->config, "run.oci.keep_original_groups"), "1");
        p->process.memory_policy = l->memory_policy;
        p->process.personality = l->personality;
        if (!l->seccomp)
                return 0;
        if (plan_seccomp(p->config, &p->seccomp, err) < 0)
                return -1;
        if (p->seccomp.n_items)
                p->process.seccomp = &p->seccomp;
        return 0;
}

static int plan_cgroup(struct plan *p, struct cor_err *err)
{
        struct cgroup_request req;

        plan_cgroup_request(p, &req);
        p->cgroup_attach = req.manager == CGROUP_SYSTEMD;
        return cgroup_plan(&req, &p->where, err);
}

/* An engine says in the path itself whether systemd is to make the cgroup: "SLICE:PREFIX:NAME". */
static enum cgroup_manager manager_of(const struct plan *p)
{
        const char *path = p->config->linux_->cgroups_path, *colon = path ? strchr(path, ':') : NULL;

        return p->options->given && colon && strchr(colon + 1, ':') ? CGROUP_SYSTEMD : p->ctx->manager;
}

void plan_cgroup_request(const struct plan *p, struct cgroup_request *ret)
{
        *ret = (struct cgroup_request){
                .manager = manager_of(p),
                .rootless = p->ctx->rootless,
                .id = p->options->id,
                .path = p->config->linux_->cgroups_path,
                .resources = p->config->linux_->resources,
                .annotations = p->config->annotations,
                .n_annotations = p->config->n_annotations,
        };
}

int plan_make(const struct runtime_context *ctx, const struct create_options *o, struct plan *p, char **ret_config,
              size_t *ret_len, struct cor_err *err)
{
        p->ctx = ctx;
        p->options = o;
        if (container_id_check(o->id, err) < 0 || plan_descriptors(o->preserve_fds, &p->process, err) < 0)
                return -1;
        p->procfs = procfs_open(err);
        if (p->procfs < 0 || cor_path_absolute(o->bundle ? o->bundle : ".", &p->bundle, err) < 0)
                return -1;
        if (read_config(p, ret_config, ret_len, err) < 0 || refuse_annotations(p->config, err) < 0 ||
            resolve_root(p, err) < 0)
                return -1;
        if (!p->config->process)
                return cor_fail(err, COR_INVALID, "config.json: process: required");
        if (check_terminal(p, err) < 0 || plan_namespaces(p, err) < 0 || plan_idmap(p, err) < 0)
                return -1;
        if (plan_process(p, err) < 0 || plan_cgroup(p, err) < 0)
                return -1;
        notify_plan(p);
        if (plan_mounts(p, err) < 0)
                return -1;
        if (o->console_socket) {
                p->console_socket = cor_unix_connect(o->console_socket, SOCK_STREAM, err);
                if (p->console_socket < 0)
                        return cor_wrap(err, "--console-socket");
        }
        p->wait_setup = p->cgroup_attach || p->user_new || p->intermediate;
        p->hooks_in_runtime = p->config->hooks && (p->config->hooks->n_prestart + p->config->hooks->n_create_runtime);
        return message_pair(&p->sync_parent, &p->sync_child, err);
}
