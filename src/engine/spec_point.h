#ifndef CORACLE_ENGINE_SPEC_POINT_H
#define CORACLE_ENGINE_SPEC_POINT_H
/* What the user wants mounted: strings of --volume, entries of --mount, --tmpfs and --volumes-from, read and checked.
 */
#include "engine/spec_internal.h"

/* spec_point_parse_bind() - "SOURCE:TARGET[:OPTIONS]", "TARGET"; docker's words in errors. Memory of @root. */
int spec_point_parse_bind(void *root, const char *text, const char *volume_driver, struct spec_point *ret,
                          struct cor_err *err) COR_MUST_CHECK;
/* spec_point_from_mount() - an entry of HostConfig.Mounts; @look: sources of binds have to exist */
int spec_point_from_mount(void *root, const struct docker_mount *m, bool look, struct spec_point *ret,
                          struct cor_err *err) COR_MUST_CHECK;
/* spec_point_parse_from() - "CONTAINER[:ro|rw]" of --volumes-from; free() *ret_name */
int spec_point_parse_from(const char *text, char **ret_name, bool *ret_rw, struct cor_err *err) COR_MUST_CHECK;
/* spec_point_check_tmpfs() - one of HostConfig.Tmpfs: where, and options */
int spec_point_check_tmpfs(const char *destination, const char *options, struct cor_err *err) COR_MUST_CHECK;
/*
 * spec_tmpfs_options() - options of a tmpfs, comma-separated, after those that all have; of two that contradict each
 * other the later one holds. Added to @ret, in the memory of @root.
 */
int spec_tmpfs_options(void *root, const char *text, const char ***ret, size_t *ret_n, struct cor_err *err)
        COR_MUST_CHECK;
/* spec_image_point() - what of the image @p names it takes to mount it */
int spec_image_point(struct store *s, void *memory, struct spec_point *p, struct cor_err *err) COR_MUST_CHECK;

/* spec_points_parse() / spec_points_print() - as they are kept in container_row.mounts */
int spec_points_parse(void *root, const char *json, struct spec_point **ret, size_t *ret_n, struct cor_err *err)
        COR_MUST_CHECK;
void spec_points_print(const struct spec_point *points, size_t n, struct cor_text *out);

#endif
