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

/* @return the index that ends in `seq` and is closest to `newest` */
static uint64_t guess(uint64_t newest, uint16_t seq)
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

int rollover_index(struct rollover *r, uint32_t ssrc, uint16_t seq, uint64_t *index)
{
    struct rollover_slot *slot = find(slots_of(r), r->capacity, ssrc);
    uint64_t guessed;
    int err;

    if (UNLIKELY(!slot->used)) {
        err = add(r, ssrc, &slot);
        if (err < 0)
            return err;
    }
    guessed = guess(slot->newest, seq);
    if (UNLIKELY(guessed >> INDEX_BITS))
        return -EOVERFLOW;
    if (guessed > slot->newest)
        slot->newest = guessed;
    else if (slot->newest - guessed >= ROLLOVER_WINDOW)
        return -ESTALE;
    *index = guessed;
    return 0;
}
