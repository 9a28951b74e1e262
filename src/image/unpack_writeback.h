#ifndef CORACLE_IMAGE_UNPACK_WRITEBACK_H
#define CORACLE_IMAGE_UNPACK_WRITEBACK_H
/*
 * What is unpacked is written to the disk meanwhile. Left alone, the kernel keeps it in memory for half a minute, so
 * the one store_sync() at the end of a pull would wait for all of it, with idle processors; asked in time, the disk
 * works while they do. Nothing depends on it: that last store_sync() alone says what is on the disk.
 */
#include "store/store.h"

struct writeback;

/* writeback_new() - of store @s, which is borrowed; its process starts when there is something to do */
struct writeback *writeback_new(const struct store *s) __attribute__((returns_nonnull));
void writeback_free(struct writeback *w);
/* writeback_add() - @bytes more were taken from blobs; now and then this makes the process sync the store */
void writeback_add(struct writeback *w, int64_t bytes);

#endif
