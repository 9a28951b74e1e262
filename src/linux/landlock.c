#include "linux/landlock.h"

#include "base/fd.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's interface, by version: headers are older than kernels. The same numbers on all architectures. */
#define SYS_CREATE_RULESET 444
#define SYS_ADD_RULE       445
#define SYS_RESTRICT_SELF  446

#define CREATE_VERSION   (1U << 0)
#define RULE_PATH        1
#define FS_EXECUTE       (1ULL << 0)
#define FS_ALL_1         ((1ULL << 13) - 1)
#define FS_REFER         (1ULL << 13) /* version 2 */
#define FS_TRUNCATE      (1ULL << 14) /* 3 */
#define FS_IOCTL_DEVICE  (1ULL << 15) /* 5 */
#define NET_BIND_CONNECT (3ULL << 0)  /* 4 */
#define SCOPE_ALL        (3ULL << 0)  /* 6: abstract sockets, signals */

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
        if (version >= 4 && !network)
                r.net = NET_BIND_CONNECT;
        if (version >= 5)
                r.fs |= FS_IOCTL_DEVICE;
        if (version >= 6)
                r.scoped = SCOPE_ALL;
        return r;
}

/* An older kernel takes a longer structure, as long as what it does not know is 0. */
int landlock_confine(const int *folders, size_t n_folders, bool network, struct cor_err *err)
{
        long version = syscall(SYS_CREATE_RULESET, NULL, 0, CREATE_VERSION);
        struct ruleset set = ruleset_of(version, network);
        auto_fd fd = -1;

        if (version < 2)
                return 0;
        fd = (int)syscall(SYS_CREATE_RULESET, &set, sizeof set, 0);
        if (fd < 0)
                return cor_fail_errno(err, "make a landlock ruleset");
        for (size_t i = 0; i < n_folders; i++) {
                struct path_rule rule = { .allowed = set.fs & ~(FS_EXECUTE | FS_IOCTL_DEVICE), .fd = folders[i] };

                if (syscall(SYS_ADD_RULE, fd, RULE_PATH, &rule, 0) < 0)
                        return cor_fail_errno(err, "allow a folder by landlock");
        }
        if (syscall(SYS_RESTRICT_SELF, fd, 0) < 0)
                return cor_fail_errno(err, "confine the process by landlock");
        return 1;
}
