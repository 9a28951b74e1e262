#include "registry/problem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct problem of(int status, const char *body)
{
        return problem_read(status, body, strlen(body));
}

static void codes_are_said_as_docker_says_them(void **state)
{
        struct problem p = of(404, "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest "
                                   "unknown\",\"detail\":{\"Tag\":\"x\"}}]}");

        assert_string_equal(p.text, "manifest unknown: manifest unknown");
        assert_int_equal(p.kind, COR_NOT_FOUND);
        assert_true(p.manifest_unknown);
        p = of(401, "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"authentication "
                    "required\"},{\"code\":\"DENIED\"}]}");
        assert_string_equal(p.text, "unauthorized: authentication required; denied");
        assert_int_equal(p.kind, COR_DENIED);
        assert_true(p.denied);
}

static void a_rate_limit_is_busy_whatever_its_status(void **state)
{
        struct problem p = of(403, "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"later\"}]}");

        assert_int_equal(p.kind, COR_BUSY);
        assert_string_equal(p.text, "toomanyrequests: later");
        assert_int_equal(of(429, "").kind, COR_BUSY);
}

static void other_documents_are_understood(void **state)
{
        assert_string_equal(of(401, "{\"details\":\"incorrect username or password\"}").text,
                            "unauthorized: incorrect username or password");
        assert_string_equal(of(400, "{\"error\":\"invalid_grant\",\"error_description\":\"expired\"}").text,
                            "invalid grant: expired");
        assert_string_equal(of(500, "{\"message\":\"no\"}").text, "no");
}

static void what_is_no_document_is_its_status(void **state)
{
        assert_string_equal(of(502, "").text, "502 Bad Gateway");
        assert_string_equal(of(502, " \n<html>").text, "502 Bad Gateway (an HTML page instead of a registry's answer)");
        assert_string_equal(of(404, "{\"errors\":\"x\"}").text, "404 Not Found");
        assert_string_equal(of(404, "{\"errors\":[]}").text, "404 Not Found");
        assert_string_equal(of(299, "[").text, "299 unexpected status");
}

static void text_is_bounded_and_holds_nothing_for_terminals(void **state)
{
        char body[2000] = "{\"errors\":[{\"code\":\"A\\u001bB\",\"message\":\"x\\u001b[31m\\n";
        struct problem p;

        for (int i = 0; i < 500; i++)
                strcat(body, "yy");
        strcat(body, "\"}]}");
        p = of(400, body);
        assert_true(strlen(p.text) < sizeof p.text);
        for (const char *s = p.text; *s; s++)
                assert_true(*s >= ' ');
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(codes_are_said_as_docker_says_them),
                cmocka_unit_test(a_rate_limit_is_busy_whatever_its_status),
                cmocka_unit_test(other_documents_are_understood),
                cmocka_unit_test(what_is_no_document_is_its_status),
                cmocka_unit_test(text_is_bounded_and_holds_nothing_for_terminals),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
