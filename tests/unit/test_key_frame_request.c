#include "media/key_frame_request.h"

#include "tests/tap.h"

static struct key_frame_request make(void)
{
    struct key_frame_request k;

    key_frame_request_init(&k, KEY_FRAME_INTERVAL_US);
    return k;
}

static void nobody_waits_so_nothing_is_asked(void)
{
    struct key_frame_request k = make();

    CHECK_EQ(key_frame_request_deadline(&k), NEVER_US);
    CHECK(!key_frame_request_poll(&k, SECOND));
    key_frame_request_on_key_frame(&k);
    CHECK_EQ(key_frame_request_deadline(&k), NEVER_US);
}

static void first_wish_is_asked_at_once(void)
{
    struct key_frame_request k = make();

    key_frame_request_want(&k);
    CHECK(key_frame_request_deadline(&k) <= 0);
    CHECK(key_frame_request_poll(&k, 0));
    CHECK_EQ(k.requests, 1);
    CHECK_EQ(k.repeats, 0);
}

static void many_wishes_are_one_request(void)
{
    struct key_frame_request k = make();
    int asked = 0;

    for (int i = 0; i < 400; i++) {
        key_frame_request_want(&k);
        asked += key_frame_request_poll(&k, SECOND + i * MS);
    }
    CHECK_EQ(asked, 1);
    CHECK_EQ(k.wishes, 400);
}

static void request_is_repeated_until_the_key_frame(void)
{
    struct key_frame_request k = make();

    key_frame_request_want(&k);
    CHECK(key_frame_request_poll(&k, SECOND));
    CHECK_EQ(key_frame_request_deadline(&k), SECOND + 500 * MS);
    CHECK(!key_frame_request_poll(&k, SECOND + 499 * MS));
    CHECK(key_frame_request_poll(&k, SECOND + 500 * MS));
    CHECK_EQ(k.repeats, 1);
    key_frame_request_on_key_frame(&k);
    CHECK_EQ(key_frame_request_deadline(&k), NEVER_US);
    CHECK(!key_frame_request_poll(&k, 10 * SECOND));
}

static void repeat_waits_for_two_round_trips(void)
{
    struct key_frame_request k = make();

    key_frame_request_set_rtt(&k, 400 * MS);
    key_frame_request_want(&k);
    CHECK(key_frame_request_poll(&k, 0));
    CHECK_EQ(key_frame_request_deadline(&k), 800 * MS);
}

static void wish_after_the_key_frame_waits_for_the_interval(void)
{
    struct key_frame_request k = make();

    key_frame_request_set_rtt(&k, 400 * MS);
    key_frame_request_want(&k);
    CHECK(key_frame_request_poll(&k, 0));
    key_frame_request_on_key_frame(&k);
    key_frame_request_want(&k);
    CHECK_EQ(key_frame_request_deadline(&k), 500 * MS); /* no repeat: the first for this one */
    CHECK(!key_frame_request_poll(&k, 100 * MS));
    CHECK(key_frame_request_poll(&k, 500 * MS));
    CHECK_EQ(k.requests, 2);
    CHECK_EQ(k.repeats, 0);
}

static void cancel_ends_the_repeats(void)
{
    struct key_frame_request k = make();

    key_frame_request_want(&k);
    CHECK(key_frame_request_poll(&k, 0));
    key_frame_request_cancel(&k);
    CHECK_EQ(key_frame_request_deadline(&k), NEVER_US);
    CHECK(!key_frame_request_poll(&k, SECOND));
}

static void a_subscriber_may_cause_two_at_once_and_one_per_2_s(void)
{
    struct key_frame_allowance a = {0};
    int n = 0;

    CHECK(key_frame_allowance_take(&a, 100 * SECOND));
    CHECK(key_frame_allowance_take(&a, 100 * SECOND));
    CHECK(!key_frame_allowance_take(&a, 100 * SECOND));
    CHECK(!key_frame_allowance_take(&a, 102 * SECOND - 1));
    CHECK(key_frame_allowance_take(&a, 102 * SECOND));
    for (int64_t ms = 1; ms <= 20 * 1000; ms++)
        n += key_frame_allowance_take(&a, 102 * SECOND + ms * MS);
    CHECK_EQ(n, 10);
    CHECK(key_frame_allowance_take(&a, 1000 * SECOND)); /* no more than two are saved up */
    CHECK(key_frame_allowance_take(&a, 1000 * SECOND));
    CHECK(!key_frame_allowance_take(&a, 1000 * SECOND));
}

TAP_CASES(CASE(nobody_waits_so_nothing_is_asked), CASE(first_wish_is_asked_at_once),
          CASE(many_wishes_are_one_request), CASE(request_is_repeated_until_the_key_frame),
          CASE(repeat_waits_for_two_round_trips),
          CASE(wish_after_the_key_frame_waits_for_the_interval), CASE(cancel_ends_the_repeats),
          CASE(a_subscriber_may_cause_two_at_once_and_one_per_2_s))
