#ifndef CORACLE_USERNET_RESOLVER_H
#define CORACLE_USERNET_RESOLVER_H
/*
 * The name servers of this host, for a process that does not see its files. libslirp reads /etc/resolv.conf, again when
 * it has changed. Inside the sandbox that is a file which has the nameserver lines of the real one and nothing else, on
 * a file system of its own; a child that stays outside writes it anew whenever the real one changes. So neither /etc
 * nor /run is seen from the inside. The child ends with the process that started it.
 */
#include "base/text.h"

/* resolver_read() - the nameserver lines of this host's resolv.conf; none where there is no such file */
void resolver_read(struct cor_text *ret);
/* resolver_write() - replace resolv.conf in the folder of descriptor @etc */
int resolver_write(int etc, const struct cor_text *lines, struct cor_err *err) COR_MUST_CHECK;

/* resolver_start() - the child; the socket that it waits at */
int resolver_start(struct cor_err *err) COR_MUST_CHECK;
/* resolver_follow() - from now on it writes into the folder of descriptor @etc, for as long as @socket is open */
int resolver_follow(int socket, int etc, struct cor_err *err) COR_MUST_CHECK;

#endif
