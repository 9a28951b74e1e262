#ifndef CORACLE_NETWORK_PORTS_LINE_H
#define CORACLE_NETWORK_PORTS_LINE_H
/* Published ports in one line, as docker's lists have them. */
#include "spec/docker.h"

/*
 * ports_line() - "0.0.0.0:8000-8010->8000-8010/tcp, [::]:53->53/udp, 90/tcp": neighbours are folded where a port has
 * the same number inside and outside; those with other numbers come last, each by itself. free()
 */
char *ports_line(const struct docker_port_bindings *items, size_t n_items) __attribute__((returns_nonnull));

#endif
