#include "engine/spec_internal.h"

#include "base/fd.h"
#include "base/file.h"
#include "runtime/context.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* config.json tells whoever can read it what is in the environment. */
enum { CONFIG_MODE = 0600 };

static const char *const masked[] = {
        "/proc/asound",      "/proc/acpi",          "/proc/interrupts", "/proc/kcore",
        "/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
        "/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap",
};
static const char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };

static void add_paths(void *root, const char *const *from, size_t n, const char ***items, size_t *n_items)
{
        for (size_t i = 0; i < n; i++)
                *SPEC_GROW(root, *items, *n_items) = from[i];
}

/* How hot a processor is tells what others compute on it. */
static void mask_throttle(struct docker_host_config *h)
{
        long n = sysconf(_SC_NPROCESSORS_CONF);

        for (long i = 0; i < n; i++) {
                auto_str path = cor_printf("/sys/devices/system/cpu/cpu%ld/thermal_throttle", i);

                if (access(path, F_OK) == 0)
                        *SPEC_GROW(h, h->masked_paths, h->n_masked_paths) = spec_copy(h, path);
        }
}

void spec_mask_defaults(struct docker_host_config *h)
{
        if (h->privileged)
                return;
        if (!h->masked_paths) {
                add_paths(h, masked, COR_COUNT(masked), &h->masked_paths, &h->n_masked_paths);
                mask_throttle(h);
        }
        if (!h->readonly_paths)
                add_paths(h, readonly, COR_COUNT(readonly), &h->readonly_paths, &h->n_readonly_paths);
}

static int new_document(struct spec *s, struct cor_err *err)
{
        static const char frame[] = "{\"ociVersion\":\"" OCI_VERSION "\",\"root\":{\"path\":\"rootfs\"}}";
        const char *run;

        if (oci_config_parse(frame, sizeof frame - 1, NULL, &s->c, err) < 0 || store_run_path(s->store, &run, err) < 0)
                return -1;
        s->c->root->path = spec_printf(s, "%s/%s/rootfs", run, s->id);
        s->c->root->readonly = s->host->readonly_rootfs;
        s->c->annotations = s->host->annotations;
        s->c->n_annotations = s->host->n_annotations;
        if (!s->host->privileged) {
                s->c->linux_->masked_paths = s->host->masked_paths;
                s->c->linux_->n_masked_paths = s->host->n_masked_paths;
                s->c->linux_->readonly_paths = s->host->readonly_paths;
                s->c->linux_->n_readonly_paths = s->host->n_readonly_paths;
        }
        return 0;
}

static bool needs_1_1(const struct spec *s)
{
        for (size_t i = 0; i < s->c->n_mounts; i++)
                if (s->c->mounts[i].n_uid_mappings || s->c->mounts[i].n_gid_mappings)
                        return true;
        for (size_t i = 0; i < s->n_points; i++)
                if (s->points[i].ro_force_recursive)
                        return true;
        return s->c->linux_->seccomp && s->c->linux_->seccomp->listener_path;
}

/*
 * Other runtimes refuse a version that is newer than they are (crun 1.8 all that is not 1.0), whether the document has
 * anything new or not. So they are told of the lowest one in which everything has a meaning that must not be missed;
 * what does no harm when it is not understood, as the number of an error of seccomp, needs none.
 */
static const char *lowest_version(const struct spec *s)
{
        const struct oci_linux *l = s->c->linux_;

        if (l->n_net_devices || (l->intel_rdt && (l->intel_rdt->n_schemata || l->intel_rdt->enable_monitoring)))
                return "1.3.0";
        return needs_1_1(s) ? "1.1.0" : "1.0.2";
}

int spec_build(struct spec *s, struct cor_text *ret, struct cor_err *err)
{
        if (new_document(s, err) < 0 || spec_collect_points(s, err) < 0 || spec_make_process(s, err) < 0 ||
            spec_make_security(s, err) < 0 || spec_make_namespaces(s, err) < 0 || spec_make_mounts(s, err) < 0 ||
            spec_make_resources(s, err) < 0 || spec_make_devices(s, err) < 0)
                return -1;
        if (spec_other_runtime(s))
                s->c->oci_version = lowest_version(s);
        cor_json_print(&oci_config_doc, s->c, COR_JSON_COMPACT, ret);
        return 0;
}

int spec_documents_parse(const struct container_row *row, struct spec_documents *ret, struct cor_err *err)
{
        if (cor_json_parse(&docker_config_doc, row->config, strlen(row->config), "Config", &ret->config, err) < 0 ||
            cor_json_parse(&docker_host_config_doc, row->host_config, strlen(row->host_config), "HostConfig",
                           &ret->host_config, err) < 0)
                return cor_wrap(err, "container %.12s", row->id);
        return 0;
}

static int write_bundle(struct spec *s, const struct cor_text *text, struct cor_err *err)
{
        auto_fd folder = container_folder_open(s->store, s->id, err);

        if (folder < 0 || spec_write_files(s, folder, err) < 0)
                return -1;
        return cor_own_write(folder, "config.json", text->s, text->len, CONFIG_MODE, false, err);
}

int spec_write(struct store *store, const struct spec_start *start, struct cor_strv *warnings, struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;
        struct spec s = {
                .store = store,
                .row = start->row,
                .id = start->row->id,
                .config = start->documents->config,
                .host = start->documents->host_config,
                .root = start->root,
                .warnings = warnings,
                .rootless = runtime_default_rootless(),
                .unified = spec_host_is_unified(),
        };
        int r;

        s.mapped = start->row->id_map != NULL;
        if (s.mapped && idmap_parse(start->row->id_map, &s.ids, err) < 0)
                return cor_wrap(err, "container %.12s", s.id);
        r = spec_build(&s, &text, err);
        if (r == 0)
                r = write_bundle(&s, &text, err);
        cor_json_free(s.c);
        idmap_done(&s.ids);
        return r;
}

int spec_limits(struct store *store, const struct container_row *row, const struct docker_host_config *host,
                struct oci_config **ret, struct cor_err *err)
{
        struct spec s = {
                .store = store,
                .row = row,
                .id = row->id,
                .host = host,
                .root = -1,
                .rootless = runtime_default_rootless(),
                .unified = spec_host_is_unified(),
        };

        if (new_document(&s, err) < 0 || spec_make_resources(&s, err) < 0) {
                cor_json_free(s.c);
                return -1;
        }
        *ret = s.c;
        return 0;
}

void spec_documents_done(struct spec_documents *d)
{
        cor_json_free(d->config);
        cor_json_free(d->host_config);
        *d = (struct spec_documents){ 0 };
}
