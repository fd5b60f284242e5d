/* Any sequence of frames and limits: a frame goes out as a whole or not at all, what is remembered
 * is what was decided, and numbers that go out are each of one picture. */
#include "media/base/reader.h"
#include "media/dependency_descriptor.h"
#include "media/picture_rewriter.h"
#include "sfu/layer_selector.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct scene {
    struct reader in;
    struct layer_selector selector;
    struct picture_rewriter pictures;
    struct dd_structure structure;
    bool by_descriptor;
    uint16_t id;
    uint32_t ts;
};

/* Targets in any order of layers, chains of any of them. */
static void read_structure(struct scene *s)
{
    struct dd_structure *d = &s->structure;

    d->n_targets = (uint8_t)(1 + reader_u8(&s->in) % DD_MAX_TARGETS);
    d->n_chains = reader_u8(&s->in) % (DD_MAX_CHAINS + 1);
    d->n_templates = (uint8_t)(1 + reader_u8(&s->in) % 4);
    for (uint8_t i = 0; i < d->n_targets; i++) {
        uint8_t byte = reader_u8(&s->in);

        d->targets[i] = (struct dd_target){.sid = byte & 3,
                                           .tid = byte >> 2 & 7,
                                           .chain = reader_u8(&s->in) % (DD_MAX_CHAINS + 1)};
    }
    for (uint8_t i = 0; i < d->n_templates; i++)
        d->dtis[i] = (uint64_t)reader_u32(&s->in) << 32 | reader_u32(&s->in);
}

static struct frame_info read_frame(struct scene *s)
{
    uint8_t flags = reader_u8(&s->in);
    uint8_t layer = reader_u8(&s->in);
    struct frame_info frame = {
        .has_dd = s->by_descriptor && flags & 0x80,
        .picture_bits = flags & 0x40 ? 15 : 7,
        .picture = flags & 0x40 ? s->id & 0x7fff : s->id & 0x7f,
        .picture_at = 1,
        .frame_number = s->id,
        .sid = layer & 3,
        .tid = layer >> 2 & 3,
        .key = flags & 1,
        .starts_key = flags & 1,
        .up_switch = flags & 2,
        .up_follows = flags & 4,
        .begins = true,
        .ends = flags & 8,
        .active_targets = flags & 16 ? reader_u32(&s->in) : UINT32_MAX,
        .carries_structure = flags & 32,
        .n_targets = s->structure.n_targets,
        .n_chains = s->structure.n_chains < FRAME_MAX_CHAINS ? s->structure.n_chains
                                                             : FRAME_MAX_CHAINS,
    };

    if (!frame.has_dd)
        return frame;
    frame.dtis = (uint64_t)reader_u32(&s->in) << 32 | reader_u32(&s->in);
    for (size_t i = 0; i < FRAME_MAX_CHAINS; i++)
        frame.chain_diffs[i] = reader_u8(&s->in);
    return frame;
}

static void renumber(struct scene *s, const struct frame_info *frame, bool forward)
{
    static const uint8_t payload[FRAME_DESCRIPTOR_MAX + 2];
    struct picture_numbers numbers;
    uint8_t lead[FRAME_DESCRIPTOR_MAX];
    size_t len;

    if (!forward) {
        picture_rewriter_leave_out(&s->pictures, frame);
        return;
    }
    if (picture_rewriter_map(&s->pictures, frame, &numbers) < 0)
        return;
    len = picture_rewriter_write(frame, &numbers, payload, lead);
    assert(len <= FRAME_DESCRIPTOR_MAX);
    (void)len;
}

static void give(struct scene *s, bool newest)
{
    struct frame_info frame = read_frame(s);
    struct selector_packet packet = {
        .frame = &frame,
        .structure = frame.has_dd ? &s->structure : NULL,
        .ts = s->ts,
        .newest = newest,
    };
    struct selector_verdict verdict = layer_selector_decide(&s->selector, &packet);
    struct selector_verdict again = layer_selector_decide(&s->selector, &packet);
    struct selector_verdict recalled = layer_selector_recall(&s->selector, &packet);

    assert(verdict.forward == again.forward && verdict.ends_picture == again.ends_picture);
    assert(recalled.unknown || recalled.forward == verdict.forward);
    assert(!verdict.ends_picture || (verdict.forward && frame.ends));
    (void)again;
    (void)recalled;
    (void)layer_selector_current(&s->selector);
    (void)layer_selector_needs_key(&s->selector, 3);
    (void)layer_selector_is_open(&s->selector);
    renumber(s, &frame, verdict.forward);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scene s = {.in = reader_of(data, size)};

    layer_selector_init(&s.selector, 1);
    picture_rewriter_init(&s.pictures);
    s.id = reader_u16(&s.in);
    s.by_descriptor = reader_u8(&s.in) & 1;
    if (s.by_descriptor)
        read_structure(&s);
    while (reader_left(&s.in) > 0) {
        uint8_t what = reader_u8(&s.in);

        if (what < 32) {
            layer_selector_set_limit(&s.selector,
                                     (struct layer_limit){reader_u8(&s.in), reader_u8(&s.in)});
            continue;
        }
        if (what < 64) { /* late */
            s.id = (uint16_t)(s.id - what);
            give(&s, false);
            s.id = (uint16_t)(s.id + what);
            continue;
        }
        s.id = (uint16_t)(s.id + (what < 200 ? 1 : what * 7));
        s.ts += what % 4 ? 3000 : 0;
        give(&s, true);
    }
    return 0;
}
