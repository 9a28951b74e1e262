/*
 * The process between the runtime and init, where one is needed (plan.h, `intermediate`): it enters what counts for
 * children only (pid, time), and what can be entered only before or only after a change of user namespace. It then
 * clones init as its own sibling, so that init is the runtime's child, and ends.
 */
#include "runtime/plan.h"

#include "base/fd.h"
#include "linux/namespace.h"
#include "runtime/message.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static pid_t clone3_(uint64_t flags, uint64_t exit_signal, int cgroup_fd)
{
        struct clone_args args = {
                .flags = flags,
                .exit_signal = exit_signal,
                .cgroup = (uint64_t)(int64_t)cgroup_fd,
        };

        if (cgroup_fd >= 0)
                args.flags |= CLONE_INTO_CGROUP;
        else
                args.cgroup = 0;
        return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

/* Where a sandbox refuses clone3, since no filter can see what it is asked: the same without the cgroup. */
static pid_t clone_(uint64_t flags, uint64_t exit_signal)
{
        return (pid_t)syscall(SYS_clone, (unsigned long)(flags | exit_signal), NULL, NULL, NULL, NULL);
}

pid_t plan_clone(const struct plan *p, int flags, bool sibling, bool *ret_into_cgroup, struct cor_err *err)
{
        uint64_t all = (uint64_t)(unsigned)flags | (sibling ? CLONE_PARENT : 0);
        uint64_t sig = sibling ? 0 : SIGCHLD; /* a sibling takes over ours */
        int cgroup = sibling ? -1 : p->entry.clone_fd;
        char words[96];
        pid_t pid = clone3_(all, sig, cgroup);

        *ret_into_cgroup = cgroup >= 0;
        if (pid < 0 && cgroup >= 0 && errno != ENOSYS) {
                /* refused into that cgroup (a threaded or full one): the ordinary way says what is wrong */
                *ret_into_cgroup = false;
                pid = clone3_(all, sig, -1);
        }
        if (pid < 0 && (errno == ENOSYS || errno == EPERM)) { /* if it is not the call that is refused, this is too */
                *ret_into_cgroup = false;
                pid = clone_(all, sibling ? SIGCHLD : sig);
        }
        if (pid < 0)
                cor_fail_errno(err, "make a process in new namespaces (%s)",
                               namespace_words(flags, words, sizeof words));
        return pid;
}

/* Enter all but the user namespace; @last: what is refused now is an error, else it is left for after that. */
static int enter_others(const struct plan *p, bool done[PLAN_MAX_JOINS], bool last, struct cor_err *err)
{
        for (size_t i = 0; i < p->n_joins; i++) {
                if (done[i] || p->joins[i].type == CLONE_NEWUSER)
                        continue;
                if (namespace_enter(p->joins[i].fd, p->joins[i].type, err) == 0)
                        done[i] = true;
                else if (last)
                        return -1;
        }
        return 0;
}

static int enter_user(const struct plan *p, struct cor_err *err)
{
        for (size_t i = 0; i < p->n_joins; i++)
                if (p->joins[i].type == CLONE_NEWUSER)
                        return namespace_enter(p->joins[i].fd, CLONE_NEWUSER, err);
        if (!p->user_new)
                return 0;
        if (namespace_unshare(CLONE_NEWUSER, err) < 0 || message_send(p->sync_child, MSG_MAP, 0, err) < 0)
                return -1;
        return message_expect(p->sync_child, MSG_SETUP, err);
}

static bool joins(const struct plan *p, int type)
{
        for (size_t i = 0; i < p->n_joins; i++)
                if (p->joins[i].type == type)
                        return true;
        return false;
}

/*
 * Those who are in a joined user namespace already may trace what enters it, and in a joined pid namespace they see
 * init from its first moment: so this is before, and a clone inherits it. Only a user's own maps and offsets are
 * written while we are dumpable, as /proc/PID would be root's otherwise.
 */
static int hide(struct cor_err *err)
{
        return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? cor_fail_errno(err, "become non-dumpable") : 0;
}

static int enter(const struct plan *p, struct cor_err *err)
{
        const struct oci_linux *l = p->config->linux_;
        bool done[PLAN_MAX_JOINS] = { false };
        bool early = joins(p, CLONE_NEWUSER) && (geteuid() == 0 || !p->new_time);

        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return cor_fail_errno(err, "set the parent-death signal");
        if ((early && hide(err) < 0) || cgroup_entry_join(&p->entry, false, err) < 0)
                return -1;
        if (enter_others(p, done, !p->userns, err) < 0 || enter_user(p, err) < 0 ||
            enter_others(p, done, true, err) < 0)
                return -1;
        if (p->new_time && (namespace_unshare(CLONE_NEWTIME, err) < 0 ||
                            namespace_write_offsets(p->procfs, l->time_offsets, l->n_time_offsets, err) < 0))
                return -1;
        return joins(p, CLONE_NEWUSER) || joins(p, CLONE_NEWPID) ? hide(err) : 0;
}

void intermediate_run(const struct plan *p)
{
        struct cor_err err = { 0 };
        bool into_cgroup;
        pid_t pid;

        if (enter(p, &err) < 0)
                goto fail;
        pid = plan_clone(p, p->new_flags & ~CLONE_NEWUSER, true, &into_cgroup, &err);
        if (pid == 0)
                init_run(p, false);
        if (pid < 0 || message_send(p->sync_child, MSG_PID, pid, &err) < 0)
                goto fail;
        _exit(0);
fail:
        message_send_error(p->sync_child, &err);
        _exit(1);
}
