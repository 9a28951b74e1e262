#include "linux/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(n) (UINT64_C(1) << (n))

static const char *const names[] = {
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_DAC_READ_SEARCH",
        "CAP_FOWNER",
        "CAP_FSETID",
        "CAP_KILL",
        "CAP_SETGID",
        "CAP_SETUID",
        "CAP_SETPCAP",
        "CAP_LINUX_IMMUTABLE",
        "CAP_NET_BIND_SERVICE",
        "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN",
        "CAP_NET_RAW",
        "CAP_IPC_LOCK",
        "CAP_IPC_OWNER",
        "CAP_SYS_MODULE",
        "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT",
        "CAP_SYS_PTRACE",
        "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN",
        "CAP_SYS_BOOT",
        "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE",
        "CAP_SYS_TIME",
        "CAP_SYS_TTY_CONFIG",
        "CAP_MKNOD",
        "CAP_LEASE",
        "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL",
        "CAP_SETFCAP",
        "CAP_MAC_OVERRIDE",
        "CAP_MAC_ADMIN",
        "CAP_SYSLOG",
        "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND",
        "CAP_AUDIT_READ",
        "CAP_PERFMON",
        "CAP_BPF",
        "CAP_CHECKPOINT_RESTORE",
};
enum { N_NAMES = COR_COUNT(names), NUMBERS_MAX = 64 };
_Static_assert(N_NAMES == CAP_CHECKPOINT_RESTORE + 1, "one name for each capability");

/* Capabilities are numbered densely, so the last one tells all. Numbers from the kernel's end on give EINVAL. */
static int last_number(void)
{
        static int last = -1;

        if (last < 0) {
                last = N_NAMES - 1;
                while (last > 0 && prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0)
                        last--;
        }
        return last;
}

uint64_t caps_known(void)
{
        return BIT(last_number() + 1) - 1;
}

int caps_number(const char *name)
{
        if (strncasecmp(name, "CAP_", 4) == 0)
                name += 4;
        for (int i = 0; i < (int)N_NAMES; i++)
                if (strcasecmp(names[i] + 4, name) == 0)
                        return i;
        return -1;
}

const char *caps_name(int number)
{
        return number >= 0 && number < (int)N_NAMES ? names[number] : NULL;
}

static void add_word(struct cor_text *out, const char *word, const char *remark)
{
        if (!out)
                return;
        cor_text_printf(out, "%s%s%s", out->len ? ", " : "", word, remark);
}

static bool has_word(const struct cor_text *in, const char *word)
{
        size_t len = strlen(word);
        const char *p = in ? in->s : NULL;

        while (p) {
                if (strncmp(p, word, len) == 0 && (p[len] == '\0' || p[len] == ','))
                        return true;
                p = strstr(p, ", ");
                p = p ? p + 2 : NULL;
        }
        return false;
}

uint64_t caps_parse_list(const char *const *list, size_t n_list, struct cor_text *unknown)
{
        uint64_t bits = 0;

        for (size_t i = 0; i < n_list; i++) {
                int number = caps_number(list[i]);

                if (number >= 0 && number <= last_number())
                        bits |= BIT(number);
                else if (!has_word(unknown, list[i])) /* once is enough for five lists */
                        add_word(unknown, list[i], "");
        }
        return bits;
}

void caps_parse(const struct oci_caps *c, struct caps *ret, struct cor_text *unknown)
{
        *ret = (struct caps){ 0 };
        if (!c)
                return;
        ret->bounding = caps_parse_list(c->bounding, c->n_bounding, unknown);
        ret->effective = caps_parse_list(c->effective, c->n_effective, unknown);
        ret->inheritable = caps_parse_list(c->inheritable, c->n_inheritable, unknown);
        ret->permitted = caps_parse_list(c->permitted, c->n_permitted, unknown);
        ret->ambient = caps_parse_list(c->ambient, c->n_ambient, unknown);

        ret->ambient &= ret->permitted & ret->inheritable;
}

void caps_format(uint64_t bits, struct cor_text *out)
{
        char number[24];

        for (int i = 0; i < (int)NUMBERS_MAX; i++) {
                if (!(bits & BIT(i)))
                        continue;
                snprintf(number, sizeof number, "%d", i);
                add_word(out, caps_name(i) ? caps_name(i) : number, "");
        }
}

static int get_sets(struct caps *ret, struct cor_err *err)
{
        struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
        struct __user_cap_data_struct data[2] = { 0 };

        if (syscall(SYS_capget, &header, data) < 0)
                return cor_fail_errno(err, "read capabilities");
        ret->effective = data[0].effective | (uint64_t)data[1].effective << 32;
        ret->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
        ret->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
        return 0;
}

static int put_sets(const struct caps *c, struct cor_err *err)
{
        struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
        struct __user_cap_data_struct data[2] = {
                { (uint32_t)c->effective, (uint32_t)c->permitted, (uint32_t)c->inheritable },
                { (uint32_t)(c->effective >> 32), (uint32_t)(c->permitted >> 32), (uint32_t)(c->inheritable >> 32) },
        };

        return syscall(SYS_capset, &header, data) < 0 ? cor_fail_errno(err, "set capabilities") : 0;
}

int caps_current(bool all, struct caps *ret, struct cor_err *err)
{
        struct caps c = { 0 };

        if (get_sets(&c, err) < 0)
                return -1;
        for (int i = 0; all && i < (int)NUMBERS_MAX; i++) {
                int has = prctl(PR_CAPBSET_READ, i, 0, 0, 0);

                if (has < 0)
                        break;
                if (has)
                        c.bounding |= BIT(i);
                if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) > 0)
                        c.ambient |= BIT(i);
        }
        *ret = c;
        return 0;
}

int caps_drop_bounding(uint64_t keep, struct cor_err *err)
{
        /* up to the kernel's own end: it may have capabilities that have no name here */
        for (int i = 0; i < (int)NUMBERS_MAX; i++) {
                if (keep & BIT(i) && i < (int)N_NAMES)
                        continue;
                if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0)
                        continue;
                if (errno == EINVAL || errno == EPERM) /* past the last one; no CAP_SETPCAP */
                        return 0;
                return cor_fail_errno(err, "drop %s from the bounding set",
                                      caps_name(i) ? caps_name(i) : "a capability");
        }
        return 0;
}

int caps_keep(struct cor_err *err)
{
        return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ? cor_fail_errno(err, "keep capabilities over setuid") : 0;
}

static int clear_ambient(struct cor_err *err)
{
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
                return cor_fail_errno(err, "clear the ambient capabilities");
        return 0;
}

int caps_apply(const struct caps *c, uint64_t *ret_left_out, struct cor_err *err)
{
        struct caps own = { 0 }, next;

        if (clear_ambient(err) < 0 || get_sets(&own, err) < 0)
                return -1;

        /*
         * capset(2): permitted only shrinks, effective lies within it, and inheritable grows from the permitted and
         * only within the bounding set, which is that of @c by now.
         */
        next.permitted = c->permitted & own.permitted;
        next.effective = c->effective & next.permitted;
        next.inheritable = c->inheritable & (own.inheritable | (own.permitted & c->bounding));
        if (put_sets(&next, err) < 0)
                return -1;

        for (int i = 0; i < (int)N_NAMES; i++) {
                if (!(c->ambient & next.permitted & next.inheritable & BIT(i)))
                        continue;
                if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0 && errno != EINVAL && errno != EPERM)
                        return cor_fail_errno(err, "raise ambient %s", names[i]);
        }
        if (ret_left_out)
                *ret_left_out = (c->permitted & ~next.permitted) | (c->effective & ~next.effective) |
                                (c->inheritable & ~next.inheritable);
        return 0;
}

int caps_file_owner(uid_t uid, gid_t gid, uid_t *ret_uid, gid_t *ret_gid, struct cor_err *err)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];
        uid_t old_uid = (uid_t)setfsuid(uid);
        gid_t old_gid = (gid_t)setfsgid(gid);

        if (ret_uid)
                *ret_uid = old_uid;
        if (ret_gid)
                *ret_gid = old_gid;
        if ((uid_t)setfsuid(uid) != uid || (gid_t)setfsgid(gid) != gid) /* its only way to say no */
                return cor_fail(err, COR_DENIED, "make files as user %u and group %u", (unsigned)uid, (unsigned)gid);
        if (syscall(SYS_capget, &header, data) < 0)
                return cor_fail_errno(err, "get capabilities");
        for (size_t i = 0; i < COR_COUNT(data); i++)
                data[i].effective = data[i].permitted;
        return syscall(SYS_capset, &header, data) < 0 ? cor_fail_errno(err, "set capabilities") : 0;
}
