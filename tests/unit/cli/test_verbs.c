/* What the tables of `coracle` say, and what is made from them. */
#include "base/file.h"
#include "cli/coracle/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct option *find(const struct verb *v, const char *name)
{
        for (size_t i = 0; i < v->n_options; i++)
                if (strcmp(v->options[i].name, name) == 0)
                        return &v->options[i];
        return NULL;
}

/* "name" or "name/letter", parted by spaces */
static void expect_options(const struct verb_place *p, const char *names)
{
        auto_str copy = cor_strdup(names);
        char *cursor = copy, *word;

        while ((word = cor_split_next(&cursor, ' ')) != NULL) {
                char *name = cor_split_next(&word, '/');
                const struct option *o = find(p->verb, name);

                if (!o)
                        fail_msg("%s %s has no --%s", p->group, p->name, name);
                if (o->letter != (word ? *word : '\0'))
                        fail_msg("%s %s --%s has another letter", p->group, p->name, name);
        }
}

static void all_flags_of_docker_are_there(void **state)
{
        static const struct {
                const char *group, *name, *options;
        } rows[] = {
                { "", "images", "all/a digests filter/f format no-trunc quiet/q tree" },
                { "image", "list", "all/a digests filter/f format no-trunc quiet/q" },
                { "image", "remove", "force/f no-prune platform" },
                { "", "rmi", "force/f no-prune platform" },
                { "", "history", "format human/H no-trunc quiet/q" },
                { "", "inspect", "format/f size/s type" },
                { "image", "inspect", "format/f" },
                { "image", "prune", "all/a filter force/f" },
                { "system", "prune", "all/a filter force/f" },
                { "system", "df", "format verbose/v" },
                { "", "exec", "detach/d detach-keys env/e env-file interactive/i privileged tty/t user/u workdir/w" },
                { "", "logs", "details follow/f since tail/n timestamps/t until" },
                { "", "ps", "all/a filter/f format last/n latest/l no-trunc quiet/q size/s" },
                { "", "rm", "force/f link/l volumes/v" },
                { "", "run",
                  "attach/a cpu-shares/c detach/d env/e hostname/h interactive/i label/l memory/m publish/p "
                  "publish-all/P quiet/q rm tty/t user/u volume/v workdir/w" },
                { "", "start", "attach/a detach-keys interactive/i" },
                { "", "stats", "all/a format no-stream no-trunc" },
                { "container", "ls", "all/a filter/f format last/n latest/l no-trunc quiet/q size/s" },
                { "volume", "ls", "cluster filter/f format quiet/q" },
                { "volume", "prune", "all/a filter force/f" },
                { "system", "check", "quiet/q repair" },
                { "", "pull", "all-tags/a disable-content-trust platform quiet/q" },
                { "", "push", "all-tags/a disable-content-trust platform quiet/q" },
                { "", "load", "input/i platform quiet/q" },
                { "", "save", "output/o platform" },
                { "", "import", "change/c message/m platform" },
                { "", "login", "password/p password-stdin username/u" },
                { "", "search", "filter/f format limit no-trunc" },
                { "manifest", "inspect", "insecure" },
                { "", "version", "format/f" },
                { "", "info", "format/f" },
        };

        for (size_t i = 0; i < COR_COUNT(rows); i++) {
                const struct verb_place *p = verb_find(rows[i].group, rows[i].name);

                if (!p)
                        fail_msg("there is no %s %s", rows[i].group, rows[i].name);
                expect_options(p, rows[i].options);
        }
        assert_non_null(verb_find("", "tag"));
        assert_non_null(verb_find("", "logout"));
        assert_null(verb_find("", "ls"));
        assert_non_null(verb_find("container", "list"));
        assert_null(verb_find("image", ""));
}

/* Fixed-size fields: what is too long for one would not be terminated. */
static void rows_are_well_formed(void **state)
{
        for (size_t i = 0; i < verb_n_places; i++) {
                const struct verb_place *p = &verb_places[i];
                const struct verb *v = p->verb;

                assert_int_equal(p->name[sizeof p->name - 1] | p->alias[sizeof p->alias - 1], 0);
                assert_int_equal(v->summary[sizeof v->summary - 1] | v->arguments[sizeof v->arguments - 1], 0);
                assert_true(v->summary[0] && v->run && v->min_args <= v->max_args);
                assert_true((v->n_options > 0) == (v->options_size > 0));
                for (size_t j = 0; j < v->n_options; j++) {
                        const struct option *o = &v->options[j];

                        assert_int_equal(o->name[sizeof o->name - 1] | o->value[sizeof o->value - 1], 0);
                        assert_int_equal(o->help[sizeof o->help - 1], 0);
                        assert_true(o->offset < v->options_size && o->help[0]);
                        if (option_takes_value(o) != (o->value[0] != '\0'))
                                fail_msg("%s --%s: names a value and takes none, or the other way", p->name, o->name);
                        for (size_t k = 0; k < j; k++)
                                assert_true(!o->letter || o->letter != v->options[k].letter);
                }
                if (p->group[0])
                        assert_non_null(verb_group_find(p->group));
        }
}

static void help_has_the_form_of_docker(void **state)
{
        auto_text t = COR_TEXT_INIT;

        help_verb(verb_find("image", "rm"), &t);
        assert_string_equal(t.s, "Usage:  coracle image rm [OPTIONS] IMAGE [IMAGE...]\n\n"
                                 "Remove images and their names\n\n"
                                 "Aliases:\n  coracle rmi, coracle image rm, coracle image remove\n\n"
                                 "Options:\n"
                                 "  -f, --force             Remove an image by its id although several names lead\n"
                                 "                          to it; one that is not there is no failure\n"
                                 "      --no-prune          Accepted; there are no untagged parents\n"
                                 "      --platform string   Remove the image only if it is of this platform\n");
}

static void expect_completion(const char *line, const char *expected)
{
        auto_str copy = cor_strdup(line);
        char *cursor = copy, *words[16];
        auto_text t = COR_TEXT_INIT;
        size_t n = 0;

        while (n < COR_COUNT(words) && (words[n] = cor_split_next(&cursor, ' ')) != NULL)
                n++;
        completion_words(words, n, &t);
        if (strcmp(t.s ? t.s : "", expected) != 0)
                fail_msg("%s: expected %s, found %s", line, expected, t.s ? t.s : "nothing");
}

static void completions_follow_the_grammar(void **state)
{
        expect_completion("ima", "images\nimage\n");
        expect_completion("image p", "prune\npull\npush\n");
        expect_completion("--log-level d", "debug\n");
        expect_completion("--root /x --log-level ", "error\nwarn\ninfo\ndebug\n");
        expect_completion("--root ", ":dirs\n");
        expect_completion("images --no", "--no-trunc\n");
        expect_completion("image ls --d", "--digests\n");
        expect_completion("load -i ", ":files\n");
        expect_completion("completion z", "zsh\n");
        expect_completion("--r", "--root\n");
        expect_completion("nothing ", "");
        expect_completion("system ", "check\ndf\ndoctor\nevents\ninfo\nprune\nstart\nstop\n");
        expect_completion("container pa", "pause\n");
        expect_completion("run --cidf", "--cidfile\n");
        expect_completion("run --cidfile ", ":files\n");
}

static void the_man_page_tells_of_everything(void **state)
{
        static const char begin[] = "\n.\\\" begin: coracle completion manual\n", end[] = "\n.\\\" end\n";
        auto_str path = cor_printf("%s/docs/man/coracle.1", getenv("CORACLE_SOURCE"));
        auto_text made = COR_TEXT_INIT;
        struct cor_err err = { 0 };
        auto_str page = NULL;
        char *from, *to;

        if (cor_read_file(path, 1 << 20, &page, NULL, &err) < 0)
                fail_msg("%s", err.msg);
        from = strstr(page, begin);
        to = strstr(page, end);
        assert_true(from && to);
        to[1] = '\0';
        manual_print(&made);
        if (strcmp(from + strlen(begin), made.s) != 0)
                fail_msg("docs/man/coracle.1 is not what the tables say: scripts/manual brings it up to date");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_flags_of_docker_are_there),    cmocka_unit_test(rows_are_well_formed),
                cmocka_unit_test(help_has_the_form_of_docker),      cmocka_unit_test(completions_follow_the_grammar),
                cmocka_unit_test(the_man_page_tells_of_everything),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
