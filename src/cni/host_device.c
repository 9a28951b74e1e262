/*
 * host-device: an interface of the host is moved into the container, and back on DEL. Its name on the host is kept in
 * its alias meanwhile. It is found by name, hardware address, path below /sys/devices, or place on the PCI or the
 * auxiliary bus.
 */
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "cni/iface.h"
#include "cni/plugins.h"

struct device_config {
        const char *device, *hwaddr, *kernel_path, *pci;
        struct {
                const char *device_id;
        } runtime;
};

typedef __typeof__(((struct device_config *)NULL)->runtime) runtime_t;
static const struct cor_json_field runtime_fields[] = { COR_FIELD("deviceID", STR, runtime_t, device_id, 0) };
static const struct cor_json_doc runtime_doc = COR_DOC(runtime_t, runtime_fields, NULL);

static const struct cor_json_field fields[] = {
        COR_FIELD("device", STR, struct device_config, device, 0),
        COR_FIELD("hwaddr", STR, struct device_config, hwaddr, 0),
        COR_FIELD("kernelpath", STR, struct device_config, kernel_path, 0),
        COR_FIELD("pciBusID", STR, struct device_config, pci, 0),
        COR_FIELD_OBJ("runtimeConfig", INLINE, struct device_config, runtime, &runtime_doc, 0),
};
static const struct cor_json_doc device_doc = COR_DOC(struct device_config, fields, NULL);

/* ---------------------------------------------------------------------------------------------------------- look up */

static void close_dir(DIR **d)
{
        if (*d)
                closedir(*d);
}

/* The first entry of a folder whose name begins so; NULL: none, or no folder. */
static char *first_entry(const char *folder, const char *prefix)
{
        COR_CLEANUP(close_dir) DIR *d = opendir(folder);

        for (const struct dirent *e; d && (e = readdir(d));)
                if (e->d_name[0] != '.' && cor_starts_with(e->d_name, prefix))
                        return cor_strdup(e->d_name);
        return NULL;
}

/* The interface that a device has, below it or below its virtio device. */
static int find_below(int sock, const char *device, const char *key, struct link *ret, struct cor_err *err)
{
        auto_str net = cor_printf("%s/net", device);
        auto_str name = first_entry(net, "");
        auto_str virtio = name ? NULL : first_entry(device, "virtio");

        if (virtio) {
                auto_str below = cor_printf("%s/%s/net", device, virtio);

                name = first_entry(below, "");
        }
        if (!name)
                return cor_fail(err, COR_NOT_FOUND, "%s: %.200s has no network interface", key, device);
        return link_get(sock, name, ret, err) < 0 ? cor_wrap(err, "%s", key) : 0;
}

static int find_mac(int sock, const char *hwaddr, struct link *ret, struct cor_err *err)
{
        struct link *all auto_free = NULL;
        uint8_t mac[LINK_MAC_BYTES];
        size_t n;

        if (link_mac_parse(hwaddr, mac) < 0)
                return cor_fail(err, COR_INVALID, "hwaddr: \"%.64s\" is no hardware address", hwaddr);
        if (link_list(sock, 0, &all, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (all[i].mac_len == sizeof mac && memcmp(all[i].mac, mac, sizeof mac) == 0) {
                        *ret = all[i];
                        return 0;
                }
        return cor_fail(err, COR_NOT_FOUND, "hwaddr: no interface has the hardware address %s", hwaddr);
}

static int find_on_bus(int sock, const char *bus, const char *id, const char *key, struct link *ret,
                       struct cor_err *err)
{
        auto_str path = cor_printf("/sys/bus/%s/devices/%s", bus, id);

        if (strchr(id, '/') || cor_starts_with(id, "."))
                return cor_fail(err, COR_INVALID, "%s: \"%.64s\" is no device", key, id);
        return find_below(sock, path, key, ret, err);
}

static int find_id(int sock, const char *id, struct link *ret, struct cor_err *err)
{
        auto_str pci = cor_printf("/sys/bus/pci/devices/%s", id);

        return find_on_bus(sock, access(pci, F_OK) == 0 ? "pci" : "auxiliary", id, "runtimeConfig.deviceID", ret, err);
}

static bool is_set(const char *s)
{
        return s && *s;
}

static int find(int sock, const struct device_config *d, struct link *ret, struct cor_err *err)
{
        if (is_set(d->runtime.device_id))
                return find_id(sock, d->runtime.device_id, ret, err);
        if (is_set(d->device))
                return link_get(sock, d->device, ret, err) < 0 ? cor_wrap(err, "device") : 0;
        if (is_set(d->hwaddr))
                return find_mac(sock, d->hwaddr, ret, err);
        if (is_set(d->kernel_path)) {
                if (!cor_starts_with(d->kernel_path, "/sys/devices/") || strstr(d->kernel_path, "/../"))
                        return cor_fail(err, COR_INVALID, "kernelpath: \"%.100s\" is not below /sys/devices",
                                        d->kernel_path);
                return find_below(sock, d->kernel_path, "kernelpath", ret, err);
        }
        if (is_set(d->pci))
                return find_on_bus(sock, "pci", d->pci, "pciBusID", ret, err);
        return cor_fail(err, COR_INVALID, "device: one of device, hwaddr, kernelpath, pciBusID has to be there");
}

/* ----------------------------------------------------------------------------------------------------------- moving */

/* Back under its name; a namespace that vanishes would take a virtual interface along. */
static int move_back(struct space *s, struct link *l, const char *host_name, struct cor_err *err)
{
        auto_fd own = netns_open_own(err);
        struct link back;

        if (own < 0 || link_set_up(s->inside, l->index, false, err) < 0 ||
            link_move(s->inside, l->index, host_name, own, err) < 0)
                return cor_wrap(err, "move %s back", host_name);
        if (link_get(s->host, host_name, &back, err) < 0)
                return -1;
        return link_set_alias(s->host, back.index, "", err);
}

static int make_device(struct cni_call *c, struct space *s, const void *config, struct link *ret, struct cor_err *err)
{
        struct link device;

        if (find(s->host, config, &device, err) < 0)
                return -1;
        if (device.flags & IFF_LOOPBACK)
                return cor_fail(err, COR_INVALID, "device: %s stays where it is", device.name);
        if (link_set_alias(s->host, device.index, device.name, err) < 0 ||
            link_set_up(s->host, device.index, false, err) < 0)
                return cor_wrap(err, "device %s", device.name);
        if (link_move(s->host, device.index, c->ifname, s->netns, err) < 0 ||
            link_get(s->inside, c->ifname, ret, err) < 0) {
                (void)!link_set_alias(s->host, device.index, "", NULL);
                if (device.flags & IFF_UP)
                        (void)!link_set_up(s->host, device.index, true, NULL);
                return cor_wrap(err, "device %s", device.name);
        }
        return 0;
}

static int undo_device(struct cni_call *c, struct space *s, const void *config, struct cor_err *err)
{
        struct link l;
        int found = link_find(s->inside, c->ifname, &l, err);

        (void)config;
        if (found <= 0)
                return found;
        if (!l.alias[0] || !link_name_valid(l.alias))
                return cor_fail(err, COR_INVALID,
                                "interface %s of the container has lost its alias, which is its name on "
                                "the host",
                                c->ifname);
        return move_back(s, &l, l.alias, err);
}

static const struct iface_kind device_kind = { .make = make_device, .undo = undo_device };

int host_device_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct device_config *config = NULL;

        return cni_load(c, &device_doc, &config, err) < 0 ? -1 : iface_add(c, &device_kind, config, ret, err);
}

int host_device_del(struct cni_call *c, struct cor_err *err)
{
        return iface_del(c, &device_kind, NULL, err);
}

int host_device_check(struct cni_call *c, struct cor_err *err)
{
        return iface_check(c, &device_kind, NULL, err);
}
