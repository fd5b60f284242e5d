#include "media/rollover.h"

#include <errno.h>
#include <stdlib.h>

enum {
    CYCLE = 1 << 16,
    HALF = 1 << 15,
    INDEX_BITS = 48,
};

void rollover_init(struct rollover *r)
{
    *r = (struct rollover){.capacity = ROLLOVER_INLINE};
}

void rollover_done(struct rollover *r)
{
    free(r->slots);
    rollover_init(r);
}

/* @return where `ssrc` is, or where it would go; there is always an empty slot */
static struct rollover_slot *find(struct rollover_slot *slots, size_t capacity, uint32_t ssrc)
{
    /* SSRCs may be consecutive or random: the top bits of a product are neither. */
    size_t at = (ssrc * UINT32_C(0x9e3779b1)) >> 16;

    while (slots[at & (capacity - 1)].used && slots[at & (capacity - 1)].ssrc != ssrc)
        at++;
    return &slots[at & (capacity - 1)];
}

static struct rollover_slot *slots_of(struct rollover *r)
{
    return r->slots ? r->slots : r->few;
}

static int grow(struct rollover *r)
{
    struct rollover_slot *old = slots_of(r);
    size_t capacity = 2 * r->capacity;
    struct rollover_slot *slots = calloc(capacity, sizeof(*slots));

    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < r->capacity; i++) {
        if (old[i].used)
            *find(slots, capacity, old[i].ssrc) = old[i];
    }
    free(r->slots);
    r->slots = slots;
    r->capacity = capacity;
    return 0;
}

/* Begin an SSRC. */
static int add(struct rollover *r, uint32_t ssrc, struct rollover_slot **ret)
{
    int err;

    if (r->count == ROLLOVER_MAX)
        return -ENOSPC;
    if (4 * (r->count + 1) > 3 * r->capacity) {
        err = grow(r);
        if (err < 0)
            return err;
    }
    *ret = find(slots_of(r), r->capacity, ssrc);
    **ret = (struct rollover_slot){.ssrc = ssrc, .used = true};
    r->count++;
    return 0;
}

uint64_t rollover_guess(uint64_t newest, uint16_t seq)
{
    uint64_t index = (newest & ~(uint64_t)(CYCLE - 1)) | seq;

    if (newest <= HALF) /* nothing was sent before cycle 0 */
        return seq;
    if (index > newest + HALF)
        return index - CYCLE;
    if (newest > index + HALF)
        return index + CYCLE;
    return index;
}

/* The slot of `ssrc`, begun if need be. */
static int slot_of(struct rollover *r, uint32_t ssrc, struct rollover_slot **ret)
{
    struct rollover_slot *slot = find(slots_of(r), r->capacity, ssrc);

    if (UNLIKELY(!slot->used))
        return add(r, ssrc, ret);
    *ret = slot;
    return 0;
}

int rollover_index(struct rollover *r, uint32_t ssrc, uint16_t seq, uint64_t *index)
{
    struct rollover_slot *slot;
    uint64_t guessed;
    int err;

    err = slot_of(r, ssrc, &slot);
    if (UNLIKELY(err < 0))
        return err;
    guessed = rollover_guess(slot->newest, seq);
    if (UNLIKELY(guessed >> INDEX_BITS))
        return -EOVERFLOW;
    if (guessed > slot->newest)
        slot->newest = guessed;
    else if (slot->newest - guessed >= ROLLOVER_WINDOW)
        return -ESTALE;
    *index = guessed;
    return 0;
}

int rollover_next(struct rollover *r, uint32_t ssrc, uint64_t limit, uint64_t *index)
{
    struct rollover_slot *slot;
    int err;

    err = slot_of(r, ssrc, &slot);
    if (err < 0)
        return err;
    if (slot->newest >= limit)
        return -EOVERFLOW;
    *index = ++slot->newest;
    return 0;
}
