/* Which devices a container may use: rules in order, made simple where version 1 and systemd cannot express them. */
#include "linux/cgroup_priv.h"

#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What every container may use, by what the OCI specification calls default devices; mknod alone gives no access. */
static const struct device_rule defaults[] = {
        { true, 'c', -1, -1, DEV_MKNOD }, { true, 'b', -1, -1, DEV_MKNOD }, { true, 'c', 1, 3, DEV_ALL }, /* null */
        { true, 'c', 1, 5, DEV_ALL },                                                                     /* zero */
        { true, 'c', 1, 7, DEV_ALL },                                                                     /* full */
        { true, 'c', 1, 8, DEV_ALL },                                                                     /* random */
        { true, 'c', 1, 9, DEV_ALL },                                                                     /* urandom */
        { true, 'c', 5, 0, DEV_ALL },                                                                     /* tty */
        { true, 'c', 5, 2, DEV_ALL },                                                                     /* ptmx */
        { true, 'c', 136, -1, DEV_ALL },                                                                  /* pts */
};

void device_policy_done(struct device_policy *p)
{
        free(p->items);
        *p = (struct device_policy){ .allow = false };
}

static bool covers(const struct device_rule *wide, const struct device_rule *r)
{
        return (wide->type == 'a' || wide->type == r->type) && (wide->major < 0 || wide->major == r->major) &&
               (wide->minor < 0 || wide->minor == r->minor);
}

static bool overlaps(const struct device_rule *a, const struct device_rule *b)
{
        return (a->type == 'a' || b->type == 'a' || a->type == b->type) &&
               (a->major < 0 || b->major < 0 || a->major == b->major) &&
               (a->minor < 0 || b->minor < 0 || a->minor == b->minor);
}

/* Whether @r changes nothing: what it says is so by default or by a wider rule, and no rule says the contrary. */
static bool is_idle(const struct device_policy *p, const struct device_rule *r)
{
        bool said = p->allow == r->allow;

        for (size_t i = 0; i < p->n_items; i++) {
                const struct device_rule *item = &p->items[i];

                if (item->allow != r->allow && overlaps(item, r) && (item->access & r->access))
                        return false;
                if (item->allow == r->allow && covers(item, r) && (item->access & r->access) == r->access)
                        said = true;
        }
        return said;
}

static void add(struct device_policy *p, const struct device_rule *r)
{
        if (r->type == 'a' && r->major < 0 && r->minor < 0 && r->access == DEV_ALL) {
                device_policy_done(p);
                p->allow = r->allow;
        } else if (r->type == 'a') {
                struct device_rule each = *r;

                each.type = 'b';
                add(p, &each);
                each.type = 'c';
                add(p, &each);
        } else if (!is_idle(p, r)) {
                *COR_GROW(p->items, p->n_items) = *r;
        }
}

static int parse_access(const char *s, unsigned *ret)
{
        unsigned access = 0;

        for (; *s; s++) {
                unsigned bit = *s == 'r' ? DEV_READ : *s == 'w' ? DEV_WRITE : *s == 'm' ? DEV_MKNOD : 0;

                if (!bit)
                        return -1;
                access |= bit;
        }
        *ret = access ? access : DEV_ALL;
        return 0;
}

static int number_of(const struct cor_opt_i64 *n, int64_t *ret)
{
        *ret = n->set ? n->value : -1;
        return *ret < -1 || *ret > INT32_MAX ? -1 : 0;
}

static int convert(const struct oci_device_rule *from, size_t i, struct device_rule *ret, struct cor_err *err)
{
        ret->allow = from->allow;
        ret->type = from->type ? (char)from->type : 'a';
        if (number_of(&from->major, &ret->major) < 0 || number_of(&from->minor, &ret->minor) < 0)
                return cor_fail(err, COR_INVALID, "linux.resources.devices[%zu]: major and minor must be -1 to %d", i,
                                INT32_MAX);
        if (parse_access(from->access ? from->access : "", &ret->access) < 0)
                return cor_fail(err, COR_INVALID,
                                "linux.resources.devices[%zu].access: '%s' has other letters than rwm", i,
                                from->access);
        return 0;
}

int device_policy_make(const struct oci_resources *r, struct device_policy *ret, struct cor_err *err)
{
        COR_CLEANUP(device_policy_done) struct device_policy p = { .allow = false };

        for (size_t i = 0; r && i < r->n_devices; i++) {
                struct device_rule rule;

                if (convert(&r->devices[i], i, &rule, err) < 0)
                        return -1;
                add(&p, &rule);
        }
        for (size_t i = 0; i < COR_COUNT(defaults); i++)
                add(&p, &defaults[i]);
        *ret = p;
        p.items = NULL;
        return 0;
}

/* One more exception from the default, merged with an equal one. */
static void flat_add(struct device_policy *p, const struct device_rule *r)
{
        for (size_t i = 0; i < p->n_items; i++) {
                struct device_rule *e = &p->items[i];

                if (e->type == r->type && e->major == r->major && e->minor == r->minor) {
                        e->access |= r->access;
                        return;
                }
        }
        *COR_GROW(p->items, p->n_items) = *r;
}

/* @r is back to the default: take it out of the exceptions. */
static int flat_remove(struct device_policy *p, const struct device_rule *r, struct cor_err *err)
{
        size_t kept = 0;

        for (size_t i = 0; i < p->n_items; i++) {
                struct device_rule e = p->items[i];

                if (covers(r, &e)) {
                        e.access &= ~r->access;
                } else if (overlaps(r, &e) && (e.access & r->access)) {
                        char outer[64], inner[64];

                        device_rule_format(&e, outer, sizeof outer);
                        device_rule_format(r, inner, sizeof inner);
                        return cor_fail(err, COR_INVALID,
                                        "linux.resources.devices: version 1 cgroups cannot %s '%s' out of '%s'",
                                        r->allow ? "allow" : "deny", inner, outer);
                }
                if (e.access)
                        p->items[kept++] = e;
        }
        p->n_items = kept;
        return 0;
}

int device_policy_flat(const struct device_policy *p, struct device_policy *ret, struct cor_err *err)
{
        COR_CLEANUP(device_policy_done) struct device_policy flat = { .allow = p->allow };

        for (size_t i = 0; i < p->n_items; i++) {
                if (p->items[i].allow != flat.allow)
                        flat_add(&flat, &p->items[i]);
                else if (flat_remove(&flat, &p->items[i], err) < 0)
                        return -1;
        }
        *ret = flat;
        flat.items = NULL;
        return 0;
}

void device_rule_format(const struct device_rule *rule, char *buf, size_t size)
{
        char major[24] = "*", minor[24] = "*";

        if (rule->major >= 0)
                snprintf(major, sizeof major, "%" PRId64, rule->major);
        if (rule->minor >= 0)
                snprintf(minor, sizeof minor, "%" PRId64, rule->minor);
        snprintf(buf, size, "%c %s:%s %s%s%s", rule->type, major, minor, rule->access & DEV_READ ? "r" : "",
                 rule->access & DEV_WRITE ? "w" : "", rule->access & DEV_MKNOD ? "m" : "");
}

static bool parse_number(char **s, int64_t *ret)
{
        uint64_t n;

        if (**s == '*') {
                ++*s;
                *ret = -1;
                return true;
        }
        if (!cgroup_parse_u64(s, &n) || n > INT32_MAX)
                return false;
        *ret = (int64_t)n;
        return true;
}

int device_policy_parse_list(char *text, struct device_policy *ret, struct cor_err *err)
{
        COR_CLEANUP(device_policy_done) struct device_policy p = { .allow = false };
        char *cursor = text, *line;

        while ((line = cgroup_next_line(&cursor))) {
                struct device_rule r = { .allow = true, .type = line[0] };
                char *s = line + 2;

                if ((r.type != 'a' && r.type != 'b' && r.type != 'c') || line[1] != ' ' ||
                    !parse_number(&s, &r.major) || *s++ != ':' || !parse_number(&s, &r.minor) || *s++ != ' ' ||
                    parse_access(s, &r.access) < 0)
                        return cor_fail(err, COR_SYSTEM, "devices.list: '%s' is not understood", line);
                add(&p, &r);
        }
        *ret = p;
        p.items = NULL;
        return 0;
}

/* --- version 1 --------------------------------------------------------------------------------------------------- */

struct v1_files {
        const struct cgroup_dir *d;
        int allow, deny;
};

static int v1_write(struct v1_files *f, bool allow, const char *text, struct cor_err *err)
{
        int *fd = allow ? &f->allow : &f->deny;
        const char *name = allow ? "devices.allow" : "devices.deny";

        if (*fd < 0)
                *fd = openat(f->d->fd, name, O_WRONLY | O_CLOEXEC);
        if (*fd < 0 || write(*fd, text, strlen(text)) < 0)
                return cor_fail_errno(err, "cgroup %s: cannot set %s to '%s'", f->d->path, name, text);
        return 0;
}

static int v1_write_rule(struct v1_files *f, bool allow, const struct device_rule *r, struct cor_err *err)
{
        char text[64];

        device_rule_format(r, text, sizeof text);
        return v1_write(f, allow, text, err);
}

static unsigned access_of(const struct device_policy *p, const struct device_rule *r)
{
        for (size_t i = 0; i < p->n_items; i++) {
                const struct device_rule *e = &p->items[i];

                if (e->type == r->type && e->major == r->major && e->minor == r->minor)
                        return e->access;
        }
        return 0;
}

/* From one allow list to another without a moment in which something is denied that both allow. */
static int v1_change(struct v1_files *f, const struct device_policy *old, const struct device_policy *new,
                     struct cor_err *err)
{
        for (size_t i = 0; i < new->n_items; i++) {
                struct device_rule r = new->items[i];

                r.access &= ~access_of(old, &r);
                if (r.access && v1_write_rule(f, true, &r, err) < 0)
                        return -1;
        }
        for (size_t i = 0; i < old->n_items; i++) {
                struct device_rule r = old->items[i];

                r.access &= ~access_of(new, &r);
                if (r.access && v1_write_rule(f, false, &r, err) < 0)
                        return -1;
        }
        return 0;
}

static int v1_set(struct v1_files *f, const struct device_policy *p, struct cor_err *err)
{
        if (v1_write(f, p->allow, "a", err) < 0)
                return -1;
        for (size_t i = 0; i < p->n_items; i++)
                if (v1_write_rule(f, !p->allow, &p->items[i], err) < 0)
                        return -1;
        return 0;
}

int cgroup_v1_devices(struct cgroup_dir *d, const struct device_policy *p, bool update, struct cor_err *err)
{
        COR_CLEANUP(device_policy_done) struct device_policy new = { .allow = false }, old = { .allow = false };
        struct v1_files f = { .d = d, .allow = -1, .deny = -1 };
        auto_str list = NULL;
        int r;

        if (device_policy_flat(p, &new, err) < 0)
                return -1;
        if (update || new.allow) {
                list = cgroup_read_all(d, "devices.list");
                if (!list)
                        return cor_fail_errno(err, "cgroup %s: read devices.list", d->path);
                if (device_policy_parse_list(list, &old, err) < 0)
                        return -1;
        }
        if (new.allow && old.allow &&new.n_items == 0)
                return 0;
        r = update && !new.allow && !old.allow ? v1_change(&f, &old, &new, err) : v1_set(&f, &new, err);
        cor_fd_close(&f.allow);
        cor_fd_close(&f.deny);
        return r;
}
