#include "base/log.h"
#include "cli/coracle/verb.h"

#define ROW(NAME, LETTER, TYPE, M, VALUE, FLAGS, HELP)                                                                 \
        OPTION_ROW(NAME, LETTER, TYPE, struct globals, M, VALUE, FLAGS, HELP)

const struct option globals_options[] = {
        ROW("config", 0, TEXT, config, "string", OPTION_DIR,
            "Folder of config.json, with credentials for registries (default ~/.docker)"),
        { .name = "debug",
          .letter = 'D',
          .type = OPTION_CONST,
          .offset = offsetof(struct globals, log_level),
          .n_offset = COR_LOG_DEBUG + 1,
          .help = "The same as --log-level debug" },
        ROW("log-level", 'l', WORD, log_level, "error|warn|info|debug", 0, "The least severe messages to show"),
        ROW("root", 0, TEXT, root, "string", OPTION_DIR | OPTION_FILLED,
            "Folder of the store (default /var/lib/coracle, or of an ordinary user ~/.local/share/coracle)"),
        OPTION_ROW_ASK("version", 'v', VERSION, 0, "Show the version, and end"),
};
const size_t globals_n_options = COR_COUNT(globals_options);
