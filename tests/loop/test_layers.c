/* One subscription, encoders of every kind, and a reference decoder: whatever targets are set, what
 * is lost and sent again, however tracks are bound, everything that goes out can be decoded. */
#include "bench/netem.h"
#include "media/base/clock.h"
#include "media/packet.h"
#include "media/rtx.h"
#include "media/seal.h"
#include "media/seq.h"
#include "media/srtp.h"
#include "media/udp_socket.h"
#include "sfu/core.h"
#include "sfu/subscription.h"
#include "sfu/track.h"
#include "tests/fake_decoder.h"
#include "tests/fake_video.h"
#include "tests/tap.h"

#include <stdlib.h>

enum {
    SEEDS = 20,
    TRACKS = 2,
    RATE = 90000,
    PT = 96,
    RTX_PT = 97,
    SLOT_SSRC = 0x2222,
    SLOT_RTX = 0x3333,
    DD_ID = 5,
    MAX_FLYING = 1024,
    MAX_OUT = 1 << 15,
    CSRC = 77,
};

static const int64_t START_US = 1000 * SECOND;
static const int64_t FRAME_US = 33333;
static const int64_t RUN_US = 20 * SECOND;
static const int64_t SETTLE_US = 4 * SECOND;

/** What is encoded and what goes wrong. */
struct kind {
    enum codec codec;
    enum fake_video_mode mode;
    uint8_t n_layers, n_spatial, n_temporal;
    bool descriptor, structure;
    bool perfect; /* nothing is lost, no other track is bound: then no picture may be cut short */
};

struct flying {
    int64_t due_us;
    uint8_t track, layer;
    struct packet *packet;
};

struct encoding {
    struct fake_video video;
    uint32_t ssrc, base_ts;
    uint16_t seq;
    bool key_wanted, off;
};

struct world {
    struct kind kind;
    uint64_t random;
    int64_t now_us;
    struct core core;
    struct actor publisher, watcher;
    struct plan_section published, slot;
    struct track *tracks[TRACKS];
    struct encoding encodings[TRACKS][PLAN_MAX_LAYERS];
    size_t n_flying;
    struct flying flying[MAX_FLYING];
    uint8_t sending_track, sending_layer;
    uint32_t sending_part;
    struct egress_peer peer;
    struct subscriber subscriber;
    struct subscription *subscription;
    struct seal_session *seal;
    struct srtp_session *open;
    uint32_t bound;
    bool loses;
    /* what came out, by number */
    int64_t first, newest;
    int64_t bound_newest; /* when another track was bound last */
    struct fake_decoder_packet *out;
    int64_t asked_us[MAX_OUT];
    struct fake_decoder decoder;
};

static uint64_t draw(struct world *w, uint64_t n)
{
    return netem_random(&w->random) % n;
}

/* ------------------------------------------------------------------ what comes out */

static void keep(struct world *w, const uint8_t *data, const struct rtp_header *h, uint16_t seq,
                 size_t skip)
{
    const struct rtp_extension *e = rtp_find_extension(h, DD_ID);
    struct fake_decoder_packet *p;
    int64_t at;

    if (w->first < 0)
        w->first = w->newest = SEQ_FIRST_CYCLE + seq;
    at = seq_unwrap(w->newest, seq);
    w->newest = at > w->newest ? at : w->newest;
    CHECK(at >= w->first && at - w->first < MAX_OUT);
    p = &w->out[at - w->first];
    CHECK(!p->there || skip > 0); /* for a PLI a key frame may be sent again */
    if (p->there)
        return;
    p->there = true;
    p->marker = h->marker;
    p->ts = h->ts;
    p->len = h->payload_len - skip;
    CHECK(p->len <= sizeof(p->payload));
    memcpy(p->payload, data + h->header_len + skip, p->len);
    p->descriptor_len = e ? e->len : 0;
    if (e)
        memcpy(p->descriptor, data + e->offset, e->len);
}

static void on_send(void *owner, const struct datagram *datagrams, size_t n)
{
    struct world *w = owner;

    for (size_t i = 0; i < n; i++) {
        uint8_t data[PACKET_CAPACITY];
        size_t len = datagrams[i].len;
        struct rtp_header h;
        bool rtx;

        memcpy(data, datagrams[i].data, len);
        CHECK_EQ(srtp_session_unprotect_rtp(w->open, data, &len), 0);
        CHECK_EQ(rtp_parse(&h, data, len), 0);
        rtx = h.ssrc == SLOT_RTX;
        CHECK(rtx || h.ssrc == SLOT_SSRC);
        CHECK_EQ(h.pt, rtx ? RTX_PT : PT);
        if (w->loses && draw(w, 20) == 0)
            continue;
        if (!rtx) {
            keep(w, data, &h, h.seq, 0);
            continue;
        }
        keep(w, data, &h, (uint16_t)(data[h.header_len] << 8 | data[h.header_len + 1]),
             RTX_LEAD_LEN);
    }
}

/* Ask again for what is missing, in time: what was sent before a switch is known for a second. */
static void ask_again(struct world *w)
{
    for (int64_t i = 0; w->first >= 0 && i < w->newest - w->first; i++) {
        if (w->out[i].there || w->now_us - w->asked_us[i] < 100 * MS)
            continue;
        w->asked_us[i] = w->now_us;
        (void)subscription_resend(w->subscription, (uint16_t)(w->first + i), w->now_us);
    }
}

/* ------------------------------------------------------------------ what goes in */

static void fly(struct world *w, struct packet *packet, int64_t due_us)
{
    size_t at = w->n_flying++;

    CHECK(w->n_flying < MAX_FLYING);
    for (; at > 0 && w->flying[at - 1].due_us > due_us; at--)
        w->flying[at] = w->flying[at - 1];
    w->flying[at] = (struct flying){
        .due_us = due_us,
        .track = w->sending_track,
        .layer = w->sending_layer,
        .packet = packet,
    };
}

static void on_packet(void *owner, const struct fake_video_packet *packet)
{
    struct world *w = owner;
    struct encoding *e = &w->encodings[w->sending_track][w->sending_layer];
    struct rtp_extension_value extension = {
        .id = DD_ID, .len = (uint8_t)packet->descriptor_len, .value = packet->descriptor};
    struct rtp_write h = {
        .marker = packet->marker,
        .pt = PT,
        .seq = e->seq++,
        .ts = e->base_ts + (uint32_t)((w->now_us - START_US) * RATE / SECOND),
        .ssrc = e->ssrc,
        .n_extensions = packet->descriptor_len > 0,
        .extensions = &extension,
    };
    struct packet *p = packet_new(w->core.pool);
    int64_t due_us = w->now_us + 10 * MS + w->sending_layer * 300;
    int head_len;

    CHECK(p != NULL);
    head_len = rtp_write_header(p->data, sizeof(p->data), &h);
    CHECK(head_len > 0);
    memcpy(p->data + head_len, packet->payload, packet->len);
    p->len = (uint16_t)((size_t)head_len + packet->len);
    CHECK_EQ(rtp_parse(&p->rtp, p->data, p->len), 0);
    due_us += w->sending_part++ * 1700; /* pictures of several encodings come at a time */
    if (w->loses && draw(w, 30) == 0)
        due_us += 30 * MS + (int64_t)draw(w, 60) * MS; /* lost, and sent again */
    fly(w, p, due_us);
}

static void arrive(struct world *w)
{
    size_t n = 0;

    for (; n < w->n_flying && w->flying[n].due_us <= w->now_us; n++) {
        struct flying *f = &w->flying[n];

        f->packet->arrival_us = w->now_us;
        track_receive(w->tracks[f->track], f->layer, TRACK_PLAIN, f->packet, w->now_us);
        packet_unref(f->packet);
    }
    w->n_flying -= n;
    memmove(w->flying, w->flying + n, w->n_flying * sizeof(w->flying[0]));
    track_fan_out_all(&w->core);
}

static void encode(struct world *w, uint8_t track, uint8_t layer)
{
    struct encoding *e = &w->encodings[track][layer];

    if (e->off)
        return;
    w->sending_track = track;
    w->sending_layer = layer;
    w->sending_part = 0;
    fake_video_encode(&e->video, e->key_wanted, w->now_us, on_packet, w);
    e->key_wanted = false;
}

static void report(struct world *w)
{
    for (unsigned t = 0; t < TRACKS; t++) {
        for (uint8_t i = 0; i < w->kind.n_layers; i++) {
            const struct encoding *e = &w->encodings[t][i];
            int64_t us = w->now_us - START_US;
            struct rtcp_sender_info info = {
                .ssrc = e->ssrc,
                .ntp = (UINT64_C(3900000000) << 32) + ((uint64_t)us << 32) / SECOND,
                .rtp_ts = e->base_ts + (uint32_t)(us * RATE / SECOND),
            };

            track_receive_report(w->tracks[t], i, &info, w->now_us);
        }
    }
}

static void look_after(struct world *w)
{
    for (unsigned t = 0; t < TRACKS; t++) {
        struct track *track = w->tracks[t];

        (void)track_update_wishes(track);
        track_serve_fresh(track, w->now_us);
        for (uint8_t i = 0; i < w->kind.n_layers; i++) {
            if (track->layers[i] && key_frame_request_poll(&track->layers[i]->key_frame, w->now_us))
                w->encodings[t][i].key_wanted = true;
        }
    }
    list_unlink(&w->publisher.touched_link);
    list_unlink(&w->watcher.touched_link);
}

static void each_second(struct world *w)
{
    report(w);
    for (unsigned t = 0; t < TRACKS; t++) {
        track_choose_layer(w->tracks[t], w->now_us);
        track_serve_waiting(w->tracks[t], w->now_us);
        track_expire(w->tracks[t], TRACK_LAYER_KEEP_US, w->now_us);
    }
}

static void encode_all(struct world *w)
{
    for (unsigned t = 0; t < TRACKS; t++) {
        for (uint8_t i = 0; i < w->kind.n_layers; i++)
            encode(w, (uint8_t)t, i);
    }
}

static void pass(struct world *w, int64_t us)
{
    int64_t until_us = w->now_us + us;

    for (; w->now_us < until_us; w->now_us += 1 * MS) {
        int64_t since_us = w->now_us - START_US;

        if (since_us / FRAME_US != (since_us - 1 * MS) / FRAME_US || since_us == 0)
            encode_all(w);
        if (since_us % (20 * MS) == 0)
            ask_again(w);
        arrive(w);
        look_after(w);
        if (since_us % SECOND == 0)
            each_second(w);
        egress_flush(w->core.egress);
    }
}

/* ------------------------------------------------------------------ beginning and end */

static void make_keys(struct world *w)
{
    struct srtp_keys keys = {.profile = SRTP_AEAD_AES_128_GCM, .key_len = 16, .salt_len = 12};
    static bool done;

    CHECK(done || srtp_global_init() == 0);
    done = true;
    memset(keys.local, 1, sizeof(keys.local));
    memset(keys.remote, 1, sizeof(keys.remote));
    CHECK_EQ(seal_session_new(&w->seal, &keys), 0);
    CHECK_EQ(srtp_session_new(&w->open, &keys), 0);
}

static struct plan_section make_section(const struct kind *kind)
{
    struct plan_section section = {
        .kind = KIND_VIDEO,
        .mid = "m",
        .n_codecs = 1,
        .codecs = {{.codec = kind->codec, .pt = PT, .rtx_pt = RTX_PT, .nack = true, .pli = true}},
        .n_layers = kind->n_layers,
        .ssrc = SLOT_SSRC,
        .rtx_ssrc = SLOT_RTX,
    };

    if (kind->descriptor)
        section.extensions.id[EXTENSION_DEPENDENCY_DESCRIPTOR] = DD_ID;
    return section;
}

static void make_encodings(struct world *w)
{
    const struct kind *kind = &w->kind;

    for (unsigned t = 0; t < TRACKS; t++) {
        for (uint8_t i = 0; i < kind->n_layers; i++) {
            struct encoding *e = &w->encodings[t][i];
            struct fake_video_config config = {
                .codec = kind->codec,
                .mode = kind->mode,
                .n_spatial = kind->n_spatial,
                .n_temporal = kind->n_temporal,
                .descriptor = kind->descriptor,
                .structure = kind->structure,
                .source = (uint8_t)(t * PLAN_MAX_LAYERS + i),
                .seed = netem_random(&w->random),
            };

            fake_video_init(&e->video, &config);
            e->ssrc = 100U + t * 10U + i;
            e->base_ts = (uint32_t)netem_random(&w->random);
            e->seq = (uint16_t)netem_random(&w->random);
            w->decoder.publisher_of[config.source] = (uint8_t)t;
        }
    }
}

static struct world *world_new(const struct kind *kind, uint64_t seed)
{
    struct world *w = calloc(1, sizeof(*w));

    CHECK(w != NULL);
    w->out = calloc(MAX_OUT, sizeof(*w->out));
    CHECK(w->out != NULL);
    w->kind = *kind;
    w->random = seed;
    w->now_us = START_US;
    w->first = w->bound_newest = -1;
    w->decoder.codec = kind->codec;
    w->decoder.descriptor = kind->descriptor;
    w->decoder.structure = kind->structure;
    w->decoder.tolerance_us = 140 * MS;
    make_keys(w);
    w->published = make_section(kind);
    w->slot = make_section(kind);
    list_init(&w->core.touched);
    list_init(&w->core.waiting_tracks);
    w->core.pool = packet_pool_new(16384);
    w->core.egress = egress_new(on_send, w);
    CHECK(w->core.pool && w->core.egress);
    egress_peer_init(&w->peer);
    w->peer.session = w->seal;
    w->peer.to.ss_family = AF_INET;
    w->subscriber = (struct subscriber){
        .core = &w->core,
        .peer = &w->peer,
        .actor = &w->watcher,
        .rtt_us = 20 * MS,
        .connected = true,
    };
    for (unsigned t = 0; t < TRACKS; t++) {
        w->tracks[t] = track_new(&w->core, &w->publisher, 5U + t, CSRC + t, &w->published,
                                 &w->slot.extensions);
        CHECK(w->tracks[t] != NULL);
    }
    make_encodings(w);
    w->subscription = subscription_new(&w->subscriber, &w->slot);
    CHECK(w->subscription != NULL);
    subscription_bind(w->subscription, w->tracks[0]);
    return w;
}

static void world_free(struct world *w)
{
    for (size_t i = 0; i < w->n_flying; i++)
        packet_unref(w->flying[i].packet);
    subscription_free(w->subscription);
    for (unsigned t = 0; t < TRACKS; t++)
        track_free(w->tracks[t]);
    egress_free(w->core.egress);
    CHECK_EQ(packet_pool_used(w->core.pool), 0);
    packet_pool_free(w->core.pool);
    seal_session_free(w->seal);
    srtp_session_free(w->open);
    free(w->subscriber.responder);
    free(w->out);
    free(w);
}

/* What came around the place where something is wrong. */
static void show(const struct world *w, size_t around)
{
    for (size_t i = around > 6 ? around - 6 : 0; i < around + 6 && i < MAX_OUT; i++) {
        const struct fake_decoder_packet *p = &w->out[i];
        struct fake_frame f = {0};
        size_t skip = 0;

        while (p->there && skip < 20 && fake_frame_read(&f, p->payload, p->len, skip) < 0)
            skip++;
        printf(
            "# %zu there %d len %zu ts %u marker %d: source %u frame %u part %u/%u sid %u tid %u "
            "key %d number %u\n",
            i, p->there, p->len, p->ts, p->marker, f.source, f.number, f.part, f.n_parts, f.sid,
            f.tid, f.key, p->descriptor[1] << 8 | p->descriptor[2]);
    }
}

static void decode_all(struct world *w)
{
    struct fake_decoder *d = &w->decoder;

    for (int64_t i = 0; i <= w->newest - w->first; i++)
        fake_decoder_take(d, &w->out[i], (size_t)i);
    if (!d->problem)
        return;
    printf("# at %zu of %" PRId64 ": %s (source %u frame %u sid %u tid %u key %d)\n", d->problem_at,
           w->newest - w->first, d->problem, d->frame.source, d->frame.number, d->frame.sid,
           d->frame.tid, d->frame.key);
    show(w, d->problem_at);
    CHECK(d->problem == NULL);
}

/* ------------------------------------------------------------------ what happens */

static struct layer_target random_target(struct world *w)
{
    return (struct layer_target){
        .layer = (uint8_t)draw(w, w->kind.n_layers),
        .sid = draw(w, 4) ? (uint8_t)draw(w, w->kind.n_spatial) : 255,
        .tid = draw(w, 4) ? (uint8_t)draw(w, w->kind.n_temporal) : 255,
    };
}

static void set_target(struct world *w, struct layer_target target)
{
    subscription_set_target(w->subscription, &target);
}

static void do_something(struct world *w)
{
    struct layer_target target = random_target(w);
    struct encoding *e = &w->encodings[w->bound][draw(w, w->kind.n_layers)];

    switch (w->kind.perfect ? 2 + draw(w, 8) : draw(w, 10)) {
    case 0:
        target.paused = true;
        set_target(w, target);
        pass(w, (int64_t)draw(w, 1500) * MS);
        target.paused = false;
        set_target(w, target);
        break;
    case 1:
        /* Back at once, it would begin with what it had before. */
        for (int i = 0; i < 7 && w->newest == w->bound_newest; i++)
            pass(w, 100 * MS);
        w->bound_newest = w->newest;
        w->bound = 1 - w->bound;
        subscription_unbind(w->subscription);
        subscription_bind(w->subscription, w->tracks[w->bound]);
        if (draw(w, 2))
            set_target(w, target);
        break;
    case 2:
        e->off = w->kind.n_layers > 1 && !e->off;
        break;
    case 3:
        subscription_want_key_frame(w->subscription, w->now_us);
        break;
    case 4:
        subscription_hurry(w->subscription, draw(w, 3) > 0);
        break;
    default:
        set_target(w, target);
        break;
    }
    pass(w, (int64_t)draw(w, 1200) * MS);
}

static void check_converged(struct world *w)
{
    struct layer_target target = random_target(w);
    struct layer_target current;

    target.sid = (uint8_t)draw(w, w->kind.n_spatial);
    target.tid = (uint8_t)draw(w, w->kind.n_temporal);
    set_target(w, target);
    subscription_hurry(w->subscription, false);
    for (uint8_t i = 0; i < w->kind.n_layers; i++)
        w->encodings[w->bound][i].off = false;
    w->loses = false;
    pass(w, SETTLE_US);
    current = subscription_current(w->subscription);
    CHECK(!current.paused);
    CHECK_EQ(current.layer, target.layer);
    CHECK_EQ(current.sid, target.sid);
    CHECK_EQ(current.tid, target.tid);
}

static void run(const struct kind *kind)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world *w = world_new(kind, seed * 7919);

        pass(w, 1500 * MS);
        w->loses = !kind->perfect;
        while (w->now_us < START_US + RUN_US)
            do_something(w);
        check_converged(w);
        printf("# seed %" PRIu64 "\n", seed);
        decode_all(w);
        CHECK(w->decoder.pictures > 100);
        CHECK(w->decoder.cut <= (kind->perfect ? 0 : w->decoder.pictures / 40));
        world_free(w);
    }
}

/* @return packets that come out in 300 ms */
static int64_t packets_in_300_ms(struct world *w)
{
    int64_t before = w->newest;

    pass(w, 300 * MS);
    return w->newest - before;
}

static void who_cannot_go_down_yet_gets_fewer_frames(void)
{
    const struct kind kind = {.codec = CODEC_VP8, .n_layers = 3, .n_spatial = 1, .n_temporal = 3};
    struct world *w = world_new(&kind, 1);
    int64_t all;

    set_target(w, (struct layer_target){.layer = 2, .sid = 255, .tid = 255});
    pass(w, 2 * SECOND);
    all = packets_in_300_ms(w);
    w->encodings[0][0].off = true; /* its key frame does not come */
    set_target(w, (struct layer_target){.layer = 0, .sid = 255, .tid = 255});
    CHECK(packets_in_300_ms(w) > all * 6 / 10);
    subscription_hurry(w->subscription, true);
    CHECK(w->tracks[0]->layers[0]->key_frame.wanted);
    pass(w, 50 * MS);
    CHECK(packets_in_300_ms(w) < all / 2);
    CHECK_EQ(subscription_current(w->subscription).layer, 2);
    w->encodings[0][0].off = false;
    w->encodings[0][0].key_wanted = true;
    pass(w, 500 * MS);
    CHECK_EQ(subscription_current(w->subscription).layer, 0);
    CHECK(subscription_current(w->subscription).tid >= 2);
    decode_all(w);
    world_free(w);
}

static void vp8_in_three_encodings_and_temporal_layers(void)
{
    run(&(struct kind){.codec = CODEC_VP8, .n_layers = 3, .n_spatial = 1, .n_temporal = 3});
}

static void nothing_is_cut_short_where_nothing_is_lost(void)
{
    run(&(struct kind){
        .codec = CODEC_VP8, .n_layers = 3, .n_spatial = 1, .n_temporal = 3, .perfect = true});
}

static void vp9_with_spatial_layers(void)
{
    run(&(struct kind){.codec = CODEC_VP9, .n_layers = 1, .n_spatial = 3, .n_temporal = 3});
}

static void vp9_with_spatial_layers_that_refer_in_key_pictures_only(void)
{
    run(&(struct kind){.codec = CODEC_VP9,
                       .mode = FAKE_VIDEO_KEY,
                       .n_layers = 1,
                       .n_spatial = 3,
                       .n_temporal = 3});
}

static void vp9_in_three_encodings_with_a_structure(void)
{
    run(&(struct kind){
        .codec = CODEC_VP9, .structure = true, .n_layers = 3, .n_spatial = 1, .n_temporal = 3});
}

static void h264_in_three_encodings(void)
{
    run(&(struct kind){.codec = CODEC_H264, .n_layers = 3, .n_spatial = 1, .n_temporal = 1});
}

static void av1_with_a_descriptor(void)
{
    run(&(struct kind){
        .codec = CODEC_AV1, .descriptor = true, .n_layers = 1, .n_spatial = 3, .n_temporal = 3});
}

static void av1_with_layers_that_refer_in_key_pictures_only(void)
{
    run(&(struct kind){.codec = CODEC_AV1,
                       .mode = FAKE_VIDEO_KEY,
                       .descriptor = true,
                       .n_layers = 1,
                       .n_spatial = 3,
                       .n_temporal = 3});
}

static void av1_with_layers_that_stand_alone(void)
{
    run(&(struct kind){.codec = CODEC_AV1,
                       .mode = FAKE_VIDEO_ALONE,
                       .descriptor = true,
                       .n_layers = 1,
                       .n_spatial = 3,
                       .n_temporal = 1});
}

static void h264_in_three_encodings_with_a_descriptor(void)
{
    run(&(struct kind){
        .codec = CODEC_H264, .descriptor = true, .n_layers = 3, .n_spatial = 1, .n_temporal = 3});
}

TAP_CASES(CASE(who_cannot_go_down_yet_gets_fewer_frames),
          CASE(vp8_in_three_encodings_and_temporal_layers),
          CASE(nothing_is_cut_short_where_nothing_is_lost), CASE(vp9_with_spatial_layers),
          CASE(vp9_with_spatial_layers_that_refer_in_key_pictures_only),
          CASE(vp9_in_three_encodings_with_a_structure), CASE(h264_in_three_encodings),
          CASE(av1_with_a_descriptor), CASE(av1_with_layers_that_refer_in_key_pictures_only),
          CASE(av1_with_layers_that_stand_alone), CASE(h264_in_three_encodings_with_a_descriptor))
