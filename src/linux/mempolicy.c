#include "linux/mempolicy.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "linux/bitlist.h"

int mempolicy_apply(const struct oci_memory_policy *p, struct cor_err *err)
{
        struct bitlist nodes = { 0 };
        int mode = p->mode;

        if (p->nodes && *p->nodes && bitlist_parse(p->nodes, "linux.memoryPolicy.nodes", &nodes, err) < 0)
                return -1;
        for (size_t i = 0; i < p->n_flags; i++)
                mode |= p->flags[i];
        /* maxnode counts one more than there are bits: the kernel takes one off */
        if (syscall(SYS_set_mempolicy, mode, nodes.n_bits ? nodes.bits : NULL, nodes.n_bits ? nodes.n_bits + 1 : 0) < 0)
                return cor_fail_errno(err, "linux.memoryPolicy: set the policy");
        return 0;
}
