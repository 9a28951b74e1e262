/* A command line of `create`, a word in each line: what is taken makes documents that read back as themselves. */
#include "cli/coracle/container_flags.h"

#include "document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 64 };

/* No files of the machine are read: what they say would be part of the input. */
static bool names_a_file(const char *word)
{
        return strstr(word, "-file") || strstr(word, "seccomp");
}

static void read_back(const struct cor_json_doc *doc, const struct cor_text *text, struct cor_text *out)
{
        auto_json void *copy = NULL;

        FUZZ_REQUIRE(cor_json_parse(doc, text->s, text->len, NULL, &copy, NULL) == 0);
        cor_json_print(doc, copy, COR_JSON_COMPACT, out);
}

/* From the second time on: bytes that are not UTF-8 do not survive the first. */
static void again(const struct cor_json_doc *doc, const void *object)
{
        auto_text first = COR_TEXT_INIT, second = COR_TEXT_INIT, third = COR_TEXT_INIT;

        cor_json_print(doc, object, COR_JSON_COMPACT, &first);
        read_back(doc, &first, &second);
        read_back(doc, &second, &third);
        FUZZ_REQUIRE(strcmp(second.s, third.s) == 0);
}

static void run(char **words, size_t n)
{
        const struct option_set set = { .items = container_rows + CONTAINER_RUN_ONLY,
                                        .n_items = CONTAINER_N_ROWS - CONTAINER_RUN_ONLY,
                                        .dialect = OPTION_DIALECT_PFLAG,
                                        .in_order = true };
        auto_container_request r = NULL;
        struct container_flags f = { 0 };
        struct cor_err err = { 0 };
        size_t left = 0;

        if (options_parse(&set, words, n, &f, &left, &err) == 0 && left > 0) {
                if (container_request_make(&f, words, left, &r, &err) == 0) {
                        again(&docker_config_doc, &r->config);
                        again(&docker_host_config_doc, &r->host);
                        (void)!container_flags_refuse(&f, &err);
                } else {
                        FUZZ_REQUIRE(err.msg[0] && err.kind != COR_OK);
                }
        }
        options_done(&set, &f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        auto_str text = cor_strndup((const char *)data, size);
        char *cursor = text, *word, *words[WORDS_MAX + 1];
        size_t n = 0;

        while (n < WORDS_MAX && (word = cor_split_next(&cursor, '\n')) != NULL)
                if (!names_a_file(word))
                        words[n++] = word;
        words[n] = NULL;
        run(words, n);
        return 0;
}
