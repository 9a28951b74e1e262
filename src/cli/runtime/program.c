#include "cli/runtime/program.h"

#include "linux/seccomp.h"
#include "spec/oci.h"

#include <errno.h>
#include <string.h>

enum program_kind program_kind(void)
{
        const char *name = program_invocation_short_name;

        if (strcmp(name, "runc") == 0)
                return PROGRAM_RUNC;
        return strcmp(name, "crun") == 0 || cor_starts_with(name, "crun-") ? PROGRAM_CRUN : PROGRAM_OWN;
}

const char *program_name(void)
{
        static const char names[][16] = {
                [PROGRAM_OWN] = "coracle-runtime",
                [PROGRAM_RUNC] = "runc",
                [PROGRAM_CRUN] = "crun",
        };

        return names[program_kind()];
}

enum option_dialect program_dialect(void)
{
        static const uint8_t dialects[] = {
                [PROGRAM_OWN] = OPTION_DIALECT_OWN,
                [PROGRAM_RUNC] = OPTION_DIALECT_GO,
                [PROGRAM_CRUN] = OPTION_DIALECT_ARGP,
        };

        return (enum option_dialect)dialects[program_kind()];
}

void program_version(struct cor_text *out)
{
        /* which of their command lines is spoken, for clients that compare; ours follows as semver's build metadata */
        static const char compatible[][8] = {
                [PROGRAM_OWN] = "",
                [PROGRAM_RUNC] = "1.3.0",
                [PROGRAM_CRUN] = "1.28",
        };
        enum program_kind kind = program_kind();
        struct seccomp_features features;

        cor_text_printf(out, "%s version %s%s\n", program_name(), compatible[kind],
                        kind == PROGRAM_OWN ? CORACLE_VERSION : "+coracle." CORACLE_VERSION);
        seccomp_features(&features);
        cor_text_printf(out, "commit: %s\nspec: " OCI_VERSION "\n", program_commit);
        if (features.library[0])
                cor_text_printf(out, "libseccomp: %s\n", features.library);
}
