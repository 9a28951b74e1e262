#ifndef CORACLE_REGISTRY_CHALLENGE_H
#define CORACLE_REGISTRY_CHALLENGE_H
/* The WWW-Authenticate header (RFC 9110, 11.6.1): bytes in, challenges out. */
#include "base/alloc.h"

enum challenge_scheme { CHALLENGE_OTHER, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
        enum challenge_scheme scheme;
        char *realm, *service, *scope, *error; /* NULL: not there */
};
struct challenges {
        struct challenge *items;
        size_t n_items;
};
void challenges_done(struct challenges *c);
#define auto_challenges COR_CLEANUP(challenges_done) struct challenges

/*
 * challenges_parse() - add the challenges of one header's value to @ret. What cannot be read ends the list: a client
 * takes what it understood. More than 16 challenges, and values with control characters, are not taken.
 */
void challenges_parse(const char *value, struct challenges *ret);
/* challenges_choose() - the one to answer: Bearer with a realm, then Basic; NULL: neither */
const struct challenge *challenges_choose(const struct challenges *c);

#endif
