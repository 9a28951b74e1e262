#include "cni/dhcp_leases.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"

#define LOCK "lock"
enum { FILE_MAX_BYTES = 64 * 1024, LEASES_MAX = 65536, LOCK_MS = 3000 };

/* ------------------------------------------------------------------------------------------------------------ files */

struct saved {
        struct dhcp_request *request;
        uint64_t device, inode, cookie;
        int index;
        int64_t asked;
        const char *server_mac, *message;
};
static const struct cor_json_field saved_fields[] = {
        COR_FIELD_OBJ("request", OBJ, struct saved, request, &dhcp_request_doc, COR_JSON_REQUIRED),
        COR_FIELD("device", U64, struct saved, device, COR_JSON_REQUIRED),
        COR_FIELD("inode", U64, struct saved, inode, COR_JSON_REQUIRED),
        COR_FIELD("cookie", U64, struct saved, cookie, 0),
        COR_FIELD("index", I32, struct saved, index, COR_JSON_REQUIRED),
        COR_FIELD("asked", I64, struct saved, asked, COR_JSON_REQUIRED | COR_JSON_ALWAYS),
        COR_FIELD("serverMac", STR, struct saved, server_mac, COR_JSON_REQUIRED),
        COR_FIELD("message", STR, struct saved, message, COR_JSON_REQUIRED),
};
static const struct cor_json_doc saved_doc = COR_DOC(struct saved, saved_fields, NULL);

static void save(struct dhcp_leases *d, const struct dhcp_lease *l)
{
        auto_str mac = dhcp_hex(l->server_mac, sizeof l->server_mac);
        auto_str message = dhcp_hex(l->granted, l->n_granted);
        const struct saved s = {
                .request = l->request,
                .device = l->place.device,
                .inode = l->place.inode,
                .cookie = l->place.cookie,
                .index = l->place.index,
                .asked = l->asked,
                .server_mac = mac,
                .message = message,
        };
        auto_text text = COR_TEXT_INIT;
        struct cor_err err = { 0 };

        cor_json_print(&saved_doc, &s, COR_JSON_COMPACT, &text);
        if (cor_own_write(d->dir, l->file, text.s, text.len, 0600, false, &err) < 0)
                cor_warn("%s: the lease would be lost with this process: %s", l->name, err.msg);
}

/* What a document owns cannot be taken out of it: once more, from its own text. */
static int copy_request(const struct dhcp_request *q, struct dhcp_request **ret, struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;

        cor_json_print(&dhcp_request_doc, q, COR_JSON_COMPACT, &text);
        return cor_json_parse(&dhcp_request_doc, text.s, text.len, NULL, ret, err);
}

static int resume(const struct saved *s, struct dhcp_lease *l, struct cor_err *err)
{
        uint8_t message[DHCP_PACKET_MAX_BYTES];
        ssize_t n = dhcp_unhex(s->message, message, sizeof message);
        auto_space space = SPACE_INIT;
        struct link link;

        if (n < 0 || dhcp_unhex(s->server_mac, l->server_mac, sizeof l->server_mac) != sizeof l->server_mac)
                return cor_fail(err, COR_INVALID, "not what was written");
        if (s->asked > dhcp_now_ms())
                return cor_fail(err, COR_NOT_FOUND, "it is from before the machine was started");
        l->place.device = s->device;
        l->place.inode = s->inode;
        l->place.cookie = s->cookie;
        l->place.index = s->index;
        if (dhcp_place_find(&l->place, &space, &link, err) <= 0)
                return -1;
        return dhcp_lease_resume(l, message, (size_t)n, s->asked, err);
}

static int load(struct dhcp_leases *d, const char *file, struct cor_err *err)
{
        auto_json struct saved *s = NULL;
        struct dhcp_request *q = NULL;
        struct dhcp_lease *l;
        auto_str text = NULL;
        size_t n;

        if (cor_own_read(d->dir, file, FILE_MAX_BYTES, &text, &n, err) < 0 ||
            cor_json_parse(&saved_doc, text, n, NULL, &s, err) < 0 || copy_request(s->request, &q, err) < 0)
                return -1;
        l = dhcp_lease_new(&d->settings, q);
        if (resume(s, l, err) < 0) {
                dhcp_lease_free(l);
                return -1;
        }
        free(l->file);
        l->file = cor_strdup(file);
        *COR_GROW(d->items, d->n_items) = l;
        cor_info("%s: goes on", l->name);
        return 0;
}

static int load_all(struct dhcp_leases *d, struct cor_err *err)
{
        int fd = fcntl(d->dir, F_DUPFD_CLOEXEC, 0);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir) {
                cor_fd_close(&fd);
                return cor_fail_errno(err, "read the leases");
        }
        rewinddir(dir);
        for (const struct dirent *e; (e = readdir(dir));) {
                struct cor_err why = { 0 };

                if (e->d_name[0] == '.' || strcmp(e->d_name, LOCK) == 0 || load(d, e->d_name, &why) == 0)
                        continue;
                cor_info("lease %s is not gone on with: %s", e->d_name, why.msg);
                (void)unlinkat(d->dir, e->d_name, 0);
        }
        closedir(dir);
        return 0;
}

int dhcp_leases_open(struct dhcp_leases *d, const char *folder, struct cor_err *err)
{
        if (cor_mkdirs(folder, 0700, err) < 0)
                return -1;
        d->dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (d->dir < 0)
                return cor_fail_errno(err, "open %s", folder);
        d->lock = cor_lock_file(d->dir, LOCK, LOCK_MS, err);
        if (d->lock < 0)
                return cor_wrap(err, "another daemon is at work with %s", folder);
        return load_all(d, err);
}

void dhcp_leases_done(struct dhcp_leases *d)
{
        for (size_t i = 0; i < d->n_items; i++) {
                if (d->items[i]->first)
                        dhcp_lease_release(d->items[i]);
                dhcp_lease_free(d->items[i]);
        }
        free(d->items);
        cor_fd_close(&d->dir);
        cor_fd_close(&d->lock);
}

/* ------------------------------------------------------------------------------------------------------------ verbs */

static void remove_at(struct dhcp_leases *d, size_t i, const struct cor_err *why)
{
        struct dhcp_lease *l = d->items[i];

        d->ended(d->data, l, why);
        (void)unlinkat(d->dir, l->file, 0);
        d->items[i] = d->items[--d->n_items];
        dhcp_lease_free(l);
}

static bool is_of(const struct dhcp_lease *l, const struct dhcp_request *q)
{
        return strcmp(l->request->container_id, q->container_id) == 0 && strcmp(l->request->network, q->network) == 0 &&
               strcmp(l->request->ifname, q->ifname) == 0;
}

/* n_items: none */
static size_t find(const struct dhcp_leases *d, const struct dhcp_request *q)
{
        size_t i = 0;

        while (i < d->n_items && !is_of(d->items[i], q))
                i++;
        return i;
}

static void release_at(struct dhcp_leases *d, size_t i)
{
        struct cor_err why = { 0 };

        (void)cor_fail(&why, COR_BUSY, "DEL came while a lease was asked for");
        dhcp_lease_release(d->items[i]);
        remove_at(d, i, &why);
}

/* The same interface still: ADD was called twice. */
static bool is_usable(struct dhcp_lease *l, const struct dhcp_request *q)
{
        auto_space space = SPACE_INIT;
        struct link link;

        return dhcp_lease_is_held(l) && strcmp(l->request->netns, q->netns) == 0 &&
               dhcp_place_find(&l->place, &space, &link, NULL) == 1;
}

static int add(struct dhcp_leases *d, const struct dhcp_request *q, struct dhcp_lease **ret, struct cor_err *err)
{
        struct dhcp_request *own;
        struct cor_err why = { 0 };
        size_t i = find(d, q);
        struct dhcp_lease *l;

        if (i < d->n_items && d->items[i]->first)
                return cor_fail(err, COR_BUSY, "a lease for it is being asked for already");
        if (i < d->n_items && is_usable(d->items[i], q)) {
                *ret = d->items[i];
                return 0;
        }
        if (i < d->n_items) /* what was there before is gone; its server knows us by the same name */
                remove_at(d, i, &why);
        if (d->n_items >= LEASES_MAX)
                return cor_fail(err, COR_BUSY, "there are %d leases already", LEASES_MAX);
        if (copy_request(q, &own, err) < 0)
                return -1;
        l = dhcp_lease_new(&d->settings, own);
        if (dhcp_lease_start(l, &d->settings, dhcp_now_ms(), err) < 0) {
                dhcp_lease_free(l);
                return -1;
        }
        *COR_GROW(d->items, d->n_items) = l;
        *ret = l;
        return 1;
}

static int check(struct dhcp_leases *d, const struct dhcp_request *q, struct cor_err *err)
{
        size_t at = find(d, q);
        char text[IP_TEXT_BYTES];

        if (at == d->n_items || !d->items[at]->granted)
                return cor_fail(err, COR_NOT_FOUND, "the daemon has no lease for container %.64s, interface %s",
                                q->container_id, q->ifname);
        if (d->items[at]->withdrawn)
                return cor_fail(err, COR_NOT_FOUND, "the lease of %s has expired",
                                ip_prefix_text(&d->items[at]->terms.address, text));
        ip_prefix_text(&d->items[at]->terms.address, text);
        for (size_t i = 0; i < q->n_addresses; i++)
                if (strcmp(q->addresses[i], text) == 0)
                        return 0;
        return cor_fail(err, COR_NOT_FOUND, "prevResult: ips lacks %s, which the lease is for", text);
}

static bool is_valid(const struct dhcp_request *q, const struct dhcp_lease *l)
{
        for (size_t i = 0; i < q->n_attachments; i++)
                if (strcmp(q->attachments[i].container_id, l->request->container_id) == 0 &&
                    strcmp(q->attachments[i].ifname, l->request->ifname) == 0)
                        return true;
        return false;
}

static void collect(struct dhcp_leases *d, const struct dhcp_request *q)
{
        for (size_t i = d->n_items; i-- > 0;)
                if (strcmp(d->items[i]->request->network, q->network) == 0 && !is_valid(q, d->items[i]))
                        release_at(d, i);
}

int dhcp_leases_serve(struct dhcp_leases *d, const struct dhcp_request *q, struct dhcp_lease **ret_lease,
                      struct cor_err *err)
{
        size_t at;

        if (strcmp(q->verb, "ADD") == 0)
                return add(d, q, ret_lease, err);
        if (strcmp(q->verb, "CHECK") == 0)
                return check(d, q, err);
        if (strcmp(q->verb, "GC") == 0)
                collect(d, q);
        at = find(d, q);
        if (strcmp(q->verb, "DEL") == 0 && at < d->n_items)
                release_at(d, at);
        return 0;
}

void dhcp_leases_drop(struct dhcp_leases *d, struct dhcp_lease *l)
{
        for (size_t i = 0; i < d->n_items; i++)
                if (d->items[i] == l) {
                        release_at(d, i);
                        return;
                }
}

/* ----------------------------------------------------------------------------------------------------------- events */

int64_t dhcp_leases_due(const struct dhcp_leases *d)
{
        int64_t due = INT64_MAX;

        for (size_t i = 0; i < d->n_items; i++)
                if (dhcp_lease_due(d->items[i]) < due)
                        due = dhcp_lease_due(d->items[i]);
        return due;
}

static void act_on(struct dhcp_leases *d, size_t i, enum dhcp_event event, const struct cor_err *err)
{
        struct dhcp_lease *l = d->items[i];
        char text[IP_TEXT_BYTES];

        switch (event) {
        case DHCP_GOES_ON:
                return;
        case DHCP_GRANTED:
        case DHCP_RENEWED:
                cor_info("%s: %s is %s for %lld s", l->name, ip_prefix_text(&l->terms.address, text),
                         event == DHCP_GRANTED ? "granted" : "renewed", (long long)(l->terms.lease_ms / 1000));
                save(d, l);
                if (event == DHCP_GRANTED)
                        d->ended(d->data, l, NULL);
                return;
        case DHCP_FAILED:
        case DHCP_GONE:
                cor_info("%s: ends: %s", l->name, err->msg);
                remove_at(d, i, err);
        }
}

void dhcp_leases_step(struct dhcp_leases *d)
{
        for (size_t i = d->n_items; i-- > 0;) {
                struct dhcp_lease *l = d->items[i];
                enum dhcp_event event = DHCP_GOES_ON;
                struct cor_err err = { 0 };
                int64_t now = dhcp_now_ms();

                if (l->sock >= 0)
                        event = dhcp_lease_input(l, &d->settings, now, &err);
                if (event == DHCP_GOES_ON && now >= dhcp_lease_due(l))
                        event = dhcp_lease_tick(l, &d->settings, now, &err);
                act_on(d, i, event, &err);
        }
}
