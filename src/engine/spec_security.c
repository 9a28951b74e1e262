/* Capabilities, labels, and what --security-opt says. */
#include "engine/spec_internal.h"

#include "base/file.h"
#include "engine/default_seccomp.h"
#include "linux/caps.h"
#include "linux/lsm.h"

#include <ctype.h>
#include <linux/capability.h>
#include <string.h>

enum { PROFILES_MAX_BYTES = 4 << 20 };

/* --- --security-opt ---------------------------------------------------------------------------------------------- */

static int parse_label(const char *word, void *memory, struct spec_security *ret, struct cor_err *err)
{
        const char *value = strpbrk(word, ":");

        if (strcmp(word, "disable") == 0) {
                ret->label_disable = true;
                return 0;
        }
        if (value && cor_starts_with(word, "user:"))
                ret->user = spec_copy(memory, value + 1);
        else if (value && cor_starts_with(word, "role:"))
                ret->role = spec_copy(memory, value + 1);
        else if (value && cor_starts_with(word, "type:"))
                ret->type = spec_copy(memory, value + 1);
        else if (value && cor_starts_with(word, "level:"))
                ret->level = spec_copy(memory, value + 1);
        else if (!value || !cor_starts_with(word, "filetype:"))
                return cor_fail(err, COR_INVALID,
                                "bad label option \"%.100s\", valid options 'disable' or \n'user, role, level, type, "
                                "filetype' followed by ':' and a value",
                                word);
        return 0;
}

static int parse_flag(const char *option, const char *value, bool *ret, struct cor_err *err)
{
        if (spec_parse_bool(value, ret) < 0)
                return cor_fail(err, COR_INVALID, "invalid --security-opt 2: \"%.200s\"", option);
        return 0;
}

static int parse_pair(const char *option, char *key, const char *value, void *memory, struct spec_security *ret,
                      struct cor_err *err)
{
        if (strcmp(key, "label") == 0)
                return parse_label(value, memory, ret, err);
        if (strcmp(key, "apparmor") == 0)
                ret->apparmor = spec_copy(memory, value);
        else if (strcmp(key, "seccomp") == 0)
                ret->seccomp = spec_copy(memory, value);
        else if (strcmp(key, "no-new-privileges") == 0)
                return parse_flag(option, value, &ret->no_new_privileges, err);
        else if (strcmp(key, "writable-cgroups") == 0) {
                ret->writable_cgroups_set = true;
                return parse_flag(option, value, &ret->writable_cgroups, err);
        } else
                return cor_fail(err, COR_INVALID, "invalid --security-opt 2: \"%.200s\"", option);
        return 0;
}

static int parse_option(const char *option, void *memory, struct spec_security *ret, struct cor_err *err)
{
        auto_str copy = cor_strdup(option);
        char *separator;

        if (strcmp(option, "no-new-privileges") == 0) {
                ret->no_new_privileges = true;
                return 0;
        }
        if (strcmp(option, "writable-cgroups") == 0) {
                ret->writable_cgroups = ret->writable_cgroups_set = true;
                return 0;
        }
        if (strcmp(option, "disable") == 0)
                return parse_label(option, memory, ret, err);
        separator = strchr(copy, '=') ? strchr(copy, '=') : strchr(copy, ':');
        if (!separator)
                return cor_fail(err, COR_INVALID, "invalid --security-opt 1: \"%.200s\"", option);
        *separator = '\0';
        return parse_pair(option, copy, separator + 1, memory, ret, err);
}

int spec_security_parse(const struct docker_host_config *h, void *memory, struct spec_security *ret,
                        struct cor_err *err)
{
        struct spec_security s = { 0 };

        for (size_t i = 0; i < h->n_security_opt; i++)
                if (parse_option(h->security_opt[i], memory, &s, err) < 0)
                        return -1;
        *ret = s;
        return 0;
}

/* --- capabilities ------------------------------------------------------------------------------------------------ */

static const uint64_t default_caps =
        1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FSETID | 1ULL << CAP_FOWNER | 1ULL << CAP_MKNOD |
        1ULL << CAP_NET_RAW | 1ULL << CAP_SETGID | 1ULL << CAP_SETUID | 1ULL << CAP_SETFCAP | 1ULL << CAP_SETPCAP |
        1ULL << CAP_NET_BIND_SERVICE | 1ULL << CAP_SYS_CHROOT | 1ULL << CAP_KILL | 1ULL << CAP_AUDIT_WRITE;

/* All that this process could hand on: "ALL" of a restricted machine is what it has. */
static uint64_t available_caps(void)
{
        struct caps now;

        return caps_current(true, &now, NULL) < 0 ? caps_known() : now.bounding & caps_known();
}

static bool is_all(const char *name)
{
        return strcasecmp(name, "ALL") == 0;
}

static int parse_caps(const char *const *names, size_t n, const char *key, uint64_t available, bool *ret_all,
                      uint64_t *ret, struct cor_err *err)
{
        *ret_all = false;
        *ret = 0;
        for (size_t i = 0; i < n; i++) {
                int number = caps_number(names[i]);
                bool prefixed = strncasecmp(names[i], "CAP_", 4) == 0;
                char shown[64];
                size_t k = 0;

                if (is_all(names[i])) {
                        *ret_all = true;
                        continue;
                }
                for (; names[i][k] && k + 1 < sizeof shown; k++)
                        shown[k] = (char)toupper((unsigned char)names[i][k]);
                shown[k] = '\0';
                if (number < 0)
                        return cor_fail(err, COR_INVALID, "invalid %s: unknown capability: \"%s%s\"", key,
                                        prefixed ? "" : "CAP_", shown);
                if (!(available & 1ULL << number))
                        return cor_fail(err, COR_INVALID,
                                        "invalid %s: capability not supported by your kernel or not available in the "
                                        "current environment: \"%s%s\"",
                                        key, prefixed ? "" : "CAP_", shown);
                *ret |= 1ULL << number;
        }
        return 0;
}

int spec_caps(const struct docker_host_config *h, uint64_t *ret, struct cor_err *err)
{
        uint64_t available = h->privileged || h->n_cap_add || h->n_cap_drop ? available_caps() : 0, add, drop;
        bool add_all, drop_all;

        if (parse_caps(h->cap_add, h->n_cap_add, "CapAdd", available, &add_all, &add, err) < 0 ||
            parse_caps(h->cap_drop, h->n_cap_drop, "CapDrop", available, &drop_all, &drop, err) < 0)
                return -1;
        if (h->privileged)
                *ret = available;
        else if (add_all)
                *ret = available & ~drop;
        else if (drop_all)
                *ret = add;
        else
                *ret = (default_caps & ~drop) | add;
        return 0;
}

static void make_caps(struct spec *s, struct oci_process *p)
{
        struct oci_caps *c = cor_json_alloc(s->c, sizeof *c);

        for (int i = 0; caps_name(i); i++)
                if (s->caps & 1ULL << i)
                        spec_add(s, &c->bounding, &c->n_bounding, caps_name(i));
        c->effective = c->permitted = c->bounding;
        c->n_effective = c->n_permitted = c->n_bounding;
        p->capabilities = c;
}

/* --- AppArmor, SELinux ------------------------------------------------------------------------------------------- */

/* The profile that containers get on this host: one that somebody has loaded, which dockerd does. */
static const char *loaded_profile(void)
{
        static const char *const names[] = { "coracle-default (", "docker-default (" };
        static const char *const profiles[] = { "coracle-default", "docker-default" };
        auto_str text = NULL;
        size_t n;

        if (cor_read_file("/sys/kernel/security/apparmor/profiles", PROFILES_MAX_BYTES, &text, &n, NULL) < 0)
                return NULL;
        for (size_t i = 0; i < COR_COUNT(names); i++)
                for (const char *at = text; (at = strstr(at, names[i])) != NULL; at++)
                        if (at == text || at[-1] == '\n')
                                return profiles[i];
        return NULL;
}

static void make_apparmor(struct spec *s, struct oci_process *p)
{
        if (s->rootless || !lsm_apparmor_has_profiles())
                return;
        if (s->security.apparmor)
                p->apparmor_profile = s->security.apparmor;
        else if (s->host->privileged)
                p->apparmor_profile = "unconfined";
        else
                p->apparmor_profile = loaded_profile();
}

/* As with dockerd, a container gets a label where the host has SELinux and the user says which. */
static void make_selinux(struct spec *s, struct oci_process *p)
{
        const struct spec_security *o = &s->security;

        if (o->label_disable || (!o->user && !o->role && !o->type && !o->level) || !lsm_selinux_enabled())
                return;
        p->selinux_label = spec_printf(s, "%s:%s:%s:%s", o->user ? o->user : "system_u", o->role ? o->role : "system_r",
                                       o->type ? o->type : "container_t", o->level ? o->level : "s0");
}

int spec_make_security(struct spec *s, struct cor_err *err)
{
        struct oci_process *p = s->c->process;

        if (spec_security_parse(s->host, s->c, &s->security, err) < 0 || spec_caps(s->host, &s->caps, err) < 0)
                return -1;
        p->no_new_privileges = s->security.no_new_privileges;
        make_caps(s, p);
        make_apparmor(s, p);
        make_selinux(s, p);
        return spec_make_seccomp(s, err);
}
