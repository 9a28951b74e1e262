#include "cni/dhcp_lease.h"

#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/fd.h"
#include "base/log.h"
#include "linux/route.h"

enum {
        CLIENT_MAX_BYTES = 254, /* of the name in the client identifier */
        QUICK_TRIES = 4,        /* that follow each other quickly, as in the reference */
        QUICK_MS = 2000,
        SLOW_MS = 4000,           /* doubled from there on */
        JITTER_MS = 1000,         /* more or less */
        AGAIN_MIN_MS = 10 * 1000, /* between two requests for more time */
        PACKETS_MAX = 64,         /* that are read at once */
};

int64_t dhcp_now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_BOOTTIME, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint32_t random32(void)
{
        uint32_t r = 0;

        while (getrandom(&r, sizeof r, 0) != sizeof r)
                ;
        return r;
}

struct dhcp_lease *dhcp_lease_new(const struct dhcp_settings *s, struct dhcp_request *request)
{
        struct dhcp_lease *l = cor_alloc(sizeof *l);

        l->request = request;
        l->name = cor_printf("%s/%s/%s", request->container_id, request->network, request->ifname);
        l->netns = cor_printf("%s%s", s->host_prefix, request->netns);
        l->file = cor_random_hex(16);
        l->place = (struct dhcp_place){ .netns = l->netns, .ifname = request->ifname };
        l->first = true;
        l->sock = -1;
        l->send_at = l->close_at = l->give_up = INT64_MAX;
        l->renew_at = l->rebind_at = l->expire_at = INT64_MAX;
        return l;
}

void dhcp_lease_free(struct dhcp_lease *l)
{
        if (!l)
                return;
        cor_json_free(l->request);
        cor_fd_close(&l->sock);
        free(l->name);
        free(l->netns);
        free(l->file);
        free(l->granted);
        free(l);
}

bool dhcp_lease_is_held(const struct dhcp_lease *l)
{
        return l->granted && !l->withdrawn;
}

int dhcp_lease_result(const struct dhcp_lease *l, struct cni_result **ret, struct cor_err *err)
{
        struct dhcp_message m;

        if (dhcp_message_read(l->granted, l->n_granted, &m, err) < 0)
                return -1;
        return dhcp_result(&m, l->request->priority, l->request->dns, ret, err);
}

/* ---------------------------------------------------------------------------------------------------------- sending */

/* What the configuration gives; and who we are, unless that is among it. */
static size_t make_values(const struct dhcp_lease *l, bool all, struct dhcp_value *ret)
{
        const struct dhcp_request *q = l->request;
        bool named = false;
        size_t n = 0;

        for (size_t i = 0; i < q->n_values; i++) {
                struct dhcp_value *v = &ret[n];
                ssize_t len = dhcp_unhex(q->values[i].hex, v->bytes, sizeof v->bytes);

                if (len < 0 || (!all && q->values[i].option != DHCP_CLIENT))
                        continue;
                v->code = (uint8_t)q->values[i].option;
                v->len = (uint8_t)len;
                named = named || v->code == DHCP_CLIENT;
                n++;
        }
        if (!named) {
                size_t len = strnlen(l->name, CLIENT_MAX_BYTES);

                ret[n] = (struct dhcp_value){ .code = DHCP_CLIENT, .len = (uint8_t)(len + 1) };
                memcpy(ret[n++].bytes + 1, l->name, len); /* after a type of 0: it is no hardware address */
        }
        return n;
}

static int send_message(struct dhcp_lease *l, const struct dhcp_outgoing *o, const uint8_t *mac, const struct ip *to,
                        struct cor_err *err)
{
        uint8_t message[DHCP_PACKET_MAX_BYTES - DHCP_FRAME_BYTES], packet[DHCP_PACKET_MAX_BYTES];
        size_t n;

        if (dhcp_message_write(o, message, &n, err) < 0)
                return -1;
        n = dhcp_packet_write(&o->client, to, message, n, packet);
        return dhcp_socket_send(l->sock, l->place.index, ETH_P_IP, mac, packet, n, err);
}

static int send_with_values(struct dhcp_lease *l, const struct dhcp_outgoing *what, const uint8_t *mac,
                            const struct ip *to, struct cor_err *err)
{
        struct dhcp_value *values auto_free = cor_alloc((l->request->n_values + 1) * sizeof *values);
        uint8_t parameters[DHCP_VALUE_MAX_BYTES];
        struct dhcp_outgoing o = *what;

        for (size_t i = 0; i < l->request->n_parameters; i++)
                parameters[i] = (uint8_t)l->request->parameters[i];
        o.mac = l->mac;
        o.xid = l->xid;
        o.values = values;
        o.n_values = make_values(l, o.type != DHCP_RELEASE, values);
        o.parameters = parameters;
        o.n_parameters = o.type == DHCP_RELEASE ? 0 : l->request->n_parameters;
        return send_message(l, &o, mac, to, err);
}

static const struct ip everybody = { 4, { 255, 255, 255, 255 } };

static int ask(struct dhcp_lease *l, const struct dhcp_settings *s, int64_t now, struct cor_err *err)
{
        const bool direct = l->state == DHCP_RENEWING;
        struct dhcp_outgoing o = {
                .type = l->state == DHCP_SELECTING ? DHCP_DISCOVER : DHCP_REQUEST,
                .secs = (uint16_t)(now - l->began > UINT16_MAX * 1000L ? UINT16_MAX : (now - l->began) / 1000),
                .broadcast = s->broadcast || l->shares_mac,
        };

        if (l->state == DHCP_RENEWING || l->state == DHCP_REBINDING)
                o.client = l->terms.address.ip;
        if (l->state == DHCP_REQUESTING) {
                o.requested = l->terms.address.ip;
                o.server = l->terms.server;
        }
        if (l->state == DHCP_SELECTING && l->withdrawn)
                o.requested = l->terms.address.ip;
        if (l->state != DHCP_REQUESTING || l->tries == 1) /* all of one exchange count from the first */
                l->asked = now;
        return send_with_values(l, &o, direct ? l->server_mac : NULL, direct ? &l->terms.server : &everybody, err);
}

/* ---------------------------------------------------------------------------------------------------- the interface */

/* 1 the exchange can begin, 0 there is no interface any more */
static int open_socket(struct dhcp_lease *l, bool set_up, struct cor_err *err)
{
        auto_space space = SPACE_INIT;
        struct link link;
        int found;

        found = dhcp_place_find(&l->place, &space, &link, err);
        if (found <= 0)
                return found;
        if (link.mac_len != DHCP_MAC_BYTES)
                return cor_fail(err, COR_UNSUPPORTED, "interface %s has no Ethernet address", l->place.ifname);
        memcpy(l->mac, link.mac, DHCP_MAC_BYTES);
        l->shares_mac = strcmp(link.kind, "ipvlan") == 0;
        if (set_up && link_set_up(space.inside, link.index, true, err) < 0)
                return -1;
        cor_fd_close(&l->sock);
        l->sock = dhcp_socket_open(space.netns, link.index, err);
        return l->sock < 0 ? -1 : 1;
}

/* Nobody may go on to use an address whose time is over: somebody else may have it already. */
static void withdraw(struct dhcp_lease *l, const char *why)
{
        auto_space space = SPACE_INIT;
        struct cor_err err = { 0 };
        char text[IP_TEXT_BYTES];
        struct link link;

        if (l->withdrawn)
                return;
        cor_warn("%s: %s: %s is taken from the interface", l->name, why, ip_prefix_text(&l->terms.address, text));
        l->withdrawn = true;
        if (dhcp_place_find(&l->place, &space, &link, &err) <= 0 ||
            address_remove(space.inside, &(struct address){ .index = link.index, .ip = l->terms.address }, &err) < 0)
                cor_warn("%s: %s", l->name, err.msg);
}

static int give_back(struct dhcp_lease *l, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_space space = SPACE_INIT;
        struct link link;

        if (dhcp_lease_result(l, &r, err) < 0 || dhcp_place_find(&l->place, &space, &link, err) <= 0)
                return -1;
        /* Whoever called ADD may have been slower to put it there than we were to take it away. */
        if (address_remove(space.inside, &(struct address){ .index = link.index, .ip = l->terms.address }, err) < 0)
                return -1;
        result_take_link(r, &link, l->netns);
        r->ips[0].interface = (struct cor_opt_u64){ .set = true, .value = 0 };
        return space_configure(&space, l->place.ifname, r, err);
}

/* -------------------------------------------------------------------------------------------------- when to do what */

static int64_t jitter(void)
{
        return (int64_t)(random32() % (2 * JITTER_MS + 1)) - JITTER_MS;
}

static int64_t pause_after(const struct dhcp_lease *l, const struct dhcp_settings *s)
{
        int64_t ms = QUICK_MS;
        unsigned slow = l->tries > QUICK_TRIES ? l->tries - QUICK_TRIES - 1 : 0;

        if (l->tries > QUICK_TRIES)
                ms = (int64_t)SLOW_MS << (slow > 10 ? 10 : slow);
        return ms > s->resend_max_ms ? s->resend_max_ms : ms + jitter();
}

static int64_t earlier(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

/* Half of the time that is left, as RFC 2131 has it, down to a limit; and never past the next change of state. */
static int64_t ask_again_at(const struct dhcp_lease *l, int64_t now)
{
        int64_t until = l->state == DHCP_RENEWING ? l->rebind_at : l->expire_at;
        int64_t half = (until - now) / 2;

        return earlier(until, now + (half < AGAIN_MIN_MS ? AGAIN_MIN_MS : half));
}

int64_t dhcp_lease_due(const struct dhcp_lease *l)
{
        return earlier(l->send_at, earlier(l->close_at, l->give_up));
}

static void enter(struct dhcp_lease *l, enum dhcp_state state, int64_t now)
{
        l->state = state;
        l->tries = 0;
        if (state == DHCP_REQUESTING) { /* which goes on with what the offer is an answer to */
                l->offered = now;
                return;
        }
        l->began = now;
        l->xid = random32();
}

static bool is_early(const struct dhcp_lease *l)
{
        return l->state == DHCP_SELECTING || l->state == DHCP_REQUESTING;
}

/* One more request in the state that it is in. What cannot be sent now may be sent the next time. */
static enum dhcp_event try_once(struct dhcp_lease *l, const struct dhcp_settings *s, int64_t now, struct cor_err *err)
{
        int ready = 1;

        cor_err_clear(err);
        if (l->sock < 0)
                ready = open_socket(l, is_early(l), err);
        if (ready == 0)
                return DHCP_GONE;
        if (ready < 0 && l->first)
                return DHCP_FAILED;
        l->tries++;
        if (!is_early(l))
                l->xid = random32(); /* an answer to an earlier one would be for another time */
        if (ready < 0 || ask(l, s, now, err) < 0)
                snprintf(l->problem, sizeof l->problem, "%.190s", err->msg);
        l->send_at = is_early(l) ? now + pause_after(l, s) : ask_again_at(l, now);
        l->close_at = l->first ? INT64_MAX : now + s->timeout_ms;
        return DHCP_GOES_ON;
}

int dhcp_lease_start(struct dhcp_lease *l, const struct dhcp_settings *s, int64_t now, struct cor_err *err)
{
        enum dhcp_event event;

        enter(l, DHCP_SELECTING, now);
        l->give_up = now + s->resend_timeout_ms;
        event = try_once(l, s, now, err);
        return event == DHCP_GOES_ON ? 0 : -1;
}

static enum dhcp_event fail_first(struct dhcp_lease *l, const struct dhcp_settings *s, struct cor_err *err)
{
        (void)cor_fail(err, COR_TIMEOUT, "no lease for interface %s within %g s: %s", l->place.ifname,
                       (double)s->resend_timeout_ms / 1000, l->problem[0] ? l->problem : "no DHCP server has answered");
        return DHCP_FAILED;
}

/* Time has passed: which state is this? */
static void go_on(struct dhcp_lease *l, const struct dhcp_settings *s, int64_t now)
{
        /* A server that does not stand by its offer is not waited for any longer than this. */
        if (l->state == DHCP_REQUESTING && now - l->offered >= s->timeout_ms)
                enter(l, DHCP_SELECTING, now);
        if (!dhcp_lease_is_held(l))
                return;
        if (now >= l->expire_at) {
                withdraw(l, "no server has renewed the lease");
                enter(l, DHCP_SELECTING, now);
        } else if (now >= l->rebind_at && l->state != DHCP_REBINDING) {
                cor_info("%s: the server does not renew the lease: all are asked", l->name);
                enter(l, DHCP_REBINDING, now);
        } else if (now >= l->renew_at && l->state == DHCP_BOUND) {
                enter(l, DHCP_RENEWING, now);
        }
}

enum dhcp_event dhcp_lease_tick(struct dhcp_lease *l, const struct dhcp_settings *s, int64_t now, struct cor_err *err)
{
        if (now >= l->give_up)
                return fail_first(l, s, err);
        if (now >= l->close_at) {
                l->close_at = INT64_MAX;
                cor_fd_close(&l->sock);
        }
        if (now < l->send_at)
                return DHCP_GOES_ON;
        go_on(l, s, now);
        return try_once(l, s, now, err);
}

/* ---------------------------------------------------------------------------------------------------------- answers */

static void note(struct dhcp_lease *l, const char *what, const struct dhcp_message *m, const char *why)
{
        char text[IP_TEXT_BYTES];
        struct ip server = { .len = 0 };

        (void)dhcp_option_address(m, DHCP_SERVER, &server);
        snprintf(l->problem, sizeof l->problem, "%s of server %s: %.100s", what, ip_text(&server, text), why);
}

static int64_t later(int64_t from, int64_t ms)
{
        return ms < 0 ? INT64_MAX : from + ms;
}

static void keep(struct dhcp_lease *l, const struct dhcp_terms *t, const uint8_t *message, size_t n)
{
        free(l->granted);
        l->granted = cor_alloc(n);
        memcpy(l->granted, message, n);
        l->n_granted = n;
        l->terms = *t;
        l->renew_at = later(l->asked, t->renew_ms);
        l->rebind_at = later(l->asked, t->rebind_ms);
        l->expire_at = later(l->asked, t->lease_ms);
        l->state = DHCP_BOUND;
        l->tries = 0;
        l->problem[0] = '\0';
        l->send_at = l->renew_at;
        l->close_at = l->give_up = INT64_MAX;
        cor_fd_close(&l->sock);
}

/* Others may remember who had the address before. */
static void announce(struct dhcp_lease *l)
{
        uint8_t packet[DHCP_ARP_BYTES];

        dhcp_arp_write(&l->terms.address.ip, l->mac, packet);
        (void)!dhcp_socket_send(l->sock, l->place.index, ETH_P_ARP, NULL, packet, sizeof packet, NULL);
}

static enum dhcp_event take_offer(struct dhcp_lease *l, const struct dhcp_settings *s, const struct dhcp_message *m,
                                  const uint8_t *mac, int64_t now, struct cor_err *err)
{
        struct dhcp_terms t;

        if (dhcp_terms_read(m, l->request->dns, &t, err) < 0) {
                note(l, "offer", m, err->msg);
                return DHCP_GOES_ON;
        }
        if (l->withdrawn && !ip_equal(&t.address.ip, &l->terms.address.ip)) {
                note(l, "offer", m, "another address than the one that the container has");
                return DHCP_GOES_ON;
        }
        l->terms = t;
        memcpy(l->server_mac, mac, DHCP_MAC_BYTES);
        enter(l, DHCP_REQUESTING, now);
        return try_once(l, s, now, err);
}

static bool is_from_our_server(const struct dhcp_lease *l, const struct dhcp_message *m)
{
        struct ip server;

        return dhcp_option_address(m, DHCP_SERVER, &server) &&
               (l->state == DHCP_REBINDING || ip_equal(&server, &l->terms.server));
}

static enum dhcp_event take_grant(struct dhcp_lease *l, const struct dhcp_settings *s, const struct dhcp_message *m,
                                  const uint8_t *mac, const uint8_t *message, size_t n, int64_t now,
                                  struct cor_err *err)
{
        struct dhcp_terms t;
        const bool first = l->first;

        if (dhcp_terms_read(m, l->request->dns, &t, err) < 0) {
                note(l, "acknowledgement", m, err->msg);
                return DHCP_GOES_ON;
        }
        if (!ip_equal(&t.address.ip, &l->terms.address.ip)) {
                note(l, "acknowledgement", m, "of another address");
                return DHCP_GOES_ON;
        }
        memcpy(l->server_mac, mac, DHCP_MAC_BYTES);
        if (first || l->withdrawn)
                announce(l);
        keep(l, &t, message, n);
        l->first = false;
        if (l->withdrawn && give_back(l, err) < 0) {
                cor_warn("%s: give the address back: %s", l->name, err->msg);
                enter(l, DHCP_SELECTING, now);
                l->send_at = now + pause_after(l, s);
                return DHCP_GOES_ON;
        }
        l->withdrawn = false;
        return first ? DHCP_GRANTED : DHCP_RENEWED;
}

static void take_refusal(struct dhcp_lease *l, const struct dhcp_settings *s, const struct dhcp_message *m, int64_t now)
{
        note(l, "refusal", m, "it does not give the address");
        if (dhcp_lease_is_held(l))
                withdraw(l, l->problem);
        enter(l, DHCP_SELECTING, now);
        l->send_at = now + pause_after(l, s);
}

static enum dhcp_event take(struct dhcp_lease *l, const struct dhcp_settings *s, const uint8_t *message, size_t n,
                            const uint8_t *mac, int64_t now, struct cor_err *err)
{
        struct dhcp_message m;

        if (dhcp_message_read(message, n, &m, err) < 0) {
                snprintf(l->problem, sizeof l->problem, "a malformed answer: %.150s", err->msg);
                return DHCP_GOES_ON;
        }
        if (m.xid != l->xid || memcmp(m.mac, l->mac, DHCP_MAC_BYTES) != 0)
                return DHCP_GOES_ON;
        if (l->state == DHCP_SELECTING)
                return m.type == DHCP_OFFER ? take_offer(l, s, &m, mac, now, err) : DHCP_GOES_ON;
        if (l->state == DHCP_BOUND || !is_from_our_server(l, &m))
                return DHCP_GOES_ON;
        if (m.type == DHCP_ACK)
                return take_grant(l, s, &m, mac, message, n, now, err);
        if (m.type == DHCP_NAK)
                take_refusal(l, s, &m, now);
        return DHCP_GOES_ON;
}

enum dhcp_event dhcp_lease_input(struct dhcp_lease *l, const struct dhcp_settings *s, int64_t now, struct cor_err *err)
{
        enum dhcp_event event = DHCP_GOES_ON;
        bool more = true;

        for (int i = 0; i < PACKETS_MAX && more && event == DHCP_GOES_ON && l->sock >= 0; i++) {
                uint8_t buf[DHCP_PACKET_MAX_BYTES], mac[DHCP_MAC_BYTES];
                size_t n;
                const uint8_t *message = dhcp_socket_receive(l->sock, buf, &n, mac, &more);

                if (message)
                        event = take(l, s, message, n, mac, now, err);
        }
        return event;
}

/* ---------------------------------------------------------------------------------------------------- begin and end */

int dhcp_lease_resume(struct dhcp_lease *l, const uint8_t *message, size_t n, int64_t asked, struct cor_err *err)
{
        struct dhcp_message m;
        struct dhcp_terms t;

        if (dhcp_message_read(message, n, &m, err) < 0 || dhcp_terms_read(&m, l->request->dns, &t, err) < 0)
                return -1;
        l->asked = asked;
        keep(l, &t, message, n);
        l->first = false;
        return 0;
}

void dhcp_lease_release(struct dhcp_lease *l)
{
        struct dhcp_outgoing o = { .type = DHCP_RELEASE, .client = l->terms.address.ip, .server = l->terms.server };
        struct cor_err err = { 0 };
        char text[IP_TEXT_BYTES];
        int ready;

        if (!dhcp_lease_is_held(l) && l->state != DHCP_REQUESTING)
                return;
        ready = open_socket(l, false, &err);
        l->xid = random32();
        if (ready > 0 && send_with_values(l, &o, l->server_mac, &l->terms.server, &err) == 0)
                cor_info("%s: %s is released", l->name, ip_prefix_text(&l->terms.address, text));
        else
                cor_info("%s: %s is not released, and will expire: %s", l->name,
                         ip_prefix_text(&l->terms.address, text), err.msg);
        cor_fd_close(&l->sock);
}
