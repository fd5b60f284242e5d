/**
 * @file forward_world.h  A forwarder, one publisher of video, and any number of subscribers to it,
 * connected as browsers are, with neither sockets nor threads: for measuring what a packet costs.
 *
 * Packets are made outside of what is measured: forward_world_make(), then forwarder_receive() and
 * forwarder_flush() with a clock around them, then forward_world_pass() for all that is due
 * besides. Simulated time. One thread.
 */
#ifndef BENCH_FORWARD_WORLD_H
#define BENCH_FORWARD_WORLD_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

struct packet;

enum {
    FORWARD_WORLD_PACKET = 1150, /* bytes of a packet in clear, header included */
    FORWARD_WORLD_HEAD = 24,     /* of its header: Chrome's, with transport-wide number and mid */
};

struct forward_world_client;

/** For reading. */
struct forward_world {
    struct forwarder *forwarder;
    int64_t now_us;
    uint64_t sent; /* RTP that came out of the forwarder */
    /* private */
    struct dtls_identity *identity; /* of everybody */
    uint32_t n_clients;             /* the publisher is the first */
    struct forward_world_client *clients;
    uint16_t seq, transport_seq;
    uint32_t ts;
    struct packet_pool *pool; /* the clients' */
    size_t n_inbox;
    struct packet **inbox;
    uint32_t failed; /* participants */
};

/** @return the world with everybody connected; NULL: out of memory or of cryptography */
struct forward_world *forward_world_new(uint32_t subscribers);
/** NULL is fine. @return NULL */
struct forward_world *forward_world_free(struct forward_world *w);

/** Write the publisher's next packet in clear, FORWARD_WORLD_PACKET bytes. */
void forward_world_write(struct forward_world *w, uint8_t *out);

/** Seal the publisher's next `n` packets into packets of the forwarder's pool, as received.
 *  @return how many; fewer: the pool is exhausted */
size_t forward_world_make(struct forward_world *w, struct packet **packets, size_t n);

/** Let `us` of time pass, with checks and reports as they fall due. */
void forward_world_pass(struct forward_world *w, int64_t us);

#endif
