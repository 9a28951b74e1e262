#ifndef CORACLE_BASE_TLS_CHILD_H
#define CORACLE_BASE_TLS_CHILD_H
/*
 * What coracle-tls, which makes TLS of a stream socket, says first on it: TLS_READY, and from then on it passes on what
 * it gets; or TLS_FAILED with a text, and its end.
 */
enum { TLS_READY = '+', TLS_FAILED = '-', TLS_MESSAGE_MAX = 512 };

#endif
