/* Which events are wanted: docker's filters, with docker's rules. */
#include "base/text.h"
#include "store/event.h"

#include <string.h>

static const char *attribute(const struct docker_event *e, const char *key)
{
        for (size_t i = 0; i < e->actor.n_attributes; i++)
                if (strcmp(e->actor.attributes[i].key, key) == 0)
                        return e->actor.attributes[i].value;
        return NULL;
}

/* One value that is wanted against what the event has (NULL: nothing) */
typedef bool match(const char *wanted, const char *found);

static bool exact(const char *wanted, const char *found)
{
        return found && strcmp(wanted, found) == 0;
}

static bool beginning(const char *wanted, const char *found)
{
        return found && cor_starts_with(found, wanted);
}

/* "name" for "name:tag"; a port in front of a slash is no tag */
static bool without_tag(const char *wanted, const char *found)
{
        const char *colon = found ? strrchr(found, ':') : NULL;

        return colon && !strchr(colon, '/') && strlen(wanted) == (size_t)(colon - found) &&
               strncmp(wanted, found, strlen(wanted)) == 0;
}

static bool asks_for(const struct event_query *q, const char *key)
{
        for (size_t i = 0; i < q->n_filters; i++)
                if (strcmp(q->filters[i].key, key) == 0)
                        return true;
        return false;
}

static bool any(const struct event_query *q, const char *key, match *matches, const char *found)
{
        for (size_t i = 0; i < q->n_filters; i++)
                if (strcmp(q->filters[i].key, key) == 0 && matches(q->filters[i].value, found))
                        return true;
        return false;
}

/* "exec_start", of which the whole action is "exec_start: sh -c …"; with one of these, all are only beginnings */
static bool has_long_action(const struct event_query *q)
{
        return any(q, "event", exact, "health_status") || any(q, "event", exact, "exec_create") ||
               any(q, "event", exact, "exec_start");
}

static bool image_matches(const struct event_query *q, const struct docker_event *e)
{
        const char *name = attribute(e, exact("image", e->type) ? "name" : "image");

        return any(q, "image", exact, e->actor.id) || any(q, "image", exact, name) ||
               any(q, "image", without_tag, e->actor.id) || any(q, "image", without_tag, name);
}

/* All labels that are asked for, each "key" or "key=value" */
static bool labels_match(const struct event_query *q, const struct docker_event *e)
{
        for (size_t i = 0; i < q->n_filters; i++) {
                const char *wanted = q->filters[i].value, *equals = strchr(wanted, '=');
                auto_str key = NULL;
                const char *found;

                if (strcmp(q->filters[i].key, "label") != 0)
                        continue;
                key = cor_strndup(wanted, equals ? (size_t)(equals - wanted) : strlen(wanted));
                found = attribute(e, key);
                if (!found || (equals && strcmp(equals + 1, found) != 0))
                        return false;
        }
        return true;
}

/* Objects by their id or name, or a beginning of it */
static const char *const objects[] = { "container", "volume", "network", "plugin", "daemon",
                                       "config",    "secret", "service", "node" };
static const char *const others[] = { "type", "event", "scope", "image", "label" };

bool event_matches(const struct event_query *q, const struct docker_event *e)
{
        if ((q->since > 0 && e->time_nano < q->since) || (q->until > 0 && e->time_nano > q->until))
                return false;
        if (q->n_filters == 0)
                return true;
        if ((asks_for(q, "type") && !any(q, "type", exact, e->type)) ||
            (asks_for(q, "scope") && !any(q, "scope", exact, e->scope)) ||
            (asks_for(q, "event") && !any(q, "event", has_long_action(q) ? beginning : exact, e->action)) ||
            (asks_for(q, "image") && !image_matches(q, e)) || !labels_match(q, e))
                return false;
        for (size_t i = 0; i < COR_COUNT(objects); i++)
                if (asks_for(q, objects[i]) && !any(q, objects[i], beginning, e->actor.id) &&
                    !any(q, objects[i], beginning, attribute(e, "name")))
                        return false;
        return true;
}

static bool is_filter(const char *key)
{
        for (size_t i = 0; i < COR_COUNT(objects); i++)
                if (strcmp(objects[i], key) == 0)
                        return true;
        for (size_t i = 0; i < COR_COUNT(others); i++)
                if (strcmp(others[i], key) == 0)
                        return true;
        return false;
}

int event_query_check(const struct event_query *q, struct cor_err *err)
{
        for (size_t i = 0; i < q->n_filters; i++)
                if (!is_filter(q->filters[i].key))
                        return cor_fail(err, COR_INVALID, "invalid filter '%.100s'", q->filters[i].key);
        return 0;
}
