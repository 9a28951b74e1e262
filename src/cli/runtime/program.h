#ifndef CORACLE_CLI_RUNTIME_PROGRAM_H
#define CORACLE_CLI_RUNTIME_PROGRAM_H
/*
 * Whom the program stands in for. It is installed as coracle-runtime; through a link named runc or crun it behaves as
 * that program does wherever the two differ (docs/man/coracle-runtime.8, "NAMES").
 */
#include "base/text.h"
#include "cli/option.h"

enum program_kind { PROGRAM_OWN, PROGRAM_RUNC, PROGRAM_CRUN };

enum program_kind program_kind(void);
/* program_name() - "coracle-runtime", "runc" or "crun" */
const char *program_name(void);
/* program_dialect() - how its command line is read where readings conflict */
enum option_dialect program_dialect(void);
/* program_version() - what --version prints; the first line is "NAME version NUMBER", and no other holds "version" */
void program_version(struct cor_text *out);

extern const char program_commit[]; /* of the source; made by the build */

#endif
