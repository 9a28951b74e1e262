#ifndef CORACLE_TOOLS_SYSTEMD_UNIT_H
#define CORACLE_TOOLS_SYSTEMD_UNIT_H
/* Units of systemd, over D-Bus. */
#include "tools/systemd/request.h"

struct unit_bus;

/* unit_bus_open() - the system's manager, or with @user the one of the user's session */
int unit_bus_open(bool user, struct unit_bus **ret, struct cor_err *err) COR_MUST_CHECK;
void unit_bus_close(struct unit_bus *b);

/* unit_start() - a transient scope that holds the process; returns when systemd has done it, or TIMEOUT */
int unit_start(struct unit_bus *b, const struct request *r, struct cor_err *err) COR_MUST_CHECK;
/* unit_attach() - move a process to the cgroup of a running unit, or to one below it */
int unit_attach(struct unit_bus *b, const struct request *r, struct cor_err *err) COR_MUST_CHECK;
/* unit_set() - change properties of a running unit */
int unit_set(struct unit_bus *b, const struct request *r, struct cor_err *err) COR_MUST_CHECK;
/* unit_stop() - kill who is in it, stop it, and forget that it failed; one that is not there is stopped */
int unit_stop(struct unit_bus *b, const struct request *r, struct cor_err *err) COR_MUST_CHECK;

#endif
