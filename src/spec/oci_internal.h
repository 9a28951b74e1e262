#ifndef CORACLE_SPEC_OCI_INTERNAL_H
#define CORACLE_SPEC_OCI_INTERNAL_H
/* What the files of the OCI configuration share; nobody else includes this. */
#include "spec/oci.h"

/* Tables of sections */
extern const struct cor_json_doc oci_linux_doc, oci_id_map_doc, oci_hooks_doc, oci_root_doc;

/* Checks that see the whole document, oci_check.c */
int oci_check_config(struct oci_config *c, struct cor_err *err) COR_MUST_CHECK;
/* oci_sysctl.c */
int oci_check_sysctl(const struct oci_config *c, struct cor_err *err) COR_MUST_CHECK;
/* "0-3,7": not empty, numbers up to @max, ranges not backwards */
bool oci_list_valid(const char *list, uint32_t max);
/* The kernel's rule for the name of a network device */
bool oci_net_name_valid(const char *name);
/* Each of @n paths under member @key is absolute */
int oci_check_absolute(const char *key, const char *const *paths, size_t n, struct cor_err *err) COR_MUST_CHECK;

/* Limits on numbers found in lists */
enum { OCI_CPU_MAX = 8191, OCI_NODE_MAX = 1023 };

#endif
