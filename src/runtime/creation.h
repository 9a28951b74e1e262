#ifndef CORACLE_RUNTIME_CREATION_H
#define CORACLE_RUNTIME_CREATION_H
/*
 * A container in the making, by create, run or restore: the folder, the record, the cgroup, the first process, each
 * made by its own function and all undone by one, whatever the moment.
 */
#include "runtime/foreground.h"
#include "runtime/hooks.h"
#include "runtime/message.h"
#include "runtime/plan.h"
#include "runtime/watch.h"

struct notify;

struct creation {
        struct plan *plan;
        struct foreground *fg; /* of a foreground container, or NULL */
        struct container_record record;
        struct cor_text created;
        char *fds[3];
        pid_t init;
        int master;     /* pty of a foreground container, or -1 */
        char *clos;     /* resctrl group to remove */
        bool hooks_due; /* there was a process: poststop hooks run in the end */
};

/*
 * creation_build() - plan and make a container, up to the point where only START is missing; with @listen_for_start its
 * init will wait for that at the container's start socket. Leaves nothing behind when it fails. @fg may be NULL
 */
int creation_build(struct creation *c, const struct runtime_context *ctx, const struct create_options *o,
                   struct plan *p, struct foreground *fg, bool listen_for_start, struct cor_err *err) COR_MUST_CHECK;
/* creation_start() - run the program, with all hooks; when it fails everything is undone */
int creation_start(struct creation *c, struct notify *notify, struct cor_err *err) COR_MUST_CHECK;
/* creation_make_folder() - the container's folder, locked, with its configuration and a first record */
int creation_make_folder(struct creation *c, const char *config, size_t config_len, struct cor_err *err) COR_MUST_CHECK;
/* creation_save() - write the record as it is now */
int creation_save(struct creation *c, struct cor_err *err) COR_MUST_CHECK;
/* creation_make_cgroup() - the cgroup, and the way into it */
int creation_make_cgroup(struct plan *p, struct cor_err *err) COR_MUST_CHECK;
/* creation_record_init() - find out who c->init is, and write it down for those who may ask before it is ready */
int creation_record_init(struct creation *c, struct cor_err *err) COR_MUST_CHECK;
/* creation_ready() - the container is complete */
int creation_ready(struct creation *c, struct cor_err *err) COR_MUST_CHECK;
struct hook_state creation_state(const struct creation *c, const char *status);
/* creation_hooks() - prestart and createRuntime */
int creation_hooks(struct creation *c, struct cor_err *err) COR_MUST_CHECK;
/* creation_take_console() - *master goes to the console socket, or stays for the foreground */
int creation_take_console(struct creation *c, int *master, struct cor_err *err) COR_MUST_CHECK;
/* creation_next() - wait for the next message of init, or of what is on its way to become it */
int creation_next(const struct creation *c, struct message *ret, int *ret_fd, struct cor_err *err) COR_MUST_CHECK;
/* creation_watch() - what waits for it look at */
struct watch creation_watch(const struct creation *c);
/* creation_reap() - collect a child that was killed or ends by itself, unless it cannot */
void creation_reap(pid_t pid);
/* creation_undo() - kill init, if there is one, and remove all that was made */
void creation_undo(struct creation *c);
void creation_done(struct creation *c);
#define auto_creation COR_CLEANUP(creation_done) struct creation

#endif
