#include "linux/conntrack.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

enum { TUPLE_MAX = 256, DUMP_TRIES = 3 };

/* An entry to be removed: its tuple as the kernel told it, and its id, so that no later one of the same tuple is meant
 */
struct doomed {
        uint8_t family;
        uint32_t id;
        size_t len;
        uint8_t tuple[TUPLE_MAX];
};

struct search {
        conntrack_fn *is_one;
        void *data;
        struct doomed *items;
        size_t n_items;
};

static void begin(struct netlink_request *r, uint16_t message, uint16_t flags, uint8_t family)
{
        const struct nfgenmsg h = { .nfgen_family = family, .version = NFNETLINK_V0 };

        netlink_begin(r, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | message), flags, &h, sizeof h);
}

static void read_ip(const struct netlink_attr *ip, struct conntrack_entry *ret)
{
        struct netlink_cursor c = netlink_inside(ip);
        struct netlink_attr a;

        while (netlink_next_attr(&c, &a))
                if ((a.type == CTA_IP_V4_DST && a.len == 4) || (a.type == CTA_IP_V6_DST && a.len == sizeof ret->to))
                        memcpy(ret->to, a.data, a.len);
}

static void read_protocol(const struct netlink_attr *protocol, struct conntrack_entry *ret)
{
        struct netlink_cursor c = netlink_inside(protocol);
        struct netlink_attr a;

        while (netlink_next_attr(&c, &a)) {
                if (a.type == CTA_PROTO_NUM)
                        ret->protocol = netlink_u8(&a, 0);
                else if (a.type == CTA_PROTO_DST_PORT)
                        ret->to_port = ntohs(netlink_u16(&a, 0));
        }
}

/* The attributes behind the header, and in them the tuple of the first packet and the id */
static bool find_parts(const struct netlink_message *m, uint8_t *ret_family, struct netlink_attr *tuple,
                       uint32_t *ret_id)
{
        struct netlink_cursor c;
        struct netlink_attr a;
        struct nfgenmsg h;
        bool found = false;

        if (m->type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) || !netlink_header(m, &h, sizeof h, &c))
                return false;
        *ret_family = h.nfgen_family;
        *ret_id = 0;
        while (netlink_next_attr(&c, &a)) {
                if (a.type == CTA_TUPLE_ORIG) {
                        *tuple = a;
                        found = true;
                } else if (a.type == CTA_ID) {
                        *ret_id = netlink_u32(&a, 0);
                }
        }
        return found;
}

bool conntrack_read(const struct netlink_message *m, struct conntrack_entry *ret)
{
        struct netlink_attr tuple, a;
        struct netlink_cursor c;
        uint32_t id;

        memset(ret, 0, sizeof *ret);
        if (!find_parts(m, &ret->family, &tuple, &id))
                return false;
        c = netlink_inside(&tuple);
        while (netlink_next_attr(&c, &a)) {
                if (a.type == CTA_TUPLE_IP)
                        read_ip(&a, ret);
                else if (a.type == CTA_TUPLE_PROTO)
                        read_protocol(&a, ret);
        }
        return ret->protocol != 0;
}

static int look(const struct netlink_message *m, void *data, struct cor_err *err)
{
        struct search *s = data;
        struct conntrack_entry e;
        struct netlink_attr tuple;
        struct doomed *d;
        uint8_t family;
        uint32_t id;

        (void)err;
        if (!conntrack_read(m, &e) || !s->is_one(&e, s->data) || !find_parts(m, &family, &tuple, &id) ||
            tuple.len > TUPLE_MAX)
                return 0;
        d = COR_GROW(s->items, s->n_items);
        d->family = family;
        d->id = id;
        d->len = tuple.len;
        memcpy(d->tuple, tuple.data, tuple.len);
        return 0;
}

static int forget_one(int sock, const struct doomed *d, struct cor_err *err)
{
        struct netlink_request r;

        begin(&r, IPCTNL_MSG_CT_DELETE, 0, d->family);
        netlink_put(&r, CTA_TUPLE_ORIG | NLA_F_NESTED, d->tuple, d->len);
        netlink_put_u32(&r, CTA_ID, d->id);
        return netlink_exchange(sock, &r, NULL, NULL, err) < 0 && err->sys != ENOENT ? -1 : 0;
}

int conntrack_forget(int sock, uint8_t family, conntrack_fn *is_one, void *data, struct cor_err *err)
{
        struct search s = { .is_one = is_one, .data = data };
        struct netlink_request r;
        int done = -1;

        for (int i = 0; i < DUMP_TRIES && done < 0; i++) { /* the table changes all the time */
                s.n_items = 0;
                begin(&r, IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
                done = netlink_exchange(sock, &r, look, &s, err);
                if (done < 0 && err->kind != COR_BUSY)
                        break;
        }
        if (done < 0 && (err->sys == EOPNOTSUPP || err->sys == EINVAL)) {
                free(s.items);
                return 0;
        }
        done = done < 0 && err->kind != COR_BUSY ? -1 : (int)s.n_items;
        for (size_t i = 0; i < s.n_items && done >= 0; i++)
                if (forget_one(sock, &s.items[i], err) < 0)
                        done = -1;
        free(s.items);
        return done < 0 ? cor_wrap(err, "forget connections") : done;
}
