#include "linux/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "linux/procfs.h"

/* Securityfs does not tell: podman unmounts it before it has a runtime make a container with mapped ids. */
bool lsm_apparmor_enabled(void)
{
        auto_fd fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
        char answer = 'N';

        return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

bool lsm_apparmor_has_profiles(void)
{
        return access("/sys/kernel/security/apparmor", F_OK) == 0 && lsm_apparmor_enabled();
}

bool lsm_selinux_enabled(void)
{
        struct statfs fs;

        return statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

static bool given(const char *s)
{
        return s && *s;
}

/* A context is words, colons and categories; a quote would end the option that holds it. */
static int check_label(const char *label, const char *key, struct cor_err *err)
{
        if (!given(label))
                return 0;
        for (const char *p = label; *p; p++)
                if ((unsigned char)*p <= ' ' || *p == '"' || *p == '\\' || *p == 0x7f)
                        return cor_fail(err, COR_INVALID, "%s: not a SELinux label", key);
        if (!lsm_selinux_enabled())
                return cor_fail(err, COR_INVALID, "%s: %s is asked for, but SELinux is not enabled on this host", key,
                                label);
        return 0;
}

int lsm_check(const char *apparmor_profile, const char *selinux_label, const char *mount_label, struct cor_err *err)
{
        if (given(apparmor_profile) && !lsm_apparmor_enabled())
                return cor_fail(err, COR_INVALID,
                                "process.apparmorProfile: %s is asked for, but AppArmor is not enabled on this host",
                                apparmor_profile);
        if (check_label(selinux_label, "process.selinuxLabel", err) < 0)
                return -1;
        return check_label(mount_label, "linux.mountLabel", err);
}

int lsm_apparmor_on_exec(int procfs, const char *profile, struct cor_err *err)
{
        char text[1024];
        int len;

        if (!given(profile))
                return 0;
        len = snprintf(text, sizeof text, "exec %s", profile);
        if (len < 0 || (size_t)len >= sizeof text)
                return cor_fail(err, COR_INVALID, "process.apparmorProfile: longer than a profile's name can be");
        /* The module's own folder, since 5.8; with another module in front the old file belongs to that one. */
        auto_fd fd = procfs_file(procfs, "thread-self/attr/apparmor/exec", O_WRONLY, err);

        if (fd < 0)
                fd = procfs_file(procfs, "thread-self/attr/exec", O_WRONLY, err);
        if (fd < 0)
                return cor_wrap(err, "process.apparmorProfile");
        if (write(fd, text, (size_t)len) != len)
                return cor_fail_errno(err, "process.apparmorProfile: change to %s at exec", profile);
        return 0;
}

int lsm_selinux_on_exec(int procfs, const char *label, struct cor_err *err)
{
        if (!given(label))
                return 0;
        if (procfs_write(procfs, "thread-self/attr/exec", label, err) < 0)
                return cor_wrap(err, "process.selinuxLabel: change to %s at exec", label);
        return 0;
}

int lsm_selinux_for_keys(int procfs, const char *label, struct cor_err *err)
{
        if (!given(label))
                return 0;
        if (procfs_write(procfs, "thread-self/attr/keycreate", label, err) < 0)
                return cor_wrap(err, "process.selinuxLabel: label of the session keyring");
        return 0;
}

char *lsm_mount_label(const char *options, const char *label, const char *kind)
{
        if (!given(label))
                return given(options) ? cor_strdup(options) : NULL;
        return cor_printf("%s%s%s=\"%s\"", given(options) ? options : "", given(options) ? "," : "",
                          kind ? kind : "context", label);
}
