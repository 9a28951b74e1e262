#include "cni/owner.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"

enum { TRIES = 5 };

/* FNV-1a of 128 bits: for telling things apart that one administrator named, not against an enemy. */
void owner_digest(const char *a, const char *b, char ret[OWNER_DIGEST + 1])
{
        const unsigned __int128 prime = ((unsigned __int128)1 << 88) + 0x13b;
        unsigned __int128 h = ((unsigned __int128)0x6c62272e07bb0142 << 64) + 0x62b821756295c58d;
        const char *const parts[] = { a, b ? b : "" };

        for (size_t i = 0; i < COR_COUNT(parts); i++) {
                for (const char *s = parts[i]; *s; s++)
                        h = (h ^ (uint8_t)*s) * prime;
                h = (h ^ 0xff) * prime; /* no byte of a text: where one part ends and the next begins */
        }
        snprintf(ret, OWNER_DIGEST + 1, "%016llx%016llx", (unsigned long long)(h >> 64), (unsigned long long)h);
}

static void make_key(const char *network, const char *container_id, const char *ifname, char ret[OWNER_KEY_BYTES])
{
        owner_digest(network, NULL, ret);
        ret[OWNER_DIGEST] = '-';
        owner_digest(container_id, ifname, ret + OWNER_DIGEST + 1);
}

void owner_comment(const struct cni_call *c, char ret[OWNER_TEXT_BYTES])
{
        char key[OWNER_KEY_BYTES];

        make_key(c->config->name, c->container_id, c->ifname, key);
        snprintf(ret, OWNER_TEXT_BYTES, "%s %s %s %s", key, c->config->name, c->ifname, c->container_id);
}

bool owner_is_ours(const struct cni_call *c, const char *comment)
{
        char key[OWNER_KEY_BYTES];

        make_key(c->config->name, c->container_id, c->ifname, key);
        return cor_starts_with(comment, key);
}

bool owner_is_stale(const struct cni_call *c, const char *comment)
{
        char key[OWNER_KEY_BYTES];
        char network[OWNER_DIGEST + 1];

        owner_digest(c->config->name, NULL, network);
        if (!cor_starts_with(comment, network))
                return false;
        for (size_t i = 0; i < c->config->n_attachments; i++) {
                const struct cni_attachment *a = &c->config->attachments[i];

                make_key(c->config->name, a->container_id, a->ifname, key);
                if (cor_starts_with(comment, key))
                        return false;
        }
        return true;
}

int owner_drop_rules(struct nft_change *change, int sock, const struct cni_call *c,
                     bool (*fits)(const struct cni_call *c, const char *comment), struct cor_err *err)
{
        struct nft_listed_rule *rules auto_free = NULL;
        size_t n;
        int dropped = 0;

        if (nft_list_rules(sock, change->family, change->table, NULL, &rules, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (fits(c, rules[i].comment)) {
                        nft_delete_rule(change, rules[i].chain, rules[i].handle);
                        dropped++;
                }
        return dropped;
}

/* Between the look and the change somebody may have removed the same stale rule: look again then. */
int owner_change(struct cni_call *c, const struct owner_rules *rules,
                 bool (*fits)(const struct cni_call *c, const char *comment), const void *data, struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_NETFILTER, err);
        char comment[OWNER_TEXT_BYTES];

        if (sock < 0)
                return -1;
        owner_comment(c, comment);
        for (int i = 0;; i++) {
                auto_nft_change change;
                int stale;

                nft_change_begin(&change, rules->family, rules->table);
                if (data && rules->make(&change, comment, data, err) < 0)
                        return -1;
                stale = owner_drop_rules(&change, sock, c, fits, err);
                if (stale < 0)
                        return -1;
                if ((stale == 0 && !data) || nft_change_commit(&change, sock, err) == 0)
                        return 0;
                if (err->sys != ENOENT || i == TRIES)
                        return cor_wrap(err, "nftables table %s", rules->table);
        }
}

int owner_count_rules(int sock, uint8_t family, const char *table, const struct cni_call *c, struct cor_err *err)
{
        struct nft_listed_rule *rules auto_free = NULL;
        size_t n;
        int count = 0;

        if (nft_list_rules(sock, family, table, NULL, &rules, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                count += owner_is_ours(c, rules[i].comment);
        return count;
}
