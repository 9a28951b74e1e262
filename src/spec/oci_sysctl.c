/*
 * linux.sysctl: only what belongs to a namespace of the container may be set; the rest of /proc/sys is the host's.
 * As in sysctl(8), a key is written with dots or with slashes, whichever comes first: net.ipv4.ip_forward is
 * net/ipv4/ip_forward, and net/ipv4/conf/eth0.1/forwarding is a device with a dot in its name.
 */
#include "spec/oci_internal.h"

#include <sched.h>
#include <string.h>

enum { KEY_BYTES = 256 };

struct sysctl_rule {
        const char *name; /* with slashes; one at the end stands for all below it */
        int ns;
};

static const struct sysctl_rule rules[] = {
        { "net/", CLONE_NEWNET },
        { "kernel/msgmax", CLONE_NEWIPC },
        { "kernel/msgmnb", CLONE_NEWIPC },
        { "kernel/msgmni", CLONE_NEWIPC },
        { "kernel/sem", CLONE_NEWIPC },
        { "kernel/shmall", CLONE_NEWIPC },
        { "kernel/shmmax", CLONE_NEWIPC },
        { "kernel/shmmni", CLONE_NEWIPC },
        { "kernel/shm_rmid_forced", CLONE_NEWIPC },
        { "fs/mqueue/", CLONE_NEWIPC },
        { "kernel/domainname", CLONE_NEWUTS },
        { "user/", CLONE_NEWUSER },
};

/* @key as a path below /proc/sys; false if no file there can be meant */
static bool key_path(const char *key, char path[static KEY_BYTES])
{
        size_t n = strlen(key), first = strcspn(key, "./");
        bool dots = key[first] == '.';

        if (n == 0 || n >= KEY_BYTES)
                return false;
        for (size_t i = 0; i <= n; i++) {
                path[i] = key[i];
                if (dots && key[i] == '.')
                        path[i] = '/';
                else if (dots && key[i] == '/')
                        path[i] = '.';
        }
        for (const char *part = path; part;) { /* no part is empty, "." or ".." */
                size_t len = strcspn(part, "/");

                if (len == 0 || (len <= 2 && strspn(part, ".") >= len))
                        return false;
                part = part[len] ? part + len + 1 : NULL;
        }
        return true;
}

static const struct sysctl_rule *find_rule(const char *path)
{
        for (size_t i = 0; i < COR_COUNT(rules); i++) {
                const char *name = rules[i].name;

                if (cor_ends_with(name, "/") ? cor_starts_with(path, name) : strcmp(path, name) == 0)
                        return &rules[i];
        }
        return NULL;
}

static int check_key(const struct oci_config *c, const char *key, struct cor_err *err)
{
        const struct sysctl_rule *rule;
        char path[KEY_BYTES];

        if (!key_path(key, path))
                return cor_fail(err, COR_INVALID, "expected the name of a file below /proc/sys");
        if (strcmp(path, "kernel/hostname") == 0)
                return cor_fail(err, COR_INVALID, "not allowed here: use the field \"hostname\"");
        rule = find_rule(path);
        if (!rule)
                return cor_fail(err, COR_INVALID, "not allowed: it would be set for the whole host");
        if (!oci_namespace_find(c, rule->ns))
                return cor_fail(err, COR_INVALID, "needs a namespace of type %s in linux.namespaces",
                                cor_word_of(oci_namespace_words, rule->ns));
        return 0;
}

int oci_check_sysctl(const struct oci_config *c, struct cor_err *err)
{
        for (size_t i = 0; i < c->linux_->n_sysctl; i++)
                if (check_key(c, c->linux_->sysctl[i].key, err) < 0)
                        return cor_wrap(err, ".linux.sysctl[\"%.80s\"]", c->linux_->sysctl[i].key);
        return 0;
}
