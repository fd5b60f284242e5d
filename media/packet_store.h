/**
 * @file packet_store.h  The last packets of one incoming stream, clear, by sequence number: serves
 * every retransmission to every subscriber. Holds references; copies nothing.
 *
 * Thread: the worker's own.
 */
#ifndef MEDIA_PACKET_STORE_H
#define MEDIA_PACKET_STORE_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

struct packet;

enum {
    PACKET_STORE_VIDEO = 1024, /* packets: about 2 s at 4 Mbit/s */
    PACKET_STORE_AUDIO = 64,
};

struct packet_store {
    struct packet **ring; /* by sequence number modulo capacity */
    size_t capacity;      /* a power of two */
};

/** @param capacity  power of two, at most 32768. @return 0; -ENOMEM */
MUST_USE int packet_store_init(struct packet_store *s, size_t capacity);
/** Drop all references. */
void packet_store_done(struct packet_store *s);

/** Keep `packet` (a reference is taken) under its rtp.seq, dropping what was in that place.
 *  @return 0; -EEXIST: this number is kept already */
MUST_USE int packet_store_put(struct packet_store *s, struct packet *packet);

/** @return the packet with sequence number `seq`, borrowed, or NULL if it is gone */
struct packet *packet_store_get(const struct packet_store *s, uint16_t seq);

/** Drop packets that arrived before `before_us`, so that a quiet stream holds no memory. */
void packet_store_expire(struct packet_store *s, int64_t before_us);

#endif
