/* What control and the other workers ask of a forwarder. */

#include "sfu/forwarder_internal.h"

#include "sfu/mail.h"
#include "sfu/participant.h"
#include "sfu/participant_layers.h"
#include "sfu/participant_refresh.h"
#include "sfu/relay_batch.h"
#include "sfu/relay_in.h"
#include "sfu/relay_out.h"
#include "sfu/room.h"
#include "sfu/track_relay.h"

#include <errno.h>

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

static int join(struct forwarder *f, struct mail_join *mail)
{
    struct room *room;
    struct participant *p;
    int err;

    if (map_count(&f->participants) >= f->core.config.limits.max_participants ||
        forwarder_pool_is_low(f))
        return -EUSERS;
    if (!mail->plan || forwarder_participant(f, mail->participant))
        return -EINVAL;
    room = find_or_make_room(f, mail->room);
    if (!room)
        return -ENOMEM;
    err = participant_new(&p, &f->core, room, mail, f->now_us);
    if (err < 0) {
        forwarder_free_if_empty(f, room);
        return err;
    }
    err = map_put(&f->participants, &p->id, sizeof(p->id), p);
    if (err < 0) {
        participant_free(p);
        forwarder_free_if_empty(f, room);
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
    struct participant *p = forwarder_participant(f, mail->participant);
    int err;

    if (!p || !mail->plan)
        return;
    err = participant_update(p, mail, f->now_us);
    if (err == 0)
        return;
    connection_close(&p->connection);
    forwarder_remove_participant(f, p);
    fail(f, mail->participant, err);
}

static void on_leave(struct forwarder *f, uint32_t id)
{
    struct participant *p = forwarder_participant(f, id);

    if (p) {
        connection_close(&p->connection);
        forwarder_remove_participant(f, p);
    }
    core_post_participant(&f->core, MAIL_GONE, id);
}

static void on_refresh(struct forwarder *f, uint32_t id, int64_t now_us)
{
    struct participant *p = forwarder_participant(f, id);

    if (p)
        participant_refresh(p, now_us);
}

static void on_mute(struct forwarder *f, const struct mail_mute *mail)
{
    struct participant *p = forwarder_participant(f, mail->participant);
    struct relay_in *r = forwarder_relay(f, mail->participant);

    if (p)
        track_set_mute(&p->tracks, mail->track, mail->muted);
    if (r)
        track_set_mute(&r->tracks, mail->track, mail->muted);
}

/* Nobody but the publisher's own worker tells it. */
static void on_cap(struct forwarder *f, const struct mail_cap *mail)
{
    struct participant *p = forwarder_participant(f, mail->participant);

    if (p)
        track_set_cap(&p->tracks, mail->track, mail->max_bps);
}

static void on_wish(struct forwarder *f, const struct mail *mail)
{
    const struct mail_participant *who = (const struct mail_participant *)mail;
    struct participant *p = forwarder_participant(f, who->participant);

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
        forwarder_free_if_empty(f, room);
        return err;
    }
    err = map_put(&f->relays, &mail->participant, sizeof(mail->participant), r);
    if (err < 0) {
        relay_in_free(r);
        forwarder_free_if_empty(f, room);
    }
    return err;
}

static void on_publisher(struct forwarder *f, struct mail_join *mail)
{
    struct relay_in *r = forwarder_relay(f, mail->participant);
    int err;

    if (!mail->plan || forwarder_participant(f, mail->participant) ||
        mail->worker >= RELAY_MAX_WORKERS)
        return;
    err = r ? relay_in_update(r, mail) : add_relay(f, mail);
    if (err < 0)
        f->core.stats.drop_memory++; /* the publisher's next change tries again */
}

static void on_unpublish(struct forwarder *f, uint32_t participant)
{
    struct relay_in *r = forwarder_relay(f, participant);

    if (r)
        forwarder_remove_relay(f, r);
}

static void on_close_room(struct forwarder *f, uint32_t id)
{
    struct room *room;

    /* The room may go with the last of them. */
    while ((room = map_get(&f->rooms, &id, sizeof(id))) && !list_empty(&room->relays)) {
        struct relay_in *r = CONTAINER_OF(room->relays.next, struct relay_in, room_link);

        relay_in_withdraw(r);
        forwarder_remove_relay(f, r);
    }
}

/* Another worker wants something of a track that is published here. */
static void on_relay(struct forwarder *f, const struct mail_relay *mail)
{
    struct participant *p = forwarder_participant(f, mail->participant);
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
            r = forwarder_relay(f, record->participant);
        if (r)
            relay_in_receive(r, record, f->now_us);
        else
            f->core.stats.drop_unasked++;
        f->n_taken++;
    }
    track_fan_out_all(&f->core);
    if (f->n_taken >= FORWARDER_TURN_PACKETS)
        forwarder_flush(f);
}

static void on_stop(struct forwarder *f)
{
    size_t cursor = 0;
    struct participant *p;

    while ((p = map_next(&f->participants, &cursor)))
        connection_close(&p->connection);
    forwarder_remove_all(f);
    core_post_participant(&f->core, MAIL_STOPPED, 0);
}

static void on_plan(struct forwarder *f, struct mail_join *mail)
{
    if (mail->mail.type == MAIL_JOIN)
        on_join(f, mail);
    else
        on_update(f, mail);
}

/* About a room that is on other workers, too. */
static void on_spread(struct forwarder *f, struct mail *mail)
{
    if (mail->type == MAIL_PUBLISHER)
        on_publisher(f, (struct mail_join *)mail);
    else if (mail->type == MAIL_UNPUBLISH)
        on_unpublish(f, ((const struct mail_participant *)mail)->participant);
    else if (mail->type == MAIL_CLOSE_ROOM)
        on_close_room(f, ((const struct mail_room *)mail)->room);
    else if (mail->type == MAIL_RELAY_BATCH)
        on_batch(f, (const struct relay_batch *)mail);
    else
        on_relay(f, (const struct mail_relay *)mail);
}

void forwarder_mail(struct forwarder *f, struct mail *mail, int64_t now_us)
{
    forwarder_begin_turn(f, now_us);
    switch ((enum mail_type)mail->type) {
    case MAIL_JOIN:
    case MAIL_UPDATE:
        on_plan(f, (struct mail_join *)mail);
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
    case MAIL_PING:
        core_post_participant(&f->core, MAIL_PONG, 0);
        break;
    case MAIL_PUBLISHER:
    case MAIL_UNPUBLISH:
    case MAIL_CLOSE_ROOM:
    case MAIL_RELAY_START:
    case MAIL_RELAY_STOP:
    case MAIL_RELAY_LISTEN:
    case MAIL_RELAY_IGNORE:
    case MAIL_RELAY_KEY_FRAME:
    case MAIL_RELAY_BATCH:
        on_spread(f, mail);
        break;
    case MAIL_VIEW:
    case MAIL_SUBSCRIBE:
        on_wish(f, mail);
        break;
    case MAIL_PROBE:
        mapping_start(&f->mapping, (const struct mail_probe *)mail, now_us);
        break;
    case MAIL_MAPPED:
    case MAIL_PONG:
    case MAIL_STATE:
    case MAIL_SLOTS:
    case MAIL_NEED:
    case MAIL_SPEAKERS:
    case MAIL_STREAM:
    case MAIL_WANT:
    case MAIL_QUALITY:
    case MAIL_GONE:
    case MAIL_AGENT:
    case MAIL_STOPPED:
    case MAIL_TCP:
        break; /* ours to send, or the worker's own */
    }
    mail_free(mail);
}
