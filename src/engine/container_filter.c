#include "engine/container_filter.h"

#include "base/date.h"
#include "base/text.h"
#include "engine/image.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

void container_match_done(struct container_match *m)
{
        struct cor_strv *lists[] = { &m->ids,      &m->labels,    &m->labels_not, &m->ancestors, &m->volumes,
                                     &m->networks, &m->published, &m->exposed,    &m->names };

        for (size_t i = 0; i < COR_COUNT(lists); i++)
                cor_strv_done(lists[i]);
        free(m->codes);
}

struct parsing {
        struct engine *e;
        struct container_match *m;
        const char *key;
};

static int invalid(const struct parsing *p, const char *value, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "invalid filter '%s=%.100s'", p->key, value);
}

/* ---- values ---- */

static int parse_name(struct parsing *p, const char *value, struct cor_err *err)
{
        regex_t re;

        if (regcomp(&re, value, REG_EXTENDED | REG_NOSUB) != 0)
                return invalid(p, value, err);
        regfree(&re);
        cor_strv_add(&p->m->names, value);
        return 0;
}

static int parse_phase(struct parsing *p, const char *value, struct cor_err *err)
{
        for (int i = 0; i <= CONTAINER_PHASE_DEAD; i++)
                if (strcmp(container_phase_name((enum container_phase)i), value) == 0) {
                        p->m->phases |= UINT32_C(1) << i;
                        return 0;
                }
        return invalid(p, value, err);
}

static int parse_health(struct parsing *p, const char *value, struct cor_err *err)
{
        static const char words[][12] = { "none", "starting", "healthy", "unhealthy" };

        for (size_t i = 0; i < COR_COUNT(words); i++)
                if (strcmp(words[i], value) == 0) {
                        p->m->healths |= UINT32_C(1) << i;
                        return 0;
                }
        return invalid(p, value, err);
}

static int parse_code(struct parsing *p, const char *value, struct cor_err *err)
{
        int32_t code;

        if (cor_parse_i32(value, &code) < 0)
                return invalid(p, value, err);
        *COR_GROW(p->m->codes, p->m->n_codes) = code;
        return 0;
}

static int parse_number(struct parsing *p, const char *value, int64_t *ret, bool *ret_has, struct cor_err *err)
{
        auto_container_row row = { 0 };

        if (engine_container(p->e, value, false, &row, err) < 0)
                return -1;
        *ret = row.number;
        *ret_has = true;
        return 0;
}

static int parse_before(struct parsing *p, const char *value, struct cor_err *err)
{
        return parse_number(p, value, &p->m->before, &p->m->has_before, err);
}

static int parse_since(struct parsing *p, const char *value, struct cor_err *err)
{
        return parse_number(p, value, &p->m->since, &p->m->has_since, err);
}

/* A point in time, or how long ago */
static int parse_until(struct parsing *p, const char *value, struct cor_err *err)
{
        if (p->m->has_until)
                return cor_fail(err, COR_INVALID, "more than one until filter specified");
        if (cor_moment_parse(value, &p->m->until) < 0)
                return cor_fail(err, COR_INVALID, "failed to parse value as time or duration: \"%.100s\"", value);
        p->m->has_until = true;
        return 0;
}

static int parse_task(struct parsing *p, const char *value, struct cor_err *err)
{
        p->m->has_task = true;
        p->m->task = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
        return p->m->task || strcmp(value, "false") == 0 || strcmp(value, "0") == 0 ? 0 : invalid(p, value, err);
}

/* "80", "80/tcp", "80-90/udp" */
static int check_port(struct parsing *p, const char *value, struct cor_err *err)
{
        auto_str copy = cor_strdup(value);
        char *cursor = copy, *ports = cor_split_next(&cursor, '/'), *protocol = cor_split_next(&cursor, '/');
        char *first = ports ? cor_split_next(&ports, '-') : NULL, *last = first ? cor_split_next(&ports, '-') : NULL;
        uint32_t number;

        if (!first || cor_parse_u32(first, &number) < 0 || number > UINT16_MAX ||
            (last && (cor_parse_u32(last, &number) < 0 || number > UINT16_MAX)))
                return invalid(p, value, err);
        if (protocol && strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 && strcmp(protocol, "sctp") != 0)
                return invalid(p, value, err);
        return 0;
}

/* ---- keys ---- */

/* Those that only keep their words: the list that they go to, and whether it is documents that tell */
static const struct {
        char key[9];
        bool prune, documents;
        size_t list;
} word_filters[] = {
        { "id", false, false, offsetof(struct container_match, ids) },
        { "label", true, false, offsetof(struct container_match, labels) },
        { "label!", true, false, offsetof(struct container_match, labels_not) },
        { "ancestor", false, true, offsetof(struct container_match, ancestors) },
        { "volume", false, true, offsetof(struct container_match, volumes) },
        { "network", false, true, offsetof(struct container_match, networks) },
        { "publish", false, true, offsetof(struct container_match, published) },
        { "expose", false, true, offsetof(struct container_match, exposed) },
};

static const struct {
        char key[8];
        bool prune;
        int (*parse)(struct parsing *p, const char *value, struct cor_err *err);
} filters[] = {
        { "name", false, parse_name },   { "status", false, parse_phase },  { "health", false, parse_health },
        { "exited", false, parse_code }, { "before", false, parse_before }, { "since", false, parse_since },
        { "until", true, parse_until },  { "is-task", false, parse_task },
};

static int parse_one(struct parsing *p, const char *value, bool prune, struct cor_err *err)
{
        bool list = !prune;

        for (size_t i = 0; i < COR_COUNT(word_filters); i++) {
                if (strcmp(p->key, word_filters[i].key) != 0 || (prune && !word_filters[i].prune))
                        continue;
                if ((strcmp(p->key, "publish") == 0 || strcmp(p->key, "expose") == 0) && check_port(p, value, err) < 0)
                        return -1;
                cor_strv_add((struct cor_strv *)(void *)((char *)p->m + word_filters[i].list), value);
                p->m->documents = p->m->documents || word_filters[i].documents;
                return 0;
        }
        for (size_t i = 0; i < COR_COUNT(filters); i++)
                if (strcmp(p->key, filters[i].key) == 0 && (list ? filters[i].parse != parse_until : filters[i].prune))
                        return filters[i].parse(p, value, err);
        return cor_fail(err, COR_INVALID, "invalid filter '%s'", p->key);
}

int container_match_parse(struct engine *e, char *const *items, size_t n, enum container_filter_use use,
                          struct container_match *ret, struct cor_err *err)
{
        auto_container_match m = { 0 };

        for (size_t i = 0; i < n; i++) {
                const char *equals = strchr(items[i], '=');
                auto_str key = cor_strndup(items[i], equals ? (size_t)(equals - items[i]) : strlen(items[i]));
                struct parsing p = { .e = e, .m = &m, .key = key };

                if (!equals)
                        return cor_fail(err, COR_INVALID, "invalid filter '%s'", key);
                if (parse_one(&p, equals + 1, use == CONTAINER_FILTER_PRUNE, err) < 0)
                        return -1;
        }
        *ret = m;
        m = (struct container_match){ 0 };
        return 0;
}

/* ---- what fits ---- */

static bool is_named(const struct cor_strv *patterns, const char *name)
{
        auto_str slashed = cor_printf("/%s", name);

        for (size_t i = 0; i < patterns->n_items; i++) {
                bool fits;
                regex_t re;

                if (strcmp(patterns->items[i], name) == 0 || strcmp(patterns->items[i], slashed) == 0)
                        return true;
                if (regcomp(&re, patterns->items[i], REG_EXTENDED | REG_NOSUB) != 0)
                        continue;
                fits = regexec(&re, name, 0, NULL, 0) == 0 || regexec(&re, slashed, 0, NULL, 0) == 0;
                regfree(&re);
                if (fits)
                        return true;
        }
        return patterns->n_items == 0;
}

/* "KEY" or "KEY=VALUE" */
static bool has_label(const struct cor_strv *labels, const char *wanted)
{
        size_t n = strlen(wanted);

        for (size_t i = 0; i < labels->n_items; i++)
                if (strncmp(labels->items[i], wanted, n) == 0 &&
                    (!labels->items[i][n] || (labels->items[i][n] == '=' && !strchr(wanted, '='))))
                        return true;
        return false;
}

static bool labels_fit(const struct container_match *m, const struct container_row *r)
{
        for (size_t i = 0; i < m->labels.n_items; i++)
                if (!has_label(&r->labels, m->labels.items[i]))
                        return false;
        for (size_t i = 0; i < m->labels_not.n_items; i++)
                if (has_label(&r->labels, m->labels_not.items[i]))
                        return false;
        return true;
}

static bool state_fits(const struct container_match *m, const struct container_row *r)
{
        bool code = m->n_codes == 0;

        for (size_t i = 0; i < m->n_codes; i++)
                code = code || (m->codes[i] == r->now.exit_code && r->now.finished > 0 &&
                                (r->now.phase == CONTAINER_PHASE_EXITED || r->now.phase == CONTAINER_PHASE_DEAD));
        return code && (!m->phases || m->phases >> r->now.phase & 1) &&
               (!m->healths || m->healths >> r->now.health & 1);
}

static bool starts_one(const struct cor_strv *beginnings, const char *s)
{
        for (size_t i = 0; i < beginnings->n_items; i++)
                if (cor_starts_with(s, beginnings->items[i]))
                        return true;
        return beginnings->n_items == 0;
}

static bool simple_fits(const struct container_match *m, const struct container_row *r)
{
        if ((m->has_before && r->number >= m->before) || (m->has_since && r->number <= m->since) ||
            (m->has_until && r->created >= m->until) || (m->has_task && m->task))
                return false;
        return starts_one(&m->ids, r->id) && is_named(&m->names, r->name) && labels_fit(m, r) && state_fits(m, r);
}

/* ---- what documents tell ---- */

static bool has_one(const struct cor_strv *wanted, const char *s)
{
        for (size_t i = 0; i < wanted->n_items && s; i++)
                if (strcmp(wanted->items[i], s) == 0)
                        return true;
        return false;
}

/* The image, by name or id, or one whose layers it begins with */
static int descends(struct engine *e, const struct cor_strv *ancestors, const struct container_row *r,
                    struct cor_err *err)
{
        for (size_t i = 0; i < ancestors->n_items; i++) {
                auto_image_row image = { 0 };
                size_t same = 0;

                if (engine_image(e, ancestors->items[i], &image, err) < 0) {
                        if (err->kind != COR_NOT_FOUND && err->kind != COR_INVALID)
                                return -1;
                        cor_err_clear(err);
                        continue;
                }
                while (same < image.n_layers && same < r->n_layers &&
                       strcmp(image.layers[same].name.text, r->layers[same].text) == 0)
                        same++;
                if (strcmp(image.id.text, r->image_id.text) == 0 || (same == image.n_layers && same > 0))
                        return 1;
        }
        return ancestors->n_items == 0;
}

static int has_volume(const struct cor_strv *volumes, const struct container_row *r, struct cor_err *err)
{
        auto_json struct docker_mount_points *points = NULL;

        if (volumes->n_items == 0)
                return 1;
        if (!r->mounts)
                return 0;
        if (cor_json_parse(&docker_mount_points_doc, r->mounts, strlen(r->mounts), "mounts", &points, err) < 0)
                return -1;
        for (size_t i = 0; i < points->n_items; i++)
                if (has_one(volumes, points->items[i].name) || has_one(volumes, points->items[i].source) ||
                    has_one(volumes, points->items[i].destination))
                        return 1;
        return 0;
}

static bool port_fits(const char *port, const struct cor_strv *wanted)
{
        uint32_t number = (uint32_t)strtoul(port, NULL, 10), first, last;
        const char *protocol = strchr(port, '/');

        for (size_t i = 0; i < wanted->n_items; i++) {
                const char *word = wanted->items[i], *slash = strchr(word, '/'), *dash = strchr(word, '-');

                first = (uint32_t)strtoul(word, NULL, 10);
                last = dash ? (uint32_t)strtoul(dash + 1, NULL, 10) : first;
                if (number >= first && number <= last &&
                    cor_streq(protocol ? protocol : "/tcp", slash ? slash : "/tcp"))
                        return true;
        }
        return false;
}

static bool ports_fit(const struct container_match *m, const struct docker_config *c,
                      const struct docker_host_config *h)
{
        bool published = m->published.n_items == 0, exposed = m->exposed.n_items == 0;

        for (size_t i = 0; i < h->n_port_bindings; i++) {
                published = published || port_fits(h->port_bindings[i].port, &m->published);
                exposed = exposed || port_fits(h->port_bindings[i].port, &m->exposed);
        }
        for (size_t i = 0; i < c->n_exposed_ports; i++)
                exposed = exposed || port_fits(c->exposed_ports[i].key, &m->exposed);
        return published && exposed;
}

/* By name or id, whether it is connected now or would be */
static bool network_fits(const struct cor_strv *networks, const struct docker_host_config *h,
                         const struct container_row *r)
{
        auto_json struct docker_networking_config *c = NULL;
        const char *mode = h->network_mode && *h->network_mode && strcmp(h->network_mode, "default") != 0
                                   ? h->network_mode
                                   : "bridge";

        if (networks->n_items == 0 || has_one(networks, mode))
                return true;
        if (!r->networking ||
            cor_json_parse(&docker_networking_config_doc, r->networking, strlen(r->networking), NULL, &c, NULL) < 0)
                return false;
        for (size_t i = 0; i < c->n_endpoints; i++) {
                const struct docker_endpoint *e = &c->endpoints[i];

                if (has_one(networks, e->name) || (e->network_id && has_one(networks, e->network_id)))
                        return true;
        }
        return false;
}

static int documents_fit(struct engine *e, const struct container_match *m, const struct container_row *r,
                         struct cor_err *err)
{
        auto_json struct docker_config *c = NULL;
        auto_json struct docker_host_config *h = NULL;
        int fits = descends(e, &m->ancestors, r, err);

        if (fits > 0)
                fits = has_volume(&m->volumes, r, err);
        if (fits <= 0)
                return fits;
        if (cor_json_parse(&docker_config_doc, r->config, strlen(r->config), "container", &c, err) < 0 ||
            cor_json_parse(&docker_host_config_doc, r->host_config, strlen(r->host_config), "container", &h, err) < 0)
                return -1;
        return ports_fit(m, c, h) && network_fits(&m->networks, h, r);
}

int container_match_fits(struct engine *e, const struct container_match *m, const struct container_row *r,
                         struct cor_err *err)
{
        if (!simple_fits(m, r))
                return 0;
        return m->documents ? documents_fit(e, m, r, err) : 1;
}
