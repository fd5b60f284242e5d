/**
 * @file udp_socket.h  The worker's one UDP socket: batches in, batches out. Real I/O.
 */
#ifndef MEDIA_UDP_SOCKET_H
#define MEDIA_UDP_SOCKET_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct local_address;
struct packet;
struct packet_pool;

enum {
    UDP_BATCH = 64,                     /* messages per recvmmsg, packets handed on at a time */
    UDP_SEND_BATCH = 512,               /* datagrams per sendmmsg */
    UDP_RUN_MAX = 64,                   /* UDP_MAX_SEGMENTS of Linux before 6.9 */
    UDP_RUN_BYTES_MAX = 65000,          /* a run is one IP packet until the last moment */
    UDP_BUFFER_BYTES = 4 * 1024 * 1024, /* SO_RCVBUF and SO_SNDBUF asked for */
};

struct udp_socket;

struct udp_stats {
    uint64_t receive_calls, receive_datagrams, receive_bytes;
    uint64_t receive_runs;      /* several datagrams that came as one (UDP_GRO) */
    uint64_t receive_cut;       /* dropped: longer than a packet */
    uint64_t receive_no_packet; /* dropped: the pool was exhausted */
    uint64_t send_calls, send_datagrams, send_bytes;
    uint64_t send_runs; /* datagrams of one size to one address, handed over as one (UDP_SEGMENT) */
    uint64_t send_dropped; /* EAGAIN or another error: never waited for */
};

/** One datagram to send. Borrowed for the call. */
struct datagram {
    const struct sockaddr_storage *to;
    const struct local_address *from; /* NULL, or not known: the kernel chooses */
    const uint8_t *data;
    size_t len;
};

/**
 * Open a dual-stack (IPv6 with IPv4 mapped; IPv4 only where there is no IPv6) non-blocking socket.
 * Addresses are given and taken as plain IPv4 or IPv6; mapping happens inside.
 *
 * Bound to all addresses it tells which one a datagram came to; bound to one it need not, and does
 * not.
 *
 * @param address  local address to bind, or NULL for all
 * @param port     0: any
 * @return 0; -errno of socket(2) or bind(2): -EADDRINUSE, -EACCES, -EMFILE, ...; -EINVAL:
 *         `address` is not a literal address; -ENOMEM
 */
MUST_USE int udp_socket_new(struct udp_socket **ret, const char *address, uint16_t port);
/** Close. Packets kept ready go back to their pool: free the socket first. @return NULL */
struct udp_socket *udp_socket_free(struct udp_socket *s);

/** @return the descriptor, to wait on; it stays the socket's */
int udp_socket_fd(const struct udp_socket *s);
/** @return the port it is bound to */
uint16_t udp_socket_port(const struct udp_socket *s);
/** @return receive buffer the kernel gave [bytes] */
int udp_socket_buffer_bytes(const struct udp_socket *s);

/**
 * Receive up to UDP_BATCH datagrams with at most one system call into packets of `pool`; sets len,
 * from, to and arrival_us. Where the pool is exhausted datagrams are read and dropped (counted), so
 * that the socket drains. All calls on one socket must name the same pool.
 *
 * One system call can bring more than that, where runs of datagrams come as one: further calls hand
 * on the rest of it first. See udp_socket_has_more().
 *
 * @return number of packets put into `out` (room for UDP_BATCH), each with one reference which is
 *         the caller's; 0: nothing there, or all of it was dropped; -errno
 */
MUST_USE int udp_socket_receive(struct udp_socket *s, struct packet_pool *pool, struct packet **out,
                                int64_t now_us);

/** @return true if datagrams were read that udp_socket_receive() has not handed on yet. Nobody
 *  waiting on the descriptor learns of them. */
bool udp_socket_has_more(const struct udp_socket *s);

/** Have the kernel hand over runs of datagrams as one, as it does from the start where it can
 *  (Linux 5.0), or not; for measurements. Not while udp_socket_has_more(). @return 0; -errno */
MUST_USE int udp_socket_take_runs(struct udp_socket *s, bool on);

/**
 * Send `n` datagrams in order, with as few system calls as possible. What the kernel does not take
 * is dropped and counted.
 *
 * Neighbours with the same `to` and `from` pointers and length (the last may be shorter) go to the
 * kernel as one: nine tenths of the cost of a datagram is its way through the kernel.
 */
void udp_socket_send(struct udp_socket *s, const struct datagram *datagrams, size_t n);

/** @return counters since it was opened; valid as long as the socket */
const struct udp_stats *udp_socket_stats(const struct udp_socket *s);

#endif
