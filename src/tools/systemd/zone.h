#ifndef CORACLE_TOOLS_SYSTEMD_ZONE_H
#define CORACLE_TOOLS_SYSTEMD_ZONE_H
/* Interfaces in zones of firewalld, over D-Bus: as it runs, not in its configuration. */
#include "base/err.h"

/* zone_trust() - into the zone "trusted", unless the interface is in one already */
int zone_trust(const char *interface, struct cor_err *err) COR_MUST_CHECK;
/* zone_distrust() - out of that zone; no error if it is not in it */
int zone_distrust(const char *interface, struct cor_err *err) COR_MUST_CHECK;

#endif
