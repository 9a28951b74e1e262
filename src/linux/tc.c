#include "linux/tc.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#include "linux/netlink_list.h"

enum { LATENCY_MS = 25, TICK_NS = 64, PRIORITY = 1 };

static void begin(struct netlink_request *r, uint16_t type, uint16_t flags, struct tcmsg h, const char *kind)
{
        netlink_begin(r, type, flags, &h, sizeof h);
        netlink_put_str(r, TCA_KIND, kind);
}

int tc_limit(int sock, int index, uint64_t rate, uint32_t burst, struct cor_err *err)
{
        const uint64_t queue = rate * LATENCY_MS / 1000 + burst, ticks = (uint64_t)burst * 1000000000 / rate / TICK_NS;
        struct tc_tbf_qopt q = {
                .rate = { .rate = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate, .linklayer = TC_LINKLAYER_ETHERNET },
                .limit = queue > UINT32_MAX ? UINT32_MAX : (uint32_t)queue,
                .buffer = ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks,
        };
        struct netlink_request r;
        size_t nest;

        begin(&r, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE,
              (struct tcmsg){ .tcm_ifindex = index, .tcm_handle = TC_H_MAKE(1 << 16, 0), .tcm_parent = TC_H_ROOT },
              "tbf");
        nest = netlink_nest(&r, TCA_OPTIONS);
        netlink_put(&r, TCA_TBF_PARMS, &q, sizeof q);
        netlink_put_u32(&r, TCA_TBF_BURST, burst);
        if (rate > UINT32_MAX)
                netlink_put_u64(&r, TCA_TBF_RATE64, rate);
        netlink_nest_end(&r, nest);
        return netlink_exchange(sock, &r, NULL, NULL, err) < 0 ? cor_wrap(err, "limit what an interface sends") : 0;
}

/* Every packet fits a key whose mask is 0. */
static void put_filter(struct netlink_request *r, int to)
{
        const struct tc_u32_sel selector = { .flags = TC_U32_TERMINAL, .nkeys = 1 };
        uint8_t all[sizeof selector + sizeof(struct tc_u32_key)] = { 0 };
        const struct tc_mirred mirred = { .action = TC_ACT_STOLEN,
                                          .eaction = TCA_EGRESS_REDIR,
                                          .ifindex = (uint32_t)to };
        size_t options, actions, first, action;

        memcpy(all, &selector, sizeof selector);
        options = netlink_nest(r, TCA_OPTIONS);
        netlink_put_u32(r, TCA_U32_CLASSID, TC_H_MAKE(1 << 16, 1));
        netlink_put(r, TCA_U32_SEL, all, sizeof all);
        actions = netlink_nest(r, TCA_U32_ACT);
        first = netlink_nest(r, 1);
        netlink_put_str(r, TCA_ACT_KIND, "mirred");
        action = netlink_nest(r, TCA_ACT_OPTIONS);
        netlink_put(r, TCA_MIRRED_PARMS, &mirred, sizeof mirred);
        netlink_nest_end(r, action);
        netlink_nest_end(r, first);
        netlink_nest_end(r, actions);
        netlink_nest_end(r, options);
}

int tc_redirect(int sock, int index, int to, struct cor_err *err)
{
        struct netlink_request r;

        begin(&r, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL,
              (struct tcmsg){ .tcm_ifindex = index, .tcm_handle = 0xffff0000, .tcm_parent = TC_H_INGRESS }, "ingress");
        if (netlink_exchange(sock, &r, NULL, NULL, err) < 0)
                return cor_wrap(err, "take what comes in by an interface");
        begin(&r, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL,
              (struct tcmsg){ .tcm_ifindex = index,
                              .tcm_parent = 0xffff0000,
                              .tcm_info = TC_H_MAKE(PRIORITY << 16, htons(ETH_P_ALL)) },
              "u32");
        put_filter(&r, to);
        return netlink_exchange(sock, &r, NULL, NULL, err) < 0 ? cor_wrap(err, "send on what comes in by an interface")
                                                               : 0;
}

static void read_options(struct netlink_cursor c, struct tc_qdisc *ret)
{
        struct netlink_attr a;

        while (netlink_next_attr(&c, &a)) {
                struct tc_tbf_qopt q;

                if (a.type == TCA_TBF_PARMS && a.len >= sizeof q && !ret->rate) {
                        memcpy(&q, a.data, sizeof q);
                        ret->rate = q.rate.rate;
                } else if (a.type == TCA_TBF_RATE64) {
                        ret->rate = netlink_u64(&a, 0);
                }
        }
}

bool tc_read(const struct netlink_message *m, struct tc_qdisc *ret)
{
        struct netlink_cursor c, options = { NULL, 0 };
        struct netlink_attr a;
        struct tcmsg h;

        if (m->type != RTM_NEWQDISC || !netlink_header(m, &h, sizeof h, &c))
                return false;
        *ret = (struct tc_qdisc){ .index = h.tcm_ifindex, .parent = h.tcm_parent };
        while (netlink_next_attr(&c, &a)) {
                const char *kind = a.type == TCA_KIND ? netlink_str(&a) : NULL;

                if (kind && strlen(kind) < sizeof ret->kind)
                        memcpy(ret->kind, kind, strlen(kind) + 1);
                else if (a.type == TCA_OPTIONS)
                        options = netlink_inside(&a);
        }
        if (strcmp(ret->kind, "tbf") == 0)
                read_options(options, ret);
        return true;
}

struct search {
        struct tc_qdisc found;
        int index;
        uint32_t parent;
        const char *kind;
        bool is_found;
};

static int take(const struct netlink_message *m, void *data, struct cor_err *err)
{
        struct search *s = data;
        struct tc_qdisc q;

        (void)err;
        if (tc_read(m, &q) && q.index == s->index && q.parent == s->parent && strcmp(q.kind, s->kind) == 0) {
                s->found = q;
                s->is_found = true;
        }
        return 0;
}

int tc_find(int sock, int index, uint32_t parent, const char *kind, struct tc_qdisc *ret, struct cor_err *err)
{
        const struct tcmsg h = { .tcm_ifindex = index };
        struct search s = { .index = index, .parent = parent, .kind = kind };
        struct netlink_request r;

        netlink_begin(&r, RTM_GETQDISC, NLM_F_DUMP, &h, sizeof h);
        if (netlink_dump(sock, &r, take, &s, NULL, err) < 0)
                return cor_wrap(err, "list queueing disciplines");
        if (s.is_found)
                *ret = s.found;
        return s.is_found;
}
