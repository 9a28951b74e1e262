#ifndef CORACLE_LINUX_CAPS_H
#define CORACLE_LINUX_CAPS_H
/*
 * Capabilities as bit sets. Names become bits in the parent (caps_parse); the child only makes system calls, in this
 * order:
 *
 *      caps_drop_bounding()   while CAP_SETPCAP is still there
 *      caps_keep()            only if the user is going to be other than root
 *      setgroups, setresgid, setresuid
 *      caps_apply()           effective, permitted, inheritable; ambient at the very end
 *
 * A capability that the calling process does not have cannot be given: it is left out and reported, not an error, so
 * that a bundle written for a full root also runs where some capability is missing from the bounding set (runtime-spec,
 * config.md, "capabilities": runtimes should not fail but warn).
 */
#include "base/text.h"
#include "spec/oci.h"
#include <sys/types.h>

struct caps {
        uint64_t bounding, effective, inheritable, permitted, ambient;
};

/* caps_known() - the bits of all capabilities that the running kernel has (and that have a name here) */
uint64_t caps_known(void);
/* caps_number() - the number of "CAP_CHOWN" or "chown", any case; -1 if there is no such capability */
int caps_number(const char *name);
/* caps_name() - "CAP_CHOWN", or NULL; numbers are dense from 0, so a loop that ends at NULL lists all */
const char *caps_name(int number);

/**
 * caps_parse() - names to bits
 * @c:       the five lists; NULL means that all are empty
 * @ret:     the sets, limited to what the kernel knows
 * @unknown: names that mean nothing to this build or kernel are appended, separated by ", "; for a warning. May be
 *           NULL.
 *
 * Ambient bits that are not both permitted and inheritable cannot be had (capabilities(7)): they are taken out. That is
 * no reason for a warning, as the default configuration of runc up to 1.1 lists such.
 */
void caps_parse(const struct oci_caps *c, struct caps *ret, struct cor_text *unknown);
/* caps_parse_list() - the bits of one list of names; unknown ones are appended to @unknown as above */
uint64_t caps_parse_list(const char *const *list, size_t n_list, struct cor_text *unknown);
/* caps_format() - append the names of @bits, separated by ", " */
void caps_format(uint64_t bits, struct cor_text *out);

/* caps_current() - the sets of the calling thread; ambient and bounding cost one call per capability: only if @all */
int caps_current(bool all, struct caps *ret, struct cor_err *err) COR_MUST_CHECK;

/*
 * caps_file_owner() - what the caller makes from now on belongs to @uid and @gid (setfsuid(2)), while its capabilities
 * stay what they are: that of a file system user other than root is to lose them. *ret_…: who it was; may be NULL
 */
int caps_file_owner(uid_t uid, gid_t gid, uid_t *ret_uid, gid_t *ret_gid, struct cor_err *err) COR_MUST_CHECK;
/* caps_drop_bounding() - limit the bounding set to @keep; without CAP_SETPCAP it stays as it is. No allocation. */
int caps_drop_bounding(uint64_t keep, struct cor_err *err) COR_MUST_CHECK;
/* caps_keep() - the permitted set survives the next change of user ids (PR_SET_KEEPCAPS). No allocation. */
int caps_keep(struct cor_err *err) COR_MUST_CHECK;
/**
 * caps_apply() - make the thread's sets those of @c (all but bounding)
 * @ret_left_out: bits asked for that could not be given; may be NULL
 *
 * The ambient set is emptied before and filled after. No allocation.
 */
int caps_apply(const struct caps *c, uint64_t *ret_left_out, struct cor_err *err) COR_MUST_CHECK;

#endif
