#ifndef CORACLE_LINUX_DEVICE_BPF_H
#define CORACLE_LINUX_DEVICE_BPF_H
/*
 * Device access on version 2 cgroups: a BPF_PROG_TYPE_CGROUP_DEVICE program that is made from the rules and asked by
 * the kernel at each open and mknod of a device.
 */
#include "base/err.h"
#include <linux/bpf.h>

struct device_policy;

enum { DEVICE_BPF_MAX = 4000 }; /* instructions; a kernel takes 4096 from anyone */

/*
 * device_bpf_build() - the program's instructions, at most DEVICE_BPF_MAX; their number, or -1 if there are too many
 * rules. The last rule that says something about a device and a kind of access decides.
 */
int device_bpf_build(const struct device_policy *p, struct bpf_insn *ret, struct cor_err *err) COR_MUST_CHECK;

/* device_bpf_attach() - make @p the only device program of the cgroup @dir_fd; at no moment is there none */
int device_bpf_attach(int dir_fd, const struct device_policy *p, struct cor_err *err) COR_MUST_CHECK;

#endif
