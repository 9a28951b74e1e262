#include "tools/usernet/request.h"

#include "base/json.h"

#include <string.h>

/* -------------------------------------------------------------------------------------------------------- documents */

struct envelope {
        const char *execute, *arguments; /* arguments: JSON text */
};
static const struct cor_json_field envelope_fields[] = {
        COR_FIELD("execute", STR, struct envelope, execute, 0),
        COR_FIELD("arguments", RAW, struct envelope, arguments, 0),
};
static const struct cor_json_doc envelope_doc = COR_DOC(struct envelope, envelope_fields, NULL);

struct add {
        const char *proto, *host_addr, *guest_addr;
        int64_t host_port, guest_port;
};
static const struct cor_json_field add_fields[] = {
        COR_FIELD("proto", STR, struct add, proto, COR_JSON_REQUIRED),
        COR_FIELD("host_addr", STR, struct add, host_addr, 0),
        COR_FIELD("host_port", I64, struct add, host_port, COR_JSON_REQUIRED),
        COR_FIELD("guest_addr", STR, struct add, guest_addr, 0),
        COR_FIELD("guest_port", I64, struct add, guest_port, COR_JSON_REQUIRED),
};
static const struct cor_json_doc add_doc = COR_DOC(struct add, add_fields, NULL);

struct remove_id {
        int64_t id;
};
static const struct cor_json_field remove_fields[] = { COR_FIELD("id", I64, struct remove_id, id, COR_JSON_REQUIRED) };
static const struct cor_json_doc remove_doc = COR_DOC(struct remove_id, remove_fields, NULL);

/* What a protocol's word says: UDP or not, and of which family (0: the addresses tell). */
enum { IS_UDP = 1, IS_4 = 2, IS_6 = 4 };
static const struct cor_word protocols[] = {
        { "tcp", 0 },      { "tcp4", IS_4 },          { "tcp6", IS_6 },
        { "udp", IS_UDP }, { "udp4", IS_UDP | IS_4 }, { "udp6", IS_UDP | IS_6 },
        { NULL, 0 },
};
static const struct cor_word kinds[] = {
        { "add_hostfwd", REQUEST_ADD },
        { "list_hostfwd", REQUEST_LIST },
        { "remove_hostfwd", REQUEST_REMOVE },
        { NULL, 0 },
};

/* ---------------------------------------------------------------------------------------------------------- reading */

static int read_address(const char *key, const char *s, struct ip *ret, struct cor_err *err)
{
        if (ip_parse(s, ret) < 0)
                return cor_fail(err, COR_INVALID, "%s: %.60s is no IP address", key, s);
        return 0;
}

static int read_port(const char *key, int64_t port, uint16_t *ret, struct cor_err *err)
{
        if (port < 1 || port > UINT16_MAX)
                return cor_fail(err, COR_INVALID, "%s: expected 1 to %d, got %lld", key, UINT16_MAX, (long long)port);
        *ret = (uint16_t)port;
        return 0;
}

/* podman gives an empty text for an address that is not given. */
static bool is_given(const char *address)
{
        return address && *address;
}

/* One family for both ends: libslirp does not translate between them. */
static int read_addresses(const struct add *a, int64_t protocol, const struct ip *guest, const struct ip *guest6,
                          struct stack_forward *ret, struct cor_err *err)
{
        const char *any = protocol & IS_6 ? "::" : "0.0.0.0";

        if (read_address("host_addr", is_given(a->host_addr) ? a->host_addr : any, &ret->host, err) < 0)
                return -1;
        if (protocol & (ip_is_4(&ret->host) ? IS_6 : IS_4))
                return cor_fail(err, COR_INVALID, "host_addr: %.60s is not an address for proto %s", a->host_addr,
                                a->proto);
        if (is_given(a->guest_addr)) {
                if (read_address("guest_addr", a->guest_addr, &ret->guest, err) < 0)
                        return -1;
        } else {
                ret->guest = ip_is_4(&ret->host) ? *guest : *guest6;
        }
        if (ret->guest.len == 0)
                return cor_fail(err, COR_INVALID, "guest_addr: there is no address to take in its place");
        if (ret->guest.len != ret->host.len)
                return cor_fail(err, COR_INVALID, "guest_addr: not of the family of host_addr");
        return 0;
}

static int read_forward(const struct add *a, const struct ip *guest, const struct ip *guest6, struct stack_forward *ret,
                        struct cor_err *err)
{
        const struct cor_word *protocol = cor_word_find(protocols, a->proto);

        if (!protocol)
                return cor_fail(err, COR_INVALID, "proto: expected tcp or udp, got %.40s", a->proto);
        if (read_port("host_port", a->host_port, &ret->host_port, err) < 0 ||
            read_port("guest_port", a->guest_port, &ret->guest_port, err) < 0)
                return -1;
        ret->udp = protocol->value & IS_UDP;
        return read_addresses(a, protocol->value, guest, guest6, ret, err);
}

static int read_add(const char *text, const struct ip *guest, const struct ip *guest6, struct request *ret,
                    struct cor_err *err)
{
        struct add *a;
        int r;

        if (cor_json_parse(&add_doc, text, strlen(text), NULL, &a, err) < 0)
                return -1;
        r = read_forward(a, guest, guest6, &ret->forward, err);
        cor_json_free(a);
        return r;
}

static int read_remove(const char *text, struct request *ret, struct cor_err *err)
{
        struct remove_id *r;

        if (cor_json_parse(&remove_doc, text, strlen(text), NULL, &r, err) < 0)
                return -1;
        ret->id = r->id;
        cor_json_free(r);
        return 0;
}

/* In front of what is wrong come the words that clients know, with a dot: it is a key. */
static int name_place(const char *execute, struct cor_err *err)
{
        struct cor_err inner = *err;

        return cor_fail(err, COR_INVALID, "bad request: %s: bad arguments.%.300s", execute, inner.msg);
}

static int read_request(const struct envelope *e, const struct ip *guest, const struct ip *guest6, struct request *ret,
                        struct cor_err *err)
{
        const struct cor_word *kind = e->execute ? cor_word_find(kinds, e->execute) : NULL;
        const char *arguments = e->arguments ? e->arguments : "{}";
        int r = 0;

        if (!e->execute)
                return cor_fail(err, COR_INVALID, "bad request: no execute found");
        if (!kind)
                return cor_fail(err, COR_INVALID, "bad request: unknown execute: %.40s", e->execute);
        ret->kind = (enum request_kind)kind->value;
        if (ret->kind != REQUEST_LIST && arguments[0] != '{')
                return cor_fail(err, COR_INVALID, "bad request: %s: bad arguments: not an object", kind->word);
        if (ret->kind == REQUEST_ADD)
                r = read_add(arguments, guest, guest6, ret, err);
        else if (ret->kind == REQUEST_REMOVE)
                r = read_remove(arguments, ret, err);
        return r < 0 ? name_place(kind->word, err) : 0;
}

int request_parse(const char *text, size_t n, const struct ip *guest, const struct ip *guest6, struct request *ret,
                  struct cor_err *err)
{
        struct envelope *e;
        struct cor_err inner = { 0 };
        int r;

        *ret = (struct request){ .kind = REQUEST_LIST };
        if (n >= REQUEST_MAX)
                return cor_fail(err, COR_INVALID, "bad request: too large message");
        if (cor_json_parse(&envelope_doc, text, n, NULL, &e, &inner) < 0)
                return cor_fail(err, COR_INVALID, "bad request: cannot parse JSON: %.300s", inner.msg);
        r = read_request(e, guest, guest6, ret, err);
        cor_json_free(e);
        return r;
}

/* ---------------------------------------------------------------------------------------------------------- answers */

void request_answer_error(const char *why, struct cor_text *out)
{
        cor_text_add(out, "{\"error\":{\"desc\":");
        cor_text_add_json(out, why);
        cor_text_add(out, "}}");
}

void request_answer_added(int64_t id, struct cor_text *out)
{
        cor_text_printf(out, "{\"return\":{\"id\":%lld}}", (long long)id);
}

void request_answer_done(struct cor_text *out)
{
        cor_text_add(out, "{\"return\":{}}");
}

static void add_entry(const struct request_entry *e, struct cor_text *out)
{
        char host[IP_TEXT_BYTES], guest[IP_TEXT_BYTES];

        cor_text_printf(out, "{\"id\":%lld,\"proto\":\"%s\",\"host_addr\":\"%s\",\"host_port\":%u,", (long long)e->id,
                        e->forward.udp ? "udp" : "tcp", ip_text(&e->forward.host, host),
                        (unsigned)e->forward.host_port);
        cor_text_printf(out, "\"guest_addr\":\"%s\",\"guest_port\":%u}", ip_text(&e->forward.guest, guest),
                        (unsigned)e->forward.guest_port);
}

/* slirp4netns documents the entries inside "return" and gives them without: clients of both kinds find theirs. */
void request_answer_list(const struct request_entry *entries, size_t n_entries, struct cor_text *out)
{
        auto_text list = COR_TEXT_INIT;

        cor_text_add(&list, "\"entries\":[");
        for (size_t i = 0; i < n_entries; i++) {
                if (i > 0)
                        cor_text_add_c(&list, ',');
                add_entry(&entries[i], &list);
        }
        cor_text_add_c(&list, ']');
        cor_text_printf(out, "{\"return\":{%s},%s}", list.s, list.s);
}
