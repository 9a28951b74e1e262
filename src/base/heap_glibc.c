#include "base/heap.h"

#include <malloc.h>

void heap_keep_little(int bytes)
{
        mallopt(M_TRIM_THRESHOLD, bytes);
        mallopt(M_MMAP_THRESHOLD, bytes);
}

void heap_give_back(void)
{
        malloc_trim(0);
}
