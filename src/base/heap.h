#ifndef CORACLE_BASE_HEAP_H
#define CORACLE_BASE_HEAP_H
/*
 * How much of its heap a process keeps that lives long and works seldom. heap_glibc.c sets glibc's allocator; that of
 * musl (heap_none.c) has no such settings.
 */
/* heap_keep_little() - memory beyond @bytes goes back to the kernel as soon as it is free, and so does each large piece
 */
void heap_keep_little(int bytes);
/*
 * HEAP_VARIABLE, HEAP_VALUE - for the environment of such a program. glibc holds up to seven freed pieces of each size
 * ready, in a cache that nothing empties: each keeps its page, and the pieces beside it from becoming one. A program
 * that does much and then waits is left with twice the pages; without the cache it takes a hundredth more processor
 * time.
 */
#define HEAP_VARIABLE "GLIBC_TUNABLES"
#define HEAP_VALUE    "glibc.malloc.tcache_count=0"
/* heap_give_back() - all that is free goes back to the kernel now */
void heap_give_back(void);

#endif
