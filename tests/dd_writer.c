#include "tests/dd_writer.h"

#include <assert.h>
#include <string.h>

/* ------------------------------------------------------------------ bits */

struct bits {
    uint8_t *data;
    size_t capacity; /* [bits] */
    size_t len;
    bool failed;
};

static void put(struct bits *b, uint32_t value, unsigned n)
{
    for (unsigned i = n; i-- > 0;) {
        if (b->len == b->capacity) {
            b->failed = true;
            return;
        }
        if (b->len % 8 == 0)
            b->data[b->len / 8] = 0;
        b->data[b->len / 8] |= (uint8_t)((value >> i & 1) << (7 - b->len % 8));
        b->len++;
    }
}

static void put_ns(struct bits *b, uint32_t n, uint32_t value)
{
    unsigned width = 0;
    uint32_t short_ones;

    while (n >> width)
        width++;
    short_ones = (1U << width) - n;
    if (value < short_ones)
        put(b, value, width - 1);
    else
        put(b, value + short_ones, width);
}

/* ------------------------------------------------------------------ structure */

static void put_layers(struct bits *b, const struct dd_structure *s)
{
    for (uint8_t i = 0; i + 1 < s->n_templates; i++) {
        uint8_t here = s->layers[i];
        uint8_t next = s->layers[i + 1];

        if (next == here) {
            put(b, 0, 2);
        } else if (next == here + 1) {
            put(b, 1, 2);
        } else {
            assert(next == (here & 0xf0) + 0x10);
            put(b, 2, 2);
        }
    }
    put(b, 3, 2);
}

static void put_dtis(struct bits *b, uint64_t dtis, uint8_t n)
{
    for (uint8_t i = 0; i < n; i++)
        put(b, dd_indication(dtis, i), 2);
}

static void put_template_fdiffs(struct bits *b, uint16_t fdiffs)
{
    for (uint32_t i = 0; i < 16; i++) {
        if (fdiffs >> i & 1)
            put(b, 0x10 | i, 5);
    }
    put(b, 0, 1);
}

static uint8_t chain_diff(const struct dd_structure *s, uint8_t template, uint8_t chain)
{
    return s->chain_diffs[template][chain / 2] >> (chain % 2 * 4) & 15;
}

static void put_chains(struct bits *b, const struct dd_structure *s)
{
    put_ns(b, s->n_targets + 1U, s->n_chains);
    for (uint8_t i = 0; s->n_chains > 0 && i < s->n_targets; i++)
        put_ns(b, s->n_chains, s->targets[i].chain);
    for (uint8_t i = 0; i < s->n_templates; i++) {
        for (uint8_t chain = 0; chain < s->n_chains; chain++)
            put(b, chain_diff(s, i, chain), 4);
    }
}

static void put_structure(struct bits *b, const struct dd_structure *s)
{
    put(b, s->offset, 6);
    put(b, s->n_targets - 1U, 5);
    put_layers(b, s);
    for (uint8_t i = 0; i < s->n_templates; i++)
        put_dtis(b, s->dtis[i], s->n_targets);
    for (uint8_t i = 0; i < s->n_templates; i++)
        put_template_fdiffs(b, s->fdiffs[i]);
    put_chains(b, s);
    put(b, s->width[0] > 0, 1);
    for (uint8_t i = 0; s->width[0] > 0 && i < s->n_spatial; i++) {
        put(b, s->width[i] - 1U, 16);
        put(b, s->height[i] - 1U, 16);
    }
}

/* ------------------------------------------------------------------ frame */

static void put_fdiffs(struct bits *b, const struct dd_frame *f)
{
    for (uint8_t i = 0; i < f->n_fdiffs; i++) {
        uint32_t fdiff = f->fdiffs[i] - 1U;
        unsigned size = fdiff < 16 ? 1 : fdiff < 256 ? 2 : 3;

        put(b, size, 2);
        put(b, fdiff, 4 * size);
    }
    put(b, 0, 2);
}

static bool same_fdiffs(const struct dd_frame *a, const struct dd_frame *b)
{
    return a->n_fdiffs == b->n_fdiffs &&
           memcmp(a->fdiffs, b->fdiffs, a->n_fdiffs * sizeof(a->fdiffs[0])) == 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written through `b` */
size_t dd_writer_write(const struct dd_writer *w, const struct dd_frame *frame, uint8_t *out,
                       size_t capacity)
{
    const struct dd_structure *s = w->structure;
    uint8_t index = (uint8_t)(frame->template_id - s->offset) % DD_MAX_TEMPLATES;
    struct bits b = {.data = out, .capacity = capacity * 8};
    struct dd_frame plain;
    bool dtis, fdiffs, chains;

    if (index >= s->n_templates)
        return 0;
    plain = dd_writer_frame(s, index, 0);
    dtis = w->custom || plain.dtis != frame->dtis;
    fdiffs = w->custom || !same_fdiffs(&plain, frame);
    chains = w->custom || memcmp(plain.chain_diffs, frame->chain_diffs, s->n_chains) != 0;
    put(&b, frame->begins, 1);
    put(&b, frame->ends, 1);
    put(&b, frame->template_id, 6);
    put(&b, frame->number, 16);
    if (!frame->has_structure && !frame->has_active && !dtis && !fdiffs && !chains)
        return b.failed ? 0 : DD_HEAD_LEN;
    put(&b, frame->has_structure, 1);
    put(&b, frame->has_active, 1);
    put(&b, dtis, 1);
    put(&b, fdiffs, 1);
    put(&b, chains, 1);
    if (frame->has_structure)
        put_structure(&b, s);
    if (frame->has_active)
        put(&b, frame->active_targets, s->n_targets);
    if (dtis)
        put_dtis(&b, frame->dtis, s->n_targets);
    if (fdiffs)
        put_fdiffs(&b, frame);
    for (uint8_t chain = 0; chains && chain < s->n_chains; chain++)
        put(&b, frame->chain_diffs[chain], 8);
    return b.failed ? 0 : (b.len + 7) / 8;
}

struct dd_frame dd_writer_frame(const struct dd_structure *s, uint8_t index, uint16_t number)
{
    struct dd_frame f = {
        .begins = true,
        .ends = true,
        .template_id = (uint8_t)(s->offset + index) % DD_MAX_TEMPLATES,
        .number = number,
        .active_targets = UINT32_MAX,
        .sid = s->layers[index] >> 4,
        .tid = s->layers[index] & 15,
        .dtis = s->dtis[index],
    };

    for (uint16_t i = 0; i < 16; i++) {
        if (s->fdiffs[index] >> i & 1)
            f.fdiffs[f.n_fdiffs++] = (uint16_t)(i + 1);
    }
    for (uint8_t chain = 0; chain < s->n_chains; chain++)
        f.chain_diffs[chain] = chain_diff(s, index, chain);
    return f;
}
