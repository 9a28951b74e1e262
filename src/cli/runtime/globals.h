#ifndef CORACLE_CLI_RUNTIME_GLOBALS_H
#define CORACLE_CLI_RUNTIME_GLOBALS_H
/* The options before the command. */
#include "base/log.h"
#include "cli/option.h"
#include "runtime/context.h"

struct globals {
        const char *root, *log, *criu;
        int log_format, log_level, manager, rootless; /* words of their options, from 1 on; 0 when not given */
        char *resolved_root;                          /* owned */
};
extern const struct option globals_options[];
extern const size_t globals_n_options;

/* globals_option_set() - as the parser wants them */
struct option_set globals_option_set(void);
/* globals_open_log() - send errors and warnings where --log says; to be called before anything can fail */
int globals_open_log(const struct globals *g, struct cor_err *err) COR_MUST_CHECK;
/* globals_context() - what the runtime wants to know; @ret borrows from @g */
int globals_context(struct globals *g, struct runtime_context *ret, struct cor_err *err) COR_MUST_CHECK;
void globals_done(struct globals *g);
#define auto_globals COR_CLEANUP(globals_done) struct globals

#endif
