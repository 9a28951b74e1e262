/*
 * firewall: lets a container's packets through the host.
 *
 * nftables (the default): where iptables-nft is in use on this host, its chain FORWARD may end in a drop, which nothing
 * outside of that table can take back. So the rules are put there, into the chain CNI-FORWARD, in the form in which
 * iptables writes and shows them; the administrator's own chain, CNI-ADMIN, comes first. Where there is no such chain
 * nothing is in the way, and nothing is made.
 * iptables: the same by running it. firewalld: the addresses become sources of a zone, by running firewall-cmd.
 *
 * ingressPolicy: "same-bridge" keeps bridges apart, "isolated" the containers of one, too. A drop is final in whatever
 * table, so this is a table of our own, for every backend.
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/process.h"
#include "cni/iptables.h"
#include "cni/owner.h"
#include "cni/plugins.h"
#include "cni/space.h"
#include "linux/nft_rule.h"

#define FILTER  "filter"
#define FORWARD "FORWARD"
#define OURS    "CNI-FORWARD"
#define POLICY  "coracle_cni_firewall"
enum { TRIES = 5, CHAIN_MAX = 28, RUN_TIMEOUT_MS = 60000, PRIORITY_POLICY = -10 };

enum backend { NFTABLES, IPTABLES, FIREWALLD };
enum policy { OPEN, SAME_BRIDGE, ISOLATED };

struct firewall {
        int backend, policy;
        const char *admin_chain, *zone;
};

static const struct cor_word backends[] = {
        { "nftables", NFTABLES }, { "", NFTABLES }, { "iptables", IPTABLES }, { "firewalld", FIREWALLD }, { NULL, 0 },
};
static const struct cor_word policies[] = {
        { "open", OPEN }, { "", OPEN }, { "same-bridge", SAME_BRIDGE }, { "isolated", ISOLATED }, { NULL, 0 },
};
static const struct cor_json_field fields[] = {
        COR_FIELD_WORD("backend", struct firewall, backend, backends, 0),
        COR_FIELD_WORD("ingressPolicy", struct firewall, policy, policies, 0),
        COR_FIELD("iptablesAdminChainName", STR, struct firewall, admin_chain, 0),
        COR_FIELD("firewalldZone", STR, struct firewall, zone, 0),
};
static const struct cor_json_doc firewall_doc = COR_DOC(struct firewall, fields, NULL);

static int load(struct cni_call *c, struct firewall **ret, struct cor_err *err)
{
        auto_json struct firewall *f = NULL;

        if (cni_load(c, &firewall_doc, &f, err) < 0)
                return -1;
        if (!f->admin_chain || !f->admin_chain[0])
                f->admin_chain = "CNI-ADMIN";
        if (!f->zone || !f->zone[0])
                f->zone = "trusted";
        if (strlen(f->admin_chain) > CHAIN_MAX || strpbrk(f->admin_chain, " \t\n!"))
                return cor_fail(err, COR_INVALID, "iptablesAdminChainName: \"%.64s\" is no name of a chain",
                                f->admin_chain);
        *ret = COR_TAKE(f);
        return 0;
}

/* -------------------------------------------------------------------------------------------------------- addresses */

static int address_of(const struct cni_ip *said, struct ip *ret, struct cor_err *err)
{
        struct ip_prefix p;

        if (text_prefix(said->address, "prevResult: ips[].address", &p, err) < 0)
                return -1;
        *ret = p.ip;
        return 0;
}

/* --------------------------------------------------------------------------------------------------------- nftables */

static void match_address(struct nft_rule *r, bool source, const struct ip *a)
{
        nft_match_network(r, source, NFT_CMP_EQ, a->bytes, a->len, (uint8_t)(a->len * 8));
}

static void allow(struct nft_change *change, const struct ip *a, const char *comment)
{
        struct nft_rule r;

        nft_rule_begin(&r, change, OURS);
        r.comment = comment;
        match_address(&r, false, a);
        nft_match_states(&r, XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED) | XT_CONNTRACK_STATE_BIT(IP_CT_RELATED));
        nft_count(&r);
        nft_verdict(&r, NF_ACCEPT, NULL);
        nft_rule_end(&r, change);
        nft_rule_begin(&r, change, OURS);
        r.comment = comment;
        match_address(&r, true, a);
        nft_count(&r);
        nft_verdict(&r, NF_ACCEPT, NULL);
        nft_rule_end(&r, change);
}

static void jump(struct nft_change *change, const char *from, const char *to, bool first, const char *comment)
{
        struct nft_rule r;

        if (first)
                nft_rule_begin_first(&r, change, from);
        else
                nft_rule_begin(&r, change, from);
        r.comment = comment;
        nft_count(&r);
        nft_verdict(&r, NFT_JUMP, to);
        nft_rule_end(&r, change);
}

/* 1 it is there, 0 not; by comment, which nobody but us gives */
static int has_jump(int sock, uint8_t family, const char *chain, const char *comment, struct cor_err *err)
{
        struct nft_listed_rule *rules auto_free = NULL;
        size_t n;

        if (nft_list_rules(sock, family, FILTER, chain, &rules, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (strcmp(rules[i].comment, comment) == 0)
                        return 1;
        return 0;
}

static int make_chains(struct nft_change *change, int sock, uint8_t family, const struct firewall *f,
                       struct cor_err *err)
{
        auto_str admin = cor_printf("to %s", f->admin_chain);
        int forwarded, administered;

        nft_add_chain(change, &(struct nft_chain){ .name = OURS });
        nft_add_chain(change, &(struct nft_chain){ .name = f->admin_chain });
        forwarded = has_jump(sock, family, FORWARD, "CNI firewall plugin rules", err);
        administered = has_jump(sock, family, OURS, admin, err);
        if (forwarded < 0 || administered < 0)
                return -1;
        if (!forwarded)
                jump(change, FORWARD, OURS, true, "CNI firewall plugin rules");
        if (!administered)
                jump(change, OURS, f->admin_chain, true, admin);
        return 0;
}

/* @f, @r: new rules instead of what fits; NULL: none */
static int change_family(struct cni_call *c, int sock, uint8_t family, const struct firewall *f,
                         const struct cni_result *r, bool (*fits)(const struct cni_call *c, const char *comment),
                         struct cor_err *err)
{
        char comment[OWNER_TEXT_BYTES];
        auto_nft_change change;
        int stale, added = 0;

        nft_change_begin(&change, family, FILTER);
        stale = owner_drop_rules(&change, sock, c, fits, err);
        if (stale < 0)
                return -1;
        if (r)
                owner_comment(c, comment);
        for (size_t i = 0; r && i < r->n_ips; i++) {
                struct ip a;

                if (address_of(&r->ips[i], &a, err) < 0)
                        return -1;
                if (ip_is_4(&a) != (family == NFPROTO_IPV4))
                        continue;
                if (added++ == 0 && make_chains(&change, sock, family, f, err) < 0)
                        return -1;
                allow(&change, &a, comment);
        }
        return stale + added ? nft_change_commit(&change, sock, err) : 0;
}

static int change_rules(struct cni_call *c, const struct firewall *f, const struct cni_result *r,
                        bool (*fits)(const struct cni_call *c, const char *comment), struct cor_err *err)
{
        static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
        auto_fd sock = netlink_open(NETLINK_NETFILTER, err);

        if (sock < 0)
                return -1;
        for (size_t i = 0; i < COR_COUNT(families); i++) {
                int there = nft_find_chain(sock, families[i], FILTER, FORWARD, err);

                if (there < 0)
                        return -1;
                for (int tries = 0; there && change_family(c, sock, families[i], f, r, fits, err) < 0; tries++)
                        if (err->sys != ENOENT || tries == TRIES)
                                return cor_wrap(err, "nftables table " FILTER);
        }
        return 0;
}

static int check_rules(struct cni_call *c, const struct cni_result *r, struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_NETFILTER, err);

        for (size_t i = 0; sock >= 0 && i < r->n_ips; i++) {
                uint8_t family = strchr(r->ips[i].address, ':') ? NFPROTO_IPV6 : NFPROTO_IPV4;
                int there = nft_find_chain(sock, family, FILTER, FORWARD, err);
                int n = there > 0 ? owner_count_rules(sock, family, FILTER, c, err) : there;

                if (there > 0 && n == 0)
                        return cor_fail(err, COR_NOT_FOUND, "the rules for %s in chain " OURS " are gone",
                                        r->ips[i].address);
                if (n < 0)
                        return -1;
        }
        return sock < 0 ? -1 : 0;
}

/* --------------------------------------------------------------------------------------------------------- iptables */

static int iptables_allow(const struct firewall *f, const struct ip *a, struct cor_err *err)
{
        const bool six = !ip_is_4(a);
        char text[IP_TEXT_BYTES];

        ip_text(a, text);
        if (iptables_new_chain(six, FILTER, OURS, err) < 0 ||
            iptables_new_chain(six, FILTER, f->admin_chain, err) < 0 ||
            iptables_ensure_first(six, FILTER, FORWARD, err, "-m", "comment", "--comment", "CNI firewall plugin rules",
                                  "-j", OURS, NULL) < 0 ||
            iptables_ensure_first(six, FILTER, OURS, err, "-m", "comment", "--comment",
                                  "CNI firewall plugin admin overrides", "-j", f->admin_chain, NULL) < 0)
                return -1;
        if (iptables_ensure(six, FILTER, OURS, err, "-d", text, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED",
                            "-j", "ACCEPT", NULL) < 0)
                return -1;
        return iptables_ensure(six, FILTER, OURS, err, "-s", text, "-j", "ACCEPT", NULL);
}

static int iptables_forbid(const struct ip *a, struct cor_err *err)
{
        const bool six = !ip_is_4(a);
        char text[IP_TEXT_BYTES];

        ip_text(a, text);
        if (iptables_remove(six, FILTER, OURS, err, "-d", text, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED",
                            "-j", "ACCEPT", NULL) < 0)
                return -1;
        return iptables_remove(six, FILTER, OURS, err, "-s", text, "-j", "ACCEPT", NULL);
}

static int iptables_check(const struct ip *a, struct cor_err *err)
{
        char text[IP_TEXT_BYTES];
        int there = iptables_has(!ip_is_4(a), FILTER, OURS, err, "-s", ip_text(a, text), "-j", "ACCEPT", NULL);

        if (there == 0)
                return cor_fail(err, COR_NOT_FOUND, "the rules for %s in chain " OURS " are gone", text);
        return there < 0 ? -1 : 0;
}

/* -------------------------------------------------------------------------------------------------------- firewalld */

/* firewall-cmd: 0 done, else what it says. */
static int firewall_cmd(const struct firewall *f, const char *verb, const struct ip *a, struct cor_err *err)
{
        char ip[IP_TEXT_BYTES];
        auto_str zone = cor_printf("--zone=%s", f->zone);
        auto_str source = cor_printf("--%s-source=%s/%d", verb, ip_text(a, ip), a->len * 8);
        char *const argv[] = { (char *)"firewall-cmd", zone, source, NULL };
        const struct cor_spawn s = {
                .path = argv[0], .argv = argv, .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = RUN_TIMEOUT_MS
        };
        auto_str output = NULL;
        int status;

        if (cor_spawn_run(&s, &status, &output, err) < 0)
                return cor_wrap(err, "backend firewalld");
        if (status == 0 || (strcmp(verb, "add") == 0 && output && strstr(output, "ALREADY_ENABLED")) ||
            (strcmp(verb, "remove") == 0 && output &&
             (strstr(output, "NOT_ENABLED") || strstr(output, "UNKNOWN_SOURCE"))))
                return 0;
        return cor_fail(err, COR_SYSTEM, "backend firewalld: firewall-cmd %s: %.200s", source, output ? output : "");
}

/* ---------------------------------------------------------------------------------------------------- ingressPolicy */

static int find_bridge(struct space *s, const struct cni_result *r, char ret[LINK_NAME_BYTES], struct cor_err *err)
{
        for (size_t i = 0; i < r->n_interfaces; i++) {
                const struct cni_interface *f = &r->interfaces[i];
                struct link l;

                if (f->sandbox && f->sandbox[0])
                        continue;
                if (f->name && link_find(s->host, f->name, &l, err) > 0 && strcmp(l.kind, "bridge") == 0) {
                        memcpy(ret, l.name, sizeof l.name);
                        return 0;
                }
        }
        return cor_fail(err, COR_INVALID, "ingressPolicy: prevResult has no bridge of the host");
}

/* From this bridge to one that is kept apart, itself included where containers are. */
static void keep_apart(struct nft_change *change, const char *bridge, bool isolated)
{
        char name[LINK_NAME_BYTES] = "";
        struct nft_element e = { .key = name, .key_len = sizeof name };
        struct nft_rule r;

        snprintf(name, sizeof name, "%s", bridge);
        nft_add_elements(change, "bridges", &e, 1);
        nft_rule_begin(&r, change, "forward");
        r.comment = bridge;
        nft_match_interface(&r, NFT_META_IIFNAME, NFT_CMP_EQ, bridge);
        if (!isolated)
                nft_match_interface(&r, NFT_META_OIFNAME, NFT_CMP_NEQ, bridge);
        nft_load_meta(&r, NFT_META_OIFNAME, NFT_REG32_00);
        nft_look_up(&r, "bridges", NFT_REG32_00, 0);
        nft_count(&r);
        nft_verdict(&r, NF_DROP, NULL);
        nft_rule_end(&r, change);
}

static int set_policy(const struct firewall *f, struct space *s, const struct cni_result *r, struct cor_err *err)
{
        struct nft_listed_rule *rules auto_free = NULL;
        auto_fd sock = netlink_open(NETLINK_NETFILTER, err);
        char bridge[LINK_NAME_BYTES];
        auto_nft_change change;
        size_t n;

        nft_change_begin(&change, NFPROTO_INET, POLICY);
        if (sock < 0 || find_bridge(s, r, bridge, err) < 0 ||
            nft_list_rules(sock, NFPROTO_INET, POLICY, "forward", &rules, &n, err) < 0)
                return -1;
        nft_add_table(&change);
        nft_add_chain(&change, &(struct nft_chain){ .name = "forward",
                                                    .type = "filter",
                                                    .hook = NF_INET_FORWARD,
                                                    .priority = PRIORITY_POLICY });
        nft_add_set(&change,
                    &(struct nft_set){ .name = "bridges", .key_type = NFT_TYPE_NAME, .key_len = LINK_NAME_BYTES });
        for (size_t i = 0; i < n; i++)
                if (strcmp(rules[i].comment, bridge) == 0)
                        nft_delete_rule(&change, rules[i].chain, rules[i].handle);
        keep_apart(&change, bridge, f->policy == ISOLATED);
        return nft_change_commit(&change, sock, err) < 0 ? cor_wrap(err, "ingressPolicy: nftables table " POLICY) : 0;
}

/* ------------------------------------------------------------------------------------------------------------ verbs */

static int each_address(const struct firewall *f, const struct cni_result *r, enum cni_verb verb, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_ips; i++) {
                struct ip a;
                int done;

                if (address_of(&r->ips[i], &a, err) < 0)
                        return -1;
                if (f->backend == FIREWALLD)
                        done = firewall_cmd(f, verb == CNI_ADD ? "add" : verb == CNI_DEL ? "remove" : "query", &a, err);
                else if (verb == CNI_ADD)
                        done = iptables_allow(f, &a, err);
                else
                        done = verb == CNI_DEL ? iptables_forbid(&a, err) : iptables_check(&a, err);
                if (done < 0)
                        return -1;
        }
        return 0;
}

int firewall_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_json struct firewall *f = NULL;
        auto_space s = SPACE_INIT;

        if (load(c, &f, err) < 0 || cni_previous(c, &r, err) < 0)
                return -1;
        if (f->policy != OPEN) {
                s.host = netlink_open(NETLINK_ROUTE, err);
                if (s.host < 0 || set_policy(f, &s, r, err) < 0)
                        return -1;
        }
        if ((f->backend == NFTABLES ? change_rules(c, f, r, owner_is_ours, err) : each_address(f, r, CNI_ADD, err)) < 0)
                return -1;
        *ret = COR_TAKE(r);
        return 0;
}

int firewall_del(struct cni_call *c, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_json struct firewall *f = NULL;

        if (load(c, &f, err) < 0)
                return -1;
        if (f->backend == NFTABLES)
                return change_rules(c, f, NULL, owner_is_ours, err);
        if (!c->config->prev_result)
                return 0;
        return cni_previous(c, &r, err) < 0 ? -1 : each_address(f, r, CNI_DEL, err);
}

int firewall_check(struct cni_call *c, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_json struct firewall *f = NULL;

        if (load(c, &f, err) < 0 || cni_previous(c, &r, err) < 0)
                return -1;
        return f->backend == NFTABLES ? check_rules(c, r, err) : each_address(f, r, CNI_CHECK, err);
}

int firewall_gc(struct cni_call *c, struct cor_err *err)
{
        return change_rules(c, NULL, NULL, owner_is_stale, err);
}
