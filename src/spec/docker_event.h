#ifndef CORACLE_SPEC_DOCKER_EVENT_H
#define CORACLE_SPEC_DOCKER_EVENT_H
/* What `events` tells: a document of the Docker Engine API (1.51, SystemEvents). */
#include "base/json.h"

struct docker_actor {
        const char *id;
        struct cor_pair *attributes;
        size_t n_attributes;
};
struct docker_event {
        const char *status, *id, *from; /* of old clients: for containers and images only */
        const char *type;               /* container, image, network, volume, daemon, builder, … */
        const char *action;             /* create, start, die, "exec_start: sh", … */
        struct docker_actor actor;
        const char *scope; /* "local" */
        int64_t time, time_nano;
};

extern const struct cor_json_doc docker_event_doc;

#endif
