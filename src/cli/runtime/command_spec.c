#include "cli/runtime/command.h"

#include "cli/runtime/program.h"
#include "runtime/spec_default.h"

struct spec_options {
        const char *bundle, *file;
        bool rootless;
};

static int run_spec(struct invocation *in, struct cor_err *err)
{
        const struct spec_options *o = in->options;

        return spec_default_write(o->bundle, o->file, program_name(), o->rootless, err);
}

static const struct option spec_rows[] = {
        OPTION_ROW("bundle", 'b', TEXT, struct spec_options, bundle, "DIR", OPTION_DIR,
                   "The bundle to write it to; the working directory when not given"),
        OPTION_ROW("file", 'f', TEXT, struct spec_options, file, "FILE", OPTION_FILE,
                   "Write to FILE, which may exist, instead of config.json"),
        OPTION_ROW("rootless", 0, FLAG, struct spec_options, rootless, "", 0,
                   "For users without privileges: a user namespace, and no network and limits of its own"),
};

const struct command command_spec = {
        .name = "spec",
        .summary = "Write a config.json to start from",
        .options_size = sizeof(struct spec_options),
        .options = spec_rows,
        .n_options = COR_COUNT(spec_rows),
        .run = run_spec,
};
