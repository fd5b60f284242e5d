#include "sfu/subscription.h"

#include "media/base/random.h"
#include "media/egress.h"
#include "media/payload.h"
#include "media/rtx.h"
#include "media/seq.h"
#include "sfu/core.h"
#include "sfu/format_match.h"
#include "sfu/subscription_red.h"
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
    free(s->layers);
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

/* Plain Opus gets the payloads before it, if the slot takes that. */
static bool map_with_red(const struct plan_section *slot, size_t opus, struct payload_mapping *ret)
{
    int red = format_find(slot, CODEC_RED);

    if (red < 0)
        return false;
    *ret = (struct payload_mapping){
        .form = PAYLOAD_RED_ADD,
        .pt = slot->codecs[red].pt,
        .rtx_pt = slot->codecs[red].rtx_pt,
        .block_pt = slot->codecs[opus].pt,
    };
    return true;
}

static struct payload_mapping map_format(const struct plan_section *slot,
                                         const struct plan_section *published, size_t format,
                                         bool adds_red)
{
    const struct plan_codec *codec = &published->codecs[format];
    struct payload_mapping with_red;
    int found;

    if (codec->codec == CODEC_RED)
        return map_red(slot, published);
    found = format_match(slot, codec);
    if (found < 0)
        return (struct payload_mapping){.form = PAYLOAD_REFUSED};
    if (adds_red && codec->codec == CODEC_OPUS && map_with_red(slot, (size_t)found, &with_red))
        return with_red;
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
        s->mappings[i] = map_format(s->section, published, i, s->subscriber->red_blocks > 0);
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
    s->measure.key_frames = s->measure.freezes_avoided = 0;
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
    s->layer = s->target = s->before = NULL;
    s->attention = 0;
    if (s->layers)
        s->layers->past = NULL;
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
    } else if (m->form == PAYLOAD_RED_ADD) {
        ret->lead[0] = m->block_pt; /* RED of one block, unless push() makes more of it */
        ret->lead_len = 1;
    }
    if (skip < 0)
        return skip;
    ret->offset = (uint16_t)(packet->rtp.header_len + skip);
    ret->len = (uint16_t)(packet->rtp.payload_len - skip);
    return 0;
}

static struct egress_head *push_payload(struct subscription *s, const struct forward *f,
                                        const struct payload *payload,
                                        const struct head_fields *fields, const uint16_t *osn)
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

/* The payload becomes that of a packet made for it. */
static struct egress_head *push_with_red(struct subscription *s, const struct forward *f,
                                         const struct payload *payload,
                                         const struct head_fields *fields, const uint16_t *osn)
{
    struct packet *red = subscription_red_make(
        s->subscriber->core, f, s->mappings[f->format].block_pt, s->subscriber->red_blocks);
    struct forward with = *f;
    struct payload whole = {0};
    struct egress_head *head;

    if (!red)
        return push_payload(s, f, payload, fields, osn);
    with.packet = red;
    whole.len = red->len;
    head = push_payload(s, &with, &whole, fields, osn);
    if (head && !osn)
        s->sender.bytes += (uint64_t)red->len - f->packet->rtp.payload_len;
    packet_unref(red);
    return head;
}

/* Queue one packet. `osn`: by RTX, its payload begins with this number; NULL: as it is.
 * @return NULL: the queue is full */
static struct egress_head *push(struct subscription *s, const struct forward *f,
                                const struct payload *payload, const struct head_fields *fields,
                                const uint16_t *osn)
{
    if (UNLIKELY(s->mappings[f->format].form == PAYLOAD_RED_ADD) && f->packet)
        return push_with_red(s, f, payload, fields, osn);
    return push_payload(s, f, payload, fields, osn);
}

void subscription_prefetch(const struct subscription *s)
{
    const char *lines = (const char *)s;

    for (size_t at = 0; at < PREFETCH_BYTES; at += CACHE_LINE)
        PREFETCH(lines + at);
    PREFETCH(s->subscriber);
    PREFETCH(s->peer);
}

static bool has_numbers(const struct frame_info *frame)
{
    return frame->picture_bits | frame->has_tl0 | frame->has_dd | frame->undecided;
}

/* Write the numbers of pictures that this subscriber sees. @return 0, and *ret are those; -ERANGE:
 * the picture is too old to tell, or was left out */
static int renumber(struct picture_rewriter *pictures, const struct forward *f,
                    struct payload *payload, struct head_fields *fields,
                    struct picture_numbers *ret)
{
    const struct packet *packet = f->packet;
    int err;

    *ret = picture_numbers_of(&f->frame);
    if (LIKELY(!pictures))
        return 0;
    err = picture_rewriter_map(pictures, &f->frame, ret);
    if (err < 0)
        return err;
    payload->lead_len = (uint16_t)picture_rewriter_write(
        &f->frame, ret, packet->data + packet->rtp.header_len, payload->lead);
    payload->offset = (uint16_t)(payload->offset + payload->lead_len);
    payload->len = (uint16_t)(payload->len - payload->lead_len);
    fields->frame_step = (uint16_t)(ret->frame - f->frame.frame_number);
    return 0;
}

static struct picture_rewriter *pictures_of(const struct subscription *s)
{
    return UNLIKELY(s->layers != NULL) && s->layers->renumbers ? &s->layers->pictures : NULL;
}

/* Send padding instead of what is left out and whose number the subscriber waits for. */
static struct egress_head *push_padding(struct subscription *s, const struct forward *f,
                                        struct head_fields *fields, const uint16_t *osn)
{
    struct forward plain = *f;
    struct payload payload = {.lead = {1}, .lead_len = 1};

    plain.packet = NULL;
    plain.n_extensions = 0;
    fields->marker = false;
    fields->padding = true;
    return push(s, &plain, &payload, fields, osn);
}

static void note_sent(struct subscription *s, const struct egress_head *head, size_t payload_len)
{
    if (!head) {
        s->subscriber->core->stats.drop_queue++;
        return;
    }
    s->subscriber->core->stats.rtp_out++;
    stream_sender_on_packet(&s->sender, payload_len);
    if (s->subscriber->responder)
        nack_responder_on_sent(s->subscriber->responder, payload_len);
}

/* A packet goes to nobody: leave no gap. If a later one came before it there is one already, which
 * a packet without content fills. */
static void leave_out(struct subscription *s, struct seq_rewriter *rewriter,
                      const struct forward *f)
{
    const struct rtp_header *rtp = &f->packet->rtp;
    const struct payload_mapping *m = &s->mappings[f->format];
    struct head_fields fields = {.pt = m->pt, .ssrc = s->sender.ssrc};

    if (LIKELY(f->newest)) {
        seq_rewriter_skip_at(rewriter, rtp->seq, rtp->ts, f->now_us);
        return;
    }
    if (!rewriter->started || rewriter->switching || m->rtx_pt == 0 ||
        seq_rewriter_map(rewriter, rtp->seq, rtp->ts, f->clock_rate, f->now_us, &fields.seq,
                         &fields.ts) < 0)
        return;
    note_sent(s, push_padding(s, f, &fields, NULL), 0);
}

/* Queue a packet again, or late. @return 0, and *ret, which is NULL if the queue is full; -ENOENT;
 * -ESTALE: its picture is too old to tell the numbers it had */
static int push_old(struct subscription *s, const struct forward *f,
                    struct picture_rewriter *pictures, struct head_fields *fields,
                    const uint16_t *osn, struct egress_head **ret)
{
    struct picture_numbers numbers;
    struct payload payload;

    if (make_payload(&s->mappings[f->format], f->packet, &payload) < 0)
        return -ENOENT;
    if (has_numbers(&f->frame) && renumber(pictures, f, &payload, fields, &numbers) < 0)
        return -ESTALE;
    *ret = push(s, f, &payload, fields, osn);
    return 0;
}

/* A late packet of what was sent before the last switch: its place is known still. */
static void send_past(struct subscription *s, const struct forward *f)
{
    const struct payload_mapping *m = &s->mappings[f->format];
    const struct rtp_header *rtp = &f->packet->rtp;
    struct head_fields fields = {.marker = rtp->marker, .pt = m->pt, .ssrc = s->sender.ssrc};
    struct selector_packet packet = subscription_selector_packet(f, false);
    struct selector_verdict verdict = {.forward = true};
    struct egress_head *head;
    struct sent_source from;

    if (!subscription_find_past(s, f, &from) || m->form == PAYLOAD_REFUSED)
        return;
    if (from.selector)
        verdict = layer_selector_decide(from.selector, &packet);
    if (!verdict.forward || rtp->payload_len == 0) {
        leave_out(s, from.rewriter, f);
        return;
    }
    fields.marker |= verdict.ends_picture;
    if (seq_rewriter_map(from.rewriter, rtp->seq, rtp->ts, f->clock_rate, f->now_us, &fields.seq,
                         &fields.ts) == 0 &&
        push_old(s, f, from.pictures, &fields, NULL, &head) == 0)
        note_sent(s, head, rtp->payload_len);
}

static void send_new(struct subscription *s, const struct forward *f, bool newest, bool marker)
{
    const struct payload_mapping *m = &s->mappings[f->format];
    const struct rtp_header *rtp = &f->packet->rtp;
    struct forwarder_stats *stats = &s->subscriber->core->stats;
    struct head_fields fields = {.marker = marker, .pt = m->pt, .ssrc = s->sender.ssrc};
    struct picture_numbers numbers;
    struct payload payload;

    if (rtp->payload_len == 0) {
        leave_out(s, &s->rewriter, f);
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
        send_past(s, f);
        return;
    }
    if (has_numbers(&f->frame)) {
        if (renumber(pictures_of(s), f, &payload, &fields, &numbers) < 0) {
            stats->drop_old++;
            return;
        }
        if (newest && !f->frame.undecided)
            s->numbers = numbers;
        else if (!f->frame.undecided)
            picture_numbers_raise(&s->numbers, &numbers);
    }
    if (newest)
        s->mid_picture = !marker;
    note_sent(s, push(s, f, &payload, &fields, NULL), rtp->payload_len);
}

static void send_attentively(struct subscription *s, const struct forward *f, bool newest)
{
    bool marker = f->packet->rtp.marker;

    switch (subscription_admit(s, f, newest)) {
    case ADMIT:
        send_new(s, f, newest, marker);
        break;
    case ADMIT_AS_END:
        send_new(s, f, newest, true);
        break;
    case ADMIT_NOT:
        leave_out(s, &s->rewriter, f);
        break;
    case ADMIT_NONE:
        return;
    }
    if (s->attention & ATTEND_SWITCH && !s->mid_picture)
        subscription_finish_switch(s, f->now_us);
}

bool subscription_forward(struct subscription *s, const struct forward *f)
{
    bool begins = UNLIKELY(s->layer != f->layer);
    bool newest = f->newest || begins;

    if (begins && !subscription_begin(s, f)) {
        send_past(s, f);
        return false;
    }
    if (UNLIKELY(s->attention))
        send_attentively(s, f, newest);
    else
        send_new(s, f, newest, f->packet->rtp.marker);
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
        nack_responder_set_estimate(subscriber->responder, subscriber->estimate_bps);
    }
    return nack_responder_allow(subscriber->responder, s->section->ssrc, seq, len, now_us);
}

/* Would `seq` sent again look as it did the first time? Headers change with the m-lines, and one
 * number must never be sealed twice over different bytes (media/seal.h). */
static bool is_repeatable(const struct subscription *s, uint16_t seq)
{
    return s->head.repeatable && seq_unwrap(s->rewriter.out_highest, seq) > s->plain_after;
}

/* @return what was decided about a packet that was sent */
static struct selector_verdict recall(const struct sent_source *from, const struct forward *f)
{
    struct selector_packet packet = {.frame = &f->frame, .ts = f->packet->rtp.ts};

    if (!from->selector)
        return (struct selector_verdict){.forward = true};
    return layer_selector_recall(from->selector, &packet);
}

static int push_again(struct subscription *s, const struct forward *f,
                      const struct sent_source *from, uint16_t seq, enum egress_class class)
{
    const struct payload_mapping *m = &s->mappings[f->format];
    const struct rtp_header *rtp = &f->packet->rtp;
    struct selector_verdict verdict = recall(from, f);
    struct head_fields fields = {
        .marker = rtp->marker || verdict.ends_picture,
        .pt = m->rtx_pt ? m->rtx_pt : m->pt,
        .seq = seq,
        .ts = seq_rewriter_map_ts(from->rewriter, rtp->ts),
        .ssrc = m->rtx_pt ? s->section->rtx_ssrc : s->section->ssrc,
    };
    struct egress_head *head;
    int err = 0;

    /* What was before it may have come meanwhile: added RED is not what it was. */
    if (m->form == PAYLOAD_REFUSED || (!m->rtx_pt && m->form == PAYLOAD_RED_ADD) ||
        (!m->rtx_pt && (!is_repeatable(s, seq) || verdict.unknown || !verdict.forward)))
        return -ENOENT;
    if (m->rtx_pt)
        fields.seq = s->rtx_seq++;
    if (!verdict.forward || rtp->payload_len == 0)
        head = push_padding(s, f, &fields, m->rtx_pt ? &seq : NULL);
    else
        err = push_old(s, f, from->pictures, &fields, m->rtx_pt ? &seq : NULL, &head);
    if (err < 0)
        return err;
    if (!head)
        return -ENOBUFS;
    head->class = (uint8_t) class;
    return 0;
}

/* @return 0, the packet that went out with `seq`, and how; -ENOENT, -ESTALE */
static int find_sent(struct subscription *s, uint16_t seq, int64_t now_us, struct forward *ret,
                     struct sent_source *from)
{
    int source = subscription_find_sent(s, seq, now_us, from);

    if (source < 0)
        return source;
    if (track_find_packet(s->track, from->layer, (uint16_t)source, now_us, ret) < 0)
        return -ESTALE;
    return 0;
}

static int resend(struct subscription *s, uint16_t seq, int64_t now_us)
{
    struct sent_source from;
    struct forward f;
    int err = find_sent(s, seq, now_us, &f, &from);

    if (err < 0)
        return err;
    err = allow(s, seq, f.packet->rtp.payload_len, now_us);
    if (err < 0)
        return err;
    return push_again(s, &f, &from, seq, s->class == EGRESS_MEDIA ? EGRESS_REPAIR : s->class);
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
    struct sent_source from;
    struct forward f;
    int err = find_sent(s, seq, now_us, &f, &from);

    if (err < 0)
        return err;
    if (!s->mappings[f.format].rtx_pt)
        return -ENOENT;
    err = push_again(s, &f, &from, seq, EGRESS_URGENT);
    return err < 0 ? err : s->head.padded_len + f.packet->rtp.payload_len;
}
