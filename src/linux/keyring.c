#include "linux/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From the kernel's linux/key.h, which is not for user space: all for the possessor; view, read, search, link for the
 * user. */
#define POSSESSOR_ALL UINT32_C(0x3f000000)
#define USER_VIEW     UINT32_C(0x00010000)
#define USER_READ     UINT32_C(0x00020000)
#define USER_SEARCH   UINT32_C(0x00080000)
#define USER_LINK     UINT32_C(0x00100000)

int keyring_join(const char *name, struct cor_err *err)
{
        const uint32_t rights = POSSESSOR_ALL | USER_VIEW | USER_READ | USER_SEARCH | USER_LINK;
        long serial = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0);

        if (serial < 0 && (errno == ENOSYS || errno == EPERM))
                return 0;
        if (serial < 0 && errno == EDQUOT)
                return cor_fail_errno(
                        err, "make session keyring %s (limits: kernel.keys.maxkeys, kernel.keys.maxbytes)", name);
        if (serial < 0)
                return cor_fail_errno(err, "make session keyring %s", name);
        if (syscall(SYS_keyctl, KEYCTL_SETPERM, serial, rights, 0, 0) < 0)
                return cor_fail_errno(err, "set the permissions of session keyring %s", name);
        return 1;
}
