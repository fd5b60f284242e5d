#include "media/send_history.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <errno.h>

static struct send_history history; /* large */

static void put(uint16_t first, size_t n, int64_t from_us, int64_t step_us)
{
    for (size_t i = 0; i < n; i++)
        send_history_put(&history, (uint16_t)(first + i), (uint16_t)(100 + i % 1000),
                         (uint8_t)(i % 3), from_us + (int64_t)i * step_us);
}

static void feedback_finds_what_was_sent(void)
{
    struct sent_packet p;

    send_history_init(&history);
    put(65530, 20, 5 * SECOND, 1 * MS); /* over the wrap */
    CHECK_EQ(send_history_answer(&history, 65530, true, &p), 0);
    CHECK_EQ(p.sent_us, 5 * SECOND);
    CHECK_EQ(p.len, 100);
    CHECK_EQ(p.probe, 0);
    CHECK_EQ(send_history_answer(&history, 2, false, &p), 0);
    CHECK_EQ(p.sent_us, 5 * SECOND + 8 * MS);
    CHECK_EQ(p.len, 108);
    CHECK_EQ(p.probe, 2);
}

static void what_never_left_is_unknown(void)
{
    struct sent_packet p;

    send_history_init(&history);
    CHECK_EQ(send_history_answer(&history, 0, true, &p), -ENOENT);
    CHECK_EQ(send_history_answer(&history, 65535, true, &p), -ENOENT);
    put(100, 10, SECOND, 0);
    CHECK_EQ(send_history_answer(&history, 99, true, &p), -ENOENT);
    CHECK_EQ(send_history_answer(&history, 110, true, &p), -ENOENT);
    CHECK_EQ(send_history_answer(&history, 100 + 32768, true, &p), -ENOENT);
    CHECK_EQ(send_history_answer(&history, 109, true, &p), 0);
}

static void the_oldest_are_forgotten(void)
{
    struct sent_packet p;

    send_history_init(&history);
    put(0, SEND_HISTORY + 1, SECOND, 10);
    CHECK_EQ(send_history_answer(&history, 0, true, &p), -ENOENT);
    CHECK_EQ(send_history_answer(&history, 1, true, &p), 0);
    CHECK_EQ(send_history_answer(&history, SEND_HISTORY, true, &p), 0);
    CHECK_EQ(p.sent_us, SECOND + SEND_HISTORY * 10);
}

static void each_is_lost_once_and_received_once(void)
{
    struct sent_packet p;

    send_history_init(&history);
    put(7, 3, SECOND, 10);
    CHECK_EQ(send_history_answer(&history, 7, false, &p), 0);
    CHECK_EQ(send_history_answer(&history, 7, false, &p), -EALREADY);
    CHECK_EQ(send_history_answer(&history, 7, true, &p), 0);
    CHECK_EQ(send_history_answer(&history, 7, true, &p), -EALREADY);
    CHECK_EQ(send_history_answer(&history, 7, false, &p), -EALREADY);
    CHECK_EQ(send_history_answer(&history, 8, true, &p), 0);
    CHECK_EQ(send_history_answer(&history, 8, false, &p), -EALREADY);
}

/* Times are kept in 32 bits. */
static void times_of_long_lives_are_right(void)
{
    int64_t wrap_us = INT64_C(0x7) << 32;
    struct sent_packet p;

    send_history_init(&history);
    put(0, 10, wrap_us - 50 * MS, 10 * MS);
    for (uint16_t i = 0; i < 10; i++) {
        CHECK_EQ(send_history_answer(&history, i, true, &p), 0);
        CHECK_EQ(p.sent_us, wrap_us - 50 * MS + i * 10 * MS);
    }
}

TAP_CASES(CASE(feedback_finds_what_was_sent), CASE(what_never_left_is_unknown),
          CASE(the_oldest_are_forgotten), CASE(each_is_lost_once_and_received_once),
          CASE(times_of_long_lives_are_right))
