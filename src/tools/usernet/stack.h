#ifndef CORACLE_USERNET_STACK_H
#define CORACLE_USERNET_STACK_H
/* libslirp between the frames of the target and the sockets of this host. The only files that know it: stack*.c. */
#include "tools/usernet/polls.h"
#include "tools/usernet/target.h"

struct stack;

/* A port of the host that leads to one of the guest. Both addresses are of one family. */
struct stack_forward {
        bool udp;
        struct ip host, guest;
        uint16_t host_port, guest_port;
};

/* stack_new() - for @t; opens what libslirp needs of files. Nothing is sent before stack_attach() */
int stack_new(const struct usernet_options *o, const struct target *t, struct stack **ret, struct cor_err *err)
        COR_MUST_CHECK;
void stack_free(struct stack *s);
/* stack_attach() - @t is borrowed */
void stack_attach(struct stack *s, const struct target *t);

/* stack_prepare() - say what to wait for; stack_run() - after the wait. 1: the other side is gone */
void stack_prepare(struct stack *s, struct polls *p);
int stack_run(struct stack *s, const struct polls *p, struct cor_err *err) COR_MUST_CHECK;

int stack_forward_add(struct stack *s, const struct stack_forward *f, struct cor_err *err) COR_MUST_CHECK;
int stack_forward_remove(struct stack *s, const struct stack_forward *f, struct cor_err *err) COR_MUST_CHECK;

/* stack_version() - of libslirp; stack_config_version() - of its settings, the newest that it was built with */
const char *stack_version(void);
int stack_config_version(void);

#endif
