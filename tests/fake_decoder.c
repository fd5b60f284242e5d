#include "tests/fake_decoder.h"

#include "media/base/clock.h"
#include "media/base/codec.h"

#include <string.h>

enum { RATE = 90000, PICTURES = 1 << 15, GROUP = 4, LOST_MAX = 256 };

static void fail(struct fake_decoder *d, const char *problem)
{
    if (!d->problem)
        d->problem = problem;
}

/* ------------------------------------------------------------------ reading */

static size_t truth_at(const struct fake_decoder *d, const struct frame_info *info)
{
    switch ((int)d->codec) {
    case CODEC_VP8:
        return info->descriptor_len + 1U;
    case CODEC_VP9:
        return info->descriptor_len;
    case CODEC_H264:
        return 2;
    default:
        return 1;
    }
}

/* VP9: what the descriptor of a flexible stream says that the picture refers to. */
static void read_vp9_diffs(struct fake_decoder *d, const uint8_t *payload, size_t len)
{
    size_t at = 4;

    d->n_diffs = 0;
    if (d->structure || !(payload[0] & 0x40))
        return;
    do {
        d->diffs[d->n_diffs++] = payload[at] >> 1;
    } while (payload[at++] & 1 && at < len && d->n_diffs < FAKE_VIDEO_REFERENCES);
}

static void read_dd(struct fake_decoder *d, const struct fake_decoder_packet *p)
{
    struct dd_frame f;

    if (dd_read(&f, &d->dd, p->descriptor, p->descriptor_len) < 0) {
        fail(d, "descriptor cannot be read");
        return;
    }
    d->info.begins = f.begins;
    d->info.ends = f.ends;
    d->info.frame_number = f.number;
    d->n_diffs = f.n_fdiffs < FAKE_VIDEO_REFERENCES ? f.n_fdiffs : FAKE_VIDEO_REFERENCES;
    memcpy(d->diffs, f.fdiffs, sizeof(d->diffs));
}

static int read_packet(struct fake_decoder *d, const struct fake_decoder_packet *p,
                       struct fake_frame *ret)
{
    struct frame_packet from = {
        .codec = d->codec, .marker = p->marker, .payload = p->payload, .len = p->len};

    frame_info_read(&d->info, &from, NULL);
    if (d->codec == CODEC_VP9)
        read_vp9_diffs(d, p->payload, p->len);
    if (fake_frame_read(ret, p->payload, p->len, truth_at(d, &d->info)) < 0 ||
        ret->source >= FAKE_DECODER_SOURCES)
        return -1;
    if (d->descriptor)
        read_dd(d, p);
    return 0;
}

/* ------------------------------------------------------------------ references */

static bool refers_to(const struct fake_frame *f, uint32_t number)
{
    for (uint8_t i = 0; i < f->n_references; i++) {
        if (f->references[i] == number)
            return true;
    }
    return false;
}

/* What was found must be what it truly refers to. */
static void compare(struct fake_decoder *d, const uint32_t *found, uint8_t n)
{
    if (n != d->frame.n_references)
        fail(d, "other number of references than the encoder had");
    for (uint8_t i = 0; i < n; i++) {
        if (!refers_to(&d->frame, found[i]))
            fail(d, "refers to another frame than the encoder did");
    }
}

static bool follows(uint16_t id, uint16_t previous, uint16_t cycle)
{
    uint16_t step = (uint16_t)((id - previous) & (cycle - 1));

    return step > 0 && step < cycle / 2;
}

/* As RtpVp8RefFinder: by TL0PICIDX and the newest picture of each layer. */
static void find_vp8(struct fake_decoder *d)
{
    const struct frame_info *info = &d->info;
    uint32_t found[FAKE_VIDEO_TEMPORAL];
    uint8_t n = 0;
    uint16_t step = (uint16_t)((info->picture - d->previous_info.picture) & (PICTURES - 1));

    if (d->started && step != 1 && !((d->filled || d->jumped) && follows(step, 0, PICTURES)))
        fail(d, "picture id does not follow");
    if (d->started && !d->jumped && info->tl0 != (uint8_t)(d->previous_info.tl0 + (info->tid == 0)))
        fail(d, "TL0PICIDX does not follow");
    if (d->started && !d->jumped &&
        info->key_index != ((d->previous_info.key_index + d->frame.key) & 0x1f))
        fail(d, "KEYIDX does not follow");
    if (d->frame.key) {
        memset(d->has_vp8_layer, 0, sizeof(d->has_vp8_layer));
    } else if (info->tid == 0 || info->up_switch) {
        found[n++] = d->vp8_layers[0];
    } else {
        for (uint8_t i = 0; i <= info->tid; i++) {
            if (!d->has_vp8_layer[i])
                fail(d, "needs a layer that did not come");
            found[n++] = d->vp8_layers[i];
        }
    }
    compare(d, found, n);
    d->vp8_layers[info->tid] = d->frame.number;
    d->has_vp8_layer[info->tid] = true;
}

static uint32_t *numbers_of(struct fake_decoder *d, uint16_t id)
{
    return d->number_of[id];
}

/* As RtpVp9RefFinder. */
static void find_vp9(struct fake_decoder *d)
{
    static const uint8_t group[GROUP] = {4, 1, 2, 1};
    const struct frame_info *info = &d->info;
    uint32_t found[FAKE_VIDEO_REFERENCES + 1];
    uint8_t n = 0;

    if (d->started && info->picture != d->previous_info.picture &&
        !follows(info->picture, d->previous_info.picture, PICTURES))
        fail(d, "picture id does not follow");
    if (info->key && info->sid == 0)
        d->group_start = info->picture;
    if (d->structure && !info->key) {
        d->n_diffs = 1;
        d->diffs[0] = group[(info->picture - d->group_start) & (GROUP - 1)];
    }
    for (uint8_t i = 0; i < d->n_diffs; i++)
        found[n++] = numbers_of(d, (info->picture - d->diffs[i]) & (PICTURES - 1))[info->sid];
    if (info->inter_layer && info->sid > 0)
        found[n++] = numbers_of(d, info->picture)[info->sid - 1];
    compare(d, found, n);
    numbers_of(d, info->picture)[info->sid] = d->frame.number;
    if (d->structure && d->started && !d->jumped &&
        info->tl0 != (uint8_t)(d->previous_info.tl0 + (info->tid == 0)))
        fail(d, "TL0PICIDX does not follow");
}

static void find_dd(struct fake_decoder *d)
{
    uint32_t found[FAKE_VIDEO_REFERENCES];

    if (d->started && !follows(d->info.frame_number, d->previous_info.frame_number, 0x8000))
        fail(d, "frame number does not follow");
    for (uint8_t i = 0; i < d->n_diffs; i++)
        found[i] = numbers_of(d, (uint16_t)(d->info.frame_number - d->diffs[i]))[0];
    compare(d, found, d->n_diffs);
    numbers_of(d, d->info.frame_number)[0] = d->frame.number;
}

static void find_by_order(struct fake_decoder *d)
{
    uint32_t found = d->previous.number;

    if (d->frame.key)
        compare(d, NULL, 0);
    else if (!d->started || d->previous.source != d->frame.source)
        fail(d, "the stream goes on without a key frame");
    else
        compare(d, &found, 1);
}

static void find_references(struct fake_decoder *d)
{
    if (d->codec == CODEC_VP8)
        find_vp8(d);
    else if (d->codec == CODEC_VP9)
        find_vp9(d);
    if (d->descriptor)
        find_dd(d);
    else if (d->codec == CODEC_H264 || d->codec == CODEC_AV1)
        find_by_order(d);
}

/* ------------------------------------------------------------------ frames */

static void decode(struct fake_decoder *d)
{
    const struct fake_frame *f = &d->frame;

    for (uint8_t i = 0; i < f->n_references; i++) {
        if (!d->decoded[f->source][f->references[i] % FAKE_DECODER_FRAMES])
            fail(d, "refers to a frame that was not decoded");
    }
    find_references(d);
    d->decoded[f->source][f->number % FAKE_DECODER_FRAMES] = true;
    d->previous = *f;
    d->previous_info = d->info;
    d->started = true;
    d->filled = d->jumped = false;
}

static int64_t off_by_us(const struct fake_decoder *d, uint32_t ts, int64_t captured_us)
{
    int64_t ts_us = (int32_t)(ts - d->base_ts) * SECOND / RATE;
    int64_t off = ts_us - (captured_us - d->base_us);

    return off < 0 ? -off : off;
}

static void begin_picture(struct fake_decoder *d, const struct fake_frame *f, uint32_t ts)
{
    bool other_clock = !d->started ||
                       d->publisher_of[f->source] != d->publisher_of[d->previous.source];

    if (d->started && (int32_t)(ts - d->ts) <= 0)
        fail(d, "timestamp does not advance");
    if (d->started && f->source != d->previous.source && !f->key)
        fail(d, "another source does not begin with a key frame");
    if (other_clock) {
        d->base_ts = ts;
        d->base_us = f->captured_us;
    } else if (off_by_us(d, ts, f->captured_us) > d->tolerance_us) {
        fail(d, "timestamp is not that of the moment");
    }
    d->ts = ts;
    d->in_picture = true;
    d->pictures++;
}

static bool is_same_frame(const struct fake_frame *a, const struct fake_frame *b)
{
    return a->source == b->source && a->number == b->number;
}

/* What follows a loss is of no use, up to the next key frame. */
static bool goes_on(struct fake_decoder *d, const struct fake_frame *f, uint32_t ts, size_t at)
{
    if (f->key && f->part == 0 && f->n_references == 0 && ts != d->ts) {
        d->cut++;
        d->jumped = true;
        d->lost = d->in_picture = false;
        d->parts = 0;
    } else if (at - d->lost_at > LOST_MAX) {
        d->problem_at = d->lost_at;
        fail(d, "a number is missing");
    }
    return !d->lost;
}

void fake_decoder_take(struct fake_decoder *d, const struct fake_decoder_packet *packet, size_t at)
{
    struct fake_frame f;

    if (d->problem)
        return;
    d->problem_at = at;
    if (!packet->there) {
        d->lost_at = d->lost ? d->lost_at : at;
        d->lost = true;
        return;
    }
    if (packet->len == 0) {
        d->filled = true;
        return;
    }
    if (read_packet(d, packet, &f) < 0) {
        fail(d, "payload is damaged");
        return;
    }
    if (d->lost && !goes_on(d, &f, packet->ts, at))
        return;
    if (d->in_picture && packet->ts != d->ts && f.key && f.part == 0) {
        d->cut++; /* nobody waits for the rest of it */
        d->jumped = true;
        d->in_picture = false;
        d->parts = 0;
    }
    if (!d->in_picture)
        begin_picture(d, &f, packet->ts);
    else if (packet->ts != d->ts)
        fail(d, "another timestamp before the marker");
    if (d->parts == 0)
        d->frame = f;
    if (!is_same_frame(&d->frame, &f) || f.part != d->parts)
        fail(d, "a frame is not whole");
    d->frame = f;
    d->parts++;
    if (d->parts == f.n_parts) {
        decode(d);
        d->parts = 0;
    }
    if (packet->marker && d->parts > 0)
        fail(d, "a marker within a frame");
    if (packet->marker)
        d->in_picture = false;
}
