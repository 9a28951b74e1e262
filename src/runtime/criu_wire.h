#ifndef CORACLE_RUNTIME_CRIU_WIRE_H
#define CORACLE_RUNTIME_CRIU_WIRE_H
/*
 * The bytes of criu's protocol: its rpc.proto in protobuf's encoding, of which a handful of rules is all that is
 * needed. A message is a row of fields: number and kind in one varint, then a varint, or a length and as many bytes.
 * Bytes in, bytes out; criu.c does the talking.
 */
#include "base/text.h"

/* rpc.proto: criu_req_type */
enum criu_type {
        CRIU_DUMP = 1,
        CRIU_RESTORE = 2,
        CRIU_PRE_DUMP = 4,
        CRIU_NOTIFY = 6,
};

/* rpc.proto: numbers of the fields of criu_opts */
enum criu_field {
        CRIU_IMAGES_DIR_FD = 1,
        CRIU_PID = 2,
        CRIU_LEAVE_RUNNING = 3,
        CRIU_EXT_UNIX_SK = 4,
        CRIU_TCP_ESTABLISHED = 5,
        CRIU_EVASIVE_DEVICES = 6,
        CRIU_SHELL_JOB = 7,
        CRIU_FILE_LOCKS = 8,
        CRIU_LOG_LEVEL = 9,
        CRIU_LOG_FILE = 10,
        CRIU_PAGE_SERVER = 11,
        CRIU_NOTIFY_SCRIPTS = 12,
        CRIU_ROOT = 13,
        CRIU_PARENT_IMG = 14,
        CRIU_TRACK_MEM = 15,
        CRIU_AUTO_DEDUP = 16,
        CRIU_WORK_DIR_FD = 17,
        CRIU_LINK_REMAP = 18,
        CRIU_EXT_MNT = 23,
        CRIU_MANAGE_CGROUPS = 24,
        CRIU_CG_ROOT = 25,
        CRIU_RST_SIBLING = 26,
        CRIU_INHERIT_FD = 27,
        CRIU_MANAGE_CGROUPS_MODE = 34,
        CRIU_EXTERNAL = 37,
        CRIU_EMPTY_NS = 38,
        CRIU_JOIN_NS = 39,
        CRIU_FREEZE_CGROUP = 44,
        CRIU_TCP_SKIP_IN_FLIGHT = 46,
        CRIU_LAZY_PAGES = 48,
        CRIU_ORPHAN_PTS_MASTER = 50,
        CRIU_CONFIG_FILE = 51,
        CRIU_TCP_CLOSE = 52,
        CRIU_LSM_PROFILE = 53,
        CRIU_LSM_MOUNT_CONTEXT = 63,
        CRIU_NETWORK_LOCK = 64,
};

/* Fields of a message under construction. A NULL text and a false bool are left out. */
void criu_add_int(struct cor_text *message, unsigned field, int64_t value);
void criu_add_bool(struct cor_text *message, unsigned field, bool value);
void criu_add_str(struct cor_text *message, unsigned field, const char *value);
void criu_add_message(struct cor_text *message, unsigned field, const struct cor_text *inner);
/* criu_add_pair() - ext_mount_map, cgroup_root, join_namespace: two texts, numbered 1 and 2 */
void criu_add_pair(struct cor_text *message, unsigned field, const char *first, const char *second);
/* criu_add_key() - inherit_fd, page_server_info: a text, numbered 1, and a number, numbered 2 */
void criu_add_key(struct cor_text *message, unsigned field, const char *key, int64_t number);

/* criu_request() - criu_req of @type with @opts; criu_request_notified() - "go on" after a notification */
void criu_request(struct cor_text *ret, enum criu_type type, const struct cor_text *opts);
void criu_request_notified(struct cor_text *ret);

struct criu_reply {
        int type; /* enum criu_type, or one that we never ask for */
        bool success;
        int sys;           /* errno of a failure, or 0 */
        char message[256]; /* what criu says about it; may be empty */
        char script[32];   /* of NOTIFY: what happened */
        int pid;           /* of NOTIFY and RESTORE: of the container's init, or 0 */
};
/* criu_reply_parse() - criu_resp; INVALID if the bytes are none */
int criu_reply_parse(const void *bytes, size_t n, struct criu_reply *ret, struct cor_err *err) COR_MUST_CHECK;

#endif
