#include "media/replay.h"

#include "tests/tap.h"

enum { WINDOW = 1024, SMALL = 64 };

struct window {
    uint64_t newest;
    uint64_t seen[WINDOW / REPLAY_WORD];
};

static bool refuses(const struct window *w, uint64_t index)
{
    return replay_refuses(w->seen, WINDOW, w->newest, index);
}

static void note(struct window *w, uint64_t index)
{
    replay_note(w->seen, WINDOW, &w->newest, index);
}

static void nothing_is_refused_at_first(void)
{
    const struct window w = {0};

    for (uint64_t index = 0; index < 3 * WINDOW; index++)
        CHECK(!refuses(&w, index));
}

static void number_is_refused_once_noted(void)
{
    struct window w = {0};

    note(&w, 0);
    CHECK(refuses(&w, 0));
    CHECK(!refuses(&w, 1));
    note(&w, 500);
    CHECK(refuses(&w, 500));
    CHECK(refuses(&w, 0));
    CHECK(!refuses(&w, 499));
    note(&w, 499);
    CHECK(refuses(&w, 499));
    CHECK_EQ(w.newest, 500);
}

static void number_a_window_behind_is_refused(void)
{
    struct window w = {0};

    note(&w, 5000);
    CHECK(!refuses(&w, 5000 - WINDOW + 1));
    CHECK(refuses(&w, 5000 - WINDOW));
    CHECK(refuses(&w, 0));
}

static void leap_forgets_what_lay_in_the_window_before(void)
{
    for (uint64_t leap = 1; leap < 3 * WINDOW; leap++) {
        struct window w = {0};

        for (uint64_t index = WINDOW; index < 2 * WINDOW; index++)
            note(&w, index);
        note(&w, 2 * WINDOW - 1 + leap);
        for (uint64_t behind = 1; behind < WINDOW; behind++)
            CHECK_EQ(refuses(&w, w.newest - behind), behind >= leap);
    }
}

static void one_word_is_a_window_too(void)
{
    uint64_t newest = 0;
    uint64_t seen = 0;

    replay_note(&seen, SMALL, &newest, 100);
    CHECK(replay_refuses(&seen, SMALL, newest, 100));
    CHECK(replay_refuses(&seen, SMALL, newest, 36));
    CHECK(!replay_refuses(&seen, SMALL, newest, 37));
}

/* Beside a list of all that was seen. */
static void random_order_is_judged_as_by_a_full_list(void)
{
    enum { N = 20000 };
    static bool listed[N + WINDOW];
    struct window w = {0};
    uint32_t random_state = 1;

    for (uint64_t base = 0; base < N; base++) {
        uint64_t index;

        random_state = random_state * 1664525 + 1013904223;
        index = base + (random_state >> 8) % WINDOW;
        CHECK_EQ(refuses(&w, index), listed[index] || index + WINDOW <= w.newest);
        if (!refuses(&w, index)) {
            note(&w, index);
            listed[index] = true;
        }
    }
}

TAP_CASES(CASE(nothing_is_refused_at_first), CASE(number_is_refused_once_noted),
          CASE(number_a_window_behind_is_refused), CASE(leap_forgets_what_lay_in_the_window_before),
          CASE(one_word_is_a_window_too), CASE(random_order_is_judged_as_by_a_full_list))
