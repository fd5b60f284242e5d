#include "sfu/participant_reports.h"

#include "media/nack_generator.h"
#include "media/rtcp.h"
#include "media/transport_feedback.h"
#include "sfu/core.h"
#include "sfu/participant.h"
#include "sfu/participant_quality.h"
#include "sfu/participant_red.h"

/* What a publisher that knows no transport-wide feedback is told it may send: its encoder's
 * maximum is the limit, not we. */
static const uint64_t REMB_BPS = 5 * 1000 * 1000;
static const uint64_t REMB_AUDIO_BPS = 64 * 1000; /* left for sound that has no limit */

enum {
    COMPOUND_MAX = 1200, /* bytes of clear RTCP in a datagram */
    NACKS_MAX = 200,     /* numbers asked for at a time: at worst 4 bytes each */
    FEEDBACK_MIN = 600,  /* room worth beginning a feedback packet in */
};

/** An RTCP compound that grows until it is full, or done. */
struct compound {
    struct participant *p;
    struct writer w;
    uint8_t bytes[COMPOUND_MAX];
};

static void begin(struct compound *c, struct participant *p)
{
    c->p = p;
    c->w = writer_of(c->bytes, sizeof(c->bytes));
}

static void send_compound(struct compound *c)
{
    if (c->w.len > 0 && transport_send_rtcp(c->p->connection.transport, c->bytes, c->w.len) < 0)
        c->p->core->stats.drop_queue++;
    begin(c, c->p);
}

/* Make room for `len` bytes of feedback, and for what must stand before it. */
static void make_room(struct compound *c, size_t len)
{
    if (writer_left(&c->w) < len)
        send_compound(c);
    if (c->w.len > 0 || c->p->reduced_size)
        return;
    rtcp_write_rr(&c->w, c->p->ssrc, NULL, 0);
    rtcp_write_sdes_cname(&c->w, c->p->ssrc, c->p->core->cname);
}

/* ------------------------------------------------------------------ once per second */

static size_t collect_reports(struct participant *p, struct rtcp_report *out, int64_t now_us)
{
    size_t n = 0;

    for (uint32_t i = 0; i < p->tracks.n; i++) {
        for (size_t k = 0; k < PLAN_MAX_LAYERS; k++) {
            struct track_layer *layer = p->tracks.tracks[i]->layers[k];

            if (layer && layer->receiver.started && n < RTCP_MAX_REPORTS)
                stream_receiver_report(&layer->receiver, &out[n++], now_us);
        }
    }
    return n;
}

static void write_receiver_report(struct compound *c, int64_t now_us)
{
    struct rtcp_report reports[RTCP_MAX_REPORTS];
    size_t n = collect_reports(c->p, reports, now_us);

    if (n == 0)
        return;
    rtcp_write_rr(&c->w, c->p->ssrc, reports, n);
    rtcp_write_sdes_cname(&c->w, c->p->ssrc, c->p->core->cname);
}

/* @return what the other kind's slot of the same number carries, or NULL */
static const struct subscription *find_beside(const struct participant *p,
                                              const struct subscription *s)
{
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        const struct subscription *other = p->subscriptions[i];

        if (other && other->layer && other->section->kind != s->section->kind &&
            other->section->slot == s->section->slot)
            return other;
    }
    return NULL;
}

/* Slots of one number are one stream, which the client plays in step. Where they carry two people,
 * whose clocks may be seconds apart, sound is told by the clock of the picture beside it, as if
 * both had been sampled when they came to us: so neither is made to wait for the other. */
static struct stream_receiver source_of(const struct participant *p, const struct subscription *s)
{
    struct stream_receiver source = s->layer->receiver;
    const struct stream_receiver *clock;
    const struct subscription *beside;

    if (s->section->kind != KIND_AUDIO || !source.sr_ntp)
        return source;
    beside = find_beside(p, s);
    if (!beside || beside->track->participant == s->track->participant)
        return source;
    clock = &beside->layer->receiver;
    if (clock->sr_ntp)
        source.sr_ntp = ntp_from_wall_us(ntp_to_wall_us(clock->sr_ntp) + source.sr_arrival_us -
                                         clock->sr_arrival_us);
    return source;
}

static void write_sender_reports(struct compound *c, int64_t now_us)
{
    enum { SR_AND_SDES = 28 + 8 + 24 };
    const struct media_plan *plan = c->p->plan;

    for (size_t i = 0; i < plan->n_sections; i++) {
        struct subscription *s = c->p->subscriptions[i];
        struct rtcp_sender_info info;
        struct stream_receiver source;

        if (!s || !s->layer || s->track->muted)
            continue;
        source = source_of(c->p, s);
        if (stream_sender_report(&s->sender, &source, &s->rewriter, now_us, &info) < 0)
            continue;
        if (writer_left(&c->w) < SR_AND_SDES)
            send_compound(c);
        rtcp_write_sr(&c->w, &info, NULL, 0);
        rtcp_write_sdes_cname(&c->w, info.ssrc, c->p->core->cname);
    }
}

/* REMB is about all that the publisher sends: the sum, if every picture has a limit. */
static uint64_t remb_bps(const struct participant *p)
{
    uint64_t sum_bps = 0;

    for (uint32_t i = 0; i < p->tracks.n; i++) {
        const struct track *track = p->tracks.tracks[i];

        if (track->kind == KIND_VIDEO && track->max_bps == 0)
            return REMB_BPS;
        sum_bps += track->max_bps ? track->max_bps : REMB_AUDIO_BPS;
    }
    return sum_bps < REMB_BPS ? sum_bps : REMB_BPS;
}

static void write_remb(struct compound *c)
{
    uint32_t ssrcs[PLAN_MAX_LAYERS * 4];
    size_t n = 0;
    struct rtcp_feedback fb = {.sender = c->p->ssrc};

    for (uint32_t i = 0; i < c->p->tracks.n; i++) {
        for (size_t k = 0; k < PLAN_MAX_LAYERS; k++) {
            const struct track_layer *layer = c->p->tracks.tracks[i]->layers[k];

            if (layer && layer->kind == KIND_VIDEO && n < ARRAY_LEN(ssrcs))
                ssrcs[n++] = layer->receiver.ssrc;
        }
    }
    if (n == 0)
        return;
    make_room(c, 20 + 4 * n);
    rtcp_write_remb(&c->w, &fb, remb_bps(c->p), ssrcs, n);
}

/* How much comes tells how often feedback about it is due. */
static void set_feedback_rate(struct participant *p, int64_t now_us)
{
    uint64_t bytes = 0;

    if (!p->feedback)
        return;
    for (uint32_t i = 0; i < p->tracks.n; i++) {
        for (size_t k = 0; k < PLAN_MAX_LAYERS; k++) {
            const struct track_layer *layer = p->tracks.tracks[i]->layers[k];

            bytes += layer ? layer->receiver.bytes : 0;
        }
    }
    /* At first, and when a track went, nothing is known. */
    if (p->rate_us > 0 && now_us > p->rate_us && bytes >= p->rate_bytes)
        feedback_recorder_set_rate(p->feedback, 8 * (bytes - p->rate_bytes) * SECOND /
                                                    (uint64_t)(now_us - p->rate_us));
    p->rate_bytes = bytes;
    p->rate_us = now_us;
}

static void send_reports(struct participant *p, int64_t now_us)
{
    struct compound c;

    begin(&c, p);
    set_feedback_rate(p, now_us);
    track_set_look_after(&p->tracks, now_us);
    write_receiver_report(&c, now_us);
    write_sender_reports(&c, now_us);
    if (p->wants_remb)
        write_remb(&c);
    send_compound(&c);
    participant_advance_red(p, now_us);
    participant_advance_quality(p, now_us);
    p->report_us += REPORT_INTERVAL_US;
    if (p->report_us <= now_us) /* first, or late: from now on evenly, not all at the same moment */
        p->report_us = now_us + REPORT_INTERVAL_US / 2 + p->id * 7919 % 1000 * MS / 2;
}

/* ------------------------------------------------------------------ as needed */

/* Somebody needs the layer whole, or may: other workers do not say which they need. */
static bool is_wanted(const struct track *t, const struct track_layer *layer)
{
    return t->relay_to || t->wanted_layers >> track_layer_index(t, layer) & 1;
}

static void write_nack(struct compound *c, struct track *track, struct track_layer *layer,
                       int64_t now_us)
{
    struct rtcp_feedback fb = {.sender = c->p->ssrc, .media = layer->receiver.ssrc};
    uint16_t seqs[NACKS_MAX];
    size_t n;

    if (!layer->nack || nack_generator_deadline(layer->nack) > now_us)
        return;
    n = nack_generator_poll(layer->nack, now_us, seqs, NACKS_MAX);
    if (track_layer_take_lost(layer) && is_wanted(track, layer)) {
        c->p->core->stats.lost_in++;
        track_want_key_frame(track, layer);
    }
    if (n == 0)
        return;
    make_room(c, 12 + 4 * n);
    rtcp_write_nack(&c->w, &fb, seqs, n);
    c->p->core->stats.nacks_out += n;
}

static void write_key_frame_request(struct compound *c, const struct track *track,
                                    struct track_layer *layer, int64_t now_us)
{
    struct rtcp_feedback fb = {.sender = c->p->ssrc, .media = layer->receiver.ssrc};
    const struct plan_codec *codec = track_codec(track);

    if (!key_frame_request_poll(&layer->key_frame, now_us))
        return;
    make_room(c, 20);
    if (codec->fir && !codec->pli)
        rtcp_write_fir(&c->w, &fb, layer->fir_seq++);
    else
        rtcp_write_pli(&c->w, &fb);
    c->p->core->stats.key_frames_out++;
}

/* @return when a track next has something to ask for [us] */
static int64_t write_requests(struct compound *c, int64_t now_us)
{
    int64_t next_us = NEVER_US;

    for (uint32_t i = 0; i < c->p->tracks.n; i++) {
        (void)track_update_wishes(c->p->tracks.tracks[i]);
        track_serve_fresh(c->p->tracks.tracks[i], now_us);
        for (size_t k = 0; k < PLAN_MAX_LAYERS; k++) {
            struct track_layer *layer = c->p->tracks.tracks[i]->layers[k];

            if (!layer)
                continue;
            write_nack(c, c->p->tracks.tracks[i], layer, now_us);
            write_key_frame_request(c, c->p->tracks.tracks[i], layer, now_us);
            next_us = clock_earlier(next_us, key_frame_request_deadline(&layer->key_frame));
            if (layer->nack)
                next_us = clock_earlier(next_us, nack_generator_deadline(layer->nack));
        }
    }
    return next_us;
}

static int64_t write_transport_feedback(struct compound *c, int64_t now_us)
{
    struct participant *p = c->p;
    size_t n = 1;

    if (!p->feedback)
        return NEVER_US;
    if (feedback_recorder_deadline(p->feedback) > now_us)
        return feedback_recorder_deadline(p->feedback);
    while (n > 0 && feedback_recorder_deadline(p->feedback) != NEVER_US) {
        make_room(c, FEEDBACK_MIN);
        n = feedback_recorder_write(p->feedback, &c->w, p->ssrc, p->media_ssrc, now_us);
        p->core->stats.feedback_out += n;
    }
    return feedback_recorder_deadline(p->feedback);
}

int64_t participant_send_rtcp(struct participant *p, int64_t now_us)
{
    struct compound c;
    int64_t next_us;

    if (p->report_us <= now_us)
        send_reports(p, now_us);
    begin(&c, p);
    next_us = write_requests(&c, now_us);
    next_us = clock_earlier(next_us, write_transport_feedback(&c, now_us));
    send_compound(&c);
    return clock_earlier(next_us, p->report_us);
}
