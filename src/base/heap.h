#ifndef CORACLE_BASE_HEAP_H
#define CORACLE_BASE_HEAP_H
/*
 * How much of its heap a process keeps that lives long and works seldom. heap_glibc.c sets glibc's allocator; that of
 * musl (heap_none.c) has no such settings.
 */
/* heap_keep_little() - memory beyond @bytes goes back to the kernel as soon as it is free, and so does each large piece
 */
void heap_keep_little(int bytes);
/* heap_give_back() - all that is free goes back to the kernel now */
void heap_give_back(void);

#endif
