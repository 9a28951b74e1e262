/* The chains that the reference plugin documents; made by running iptables, where the configuration asks for it. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "cni/iptables.h"
#include "cni/owner.h"
#include "cni/portmap.h"

#define DNAT_CHAIN    "CNI-HOSTPORT-DNAT"
#define SETMARK_CHAIN "CNI-HOSTPORT-SETMARK"
#define MASQ_CHAIN    "CNI-HOSTPORT-MASQ"
enum { DEFAULT_MARK_BIT = 13 };

static void chain_of(const struct cni_call *c, char ret[IPTABLES_CHAIN_BYTES])
{
        char digest[OWNER_DIGEST + 1];
        char key[OWNER_TEXT_BYTES];

        owner_comment(c, key);
        owner_digest(key, "ports", digest);
        snprintf(ret, IPTABLES_CHAIN_BYTES, "CNI-DN-%.21s", digest);
}

static const char *protocol_name(int protocol)
{
        return protocol == IPPROTO_UDP ? "udp" : protocol == IPPROTO_SCTP ? "sctp" : "tcp";
}

static int make_mark_chains(const struct portmap *p, bool six, struct cor_err *err)
{
        const uint32_t bit = 1u << (p->mark_bit.set ? p->mark_bit.value : DEFAULT_MARK_BIT);
        char mark[32];

        if (p->external_mark_chain)
                return 0;
        snprintf(mark, sizeof mark, "0x%x/0x%x", bit, bit);
        if (iptables_new_chain(six, "nat", SETMARK_CHAIN, err) < 0 ||
            iptables_new_chain(six, "nat", MASQ_CHAIN, err) < 0)
                return -1;
        if (iptables_ensure(six, "nat", SETMARK_CHAIN, err, "-j", "MARK", "--set-xmark", mark, NULL) < 0 ||
            iptables_ensure(six, "nat", MASQ_CHAIN, err, "-m", "mark", "--mark", mark, "-j", "MASQUERADE", NULL) < 0)
                return -1;
        return iptables_ensure(six, "nat", "POSTROUTING", err, "-j", MASQ_CHAIN, NULL);
}

static int make_base(const struct portmap *p, bool six, struct cor_err *err)
{
        static const char *const from[] = { "PREROUTING", "OUTPUT" };

        if (iptables_new_chain(six, "nat", DNAT_CHAIN, err) < 0)
                return -1;
        for (size_t i = 0; i < COR_COUNT(from); i++)
                if (iptables_ensure(six, "nat", from[i], err, "-m", "addrtype", "--dst-type", "LOCAL", "-j", DNAT_CHAIN,
                                    NULL) < 0)
                        return -1;
        return p->snat ? make_mark_chains(p, six, err) : 0;
}

static int add_mark(const struct portmap *p, const char *chain, const struct port_mapping *m,
                    const struct ip_prefix *to, const char *port, struct cor_err *err)
{
        const bool six = !ip_is_4(&to->ip);
        const char *set = p->external_mark_chain ? p->external_mark_chain : SETMARK_CHAIN;
        const char *protocol = protocol_name(m->protocol);
        char own[IP_TEXT_BYTES];

        if (!p->snat)
                return 0;
        if (p->masq_all)
                return iptables_ensure(six, "nat", chain, err, "-p", protocol, "--dport", port, "-j", set, NULL);
        if (iptables_ensure(six, "nat", chain, err, "-s", ip_prefix_text(to, own), "-p", protocol, "--dport", port,
                            "-j", set, NULL) < 0)
                return -1;
        return six ? 0
                   : iptables_ensure(six, "nat", chain, err, "-s", "127.0.0.1", "-p", protocol, "--dport", port, "-j",
                                     set, NULL);
}

/* With conditions or an address of the host the number of words varies: only those that are there are given. */
static int add_entry(const struct portmap *p, const char *chain, const struct port_mapping *m, bool six,
                     const char *port, struct cor_err *err)
{
        const char *words[16] = { NULL };
        const size_t n_conditions = p->n_conditions[six];
        size_t n = 0;

        if (n_conditions > 6)
                return cor_fail(err, COR_INVALID, "conditionsV%c: more than 6 words", six ? '6' : '4');
        for (size_t i = 0; i < n_conditions; i++)
                words[n++] = p->conditions[six][i];
        if (m->host_ip.len && !ip_is_zero(&m->host_ip)) {
                words[n++] = "-d";
                words[n++] = m->host_ip_text;
        }
        words[n++] = "-p";
        words[n++] = protocol_name(m->protocol);
        words[n++] = "--dport";
        words[n++] = port;
        words[n++] = "-j";
        words[n++] = chain;
        return iptables_ensure(six, "nat", DNAT_CHAIN, err, words[0], words[1], words[2], words[3], words[4], words[5],
                               words[6], words[7], words[8], words[9], words[10], words[11], words[12], words[13],
                               NULL);
}

static int add_mapping(const struct portmap *p, const char *chain, const struct port_mapping *m,
                       const struct ip_prefix *to, struct cor_err *err)
{
        const bool six = !ip_is_4(&to->ip);
        char target[IP_TEXT_BYTES + 16];
        char ip[IP_TEXT_BYTES];
        char port[16];

        snprintf(port, sizeof port, "%u", m->host_port);
        snprintf(target, sizeof target, six ? "[%s]:%u" : "%s:%u", ip_text(&to->ip, ip), m->container_port);
        if (add_entry(p, chain, m, six, port, err) < 0 || add_mark(p, chain, m, to, port, err) < 0)
                return -1;
        return iptables_ensure(six, "nat", chain, err, "-p", protocol_name(m->protocol), "--dport", port, "-j", "DNAT",
                               "--to-destination", target, NULL);
}

int portmap_iptables_add(struct cni_call *c, const struct portmap *p, struct cor_err *err)
{
        char chain[IPTABLES_CHAIN_BYTES];

        chain_of(c, chain);
        for (int six = 0; six < 2; six++) {
                if (!p->to[six].ip.len)
                        continue;
                if (make_base(p, six, err) < 0 || iptables_new_chain(six, "nat", chain, err) < 0)
                        return -1;
                for (size_t i = 0; i < p->runtime.n_mappings; i++)
                        if (portmap_applies(&p->runtime.mappings[i], &p->to[six].ip) &&
                            add_mapping(p, chain, &p->runtime.mappings[i], &p->to[six], err) < 0)
                                return -1;
        }
        return 0;
}

int portmap_iptables_del(struct cni_call *c, struct cor_err *err)
{
        char chain[IPTABLES_CHAIN_BYTES];

        chain_of(c, chain);
        for (int six = 0; six < 2; six++)
                if (iptables_drop_chain(six, "nat", DNAT_CHAIN, chain, err) < 0)
                        return -1;
        return 0;
}

int portmap_iptables_check(struct cni_call *c, const struct portmap *p, struct cor_err *err)
{
        char chain[IPTABLES_CHAIN_BYTES];
        char port[16];

        chain_of(c, chain);
        for (int six = 0; six < 2; six++)
                for (size_t i = 0; p->to[six].ip.len && i < p->runtime.n_mappings; i++) {
                        const struct port_mapping *m = &p->runtime.mappings[i];
                        char target[IP_TEXT_BYTES + 16];
                        char ip[IP_TEXT_BYTES];
                        int there;

                        if (!portmap_applies(m, &p->to[six].ip))
                                continue;
                        snprintf(port, sizeof port, "%u", m->host_port);
                        snprintf(target, sizeof target, six ? "[%s]:%u" : "%s:%u", ip_text(&p->to[six].ip, ip),
                                 m->container_port);
                        there = iptables_has(six, "nat", chain, err, "-p", protocol_name(m->protocol), "--dport", port,
                                             "-j", "DNAT", "--to-destination", target, NULL);
                        if (there == 0)
                                cor_fail(err, COR_NOT_FOUND, "iptables: the rule for port %s is gone", port);
                        if (there <= 0)
                                return -1;
                }
        return 0;
}
