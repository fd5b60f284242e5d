#include "client/bulletin.h"

#include "client/byte_rate.h"
#include "tests/tap.h"

static struct bulletin b;

static void update(const char *json)
{
    struct message m;
    struct message error;

    CHECK_EQ(message_parse(&m, json, strlen(json), &error), 0);
    bulletin_update(&b, &m);
    message_done(&m);
}

static void the_last_word_on_speakers_counts(void)
{
    update("{\"t\":\"speakers\",\"speakers\":[{\"participant\":\"p-00000001\",\"level\":20,"
           "\"dominant\":true},{\"participant\":\"p-00000002\",\"level\":30}]}");
    CHECK_EQ(b.n_speakers, 2);
    CHECK(b.speakers[0].dominant);
    CHECK_EQ(b.speakers[1].participant, 2);
    update("{\"t\":\"speakers\",\"speakers\":[]}");
    CHECK_EQ(b.n_speakers, 0);
    bulletin_done(&b);
}

static void a_slot_is_paused_until_something_else_is_said(void)
{
    CHECK_EQ(bulletin_paused(&b, "4"), STREAM_ACTIVE);
    update(
        "{\"t\":\"stream\",\"streams\":[{\"mid\":\"4\",\"track\":\"t-00000001\",\"state\":\"paused\","
        "\"reason\":\"bandwidth\"},{\"mid\":\"5\",\"track\":\"t-00000002\",\"state\":\"paused\","
        "\"reason\":\"view\"}]}");
    CHECK_EQ(bulletin_paused(&b, "4"), STREAM_BANDWIDTH);
    CHECK_EQ(bulletin_paused(&b, "5"), STREAM_VIEW);
    update(
        "{\"t\":\"stream\",\"streams\":[{\"mid\":\"4\",\"track\":\"t-00000001\",\"state\":\"paused\","
        "\"reason\":\"muted\"}]}");
    CHECK_EQ(b.n_paused, 2);
    CHECK_EQ(bulletin_paused(&b, "4"), STREAM_MUTED);
    update("{\"t\":\"stream\",\"streams\":[{\"mid\":\"4\",\"track\":\"t-00000001\","
           "\"state\":\"active\"}]}");
    CHECK_EQ(bulletin_paused(&b, "4"), STREAM_ACTIVE);
    CHECK_EQ(bulletin_paused(&b, "5"), STREAM_VIEW);
    bulletin_done(&b);
}

static void a_slot_that_is_bound_anew_is_active(void)
{
    update(
        "{\"t\":\"stream\",\"streams\":[{\"mid\":\"4\",\"track\":\"t-00000001\",\"state\":\"paused\","
        "\"reason\":\"bandwidth\"}]}");
    update("{\"t\":\"slots\",\"epoch\":1,\"slots\":[{\"mid\":\"4\",\"track\":null}]}");
    CHECK_EQ(bulletin_paused(&b, "4"), STREAM_ACTIVE);
    bulletin_done(&b);
}

static void there_is_room_for_so_many_pauses(void)
{
    char json[160];

    for (int i = 0; i <= MESSAGE_MAX_STREAMS; i++) {
        (void)snprintf(json, sizeof(json),
                       "{\"t\":\"stream\",\"streams\":[{\"mid\":\"%d\",\"track\":\"t-00000001\","
                       "\"state\":\"paused\",\"reason\":\"view\"}]}",
                       i);
        update(json);
    }
    CHECK_EQ(b.n_paused, MESSAGE_MAX_STREAMS);
    bulletin_done(&b);
}

static void quality_is_kept_until_the_next(void)
{
    update(
        "{\"t\":\"quality\",\"you\":{\"score\":87},\"participants\":[],\"tracks\":[],"
        "\"subscriptions\":[{\"mid\":\"4\",\"track\":\"t-00000001\",\"layer\":1,\"target\":2}]}");
    CHECK(b.quality);
    CHECK_EQ(b.quality->score, 87);
    CHECK(bulletin_subscription(&b, "4"));
    CHECK_EQ(bulletin_subscription(&b, "4")->target, 2);
    CHECK(!bulletin_subscription(&b, "5"));
    update("{\"t\":\"quality\",\"you\":{\"score\":20},\"participants\":[],\"tracks\":[],"
           "\"subscriptions\":[]}");
    CHECK_EQ(b.quality->score, 20);
    CHECK(!bulletin_subscription(&b, "4"));
    bulletin_done(&b);
    CHECK(!bulletin_subscription(&b, "4"));
}

static void a_rate_is_from_one_look_to_the_next(void)
{
    struct byte_rate rate = {0};

    byte_rate_look(&rate, 1000, 5 * SECOND);
    CHECK_EQ(rate.bps, 0);
    byte_rate_look(&rate, 3000, 7 * SECOND);
    CHECK_EQ(rate.bps, 8000);
    byte_rate_look(&rate, 4000, 7 * SECOND + BYTE_RATE_MIN_US - 1);
    CHECK_EQ(rate.bps, 8000);
    byte_rate_look(&rate, 4000, 8 * SECOND);
    CHECK_EQ(rate.bps, 8000);
    byte_rate_look(&rate, 4000, 9 * SECOND);
    CHECK_EQ(rate.bps, 0);
}

TAP_CASES(CASE(the_last_word_on_speakers_counts),
          CASE(a_slot_is_paused_until_something_else_is_said),
          CASE(a_slot_that_is_bound_anew_is_active), CASE(there_is_room_for_so_many_pauses),
          CASE(quality_is_kept_until_the_next), CASE(a_rate_is_from_one_look_to_the_next))
