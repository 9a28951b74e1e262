#ifndef CORACLE_TOOLS_SYSTEMD_PROPERTY_H
#define CORACLE_TOOLS_SYSTEMD_PROPERTY_H
/* Properties of a request as the "a(sv)" of a D-Bus message. */
#include "tools/systemd/request.h"
#include <systemd/sd-bus.h>

/* property_bool() / property_string() - one of our own */
int property_bool(sd_bus_message *m, const char *name, bool value, struct cor_err *err) COR_MUST_CHECK;
int property_string(sd_bus_message *m, const char *name, const char *value, struct cor_err *err) COR_MUST_CHECK;
int property_pids(sd_bus_message *m, uint32_t pid, struct cor_err *err) COR_MUST_CHECK;
/* property_add_all() - those of the request that systemd @version knows, then those of annotations */
int property_add_all(sd_bus_message *m, const struct request *r, unsigned version, struct cor_err *err) COR_MUST_CHECK;

#endif
