#include "media/transport_feedback.h"

#include "bench/netem.h"
#include "media/base/clock.h"
#include "tests/tap.h"

#include <errno.h>

enum { MTU = 1200 };

/* What one call to the writer led to, read back. */
struct result {
    size_t packets, len;
    int count; /* statuses of all packets */
    uint8_t feedback_count;
    struct feedback_status statuses[4096];
    uint8_t data[MTU];
};

static struct result result;

static void read_back(struct reader compound)
{
    struct rtcp_packet p;
    struct rtcp_feedback fb;

    result.count = 0;
    for (size_t i = 0; i < result.packets; i++) {
        int n;

        CHECK_EQ(rtcp_next(&compound, &p), 1);
        n = feedback_read(&p, &fb, &result.feedback_count, result.statuses + result.count,
                          FEEDBACK_MAX_PACKETS);
        CHECK(n > 0);
        CHECK_EQ(fb.sender, 7);
        CHECK_EQ(fb.media, 8);
        result.count += n;
    }
    CHECK_EQ(rtcp_next(&compound, &p), 0);
}

static void flush_into(struct feedback_recorder *r, size_t room, int64_t now_us)
{
    struct writer w = writer_of(result.data, room);

    result.packets = feedback_recorder_write(r, &w, 7, 8, now_us);
    result.len = w.len;
    CHECK(writer_ok(&w));
    read_back(reader_of(w.data, w.len));
}

static void flush(struct feedback_recorder *r, int64_t now_us)
{
    flush_into(r, MTU, now_us);
}

static void check_status(int i, uint16_t seq, int64_t arrival_us)
{
    CHECK(i < result.count);
    CHECK_EQ(result.statuses[i].seq, seq);
    CHECK_EQ(result.statuses[i].received, arrival_us != NEVER_US);
    if (arrival_us != NEVER_US)
        CHECK_EQ(result.statuses[i].arrival_us, arrival_us);
}

static struct feedback_recorder make(void)
{
    struct feedback_recorder r;

    feedback_recorder_init(&r);
    return r;
}

static void nothing_arrived_is_not_reported(void)
{
    struct feedback_recorder r = make();

    CHECK_EQ(feedback_recorder_deadline(&r), NEVER_US);
    flush(&r, SECOND);
    CHECK_EQ(result.packets, 0);
}

static void arrivals_and_losses_are_reported(void)
{
    struct feedback_recorder r = make();

    feedback_recorder_on_packet(&r, 65534, SECOND);
    feedback_recorder_on_packet(&r, 65535, SECOND + 250);
    feedback_recorder_on_packet(&r, 2, SECOND + 100 * MS);
    feedback_recorder_on_packet(&r, 1, SECOND + 101 * MS);
    flush(&r, SECOND + 110 * MS);
    CHECK_EQ(result.packets, 1);
    CHECK_EQ(result.count, 5);
    check_status(0, 65534, SECOND);
    check_status(1, 65535, SECOND + 250);
    check_status(2, 0, NEVER_US);
    check_status(3, 1, SECOND + 101 * MS);
    check_status(4, 2, SECOND + 100 * MS);
}

static void feedback_continues_where_it_ended(void)
{
    struct feedback_recorder r = make();

    feedback_recorder_on_packet(&r, 10, SECOND);
    flush(&r, SECOND);
    CHECK_EQ(result.feedback_count, 0);
    feedback_recorder_on_packet(&r, 12, SECOND + 10 * MS);
    flush(&r, SECOND + 50 * MS);
    CHECK_EQ(result.feedback_count, 1);
    CHECK_EQ(result.count, 2);
    check_status(0, 11, NEVER_US);
    check_status(1, 12, SECOND + 10 * MS);
    flush(&r, SECOND + 50 * MS);
    CHECK_EQ(result.packets, 0);
}

static void reported_loss_that_arrives_is_reported_again(void)
{
    struct feedback_recorder r = make();

    feedback_recorder_on_packet(&r, 10, SECOND);
    feedback_recorder_on_packet(&r, 12, SECOND);
    flush(&r, SECOND);
    feedback_recorder_on_packet(&r, 11, SECOND + 20 * MS);
    CHECK_EQ(feedback_recorder_deadline(&r), SECOND + 50 * MS);
    flush(&r, SECOND + 50 * MS);
    CHECK_EQ(result.count, 2);
    check_status(0, 11, SECOND + 20 * MS);
    check_status(1, 12, SECOND);
    feedback_recorder_on_packet(&r, 11, SECOND + 60 * MS); /* a duplicate */
    CHECK_EQ(feedback_recorder_deadline(&r), NEVER_US);
}

static void feedback_is_due_50_ms_after_the_last(void)
{
    struct feedback_recorder r = make();

    feedback_recorder_on_packet(&r, 10, SECOND);
    CHECK(feedback_recorder_deadline(&r) <= SECOND);
    flush(&r, SECOND);
    CHECK_EQ(feedback_recorder_deadline(&r), NEVER_US);
    feedback_recorder_on_packet(&r, 11, SECOND + 1 * MS);
    CHECK_EQ(feedback_recorder_deadline(&r), SECOND + 50 * MS);
}

static void equal_symbols_take_one_chunk(void)
{
    struct feedback_recorder r = make();

    for (uint16_t seq = 0; seq < 300; seq++)
        feedback_recorder_on_packet(&r, seq, SECOND + seq * 250);
    flush(&r, 2 * SECOND);
    CHECK_EQ(result.count, 300);
    CHECK_EQ(result.len, 324); /* 20 + 2 + 300, in whole words */
}

static void sparse_losses_take_one_bit_each(void)
{
    struct feedback_recorder r = make();

    for (uint16_t seq = 0; seq < 28; seq++) {
        if (seq % 3 != 1)
            feedback_recorder_on_packet(&r, seq, SECOND);
    }
    flush(&r, 2 * SECOND);
    CHECK_EQ(result.count, 28);
    CHECK_EQ(result.len, 44); /* 20 + 2 * 2 + 19, in whole words */
}

static void large_steps_take_two_bits_each(void)
{
    struct feedback_recorder r = make();

    for (uint16_t seq = 0; seq < 14; seq++)
        feedback_recorder_on_packet(&r, seq, SECOND + seq / 2 * 80 * MS);
    flush(&r, 2 * SECOND);
    CHECK_EQ(result.count, 14);
    CHECK_EQ(result.len, 44); /* 20 + 2 * 2 + 8 + 2 * 6, in whole words */
}

static void step_beyond_16_bits_begins_another_packet(void)
{
    struct feedback_recorder r = make();

    feedback_recorder_on_packet(&r, 0, SECOND);
    feedback_recorder_on_packet(&r, 1, 10 * SECOND);
    feedback_recorder_on_packet(&r, 2, 1 * SECOND);
    flush(&r, 10 * SECOND);
    CHECK_EQ(result.packets, 3);
    CHECK_EQ(result.feedback_count, 2);
    check_status(0, 0, SECOND);
    check_status(1, 1, 10 * SECOND);
    check_status(2, 2, SECOND);
}

static void jump_reports_the_window_only(void)
{
    struct feedback_recorder r = make();
    int i;

    feedback_recorder_on_packet(&r, 0, SECOND);
    feedback_recorder_on_packet(&r, 20000, SECOND);
    flush(&r, SECOND);
    CHECK_EQ(result.packets, 2);
    CHECK_EQ(result.count, FEEDBACK_WINDOW);
    for (i = 0; i < FEEDBACK_WINDOW - 1; i++)
        check_status(i, (uint16_t)(20000 - FEEDBACK_WINDOW + 1 + i), NEVER_US);
    check_status(i, 20000, SECOND);
    feedback_recorder_on_packet(&r, 20000 - FEEDBACK_WINDOW, SECOND); /* too old */
    CHECK_EQ(feedback_recorder_deadline(&r), NEVER_US);
}

static void what_does_not_fit_stays_unreported(void)
{
    struct feedback_recorder r = make();
    int total = 0;

    for (uint16_t seq = 0; seq < 100; seq++)
        feedback_recorder_on_packet(&r, seq, SECOND + seq * 10 * MS);
    flush_into(&r, 23, 2 * SECOND);
    CHECK_EQ(result.packets, 0);
    while (feedback_recorder_deadline(&r) != NEVER_US) {
        flush_into(&r, 60, 2 * SECOND);
        CHECK_EQ(result.packets, 1);
        CHECK(result.len <= 60);
        for (int i = 0; i < result.count; i++)
            check_status(i, (uint16_t)(total + i), SECOND + (total + i) * 10 * MS);
        total += result.count;
    }
    CHECK_EQ(total, 100);
}

static void clock_wraps_after_12_days(void)
{
    static const int64_t cycle_us = (INT64_C(1) << 24) * 64 * MS;
    struct feedback_recorder r = make();

    feedback_recorder_on_packet(&r, 1, 3 * cycle_us - 10 * MS);
    feedback_recorder_on_packet(&r, 2, 3 * cycle_us + 10 * MS);
    flush(&r, 3 * cycle_us + 20 * MS);
    check_status(0, 1, cycle_us - 10 * MS);
    check_status(1, 2, cycle_us + 10 * MS);
    CHECK_EQ(feedback_unwrap_us(cycle_us - 10 * MS, 5 * MS), cycle_us + 5 * MS);
    CHECK_EQ(feedback_unwrap_us(2 * cycle_us + 5 * MS, cycle_us - MS), 2 * cycle_us - MS);
    CHECK_EQ(feedback_unwrap_us(100, 300), 300);
    CHECK_EQ(feedback_unwrap_us(300, 100), 100);
}

/* A feedback packet: the fixed part, base 5, `count` statuses, reference 1, number 9, the rest. */
#define FEEDBACK(count, ...)                                                              \
    {                                                                                     \
        0, 0, 0, 7, 0, 0, 0, 8, 0, 5, (count) >> 8, (count)&0xff, 0, 0, 1, 9, __VA_ARGS__ \
    }

static int read_body(const uint8_t *body, size_t len)
{
    struct rtcp_packet p = {
        .count = RTPFB_TRANSPORT_CC, .type = RTCP_RTPFB, .body = reader_of(body, len)};
    struct rtcp_feedback fb;
    uint8_t feedback_count;

    return feedback_read(&p, &fb, &feedback_count, result.statuses, FEEDBACK_MAX_PACKETS);
}

static void chunks_of_the_draft_are_read(void)
{
    /* draft section 3.1.3: one bit each, 0 1 1 1 1 1 0 0 0 1 1 1 0 0; two bits each, 0 1 1 1 1 0 2
     */
    static const uint8_t body[] = FEEDBACK(21, 0x9f, 0x1c, 0xc5, 0x52, 1, 2, 3, 4, 5, 6, 7, 8, 9,
                                           10, 11, 12, 1, 0);
    static const int arrived[] = {1, 2, 3, 4, 5, 9, 10, 11, 15, 16, 17, 18};
    int64_t arrival_us = 64 * MS;

    CHECK_EQ(read_body(body, sizeof(body)), 21);
    result.count = 21;
    for (int i = 0; i < 12; i++) {
        arrival_us += (i + 1) * 250;
        check_status(arrived[i], (uint16_t)(5 + arrived[i]), arrival_us);
    }
    check_status(0, 5, NEVER_US);
    check_status(8, 13, NEVER_US);
    check_status(14, 19, NEVER_US);
    check_status(19, 24, NEVER_US);
    check_status(20, 25, arrival_us + 256 * 250);
}

static void run_may_reach_beyond_the_last_status(void)
{
    static const uint8_t body[] = FEEDBACK(2, 0x20, 0x05, 1, 2);

    CHECK_EQ(read_body(body, sizeof(body)), 2);
    result.count = 2;
    check_status(1, 6, 64 * MS + 3 * 250);
}

static void negative_step_is_read(void)
{
    static const uint8_t body[] = FEEDBACK(2, 0xd8, 0x00, 8, 0xff, 0xfe);

    CHECK_EQ(read_body(body, sizeof(body)), 2);
    result.count = 2;
    check_status(0, 5, 64 * MS + 8 * 250);
    check_status(1, 6, 64 * MS + 6 * 250);
}

static void statuses_beyond_the_room_are_left_out(void)
{
    static const uint8_t body[] = FEEDBACK(65535, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff,
                                           0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x00, 7);

    CHECK_EQ(read_body(body, sizeof(body)), FEEDBACK_MAX_PACKETS);
}

static void malformed_feedback_is_refused(void)
{
    static const uint8_t none[] = FEEDBACK(0, 0x20, 0x01, 1);
    static const uint8_t empty_run[] = FEEDBACK(1, 0x20, 0x00, 0x20, 0x01, 1);
    static const uint8_t reserved_run[] = FEEDBACK(1, 0x60, 0x01, 1, 1, 1);
    static const uint8_t reserved_bits[] = FEEDBACK(2, 0xdc, 0x00, 1, 1, 1);
    static const uint8_t cut[] = FEEDBACK(8, 0xd5, 0x55, 0x20, 0x01, 1, 2, 3, 4, 5, 6, 7, 8);

    CHECK_EQ(read_body(none, sizeof(none)), -EBADMSG);
    CHECK_EQ(read_body(empty_run, sizeof(empty_run)), -EBADMSG);
    CHECK_EQ(read_body(reserved_run, sizeof(reserved_run)), -EBADMSG);
    CHECK_EQ(read_body(reserved_bits, sizeof(reserved_bits)), -EBADMSG);
    for (size_t len = 0; len < sizeof(cut); len++)
        CHECK_EQ(read_body(cut, len), -EBADMSG);
    CHECK_EQ(read_body(cut, sizeof(cut)), 8);
}

/*
 * The property: whatever arrives when, each arrival is reported at its time (in steps of 250 us)
 * by the first feedback that covers it, and what did not arrive is reported as lost.
 */
static void check_against(const int64_t *arrivals, int64_t *base_us)
{
    for (int i = 0; i < result.count; i++) {
        const struct feedback_status *s = &result.statuses[i];
        int64_t arrival_us = arrivals[s->seq];

        CHECK_EQ(s->received, arrival_us != NEVER_US);
        if (!s->received)
            continue;
        *base_us = feedback_unwrap_us(*base_us, s->arrival_us);
        CHECK_EQ(*base_us, arrival_us / 250 * 250);
    }
}

static int64_t random_step(uint64_t *random)
{
    static const int64_t scales[] = {300, 2000, 20 * MS, 200 * MS, 9 * SECOND};
    uint64_t dice = netem_random(random);

    return (int64_t)((dice >> 16) % (uint64_t)scales[dice % 100 < 96 ? dice % 3 : 3 + dice % 2]);
}

static void random_arrivals_are_read_back(void)
{
    static int64_t arrivals[65536];
    struct feedback_recorder r = make();
    uint64_t random = 99;
    int64_t now_us = (INT64_C(1) << 24) * 64 * MS - 30 * SECOND; /* the clock wraps on the way */
    int64_t base_us = now_us;

    for (size_t i = 0; i < 65536; i++)
        arrivals[i] = NEVER_US;
    for (uint32_t sent = 65000; sent < 4 * 65536; sent++) {
        uint64_t dice = netem_random(&random);
        uint16_t late = (uint16_t)(sent - dice / 256 % 50);

        now_us += random_step(&random);
        arrivals[(uint16_t)(sent + 32768)] = NEVER_US;
        if (dice % 8 < 6 || sent == 65000) {
            feedback_recorder_on_packet(&r, (uint16_t)sent, now_us);
            arrivals[(uint16_t)sent] = now_us;
        }
        if (dice % 16 == 15 && sent > 65050 && arrivals[late] == NEVER_US) {
            feedback_recorder_on_packet(&r, late, now_us);
            arrivals[late] = now_us;
        }
        if (netem_random(&random) % 60 == 0) {
            flush_into(&r, 200 + dice % 1000, now_us);
            check_against(arrivals, &base_us);
        }
    }
}

/* A twentieth of what arrives, between 50 and 250 ms apart. */
static void feedback_comes_as_often_as_the_rate_allows(void)
{
    static const struct {
        uint64_t bps;
        int64_t interval_us;
    } rates[] = {
        {0, 250 * MS},      {20000, 250 * MS},      {64000, 170 * MS},
        {108800, 100 * MS}, {5000 * 1000, 50 * MS}, {UINT64_MAX, 50 * MS},
    };
    struct feedback_recorder r;

    feedback_recorder_init(&r);
    feedback_recorder_on_packet(&r, 1, SECOND);
    r.last_sent_us = SECOND;
    CHECK_EQ(feedback_recorder_deadline(&r), SECOND + 50 * MS);
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        feedback_recorder_set_rate(&r, rates[i].bps);
        CHECK_EQ(feedback_recorder_deadline(&r), SECOND + rates[i].interval_us);
    }
}

TAP_CASES(CASE(feedback_comes_as_often_as_the_rate_allows), CASE(nothing_arrived_is_not_reported),
          CASE(arrivals_and_losses_are_reported), CASE(feedback_continues_where_it_ended),
          CASE(reported_loss_that_arrives_is_reported_again),
          CASE(feedback_is_due_50_ms_after_the_last), CASE(equal_symbols_take_one_chunk),
          CASE(sparse_losses_take_one_bit_each), CASE(large_steps_take_two_bits_each),
          CASE(step_beyond_16_bits_begins_another_packet), CASE(jump_reports_the_window_only),
          CASE(what_does_not_fit_stays_unreported), CASE(clock_wraps_after_12_days),
          CASE(chunks_of_the_draft_are_read), CASE(run_may_reach_beyond_the_last_status),
          CASE(negative_step_is_read), CASE(statuses_beyond_the_room_are_left_out),
          CASE(malformed_feedback_is_refused), CASE(random_arrivals_are_read_back))
