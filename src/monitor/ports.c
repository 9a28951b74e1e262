/* Published ports: taken once the container has an address, kept over restarts of it, given back at the end. */
#include "monitor/monitor.h"

#include "base/alloc.h"
#include "base/log.h"
#include "network/ports.h"
#include "network/ports_line.h"
#include "spec/docker.h"

#include <sys/resource.h>

/*
 * What the user may have at most is enough for thousands of ports; the container is to have what it has without us. Of
 * all numbers of descriptors the lower ones are for everything else: whoever opens connections to published ports, or
 * publishes many, must not keep the monitor from its clients, its files and the container's next start.
 */
static struct rlimit raise_files(void)
{
        struct rlimit before, all;

        if (getrlimit(RLIMIT_NOFILE, &before) < 0)
                return (struct rlimit){ .rlim_cur = 0 };
        all = (struct rlimit){ .rlim_cur = before.rlim_max, .rlim_max = before.rlim_max };
        (void)setrlimit(RLIMIT_NOFILE, &all);
        return before;
}

static void lower_files(const struct rlimit *before)
{
        if (before->rlim_cur)
                (void)setrlimit(RLIMIT_NOFILE, before);
}

static int first_of_ports(const struct rlimit *before)
{
        struct rlimit now;

        if (!before->rlim_cur || getrlimit(RLIMIT_NOFILE, &now) < 0)
                return 0;
        return (int)(before->rlim_cur <= now.rlim_cur / 2 ? before->rlim_cur : now.rlim_cur / 2);
}

static int publish(struct monitor *m, const struct docker_network_settings *n, struct cor_err *err)
{
        struct ports_request r = { .number = m->number,
                                   .wishes = &m->settings.ports,
                                   .pid = m->life.pid,
                                   .direct = m->settings.ports_direct,
                                   .host = &m->host_sockets };
        struct rlimit before;
        int done;

        if (ports_place(m->store, n, &r.place, err) < 0)
                return -1;
        if (m->published && ports_are_at(m->published, &r.place))
                return 0;
        monitor_withdraw(m);
        before = raise_files();
        r.first_fd = first_of_ports(&before);
        done = ports_publish(m->store, &r, &m->published, err);
        lower_files(&before);
        return done < 0 ? cor_wrap(err, "driver failed programming external connectivity on endpoint %s",
                                   m->settings.name)
                        : 0;
}

int monitor_publish(struct monitor *m, struct docker_network_settings *n, struct cor_err *err)
{
        auto_str line = NULL;

        n->ports = COR_JSON_NONE_YET;
        if (m->settings.ports.n_items == 0)
                return ports_restore(m->store, err) < 0 ? -1 : 0;
        if (publish(m, n, err) < 0)
                return -1;
        ports_describe(m->published, &m->settings.ports, &n->ports, &n->n_ports);
        line = ports_line(n->ports, n->n_ports);
        return port_save_line(m->store, m->number, line, err);
}

void monitor_publish_done(struct docker_network_settings *n)
{
        if (n->n_ports > 0)
                ports_description_free(n->ports, n->n_ports);
        n->ports = NULL;
        n->n_ports = 0;
}

void monitor_withdraw(struct monitor *m)
{
        if (m->published)
                ports_withdraw(m->store, m->number, m->published);
        m->published = NULL;
}

int ports_fd(const struct monitor *m)
{
        return m->published ? forward_fd(ports_forward(m->published)) : -1;
}

int64_t ports_due(const struct monitor *m)
{
        return m->published ? forward_due(ports_forward(m->published)) : -1;
}

void ports_step(struct monitor *m)
{
        struct rlimit before;

        if (!m->published)
                return;
        before = raise_files();
        forward_step(ports_forward(m->published));
        lower_files(&before);
}
