#include "tests/fake_media.h"

#include "media/base/clock.h"
#include "media/base/reader.h"
#include "media/base/writer.h"
#include "media/packet.h"
#include "media/payload.h"
#include "media/rtx.h"
#include "media/seq.h"

#include <errno.h>
#include <string.h>

enum { CONTENT_LEN = 9, VIDEO_KEY_LEN = 10 };

static bool is_video(enum codec codec)
{
    return codec_info(codec)->kind == KIND_VIDEO;
}

static size_t filler_len(enum codec codec, uint32_t index)
{
    return is_video(codec) ? 100 + (size_t)index * 37 % 1000 : 60 + (size_t)index % 20;
}

static void write_content(struct writer *w, enum codec codec, const struct fake_content *c)
{
    writer_u32(w, c->source);
    writer_u32(w, c->index);
    writer_u8(w, (uint8_t)((c->first ? 1 : 0) + (c->key ? 2 : 0) + 4 * c->scale));
    for (size_t i = 0; i < filler_len(codec, c->index); i++)
        writer_u8(w, (uint8_t)(c->index + i));
}

size_t fake_payload_write(enum codec codec, const struct fake_content *content, uint8_t *out)
{
    static const uint8_t key_frame[] = {0x10, 2, 0, 0x9d, 0x01, 0x2a};
    uint16_t width = (uint16_t)(320 << content->scale), height = (uint16_t)(180 << content->scale);
    const uint8_t size[] = {(uint8_t)width, (uint8_t)(width >> 8), (uint8_t)height,
                            (uint8_t)(height >> 8)};
    struct writer w = writer_of(out, FAKE_PAYLOAD_MAX);

    if (is_video(codec)) {
        /* RFC 7741: S bit, then the frame tag, whose lowest bit is clear in key frames */
        writer_u8(&w, content->first ? 0x10 : 0);
        writer_u8(&w, content->first && content->key ? key_frame[0] : 1);
        if (content->first && content->key) {
            writer_bytes(&w, key_frame + 1, sizeof(key_frame) - 1);
            writer_bytes(&w, size, sizeof(size));
        }
    } else if (codec == CODEC_RED) {
        writer_u8(&w, 0x80 | 111);
        writer_u24(&w, 960U << 10 | FAKE_RED_BLOCK);
        writer_u8(&w, 111);
        for (size_t i = 0; i < FAKE_RED_BLOCK; i++)
            writer_u8(&w, 0xee);
    }
    write_content(&w, codec, content);
    return w.len;
}

static void skip_format(struct reader *r, enum codec codec)
{
    bool first;

    if (codec == CODEC_RED)
        reader_skip(r, 5 + FAKE_RED_BLOCK);
    if (!is_video(codec))
        return;
    first = reader_u8(r) & 0x10;
    reader_skip(r, first && reader_left(r) > 0 && !(r->data[r->at] & 1) ? VIDEO_KEY_LEN : 1);
}

int fake_payload_read(enum codec codec, const uint8_t *payload, size_t len,
                      struct fake_content *ret)
{
    struct reader r = reader_of(payload, len);
    struct fake_content content = {0};
    uint8_t expected[FAKE_PAYLOAD_MAX];
    uint8_t flags;

    skip_format(&r, codec);
    content.source = reader_u32(&r);
    content.index = reader_u32(&r);
    flags = reader_u8(&r);
    content.first = flags & 1;
    content.key = flags >> 1 & 1;
    content.scale = flags >> 2 & 3;
    if (!reader_ok(&r) || fake_payload_write(codec, &content, expected) != len ||
        memcmp(expected, payload, len) != 0)
        return -EBADMSG;
    *ret = content;
    return 0;
}

/* @return offset of the primary block of RED with payloads of ours; 0: none is */
static size_t fake_red_primary(const uint8_t *payload, size_t len)
{
    int primary = payload_red_primary(payload, len);
    struct fake_content content;

    if (primary < 0 || fake_payload_read(CODEC_RED, payload, len, &content) == 0 ||
        fake_payload_read(CODEC_OPUS, payload + primary, len - (size_t)primary, &content) < 0)
        return 0;
    return (size_t)primary;
}

/* ------------------------------------------------------------------ source */

void fake_source_init(struct fake_source *s, int64_t now_us)
{
    s->next_us = now_us;
    s->key_wanted = true;
    s->level = FAKE_QUIET;
    s->seq = (uint16_t)(65500 + s->ssrc % 50); /* wraps on the way */
    s->rtx_seq = 65530;
    s->ts = UINT32_MAX - 90000;
}

static void add_extension(struct rtp_extension_value *out, uint8_t *n, uint8_t id,
                          const void *value, size_t len)
{
    if (id && len > 0)
        out[(*n)++] = (struct rtp_extension_value){.id = id, .len = (uint8_t)len, .value = value};
}

static void send_packet(struct fake_source *s, const struct rtp_write *packet, bool rtx,
                        const uint8_t *lead, const uint8_t *payload, size_t len)
{
    struct rtp_write h = *packet;
    enum extension rid = rtx ? EXTENSION_REPAIRED_RID : EXTENSION_RID;
    struct rtp_extension_value values[EXTENSION_COUNT];
    uint8_t transport_seq[2] = {(uint8_t)(*s->transport_seq >> 8), (uint8_t)*s->transport_seq};
    uint8_t head[128];
    uint8_t n = 0;
    int head_len;

    (*s->transport_seq)++;
    add_extension(values, &n, s->extensions.id[EXTENSION_MID], s->mid, strlen(s->mid));
    add_extension(values, &n, s->extensions.id[rid], s->rid, strlen(s->rid));
    add_extension(values, &n, s->extensions.id[EXTENSION_TRANSPORT_CC], transport_seq, 2);
    if (!is_video(s->codec) && !s->no_level)
        add_extension(values, &n, s->extensions.id[EXTENSION_AUDIO_LEVEL], &s->level, 1);
    h.n_extensions = n;
    h.extensions = values;
    head_len = rtp_write_header(head, sizeof(head), &h);
    if (head_len < 0)
        return;
    if (lead) {
        memcpy(head + head_len, lead, RTX_LEAD_LEN);
        head_len += RTX_LEAD_LEN;
    }
    s->send(s->owner, head, (size_t)head_len, payload, len);
}

/* Of Opus; it is not sent again. */
static void send_comfort(struct fake_source *s)
{
    static const uint8_t payload[FAKE_COMFORT_LEN + 1] = {111, 0xf8, 0}; /* RED: but one block */
    size_t skipped = s->codec == CODEC_RED ? 0 : 1;
    struct rtp_write h = {.pt = s->pt, .seq = s->seq, .ts = s->ts, .ssrc = s->ssrc};

    s->sent[s->seq % FAKE_HISTORY] = (struct fake_sent){0};
    s->seq++;
    s->packets++;
    send_packet(s, &h, false, NULL, payload + skipped, sizeof(payload) - skipped);
}

static void send_new(struct fake_source *s, const struct fake_content *content, bool marker)
{
    uint8_t payload[FAKE_PAYLOAD_MAX];
    size_t len = fake_payload_write(s->codec, content, payload);
    struct rtp_write h = {
        .marker = marker, .pt = s->pt, .seq = s->seq, .ts = s->ts, .ssrc = s->ssrc};

    s->sent[s->seq % FAKE_HISTORY] = (struct fake_sent){
        .there = true, .marker = marker, .seq = s->seq, .ts = s->ts, .content = *content};
    s->seq++;
    s->packets++;
    send_packet(s, &h, false, NULL, payload, len);
}

void fake_source_send_frame(struct fake_source *s)
{
    bool key = is_video(s->codec) && s->key_wanted;

    for (uint32_t i = 0; i < s->packets_per_frame; i++) {
        struct fake_content content = {
            .source = s->ssrc, .index = s->index, .first = i == 0, .key = key, .scale = s->scale};

        send_new(s, &content, is_video(s->codec) && i + 1 == s->packets_per_frame);
        s->index++;
    }
    s->key_wanted = false;
    s->frames++;
}

void fake_source_advance(struct fake_source *s, int64_t now_us)
{
    uint32_t rate = codec_info(s->codec)->clock_rate;

    while (s->next_us <= now_us) {
        if (!s->paused && s->comfort)
            send_comfort(s);
        else if (!s->paused && !s->unwanted)
            fake_source_send_frame(s);
        s->ts += (uint32_t)(s->frame_us * rate / SECOND);
        s->next_us += s->frame_us;
    }
}

void fake_source_send_padding(struct fake_source *s)
{
    static const uint8_t padding[100] = {[99] = 100};
    struct rtp_write h = {
        .padding = true, .pt = s->pt, .seq = s->seq++, .ts = s->ts, .ssrc = s->ssrc};

    send_packet(s, &h, false, NULL, padding, sizeof(padding));
}

void fake_source_resend(struct fake_source *s, uint16_t seq)
{
    const struct fake_sent *sent = &s->sent[seq % FAKE_HISTORY];
    uint8_t payload[FAKE_PAYLOAD_MAX];
    uint8_t osn[RTX_LEAD_LEN] = {(uint8_t)(seq >> 8), (uint8_t)seq};
    struct rtp_write h = {.marker = sent->marker, .pt = s->pt, .seq = seq, .ssrc = s->ssrc};

    s->nacks++;
    if (!sent->there || sent->seq != seq)
        return;
    s->resent++;
    h.ts = sent->ts;
    if (s->rtx_pt) {
        h.pt = s->rtx_pt;
        h.ssrc = s->rtx_ssrc;
        h.seq = s->rtx_seq++;
    }
    send_packet(s, &h, s->rtx_pt != 0, s->rtx_pt ? osn : NULL, payload,
                fake_payload_write(s->codec, &sent->content, payload));
}

/* ------------------------------------------------------------------ sink */

void fake_sink_init(struct fake_sink *s, const struct plan_section *section)
{
    *s = (struct fake_sink){.section = section, .first = -1, .newest = -1, .last_level = 255};
    memcpy(s->mid, section->mid, sizeof(s->mid));
    nack_generator_init(&s->nack, 10 * MS);
}

/* @return the codec with payload type `pt`; *rtx: it is the retransmission format of it */
static const struct plan_codec *find_codec(const struct fake_sink *s, uint8_t pt, bool *rtx)
{
    for (size_t i = 0; i < s->section->n_codecs; i++) {
        const struct plan_codec *codec = &s->section->codecs[i];

        *rtx = codec->rtx_pt && codec->rtx_pt == pt;
        if (*rtx || codec->pt == pt)
            return codec;
    }
    return NULL;
}

static bool has_mid(const struct fake_sink *s, const struct packet *packet)
{
    uint8_t id = s->section->extensions.id[EXTENSION_MID];
    const struct rtp_extension *e = rtp_find_extension(&packet->rtp, id);

    if (!id)
        return packet->rtp.n_extensions == 0 || !e;
    return e && e->len == strlen(s->mid) && memcmp(packet->data + e->offset, s->mid, e->len) == 0;
}

/* RED that was added on the way: what is missing comes with the packets after it.
 * @return the primary block's offset; 0: it is none, or what a source sends as RED */
static size_t take_red(struct fake_sink *s, const struct packet *packet, int64_t seq,
                       int64_t now_us)
{
    const uint8_t *payload = packet->data + packet->rtp.header_len;
    size_t primary = fake_red_primary(payload, packet->rtp.payload_len);
    struct reader heads = reader_of(payload, primary);
    size_t at;
    int n = 0;

    if (primary == 0)
        return 0;
    while (payload[4 * n] & 0x80)
        n++;
    at = 4U * (size_t)n + 1;
    s->red++;
    for (; n > 0; n--) {
        uint32_t head = reader_u32(&heads);
        struct fake_got got = {.there = true, .at_us = now_us};
        struct fake_got *place = &s->got[(seq - n - s->first) % FAKE_HISTORY];

        got.ts = packet->rtp.ts - (head >> 10 & 0x3fff);
        if (fake_payload_read(CODEC_OPUS, payload + at, head & 0x3ff, &got.content) < 0)
            s->wrong++;
        at += head & 0x3ff;
        if (seq - n < s->first || place->there)
            continue;
        *place = got;
        s->rescued++;
    }
    return primary;
}

static void keep(struct fake_sink *s, struct packet *packet, enum codec codec, bool rtx,
                 int64_t now_us)
{
    const struct rtp_header *rtp = &packet->rtp;
    struct reader csrc = reader_of(packet->data + RTP_HEADER_LEN, 4);
    const struct rtp_extension *level;
    struct fake_got *got;
    size_t red = 0;
    int64_t seq;

    if (s->first < 0)
        s->first = s->newest = SEQ_FIRST_CYCLE + rtp->seq;
    seq = seq_unwrap(s->newest, rtp->seq);
    if (seq > s->newest)
        s->newest = seq;
    if (seq < s->first) {
        s->wrong += !rtx; /* before the key frame it began with; sent again as a probe it may be */
        return;
    }
    if (!is_video(codec) && rtp->payload_len <= FAKE_COMFORT_LEN + (codec == CODEC_RED)) {
        s->comfort++;
        return;
    }
    got = &s->got[(seq - s->first) % FAKE_HISTORY];
    if (codec == CODEC_RED) {
        red = take_red(s, packet, seq, now_us);
        codec = red ? CODEC_OPUS : codec;
    }
    *got = (struct fake_got){.there = true, .ts = rtp->ts, .at_us = now_us};
    if (rtp->n_csrcs == 1)
        got->csrc = reader_u32(&csrc);
    if (fake_payload_read(codec, packet->data + rtp->header_len + red, rtp->payload_len - red,
                          &got->content) < 0)
        s->wrong++;
    level = rtp_find_extension(rtp, s->section->extensions.id[EXTENSION_AUDIO_LEVEL]);
    s->last_level = level ? packet->data[level->offset] : 255;
    s->last_pt = rtp->pt;
}

void fake_sink_receive(struct fake_sink *s, struct packet *packet, int64_t now_us)
{
    bool rtx = false;
    const struct plan_codec *codec = find_codec(s, packet->rtp.pt, &rtx);

    if (!codec || !has_mid(s, packet)) {
        s->wrong++;
        return;
    }
    if (rtx != (packet->rtp.ssrc != s->section->ssrc) ||
        (rtx && rtx_unwrap(packet, s->section->ssrc, codec->pt) < 0)) {
        s->wrong++;
        return;
    }
    if (nack_generator_on_packet(&s->nack, packet->rtp.seq, now_us) == 0) {
        s->duplicates++;
        return;
    }
    s->packets++;
    s->recovered += rtx;
    keep(s, packet, codec->codec, rtx, now_us);
}

const struct fake_got *fake_sink_got(const struct fake_sink *s, int64_t i)
{
    const struct fake_got *got = &s->got[i % FAKE_HISTORY];

    return i < fake_sink_len(s) && got->there ? got : NULL;
}

int64_t fake_sink_len(const struct fake_sink *s)
{
    return s->first < 0 ? 0 : s->newest - s->first + 1;
}

uint64_t fake_sink_gaps(const struct fake_sink *s)
{
    const struct fake_got *before = NULL;
    uint64_t gaps = 0;

    for (int64_t i = 0; i < fake_sink_len(s); i++) {
        const struct fake_got *got = fake_sink_got(s, i);

        if (!got || (before && before->content.source == got->content.source &&
                     before->content.index + 1 != got->content.index))
            gaps++;
        before = got;
    }
    return gaps;
}
