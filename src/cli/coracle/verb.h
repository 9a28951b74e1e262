#ifndef CORACLE_CLI_CORACLE_VERB_H
#define CORACLE_CLI_CORACLE_VERB_H
/*
 * Commands of `coracle`, in docker's grammar: each is a row (struct verb) in a small file, and has one or more places
 * in the table of verbs.c: "images" and "image ls" are one verb. Help, completions and manual come from these rows. To
 * add one: write verb_NAME.c, declare its row at the end of this header, give it a place, and let scripts/manual bring
 * the man page up to date.
 */
#include "base/text.h"
#include "cli/format.h"
#include "cli/option.h"
#include "engine/image.h"

enum { VERB_ARGS_ANY = UINT8_MAX };

struct invocation;

struct verb {
        char summary[96];   /* one sentence, without a dot */
        char arguments[48]; /* "IMAGE [IMAGE...]" */
        uint8_t min_args, max_args;
        bool in_order;         /* the first argument ends the options: what follows is a command line of its own */
        uint16_t options_size; /* of the struct that the options fill; it starts zeroed */
        uint16_t n_options;
        const struct option *options;
        bool enters; /* goes into containers: from a protected binary (linux/clone_self.h) */
        /* run() - 0, or -1 with an error; the exit code is in->code, or 1 after an error if that is 0 */
        int (*run)(struct invocation *in, struct cor_err *err);
};

struct verb_place {
        char group[10]; /* "image"; empty: the verb stands alone */
        char name[12], alias[10];
        const struct verb *verb;
};
extern const struct verb_place verb_places[];
extern const size_t verb_n_places;

struct verb_group {
        char name[10], summary[50];
};
extern const struct verb_group verb_groups[];
extern const size_t verb_n_groups;

/* verb_find() - by its name or alias in @group ("" for none); NULL if there is none. verb_group_find() likewise */
const struct verb_place *verb_find(const char *group, const char *name);
const struct verb_group *verb_group_find(const char *name);
/* verb_path() - "coracle image ls"; free() */
char *verb_path(const struct verb_place *p);
struct option_set verb_option_set(const struct verb *v);

/* The options before the command. */
struct globals {
        const char *root, *config;
        int log_level; /* a word of its option, from 1 on; 0 when not given */
};
extern const struct option globals_options[];
extern const size_t globals_n_options;

/* One call of a verb. */
struct invocation {
        const struct verb_place *place;
        const struct globals *globals;
        const void *options; /* the struct that verb->options filled */
        char **args;         /* NULL-terminated */
        size_t n_args;
        int code;
};

/* verb_engine() - the engine on the store that the command line names; engine_done() */
int verb_engine(const struct invocation *in, struct engine *ret, struct cor_err *err) COR_MUST_CHECK;
/* verb_print() - write @t to standard output */
int verb_print(const struct cor_text *t, struct cor_err *err) COR_MUST_CHECK;
/*
 * verb_to_file() - what @write writes appears as file @path when it is whole: beside its place, then renamed; a device
 * or a pipe that is there is written as it is
 */
int verb_to_file(const char *path, int (*write)(void *context, int fd, struct cor_err *err), void *context,
                 struct cor_err *err) COR_MUST_CHECK;
/*
 * verb_add_foreign() - append @n bytes that came with an image or from a registry: on a terminal, which obeys them,
 * control characters other than tabs and line breaks are shown as question marks; elsewhere they stay
 */
void verb_add_foreign(const char *s, size_t n, struct cor_text *out);
/* verb_say() - a line on standard error, for what does not stop the command */
void verb_say(const char *fmt, ...) COR_PRINTF(1, 2);
/* verb_confirm() - show @warning and ask: 1 yes, 0 no */
int verb_confirm(const char *warning, struct cor_err *err) COR_MUST_CHECK;
/* verb_filters() - "KEY=VALUE" each; INVALID otherwise */
int verb_filters(const struct option *row, char **items, size_t n, struct cor_err *err) COR_MUST_CHECK;
/* verb_short_id() - the first 12 digits of a digest, in @buf of 13 bytes */
const char *verb_short_id(const struct digest *d, char *buf);

extern const struct verb verb_attach, verb_check, verb_commit, verb_cp, verb_diff, verb_export, verb_completion,
        verb_container_inspect, verb_container_prune, verb_create, verb_df, verb_doctor, verb_events, verb_exec,
        verb_history, verb_image_inspect, verb_image_prune, verb_images, verb_import, verb_info, verb_inspect,
        verb_kill, verb_load, verb_login, verb_logout, verb_logs, verb_manifest_annotate, verb_manifest_create,
        verb_manifest_inspect, verb_manifest_push, verb_manifest_rm, verb_network_connect, verb_network_create,
        verb_network_disconnect, verb_network_inspect, verb_network_ls, verb_network_prune, verb_network_rm, verb_pause,
        verb_port, verb_ps, verb_pull, verb_push, verb_rename, verb_restart, verb_rm, verb_rmi, verb_run, verb_save,
        verb_search, verb_start, verb_stats, verb_stop, verb_system_prune, verb_system_start, verb_system_stop,
        verb_tag, verb_top, verb_unpause, verb_update, verb_version, verb_volume_create, verb_volume_inspect,
        verb_volume_ls, verb_volume_prune, verb_volume_rm, verb_wait;

#endif
