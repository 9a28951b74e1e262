#ifndef CORACLE_CNI_CALL_H
#define CORACLE_CNI_CALL_H
/*
 * One call of a plugin: what the environment and the standard input say, checked, and the answer. A plugin is a table
 * of functions (struct cni_plugin); one process serves one call, or a second one for the address manager that the first
 * delegates to.
 * Spec: CNI 1.1.0, section 2.
 */
#include "spec/cni.h"

enum cni_verb { CNI_ADD, CNI_DEL, CNI_CHECK, CNI_STATUS, CNI_GC };
extern const char *const cni_verb_words[]; /* "ADD", …; NULL at the end */

/* Codes of errors. Those from 100 on are ours. */
enum cni_code {
        CNI_CODE_VERSION = 1,
        CNI_CODE_FIELD = 2,
        CNI_CODE_CONTAINER = 3,
        CNI_CODE_ENVIRONMENT = 4,
        CNI_CODE_IO = 5,
        CNI_CODE_DECODE = 6,
        CNI_CODE_CONFIG = 7,
        CNI_CODE_NETNS = 8,
        CNI_CODE_TRY_AGAIN = 11,
        CNI_CODE_UNAVAILABLE = 50,
        CNI_CODE_INTERNAL = 999,
};

struct cni_call {
        const char *plugin; /* the name it was called by */
        enum cni_verb verb;
        const char *container_id, *netns, *ifname, *args, *path; /* "" where not given */
        const char *input;                                       /* the configuration as it came */
        size_t input_len;
        const struct cni_config *config; /* its keys that belong to the protocol */
        int version;                     /* CNI_…: index of its cniVersion */
        int code;                        /* of the error that is being returned; 0: by its kind */
};

/* cni_fail() - an error with a code of its own; returns -1 */
int cni_fail(struct cni_call *c, enum cni_code code, struct cor_err *err, const char *fmt, ...) COR_PRINTF(4, 5);
/* cni_code_of() - the code of an error that @c returned */
int cni_code_of(const struct cni_call *c, const struct cor_err *err);

/* cni_load() - the configuration by a plugin's own table; cor_json_free() */
int cni_load(struct cni_call *c, const struct cor_json_doc *doc, void *ret, struct cor_err *err) COR_MUST_CHECK;
/* cni_previous() - prevResult; an error if there is none. cor_json_free() */
int cni_previous(struct cni_call *c, struct cni_result **ret, struct cor_err *err) COR_MUST_CHECK;
/*
 * cni_argument() - what CNI_ARGS says of @key, a copy, or NULL. All keys must be among the NULL-terminated @known,
 * unless IgnoreUnknown is there.
 */
int cni_argument(struct cni_call *c, const char *const known[], const char *key, char **ret, struct cor_err *err)
        COR_MUST_CHECK;

/* cni_is_attached() - the runtime says that this attachment is still valid (GC) */
bool cni_is_attached(const struct cni_call *c, const char *container_id, const char *ifname);

/* What a plugin does. A verb that is NULL has nothing to do. */
struct cni_plugin {
        const char *name, *what;
        bool ipam; /* it manages addresses, and is called by others */
        int (*add)(struct cni_call *c, struct cni_result **ret, struct cor_err *err);
        int (*del)(struct cni_call *c, struct cor_err *err);
        int (*check)(struct cni_call *c, struct cor_err *err);
        int (*status)(struct cni_call *c, struct cor_err *err);
        int (*gc)(struct cni_call *c, struct cor_err *err);
        int (*daemon)(int argc, char **argv); /* `PLUGIN daemon`: a process that stays; its exit status */
};
/* cni_plugin_find() - by name, or NULL; cni_plugins: all, with a NULL name at the end */
const struct cni_plugin *cni_plugin_find(const char *name);
extern const struct cni_plugin cni_plugins[];
/* cni_plugin_run() - the verb of @c; *ret_result is set by ADD only. */
int cni_plugin_run(const struct cni_plugin *p, struct cni_call *c, struct cni_result **ret_result, struct cor_err *err)
        COR_MUST_CHECK;

#endif
