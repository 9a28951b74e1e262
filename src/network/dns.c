#include "network/dns.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { AT_FLAGS = 2, AT_QUESTIONS = 4, AT_ANSWERS = 6, AT_ADDITIONAL = 10, LABEL_MAX = 63, WIRE_NAME_MAX = 255 };
enum {
        FLAG_ANSWER = 0x80,
        FLAG_AUTHORITATIVE = 0x04,
        FLAG_TRUNCATED = 0x02,
        FLAG_WANTED = 0x01,
        FLAG_AVAILABLE = 0x80
};
enum {
        OPCODE_MASK = 0x78,
        CODE_MASK = 0x0f,
        CLASS_IN = 1,
        OPT_BYTES = 11,
        POINTER_TO_QUESTION = 0xc000 | DNS_HEADER_BYTES
};

static uint16_t get16(const uint8_t *p)
{
        return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned value)
{
        p[0] = (uint8_t)(value >> 8);
        p[1] = (uint8_t)value;
}

void dns_set_id(uint8_t *message, uint16_t id)
{
        put16(message, id);
}

bool dns_is_truncated(const uint8_t *message)
{
        return message[AT_FLAGS] & FLAG_TRUNCATED;
}

enum dns_code dns_code_of(const uint8_t *message)
{
        return (enum dns_code)(message[AT_FLAGS + 1] & CODE_MASK);
}

/* -------------------------------------------------------------------------------------------------------- questions */

/* Behind the name at @at, which is text in @ret; 0: it is none. Compression has no place in a question. */
static size_t read_name(const uint8_t *m, size_t n, size_t at, char *ret)
{
        size_t len = 0, begin = at;
        bool is_text = true;

        while (at < n && m[at] != 0) {
                size_t label = m[at++];

                if (label > LABEL_MAX || label > n - at || at + label - begin > WIRE_NAME_MAX - 1)
                        return 0;
                if (len)
                        ret[len++] = '.';
                for (size_t i = 0; i < label; i++) {
                        is_text = is_text && m[at + i] > ' ' && m[at + i] < 0x7f && m[at + i] != '.';
                        ret[len++] = (char)m[at + i];
                }
                at += label;
        }
        if (at >= n)
                return 0;
        ret[is_text ? len : 0] = '\0';
        return at + 1;
}

/* What follows the question directly is looked at: that is where everybody puts it. */
static void read_edns(const uint8_t *m, size_t n, struct dns_question *q)
{
        if (get16(m + AT_ANSWERS) != 0 || get16(m + AT_ANSWERS + 2) != 0 || get16(m + AT_ADDITIONAL) == 0 ||
            n - q->end < OPT_BYTES || m[q->end] != 0 || get16(m + q->end + 1) != DNS_OPT)
                return;
        q->has_edns = true;
        q->udp_bytes = get16(m + q->end + 3);
        if (q->udp_bytes < DNS_UDP_BYTES)
                q->udp_bytes = DNS_UDP_BYTES;
        if (q->udp_bytes > DNS_UDP_MAX)
                q->udp_bytes = DNS_UDP_MAX;
}

bool dns_read_question(const uint8_t *m, size_t n, struct dns_question *ret, enum dns_code *ret_code)
{
        struct dns_question q = { .udp_bytes = DNS_UDP_BYTES };
        size_t at;

        if (n < DNS_HEADER_BYTES || m[AT_FLAGS] & FLAG_ANSWER)
                return false;
        q.id = get16(m);
        q.recursion_desired = m[AT_FLAGS] & FLAG_WANTED;
        *ret_code = DNS_OK;
        if (m[AT_FLAGS] & OPCODE_MASK) {
                *ret_code = DNS_NOT_DONE;
        } else {
                at = get16(m + AT_QUESTIONS) == 1 ? read_name(m, n, DNS_HEADER_BYTES, q.name) : 0;
                if (at == 0 || n - at < 4) {
                        *ret_code = DNS_FORMAT_ERROR;
                } else {
                        q.type = get16(m + at);
                        q.class = get16(m + at + 2);
                        q.end = at + 4;
                        read_edns(m, n, &q);
                }
        }
        *ret = q;
        return true;
}

/* ---------------------------------------------------------------------------------------------------------- answers */

/* Space for a record of @len bytes of data that is about the question's name: where these go; NULL: there is none */
static uint8_t *add_record(uint8_t *out, size_t *len, size_t max, uint16_t type, size_t data_len)
{
        uint8_t *p = out + *len;

        if (max - *len < 12 + data_len) {
                out[AT_FLAGS] |= FLAG_TRUNCATED;
                return NULL;
        }
        put16(p, POINTER_TO_QUESTION);
        put16(p + 2, type);
        put16(p + 4, CLASS_IN);
        memset(p + 6, 0, 4); /* it may be another one's the next moment */
        put16(p + 10, (unsigned)data_len);
        *len += 12 + data_len;
        put16(out + AT_ANSWERS, get16(out + AT_ANSWERS) + 1u);
        return p + 12;
}

/* A name as labels; 0: it is too long for one */
static size_t write_name(const char *name, uint8_t out[WIRE_NAME_MAX])
{
        size_t len = 0;

        while (*name) {
                size_t n = strcspn(name, ".");

                if (n == 0 || n > LABEL_MAX || len + n + 2 > WIRE_NAME_MAX)
                        return 0;
                out[len++] = (uint8_t)n;
                memcpy(out + len, name, n);
                len += n;
                name += n + (name[n] == '.');
        }
        out[len++] = 0;
        return len;
}

static void add_answers(const struct dns_question *q, const struct dns_answer *a, size_t max, uint8_t *out, size_t *len)
{
        uint8_t name[WIRE_NAME_MAX], *p;
        size_t n;

        for (size_t i = 0; i < a->n_ips; i++) {
                const struct ip *ip = &a->ips[i];

                if (q->type != (ip_is_4(ip) ? DNS_A : DNS_AAAA))
                        continue;
                p = add_record(out, len, max, q->type, ip->len);
                if (!p)
                        return;
                memcpy(p, ip->bytes, ip->len);
        }
        n = a->name && q->type == DNS_PTR ? write_name(a->name, name) : 0;
        p = n ? add_record(out, len, max, DNS_PTR, n) : NULL;
        if (p)
                memcpy(p, name, n);
}

size_t dns_write_answer(const uint8_t *query, const struct dns_question *q, const struct dns_answer *a, size_t max,
                        uint8_t *out)
{
        size_t len = q->end ? q->end : DNS_HEADER_BYTES, opt = q->has_edns ? OPT_BYTES : 0;

        memcpy(out, query, len);
        put16(out, q->id);
        out[AT_FLAGS] = (uint8_t)(FLAG_ANSWER | (q->recursion_desired ? FLAG_WANTED : 0) |
                                  (a->code == DNS_OK ? FLAG_AUTHORITATIVE : 0));
        out[AT_FLAGS + 1] = (uint8_t)(FLAG_AVAILABLE | a->code);
        memset(out + AT_QUESTIONS, 0, DNS_HEADER_BYTES - AT_QUESTIONS);
        put16(out + AT_QUESTIONS, q->end ? 1 : 0);
        if (q->end && a->code == DNS_OK)
                add_answers(q, a, max - opt, out, &len);
        if (opt) {
                memset(out + len, 0, OPT_BYTES);
                put16(out + len + 1, DNS_OPT);
                put16(out + len + 3, DNS_UDP_MAX);
                put16(out + AT_ADDITIONAL, 1);
                len += OPT_BYTES;
        }
        return len;
}

/* Who answers repeats the question, in whatever case. */
static bool same_question(const uint8_t *a, const uint8_t *b, size_t n)
{
        for (size_t i = DNS_HEADER_BYTES; i < n; i++)
                if (tolower(a[i]) != tolower(b[i]))
                        return false;
        return true;
}

bool dns_answers(const uint8_t *m, size_t n, const uint8_t *query, const struct dns_question *q, uint16_t id)
{
        return n >= q->end && q->end && get16(m) == id && m[AT_FLAGS] & FLAG_ANSWER && get16(m + AT_QUESTIONS) == 1 &&
               same_question(m, query, q->end);
}

/* ---------------------------------------------------------------------------------------------------------- reverse */

static bool reverse4(const char *name, struct ip *ret)
{
        struct ip a = { .len = 4 };

        for (int i = 3; i >= 0; i--) {
                unsigned value = 0;
                size_t n = strspn(name, "0123456789");

                if (n == 0 || n > 3 || name[n] != '.')
                        return false;
                for (size_t d = 0; d < n; d++)
                        value = value * 10 + (unsigned)(name[d] - '0');
                if (value > 255)
                        return false;
                a.bytes[i] = (uint8_t)value;
                name += n + 1;
        }
        if (strcasecmp(name, "in-addr.arpa") != 0)
                return false;
        *ret = a;
        return true;
}

static int digit(char c)
{
        return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static bool reverse6(const char *name, struct ip *ret)
{
        struct ip a = { .len = 16 };

        for (int i = 31; i >= 0; i--, name += 2) {
                if (!isxdigit((unsigned char)name[0]) || name[1] != '.')
                        return false;
                a.bytes[i / 2] |= (uint8_t)(digit(name[0]) << (i % 2 ? 0 : 4));
        }
        if (strcasecmp(name, "ip6.arpa") != 0)
                return false;
        *ret = a;
        return true;
}

bool dns_reverse(const char *name, struct ip *ret)
{
        return reverse4(name, ret) || reverse6(name, ret);
}
