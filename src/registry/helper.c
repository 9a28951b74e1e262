#include "registry/helper.h"
#include "base/process.h"
#include "base/text.h"
#include "spec/registry.h"
#include <string.h>

enum { HELPER_MAX_MS = 120 * 1000 }; /* one may ask a person */

/* What a helper prints, on stdout and with status 1, when it has nothing. */
#define NOT_FOUND_TEXT "credentials not found"

static bool fits_name(const char *s)
{
        return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] == '\0';
}

static int run(const char *helper, const char *verb, const char *input, int *ret_status, char **ret_output,
               struct cor_err *err)
{
        auto_str name = cor_printf("docker-credential-%s", helper);
        char *argv[] = { name, (char *)(uintptr_t)verb, NULL };
        struct cor_spawn s = {
                .path = name,
                .argv = argv,
                .input = input,
                .input_len = strlen(input),
                .stdout_fd = -1,
                .stderr_fd = 2,
                .timeout_ms = HELPER_MAX_MS,
        };

        if (!fits_name(helper))
                return cor_fail(err, COR_INVALID, "'%.60s' is not the name of a credential helper", helper);
        if (cor_spawn_run(&s, ret_status, ret_output, err) < 0)
                return cor_wrap(err, "credential helper");
        return 0;
}

/* The first line of what a helper said. */
static int helper_failed(const char *helper, const char *verb, char *output, struct cor_err *err)
{
        output[strcspn(output, "\r\n")] = '\0';
        return cor_fail(err, COR_DENIED, "docker-credential-%s %s failed: %.200s", helper, verb,
                        *output ? output : "it did not say why");
}

static void wipe(char **s)
{
        if (*s)
                explicit_bzero(*s, strlen(*s));
        free(*s);
}
#define auto_secret COR_CLEANUP(wipe) char *

int helper_get(const char *helper, const char *server, struct registry_auth *ret, struct cor_err *err)
{
        auto_json struct helper_credentials *c = NULL;
        auto_secret output = NULL;
        int status;

        if (run(helper, "get", server, &status, &output, err) < 0)
                return -1;
        if (status != 0)
                return strstr(output, NOT_FOUND_TEXT) ? 0 : helper_failed(helper, "get", output, err);
        if (cor_json_parse(&helper_credentials_doc, output, strlen(output), "answer of the credential helper", &c,
                           err) < 0)
                return -1;
        if (!c->secret || !*c->secret)
                return 0;
        if (cor_streq(c->username, "<token>"))
                ret->identity_token = cor_strdup(c->secret);
        else
                ret->password = cor_strdup(c->secret);
        ret->user = cor_strdup(c->username ?: "");
        return 1;
}

int helper_store(const char *helper, const char *server, const struct registry_auth *auth, struct cor_err *err)
{
        struct helper_credentials c = {
                .server_url = server,
                .username = auth->identity_token ? "<token>" : auth->user,
                .secret = auth->identity_token ? auth->identity_token : auth->password,
        };
        auto_text input = COR_TEXT_INIT;
        auto_secret output = NULL;
        int status, r;

        cor_json_print(&helper_credentials_doc, &c, COR_JSON_COMPACT, &input);
        r = run(helper, "store", input.s, &status, &output, err);
        explicit_bzero(input.s, input.len);
        if (r < 0)
                return -1;
        return status == 0 ? 0 : helper_failed(helper, "store", output, err);
}

int helper_erase(const char *helper, const char *server, struct cor_err *err)
{
        auto_secret output = NULL;
        int status;

        if (run(helper, "erase", server, &status, &output, err) < 0)
                return -1;
        return status == 0 || strstr(output, NOT_FOUND_TEXT) ? 0 : helper_failed(helper, "erase", output, err);
}
