#include "runtime/criu_wire.h"

#include <string.h>

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* rpc.proto: numbers of the fields of criu_req, criu_resp, criu_notify and criu_restore_resp */
enum { REQ_TYPE = 1, REQ_OPTS = 2, REQ_NOTIFY_SUCCESS = 3 };
enum { RESP_TYPE = 1, RESP_SUCCESS = 2, RESP_RESTORE = 4, RESP_NOTIFY = 5, RESP_ERRNO = 7, RESP_ERRMSG = 9 };
enum { NOTIFY_SCRIPT = 1, NOTIFY_PID = 2, RESTORE_PID = 1 };

/* --- writing ------------------------------------------------------------------------------------------------------ */

static void add_varint(struct cor_text *t, uint64_t v)
{
        for (; v > 0x7f; v >>= 7)
                cor_text_add_c(t, (char)(uint8_t)(0x80 | (v & 0x7f)));
        cor_text_add_c(t, (char)(uint8_t)v);
}

static void add_bytes(struct cor_text *t, unsigned field, const void *bytes, size_t n)
{
        add_varint(t, field << 3 | BYTES);
        add_varint(t, n);
        cor_text_add_n(t, bytes, n);
}

void criu_add_int(struct cor_text *message, unsigned field, int64_t value)
{
        add_varint(message, field << 3 | VARINT);
        add_varint(message, (uint64_t)value);
}

void criu_add_bool(struct cor_text *message, unsigned field, bool value)
{
        if (value)
                criu_add_int(message, field, 1);
}

void criu_add_str(struct cor_text *message, unsigned field, const char *value)
{
        if (value)
                add_bytes(message, field, value, strlen(value));
}

void criu_add_message(struct cor_text *message, unsigned field, const struct cor_text *inner)
{
        add_bytes(message, field, inner->s ? inner->s : "", inner->len);
}

void criu_add_pair(struct cor_text *message, unsigned field, const char *first, const char *second)
{
        auto_text inner = COR_TEXT_INIT;

        criu_add_str(&inner, 1, first);
        criu_add_str(&inner, 2, second);
        criu_add_message(message, field, &inner);
}

void criu_add_key(struct cor_text *message, unsigned field, const char *key, int64_t number)
{
        auto_text inner = COR_TEXT_INIT;

        criu_add_str(&inner, 1, key);
        criu_add_int(&inner, 2, number);
        criu_add_message(message, field, &inner);
}

void criu_request(struct cor_text *ret, enum criu_type type, const struct cor_text *opts)
{
        criu_add_int(ret, REQ_TYPE, type);
        criu_add_message(ret, REQ_OPTS, opts);
}

void criu_request_notified(struct cor_text *ret)
{
        criu_add_int(ret, REQ_TYPE, CRIU_NOTIFY);
        criu_add_bool(ret, REQ_NOTIFY_SUCCESS, true);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

struct cursor {
        const uint8_t *at, *end;
};

struct field {
        unsigned number;
        uint64_t value;      /* of a varint */
        struct cursor bytes; /* of text, or of a message */
};

static int take_varint(struct cursor *c, uint64_t *ret)
{
        uint64_t v = 0;

        for (unsigned shift = 0; c->at < c->end && shift < 64; shift += 7) {
                uint8_t byte = *c->at++;

                v |= (uint64_t)(byte & 0x7f) << shift;
                if (!(byte & 0x80)) {
                        *ret = v;
                        return 0;
                }
        }
        return -1;
}

static int take_bytes(struct cursor *c, size_t n, struct cursor *ret)
{
        if (n > (size_t)(c->end - c->at))
                return -1;
        *ret = (struct cursor){ c->at, c->at + n };
        c->at += n;
        return 0;
}

/* 1: a field, 0: the end, -1: no message */
static int take_field(struct cursor *c, struct field *ret)
{
        uint64_t key, n;

        *ret = (struct field){ .number = 0 };
        if (c->at == c->end)
                return 0;
        if (take_varint(c, &key) < 0)
                return -1;
        ret->number = (unsigned)(key >> 3);
        switch (key & 7) {
        case VARINT:
                return take_varint(c, &ret->value) < 0 ? -1 : 1;
        case BYTES:
                return take_varint(c, &n) < 0 || take_bytes(c, n, &ret->bytes) < 0 ? -1 : 1;
        case FIXED64:
                return take_bytes(c, 8, &ret->bytes) < 0 ? -1 : 1;
        case FIXED32:
                return take_bytes(c, 4, &ret->bytes) < 0 ? -1 : 1;
        default:
                return -1;
        }
}

static void copy_text(const struct field *f, char *buf, size_t size)
{
        size_t n = (size_t)(f->bytes.end - f->bytes.at);

        if (n >= size)
                n = size - 1;
        if (n > 0)
                memcpy(buf, f->bytes.at, n);
        buf[n] = '\0';
        buf[strcspn(buf, "\n")] = '\0';
}

/* criu_notify has the pid behind the script, criu_restore_resp has nothing but a pid. */
static int parse_inner(struct cursor c, unsigned pid_field, bool has_script, struct criu_reply *ret)
{
        struct field f;
        int r;

        while ((r = take_field(&c, &f)) > 0) {
                if (f.number == pid_field)
                        ret->pid = (int)f.value;
                else if (has_script && f.number == NOTIFY_SCRIPT)
                        copy_text(&f, ret->script, sizeof ret->script);
        }
        return r;
}

static int parse_field(const struct field *f, struct criu_reply *ret)
{
        switch (f->number) {
        case RESP_TYPE:
                ret->type = (int)f->value;
                return 0;
        case RESP_SUCCESS:
                ret->success = f->value != 0;
                return 0;
        case RESP_ERRNO:
                ret->sys = (int)f->value;
                return 0;
        case RESP_ERRMSG:
                copy_text(f, ret->message, sizeof ret->message);
                return 0;
        case RESP_NOTIFY:
                return parse_inner(f->bytes, NOTIFY_PID, true, ret);
        case RESP_RESTORE:
                return parse_inner(f->bytes, RESTORE_PID, false, ret);
        default:
                return 0;
        }
}

int criu_reply_parse(const void *bytes, size_t n, struct criu_reply *ret, struct cor_err *err)
{
        struct cursor c = { bytes, (const uint8_t *)bytes + n };
        struct criu_reply reply = { 0 };
        struct field f;
        int r;

        while ((r = take_field(&c, &f)) > 0)
                if (parse_field(&f, &reply) < 0)
                        break;
        if (r != 0 || n == 0)
                return cor_fail(err, COR_INVALID, "criu: a reply that is no message of its protocol");
        *ret = reply;
        return 0;
}
