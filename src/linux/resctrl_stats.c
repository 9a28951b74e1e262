/* The "intel_rdt" object of `events --stats`, with runc's keys. */
#include "linux/resctrl.h"

#include "base/file.h"
#include "spec/oci.h"
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

struct dirs {
        char *root, *path, *monitor;
};

static void dirs_done(struct dirs *d)
{
        free(d->root);
        free(d->path);
        free(d->monitor);
}

/* A small file's text without its last newline; NULL if it cannot be read. free() */
static char *text_of(const char *dir, const char *file)
{
        auto_str path = cor_printf("%s/%s", dir, file), *text = NULL;
        size_t len;

        if (cor_read_file(path, 1 << 16, &text, &len, NULL) < 0)
                return NULL;
        if (len > 0 && text[len - 1] == '\n')
                text[len - 1] = '\0';
        return COR_TAKE(text);
}

static bool number_of(const char *dir, const char *file, uint64_t *ret)
{
        auto_str text = text_of(dir, file);

        return text && cor_parse_u64(text, ret) == 0;
}

static void key(struct cor_text *out, const char *name)
{
        cor_text_printf(out, "%s\"%s\":", out->s[out->len - 1] == '{' ? "" : ",", name);
}

static void add_text(struct cor_text *out, const char *name, const char *value)
{
        if (!value || !*value)
                return;
        key(out, name);
        cor_text_add_json(out, value);
}

static void add_number(struct cor_text *out, const char *name, const char *dir, const char *file)
{
        uint64_t value;

        if (!number_of(dir, file, &value) || value == 0)
                return;
        key(out, name);
        cor_text_printf(out, "%" PRIu64, value);
}

/* The line of resource @name in a schemata file. free() */
static char *line_of(const char *schemata, const char *name)
{
        auto_str copy = cor_strdup(schemata ? schemata : "");
        char *cursor = copy, *line;

        while ((line = cor_split_next(&cursor, '\n'))) {
                line += strspn(line, " ");
                if (cor_starts_with(line, name))
                        return cor_strdup(line);
        }
        return NULL;
}

static void add_schema(struct cor_text *out, const char *name, const char *schemata, const char *resource)
{
        auto_str line = line_of(schemata, resource);

        add_text(out, name, line);
}

static void add_list(struct cor_text *out, const char *schemata)
{
        auto_str copy = cor_strdup(schemata ? schemata : "");
        char *cursor = copy, *line;
        bool first = true;

        key(out, "schemata");
        cor_text_add_c(out, '[');
        while ((line = cor_split_next(&cursor, '\n'))) {
                if (!first)
                        cor_text_add_c(out, ',');
                cor_text_add_json(out, line);
                first = false;
        }
        cor_text_add_c(out, ']');
}

/* One object for each directory (a NUMA node) of mon_data, with @files in it. */
static void add_nodes(struct cor_text *out, const char *name, const char *monitor, const char *const *files, size_t n)
{
        auto_str path = cor_printf("%s/mon_data", monitor);
        DIR *dir = opendir(path);
        struct dirent *e;

        key(out, name);
        cor_text_add_c(out, '[');
        while (dir && (e = readdir(dir))) {
                auto_str node = cor_printf("%s/%s", path, e->d_name);

                if (e->d_name[0] == '.')
                        continue;
                cor_text_add(out, out->s[out->len - 1] == '[' ? "{" : ",{");
                for (size_t i = 0; i < n; i++) {
                        uint64_t value = 0;

                        (void)number_of(node, files[i], &value);
                        key(out, files[i]);
                        cor_text_printf(out, "%" PRIu64, value);
                }
                cor_text_add_c(out, '}');
        }
        cor_text_add_c(out, ']');
        if (dir)
                closedir(dir);
}

static void add_monitoring(struct cor_text *out, const struct dirs *d)
{
        static const char *const mbm[] = { "mbm_total_bytes", "mbm_local_bytes" }, *const cmt[] = { "llc_occupancy" };
        auto_str features = text_of(d->root, "info/L3_MON/mon_features");

        if (features && strstr(features, "mbm_"))
                add_nodes(out, "mbm_stats", d->monitor, mbm, COR_COUNT(mbm));
        if (features && strstr(features, "llc_occupancy"))
                add_nodes(out, "cmt_stats", d->monitor, cmt, COR_COUNT(cmt));
}

int resctrl_print_stats(const struct oci_intel_rdt *rdt, const char *id, struct cor_text *out, struct cor_err *err)
{
        COR_CLEANUP(dirs_done) struct dirs d = { .root = NULL };
        auto_str root_schemata = NULL, *schemata = NULL, *info = NULL;

        if (resctrl_paths(rdt, id, &d.root, &d.path, &d.monitor, err) < 0)
                return -1;
        if (!d.monitor)
                d.monitor = cor_strdup(d.path);
        root_schemata = text_of(d.root, "schemata");
        schemata = text_of(d.path, "schemata");
        cor_text_add_c(out, '{');
        info = cor_printf("%s/info/L3", d.root);
        if (access(info, F_OK) == 0) {
                auto_str mask = text_of(info, "cbm_mask");

                key(out, "l3_cache_info");
                cor_text_add_c(out, '{');
                add_text(out, "cbm_mask", mask);
                add_number(out, "min_cbm_bits", info, "min_cbm_bits");
                add_number(out, "num_closids", info, "num_closids");
                cor_text_add_c(out, '}');
                add_schema(out, "l3_cache_schema_root", root_schemata, "L3");
                add_schema(out, "l3_cache_schema", schemata, "L3");
        }
        free(info);
        info = cor_printf("%s/info/MB", d.root);
        if (access(info, F_OK) == 0) {
                key(out, "mem_bw_info");
                cor_text_add_c(out, '{');
                add_number(out, "bandwidth_gran", info, "bandwidth_gran");
                add_number(out, "delay_linear", info, "delay_linear");
                add_number(out, "min_bandwidth", info, "min_bandwidth");
                add_number(out, "num_closids", info, "num_closids");
                cor_text_add_c(out, '}');
                add_schema(out, "mem_bw_schema_root", root_schemata, "MB");
                add_schema(out, "mem_bw_schema", schemata, "MB");
        }
        add_list(out, schemata);
        add_monitoring(out, &d);
        cor_text_add_c(out, '}');
        return 0;
}
