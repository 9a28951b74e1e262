#include "linux/sysctl.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"

int sysctl_path(const char *key, char *buf, size_t size, struct cor_err *err)
{
        size_t len = strlen(key), part = 0;
        bool dotted = key[strcspn(key, "./")] == '.';

        if (len == 0 || len >= size)
                return cor_fail(err, COR_INVALID, "linux.sysctl: a key of %zu bytes, expected 1 to %zu", len, size - 1);
        for (size_t i = 0; i <= len; i++) {
                char c = key[i];

                if (dotted && (c == '.' || c == '/'))
                        c = c == '.' ? '/' : '.';
                if (c != '\0' && ((unsigned char)c <= ' ' || c == 0x7f))
                        return cor_fail(err, COR_INVALID, "linux.sysctl: a key with odd characters");
                buf[i] = c;
                if (c != '/' && c != '\0')
                        continue;
                if (i == part || (buf[part] == '.' && (i == part + 1 || (i == part + 2 && buf[part + 1] == '.'))))
                        return cor_fail(err, COR_INVALID, "linux.sysctl: %s is not the name of a kernel parameter",
                                        key);
                part = i + 1;
        }
        return 0;
}

int sysctl_namespace(const char *key)
{
        char path[SYSCTL_PATH_MAX];

        if (sysctl_path(key, path, sizeof path, NULL) < 0)
                return 0;
        if (cor_starts_with(path, "net/"))
                return CLONE_NEWNET;
        if (cor_starts_with(path, "user/"))
                return CLONE_NEWUSER;
        if (cor_streq(path, "kernel/domainname") || cor_streq(path, "kernel/hostname"))
                return CLONE_NEWUTS;
        return cor_starts_with(path, "kernel/") || cor_starts_with(path, "fs/mqueue/") ? CLONE_NEWIPC : 0;
}

int sysctl_write(int procfs, const char *key, const char *value, struct cor_err *err)
{
        char path[SYSCTL_PATH_MAX] = "sys/";
        struct cor_err first = { 0 };
        auto_fd fresh = -1;

        if (sysctl_path(key, path + 4, sizeof path - 4, err) < 0)
                return -1;
        if (procfs_write(procfs, path, value, &first) == 0)
                return 0;
        /* Something lies over the file: /proc/sys of an engine's container is read-only so. A new procfs has nothing.
         */
        fresh = first.kind == COR_INVALID && first.sys == 0 ? procfs_new(NULL) : -1;
        if (fresh >= 0 && procfs_write(fresh, path, value, &first) == 0)
                return 0;
        if (err)
                *err = first;
        return cor_wrap(err, "linux.sysctl: set %s", key);
}
