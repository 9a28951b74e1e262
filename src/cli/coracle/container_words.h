#ifndef CORACLE_CLI_CORACLE_CONTAINER_WORDS_H
#define CORACLE_CLI_CORACLE_CONTAINER_WORDS_H
/* What the files container_flags*.c share: memory of a request, readers for the forms that values have in docker. */
#include "cli/coracle/container_flags.h"

/* container_flag_wrong() - INVALID 'invalid argument "VALUE" for "-e, --env" flag: MESSAGE'; @flag: its name */
int container_flag_wrong(struct cor_err *err, const char *flag, const char *value, const char *fmt, ...)
        COR_PRINTF(4, 5);

/* ---- memory: all of it lives as long as the request ---- */

void *request_take(struct container_request *r, size_t size) __attribute__((returns_nonnull));
char *request_text(struct container_request *r, const char *s, size_t n) __attribute__((returns_nonnull));
char *request_printf(struct container_request *r, const char *fmt, ...) COR_PRINTF(2, 3)
        __attribute__((returns_nonnull));
void *request_grow(struct container_request *r, void *items, size_t n, size_t size) __attribute__((returns_nonnull));
#define REQUEST_GROW(r, items, n)                                                                                      \
        ({                                                                                                             \
                (items) = request_grow((r), (items), (n), sizeof *(items));                                            \
                &(items)[(n)++];                                                                                       \
        })
/* request_add() - one more text; the list stays NULL-terminated */
void request_add(struct container_request *r, const char ***items, size_t *n, const char *s);
/* request_add_all() - a list as it was given */
void request_add_all(struct container_request *r, const char ***items, size_t *n, const struct flag_list *l);
/* request_set() - a key of a map, which stays sorted; the last value of a key holds */
void request_set(struct container_request *r, struct cor_pair **items, size_t *n, const char *key, const char *value);
/* request_set_word() - the same of "KEY=VALUE" or "KEY" */
void request_set_word(struct container_request *r, struct cor_pair **items, size_t *n, const char *word);
/* request_cut() - what stands before the first @sep, and *ret_rest what stands behind it, or NULL */
const char *request_cut(struct container_request *r, const char *s, char sep, const char **ret_rest);

/* ---- readers: 0, or INVALID with the message that docker's client shows ---- */

/* words_csv() - the fields of one line of comma-separated values, as Go's encoding/csv reads it */
int words_csv(struct container_request *r, const char *s, const char ***ret, size_t *ret_n, struct cor_err *err)
        COR_MUST_CHECK;
/* words_i64(), words_u64() - whole numbers with C's prefixes, of @bits */
int words_i64(const char *s, const char *function, int bits, int64_t *ret, struct cor_err *err) COR_MUST_CHECK;
int words_u64(const char *s, int base, int bits, uint64_t *ret, struct cor_err *err) COR_MUST_CHECK;
/* words_bytes() - "1.5g": powers of 1024 */
int words_bytes(const char *s, int64_t *ret, struct cor_err *err) COR_MUST_CHECK;
/* words_cpus() - "1.5" as billionths */
int words_cpus(const char *s, int64_t *ret, struct cor_err *err) COR_MUST_CHECK;
/* words_duration() - "1m30s" in nanoseconds; may be negative */
int words_duration(const char *s, int64_t *ret, struct cor_err *err) COR_MUST_CHECK;
/* words_bool() - Go's ParseBool; -1 without an error */
int words_bool(const char *s, bool *ret) COR_MUST_CHECK;
bool words_are_mac(const char *s);
bool words_are_ip(const char *s);

/* ---- the parts of a request ---- */

int container_resources(struct container_request *r, const struct container_flags *f, struct cor_err *err)
        COR_MUST_CHECK;
int container_limits(struct container_request *r, const struct container_flags *f, struct cor_err *err) COR_MUST_CHECK;
int container_devices(struct container_request *r, const struct container_flags *f, struct cor_err *err) COR_MUST_CHECK;
int container_storage(struct container_request *r, const struct container_flags *f, struct cor_err *err) COR_MUST_CHECK;
int container_network(struct container_request *r, const struct container_flags *f, struct cor_err *err) COR_MUST_CHECK;
int container_security(struct container_request *r, const struct container_flags *f, struct cor_err *err)
        COR_MUST_CHECK;
int container_health(struct container_request *r, const struct container_flags *f, struct cor_err *err) COR_MUST_CHECK;
int container_restart(struct container_request *r, const struct container_flags *f, struct cor_err *err) COR_MUST_CHECK;
/* container_network_is_own() - a network that users make: none of default, bridge, host, none, container:ID */
bool container_network_is_own(const char *name);

#endif
