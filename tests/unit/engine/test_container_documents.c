/*
 * Documents of containers from rows and files. How a row is made sure of is engine_container()'s; here it is what the
 * database says.
 */
#include "base/fd.h"
#include "base/text.h"
#include "engine/container.h"
#include "engine/container_inspect.h"
#include "store/container.h"
#include "store/hash.h"
#include "store/layer.h"
#include "store/snapshot.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../json_quotes.h"
#include "../store/opened.h"

int engine_container(struct engine *e, const char *name, bool full, struct container_row *ret, struct cor_err *err)
{
        return container_row_find(e->store, name, ret, err);
}

static const char id[] = "4f1c6b1f6a0e5f5bb3b0a6ad44f2ad1b28ac2f66b7ab7c6a2d28b6b2f6f0a1c3";

static struct container_row make_row(void)
{
        struct container_row r = { .id = cor_strdup(id), .name = cor_strdup("web"), .image = cor_strdup("busybox") };

        r.image_id = hash_bytes("image", 5);
        r.created = 1709251199120000000;
        r.config = json_quotes("{'Image':'busybox','Entrypoint':['sh'],'Cmd':['-c','a && b']}");
        r.host_config = json_quotes("{'NetworkMode':'default','LogConfig':{'Type':'json-file'}}");
        return r;
}

static struct docker_container *inspect(struct engine *e, bool size)
{
        struct docker_container *c = NULL;
        struct cor_err err = { 0 };

        if (engine_inspect_container(e, "web", size, &c, &err) < 0)
                fail_msg("%s", err.msg);
        return c;
}

static void add(struct store *s, struct container_row *r)
{
        struct cor_err err = { 0 };

        if (container_row_add(s, r, &err) < 0)
                fail_msg("%s", err.msg);
}

static void what_was_only_created(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        struct engine e = { .store = s };
        auto_container_row r = make_row();
        auto_json struct docker_container *c = NULL;
        auto_text out = COR_TEXT_INIT;

        add(s, &r);
        c = inspect(&e, false);
        assert_string_equal(c->id, id);
        assert_string_equal(c->created, "2024-02-29T23:59:59.12Z");
        assert_string_equal(c->path, "sh");
        assert_int_equal(c->n_args, 2);
        assert_string_equal(c->args[1], "a && b");
        assert_string_equal(c->state->status, "created");
        assert_false(c->state->running);
        assert_string_equal(c->state->started_at, "0001-01-01T00:00:00Z");
        assert_null(c->state->health);
        assert_string_equal(c->name, "/web");
        assert_string_equal(c->log_path, "");
        assert_string_equal(c->hosts_path, "");
        assert_string_equal(c->graph_driver->name, "overlay2");
        assert_int_equal(c->network_settings->n_networks, 1);
        assert_string_equal(c->network_settings->networks[0].name, "bridge");
        cor_json_print(&docker_container_doc, c, COR_JSON_COMPACT | COR_JSON_API, &out);
        assert_non_null(strstr(out.s, "\"Args\":[\"-c\",\"a && b\"]"));
        assert_non_null(strstr(out.s, "\"Ports\":{}"));
        assert_non_null(strstr(out.s, "\"ExecIDs\":null"));
        assert_non_null(strstr(out.s, "\"Mounts\":[]"));
}

static void make_layer(struct store *s, const struct digest *name)
{
        auto_layer_ingest i = NULL;

        assert_int_equal(layer_ingest_begin(s, &i, NULL), 0);
        assert_int_equal(layer_ingest_finish(i, 1000, NULL), 0);
        assert_int_equal(layer_ingest_commit(i, name, NULL), 0);
}

static void what_runs(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        struct engine e = { .store = s };
        auto_container_row r = make_row();
        auto_json struct docker_container *c = NULL;
        auto_str folder = cor_printf("store/containers/%s", id);
        auto_str log = cor_printf("%s/%s-json.log", folder, id);
        auto_str health = cor_printf("%s/health.json", folder);
        auto_str config = cor_printf("%s/config.json", folder);
        auto_str text = NULL;

        r.now = (struct container_now){ .phase = CONTAINER_PHASE_PAUSED,
                                        .pid = 77,
                                        .started = 1709251200000000000,
                                        .health = CONTAINER_HEALTH_GOOD,
                                        .restart_count = 2 };
        *COR_GROW(r.layers, r.n_layers) = hash_bytes("1", 1);
        *COR_GROW(r.layers, r.n_layers) = hash_bytes("2", 1);
        make_layer(s, &r.layers[0]);
        make_layer(s, &r.layers[1]);
        r.mounts = json_quotes("[{'Type':'bind','Source':'/a','Destination':'/b','Mode':'','RW':true}]");
        r.endpoints = json_quotes("{'SandboxID':'s1','Ports':{'80/tcp':null},'IPAddress':'172.17.0.2','Networks':"
                                  "{'bridge':{'IPAddress':'172.17.0.2','IPPrefixLen':16}}}");
        add(s, &r);
        scratch_file(*state, log, "");
        text = json_quotes("{'Status':'starting','FailingStreak':1,'Log':[{'ExitCode':1,'Output':'x'}]}");
        scratch_file(*state, health, text);
        free(text);
        text = json_quotes("{'process':{'apparmorProfile':'docker-default','args':['sh']},'linux':{'mountLabel':'m'}}");
        scratch_file(*state, config, text);
        c = inspect(&e, false);
        assert_true(c->state->running && c->state->paused && !c->state->restarting);
        assert_string_equal(c->state->status, "paused");
        assert_int_equal(c->state->pid, 77);
        assert_string_equal(c->state->started_at, "2024-03-01T00:00:00Z");
        assert_string_equal(c->state->health->status, "healthy"); /* the row is newer */
        assert_int_equal(c->state->health->n_log, 1);
        assert_int_equal(c->restart_count, 2);
        assert_string_equal(c->app_armor_profile, "docker-default");
        assert_string_equal(c->mount_label, "m");
        assert_true(cor_ends_with(c->log_path, "-json.log"));
        assert_string_equal(c->network_settings->ip_address, "172.17.0.2");
        assert_int_equal(c->network_settings->networks[0].ip_prefix_len, 16);
        assert_string_equal(c->mounts[0].destination, "/b");
        assert_string_equal(c->graph_driver->data[1].key, "MergedDir");
        assert_string_equal(c->graph_driver->data[1].value, "/proc/77/root");
        assert_non_null(strstr(c->graph_driver->data[0].value, digest_hex(&r.layers[1])));
        assert_true(strstr(c->graph_driver->data[0].value, digest_hex(&r.layers[1])) <
                    strstr(c->graph_driver->data[0].value, digest_hex(&r.layers[0]))); /* uppermost first */
}

/* What it was connected with is not shown any more; what the user asked for is. */
static void what_has_ended(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        struct engine e = { .store = s };
        auto_container_row r = make_row();
        auto_json struct docker_container *c = NULL;

        r.now = (struct container_now){ .phase = CONTAINER_PHASE_EXITED,
                                        .pid = 77,
                                        .started = 1000000000,
                                        .finished = 2000000000,
                                        .exit_code = 137,
                                        .oom_killed = true };
        r.networking = json_quotes("{'EndpointsConfig':{'net1':{'Aliases':['db'],'GwPriority':3}}}");
        free(r.host_config);
        r.host_config = json_quotes("{'NetworkMode':'net1','LogConfig':{'Type':'none'}}");
        r.endpoints = json_quotes("{'SandboxID':'s1','Networks':{'net1':{'IPAddress':'10.0.0.2'}}}");
        add(s, &r);
        c = inspect(&e, false);
        assert_int_equal(c->state->pid, 0);
        assert_int_equal(c->state->exit_code, 137);
        assert_true(c->state->oom_killed);
        assert_string_equal(c->state->finished_at, "1970-01-01T00:00:02Z");
        assert_int_equal(c->network_settings->n_networks, 1);
        assert_string_equal(c->network_settings->networks[0].aliases[0], "db");
        assert_int_equal(c->network_settings->networks[0].gw_priority, 3);
        assert_string_equal(c->network_settings->networks[0].ip_address, "");
}

static void sizes_count_what_was_written(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        struct engine e = { .store = s };
        auto_container_row r = make_row();
        auto_json struct docker_container *before = NULL, *after = NULL;
        auto_str folder = cor_printf("store/containers/%s", id);
        auto_str deep = cor_printf("%s/upper/deep", folder);
        auto_str one = cor_printf("%s/one", deep);
        auto_str two = cor_printf("%s/upper/two", folder);
        auto_fd fd = -1;

        *COR_GROW(r.layers, r.n_layers) = hash_bytes("1", 1);
        make_layer(s, &r.layers[0]);
        add(s, &r);
        before = inspect(&e, true);
        assert_int_equal(before->size_rw.value, 0);
        assert_int_equal(before->size_root_fs.value, 1000);
        fd = container_folder_open(s, id, NULL);
        assert_int_equal(snapshot_make(s, fd, r.layers, r.n_layers, 0, NULL), 0);
        scratch_dir(*state, deep);
        scratch_file(*state, one, "1234567");
        assert_int_equal(linkat(((struct scratch *)*state)->fd, one, ((struct scratch *)*state)->fd, two, 0), 0);
        after = inspect(&e, true);
        assert_int_equal(after->size_rw.value, 7);
        assert_int_equal(after->size_root_fs.value, 1007);
}

static void what_is_broken_is_said(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        struct engine e = { .store = s };
        auto_container_row r = make_row();
        struct docker_container *c = NULL;
        struct docker_stats *stats = NULL;
        struct docker_top *top = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(engine_inspect_container(&e, "none", false, &c, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        free(r.config);
        r.config = json_quotes("{'Env':7}");
        add(s, &r);
        assert_int_equal(engine_inspect_container(&e, "web", false, &c, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_non_null(strstr(err.msg, "Config: Env: expected a list of strings"));
        assert_int_equal(engine_top(&e, "web", NULL, 0, &top, &err), -1);
        assert_int_equal(err.kind, COR_BUSY);
        assert_int_equal(engine_stats(&e, "web", NULL, &stats, &err), 0); /* nothing is used by what does not run */
        assert_string_equal(stats->name, "/web");
        assert_string_equal(stats->read, "0001-01-01T00:00:00Z");
        assert_int_equal(stats->cpu.usage.total, 0);
        cor_json_free(stats);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(what_was_only_created),  scratch_test(what_runs),
                scratch_test(what_has_ended),         scratch_test(sizes_count_what_was_written),
                scratch_test(what_is_broken_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
