#include "registry/challenge.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_challenge_of_docker_hub(void **state)
{
        auto_challenges all = { 0 };
        const struct challenge *c;

        challenges_parse("Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
                         "scope=\"repository:library/debian:pull,push\",error=\"insufficient_scope\"",
                         &all);
        c = challenges_choose(&all);
        assert_non_null(c);
        assert_int_equal(c->scheme, CHALLENGE_BEARER);
        assert_string_equal(c->realm, "https://auth.docker.io/token");
        assert_string_equal(c->service, "registry.docker.io");
        assert_string_equal(c->scope, "repository:library/debian:pull,push");
        assert_string_equal(c->error, "insufficient_scope");
}

static void a_token_is_preferred_to_a_password(void **state)
{
        auto_challenges all = { 0 };

        challenges_parse("Negotiate abc==, basic Realm = \"a \\\"quoted\\\" one\" , BEARER realm=http://x/", &all);
        assert_int_equal(all.n_items, 3);
        assert_int_equal(all.items[0].scheme, CHALLENGE_OTHER);
        assert_int_equal(all.items[1].scheme, CHALLENGE_BASIC);
        assert_string_equal(all.items[1].realm, "a \"quoted\" one");
        assert_ptr_equal(challenges_choose(&all), &all.items[2]);
        assert_string_equal(all.items[2].realm, "http://x/");
}

static void a_token_without_a_realm_is_no_challenge_to_answer(void **state)
{
        auto_challenges all = { 0 };

        challenges_parse("Bearer service=\"x\"", &all);
        assert_null(challenges_choose(&all));
        challenges_parse("Basic", &all);
        assert_int_equal(challenges_choose(&all)->scheme, CHALLENGE_BASIC);
}

static void what_cannot_be_read_ends_the_list(void **state)
{
        static const char *const broken[] = { "",
                                              ",",
                                              "=",
                                              "Bearer realm=\"http://x",
                                              "Bearer realm=\"a\rb\"",
                                              "\"Basic\"",

                                              "Bearer\x01realm=x" };

        for (size_t i = 0; i < COR_COUNT(broken); i++) {
                auto_challenges all = { 0 };

                challenges_parse(broken[i], &all);
                assert_null(challenges_choose(&all));
        }
}

static void no_more_than_a_few_challenges_are_taken(void **state)
{
        auto_challenges all = { 0 };
        char text[1000] = "";

        for (int i = 0; i < 100; i++)
                strcat(text, "A x=y,");
        challenges_parse(text, &all);
        assert_int_equal(all.n_items, 16);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_challenge_of_docker_hub),
                cmocka_unit_test(a_token_is_preferred_to_a_password),
                cmocka_unit_test(a_token_without_a_realm_is_no_challenge_to_answer),
                cmocka_unit_test(what_cannot_be_read_ends_the_list),
                cmocka_unit_test(no_more_than_a_few_challenges_are_taken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
