#ifndef CORACLE_SPEC_CNI_H
#define CORACLE_SPEC_CNI_H
/*
 * CNI documents: what every plugin's network configuration has, results of all versions, errors. Inside of us a result
 * is always as version 1.1.0 has it; those of older versions are converted when they are read and printed.
 * Spec: CNI 1.1.0, sections 1 and 5; older results: the tags spec-v0.2.0 to spec-v1.0.0.
 */
#include "base/json.h"

struct cni_dns {
        const char **nameservers, **search, **options;
        size_t n_nameservers, n_search, n_options;
        const char *domain;
};
/* cni_dns_is_set() - any of it is */
bool cni_dns_is_set(const struct cni_dns *d);

struct cni_interface {
        const char *name, *mac, *sandbox; /* name "": not said; sandbox NULL: on the host */
        uint32_t mtu;
        const char *socket_path, *pci_id;
};
struct cni_ip {
        const char *version;          /* "4" or "6"; printed from 0.3.0 to 0.4.0 */
        struct cor_opt_u64 interface; /* index into interfaces */
        const char *address, *gateway;
};
struct cni_route {
        const char *dst, *gw;
        uint32_t mtu, advmss, priority;
        struct cor_opt_u64 table, scope;
};
struct cni_result {
        const char *cni_version;
        struct cni_interface *interfaces;
        size_t n_interfaces;
        struct cni_ip *ips;
        size_t n_ips;
        struct cni_route *routes;
        size_t n_routes;
        struct cni_dns dns;
        size_t room_interfaces, room_ips, room_routes; /* of cni_result_add_…(): 0 for a list that was read */
};
extern const struct cor_json_doc cni_result_doc; /* of 1.1.0 */
extern const struct cor_json_doc cni_dns_doc, cni_route_doc;

/* cni_result_new() - an empty one; cor_json_free() */
struct cni_result *cni_result_new(void) __attribute__((returns_nonnull));
/* One more of each, zeroed; it lives as long as the result, in which text is copied by cor_json_strdup(). */
struct cni_interface *cni_result_add_interface(struct cni_result *r) __attribute__((returns_nonnull));
struct cni_ip *cni_result_add_ip(struct cni_result *r) __attribute__((returns_nonnull));
struct cni_route *cni_result_add_route(struct cni_result *r) __attribute__((returns_nonnull));

/* The versions of the specification, oldest first; NULL at the end. */
extern const char *const cni_versions[];
/* cni_version_index() - place in cni_versions, or -1 */
int cni_version_index(const char *version);
enum { CNI_0_1_0, CNI_0_2_0, CNI_0_3_0, CNI_0_3_1, CNI_0_4_0, CNI_1_0_0, CNI_1_1_0 };

/*
 * cni_result_parse() - a result of @version (index); @what names it in errors. cor_json_free()
 * cni_result_print() - as @version has it. INVALID if it cannot say this: before 0.3.0 there has to be an address.
 */
int cni_result_parse(int version, const char *text, size_t len, const char *what, struct cni_result **ret,
                     struct cor_err *err) COR_MUST_CHECK;
int cni_result_print(int version, const struct cni_result *r, struct cor_text *out, struct cor_err *err) COR_MUST_CHECK;

struct cni_attachment {
        const char *container_id, *ifname;
};
/* The keys of a network configuration that belong to the protocol. */
struct cni_config {
        const char *cni_version, *name, *type;
        struct cni_ipam_type {
                const char *type;
        } ipam;
        bool ip_masq;
        struct cni_dns dns;
        const char *prev_result; /* JSON text, NULL if there is none */
        /* cni.dev/valid-attachments; the second is cni.dev/attachments, as the tag spec-v1.1.0 called it by mistake */
        struct cni_attachment *attachments, *old_attachments;
        size_t n_attachments, n_old_attachments;
};
extern const struct cor_json_doc cni_config_doc;

struct cni_error {
        const char *cni_version;
        uint32_t code;
        const char *msg, *details;
};
extern const struct cor_json_doc cni_error_doc;

#endif
