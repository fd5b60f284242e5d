#include "sfu/forwarder.h"

#include "media/base/random.h"
#include "media/demux.h"
#include "media/egress.h"
#include "media/packet.h"
#include "media/rtp.h"
#include "media/srtp.h"
#include "sfu/downlink.h"
#include "sfu/forwarder_internal.h"
#include "sfu/mail.h"
#include "sfu/participant.h"
#include "sfu/relay_in.h"
#include "sfu/relay_out.h"
#include "sfu/room.h"
#include "sfu/room_speakers.h"

#include <errno.h>
#include <stdlib.h>

/* 64 Ki packets of 2 KiB: the worst case of 128 MiB, or 60 video streams' full stores. Padding:
 * docs/PERFORMANCE.md. */
const struct forwarder_limits forwarder_default_limits = {
    .max_participants = 4096,
    .max_packets = 65536,
    .pad_runs = 48,
};

/* When the pool runs low, packets are kept for retransmission so long at most, and at least; and
 * that is looked at so often. */
static const int64_t LOW_KEEP_MAX_US = 400 * MS;
static const int64_t LOW_KEEP_MIN_US = 10 * MS;
static const int64_t LOW_INTERVAL_US = 20 * MS;

static void on_send(void *owner, const struct datagram *datagrams, size_t n)
{
    struct core *core = owner;

    core->stats.send_datagrams += n;
    for (size_t i = 0; i < n; i++)
        core->stats.send_bytes += datagrams[i].len;
    core->handler.send(core->owner, datagrams, n);
}

int forwarder_new(struct forwarder **ret, const struct forwarder_config *config,
                  const struct forwarder_handler *handler, void *owner)
{
    struct forwarder *f;
    int err = srtp_global_init();

    if (err < 0)
        return -ENOTSUP;
    f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->core.config = *config;
    f->core.handler = *handler;
    f->core.owner = owner;
    list_init(&f->core.touched);
    list_init(&f->core.dirty_rooms);
    list_init(&f->core.waiting_tracks);
    deadline_heap_init(&f->core.deadlines);
    map_init(&f->rooms);
    map_init(&f->participants);
    map_init(&f->relays);
    random_name(f->core.cname, sizeof(f->core.cname) - 1);
    f->core.pool = packet_pool_new(config->limits.max_packets);
    f->core.egress = egress_new(on_send, &f->core);
    f->core.demux = demux_new();
    f->core.relay_out = relay_out_new(&f->core);
    if (!f->core.pool || !f->core.egress || !f->core.demux || !f->core.relay_out) {
        forwarder_free(f);
        return -ENOMEM;
    }
    egress_pad_runs(f->core.egress, config->limits.pad_runs);
    egress_coalesce(f->core.egress, config->limits.coalesce_us);
    *ret = f;
    return 0;
}

struct participant *forwarder_participant(const struct forwarder *f, uint32_t id)
{
    return map_get(&f->participants, &id, sizeof(id));
}

struct relay_in *forwarder_relay(const struct forwarder *f, uint32_t participant)
{
    return map_get(&f->relays, &participant, sizeof(participant));
}

void forwarder_free_if_empty(struct forwarder *f, struct room *room)
{
    if (!room_empty(room))
        return;
    (void)map_remove(&f->rooms, &room->id, sizeof(room->id));
    room_free(room);
}

/* Take `p` out and free it, and its room if it was the last one there. */
void forwarder_remove_participant(struct forwarder *f, struct participant *p)
{
    struct room *room = p->room;

    (void)map_remove(&f->participants, &p->id, sizeof(p->id));
    participant_free(p);
    f->core.stats.left++;
    forwarder_free_if_empty(f, room);
}

void forwarder_remove_relay(struct forwarder *f, struct relay_in *r)
{
    struct room *room = r->room;

    (void)map_remove(&f->relays, &r->tracks.participant, sizeof(r->tracks.participant));
    relay_in_free(r);
    forwarder_free_if_empty(f, room);
}

void forwarder_remove_all(struct forwarder *f)
{
    size_t cursor = 0;
    struct participant *p;
    struct relay_in *r;

    while ((p = map_next(&f->participants, &cursor))) {
        forwarder_remove_participant(f, p);
        cursor = 0;
    }
    cursor = 0;
    while ((r = map_next(&f->relays, &cursor))) {
        forwarder_remove_relay(f, r);
        cursor = 0;
    }
}

struct forwarder *forwarder_free(struct forwarder *f)
{
    if (!f)
        return NULL;
    forwarder_remove_all(f);
    map_done(&f->participants);
    map_done(&f->relays);
    map_done(&f->rooms);
    f->core.relay_out = relay_out_free(f->core.relay_out);
    deadline_heap_done(&f->core.deadlines);
    f->core.egress = egress_free(f->core.egress);
    f->core.demux = demux_free(f->core.demux);
    f->core.pool = packet_pool_free(f->core.pool);
    free(f);
    return NULL;
}

struct packet_pool *forwarder_pool(struct forwarder *f)
{
    return f->core.pool;
}

/* ------------------------------------------------------------------ datagrams */

static void receive_stun(struct forwarder *f, struct packet *packet)
{
    char ufrag[STUN_UFRAG_MAX + 1];
    struct participant *p;

    if (stun_peek_ufrag(packet->data, packet->len, ufrag) < 0) {
        f->core.stats.drop_ice += !mapping_receive(&f->mapping, &f->core, packet);
        return;
    }
    p = demux_find_ufrag(f->core.demux, ufrag);
    if (!p) {
        f->core.stats.drop_unknown++;
        return;
    }
    f->last = NULL; /* addresses may become somebody else's */
    connection_receive_stun(&p->connection, packet, f->now_us);
    core_touch(&f->core, &p->actor);
}

/* Datagrams of one sender come in a row. */
static struct participant *find_sender(struct forwarder *f, const struct packet *packet)
{
    if (!f->last || !address_identical(&f->last->from, &packet->from))
        f->sender = demux_find(f->core.demux, &packet->from);
    f->last = f->sender ? packet : NULL;
    return f->sender;
}

static void receive_other(struct forwarder *f, struct packet *packet, enum datagram_kind kind)
{
    struct participant *p = find_sender(f, packet);

    if (p) {
        connection_receive(&p->connection, packet, f->now_us);
        core_touch(&f->core, &p->actor);
        return;
    }
    f->core.stats.drop_unknown++;
    if (kind == DATAGRAM_DTLS)
        demux_keep_early(f->core.demux, packet);
}

static void receive(struct forwarder *f, struct packet *packet)
{
    enum datagram_kind kind = datagram_kind(packet->data, packet->len);

    f->core.stats.receive_datagrams++;
    f->core.stats.receive_bytes += packet->len;
    switch (kind) {
    case DATAGRAM_UNKNOWN:
        f->core.stats.drop_kind++;
        break;
    case DATAGRAM_STUN:
        receive_stun(f, packet);
        break;
    case DATAGRAM_DTLS:
    case DATAGRAM_RTP:
    case DATAGRAM_RTCP:
        receive_other(f, packet, kind);
        break;
    }
}

void forwarder_begin_turn(struct forwarder *f, int64_t now_us)
{
    f->now_us = now_us;
    egress_set_time(f->core.egress, now_us);
}

void forwarder_receive(struct forwarder *f, struct packet **packets, size_t n, int64_t now_us)
{
    forwarder_begin_turn(f, now_us);
    for (size_t i = 0; i < n; i++)
        receive(f, packets[i]);
    f->last = NULL;
    track_fan_out_all(&f->core);
    for (size_t i = 0; i < n; i++)
        packets[i] = packet_unref(packets[i]);
    f->n_taken += (uint32_t)n;
    if (f->n_taken >= FORWARDER_TURN_PACKETS)
        forwarder_flush(f);
}

int forwarder_open_path(struct forwarder *f, uint32_t participant,
                        const struct sockaddr_storage *path, int64_t now_us)
{
    struct participant *p = forwarder_participant(f, participant);
    int err;

    if (!p)
        return -ENOENT;
    forwarder_begin_turn(f, now_us);
    err = connection_open_path(&p->connection, path, now_us);
    core_touch(&f->core, &p->actor);
    return err;
}

bool forwarder_has_path(struct forwarder *f, const struct sockaddr_storage *path)
{
    return demux_knows(f->core.demux, path);
}

/* ------------------------------------------------------------------ memory */

bool forwarder_pool_is_low(const struct forwarder *f)
{
    size_t max_packets = f->core.config.limits.max_packets;

    return packet_pool_used(f->core.pool) > max_packets - max_packets / 8;
}

static void expire_all(struct forwarder *f, int64_t keep_us)
{
    size_t cursor = 0;
    struct participant *p;
    struct relay_in *r;

    while ((p = map_next(&f->participants, &cursor)))
        track_set_expire(&p->tracks, keep_us, f->now_us);
    cursor = 0;
    while ((r = map_next(&f->relays, &cursor)))
        track_set_expire(&r->tracks, keep_us, f->now_us);
}

/* Packets to receive into are worth more than old ones: give those up. */
static void relieve_pool(struct forwarder *f)
{
    if (!forwarder_pool_is_low(f) || f->now_us < f->relieved_us + LOW_INTERVAL_US)
        return;
    f->relieved_us = f->now_us;
    for (int64_t keep_us = LOW_KEEP_MAX_US; keep_us >= LOW_KEEP_MIN_US && forwarder_pool_is_low(f);
         keep_us /= 2)
        expire_all(f, keep_us);
}

/* ------------------------------------------------------------------ time */

static void end_participant(struct forwarder *f, struct participant *p)
{
    f->core.stats.failed += p->connection.end == PEER_FAILED;
    core_post_state(&f->core, p->id, p->connection.end, p->connection.reason);
    forwarder_remove_participant(f, p);
}

static void set_deadline(struct forwarder *f, struct actor *actor, int64_t next_us)
{
    if (deadline_heap_set(&f->core.deadlines, &actor->timer, next_us) < 0)
        f->core.stats.drop_memory++; /* the next thing that touches it tries again */
}

static void look_after_participant(struct forwarder *f, struct participant *p)
{
    int64_t next_us = participant_advance(p, f->now_us);

    if (p->connection.ended)
        end_participant(f, p);
    else
        set_deadline(f, &p->actor, next_us);
}

static void look_after(struct forwarder *f, struct actor *actor)
{
    struct relay_in *r;
    struct room_speakers *speakers;

    switch (actor->kind) {
    case ACTOR_PARTICIPANT:
        look_after_participant(f, CONTAINER_OF(actor, struct participant, actor));
        break;
    case ACTOR_RELAY_IN:
        r = CONTAINER_OF(actor, struct relay_in, actor);
        set_deadline(f, actor, relay_in_advance(r, f->now_us));
        break;
    case ACTOR_ROOM:
        speakers = CONTAINER_OF(actor, struct room_speakers, actor);
        set_deadline(f, actor, room_speakers_advance(speakers, f->now_us));
        break;
    }
}

/* Give out slots, and let everybody do what the turn brought; either may bring more of the other.
 */
static void settle(struct forwarder *f)
{
    struct core *core = &f->core;
    struct list *link;

    while (!list_empty(&core->dirty_rooms) || !list_empty(&core->touched)) {
        while ((link = list_take_first(&core->dirty_rooms)))
            room_assign_slots(CONTAINER_OF(link, struct room, dirty_link), f->now_us);
        link = list_take_first(&core->touched);
        if (link)
            look_after(f, CONTAINER_OF(link, struct actor, touched_link));
    }
}

int64_t forwarder_advance(struct forwarder *f, int64_t now_us)
{
    struct deadline_node *due;

    forwarder_begin_turn(f, now_us);
    while ((due = deadline_heap_take_due(&f->core.deadlines, now_us)))
        core_touch(&f->core, CONTAINER_OF(due, struct actor, timer));
    mapping_advance(&f->mapping, &f->core, now_us);
    settle(f);
    return forwarder_deadline(f);
}

int64_t forwarder_deadline(const struct forwarder *f)
{
    int64_t next_us = deadline_heap_next_us(&f->core.deadlines);
    int64_t send_us = egress_deadline(f->core.egress);

    next_us = clock_earlier(next_us, mapping_deadline(&f->mapping));
    return clock_earlier(next_us, send_us);
}

void forwarder_flush(struct forwarder *f)
{
    settle(f);
    relay_out_flush(f->core.relay_out); /* first: the others work while we seal */
    egress_flush_due(f->core.egress, f->now_us);
    f->n_taken = 0;
    relieve_pool(f);
}

int forwarder_path_stats(const struct forwarder *f, uint32_t participant,
                         struct congestion_stats *ret)
{
    const struct participant *p = forwarder_participant(f, participant);

    if (!p)
        return -ENOENT;
    downlink_stats(p->downlink, ret);
    return 0;
}

void forwarder_stats(const struct forwarder *f, struct forwarder_stats *ret)
{
    const struct egress_stats *egress = egress_stats(f->core.egress);

    *ret = f->core.stats;
    ret->padded_out = egress->padded;
    ret->padding_bytes_out = egress->padding_bytes;
    ret->drop_pool = packet_pool_exhausted(f->core.pool);
}
