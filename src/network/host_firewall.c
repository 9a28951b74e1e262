#include "network/host_firewall.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "linux/dbus.h"
#include "linux/nft_list.h"

#include <fcntl.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 64 << 10 };

/* The chains are what tells: a service that is installed and does not run closes nothing. */
static const struct {
        const char *name, *table, *chain;
        uint8_t family;
} known[] = {
        { "firewalld", "firewalld", "filter_INPUT", NFPROTO_INET },
        { "firewalld", "filter", "INPUT_ZONES", NFPROTO_IPV4 },
        { "ufw", "filter", "ufw-user-input", NFPROTO_IPV4 },
};

static bool file_has_line(const char *path, const char *line)
{
        size_t n = strlen(line);
        auto_str text = NULL;

        if (cor_read_file(path, FILE_MAX_BYTES, &text, NULL, NULL) < 0)
                return false;
        for (const char *at = text; (at = strstr(at, line)); at += n)
                if ((at == text || at[-1] == '\n') && (at[n] == '\n' || at[n] == '\0'))
                        return true;
        return false;
}

/* The older tables of iptables are not to be seen by netlink: ufw's own file says whether it is at work in them. */
static bool is_old_ufw(void)
{
        return file_has_line("/proc/self/net/ip_tables_names", "filter") &&
               file_has_line("/etc/ufw/ufw.conf", "ENABLED=yes");
}

/* Of all, or (@only) of one. */
static const char *find(int sock, const char *only)
{
        struct cor_err ignored;

        for (size_t i = 0; i < COR_COUNT(known); i++)
                if ((!only || strcmp(known[i].name, only) == 0) &&
                    nft_find_chain(sock, known[i].family, known[i].table, known[i].chain, &ignored) > 0)
                        return known[i].name;
        return NULL;
}

const char *host_firewall(int sock)
{
        const char *name = find(sock, NULL);

        return name ? name : is_old_ufw() ? "ufw" : NULL;
}

/* ------------------------------------------------------------------------------------------ its zones of interfaces */

#define ZONES "filter_INPUT_ZONES" /* a rule for each interface that is in one, of those that nftables is told of */

static int ask(const char *op, const char *bridge, struct cor_err *err)
{
        auto_text request = COR_TEXT_INIT;

        cor_text_printf(&request, "{\"op\":\"%s\",\"unit\":", op);
        cor_text_add_json(&request, bridge);
        cor_text_add_c(&request, '}');
        return dbus_ask("firewalld", request.s, request.len, err);
}

int host_firewall_trust(int sock, const char *bridge, struct cor_err *err)
{
        int there;

        if (!find(sock, "firewalld"))
                return 0;
        there = nft_names_interface(sock, NFPROTO_INET, "firewalld", ZONES, bridge, err);
        return there != 0 ? there < 0 ? -1 : 0 : ask("trust", bridge, err);
}

int host_firewall_distrust(int sock, const char *bridge, struct cor_err *err)
{
        return find(sock, "firewalld") ? ask("distrust", bridge, err) : 0;
}
