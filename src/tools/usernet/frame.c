#include "tools/usernet/frame.h"

#include <string.h>

uint16_t frame_sum(const uint8_t *bytes, size_t n, uint16_t sum)
{
        uint64_t all = sum, word;
        uint16_t last[4] = { 0 };

        for (; n >= sizeof word; n -= sizeof word, bytes += sizeof word) {
                memcpy(&word, bytes, sizeof word);
                all += word;
                all += all < word; /* the carry comes in again from below */
        }
        memcpy(last, bytes, n);
        memcpy(&word, last, sizeof word);
        all += word;
        all += all < word;
        all = (all & 0xffffffff) + (all >> 32);
        all = (all & 0xffff) + (all >> 16 & 0xffff) + (all >> 32);
        all = (all & 0xffff) + (all >> 16);
        return (uint16_t)((all & 0xffff) + (all >> 16));
}

bool frame_complete(const struct virtio_net_hdr *h, uint8_t *frame, size_t n)
{
        size_t start = h->csum_start, at = start + h->csum_offset;
        uint16_t sum;

        if (!(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
                return true;
        if (at + sizeof sum > n)
                return false;
        /* The sum of the pseudo header is in its place already. */
        sum = (uint16_t)~frame_sum(frame + start, n - start, 0);
        if (sum == 0)
                sum = 0xffff; /* of UDP, 0 means none; for TCP, they are the same */
        memcpy(frame + at, &sum, sizeof sum);
        return true;
}
