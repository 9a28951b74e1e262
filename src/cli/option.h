#ifndef CORACLE_CLI_OPTION_H
#define CORACLE_CLI_OPTION_H
/*
 * Options of a command line, described once: a table of rows gives the parser, the help, the completions and the option
 * lists of the man page. A row holds its text itself, so that the tables need no relocation when the program starts.
 *
 * Accepted are the spellings of both families of runtimes:
 *
 *      --name VALUE, --name=VALUE         everywhere
 *      -name VALUE, -name=VALUE           as Go's flag package: one dash is as good as two
 *      -n VALUE, -n=VALUE, -nVALUE        one letter; several that take no value may be joined: -dt
 *      --nam VALUE                        as getopt_long: a beginning that fits one option only
 *
 * Where these conflict (-p=x is "x" in Go and "=x" in getopt; -env may be -e nv) `dialect` decides. "--" ends the
 * options. A word that is an option's value is never looked at again, and an empty one unsets a text.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
        OPTION_FLAG,     /* bool; --name=false is understood */
        OPTION_OPT_FLAG, /* struct cor_opt_bool: whether it was given, and as what */
        OPTION_CONST,    /* int: set to n_offset, and to 0 by --name=false */
        OPTION_TEXT,     /* const char *; NULL when empty */
        OPTION_LIST,     /* char **items, size_t n at n_offset; may be given many times */
        OPTION_WORD,     /* int: 1 for the first of the words in `value` ("table|json"), 2 for the second, ... */
        OPTION_COUNT,    /* int, at least 0 */
        OPTION_U64,      /* struct cor_opt_u64; unset when empty, as for the next two */
        OPTION_I64,      /* struct cor_opt_i64 */
        OPTION_SIZE,     /* struct cor_opt_i64: bytes, with k, m, g, t; or -1 */
        OPTION_DURATION, /* uint64_t, in ms, above 0: 1h2m3.5s, 300ms, 5 */
        OPTION_ASK,      /* nothing is stored: parsing ends, and its outcome is n_offset */
};

enum {
        OPTION_HIDDEN = 1, /* accepted, and not shown in help and completions */
        OPTION_FILLED = 2, /* must not be empty */
        OPTION_FILE = 4,   /* completions offer files, … */
        OPTION_DIR = 8,    /* … or directories */
        OPTION_OFF = 16,   /* a flag that is on by itself: stored is whether it was turned off */
};

struct option {
        char name[24];
        char letter; /* 0: none */
        uint8_t type, flags;
        uint16_t offset, n_offset;
        char value[28]; /* what stands for the value in help; of a WORD: the words, separated by '|' */
        char help[148]; /* one sentence, without a dot */
};

#define OPTION_ROW_ASK(NAME, LETTER, OUTCOME, FLAGS, HELP)                                                             \
        {                                                                                                              \
                .name = NAME, .letter = LETTER, .type = OPTION_ASK, .flags = (FLAGS),                                  \
                .n_offset = OPTION_OUTCOME_##OUTCOME, .help = HELP                                                     \
        }
/* Rows of a table. S is the struct that is filled, M its member; NM the member that counts a list. */
#define OPTION_ROW(NAME, LETTER, TYPE, S, M, VALUE, FLAGS, HELP)                                                       \
        {                                                                                                              \
                .name = NAME, .letter = LETTER, .type = OPTION_##TYPE, .flags = (FLAGS), .offset = offsetof(S, M),     \
                .value = VALUE, .help = HELP                                                                           \
        }
#define OPTION_ROW_LIST(NAME, LETTER, S, M, NM, VALUE, HELP)                                                           \
        {                                                                                                              \
                .name = NAME, .letter = LETTER, .type = OPTION_LIST, .offset = offsetof(S, M),                         \
                .n_offset = offsetof(S, NM), .value = VALUE, .help = HELP                                              \
        }
#define OPTION_ROW_CONST(NAME, S, M, NUMBER, HELP)                                                                     \
        {                                                                                                              \
                .name = NAME, .type = OPTION_CONST, .offset = offsetof(S, M), .n_offset = (NUMBER), .help = HELP       \
        }

enum option_dialect {
        OPTION_DIALECT_OWN,   /* all spellings; Go's meaning where they conflict */
        OPTION_DIALECT_GO,    /* no shortened names */
        OPTION_DIALECT_ARGP,  /* one dash starts letters, unless there is no such letter */
        OPTION_DIALECT_PFLAG, /* docker's: whole names behind two dashes, letters behind one, and its words for errors
                               */
};

struct option_set {
        const struct option *items;
        size_t n_items;
        enum option_dialect dialect;
        bool in_order; /* the first word that is no option ends them; otherwise options may stand anywhere */
};

enum option_outcome { OPTION_OUTCOME_OK, OPTION_OUTCOME_HELP, OPTION_OUTCOME_USAGE, OPTION_OUTCOME_VERSION };

/**
 * options_parse() - read the options of a command line
 * @set:       the table
 * @argv:      @n words. The words that are not options are moved to its beginning, in their order.
 * @into:      the struct to fill; values point into the words. Lists are allocated: options_done()
 * @ret_left:  how many words are left in argv
 *
 * Returns an enum option_outcome; --help (-h, -?) and --usage need no rows, each table has them (options_common).
 * INVALID names the option and what was expected.
 */
int options_parse(const struct option_set *set, char **argv, size_t n, void *into, size_t *ret_left,
                  struct cor_err *err) COR_MUST_CHECK;
/* options_done() - free the lists of a struct filled by options_parse() */
void options_done(const struct option_set *set, void *into);

/* The rows that every table has without listing them; --help is the first. */
extern const struct option options_common[];
enum { OPTIONS_N_COMMON = 2 };

/* option_takes_value() - the option is followed by a value */
static inline bool option_takes_value(const struct option *o)
{
        return o->type != OPTION_FLAG && o->type != OPTION_OPT_FLAG && o->type != OPTION_CONST && o->type != OPTION_ASK;
}
/* option_word() - word @i (from 0) of an OPTION_WORD in @buf of sizeof o->value bytes; NULL when there is none */
const char *option_word(const struct option *o, size_t i, char *buf);
/* option_store() - set @o from @value (NULL: given without one), as the parser does; INVALID if it cannot be */
int option_store(const struct option *o, const char *value, void *into, struct cor_err *err) COR_MUST_CHECK;

#endif
