#include "engine/spec_internal.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SHM_DEFAULT = 64 << 20, SHORT_ID = 12, HOST_NAME_BYTES = 256 };

/* The user's documents, as roots of their own: what is filled in lives there. */
static int copy_document(const struct cor_json_doc *doc, const void *from, const char *what, void *ret,
                         struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;

        cor_json_print(doc, from, COR_JSON_COMPACT, &text);
        return cor_json_parse(doc, text.s, text.len, what, ret, err);
}

static int copy_documents(const struct spec_new *n, struct spec_documents *ret, struct cor_err *err)
{
        return copy_document(&docker_config_doc, n->config, "Config", &ret->config, err) < 0 ||
                               copy_document(&docker_host_config_doc, n->host_config, "HostConfig", &ret->host_config,
                                             err) < 0
                       ? -1
                       : 0;
}

/* Names of containers become ids: the connection outlives a new name. Who is not there is met at the start. */
static void settle_container(struct store *s, struct docker_host_config *h, const char **mode)
{
        auto_container_row other = { 0 };
        const char *name = spec_container_of(*mode);

        if (name && *name && container_row_find(s, name, &other, NULL) == 0) {
                auto_str text = cor_printf("container:%s", other.id);

                *mode = spec_copy(h, text);
        }
}

static void settle_modes(struct store *s, struct docker_host_config *h)
{
        if (spec_empty(h->network_mode))
                h->network_mode = "default";
        if (spec_empty(h->restart_policy.name))
                h->restart_policy.name = "no";
        if (spec_empty(h->ipc_mode))
                h->ipc_mode = "private";
        if (spec_empty(h->cgroupns_mode))
                h->cgroupns_mode = spec_host_is_unified() ? "private" : "host";
        settle_container(s, h, &h->pid_mode);
        settle_container(s, h, &h->ipc_mode);
        settle_container(s, h, &h->network_mode);
        settle_container(s, h, &h->userns_mode);
}

static void settle_limits(struct docker_host_config *h)
{
        if (h->memory > 0 && h->memory_swap == 0)
                h->memory_swap = h->memory <= INT64_MAX / 2 ? 2 * h->memory : -1;
        if (h->shm_size == 0)
                h->shm_size = SHM_DEFAULT;
        if (!h->oom_kill_disable.set)
                h->oom_kill_disable = (struct cor_opt_bool){ true, false };
}

static bool has_label(const struct docker_host_config *h)
{
        for (size_t i = 0; i < h->n_security_opt; i++)
                if (cor_starts_with(h->security_opt[i], "label=") || cor_streq(h->security_opt[i], "label"))
                        return true;
        return false;
}

/* A container that sees all of the host's processes, memory or devices would get nowhere with a label. */
static void settle_label(struct docker_host_config *h)
{
        const char **all = NULL;
        size_t n = 0;

        if (has_label(h) || (!h->privileged && !spec_is(h->pid_mode, "host") && !spec_is(h->ipc_mode, "host")))
                return;
        for (size_t i = 0; i < h->n_security_opt; i++)
                *SPEC_GROW(h, all, n) = h->security_opt[i];
        *SPEC_GROW(h, all, n) = "label=disable";
        h->security_opt = all;
        h->n_security_opt = n;
}

static void settle_hostname(const char *id, struct docker_config *c, const struct docker_host_config *h)
{
        char name[HOST_NAME_BYTES] = "";

        if (!spec_empty(c->hostname))
                return;
        if (spec_is(h->network_mode, "host") && gethostname(name, sizeof name - 1) == 0)
                c->hostname = spec_copy(c, name);
        else
                snprintf((char *)(uintptr_t)(c->hostname = cor_json_alloc(c, SHORT_ID + 1)), SHORT_ID + 1, "%.12s", id);
}

int spec_prepare(struct store *s, const struct spec_new *n, struct spec_documents *ret, struct cor_strv *warnings,
                 struct cor_err *err)
{
        auto_spec_documents d = { 0 };

        if (copy_documents(n, &d, err) < 0 || spec_check_network(d.config, d.host_config, err) < 0 ||
            spec_check_config(d.config, err) < 0 || spec_check_host(d.config, d.host_config, warnings, err) < 0 ||
            spec_check_resources(d.host_config, false, warnings, err) < 0)
                return -1;
        settle_modes(s, d.host_config);
        settle_limits(d.host_config);
        settle_label(d.host_config);
        if (spec_merge_image(d.config, n->image, err) < 0 || spec_check_config(d.config, err) < 0)
                return -1;
        settle_hostname(n->id, d.config, d.host_config);
        spec_mask_defaults(d.host_config);
        *ret = d;
        d = (struct spec_documents){ 0 };
        return 0;
}
