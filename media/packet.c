#include "media/packet.h"

#include <assert.h>
#include <stdlib.h>

enum { SLAB_PACKETS = 64 }; /* about 110 KiB: few allocations, little waste in a quiet server */

struct slab {
    struct slab *next;
    struct packet packets[SLAB_PACKETS];
};

struct packet_pool {
    struct slab *slabs;
    struct packet *free; /* last in, first out: the next packet is likely in the cache */
    size_t used, max_packets;
    uint64_t exhausted;
};

struct packet_pool *packet_pool_new(size_t max_packets)
{
    struct packet_pool *pool = calloc(1, sizeof(*pool));

    if (pool)
        pool->max_packets = max_packets;
    return pool;
}

struct packet_pool *packet_pool_free(struct packet_pool *pool)
{
    if (!pool)
        return NULL;
    assert(pool->used == 0);
    while (pool->slabs) {
        struct slab *slab = pool->slabs;

        pool->slabs = slab->next;
        free(slab);
    }
    free(pool);
    return NULL;
}

static void add_slab(struct packet_pool *pool)
{
    struct slab *slab = malloc(sizeof(*slab));

    if (!slab)
        return;
    slab->next = pool->slabs;
    pool->slabs = slab;
    for (size_t i = 0; i < SLAB_PACKETS; i++) {
        struct packet *packet = &slab->packets[i];

        packet->pool = pool;
        packet->refs = 0;
        packet->next_free = pool->free;
        pool->free = packet;
    }
}

struct packet *packet_new(struct packet_pool *pool)
{
    struct packet *packet;

    if (!pool->free && pool->used < pool->max_packets)
        add_slab(pool);
    if (!pool->free || pool->used >= pool->max_packets) {
        pool->exhausted++;
        return NULL;
    }
    packet = pool->free;
    pool->free = packet->next_free;
    pool->used++;
    packet->next_free = NULL;
    packet->refs = 1;
    packet->len = 0;
    packet->to.len = 0;
    return packet;
}

struct packet *packet_ref(struct packet *packet)
{
    assert(packet->refs > 0);
    packet->refs++;
    return packet;
}

struct packet *packet_unref(struct packet *packet)
{
    struct packet_pool *pool;

    if (!packet)
        return NULL;
    assert(packet->refs > 0);
    packet->refs--;
    if (packet->refs > 0)
        return NULL;
    pool = packet->pool;
    packet->next_free = pool->free;
    pool->free = packet;
    pool->used--;
    return NULL;
}

size_t packet_pool_used(const struct packet_pool *pool)
{
    return pool->used;
}

uint64_t packet_pool_exhausted(const struct packet_pool *pool)
{
    return pool->exhausted;
}
