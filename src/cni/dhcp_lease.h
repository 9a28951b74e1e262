#ifndef CORACLE_CNI_DHCP_LEASE_H
#define CORACLE_CNI_DHCP_LEASE_H
/*
 * One lease and its life, in the daemon:
 *
 *   SELECTING    asks everybody for an offer                  <----------------------.
 *       | an offer                                                                   |
 *   REQUESTING   asks the server for what it has offered                             |
 *       | acknowledged                       ^                                       |
 *   BOUND        the container may use it    | acknowledged                          |
 *       | half of its time is over           |                                       |
 *   RENEWING     asks this server for more --|                                       |
 *       | seven eighths are over             |                                       |
 *   REBINDING    asks all servers -----------'                                       |
 *       | expired, or refused: the address is taken from the interface --------------'
 *
 * The first way through SELECTING is that of ADD: somebody waits, and after resend_timeout_ms it has failed. Later ones
 * go on for as long as the interface is there, want the very address that was lost, and give it back to the interface.
 * Between exchanges there is no socket (dhcp_place.h). Time is of CLOCK_BOOTTIME: leases end while a machine sleeps,
 * too.
 * Spec: RFC 2131, section 4.4.
 */
#include "cni/dhcp_place.h"
#include "cni/dhcp_request.h"
#include "cni/dhcp_terms.h"

struct dhcp_settings {
        int64_t timeout_ms;        /* how long the answer to one request is waited for */
        int64_t resend_max_ms;     /* the longest time between two requests of ADD */
        int64_t resend_timeout_ms; /* after which ADD has failed */
        bool broadcast;            /* servers are to answer to everybody */
        const char *host_prefix;   /* in front of CNI_NETNS */
};

enum dhcp_state { DHCP_SELECTING, DHCP_REQUESTING, DHCP_BOUND, DHCP_RENEWING, DHCP_REBINDING };

struct dhcp_lease {
        struct dhcp_request *request;
        char *name; /* container/network/interface: what servers get as client identifier */
        char *netns;
        char *file; /* of dhcp_leases.h */
        struct dhcp_place place;

        enum dhcp_state state;
        bool first;     /* the container has had no address yet */
        bool withdrawn; /* it has been taken from the interface */
        int sock;       /* of the exchange that is under way, or -1 */
        uint32_t xid;
        unsigned tries;
        uint8_t mac[DHCP_MAC_BYTES];
        bool shares_mac; /* with others on the link: only what is said to all arrives */
        /* Since when it asks; since when it wants what an offer says; when it has asked for what is granted. */
        int64_t began, offered, asked;
        int64_t send_at, close_at, give_up; /* when to ask again, not to listen any more, to fail; INT64_MAX: never */
        char problem[200];                  /* why an answer was not taken */

        struct dhcp_terms terms; /* what is offered, or granted */
        uint8_t server_mac[DHCP_MAC_BYTES];
        uint8_t *granted; /* the acknowledgement itself */
        size_t n_granted;
        int64_t renew_at, rebind_at, expire_at; /* INT64_MAX: never */
};

/* What has become of it. */
enum dhcp_event {
        DHCP_GOES_ON,
        DHCP_GRANTED, /* for the first time: ADD has an answer */
        DHCP_RENEWED, /* it is to be saved */
        DHCP_FAILED,  /* ADD has not got one, *err says why; to be freed */
        DHCP_GONE,    /* the interface is not there any more; to be freed */
};

/* dhcp_now_ms() - CLOCK_BOOTTIME */
int64_t dhcp_now_ms(void);

/* dhcp_lease_new() - takes @request; nothing is sent yet */
struct dhcp_lease *dhcp_lease_new(const struct dhcp_settings *s, struct dhcp_request *request)
        __attribute__((returns_nonnull));
void dhcp_lease_free(struct dhcp_lease *l);
/* dhcp_lease_start() - ask for an address; @now: dhcp_now_ms() */
int dhcp_lease_start(struct dhcp_lease *l, const struct dhcp_settings *s, int64_t now, struct cor_err *err)
        COR_MUST_CHECK;
/* dhcp_lease_resume() - go on with one that was granted at @asked: @message is the acknowledgement */
int dhcp_lease_resume(struct dhcp_lease *l, const uint8_t *message, size_t n, int64_t asked, struct cor_err *err)
        COR_MUST_CHECK;
/* dhcp_lease_input() - something can be read from its socket */
enum dhcp_event dhcp_lease_input(struct dhcp_lease *l, const struct dhcp_settings *s, int64_t now, struct cor_err *err);
/* dhcp_lease_due() - when dhcp_lease_tick() is to be called; INT64_MAX: never */
int64_t dhcp_lease_due(const struct dhcp_lease *l);
enum dhcp_event dhcp_lease_tick(struct dhcp_lease *l, const struct dhcp_settings *s, int64_t now, struct cor_err *err);
/* dhcp_lease_release() - tell the server that it is not needed any more, if there is something to tell and a way */
void dhcp_lease_release(struct dhcp_lease *l);
/* dhcp_lease_result() - as ADD has it. cor_json_free() */
int dhcp_lease_result(const struct dhcp_lease *l, struct cni_result **ret, struct cor_err *err) COR_MUST_CHECK;
/* dhcp_lease_is_held() - the container may use its address */
bool dhcp_lease_is_held(const struct dhcp_lease *l);

#endif
