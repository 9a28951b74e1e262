#ifndef CORACLE_STORE_BLOB_INTERNAL_H
#define CORACLE_STORE_BLOB_INTERNAL_H
/* What the two files about blobs share. */
#include "store/blob.h"
#include "store/store_internal.h"

enum { BLOB_PATH_MAX = DIGEST_TEXT_MAX + 8 };
/* blob_path() - "sha256/<hex>", below images/blobs */
void blob_path(const struct digest *d, char path[BLOB_PATH_MAX]);

#endif
