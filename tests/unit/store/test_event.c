#include "base/fd.h"
#include "base/text.h"
#include "store/container.h"
#include "store/event.h"
#include "store/image.h"
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "opened.h"

/* A store whose folder of sockets is in the scratch folder as well */
static struct store *open_with_run(struct scratch *scratch)
{
        auto_str run = cor_printf("%s/run", scratch->path);

        setenv("CORACLE_RUN", run, 1);
        return open_store(scratch, 0);
}

static char *events_path(struct store *s, const char *name)
{
        const char *run;

        assert_int_equal(store_run_path(s, &run, NULL), 0);
        return cor_printf("%s/%s", run, name);
}

static void write_one(struct store *s, const char *type, const char *action, const char *id, const char *name)
{
        const struct cor_pair attributes[] = { { "name", name }, { "image", "busybox:1" }, { "tier", "web" } };

        event_write(s, type, action, id, attributes, 3);
}

static struct event_reader *reader(struct store *s, const struct event_query *q)
{
        struct event_reader *r = NULL;
        struct cor_err err = { 0 };

        if (event_reader_open(s, q, &r, &err) < 0)
                fail_msg("%s", err.msg);
        return r;
}

/* The actions that are there, one after the other, without waiting */
static char *actions(struct event_reader *r)
{
        auto_text all = COR_TEXT_INIT;
        const struct docker_event *e;
        struct cor_err err = { 0 };
        int more;

        while ((more = event_reader_next(r, false, &e, &err)) > 0)
                cor_text_printf(&all, "%s%s", all.len ? " " : "", e->action);
        if (more < 0)
                fail_msg("%s", err.msg);
        return cor_text_take(&all);
}

static void expect(struct store *s, const struct event_query *q, const char *wanted)
{
        auto_event_reader r = reader(s, q);
        auto_str found = actions(r);

        assert_string_equal(found, wanted);
}

static void documents_are_dockers(void **state)
{
        auto_store s = open_with_run(*state);
        auto_str path = events_path(s, "events");
        auto_str wanted = NULL;
        const struct event_query all = { .since = 1 };
        struct container_row row = { .id = (char *)(uintptr_t) "abc",
                                     .name = (char *)(uintptr_t) "web",
                                     .image = (char *)(uintptr_t) "busybox" };
        const struct cor_pair code = { "exitCode", "7" };
        const struct docker_event *e;
        auto_event_reader r = NULL;
        char line[1024];
        FILE *f;

        cor_strv_add(&row.labels, "b=<2>");
        cor_strv_add(&row.labels, "a=1");
        cor_strv_add(&row.labels, "name=a label has no say");
        event_write_container(s, &row, "die", &code, 1);
        cor_strv_done(&row.labels);
        event_write(s, "network", "create", "net1", NULL, 0);
        r = reader(s, &all);
        assert_int_equal(event_reader_next(r, false, &e, NULL), 1);
        assert_int_equal(e->time, e->time_nano / 1000000000);
        assert_true(llabs(e->time - time(NULL)) < 600);
        f = fopen(path, "r");
        assert_non_null(f);
        assert_non_null(fgets(line, sizeof line, f));
        wanted = cor_printf("{\"status\":\"die\",\"id\":\"abc\",\"from\":\"busybox\",\"Type\":\"container\",\"Action\":"
                            "\"die\",\"Actor\":{\"ID\":\"abc\",\"Attributes\":{\"a\":\"1\",\"b\":\"<2>\",\"exitCode\":"
                            "\"7\",\"image\":\"busybox\",\"name\":\"web\"}},\"scope\":\"local\",\"time\":%" PRId64
                            ",\"timeNano\":%" PRId64 "}\n",
                            e->time, e->time_nano);
        assert_string_equal(line, wanted);
        assert_non_null(fgets(line, sizeof line, f));
        assert_int_equal(strncmp(line,
                                 "{\"Type\":\"network\",\"Action\":\"create\",\"Actor\":{\"ID\":\"net1\","
                                 "\"Attributes\":{}},\"scope\":\"local\",\"time\":",
                                 90),
                         0);
        fclose(f);
}

static void time_limits_what_is_read(void **state)
{
        auto_store s = open_with_run(*state);
        struct event_query q = { .since = 1 };
        const struct docker_event *e;
        int64_t times[3];
        auto_event_reader r = NULL;

        expect(s, &q, "");
        write_one(s, "container", "create", "a1", "web");
        write_one(s, "container", "start", "a1", "web");
        write_one(s, "container", "die", "a1", "web");
        r = reader(s, &q);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(event_reader_next(r, false, &e, NULL), 1);
                times[i] = e->time_nano;
        }
        assert_int_equal(event_reader_next(r, false, &e, NULL), 0);
        q.since = times[1];
        expect(s, &q, "start die");
        q.until = times[1];
        expect(s, &q, "start");
        q.since = 0; /* from now on */
        q.until = 0;
        expect(s, &q, "");
        q.since = 1;
        q.until = 2; /* long ago: waiting ends at once */
        event_reader_free(COR_TAKE(r));
        r = reader(s, &q);
        assert_int_equal(event_reader_next(r, true, &e, NULL), 0);
}

static void filters_are_dockers(void **state)
{
        static const struct {
                struct cor_pair filters[2];
                const char *actions;
        } cases[] = {
                { { { "type", "image" } }, "pull" },
                { { { "type", "image" }, { "type", "network" } }, "pull connect" },
                { { { "event", "start" } }, "start" },
                { { { "event", "exec_start" } }, "exec_start: sh" },
                { { { "event", "star" } }, "" },
                { { { "container", "a1" } }, "start exec_start: sh" },
                { { { "container", "web" } }, "start exec_start: sh die" }, /* and web2 */
                { { { "container", "web2" } }, "die" },
                { { { "container", "web" }, { "event", "start" } }, "start" },
                { { { "image", "busybox" } }, "start exec_start: sh die" },
                { { { "image", "busybox:1" }, { "event", "die" } }, "die" },
                { { { "image", "alpine" } }, "pull" },
                { { { "label", "tier" } }, "start exec_start: sh die" },
                { { { "label", "tier=web" }, { "event", "start" } }, "start" },
                { { { "label", "tier=db" } }, "" },
                { { { "scope", "local" }, { "event", "die" } }, "die" },
                { { { "scope", "swarm" } }, "" },
                { { { "network", "bridge" } }, "connect" },
                { { { "volume", "x" } }, "" },
        };
        const struct cor_pair image[] = { { "name", "alpine:3" } }, network[] = { { "name", "bridge" } };
        auto_store s = open_with_run(*state);
        struct event_reader *none = NULL;
        struct cor_err err = { 0 };

        write_one(s, "container", "start", "a1", "web");
        write_one(s, "container", "exec_start: sh", "a1", "web");
        write_one(s, "container", "die", "b2", "web2");
        event_write(s, "image", "pull", "alpine:3", image, 1);
        event_write(s, "network", "connect", "net", network, 1);
        for (size_t i = 0; i < COR_COUNT(cases); i++) {
                struct event_query q = { .since = 1,
                                         .filters = cases[i].filters,
                                         .n_filters = cases[i].filters[1].key ? 2 : 1 };

                expect(s, &q, cases[i].actions);
        }
        {
                const struct cor_pair wrong = { "colour", "red" };
                const struct event_query q = { .filters = &wrong, .n_filters = 1 };

                assert_int_equal(event_reader_open(s, &q, &none, &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
                assert_string_equal(err.msg, "invalid filter 'colour'");
        }
}

/* Many write at once, and one follows: nothing is lost, doubled or torn, also while the file is turned over. */
static void followers_see_everything(void **state)
{
        enum { WRITERS = 3, EACH = 160 }; /* one turn: who lags behind for two of them misses something */
        auto_store s = open_with_run(*state);
        auto_str old = events_path(s, "events.1");
        auto_str big = cor_alloc(4001);
        const struct event_query q = { 0 };
        auto_event_reader r = reader(s, &q);
        int next[WRITERS] = { 0 }, status;
        pid_t pids[WRITERS];

        memset(big, 'x', 4000);
        for (int w = 0; w < WRITERS; w++) {
                pids[w] = fork();
                if (pids[w] == 0) {
                        const struct cor_pair attribute = { "big", big };

                        for (int i = 0; i < EACH; i++) {
                                auto_str action = cor_printf("%d-%d", w, i);

                                event_write(s, "container", action, "id", &attribute, 1);
                        }
                        _exit(0);
                }
        }
        for (int n = 0; n < WRITERS * EACH; n++) {
                const struct docker_event *e;
                int w, i;

                assert_int_equal(event_reader_next(r, true, &e, NULL), 1);
                assert_int_equal(sscanf(e->action, "%d-%d", &w, &i), 2);
                assert_int_equal(i, next[w]);
                next[w]++;
        }
        for (int w = 0; w < WRITERS; w++)
                assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
        assert_int_equal(access(old, F_OK), 0); /* it was turned over */
        {
                const struct event_query all = { .since = 1 };
                auto_event_reader again = reader(s, &all);
                const struct docker_event *e;
                int n = 0;

                while (event_reader_next(again, false, &e, NULL) > 0)
                        n++;
                assert_in_range(n, 256, WRITERS * EACH);
        }
}

static void half_a_line_spoils_only_itself(void **state)
{
        auto_store s = open_with_run(*state);
        const struct event_query q = { .since = 1 };
        auto_str path = events_path(s, "events");
        FILE *f;

        write_one(s, "container", "create", "a1", "web");
        f = fopen(path, "a");
        assert_non_null(f);
        fputs("{\"Type\":\"contai", f);
        fclose(f);
        expect(s, &q, "create");
        write_one(s, "container", "start", "a1", "web");
        f = fopen(path, "a");
        fputs("[]\nnull\n{\"Type\":1}\n\n", f);
        fclose(f);
        write_one(s, "container", "die", "a1", "web");
        expect(s, &q, "create start die");
}

static void expect_next(struct event_reader *r, const char *wanted)
{
        auto_text found = COR_TEXT_INIT;
        const struct docker_event *e;

        assert_int_equal(event_reader_next(r, false, &e, NULL), 1);
        cor_text_printf(&found, "%s %s %s:", e->type, e->action, e->actor.id);
        for (size_t i = 0; i < e->actor.n_attributes; i++)
                cor_text_printf(&found, " %s=%s", e->actor.attributes[i].key, e->actor.attributes[i].value);
        assert_string_equal(found.s, wanted);
}

static void images_volumes_and_prunes_are_told_as_docker_tells_them(void **state)
{
        auto_store s = open_with_run(*state);
        const struct event_query all = { .since = 1 };
        const struct cor_pair place = { "destination", "/data" };
        struct image_row image = { .n_layers = 0 };
        auto_event_reader r = NULL;

        snprintf(image.id.text, sizeof image.id.text, "sha256:12");
        cor_strv_add(&image.labels, "maker=me");
        event_write_image(s, &image, "tag", NULL, "busybox:2");
        event_write_image(s, &image, "pull", "busybox:latest", "busybox");
        cor_strv_done(&image.labels);
        event_write_volume(s, "vol", "create", NULL, NULL, 0);
        event_write_volume(s, "vol", "mount", "abc", &place, 1);
        event_write_prune(s, "volume", 42);
        r = reader(s, &all);
        expect_next(r, "image tag sha256:12: maker=me name=busybox:2");
        expect_next(r, "image pull busybox:latest: maker=me name=busybox");
        expect_next(r, "volume create vol: driver=local");
        expect_next(r, "volume mount vol: container=abc destination=/data driver=local");
        expect_next(r, "volume prune : reclaimed=42");
}

static void the_descriptor_tells_of_more(void **state)
{
        auto_store s = open_with_run(*state);
        const struct event_query q = { 0 };
        auto_event_reader r = reader(s, &q);
        struct pollfd p = { .fd = event_reader_fd(r), .events = POLLIN };
        const struct docker_event *e;

        assert_int_equal(poll(&p, 1, 0), 0);
        write_one(s, "container", "create", "a1", "web"); /* makes the file */
        assert_int_equal(poll(&p, 1, 10000), 1);
        assert_int_equal(event_reader_next(r, true, &e, NULL), 1);
        assert_string_equal(e->action, "create");
        assert_int_equal(event_reader_next(r, false, &e, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(documents_are_dockers),
                scratch_test(time_limits_what_is_read),
                scratch_test(filters_are_dockers),
                scratch_test(followers_see_everything),
                scratch_test(half_a_line_spoils_only_itself),
                scratch_test(images_volumes_and_prunes_are_told_as_docker_tells_them),
                scratch_test(the_descriptor_tells_of_more),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
