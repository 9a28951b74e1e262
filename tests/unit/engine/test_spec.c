/* What a user and an image say, and what becomes of it: the documents that `create` stores. */
#include "base/file.h"
#include "engine/spec.h"
#include "engine/volume.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../json_quotes.h"
#include "../store/opened.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct asked {
        struct docker_config *config;
        struct docker_host_config *host;
        struct image_config_run *image;
};

static void *parsed(const struct cor_json_doc *doc, const char *text)
{
        auto_str quoted = json_quotes(text);
        struct cor_err err = { 0 };
        void *object = NULL;

        if (cor_json_parse(doc, quoted, strlen(quoted), "doc", &object, &err) < 0)
                fail_msg("%s", err.msg);
        return object;
}

static struct asked ask(const char *config, const char *host, const char *image)
{
        return (struct asked){ parsed(&docker_config_doc, config), parsed(&docker_host_config_doc, host),
                               image ? parsed(&image_config_run_doc, image) : NULL };
}

static void asked_done(struct asked *a)
{
        cor_json_free(a->config);
        cor_json_free(a->host);
        cor_json_free(a->image);
}

static int prepare(struct store *s, const char *config, const char *host, const char *image, struct spec_documents *ret,
                   struct cor_strv *warnings, struct cor_err *err)
{
        struct asked a COR_CLEANUP(asked_done) = ask(config, host, image);
        struct spec_new n = { .id = ID, .config = a.config, .host_config = a.host, .image = a.image };

        return spec_prepare(s, &n, ret, warnings, err);
}

static struct spec_documents prepared(struct store *s, const char *config, const char *host, const char *image)
{
        struct spec_documents d = { 0 };
        struct cor_err err = { 0 };

        if (prepare(s, config, host, image, &d, NULL, &err) < 0)
                fail_msg("%s", err.msg);
        return d;
}

static void refused(struct store *s, const char *config, const char *host, const char *message)
{
        auto_spec_documents d = { 0 };
        struct cor_err err = { 0 };

        assert_int_equal(prepare(s, config, host, NULL, &d, NULL, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_string_equal(err.msg, message);
}

static void list_is(const char *const *items, size_t n, const char *expected)
{
        auto_text joined = COR_TEXT_INIT;

        cor_text_add(&joined, "");
        for (size_t i = 0; i < n; i++)
                cor_text_printf(&joined, "%s%s", i ? " " : "", items[i]);
        assert_string_equal(joined.s, expected);
}

/* --- the image --------------------------------------------------------------------------------------------------- */

static void command_is(struct store *s, const char *config, const char *image, const char *entrypoint, const char *cmd)
{
        auto_spec_documents d = prepared(s, config, "{}", image);

        list_is(d.config->entrypoint, d.config->n_entrypoint, entrypoint);
        list_is(d.config->cmd, d.config->n_cmd, cmd);
}

static void an_entrypoint_of_one_s_own_drops_the_image_s_command(void **state)
{
        static const char both[] = "{'Entrypoint':['e'],'Cmd':['c']}";
        auto_store s = open_store(*state, STORE_DATABASE);

        command_is(s, "{}", both, "e", "c");
        command_is(s, "{'Cmd':['x','y']}", both, "e", "x y");
        command_is(s, "{'Entrypoint':['z']}", both, "z", "");
        command_is(s, "{'Entrypoint':['z'],'Cmd':['x']}", both, "z", "x");
        command_is(s, "{'Entrypoint':[''],'Cmd':['x']}", both, "", "x");
        command_is(s, "{'Entrypoint':[],'Cmd':['x']}", both, "", "x");
        command_is(s, "{}", "{'Cmd':['c']}", "", "c");
        refused(s, "{}", "{}", "no command specified");
        refused(s, "{'Entrypoint':['']}", "{}", "no command specified");
}

static void environment_and_labels_are_merged_by_name(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_spec_documents d =
                prepared(s, "{'Cmd':['x'],'Env':['A=user','C'],'Labels':{'k':'user'}}", "{}",
                         "{'Env':['A=image','B=image','C=image','AB=1'],'Labels':{'k':'image','l':'i'},"
                         "'ExposedPorts':{'80/tcp':{}},'User':'u','WorkingDir':'/w','StopSignal':'INT'}");

        list_is(d.config->env, d.config->n_env, "A=user C B=image AB=1");
        assert_int_equal(d.config->n_labels, 2);
        assert_string_equal(d.config->labels[0].value, "user");
        assert_string_equal(d.config->exposed_ports[0].key, "80/tcp");
        assert_string_equal(d.config->user, "u");
        assert_string_equal(d.config->working_dir, "/w");
        assert_string_equal(d.config->stop_signal, "INT");
}

static void parts_of_a_health_check_are_inherited(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_spec_documents d = prepared(s, "{'Cmd':['x'],'Healthcheck':{'Interval':5000000000}}", "{}",
                                         "{'Healthcheck':{'Test':['CMD','t'],'Interval':1000000000,'Retries':4}}");

        list_is(d.config->healthcheck->test, d.config->healthcheck->n_test, "CMD t");
        assert_int_equal(d.config->healthcheck->interval, 5000000000);
        assert_int_equal(d.config->healthcheck->retries, 4);
}

static void defaults_are_filled_in(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_spec_documents d = prepared(s, "{'Cmd':['x']}", "{'PidMode':'host'}", NULL);

        assert_string_equal(d.config->hostname, "0123456789ab");
        assert_string_equal(d.host_config->network_mode, "default");
        assert_string_equal(d.host_config->ipc_mode, "private");
        assert_string_equal(d.host_config->restart_policy.name, "no");
        assert_int_equal(d.host_config->shm_size, 64 << 20);
        list_is(d.host_config->security_opt, d.host_config->n_security_opt, "label=disable");
        assert_true(d.host_config->n_masked_paths >= 12);
        assert_int_equal(d.host_config->n_readonly_paths, 5);
}

static void nothing_is_masked_if_so_asked(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_spec_documents d = prepared(s, "{'Cmd':['x']}", "{'MaskedPaths':[],'ReadonlyPaths':[]}", NULL);

        assert_int_equal(d.host_config->n_masked_paths, 0);
        assert_int_equal(d.host_config->n_readonly_paths, 0);
}

/* --- what is refused --------------------------------------------------------------------------------------------- */

static void what_cannot_be_meant_is_refused(void **state)
{
        static const struct {
                const char *config, *host, *message;
        } cases[] = {
                { "{'WorkingDir':'rel'}", "{}",
                  "the working directory 'rel' is invalid, it needs to be an absolute path" },
                { "{'Hostname':'a\\nb'}", "{}", "invalid hostname format: blanks and control characters" },
                { "{'StopSignal':'ODD'}", "{}", "invalid signal: ODD" },
                { "{'Env':['=x']}", "{}", "invalid environment variable: =x" },
                { "{'Healthcheck':{'Interval':5}}", "{}", "Interval in Healthcheck cannot be less than 1ms" },
                { "{}", "{'AutoRemove':true,'RestartPolicy':{'Name':'always'}}",
                  "can't create 'AutoRemove' container with restart policy" },
                { "{}", "{'RestartPolicy':{'Name':'sometimes'}}",
                  "invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or "
                  "'unless-stopped'" },
                { "{}", "{'RestartPolicy':{'Name':'always','MaximumRetryCount':3}}",
                  "invalid restart policy: maximum retry count can only be used with 'on-failure'" },
                { "{}", "{'Memory':1000}", "Minimum memory limit allowed is 6MB" },
                { "{}", "{'MemorySwap':100000000}",
                  "You should always set the Memory limit when using Memoryswap limit, see usage" },
                { "{}", "{'CpuPeriod':1}",
                  "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)" },
                { "{}", "{'NanoCpus':1000000000,'CpuQuota':5000}",
                  "Conflicting options: Nano CPUs and CPU Quota cannot both be set" },
                { "{}", "{'CpuShares':-1}", "invalid CPU shares (-1): value must be a positive integer" },
                { "{}", "{'BlkioWeight':5}", "Range of blkio weight is from 10 to 1000" },
                { "{}", "{'CapAdd':['odd']}", "invalid CapAdd: unknown capability: \"CAP_ODD\"" },
                { "{}", "{'CapDrop':['cap_odd']}", "invalid CapDrop: unknown capability: \"CAP_ODD\"" },
                { "{}", "{'SecurityOpt':['odd']}", "invalid --security-opt 1: \"odd\"" },
                { "{}", "{'SecurityOpt':['odd=x']}", "invalid --security-opt 2: \"odd=x\"" },
                { "{}", "{'SecurityOpt':['no-new-privileges=x']}",
                  "invalid --security-opt 2: \"no-new-privileges=x\"" },
                { "{}", "{'IpcMode':'odd'}", "invalid IPC mode: odd" },
                { "{}", "{'PidMode':'container:'}", "invalid PID mode: container:" },
                { "{}", "{'UsernsMode':'odd'}", "invalid USER mode: odd" },
                { "{}", "{'OomScoreAdj':1001}", "Invalid value 1001, range for oom score adj is [-1000, 1000]" },
                { "{}", "{'Runtime':'odd'}", "unknown or invalid runtime name: odd (expected the path of a program)" },
                { "{}", "{'ShmSize':-1}", "SHM size can not be less than 0" },
                { "{}", "{'Ulimits':[{'Name':'odd','Soft':1,'Hard':1}]}", "invalid ulimit type: odd" },
                { "{}", "{'Ulimits':[{'Name':'nofile','Soft':2,'Hard':1}]}",
                  "ulimit soft limit must be less than or equal to hard limit: 2 > 1" },
                { "{}", "{'ExtraHosts':['a']}", "bad format for add-host: \"a\"" },
                { "{}", "{'ExtraHosts':['a:b']}", "invalid IP address in add-host: \"b\"" },
                { "{}", "{'Dns':['x\\ny']}", "bad nameserver address x\ny" },
                { "{}", "{'DnsSearch':['a\\nnameserver 1.2.3.4']}",
                  "invalid domain for dns-search: \"a\nnameserver 1.2.3.4\"" },
                { "{'Hostname':'h'}", "{'NetworkMode':'container:x'}",
                  "conflicting options: hostname and the network mode" },
                { "{}", "{'NetworkMode':'container:'}",
                  "invalid network mode: invalid container format container:<name|id>" },
                { "{'Hostname':'h'}", "{'UTSMode':'host'}", "conflicting options: hostname and the UTS mode" },
                { "{}", "{'PortBindings':{'80/odd':[]}}", "invalid proto: odd" },
                { "{}", "{'PortBindings':{'80/tcp':[{'HostPort':'99999'}]}}", "invalid port specification: \"99999\"" },
                { "{}", "{'Devices':[{'PathOnHost':'/dev/null','PathInContainer':'/x','CgroupPermissions':'x'}]}",
                  "invalid device mode: x" },
                { "{}", "{'Tmpfs':{'rel':''}}", "invalid mount path: 'rel' mount path must be absolute" },
                { "{}", "{'Annotations':{'':'x'}}",
                  "invalid Annotations: the empty string is not permitted as an annotation key" },
                { "{}", "{'Isolation':'hyperv'}", "invalid isolation (hyperv): linux only supports 'default'" },
        };
        auto_store s = open_store(*state, STORE_DATABASE);

        for (size_t i = 0; i < COR_COUNT(cases); i++)
                refused(s, cases[i].config, cases[i].host, cases[i].message);
}

/* --- mounts and volumes ------------------------------------------------------------------------------------------ */

static void add_volumes(struct store *s, struct spec_mounts *m)
{
        for (size_t i = 0; i < m->made.n_items; i++)
                assert_int_equal(volume_row_add(s, &m->made.items[i], NULL), 0);
}

static void volumes_wait_for_their_container(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_spec_documents d = prepared(s, "{'Cmd':['x'],'Volumes':{'/anon':{},'/named':{}}}",
                                         "{'Binds':['vol:/named:ro','/tmp:/t']}", NULL);
        auto_spec_documents other = prepared(s, "{'Cmd':['x']}", "{'Binds':['vol:/a','other:/b','other:/c']}", NULL);
        auto_spec_mounts m = { 0 };
        auto_volume_row row = { 0 };
        struct cor_err err = { 0 };

        if (spec_mounts_create(s, ID, &d, -1, &m, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(m.volumes.n_items, 2); /* the image's volume at /named is the user's */
        assert_string_equal(m.volumes.items[0], "vol");
        assert_int_equal(strlen(m.volumes.items[1]), 64);
        assert_int_equal(volume_row_find(s, "vol", &row, NULL), -1); /* not yet */
        add_volumes(s, &m);
        assert_int_equal(volume_row_find(s, "vol", &row, NULL), 0);
        assert_int_equal(row.anonymous, false);
        volume_row_done(&row);
        assert_int_equal(volume_row_find(s, m.volumes.items[1], &row, NULL), 0);
        assert_int_equal(row.anonymous, true);
        volume_row_done(&row);
        spec_mounts_done(&m);
        assert_true(scratch_has(*state, "store/volumes/vol/_data"));

        if (spec_mounts_create(s, ID, &other, -1, &m, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(m.made.n_items, 1); /* twice the same, and one that is there */
        spec_mounts_done(&m);
        assert_false(scratch_has(*state, "store/volumes/other"));
}

static void two_mounts_at_one_place_are_refused(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_spec_documents d = prepared(s, "{'Cmd':['x']}", "{'Binds':['new-one:/a','/tmp:/x/../a/']}", NULL);
        auto_spec_documents e = prepared(s, "{'Cmd':['x']}", "{'Binds':['/tmp:/a'],'Tmpfs':{'/a/':''}}", NULL);
        auto_spec_mounts m = { 0 };
        auto_volume_row row = { 0 };
        struct cor_err err = { 0 };

        assert_int_equal(spec_mounts_create(s, ID, &d, -1, &m, &err), -1);
        assert_string_equal(err.msg, "Duplicate mount point: /a");
        assert_int_equal(volume_row_find(s, "new-one", &row, NULL), -1); /* nothing was made */
        assert_int_equal(spec_mounts_create(s, ID, &e, -1, &m, &err), -1);
}

static void write_below(struct scratch *s, const char *name, const char *text)
{
        assert_int_equal(cor_own_write(s->fd, name, text, strlen(text), 0644, false, NULL), 0);
}

static void a_new_volume_gets_what_the_image_has_there(void **state)
{
        struct scratch *scratch = *state;
        auto_store s = open_store(scratch, STORE_DATABASE);
        auto_spec_documents d = prepared(s, "{'Cmd':['x'],'Volumes':{'/data':{}}}",
                                         "{'Binds':['once:/data/deep:nocopy','kept:/link']}", NULL);
        auto_spec_mounts m = { 0 };
        auto_str path = NULL;
        auto_str link = NULL;
        struct stat st;
        struct cor_err err = { 0 };

        assert_int_equal(mkdirat(scratch->fd, "data", 0711), 0);
        assert_int_equal(mkdirat(scratch->fd, "data/deep", 0755), 0);
        write_below(scratch, "file", "text");
        assert_int_equal(renameat(scratch->fd, "file", scratch->fd, "data/file"), 0);
        assert_int_equal(symlinkat("/etc", scratch->fd, "link"), 0); /* leads nowhere: not out of the root */
        assert_int_equal(symlinkat("/etc/passwd", scratch->fd, "data/out"), 0);
        if (spec_mounts_create(s, ID, &d, scratch->fd, &m, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(m.volumes.n_items, 3);
        add_volumes(s, &m);
        path = volume_folder_path(s, m.volumes.items[2]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0711);
        link = cor_printf("%s/out", path);
        assert_int_equal(lstat(link, &st), 0);
        assert_true(S_ISLNK(st.st_mode)); /* as it is, not what it points at */
        free(path);
        path = cor_printf("%s/store/volumes/kept/_data/passwd", scratch->path);
        assert_int_equal(access(path, F_OK), -1);
}

/* --- update ------------------------------------------------------------------------------------------------------ */

static void an_update_replaces_what_is_set(void **state)
{
        auto_json struct docker_host_config *now = parsed(&docker_host_config_doc, "{'CpuShares':10,'NanoCpus':5}");
        auto_json struct docker_host_config *change =
                parsed(&docker_host_config_doc, "{'RestartPolicy':{'Name':'on-failure','MaximumRetryCount':3}}");
        auto_json struct docker_host_config *conflict = parsed(&docker_host_config_doc, "{'CpuQuota':5000}");
        struct cor_err err = { 0 };

        assert_int_equal(spec_check_update(now, change, NULL, &err), 0);
        assert_int_equal(now->cpu_shares, 10);
        assert_string_equal(now->restart_policy.name, "on-failure");
        assert_int_equal(now->restart_policy.maximum_retry_count, 3);
        if (access("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", F_OK) == 0) { /* elsewhere the limit is dropped first */
                assert_int_equal(spec_check_update(now, conflict, NULL, &err), -1);
                assert_string_equal(err.msg, "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already "
                                             "been set");
        }
        now->auto_remove = true;
        assert_int_equal(spec_check_update(now, change, NULL, &err), -1);
        assert_string_equal(err.msg,
                            "Restart policy cannot be updated because AutoRemove is enabled for the container");
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, scratch_setup, scratch_teardown)
        const struct CMUnitTest tests[] = {
                TEST(an_entrypoint_of_one_s_own_drops_the_image_s_command),
                TEST(environment_and_labels_are_merged_by_name),
                TEST(parts_of_a_health_check_are_inherited),
                TEST(defaults_are_filled_in),
                TEST(nothing_is_masked_if_so_asked),
                TEST(what_cannot_be_meant_is_refused),
                TEST(volumes_wait_for_their_container),
                TEST(two_mounts_at_one_place_are_refused),
                TEST(a_new_volume_gets_what_the_image_has_there),
                TEST(an_update_replaces_what_is_set),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
