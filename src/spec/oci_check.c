/* What can only be judged with the whole of config.json at hand: one section leans on another. */
#include "spec/oci_internal.h"

#include <ctype.h>
#include <sched.h>
#include <string.h>

enum { NEWTIME = 0x80, UTS_MAX = 64, NET_DEVICES_MAX = 1024 };

/* ---- small grammars ---- */

bool oci_list_valid(const char *list, uint32_t max)
{
        const char *s = list;

        for (;;) {
                unsigned long from, to;
                char *end;

                if (!isdigit((unsigned char)*s) || strspn(s, "0123456789") > 6)
                        return false;
                from = to = strtoul(s, &end, 10);
                if (*end == '-') {
                        s = end + 1;
                        if (!isdigit((unsigned char)*s) || strspn(s, "0123456789") > 6)
                                return false;
                        to = strtoul(s, &end, 10);
                }
                if (to < from || to > max)
                        return false;
                if (*end == '\0')
                        return true;
                if (*end != ',')
                        return false;
                s = end + 1;
        }
}

int oci_check_absolute(const char *key, const char *const *paths, size_t n, struct cor_err *err)
{
        for (size_t i = 0; i < n; i++)
                if (paths[i][0] != '/')
                        return cor_fail(err, COR_INVALID, ".%s[%zu]: expected an absolute path, found \"%.200s\"", key,
                                        i, paths[i]);
        return 0;
}

/* "1.3.0", "1.0.2-dev", "1.0.0-rc5+git": MAJOR.MINOR.PATCH[-PRE][+BUILD] */
static bool semver(const char *s)
{
        for (int part = 0; part < 3; part++) {
                size_t digits = strspn(s, "0123456789");

                if (digits == 0 || digits > 9 || (digits > 1 && s[0] == '0'))
                        return false;
                s += digits;
                if (part < 2 && *s++ != '.')
                        return false;
        }
        if (*s == '-') {
                s++;
                if (!isalnum((unsigned char)*s))
                        return false;
                while (isalnum((unsigned char)*s) || *s == '.' || *s == '-')
                        s++;
        }
        if (*s == '+') {
                s++;
                if (!isalnum((unsigned char)*s))
                        return false;
                while (isalnum((unsigned char)*s) || *s == '.' || *s == '-')
                        s++;
        }
        return *s == '\0';
}

static int check_version(const struct oci_config *c, struct cor_err *err)
{
        if (!semver(c->oci_version))
                return cor_fail(err, COR_INVALID, ".ociVersion: expected a version such as \"1.3.0\", found \"%.40s\"",
                                c->oci_version);
        if (!cor_starts_with(c->oci_version, "1."))
                return cor_fail(err, COR_INVALID, ".ociVersion: expected a version 1, found \"%.40s\"", c->oci_version);
        return 0;
}

/* ---- namespaces, and what needs them ---- */

static int check_namespaces(const struct oci_config *c, struct cor_err *err)
{
        unsigned seen = 0;

        for (size_t i = 0; i < c->linux_->n_namespaces; i++) {
                int type = c->linux_->namespaces[i].type;

                if (seen & (unsigned)type)
                        return cor_fail(err, COR_INVALID, ".linux.namespaces[%zu]: type %s is there twice", i,
                                        cor_word_of(oci_namespace_words, type));
                seen |= (unsigned)type;
        }
        return 0;
}

static int check_host_names(const struct oci_config *c, struct cor_err *err)
{
        const char *const names[] = { c->hostname, c->domainname };

        for (size_t i = 0; i < COR_COUNT(names); i++) {
                const char *key = i == 0 ? "hostname" : "domainname";

                if (!names[i] || !names[i][0])
                        continue;
                if (!oci_namespace_find(c, CLONE_NEWUTS))
                        return cor_fail(err, COR_INVALID, ".%s: needs a uts namespace in linux.namespaces", key);
                if (strlen(names[i]) > UTS_MAX)
                        return cor_fail(err, COR_INVALID, ".%s: expected at most %d characters, found %zu", key,
                                        (int)UTS_MAX, strlen(names[i]));
        }
        return 0;
}

/*
 * Whoever has no rights and gives no mapping at all gets one of his own later on (linux/idmap.h); half of one is wrong
 * for all. Mappings beside the path of a user namespace are let be: engines of old had to write some, and they mean
 * nothing, as the namespace has its own.
 */
static int check_id_mappings(const struct oci_config *c, struct cor_err *err)
{
        const struct oci_linux *l = c->linux_;
        const char *missing = l->n_uid_mappings == 0 ? "uidMappings" : l->n_gid_mappings == 0 ? "gidMappings" : NULL;

        if (oci_namespace_new(c, CLONE_NEWUSER) && missing && l->n_uid_mappings + l->n_gid_mappings > 0)
                return cor_fail(err, COR_INVALID, ".linux.%s: required by a new user namespace, but missing", missing);
        if (!oci_namespace_find(c, CLONE_NEWUSER) && (l->n_uid_mappings > 0 || l->n_gid_mappings > 0))
                return cor_fail(err, COR_INVALID, ".linux.%s: needs a user namespace in linux.namespaces",
                                l->n_uid_mappings > 0 ? "uidMappings" : "gidMappings");
        return 0;
}

static int check_time_offsets(const struct oci_config *c, struct cor_err *err)
{
        if (c->linux_->n_time_offsets > 0 && !oci_namespace_new(c, NEWTIME))
                return cor_fail(err, COR_INVALID, ".linux.timeOffsets: needs a new time namespace in linux.namespaces");
        return 0;
}

static int check_masks(const struct oci_config *c, struct cor_err *err)
{
        const struct oci_linux *l = c->linux_;

        if ((l->n_masked_paths > 0 || l->n_readonly_paths > 0) && !oci_namespace_find(c, CLONE_NEWNS))
                return cor_fail(err, COR_INVALID, ".linux.%s: needs a mount namespace in linux.namespaces",
                                l->n_masked_paths > 0 ? "maskedPaths" : "readonlyPaths");
        return 0;
}

static const char *net_target(const struct oci_net_device *d)
{
        return d->name ? d->name : d->host_name;
}

static int check_net_devices(const struct oci_config *c, struct cor_err *err)
{
        const struct oci_linux *l = c->linux_;

        if (l->n_net_devices > 0 && !oci_namespace_find(c, CLONE_NEWNET))
                return cor_fail(err, COR_INVALID, ".linux.netDevices: needs a network namespace in linux.namespaces");
        if (l->n_net_devices > NET_DEVICES_MAX) /* each is compared with each */
                return cor_fail(err, COR_INVALID, ".linux.netDevices: expected at most %d, found %zu",
                                (int)NET_DEVICES_MAX, l->n_net_devices);
        for (size_t i = 0; i < l->n_net_devices; i++)
                for (size_t k = 0; k < i; k++)
                        if (strcmp(net_target(&l->net_devices[i]), net_target(&l->net_devices[k])) == 0)
                                return cor_fail(err, COR_INVALID,
                                                ".linux.netDevices: \"%s\" and \"%s\" would both be named \"%s\"",
                                                l->net_devices[k].host_name, l->net_devices[i].host_name,
                                                net_target(&l->net_devices[i]));
        return 0;
}

static int check_annotations(const struct oci_config *c, struct cor_err *err)
{
        for (size_t i = 0; i < c->n_annotations; i++)
                if (c->annotations[i].key[0] == '\0')
                        return cor_fail(err, COR_INVALID, ".annotations: a key is empty");
        return 0;
}

int oci_check_config(struct oci_config *c, struct cor_err *err)
{
        typedef int check(const struct oci_config *c, struct cor_err *err);
        static check *const checks[] = {
                check_version, check_namespaces,  check_host_names,  check_id_mappings, check_time_offsets,
                check_masks,   check_net_devices, check_annotations, oci_check_sysctl,
        };

        for (size_t i = 0; i < COR_COUNT(checks); i++)
                if (checks[i](c, err) < 0)
                        return -1;
        return 0;
}
