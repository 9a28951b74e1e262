#ifndef CORACLE_TOOLS_SYSTEMD_REQUEST_H
#define CORACLE_TOOLS_SYSTEMD_REQUEST_H
/* What linux/cgroup_systemd.c and network/host_firewall.c ask for, one JSON object on standard input. */
#include "base/json.h"

enum request_op { OP_START, OP_ATTACH, OP_SET, OP_STOP, OP_TRUST, OP_DISTRUST };

/* A property with a value of a type that we know. */
struct request_property {
        const char *name;
        const char *type;  /* of D-Bus: "t", "s", "ay" (hex), "a(ss)" (lines "A B") */
        const char *value; /* as text */
        uint32_t since;    /* the first systemd that knows it; left out for older ones */
};

/* A property from an annotation, its value in GVariant's text form. */
struct request_text {
        const char *name, *value;
};

struct request {
        int op;
        bool user; /* the user's manager instead of the system's */
        int64_t timeout_ms;
        const char *unit; /* TRUST, DISTRUST: the interface */
        const char *slice, *description;
        int64_t pid;
        const char *below; /* ATTACH: the cgroup below the unit's, "/SUB" or "" */
        struct request_property *properties;
        size_t n_properties;
        struct request_text *texts;
        size_t n_texts;
};

enum { REQUEST_MAX_BYTES = 4 << 20 };
/* request_read() - from @fd; cor_json_free() *ret */
int request_read(int fd, struct request **ret, struct cor_err *err) COR_MUST_CHECK;

#endif
