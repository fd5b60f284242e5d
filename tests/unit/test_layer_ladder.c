#include "sfu/layer_ladder.h"

#include "bench/netem.h"
#include "tests/tap.h"

/* Three encodings with three temporal layers each, as Chrome sends 720p. */
static const struct ladder_encoding simulcast[3] = {
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

static uint8_t narrow(const struct layer_ladder *l, struct ladder_view view,
                      struct ladder_step ret[LADDER_MAX_STEPS])
{
    uint8_t at[LADDER_MAX_STEPS];
    uint8_t n = layer_ladder_narrow(l, &view, at);

    for (uint8_t i = 0; i < n; i++)
        ret[i] = l->steps[at[i]];
    return n;
}

static struct layer_ladder camera(void)
{
    struct layer_ladder l;

    layer_ladder_make(&l, simulcast, 3, false);
    return l;
}

static void every_layer_is_a_step_in_order_of_its_rate(void)
{
    struct layer_ladder l = camera();

    CHECK_EQ(l.n, 9);
    CHECK_EQ(l.steps[0].bps, 60000);
    CHECK_EQ(l.steps[0].fps, 7);
    CHECK_EQ(l.steps[8].bps, 1700000);
    CHECK_EQ(l.steps[8].layer, 2);
    for (uint8_t i = 1; i < l.n; i++)
        CHECK(l.steps[i].bps >= l.steps[i - 1].bps);
}

static void a_camera_rather_has_all_frames_than_more_lines(void)
{
    struct layer_ladder l = camera();
    struct ladder_step steps[LADDER_MAX_STEPS];
    uint8_t n = narrow(&l, (struct ladder_view){0}, steps);

    CHECK_EQ(n, 5);
    CHECK_EQ(steps[2].width, 320);
    CHECK_EQ(steps[2].fps, 30);
    CHECK_EQ(steps[3].width, 640);
    CHECK_EQ(steps[3].fps, 30);
    CHECK_EQ(steps[4].width, 1280);
    CHECK_EQ(steps[4].fps, 30);
}

static void a_screen_rather_has_more_lines(void)
{
    struct layer_ladder l;
    struct ladder_step steps[LADDER_MAX_STEPS];
    uint8_t n;

    layer_ladder_make(&l, simulcast, 3, true);
    n = narrow(&l, (struct ladder_view){0}, steps);
    CHECK(n >= 3);
    CHECK_EQ(steps[n - 3].width, 1280); /* at 7 frames rather than half of it at 30 */
    CHECK_EQ(steps[n - 3].fps, 7);
    CHECK_EQ(steps[n - 1].fps, 30);
}

static void a_small_view_needs_no_large_picture(void)
{
    struct layer_ladder l = camera();
    struct ladder_step steps[LADDER_MAX_STEPS];
    uint8_t n = narrow(&l, (struct ladder_view){.width = 640, .height = 360}, steps);

    CHECK_EQ(steps[n - 1].width, 640);
    n = narrow(&l, (struct ladder_view){.width = 200, .height = 120}, steps);
    CHECK_EQ(steps[n - 1].width, 320);
    n = narrow(&l, (struct ladder_view){.width = 4000, .height = 3000}, steps);
    CHECK_EQ(steps[n - 1].width, 1280);
    n = narrow(&l, (struct ladder_view){.width = 1, .height = 1}, steps);
    CHECK_EQ(steps[n - 1].width, 320);
    CHECK(n >= 1);
}

static void a_little_stretching_is_not_seen(void)
{
    struct layer_ladder l = camera();
    struct ladder_step steps[LADDER_MAX_STEPS];
    uint8_t n = narrow(&l, (struct ladder_view){.width = 380, .height = 214}, steps);

    CHECK_EQ(steps[n - 1].width, 320);
    n = narrow(&l, (struct ladder_view){.width = 400, .height = 226}, steps);
    CHECK_EQ(steps[n - 1].width, 640);
    n = narrow(&l, (struct ladder_view){.width = 360, .height = 640}, steps); /* upright */
    CHECK_EQ(steps[n - 1].width, 640);
}

static void half_a_size_says_nothing(void)
{
    struct layer_ladder l = camera();
    struct ladder_step steps[LADDER_MAX_STEPS];
    uint8_t n = narrow(&l, (struct ladder_view){.width = 100}, steps);

    CHECK_EQ(steps[n - 1].width, 1280);
}

static void frames_are_capped_by_temporal_layers(void)
{
    struct layer_ladder l = camera();
    struct ladder_step steps[LADDER_MAX_STEPS];
    uint8_t n = narrow(&l, (struct ladder_view){.fps = 15}, steps);

    CHECK_EQ(steps[n - 1].width, 1280);
    CHECK_EQ(steps[n - 1].fps, 15);
    n = narrow(&l, (struct ladder_view){.fps = 1}, steps);
    CHECK_EQ(steps[n - 1].width, 1280);
    CHECK_EQ(steps[n - 1].fps, 7);
    n = narrow(&l, (struct ladder_view){.fps = 25}, steps);
    CHECK_EQ(steps[n - 1].fps, 30);
}

static void the_finer_of_two_equal_pictures_is_worth_more(void)
{
    static const struct ladder_encoding equal[2] = {
        {.there = true, .width = 640, .height = 360, .fps = 30, .bps = {{300000}}},
        {.there = true, .width = 640, .height = 360, .fps = 30, .bps = {{900000}}},
    };
    struct layer_ladder l;
    struct ladder_step steps[LADDER_MAX_STEPS];

    layer_ladder_make(&l, equal, 2, false);
    CHECK_EQ(narrow(&l, (struct ladder_view){.width = 100, .height = 100}, steps), 2);
    CHECK_EQ(steps[1].layer, 1);
}

static void what_is_not_known_is_assumed(void)
{
    static const struct ladder_encoding little[3] = {
        {.there = true, .bps = {{100000}}},
        {.there = true, .width = 480, .height = 270, .n_temporal = 2, .bps = {{0, 400000}}},
        {.there = true,
         .n_spatial = 9,
         .n_temporal = 200,
         .bps = {{0}, {0}, {0}, {0, 0, 0, 1600000}}},
    };
    struct layer_ladder l;

    layer_ladder_make(&l, little, 3, false);
    CHECK_EQ(l.n, 1 + 2 + 16);
    for (uint8_t i = 0; i < l.n; i++) {
        const struct ladder_step *step = &l.steps[i];

        CHECK(step->bps > 0 && step->fps > 0 && step->width > 0 && step->height > 0);
        if (step->layer == 0)
            CHECK_EQ(step->width, 240);
        if (step->layer == 1 && step->tid == 0)
            CHECK_EQ(step->bps, 240000);
        if (step->layer == 2 && step->sid == 3)
            CHECK_EQ(step->width, 960);
        if (step->layer == 2 && step->sid == 2 && step->tid == 3)
            CHECK_EQ(step->bps, 400000);
    }
}

static void an_encoding_that_is_not_there_has_no_step(void)
{
    struct ladder_encoding some[3];
    struct layer_ladder l;
    struct ladder_step steps[LADDER_MAX_STEPS];

    memcpy(some, simulcast, sizeof(some));
    some[2].there = false;
    some[1].bps[0][2] = some[1].bps[0][1] = some[1].bps[0][0] = 0;
    layer_ladder_make(&l, some, 3, false);
    CHECK_EQ(l.n, 3);
    layer_ladder_make(&l, some, 0, false);
    CHECK_EQ(l.n, 0);
    CHECK_EQ(narrow(&l, (struct ladder_view){.width = 1, .height = 1}, steps), 0);
}

static void more_always_shows_more(void)
{
    uint64_t seed = 1;

    for (int round = 0; round < 2000; round++) {
        struct ladder_encoding e[3] = {{0}};
        struct layer_ladder l;
        struct ladder_step steps[LADDER_MAX_STEPS];
        bool screen = netem_random(&seed) & 1;
        struct ladder_view view = {(uint16_t)(netem_random(&seed) % 2000),
                                   (uint16_t)(netem_random(&seed) % 2000),
                                   (uint8_t)(netem_random(&seed) % 70)};
        uint8_t n;

        for (int i = 0; i < 3; i++) {
            e[i].there = netem_random(&seed) & 3;
            e[i].n_spatial = (uint8_t)(netem_random(&seed) % 6);
            e[i].n_temporal = (uint8_t)(netem_random(&seed) % 6);
            e[i].width = (uint16_t)netem_random(&seed);
            e[i].height = (uint16_t)netem_random(&seed);
            e[i].fps = (uint8_t)netem_random(&seed);
            for (int k = 0; k < 16; k++)
                e[i].bps[k / 4][k % 4] = (uint32_t)(netem_random(&seed) % 4000000);
        }
        layer_ladder_make(&l, e, 3, screen);
        n = narrow(&l, view, steps);
        CHECK((n > 0) == (l.n > 0));
        for (uint8_t i = 1; i < n; i++) {
            CHECK(steps[i].bps > steps[i - 1].bps);
            CHECK(ladder_step_worth(&steps[i], screen) > ladder_step_worth(&steps[i - 1], screen));
        }
    }
}

TAP_CASES(CASE(every_layer_is_a_step_in_order_of_its_rate),
          CASE(a_camera_rather_has_all_frames_than_more_lines),
          CASE(a_screen_rather_has_more_lines), CASE(a_small_view_needs_no_large_picture),
          CASE(a_little_stretching_is_not_seen), CASE(half_a_size_says_nothing),
          CASE(frames_are_capped_by_temporal_layers),
          CASE(the_finer_of_two_equal_pictures_is_worth_more), CASE(what_is_not_known_is_assumed),
          CASE(an_encoding_that_is_not_there_has_no_step), CASE(more_always_shows_more))
