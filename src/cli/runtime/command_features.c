#include "cli/runtime/command.h"

#include "runtime/features.h"

static int run_features(struct invocation *in, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        features_print(&t);
        return command_print(t.s, t.len, err);
}

const struct command command_features = {
        .name = "features",
        .summary = "Show what this runtime can do, as the JSON document of the runtime specification",
        .run = run_features,
};
