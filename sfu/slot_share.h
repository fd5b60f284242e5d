/**
 * @file slot_share.h  What a subscriber's slot was given of its track by sfu/participant_layers.h.
 * A plain value, part of the subscription. Thread: the worker's own.
 */
#ifndef SFU_SLOT_SHARE_H
#define SFU_SLOT_SHARE_H

#include "sfu/bandwidth_allocator.h"

#include <stdint.h>

struct slot_share {
    uint32_t track;          /* what the rest is about; 0: nothing yet */
    enum slot_state state;   /* as decided */
    enum slot_state told;    /* as control knows it: a slot that was bound is active */
    struct ladder_step step; /* while ACTIVE, and what it had before it was muted */
    int64_t since_us;        /* of the state */
    int64_t lowered_us;      /* a lower encoding is waited for since then; 0: none is */
};

#endif
