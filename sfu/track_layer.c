#include "sfu/track_layer.h"

#include "media/dd_history.h"
#include "media/nack_generator.h"
#include "media/packet.h"
#include "media/seq.h"
#include "sfu/forward.h"

#include <errno.h>
#include <stdlib.h>

/* Packets that overtake each other on the way are up to this late, until it is measured. */
static const int64_t REORDER_US = 10 * MS;

enum { FAR = 8192 }; /* numbers so far from the newest begin a new stream */

int track_layer_new(struct track_layer **ret, enum media_kind kind, enum codec codec, bool repairs,
                    uint32_t ssrc)
{
    struct track_layer *l = calloc(1, sizeof(*l));
    int err;

    if (!l)
        return -ENOMEM;
    l->kind = kind;
    err = packet_store_init(&l->store,
                            kind == KIND_VIDEO ? PACKET_STORE_VIDEO : PACKET_STORE_AUDIO);
    if (err < 0)
        goto fail;
    if (kind == KIND_VIDEO) {
        l->rates = malloc(sizeof(*l->rates));
        if (!l->rates) {
            err = -ENOMEM;
            goto fail;
        }
        rate_meter_init(l->rates);
    }
    if (repairs) {
        l->nack = malloc(sizeof(*l->nack));
        if (!l->nack) {
            err = -ENOMEM;
            goto fail;
        }
        nack_generator_init(l->nack, REORDER_US);
    }
    stream_receiver_init(&l->receiver, ssrc, codec_info(codec)->clock_rate);
    key_frame_request_init(&l->key_frame, KEY_FRAME_INTERVAL_US);
    *ret = l;
    return 0;
fail:
    track_layer_free(l);
    return err;
}

struct track_layer *track_layer_free(struct track_layer *l)
{
    if (!l)
        return NULL;
    packet_store_done(&l->store);
    free(l->nack);
    free(l->rates);
    free(l->dd);
    free(l);
    return NULL;
}

/* Forget the stream, as another one takes its place. */
static void restart(struct track_layer *l, uint32_t ssrc)
{
    stream_receiver_init(&l->receiver, ssrc, l->receiver.clock_rate);
    packet_store_expire(&l->store, NEVER_US);
    if (l->nack)
        nack_generator_init(l->nack, REORDER_US);
    l->has_key_frame = false;
    l->n_spatial = l->n_temporal = 0;
    if (l->dd)
        dd_history_clear(l->dd);
}

static bool is_far(const struct track_layer *l, uint16_t seq)
{
    int64_t distance;

    if (!l->receiver.started)
        return false;
    distance = seq_unwrap(l->receiver.highest, seq) - l->receiver.highest;
    return distance > FAR || distance < -FAR;
}

/* @return true if the packet is the newest */
static bool count(struct track_layer *l, const struct packet *packet, bool recovered,
                  int64_t now_us)
{
    struct stream_receiver *r = &l->receiver;
    const struct rtp_header *rtp = &packet->rtp;
    int64_t highest = r->started ? r->highest : -1;

    if (recovered && r->started && seq_unwrap(highest, rtp->seq) <= highest) {
        stream_receiver_on_recovered(r);
        return false;
    }
    return stream_receiver_on_packet(r, rtp->seq, rtp->ts, rtp->payload_len, now_us) > highest;
}

enum arrival track_layer_receive(struct track_layer *l, struct packet *packet, bool recovered,
                                 bool keep, int64_t now_us)
{
    const struct rtp_header *rtp = &packet->rtp;
    enum arrival arrival = ARRIVAL_LATE;
    int fresh = 1;

    if (rtp->ssrc != l->receiver.ssrc) {
        if (l->receiver.started && now_us - l->newest_us < TRACK_LAYER_TAKEOVER_US)
            return ARRIVAL_STRANGER;
        restart(l, rtp->ssrc);
        arrival = ARRIVAL_RESTART;
    } else if (is_far(l, rtp->seq)) {
        if (recovered)
            return ARRIVAL_DUPLICATE;
        restart(l, rtp->ssrc);
        arrival = ARRIVAL_RESTART;
    }
    if (l->nack && recovered)
        fresh = nack_generator_on_repair(l->nack, rtp->seq, now_us);
    else if (l->nack)
        fresh = nack_generator_on_packet(l->nack, rtp->seq, now_us);
    if (fresh == 0 || packet_store_get(&l->store, rtp->seq))
        return ARRIVAL_DUPLICATE;
    if (fresh == -ERANGE && l->kind == KIND_VIDEO)
        key_frame_request_want(&l->key_frame);
    if (keep && packet_store_put(&l->store, packet) < 0)
        return ARRIVAL_DUPLICATE;
    l->newest_us = now_us;
    l->ended = false;
    if (count(l, packet, recovered, now_us) && arrival != ARRIVAL_RESTART)
        arrival = ARRIVAL_NEWEST;
    return arrival;
}

void track_layer_read_frame(struct track_layer *l, enum codec codec, struct forward *f)
{
    const struct rtp_header *rtp = &f->packet->rtp;
    struct frame_packet from = {
        .codec = codec,
        .marker = rtp->marker,
        .payload = f->packet->data + rtp->header_len,
        .len = rtp->payload_len,
    };

    if (f->n_extensions > 0 && f->extensions[0].kind == EXTENSION_DEPENDENCY_DESCRIPTOR) {
        from.at = (struct dd_place){
            .seq = seq_unwrap(l->receiver.highest, rtp->seq),
            .ts = rtp->ts,
        };
        from.descriptor = f->extensions[0].value;
        from.descriptor_len = f->extensions[0].len;
        /* Of most codecs there never is one. Without memory its packets stay undecided. */
        if (!l->dd && dd_has_structure(from.descriptor, from.descriptor_len))
            l->dd = calloc(1, sizeof(*l->dd));
    }
    frame_info_read(&f->frame, &from, l->dd);
}

void track_layer_note_key_frame(struct track_layer *l, const struct packet *packet)
{
    int64_t seq = seq_unwrap(l->receiver.highest, packet->rtp.seq);
    bool same = l->has_key_frame && packet->rtp.ts == l->key_frame_ts;

    key_frame_request_on_key_frame(&l->key_frame);
    /* Parameter sets begin a key frame of H.264 and H.265, and so does its first slice. */
    if (l->has_key_frame && same == (seq >= l->key_frame_seq))
        return;
    l->has_key_frame = true;
    l->key_frame_seq = seq;
    l->key_frame_ts = packet->rtp.ts;
    l->key_frame_us = packet->arrival_us;
}

static uint8_t larger(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

bool track_layer_note_frame(struct track_layer *l, const struct frame_info *frame,
                            const struct packet *packet)
{
    uint8_t n_spatial = l->n_spatial;
    uint8_t n_temporal = l->n_temporal;

    if (packet->arrival_us >= l->rates->end_us)
        l->fps = (uint8_t)rate_meter_pictures(l->rates);
    rate_meter_count(l->rates, frame->sid, frame->tid, packet->len, packet->rtp.marker,
                     packet->arrival_us);
    l->n_temporal = larger(l->n_temporal, (uint8_t)(frame->tid + 1));
    l->n_spatial = larger(l->n_spatial, larger(frame->n_spatial, (uint8_t)(frame->sid + 1)));
    if (UNLIKELY(frame->n_spatial && frame->key))
        l->n_spatial = frame->n_spatial; /* it may have become fewer */
    if (UNLIKELY(frame->width)) {
        l->width = frame->width;
        l->height = frame->height;
    }
    return l->n_spatial != n_spatial || l->n_temporal != n_temporal;
}

uint32_t track_layer_rate(const struct track_layer *l, uint8_t sid, uint8_t tid)
{
    return l->rates ? rate_meter_rate(l->rates, sid, tid) : 0;
}

bool track_layer_take_lost(struct track_layer *l)
{
    uint16_t newest;

    if (!l->nack || !nack_generator_take_lost(l->nack, &newest) || l->kind != KIND_VIDEO)
        return false;
    return !l->has_key_frame || seq_unwrap(l->receiver.highest, newest) >= l->key_frame_seq;
}

bool track_layer_flows(const struct track_layer *l, int64_t now_us)
{
    return l->receiver.started && now_us - l->newest_us < TRACK_LAYER_SILENT_US;
}

void track_layer_expire(struct track_layer *l, int64_t keep_us, int64_t now_us)
{
    packet_store_expire(&l->store, now_us - keep_us);
}
