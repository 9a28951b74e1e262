#ifndef CORACLE_IMAGE_TRANSFER_MESSAGE_H
#define CORACLE_IMAGE_TRANSFER_MESSAGE_H
/*
 * The messages between engine and coracle-transfer (image/transfer.h), one JSON object on a line of a stream socket.
 *
 *      type      sender    fields                                answer
 *      request   engine    request                               the others, ending with done or error
 *      progress  transfer  id, status, current, total
 *      lease     transfer  digests: they will be looked for next  ok, or error
 *      image     transfer  image: its content is in the store    ok once it is recorded, or error
 *      text      transfer  text
 *      done      transfer
 *      error     both      kind, sys, text
 *      ok        engine
 */
#include "image/transfer.h"

enum transfer_type {
        TRANSFER_REQUEST,
        TRANSFER_PROGRESS,
        TRANSFER_LEASE,
        TRANSFER_IMAGE,
        TRANSFER_TEXT,
        TRANSFER_DONE,
        TRANSFER_ERROR,
        TRANSFER_OK,
};

struct transfer_message {
        int type;
        const char *id, *status, *text;
        int64_t current, total;
        const char **digests;
        size_t n_digests;
        struct transfer_image *image;
        struct transfer_request *request;
        int64_t kind, sys;
};

/* One end of the conversation: a socket and what was read ahead. */
struct transfer_channel {
        int fd;
        struct cor_text ahead;
};
void transfer_channel_done(struct transfer_channel *c); /* closes the socket */

int transfer_send(struct transfer_channel *c, const struct transfer_message *m, struct cor_err *err) COR_MUST_CHECK;
/*
 * transfer_receive() - wait for the next message, at most @timeout_ms (-1: for ever; TIMEOUT); 1 with *ret
 * (cor_json_free()), 0 at the end of the conversation
 */
int transfer_receive(struct transfer_channel *c, int timeout_ms, struct transfer_message **ret, struct cor_err *err)
        COR_MUST_CHECK;
/* transfer_ask() - the transfer's side: send a message that is answered; 0 for ok, -1 with the engine's error */
int transfer_ask(struct transfer_channel *c, const struct transfer_message *m, struct cor_err *err) COR_MUST_CHECK;
/* transfer_error_of() - fill @err from an error message; -1 */
int transfer_error_of(const struct transfer_message *m, struct cor_err *err);

/*
 * transfer_image_to_row() / transfer_image_from_row() - the two forms of an image. A row from a message is checked
 * (INVALID) and owns its memory; a message's image from a row borrows from the row, its lists are freed by
 * transfer_image_done().
 */
int transfer_image_to_row(const struct transfer_image *m, struct image_row *ret, struct cor_err *err) COR_MUST_CHECK;
void transfer_image_from_row(const struct image_row *i, struct transfer_image *ret);
void transfer_image_done(struct transfer_image *m);

#endif
