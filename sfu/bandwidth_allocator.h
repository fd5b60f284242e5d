/**
 * @file bandwidth_allocator.h  How much of each source one subscriber gets: a budget is spent on
 * the slots in order of their priority. Pure: no clock, no memory, the same calls give the same
 * answers.
 *
 * First everybody who is seen gets the lowest step, then all rise round by round; pinned tracks and
 * screens as far as they can before the others, the speaker by two steps while the others rise by
 * one. Nothing rises above what its view is worth (sfu/layer_ladder.h).
 *
 * What a slot has may be kept while the whole fits into the budget; when it does not, the lowest in
 * the order go down at once, and after a grace, as the budget often dips, they are paused. What a
 * slot does not have yet is given only from what has been granted, and that grows slowly: when the
 * budget had room for it and a margin all the time for a while. A step up that had to be taken back
 * soon is tried again only after a back-off that doubles, with a larger margin unless it is within
 * the smallest encoding: a budget that swings by some 15 % changes nothing.
 *
 * Thread: any.
 */
#ifndef SFU_BANDWIDTH_ALLOCATOR_H
#define SFU_BANDWIDTH_ALLOCATOR_H

#include "media/base/clock.h"
#include "sfu/layer_ladder.h"
#include "sfu/slot_priority.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ALLOCATOR_MAX_SLOTS = 128 };

/** A budget that knows no limit [bit/s]. */
#define ALLOCATOR_NO_LIMIT UINT64_MAX

/** The budget must have had room for so long; in the first seconds only for so long. */
#define ALLOCATOR_HOLD_US       (1 * SECOND)
#define ALLOCATOR_START_HOLD_US (200 * MS)
#define ALLOCATOR_START_US      (10 * SECOND)
/** What is taken back within that time after something rose has failed. */
#define ALLOCATOR_TRIAL_US (10 * SECOND)
/** What is at its lowest step is paused when the budget was too small for so long; for longer if it
 *  was nearly enough, as after a stall of the network that is over. */
#define ALLOCATOR_GRACE_US      (1 * SECOND)
#define ALLOCATOR_LONG_GRACE_US (4 * SECOND)
/** Wait after the first failure; it doubles up to the other. */
#define ALLOCATOR_BACK_OFF_US     (2 * SECOND)
#define ALLOCATOR_BACK_OFF_MAX_US (30 * SECOND)
/** A failure is forgotten after that time without another one. */
#define ALLOCATOR_FORGET_US (60 * SECOND)

/** What a slot is sent, and if nothing, why not. */
enum slot_state {
    SLOT_NEW,       /* nothing was decided yet: never an answer */
    SLOT_ACTIVE,    /* `step` of it */
    SLOT_BANDWIDTH, /* there is no room for its lowest step */
    SLOT_HIDDEN,    /* the subscriber does not show it */
    SLOT_MUTED,     /* by its publisher */
    SLOT_NOT_SENT,  /* its publisher sends nothing */
};

/** @return "active", or the reason as in `stream`: "bandwidth", "view", "muted", "not_sent" */
const char *slot_state_name(enum slot_state state);

struct allocation_slot {
    enum slot_priority priority;
    bool hidden, muted;
    struct ladder_view view;
    const struct layer_ladder *ladder; /* borrowed; NULL or empty: nothing is sent */
    /* in: what it has; out: what it shall have */
    enum slot_state state;
    struct ladder_step step; /* while ACTIVE */
};

/** What a subscriber's slots share; a plain value. Members are private. */
struct bandwidth_allocator {
    bool started, rising, scarce;
    uint8_t failures;
    uint64_t granted_bps;          /* what rises must fit in here */
    uint64_t floor_bps;            /* least that might have been granted since rising_us */
    int64_t started_us, rising_us; /* budget has been above what is granted since then */
    int64_t raised_us, failed_us;  /* when something last rose, and last failed */
    int64_t back_off_us;           /* nothing is granted before then */
    int64_t scarce_us; /* the budget has been too small for all lowest steps since then */
};

struct allocation {
    struct allocation_slot *slots; /* in order within a priority */
    size_t n;              /* at most ALLOCATOR_MAX_SLOTS; the others are left as they are */
    uint64_t estimate_bps; /* what the path carries; ALLOCATOR_NO_LIMIT: not known */
    uint64_t audio_bps;    /* what audio takes of it first */
    bool guess; /* the estimate is where it began: nobody's lowest step is held back for it */
};

/** What came of it; rates are of everything, audio and margins included. */
struct allocation_result {
    uint64_t spent_bps;  /* what is sent, without margins */
    uint64_t next_bps;   /* where the next slot can rise; 0: none wants to */
    uint64_t better_bps; /* where every slot can rise by a step; 0: none wants to */
    uint64_t wanted_bps; /* where every slot has all that its view is worth */
    int64_t again_us;    /* something may rise at that time if the budget stays; or NEVER_US */
    bool congested;      /* what the slots had is more than the budget: some went down */
};

/** Make it new: nothing is known of the path. */
void bandwidth_allocator_init(struct bandwidth_allocator *a);

/** Decide. Call when something of `what` has changed, and at result->again_us. */
void bandwidth_allocator_run(struct bandwidth_allocator *a, const struct allocation *what,
                             struct allocation_result *result, int64_t now_us);

#endif
