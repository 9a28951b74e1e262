#include "monitor/log_record.h"

#include "base/date.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5, VARINT_MAX = 10 };
enum { F_SOURCE = 1, F_TIME, F_LINE, F_PARTIAL, F_METADATA, F_ATTR };
enum { F_LAST = 1, F_ID, F_ORDINAL };
enum { F_KEY = 1, F_VALUE };

/* --- writing ------------------------------------------------------------------------------------------------------ */

static void add_varint(struct cor_text *out, uint64_t v)
{
        char bytes[VARINT_MAX];
        size_t n = 0;

        for (; v >= 0x80; v >>= 7)
                bytes[n++] = (char)(v | 0x80);
        bytes[n++] = (char)v;
        cor_text_add_n(out, bytes, n);
}

static void add_number(struct cor_text *out, unsigned field, uint64_t v)
{
        if (v == 0)
                return;
        cor_text_add_c(out, (char)(field << 3 | WIRE_VARINT));
        add_varint(out, v);
}

static void add_bytes(struct cor_text *out, unsigned field, const char *bytes, size_t n)
{
        if (n == 0)
                return;
        cor_text_add_c(out, (char)(field << 3 | WIRE_BYTES));
        add_varint(out, n);
        cor_text_add_n(out, bytes, n);
}

static void add_message(struct cor_text *out, unsigned field, const struct cor_text *message)
{
        cor_text_add_c(out, (char)(field << 3 | WIRE_BYTES));
        add_varint(out, message->len);
        if (message->len)
                cor_text_add_n(out, message->s, message->len);
}

static void put_length(char *at, size_t n)
{
        const uint8_t bytes[] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

        memcpy(at, bytes, sizeof bytes);
}

static void add_part(struct cor_text *out, const struct log_part *p)
{
        auto_text message = COR_TEXT_INIT;

        add_number(out, F_PARTIAL, 1);
        add_number(&message, F_LAST, p->last);
        add_bytes(&message, F_ID, p->id, strlen(p->id));
        add_number(&message, F_ORDINAL, p->ordinal);
        add_message(out, F_METADATA, &message);
}

static void add_attr(struct cor_text *out, const struct cor_pair *a)
{
        auto_text message = COR_TEXT_INIT;

        add_bytes(&message, F_KEY, a->key, strlen(a->key));
        add_bytes(&message, F_VALUE, a->value, strlen(a->value));
        add_message(out, F_ATTR, &message);
}

void log_record_add(const struct log_message *m, const struct cor_pair *attrs, size_t n_attrs, struct cor_text *out)
{
        size_t start = out->len, n;

        cor_text_add_n(out, "\0\0\0", LOG_RECORD_FRAME);
        add_bytes(out, F_SOURCE, m->stream == LOG_STDERR ? "stderr" : "stdout", 6);
        add_number(out, F_TIME, (uint64_t)cor_time_ns(&m->time));
        add_bytes(out, F_LINE, m->text, m->n);
        if (m->part)
                add_part(out, m->part);
        for (size_t i = 0; i < n_attrs; i++)
                add_attr(out, &attrs[i]);
        n = out->len - start - LOG_RECORD_FRAME;
        put_length(out->s + start, n);
        cor_text_add_n(out, "\0\0\0", LOG_RECORD_FRAME);
        put_length(out->s + out->len - LOG_RECORD_FRAME, n);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

uint32_t log_record_length(const void *at)
{
        uint8_t b[LOG_RECORD_FRAME];

        memcpy(b, at, sizeof b);
        return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

struct cursor {
        char *at, *end;
};

struct field {
        uint32_t number;
        bool is_bytes; /* else a number */
        uint64_t value;
        struct cursor bytes;
};

static bool take_varint(struct cursor *c, uint64_t *ret)
{
        *ret = 0;
        for (unsigned shift = 0; shift < 7 * VARINT_MAX && c->at < c->end; shift += 7) {
                uint8_t byte = (uint8_t)*c->at++;

                *ret |= (uint64_t)(byte & 0x7f) << (shift < 64 ? shift : 63);
                if (!(byte & 0x80))
                        return true;
        }
        return false;
}

static bool take_bytes(struct cursor *c, uint64_t n, struct cursor *ret)
{
        if (n > (uint64_t)(c->end - c->at))
                return false;
        *ret = (struct cursor){ c->at, c->at + n };
        c->at += n;
        return true;
}

/* 1, 0 at the end, -1: damaged */
static int take_field(struct cursor *c, struct field *ret)
{
        uint64_t tag, n;

        if (c->at == c->end)
                return 0;
        if (!take_varint(c, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
                return -1;
        *ret = (struct field){ .number = (uint32_t)(tag >> 3), .is_bytes = true };
        switch (tag & 7) {
        case WIRE_VARINT:
                ret->is_bytes = false;
                return take_varint(c, &ret->value) ? 1 : -1;
        case WIRE_64:
                return take_bytes(c, 8, &ret->bytes) ? 1 : -1;
        case WIRE_32:
                return take_bytes(c, 4, &ret->bytes) ? 1 : -1;
        case WIRE_BYTES:
                return take_varint(c, &n) && take_bytes(c, n, &ret->bytes) ? 1 : -1;
        default:
                return -1;
        }
}

static bool parse_part(struct cursor c, struct log_record *ret)
{
        struct field f;
        int got;

        while ((got = take_field(&c, &f)) > 0)
                if (f.number == F_LAST && !f.is_bytes)
                        ret->last = f.value != 0;
        return got == 0;
}

/* Texts of @from, one byte before where they were, so that there is room for their end. */
static char *make_text(const struct cursor *from)
{
        size_t n = (size_t)(from->end - from->at);
        char *to = from->at - 1;

        memmove(to, from->at, n);
        to[n] = '\0';
        return to;
}

/* What stands before a text is its length, which was read. */
static bool parse_attr(struct cursor c, struct cor_pair *ret)
{
        struct field f;
        int got;

        *ret = (struct cor_pair){ .key = "", .value = "" };
        while ((got = take_field(&c, &f)) > 0) {
                if (f.number == F_KEY && f.is_bytes)
                        ret->key = make_text(&f.bytes);
                else if (f.number == F_VALUE && f.is_bytes)
                        ret->value = make_text(&f.bytes);
        }
        return got == 0;
}

static bool take_attr(const struct field *f, size_t max, struct log_record *ret)
{
        struct cor_pair ignored;

        return parse_attr(f->bytes, ret->n_attrs < max ? &ret->attrs[ret->n_attrs++] : &ignored);
}

bool log_record_parse(char *bytes, size_t n, struct cor_pair *attrs, size_t max, struct log_record *ret)
{
        struct cursor c = { bytes, bytes + n };
        struct field f;
        int got;

        *ret = (struct log_record){ .line = "", .attrs = attrs };
        while ((got = take_field(&c, &f)) > 0) {
                size_t len = f.is_bytes ? (size_t)(f.bytes.end - f.bytes.at) : 0;
                bool good = true;

                if (f.number == F_SOURCE && f.is_bytes)
                        ret->stream = len == 6 && memcmp(f.bytes.at, "stderr", 6) == 0 ? LOG_STDERR : LOG_STDOUT;
                else if (f.number == F_TIME && !f.is_bytes)
                        ret->time = (int64_t)f.value;
                else if (f.number == F_LINE && f.is_bytes) {
                        ret->line = f.bytes.at;
                        ret->n = len;
                } else if (f.number == F_PARTIAL && !f.is_bytes)
                        ret->partial = f.value != 0;
                else if (f.number == F_METADATA && f.is_bytes)
                        good = parse_part(f.bytes, ret);
                else if (f.number == F_ATTR && f.is_bytes)
                        good = take_attr(&f, max, ret);
                if (!good)
                        return false;
        }
        return got == 0;
}
