#ifndef CORACLE_MONITOR_LIFE_H
#define CORACLE_MONITOR_LIFE_H
/*
 * The container itself, from its root filesystem to its removal: by our own runtime, as a library, or by another
 * program (external.h).
 */
#include "runtime/spawn.h"

struct container_row;
struct external;
struct monitor;

struct life {
        struct spawned *own; /* one of them, or neither: there is nothing */
        struct external *external;
        char *root; /* of the runtime's records */
        pid_t pid;  /* of the first process; 0: none, or collected */
        int pidfd;
        struct cgroup *cgroup;  /* borrowed from own; NULL of another runtime */
        struct cgroup_oom *oom; /* NULL: not watched */
        int mount;  /* its root filesystem: to let go of it writes it out, which is for after the last word; or -1 */
        bool fresh; /* mount is the starter's, for the first start */
        bool connected; /* with a network: it has an address */
        bool frozen;
        bool private; /* the monitor's mount namespace is its own by now */
};

/* The program's ends of its pipes. */
struct life_ends {
        int fd[3];
};
#define LIFE_ENDS_INIT                                                                                                 \
        {                                                                                                              \
                .fd = { -1, -1, -1 }                                                                                   \
        }
void life_ends_done(struct life_ends *e);

void life_init(struct life *l);
void life_done(struct life *l);
/* life_start() - all of it, up to a program that runs; when it fails nothing is left. The store is open */
int life_start(struct monitor *m, const struct container_row *row, struct cor_err *err) COR_MUST_CHECK;
/* life_end() - kill what is left, and remove all but the output; @reaped: the first process was collected */
void life_end(struct monitor *m, bool reaped);
/* life_let_go() - of its root filesystem, after life_end() */
void life_let_go(struct life *l);
/* life_signal() - to the first process; it is thawed for what it has to hear */
int life_signal(struct monitor *m, int sig, struct cor_err *err) COR_MUST_CHECK;
/* life_signal_all() - to every process of it */
int life_signal_all(struct monitor *m, int sig, struct cor_err *err) COR_MUST_CHECK;
/* life_goes_on() - there are processes of it, whatever became of the first */
bool life_goes_on(struct monitor *m);
/* life_kill() - SIGKILL to every process */
void life_kill(struct monitor *m);
int life_freeze(struct monitor *m, bool frozen, struct cor_err *err) COR_MUST_CHECK;
int life_resize(struct monitor *m, struct cor_err *err) COR_MUST_CHECK;

/* Steps of a start. */
int life_make_pipes(struct monitor *m, struct life_ends *e, struct cor_err *err) COR_MUST_CHECK;
/* life_take_terminal() - @master stays the caller's */
int life_take_terminal(struct monitor *m, int master, struct cor_err *err) COR_MUST_CHECK;
/* life_look() - hold on to the first process, whose pid is known by now, and connect it with its network */
int life_look(struct monitor *m, struct cor_err *err) COR_MUST_CHECK;

#endif
