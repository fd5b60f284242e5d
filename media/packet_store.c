#include "media/packet_store.h"

#include "media/packet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { MAX_CAPACITY = 32768 }; /* half the number space: a place never holds two cycles */

int packet_store_init(struct packet_store *s, size_t capacity)
{
    struct packet **ring;

    assert(capacity > 0 && capacity <= MAX_CAPACITY && (capacity & (capacity - 1)) == 0);
    ring = calloc(capacity, sizeof(struct packet *));
    if (!ring)
        return -ENOMEM;
    *s = (struct packet_store){.ring = ring, .capacity = capacity};
    return 0;
}

void packet_store_done(struct packet_store *s)
{
    for (size_t i = 0; i < s->capacity; i++)
        s->ring[i] = packet_unref(s->ring[i]);
    free(s->ring);
    *s = (struct packet_store){.ring = NULL};
}

static struct packet **place_of(const struct packet_store *s, uint16_t seq)
{
    return &s->ring[seq & (s->capacity - 1)];
}

int packet_store_put(struct packet_store *s, struct packet *packet)
{
    struct packet **place = place_of(s, packet->rtp.seq);

    if (*place && (*place)->rtp.seq == packet->rtp.seq)
        return -EEXIST;
    packet_unref(*place);
    *place = packet_ref(packet);
    return 0;
}

struct packet *packet_store_get(const struct packet_store *s, uint16_t seq)
{
    struct packet *packet = *place_of(s, seq);

    return packet && packet->rtp.seq == seq ? packet : NULL;
}

void packet_store_expire(struct packet_store *s, int64_t before_us)
{
    for (size_t i = 0; i < s->capacity; i++) {
        if (s->ring[i] && s->ring[i]->arrival_us < before_us)
            s->ring[i] = packet_unref(s->ring[i]);
    }
}
