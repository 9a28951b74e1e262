#include "linux/landlock.h"

#include "base/fd.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's interface, by version: headers are older than kernels. The same numbers on all architectures. */
#define SYS_CREATE_RULESET 444
#define SYS_ADD_RULE       445
#define SYS_RESTRICT_SELF  446

#define CREATE_VERSION  (1U << 0)
#define RULE_PATH       1
#define FS_EXECUTE      (1ULL << 0)
#define FS_WRITE_FILE   (1ULL << 1)
#define FS_READ_FILE    (1ULL << 2)
#define FS_READ_DIR     (1ULL << 3)
#define FS_ALL_1        ((1ULL << 13) - 1)
#define FS_REFER        (1ULL << 13) /* version 2 */
#define FS_TRUNCATE     (1ULL << 14) /* 3 */
#define FS_IOCTL_DEVICE (1ULL << 15) /* 5 */
#define FS_OF_FILES     (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEVICE)
#define NET_BIND        (1ULL << 0) /* 4 */
#define NET_CONNECT     (1ULL << 1)
#define SCOPE_ALL       (3ULL << 0) /* 6: abstract sockets, signals */

struct ruleset {
        uint64_t fs, net, scoped;
};
struct path_rule {
        uint64_t allowed;
        int32_t fd;
} __attribute__((packed));

static struct ruleset ruleset_of(long version, bool network)
{
        struct ruleset r = { .fs = FS_ALL_1 | FS_REFER };

        if (version >= 3)
                r.fs |= FS_TRUNCATE;
        if (version >= 4)
                r.net = network ? NET_BIND : NET_BIND | NET_CONNECT;
        if (version >= 5)
                r.fs |= FS_IOCTL_DEVICE;
        if (version >= 6)
                r.scoped = SCOPE_ALL;
        return r;
}

static uint64_t access_of(enum landlock_right right, uint64_t handled)
{
        switch (right) {
        case LANDLOCK_READ:
                return FS_READ_FILE | FS_READ_DIR;
        case LANDLOCK_PLACE:
                return handled & ~(FS_EXECUTE | FS_IOCTL_DEVICE | FS_WRITE_FILE | FS_TRUNCATE);
        case LANDLOCK_WRITE:
        default:
                return handled & ~(FS_EXECUTE | FS_IOCTL_DEVICE);
        }
}

/* A rule for a file must not speak of what only folders know. */
static int add_rule(int ruleset, const struct landlock_rule *r, uint64_t handled, struct cor_err *err)
{
        struct path_rule rule = { .allowed = access_of(r->right, handled), .fd = r->fd };
        struct stat st;

        if (fstat(r->fd, &st) < 0)
                return cor_fail_errno(err, "look at what landlock shall allow");
        if (!S_ISDIR(st.st_mode))
                rule.allowed &= FS_OF_FILES;
        if (syscall(SYS_ADD_RULE, ruleset, RULE_PATH, &rule, 0) < 0)
                return cor_fail_errno(err, "allow a place by landlock");
        return 0;
}

/* An older kernel takes a longer structure, as long as what it does not know is 0. */
int landlock_confine(const struct landlock_rule *rules, size_t n_rules, bool network, struct cor_err *err)
{
        long version = syscall(SYS_CREATE_RULESET, NULL, 0, CREATE_VERSION);
        struct ruleset set = ruleset_of(version, network);
        auto_fd fd = -1;

        if (version < 2)
                return 0;
        fd = (int)syscall(SYS_CREATE_RULESET, &set, sizeof set, 0);
        if (fd < 0)
                return cor_fail_errno(err, "make a landlock ruleset");
        for (size_t i = 0; i < n_rules; i++)
                if (add_rule(fd, &rules[i], set.fs, err) < 0)
                        return -1;
        if (syscall(SYS_RESTRICT_SELF, fd, 0) < 0)
                return cor_fail_errno(err, "confine the process by landlock");
        return 1;
}
