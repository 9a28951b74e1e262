/* What is left of networks on the machine: bridges and rules that anybody may remove. */
#include "engine/network.h"

#include "base/fd.h"
#include "base/text.h"
#include "linux/link.h"
#include "network/bridge.h"
#include "network/realm.h"
#include "runtime/context.h"

#include <fcntl.h>
#include <linux/netlink.h>

struct checking {
        struct engine *e;
        bool repair;
        void (*found)(void *context, const char *what, bool repaired);
        void *context;
        int run, sock, nft;
};

static void checking_done(struct checking *c)
{
        cor_fd_close(&c->run);
        cor_fd_close(&c->sock);
        cor_fd_close(&c->nft);
}

static int open_all(struct checking *c, struct cor_err *err)
{
        c->run = store_run_open(c->e->store, err);
        c->sock = c->run < 0 ? -1 : realm_socket(NETLINK_ROUTE, err);
        c->nft = c->sock < 0 ? -1 : realm_socket(NETLINK_NETFILTER, err);
        return c->nft < 0 ? -1 : 0;
}

static int look_at(const struct checking *c, const struct network_row *row, bool whole, struct cor_err *err)
{
        bool repair = c->repair && !realm_is_own(); /* a user's is made by the next container that is connected */
        auto_network n = NULL;
        auto_str what = NULL;
        struct link l;
        int there, known, index;

        if (network_parse(row, &n, err) < 0)
                return -1;
        if (n->driver != NETWORK_BRIDGE)
                return 0;
        there = link_find(c->sock, n->bridge, &l, err);
        known = there < 0 ? -1 : !whole ? 0 : firewall_has_network(c->nft, n->bridge, err);
        if (there < 0 || known < 0)
                return -1;
        if (there && known)
                return 0;
        if (repair && bridge_open(c->e->store, c->run, c->sock, n, &index, err) < 0)
                return -1;
        what = there ? cor_printf("network %s: its rules of nftables are gone", n->name)
                     : cor_printf("network %s: its bridge %s is gone", n->name, n->bridge);
        c->found(c->context, what, repair);
        return 0;
}

int engine_check_networks(struct engine *e, bool repair, void (*found)(void *context, const char *what, bool repaired),
                          void *context, struct cor_err *err)
{
        COR_CLEANUP(checking_done)
        struct checking c = {
                .e = e, .repair = repair, .found = found, .context = context, .run = -1, .sock = -1, .nft = -1
        };
        auto_network_rows rows = { 0 };
        int whole = -1, r;

        r = realm_there(err);
        if (r <= 0)
                return r;
        if (network_row_all(e->store, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                if (rows.items[i].users == 0)
                        continue;
                if (c.run < 0 && open_all(&c, err) < 0)
                        return -1;
                whole = firewall_whole(c.nft, err);
                if (whole < 0 || look_at(&c, &rows.items[i], whole > 0, err) < 0)
                        return -1;
        }
        return 0;
}
