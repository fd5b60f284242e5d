#include "media/stream_receiver.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <errno.h>

enum { RATE = 90000 };

static struct rtcp_report report(struct stream_receiver *r, int64_t now_us)
{
    struct rtcp_report ret;

    stream_receiver_report(r, &ret, now_us);
    return ret;
}

/* Packet `seq`, sent every 10 ms and on its way for `delay_us`. */
static int64_t arrive(struct stream_receiver *r, uint16_t seq, int64_t delay_us)
{
    return stream_receiver_on_packet(r, seq, (uint32_t)seq * (RATE / 100), 100,
                                     seq * 10 * MS + delay_us);
}

static void quiet_stream_reports_nothing(void)
{
    struct stream_receiver r;
    struct rtcp_report got;

    stream_receiver_init(&r, 5, RATE);
    got = report(&r, SECOND);
    CHECK_EQ(got.ssrc, 5);
    CHECK_EQ(got.highest_seq, 0);
    CHECK_EQ(got.total_lost, 0);
    CHECK_EQ(got.fraction_lost, 0);
    CHECK_EQ(got.last_sr, 0);
    CHECK_EQ(got.delay_since_sr, 0);
}

static void loss_is_counted_per_interval_and_in_total(void)
{
    struct stream_receiver r;
    struct rtcp_report got;

    stream_receiver_init(&r, 5, RATE);
    for (uint16_t seq = 100; seq < 200; seq++) {
        if (seq % 4 != 1)
            (void)arrive(&r, seq, 0);
    }
    got = report(&r, 0);
    CHECK_EQ(got.total_lost, 25);
    CHECK_EQ(got.fraction_lost, 64);
    CHECK_EQ(got.highest_seq, 199);
    for (uint16_t seq = 200; seq < 300; seq++)
        (void)arrive(&r, seq, 0);
    got = report(&r, 0);
    CHECK_EQ(got.total_lost, 25);
    CHECK_EQ(got.fraction_lost, 0);
    CHECK_EQ(report(&r, 0).fraction_lost, 0); /* nothing was expected */
}

static void recovered_packet_is_not_lost(void)
{
    struct stream_receiver r;

    stream_receiver_init(&r, 5, RATE);
    (void)arrive(&r, 1, 0);
    (void)arrive(&r, 3, 0);
    stream_receiver_on_recovered(&r);
    CHECK_EQ(report(&r, 0).total_lost, 0);
}

static void more_than_expected_is_negative_loss(void)
{
    struct stream_receiver r;
    struct rtcp_report got;

    stream_receiver_init(&r, 5, RATE);
    (void)arrive(&r, 1, 0);
    stream_receiver_on_recovered(&r);
    got = report(&r, 0);
    CHECK_EQ(got.total_lost, -1);
    CHECK_EQ(got.fraction_lost, 0);
}

static void highest_number_counts_cycles(void)
{
    struct stream_receiver r;

    stream_receiver_init(&r, 5, RATE);
    for (uint32_t i = 65000; i < 3 * 65536; i++)
        (void)stream_receiver_on_packet(&r, (uint16_t)i, 0, 1, 0);
    CHECK_EQ(report(&r, 0).highest_seq, 3 * 65536 - 1);
    CHECK_EQ(report(&r, 0).total_lost, 0);
    CHECK_EQ(r.bytes, 3 * 65536 - 65000);
}

static void unwrapped_numbers_are_in_order(void)
{
    struct stream_receiver r;
    int64_t first;

    stream_receiver_init(&r, 5, RATE);
    first = arrive(&r, 0, 0);
    CHECK(first >= 0);
    CHECK_EQ(arrive(&r, 65535, 0), first - 1);
    CHECK_EQ(arrive(&r, 1, 0), first + 1);
    CHECK_EQ(report(&r, 0).total_lost, 0);
}

static void even_arrival_has_no_jitter(void)
{
    struct stream_receiver r;

    stream_receiver_init(&r, 5, RATE);
    for (uint16_t seq = 0; seq < 100; seq++)
        (void)arrive(&r, seq, 30 * MS);
    CHECK_EQ(report(&r, 0).jitter, 0);
}

static void jitter_nears_the_mean_step(void)
{
    struct stream_receiver r;
    uint32_t jitter;

    stream_receiver_init(&r, 5, RATE);
    for (uint16_t seq = 0; seq < 200; seq++)
        (void)arrive(&r, seq, seq % 2 * 4 * MS);
    jitter = report(&r, 0).jitter;
    CHECK(jitter >= 358 && jitter <= 360); /* 4 ms */
}

static void timestamp_that_jumps_is_no_jitter(void)
{
    struct stream_receiver r;

    stream_receiver_init(&r, 5, RATE);
    (void)stream_receiver_on_packet(&r, 1, UINT32_MAX - 899, 1, SECOND);
    (void)stream_receiver_on_packet(&r, 2, 0, 1, SECOND + 10 * MS); /* wraps */
    CHECK_EQ(report(&r, 0).jitter, 0);
    (void)stream_receiver_on_packet(&r, 3, 1U << 30, 1, SECOND + 20 * MS);
    CHECK_EQ(report(&r, 0).jitter, 0);
    (void)stream_receiver_on_packet(&r, 4, (1U << 30) + 900, 1, SECOND + 30 * MS);
    CHECK_EQ(report(&r, 0).jitter, 0);
}

static void burst_of_a_frame_is_no_jitter(void)
{
    struct stream_receiver r;

    stream_receiver_init(&r, 5, RATE);
    for (uint16_t seq = 0; seq < 60; seq++)
        (void)stream_receiver_on_packet(&r, seq, seq / 6 * 3000U, 1,
                                        seq / 6 * INT64_C(100000) / 3 + seq % 6 * 2 * MS);
    CHECK(report(&r, 0).jitter <= 1);
}

static void sender_report_is_echoed_with_its_age(void)
{
    struct stream_receiver r;
    struct rtcp_sender_info sr = {.ssrc = 5, .ntp = UINT64_C(0x1122334455667788), .rtp_ts = 9};
    struct rtcp_report got;

    stream_receiver_init(&r, 5, RATE);
    stream_receiver_on_sr(&r, &sr, 10 * SECOND);
    got = report(&r, 11 * SECOND + 500 * MS);
    CHECK_EQ(got.last_sr, 0x33445566);
    CHECK_EQ(got.delay_since_sr, 65536 + 32768);
    got = report(&r, 100000 * SECOND);
    CHECK_EQ(got.delay_since_sr, INT64_C(65535) << 16);
}

static struct stream_receiver with_clock(uint64_t ntp, uint32_t rtp_ts)
{
    struct rtcp_sender_info info = {.ntp = ntp, .rtp_ts = rtp_ts};
    struct stream_receiver r;

    stream_receiver_init(&r, 5, RATE);
    if (ntp)
        stream_receiver_on_sr(&r, &info, 0);
    return r;
}

static void clocks_of_two_streams_are_compared_by_their_reports(void)
{
    const uint64_t second = UINT64_C(1) << 32;
    struct stream_receiver a = with_clock(1000 * second, 4000000000U);
    struct stream_receiver b = with_clock(1000 * second + second / 2, 100);
    uint32_t step;

    CHECK_EQ(stream_receiver_clock_step(&a, &b, &step), 0);
    CHECK_EQ((uint32_t)(100 + step), (uint32_t)(4000000000U + RATE / 2));
    CHECK_EQ(stream_receiver_clock_step(&b, &a, &step), 0);
    CHECK_EQ((uint32_t)(4000000000U + step), (uint32_t)(100 - RATE / 2));
    CHECK_EQ(stream_receiver_clock_step(&a, &a, &step), 0);
    CHECK_EQ(step, 0);
}

static void clocks_that_cannot_be_compared_are_not(void)
{
    const uint64_t second = UINT64_C(1) << 32;
    struct stream_receiver a = with_clock(1000 * second, 1);
    struct stream_receiver b = with_clock(0, 0);
    uint32_t step;

    CHECK_EQ(stream_receiver_clock_step(&a, &b, &step), -ENOENT);
    CHECK_EQ(stream_receiver_clock_step(&b, &a, &step), -ENOENT);
    b = with_clock(1100 * second, 0);
    CHECK_EQ(stream_receiver_clock_step(&a, &b, &step), -ERANGE);
    CHECK_EQ(stream_receiver_clock_step(&b, &a, &step), -ERANGE);
    b = with_clock(1000 * second, 0);
    b.clock_rate = 48000;
    CHECK_EQ(stream_receiver_clock_step(&b, &a, &step), -ERANGE);
}

TAP_CASES(CASE(quiet_stream_reports_nothing), CASE(loss_is_counted_per_interval_and_in_total),
          CASE(recovered_packet_is_not_lost), CASE(more_than_expected_is_negative_loss),
          CASE(highest_number_counts_cycles), CASE(unwrapped_numbers_are_in_order),
          CASE(even_arrival_has_no_jitter), CASE(jitter_nears_the_mean_step),
          CASE(timestamp_that_jumps_is_no_jitter), CASE(burst_of_a_frame_is_no_jitter),
          CASE(sender_report_is_echoed_with_its_age),
          CASE(clocks_of_two_streams_are_compared_by_their_reports),
          CASE(clocks_that_cannot_be_compared_are_not))
