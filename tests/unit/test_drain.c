#include "sfu/drain.h"

#include "media/base/clock.h"
#include "tests/tap.h"

static void nothing_happens_before_it_begins(void)
{
    struct drain d = {0};

    CHECK_EQ(drain_advance(&d, 0, 5 * SECOND), DRAIN_WAIT);
    CHECK_EQ(drain_advance(&d, 3, 5 * SECOND), DRAIN_WAIT);
}

static void it_ends_when_nobody_is_left(void)
{
    struct drain d;

    drain_begin(&d, -1, true, "", SECOND);
    CHECK_EQ(drain_left_s(&d, SECOND), -1);
    CHECK_EQ(drain_advance(&d, 1, 1000 * SECOND), DRAIN_WAIT);
    CHECK_EQ(drain_advance(&d, 0, 1001 * SECOND), DRAIN_STOP);
}

static void at_the_deadline_everybody_is_sent_away_once(void)
{
    struct drain d;

    drain_begin(&d, 60 * SECOND, true, "https://b.example/", SECOND);
    CHECK_STR(d.redirect_url, "https://b.example/");
    CHECK_EQ(drain_left_s(&d, SECOND), 60);
    CHECK_EQ(drain_advance(&d, 2, 61 * SECOND - 1), DRAIN_WAIT);
    CHECK_EQ(drain_left_s(&d, 61 * SECOND - 1), 1);
    CHECK_EQ(drain_advance(&d, 2, 61 * SECOND), DRAIN_SEND_AWAY);
    CHECK_EQ(drain_advance(&d, 2, 62 * SECOND), DRAIN_WAIT);
    CHECK_EQ(drain_left_s(&d, 62 * SECOND), 0);
    CHECK_EQ(drain_advance(&d, 0, 63 * SECOND), DRAIN_STOP);
}

static void a_server_that_shall_stay_stays(void)
{
    struct drain d;

    drain_begin(&d, 0, false, "", SECOND);
    CHECK_EQ(drain_advance(&d, 1, SECOND), DRAIN_SEND_AWAY);
    CHECK_EQ(drain_advance(&d, 0, 2 * SECOND), DRAIN_WAIT);
    CHECK(d.on);
    drain_cancel(&d);
    CHECK(!d.on);
}

TAP_CASES(CASE(nothing_happens_before_it_begins), CASE(it_ends_when_nobody_is_left),
          CASE(at_the_deadline_everybody_is_sent_away_once), CASE(a_server_that_shall_stay_stays))
