/* info: the store and the machine, by the names that docker's templates know. There is no server to ask. */
#include "base/file.h"
#include "cli/coracle/verb.h"
#include "engine/container.h"
#include "monitor/log_settings.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

struct info_options {
        const char *format;
};

enum { OS_RELEASE_MAX_BYTES = 64 << 10 };

/* "Debian GNU/Linux 12 (bookworm)"; free() */
static char *system_name(void)
{
        auto_str text = NULL;
        char *cursor, *line;

        if (cor_read_file("/etc/os-release", OS_RELEASE_MAX_BYTES, &text, NULL, NULL) < 0 &&
            cor_read_file("/usr/lib/os-release", OS_RELEASE_MAX_BYTES, &text, NULL, NULL) < 0)
                return cor_strdup("Linux");
        for (cursor = text; (line = cor_split_next(&cursor, '\n')) != NULL;)
                if (cor_starts_with(line, "PRETTY_NAME=")) {
                        line += strlen("PRETTY_NAME=");
                        line += *line == '"';
                        line[strcspn(line, "\"")] = '\0';
                        return cor_strdup(line);
                }
        return cor_strdup("Linux");
}

static int64_t memory_bytes(void)
{
        struct sysinfo i;

        return sysinfo(&i) < 0 ? 0 : (int64_t)i.totalram * i.mem_unit;
}

static void count_containers(struct value_pool *p, struct value *s, const struct container_rows *rows)
{
        int64_t running = 0, paused = 0;

        for (size_t i = 0; i < rows->n_items; i++) {
                running += rows->items[i].now.phase == CONTAINER_PHASE_RUNNING ||
                           rows->items[i].now.phase == CONTAINER_PHASE_RESTARTING;
                paused += rows->items[i].now.phase == CONTAINER_PHASE_PAUSED;
        }
        value_field(p, s, "Containers", NULL, value_int(p, (int64_t)rows->n_items));
        value_field(p, s, "ContainersRunning", NULL, value_int(p, running));
        value_field(p, s, "ContainersPaused", NULL, value_int(p, paused));
        value_field(p, s, "ContainersStopped", NULL, value_int(p, (int64_t)rows->n_items - running - paused));
}

/* None is a plugin, but docker has them under this name: what volumes can be made by, and where logs can go. */
static void add_plugins(struct value_pool *p, struct value *s)
{
        static const char *const volume[] = { "local" };
        struct value *plugins = value_struct(p, "system.PluginsInfo");
        const char *const *log = log_driver_names();
        size_t n = 0;

        while (log[n])
                n++;
        value_field(p, plugins, "Volume", NULL, value_strings(p, volume, COR_COUNT(volume)));
        value_field(p, plugins, "Log", NULL, value_strings(p, log, n));
        value_field(p, s, "Plugins", NULL, plugins);
        value_field_text(p, s, "LoggingDriver", "json-file");
}

static struct value *info(struct value_pool *p, const char *root, const struct container_rows *rows, size_t images)
{
        struct value *s = value_struct(p, "system.dockerInfo");
        auto_str os = system_name();
        struct utsname u;

        if (uname(&u) < 0)
                memset(&u, 0, sizeof u);
        count_containers(p, s, rows);
        value_field(p, s, "Images", NULL, value_int(p, (int64_t)images));
        value_field_text(p, s, "Driver", "overlay");
        add_plugins(p, s);
        value_field_text(p, s, "DockerRootDir", root);
        value_field_text(p, s, "KernelVersion", u.release);
        value_field_text(p, s, "OperatingSystem", os);
        value_field_text(p, s, "OSType", "linux");
        value_field_text(p, s, "Architecture", u.machine);
        value_field(p, s, "NCPU", NULL, value_int(p, get_nprocs()));
        value_field(p, s, "MemTotal", NULL, value_int(p, memory_bytes()));
        value_field_text(p, s, "Name", u.nodename);
        value_field_text(p, s, "ServerVersion", CORACLE_VERSION);
        return s;
}

/* The same for people */
static const char standard[] = "Containers: {{.Containers}}\n"
                               " Running: {{.ContainersRunning}}\n"
                               " Paused: {{.ContainersPaused}}\n"
                               " Stopped: {{.ContainersStopped}}\n"
                               "Images: {{.Images}}\n"
                               "Version: {{.ServerVersion}}\n"
                               "Storage Driver: {{.Driver}}\n"
                               "Logging Driver: {{.LoggingDriver}}\n"
                               "Plugins:\n"
                               " Volume: {{join .Plugins.Volume \" \"}}\n"
                               " Log: {{join .Plugins.Log \" \"}}\n"
                               "Kernel Version: {{.KernelVersion}}\n"
                               "Operating System: {{.OperatingSystem}}\n"
                               "OSType: {{.OSType}}\n"
                               "Architecture: {{.Architecture}}\n"
                               "CPUs: {{.NCPU}}\n"
                               "Total Memory: {{.MemTotal}} bytes\n"
                               "Name: {{.Name}}\n"
                               "Root Dir: {{.DockerRootDir}}";

static int run_info(struct invocation *in, struct cor_err *err)
{
        const struct info_options *o = in->options;
        const char *format = !o->format ? standard : strcmp(o->format, "json") == 0 ? "{{json .}}" : o->format;
        auto_value_pool p = value_pool_new(SIZE_MAX);
        auto_container_rows rows = { 0 };
        auto_image_list list = { 0 };
        const struct value *v;
        auto_text t = COR_TEXT_INIT;
        auto_engine e = { 0 };

        if (verb_engine(in, &e, err) < 0 || image_all(e.store, false, &list, err) < 0 ||
            engine_containers(&e, false, &rows, err) < 0)
                return -1;
        v = info(p, store_path(e.store), &rows, list.n_items);
        return format_inspect(format, &v, 1, &t, err) < 0 ? -1 : verb_print(&t, err);
}

static const struct option info_rows[] = {
        OPTION_ROW("format", 'f', TEXT, struct info_options, format, "string", 0, "A Go template, or 'json'"),
};

const struct verb verb_info = {
        .summary = "Show the store and the machine",
        .options_size = sizeof(struct info_options),
        .options = info_rows,
        .n_options = COR_COUNT(info_rows),
        .run = run_info,
};
