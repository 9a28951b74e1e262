#ifndef CORACLE_MONITOR_NAMES_H
#define CORACLE_MONITOR_NAMES_H
/*
 * Names in a container's networks: its monitor answers at 127.0.0.11 (network/resolver.h) with what the database says
 * at that moment, for those networks that know names: all but the default one.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct docker_network_settings;
struct monitor;
struct names;

/*
 * names_update() - the container's networks are those of @now: begin to answer, in a new namespace if it was started
 * again (@fresh), and have its resolv.conf say so; or stop
 */
int names_update(struct monitor *m, const struct docker_network_settings *now, bool fresh, struct cor_err *err)
        COR_MUST_CHECK;
/* names_close() - nobody asks any more */
void names_close(struct monitor *m);
void names_free(struct names *n);
/* For the loop. */
int names_fd(const struct monitor *m);
int64_t names_due(const struct monitor *m);
void names_step(struct monitor *m);

#endif
