#ifndef CORACLE_CNI_OWNER_H
#define CORACLE_CNI_OWNER_H
/*
 * Whose a rule of the firewall is. A rule carries a comment that begins with a digest of the network and one of the
 * attachment, so that DEL finds exactly its own, also when an address was given to another container meanwhile, and GC
 * those of a network. Behind the digests stand the names, for people.
 */
#include "cni/call.h"
#include "linux/nft_list.h"

enum { OWNER_DIGEST = 32, OWNER_KEY_BYTES = 2 * OWNER_DIGEST + 2, OWNER_TEXT_BYTES = NFT_COMMENT_MAX + 1 };

/* owner_digest() - 32 hexadecimal digits of two texts (@b may be NULL) */
void owner_digest(const char *a, const char *b, char ret[OWNER_DIGEST + 1]);
/* owner_comment() - of the attachment of @c */
void owner_comment(const struct cni_call *c, char ret[OWNER_TEXT_BYTES]);

/* owner_is_ours() - a comment that owner_comment() of the same attachment made */
bool owner_is_ours(const struct cni_call *c, const char *comment);
/* owner_is_stale() - of the network of @c, and of an attachment that is not valid any more */
bool owner_is_stale(const struct cni_call *c, const char *comment);

/*
 * owner_drop_rules() - put the removal of all rules of @change's table whose owner @fits into it; their number.
 * @sock: NETLINK_NETFILTER
 */
int owner_drop_rules(struct nft_change *change, int sock, const struct cni_call *c,
                     bool (*fits)(const struct cni_call *c, const char *comment), struct cor_err *err) COR_MUST_CHECK;
/* The rules that a plugin has in a table of its own: @make puts the table and those for @data into a change. */
struct owner_rules {
        uint8_t family;
        const char *table;
        int (*make)(struct nft_change *change, const char *comment, const void *data, struct cor_err *err);
};
/* owner_change() - drop those whose owner @fits and, if there is @data, make those for it, all of it at once */
int owner_change(struct cni_call *c, const struct owner_rules *rules,
                 bool (*fits)(const struct cni_call *c, const char *comment), const void *data, struct cor_err *err)
        COR_MUST_CHECK;
/* owner_count_rules() - how many rules of a table are the attachment's; for CHECK */
int owner_count_rules(int sock, uint8_t family, const char *table, const struct cni_call *c, struct cor_err *err)
        COR_MUST_CHECK;

#endif
