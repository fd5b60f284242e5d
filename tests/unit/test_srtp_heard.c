#include "media/srtp_heard.h"

#include "media/srtp.h"
#include "tests/tap.h"

static const uint32_t NOBODY = 0xffffffff;

/* @return the SSRC that made room; NOBODY: none had to */
static uint32_t note(struct srtp_heard *h, uint32_t ssrc)
{
    struct srtp_seen *seen = NULL;
    uint32_t forgotten = 0;
    int result = srtp_heard_note(h, ssrc, &seen, &forgotten);

    CHECK(result >= 0 && seen);
    return result == 1 ? forgotten : NOBODY;
}

/* Remember a number of `ssrc`, so that it is known again. */
static void mark(struct srtp_heard *h, uint32_t ssrc, uint64_t number)
{
    struct srtp_seen *seen;
    uint32_t forgotten;

    CHECK_EQ(srtp_heard_note(h, ssrc, &seen, &forgotten), 0);
    seen->rtp_newest = number;
}

static void nobody_is_known_at_first(void)
{
    struct srtp_heard h;

    srtp_heard_init(&h);
    CHECK(!srtp_heard_find(&h, 0));
    CHECK(!srtp_heard_find(&h, 1));
    CHECK(!h.ssrcs && !h.seen); /* and nothing is allocated */
    srtp_heard_done(&h);
}

static void each_ssrc_keeps_its_own_while_others_come(void)
{
    struct srtp_heard h;

    srtp_heard_init(&h);
    for (uint32_t ssrc = 0; ssrc < SRTP_MAX_SSRCS; ssrc++) {
        mark(&h, ssrc, 1000 + ssrc);
        for (uint32_t other = 0; other <= ssrc; other++)
            CHECK_EQ(srtp_heard_find(&h, other)->rtp_newest, 1000 + other);
        CHECK(!srtp_heard_find(&h, ssrc + 1));
    }
    srtp_heard_done(&h);
}

static void quietest_makes_room_and_is_forgotten(void)
{
    struct srtp_heard h;

    srtp_heard_init(&h);
    for (uint32_t ssrc = 0; ssrc < SRTP_MAX_SSRCS; ssrc++)
        mark(&h, ssrc, 1000);
    CHECK_EQ(note(&h, 0), NOBODY);
    CHECK_EQ(note(&h, 500), 1);
    CHECK(!srtp_heard_find(&h, 1));
    CHECK_EQ(srtp_heard_find(&h, 500)->rtp_newest, 0);
    CHECK_EQ(note(&h, 1), 2);
    CHECK_EQ(srtp_heard_find(&h, 1)->rtp_newest, 0);
    CHECK_EQ(srtp_heard_find(&h, 0)->rtp_newest, 1000);
    srtp_heard_done(&h);
}

static void looking_is_not_hearing(void)
{
    struct srtp_heard h;

    srtp_heard_init(&h);
    for (uint32_t ssrc = 0; ssrc < SRTP_MAX_SSRCS; ssrc++)
        CHECK_EQ(note(&h, ssrc), NOBODY);
    CHECK(srtp_heard_find(&h, 0));
    CHECK_EQ(note(&h, 500), 0);
    srtp_heard_done(&h);
}

/* After 2^32 packets the order is still right. */
static void order_outlasts_the_counter(void)
{
    struct srtp_heard h;

    srtp_heard_init(&h);
    h.uses = UINT32_MAX - SRTP_MAX_SSRCS / 2;
    for (uint32_t ssrc = 0; ssrc < SRTP_MAX_SSRCS; ssrc++)
        CHECK_EQ(note(&h, ssrc), NOBODY);
    CHECK_EQ(note(&h, 500), 0);
    CHECK_EQ(note(&h, 501), 1);
    srtp_heard_done(&h);
}

TAP_CASES(CASE(nobody_is_known_at_first), CASE(each_ssrc_keeps_its_own_while_others_come),
          CASE(quietest_makes_room_and_is_forgotten), CASE(looking_is_not_hearing),
          CASE(order_outlasts_the_counter))
