/* Writing events. A line is written whole, with the file locked; who turns the file over holds the lock, too. */
#include "store/event.h"
#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "store/container.h"
#include "store/event_internal.h"
#include "store/image.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
        TURN_BYTES = 1 << 20,
        TURN_ALWAYS_BYTES = 16 << 20, /* however few events that is */
        KEEP_EVENTS = 256,
        LOCK_MS = 10000,
};

/* The file, locked; whoever turned it over before we got the lock has made another one. */
static int open_locked(int folder, struct cor_err *err)
{
        for (;;) {
                auto_fd fd = openat(folder, EVENT_FILE, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
                int held;

                if (fd < 0)
                        return cor_fail_errno(err, "open the file of events");
                held = cor_flock(fd, LOCK_MS, err);
                if (held < 0)
                        return -1;
                if (held == 0)
                        return cor_fail(err, COR_BUSY, "the file of events is locked for too long");
                if (store_same(folder, EVENT_FILE, fd))
                        return cor_fd_take(&fd);
        }
}

static bool has_events(int fd, size_t n)
{
        char buf[8192];
        ssize_t got;

        for (off_t at = 0; n > 0 && (got = pread(fd, buf, sizeof buf, at)) > 0; at += got)
                for (ssize_t i = 0; i < got && n > 0; i++)
                        n -= buf[i] == '\n';
        return n == 0;
}

static int turn_over(int folder, int fd, off_t size, struct cor_err *err)
{
        if (size < TURN_BYTES || (size < TURN_ALWAYS_BYTES && !has_events(fd, KEEP_EVENTS)))
                return 0;
        if (renameat(folder, EVENT_FILE, folder, EVENT_FILE_OLD) < 0)
                return cor_fail_errno(err, "turn over the file of events");
        return 0;
}

static int append(struct store *s, const struct cor_text *line, struct cor_err *err)
{
        auto_fd folder = store_run_open(s, err), fd = -1;
        char last = '\n';
        struct stat st;

        if (folder < 0)
                return -1;
        fd = open_locked(folder, err);
        if (fd < 0)
                return -1;
        if (fstat(fd, &st) < 0 || (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1))
                return cor_fail_errno(err, "look at the file of events");
        if (last != '\n' && cor_write_full(fd, "\n", 1, err) < 0) /* somebody was killed, or the disk was full */
                return -1;
        if (cor_write_full(fd, line->s, line->len, err) < 0)
                return -1;
        return turn_over(folder, fd, st.st_size + (off_t)line->len, err);
}

static const char *attribute(const struct docker_actor *a, const char *key)
{
        for (size_t i = 0; i < a->n_attributes; i++)
                if (strcmp(a->attributes[i].key, key) == 0)
                        return a->attributes[i].value;
        return NULL;
}

void event_write(struct store *s, const char *type, const char *action, const char *id,
                 const struct cor_pair *attributes, size_t n_attributes)
{
        struct docker_event e = {
                .type = type,
                .action = action,
                .actor = { id, (struct cor_pair *)(uintptr_t)attributes, n_attributes },
                .scope = "local",
        };
        auto_text line = COR_TEXT_INIT;
        struct cor_err err = { 0 };

        e.time_nano = cor_wall_ns();
        e.time = e.time_nano / 1000000000;
        if (!attributes)
                e.actor.attributes = COR_JSON_NONE_YET;
        if (strcmp(type, "container") == 0 || strcmp(type, "image") == 0) {
                e.status = action;
                e.id = id;
        }
        if (strcmp(type, "container") == 0)
                e.from = attribute(&e.actor, "image");
        cor_json_print(&docker_event_doc, &e, COR_JSON_COMPACT | COR_JSON_API, &line);
        cor_text_add_c(&line, '\n');
        if (append(s, &line, &err) < 0)
                cor_debug("event %s %s of %s was not noted: %s", type, action, id, err.msg);
}

/* A later one of the same key takes the place of the earlier one, as in docker's map. */
static void add_pair(struct cor_pair *pairs, size_t *n, const char *key, const char *value)
{
        for (size_t i = 0; i < *n; i++)
                if (strcmp(pairs[i].key, key) == 0) {
                        pairs[i].value = value;
                        return;
                }
        pairs[(*n)++] = (struct cor_pair){ key, value };
}

/* "KEY=VALUE" each; @keys keeps what the pairs borrow */
static void add_labels(struct cor_pair *pairs, size_t *n, const struct cor_strv *labels, struct cor_strv *keys)
{
        for (size_t i = 0; i < labels->n_items; i++) {
                const char *label = labels->items[i], *equals = strchr(label, '=');

                cor_strv_take(keys, cor_strndup(label, equals ? (size_t)(equals - label) : strlen(label)));
                add_pair(pairs, n, keys->items[i], equals ? equals + 1 : "");
        }
}

void event_write_container(struct store *s, const struct container_row *r, const char *action,
                           const struct cor_pair *more, size_t n_more)
{
        auto_free struct cor_pair *pairs = cor_realloc_array(NULL, r->labels.n_items + n_more + 2, sizeof *pairs);
        auto_strv keys = { 0 };
        size_t n = 0;

        add_labels(pairs, &n, &r->labels, &keys);
        for (size_t i = 0; i < n_more; i++)
                add_pair(pairs, &n, more[i].key, more[i].value);
        if (r->image && *r->image)
                add_pair(pairs, &n, "image", r->image);
        add_pair(pairs, &n, "name", r->name);
        event_write(s, "container", action, r->id, pairs, n);
}

void event_write_image(struct store *s, const struct image_row *i, const char *action, const char *id, const char *name)
{
        auto_free struct cor_pair *pairs = cor_realloc_array(NULL, i->labels.n_items + 1, sizeof *pairs);
        auto_strv keys = { 0 };
        size_t n = 0;

        add_labels(pairs, &n, &i->labels, &keys);
        add_pair(pairs, &n, "name", name);
        event_write(s, "image", action, id ? id : i->id.text, pairs, n);
}

void event_write_volume(struct store *s, const char *name, const char *action, const char *container,
                        const struct cor_pair *more, size_t n_more)
{
        auto_free struct cor_pair *pairs = cor_realloc_array(NULL, n_more + 2, sizeof *pairs);
        size_t n = 0;

        if (container)
                add_pair(pairs, &n, "container", container);
        add_pair(pairs, &n, "driver", "local");
        for (size_t i = 0; i < n_more; i++)
                add_pair(pairs, &n, more[i].key, more[i].value);
        event_write(s, "volume", action, name, pairs, n);
}

void event_write_prune(struct store *s, const char *type, int64_t bytes)
{
        char text[24];

        snprintf(text, sizeof text, "%lld", (long long)bytes);
        event_write(s, type, "prune", "", &(struct cor_pair){ "reclaimed", text }, 1);
}
