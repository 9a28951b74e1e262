#ifndef CORACLE_CLI_CORACLE_VERB_CONTAINER_H
#define CORACLE_CLI_CORACLE_VERB_CONTAINER_H
/* What the commands of containers share. */
#include "cli/coracle/verb.h"
#include "engine/container.h"

/* verb_refuse() - say "coracle: MESSAGE" and where help is; the exit code is @code. Returns 0 */
int verb_refuse(struct invocation *in, const struct cor_err *err, int code);

/*
 * verb_each() - @do_one for each argument: its name is printed when it was done (0; not if there was nothing to do: 1),
 * and the error if not; one that fails does not save the others, and the exit code is 1 then
 */
int verb_each(struct invocation *in,
              int (*do_one)(struct engine *e, const void *context, const char *name, struct cor_err *err),
              const void *context, struct cor_err *err) COR_MUST_CHECK;

/* verb_signal() - "KILL", "SIGKILL", "9"; 0 for NULL; INVALID "invalid signal: x" */
int verb_signal(const char *word, int *ret, struct cor_err *err) COR_MUST_CHECK;

/* verb_filter_pairs() - filters that verb_filters() found right, taken apart; they live as long as the pool */
const struct cor_pair *verb_filter_pairs(struct value_pool *p, char *const *items, size_t n);

/* verb_moment() - "2024-02-29T12:00:00", seconds since 1970, or "10m": how long ago; in nanoseconds since 1970 */
int verb_moment(const char *word, int64_t *ret_ns, struct cor_err *err) COR_MUST_CHECK;

/* verb_prune_containers() - those that do not run; ids to @removed, what they had written is added to *bytes */
int verb_prune_containers(struct engine *e, char *const *filters, size_t n_filters, struct cor_strv *removed,
                          int64_t *bytes, struct cor_err *err) COR_MUST_CHECK;

/* verb_container_row() - one as a row of `ps`, with what is known to have been written by it */
struct value *verb_container_row(struct value_pool *p, const struct container_row *r, int64_t written);

/* verb_prune_networks() - those that nobody is connected with; names to @removed */
int verb_prune_networks(struct engine *e, char *const *filters, size_t n_filters, struct cor_strv *removed,
                        struct cor_err *err) COR_MUST_CHECK;

struct volume_pruned;
/* verb_prune_volumes() - those that nobody uses: anonymous ones, or with @all any */
int verb_prune_volumes(struct engine *e, char *const *filters, size_t n_filters, bool all, struct volume_pruned *ret,
                       struct cor_err *err) COR_MUST_CHECK;

struct volume_row;
/* verb_volume_document() - a volume as `volume inspect` shows it */
struct value *verb_volume_document(struct value_pool *p, const struct store *s, const struct volume_row *v);

#endif
