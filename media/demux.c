#include "media/demux.h"

#include "media/address.h"
#include "media/base/map.h"
#include "media/packet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    DTLS_HANDSHAKE_RECORD = 22,
    DTLS_RECORD_HEADER_LEN = 13,
    DTLS_CLIENT_HELLO = 1,
};

/* A datagram that came before its address was proven. */
struct early {
    struct packet *packet;
    uint8_t key[ADDRESS_KEY_MAX]; /* where it came from */
};

struct demux {
    struct map by_address; /* to struct demux_binding */
    struct map by_ufrag;   /* to struct demux_peer */
    /* The address looked up last: datagrams come in runs. NULL: forgotten. */
    struct demux_binding *last;
    struct early early[DEMUX_MAX_EARLY]; /* oldest first */
    size_t n_early;
    struct demux_stats stats;
};

struct demux *demux_new(void)
{
    struct demux *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    map_init(&d->by_address);
    map_init(&d->by_ufrag);
    return d;
}

/* Take early[at] out. @return it, with the reference */
static struct packet *take_early(struct demux *d, size_t at)
{
    struct packet *packet = d->early[at].packet;

    d->n_early--;
    memmove(&d->early[at], &d->early[at + 1], (d->n_early - at) * sizeof(d->early[0]));
    return packet;
}

struct demux *demux_free(struct demux *d)
{
    if (!d)
        return NULL;
    assert(map_count(&d->by_ufrag) == 0);
    while (d->n_early > 0)
        packet_unref(take_early(d, 0));
    map_done(&d->by_address);
    map_done(&d->by_ufrag);
    free(d);
    return NULL;
}

int demux_add(struct demux *d, struct demux_peer *peer, const char *ufrag, void *owner)
{
    size_t len = strlen(ufrag);
    int err;

    *peer = (struct demux_peer){.owner = owner};
    if (len == 0 || len > ICE_UFRAG_MAX)
        return -EINVAL;
    err = map_put_str(&d->by_ufrag, ufrag, peer);
    if (err < 0)
        return err;
    memcpy(peer->ufrag, ufrag, len + 1);
    return 0;
}

static void unbind(struct demux *d, struct demux_binding *binding)
{
    if (d->last == binding)
        d->last = NULL;
    if (binding->key_len > 0)
        (void)map_remove(&d->by_address, binding->key, binding->key_len);
    binding->key_len = 0;
}

void demux_remove(struct demux *d, struct demux_peer *peer)
{
    if (!peer->ufrag[0])
        return;
    for (size_t i = 0; i < DEMUX_MAX_ADDRESSES; i++)
        unbind(d, &peer->bindings[i]);
    (void)map_remove_str(&d->by_ufrag, peer->ufrag);
    peer->ufrag[0] = '\0';
}

int demux_rename(struct demux *d, struct demux_peer *peer, struct demux_peer *next)
{
    char ufrag[sizeof(next->ufrag)];
    int err;

    memcpy(ufrag, next->ufrag, sizeof(ufrag));
    demux_remove(d, next);
    (void)map_remove_str(&d->by_ufrag, peer->ufrag);
    err = map_put_str(&d->by_ufrag, ufrag, peer);
    memcpy(peer->ufrag, ufrag, sizeof(ufrag));
    if (err < 0)
        demux_remove(d, peer);
    return err;
}

/* @return index of a binding that is not in use, or of the one checked longest ago */
static size_t choose_place(const struct demux_peer *peer)
{
    size_t oldest = 0;

    for (size_t i = 0; i < DEMUX_MAX_ADDRESSES; i++) {
        if (peer->bindings[i].key_len == 0)
            return i;
        if (peer->bindings[i].checked_us < peer->bindings[oldest].checked_us)
            oldest = i;
    }
    return oldest;
}

int demux_bind(struct demux *d, struct demux_peer *peer, const struct sockaddr_storage *address,
               int64_t now_us)
{
    struct demux_binding fresh = {.peer = peer, .checked_us = now_us};
    struct demux_binding *binding;

    assert(peer->ufrag[0]);
    fresh.key_len = address_key(address, fresh.key);
    binding = map_get(&d->by_address, fresh.key, fresh.key_len);
    if (binding && binding->peer == peer) {
        binding->checked_us = now_us;
        return 0;
    }
    if (binding && now_us - binding->checked_us < DEMUX_HOLD_US) {
        d->stats.stolen++;
        return -EADDRINUSE;
    }
    if (binding)
        unbind(d, binding);
    binding = &peer->bindings[choose_place(peer)];
    unbind(d, binding);
    *binding = fresh;
    if (map_put(&d->by_address, fresh.key, fresh.key_len, binding) < 0) {
        binding->key_len = 0;
        return -ENOMEM;
    }
    return 0;
}

static struct demux_binding *find_binding(struct demux *d, const struct sockaddr_storage *address)
{
    uint8_t key[ADDRESS_KEY_MAX];
    size_t key_len = address_key(address, key);
    struct demux_binding *binding = d->last;

    if (!binding || memcmp(binding->key, key, sizeof(key)) != 0)
        binding = map_get(&d->by_address, key, key_len);
    if (binding)
        d->last = binding;
    return binding;
}

void *demux_find(struct demux *d, const struct sockaddr_storage *address)
{
    struct demux_binding *binding = find_binding(d, address);

    if (!binding) {
        d->stats.unknown_address++;
        return NULL;
    }
    return binding->peer->owner;
}

bool demux_knows(struct demux *d, const struct sockaddr_storage *address)
{
    return find_binding(d, address) != NULL;
}

void demux_keep(struct demux *d, const struct sockaddr_storage *address, int64_t now_us)
{
    struct demux_binding *binding = find_binding(d, address);

    if (binding)
        binding->checked_us = now_us;
}

void *demux_find_ufrag(struct demux *d, const char *ufrag)
{
    struct demux_peer *peer = map_get_str(&d->by_ufrag, ufrag);

    if (!peer) {
        d->stats.unknown_ufrag++;
        return NULL;
    }
    return peer->owner;
}

/* RFC 6347 section 4.3.1: record header, then the handshake type. */
static bool is_client_hello(const struct packet *packet)
{
    return packet->len > DTLS_RECORD_HEADER_LEN && packet->data[0] == DTLS_HANDSHAKE_RECORD &&
           packet->data[DTLS_RECORD_HEADER_LEN] == DTLS_CLIENT_HELLO;
}

static void drop_early(struct demux *d, size_t at)
{
    packet_unref(take_early(d, at));
    d->stats.early_dropped++;
}

static void drop_old(struct demux *d, int64_t now_us)
{
    while (d->n_early > 0 && now_us - d->early[0].packet->arrival_us > DEMUX_EARLY_US)
        drop_early(d, 0);
}

/* @return how many are kept from the address `key`; *oldest is the first of them */
static size_t count_early(const struct demux *d, const uint8_t key[ADDRESS_KEY_MAX], size_t *oldest)
{
    size_t count = 0;

    for (size_t i = d->n_early; i-- > 0;) {
        if (memcmp(d->early[i].key, key, ADDRESS_KEY_MAX) != 0)
            continue;
        *oldest = i;
        count++;
    }
    return count;
}

void demux_keep_early(struct demux *d, struct packet *packet)
{
    struct early early = {.packet = packet};
    size_t oldest = 0;

    if (!is_client_hello(packet))
        return;
    drop_old(d, packet->arrival_us);
    (void)address_key(&packet->from, early.key);
    if (count_early(d, early.key, &oldest) >= DEMUX_MAX_EARLY_EACH)
        drop_early(d, oldest);
    else if (d->n_early == DEMUX_MAX_EARLY)
        drop_early(d, 0);
    packet_ref(packet);
    d->early[d->n_early++] = early;
    d->stats.early_kept++;
}

struct packet *demux_take_early(struct demux *d, const struct sockaddr_storage *address,
                                int64_t now_us)
{
    uint8_t key[ADDRESS_KEY_MAX];
    size_t oldest = 0;

    drop_old(d, now_us);
    (void)address_key(address, key);
    if (count_early(d, key, &oldest) == 0)
        return NULL;
    d->stats.early_taken++;
    return take_early(d, oldest);
}

const struct demux_stats *demux_stats(const struct demux *d)
{
    return &d->stats;
}
