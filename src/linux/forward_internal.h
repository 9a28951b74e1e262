#ifndef CORACLE_LINUX_FORWARD_INTERNAL_H
#define CORACLE_LINUX_FORWARD_INTERNAL_H
/* What the files of linux/forward.h share: forward.c has the loop, the others a protocol each. */
#include "linux/forward.h"
#include <sys/epoll.h>

/* What a descriptor in the epoll set stands for; the beginning of a larger struct. */
enum forward_kind { FORWARD_PORT, FORWARD_END, FORWARD_ASSOCIATION };
struct forward_item {
        _Alignas(void *) enum forward_kind kind; /* as the larger ones are */
        int fd;
};

struct forward_port {
        struct forward_item item;
        int protocol;
        struct forward_address to;
        struct forward_port *next;
};

/* A list in two directions, its head included; empty: both point to itself. */
struct forward_link {
        struct forward_link *before, *after;
};
void forward_link_init(struct forward_link *l);
void forward_link_add(struct forward_link *head, struct forward_link *l); /* at the end */
void forward_link_remove(struct forward_link *l);
static inline bool forward_link_empty(const struct forward_link *l)
{
        return l->after == l;
}

enum { FORWARD_PIPES_KEPT = 16, FORWARD_BUCKETS = 1024 };
struct forward_pipe {
        int fd[2];
};
struct forward_association;

struct forward {
        int epoll;
        forward_may_fn *may_keep; /* NULL: none is kept */
        void *may_keep_data;
        uint32_t mark;
        int first;   /* of the descriptors that are ours to have */
        int64_t now; /* of the present step */
        struct forward_port *ports;
        bool paused; /* some port is */
        int64_t resume_at;
        struct forward_link connections, busy, dead; /* struct forward_connection, by their links */
        size_t n_connections;
        struct forward_pipe pipes[FORWARD_PIPES_KEPT]; /* empty ones, for whoever needs one next */
        size_t n_pipes;
        struct forward_association **buckets; /* NULL before the first */
        struct forward_link associations;     /* silent longest first */
        size_t n_associations;
        char *buffer; /* of datagrams; NULL before the first */
};
enum { FORWARD_BUFFER_BYTES = 65536 };

/* forward_own() - @fd, which it takes, by a number that is ours to have; -1 */
int forward_own(const struct forward *f, int fd);
int forward_watch(struct forward *f, struct forward_item *item, uint32_t events);
/* forward_type() - SOCK_… of an IPPROTO_… */
int forward_type(int protocol);
/* forward_connect() - towards where @p leads, on behalf of @client: a socket that is ours to have; -1 and errno */
int forward_connect(const struct forward *f, const struct forward_port *p, const struct forward_address *client);
/* forward_lack() - descriptors or memory are gone: take no more for a moment */
void forward_lack(struct forward *f);
char *forward_buffer(struct forward *f);
/* forward_pipe_get() - an empty pipe; forward_pipe_put(): @empty ones are kept */
int forward_pipe_get(struct forward *f, struct forward_pipe *ret);
void forward_pipe_put(struct forward *f, struct forward_pipe *p, bool empty);

/* forward_stream.c */
void forward_stream_accept(struct forward *f, struct forward_port *p);
void forward_stream_event(struct forward *f, struct forward_item *end, uint32_t events);
void forward_stream_step(struct forward *f); /* those that were interrupted */
void forward_stream_done(struct forward *f);
void forward_stream_bury(struct forward *f); /* memory of closed ones: no event of this round can mean them any more */

/* forward_sctp.c */
struct forward_message {
        size_t n, sent; /* bytes of a message, those passed on */
        uint16_t stream;
        uint32_t ppid, flags;
        char bytes[FORWARD_BUFFER_BYTES];
};
void forward_sctp_prepare(int fd);
/* 1: there is a message, 0: not now, 2: end; -1 */
int forward_sctp_read(int fd, struct forward_message *m);
/* 1: it is gone, 0: not now; -1 */
int forward_sctp_write(int fd, struct forward_message *m);

/* forward_datagram.c */
void forward_datagram_prepare(int fd);
void forward_datagram_arrive(struct forward *f, struct forward_port *p);
void forward_datagram_answer(struct forward *f, struct forward_item *association);
void forward_datagram_expire(struct forward *f);
int64_t forward_datagram_due(const struct forward *f);
void forward_datagram_done(struct forward *f);

#endif
