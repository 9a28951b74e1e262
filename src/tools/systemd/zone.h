#ifndef CORACLE_TOOLS_SYSTEMD_ZONE_H
#define CORACLE_TOOLS_SYSTEMD_ZONE_H
/* Interfaces in zones of firewalld, over D-Bus: as it runs, not in its configuration. */
#include "base/err.h"
#include <stdbool.h>

/*
 * zone_trust() - into the zone "trusted", unless the interface is in one already; without @trust out of that one, if it
 * is in it
 */
int zone_trust(const char *interface, bool trust, struct cor_err *err) COR_MUST_CHECK;

#endif
