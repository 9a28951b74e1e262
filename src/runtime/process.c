#include "runtime/process.h"

#include "base/fd.h"
#include "base/log.h"
#include "linux/idmap.h"
#include "linux/lsm.h"
#include "linux/mempolicy.h"
#include "linux/personality.h"
#include "linux/procfs.h"
#include "linux/rlimit.h"
#include "linux/sched.h"
#include "runtime/listener.h"
#include "runtime/message.h"
#include "runtime/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { NOFILE_ROOM = 64 };

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int process_plan_init(struct process_plan *plan, const struct oci_process *process, struct cor_err *err)
{
        auto_text unknown = COR_TEXT_INIT;

        if (process->n_args == 0)
                return cor_fail(err, COR_INVALID, "process.args: must not be empty");
        if (lsm_check(process->apparmor_profile, process->selinux_label, NULL, err) < 0)
                return -1;
        plan->process = process;
        caps_parse(process->capabilities, &plan->caps, &unknown);
        if (unknown.len)
                cor_warn("capabilities left out: %s", unknown.s);
        return 0;
}

bool process_setgroups_denied(int procfs)
{
        char text[16];
        auto_fd fd = procfs_file(procfs, "self/setgroups", O_RDONLY, NULL);

        return fd >= 0 && read(fd, text, sizeof text) >= 4 && memcmp(text, "deny", 4) == 0;
}

bool process_groups_fixed(int procfs)
{
        gid_t groups[64];
        int n;

        if (geteuid() != 0) /* makes a user namespace of its own */
                return false;
        /* to set what is set costs less than to read a file, and mostly there is no more to it */
        n = getgroups(sizeof groups / sizeof groups[0], groups);
        if (n < 0 || syscall(SYS_setgroups, n, groups) == 0)
                return false;
        return process_setgroups_denied(procfs);
}

int process_set_oom_score(int procfs, pid_t pid, int64_t value, bool tolerate, struct cor_err *err)
{
        char path[48] = "self/oom_score_adj", text[24];

        if (pid)
                snprintf(path, sizeof path, "%d/oom_score_adj", (int)pid);
        snprintf(text, sizeof text, "%lld", (long long)value);
        if (procfs_write(procfs, path, text, err) == 0)
                return 0;
        /* lowering needs CAP_SYS_RESOURCE of the initial user namespace, which a rootless caller never has */
        if (tolerate && err && err->kind == COR_DENIED)
                return 0;
        return cor_wrap(err, "process.oomScoreAdj %s", text);
}

/*
 * A limit of open files that leaves no room for the last steps waits for the end of them: lowering one needs no right.
 * All others come while raising is still allowed.
 */
static bool is_late_limit(const struct oci_rlimit *l)
{
        return l->resource == RLIMIT_NOFILE && l->soft < NOFILE_ROOM;
}

int process_parent_limits(const struct process_plan *plan, pid_t pid, struct cor_err *err)
{
        const struct oci_process *p = plan->process;

        for (size_t i = 0; i < p->n_rlimits; i++) {
                const struct oci_rlimit *l = &p->rlimits[i];
                struct rlimit r = { .rlim_cur = l->soft, .rlim_max = l->hard };

                if (is_late_limit(l)) { /* only what the process cannot do later, raising */
                        if (l->hard < NOFILE_ROOM)
                                continue;
                        r.rlim_cur = NOFILE_ROOM;
                }
                if (prlimit(pid, l->resource, &r, NULL) < 0)
                        return cor_fail_errno(err, "process.rlimits: set %s to %llu, %llu",
                                              cor_word_of(oci_rlimit_words, l->resource), (unsigned long long)l->soft,
                                              (unsigned long long)l->hard);
        }
        return 0;
}

/* The container may have put anything there: a pipe must not keep us waiting, nor a link lead us elsewhere. */
static int open_null(struct cor_err *err)
{
        auto_fd fd = open("/dev/null", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0)
                return cor_fail_errno(err, "open the container's /dev/null");
        if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
                return cor_fail(err, COR_INVALID, "/dev/null in the container is not device 1:3");
        if (fcntl(fd, F_SETFL, 0) < 0)
                return cor_fail_errno(err, "open the container's /dev/null");
        return cor_fd_take(&fd);
}

int process_stdio(const int stdio[3], struct cor_err *err)
{
        for (int fd = 0; fd <= 2; fd++) {
                auto_fd null = -1;

                if (stdio[fd] < 0) {
                        null = open_null(err);
                        if (null < 0)
                                return -1;
                }
                if (dup3(null >= 0 ? null : stdio[fd], fd, 0) < 0)
                        return cor_fail_errno(err, "make descriptor %d of the process", fd);
        }
        return 0;
}

int process_limits(const struct process_plan *plan, struct cor_err *err)
{
        const struct oci_process *p = plan->process;

        if (p->scheduler && sched_apply(p->scheduler, err) < 0)
                return -1;
        if (p->io_priority && sched_apply_io(p->io_priority, err) < 0)
                return -1;
        if (plan->memory_policy && mempolicy_apply(plan->memory_policy, err) < 0)
                return -1;
        if (plan->personality && personality_apply(plan->personality, err) < 0)
                return -1;
        if (lsm_apparmor_on_exec(plan->procfs, p->apparmor_profile, err) < 0)
                return -1;
        return lsm_selinux_on_exec(plan->procfs, p->selinux_label, err);
}

void process_lend_stdio(const int stdio[3], const struct oci_linux *l, uint32_t uid)
{
        uint32_t host;
        struct stat st;

        if (!idmap_to_host(l->uid_mappings, l->n_uid_mappings, uid, &host))
                return;
        for (int i = 0; i < 3; i++)
                if (stdio[i] >= 0 && fstat(stdio[i], &st) == 0 && S_ISFIFO(st.st_mode))
                        (void)!fchown(stdio[i], host, (gid_t)-1); /* refused where it is not ours to give: fine */
}

/* Let a user that is not root re-open the pipes or terminal it was given (/dev/stdout). */
static void give_stdio(uid_t uid)
{
        for (int fd = 0; fd <= 2; fd++) {
                struct stat st;

                if (fstat(fd, &st) < 0 || st.st_uid == uid)
                        continue;
                if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
                        continue;
                (void)!fchown(fd, uid, (gid_t)-1); /* refused where it is not ours to give: fine */
        }
}

static int set_groups(const struct process_plan *plan, const struct oci_user *u, bool denied, struct cor_err *err)
{
        _Static_assert(sizeof(gid_t) == sizeof(uint32_t), "additionalGids are passed on as they are");

        if (plan->keep_groups || plan->groups_fixed)
                return 0;
        if (denied) {
                if (u->n_additional_gids)
                        return cor_fail(err, COR_DENIED,
                                        "process.user.additionalGids: cannot be set, as the user namespace denies "
                                        "setgroups (it was made without privileges)");
                return 0;
        }
        /* the system call itself: glibc's would look for threads */
        if (syscall(SYS_setgroups, u->n_additional_gids, u->additional_gids) < 0)
                return cor_fail_errno(err, "process.user.additionalGids: setgroups");
        return 0;
}

static int set_user(const struct process_plan *plan, bool groups_denied, struct cor_err *err)
{
        const struct oci_user *u = &plan->process->user;

        give_stdio(u->uid);
        if (set_groups(plan, u, groups_denied, err) < 0)
                return -1;
        if (syscall(SYS_setresgid, u->gid, u->gid, u->gid) < 0)
                return cor_fail_errno(err, "process.user.gid: set gid %u", u->gid);
        if (syscall(SYS_setresuid, u->uid, u->uid, u->uid) < 0)
                return cor_fail_errno(err, "process.user.uid: set uid %u", u->uid);
        if (u->umask.set)
                umask((mode_t)u->umask.value);
        return 0;
}

static int set_limits(const struct process_plan *plan, bool late, struct cor_err *err)
{
        const struct oci_process *p = plan->process;

        if (plan->userns && !late)
                return 0; /* the parent has set them */
        for (size_t i = 0; i < p->n_rlimits; i++)
                if (is_late_limit(&p->rlimits[i]) == late && rlimit_apply(&p->rlimits[i], 1, err) < 0)
                        return -1;
        return 0;
}

/*
 * The working directory. Asking the kernel where we are afterwards is what defeats a cwd such as /proc/self/fd/7 that
 * leads out by a leaked descriptor (CVE-2024-21626): a directory outside of the root has no path inside it.
 */
static int enter_cwd(const char *cwd, struct cor_err *err)
{
        char real[4096];

        if (chdir(cwd) < 0)
                return cor_fail_errno(err, "chdir to cwd (\"%s\") set in config.json failed", cwd);
        if (syscall(SYS_getcwd, real, sizeof real) < 0)
                return cor_fail_errno(err, "process.cwd: %s", cwd);
        if (real[0] != '/')
                return cor_fail(err, COR_DENIED, "process.cwd: %s is outside of the container's root", cwd);
        return 0;
}

static const char *env_value(char *const *env, const char *name)
{
        size_t n = strlen(name);

        for (; env && *env; env++)
                if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
                        return *env + n + 1;
        return NULL;
}

static void make_env(const struct process_plan *plan, struct cor_strv *env)
{
        const struct oci_process *p = plan->process;

        for (size_t i = 0; i < p->n_env; i++)
                cor_strv_add(env, p->env[i]);
        if (!env_value(env->items, "HOME"))
                cor_strv_take(env, passwd_home(p->user.uid));
        if (plan->n_listen_fds) { /* sd_listen_fds(3) wants the pid of the program itself */
                cor_strv_take(env, cor_printf("LISTEN_FDS=%u", plan->n_listen_fds));
                cor_strv_take(env, cor_printf("LISTEN_PID=%d", (int)getpid()));
        }
        if (plan->notify_socket)
                cor_strv_take(env, cor_printf("NOTIFY_SOCKET=%s", plan->notify_socket));
}

/* What would execve() say to @path? 0 or an errno. */
static int try_program(const char *path)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return errno;
        if (S_ISDIR(st.st_mode))
                return EISDIR;
        if (!S_ISREG(st.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
                return EACCES;
        return 0;
}

static int find_in_path(const char *name, const char *list, char **ret)
{
        int found = ENOENT;

        while (found != 0) {
                const char *end = strchrnul(list, ':');
                char *path = end == list ? cor_strdup(name) : cor_printf("%.*s/%s", (int)(end - list), list, name);
                int r = try_program(path);

                if (r == 0) {
                        *ret = path;
                        return 0;
                }
                free(path);
                if (r == EACCES)
                        found = EACCES;
                if (*end == '\0')
                        break;
                list = end + 1;
        }
        return found;
}

static int find_program(const char *name, char *const *env, char **ret, struct cor_err *err)
{
        const char *path = env_value(env, "PATH");
        int r;

        if (name[0] == '\0')
                return cor_fail(err, COR_EXEC_MISSING, "exec: \"\": executable file not found in $PATH");
        if (strchr(name, '/')) {
                r = try_program(name);
                if (r == 0)
                        *ret = cor_strdup(name);
        } else {
                r = find_in_path(name, path ? path : DEFAULT_PATH, ret);
                if (r == ENOENT)
                        return cor_fail(err, COR_EXEC_MISSING, "exec: \"%.200s\": executable file not found in $PATH",
                                        name);
        }
        if (r == 0)
                return 0;
        if (r == ENOENT || r == ENOTDIR)
                return cor_fail(err, COR_EXEC_MISSING, "exec: \"%.200s\": stat %.200s: %s", name, name,
                                r == ENOENT ? "no such file or directory" : "not a directory");
        return cor_fail(err, COR_EXEC_REFUSED, "exec: \"%.200s\": %s", name,
                        r == EISDIR   ? "is a directory"
                        : r == EACCES ? "permission denied"
                                      : strerror(r));
}

/*
 * Without close_range(2) (before Linux 5.9, or refused): one by one, as no /proc in here is to be believed. As far as
 * the limit of open files goes, and as it may have been when they were opened, but for limits that mean none.
 */
static int close_by_hand(int first, struct cor_err *err)
{
        const rlim_t enough = 1 << 20; /* fs.nr_open, unless somebody has raised it */
        struct rlimit limit;
        rlim_t n;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return cor_fail_errno(err, "the limit of open files");
        n = limit.rlim_max < enough ? limit.rlim_max : enough;
        for (rlim_t fd = (rlim_t)first; fd < n || fd < limit.rlim_cur; fd++)
                close((int)fd);
        return 0;
}

int process_close(const struct process_plan *plan, int *const keep[], size_t n_keep, struct cor_err *err)
{
        int first = (int)plan->n_fds, end = first + (int)n_keep;

        /* out of the way first, so that no new number hits one that is still to be moved */
        for (size_t i = 0; i < n_keep; i++) {
                int high = *keep[i] < 0 ? -1 : fcntl(*keep[i], F_DUPFD_CLOEXEC, end);

                if (high < 0 && *keep[i] >= 0)
                        return cor_fail_errno(err, "move a descriptor");
                *keep[i] = high;
        }
        for (size_t i = 0; i < n_keep; i++) {
                if (*keep[i] < 0)
                        continue;
                if (dup3(*keep[i], first, O_CLOEXEC) < 0)
                        return cor_fail_errno(err, "move a descriptor");
                *keep[i] = first++;
        }
        if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) == 0)
                return 0;
        return close_by_hand(first, err);
}

int process_become(const struct process_plan *plan, struct process_image *ret, struct cor_err *err)
{
        const uint64_t admin = 1ULL << CAP_SYS_ADMIN;
        bool keep_admin = plan->seccomp && !plan->process->no_new_privileges && !(plan->caps.effective & admin);
        struct cor_err cwd_err = { 0 };
        struct caps now = plan->caps;
        bool in_cwd;

        make_env(plan, &ret->env);
        if (set_limits(plan, false, err) < 0)
                return -1;
        if (caps_drop_bounding(plan->caps.bounding, err) < 0 || caps_keep(err) < 0)
                return -1;
        /* a directory that only root may enter, or only the user (NFS, FUSE): either way is fine */
        in_cwd = enter_cwd(plan->process->cwd, &cwd_err) == 0;
        if (set_user(plan, plan->setgroups_denied || ret->setgroups_denied, err) < 0)
                return -1;
        if (!in_cwd && enter_cwd(plan->process->cwd, err) < 0)
                return -1;
        if (keep_admin)
                now.permitted |= admin;
        now.ambient = 0;
        ret->final = plan->caps;
        ret->final_pending = keep_admin || plan->caps.ambient != 0;
        if (caps_apply(&now, NULL, err) < 0)
                return -1;
        return find_program(plan->process->args[0], ret->env.items, &ret->path, err);
}

static int raise_admin(void)
{
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];

        if (syscall(SYS_capget, &head, data) < 0)
                return -1;
        data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective |= CAP_TO_MASK(CAP_SYS_ADMIN);
        return (int)syscall(SYS_capset, &head, data);
}

static int install_filter(const struct process_plan *plan, const struct process_image *image,
                          const struct listener_way *way, int sync, struct cor_err *err)
{
        auto_fd listener = -1;

        if (image->final_pending && !plan->process->no_new_privileges && raise_admin() < 0)
                return cor_fail_errno(err, "raise CAP_SYS_ADMIN for the seccomp filter");
        if (seccomp_program_install(plan->seccomp, &listener, err) < 0)
                return -1;
        return listener >= 0 ? listener_hand_over(way, sync, listener, err) : 0;
}

/* The program's own descriptors pass through exec, whatever flags they came with. */
static int pass_descriptors(const struct process_plan *plan, struct cor_err *err)
{
        for (unsigned fd = 3; fd < plan->n_fds; fd++)
                if (cor_fd_cloexec((int)fd, false, err) < 0)
                        return -1;
        return 0;
}

static void reset_signals(void)
{
        struct sigaction def = { .sa_handler = SIG_DFL };
        sigset_t none;

        for (int sig = 1; sig < 32; sig++)
                if (sig != SIGKILL && sig != SIGSTOP)
                        sigaction(sig, &def, NULL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

int process_exec(const struct process_plan *plan, struct process_image *image, int sync, struct cor_err *err)
{
        COR_CLEANUP(listener_way_done) struct listener_way way = LISTENER_WAY_INIT;
        const struct oci_process *p = plan->process;

        if (plan->seccomp && plan->seccomp->notifies && plan->shut && listener_prepare(&way, sync, err) < 0)
                return -1;
        if (p->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return cor_fail_errno(err, "process.noNewPrivileges");
        if (pass_descriptors(plan, err) < 0 || set_limits(plan, true, err) < 0)
                return -1;
        reset_signals();
        if (plan->seccomp && install_filter(plan, image, &way, sync, err) < 0)
                return -1;
        if (image->final_pending && caps_apply(&image->final, NULL, err) < 0)
                return -1;
        execve(image->path, (char *const *)p->args, image->env.items);
        if (errno == ENOENT) /* the program is there (we looked), so its interpreter is not */
                return cor_fail(err, COR_EXEC_MISSING, "exec %.200s: no such file or directory", image->path);
        cor_fail_errno(err, "exec %.200s", image->path);
        if (err)
                err->kind = COR_EXEC_REFUSED;
        return -1;
}
