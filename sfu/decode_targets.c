#include "sfu/decode_targets.h"

#include "media/dependency_descriptor.h"

void decode_targets_init(struct decode_targets *d)
{
    *d = (struct decode_targets){
        .current = DECODE_TARGET_ALL,
        .wanted = DECODE_TARGET_ALL,
        .chains = UINT8_MAX,
        .complete = UINT32_MAX,
        .active = UINT32_MAX,
        .layers = {.sid = LAYER_UNLIMITED, .tid = LAYER_UNLIMITED},
    };
}

static uint32_t bit_of(uint8_t target)
{
    return UINT32_C(1) << target;
}

static bool is_within(const struct dd_target *target, struct layer_limit limit)
{
    return target->sid <= limit.sid && target->tid <= limit.tid;
}

static bool is_higher(const struct dd_target *a, const struct dd_target *b)
{
    return a->sid != b->sid ? a->sid > b->sid : a->tid > b->tid;
}

/* @return the highest of `candidates` within `limit`, or DECODE_TARGET_ALL: none is */
static uint8_t find_highest(const struct dd_structure *structure, uint32_t candidates,
                            struct layer_limit limit)
{
    uint8_t found = DECODE_TARGET_ALL;

    for (uint8_t i = 0; i < structure->n_targets; i++) {
        if (!(candidates & bit_of(i)) || !is_within(&structure->targets[i], limit))
            continue;
        if (found == DECODE_TARGET_ALL ||
            is_higher(&structure->targets[i], &structure->targets[found]))
            found = i;
    }
    return found;
}

/* What the limit allows; if nothing does, the lowest there is: something must be sent. */
static uint8_t find_wanted(const struct decode_targets *d, const struct dd_structure *structure,
                           struct layer_limit limit)
{
    uint8_t found = find_highest(structure, d->active, limit);

    for (uint8_t i = 0; i < structure->n_targets && found == DECODE_TARGET_ALL; i++)
        found = find_highest(structure, d->active, (struct layer_limit){i, LAYER_UNLIMITED});
    return found == DECODE_TARGET_ALL ? 0 : found;
}

/* The next best to what is wanted, of those that can be gone over to: within the limit, or if none
 * is, with as few temporal layers. */
static uint8_t find_reachable(const struct decode_targets *d, const struct dd_structure *structure,
                              struct layer_limit limit)
{
    uint32_t reachable = d->active & d->complete;
    uint8_t found;

    if (reachable & bit_of(d->wanted))
        return d->wanted;
    found = find_highest(structure, reachable, limit);
    if (found == DECODE_TARGET_ALL && d->current != DECODE_TARGET_ALL)
        found = find_highest(structure, reachable, (struct layer_limit){d->layers.sid, limit.tid});
    return found == DECODE_TARGET_ALL ? d->current : found;
}

static void note_active(struct decode_targets *d, const struct frame_info *frame)
{
    if (frame->active_targets != UINT32_MAX)
        d->active = frame->active_targets;
    else if (frame->carries_structure)
        d->active = UINT32_MAX;
}

static bool is_intact(const struct decode_targets *d, uint8_t chain)
{
    return chain >= DD_MAX_CHAINS || (chain < FRAME_MAX_CHAINS && d->chains >> chain & 1);
}

/* What follows from the target that is forwarded from here on. Where its own chain is broken, by
 * losses that nobody could judge, no switch indication counts any more. */
static void note_current(struct decode_targets *d, const struct dd_structure *structure)
{
    static const struct layer_limit unlimited = {LAYER_UNLIMITED, LAYER_UNLIMITED};
    const struct dd_target *current = &structure->targets[d->current];
    uint32_t all = (uint32_t)((UINT64_C(1) << structure->n_targets) - 1);

    d->layers = (struct layer_limit){current->sid, current->tid};
    d->needs_key = structure->targets[d->wanted].sid != current->sid ||
                   (d->wanted != d->current && !is_intact(d, current->chain));
    d->is_open = (d->complete & all) == all &&
                 d->current == find_highest(structure, all, unlimited);
}

bool decode_targets_begin_picture(struct decode_targets *d, const struct frame_info *frame,
                                  const struct dd_structure *structure, struct layer_limit limit)
{
    uint8_t before = d->current;

    note_active(d, frame);
    if (frame->key && frame->sid == 0) {
        d->complete = UINT32_MAX;
        d->chains = UINT8_MAX;
    }
    d->wanted = find_wanted(d, structure, limit);
    d->current = find_reachable(d, structure, limit);
    if (d->current < structure->n_targets)
        note_current(d, structure);
    return d->current != before;
}

/* Is all of `target` part of `other`, too? */
static bool is_part(const struct dd_structure *structure, uint8_t target, uint8_t other)
{
    for (uint8_t i = 0; i < structure->n_templates; i++) {
        uint64_t dtis = structure->dtis[i];

        if (dd_indication(dtis, target) != DD_NOT_PRESENT &&
            dd_indication(dtis, other) == DD_NOT_PRESENT)
            return false;
    }
    return true;
}

void decode_targets_note_loss(struct decode_targets *d, const struct dd_structure *structure)
{
    if (d->current >= structure->n_targets)
        return; /* everything is sent */
    for (uint8_t i = 0; i < structure->n_targets; i++) {
        if (!is_part(structure, i, d->current))
            d->complete &= ~bit_of(i);
    }
}

bool decode_targets_include(const struct frame_info *frame, uint8_t target)
{
    return target >= DD_MAX_TARGETS || /* DECODE_TARGET_ALL */
           dd_indication(frame->dtis, target) != DD_NOT_PRESENT;
}

/* Are lost frames of `chain` sent when they come, as part of the current target? */
static bool is_sent(const struct decode_targets *d, const struct dd_structure *structure,
                    uint8_t chain)
{
    if (d->current >= structure->n_targets)
        return true;
    for (uint8_t i = 0; i < structure->n_targets; i++) {
        if (structure->targets[i].chain == chain && is_part(structure, i, d->current))
            return true;
    }
    return false;
}

/* Which chains are intact up to this frame. */
static void note_chains(struct decode_targets *d, const struct frame_info *frame,
                        const struct dd_structure *structure,
                        enum frame_fate (*fate_of)(const void *owner, uint16_t before),
                        const void *owner)
{
    for (uint8_t i = 0; i < frame->n_chains && i < FRAME_MAX_CHAINS; i++) {
        uint8_t bit = (uint8_t)(1U << i);
        enum frame_fate fate;

        if (frame->chain_diffs[i] == 0) {
            d->chains |= bit;
            continue;
        }
        fate = fate_of(owner, frame->chain_diffs[i]);
        if (fate == FATE_LEFT_OUT || (fate == FATE_UNKNOWN && !is_sent(d, structure, i)))
            d->chains &= (uint8_t)~bit;
    }
}

void decode_targets_note(struct decode_targets *d, const struct frame_info *frame,
                         const struct dd_structure *structure, bool forwarded,
                         enum frame_fate (*fate_of)(const void *owner, uint16_t before),
                         const void *owner)
{
    note_chains(d, frame, structure, fate_of, owner);
    for (uint8_t i = 0; i < structure->n_targets; i++) {
        enum dd_indication indication = dd_indication(frame->dtis, i);

        if (!forwarded && indication != DD_NOT_PRESENT)
            d->complete &= ~bit_of(i);
        else if (forwarded && indication == DD_SWITCH && is_intact(d, structure->targets[i].chain))
            d->complete |= bit_of(i);
    }
}
