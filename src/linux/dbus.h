#ifndef CORACLE_LINUX_DBUS_H
#define CORACLE_LINUX_DBUS_H
/*
 * D-Bus is spoken by a small program of its own, coracle-systemd, since libsystemd exists only as a shared library and
 * most containers do not need it.
 */
#include "base/err.h"
#include <stddef.h>

/*
 * dbus_ask() - start it with @request, one JSON object (tools/systemd/request.h) of @len bytes, and wait until what is
 * asked for is done. What it says is the error, behind @who is asked ("systemd"). UNSUPPORTED if it is not installed
 */
int dbus_ask(const char *who, const char *request, size_t len, struct cor_err *err) COR_MUST_CHECK;

#endif
