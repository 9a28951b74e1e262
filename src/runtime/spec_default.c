#include "runtime/spec_default.h"

#include "base/fd.h"
#include "base/file.h"
#include "spec/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { NOFILE = 1024 };

static const char *args[] = { "sh" };
static const char *env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm" };
static const char *caps[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE" };
static const char *masked[] = {
        "/proc/acpi",       "/proc/asound",      "/proc/kcore",       "/proc/keys",    "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
};
static const char *readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };

static const char *dev[] = { "nosuid", "strictatime", "mode=755", "size=65536k" };
static const char *pts[] = { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" };
static const char *shm[] = { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" };
static const char *mqueue[] = { "nosuid", "noexec", "nodev" };
static const char *sys[] = { "nosuid", "noexec", "nodev", "ro" };
static const char *cgroup[] = { "nosuid", "noexec", "nodev", "relatime", "ro" };
static const char *sys_bind[] = { "rbind", "nosuid", "noexec", "nodev", "ro" };

enum { MOUNT_PTS = 2, MOUNT_SYS = 5 };
#define MOUNT(D, T, S, ...)                                                                                            \
        {                                                                                                              \
                .destination = (D), .type = (T), .source = (S), __VA_ARGS__                                            \
        }
#define OPTIONS(LIST) .options = (LIST), .n_options = COR_COUNT(LIST)
static const struct oci_mount mounts[] = {
        MOUNT("/proc", "proc", "proc", .n_options = 0),
        MOUNT("/dev", "tmpfs", "tmpfs", OPTIONS(dev)),
        [MOUNT_PTS] = MOUNT("/dev/pts", "devpts", "devpts", OPTIONS(pts)),
        MOUNT("/dev/shm", "tmpfs", "shm", OPTIONS(shm)),
        MOUNT("/dev/mqueue", "mqueue", "mqueue", OPTIONS(mqueue)),
        [MOUNT_SYS] = MOUNT("/sys", "sysfs", "sysfs", OPTIONS(sys)),
        MOUNT("/sys/fs/cgroup", "cgroup", "cgroup", OPTIONS(cgroup)),
};

/* Without privileges a group other than one's own cannot be given away, and sysfs belongs to the network namespace. */
static void mounts_for_rootless(struct oci_mount *list)
{
        list[MOUNT_PTS].n_options--; /* gid=5 is the last */
        list[MOUNT_SYS] = (struct oci_mount)MOUNT("/sys", "none", "/sys", OPTIONS(sys_bind));
}

static size_t choose_namespaces(bool rootless, bool unified, struct oci_namespace *ret)
{
        size_t n = 0;

        ret[n++].type = CLONE_NEWPID;
        if (!rootless)
                ret[n++].type = CLONE_NEWNET;
        ret[n++].type = CLONE_NEWIPC;
        ret[n++].type = CLONE_NEWUTS;
        ret[n++].type = CLONE_NEWNS;
        if (unified)
                ret[n++].type = CLONE_NEWCGROUP;
        if (rootless)
                ret[n++].type = CLONE_NEWUSER;
        return n;
}

void spec_default_print(const char *hostname, bool rootless, bool unified, struct cor_text *out)
{
        struct oci_caps sets = { .bounding = caps,
                                 .effective = caps,
                                 .permitted = caps,
                                 .n_bounding = COR_COUNT(caps),
                                 .n_effective = COR_COUNT(caps),
                                 .n_permitted = COR_COUNT(caps) };
        struct oci_rlimit limit = { .resource = RLIMIT_NOFILE, .hard = NOFILE, .soft = NOFILE };
        struct oci_process process = { .terminal = true,
                                       .args = args,
                                       .n_args = COR_COUNT(args),
                                       .env = env,
                                       .n_env = COR_COUNT(env),
                                       .cwd = "/",
                                       .capabilities = &sets,
                                       .rlimits = &limit,
                                       .n_rlimits = 1,
                                       .no_new_privileges = true };
        struct oci_root root = { .path = "rootfs", .readonly = true };
        struct oci_mount list[COR_COUNT(mounts)];
        struct oci_namespace namespaces[8] = { { 0 } };
        struct oci_id_map users = { .host_id = geteuid(), .size = 1 }, groups = { .host_id = getegid(), .size = 1 };
        struct oci_device_rule rule = { .type = 'a', .access = "rwm" };
        struct oci_resources resources = { .devices = &rule, .n_devices = 1 };
        struct oci_linux linux_ = { .resources = rootless ? NULL : &resources,
                                    .namespaces = namespaces,
                                    .n_namespaces = choose_namespaces(rootless, unified, namespaces),
                                    .masked_paths = masked,
                                    .n_masked_paths = COR_COUNT(masked),
                                    .readonly_paths = readonly,
                                    .n_readonly_paths = COR_COUNT(readonly) };
        struct oci_config config = { .oci_version = OCI_VERSION,
                                     .process = &process,
                                     .root = &root,
                                     .hostname = hostname,
                                     .mounts = list,
                                     .n_mounts = COR_COUNT(mounts),
                                     .linux_ = &linux_ };

        memcpy(list, mounts, sizeof list);
        if (rootless) {
                mounts_for_rootless(list);
                linux_.uid_mappings = &users;
                linux_.gid_mappings = &groups;
                linux_.n_uid_mappings = linux_.n_gid_mappings = 1;
        }
        cor_json_print(&oci_config_doc, &config, COR_JSON_TABS, out);
        cor_text_add_c(out, '\n');
}

static int open_target(const char *bundle, const char *file, struct cor_err *err)
{
        auto_fd dir = bundle ? open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
        int fd;

        if (dir < 0 && bundle)
                return cor_fail_errno(err, "bundle %s", bundle);
        fd = openat(dir, file ? file : "config.json", O_WRONLY | O_CREAT | O_CLOEXEC | (file ? O_TRUNC : O_EXCL), 0666);
        if (fd < 0 && errno == EEXIST)
                return cor_fail(err, COR_EXISTS, "File config.json exists. Remove it first");
        return fd >= 0 ? fd : cor_fail_errno(err, "create %s", file ? file : "config.json");
}

int spec_default_write(const char *bundle, const char *file, const char *hostname, bool rootless, struct cor_err *err)
{
        auto_text out = COR_TEXT_INIT;
        auto_fd fd = open_target(bundle, file, err);
        struct statfs fs;

        if (fd < 0)
                return -1;
        spec_default_print(hostname, rootless, statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC,
                           &out);
        return cor_write_full(fd, out.s, out.len, err);
}
