#include "bench/source.h"

#include "media/base/clock.h"
#include "media/base/random.h"
#include "media/base/writer.h"

#include <string.h>

enum { VIDEO_CLOCK = 90000, AUDIO_CLOCK = 48000, AUDIO_FRAMES_PER_S = 50 };

/* Later than this, frames are left out: what comes next is no burst to catch up. */
static const int64_t GIVE_UP_US = 200 * MS;

struct source_shape source_video(uint64_t bits_per_s, uint32_t frames_per_s)
{
    uint64_t frame_len = bits_per_s / 8 / frames_per_s;
    uint64_t packets = (frame_len + CONTENT_MAX - 1) / CONTENT_MAX;
    uint64_t len;

    packets = packets < 1 ? 1 : packets;
    packets = packets > SOURCE_FRAME_MAX ? SOURCE_FRAME_MAX : packets;
    len = (frame_len + packets - 1) / packets;
    len = len < CONTENT_MIN ? CONTENT_MIN : len;
    len = len > CONTENT_MAX ? CONTENT_MAX : len;
    return (struct source_shape){
        .kind = KIND_VIDEO,
        .frame_us = SECOND / frames_per_s,
        .frame_packets = (uint32_t)packets,
        .payload_len = (size_t)len,
        .frame_ticks = VIDEO_CLOCK / frames_per_s,
    };
}

struct source_shape source_audio(size_t len)
{
    return (struct source_shape){
        .kind = KIND_AUDIO,
        .frame_us = SECOND / AUDIO_FRAMES_PER_S,
        .frame_packets = 1,
        .payload_len = len,
        .frame_ticks = AUDIO_CLOCK / AUDIO_FRAMES_PER_S,
    };
}

void source_init(struct source *s, const struct source_shape *shape, uint32_t id, int64_t due_us)
{
    *s = (struct source){
        .shape = *shape,
        .ssrc = random_u32(),
        .id = id,
        .key_wanted = true,
        .seq = (uint16_t)(random_u32() & INT16_MAX), /* no early wrap: RFC 3711 section 3.3.1 */
        .ts = random_u32(),
        .picture = (uint16_t)(random_u32() & INT16_MAX),
        .due_us = due_us,
    };
}

/* Elements of one header, and where their values are. */
struct elements {
    uint8_t n;
    struct rtp_extension_value list[4];
    uint8_t seq[2], time[3], level;
};

static void add(struct elements *out, uint8_t id, const uint8_t *value, size_t len)
{
    if (id != 0 && len > 0)
        out->list[out->n++] = (struct rtp_extension_value){id, (uint8_t)len, value};
}

/* Seconds in 6.18 fixed point. */
static void write_send_time(uint8_t out[3], int64_t wall_us)
{
    struct writer w = writer_of(out, 3);
    uint64_t time = ((uint64_t)(wall_us % (64 * SECOND)) << 18) / SECOND;

    writer_u8(&w, (uint8_t)(time >> 16));
    writer_u16(&w, (uint16_t)time);
}

/* Of somebody who speaks: 30 dB below the loudest, now more, now less. RFC 6464 section 3. */
static uint8_t level_of(const struct source *s)
{
    enum { VOICE = 0x80, USUAL = 26, SPREAD = 9 };

    return (uint8_t)(VOICE | (USUAL + (s->index * 7 + s->id) % SPREAD));
}

/* What browsers write of it. */
static void describe(const struct source *s, uint16_t *transport_seq, int64_t wall_us,
                     struct elements *out)
{
    const uint8_t *ids = s->extensions.id;

    *out = (struct elements){
        .seq = {(uint8_t)(*transport_seq >> 8), (uint8_t)*transport_seq},
        .level = level_of(s),
    };
    write_send_time(out->time, wall_us);
    if (ids[EXTENSION_TRANSPORT_CC])
        ++*transport_seq;
    add(out, ids[EXTENSION_TRANSPORT_CC], out->seq, sizeof(out->seq));
    add(out, ids[EXTENSION_ABS_SEND_TIME], out->time, sizeof(out->time));
    if (s->shape.kind == KIND_AUDIO)
        add(out, ids[EXTENSION_AUDIO_LEVEL], &out->level, 1);
    if (!s->known)
        add(out, ids[EXTENSION_MID], (const uint8_t *)s->mid, strlen(s->mid));
}

static size_t write_head(const struct source *s, bool last, const struct elements *elements,
                         uint8_t *head)
{
    struct rtp_write rtp = {
        .marker = last && s->shape.kind == KIND_VIDEO,
        .pt = s->pt,
        .seq = s->seq,
        .ts = s->ts,
        .ssrc = s->ssrc,
        .n_extensions = elements->n,
        .extensions = elements->list,
    };
    int len = rtp_write_header(head, SOURCE_HEAD_MAX, &rtp);

    return len < 0 ? 0 : (size_t)len; /* there is room */
}

size_t source_next_frame(struct source *s, struct source_packet *out, uint16_t *transport_seq,
                         int64_t wall_us)
{
    struct content content = {
        .kind = s->shape.kind,
        .source = s->id,
        .sent_us = wall_us,
        .key = s->key_wanted,
        .picture = s->picture,
    };
    struct elements elements;

    for (uint32_t i = 0; i < s->shape.frame_packets; i++) {
        content.first = i == 0;
        content.index = s->index;
        describe(s, transport_seq, wall_us, &elements);
        out[i].head_len = write_head(s, i + 1 == s->shape.frame_packets, &elements, out[i].head);
        content_write(&content, out[i].payload, s->shape.payload_len);
        out[i].payload_len = s->shape.payload_len;
        s->seq++;
        s->index++;
    }
    s->key_wanted = false;
    s->picture = (uint16_t)(s->picture + 1) & INT16_MAX;
    s->ts += s->shape.frame_ticks;
    s->packets += s->shape.frame_packets;
    s->octets += s->shape.frame_packets * s->shape.payload_len;
    return s->shape.frame_packets;
}

int64_t source_step(struct source *s, int64_t now_us)
{
    int64_t late_us = now_us - s->due_us;

    s->due_us += s->shape.frame_us;
    while (now_us - s->due_us > GIVE_UP_US) {
        s->due_us += s->shape.frame_us;
        s->ts += s->shape.frame_ticks;
    }
    return late_us;
}
