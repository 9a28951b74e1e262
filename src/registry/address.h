#ifndef CORACLE_REGISTRY_ADDRESS_H
#define CORACLE_REGISTRY_ADDRESS_H
/* Hosts with ports, as registries are named: "host", "host:5000", "[::1]:5000". */
#include "base/alloc.h"
#include <stdbool.h>

struct address {
        char *host; /* lower case, without brackets */
        int port;   /* 0: none given */
};
#define ADDRESS_INIT                                                                                                   \
        {                                                                                                              \
                .host = NULL                                                                                           \
        }
void address_done(struct address *a);
#define auto_address COR_CLEANUP(address_done) struct address

/* address_split() - 0, or -1 if @s is not of the form */
int address_split(const char *s, struct address *ret) COR_MUST_CHECK;
/* address_format() - the other way; free() */
char *address_format(const struct address *a);
/* address_of_url() - of an http or https URL, without user names */
int address_of_url(const char *url, struct address *ret) COR_MUST_CHECK;
/*
 * address_same_origin() - two URLs lead to the same host and port; *ret_downgrade, if given, says that the second one
 * is http where the first is https (the default ports of both then count as the same)
 */
bool address_same_origin(const char *url, const char *other, bool *ret_downgrade);

#endif
