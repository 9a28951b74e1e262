#include "engine/doctor.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "engine/spec.h"
#include "linux/idmap.h"
#include "linux/link.h"
#include "linux/mount_api.h"
#include "linux/netlink.h"
#include "network/firewall.h"
#include "network/realm.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { KERNEL_MAJOR = 5, KERNEL_MINOR = 10, TEXT_MAX_BYTES = 1 << 20, ATTEMPT_SECONDS = 30 };
enum { DISK_MIN_MB = 512, YEAR_MIN = 1735689600 /* 2025: this program is younger */ };

void doctor_report_done(struct doctor_report *r)
{
        for (size_t i = 0; i < r->n_items; i++) {
                free(r->items[i].message);
                free(r->items[i].remedy);
        }
        free(r->items);
        *r = (struct doctor_report){ 0 };
}

/* What is found out next; without add_remedy() there is nothing to be done, or nothing that one command could do. */
static void add(struct doctor_report *r, const char *name, enum doctor_state state, const char *fmt, ...)
        COR_PRINTF(4, 5);
static void add(struct doctor_report *r, const char *name, enum doctor_state state, const char *fmt, ...)
{
        struct doctor_finding *f = COR_GROW(r->items, r->n_items);
        va_list ap;

        *f = (struct doctor_finding){ .name = name, .state = state };
        va_start(ap, fmt);
        if (vasprintf(&f->message, fmt, ap) < 0)
                f->message = cor_strdup(name);
        va_end(ap);
}

static void add_remedy(struct doctor_report *r, const char *command)
{
        r->items[r->n_items - 1].remedy = cor_strdup(command);
}

static bool is_root(void)
{
        return geteuid() == 0;
}

static bool file_says(const char *path, const char *text)
{
        auto_str content = NULL;

        if (cor_read_file(path, TEXT_MAX_BYTES, &content, NULL, NULL) < 0)
                return false;
        content[strcspn(content, "\n")] = '\0';
        return strcmp(content, text) == 0;
}

/* --- attempts: in a child, with namespaces that end with it ------------------------------------------------------- */

struct attempt {
        int namespaces;
        int (*make)(struct cor_err *err); /* may be NULL */
};

static void serve_attempt(void *context, int socket)
{
        const struct attempt *a = context;
        struct cor_err err = { 0 };

        alarm(ATTEMPT_SECONDS);
        if (unshare(a->namespaces | (is_root() ? 0 : CLONE_NEWUSER)) < 0)
                (void)cor_fail_errno(&err, "namespaces");
        else if (!a->make || a->make(&err) >= 0)
                err.kind = COR_OK;
        (void)!send(socket, &err, sizeof err, MSG_NOSIGNAL);
        _exit(0);
}

/* What comes of @make in new @namespaces; 0, or -1 */
static int try_it(int namespaces, int (*make)(struct cor_err *err), struct cor_err *err)
{
        struct attempt a = { .namespaces = namespaces, .make = make };
        struct cor_err told;
        auto_fd sock = -1;
        ssize_t n;
        pid_t pid;

        sock = cor_child_serve(serve_attempt, &a, &pid, err);
        if (sock < 0)
                return -1;
        n = cor_recv(sock, &told, sizeof told, 0);
        (void)cor_child_wait(pid, -1, NULL);
        if (n != (ssize_t)sizeof told)
                return cor_fail(err, COR_SYSTEM, "the attempt did not end");
        if (told.kind == COR_OK)
                return 0;
        told.msg[sizeof told.msg - 1] = '\0';
        *err = told;
        return -1;
}

static int attempt_overlay(struct cor_err *err)
{
        auto_fd fs = fsopen("overlay", FSOPEN_CLOEXEC);

        return fs < 0 ? cor_fail_errno(err, "overlay") : 0;
}

static int attempt_links(struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_ROUTE, err);

        if (sock < 0)
                return -1;
        if (link_add(sock, &(struct link_new){ .name = "doctor0", .kind = "bridge", .netns = -1 }, err) < 0)
                return cor_wrap(err, "bridge");
        if (link_add(sock,
                     &(struct link_new){ .name = "doctor1",
                                         .kind = "veth",
                                         .netns = -1,
                                         .peer = { .name = "doctor2", .netns = -1 } },
                     err) < 0)
                return cor_wrap(err, "veth");
        return 0;
}

static int fill_nothing(struct nft_change *c, void *data, struct cor_err *err)
{
        return 0;
}

static int attempt_firewall(struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_NETFILTER, err);

        return sock < 0 ? -1 : firewall_ensure(sock, &(struct firewall_content){ .fill = fill_nothing }, err);
}

/* --- the kernel --------------------------------------------------------------------------------------------------- */

static void look_at_kernel(struct doctor_report *r)
{
        unsigned major = 0, minor = 0;
        struct utsname u;

        if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) != 2)
                return;
        if (major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR))
                add(r, "kernel", DOCTOR_GOOD, "Linux %s on %s", u.release, u.machine);
        else
                add(r, "kernel", DOCTOR_MISSING, "Linux %s is older than %d.%d", u.release, KERNEL_MAJOR, KERNEL_MINOR);
}

/* Root in a container, perhaps: then what follows would be said of the wrong thing. */
static bool has_rights(struct doctor_report *r)
{
        struct cor_err err;

        if (!is_root() || try_it(CLONE_NEWNS, NULL, &err) == 0)
                return true;
        add(r, "rights", DOCTOR_MISSING, "this root may not make namespaces (%s): is it that of a container?", err.msg);
        return false;
}

static void look_at_namespaces(struct doctor_report *r)
{
        static const char *const names[] = { "mnt", "pid", "net", "ipc", "uts", "cgroup", "user" };
        auto_text lacking = COR_TEXT_INIT;

        for (size_t i = 0; i < COR_COUNT(names); i++) {
                auto_str path = cor_printf("/proc/self/ns/%s", names[i]);

                if (access(path, F_OK) < 0)
                        cor_text_printf(&lacking, " %s", names[i]);
        }
        if (lacking.len > 0)
                add(r, "namespaces", DOCTOR_MISSING, "the kernel has no namespaces of these kinds:%s", lacking.s);
        else
                add(r, "namespaces", DOCTOR_GOOD, "of all kinds");
}

static void look_at_userns(struct doctor_report *r)
{
        enum doctor_state bad = is_root() ? DOCTOR_LIMITED : DOCTOR_MISSING;
        struct cor_err err;

        if (try_it(CLONE_NEWUSER | CLONE_NEWNS, NULL, &err) == 0) {
                add(r, "user namespaces", DOCTOR_GOOD, "can be made");
                return;
        }
        add(r, "user namespaces", bad, "cannot be made (%s), so there is no %s", err.msg,
            is_root() ? "--userns" : "container of an ordinary user");
        if (file_says("/proc/sys/user/max_user_namespaces", "0"))
                add_remedy(r, "sysctl -w user.max_user_namespaces=15000");
        else if (file_says("/proc/sys/kernel/unprivileged_userns_clone", "0"))
                add_remedy(r, "sysctl -w kernel.unprivileged_userns_clone=1");
        else if (file_says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
                add_remedy(r, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
}

static void look_at_seccomp(struct doctor_report *r)
{
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) < 0 && errno == EFAULT)
                add(r, "seccomp", DOCTOR_GOOD, "system calls can be filtered");
        else
                add(r, "seccomp", DOCTOR_MISSING,
                    "the kernel cannot filter system calls (CONFIG_SECCOMP_FILTER): containers need "
                    "--security-opt seccomp=unconfined");
}

static void look_at_overlay(struct doctor_report *r)
{
        struct cor_err err;

        if (try_it(CLONE_NEWNS, attempt_overlay, &err) == 0) {
                add(r, "overlay", DOCTOR_GOOD, "layers are mounted by the kernel");
        } else if (!is_root() && cor_program_there("fuse-overlayfs")) {
                add(r, "overlay", DOCTOR_LIMITED, "layers are mounted by fuse-overlayfs, which is slower (%s)",
                    err.msg);
        } else {
                add(r, "overlay", DOCTOR_MISSING, "the kernel has no overlay filesystem (%s)", err.msg);
                add_remedy(r, is_root() ? "modprobe overlay" : "apt install fuse-overlayfs");
        }
}

/* --- cgroups ------------------------------------------------------------------------------------------------------ */

static void add_lacking(const struct spec_abilities *a, struct cor_text *t)
{
        const struct {
                bool there;
                const char *name;
        } rows[] = {
                { a->memory, "memory" },
                { a->cpu_quota || a->cpu_shares, "cpu" },
                { a->cpuset, "cpuset" },
                { a->pids, "pids" },
        };

        for (size_t i = 0; i < COR_COUNT(rows); i++)
                if (!rows[i].there)
                        cor_text_printf(t, " %s", rows[i].name);
}

static void add_cgroup_remedy(struct doctor_report *r, const struct spec_abilities *a)
{
        if (!is_root() && spec_host_is_unified())
                add_remedy(r,
                           "mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io "
                           "memory pids\\n' >/etc/systemd/system/user@.service.d/delegate.conf && systemctl "
                           "daemon-reload");
        else if (is_root() && !a->memory && a->pids)
                add_remedy(r, "add cgroup_enable=memory to the kernel's command line, and restart");
}

static void look_at_cgroups(struct doctor_report *r)
{
        auto_text lacking = COR_TEXT_INIT;
        struct spec_abilities a;
        struct statfs fs;

        spec_abilities(&a);
        add_lacking(&a, &lacking);
        if (statfs("/sys/fs/cgroup", &fs) < 0 || (!spec_host_is_unified() && access("/sys/fs/cgroup/pids", F_OK) < 0 &&
                                                  access("/sys/fs/cgroup/devices", F_OK) < 0)) {
                add(r, "cgroups", is_root() ? DOCTOR_MISSING : DOCTOR_LIMITED, "none are mounted");
                add_remedy(r, "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
        } else if (lacking.len > 0) {
                add(r, "cgroups", DOCTOR_LIMITED, "version %s, without limits of:%s",
                    spec_host_is_unified() ? "2" : "1", lacking.s);
                add_cgroup_remedy(r, &a);
        } else {
                add(r, "cgroups", DOCTOR_GOOD, "version %s, made by %s", spec_host_is_unified() ? "2" : "1",
                    spec_host_is_unified() && spec_has_systemd() ? "systemd" : "ourselves");
        }
}

/* --- networks ----------------------------------------------------------------------------------------------------- */

static void look_at_networks(struct doctor_report *r)
{
        struct cor_err err;

        if (realm_check(&err) < 0) {
                add(r, "networks", DOCTOR_LIMITED, "containers have that of the host, or none: %s", err.msg);
                return;
        }
        if (try_it(CLONE_NEWNET, attempt_links, &err) < 0) {
                add(r, "networks", DOCTOR_MISSING, "the kernel lacks what networks are made of: %s", err.msg);
                add_remedy(r, "modprobe -a bridge veth");
        } else {
                add(r, "networks", DOCTOR_GOOD, "bridges can be made");
        }
        if (try_it(CLONE_NEWNET, attempt_firewall, &err) < 0) {
                add(r, "nftables", DOCTOR_MISSING,
                    "rules cannot be made, so there are no networks but host and none: %s", err.msg);
                add_remedy(r, "modprobe -a nf_tables nft_chain_nat nft_masq nft_fib_inet");
        } else {
                add(r, "nftables", DOCTOR_GOOD, "rules for networks and published ports can be made");
        }
}

/* --- the user ----------------------------------------------------------------------------------------------------- */

static void look_at_ids(struct doctor_report *r)
{
        auto_idmap map = { 0 };
        struct cor_err err;

        if (is_root())
                return;
        if (!cor_program_there("newuidmap") || !cor_program_there("newgidmap")) {
                add(r, "subordinate ids", DOCTOR_MISSING, "newuidmap and newgidmap are not installed");
                add_remedy(r, "apt install uidmap");
        } else if (idmap_rootless_default(0, 0, &map, &err) < 0) {
                add(r, "subordinate ids", DOCTOR_MISSING, "%s", err.msg);
        } else if (map.n_uids < 2 || map.n_gids < 2) {
                add(r, "subordinate ids", DOCTOR_MISSING, "this user has none in /etc/subuid and /etc/subgid");
                add_remedy(r, "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER");
        } else {
                add(r, "subordinate ids", DOCTOR_GOOD, "there are some");
        }
}

static void look_at_session(struct doctor_report *r)
{
        auto_str folder = NULL;

        if (is_root() || access("/run/systemd/system", F_OK) < 0)
                return;
        folder = cor_printf("/run/user/%u", (unsigned)geteuid());
        if (access(folder, F_OK) < 0) {
                add(r, "session", DOCTOR_LIMITED, "there is no session of systemd for this user");
                add_remedy(r, "loginctl enable-linger");
                return;
        }
        add(r, "session", DOCTOR_GOOD, "there is one of systemd");
}

/* --- the machine -------------------------------------------------------------------------------------------------- */

static void look_at_programs(struct doctor_report *r)
{
        static const char *const names[] = { "coracle-monitor", "coracle-transfer", "coracle-init" };
        auto_text lacking = COR_TEXT_INIT;

        for (size_t i = 0; i < COR_COUNT(names); i++) {
                auto_str path = cor_libexec_path(names[i]);

                if (access(path, X_OK) < 0)
                        cor_text_printf(&lacking, " %s", path);
        }
        if (lacking.len > 0)
                add(r, "installation", DOCTOR_MISSING, "these programs are not there:%s", lacking.s);
        else
                add(r, "installation", DOCTOR_GOOD, "whole");
}

static void look_at_disk(struct doctor_report *r, const char *store)
{
        auto_str path = cor_strdup(store);
        struct statvfs fs;
        uint64_t free_mb;

        while (statvfs(path, &fs) < 0) { /* the folder above it will have to do */
                char *above = dirname(path);

                if (errno != ENOENT || strcmp(above, ".") == 0 || strcmp(above, "/") == 0) {
                        add(r, "disk", DOCTOR_MISSING, "%s: %s", path, strerror(errno));
                        return;
                }
        }
        free_mb = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
        if (fs.f_flag & ST_RDONLY)
                add(r, "disk", DOCTOR_MISSING, "%s is read-only", path);
        else if (free_mb < DISK_MIN_MB || (fs.f_files > 0 && fs.f_favail < 10000))
                add(r, "disk", DOCTOR_LIMITED, "%s: %llu MB and %llu files are free", path, (unsigned long long)free_mb,
                    (unsigned long long)fs.f_favail);
        else
                add(r, "disk", DOCTOR_GOOD, "%s: %llu MB are free", path, (unsigned long long)free_mb);
        if (r->items[r->n_items - 1].state == DOCTOR_LIMITED)
                add_remedy(r, "coracle system prune --all");
}

/* Boards often have no clock that goes on without power, and then each certificate is of the future. */
static void look_at_clock(struct doctor_report *r)
{
        time_t now = time(NULL);
        char day[32] = "";
        struct tm tm;

        if (gmtime_r(&now, &tm))
                strftime(day, sizeof day, "%Y-%m-%d", &tm);
        if (now >= YEAR_MIN) {
                add(r, "clock", DOCTOR_GOOD, "%s", day);
        } else {
                add(r, "clock", DOCTOR_LIMITED, "it is not %s: registries will not be trusted", day);
                add_remedy(r, "timedatectl set-ntp true");
        }
}

void engine_doctor(const char *store, struct doctor_report *ret)
{
        *ret = (struct doctor_report){ 0 };
        look_at_kernel(ret);
        look_at_namespaces(ret);
        look_at_seccomp(ret);
        look_at_cgroups(ret);
        if (has_rights(ret)) {
                look_at_userns(ret);
                look_at_overlay(ret);
                look_at_networks(ret);
        }
        look_at_ids(ret);
        look_at_session(ret);
        look_at_programs(ret);
        look_at_disk(ret, store);
        look_at_clock(ret);
}
