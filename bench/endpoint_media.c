#include "bench/endpoint_media.h"

#include "bench/endpoint.h"
#include "bench/frame_sender.h"
#include "media/base/clock.h"
#include "media/packet.h"
#include "media/rtcp.h"
#include "media/transport.h"
#include "media/transport_feedback.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    RTP_PT = 0x7f,   /* second byte, without the marker */
    RTCP_MAX = 1200, /* bytes of one compound */
    SEQ_AT = 2,      /* of RTP: RFC 3550 section 5.1 */
    SSRC_AT = 8,
    HEAD_MAX = 128,  /* bytes of a header with extensions that is looked at */
    TRIES_MAX = 200, /* 10 s */
};

static const int64_t REPORT_US = SECOND;

void endpoint_media_send(void *owner, const uint8_t *data, size_t len)
{
    struct endpoint *e = owner;

    if (send(e->fd, data, len, MSG_DONTWAIT) < 0)
        e->fleet->send_errors++;
}

/* ------------------------------------------------------------------ RTP in */

void endpoint_media_add_sink(struct endpoint *e, uint32_t ssrc)
{
    if (ssrc != 0 && e->n_sinks < e->max_sinks)
        e->sinks[e->n_sinks++].ssrc = ssrc;
}

static struct sink *find_sink(struct endpoint *e, uint32_t ssrc)
{
    if (e->last_sink < e->n_sinks && e->sinks[e->last_sink].ssrc == ssrc)
        return &e->sinks[e->last_sink];
    for (uint32_t i = 0; i < e->n_sinks; i++) {
        if (e->sinks[i].ssrc == ssrc) {
            e->last_sink = i;
            return &e->sinks[i];
        }
    }
    if (e->n_sinks == e->max_sinks)
        return NULL;
    endpoint_media_add_sink(e, ssrc);
    return &e->sinks[e->n_sinks - 1];
}

static uint16_t read_u16(const uint8_t *data)
{
    return (uint16_t)(data[0] << 8 | data[1]);
}

static uint32_t read_u32(const uint8_t *data)
{
    return (uint32_t)read_u16(data) << 16 | read_u16(data + 2);
}

/* The header is in the clear, the padding that it tells of is not. */
static void note_arrival(struct endpoint *e, const uint8_t *data, size_t len, int64_t now_us)
{
    enum { PADDING = 0x20 };
    uint8_t head[HEAD_MAX];
    size_t head_len = len < sizeof(head) ? len : sizeof(head);
    struct rtp_header rtp;
    const struct rtp_extension *number;

    memcpy(head, data, head_len);
    head[0] &= (uint8_t)~PADDING;
    if (rtp_parse(&rtp, head, head_len) < 0)
        return;
    number = rtp_find_extension(&rtp, e->transport_cc_id);
    if (number && number->len == 2)
        feedback_recorder_on_packet(e->feedback, read_u16(head + number->offset), now_us);
}

/* Whatever SRTP leaves in the clear. Nothing is taken for media of whom we have no keys yet. */
static void count_rtp(struct endpoint *e, const uint8_t *data, size_t wire_len, int64_t now_us)
{
    uint8_t pt = data[1] & RTP_PT;
    struct sink *sink = NULL;

    if (pt == e->audio_pt || pt == e->video_pt)
        sink = find_sink(e, read_u32(data + SSRC_AT));
    if (!sink) {
        e->fleet->other_packets++;
        return;
    }
    if (e->media_us == 0)
        e->media_us = now_us;
    sink_count(sink, read_u16(data + SEQ_AT), wire_len);
}

void endpoint_media_on_rtp(void *owner, struct packet *packet, int64_t now_us)
{
    struct endpoint *e = owner;
    enum media_kind kind = packet->rtp.pt == e->video_pt ? KIND_VIDEO : KIND_AUDIO;
    struct sink *sink = NULL;
    struct content content;
    int err;

    (void)now_us;
    if (packet->rtp.pt == e->audio_pt || packet->rtp.pt == e->video_pt)
        sink = find_sink(e, packet->rtp.ssrc);
    if (!sink || packet->rtp.payload_len == 0)
        return;
    err = content_read(&content, kind, packet->data + packet->rtp.header_len,
                       packet->rtp.payload_len);
    sink_check(sink, err == 0 ? &content : NULL,
               err == 0 ? e->fleet->received_wall_us - content.sent_us : 0, &e->fleet->findings);
}

static void on_key_request(struct endpoint *e)
{
    e->fleet->key_requests++;
    for (uint32_t i = 0; i < e->n_sources; i++)
        e->sources[i].key_wanted = e->sources[i].shape.kind == KIND_VIDEO;
}

/* Chrome leaves out the mid of a stream that somebody has reported on. */
static void on_reports(struct endpoint *e, const struct rtcp_packet *packet)
{
    struct rtcp_report reports[RTCP_MAX_REPORTS];
    struct rtcp_sender_info info;
    uint32_t sender;
    int n = packet->type == RTCP_RR ? rtcp_read_rr(packet, &sender, reports)
                                    : rtcp_read_sr(packet, &info, reports);

    for (int i = 0; i < n; i++) {
        for (uint32_t j = 0; j < e->n_sources; j++)
            e->sources[j].known = e->sources[j].known || e->sources[j].ssrc == reports[i].ssrc;
    }
}

void endpoint_media_on_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us)
{
    struct endpoint *e = owner;
    struct reader compound = reader_of(data, len);
    struct rtcp_packet packet;

    (void)now_us;
    while (rtcp_next(&compound, &packet) == 1) {
        if (packet.type == RTCP_PSFB && (packet.count == PSFB_PLI || packet.count == PSFB_FIR))
            on_key_request(e);
        else if (packet.type == RTCP_RR || packet.type == RTCP_SR)
            on_reports(e, &packet);
        else if (packet.type == RTCP_RTPFB && packet.count == RTPFB_TRANSPORT_CC)
            e->fleet->feedback_received++;
    }
}

static void decrypt(struct endpoint *e, const struct received *in, int64_t now_us)
{
    struct packet *packet = in->len <= PACKET_CAPACITY ? packet_new(e->fleet->pool) : NULL;

    if (!packet)
        return;
    memcpy(packet->data, in->data, in->len);
    packet->len = (uint16_t)in->len;
    packet->arrival_us = now_us;
    e->fleet->received_wall_us = in->wall_us ? in->wall_us : clock_wall_us();
    if (transport_receive(e->transport, packet, now_us) < 0)
        e->fleet->bad_packets++;
    packet_unref(packet);
}

static void receive_stun(struct endpoint *e, const struct received *in, int64_t now_us)
{
    uint8_t reply[ICE_CLIENT_MAX];
    size_t len;

    len = ice_client_receive(&e->ice, in->data, in->len, &e->remote, now_us, reply);
    if (len > 0)
        endpoint_media_send(e, reply, len);
}

static void receive_datagram(struct endpoint *e, const struct received *in, int64_t now_us)
{
    bool whole = in->len == in->wire_len;

    switch (datagram_kind(in->data, in->len)) {
    case DATAGRAM_STUN:
        receive_stun(e, in, now_us);
        break;
    case DATAGRAM_DTLS:
        if (whole)
            decrypt(e, in, now_us);
        break;
    case DATAGRAM_RTP:
        if (e->state == ENDPOINT_CONNECTED && e->feedback)
            note_arrival(e, in->data, in->len, now_us);
        if (e->state == ENDPOINT_CONNECTED && in->len >= RTP_HEADER_LEN)
            count_rtp(e, in->data, in->wire_len, now_us);
        if (e->state == ENDPOINT_CONNECTED && e->verified && whole)
            decrypt(e, in, now_us);
        break;
    case DATAGRAM_RTCP: /* what it says is of interest to sources alone */
        if (e->state == ENDPOINT_CONNECTED && e->n_sources > 0 && whole)
            decrypt(e, in, now_us);
        break;
    case DATAGRAM_UNKNOWN:
        break;
    }
}

/* One datagram, or as many as UDP_GRO put together. */
static void receive_run(struct endpoint *e, struct received *run, int64_t now_us)
{
    size_t left = run->wire_len;
    struct received one = *run;

    if (run->segment_len == 0 || run->segment_len >= run->wire_len) {
        receive_datagram(e, run, now_us);
        return;
    }
    while (left > 0) {
        one.len = one.wire_len = left < run->segment_len ? left : run->segment_len;
        receive_datagram(e, &one, now_us);
        left -= one.len;
        one.data += one.len;
    }
}

void endpoint_receive(struct endpoint *e, int64_t now_us)
{
    enum receive_mode mode = e->mode;
    int n;

    if (mode == RECEIVE_HEADERS && e->state != ENDPOINT_CONNECTED)
        mode = RECEIVE_ALL; /* DTLS */
    if (!e->transport) {
        (void)!receiver_read(e->fleet->receiver, e->fd, RECEIVE_HEADERS);
        return;
    }
    do {
        n = receiver_read(e->fleet->receiver, e->fd, mode);
        for (int i = 0; i < n; i++) {
            struct received run = receiver_get(e->fleet->receiver, i);

            receive_run(e, &run, now_us);
        }
    } while (n == RECEIVER_BATCH);
}

/* ------------------------------------------------------------------ RTCP out */

static void write_sender_reports(const struct endpoint *e, struct writer *w)
{
    int64_t wall_us = clock_wall_us();
    char cname[32];

    (void)snprintf(cname, sizeof(cname), "bench-%" PRIu32, e->id);
    for (uint32_t i = 0; i < e->n_sources; i++) {
        const struct source *s = &e->sources[i];
        struct rtcp_sender_info info = {
            .ssrc = s->ssrc,
            .ntp = ntp_from_wall_us(wall_us),
            .rtp_ts = s->ts,
            .packets = (uint32_t)s->packets,
            .octets = (uint32_t)s->octets,
        };

        rtcp_write_sr(w, &info, NULL, 0);
        rtcp_write_sdes_cname(w, s->ssrc, cname);
    }
}

static void write_receiver_report(struct endpoint *e, struct writer *w)
{
    struct rtcp_report reports[RTCP_MAX_REPORTS];
    size_t n = 0;

    for (uint32_t i = 0; i < e->n_sinks && n < RTCP_MAX_REPORTS; i++) {
        if (!e->sinks[i].started)
            continue;
        sink_report(&e->sinks[i], &reports[n++]);
    }
    if (n > 0)
        rtcp_write_rr(w, e->id + 1, reports, n);
}

static void send_rtcp(struct endpoint *e, const struct writer *w)
{
    if (writer_ok(w) && w->len > 0 && transport_send_rtcp(e->transport, w->data, w->len) < 0)
        e->fleet->send_errors++;
}

/* When each packet came, as browsers tell it. */
static void send_feedback(struct endpoint *e, int64_t now_us)
{
    uint32_t media = e->n_sinks > 0 ? e->sinks[0].ssrc : 0;

    while (feedback_recorder_deadline(e->feedback) != NEVER_US) {
        uint8_t bytes[RTCP_MAX];
        struct writer w = writer_of(bytes, sizeof(bytes));

        if (feedback_recorder_write(e->feedback, &w, e->id + 1, media, now_us) == 0)
            return;
        send_rtcp(e, &w);
        e->fleet->feedback_packets++;
    }
}

static void send_reports(struct endpoint *e)
{
    uint8_t bytes[RTCP_MAX];
    struct writer w = writer_of(bytes, sizeof(bytes));

    if (e->n_sources > 0)
        write_sender_reports(e, &w);
    if (e->fleet->config.reports)
        write_receiver_report(e, &w);
    send_rtcp(e, &w);
}

/* As a decoder does that has nothing to begin with. */
static void ask_for_key_frames(struct endpoint *e)
{
    uint8_t bytes[RTCP_MAX];
    struct writer w = writer_of(bytes, sizeof(bytes));

    for (uint32_t i = 0; i < e->n_sinks; i++) {
        struct rtcp_feedback fb = {.sender = e->id + 1, .media = e->sinks[i].ssrc};

        if (i >= e->role.audio_slots || e->role.audio_slots == 0)
            rtcp_write_pli(&w, &fb);
    }
    send_rtcp(e, &w);
}

/* ------------------------------------------------------------------ time passes */

static void begin_media(struct endpoint *e, int64_t now_us)
{
    e->connected_us = now_us;
    e->report_us = now_us + REPORT_US * (e->id % 16) / 16;
    e->feedback_us = e->feedback ? now_us : NEVER_US;
    for (uint32_t i = 0; i < e->n_sources; i++)
        e->sources[i].due_us += now_us; /* until here it was the phase */
    if (e->role.video_slots > 0 && !e->fleet->config.silent)
        ask_for_key_frames(e);
}

static void send_frames(struct endpoint *e, int64_t now_us)
{
    for (uint32_t i = 0; i < e->n_sources; i++) {
        struct source *s = &e->sources[i];

        if (now_us < s->due_us || s->pt == 0)
            continue;
        e->fleet->send_errors += frame_sender_send(e->fleet->sender, e, s, clock_wall_us());
        histogram_add(&e->fleet->late_us, source_step(s, now_us));
    }
}

static int64_t advance_media(struct endpoint *e, int64_t now_us)
{
    int64_t next_us = NEVER_US;

    if (e->connected_us == 0)
        begin_media(e, now_us);
    if (e->fleet->config.silent)
        return NEVER_US;
    send_frames(e, now_us);
    if (now_us >= e->report_us) {
        send_reports(e);
        e->report_us = now_us + REPORT_US;
    }
    if (e->feedback && now_us >= e->feedback_us) {
        send_feedback(e, now_us);
        e->feedback_us = now_us + e->fleet->config.feedback_us;
    }
    for (uint32_t i = 0; i < e->n_sources; i++)
        next_us = clock_earlier(next_us, e->sources[i].pt ? e->sources[i].due_us : NEVER_US);
    return clock_earlier(next_us, clock_earlier(e->report_us, e->feedback_us));
}

static void advance_ice(struct endpoint *e, int64_t now_us)
{
    const uint8_t *check;
    size_t len;

    len = ice_client_advance(&e->ice, now_us, &check);
    if (len > 0)
        endpoint_media_send(e, check, len);
    if (e->ice.connected)
        transport_start(e->transport, now_us);
    else if (e->ice.tries > TRIES_MAX)
        endpoint_fail(e, "the server answers no connectivity check");
}

int64_t endpoint_advance(struct endpoint *e, int64_t now_us)
{
    int64_t next_us;

    if (!e->transport || e->state >= ENDPOINT_FAILED)
        return NEVER_US;
    advance_ice(e, now_us);
    next_us = clock_earlier(e->ice.due_us, transport_advance(e->transport, now_us));
    if (e->state == ENDPOINT_CONNECTED)
        next_us = clock_earlier(next_us, advance_media(e, now_us));
    return next_us;
}
