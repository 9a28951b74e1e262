#ifndef CORACLE_LINUX_IDMAP_H
#define CORACLE_LINUX_IDMAP_H
/*
 * User namespace mappings: which id inside is which id outside. Written by the parent of the process that owns the
 * namespace, by itself where it may, by the set-uid helpers newuidmap and newgidmap where it may not.
 */
#include "spec/oci.h"
#include <sys/types.h>

struct idmap {
        struct oci_id_map *uids, *gids; /* those of config.json are borrowed; idmap_done() only for maps made here */
        size_t n_uids, n_gids;
};

enum { IDMAP_MAX_RANGES = 340 }; /* the kernel's limit for one file */

void idmap_done(struct idmap *m);
#define auto_idmap COR_CLEANUP(idmap_done) struct idmap

/* idmap_check() - ranges are not empty, do not overflow, do not overlap, and are not too many; @what: "uidMappings" */
int idmap_check(const struct oci_id_map *map, size_t n, const char *what, struct cor_err *err) COR_MUST_CHECK;
/* idmap_to_host() / idmap_to_container() - translate @id; false if it is not mapped */
bool idmap_to_host(const struct oci_id_map *map, size_t n, uint32_t id, uint32_t *ret);
bool idmap_to_container(const struct oci_id_map *map, size_t n, uint32_t id, uint32_t *ret);

/*
 * idmap_format() - as text, "INSIDE:OUTSIDE:SIZE,…;…", users before groups; free(). idmap_parse() - the same again:
 * idmap_done() *@ret. INVALID if it is not such a text, or a map that the kernel would refuse
 */
char *idmap_format(const struct idmap *m) __attribute__((returns_nonnull));
int idmap_parse(const char *text, struct idmap *ret, struct cor_err *err) COR_MUST_CHECK;

/**
 * idmap_write() - give process @pid's fresh user namespace its mapping
 * @procfs: verified procfs (linux/procfs.h) of the caller's pid namespace
 * @m:      the mapping in terms of the caller's user namespace
 *
 * Privileged (CAP_SETUID and CAP_SETGID here): written directly. For others one id that is their own needs no
 * privilege, but setgroups has to be denied; anything else goes through newuidmap and newgidmap, found in PATH, whose
 * complaints become part of the error.
 */
int idmap_write(int procfs, pid_t pid, const struct idmap *m, struct cor_err *err) COR_MUST_CHECK;

/**
 * idmap_rootless_default() - the mapping for an unprivileged caller whose configuration has none
 * @uid, @gid: the ids of the container's process, onto which the caller's own ids are mapped (0 as a rule)
 * @ret:       idmap_done()
 *
 * The caller's effective ids become @uid and @gid; all other ids from 0 up are filled with the caller's ranges in
 * /etc/subuid and /etc/subgid (by name from /etc/passwd, or by number), if newuidmap and newgidmap are there.
 */
int idmap_rootless_default(uint32_t uid, uint32_t gid, struct idmap *ret, struct cor_err *err) COR_MUST_CHECK;

/*
 * idmap_sub_ranges() - the ranges that the text of a subuid file gives to user @name (may be NULL) or @uid, appended to
 * *@items. Malformed lines are skipped, as shadow's tools do. container_id is left 0.
 */
void idmap_sub_ranges(const char *text, const char *name, uid_t uid, struct oci_id_map **items, size_t *n_items);
/*
 * idmap_sub_of() - the ranges of @who, a name or a number, in /etc/subuid (@groups: /etc/subgid), appended to *@items;
 * none, if there is no such file or line
 */
int idmap_sub_of(const char *who, bool groups, struct oci_id_map **items, size_t *n_items, struct cor_err *err)
        COR_MUST_CHECK;
/* idmap_fill() - own id at @id, the sub ranges around it from 0 up; items are appended to *@items */
void idmap_fill(uint32_t id, uint32_t own, const struct oci_id_map *sub, size_t n_sub, struct oci_id_map **items,
                size_t *n_items);

/*
 * idmap_userns_fd() - a user namespace with this mapping, for MOUNT_ATTR_IDMAP: made by a child that lives just long
 * enough. The child runs nothing of ours but read() and _exit().
 */
int idmap_userns_fd(int procfs, const struct idmap *m, struct cor_err *err) COR_MUST_CHECK;

#endif
