#ifndef CORACLE_ENGINE_IMAGE_FILTER_H
#define CORACLE_ENGINE_IMAGE_FILTER_H
/* Filters of images, as `images --filter` and `image prune --filter` of docker take them. */
#include "engine/image.h"

#include <time.h>

enum image_filter_use { IMAGE_FILTER_LIST, IMAGE_FILTER_PRUNE };

struct image_match {
        bool has_dangling, dangling;
        bool has_before, has_since, has_until;
        struct timespec before, since; /* since 1970 */
        int64_t until;                 /* seconds since 1970 */
        struct cor_strv labels, labels_not, references;
};
void image_match_done(struct image_match *m);
#define auto_image_match COR_CLEANUP(image_match_done) struct image_match

/* image_match_parse() - INVALID with docker's words; before and since name an image: NOT_FOUND */
int image_match_parse(struct engine *e, const struct image_filter *filter, enum image_filter_use use,
                      struct image_match *ret, struct cor_err *err) COR_MUST_CHECK;
/* image_match_fits() - times and labels fit */
bool image_match_fits(const struct image_match *m, const struct image_row *i);
/*
 * image_match_names() - take those names from @i that no `reference` fits: 1 if some are left or none was asked for, 0
 * if none is left, -1 when a pattern is malformed
 */
int image_match_names(const struct image_match *m, struct image_row *i, struct cor_err *err) COR_MUST_CHECK;

#endif
