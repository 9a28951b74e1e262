#include "spec/cni.h"

#include <stdlib.h>
#include <string.h>

const char *const cni_versions[] = { "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", NULL };

int cni_version_index(const char *version)
{
        for (int i = 0; cni_versions[i]; i++)
                if (strcmp(cni_versions[i], version) == 0)
                        return i;
        return -1;
}

static const struct cor_json_field dns_fields[] = {
        COR_FIELD_LIST("nameservers", LIST_STR, struct cni_dns, nameservers, n_nameservers, 0),
        COR_FIELD("domain", STR, struct cni_dns, domain, 0),
        COR_FIELD_LIST("search", LIST_STR, struct cni_dns, search, n_search, 0),
        COR_FIELD_LIST("options", LIST_STR, struct cni_dns, options, n_options, 0),
};
const struct cor_json_doc cni_dns_doc = COR_DOC(struct cni_dns, dns_fields, NULL);

bool cni_dns_is_set(const struct cni_dns *d)
{
        return d->n_nameservers || d->n_search || d->n_options || (d->domain && d->domain[0]);
}

/* ---------------------------------------------------------------------------------------------------- configuration */

static const struct cor_json_field ipam_fields[] = {
        COR_FIELD("type", STR, struct cni_ipam_type, type, 0),
};
static const struct cor_json_doc ipam_doc = COR_DOC(struct cni_ipam_type, ipam_fields, NULL);

static const struct cor_json_field attachment_fields[] = {
        COR_FIELD("containerID", STR, struct cni_attachment, container_id, COR_JSON_REQUIRED),
        COR_FIELD("ifname", STR, struct cni_attachment, ifname, COR_JSON_REQUIRED),
};
static const struct cor_json_doc attachment_doc = COR_DOC(struct cni_attachment, attachment_fields, NULL);

static const struct cor_json_field config_fields[] = {
        COR_FIELD("cniVersion", STR, struct cni_config, cni_version, 0),
        COR_FIELD("name", STR, struct cni_config, name, 0),
        COR_FIELD("type", STR, struct cni_config, type, 0),
        COR_FIELD_OBJ("ipam", INLINE, struct cni_config, ipam, &ipam_doc, 0),
        COR_FIELD("ipMasq", BOOL, struct cni_config, ip_masq, 0),
        COR_FIELD_OBJ("dns", INLINE, struct cni_config, dns, &cni_dns_doc, 0),
        COR_FIELD("prevResult", RAW, struct cni_config, prev_result, 0),
        COR_FIELD_LIST_OF("cni.dev/valid-attachments", LIST_OBJ, struct cni_config, attachments, n_attachments,
                          &attachment_doc, 0),
        COR_FIELD_LIST_OF("cni.dev/attachments", LIST_OBJ, struct cni_config, old_attachments, n_old_attachments,
                          &attachment_doc, 0),
};
const struct cor_json_doc cni_config_doc = COR_DOC(struct cni_config, config_fields, NULL);

static const struct cor_json_field error_fields[] = {
        COR_FIELD("cniVersion", STR, struct cni_error, cni_version, 0),
        COR_FIELD("code", U32, struct cni_error, code, COR_JSON_ALWAYS),
        COR_FIELD("msg", STR, struct cni_error, msg, COR_JSON_ALWAYS),
        COR_FIELD("details", STR, struct cni_error, details, 0),
};
const struct cor_json_doc cni_error_doc = COR_DOC(struct cni_error, error_fields, NULL);
