#include "sfu/bandwidth_allocator.h"

#include "bench/netem.h"
#include "tests/tap.h"

/* Three encodings of a camera: 60/90/150, 200/300/500 and 680/1020/1700 kbit/s. A camera takes the
 * three of the lowest, then the others with all frames. */
static const struct ladder_encoding encodings[3] = {
    {.there = true,
     .n_temporal = 3,
     .width = 320,
     .height = 180,
     .fps = 30,
     .bps = {{60000, 90000, 150000}}},
    {.there = true,
     .n_temporal = 3,
     .width = 640,
     .height = 360,
     .fps = 30,
     .bps = {{200000, 300000, 500000}}},
    {.there = true,
     .n_temporal = 3,
     .width = 1280,
     .height = 720,
     .fps = 30,
     .bps = {{680000, 1020000, 1700000}}},
};
static struct layer_ladder camera, screen, plain;

enum { MAX_SLOTS = 24, KBIT = 1000, MBIT = 1000 * 1000 };

/* One subscriber. */
struct world {
    struct bandwidth_allocator allocator;
    struct allocation_slot slots[MAX_SLOTS];
    struct allocation what;
    struct allocation_result result;
    int64_t now_us;
    uint32_t changes;
};

static struct world make(size_t n)
{
    static const struct ladder_encoding one = {.there = true, .bps = {{400000}}};
    struct world w = {.now_us = 1000 * SECOND, .what = {.n = n}};

    layer_ladder_make(&camera, encodings, 3, false);
    layer_ladder_make(&screen, encodings, 3, true);
    layer_ladder_make(&plain, &one, 1, false);
    bandwidth_allocator_init(&w.allocator);
    for (size_t i = 0; i < n; i++)
        w.slots[i] = (struct allocation_slot){.ladder = &camera};
    return w;
}

static uint64_t spent(const struct world *w)
{
    uint64_t bps = 0;

    for (size_t i = 0; i < w->what.n; i++)
        bps += w->slots[i].state == SLOT_ACTIVE ? w->slots[i].step.bps : 0;
    return bps;
}

static bool differ(const struct allocation_slot *a, const struct allocation_slot *b)
{
    return a->state != b->state || (a->state == SLOT_ACTIVE && a->step.bps != b->step.bps);
}

static void run(struct world *w, uint64_t estimate_bps)
{
    struct allocation_slot before[MAX_SLOTS];

    memcpy(before, w->slots, sizeof(before));
    w->what.slots = w->slots;
    w->what.estimate_bps = estimate_bps;
    bandwidth_allocator_run(&w->allocator, &w->what, &w->result, w->now_us);
    for (size_t i = 0; i < w->what.n; i++)
        w->changes += differ(&w->slots[i], &before[i]);
    CHECK_EQ(w->result.spent_bps, spent(w) + w->what.audio_bps);
    CHECK(spent(w) + w->what.audio_bps <= estimate_bps || spent(w) == 0 || w->what.guess ||
          (w->allocator.scarce && w->now_us < w->allocator.scarce_us + ALLOCATOR_LONG_GRACE_US));
}

/* Let time pass with one estimate, looking ten times per second. */
static void stay(struct world *w, uint64_t estimate_bps, int64_t us)
{
    for (int64_t end_us = w->now_us + us; w->now_us < end_us; w->now_us += 100 * MS)
        run(w, estimate_bps);
}

static bool is_at(const struct world *w, size_t slot, uint32_t bps)
{
    return w->slots[slot].state == SLOT_ACTIVE && w->slots[slot].step.bps == bps;
}

static void without_a_limit_everybody_gets_all(void)
{
    struct world w = make(3);

    run(&w, ALLOCATOR_NO_LIMIT);
    CHECK(is_at(&w, 0, 1700000) && is_at(&w, 1, 1700000) && is_at(&w, 2, 1700000));
    CHECK_EQ(w.result.next_bps, 0);
    CHECK_EQ(w.result.again_us, NEVER_US);
}

static void first_everybody_gets_the_lowest(void)
{
    struct world w = make(4);

    run(&w, 250 * KBIT);
    for (size_t i = 0; i < 4; i++)
        CHECK_EQ(w.slots[i].state, SLOT_ACTIVE);
    CHECK(is_at(&w, 3, 60000));
    w = make(4);
    run(&w, 200 * KBIT);
    CHECK(is_at(&w, 2, 60000));
    CHECK_EQ(w.slots[3].state, SLOT_BANDWIDTH);
}

static void equals_rise_round_by_round(void)
{
    struct world w = make(3);

    run(&w, 1600 * KBIT);
    CHECK(is_at(&w, 0, 500000) && is_at(&w, 1, 500000) && is_at(&w, 2, 500000));
    w = make(3);
    run(&w, 1100 * KBIT);
    CHECK(is_at(&w, 0, 500000) && is_at(&w, 1, 150000) && is_at(&w, 2, 150000));
}

static void higher_priorities_go_first_and_further(void)
{
    struct world w = make(3);

    w.slots[2].priority = PRIORITY_PINNED;
    run(&w, 2000 * KBIT);
    CHECK(is_at(&w, 2, 1700000));
    CHECK(is_at(&w, 0, 150000) && is_at(&w, 1, 150000));
    w = make(3);
    w.slots[1].priority = PRIORITY_SPEAKER;
    run(&w, 900 * KBIT);
    CHECK(is_at(&w, 1, 500000));
    CHECK(is_at(&w, 0, 150000) && is_at(&w, 2, 150000));
    w = make(2);
    w.slots[1].priority = PRIORITY_SCREEN;
    w.slots[0].priority = PRIORITY_SPEAKER;
    run(&w, 70 * KBIT);
    CHECK_EQ(w.slots[0].state, SLOT_BANDWIDTH);
    CHECK(is_at(&w, 1, 60000));
}

static void a_screen_is_sharp_rather_than_smooth(void)
{
    struct world w = make(2);

    w.slots[0].ladder = &screen;
    w.slots[0].priority = PRIORITY_SCREEN;
    run(&w, 800 * KBIT);
    CHECK(is_at(&w, 0, 680000));
    CHECK_EQ(w.slots[0].step.width, 1280);
    CHECK(is_at(&w, 1, 90000));
}

static void nothing_is_more_than_its_view_is_worth(void)
{
    struct world w = make(2);

    w.slots[0].view = (struct ladder_view){.width = 300, .height = 200};
    w.slots[1].view = (struct ladder_view){.width = 600, .height = 400, .fps = 15};
    run(&w, 100 * (uint64_t)MBIT);
    CHECK(is_at(&w, 0, 150000) && is_at(&w, 1, 300000));
    CHECK_EQ(w.result.next_bps, 0);
    CHECK_EQ(w.result.wanted_bps, 450000 * 110 / 100);
}

static void why_nothing_is_sent_is_told(void)
{
    struct world w = make(4);
    struct layer_ladder empty = {.n = 0};

    w.slots[0].hidden = true;
    w.slots[1].muted = w.slots[1].hidden = true;
    w.slots[2].ladder = NULL;
    w.slots[3].ladder = &empty;
    run(&w, 100 * (uint64_t)MBIT);
    CHECK_STR(slot_state_name(w.slots[0].state), "view");
    CHECK_STR(slot_state_name(w.slots[1].state), "muted");
    CHECK_STR(slot_state_name(w.slots[2].state), "not_sent");
    CHECK_STR(slot_state_name(w.slots[3].state), "not_sent");
    w.slots[0].hidden = false;
    run(&w, 10 * KBIT);
    CHECK_STR(slot_state_name(w.slots[0].state), "bandwidth");
    run(&w, 0);
    CHECK_STR(slot_state_name(w.slots[0].state), "bandwidth");
}

static void audio_is_taken_off_first_with_what_is_sent_again(void)
{
    struct world w = make(1);

    w.what.audio_bps = 100 * KBIT;
    run(&w, 174 * KBIT);
    CHECK_EQ(w.slots[0].state, SLOT_BANDWIDTH);
    w = make(1);
    w.what.audio_bps = 100 * KBIT;
    run(&w, 176 * KBIT);
    CHECK(is_at(&w, 0, 60000));
    run(&w, 90 * KBIT);
    w.now_us += ALLOCATOR_GRACE_US;
    run(&w, 90 * KBIT);
    CHECK_EQ(w.slots[0].state, SLOT_BANDWIDTH);
    CHECK_EQ(w.result.spent_bps, 100 * KBIT);
}

static void less_budget_takes_from_the_last_at_once(void)
{
    struct world w = make(3);

    w.slots[0].priority = PRIORITY_SPEAKER;
    run(&w, 6 * MBIT);
    CHECK(is_at(&w, 2, 1700000));
    w.now_us += 20 * MS;
    run(&w, 2400 * KBIT);
    CHECK(w.result.congested);
    CHECK(is_at(&w, 0, 1700000));
    CHECK(is_at(&w, 1, 500000) && is_at(&w, 2, 150000));
}

static void a_rise_waits_until_the_budget_has_had_room_for_a_while(void)
{
    struct world w = make(1);
    int64_t since_us;

    stay(&w, 300 * KBIT, 15 * SECOND);
    CHECK(is_at(&w, 0, 150000));
    CHECK_EQ(w.result.next_bps, 550000);
    stay(&w, 540 * KBIT, 10 * SECOND); /* not the margin */
    CHECK(is_at(&w, 0, 150000));
    since_us = w.now_us;
    run(&w, 560 * KBIT);
    CHECK_EQ(w.result.again_us, since_us + ALLOCATOR_HOLD_US);
    CHECK(is_at(&w, 0, 150000));
    w.now_us = since_us + ALLOCATOR_HOLD_US;
    run(&w, 560 * KBIT);
    CHECK(is_at(&w, 0, 500000));
}

static void at_the_start_it_waits_less(void)
{
    struct world w = make(1);

    run(&w, 300 * KBIT);
    w.now_us += 100 * MS;
    run(&w, 3 * MBIT);
    CHECK(is_at(&w, 0, 150000));
    w.now_us += ALLOCATOR_START_HOLD_US;
    run(&w, 3 * MBIT);
    CHECK(is_at(&w, 0, 1700000));
}

static void a_dip_pauses_nothing(void)
{
    struct world w = make(3);

    stay(&w, 450 * KBIT, 12 * SECOND);
    CHECK(is_at(&w, 2, 150000));
    w.changes = 0;
    for (int i = 0; i < 10; i++) {
        stay(&w, 100 * KBIT, ALLOCATOR_GRACE_US);
        for (size_t k = 0; k < 3; k++)
            CHECK(is_at(&w, k, 60000));
        CHECK_EQ(w.result.again_us, w.now_us);
        run(&w, 200 * KBIT);
    }
    stay(&w, 100 * KBIT, ALLOCATOR_GRACE_US + 100 * MS);
    CHECK_EQ(w.slots[0].state, SLOT_ACTIVE);
    CHECK_EQ(w.slots[1].state, SLOT_BANDWIDTH);
    CHECK_EQ(w.slots[2].state, SLOT_BANDWIDTH);
}

static void what_is_nearly_enough_pauses_nothing_for_longer(void)
{
    struct world w = make(1);

    stay(&w, 100 * KBIT, 10 * SECOND);
    stay(&w, 50 * KBIT, ALLOCATOR_LONG_GRACE_US);
    CHECK(is_at(&w, 0, 60000));
    stay(&w, 50 * KBIT, 200 * MS);
    CHECK_EQ(w.slots[0].state, SLOT_BANDWIDTH);
}

static void failures_keep_nothing_from_its_smallest_encoding(void)
{
    struct world w = make(1);

    stay(&w, 70 * KBIT, 10 * SECOND);
    for (int i = 0; i < 4; i++) {
        int64_t since_us = w.now_us;

        stay(&w, 10 * KBIT, ALLOCATOR_GRACE_US + 200 * MS);
        CHECK_EQ(w.slots[0].state, SLOT_BANDWIDTH);
        while (!is_at(&w, 0, 60000) && w.now_us - since_us < ALLOCATOR_BACK_OFF_MAX_US)
            stay(&w, 70 * KBIT, 100 * MS);
        CHECK(is_at(&w, 0, 60000));
    }
    CHECK(w.allocator.failures > 2);
}

static void a_guess_holds_back_nobodys_lowest_step(void)
{
    struct world w = make(3);

    w.what.guess = true;
    run(&w, 100 * KBIT);
    for (size_t i = 0; i < 3; i++)
        CHECK(is_at(&w, i, 60000));
    w.now_us += 1 * SECOND;
    run(&w, 100 * KBIT);
    CHECK(!w.result.congested);
    w.what.guess = false;
    run(&w, 100 * KBIT);
    CHECK(w.result.congested);
    w.now_us += ALLOCATOR_GRACE_US;
    run(&w, 100 * KBIT);
    CHECK_EQ(w.slots[0].state, SLOT_ACTIVE);
    CHECK_EQ(w.slots[2].state, SLOT_BANDWIDTH);
}

/* [us] until the top comes back after it had to be taken back */
static int64_t time_to_rise(struct world *w, uint64_t budget_bps)
{
    int64_t since_us = w->now_us;

    while (!is_at(w, 0, 500000) && w->now_us - since_us < 100 * SECOND) {
        run(w, budget_bps);
        w->now_us += 100 * MS;
    }
    return w->now_us - since_us;
}

static void what_fails_is_tried_again_later_and_later(void)
{
    struct world w = make(1);
    int64_t last_us = 0;

    w.slots[0].view = (struct ladder_view){.width = 640, .height = 360};
    stay(&w, 300 * KBIT, 12 * SECOND);
    for (int i = 0; i < 6; i++) {
        int64_t us = time_to_rise(&w, 1 * MBIT);

        CHECK(us >= last_us);
        if (i > 0)
            CHECK(us >= (ALLOCATOR_BACK_OFF_US << (i - 1)) - 100 * MS || us >= 29 * SECOND);
        CHECK(us <= ALLOCATOR_BACK_OFF_MAX_US + 200 * MS);
        last_us = us;
        w.now_us += 1 * SECOND;
        run(&w, 300 * KBIT);
        CHECK(is_at(&w, 0, 150000));
    }
    w.now_us += 6 * ALLOCATOR_FORGET_US; /* all is forgotten */
    run(&w, 300 * KBIT);
    CHECK(time_to_rise(&w, 560 * KBIT) <= 2 * ALLOCATOR_HOLD_US + 200 * MS);
}

/* @return changes in a minute of a budget that swings by 15 % around `middle` */
static uint32_t changes_when_swinging(uint64_t middle, int64_t half_us)
{
    struct world w = make(3);

    stay(&w, middle, 20 * SECOND);
    for (int i = 0; i < 8; i++) { /* finds its place */
        stay(&w, middle * 85 / 100, half_us);
        stay(&w, middle * 115 / 100, half_us);
    }
    w.changes = 0;
    for (int64_t us = 0; us < 60 * SECOND; us += 2 * half_us) {
        stay(&w, middle * 85 / 100, half_us);
        stay(&w, middle * 115 / 100, half_us);
    }
    return w.changes;
}

static void a_swinging_budget_changes_next_to_nothing(void)
{
    /* around every rate, with every period */
    for (uint64_t middle = 200 * KBIT; middle < 6 * MBIT; middle += 150 * KBIT) {
        for (int64_t half_us = 100 * MS; half_us <= 5 * SECOND; half_us *= 2)
            CHECK(changes_when_swinging(middle, half_us) <= 4);
    }
}

static void noise_of_the_rates_changes_nothing(void)
{
    struct world w = make(3);
    struct layer_ladder noisy[3];
    uint64_t seed = 1;

    stay(&w, 1800 * KBIT, 15 * SECOND);
    w.changes = 0;
    for (int i = 0; i < 600; i++) {
        for (int k = 0; k < 3; k++) {
            noisy[k] = camera;
            for (int j = 0; j < noisy[k].n; j++)
                noisy[k].steps[j].bps = camera.steps[j].bps *
                                        (96 + (uint32_t)(netem_random(&seed) % 9)) / 100;
            w.slots[k].ladder = &noisy[k];
        }
        w.now_us += 100 * MS;
        w.what.slots = w.slots;
        for (int k = 0; k < 3; k++) {
            uint8_t layer = w.slots[k].step.layer;

            bandwidth_allocator_run(&w.allocator, &w.what, &w.result, w.now_us);
            CHECK_EQ(w.slots[k].step.layer, layer);
        }
    }
}

static void what_equals_have_is_not_taken_for_a_newcomer(void)
{
    struct world w = make(3);

    w.slots[0].hidden = true;
    stay(&w, 900 * KBIT, 15 * SECOND);
    CHECK(is_at(&w, 1, 500000) && is_at(&w, 2, 150000));
    w.slots[0].hidden = false;
    w.changes = 0;
    stay(&w, 900 * KBIT, 15 * SECOND);
    CHECK(is_at(&w, 0, 150000) && is_at(&w, 1, 500000) && is_at(&w, 2, 150000));
}

static void a_new_speaker_takes_from_the_last_one_at_once(void)
{
    struct world w = make(2);

    w.slots[0].priority = PRIORITY_SPEAKER;
    stay(&w, 2 * MBIT, 15 * SECOND);
    CHECK(is_at(&w, 0, 1700000) && is_at(&w, 1, 150000));
    w.slots[0].priority = PRIORITY_NORMAL;
    w.slots[1].priority = PRIORITY_SPEAKER;
    run(&w, 2 * MBIT);
    CHECK(is_at(&w, 1, 1700000));
}

static void what_leaves_makes_room_at_once(void)
{
    struct world w = make(2);

    stay(&w, 700 * KBIT, 15 * SECOND);
    CHECK(is_at(&w, 0, 500000) && is_at(&w, 1, 150000));
    w.what.n = 1;
    w.slots[0] = w.slots[1];
    run(&w, 700 * KBIT);
    CHECK(is_at(&w, 0, 500000));
}

static void a_source_without_layers_is_sent_or_not(void)
{
    struct world w = make(1);

    w.slots[0].ladder = &plain;
    w.slots[0].view = (struct ladder_view){.width = 10, .height = 10, .fps = 1};
    run(&w, 399 * KBIT);
    CHECK_EQ(w.slots[0].state, SLOT_BANDWIDTH);
    CHECK_EQ(w.result.next_bps, 440000);
    stay(&w, 450 * KBIT, 2 * SECOND);
    CHECK(is_at(&w, 0, 400000));
}

static void a_layer_that_ends_is_replaced_by_one_that_shows_no_more(void)
{
    struct world w = make(1);
    struct ladder_encoding fewer[3];
    struct layer_ladder less;

    run(&w, 10 * MBIT);
    memcpy(fewer, encodings, sizeof(fewer));
    fewer[2].there = false;
    layer_ladder_make(&less, fewer, 3, false);
    w.slots[0].ladder = &less;
    run(&w, 10 * MBIT);
    CHECK(is_at(&w, 0, 500000));
    CHECK(!w.result.congested);
}

/* ------------------------------------------------------------------ whatever comes */

static void random_ladder(struct layer_ladder *ret, uint64_t *seed)
{
    struct ladder_encoding e[3] = {{0}};
    uint32_t bps = 20000 + (uint32_t)(netem_random(seed) % 100000);

    for (int i = 0; i < 3; i++) {
        e[i].there = netem_random(seed) % 8 != 0;
        e[i].n_temporal = (uint8_t)(1 + netem_random(seed) % 3);
        e[i].width = (uint16_t)(320 << i);
        e[i].height = (uint16_t)(180 << i);
        e[i].bps[0][e[i].n_temporal - 1] = bps;
        bps *= 2 + (uint32_t)(netem_random(seed) % 3);
    }
    layer_ladder_make(ret, e, 3, netem_random(seed) & 1);
}

static void shake_slot(struct allocation_slot *s, struct layer_ladder *ladder, uint64_t *seed)
{
    switch (netem_random(seed) % 8) {
    case 0:
        s->hidden = !s->hidden;
        break;
    case 1:
        s->muted = !s->muted;
        break;
    case 2:
        s->priority = (enum slot_priority)(netem_random(seed) % PRIORITIES);
        break;
    case 3:
        s->view.width = (uint16_t)(netem_random(seed) % 2000);
        s->view.height = (uint16_t)(netem_random(seed) % 1200);
        break;
    case 4:
        s->view.fps = (uint8_t)(netem_random(seed) % 40);
        break;
    default:
        random_ladder(ladder, seed);
    }
}

static void the_budget_is_never_exceeded(void)
{
    struct layer_ladder ladders[MAX_SLOTS];

    for (uint64_t round = 1; round <= 100; round++) {
        uint64_t seed = round;
        struct world w = make(1 + netem_random(&seed) % MAX_SLOTS);

        for (size_t i = 0; i < w.what.n; i++) {
            random_ladder(&ladders[i], &seed);
            w.slots[i].ladder = &ladders[i];
        }
        for (int i = 0; i < 200; i++) {
            size_t at = netem_random(&seed) % (w.what.n ? w.what.n : 1);

            shake_slot(&w.slots[at], &ladders[at], &seed);
            w.what.audio_bps = netem_random(&seed) % 200000;
            w.now_us += (int64_t)(netem_random(&seed) % (2 * SECOND));
            run(&w, netem_random(&seed) % (10 * MBIT)); /* checks it */
            CHECK(w.result.wanted_bps >= w.result.spent_bps);
            CHECK(w.result.next_bps <= w.result.better_bps);
        }
    }
}

/* Let a subscriber with random priorities live through random budgets. */
static struct world live(uint64_t seed)
{
    struct world w = make(MAX_SLOTS);

    for (int i = 0; i < 100; i++) {
        w.slots[netem_random(&seed) % MAX_SLOTS].priority = (enum slot_priority)(
            netem_random(&seed) % PRIORITIES);
        w.now_us += 500 * MS;
        run(&w, netem_random(&seed) % (10 * MBIT));
    }
    return w;
}

static void the_same_calls_give_the_same_answers(void)
{
    struct world a = live(7);
    struct world b = live(7);

    CHECK_EQ(a.changes, b.changes);
    for (size_t i = 0; i < MAX_SLOTS; i++)
        CHECK(!differ(&a.slots[i], &b.slots[i]));
}

static void check_order(const struct allocation_slot *a, const struct allocation_slot *b)
{
    if (a->priority <= b->priority || b->state != SLOT_ACTIVE)
        return;
    CHECK_EQ(a->state, SLOT_ACTIVE);
    CHECK(a->step.bps >= b->step.bps);
}

static void who_is_before_has_no_less(void)
{
    uint64_t seed = 3;

    for (int round = 0; round < 2000; round++) {
        struct world w = make(2 + netem_random(&seed) % 10);

        for (size_t i = 0; i < w.what.n; i++)
            w.slots[i].priority = (enum slot_priority)(netem_random(&seed) % PRIORITIES);
        run(&w, netem_random(&seed) % (8 * MBIT));
        for (size_t i = 0; i < w.what.n * w.what.n; i++)
            check_order(&w.slots[i / w.what.n], &w.slots[i % w.what.n]);
    }
}

static void nobody_starves_while_there_is_room(void)
{
    uint64_t seed = 5;

    for (int round = 0; round < 2000; round++) {
        struct world w = make(1 + netem_random(&seed) % MAX_SLOTS);
        uint64_t budget = w.what.n * 60000 + netem_random(&seed) % MBIT;

        for (size_t i = 0; i < w.what.n; i++)
            w.slots[i].priority = (enum slot_priority)(netem_random(&seed) % PRIORITIES);
        run(&w, budget);
        for (size_t i = 0; i < w.what.n; i++)
            CHECK_EQ(w.slots[i].state, SLOT_ACTIVE);
        /* and nothing that fits is left lying */
        CHECK(w.result.next_bps == 0 || w.result.next_bps > budget);
    }
}

static void a_steady_budget_settles(void)
{
    uint64_t seed = 9;

    for (int round = 0; round < 200; round++) {
        struct world w = make(1 + netem_random(&seed) % MAX_SLOTS);

        stay(&w, netem_random(&seed) % (8 * MBIT), 3 * SECOND);
        stay(&w, 100 * KBIT + netem_random(&seed) % (8 * MBIT), 40 * SECOND);
        w.changes = 0;
        stay(&w, w.what.estimate_bps, 20 * SECOND);
        CHECK_EQ(w.changes, 0);
    }
}

TAP_CASES(CASE(without_a_limit_everybody_gets_all), CASE(first_everybody_gets_the_lowest),
          CASE(equals_rise_round_by_round), CASE(higher_priorities_go_first_and_further),
          CASE(a_screen_is_sharp_rather_than_smooth), CASE(nothing_is_more_than_its_view_is_worth),
          CASE(why_nothing_is_sent_is_told), CASE(audio_is_taken_off_first_with_what_is_sent_again),
          CASE(less_budget_takes_from_the_last_at_once),
          CASE(a_rise_waits_until_the_budget_has_had_room_for_a_while),
          CASE(at_the_start_it_waits_less), CASE(what_is_nearly_enough_pauses_nothing_for_longer),
          CASE(failures_keep_nothing_from_its_smallest_encoding),
          CASE(a_guess_holds_back_nobodys_lowest_step), CASE(a_dip_pauses_nothing),
          CASE(what_fails_is_tried_again_later_and_later),
          CASE(a_swinging_budget_changes_next_to_nothing), CASE(noise_of_the_rates_changes_nothing),
          CASE(what_equals_have_is_not_taken_for_a_newcomer),
          CASE(a_new_speaker_takes_from_the_last_one_at_once), CASE(what_leaves_makes_room_at_once),
          CASE(a_source_without_layers_is_sent_or_not),
          CASE(a_layer_that_ends_is_replaced_by_one_that_shows_no_more),
          CASE(the_budget_is_never_exceeded), CASE(the_same_calls_give_the_same_answers),
          CASE(who_is_before_has_no_less), CASE(nobody_starves_while_there_is_room),
          CASE(a_steady_budget_settles))
