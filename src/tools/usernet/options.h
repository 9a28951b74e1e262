#ifndef CORACLE_USERNET_OPTIONS_H
#define CORACLE_USERNET_OPTIONS_H
/* The command line of coracle-usernet, which is that of slirp4netns. */
#include "base/text.h"
#include "linux/ip.h"
#include "linux/link_message.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { USERNET_MTU_MIN = 68, USERNET_MTU_MIN_IPV6 = 1280, USERNET_MTU_MAX = 65521 };

enum usernet_target { TARGET_NETNS, TARGET_BESS };

/* Words and paths stay with argv. */
struct usernet_options {
        enum usernet_target target;
        pid_t pid;        /* of a process in the network namespace; 0: path */
        const char *path; /* of the namespace, or of the socket (TARGET_BESS) */
        const char *tap, *userns_path, *api_socket;
        int exit_fd, ready_fd; /* -1: none */
        uint32_t mtu;
        bool configure, ipv6, disable_host_loopback, disable_dns;
        bool need_sandbox, need_seccomp; /* both are there anyway, but without them there is nothing */
        bool has_mac;
        uint8_t mac[LINK_MAC_BYTES];
        struct ip_prefix network;
        struct ip outbound, outbound6; /* none: the kernel chooses */
        bool help, version, crowded;   /* crowded: there were words too many */
};

/*
 * usernet_options_read() - INVALID with a reason; *ret_usage: the help should follow it. getopt_long(3) prints for
 * itself what is wrong with a flag: the message is "" then.
 */
int usernet_options_read(int argc, char **argv, struct usernet_options *ret, bool *ret_usage, struct cor_err *err)
        COR_MUST_CHECK;
/* usernet_options_help() - the text of --help for a program of that @name */
void usernet_options_help(const char *name, struct cor_text *out);

#endif
