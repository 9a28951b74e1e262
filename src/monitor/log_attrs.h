#ifndef CORACLE_MONITOR_LOG_ATTRS_H
#define CORACLE_MONITOR_LOG_ATTRS_H
/* What each message of a container carries: labels and variables by name or by pattern, and the tag. */
#include "base/json.h"
#include "monitor/log.h"

struct log_attrs {
        struct cor_pair *items; /* sorted by key, each once; keys and values are owned */
        size_t n_items;
};
void log_attrs_done(struct log_attrs *a);
#define auto_log_attrs COR_CLEANUP(log_attrs_done) struct log_attrs

/* log_attrs_make() - with the tag among them if @with_tag and there is one */
int log_attrs_make(const struct log_options *o, const struct log_settings *s, bool with_tag, struct log_attrs *ret,
                   struct cor_err *err) COR_MUST_CHECK;

/* log_attrs_tag() - the tag that @o and @s make; @standard where the user gave none. free() */
int log_attrs_tag(const struct log_options *o, const struct log_settings *s, const char *standard, char **ret,
                  struct cor_err *err) COR_MUST_CHECK;

/*
 * log_pattern_check() - @pattern can be matched: what Go's regular expressions and POSIX's extended ones have in
 * common, and \d, \D, (?:…), (?i) in front
 */
int log_pattern_check(const char *option, const char *pattern, struct cor_err *err) COR_MUST_CHECK;

#endif
