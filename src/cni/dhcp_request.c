#include "cni/dhcp_request.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/process.h"
#include "cni/call.h"
#include "linux/link_message.h"

/* -------------------------------------------------------------------------------------------------------- documents */

static int check_given(void *object, struct cor_err *err)
{
        const struct dhcp_given *g = object;
        uint8_t bytes[DHCP_VALUE_MAX_BYTES];

        if (!dhcp_option_settable(g->option))
                return cor_fail(err, COR_INVALID, ".option: %u is for the protocol itself", g->option);
        if (dhcp_unhex(g->hex, bytes, sizeof bytes) < 0)
                return cor_fail(err, COR_INVALID, ".hex: not at most %zu bytes", sizeof bytes);
        return 0;
}

static bool is_verb(const char *word)
{
        for (size_t i = 0; cni_verb_words[i]; i++)
                if (strcmp(cni_verb_words[i], word) == 0)
                        return true;
        return false;
}

static int check_request(void *object, struct cor_err *err)
{
        const struct dhcp_request *q = object;
        size_t sum = 0;

        if (!is_verb(q->verb))
                return cor_fail(err, COR_INVALID, "verb: \"%.32s\" is none", q->verb);
        if (q->ifname && q->ifname[0] && !link_name_valid(q->ifname))
                return cor_fail(err, COR_INVALID, "ifname: \"%.32s\" is no name of an interface", q->ifname);
        if (q->netns && q->netns[0] && q->netns[0] != '/')
                return cor_fail(err, COR_INVALID, "netns: is not absolute");
        if (q->n_parameters > DHCP_VALUE_MAX_BYTES)
                return cor_fail(err, COR_INVALID, "ipam.request: more than %d options", DHCP_VALUE_MAX_BYTES);
        for (size_t i = 0; i < q->n_parameters; i++)
                if (q->parameters[i] == DHCP_PAD || q->parameters[i] >= DHCP_END)
                        return cor_fail(err, COR_INVALID, "parameters[%zu]: %u is no option", i, q->parameters[i]);
        for (size_t i = 0; i < q->n_values; i++)
                sum += 2 + strlen(q->values[i].hex) / 2;
        if (sum > DHCP_VALUES_MAX_BYTES)
                return cor_fail(err, COR_INVALID, "ipam.provide: %zu bytes of options, more than %d", sum,
                                DHCP_VALUES_MAX_BYTES);
        return 0;
}

static const struct cor_json_field given_fields[] = {
        COR_FIELD("option", U32, struct dhcp_given, option, COR_JSON_REQUIRED),
        COR_FIELD("hex", STR, struct dhcp_given, hex, COR_JSON_REQUIRED | COR_JSON_ALWAYS),
};
static const struct cor_json_doc given_doc = COR_DOC(struct dhcp_given, given_fields, check_given);

static const struct cor_json_field attachment_fields[] = {
        COR_FIELD("containerID", STR, struct cni_attachment, container_id, COR_JSON_REQUIRED),
        COR_FIELD("ifname", STR, struct cni_attachment, ifname, COR_JSON_REQUIRED),
};
static const struct cor_json_doc attachment_doc = COR_DOC(struct cni_attachment, attachment_fields, NULL);

static const struct cor_json_field request_fields[] = {
        COR_FIELD("verb", STR, struct dhcp_request, verb, COR_JSON_REQUIRED),
        COR_FIELD("containerID", STR, struct dhcp_request, container_id, COR_JSON_REQUIRED | COR_JSON_ALWAYS),
        COR_FIELD("network", STR, struct dhcp_request, network, COR_JSON_REQUIRED | COR_JSON_ALWAYS),
        COR_FIELD("ifname", STR, struct dhcp_request, ifname, COR_JSON_REQUIRED | COR_JSON_ALWAYS),
        COR_FIELD("netns", STR, struct dhcp_request, netns, COR_JSON_REQUIRED | COR_JSON_ALWAYS),
        COR_FIELD_LIST("parameters", LIST_U32, struct dhcp_request, parameters, n_parameters, 0),
        COR_FIELD_LIST_OF("values", LIST_OBJ, struct dhcp_request, values, n_values, &given_doc, 0),
        COR_FIELD("priority", U32, struct dhcp_request, priority, 0),
        COR_FIELD("dns", BOOL, struct dhcp_request, dns, 0),
        COR_FIELD_LIST("addresses", LIST_STR, struct dhcp_request, addresses, n_addresses, 0),
        COR_FIELD_LIST_OF("attachments", LIST_OBJ, struct dhcp_request, attachments, n_attachments, &attachment_doc, 0),
};
const struct cor_json_doc dhcp_request_doc = COR_DOC(struct dhcp_request, request_fields, check_request);

static const struct cor_json_field reply_fields[] = {
        COR_FIELD("code", U32, struct dhcp_reply, code, COR_JSON_REQUIRED | COR_JSON_ALWAYS),
        COR_FIELD("msg", STR, struct dhcp_reply, msg, 0),
        COR_FIELD("result", STR, struct dhcp_reply, result, 0),
};
const struct cor_json_doc dhcp_reply_doc = COR_DOC(struct dhcp_reply, reply_fields, NULL);

/* ---------------------------------------------------------------------------------------------------------- options */

int dhcp_option_number(const char *word)
{
        static const struct cor_word names[] = {
                { "subnet-mask", DHCP_SUBNET_MASK },
                { "routers", DHCP_ROUTERS },
                { "domain-name-servers", DHCP_NAME_SERVERS },
                { "host-name", DHCP_HOST_NAME },
                { "domain-name", DHCP_DOMAIN_NAME },
                { "static-routes", DHCP_STATIC_ROUTES },
                { "vendor-class-identifier", DHCP_VENDOR_CLASS },
                { "dhcp-client-identifier", DHCP_CLIENT },
                { "user-class", DHCP_USER_CLASS },
                { "domain-search", DHCP_DOMAIN_SEARCH },
                { "classless-static-routes", DHCP_CLASSLESS_ROUTES },
                { NULL, 0 },
        };
        const struct cor_word *w = cor_word_find(names, word);
        uint32_t number;

        if (w)
                return (int)w->value;
        return cor_parse_u32(word, &number) == 0 && number > DHCP_PAD && number < DHCP_END ? (int)number : -1;
}

bool dhcp_option_settable(uint32_t number)
{
        return number > DHCP_PAD && number < DHCP_END && number != DHCP_REQUESTED_ADDRESS && number != DHCP_OVERLOAD &&
               number != DHCP_MESSAGE_TYPE && number != DHCP_SERVER && number != DHCP_PARAMETERS &&
               number != DHCP_MAX_BYTES;
}

char *dhcp_hex(const uint8_t *bytes, size_t n)
{
        static const char digits[] = "0123456789abcdef";
        char *text = cor_alloc(2 * n + 1);

        for (size_t i = 0; i < n; i++) {
                text[2 * i] = digits[bytes[i] >> 4];
                text[2 * i + 1] = digits[bytes[i] & 15];
        }
        return text;
}

static int digit_of(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

ssize_t dhcp_unhex(const char *hex, uint8_t *ret, size_t room)
{
        size_t n = strlen(hex) / 2;

        if (strlen(hex) % 2 || n > room)
                return -1;
        for (size_t i = 0; i < n; i++) {
                int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);

                if (high < 0 || low < 0)
                        return -1;
                ret[i] = (uint8_t)(high << 4 | low);
        }
        return (ssize_t)n;
}

/* ------------------------------------------------------------------------------------------------------- the client */

static int send_all(int sock, const char *text, size_t len, int64_t end, struct cor_err *err)
{
        for (size_t at = 0; at < len;) {
                struct pollfd p = { .fd = sock, .events = POLLOUT };
                int64_t left = end - cor_now_ms();
                ssize_t n = send(sock, text + at, len - at, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n >= 0) {
                        at += (size_t)n;
                        continue;
                }
                if (errno != EAGAIN && errno != EINTR)
                        return cor_fail_errno(err, "send");
                if (left <= 0 || poll(&p, 1, (int)left) == 0)
                        return cor_fail(err, COR_TIMEOUT, "it does not read what it is asked");
        }
        return 0;
}

static int receive_all(int sock, struct cor_text *out, int64_t end, struct cor_err *err)
{
        char buf[4096];

        for (;;) {
                int64_t left = end - cor_now_ms();
                int ready = left > 0 ? cor_wait_readable(sock, (int)left, err) : 0;
                ssize_t n;

                if (ready < 0)
                        return -1;
                if (ready == 0)
                        return cor_fail(err, COR_TIMEOUT, "it does not answer");
                n = cor_recv(sock, buf, sizeof buf, 0);
                if (n < 0)
                        return cor_fail_errno(err, "receive");
                if (n == 0)
                        return 0;
                if (out->len + (size_t)n > DHCP_REPLY_MAX_BYTES)
                        return cor_fail(err, COR_INVALID, "its answer is too long");
                cor_text_add_n(out, buf, (size_t)n);
        }
}

int dhcp_ask(const char *socket, const struct dhcp_request *q, struct dhcp_reply **ret, struct cor_err *err)
{
        int64_t end = cor_now_ms() + (strcmp(q->verb, "ADD") == 0 ? DHCP_LONGEST_ADD_MS : DHCP_ANSWER_MS);
        auto_text text = COR_TEXT_INIT;
        auto_text answer = COR_TEXT_INIT;
        auto_fd sock = cor_unix_connect(socket, SOCK_STREAM, err);

        if (sock < 0)
                return -1;
        cor_json_print(&dhcp_request_doc, q, COR_JSON_COMPACT, &text);
        if (send_all(sock, text.s, text.len, end, err) < 0)
                return -1;
        if (shutdown(sock, SHUT_WR) < 0)
                return cor_fail_errno(err, "shutdown");
        if (receive_all(sock, &answer, end, err) < 0)
                return -1;
        if (answer.len == 0)
                return cor_fail(err, COR_BUSY, "it has ended before it answered");
        if (answer.len > 5 && memcmp(answer.s, "HTTP/", 5) == 0)
                return cor_fail(err, COR_INVALID, "it is not coracle-cni's: the reference plugin's speaks otherwise");
        return cor_json_parse(&dhcp_reply_doc, answer.s, answer.len, "its answer", ret, err);
}
