#include "tools/usernet/options.h"

#include <errno.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

typedef int setter(struct usernet_options *o, const char *argument, struct cor_err *err);

/* One option. Those of --help without an argument are bools at @flag. */
struct row {
        char letter;
        const char *word, *argument;
        setter *set;
        size_t flag;
        const char *help;
};

/* What is read before the rest is understood: netns-type decides what the first word is. */
static const struct cor_word targets[] = { { "netns", TARGET_NETNS }, { "bess", TARGET_BESS }, { NULL, 0 } };
static const struct cor_word netns_types[] = { { "path", 1 }, { "pid", 0 }, { NULL, 0 } };

/* ----------------------------------------------------------------------------------------------------------- values */

static int read_fd(const char *name, const char *s, int *ret, struct cor_err *err)
{
        if (cor_parse_i32(s, ret) < 0 || *ret < 0)
                return cor_fail(err, COR_INVALID, "%s must be a non-negative integer", name);
        return 0;
}

static int set_exit_fd(struct usernet_options *o, const char *s, struct cor_err *err)
{
        return read_fd("exit-fd", s, &o->exit_fd, err);
}

static int set_ready_fd(struct usernet_options *o, const char *s, struct cor_err *err)
{
        return read_fd("ready-fd", s, &o->ready_fd, err);
}

static int set_mtu(struct usernet_options *o, const char *s, struct cor_err *err)
{
        if (cor_parse_u32(s, &o->mtu) < 0 || o->mtu < USERNET_MTU_MIN || o->mtu > USERNET_MTU_MAX)
                return cor_fail(err, COR_INVALID, "MTU must be a positive integer (< %d), at least %d, not %.40s",
                                USERNET_MTU_MAX + 1, USERNET_MTU_MIN, s);
        return 0;
}

static int set_api_socket(struct usernet_options *o, const char *s, struct cor_err *err)
{
        if (!*s)
                return cor_fail(err, COR_INVALID, "--api-socket: expected a path");
        o->api_socket = s;
        return 0;
}

static int set_cidr(struct usernet_options *o, const char *s, struct cor_err *err)
{
        struct ip_prefix p;
        struct ip first;

        if (!strchr(s, '/') || ip_prefix_parse(s, &p) < 0 || !ip_is_4(&p.ip))
                return cor_fail(err, COR_INVALID, "invalid CIDR: %.60s", s);
        first = ip_prefix_network(&p);
        if (!ip_equal(&first, &p.ip))
                return cor_fail(err, COR_INVALID,
                                "CIDR needs to be a network address like 10.0.2.0/24, not like 10.0.2.100/24");
        if (p.bits < 1 || p.bits > 25)
                return cor_fail(err, COR_INVALID, "prefix length needs to be 1-25");
        o->network = p;
        return 0;
}

static int set_netns_type(struct usernet_options *o, const char *s, struct cor_err *err)
{
        const struct cor_word *w = cor_word_find(netns_types, s);

        if (!w)
                return cor_fail(err, COR_INVALID, "--netns-type must be either \"path\" or \"pid\"");
        o->path = w->value ? "" : NULL;
        return 0;
}

static int set_userns_path(struct usernet_options *o, const char *s, struct cor_err *err)
{
        o->userns_path = s;
        return 0;
}

static int set_target(struct usernet_options *o, const char *s, struct cor_err *err)
{
        const struct cor_word *w = cor_word_find(targets, s);

        if (!w)
                return cor_fail(err, COR_INVALID, "--target-type must be either \"netns\" or \"bess\"");
        o->target = (enum usernet_target)w->value;
        return 0;
}

static int set_mac(struct usernet_options *o, const char *s, struct cor_err *err)
{
        static const uint8_t none[LINK_MAC_BYTES];

        if (link_mac_parse(s, o->mac) < 0)
                return cor_fail(err, COR_INVALID, "--macaddress: %.40s is no MAC address", s);
        if (o->mac[0] & 1 || memcmp(o->mac, none, sizeof none) == 0)
                return cor_fail(err, COR_INVALID, "--macaddress: %.40s is not an address of one interface", s);
        o->has_mac = true;
        return 0;
}

static struct ip ip_of(const struct sockaddr *a)
{
        struct ip ip = { 0 };

        if (a->sa_family == AF_INET) {
                ip.len = 4;
                memcpy(ip.bytes, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
        } else {
                ip.len = 16;
                memcpy(ip.bytes, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
        }
        return ip;
}

/* The first address of an interface; of IPv6 one that leads further than the link, if there is one. */
static int interface_address(const char *name, int family, struct ip *ret)
{
        struct ifaddrs *all;
        int found = -1;

        if (getifaddrs(&all) < 0)
                return -1;
        for (const struct ifaddrs *a = all; a && found < 0; a = a->ifa_next) {
                if (!a->ifa_addr || a->ifa_addr->sa_family != family || strcmp(a->ifa_name, name) != 0)
                        continue;
                *ret = ip_of(a->ifa_addr);
                found = family == AF_INET || !(ret->bytes[0] == 0xfe && (ret->bytes[1] & 0xc0) == 0x80) ? 0 : -1;
        }
        freeifaddrs(all);
        return found;
}

static int set_outbound(struct usernet_options *o, const char *s, struct cor_err *err)
{
        if (ip_parse(s, &o->outbound) == 0 && ip_is_4(&o->outbound))
                return 0;
        return interface_address(s, AF_INET, &o->outbound) == 0
                       ? 0
                       : cor_fail(err, COR_INVALID,
                                  "outbound-addr has to be valid ipv4 address or interface name, not %.60s", s);
}

static int set_outbound6(struct usernet_options *o, const char *s, struct cor_err *err)
{
        if (ip_parse(s, &o->outbound6) == 0 && !ip_is_4(&o->outbound6))
                return 0;
        return interface_address(s, AF_INET6, &o->outbound6) == 0
                       ? 0
                       : cor_fail(err, COR_INVALID,
                                  "outbound-addr6 has to be valid ipv6 address or interface name, not %.60s", s);
}

/* ------------------------------------------------------------------------------------------------------------ table */

#define FLAG(M) NULL, offsetof(struct usernet_options, M)

static const struct row rows[] = {
        { 'c', "configure", NULL, FLAG(configure), "bring up the interface, with its address and a default route" },
        { 'e', "exit-fd", "FD", set_exit_fd, 0, "end when something happens to this descriptor" },
        { 'r', "ready-fd", "FD", set_ready_fd, 0, "write 1 to this descriptor when all is there" },
        { 'm', "mtu", "MTU", set_mtu, 0, "set the MTU (default=1500, max=65521)" },
        { '6', "enable-ipv6", NULL, FLAG(ipv6), "enable IPv6" },
        { 'a', "api-socket", "PATH", set_api_socket, 0, "take requests for ports at this socket" },
        { 0, "cidr", "CIDR", set_cidr, 0, "set the network (default=10.0.2.0/24)" },
        { 0, "disable-host-loopback", NULL, FLAG(disable_host_loopback), "keep 127.0.0.1:* of the host out of reach" },
        { 0, "netns-type", "TYPE", set_netns_type, 0, "what names the network namespace ([path|pid], default=pid)" },
        { 0, "userns-path", "PATH", set_userns_path, 0, "enter this user namespace, not the network namespace's own" },
        { 0, "enable-sandbox", NULL, FLAG(need_sandbox), "end if there can be no sandbox (it is always tried)" },
        { 0, "enable-seccomp", NULL, FLAG(need_seccomp), "end if there can be no filter (it is always tried)" },
        { 0, "outbound-addr", "IPv4", set_outbound, 0, "leave from this IPv4 address, or interface" },
        { 0, "outbound-addr6", "IPv6", set_outbound6, 0, "leave from this IPv6 address, or interface" },
        { 0, "disable-dns", NULL, FLAG(disable_dns), "answer no queries at 10.0.2.3" },
        { 0, "macaddress", "MAC", set_mac, 0, "set the MAC address of the interface (needs -c)" },
        { 0, "target-type", "TYPE", set_target, 0, "what to connect to ([netns|bess], default=netns)" },
        { 'h', "help", NULL, FLAG(help), "show this help and exit" },
        { 'v', "version", NULL, FLAG(version), "show version and exit" },
};

enum { FIRST_WORD = 256 }; /* what getopt_long() returns for row 0 by its word */

void usernet_options_help(const char *name, struct cor_text *out)
{
        cor_text_printf(out, "Usage: %s [OPTION]... PID|PATH [TAPNAME]\n", name);
        cor_text_add(out, "User-mode networking for network namespaces without privileges.\n\n");
        for (size_t i = 0; i < COR_COUNT(rows); i++) {
                const struct row *r = &rows[i];
                char left[64];
                int n = r->letter ? snprintf(left, sizeof left, "-%c, ", r->letter) : 0;

                snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s", r->word, r->argument ? "=" : "",
                         r->argument ? r->argument : "");
                cor_text_printf(out, "%-24s %s\n", left, r->help);
        }
}

static const struct row *row_of(int got)
{
        if (got >= FIRST_WORD)
                return &rows[got - FIRST_WORD];
        for (size_t i = 0; i < COR_COUNT(rows); i++)
                if (rows[i].letter == got)
                        return &rows[i];
        return NULL;
}

static int read_flags(int argc, char **argv, struct usernet_options *o, struct cor_err *err)
{
        struct option words[COR_COUNT(rows) + 1] = { { 0 } };
        char letters[2 * COR_COUNT(rows) + 2] = "+", *l = letters + 1;
        int got;

        for (size_t i = 0; i < COR_COUNT(rows); i++) {
                words[i] = (struct option){ .name = rows[i].word,
                                            .has_arg = rows[i].argument ? required_argument : no_argument,
                                            .val = FIRST_WORD + (int)i };
                if (!rows[i].letter)
                        continue;
                *l++ = rows[i].letter;
                if (rows[i].argument)
                        *l++ = ':';
        }
        *l = '\0';
        while ((got = getopt_long(argc, argv, letters + 1, words, NULL)) >= 0) {
                const struct row *r = got == '?' ? NULL : row_of(got);

                if (!r)
                        return cor_fail(err, COR_INVALID, "%s", "");
                if (!r->set)
                        *(bool *)((char *)o + r->flag) = true;
                else if (r->set(o, optarg, err) < 0)
                        return -1;
        }
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------ words */

static int check_bess(const struct usernet_options *o, struct cor_err *err)
{
        const char *other = o->configure ? "configure" : o->path ? "netns-type" : o->userns_path ? "userns-path" : NULL;

        return other ? cor_fail(err, COR_INVALID, "--%s conflicts with --target-type=bess", other) : 0;
}

static int read_words(int n, char **words, struct usernet_options *o, bool *ret_usage, struct cor_err *err)
{
        struct stat st;

        *ret_usage = true;
        if (o->has_mac && !o->configure)
                return cor_fail(err, COR_INVALID,
                                "--macaddr cannot be specified when --configure or -c is not specified");
        if (o->ipv6 && o->mtu < USERNET_MTU_MIN_IPV6)
                return cor_fail(err, COR_INVALID, "with --enable-ipv6, MTU must be at least %d", USERNET_MTU_MIN_IPV6);
        if (o->target == TARGET_BESS && check_bess(o, err) < 0)
                return -1;
        if (n < (o->target == TARGET_BESS ? 1 : 2))
                return cor_fail(err, COR_INVALID, "%s", "");
        o->crowded = n > 2;
        o->tap = n > 1 ? words[1] : NULL;
        if (o->target == TARGET_NETNS && !link_name_valid(o->tap))
                return cor_fail(err, COR_INVALID, "%.40s: not a name for an interface", o->tap);
        if (o->target == TARGET_BESS || o->path) {
                o->path = words[0];
                if (o->target == TARGET_NETNS && stat(o->path, &st) < 0)
                        return cor_fail(err, COR_INVALID, "existing path expected when --netns-type=path: %s",
                                        strerror(errno));
                return 0;
        }
        if (cor_parse_i32(words[0], &o->pid) < 0 || o->pid <= 0)
                return cor_fail(err, COR_INVALID, "PID must be a positive integer");
        return 0;
}

int usernet_options_read(int argc, char **argv, struct usernet_options *ret, bool *ret_usage, struct cor_err *err)
{
        *ret_usage = true;
        *ret = (struct usernet_options){
                .exit_fd = -1, .ready_fd = -1, .mtu = 1500, .network = { { 4, { 10, 0, 2, 0 } }, 24 }
        };
        if (read_flags(argc, argv, ret, err) < 0)
                return -1;
        if (ret->help || ret->version)
                return 0;
        return read_words(argc - optind, argv + optind, ret, ret_usage, err);
}
