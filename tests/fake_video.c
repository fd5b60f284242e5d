#include "tests/fake_video.h"

#include "bench/netem.h"
#include "media/base/reader.h"
#include "media/base/writer.h"

#include <errno.h>
#include <string.h>

enum { MAGIC = 0xa5, VP8_CYCLE = 8, SVC_CYCLE = 4, MAX_PARTS = 4 };

/** One frame that is being encoded. */
struct frame {
    struct fake_frame truth;
    bool sync;  /* VP8: refers to the last picture of layer 0 alone */
    bool inter; /* refers to the spatial layer below, of the same picture */
    uint16_t picture, frame;
    uint16_t picture_diffs[FAKE_VIDEO_REFERENCES]; /* of references in the same spatial layer */
    uint8_t n_picture_diffs;
    uint16_t frame_diffs[FAKE_VIDEO_REFERENCES];
    uint8_t chain_diffs[FAKE_VIDEO_SPATIAL];
    bool last_layer;
};

void fake_video_init(struct fake_video *v, const struct fake_video_config *config)
{
    *v = (struct fake_video){.config = *config, .random = config->seed, .number = 1};
    v->picture = (uint16_t)netem_random(&v->random);
    v->frame = (uint16_t)netem_random(&v->random);
    v->tl0 = (uint8_t)netem_random(&v->random);
    v->key_index = (uint8_t)netem_random(&v->random);
}

uint8_t fake_video_tid(const struct fake_video_config *config, uint32_t picture)
{
    static const uint8_t pattern[SVC_CYCLE] = {0, 2, 1, 2};
    uint8_t tid = pattern[picture % SVC_CYCLE];

    return tid < config->n_temporal ? tid : 0;
}

/* ------------------------------------------------------------------ bits */

struct bits {
    uint8_t *bytes; /* all zero */
    size_t n;
};

static void put(struct bits *b, uint32_t value, unsigned width)
{
    while (width-- > 0) {
        b->bytes[b->n / 8] |= (uint8_t)((value >> width & 1) << (7 - b->n % 8));
        b->n++;
    }
}

/* One of `n` values, non-symmetric. */
static void put_ns(struct bits *b, uint32_t value, uint32_t n)
{
    unsigned width = 32U - (unsigned)__builtin_clz(n);
    uint32_t short_ones = (1U << width) - n;

    if (value < short_ones)
        put(b, value, width - 1);
    else
        put(b, value + short_ones, width);
}

/* ------------------------------------------------------------------ dependency descriptor */

static uint8_t n_targets(const struct fake_video_config *c)
{
    return (uint8_t)(c->n_spatial * c->n_temporal);
}

/* What a frame is to a decode target. */
static enum dd_indication indication(const struct fake_video_config *c, uint8_t target, uint8_t sid,
                                     uint8_t tid, bool key)
{
    uint8_t target_sid = target / c->n_temporal;
    uint8_t target_tid = target % c->n_temporal;
    bool below = sid < target_sid;

    if (tid > target_tid || sid > target_sid)
        return DD_NOT_PRESENT;
    if (below && (c->mode == FAKE_VIDEO_ALONE || (c->mode == FAKE_VIDEO_KEY && !key)))
        return DD_NOT_PRESENT;
    if (key)
        return DD_SWITCH;
    if (below)
        return DD_REQUIRED;
    return tid > 0 && tid == target_tid ? DD_DISCARDABLE : DD_SWITCH;
}

/* Each spatial layer has a template for its key frames, and one for each temporal layer. */
static uint8_t template_of(const struct fake_video_config *c, uint8_t sid, uint8_t tid, bool key)
{
    return (uint8_t)(sid * (c->n_temporal + 1) + (key ? 0 : tid + 1));
}

static void put_indications(struct bits *b, const struct fake_video_config *c, uint8_t sid,
                            uint8_t tid, bool key)
{
    for (uint8_t i = 0; i < n_targets(c); i++)
        put(b, indication(c, i, sid, tid, key), 2);
}

static void put_structure(struct bits *b, const struct fake_video_config *c)
{
    uint8_t n_templates = (uint8_t)(c->n_spatial * (c->n_temporal + 1));

    put(b, 0, 6);
    put(b, n_targets(c) - 1U, 5);
    for (uint8_t i = 1; i < n_templates; i++) {
        uint8_t at = i % (uint8_t)(c->n_temporal + 1);

        put(b, at == 0 ? 2 : at > 1, 2);
    }
    put(b, 3, 2);
    for (uint8_t i = 0; i < n_templates; i++) {
        uint8_t at = i % (uint8_t)(c->n_temporal + 1);

        put_indications(b, c, i / (uint8_t)(c->n_temporal + 1), (uint8_t)(at ? at - 1 : 0),
                        at == 0);
    }
    for (uint8_t i = 0; i < n_templates; i++)
        put(b, 0, 1);
    put_ns(b, c->n_spatial, n_targets(c) + 1U);
    for (uint8_t i = 0; i < n_targets(c); i++)
        put_ns(b, i / c->n_temporal, c->n_spatial);
    for (uint8_t i = 0; i < n_templates * c->n_spatial; i++)
        put(b, 0, 4);
    put(b, 0, 1); /* resolutions */
}

/* Everything is told by each frame; of its template but the layers count. */
static size_t write_descriptor(const struct fake_video_config *c, const struct frame *f, bool first,
                               bool last, uint8_t *out)
{
    const struct fake_frame *t = &f->truth;
    struct bits b = {.bytes = out};
    bool structure = t->key && t->sid == 0 && first;

    memset(out, 0, DD_MAX_LEN);
    put(&b, first, 1);
    put(&b, last, 1);
    put(&b, template_of(c, t->sid, t->tid, t->key), 6);
    put(&b, f->frame, 16);
    put(&b, structure, 1);
    put(&b, 0, 1); /* active targets */
    put(&b, 7, 3);
    if (structure)
        put_structure(&b, c);
    put_indications(&b, c, t->sid, t->tid, t->key);
    for (uint8_t i = 0; i < t->n_references; i++) {
        put(&b, 3, 2);
        put(&b, f->frame_diffs[i] - 1U, 12);
    }
    put(&b, 0, 2);
    for (uint8_t i = 0; i < c->n_spatial; i++)
        put(&b, f->chain_diffs[i], 8);
    return (b.n + 7) / 8;
}

/* ------------------------------------------------------------------ payload descriptors */

static void write_vp8(struct writer *w, const struct fake_video *v, const struct frame *f,
                      bool first)
{
    const struct fake_frame *t = &f->truth;

    writer_u8(w, (uint8_t)(0x80 | (t->tid == 2 ? 0x20 : 0) | (first ? 0x10 : 0)));
    writer_u8(w, 0xf0);
    writer_u16(w, (uint16_t)(0x8000 | f->picture));
    writer_u8(w, v->tl0);
    writer_u8(w, (uint8_t)(t->tid << 6 | (f->sync ? 0x20 : 0) | (v->key_index & 0x1f)));
    writer_u8(w, t->key ? 0 : 1);
}

/* Four pictures, as fake_video_tid() has them. */
static void write_vp9_structure(struct writer *w, const struct fake_video_config *c)
{
    static const uint8_t group[] = {0x14, 4, 0x54, 1, 0x34, 2, 0x54, 1};

    writer_u8(w, (uint8_t)((c->n_spatial - 1) << 5 | (c->structure ? 0x08 : 0)));
    if (!c->structure)
        return;
    writer_u8(w, SVC_CYCLE);
    writer_bytes(w, group, sizeof(group));
}

static void write_vp9(struct writer *w, const struct fake_video *v, const struct frame *f,
                      bool first, bool last)
{
    const struct fake_frame *t = &f->truth;
    bool structure = t->key && t->sid == 0 && first;
    bool flexible = !v->config.structure;
    uint8_t flags = 0xa0;

    flags |= t->key ? 0 : 0x40;
    flags |= flexible ? 0x10 : 0;
    flags |= first ? 0x08 : 0;
    flags |= last ? 0x04 : 0;
    flags |= structure ? 0x02 : 0;
    writer_u8(w, flags);
    writer_u16(w, (uint16_t)(0x8000 | f->picture));
    writer_u8(w, (uint8_t)(t->tid << 5 | 0x10 | t->sid << 1 | f->inter));
    if (!flexible)
        writer_u8(w, v->tl0);
    for (uint8_t i = 0; i < f->n_picture_diffs && flexible && !t->key; i++)
        writer_u8(w, (uint8_t)(f->picture_diffs[i] << 1 | (i + 1 < f->n_picture_diffs)));
    if (structure)
        write_vp9_structure(w, &v->config);
}

static void write_payload_head(struct writer *w, const struct fake_video *v, const struct frame *f,
                               bool first, bool last)
{
    bool key = f->truth.key;

    switch ((int)v->config.codec) {
    case CODEC_VP8:
        write_vp8(w, v, f, first);
        break;
    case CODEC_VP9:
        write_vp9(w, v, f, first, last);
        break;
    case CODEC_H264:
        writer_u8(w, key ? 0x65 : 0x41);
        writer_u8(w, first ? 0x88 : 0x08);
        break;
    default:
        writer_u8(w, key && f->truth.sid == 0 && first ? 0x18 : 0x10);
        break;
    }
}

/* ------------------------------------------------------------------ truth */

static void write_truth(struct writer *w, const struct fake_frame *t)
{
    writer_u8(w, MAGIC);
    writer_u8(w, t->source);
    writer_u32(w, t->number);
    writer_u8(w, t->part);
    writer_u8(w, t->n_parts);
    writer_u8(w, (uint8_t)(t->sid << 4 | t->tid << 1 | t->key));
    writer_u32(w, (uint32_t)(t->captured_us >> 32));
    writer_u32(w, (uint32_t)t->captured_us);
    writer_u8(w, t->n_references);
    for (uint8_t i = 0; i < t->n_references; i++)
        writer_u32(w, t->references[i]);
    for (uint32_t i = 0; i < t->number * 37 % 200; i++)
        writer_u8(w, (uint8_t)i);
}

int fake_frame_read(struct fake_frame *ret, const uint8_t *payload, size_t len, size_t skip)
{
    struct reader r = reader_of(payload, len);
    struct fake_frame t = {0};
    uint8_t magic;
    uint8_t layer;

    reader_skip(&r, skip);
    magic = reader_u8(&r);
    t.source = reader_u8(&r);
    t.number = reader_u32(&r);
    t.part = reader_u8(&r);
    t.n_parts = reader_u8(&r);
    layer = reader_u8(&r);
    t.sid = layer >> 4;
    t.tid = layer >> 1 & 7;
    t.key = layer & 1;
    t.captured_us = (int64_t)((uint64_t)reader_u32(&r) << 32);
    t.captured_us |= reader_u32(&r);
    t.n_references = reader_u8(&r);
    for (uint8_t i = 0; i < t.n_references && i < FAKE_VIDEO_REFERENCES; i++)
        t.references[i] = reader_u32(&r);
    if (!reader_ok(&r) || magic != MAGIC || t.n_references > FAKE_VIDEO_REFERENCES)
        return -EBADMSG;
    *ret = t;
    return 0;
}

/* ------------------------------------------------------------------ encoding */

static void refer(const struct fake_video *v, struct frame *f, uint8_t sid, uint8_t tid)
{
    struct fake_frame *t = &f->truth;
    uint8_t i = t->n_references++;

    t->references[i] = v->last[sid][tid];
    f->frame_diffs[i] = (uint16_t)(f->frame - v->last_frame[sid][tid]);
    if (sid == t->sid)
        f->picture_diffs[f->n_picture_diffs++] = (uint16_t)(f->picture - v->last_picture[sid][tid]);
}

/* As libwebrtc's encoder does: to the last of layer 0 alone, or to the last of each layer. */
static void refer_vp8(const struct fake_video *v, struct frame *f)
{
    uint8_t tid = f->truth.tid;

    f->sync = tid > 0 && (v->last[0][tid] == 0 || v->pictures % VP8_CYCLE < SVC_CYCLE) &&
              v->pictures % SVC_CYCLE != 3;
    refer(v, f, 0, 0);
    for (uint8_t i = 1; i <= tid && !f->sync; i++)
        refer(v, f, 0, i);
}

static void refer_svc(const struct fake_video *v, struct frame *f)
{
    const struct fake_frame *t = &f->truth;
    bool second = v->pictures % SVC_CYCLE == 3; /* refers to layer 1 */

    if (!t->key)
        refer(v, f, t->sid, t->tid == 2 && second && v->config.n_temporal > 1 ? 1 : 0);
    f->inter = t->sid > 0 &&
               (v->config.mode == FAKE_VIDEO_FULL || (v->config.mode == FAKE_VIDEO_KEY && t->key));
    if (f->inter)
        refer(v, f, t->sid - 1, t->tid);
}

/* Does a frame of sid and tid protect targets of spatial layer `chain`? */
static bool is_in_chain(const struct fake_video *v, const struct fake_frame *t, uint8_t chain)
{
    if (t->tid > 0 || t->sid > chain)
        return false;
    return t->sid == chain || v->config.mode == FAKE_VIDEO_FULL ||
           (v->config.mode == FAKE_VIDEO_KEY && t->key);
}

static void link_chains(struct fake_video *v, struct frame *f)
{
    for (uint8_t i = 0; i < v->config.n_spatial; i++) {
        f->chain_diffs[i] = v->chain_begun[i] ? (uint8_t)(f->frame - v->chain_last[i]) : 0;
        if (!is_in_chain(v, &f->truth, i))
            continue;
        v->chain_begun[i] = true;
        v->chain_last[i] = f->frame;
    }
}

static void send_frame(struct fake_video *v, struct frame *f,
                       void (*send)(void *owner, const struct fake_video_packet *packet),
                       void *owner)
{
    f->truth.n_parts = (uint8_t)(1 + netem_random(&v->random) % MAX_PARTS);
    for (uint8_t i = 0; i < f->truth.n_parts; i++) {
        bool last = i + 1 == f->truth.n_parts;
        struct fake_video_packet packet = {.marker = last && f->last_layer};
        struct writer w = writer_of(packet.payload, sizeof(packet.payload));

        f->truth.part = i;
        write_payload_head(&w, v, f, i == 0, last);
        write_truth(&w, &f->truth);
        packet.len = w.len;
        if (v->config.descriptor)
            packet.descriptor_len = write_descriptor(&v->config, f, i == 0, last,
                                                     packet.descriptor);
        send(owner, &packet);
    }
}

static void begin_key_picture(struct fake_video *v)
{
    v->pictures = 0;
    v->key_index = (uint8_t)(v->key_index + v->started);
    memset(v->last, 0, sizeof(v->last));
    memset(v->chain_begun, 0, sizeof(v->chain_begun));
}

void fake_video_encode(struct fake_video *v, bool key, int64_t now_us,
                       void (*send)(void *owner, const struct fake_video_packet *packet),
                       void *owner)
{
    uint8_t tid;

    key = key || !v->started;
    if (key)
        begin_key_picture(v);
    tid = fake_video_tid(&v->config, v->pictures);
    if (v->started) {
        v->tl0 = (uint8_t)(v->tl0 + (tid == 0));
        v->picture++;
    }
    v->started = true;
    for (uint8_t sid = 0; sid < v->config.n_spatial; sid++) {
        struct frame f = {
            .truth = {.source = v->config.source,
                      .number = v->number++,
                      .sid = sid,
                      .tid = tid,
                      .key = key,
                      .captured_us = now_us},
            .picture = v->picture & 0x7fff,
            .frame = v->frame++,
            .last_layer = sid + 1 == v->config.n_spatial,
        };

        if (v->config.codec == CODEC_VP8 && !key)
            refer_vp8(v, &f);
        else if (v->config.codec != CODEC_VP8)
            refer_svc(v, &f);
        link_chains(v, &f);
        send_frame(v, &f, send, owner);
        v->last[sid][tid] = f.truth.number;
        v->last_picture[sid][tid] = v->picture;
        v->last_frame[sid][tid] = f.frame;
    }
    v->pictures++;
}
