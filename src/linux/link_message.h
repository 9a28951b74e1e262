#ifndef CORACLE_LINUX_LINK_MESSAGE_H
#define CORACLE_LINUX_LINK_MESSAGE_H
/* Interfaces of every kind as rtnetlink messages: bytes to structs and back. linux/link.h does the I/O. */
#include "linux/netlink.h"

enum { LINK_NAME_BYTES = 16, LINK_MAC_BYTES = 6, LINK_KIND_BYTES = 16, LINK_ALIAS_BYTES = 256 };

/* What the kernel says of an interface. */
struct link {
        int index;
        unsigned flags; /* IFF_… */
        char name[LINK_NAME_BYTES];
        char kind[LINK_KIND_BYTES];   /* "bridge", "veth", …; "" for hardware and lo */
        char alias[LINK_ALIAS_BYTES]; /* "" if none, or one that is longer */
        uint8_t mac_len, mac[32];
        uint32_t mtu, queue_len;
        uint32_t promiscuity;  /* how many want it promiscuous */
        int master, parent;    /* indexes; 0: none. The parent of a veth is its peer. */
        bool has_parent_netns; /* the parent is in another namespace */
        uint8_t operstate;     /* IF_OPER_… */
        uint16_t vlan;         /* of a vlan */
        uint32_t macvlan_mode; /* MACVLAN_MODE_… */
        uint16_t ipvlan_mode;  /* IPVLAN_MODE_… */
        uint32_t vrf_table;
        bool vlan_filtering; /* of a bridge */
};

/* An interface to be made. What is zero is left to the kernel; netns must be -1 where it is not used. */
struct link_new {
        const char *name, *kind;
        int netns;          /* descriptor of the namespace it is made in */
        int parent, master; /* indexes */
        unsigned flags;     /* IFF_UP, … */
        uint32_t mtu, queue_len;
        const uint8_t *mac; /* LINK_MAC_BYTES */
        struct {
                const char *name;
                int netns;
                uint32_t mtu;
                const uint8_t *mac;
        } peer; /* of a veth */
        uint16_t vlan;
        uint32_t macvlan_mode, macvlan_broadcast_queue;
        uint16_t ipvlan_mode;
        bool ipvlan; /* the mode counts, also when it is 0 */
        uint32_t vrf_table;
        bool vlan_filtering;
};

/* link_read() - false if @m is something else, or too short to be one */
bool link_read(const struct netlink_message *m, struct link *ret);

/* link_ask() - by name, or by index where @name is NULL; link_ask_all() - all, or those with @master if not 0 */
void link_ask(struct netlink_request *r, const char *name, int index);
void link_ask_all(struct netlink_request *r, int master);
void link_make(struct netlink_request *r, const struct link_new *l);
void link_make_delete(struct netlink_request *r, int index);

/* link_change() - begin a change of interface @index: IFF_… @flags within @change; then what netlink_put_… adds */
void link_change(struct netlink_request *r, int index, unsigned flags, unsigned change);
/* link_change_move() - into the namespace of descriptor @netns, as @name (NULL: the one it has) */
void link_change_move(struct netlink_request *r, int index, const char *name, int netns);
/* Settings of a bridge's port: IFLA_BRPORT_… @attribute (hairpin mode, isolation) */
void link_change_port(struct netlink_request *r, int index, uint16_t attribute, bool on);

/* VLANs of a bridge's port. @flags: BRIDGE_VLAN_INFO_… ; @first to @last */
void link_vlan_change(struct netlink_request *r, int port, bool add, uint16_t first, uint16_t last, uint16_t flags);
void link_vlan_ask(struct netlink_request *r);
/* link_vlan_read() - call @each for every VLAN of interface @port that @m tells of */
void link_vlan_read(const struct netlink_message *m, int port, void (*each)(uint16_t id, uint16_t flags, void *data),
                    void *data);

/* link_mac_parse() - "02:42:ac:11:00:02"; link_mac_text() - in @buf, which is returned */
enum { LINK_MAC_TEXT_BYTES = 96 };
int link_mac_parse(const char *s, uint8_t ret[LINK_MAC_BYTES]) COR_MUST_CHECK;
const char *link_mac_text(const uint8_t *mac, size_t len, char buf[LINK_MAC_TEXT_BYTES]);
/* link_name_valid() - what the kernel takes as a name */
bool link_name_valid(const char *name);

#endif
