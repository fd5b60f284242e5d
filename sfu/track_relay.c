#include "sfu/track_relay.h"

#include "media/speaker_detector.h"
#include "sfu/core.h"
#include "sfu/relay_out.h"
#include "sfu/track.h"
#include "sfu/track_audio.h"
#include "sfu/track_layer.h"

#include <string.h>

/* Another worker's wish for a track that begins to speak takes no longer. */
static const int64_t BEGINNING_US = 200 * MS;

static uint64_t set_of(uint32_t worker)
{
    return UINT64_C(1) << worker;
}

static struct relay_source source_of(const struct track *t, uint32_t worker, uint8_t layer)
{
    return (struct relay_source){
        .workers = set_of(worker),
        .participant = t->participant,
        .track = t->id,
        .layer = layer,
    };
}

static void send_clocks(struct track *t, uint32_t worker)
{
    for (uint32_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        struct relay_source source = source_of(t, worker, (uint8_t)i);
        const struct stream_receiver *r = t->layers[i] ? &t->layers[i]->receiver : NULL;
        struct rtcp_sender_info report;

        if (!r || !r->sr_ntp)
            continue;
        report = (struct rtcp_sender_info){
            .ssrc = r->ssrc, .ntp = r->sr_ntp, .rtp_ts = r->sr_rtp_ts};
        relay_out_report(t->core->relay_out, &source, &report, r->sr_arrival_us);
    }
}

static void send_burst(struct track *t, uint32_t worker, const struct track_layer *layer)
{
    struct relay_source source = source_of(t, worker, track_layer_index(t, layer));

    for (int64_t seq = layer->key_frame_seq; seq <= layer->receiver.highest; seq++)
        relay_out_packet(t->core->relay_out, &source,
                         packet_store_get(&layer->store, (uint16_t)seq), false);
}

/* Who wants it does so for what it began to say. */
static void send_beginning(struct track *t, uint32_t worker, int64_t now_us)
{
    struct relay_source source = source_of(t, worker, 0);
    const struct speaker *s = t->speaker;
    uint16_t seq;

    if (!s || !t->layers[0] || s->state == SPEAKER_QUIET || now_us - s->began_us > BEGINNING_US)
        return;
    seq = track_audio_since(t, now_us - s->began_us + TRACK_PRE_ROLL_US);
    for (; seq != (uint16_t)(t->layers[0]->receiver.highest + 1); seq++) {
        const struct packet *packet = packet_store_get(&t->layers[0]->store, seq);

        if (packet)
            relay_out_packet(t->core->relay_out, &source, packet, false);
    }
}

void track_relay_aim(struct track *t)
{
    memset(t->relay_gets, 0, sizeof(t->relay_gets));
    for (uint32_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        const struct track_layer *layer = t->relay_wants[i] ? track_aim(t, (uint8_t)i) : NULL;
        uint8_t at = layer ? track_layer_index(t, layer) : (uint8_t)i;

        t->relay_gets[at] |= t->relay_wants[i];
        t->relay_gets[i] |= t->relay_wants[i]; /* in case it begins */
    }
}

static void set_wants(struct track *t, uint32_t worker, uint8_t layers)
{
    for (uint32_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        t->relay_wants[i] &= ~set_of(worker);
        if (layers >> i & 1)
            t->relay_wants[i] |= set_of(worker);
    }
    track_relay_aim(t);
    track_note_wishes(t);
}

/* @return the highest layer that is sent to `worker` and flows, or NULL */
static struct track_layer *find_best(const struct track *t, uint32_t worker)
{
    struct track_layer *best = NULL;

    for (uint32_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        if (t->relay_gets[i] & set_of(worker) && t->flowing >> i & 1)
            best = t->layers[i];
    }
    return best;
}

void track_relay_start(struct track *t, uint32_t worker, uint8_t layers, int64_t now_us)
{
    bool known = t->relay_to & set_of(worker);
    struct track_layer *best;

    t->relay_to |= set_of(worker);
    set_wants(t, worker, layers);
    if (known)
        return; /* for key frames of other layers it asks */
    send_clocks(t, worker);
    best = find_best(t, worker);
    if (t->muted || !best)
        return;
    if (t->kind == KIND_AUDIO)
        send_beginning(t, worker, now_us);
    if (track_has_burst(t, best, TRACK_YOUNG_US, now_us))
        send_burst(t, worker, best);
    else
        track_want_key_frame(t, best);
}

void track_relay_key_frame(struct track *t, uint32_t worker, uint8_t at, bool any, int64_t now_us)
{
    struct track_layer *layer = t->layers[at];

    if (!layer || !(t->relay_to & set_of(worker)))
        return;
    track_want_key_frame(t, layer);
    if (any && !t->muted && track_has_burst(t, layer, TRACK_LAYER_KEEP_US, now_us))
        send_burst(t, worker, layer);
}

void track_relay_listen(struct track *t, uint32_t worker, bool listens)
{
    if (listens)
        t->levels_to |= set_of(worker);
    else
        t->levels_to &= ~set_of(worker);
}

void track_relay_stop(struct track *t, uint32_t worker)
{
    t->relay_to &= ~set_of(worker);
    set_wants(t, worker, 0);
}
