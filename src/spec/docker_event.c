#include "spec/docker_event.h"

static const struct cor_json_field actor_fields[] = {
        COR_FIELD("ID", STR, struct docker_actor, id, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Attributes", MAP_STR, struct docker_actor, attributes, n_attributes, COR_JSON_NULL),
};
static const struct cor_json_doc actor_doc = COR_DOC(struct docker_actor, actor_fields, NULL);

static const struct cor_json_field event_fields[] = {
        COR_FIELD("status", STR, struct docker_event, status, 0),
        COR_FIELD("id", STR, struct docker_event, id, 0),
        COR_FIELD("from", STR, struct docker_event, from, 0),
        COR_FIELD("Type", STR, struct docker_event, type, COR_JSON_REQUIRED),
        COR_FIELD("Action", STR, struct docker_event, action, COR_JSON_REQUIRED),
        COR_FIELD_OBJ("Actor", INLINE, struct docker_event, actor, &actor_doc, COR_JSON_ALWAYS),
        COR_FIELD("scope", STR, struct docker_event, scope, 0),
        COR_FIELD("time", I64, struct docker_event, time, 0),
        COR_FIELD("timeNano", I64, struct docker_event, time_nano, 0),
};
const struct cor_json_doc docker_event_doc = COR_DOC(struct docker_event, event_fields, NULL);
