/*
 * tuning: sysctls of the container's network namespace and attributes of its interface. What the attributes were is
 * kept in a file until DEL, since the interface may outlive the container (host-device). Where the administrator lists
 * the sysctls that are allowed (a regular expression a line), no other is set.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "cni/iface.h"
#include "cni/plugins.h"
#include "linux/sysctl.h"

#define DATA_DIR   "/run/cni/tuning"
#define ALLOW_LIST "/etc/cni/tuning/allowlist.conf"
enum { FILE_MAX_BYTES = 65536 };

/* -------------------------------------------------------------------------------------------------------- documents */

struct attributes {
        const char *mac;
        struct cor_opt_bool promisc, allmulti;
        uint32_t mtu;
        struct cor_opt_u64 queue_len;
        struct cor_pair *sysctls;
        size_t n_sysctls;
};
struct tuning {
        const char *data_dir, *mac;
        struct cor_opt_bool promisc, allmulti;
        uint32_t mtu;
        struct cor_opt_u64 queue_len;
        struct cor_pair *sysctls;
        size_t n_sysctls;
        struct {
                struct attributes cni;
        } args;
        struct {
                const char *mac;
        } runtime;
        uint8_t mac_bytes[LINK_MAC_BYTES];
};

#define ATTRIBUTE_FIELDS(S)                                                                                            \
        COR_FIELD("mac", STR, S, mac, 0), COR_FIELD("promisc", OPT_BOOL, S, promisc, 0),                               \
                COR_FIELD("mtu", U32, S, mtu, 0), COR_FIELD("allmulti", OPT_BOOL, S, allmulti, 0),                     \
                COR_FIELD("txQLen", OPT_U32, S, queue_len, 0)

static const struct cor_json_field attribute_fields[] = {
        ATTRIBUTE_FIELDS(struct attributes),
        COR_FIELD_LIST("sysctl", MAP_STR, struct attributes, sysctls, n_sysctls, 0),
};
static const struct cor_json_doc attributes_doc = COR_DOC(struct attributes, attribute_fields, NULL);

typedef __typeof__(((struct tuning *)NULL)->args) args_t;
typedef __typeof__(((struct tuning *)NULL)->runtime) runtime_t;
static const struct cor_json_field args_fields[] = { COR_FIELD_OBJ("cni", INLINE, args_t, cni, &attributes_doc, 0) };
static const struct cor_json_doc args_doc = COR_DOC(args_t, args_fields, NULL);
static const struct cor_json_field runtime_fields[] = { COR_FIELD("mac", STR, runtime_t, mac, 0) };
static const struct cor_json_doc runtime_doc = COR_DOC(runtime_t, runtime_fields, NULL);

static const struct cor_json_field fields[] = {
        ATTRIBUTE_FIELDS(struct tuning),
        COR_FIELD("dataDir", STR, struct tuning, data_dir, 0),
        COR_FIELD_LIST("sysctl", MAP_STR, struct tuning, sysctls, n_sysctls, 0),
        COR_FIELD_OBJ("args", INLINE, struct tuning, args, &args_doc, 0),
        COR_FIELD_OBJ("runtimeConfig", INLINE, struct tuning, runtime, &runtime_doc, 0),
};
static const struct cor_json_doc tuning_doc = COR_DOC(struct tuning, fields, NULL);

/* CNI_ARGS, then the runtime's, then the arguments: each takes the place of those before. */
static int choose_mac(struct cni_call *c, struct tuning *t, struct cor_err *err)
{
        static const char *const known[] = { "MAC", "IP", "GATEWAY", NULL };
        auto_str argument = NULL;

        if (cni_argument(c, known, "MAC", &argument, err) < 0)
                return -1;
        if (argument && argument[0])
                t->mac = cor_json_strdup(t, argument);
        if (t->runtime.mac && t->runtime.mac[0])
                t->mac = t->runtime.mac;
        if (t->args.cni.mac && t->args.cni.mac[0])
                t->mac = t->args.cni.mac;
        if (t->mac && t->mac[0] && link_mac_parse(t->mac, t->mac_bytes) < 0)
                return cor_fail(err, COR_INVALID, "mac: \"%.64s\" is no hardware address", t->mac);
        return 0;
}

static int load(struct cni_call *c, struct tuning **ret, struct cor_err *err)
{
        auto_json struct tuning *t = NULL;

        if (cni_load(c, &tuning_doc, &t, err) < 0 || choose_mac(c, t, err) < 0)
                return -1;
        if (t->args.cni.promisc.set)
                t->promisc = t->args.cni.promisc;
        if (t->args.cni.allmulti.set)
                t->allmulti = t->args.cni.allmulti;
        if (t->args.cni.mtu)
                t->mtu = t->args.cni.mtu;
        if (t->args.cni.queue_len.set)
                t->queue_len = t->args.cni.queue_len;
        if (!t->data_dir || !t->data_dir[0])
                t->data_dir = DATA_DIR;
        *ret = COR_TAKE(t);
        return 0;
}

static bool has_mac(const struct tuning *t)
{
        return t->mac && t->mac[0];
}

static bool has_attributes(const struct tuning *t)
{
        return has_mac(t) || t->mtu || (t->promisc.set && t->promisc.value) || t->allmulti.set || t->queue_len.set;
}

/* ---------------------------------------------------------------------------------------------------------- sysctls */

static int fits(const char *pattern, const char *key, struct cor_err *err)
{
        regex_t r;
        int result;

        if (regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return cor_fail(err, COR_INVALID, ALLOW_LIST ": \"%.100s\" is no regular expression", pattern);
        result = regexec(&r, key, 0, NULL, 0) == 0;
        regfree(&r);
        return result;
}

static int is_allowed(char *list, const char *key, struct cor_err *err)
{
        char *cursor = list;

        for (char *line; (line = cor_split_next(&cursor, '\n'));) {
                int fitting;

                line[strcspn(line, "\r")] = '\0';
                if (!line[strspn(line, " \t")])
                        continue;
                fitting = fits(line, key, err);
                if (fitting != 0)
                        return fitting < 0 ? -1 : 0;
        }
        return cor_fail(err, COR_INVALID, "sysctl: %s is not among those that " ALLOW_LIST " allows", key);
}

static int check_allowed(const struct cor_pair *sysctls, size_t n, struct cor_err *err)
{
        auto_str list = NULL;
        struct cor_err failed = { 0 };
        size_t len;

        if (cor_read_file(ALLOW_LIST, FILE_MAX_BYTES, &list, &len, &failed) < 0) {
                if (failed.sys == ENOENT)
                        return 0;
                *err = failed;
                return -1;
        }
        for (size_t i = 0; i < n; i++) {
                auto_str copy = cor_strdup(list);

                if (is_allowed(copy, sysctls[i].key, err) < 0)
                        return -1;
        }
        return 0;
}

/* As a path below /proc/sys, with the interface's name for IFNAME. Only what belongs to the network namespace. */
static int make_path(struct cni_call *c, const char *key, char *ret, size_t size, struct cor_err *err)
{
        const char *at = strstr(key, "IFNAME");
        auto_str full =
                at ? cor_printf("%.*s%s%s", (int)(at - key), key, c->ifname, at + strlen("IFNAME")) : cor_strdup(key);

        if (sysctl_path(full, ret, size, err) < 0)
                return cor_wrap(err, "sysctl");
        if (!cor_starts_with(ret, "net/"))
                return cor_fail(err, COR_INVALID, "sysctl: %s does not belong to the network namespace", key);
        return 0;
}

static int set_sysctls(struct cni_call *c, struct space *s, const struct cor_pair *sysctls, size_t n,
                       struct cor_err *err)
{
        auto_netns_visit visit = NETNS_VISIT_INIT;
        char path[SYSCTL_PATH_MAX];

        if (n == 0)
                return 0;
        if (netns_enter(&visit, s->netns, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (make_path(c, sysctls[i].key, path, sizeof path, err) < 0 ||
                    netns_sysctl(path, sysctls[i].value, err) < 0)
                        return -1;
        return 0;
}

static int check_sysctls(struct cni_call *c, struct space *s, const struct cor_pair *sysctls, size_t n,
                         struct cor_err *err)
{
        auto_netns_visit visit = NETNS_VISIT_INIT;
        char path[SYSCTL_PATH_MAX];
        char value[1024];

        if (netns_enter(&visit, s->netns, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                if (make_path(c, sysctls[i].key, path, sizeof path, err) < 0 ||
                    netns_sysctl_read(path, value, sizeof value, err) < 0)
                        return -1;
                for (char *tab = value; (tab = strchr(tab, '\t'));) /* the kernel's form of a list */
                        *tab = ' ';
                if (strcmp(value, sysctls[i].value) != 0)
                        return cor_fail(err, COR_NOT_FOUND, "sysctl: %s is %s, not %s", sysctls[i].key, value,
                                        sysctls[i].value);
        }
        return 0;
}

/* ------------------------------------------------------------------------------------------------------- attributes */

static int set_attributes(struct space *s, const struct tuning *t, int index, struct cor_err *err)
{
        if (has_mac(t) && link_set_mac(s->inside, index, t->mac_bytes, LINK_MAC_BYTES, err) < 0)
                return -1;
        if (t->promisc.set && t->promisc.value && link_set_flags(s->inside, index, IFF_PROMISC, IFF_PROMISC, err) < 0)
                return cor_wrap(err, "promisc");
        if (t->mtu && link_set_mtu(s->inside, index, t->mtu, err) < 0)
                return -1;
        if (t->allmulti.set &&
            link_set_flags(s->inside, index, t->allmulti.value ? IFF_ALLMULTI : 0, IFF_ALLMULTI, err) < 0)
                return cor_wrap(err, "allmulti");
        return t->queue_len.set ? link_set_queue_len(s->inside, index, (uint32_t)t->queue_len.value, err) : 0;
}

static char *backup_name(const struct cni_call *c)
{
        return cor_printf("%s_%s.json", c->container_id, c->ifname);
}

/* What will be changed, as it is now. */
static int back_up(struct cni_call *c, const struct tuning *t, const struct link *l, struct cor_err *err)
{
        auto_str name = backup_name(c);
        auto_text text = COR_TEXT_INIT;
        struct attributes a = { 0 };
        char mac[LINK_MAC_TEXT_BYTES];
        auto_fd dir = -1;

        if (has_mac(t))
                a.mac = link_mac_text(l->mac, l->mac_len, mac);
        if (t->promisc.set && t->promisc.value)
                a.promisc = (struct cor_opt_bool){ true, (l->flags & IFF_PROMISC) != 0 };
        if (t->allmulti.set)
                a.allmulti = (struct cor_opt_bool){ true, (l->flags & IFF_ALLMULTI) != 0 };
        if (t->queue_len.set)
                a.queue_len = (struct cor_opt_u64){ true, l->queue_len };
        a.mtu = t->mtu ? l->mtu : 0;
        cor_json_print(&attributes_doc, &a, COR_JSON_COMPACT, &text);
        if (cor_mkdirs(t->data_dir, 0700, err) < 0)
                return cor_wrap(err, "dataDir");
        dir = open(t->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return cor_fail_errno(err, "dataDir: open %s", t->data_dir);
        return cor_own_write(dir, name, text.s, text.len, 0600, false, err) < 0 ? cor_wrap(err, "dataDir") : 0;
}

static int restore(struct cni_call *c, struct space *s, const struct attributes *a, struct cor_err *err)
{
        struct tuning t = { .mac = a->mac,
                            .promisc = { a->promisc.set, a->promisc.value },
                            .allmulti = a->allmulti,
                            .mtu = a->mtu,
                            .queue_len = a->queue_len };
        struct link l;
        int found = link_find(s->inside, c->ifname, &l, err);

        if (found <= 0)
                return found;
        if (has_mac(&t) && link_mac_parse(t.mac, t.mac_bytes) < 0)
                t.mac = NULL;
        if (a->promisc.set && !a->promisc.value && link_set_flags(s->inside, l.index, 0, IFF_PROMISC, err) < 0)
                return -1;
        return set_attributes(s, &t, l.index, err);
}

/* ------------------------------------------------------------------------------------------------------------ verbs */

static void update_result(struct cni_call *c, struct cni_result *r, const struct link *l)
{
        char mac[LINK_MAC_TEXT_BYTES];

        for (size_t i = 0; i < r->n_interfaces; i++) {
                struct cni_interface *f = &r->interfaces[i];

                if (!f->name || strcmp(f->name, c->ifname) != 0 || !f->sandbox || strcmp(f->sandbox, c->netns) != 0)
                        continue;
                if (f->mac)
                        f->mac = cor_json_strdup(r, link_mac_text(l->mac, l->mac_len, mac));
                if (f->mtu)
                        f->mtu = l->mtu;
        }
}

static int tune(struct cni_call *c, struct space *s, const struct tuning *t, struct cni_result *r, struct cor_err *err)
{
        struct link l;

        if (set_sysctls(c, s, t->sysctls, t->n_sysctls, err) < 0 ||
            set_sysctls(c, s, t->args.cni.sysctls, t->args.cni.n_sysctls, err) < 0)
                return -1;
        if (!has_attributes(t))
                return 0;
        if (link_get(s->inside, c->ifname, &l, err) < 0 || back_up(c, t, &l, err) < 0 ||
            set_attributes(s, t, l.index, err) < 0 || link_get(s->inside, c->ifname, &l, err) < 0)
                return -1;
        update_result(c, r, &l);
        return 0;
}

int tuning_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_json struct tuning *t = NULL;
        auto_space s = SPACE_INIT;

        if (load(c, &t, err) < 0 || cni_previous(c, &r, err) < 0 || check_allowed(t->sysctls, t->n_sysctls, err) < 0 ||
            check_allowed(t->args.cni.sysctls, t->args.cni.n_sysctls, err) < 0 || space_open(c, &s, err) < 0)
                return -1;
        if (tune(c, &s, t, r, err) < 0) {
                struct cor_err later = { 0 };

                (void)!tuning_del(c, &later);
                return -1;
        }
        *ret = COR_TAKE(r);
        return 0;
}

int tuning_del(struct cni_call *c, struct cor_err *err)
{
        auto_str name = backup_name(c);
        auto_json struct attributes *a = NULL;
        auto_json struct tuning *t = NULL;
        auto_str text = NULL;
        auto_space s = SPACE_INIT;
        auto_fd dir = -1;
        int found;
        size_t n;

        if (load(c, &t, err) < 0)
                return -1;
        dir = open(t->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0 || cor_own_read(dir, name, FILE_MAX_BYTES, &text, &n, NULL) < 0)
                return 0;
        found = space_find(c, &s, err);
        if (found < 0)
                return -1;
        if (found > 0 && cor_json_parse(&attributes_doc, text, n, name, &a, NULL) == 0 && restore(c, &s, a, err) < 0)
                return -1;
        return unlinkat(dir, name, 0) < 0 && errno != ENOENT ? cor_fail_errno(err, "dataDir: remove %s", name) : 0;
}

static int check_attributes(const struct tuning *t, const struct link *l, struct cor_err *err)
{
        if (has_mac(t) && (l->mac_len != LINK_MAC_BYTES || memcmp(l->mac, t->mac_bytes, LINK_MAC_BYTES) != 0))
                return cor_fail(err, COR_NOT_FOUND, "mac: interface %s has not the hardware address %s", l->name,
                                t->mac);
        if (t->promisc.set && t->promisc.value && !(l->flags & IFF_PROMISC) && !l->promiscuity)
                return cor_fail(err, COR_NOT_FOUND, "promisc: interface %s is not promiscuous", l->name);
        if (t->mtu && l->mtu != t->mtu)
                return cor_fail(err, COR_NOT_FOUND, "mtu: interface %s has %u, not %u", l->name, l->mtu, t->mtu);
        if (t->allmulti.set && !(l->flags & IFF_ALLMULTI) == t->allmulti.value)
                return cor_fail(err, COR_NOT_FOUND, "allmulti: interface %s has it otherwise", l->name);
        if (t->queue_len.set && l->queue_len != t->queue_len.value)
                return cor_fail(err, COR_NOT_FOUND, "txQLen: interface %s has %u", l->name, l->queue_len);
        return 0;
}

int tuning_check(struct cni_call *c, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_json struct tuning *t = NULL;
        auto_space s = SPACE_INIT;
        struct link l;

        if (load(c, &t, err) < 0 || cni_previous(c, &r, err) < 0 || space_open(c, &s, err) < 0 ||
            check_sysctls(c, &s, t->sysctls, t->n_sysctls, err) < 0 ||
            check_sysctls(c, &s, t->args.cni.sysctls, t->args.cni.n_sysctls, err) < 0)
                return -1;
        if (!has_attributes(t))
                return 0;
        return link_get(s.inside, c->ifname, &l, err) < 0 ? -1 : check_attributes(t, &l, err);
}
