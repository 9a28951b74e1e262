/* What a container inherits from its image, unless the user said otherwise. */
#include "engine/spec_internal.h"

#include <string.h>

static void add_set_item(struct docker_config *c, struct image_set_item **items, size_t *n, const char *key)
{
        for (size_t i = 0; i < *n; i++)
                if (strcmp((*items)[i].key, key) == 0)
                        return;
        SPEC_GROW(c, *items, *n)->key = spec_copy(c, key);
}

/* Sets that were parsed have no room behind them: begin anew. */
static void merge_set(struct docker_config *c, struct image_set_item **items, size_t *n,
                      const struct image_set_item *from, size_t n_from)
{
        struct image_set_item *all = NULL;
        size_t n_all = 0;

        for (size_t i = 0; i < *n; i++)
                add_set_item(c, &all, &n_all, (*items)[i].key);
        for (size_t i = 0; i < n_from; i++)
                add_set_item(c, &all, &n_all, from[i].key);
        *items = all;
        *n = n_all;
}

static bool same_name(const char *a, const char *b)
{
        size_t n = strcspn(a, "=");

        return n == strcspn(b, "=") && strncmp(a, b, n) == 0;
}

static void merge_env(struct docker_config *c, const struct image_config_run *image)
{
        const char **all = NULL;
        size_t n = 0;

        for (size_t i = 0; i < c->n_env; i++)
                *SPEC_GROW(c, all, n) = c->env[i];
        for (size_t i = 0; i < image->n_env; i++) {
                bool known = false;

                for (size_t k = 0; k < c->n_env && !known; k++)
                        known = same_name(image->env[i], c->env[k]);
                if (!known)
                        *SPEC_GROW(c, all, n) = spec_copy(c, image->env[i]);
        }
        c->env = all;
        c->n_env = n;
}

static void merge_labels(struct docker_config *c, const struct image_config_run *image)
{
        struct cor_pair *all = NULL;
        size_t n = 0;

        for (size_t i = 0; i < c->n_labels; i++)
                *SPEC_GROW(c, all, n) = c->labels[i];
        for (size_t i = 0; i < image->n_labels; i++) {
                const struct cor_pair *l = &image->labels[i];
                bool known = false;

                for (size_t k = 0; k < c->n_labels && !known; k++)
                        known = strcmp(l->key, c->labels[k].key) == 0;
                if (!known)
                        *SPEC_GROW(c, all, n) = (struct cor_pair){ spec_copy(c, l->key), spec_copy(c, l->value) };
        }
        c->labels = all ? all : COR_JSON_NONE_YET;
        c->n_labels = n;
}

static void copy_list(struct docker_config *c, const char *const *from, size_t n, const char ***items, size_t *n_items)
{
        *items = NULL;
        *n_items = 0;
        for (size_t i = 0; i < n; i++)
                *SPEC_GROW(c, *items, *n_items) = spec_copy(c, from[i]);
}

/* An entrypoint of the user's own makes the image's command meaningless. */
static void merge_command(struct docker_config *c, const struct image_config_run *image)
{
        if (c->n_entrypoint > 0)
                return;
        if (c->n_cmd == 0)
                copy_list(c, image->cmd, image->n_cmd, &c->cmd, &c->n_cmd);
        if (!c->entrypoint)
                copy_list(c, image->entrypoint, image->n_entrypoint, &c->entrypoint, &c->n_entrypoint);
}

static void merge_health(struct docker_config *c, const struct image_config_run *image)
{
        const struct image_healthcheck *from = image->healthcheck;
        struct image_healthcheck *to = c->healthcheck;

        if (!from)
                return;
        if (!to)
                to = c->healthcheck = cor_json_alloc(c, sizeof *to);
        if (to->n_test == 0)
                copy_list(c, from->test, from->n_test, &to->test, &to->n_test);
#define INHERIT(M)                                                                                                     \
        if (to->M == 0)                                                                                                \
        to->M = from->M
        INHERIT(interval);
        INHERIT(timeout);
        INHERIT(start_period);
        INHERIT(start_interval);
        INHERIT(retries);
#undef INHERIT
}

static void merge_text(struct docker_config *c, const char **to, const char *from)
{
        if (spec_empty(*to) && !spec_empty(from))
                *to = spec_copy(c, from);
}

int spec_merge_image(struct docker_config *c, const struct image_config_run *image, struct cor_err *err)
{
        if (image) {
                merge_text(c, &c->user, image->user);
                merge_text(c, &c->working_dir, image->working_dir);
                merge_text(c, &c->stop_signal, image->stop_signal);
                merge_set(c, &c->exposed_ports, &c->n_exposed_ports, image->exposed_ports, image->n_exposed_ports);
                merge_set(c, &c->volumes, &c->n_volumes, image->volumes, image->n_volumes);
                merge_env(c, image);
                merge_labels(c, image);
                merge_command(c, image);
                merge_health(c, image);
        }
        if (c->n_entrypoint == 1 && c->entrypoint[0][0] == '\0') { /* --entrypoint "": none at all */
                c->entrypoint = NULL;
                c->n_entrypoint = 0;
        }
        if (c->n_entrypoint == 0 && c->n_cmd == 0)
                return cor_fail(err, COR_INVALID, "no command specified");
        return 0;
}
