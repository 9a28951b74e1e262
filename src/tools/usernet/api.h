#ifndef CORACLE_USERNET_API_H
#define CORACLE_USERNET_API_H
/*
 * The API socket: a client sends a request (request.h), shuts down its side, and reads the answer. Several at once,
 * each with a limit of bytes and of time: one that stalls does not keep the others, nor the frames, from going on.
 */
#include "tools/usernet/polls.h"
#include "tools/usernet/stack.h"

struct api;

/* api_listen() - a socket at @path, for this user only; what a process left there that is gone is replaced */
int api_listen(const char *path, struct cor_err *err) COR_MUST_CHECK;

/* api_new() - takes @listening; @guest, @guest6: see request_parse() */
struct api *api_new(int listening, struct stack *s, struct ip guest, struct ip guest6) __attribute__((returns_nonnull));
void api_free(struct api *a);

void api_prepare(struct api *a, struct polls *p);
void api_run(struct api *a, const struct polls *p);

#endif
