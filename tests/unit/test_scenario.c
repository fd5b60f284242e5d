#include "bench/scenario.h"
#include "tests/tap.h"

static void a_broadcast_has_one_publisher_and_many_subscribers(void)
{
    struct scenario s = {.kind = SCENARIO_BROADCAST, 1, 200, 1, .audio = true, .video = true};
    struct endpoint_role first = scenario_role(&s, 0);
    struct endpoint_role last = scenario_role(&s, 200);

    CHECK_EQ(scenario_endpoints(&s), 201);
    CHECK_EQ(scenario_publishers(&s), 1);
    CHECK(first.audio && first.video && first.audio_slots + first.video_slots == 0);
    CHECK(!last.audio && !last.video && last.audio_slots == 1 && last.video_slots == 1);
}

static void rooms_are_filled_one_after_the_other(void)
{
    struct scenario s = {.kind = SCENARIO_ROOMS, 2, 5, 3, .video = true};

    CHECK_EQ(scenario_endpoints(&s), 21);
    for (uint32_t i = 0; i < 6; i++)
        CHECK_EQ(scenario_role(&s, i).room, i / 2);
    for (uint32_t i = 6; i < 21; i++) {
        CHECK_EQ(scenario_role(&s, i).room, (i - 6) / 5);
        CHECK_EQ(scenario_role(&s, i).video_slots, 2);
        CHECK_EQ(scenario_role(&s, i).audio_slots, 0);
    }
}

static void who_meets_receives_the_others(void)
{
    struct scenario s = {.kind = SCENARIO_MEETING, 8, 0, 2, .audio = true, .video = true};
    struct endpoint_role role = scenario_role(&s, 15);

    CHECK_EQ(scenario_endpoints(&s), 16);
    CHECK(role.audio && role.video);
    CHECK_EQ(role.audio_slots, 7);
    CHECK_EQ(role.room, 1);
}

static void who_is_idle_offers_all_and_has_one_slot_of_each_kind(void)
{
    struct scenario s = {.kind = SCENARIO_IDLE, 10, 0, 100, .audio = true, .video = true};
    struct endpoint_role role = scenario_role(&s, 999);

    CHECK_EQ(scenario_endpoints(&s), 1000);
    CHECK(scenario_silent(&s));
    CHECK(role.audio && role.video);
    CHECK_EQ(role.audio_slots, 1);
    CHECK_EQ(role.video_slots, 1);
    CHECK_EQ(role.room, 99);
}

static void one_way_connections_come_in_pairs(void)
{
    struct scenario s = {.kind = SCENARIO_MEETING, 4, 0, 2, true, true, .one_way = true};

    CHECK_EQ(scenario_endpoints(&s), 16);
    CHECK_EQ(scenario_publishers(&s), 8);
    CHECK_EQ(scenario_role(&s, 7).audio_slots, 0);
    CHECK_EQ(scenario_role(&s, 8).audio_slots, 3);
    CHECK(!scenario_role(&s, 8).audio);
    CHECK_EQ(scenario_role(&s, 15).room, 1);
}

TAP_CASES(CASE(a_broadcast_has_one_publisher_and_many_subscribers),
          CASE(rooms_are_filled_one_after_the_other), CASE(who_meets_receives_the_others),
          CASE(who_is_idle_offers_all_and_has_one_slot_of_each_kind),
          CASE(one_way_connections_come_in_pairs))
