#include "sfu/subscription.h"

#include "media/base/random.h"
#include "media/egress.h"
#include "media/payload.h"
#include "media/rtx.h"
#include "media/seq.h"
#include "sfu/core.h"
#include "sfu/format_match.h"
#include "sfu/subscription_target.h"
#include "sfu/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    RED_LEAD_MAX = HEAD_TEMPLATE_LEAD_MAX - RTX_LEAD_LEN,
    CACHE_LINE = 64,
    PADDING_BIT = 0x20, /* of the first byte of an RTP packet */
    /* up to the marks of a stream with losses */
    PREFETCH_BYTES = offsetof(struct subscription, rewriter) + offsetof(struct seq_rewriter, marks),
};

struct subscription *subscription_new(struct subscriber *subscriber,
                                      const struct plan_section *section)
{
    struct subscription *s = aligned_alloc(_Alignof(struct subscription), sizeof(*s));

    if (!s)
        return NULL;
    *s = (struct subscription){
        .subscriber = subscriber,
        .peer = subscriber->peer,
        .section = section,
        .rtx_seq = (uint16_t)random_u32(),
        .class = section->kind == KIND_AUDIO ? EGRESS_URGENT : EGRESS_MEDIA,
    };
    seq_rewriter_init(&s->rewriter, (uint16_t)random_u32(), random_u32());
    stream_sender_init(&s->sender, section->ssrc, 0);
    subscriber->core->stats.subscriptions++;
    return s;
}

struct subscription *subscription_free(struct subscription *s)
{
    if (!s)
        return NULL;
    subscription_unbind(s);
    s->subscriber->core->stats.subscriptions--;
    free(s);
    return NULL;
}

struct subscription *subscription_of_link(struct list *link)
{
    return CONTAINER_OF(link, struct subscription, link);
}

/* RED goes as it is, with other numbers inside, or as plain Opus. */
static struct payload_mapping map_red(const struct plan_section *slot,
                                      const struct plan_section *published)
{
    int slot_red = format_find(slot, CODEC_RED);
    int slot_opus = format_find(slot, CODEC_OPUS);
    int opus = format_find(published, CODEC_OPUS);
    struct payload_mapping m = {.form = PAYLOAD_REFUSED};

    if (slot_opus < 0 || opus < 0)
        return m;
    m.form = PAYLOAD_RED_PRIMARY;
    m.pt = m.block_pt = slot->codecs[slot_opus].pt;
    m.rtx_pt = slot->codecs[slot_opus].rtx_pt;
    if (slot_red < 0)
        return m;
    m.form = m.block_pt == published->codecs[opus].pt ? PAYLOAD_AS_IS : PAYLOAD_RED_HEADERS;
    m.pt = slot->codecs[slot_red].pt;
    m.rtx_pt = slot->codecs[slot_red].rtx_pt;
    return m;
}

static struct payload_mapping map_format(const struct plan_section *slot,
                                         const struct plan_section *published, size_t format)
{
    const struct plan_codec *codec = &published->codecs[format];
    int found;

    if (codec->codec == CODEC_RED)
        return map_red(slot, published);
    found = format_match(slot, codec);
    if (found < 0)
        return (struct payload_mapping){.form = PAYLOAD_REFUSED};
    return (struct payload_mapping){
        .form = PAYLOAD_AS_IS,
        .pt = slot->codecs[found].pt,
        .rtx_pt = slot->codecs[found].rtx_pt,
    };
}

bool subscription_accepts(const struct plan_section *section, const struct track *track)
{
    return format_match(section, track_codec(track)) >= 0;
}

void subscription_refresh(struct subscription *s)
{
    const struct plan_section *published;

    if (!s->track)
        return;
    published = s->track->section;
    for (size_t i = 0; i < published->n_codecs; i++) {
        s->mappings[i] = map_format(s->section, published, i);
        if (s->section->rtx_ssrc == 0)
            s->mappings[i].rtx_pt = 0;
    }
    head_template_init(&s->head, s->section, s->track->participant);
    s->plain_after = s->rewriter.out_highest;
}

void subscription_bind(struct subscription *s, struct track *track)
{
    s->track = track;
    s->automatic = true;
    s->wanted = (struct layer_target){.layer = UINT8_MAX, .sid = UINT8_MAX, .tid = UINT8_MAX};
    s->sender.clock_rate = codec_info(track_codec(track)->codec)->clock_rate;
    subscription_refresh(s);
    list_append(&track->idle, &s->link);
    subscriber_note_change(s->subscriber);
    if (s->subscriber->connected)
        subscription_connect(s);
}

void subscription_unbind(struct subscription *s)
{
    struct track *track = s->track;

    list_unlink(&s->link);
    s->track = NULL;
    s->layer = s->target = NULL;
    s->attention = 0;
    if (!track)
        return;
    track_note_wishes(track); /* it may be wanted no more */
    subscriber_note_change(s->subscriber);
}

/** What of a packet goes out: `lead`, then the packet's bytes. */
struct payload {
    uint8_t lead[RED_LEAD_MAX];
    uint16_t lead_len, offset, len;
};

/* @return 0; -EBADMSG: RED that is none */
static int make_payload(const struct payload_mapping *m, const struct packet *packet,
                        struct payload *ret)
{
    const uint8_t *bytes = packet->data + packet->rtp.header_len;
    int skip = 0;

    ret->lead_len = 0;
    if (m->form == PAYLOAD_RED_PRIMARY) {
        skip = payload_red_primary(bytes, packet->rtp.payload_len);
    } else if (m->form == PAYLOAD_RED_HEADERS) {
        skip = payload_red_headers(bytes, packet->rtp.payload_len, m->block_pt, ret->lead,
                                   sizeof(ret->lead));
        ret->lead_len = (uint16_t)(skip > 0 ? skip : 0);
    }
    if (skip < 0)
        return skip;
    ret->offset = (uint16_t)(packet->rtp.header_len + skip);
    ret->len = (uint16_t)(packet->rtp.payload_len - skip);
    return 0;
}

/* Queue one packet. `osn`: by RTX, its payload begins with this number; NULL: as it is.
 * @return NULL: the queue is full */
static struct egress_head *push(struct subscription *s, const struct forward *f,
                                const struct payload *payload, const struct head_fields *fields,
                                const uint16_t *osn)
{
    struct egress_head *head;
    uint8_t *lead;

    head = egress_push(s->subscriber->core->egress, s->peer, f->packet, payload->offset,
                       payload->len);
    if (!head)
        return NULL;
    head->transport_seq_at = s->head.transport_cc_at;
    head->send_time_at = s->head.abs_send_time_at;
    head->head_len = head_template_write(&s->head, fields, f, head->bytes);
    /* What is sent again plain must be the same then; see push_again(). */
    head->may_pad = s->mappings[f->format].rtx_pt || !s->head.repeatable;
    lead = head->bytes + head->head_len;
    head->lead_len = payload->lead_len;
    head->class = s->class;
    if (osn) {
        *lead++ = (uint8_t)(*osn >> 8);
        *lead++ = (uint8_t)*osn;
        head->lead_len += RTX_LEAD_LEN;
    }
    if (UNLIKELY(payload->lead_len > 0))
        memcpy(lead, payload->lead, payload->lead_len);
    return head;
}

void subscription_prefetch(const struct subscription *s)
{
    const char *lines = (const char *)s;

    for (size_t at = 0; at < PREFETCH_BYTES; at += CACHE_LINE)
        PREFETCH(lines + at);
    PREFETCH(s->subscriber);
    PREFETCH(s->peer);
}

static void send_new(struct subscription *s, const struct forward *f)
{
    const struct payload_mapping *m = &s->mappings[f->format];
    const struct rtp_header *rtp = &f->packet->rtp;
    struct forwarder_stats *stats = &s->subscriber->core->stats;
    struct head_fields fields = {
        .marker = rtp->marker,
        .pt = m->pt,
        .ssrc = s->sender.ssrc,
    };
    struct payload payload;

    if (rtp->payload_len == 0) {
        seq_rewriter_skip(&s->rewriter, rtp->seq);
        return;
    }
    if (m->form == PAYLOAD_REFUSED || make_payload(m, f->packet, &payload) < 0) {
        stats->drop_codec++;
        seq_rewriter_skip(&s->rewriter, rtp->seq);
        return;
    }
    if (seq_rewriter_map(&s->rewriter, rtp->seq, rtp->ts, f->clock_rate, f->now_us, &fields.seq,
                         &fields.ts) < 0) {
        stats->drop_old++;
        return;
    }
    if (!push(s, f, &payload, &fields, NULL)) {
        stats->drop_queue++;
        return;
    }
    if (f->newest)
        s->mid_picture = !fields.marker;
    stats->rtp_out++;
    stream_sender_on_packet(&s->sender, rtp->payload_len);
    if (s->subscriber->responder)
        nack_responder_on_sent(s->subscriber->responder, rtp->payload_len);
}

bool subscription_forward(struct subscription *s, const struct forward *f)
{
    bool begins = UNLIKELY(s->layer != f->layer);

    if (begins && !subscription_begin(s, f))
        return false;
    if (UNLIKELY(s->attention) && !subscription_admit(s, f))
        return false;
    send_new(s, f);
    return begins && !f->newest;
}

void subscription_skip(struct subscription *s, const struct track_layer *layer, uint16_t seq)
{
    if (s->layer == layer)
        seq_rewriter_skip(&s->rewriter, seq);
}

static int allow(struct subscription *s, uint16_t seq, size_t len, int64_t now_us)
{
    struct subscriber *subscriber = s->subscriber;

    if (!subscriber->responder) {
        subscriber->responder = malloc(sizeof(*subscriber->responder));
        if (!subscriber->responder)
            return -ENOMEM;
        nack_responder_init(subscriber->responder, NACK_RESPONDER_BURST);
        if (subscriber->rtt_us >= 0)
            nack_responder_set_rtt(subscriber->responder, subscriber->rtt_us);
    }
    return nack_responder_allow(subscriber->responder, s->section->ssrc, seq, len, now_us);
}

/* @return 0 and the packet that went out with `seq`; -ENOENT, -ESTALE */
static int find_sent(struct subscription *s, uint16_t seq, int64_t now_us, struct forward *ret)
{
    int source;

    if (!s->layer)
        return -ENOENT;
    source = seq_rewriter_source_of(&s->rewriter, seq);
    if (source < 0)
        return source;
    if (track_find_packet(s->track, s->layer, (uint16_t)source, now_us, ret) < 0)
        return -ESTALE;
    return 0;
}

/* Would `seq` sent again look as it did the first time? Headers change with the m-lines, and one
 * number must never be sealed twice over different bytes (media/seal.h). */
static bool is_repeatable(const struct subscription *s, uint16_t seq)
{
    return s->head.repeatable && seq_unwrap(s->rewriter.out_highest, seq) > s->plain_after;
}

static int push_again(struct subscription *s, const struct forward *f, uint16_t seq,
                      enum egress_class class)
{
    const struct payload_mapping *m = &s->mappings[f->format];
    const struct rtp_header *rtp = &f->packet->rtp;
    struct head_fields fields = {
        .marker = rtp->marker,
        .pt = m->rtx_pt ? m->rtx_pt : m->pt,
        .seq = seq,
        .ts = seq_rewriter_map_ts(&s->rewriter, rtp->ts),
        .ssrc = m->rtx_pt ? s->section->rtx_ssrc : s->section->ssrc,
    };
    struct payload payload;
    struct egress_head *head;

    if (m->form == PAYLOAD_REFUSED || (!m->rtx_pt && !is_repeatable(s, seq)))
        return -ENOENT;
    if (make_payload(m, f->packet, &payload) < 0)
        return -ENOENT;
    if (m->rtx_pt)
        fields.seq = s->rtx_seq++;
    head = push(s, f, &payload, &fields, m->rtx_pt ? &seq : NULL);
    if (!head)
        return -ENOBUFS;
    head->class = (uint8_t) class;
    return 0;
}

static int resend(struct subscription *s, uint16_t seq, int64_t now_us)
{
    struct forward f;
    int err = find_sent(s, seq, now_us, &f);

    if (err < 0)
        return err;
    err = allow(s, seq, f.packet->rtp.payload_len, now_us);
    if (err < 0)
        return err;
    return push_again(s, &f, seq, s->class == EGRESS_MEDIA ? EGRESS_REPAIR : s->class);
}

int subscription_resend(struct subscription *s, uint16_t seq, int64_t now_us)
{
    struct forwarder_stats *stats = &s->subscriber->core->stats;
    int err = resend(s, seq, now_us);

    if (err == 0)
        stats->rtx_out++;
    else if (err == -ENOENT)
        stats->nack_unknown++;
    else if (err == -ESTALE)
        stats->nack_gone++;
    else if (err == -ENOMEM)
        stats->drop_memory++;
    else
        stats->nack_limited++;
    return err;
}

static uint8_t find_rtx_pt(const struct plan_section *section)
{
    for (size_t i = 0; i < section->n_codecs; i++) {
        if (section->codecs[i].rtx_pt)
            return section->codecs[i].rtx_pt;
    }
    return 0;
}

bool subscription_can_probe(const struct subscription *s)
{
    return s->section->rtx_ssrc && find_rtx_pt(s->section) &&
           (s->section->extensions.id[EXTENSION_TRANSPORT_CC] || s->peer->names);
}

int subscription_send_padding(struct subscription *s)
{
    struct head_fields fields = {
        .pt = find_rtx_pt(s->section),
        .seq = s->rtx_seq,
        .ts = s->rewriter.last_out_ts,
        .ssrc = s->section->rtx_ssrc,
    };
    struct forward nothing = {.n_extensions = 0};
    struct egress_head *head = egress_push(s->subscriber->core->egress, s->peer, NULL, 0, 0);
    uint8_t *lead;

    if (!head)
        return -ENOBUFS;
    s->rtx_seq++;
    if (s->head.padded_len == 0) /* nothing was ever bound */
        head_template_init(&s->head, s->section, 0);
    head->head_len = head_template_write(&s->head, &fields, &nothing, head->bytes);
    head->transport_seq_at = s->head.transport_cc_at;
    head->send_time_at = s->head.abs_send_time_at;
    head->class = EGRESS_URGENT;
    head->bytes[0] |= PADDING_BIT;
    head->lead_len = (uint16_t)(EGRESS_HEAD_MAX - head->head_len);
    if (head->lead_len > EGRESS_PAD_MAX)
        head->lead_len = EGRESS_PAD_MAX;
    lead = head->bytes + head->head_len;
    memset(lead, 0, head->lead_len);
    lead[head->lead_len - 1] = (uint8_t)head->lead_len;
    return head->head_len + head->lead_len;
}

int subscription_send_probe(struct subscription *s, uint16_t back, int64_t now_us)
{
    uint16_t seq = (uint16_t)(s->rewriter.out_highest - back);
    struct forward f;
    int err = find_sent(s, seq, now_us, &f);

    if (err < 0)
        return err;
    if (!s->mappings[f.format].rtx_pt)
        return -ENOENT;
    err = push_again(s, &f, seq, EGRESS_URGENT);
    return err < 0 ? err : s->head.padded_len + f.packet->rtp.payload_len;
}
