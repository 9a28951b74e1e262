#ifndef CORACLE_USERNET_FRAME_H
#define CORACLE_USERNET_FRAME_H
/*
 * Frames as a tap interface with offloads gives them: behind a struct virtio_net_hdr, which may say that a checksum is
 * not made yet, and that the frame is to be cut into several. Bytes in, bytes out.
 */
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A segment of 64 KiB with all that goes in front of it. */
enum { FRAME_HEADER_BYTES = sizeof(struct virtio_net_hdr), FRAME_MAX = 65536 + 64 };

/* frame_sum() - ones' complement sum of @n bytes, added to @sum, folded to 16 bits; in the byte order of the bytes */
uint16_t frame_sum(const uint8_t *bytes, size_t n, uint16_t sum);

/*
 * frame_complete() - make the checksum that @h, which came with the @n bytes of @frame, says is missing. False: what it
 * says is not inside the frame.
 */
bool frame_complete(const struct virtio_net_hdr *h, uint8_t *frame, size_t n);

/*
 * Frames that we send: segments of one TCP stream that follow each other go as one, which the kernel on the other side
 * takes through its layers once. What cannot be joined goes as it is, and is not copied. @send gets each frame with its
 * header.
 */
typedef void frame_sender(void *context, const struct virtio_net_hdr *h, const uint8_t *frame, size_t n);
struct frame_train;
struct frame_train *frame_train_new(frame_sender *send, void *context) __attribute__((returns_nonnull));
void frame_train_free(struct frame_train *t);
/* frame_train_add() - @frame goes now, or with those that follow, at the latest at frame_train_flush() */
void frame_train_add(struct frame_train *t, const uint8_t *frame, size_t n);
void frame_train_flush(struct frame_train *t);

#endif
