#include "bench/largest.h"
#include "tests/tap.h"

/* @return what is found if so many are sustained; *steps: runs it took */
static uint32_t find(uint32_t first, uint32_t max, uint32_t sustained, uint32_t *steps)
{
    struct largest_search s;
    uint32_t n;

    largest_search_init(&s, first, max);
    for (*steps = 0; *steps < LARGEST_STEPS && (n = largest_search_next(&s)) > 0; ++*steps)
        largest_search_note(&s, n, n <= sustained);
    CHECK(*steps < LARGEST_STEPS);
    return s.low;
}

static void any_answer_is_found_to_within_a_twentieth(void)
{
    static const uint32_t answers[] = {1, 2, 19, 100, 101, 640, 1234, 9999};
    uint32_t steps;

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        uint32_t found = find(100, 20000, answers[i], &steps);

        CHECK(found <= answers[i]);
        CHECK(found + answers[i] / 20 + 1 >= answers[i]);
        CHECK(steps <= 16);
    }
}

static void a_server_that_sustains_nothing_is_found_out(void)
{
    uint32_t steps;

    CHECK_EQ(find(200, 20000, 0, &steps), 0);
    CHECK(steps <= 10);
}

static void what_fits_into_a_run_is_the_end(void)
{
    uint32_t steps;

    CHECK_EQ(find(100, 1500, 5000, &steps), 1500);
    CHECK_EQ(steps, 5);
    CHECK_EQ(find(3000, 1500, 5000, &steps), 1500);
    CHECK_EQ(steps, 1);
}

static void an_answer_the_generator_limits_is_called_so(void)
{
    static struct largest_result result = {
        .subscribers = 900,
        .limit = LARGEST_GENERATOR,
        .n = 1,
        .steps = {{.subscribers = 900, .sustained = true, .server_percent = 60}},
    };
    struct text out;

    text_init(&out, 4096);
    largest_table(&out, &result);
    CHECK(strstr(text_str(&out), "largest broadcast: 900 subscribers; at least: ") != NULL);
    text_done(&out);
}

TAP_CASES(CASE(any_answer_is_found_to_within_a_twentieth),
          CASE(a_server_that_sustains_nothing_is_found_out), CASE(what_fits_into_a_run_is_the_end),
          CASE(an_answer_the_generator_limits_is_called_so))
