#ifndef CORACLE_LINUX_ROUTE_INTERNAL_H
#define CORACLE_LINUX_ROUTE_INTERNAL_H
/* What route.c takes from route_message.c beside linux/route.h. */
#include "linux/route.h"

void address_make_removal(struct netlink_request *r, const struct address *a);

#endif
