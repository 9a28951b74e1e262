/*
 * The empty root: a tmpfs is mounted over the root of a mount namespace of our own, becomes the root by pivot_root, and
 * what was below is taken away. A clone of that mount which can be written stays with the child that follows
 * resolv.conf; ours becomes read-only.
 *
 * Who has CAP_SYS_ADMIN makes just the mount namespace. Others make a user namespace with it, in which only they are;
 * where that is forbidden, they enter that of the target, as slirp4netns does.
 */
#include "tools/usernet/sandbox.h"

#include "base/fd.h"
#include "base/file.h"
#include "linux/caps.h"
#include "linux/mount.h"
#include "linux/namespace.h"
#include "tools/usernet/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { SANITIZED = true }; /* it reads /proc and makes threads when it has found something */
#else
enum { SANITIZED = false };
#endif

#define BIT(n) (1ULL << (n))

static const uint64_t ROOT_ATTRS = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

/* ------------------------------------------------------------------------------------------------------- namespaces */

/* Ourselves and nobody else: files that we make need an owner. */
static int map_ourselves(uid_t uid, gid_t gid, struct cor_err *err)
{
        char text[64];

        if (cor_write_at(AT_FDCWD, "/proc/self/setgroups", "deny", err) < 0)
                return -1;
        snprintf(text, sizeof text, "%u %u 1", (unsigned)gid, (unsigned)gid);
        if (cor_write_at(AT_FDCWD, "/proc/self/gid_map", text, err) < 0)
                return -1;
        snprintf(text, sizeof text, "%u %u 1", (unsigned)uid, (unsigned)uid);
        return cor_write_at(AT_FDCWD, "/proc/self/uid_map", text, err);
}

static int enter_mount_namespace(const struct sandbox_plan *p, bool privileged, struct cor_err *err)
{
        uid_t uid = geteuid();
        gid_t gid = getegid();

        if (privileged)
                return namespace_unshare(CLONE_NEWNS, err);
        if (namespace_unshare(CLONE_NEWUSER | CLONE_NEWNS, err) == 0)
                return map_ourselves(uid, gid, err);
        if (p->userns < 0)
                return -1;
        if (namespace_enter(p->userns, CLONE_NEWUSER, err) < 0)
                return -1;
        return namespace_unshare(CLONE_NEWNS, err);
}

/* ------------------------------------------------------------------------------------------------------------- root */

static int fill_root(int root, bool resolver, struct cor_err *err)
{
        auto_text lines = COR_TEXT_INIT;
        auto_fd etc = -1;

        if (mkdirat(root, "etc", 0755) < 0)
                return cor_fail_errno(err, "make /etc");
        if (!resolver)
                return 0;
        etc = openat(root, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (etc < 0)
                return cor_fail_errno(err, "open /etc");
        resolver_read(&lines);
        return resolver_write(etc, &lines, err);
}

/* The folder in a clone of the mount, which stays writable. */
static int hand_over(int root, int resolver, struct cor_err *err)
{
        auto_fd clone = mount_clone(root, "", false, false, err);
        auto_fd etc = -1;

        if (clone < 0)
                return -1;
        etc = openat(clone, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (etc < 0)
                return cor_fail_errno(err, "open /etc");
        return resolver_follow(resolver, etc, err);
}

static int swap_root(int root, struct cor_err *err)
{
        if (fchdir(root) < 0)
                return cor_fail_errno(err, "enter the new root");
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                return cor_fail_errno(err, "pivot_root");
        if (umount2(".", MNT_DETACH) < 0)
                return cor_fail_errno(err, "unmount the old root");
        return chdir("/") < 0 ? cor_fail_errno(err, "enter the new root") : 0;
}

static int change_root(int resolver, struct cor_err *err)
{
        const struct mount_attrs read_only = { .set = MOUNT_ATTR_RDONLY | ROOT_ATTRS };
        auto_fd old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        auto_fd root = -1;

        if (old < 0)
                return cor_fail_errno(err, "open the root");
        if (mount_propagation("/", MS_REC | MS_PRIVATE, err) < 0)
                return -1;
        root = mount_new("tmpfs", "coracle-usernet", "size=64k,nr_inodes=16,mode=0755", 0, ROOT_ATTRS, err);
        if (root < 0 || fill_root(root, resolver >= 0, err) < 0 || mount_attach(root, old, err) < 0)
                return -1;
        if (resolver >= 0 && hand_over(root, resolver, err) < 0)
                return cor_wrap(err, "follow resolv.conf");
        return mount_change(root, &read_only, false, err) < 0 ? -1 : swap_root(root, err);
}

static int empty_root(const struct sandbox_plan *p, bool privileged, int *ret_resolver, struct cor_err *err)
{
        auto_fd resolver = -1;

        if (p->resolver) {
                resolver = resolver_start(err); /* outside */
                if (resolver < 0)
                        return -1;
        }
        if (enter_mount_namespace(p, privileged, err) < 0 || change_root(resolver, err) < 0)
                return -1;
        *ret_resolver = cor_fd_take(&resolver);
        return 0;
}

/* --------------------------------------------------------------------------------------------------------- the rest */

static int drop_privileges(uint64_t keep, struct cor_err *err)
{
        struct caps caps = { .effective = keep, .permitted = keep };
        const struct rlimit no_core = { 0, 0 };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0 ||
            (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
                return cor_fail_errno(err, "give up privileges");
        return caps_drop_bounding(keep, err) < 0 ? -1 : caps_apply(&caps, NULL, err);
}

static int without(bool needed, const char *what, struct cor_err *err)
{
        if (needed)
                return cor_wrap(err, "%s", what);
        fprintf(stderr, "WARNING: going on without %s: %s\n", what, err->msg);
        return 0;
}

int sandbox_enter(const struct sandbox_plan *p, int *ret_resolver, struct cor_err *err)
{
        struct caps caps;
        bool privileged;

        *ret_resolver = -1;
        if (caps_current(false, &caps, err) < 0)
                return -1;
        privileged = caps.effective & BIT(CAP_SYS_ADMIN);
        if (!SANITIZED && empty_root(p, privileged, ret_resolver, err) < 0 && without(p->need_root, "sandbox", err) < 0)
                return -1;
        if (drop_privileges(caps.effective & BIT(CAP_NET_BIND_SERVICE), err) < 0)
                return -1;
        if (!SANITIZED && sandbox_filter(err) < 0 && without(p->need_filter, "seccomp", err) < 0)
                return -1;
        return 0;
}
