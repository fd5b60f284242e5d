#include "sfu/bandwidth_allocator.h"

#include "media/base/attributes.h"

enum {
    AUDIO_PERCENT = 115, /* of audio: some of it is sent again */
    LITTLE_PERCENT = 75, /* a budget of so much of what is needed is hardly too small */
    ALL_AT_ONCE = LADDER_MAX_STEPS,
    NOTHING = -1,
};

static const int64_t LONG_AGO_US = INT64_MIN / 2;

/* Steps that a slot takes in a round, by priority. */
static const uint8_t steps_per_round[PRIORITIES] = {
    [PRIORITY_NORMAL] = 1,
    [PRIORITY_SPEAKER] = 2,
    [PRIORITY_SCREEN] = ALL_AT_ONCE,
    [PRIORITY_PINNED] = ALL_AT_ONCE,
};

/* Budget that a rise needs [percent], by how many failed; a budget that swings by 15 % has 135 % at
 * its best of what it has at its worst. */
static const uint8_t margin_percent[] = {110, 125, 140};

/** What is being decided about one slot. */
struct place {
    uint8_t n;                       /* steps it may take */
    uint8_t steps[LADDER_MAX_STEPS]; /* indices in the ladder */
    int8_t held;                     /* the one it has, NOTHING */
    int8_t at;                       /* the one it gets, NOTHING */
    uint32_t round;                  /* in which it last rose */
};

struct run {
    const struct allocation *what;
    size_t n;
    uint64_t budget_bps, granted_bps; /* of video */
    uint64_t basic_bps;               /* granted to smallest encodings */
    uint64_t spent_bps;
    uint32_t round;
    bool grace; /* what is at its lowest step is not paused yet */
    struct place places[ALLOCATOR_MAX_SLOTS];
};

const char *slot_state_name(enum slot_state state)
{
    static const char *const names[] = {
        [SLOT_NEW] = "new",     [SLOT_ACTIVE] = "active", [SLOT_BANDWIDTH] = "bandwidth",
        [SLOT_HIDDEN] = "view", [SLOT_MUTED] = "muted",   [SLOT_NOT_SENT] = "not_sent",
    };

    return names[state];
}

void bandwidth_allocator_init(struct bandwidth_allocator *a)
{
    *a = (struct bandwidth_allocator){.back_off_us = LONG_AGO_US, .raised_us = LONG_AGO_US};
}

/* ------------------------------------------------------------------ what is granted */

static uint64_t with_margin(const struct bandwidth_allocator *a, uint64_t bps)
{
    uint8_t last = ARRAY_LEN(margin_percent) - 1;

    return bps * margin_percent[a->failures < last ? a->failures : last] / 100;
}

static uint64_t without_margin(const struct bandwidth_allocator *a, uint64_t bps)
{
    uint8_t last = ARRAY_LEN(margin_percent) - 1;

    if (bps > UINT64_MAX / 100)
        return bps; /* no limit, or as good as none */
    return bps * 100 / margin_percent[a->failures < last ? a->failures : last];
}

/* What is granted with the margin of the first try. */
static uint64_t without_failures(const struct bandwidth_allocator *a, uint64_t granted_bps)
{
    if (granted_bps > UINT64_MAX / 1000)
        return granted_bps;
    return with_margin(a, granted_bps) * 100 / margin_percent[0];
}

static void forget_failures(struct bandwidth_allocator *a, int64_t now_us)
{
    while (a->failures > 0 && now_us - a->failed_us >= ALLOCATOR_FORGET_US) {
        a->failures--;
        a->failed_us += ALLOCATOR_FORGET_US;
    }
}

/* Down at once, up when the budget has had room for a while. @return when to look again [us] */
static int64_t grant(struct bandwidth_allocator *a, uint64_t budget_bps, int64_t now_us)
{
    uint64_t room_bps = without_margin(a, budget_bps);
    bool starts = now_us - a->started_us < ALLOCATOR_START_US;
    int64_t due_us;

    if (!a->started || budget_bps == ALLOCATOR_NO_LIMIT) {
        a->started_us = a->started ? a->started_us : now_us;
        a->started = true;
        a->granted_bps = budget_bps;
        a->rising = false;
        return NEVER_US;
    }
    if (room_bps <= a->granted_bps) {
        a->granted_bps = room_bps;
        a->rising = false;
        return NEVER_US;
    }
    if (!a->rising) {
        a->rising = true;
        a->rising_us = now_us;
        a->floor_bps = room_bps;
    } else if (room_bps < a->floor_bps) {
        a->floor_bps = room_bps;
    }
    due_us = clock_later(a->rising_us + (starts ? ALLOCATOR_START_HOLD_US : ALLOCATOR_HOLD_US),
                         a->back_off_us);
    if (now_us < due_us)
        return due_us;
    a->granted_bps = a->floor_bps;
    a->rising = false;
    return room_bps > a->granted_bps ? now_us + ALLOCATOR_HOLD_US : NEVER_US;
}

static void note_failure(struct bandwidth_allocator *a, int64_t now_us)
{
    int64_t wait_us = ALLOCATOR_BACK_OFF_US;

    for (uint8_t i = 0; i < a->failures && wait_us < ALLOCATOR_BACK_OFF_MAX_US; i++)
        wait_us *= 2;
    if (wait_us > ALLOCATOR_BACK_OFF_MAX_US)
        wait_us = ALLOCATOR_BACK_OFF_MAX_US;
    if (a->failures < UINT8_MAX)
        a->failures++;
    a->failed_us = now_us;
    a->back_off_us = now_us + wait_us;
    a->raised_us = LONG_AGO_US; /* once for each rise */
    a->rising = false;
}

/* ------------------------------------------------------------------ the slots */

static bool is_open(const struct allocation_slot *s)
{
    return !s->hidden && !s->muted && s->ladder && s->ladder->n > 0;
}

/* What a slot that cannot be sent is told. */
static enum slot_state closed_state(const struct allocation_slot *s)
{
    if (s->muted)
        return SLOT_MUTED;
    return s->hidden ? SLOT_HIDDEN : SLOT_NOT_SENT;
}

static bool is_same_layer(const struct ladder_step *a, const struct ladder_step *b)
{
    return a->layer == b->layer && a->sid == b->sid && a->tid == b->tid;
}

static const struct ladder_step *step_at(const struct run *run, size_t slot, int at)
{
    return &run->what->slots[slot].ladder->steps[run->places[slot].steps[at]];
}

/* The step that the slot has, or if there is no such step any more the best that shows no more. */
static int8_t find_held(const struct run *run, size_t slot)
{
    const struct allocation_slot *s = &run->what->slots[slot];
    uint64_t worth = ladder_step_worth(&s->step, s->ladder->screen);
    int8_t held = 0;

    for (int8_t i = 0; i < run->places[slot].n; i++) {
        const struct ladder_step *step = step_at(run, slot, i);

        if (is_same_layer(step, &s->step))
            return i;
        if (ladder_step_worth(step, s->ladder->screen) <= worth)
            held = i;
    }
    return held;
}

static void enter_slot(struct run *run, size_t slot)
{
    const struct allocation_slot *s = &run->what->slots[slot];
    struct place *p = &run->places[slot];

    p->n = 0;
    p->held = p->at = NOTHING;
    p->round = 0;
    if (!is_open(s))
        return;
    p->n = layer_ladder_narrow(s->ladder, &s->view, p->steps);
    if (s->state == SLOT_ACTIVE)
        p->held = find_held(run, slot);
}

static uint64_t cost_at(const struct run *run, size_t slot, int at)
{
    return at < 0 ? 0 : step_at(run, slot, at)->bps;
}

/* What all slots may take if this one goes a step up: what it had it may have again, and to begin,
 * or to get more frames of the smallest encoding, failures of larger ones do not count. */
static uint64_t limit_for(const struct run *run, size_t slot)
{
    const struct place *p = &run->places[slot];

    if (p->at < p->held)
        return run->budget_bps;
    if (step_at(run, slot, p->at + 1)->layer == step_at(run, slot, 0)->layer)
        return run->basic_bps;
    return run->granted_bps;
}

/* Go one step up if there is room. */
static bool step_up(struct run *run, size_t slot)
{
    struct place *p = &run->places[slot];
    uint64_t spent_bps;

    if (p->at + 1 >= p->n)
        return false;
    spent_bps = run->spent_bps - cost_at(run, slot, p->at) + cost_at(run, slot, p->at + 1);
    if (spent_bps > limit_for(run, slot) &&
        !(p->at < 0 && (run->what->guess || (run->grace && p->held >= 0))))
        return false;
    run->spent_bps = spent_bps;
    p->at++;
    return true;
}

/* Let each slot of a priority that has not risen in this round take a step: one that it has already
 * (`keeping`), or a new one. @return true if one did */
static bool raise_each(struct run *run, enum slot_priority priority, bool keeping)
{
    bool raised = false;

    for (size_t i = 0; i < run->n; i++) {
        struct place *p = &run->places[i];

        if (run->what->slots[i].priority != priority || p->round == run->round ||
            (p->at < p->held) != keeping || !step_up(run, i))
            continue;
        p->round = run->round;
        raised = true;
    }
    return raised;
}

/* Let the slots of a priority rise. What is there already goes first: nothing changes for the sake
 * of equals. @return true if one did */
static bool raise_class(struct run *run, enum slot_priority priority, uint8_t steps)
{
    bool raised = false;

    for (uint8_t i = 0; i < steps; i++) {
        bool now;

        run->round++;
        now = raise_each(run, priority, true);
        now = raise_each(run, priority, false) || now;
        if (!now)
            break;
        raised = true;
    }
    return raised;
}

static void spend(struct run *run)
{
    bool raised = true;

    for (int priority = PRIORITIES - 1; priority >= 0; priority--)
        (void)raise_class(run, (enum slot_priority)priority, 1);
    while (raised) {
        raised = false;
        for (int priority = PRIORITIES - 1; priority >= 0; priority--)
            raised = raise_class(run, (enum slot_priority)priority, steps_per_round[priority]) ||
                     raised;
    }
}

/* @return true if a slot rose */
static bool settle(struct run *run)
{
    bool rose = false;

    for (size_t i = 0; i < run->n; i++) {
        struct allocation_slot *s = &run->what->slots[i];
        const struct place *p = &run->places[i];

        rose = rose || p->at > p->held;
        if (!is_open(s))
            s->state = closed_state(s);
        else if (p->at < 0)
            s->state = SLOT_BANDWIDTH;
        else
            s->state = SLOT_ACTIVE;
        if (s->state == SLOT_ACTIVE)
            s->step = *step_at(run, i, p->at);
    }
    return rose;
}

/* ------------------------------------------------------------------ the whole */

static uint64_t held_cost(const struct run *run)
{
    uint64_t bps = 0;

    for (size_t i = 0; i < run->n; i++)
        bps += cost_at(run, i, run->places[i].held);
    return bps;
}

/* Is the budget too small for what goes on at its lowest, though not long yet?
 * @return when it will have been [us]; NEVER_US: it is not, or has been already */
static int64_t note_scarcity(struct bandwidth_allocator *a, struct run *run, int64_t now_us)
{
    uint64_t lowest_bps = 0;
    bool before = a->scarce;
    int64_t grace_us;

    for (size_t i = 0; i < run->n; i++)
        lowest_bps += run->places[i].held >= 0 ? cost_at(run, i, 0) : 0;
    a->scarce = lowest_bps > run->budget_bps;
    if (a->scarce && !before)
        a->scarce_us = now_us;
    grace_us = lowest_bps * LITTLE_PERCENT / 100 > run->budget_bps ? ALLOCATOR_GRACE_US
                                                                   : ALLOCATOR_LONG_GRACE_US;
    run->grace = a->scarce && now_us < a->scarce_us + grace_us;
    return run->grace ? a->scarce_us + grace_us : NEVER_US;
}

/* What would be spent if things were better. */
static void look_up(const struct run *run, struct allocation_result *result)
{
    uint64_t next_bps = UINT64_MAX;
    uint64_t better_bps = run->spent_bps;
    uint64_t wanted_bps = 0;

    for (size_t i = 0; i < run->n; i++) {
        const struct place *p = &run->places[i];
        uint64_t more_bps;

        wanted_bps += cost_at(run, i, p->n - 1);
        if (p->at + 1 >= p->n)
            continue;
        more_bps = cost_at(run, i, p->at + 1) - cost_at(run, i, p->at);
        better_bps += more_bps;
        if (run->spent_bps + more_bps < next_bps)
            next_bps = run->spent_bps + more_bps;
    }
    result->spent_bps = run->spent_bps;
    result->next_bps = next_bps == UINT64_MAX ? 0 : next_bps;
    result->better_bps = next_bps == UINT64_MAX ? 0 : better_bps;
    result->wanted_bps = wanted_bps;
}

static void begin(struct run *run, const struct allocation *what)
{
    uint64_t audio_bps = what->audio_bps * AUDIO_PERCENT / 100;

    run->what = what;
    run->n = what->n < ALLOCATOR_MAX_SLOTS ? what->n : ALLOCATOR_MAX_SLOTS;
    run->spent_bps = 0;
    run->round = 0;
    run->budget_bps = what->estimate_bps > audio_bps ? what->estimate_bps - audio_bps : 0;
    if (what->estimate_bps == ALLOCATOR_NO_LIMIT)
        run->budget_bps = ALLOCATOR_NO_LIMIT;
    for (size_t i = 0; i < run->n; i++)
        enter_slot(run, i);
}

static void add_margins(const struct bandwidth_allocator *a, const struct allocation *what,
                        struct allocation_result *result)
{
    uint64_t audio_bps = what->audio_bps * AUDIO_PERCENT / 100;

    result->spent_bps += what->audio_bps;
    if (result->next_bps) {
        result->next_bps = with_margin(a, result->next_bps) + audio_bps;
        result->better_bps = with_margin(a, result->better_bps) + audio_bps;
    }
    result->wanted_bps = with_margin(a, result->wanted_bps) + audio_bps;
}

void bandwidth_allocator_run(struct bandwidth_allocator *a, const struct allocation *what,
                             struct allocation_result *result, int64_t now_us)
{
    struct run run;
    int64_t again_us;
    int64_t scarce_us;

    begin(&run, what);
    forget_failures(a, now_us);
    result->congested = held_cost(&run) > run.budget_bps && !what->guess;
    if (result->congested && now_us - a->raised_us < ALLOCATOR_TRIAL_US)
        note_failure(a, now_us);
    again_us = grant(a, run.budget_bps, now_us);
    scarce_us = note_scarcity(a, &run, now_us);
    run.granted_bps = a->granted_bps;
    run.basic_bps = without_failures(a, a->granted_bps);
    spend(&run);
    if (settle(&run))
        a->raised_us = now_us;
    look_up(&run, result);
    result->again_us = result->next_bps ? again_us : NEVER_US;
    if (scarce_us < result->again_us)
        result->again_us = scarce_us;
    add_margins(a, what, result);
}
