#include "bench/sink.h"
#include "tests/tap.h"

static struct sink s;
static struct sink_findings f;

static void clear(void)
{
    s = (struct sink){.ssrc = 1};
    f = (struct sink_findings){0};
}

static void what_is_missing_is_known_by_numbers_over_the_wrap(void)
{
    clear();
    for (uint32_t i = 0; i < 70000; i++) {
        if (i % 7000 != 6999)
            sink_count(&s, (uint16_t)(65000 + i), 100);
        if (i == 999)
            sink_begin_window(&s);
    }
    CHECK_EQ(sink_window_expected(&s), 69000 - 1); /* the last one has not come */
    CHECK_EQ(sink_window_packets(&s), 69000 - 10);
    CHECK_EQ(s.bytes, (70000 - 10) * 100);
}

static void late_packets_do_not_move_the_end(void)
{
    clear();
    sink_count(&s, 10, 1);
    sink_count(&s, 12, 1);
    sink_count(&s, 11, 1);
    CHECK_EQ(sink_window_expected(&s), 3);
    CHECK_EQ(sink_window_packets(&s), 3);
}

static void reports_tell_losses_since_the_last_one_and_in_all(void)
{
    struct rtcp_report report;

    clear();
    sink_report(&s, &report);
    CHECK_EQ(report.fraction_lost, 0);
    for (uint16_t seq = 100; seq < 200; seq++) {
        if (seq % 4 != 1)
            sink_count(&s, seq, 1);
    }
    sink_report(&s, &report);
    CHECK_EQ(report.ssrc, 1);
    CHECK_EQ(report.highest_seq, 199);
    CHECK_EQ(report.total_lost, 25);
    CHECK_EQ(report.fraction_lost, 63); /* of 256 */
    sink_count(&s, 200, 1);
    sink_report(&s, &report);
    CHECK_EQ(report.total_lost, 25);
    CHECK_EQ(report.fraction_lost, 0);
    sink_count(&s, 101, 1); /* late: more came than was expected */
    sink_report(&s, &report);
    CHECK_EQ(report.total_lost, 24);
    CHECK_EQ(report.fraction_lost, 0);
}

static void a_stream_that_never_came_expects_nothing_by_numbers(void)
{
    clear();
    CHECK_EQ(sink_window_expected(&s), 0);
    CHECK_EQ(sink_window_packets(&s), 0);
}

static void check_index(uint32_t source, uint32_t index)
{
    struct content content = {.source = source, .index = index};

    sink_check(&s, &content, 1000, &f);
}

static void gaps_repeats_and_wrong_content_are_found(void)
{
    clear();
    check_index(1, 5);
    check_index(1, 6);
    check_index(1, 9);
    check_index(1, 8);
    check_index(1, 9);
    sink_check(&s, NULL, 0, &f);
    CHECK_EQ(f.packets, 6);
    CHECK_EQ(f.gaps, 2);
    CHECK_EQ(f.reordered, 2);
    CHECK_EQ(f.wrong, 1);
    CHECK_EQ(f.delay_us.count, 5);
}

static void another_source_begins_anew(void)
{
    clear();
    check_index(1, 500);
    check_index(2, 3);
    check_index(2, 4);
    CHECK_EQ(f.gaps + f.reordered, 0);
}

TAP_CASES(CASE(what_is_missing_is_known_by_numbers_over_the_wrap),
          CASE(late_packets_do_not_move_the_end),
          CASE(reports_tell_losses_since_the_last_one_and_in_all),
          CASE(a_stream_that_never_came_expects_nothing_by_numbers),
          CASE(gaps_repeats_and_wrong_content_are_found), CASE(another_source_begins_anew))
