#include "monitor/tidy.h"

#include "base/heap.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SEGMENTS_MAX = 8, STACK_DEPTH = 256 * 1024 };

struct segments {
        void *start[SEGMENTS_MAX];
        size_t length[SEGMENTS_MAX];
        int n;
};

/* The main program comes first; what is not writable was never written to, as a static-pie has no text relocations. */
static int find_segments(struct dl_phdr_info *info, size_t size, void *context)
{
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        struct segments *s = context;

        for (int i = 0; i < info->dlpi_phnum && s->n < SEGMENTS_MAX; i++) {
                const ElfW(Phdr) *p = &info->dlpi_phdr[i];
                uintptr_t start = (info->dlpi_addr + p->p_vaddr) & ~(page - 1);
                uintptr_t end = (info->dlpi_addr + p->p_vaddr + p->p_memsz + page - 1) & ~(page - 1);

                if (p->p_type != PT_LOAD || (p->p_flags & PF_W))
                        continue;
                s->start[s->n] = (void *)start;
                s->length[s->n++] = end - start;
        }
        return 1;
}

/* What deeper calls have left on the stack; that the kernel has no pages so far down is no matter. */
static void give_back_stack(void)
{
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        uintptr_t end = ((uintptr_t)__builtin_frame_address(0) & ~(page - 1)) - page;

        (void)madvise((void *)(end - STACK_DEPTH), STACK_DEPTH, MADV_DONTNEED);
}

int tidy_and_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
        struct segments s = { .n = 0 };

        heap_give_back();
        give_back_stack();
        dl_iterate_phdr(find_segments, &s);
        for (int i = 0; i < s.n; i++)
                (void)madvise(s.start[i], s.length[i], MADV_DONTNEED);
        return poll(fds, n, timeout_ms);
}
