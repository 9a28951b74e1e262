#ifndef CORACLE_MONITOR_STREAM_H
#define CORACLE_MONITOR_STREAM_H
/*
 * What the container prints and reads. An output holds one piece: it is logged, goes to all clients that are attached,
 * and only when the last of them has it the next piece is read. So a client that does not read holds the container
 * back, and nothing is lost. The input holds one piece, too: as long as it is not written, no client that is attached
 * to it is listened to.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct monitor;

enum { STREAM_BYTES = 32 * 1024 };

struct output {
        int fd;   /* pipe or terminal; -1: at its end */
        size_t n; /* bytes that not all clients have */
        bool is_tty;
        int64_t retry_at; /* of a terminal that nobody has open at the moment; 0: none */
        int rest;         /* pieces since the container ended */
};

struct input {
        int fd; /* pipe or terminal; -1: closed */
        size_t start, n;
        bool end_wanted; /* close it once it is written */
};

void streams_init(struct monitor *m);
/* streams_done() - close what is open */
void streams_done(struct monitor *m);
/* output_read() - take one piece; 1, 0 if there is none now, -1 at the end (it is closed) */
int output_read(struct monitor *m, int which);
/* output_bytes() - the piece that output @which holds */
const char *output_bytes(int which);
/* output_settled() - some client has got it, or is gone: if nobody is left to get it, make room */
void output_settled(struct monitor *m, int which);
/* input_add() - the input must hold nothing */
void input_add(struct monitor *m, const char *bytes, size_t n);
void input_write(struct monitor *m);
/* input_end() - close it behind what it holds */
void input_end(struct monitor *m);

#endif
