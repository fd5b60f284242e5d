#include "bench/source.h"

#include "media/base/clock.h"
#include "media/base/random.h"
#include "media/base/writer.h"

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

static void write_head(const struct source *s, bool last, uint8_t *head)
{
    struct rtp_write rtp = {
        .marker = last && s->shape.kind == KIND_VIDEO,
        .pt = s->pt,
        .seq = s->seq,
        .ts = s->ts,
        .ssrc = s->ssrc,
    };

    (void)!rtp_write_header(head, RTP_HEADER_LEN, &rtp);
}

size_t source_next_frame(struct source *s, struct source_packet *out, int64_t wall_us)
{
    struct content content = {
        .kind = s->shape.kind,
        .source = s->id,
        .sent_us = wall_us,
        .key = s->key_wanted,
        .picture = s->picture,
    };

    for (uint32_t i = 0; i < s->shape.frame_packets; i++) {
        content.first = i == 0;
        content.index = s->index;
        write_head(s, i + 1 == s->shape.frame_packets, out[i].head);
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
