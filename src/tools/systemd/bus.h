#ifndef CORACLE_TOOLS_SYSTEMD_BUS_H
#define CORACLE_TOOLS_SYSTEMD_BUS_H
/* What is given back by itself, of sd-bus. */
#include "base/cleanup.h"
#include <systemd/sd-bus.h>

static inline void bus_close(sd_bus **bus)
{
        sd_bus_flush_close_unref(*bus);
}
#define auto_bus COR_CLEANUP(bus_close) sd_bus *

static inline void bus_message_unref(sd_bus_message **m)
{
        sd_bus_message_unref(*m);
}
#define auto_message COR_CLEANUP(bus_message_unref) sd_bus_message *
#define auto_bus_err COR_CLEANUP(sd_bus_error_free) sd_bus_error

#endif
