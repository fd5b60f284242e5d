#include "client/rtp_sender.h"

#include "media/base/clock.h"
#include "media/base/random.h"
#include "media/egress.h"
#include "media/packet.h"

#include <errno.h>
#include <string.h>

enum {
    MAX_ELEMENTS = 3,
    VOICE = 0x80,     /* RFC 6464: voice activity */
    VOICE_LEVEL = 50, /* [-dBov] louder is taken for voice */
};

int rtp_sender_init(struct rtp_sender *s, const struct rtp_sender_config *config)
{
    *s = (struct rtp_sender){
        .config = *config,
        .seq = (uint16_t)random_u32(),
        .rtx = {.ssrc = config->rtx_ssrc, .pt = config->rtx_pt, .seq = (uint16_t)random_u32()},
    };
    stream_sender_init(&s->stats, config->ssrc, config->clock_rate);
    nack_responder_init(&s->responder, NACK_RESPONDER_BURST);
    return packet_store_init(&s->store, config->store);
}

void rtp_sender_done(struct rtp_sender *s)
{
    packet_store_done(&s->store);
}

/* Values of header extensions, alive while the header is written. */
struct elements {
    size_t n;
    struct rtp_extension_value list[MAX_ELEMENTS];
    uint8_t transport_seq[2], level[1];
};

static void add(struct elements *e, uint8_t id, const void *value, size_t len)
{
    if (id == 0 || len == 0)
        return;
    e->list[e->n++] = (struct rtp_extension_value){.id = id, .len = (uint8_t)len, .value = value};
}

/* The mid tells the peer which m-line an SSRC belongs to, until it shows by a report that it knows
 * (RFC 9143 section 9.2). */
static void add_elements(const struct rtp_sender *s, struct elements *e, uint16_t transport_seq,
                         int level)
{
    const uint8_t *id = s->config.extensions.id;

    if (s->stats.reported_us == 0)
        add(e, id[EXTENSION_MID], s->config.mid, strlen(s->config.mid));
    e->transport_seq[0] = (uint8_t)(transport_seq >> 8);
    e->transport_seq[1] = (uint8_t)transport_seq;
    add(e, id[EXTENSION_TRANSPORT_CC], e->transport_seq, sizeof(e->transport_seq));
    if (level == RTP_SENDER_NO_LEVEL)
        return;
    e->level[0] = (uint8_t)(level | (level < VOICE_LEVEL ? VOICE : 0));
    add(e, id[EXTENSION_AUDIO_LEVEL], e->level, sizeof(e->level));
}

static struct rtp_write header_of(const struct rtp_sender *s, const struct packet *payload,
                                  const struct elements *e)
{
    return (struct rtp_write){
        .marker = payload->rtp.marker,
        .pt = s->config.pt,
        .seq = payload->rtp.seq,
        .ts = payload->rtp.ts,
        .ssrc = s->config.ssrc,
        .n_extensions = (uint8_t)e->n,
        .extensions = e->list,
    };
}

int rtp_sender_send(struct rtp_sender *s, struct rtp_path *path, const struct rtp_outgoing *out,
                    int64_t now_us)
{
    struct packet *payload = out->payload;
    struct elements elements = {0};
    struct egress_head *head = egress_push(path->egress, path->peer, payload, 0, payload->len);
    struct rtp_write header;
    int len;

    if (!head)
        return -ENOBUFS;
    payload->rtp = (struct rtp_header){.marker = out->marker,
                                       .pt = s->config.pt,
                                       .seq = s->seq,
                                       .ts = out->ts,
                                       .ssrc = s->config.ssrc,
                                       .payload_len = payload->len};
    payload->arrival_us = now_us;
    add_elements(s, &elements, path->transport_seq, out->level);
    header = header_of(s, payload, &elements);
    len = rtp_write_header(head->bytes, sizeof(head->bytes), &header);
    head->head_len = len > 0 ? (uint16_t)len : 0; /* 12 + 4 + 33 + 3 + 2 bytes at most: it fits */
    head->lead_len = 0;
    path->transport_seq++;
    s->seq++;
    s->last_ts = out->ts;
    s->last_us = now_us;
    stream_sender_on_packet(&s->stats, payload->len);
    nack_responder_on_sent(&s->responder, payload->len);
    return s->config.rtx_pt ? packet_store_put(&s->store, payload) : 0;
}

static void resend(struct rtp_sender *s, struct rtp_path *path, struct packet *payload)
{
    struct elements elements = {0};
    struct egress_head *head = egress_push(path->egress, path->peer, payload, 0, payload->len);
    struct rtp_write header;
    int len;

    if (!head)
        return;
    add_elements(s, &elements, path->transport_seq, RTP_SENDER_NO_LEVEL);
    path->transport_seq++;
    header = header_of(s, payload, &elements);
    len = rtx_write_head(&s->rtx, &header, head->bytes, sizeof(head->bytes));
    head->head_len = len > 0 ? (uint16_t)len : 0;
    head->lead_len = RTX_LEAD_LEN;
}

void rtp_sender_on_nack(struct rtp_sender *s, struct rtp_path *path, const uint16_t *seqs, size_t n,
                        int64_t now_us)
{
    if (s->config.rtx_pt == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct packet *payload = packet_store_get(&s->store, seqs[i]);

        if (payload &&
            nack_responder_allow(&s->responder, s->config.ssrc, seqs[i], payload->len, now_us) == 0)
            resend(s, path, payload);
    }
}

int rtp_sender_report(struct rtp_sender *s, int64_t now_us, int64_t wall_us,
                      struct rtcp_sender_info *ret)
{
    int64_t elapsed_us = now_us - s->last_us;
    uint32_t elapsed = (uint32_t)(elapsed_us * s->config.clock_rate / SECOND);

    if (s->stats.packets == 0)
        return -EAGAIN;
    stream_sender_report_own(&s->stats, ntp_from_wall_us(wall_us), s->last_ts + elapsed, now_us,
                             ret);
    return 0;
}

void rtp_sender_on_report(struct rtp_sender *s, const struct rtcp_report *report, int64_t now_us)
{
    int64_t rtt_us = stream_sender_on_report(&s->stats, report, now_us);

    if (rtt_us >= 0)
        nack_responder_set_rtt(&s->responder, rtt_us);
}
