#ifndef CORACLE_MONITOR_MONITOR_H
#define CORACLE_MONITOR_MONITOR_H
/*
 * The inside of coracle-monitor: one process, one thread, one loop, one container.
 *
 *      starter's START
 *            v
 *        STARTING ---------- error ------------------------.
 *            v                                             |
 *        RUNNING   output, stdin, clients, health check    |
 *            v     the first process ends, and at a stop   |
 *            |     all that outlive it as well             |
 *        ENDING    what is left of it is killed and        |
 *            |     removed; the rest of its output is      |
 *            v     passed on                               |
 *        WAITING   by the restart policy; then STARTING    |
 *            v                                             v
 *        OVER      the row says so, nothing is left, the lock is free; clients get their last packets
 *
 * The database is open for half a second after it was needed, and so just once for a container that ends soon.
 */
#include "monitor/exec.h"
#include "monitor/health.h"
#include "monitor/life.h"
#include "monitor/log.h"
#include "monitor/protocol.h"
#include "monitor/restart.h"
#include "monitor/settings.h"
#include "monitor/stream.h"
#include "network/host_socket.h"
#include "store/container.h"

enum state { STATE_STARTING, STATE_RUNNING, STATE_ENDING, STATE_WAITING, STATE_OVER };

struct client;

#define MONITOR_LOG "log" /* in RUN/<id>: what the monitor has to say */

/* A stop under way. */
struct stop {
        bool on;
        bool again;      /* start again afterwards */
        bool killed;     /* SIGKILL was sent */
        int signal;      /* that asked for it */
        bool others;     /* the first process has ended; others, which outlive it, are waited for */
        int64_t look_at; /* then: when they are looked for again; cor_now_ms() */
        int64_t kill_at; /* cor_now_ms(); -1: never */
};

struct monitor {
        const char *store_path, *id;
        struct store *store; /* NULL while it is closed */
        int64_t store_opened_ms;
        int64_t number;         /* of the row */
        int64_t started_before; /* now.started of the time before */
        struct container_now now;
        struct container_row row; /* as it was taken; empty once the first start has used it */
        struct settings settings;
        char *folder; /* containers/<id> */
        char *run;    /* RUN/<id>: socket, log of the monitor, root of another runtime's container */
        int lock;     /* MONITOR */
        int signals, listener;
        enum state state;
        bool attached; /* by the starter, which is not told of yet */
        struct life life;
        struct output out[2];
        struct input in;
        struct log *log;
        bool was_logged; /* it has been open */
        bool has_run;    /* the program: it may have changed the files that were written for it */
        struct client *clients;
        size_t n_clients;
        uint64_t client_numbers;  /* the last one given */
        struct monitor_size size; /* of the terminal, as last asked for */
        struct stop stop;
        bool exit_on_next;  /* a signal of the user's: not started again after it */
        bool shutting_down; /* the machine goes down: the container ends, but nobody stopped it */
        struct restart restart;
        int64_t started_ms, restart_at, progress_ms; /* cor_now_ms(); progress: of passing on the last output */
        int status;                                  /* wait status of the first process */
        bool removed;
        struct container_gone gone; /* what is left of its folder then: for after the last word */
        struct health health;
        struct execs execs;
        struct published *published; /* NULL: no ports */
        struct host_sockets host_sockets;
        struct names *names; /* NULL: no network that knows any */
};

/* monitor_main_loop() - from a running container to the end of the monitor */
void monitor_main_loop(struct monitor *m);

/*
 * The store: open it (again; the loop closes it), write what is now. Failing to write is logged: the container is what
 * counts.
 */
int monitor_open_store(struct monitor *m, struct cor_err *err) COR_MUST_CHECK;
void monitor_close_store(struct monitor *m);
void monitor_save(struct monitor *m, bool durable);

/* Events (event.c): @key may be NULL. */
void monitor_event(struct monitor *m, const char *action, const char *key, const char *value);
void monitor_event_of(struct monitor *m, const struct container_row *row, const char *action, const char *key,
                      const char *value);
void monitor_event_signal(struct monitor *m, int sig);
void monitor_event_die(struct monitor *m);
void monitor_event_resize(struct monitor *m);
void monitor_event_exec_die(struct monitor *m, const char *id, int code);
/* monitor_event_start() - of its volumes, and of the container, before that of the starter if it is attached */
void monitor_event_start(struct monitor *m, const struct container_row *row);

/* monitor_start() - STARTING: a container that runs, or nothing */
int monitor_start(struct monitor *m, struct cor_err *err) COR_MUST_CHECK;
/* monitor_will_run() - its first process is there, and waits for the word */
void monitor_will_run(struct monitor *m);
/* monitor_start_failed() - write down why; the state is OVER */
void monitor_start_failed(struct monitor *m, const struct cor_err *why);
/* monitor_ended() - the first process has ended and was collected */
void monitor_ended(struct monitor *m, int status);
/* monitor_look() - at those whom a stop still waits for */
void monitor_look(struct monitor *m);
/* monitor_finish() - all output was passed on: what comes next */
void monitor_finish(struct monitor *m);
/* monitor_wait_over() - WAITING is over, by time or by a request */
void monitor_wait_over(struct monitor *m);
/* monitor_give_up() - before anything was started */
void monitor_give_up(struct monitor *m);
/* monitor_connect() - with its network, if it has one (network.c); the first process is there, and the store is open */
int monitor_connect(struct monitor *m, struct cor_err *err) COR_MUST_CHECK;
/* monitor_reconnect() - with the networks that the row names now, and no others */
int monitor_reconnect(struct monitor *m, struct cor_err *err) COR_MUST_CHECK;
/* monitor_publish() - its ports; what docker shows of them comes into @n: monitor_publish_done() (ports.c) */
struct docker_network_settings;
int monitor_publish(struct monitor *m, struct docker_network_settings *n, struct cor_err *err) COR_MUST_CHECK;
void monitor_publish_done(struct docker_network_settings *n);
/* monitor_withdraw() - the ports are anybody's again. The store is open */
void monitor_withdraw(struct monitor *m);
/* What arrives at them: a descriptor to poll, or -1; a time (cor_now_ms()) or -1; the work. */
int ports_fd(const struct monitor *m);
int64_t ports_due(const struct monitor *m);
void ports_step(struct monitor *m);
/* monitor_disconnect() - its address is another one's to have */
void monitor_disconnect(struct monitor *m);
/* monitor_clear_gone() - what nobody waits for: the files of a container that is removed */
void monitor_clear_gone(struct monitor *m);
/* monitor_over() - nothing runs and nothing will */
void monitor_over(struct monitor *m);
/* monitor_stop() - begin to end it (or begin anew with other words) */
int monitor_stop(struct monitor *m, const struct monitor_stop *how, bool again, struct cor_err *err) COR_MUST_CHECK;
/* monitor_shut_down() - the machine goes down: stop, unless that is under way */
int monitor_shut_down(struct monitor *m, struct cor_err *err) COR_MUST_CHECK;
/* monitor_request() - do what @client asks for in a packet of @type; @fd came along (borrowed), or is -1 */
void monitor_request(struct monitor *m, struct client *c, int type, const char *content, size_t n, int fd);

#endif
