#ifndef CORACLE_MONITOR_CLIENT_H
#define CORACLE_MONITOR_CLIENT_H
/* Those who are connected to the monitor. One that is gone has fd -1 and is forgotten at the end of the loop's round.
 */
#include "monitor/protocol.h"
#include <poll.h>
#include <stddef.h>

struct monitor;
struct reply;

struct client {
        int fd;
        uint64_t number;                   /* the first one that connected is 1 */
        bool in, out[2];                   /* attached */
        bool owed[2];                      /* has not got the piece that the output holds */
        bool holds;                        /* it reads the log: nothing more is read of the container meanwhile */
        int64_t held_ms;                   /* since when; cor_now_ms() */
        bool wants_exit;                   /* WAIT */
        bool wants_stopped, wants_started; /* STOP, RESTART */
        struct reply *first, *last;        /* what it could not be told yet */
        unsigned n_replies;
};

/* Who takes no answers is asked for no more questions. */
enum { CLIENTS_MAX = 1000, REPLIES_MAX = 64 };

/* client_add() - takes @fd */
void client_add(struct monitor *m, int fd);
void client_accept(struct monitor *m);
/* client_numbered() - the one that is still there with c->number @number, or NULL */
struct client *client_numbered(struct monitor *m, uint64_t number);
/* client_drop() - it is gone, or has misbehaved */
void client_drop(struct monitor *m, struct client *c);
void clients_forget(struct monitor *m);
void clients_done(struct monitor *m);
static inline bool client_is_owed(const struct client *c, int which)
{
        return c->fd >= 0 && c->owed[which];
}
/* client_tell() - a packet behind all that it is to get before */
void client_tell(struct monitor *m, struct client *c, enum monitor_packet type, const void *content, size_t n);
void client_fail(struct monitor *m, struct client *c, const struct cor_err *err);
/* clients_send_output() - what output @which holds */
void clients_send_output(struct monitor *m, int which, enum monitor_packet type);
/* client_events() - what to wait for; 0: nothing at the moment */
short client_events(const struct monitor *m, const struct client *c);
void client_step(struct monitor *m, struct client *c, short events);
/* clients_hold() - somebody holds the output back */
bool clients_hold(const struct monitor *m);
/* clients_are_owed() - somebody has still to get something */
bool clients_are_owed(const struct monitor *m);

#endif
