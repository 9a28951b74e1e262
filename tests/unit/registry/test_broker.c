#include "base/fd.h"
#include "registry/broker.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder with config.json, and a broker that may be asked for one.test. */
struct fixture {
        char folder[64];
        struct registry_config config;
        struct broker *broker;
        int hang[2]; /* its end of file means that nobody holds the other end any more */
};

static void write_file(const char *folder, const char *name, const char *text, mode_t mode)
{
        char path[128];
        FILE *f;

        snprintf(path, sizeof path, "%s/%s", folder, name);
        f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
        assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
        struct fixture *f = cor_alloc(sizeof *f);
        auto_strv domains = { 0 };
        auto_str path = NULL;

        strcpy(f->folder, "/tmp/test-broker-XXXXXX");
        assert_non_null(mkdtemp(f->folder));
        write_file(f->folder, "config.json",
                   "{\"auths\":{\"one.test\":{\"auth\":\"dXNlcjpzZWNyZXQ=\"},\"two.test\":{\"auth\":\"dXNlcjpzZWNyZXQ="
                   "\"}},"
                   "\"credHelpers\":{\"slow.test\":\"slow\"}}",
                   0600);
        write_file(f->folder, "docker-credential-slow", "#!/bin/sh\nexec sleep 100\n", 0755);
        path = cor_printf("%s:/usr/bin:/bin", f->folder);
        setenv("PATH", path, 1);
        assert_int_equal(pipe2(f->hang, O_CLOEXEC), 0);
        f->config = (struct registry_config){ .client_config = cor_strdup(f->folder) };
        cor_strv_add(&domains, "one.test");
        cor_strv_add(&domains, "slow.test");
        assert_int_equal(broker_start(&f->config, &domains, &f->broker, NULL), 0);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;
        char path[128];

        broker_free(f->broker);
        close(f->hang[0]);
        close(f->hang[1]);
        registry_config_done(&f->config);
        snprintf(path, sizeof path, "%s/config.json", f->folder);
        unlink(path);
        snprintf(path, sizeof path, "%s/docker-credential-slow", f->folder);
        unlink(path);
        rmdir(f->folder);
        free(f);
        return 0;
}

static void next_name(struct broker *b, char **host, char **addresses)
{
        assert_int_equal(cor_wait_readable(broker_fd(b), 20000, NULL), 1);
        assert_int_equal(broker_next_name(b, host, addresses, NULL), 1);
}

static void a_name_is_answered_with_its_addresses(void **state)
{
        struct fixture *f = *state;
        auto_str host = NULL;
        auto_str addresses = NULL;

        assert_int_equal(broker_next_name(f->broker, &host, &addresses, NULL), 0);
        assert_int_equal(broker_ask_name(f->broker, "127.1.2.3", NULL), 0);
        next_name(f->broker, &host, &addresses);
        assert_string_equal(host, "127.1.2.3");
        assert_string_equal(addresses, "127.1.2.3");
}

static void a_name_without_addresses_is_answered_with_none(void **state)
{
        struct fixture *f = *state;
        auto_str host = NULL;
        auto_str addresses = NULL;

        assert_int_equal(broker_ask_name(f->broker, "no host can have spaces", NULL), 0);
        next_name(f->broker, &host, &addresses);
        assert_string_equal(host, "no host can have spaces");
        assert_string_equal(addresses, "");
}

static void credentials_come_whole(void **state)
{
        struct fixture *f = *state;
        auto_registry_auth a = { 0 };

        assert_int_equal(broker_credentials(f->broker, "one.test", &a, NULL), 1);
        assert_string_equal(a.user, "user");
        assert_string_equal(a.password, "secret");
        assert_null(a.identity_token);
        assert_null(a.registry_token);
}

static void credentials_of_a_registry_that_is_not_asked_are_refused(void **state)
{
        struct fixture *f = *state;
        auto_registry_auth a = { 0 };
        struct cor_err err = { 0 };

        assert_int_equal(broker_credentials(f->broker, "two.test", &a, &err), -1);
        assert_int_equal(err.kind, COR_DENIED);
        assert_null(a.user);
}

static void a_name_that_comes_while_credentials_are_waited_for_is_kept(void **state)
{
        struct fixture *f = *state;
        auto_registry_auth a = { 0 };
        auto_str host = NULL;
        auto_str addresses = NULL;

        assert_int_equal(broker_ask_name(f->broker, "127.0.0.9", NULL), 0);
        assert_int_equal(cor_wait_readable(broker_fd(f->broker), 20000, NULL), 1);
        assert_int_equal(broker_credentials(f->broker, "one.test", &a, NULL), 1);
        assert_int_equal(broker_next_name(f->broker, &host, &addresses, NULL), 1);
        assert_string_equal(addresses, "127.0.0.9");
}

static void waiting_for_a_helper_ends_when_the_engine_has_gone(void **state)
{
        struct fixture *f = *state;
        auto_registry_auth a = { 0 };
        struct cor_err err = { 0 };

        f->config.wake_fd = f->hang[0];
        cor_fd_close(&f->hang[1]);
        assert_int_equal(broker_credentials(f->broker, "slow.test", &a, &err), -1);
        assert_int_equal(err.kind, COR_BUSY);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
        struct fixture *f = *state;
        char name[1000];

        memset(name, 'a', sizeof name);
        name[sizeof name - 1] = '\0';
        assert_int_equal(broker_ask_name(f->broker, name, NULL), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_name_is_answered_with_its_addresses, setup, teardown),
                cmocka_unit_test_setup_teardown(a_name_without_addresses_is_answered_with_none, setup, teardown),
                cmocka_unit_test_setup_teardown(credentials_come_whole, setup, teardown),
                cmocka_unit_test_setup_teardown(credentials_of_a_registry_that_is_not_asked_are_refused, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_name_that_comes_while_credentials_are_waited_for_is_kept, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(waiting_for_a_helper_ends_when_the_engine_has_gone, setup, teardown),
                cmocka_unit_test_setup_teardown(a_name_that_is_too_long_is_refused, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
