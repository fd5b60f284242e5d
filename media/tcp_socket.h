/**
 * @file tcp_socket.h  One TCP connection that carries datagrams in frames (media/tcp_frame.h).
 * Real I/O, never waits: its owner waits on the descriptor. Thread: one.
 */
#ifndef MEDIA_TCP_SOCKET_H
#define MEDIA_TCP_SOCKET_H

#include "media/base/attributes.h"
#include "media/tcp_frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct datagram;

enum {
    TCP_UNSENT_BYTES = 32 * 1024, /* that the kernel takes and has not sent: TCP_NOTSENT_LOWAT */
    TCP_READ_BYTES = 64 * 1024,   /* at a time */
};

/**
 * Open a socket that listens, dual-stack as udp_socket_new() does it.
 *
 * @param address  local address to bind, or NULL for all
 * @param port     0: any
 * @param ret      the descriptor, non-blocking, the caller's
 * @return 0; -errno of socket(2), bind(2) or listen(2); -EINVAL: `address` is no literal address
 */
MUST_USE int tcp_socket_listen(int *ret, const char *address, uint16_t port);

/** @return the port that `fd` is bound to; 0: none */
uint16_t tcp_socket_port(int fd);

/** Embedded; members are private but for those said to be for reading. */
struct tcp_socket {
    int fd; /* for reading, to wait on */
    struct tcp_deframer in;
    struct tcp_queue out;
    bool broken;                        /* for reading: nothing can be sent any more */
    uint64_t sent, sent_bytes, dropped; /* for reading: datagrams, those that had no place */
};

/** Take over a connected socket: it becomes non-blocking, without Nagle's delay, with little
 *  unsent inside. */
void tcp_socket_init(struct tcp_socket *s, int fd);
/** Close. */
void tcp_socket_done(struct tcp_socket *s);

/**
 * Read what there is, at most `capacity` bytes of it.
 *
 * @param scratch  room for `capacity` bytes, which tcp_socket_next() reads: until that returns 0 it
 *                 must stay
 * @return bytes in `scratch`; 0: nothing there; -EPIPE: the peer has closed; -errno
 */
MUST_USE int tcp_socket_read(struct tcp_socket *s, uint8_t *scratch, size_t capacity);

/**
 * Send `n` datagrams in order, with one system call if nothing waits before them. What the kernel
 * does not take waits, what has no place is dropped (counted): large ones first (TCP_SMALL).
 *
 * Where it fails `broken` is set, and everything is dropped from then on.
 */
void tcp_socket_send(struct tcp_socket *s, const struct datagram *datagrams, size_t n);

/** Send what waits, once the descriptor can be written to. */
void tcp_socket_flush(struct tcp_socket *s);

/** @return true if something waits for tcp_socket_flush() */
bool tcp_socket_waits(const struct tcp_socket *s);

#endif
