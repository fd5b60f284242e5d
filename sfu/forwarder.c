#include "sfu/forwarder.h"

#include "media/base/map.h"
#include "media/base/random.h"
#include "media/demux.h"
#include "media/egress.h"
#include "media/packet.h"
#include "media/rtp.h"
#include "media/srtp.h"
#include "sfu/core.h"
#include "sfu/downlink.h"
#include "sfu/mail.h"
#include "sfu/participant.h"
#include "sfu/participant_layers.h"
#include "sfu/participant_refresh.h"
#include "sfu/relay_batch.h"
#include "sfu/relay_in.h"
#include "sfu/relay_out.h"
#include "sfu/room.h"
#include "sfu/room_speakers.h"
#include "sfu/track_relay.h"

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

/* So many packets may come before what they made is sent, from peers (one system call can bring
 * thousands) and from other workers: more would be more than a subscriber's queue takes. */
enum { TURN_PACKETS = 512 };

struct forwarder {
    struct core core;
    struct map rooms, participants; /* by id */
    struct map relays;              /* publishers on other workers, by the participant's id */
    uint32_t n_taken;               /* packets since the last flush */
    int64_t now_us;                 /* of the turn */
    int64_t relieved_us;            /* when the pool was last found low */
    const struct packet *last; /* of the batch: the one before, if it was `sender`'s; or NULL */
    struct participant *sender;
};

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

static struct participant *find_participant(const struct forwarder *f, uint32_t id)
{
    return map_get(&f->participants, &id, sizeof(id));
}

static struct relay_in *find_relay(const struct forwarder *f, uint32_t participant)
{
    return map_get(&f->relays, &participant, sizeof(participant));
}

static void free_if_empty(struct forwarder *f, struct room *room)
{
    if (!room_empty(room))
        return;
    (void)map_remove(&f->rooms, &room->id, sizeof(room->id));
    room_free(room);
}

/* Take `p` out and free it, and its room if it was the last one there. */
static void remove_participant(struct forwarder *f, struct participant *p)
{
    struct room *room = p->room;

    (void)map_remove(&f->participants, &p->id, sizeof(p->id));
    participant_free(p);
    f->core.stats.left++;
    free_if_empty(f, room);
}

static void remove_relay(struct forwarder *f, struct relay_in *r)
{
    struct room *room = r->room;

    (void)map_remove(&f->relays, &r->tracks.participant, sizeof(r->tracks.participant));
    relay_in_free(r);
    free_if_empty(f, room);
}

static void remove_all(struct forwarder *f)
{
    size_t cursor = 0;
    struct participant *p;
    struct relay_in *r;

    while ((p = map_next(&f->participants, &cursor))) {
        remove_participant(f, p);
        cursor = 0;
    }
    cursor = 0;
    while ((r = map_next(&f->relays, &cursor))) {
        remove_relay(f, r);
        cursor = 0;
    }
}

struct forwarder *forwarder_free(struct forwarder *f)
{
    if (!f)
        return NULL;
    remove_all(f);
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
        f->core.stats.drop_ice++;
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

static void begin_turn(struct forwarder *f, int64_t now_us)
{
    f->now_us = now_us;
    egress_set_time(f->core.egress, now_us);
}

void forwarder_receive(struct forwarder *f, struct packet **packets, size_t n, int64_t now_us)
{
    begin_turn(f, now_us);
    for (size_t i = 0; i < n; i++)
        receive(f, packets[i]);
    f->last = NULL;
    track_fan_out_all(&f->core);
    for (size_t i = 0; i < n; i++)
        packets[i] = packet_unref(packets[i]);
    f->n_taken += (uint32_t)n;
    if (f->n_taken >= TURN_PACKETS)
        forwarder_flush(f);
}

/* ------------------------------------------------------------------ mail */

static void fail(struct forwarder *f, uint32_t participant, int err)
{
    const char *reason = "the media worker has no room for more";

    if (err == -EINVAL)
        reason = "the offer's ICE credentials or fingerprint cannot be used";
    else if (err == -ENOMEM)
        reason = "out of memory";
    f->core.stats.failed++;
    core_post_state(&f->core, participant, PEER_FAILED, reason);
}

static struct room *find_or_make_room(struct forwarder *f, uint32_t id)
{
    struct room *room = map_get(&f->rooms, &id, sizeof(id));

    if (room)
        return room;
    room = room_new(&f->core, id);
    if (room && map_put(&f->rooms, &id, sizeof(id), room) < 0)
        room = room_free(room);
    return room;
}

static bool pool_is_low(const struct forwarder *f)
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
    if (!pool_is_low(f) || f->now_us < f->relieved_us + LOW_INTERVAL_US)
        return;
    f->relieved_us = f->now_us;
    for (int64_t keep_us = LOW_KEEP_MAX_US; keep_us >= LOW_KEEP_MIN_US && pool_is_low(f);
         keep_us /= 2)
        expire_all(f, keep_us);
}

static int join(struct forwarder *f, struct mail_join *mail)
{
    struct room *room;
    struct participant *p;
    int err;

    if (map_count(&f->participants) >= f->core.config.limits.max_participants || pool_is_low(f))
        return -EUSERS;
    if (!mail->plan || find_participant(f, mail->participant))
        return -EINVAL;
    room = find_or_make_room(f, mail->room);
    if (!room)
        return -ENOMEM;
    err = participant_new(&p, &f->core, room, mail, f->now_us);
    if (err < 0) {
        free_if_empty(f, room);
        return err;
    }
    err = map_put(&f->participants, &p->id, sizeof(p->id), p);
    if (err < 0) {
        participant_free(p);
        free_if_empty(f, room);
        return err;
    }
    f->core.stats.joined++;
    return 0;
}

static void on_join(struct forwarder *f, struct mail_join *mail)
{
    int err = join(f, mail);

    if (err < 0)
        fail(f, mail->participant, err);
}

static void on_update(struct forwarder *f, struct mail_join *mail)
{
    struct participant *p = find_participant(f, mail->participant);
    int err;

    if (!p || !mail->plan)
        return;
    err = participant_update(p, mail, f->now_us);
    if (err == 0)
        return;
    connection_close(&p->connection);
    remove_participant(f, p);
    fail(f, mail->participant, err);
}

static void on_leave(struct forwarder *f, uint32_t id)
{
    struct participant *p = find_participant(f, id);

    if (p) {
        connection_close(&p->connection);
        remove_participant(f, p);
    }
    core_post_participant(&f->core, MAIL_GONE, id);
}

static void on_refresh(struct forwarder *f, uint32_t id, int64_t now_us)
{
    struct participant *p = find_participant(f, id);

    if (p)
        participant_refresh(p, now_us);
}

static void on_mute(struct forwarder *f, const struct mail_mute *mail)
{
    struct participant *p = find_participant(f, mail->participant);
    struct relay_in *r = find_relay(f, mail->participant);

    if (p)
        track_set_mute(&p->tracks, mail->track, mail->muted);
    if (r)
        track_set_mute(&r->tracks, mail->track, mail->muted);
}

/* Nobody but the publisher's own worker tells it. */
static void on_cap(struct forwarder *f, const struct mail_cap *mail)
{
    struct participant *p = find_participant(f, mail->participant);

    if (p)
        track_set_cap(&p->tracks, mail->track, mail->max_bps);
}

static void on_wish(struct forwarder *f, uint32_t participant, const struct mail *mail)
{
    struct participant *p = find_participant(f, participant);

    if (p)
        participant_layers_on_mail(p, mail);
}

static int add_relay(struct forwarder *f, struct mail_join *mail)
{
    struct room *room = find_or_make_room(f, mail->room);
    struct relay_in *r;
    int err;

    if (!room)
        return -ENOMEM;
    err = relay_in_new(&r, &f->core, room, mail);
    if (err < 0) {
        free_if_empty(f, room);
        return err;
    }
    err = map_put(&f->relays, &mail->participant, sizeof(mail->participant), r);
    if (err < 0) {
        relay_in_free(r);
        free_if_empty(f, room);
    }
    return err;
}

static void on_publisher(struct forwarder *f, struct mail_join *mail)
{
    struct relay_in *r = find_relay(f, mail->participant);
    int err;

    if (!mail->plan || find_participant(f, mail->participant) || mail->worker >= RELAY_MAX_WORKERS)
        return;
    err = r ? relay_in_update(r, mail) : add_relay(f, mail);
    if (err < 0)
        f->core.stats.drop_memory++; /* the publisher's next change tries again */
}

static void on_unpublish(struct forwarder *f, uint32_t participant)
{
    struct relay_in *r = find_relay(f, participant);

    if (r)
        remove_relay(f, r);
}

static void on_close_room(struct forwarder *f, uint32_t id)
{
    struct room *room;

    /* The room may go with the last of them. */
    while ((room = map_get(&f->rooms, &id, sizeof(id))) && !list_empty(&room->relays)) {
        struct relay_in *r = CONTAINER_OF(room->relays.next, struct relay_in, room_link);

        relay_in_withdraw(r);
        remove_relay(f, r);
    }
}

/* Another worker wants something of a track that is published here. */
static void on_relay(struct forwarder *f, const struct mail_relay *mail)
{
    struct participant *p = find_participant(f, mail->participant);
    struct track *track = p ? track_set_find(&p->tracks, mail->track) : NULL;

    if (!track || mail->worker >= RELAY_MAX_WORKERS || mail->layer >= PLAN_MAX_LAYERS)
        return;
    if (mail->mail.type == MAIL_RELAY_START)
        track_relay_start(track, mail->worker, mail->layers, f->now_us);
    else if (mail->mail.type == MAIL_RELAY_STOP)
        track_relay_stop(track, mail->worker);
    else if (mail->mail.type == MAIL_RELAY_KEY_FRAME)
        track_relay_key_frame(track, mail->worker, mail->layer, mail->any, f->now_us);
    else
        track_relay_listen(track, mail->worker, mail->mail.type == MAIL_RELAY_LISTEN);
}

static void on_batch(struct forwarder *f, const struct relay_batch *batch)
{
    const struct relay_record *record;
    struct relay_in *r = NULL;
    size_t cursor = 0;

    f->core.stats.relay_in_batches++;
    while ((record = relay_batch_next(batch, &cursor))) {
        if (!r || r->tracks.participant != record->participant)
            r = find_relay(f, record->participant);
        if (r)
            relay_in_receive(r, record, f->now_us);
        else
            f->core.stats.drop_unasked++;
        f->n_taken++;
    }
    track_fan_out_all(&f->core);
    if (f->n_taken >= TURN_PACKETS)
        forwarder_flush(f);
}

static void on_stop(struct forwarder *f)
{
    size_t cursor = 0;
    struct participant *p;

    while ((p = map_next(&f->participants, &cursor)))
        connection_close(&p->connection);
    remove_all(f);
    core_post_participant(&f->core, MAIL_STOPPED, 0);
}

void forwarder_mail(struct forwarder *f, struct mail *mail, int64_t now_us)
{
    begin_turn(f, now_us);
    switch ((enum mail_type)mail->type) {
    case MAIL_JOIN:
        on_join(f, (struct mail_join *)mail);
        break;
    case MAIL_UPDATE:
        on_update(f, (struct mail_join *)mail);
        break;
    case MAIL_MUTE:
        on_mute(f, (const struct mail_mute *)mail);
        break;
    case MAIL_CAP:
        on_cap(f, (const struct mail_cap *)mail);
        break;
    case MAIL_REFRESH:
        on_refresh(f, ((const struct mail_participant *)mail)->participant, now_us);
        break;
    case MAIL_LEAVE:
        on_leave(f, ((const struct mail_participant *)mail)->participant);
        break;
    case MAIL_STOP:
        on_stop(f);
        break;
    case MAIL_PUBLISHER:
        on_publisher(f, (struct mail_join *)mail);
        break;
    case MAIL_UNPUBLISH:
        on_unpublish(f, ((const struct mail_participant *)mail)->participant);
        break;
    case MAIL_CLOSE_ROOM:
        on_close_room(f, ((const struct mail_room *)mail)->room);
        break;
    case MAIL_RELAY_START:
    case MAIL_RELAY_STOP:
    case MAIL_RELAY_LISTEN:
    case MAIL_RELAY_IGNORE:
    case MAIL_RELAY_KEY_FRAME:
        on_relay(f, (const struct mail_relay *)mail);
        break;
    case MAIL_RELAY_BATCH:
        on_batch(f, (const struct relay_batch *)mail);
        break;
    case MAIL_VIEW:
        on_wish(f, ((const struct mail_view *)mail)->participant, mail);
        break;
    case MAIL_SUBSCRIBE:
        on_wish(f, ((const struct mail_subscribe *)mail)->participant, mail);
        break;
    case MAIL_STATE:
    case MAIL_SLOTS:
    case MAIL_NEED:
    case MAIL_SPEAKERS:
    case MAIL_STREAM:
    case MAIL_WANT:
    case MAIL_QUALITY:
    case MAIL_GONE:
    case MAIL_STOPPED:
        break; /* ours to send */
    }
    mail_free(mail);
}

/* ------------------------------------------------------------------ time */

static void end_participant(struct forwarder *f, struct participant *p)
{
    f->core.stats.failed += p->connection.end == PEER_FAILED;
    core_post_state(&f->core, p->id, p->connection.end, p->connection.reason);
    remove_participant(f, p);
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

    begin_turn(f, now_us);
    while ((due = deadline_heap_take_due(&f->core.deadlines, now_us)))
        core_touch(&f->core, CONTAINER_OF(due, struct actor, timer));
    settle(f);
    return forwarder_deadline(f);
}

int64_t forwarder_deadline(const struct forwarder *f)
{
    int64_t next_us = deadline_heap_next_us(&f->core.deadlines);
    int64_t send_us = egress_deadline(f->core.egress);

    return send_us < next_us ? send_us : next_us;
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
    const struct participant *p = find_participant(f, participant);

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
