/*
 * Frames. The input is a list of them, each behind two bytes with its length: they go into the train, and come out with
 * nothing added or lost. The first bytes of each are also taken for a header that says where a checksum is missing.
 */
#include "tools/usernet/frame.h"

#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct counts {
        size_t frames, bytes; /* of those that went in or came out; of headers each has those of the first */
};

static void on_frame(void *context, const struct virtio_net_hdr *h, const uint8_t *frame, size_t n)
{
        struct counts *out = context;
        size_t pieces = 1;

        FUZZ_REQUIRE(n <= FRAME_MAX);
        if (h->gso_type != VIRTIO_NET_HDR_GSO_NONE) {
                size_t data = n - h->hdr_len;

                FUZZ_REQUIRE(h->hdr_len < n && h->gso_size > 0 && data > h->gso_size);
                FUZZ_REQUIRE(h->csum_start + h->csum_offset + 2 <= h->hdr_len);
                pieces = (data + h->gso_size - 1) / h->gso_size;
                out->bytes += (pieces - 1) * h->hdr_len;
        }
        out->bytes += n;
        out->frames += pieces;
}

static void try_complete(const uint8_t *frame, size_t n)
{
        struct virtio_net_hdr h;
        char *copy;

        if (n < sizeof h)
                return;
        memcpy(&h, frame, sizeof h);
        copy = fuzz_copy(frame + sizeof h, n - sizeof h);
        (void)frame_complete(&h, (uint8_t *)copy, n - sizeof h);
        free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct counts in = { 0 }, out = { 0 };
        struct frame_train *t = frame_train_new(on_frame, &out);

        while (size >= 2) {
                size_t n = (size_t)(data[0] << 8 | data[1]);
                char *copy;

                data += 2;
                size -= 2;
                if (n > size)
                        n = size;
                try_complete(data, n);
                copy = fuzz_copy(data, n);
                frame_train_add(t, (uint8_t *)copy, n);
                free(copy);
                in.frames++;
                in.bytes += n;
                data += n;
                size -= n;
        }
        frame_train_flush(t);
        FUZZ_REQUIRE(in.frames == out.frames && in.bytes == out.bytes);
        frame_train_free(t);
        return 0;
}
