/*
 * How it works. A picture id of the source is left out or it is not; the outgoing id is
 *
 *     out(p) = p + offset + (pictures left out after p, up to the newest)
 *
 * as the offset is that of the newest picture and became less by one with each that was left out.
 * A bit for each of the newest PICTURE_WINDOW pictures is enough to count them.
 */
#include "media/picture_rewriter.h"

#include <errno.h>
#include <string.h>

enum { WORD = 64, KEY_INDEX_MASK = 0x1f, FIRST_CYCLE = 1 << 16 };

void picture_rewriter_init(struct picture_rewriter *r)
{
    *r = (struct picture_rewriter){.newest = -1};
}

struct picture_numbers picture_numbers_of(const struct frame_info *frame)
{
    return (struct picture_numbers){
        .picture = frame->picture,
        .frame = frame->frame_number,
        .tl0 = frame->tl0,
        .key_index = frame->key_index,
    };
}

/* @return the later of two numbers that wrap at `cycle`, a power of two */
static uint16_t later(uint16_t a, uint16_t b, uint32_t cycle)
{
    return (((uint32_t)b - a) & (cycle - 1)) < cycle / 2 ? b : a;
}

void picture_numbers_raise(struct picture_numbers *n, const struct picture_numbers *other)
{
    n->picture = later(n->picture, other->picture, 1U << 15);
    n->frame = later(n->frame, other->frame, 1U << 16);
    n->tl0 = (uint8_t)later(n->tl0, other->tl0, 1U << 8);
    n->key_index = (uint8_t)later(n->key_index, other->key_index, KEY_INDEX_MASK + 1);
}

void picture_rewriter_switch(struct picture_rewriter *r, const struct picture_numbers *last,
                             const struct frame_info *first)
{
    picture_rewriter_init(r);
    r->offset = (struct picture_numbers){
        .picture = (uint16_t)(last->picture + 1 - first->picture),
        .frame = (uint16_t)(last->frame + 1 - first->frame_number),
        .tl0 = (uint8_t)(last->tl0 + 1 - first->tl0),
        .key_index = (uint8_t)(last->key_index + 1 - first->key_index),
    };
}

static uint64_t *word_of(struct picture_rewriter *r, int64_t picture)
{
    return &r->left_out[picture % PICTURE_WINDOW / WORD];
}

static uint64_t bit_of(int64_t picture)
{
    return UINT64_C(1) << picture % WORD;
}

static int64_t unwrap(const struct picture_rewriter *r, const struct frame_info *frame)
{
    int64_t cycle = INT64_C(1) << frame->picture_bits;
    int64_t ahead;

    if (r->newest < 0)
        return FIRST_CYCLE + frame->picture;
    ahead = (frame->picture - r->newest) & (cycle - 1);
    return r->newest + (ahead < cycle / 2 ? ahead : ahead - cycle);
}

/* Let `picture`, which is newer than all before, and those between enter the window. */
static void advance(struct picture_rewriter *r, int64_t picture)
{
    int64_t first = r->newest + 1;

    if (r->newest < 0 || picture - first >= PICTURE_WINDOW)
        memset(r->left_out, 0, sizeof(r->left_out));
    else
        for (int64_t p = first; p <= picture; p++)
            *word_of(r, p) &= ~bit_of(p);
    r->newest = picture;
}

void picture_rewriter_leave_out(struct picture_rewriter *r, const struct frame_info *frame)
{
    int64_t picture;

    if (frame->picture_bits == 0)
        return;
    picture = unwrap(r, frame);
    if (picture <= r->newest)
        return; /* its number was passed over, or given out */
    advance(r, picture);
    *word_of(r, picture) |= bit_of(picture);
    r->offset.picture--;
    r->closes_up = true;
}

/* @return how many pictures after `picture` were left out */
static uint16_t count_left_out(struct picture_rewriter *r, int64_t picture)
{
    uint16_t n = 0;

    for (int64_t p = picture + 1; p <= r->newest; p++)
        n = (uint16_t)(n + (*word_of(r, p) >> p % WORD & 1));
    return n;
}

/* @return 0, and *ret what to add to the picture's id; -ERANGE */
static int find_offset(struct picture_rewriter *r, const struct frame_info *frame, uint16_t *ret)
{
    int64_t picture = unwrap(r, frame);

    *ret = r->offset.picture;
    if (picture > r->newest)
        advance(r, picture);
    if (!r->closes_up)
        return 0;
    if (r->newest - picture >= PICTURE_WINDOW || *word_of(r, picture) & bit_of(picture))
        return -ERANGE;
    *ret = (uint16_t)(*ret + count_left_out(r, picture));
    return 0;
}

static struct picture_numbers add(const struct frame_info *frame,
                                  const struct picture_numbers *offset)
{
    return (struct picture_numbers){
        .picture = (uint16_t)(frame->picture + offset->picture),
        .frame = (uint16_t)(frame->frame_number + offset->frame),
        .tl0 = (uint8_t)(frame->tl0 + offset->tl0),
        .key_index = (uint8_t)(frame->key_index + offset->key_index) & KEY_INDEX_MASK,
    };
}

struct picture_numbers picture_rewriter_newest(const struct picture_rewriter *r,
                                               const struct frame_info *frame)
{
    return add(frame, &r->offset);
}

int picture_rewriter_map(struct picture_rewriter *r, const struct frame_info *frame,
                         struct picture_numbers *ret)
{
    struct picture_numbers offset = r->offset;

    if (frame->picture_bits) {
        int err = find_offset(r, frame, &offset.picture);

        if (err < 0)
            return err;
    }
    *ret = add(frame, &offset);
    return 0;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t picture_rewriter_write(const struct frame_info *frame, const struct picture_numbers *numbers,
                              const uint8_t *payload, uint8_t *lead)
{
    size_t len = 0;

    if (frame->picture_bits)
        len = frame->picture_at + (frame->picture_bits == 15 ? 2U : 1U);
    if (frame->has_tl0)
        len = larger(len, frame->tl0_at + 1U);
    if (frame->has_key_index)
        len = larger(len, frame->key_index_at + 1U);
    if (len > FRAME_DESCRIPTOR_MAX)
        return 0;
    memcpy(lead, payload, len);
    if (frame->picture_bits == 15) {
        lead[frame->picture_at] = (uint8_t)(0x80 | numbers->picture >> 8);
        lead[frame->picture_at + 1] = (uint8_t)numbers->picture;
    } else if (frame->picture_bits) {
        lead[frame->picture_at] = numbers->picture & 0x7f;
    }
    if (frame->has_tl0)
        lead[frame->tl0_at] = numbers->tl0;
    if (frame->has_key_index)
        lead[frame->key_index_at] = (uint8_t)((lead[frame->key_index_at] & ~KEY_INDEX_MASK) |
                                              numbers->key_index);
    return len;
}
