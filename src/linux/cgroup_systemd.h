#ifndef CORACLE_LINUX_CGROUP_SYSTEMD_H
#define CORACLE_LINUX_CGROUP_SYSTEMD_H
/* Private to the cgroup code and its tests. */
#include "linux/cgroup_priv.h"

/*
 * cgroup_systemd_properties() - append linux.resources as properties of a unit: JSON objects with the members name,
 * type (of D-Bus: t, s, ay as hex, a(ss) as lines "A B"), value (text) and since (the first systemd that knows it)
 */
int cgroup_systemd_properties(int mode, const struct oci_resources *r, bool update, struct cor_text *out,
                              struct cor_err *err) COR_MUST_CHECK;

#endif
