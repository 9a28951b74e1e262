#ifndef CORACLE_CNI_SPACE_H
#define CORACLE_CNI_SPACE_H
/*
 * Where a plugin works: on the host, and in the container's network namespace. Both are spoken with by a netlink
 * socket, and for what has no socket the namespace is entered for a moment.
 */
#include "cni/call.h"
#include "linux/ip.h"
#include "linux/link.h"
#include "linux/netns.h"

struct space {
        int netns, inside, host; /* namespace; NETLINK_ROUTE sockets in it and here */
};
#define SPACE_INIT                                                                                                     \
        {                                                                                                              \
                .netns = -1, .inside = -1, .host = -1                                                                  \
        }
void space_done(struct space *s);
#define auto_space COR_CLEANUP(space_done) struct space

/* space_open() - for ADD and CHECK: the namespace has to be there */
int space_open(struct cni_call *c, struct space *s, struct cor_err *err) COR_MUST_CHECK;
/* space_find() - for DEL: 1, or 0 if the namespace is gone or was not given (the host's socket is there all the same)
 */
int space_find(struct cni_call *c, struct space *s, struct cor_err *err) COR_MUST_CHECK;

/* space_free_name() - an error unless CNI_IFNAME is free in the container */
int space_free_name(struct cni_call *c, struct space *s, struct cor_err *err) COR_MUST_CHECK;
/* space_delete() - remove interface @name of the container; success if there is none */
int space_delete(struct space *s, const char *name, struct cor_err *err) COR_MUST_CHECK;

/* space_sysctl() - "net/ipv4/conf/IFNAME/…": in the container; @path has one %s for @ifname */
int space_sysctl(struct space *s, const char *path, const char *ifname, const char *value, struct cor_err *err)
        COR_MUST_CHECK;
/* host_sysctl_try() - on the host; what cannot be set is left */
void host_sysctl_try(const char *path, const char *ifname, const char *value);

/*
 * space_configure() - give interface @name of the container the addresses of @r that are its own, set it up, make the
 * routes. Where no gateway is said a route goes by that of the first address of its family.
 */
int space_configure(struct space *s, const char *name, const struct cni_result *r, struct cor_err *err) COR_MUST_CHECK;
/* space_forward() - let the host forward packets of the families that @r has addresses of */
int space_forward(const struct cni_result *r, struct cor_err *err) COR_MUST_CHECK;
/* space_check_addresses() - for CHECK: interface @name of the container has the addresses of @r, and its routes are
 * there */
int space_check_addresses(struct space *s, const char *name, const struct cni_result *r, struct cor_err *err)
        COR_MUST_CHECK;

/* result_take_link() - one more interface of @r: what the kernel says of @l; @sandbox NULL: on the host */
void result_take_link(struct cni_result *r, const struct link *l, const char *sandbox);
/* result_take_dns() - the configuration's DNS takes the place of what the address manager said */
void result_take_dns(struct cni_call *c, struct cni_result *r);
/* result_interface() - by name and sandbox (NULL: on the host), or NULL */
const struct cni_interface *result_interface(const struct cni_result *r, const char *name, const char *sandbox);
/*
 * space_check_link() - for CHECK: what prevResult says of CNI_IFNAME in the container is so; *ret_link is what is
 * there.
 * @kind: of the interface
 */
int space_check_link(struct cni_call *c, struct space *s, const struct cni_result *previous, const char *kind,
                     struct link *ret_link, struct cor_err *err) COR_MUST_CHECK;

/* text_address() / text_prefix() - from a document; @what names the place in the error */
int text_address(const char *text, const char *what, struct ip *ret, struct cor_err *err) COR_MUST_CHECK;
int text_prefix(const char *text, const char *what, struct ip_prefix *ret, struct cor_err *err) COR_MUST_CHECK;

#endif
