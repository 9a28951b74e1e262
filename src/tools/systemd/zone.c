#include "tools/systemd/zone.h"

#include "tools/systemd/bus.h"

#include <errno.h>
#include <string.h>

enum { CALL_USEC = 10 * 1000 * 1000 };

#define SERVICE   "org.fedoraproject.FirewallD1"
#define PATH      "/org/fedoraproject/FirewallD1"
#define INTERFACE SERVICE ".zone"
#define ZONE      "trusted"

static int open_bus(sd_bus **ret, struct cor_err *err)
{
        int r = sd_bus_open_system(ret);

        if (r >= 0)
                r = sd_bus_set_method_call_timeout(*ret, CALL_USEC);
        errno = -r;
        return r < 0 ? cor_fail_errno(err, "connect to the D-Bus of the system") : 0;
}

/* @zone: NULL for methods that take none. *ret: the one text that the answer has, as long as *ret_reply is there */
static int call(sd_bus *bus, const char *method, const char *zone, const char *interface, sd_bus_message **ret_reply,
                const char **ret, struct cor_err *err)
{
        auto_bus_err error = SD_BUS_ERROR_NULL;
        int r = zone ? sd_bus_call_method(bus, SERVICE, PATH, INTERFACE, method, &error, ret_reply, "ss", zone,
                                          interface)
                     : sd_bus_call_method(bus, SERVICE, PATH, INTERFACE, method, &error, ret_reply, "s", interface);

        if (r >= 0)
                r = sd_bus_message_read(*ret_reply, "s", ret);
        errno = -r;
        return r < 0 ? cor_fail_errno(err, "%s of %s: %s", method, interface,
                                      error.message ? error.message : "no answer")
                     : 0;
}

int zone_trust(const char *interface, bool trust, struct cor_err *err)
{
        auto_message found = NULL, *reply = NULL;
        auto_bus bus = NULL;
        const char *zone;

        if (open_bus(&bus, err) < 0 || call(bus, "getZoneOfInterface", NULL, interface, &found, &zone, err) < 0)
                return -1;
        if (trust ? *zone != '\0' : strcmp(zone, ZONE) != 0)
                return 0;
        return call(bus, trust ? "addInterface" : "removeInterface", ZONE, interface, &reply, &zone, err);
}
