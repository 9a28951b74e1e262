#ifndef CORACLE_MONITOR_TIDY_H
#define CORACLE_MONITOR_TIDY_H
#include <poll.h>

/*
 * tidy_and_poll() - poll(), for a wait that may be long: before it the memory that only work needed is given back, free
 * pieces of the heap, the stack below the caller, and the pages of the program that it went through. These are the
 * file's, and come back when they are needed. There may be hundreds of monitors that do nothing but wait.
 */
int tidy_and_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

#endif
