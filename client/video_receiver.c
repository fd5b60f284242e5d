#include "client/video_receiver.h"

#include "client/vp8.h"
#include "media/base/clock.h"
#include "media/frame_info.h"
#include "media/key_frame_request.h"
#include "media/nack_generator.h"
#include "media/packet.h"
#include "media/seq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const int64_t REORDER_US = 10 * MS;  /* grace before a gap is asked for */
static const int64_t GIVE_UP_US = 400 * MS; /* a gap this old: a key frame is faster */

enum { RING = 1024 }; /* packets held at most, a power of two */

struct held {
    struct packet *packet; /* NULL: nothing here */
    int64_t seq;
    uint32_t source;
};

struct video_receiver {
    void (*on_frame)(void *owner, const struct video_frame *frame);
    void *owner;
    struct nack_generator nacks;
    struct key_frame_request key_frames;
    bool started, waiting; /* waiting: for a key frame, all else is dropped */
    int64_t newest, next;  /* unwrapped; next: put into a frame next */
    int64_t gap_us;        /* since when `next` is missing; NEVER_US: it is not */
    struct held ring[RING];
    struct video_frame frame; /* in the making */
    bool in_frame;
    size_t len, capacity;
    uint8_t *data;
    struct video_receiver_stats stats;
};

int video_receiver_new(struct video_receiver **ret,
                       void (*on_frame)(void *owner, const struct video_frame *frame), void *owner)
{
    struct video_receiver *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->on_frame = on_frame;
    r->owner = owner;
    r->waiting = true;
    r->gap_us = NEVER_US;
    nack_generator_init(&r->nacks, REORDER_US);
    key_frame_request_init(&r->key_frames, KEY_FRAME_INTERVAL_US);
    *ret = r;
    return 0;
}

struct video_receiver *video_receiver_free(struct video_receiver *r)
{
    if (!r)
        return NULL;
    for (size_t i = 0; i < RING; i++)
        packet_unref(r->ring[i].packet);
    free(r->data);
    free(r);
    return NULL;
}

static struct held *held_at(struct video_receiver *r, int64_t seq)
{
    struct held *held = &r->ring[seq % RING];

    return held->packet && held->seq == seq ? held : NULL;
}

static void drop(struct video_receiver *r, struct held *held)
{
    held->packet = packet_unref(held->packet);
    r->stats.dropped++;
}

static void wait_for_key_frame(struct video_receiver *r)
{
    r->waiting = true;
    r->in_frame = false;
    r->gap_us = NEVER_US;
    key_frame_request_want(&r->key_frames);
}

static bool append(struct video_receiver *r, const uint8_t *data, size_t len)
{
    if (r->len + len > VP8_FRAME_MAX)
        return false;
    if (r->len + len > r->capacity) {
        size_t capacity = (r->len + len) * 2;
        uint8_t *grown = realloc(r->data, capacity);

        if (!grown)
            return false;
        r->data = grown;
        r->capacity = capacity;
    }
    memcpy(r->data + r->len, data, len);
    r->len += len;
    return true;
}

static void begin_frame(struct video_receiver *r, const struct held *held,
                        const struct vp8_payload *part)
{
    const struct rtp_header *rtp = &held->packet->rtp;
    struct frame_packet from = {
        .codec = CODEC_VP8,
        .payload = held->packet->data + rtp->header_len,
        .len = rtp->payload_len,
    };
    struct frame_info info;

    r->in_frame = true;
    r->len = 0;
    r->frame.key_frame = part->key_frame;
    r->frame.ts = rtp->ts;
    r->frame.source = held->source;
    if (!part->key_frame)
        return;
    frame_info_read(&info, &from, NULL);
    r->frame.width = info.width;
    r->frame.height = info.height;
    r->stats.width = info.width;
    r->stats.height = info.height;
    r->waiting = false;
    key_frame_request_on_key_frame(&r->key_frames);
}

static void end_frame(struct video_receiver *r)
{
    r->in_frame = false;
    r->frame.data = r->data;
    r->frame.len = r->len;
    r->stats.frames++;
    r->stats.key_frames += r->frame.key_frame;
    r->stats.bytes += r->len;
    r->on_frame(r->owner, &r->frame);
}

/* Use the packet that is next. */
static void use(struct video_receiver *r, struct held *held)
{
    const struct rtp_header *rtp = &held->packet->rtp;
    struct vp8_payload part;

    if (rtp->payload_len == 0)
        return; /* padding */
    if (vp8_depacketize(&part, held->packet->data + rtp->header_len, rtp->payload_len) < 0) {
        wait_for_key_frame(r);
        return;
    }
    if (part.starts_frame && (part.key_frame || !r->waiting))
        begin_frame(r, held, &part);
    if (r->waiting)
        key_frame_request_want(&r->key_frames);
    if (!r->in_frame) {
        r->stats.dropped++;
        return;
    }
    if (!append(r, part.data, part.len))
        wait_for_key_frame(r);
    else if (rtp->marker)
        end_frame(r);
}

static void use_all(struct video_receiver *r, int64_t now_us)
{
    struct held *held;

    while ((held = held_at(r, r->next)) != NULL) {
        use(r, held);
        held->packet = packet_unref(held->packet);
        r->next++;
        r->gap_us = NEVER_US;
    }
    if (r->next <= r->newest && r->gap_us == NEVER_US)
        r->gap_us = now_us;
}

static void forget_all(struct video_receiver *r)
{
    for (size_t i = 0; i < RING; i++) {
        if (r->ring[i].packet)
            drop(r, &r->ring[i]);
    }
}

static void begin_at(struct video_receiver *r, uint16_t seq)
{
    forget_all(r);
    r->started = true;
    r->newest = SEQ_FIRST_CYCLE + seq;
    r->next = r->newest;
    wait_for_key_frame(r);
}

/* @return the packet's unwrapped number, or -1: drop it */
static int64_t place_of(struct video_receiver *r, uint16_t seq16, int64_t now_us)
{
    int64_t seq;
    int isnew = nack_generator_on_packet(&r->nacks, seq16, now_us);

    if (isnew == 0)
        return -1;
    if (!r->started || isnew == -ERANGE)
        begin_at(r, seq16);
    seq = seq_unwrap(r->newest, seq16);
    if (seq < r->next)
        return -1;
    if (seq >= r->next + RING) {
        begin_at(r, seq16);
        seq = r->newest;
    }
    return seq;
}

void video_receiver_put(struct video_receiver *r, struct packet *packet, uint32_t source,
                        int64_t now_us)
{
    int64_t seq = place_of(r, packet->rtp.seq, now_us);

    if (seq < 0)
        return;
    r->stats.packets++;
    r->stats.recovered += seq < r->newest;
    if (seq > r->newest)
        r->newest = seq;
    r->ring[seq % RING] = (struct held){.packet = packet_ref(packet), .seq = seq, .source = source};
    use_all(r, now_us);
}

/* @return the first packet held at or after `seq` that starts a key frame, or NULL */
static struct held *next_key_frame(struct video_receiver *r, int64_t seq)
{
    for (; seq <= r->newest; seq++) {
        struct held *held = held_at(r, seq);
        struct vp8_payload part;

        if (held &&
            vp8_depacketize(&part, held->packet->data + held->packet->rtp.header_len,
                            held->packet->rtp.payload_len) == 0 &&
            part.key_frame)
            return held;
    }
    return NULL;
}

static void skip_gap(struct video_receiver *r, int64_t now_us)
{
    const struct held *key_frame = next_key_frame(r, r->next);
    int64_t to = key_frame ? key_frame->seq : r->newest + 1;

    for (; r->next < to; r->next++) {
        struct held *held = held_at(r, r->next);

        if (held)
            drop(r, held);
    }
    wait_for_key_frame(r);
    use_all(r, now_us);
}

int64_t video_receiver_advance(struct video_receiver *r, int64_t now_us)
{
    int64_t gap_deadline_us;

    if (r->gap_us != NEVER_US && now_us - r->gap_us >= GIVE_UP_US)
        skip_gap(r, now_us);
    gap_deadline_us = r->gap_us == NEVER_US ? NEVER_US : r->gap_us + GIVE_UP_US;
    return clock_earlier(gap_deadline_us,
                         clock_earlier(nack_generator_deadline(&r->nacks),
                                       key_frame_request_deadline(&r->key_frames)));
}

size_t video_receiver_poll_nacks(struct video_receiver *r, int64_t now_us, uint16_t *out,
                                 size_t max)
{
    return nack_generator_poll(&r->nacks, now_us, out, max);
}

bool video_receiver_poll_key_frame(struct video_receiver *r, int64_t now_us)
{
    return key_frame_request_poll(&r->key_frames, now_us);
}

const struct video_receiver_stats *video_receiver_stats(const struct video_receiver *r)
{
    return &r->stats;
}
