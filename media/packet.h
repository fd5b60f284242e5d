/**
 * @file packet.h  One received datagram: counted, and never changed once it is parsed.
 *
 * A pool gives packets, up to a fixed number; a packet goes back to its pool when the last
 * reference is gone. Counting is not atomic: a pool and its packets belong to one worker.
 */
#ifndef MEDIA_PACKET_H
#define MEDIA_PACKET_H

#include "media/address.h"
#include "media/base/attributes.h"
#include "media/rtp.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    PACKET_CAPACITY = 1536, /* above every path MTU we meet; longer datagrams are cut and dropped */
};

struct packet_pool;

struct packet {
    struct packet_pool *pool;
    struct packet *next_free; /* only while in the pool */
    uint32_t refs;
    uint16_t len;       /* bytes in data */
    int64_t arrival_us; /* when the batch that brought it was read */
    struct sockaddr_storage from;
    struct local_address to; /* of ours; not known on a socket that has but one */
    struct rtp_header rtp;   /* valid once parsed; offsets into data */
    uint8_t data[PACKET_CAPACITY];
};

/**
 * Make an empty pool. Memory is taken in slabs as packets are first needed and kept.
 *
 * @param max_packets  most packets alive at a time
 * @return the pool, or NULL: no memory
 */
struct packet_pool *packet_pool_new(size_t max_packets);

/** Free the pool; every packet must have come back. NULL is fine. @return NULL */
struct packet_pool *packet_pool_free(struct packet_pool *pool);

/** @return a packet with one reference and len 0, or NULL: the pool is exhausted (counted) */
struct packet *packet_new(struct packet_pool *pool);

/** Take a reference. @return `packet` */
struct packet *packet_ref(struct packet *packet);

/** Drop a reference. NULL is fine. @return NULL, to assign back */
struct packet *packet_unref(struct packet *packet);

/** @return packets alive now */
size_t packet_pool_used(const struct packet_pool *pool);

/** @return how often packet_new() found the pool exhausted */
uint64_t packet_pool_exhausted(const struct packet_pool *pool);

#endif
