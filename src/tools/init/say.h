#ifndef CORACLE_TOOLS_INIT_SAY_H
#define CORACLE_TOOLS_INIT_SAY_H
/*
 * Messages of coracle-init, one line each on standard error: `coracle-init[PID]: warning: ...`. Standard output belongs
 * to the program that is run.
 */
#include "base/cleanup.h"

/* A message is shown when the verbosity is at least its level; the default verbosity is SAY_WARNING. */
enum say_level { SAY_ERROR, SAY_WARNING, SAY_INFO, SAY_DEBUG, SAY_TRACE };

/* say_verbosity() - show messages up to @level; values above SAY_TRACE mean SAY_TRACE */
void say_verbosity(unsigned level);

void say(enum say_level level, const char *fmt, ...) COR_PRINTF(2, 3);

#endif
