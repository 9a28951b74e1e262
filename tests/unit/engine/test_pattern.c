#include "engine/pattern.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct example {
        const char *pattern, *text;
        int matches;
};

static void as_go_matches_paths(void **state)
{
        static const struct example examples[] = {
                { "", "", 1 },
                { "", "a", 0 },
                { "a", "", 0 },
                { "abc", "abc", 1 },
                { "abc", "abd", 0 },
                { "*", "abc", 1 },
                { "*", "", 1 },
                { "*", "a/b", 0 },
                { "*/*", "a/b", 1 },
                { "*/*", "a/b/c", 0 },
                { "a*", "abc", 1 },
                { "a*", "ab/c", 0 },
                { "a*/b", "abc/b", 1 },
                { "a*b*c*d", "axbxcxd", 1 },
                { "a*b*c*d", "axbxcxdx", 0 },
                { "a*b?c*x", "abxbbxdbxebxczzx", 1 },
                { "a*b?c*x", "abxbbxdbxebxczzy", 0 },
                { "**c", "abc", 1 },
                { "a?c", "abc", 1 },
                { "a?c", "a/c", 0 },
                { "a?", "a", 0 },
                { "ab[c]", "abc", 1 },
                { "ab[b-d]", "abc", 1 },
                { "ab[e-g]", "abc", 0 },
                { "ab[^c]", "abc", 0 },
                { "ab[^e-g]", "abc", 1 },
                { "a[^a]b", "a/b", 1 },
                { "a\\*b", "a*b", 1 },
                { "a\\*b", "ab", 0 },
                { "[a-ce-g]x", "fx", 1 },
                { "[\\-x]", "-", 1 },
                { "[x\\-]", "-", 1 },
                { "[x\\-]", "z", 0 },
                { "[\\]a]", "]", 1 },
                { "*x", "xxx", 1 },
                { "debian:*", "debian:12", 1 },
                { "*:1[02]", "debian:12", 1 },
                { "localhost:*/x", "localhost:5000/x", 1 },
                { "[", "a", -1 },
                { "[^", "a", -1 },
                { "[^bc", "a", -1 },
                { "[]a]", "]", -1 },
                { "[-]", "-", -1 },
                { "[x-]", "x", -1 },
                { "[-x]", "x", -1 },
                { "[a-b-c]", "a", -1 },
                { "a[", "a", -1 },
                { "a[", "b", -1 },
                { "a\\", "a", -1 },
                { "*[", "abc", -1 },
        };

        for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
                if (pattern_match(examples[i].pattern, examples[i].text) != examples[i].matches)
                        fail_msg("'%s' and '%s': %d", examples[i].pattern, examples[i].text,
                                 pattern_match(examples[i].pattern, examples[i].text));
}

static void many_stars_come_to_an_end(void **state)
{
        char text[4096], pattern[512];

        memset(text, 'a', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        for (size_t i = 0; i < sizeof pattern - 2; i += 2)
                memcpy(pattern + i, "*a", 2);
        strcpy(pattern + sizeof pattern - 2, "b");
        assert_int_equal(pattern_match(pattern, text), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(as_go_matches_paths),
                cmocka_unit_test(many_stars_come_to_an_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
