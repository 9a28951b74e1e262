#ifndef CORACLE_BENCH_MINIMAL_H
#define CORACLE_BENCH_MINIMAL_H
/* What the three files of bench-minimal share; its theory is at the head of minimal.c. Whatever fails ends the process.
 */
#include <stdbool.h>
#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CGROUP_ROOT  "/sys/fs/cgroup"

enum { HIERARCHIES_MAX = 24 };

struct options {
        const char *group; /* below each hierarchy, or NULL */
        int filter_fd;     /* opened in the host's view, or -1 */
        bool by_procs;
};

/* What the parent found out about cgroups; the child reads its copy. */
struct cgroups {
        bool unified;
        int unified_fd; /* the group, for CLONE_INTO_CGROUP; -1 on version 1 */
        size_t n_names;
        char names[HIERARCHIES_MAX][64]; /* folders of CGROUP_ROOT, one for each version 1 hierarchy */
};

_Noreturn void die(const char *what, const char *which);
/* path_format() - the three parts with slashes between; one that does not fit is an error */
void path_format(char *buf, size_t size, const char *a, const char *b, const char *c);
void file_write(const char *path, const char *text, size_t n);
size_t file_read(const char *path, char *buf, size_t size);

/* cgroups_find() - which hierarchies there are; cgroups_open() - what clone3 needs of an existing group */
void cgroups_find(const struct options *opt, struct cgroups *cg);
void cgroups_open(const struct options *opt, struct cgroups *cg);
/* cgroups_make() - find, make and fill them; cgroups_join() - the child's part; cgroups_remove() - once all are gone */
void cgroups_make(const struct options *opt, struct cgroups *cg);
void cgroups_join(const struct options *opt, const struct cgroups *cg);
void cgroups_remove(const struct options *opt, const struct cgroups *cg);

/* mounts_make() - mount all below @rootfs, the working directory afterwards; root_enter() - make that the root, masked
 */
void mounts_make(const char *rootfs, const struct options *opt, const struct cgroups *cg);
void root_enter(void);

#endif
