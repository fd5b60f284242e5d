/**
 * @file udp_receiver.h  The receiving half of media/udp_socket: batches of datagrams, and runs of
 * them that the kernel hands over as one (UDP_GRO), into packets.
 *
 * A run is what a sender handed to its kernel as one (UDP_SEGMENT; over loopback and between
 * network namespaces it arrives as it was sent), or what a network card or the kernel put together.
 * Of each message the first packet is received in place; what follows in a run is copied into
 * packets of its own.
 */
#ifndef MEDIA_UDP_RECEIVER_H
#define MEDIA_UDP_RECEIVER_H

#include "media/base/attributes.h"
#include "media/udp_socket.h"

#include <stdbool.h>
#include <stdint.h>

struct packet;
struct packet_pool;
struct udp_receiver;

/**
 * @param fd     borrowed
 * @param local  the kernel tells the address of ours that a datagram came to
 * @param stats  borrowed; its receive_* are counted
 * @return the receiver, or NULL: no memory
 */
struct udp_receiver *udp_receiver_new(int fd, bool local, struct udp_stats *stats);
/** Give back the packets that are ready, and free. NULL is fine. @return NULL */
struct udp_receiver *udp_receiver_free(struct udp_receiver *r);

/** Take runs as one message from now on, or no longer. @return 0; -errno: this kernel cannot
 *  (before Linux 5.0); -ENOMEM */
MUST_USE int udp_receiver_take_runs(struct udp_receiver *r, bool on);

/** See udp_socket_receive(). */
MUST_USE int udp_receiver_read(struct udp_receiver *r, struct packet_pool *pool,
                               struct packet **out, int64_t now_us);

/** See udp_socket_has_more(). */
bool udp_receiver_has_more(const struct udp_receiver *r);

#endif
