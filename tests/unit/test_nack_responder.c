#include "media/nack_responder.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <errno.h>

enum { SSRC = 5, BURST = 10000 };

static void packet_is_sent_again_once_per_round_trip(void)
{
    struct nack_responder r;

    nack_responder_init(&r, BURST);
    nack_responder_set_rtt(&r, 80 * MS);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 1, 100, 0), 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 1, 100, 79 * MS), -EALREADY);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 2, 100, 79 * MS), 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC + 1, 1, 100, 79 * MS), 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 1, 100, 80 * MS), 0);
    CHECK_EQ(r.packets, 4);
    CHECK_EQ(r.bytes, 400);
    CHECK_EQ(r.too_soon, 1);
}

static void round_trip_is_at_least_20_ms(void)
{
    struct nack_responder r;

    nack_responder_init(&r, BURST);
    nack_responder_set_rtt(&r, 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 1, 100, 0), 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 1, 100, 20 * MS - 1), -EALREADY);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 1, 100, 20 * MS), 0);
}

static void burst_is_a_limit(void)
{
    struct nack_responder r;

    nack_responder_init(&r, BURST);
    for (int i = 0; i < BURST / 1000; i++)
        CHECK_EQ(nack_responder_allow(&r, SSRC, (uint16_t)i, 1000, 0), 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 99, 1, 0), -ENOBUFS);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 99, 1, 60 * SECOND), -ENOBUFS);
    CHECK_EQ(r.over_budget, 2);
}

static void refused_packet_may_come_later(void)
{
    struct nack_responder r;

    nack_responder_init(&r, 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 1, 25, 0), -ENOBUFS);
    nack_responder_on_sent(&r, 100);
    CHECK_EQ(r.budget, 0); /* no burst, no budget */
    nack_responder_init(&r, 25);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 1, 25, 0), 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 2, 25, 0), -ENOBUFS);
    nack_responder_on_sent(&r, 100);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 2, 25, 0), 0);
}

static void share_of_what_is_sent_may_be_sent_again(void)
{
    struct nack_responder r;
    uint64_t sent = 0;
    uint64_t allowed = 0;

    nack_responder_init(&r, BURST);
    for (uint32_t i = 0; i < 100000; i++) {
        nack_responder_on_sent(&r, 1000);
        sent += 1000;
        allowed += nack_responder_allow(&r, SSRC, (uint16_t)i, 1000, i * MS) == 0;
    }
    CHECK_EQ(r.packets, allowed);
    CHECK(r.bytes <= sent * NACK_RESPONDER_PERCENT / 100 + BURST);
    CHECK(r.bytes >= sent * NACK_RESPONDER_PERCENT / 100);
}

static void burst_is_a_second_of_a_slow_path(void)
{
    struct nack_responder r;

    nack_responder_init(&r, NACK_RESPONDER_BURST);
    nack_responder_set_estimate(&r, 400 * 1000);
    for (uint16_t i = 0; i < 50; i++)
        CHECK_EQ(nack_responder_allow(&r, SSRC, i, 1000, 0), 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 99, 1, 0), -ENOBUFS);
    nack_responder_init(&r, NACK_RESPONDER_BURST);
    nack_responder_set_estimate(&r, 1000);
    for (uint16_t i = 0; i < 24; i++)
        CHECK_EQ(nack_responder_allow(&r, SSRC, i, 1024, 0), 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 99, 1, 0), -ENOBUFS);
}

static void burst_grows_with_the_path_up_to_a_limit(void)
{
    struct nack_responder r;

    nack_responder_init(&r, BURST);
    nack_responder_set_estimate(&r, UINT64_C(1000) * 1000 * 1000);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 1, BURST, 0), 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 2, 1, 0), -ENOBUFS);
    nack_responder_set_estimate(&r, 0); /* not known any more */
    nack_responder_on_sent(&r, 100 * BURST);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 3, BURST, 0), 0);
    CHECK_EQ(nack_responder_allow(&r, SSRC, 4, 1, 0), -ENOBUFS);
}

TAP_CASES(CASE(packet_is_sent_again_once_per_round_trip), CASE(round_trip_is_at_least_20_ms),
          CASE(burst_is_a_limit), CASE(refused_packet_may_come_later),
          CASE(share_of_what_is_sent_may_be_sent_again), CASE(burst_is_a_second_of_a_slow_path),
          CASE(burst_grows_with_the_path_up_to_a_limit))
