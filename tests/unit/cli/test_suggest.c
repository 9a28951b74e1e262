/* What may have been meant. */
#include "base/cleanup.h"
#include "cli/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect(const char *word, const char *best)
{
        static const char *const known[] = {
                "start", "stats", "stop", "restart", "ps", "network-alias", "network", ""
        };
        struct suggest s = SUGGEST_INIT(word);

        for (size_t i = 0; i < COR_COUNT(known); i++)
                suggest_offer(&s, known[i]);
        if (!best != !s.best)
                fail_msg("%s: %s", word, s.best ? s.best : "nothing");
        if (best)
                assert_string_equal(s.best, best);
}

static void words_that_look_alike_are_offered(void **state)
{
        expect("strat", "start"); /* two letters changed places */
        expect("stp", "stop");
        expect("restar", "restart");
        expect("netwrk", "network");
        expect("network-alis", "network-alias");
        expect("sto", "stop");
}

static void others_are_not(void **state)
{
        expect("p", 0);
        expect("", 0);
        expect("build", 0);
        expect("xy", 0);
        expect("a-word-that-is-much-longer-than-any-command-or-flag", 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(words_that_look_alike_are_offered),
                cmocka_unit_test(others_are_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
