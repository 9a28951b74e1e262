#include "base/heap.h"

void heap_keep_little(int bytes)
{
}

void heap_give_back(void)
{
}
