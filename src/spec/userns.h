#ifndef CORACLE_SPEC_USERNS_H
#define CORACLE_SPEC_USERNS_H
/* HostConfig.UsernsMode: which user namespace a container is to have. */
#include "base/err.h"
#include <stdint.h>

enum userns_kind {
        USERNS_DEFAULT,   /* nothing was said: the map of daemon.json's userns-remap, or none */
        USERNS_HOST,      /* none */
        USERNS_AUTO,      /* ids that no other container has */
        USERNS_KEEP_ID,   /* who calls is the same in the container */
        USERNS_NOMAP,     /* who calls is nobody there */
        USERNS_CONTAINER, /* that of another one */
};
struct userns_mode {
        enum userns_kind kind;
        uint32_t size;         /* of auto; 0: as many as the image needs */
        int64_t uid, gid;      /* of keep-id; -1: the caller's own */
        const char *container; /* within the text */
};
/* userns_mode_parse() - docker's and podman's words; INVALID "invalid USER mode: …" */
int userns_mode_parse(const char *text, struct userns_mode *ret, struct cor_err *err) COR_MUST_CHECK;

#endif
