/* Namespaces: which are new, which are the host's, and which those of another container. */
#include "engine/spec_internal.h"

#include "base/process.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

/* --- other containers -------------------------------------------------------------------------------------------- */

static int check_running(const struct container_row *other, const char *name, struct cor_err *err)
{
        struct cor_procid init = { .pid = other->now.pid, .start_time = other->now.pid_start_time };

        if (other->now.phase == CONTAINER_PHASE_RESTARTING)
                return cor_fail(err, COR_BUSY, "Container %.64s is restarting, wait until the container is running",
                                name);
        if (!container_phase_alive(other->now.phase) || !cor_procid_alive(&init))
                return cor_fail(err, COR_BUSY, "Container %.64s is not running", name);
        return 0;
}

int spec_other(struct spec *s, const char *name, const char *file, char **ret_id, const char **ret, struct cor_err *err)
{
        auto_container_row other = { 0 };

        if (container_row_find(s->store, name, &other, err) < 0)
                return -1;
        if (strcmp(other.id, s->id) == 0)
                return cor_fail(err, COR_INVALID, "a container cannot join its own namespaces");
        if (check_running(&other, name, err) < 0)
                return -1;
        if (ret)
                *ret = spec_printf(s, "/proc/%d/%s", (int)other.now.pid, file);
        if (ret_id)
                *ret_id = COR_TAKE(other.id);
        return 0;
}

static int add(struct spec *s, int type, const char *path)
{
        struct oci_linux *l = s->c->linux_;

        *SPEC_GROW(s->c, l->namespaces, l->n_namespaces) = (struct oci_namespace){ type, path };
        return 0;
}

static bool has_namespace(const struct spec *s, int type)
{
        for (size_t i = 0; i < s->c->linux_->n_namespaces; i++)
                if (s->c->linux_->namespaces[i].type == type)
                        return true;
        return false;
}

/*
 * A user namespace may do something about those namespaces only that belong to it: whoever has one shares with
 * another container that as well, and so has to have the same ids.
 */
static int share_user(struct spec *s, const char *name, struct cor_err *err)
{
        auto_container_row other = { 0 };
        const char *path = NULL;

        if (!s->mapped)
                return 0;
        if (container_row_find(s->store, name, &other, err) < 0 || spec_other(s, name, "ns/user", NULL, &path, err) < 0)
                return -1;
        if (!cor_streq(other.id_map, s->row->id_map))
                return cor_fail(
                        err, COR_INVALID,
                        "container %.64s has other ids: its namespaces can be joined with --userns=container:%.64s",
                        name, name);
        if (!has_namespace(s, CLONE_NEWUSER))
                add(s, CLONE_NEWUSER, path);
        return 0;
}

/* A namespace that is new, the host's, or that of "container:NAME". */
static int add_by_mode(struct spec *s, int type, const char *mode, const char *file, const char *what,
                       struct cor_err *err)
{
        const char *other = spec_container_of(mode), *path = NULL;

        if (spec_is(mode, "host"))
                return 0;
        if (other && (spec_other(s, other, file, NULL, &path, err) < 0 || share_user(s, other, err) < 0))
                return cor_wrap(err, "failed to join %s namespace", what);
        return add(s, type, path);
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static void set_sysctl(struct spec *s, const char *key, const char *value)
{
        struct oci_linux *l = s->c->linux_;

        for (size_t i = 0; i < l->n_sysctl; i++)
                if (strcmp(l->sysctl[i].key, key) == 0) {
                        l->sysctl[i].value = value;
                        return;
                }
        *SPEC_GROW(s->c, l->sysctl, l->n_sysctl) = (struct cor_pair){ key, value };
}

/* Who shares another's network is called as that is: the hosts file has that name. */
static int make_names(struct spec *s, struct cor_err *err)
{
        const char *other = spec_container_of(s->host->network_mode);
        auto_json struct docker_config *theirs = NULL;
        auto_container_row row = { 0 };
        const struct docker_config *c = s->config;

        if (spec_is(s->host->uts_mode, "host"))
                return 0;
        if (other) {
                if (container_row_find(s->store, other, &row, err) < 0 ||
                    cor_json_parse(&docker_config_doc, row.config, strlen(row.config), row.name, &theirs, err) < 0)
                        return -1;
                c = theirs;
        }
        s->c->hostname = spec_copy(s->c, c->hostname);
        if (!spec_empty(c->domainname))
                set_sysctl(s, "kernel.domainname", spec_copy(s->c, c->domainname));
        return 0;
}

/* In a network of its own a container may ping, and listen on any port, without being root. */
static void make_sysctls(struct spec *s)
{
        const char *mode = s->host->network_mode;

        if (!spec_is(mode, "host") && !spec_container_of(mode)) {
                if (!s->rootless && !s->mapped && access("/proc/sys/net/ipv4/ping_group_range", F_OK) == 0)
                        set_sysctl(s, "net.ipv4.ping_group_range", "0 2147483647");
                if (access("/proc/sys/net/ipv4/ip_unprivileged_port_start", F_OK) == 0)
                        set_sysctl(s, "net.ipv4.ip_unprivileged_port_start", "0");
        }
        for (size_t i = 0; i < s->host->n_sysctls; i++)
                set_sysctl(s, s->host->sysctls[i].key, s->host->sysctls[i].value);
}

/* The container's own, or that of another one. */
static int make_user(struct spec *s, struct cor_err *err)
{
        const char *other = spec_container_of(s->host->userns_mode);
        struct oci_linux *l = s->c->linux_;

        if (!s->mapped)
                return 0;
        if (other && share_user(s, other, err) < 0)
                return cor_wrap(err, "failed to join USER namespace");
        if (!has_namespace(s, CLONE_NEWUSER))
                add(s, CLONE_NEWUSER, NULL);
        l->uid_mappings = s->ids.uids;
        l->n_uid_mappings = s->ids.n_uids;
        l->gid_mappings = s->ids.gids;
        l->n_gid_mappings = s->ids.n_gids;
        return 0;
}

int spec_make_namespaces(struct spec *s, struct cor_err *err)
{
        const struct docker_host_config *h = s->host;

        add(s, CLONE_NEWNS, NULL);
        if (!s->config->network_disabled && add_by_mode(s, CLONE_NEWNET, h->network_mode, "ns/net", "network", err) < 0)
                return -1;
        if (s->config->network_disabled)
                add(s, CLONE_NEWNET, NULL);
        if (add_by_mode(s, CLONE_NEWUTS, h->uts_mode, "ns/uts", "UTS", err) < 0 ||
            add_by_mode(s, CLONE_NEWPID, h->pid_mode, "ns/pid", "PID", err) < 0 ||
            add_by_mode(s, CLONE_NEWIPC, h->ipc_mode, "ns/ipc", "IPC", err) < 0)
                return -1;
        if (spec_is(h->cgroupns_mode, "private"))
                add(s, CLONE_NEWCGROUP, NULL);
        if (make_user(s, err) < 0 || make_names(s, err) < 0)
                return -1;
        make_sysctls(s);
        return 0;
}
