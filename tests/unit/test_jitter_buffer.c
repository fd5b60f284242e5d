#include "client/jitter_buffer.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <errno.h>

enum { FRAME = 960, SOURCE = 42 };

static const int64_t FRAME_US = 20 * MS;

static struct jitter_buffer buffer;

/* Packet `n` of a stream that begins at sequence number 65530; its bytes are its number. */
static int put(int n, int64_t now_us, bool has_fec)
{
    uint8_t data[2] = {(uint8_t)(n >> 8), (uint8_t)n};
    struct jitter_packet packet = {
        .seq = (uint16_t)(65530 + n),
        .ts = 0xfffff000U + (uint32_t)n * FRAME,
        .source = SOURCE,
        .samples = FRAME,
        .has_fec = has_fec,
        .data = data,
        .len = sizeof(data),
    };

    return jitter_buffer_put(&buffer, &packet, now_us);
}

/* What is heard next; what is to be discarded is. */
static struct jitter_play take(bool quiet, int64_t now_us)
{
    struct jitter_play play;

    do {
        jitter_buffer_take(&buffer, quiet, now_us, &play);
    } while (play.action == JITTER_DISCARD);
    return play;
}

/* @return number of the packet that is played, or -1 */
static int number(const struct jitter_play *play)
{
    return play->data ? play->data[0] << 8 | play->data[1] : -1;
}

/* Packets 0..n-1 arrive on time and are taken on time, from now 0 on. @return the time after */
static int64_t run(int from, int to, bool quiet)
{
    int64_t now_us = from * FRAME_US;

    for (int n = from; n < to; n++, now_us += FRAME_US) {
        CHECK_EQ(put(n, now_us, true), 0);
        (void)take(quiet, now_us + MS);
    }
    return now_us;
}

static void init(void)
{
    jitter_buffer_init(&buffer, 0, 0);
}

static void nothing_has_come_yet_is_silence(void)
{
    init();
    CHECK_EQ(take(true, 0).action, JITTER_SILENCE);
    CHECK_EQ(take(true, 0).samples, FRAME);
    CHECK_EQ(jitter_buffer_delay_us(&buffer, 0), 0);
}

static void packets_are_played_in_order_after_the_delay(void)
{
    int64_t now_us = 0;
    int first = -1;
    int expected = 0;

    init();
    for (int n = 0; n < 100; n++, now_us += FRAME_US) {
        struct jitter_play play;

        CHECK_EQ(put(n, now_us, false), 0);
        play = take(false, now_us + MS);
        if (play.action == JITTER_SILENCE)
            continue;
        CHECK_EQ(play.action, JITTER_DECODE);
        CHECK_EQ(play.source, SOURCE);
        if (first < 0)
            first = n;
        CHECK_EQ(number(&play), expected++);
    }
    CHECK(first >= 2 && first <= 4); /* 40 to 80 ms */
    CHECK_EQ(jitter_buffer_stats(&buffer)->concealed, 0);
}

static void packets_out_of_order_are_sorted(void)
{
    init();
    CHECK_EQ(put(1, 0, false), 0);
    CHECK_EQ(put(0, 5 * MS, false), 0);
    CHECK_EQ(put(3, 40 * MS, false), 0);
    CHECK_EQ(put(2, 45 * MS, false), 0);
    for (int n = 0; n < 4; n++) {
        struct jitter_play play = take(false, 100 * MS + n * FRAME_US);

        CHECK_EQ(play.action, JITTER_DECODE);
        CHECK_EQ(number(&play), n);
    }
}

static void duplicates_are_told(void)
{
    init();
    CHECK_EQ(put(0, 0, false), 0);
    CHECK_EQ(put(0, MS, false), -EEXIST);
    CHECK_EQ(take(false, SECOND).action, JITTER_DECODE);
    CHECK_EQ(put(0, SECOND, false), -EEXIST); /* also after it was played */
    CHECK_EQ(jitter_buffer_stats(&buffer)->duplicates, 2);
}

static void a_single_loss_is_played_from_the_next_packet(void)
{
    int64_t now_us;
    struct jitter_play play = {0};

    init();
    now_us = run(0, 50, false);
    CHECK_EQ(put(51, now_us + FRAME_US, true), 0); /* 50 is lost */
    for (int i = 0; i < 8 && play.action != JITTER_FEC; i++, now_us += FRAME_US)
        play = take(false, now_us);
    CHECK_EQ(play.action, JITTER_FEC);
    CHECK_EQ(play.samples, FRAME);
    CHECK_EQ(number(&play), 51);
    play = take(false, now_us);
    CHECK_EQ(play.action, JITTER_DECODE);
    CHECK_EQ(number(&play), 51);
    CHECK_EQ(jitter_buffer_stats(&buffer)->fec, 1);
    CHECK_EQ(jitter_buffer_stats(&buffer)->concealed, 0);
}

static void a_loss_without_a_copy_is_concealed(void)
{
    int64_t now_us;
    int concealed = 0;
    struct jitter_play play = {0};

    init();
    now_us = run(0, 50, false);
    CHECK_EQ(put(51, now_us + FRAME_US, false), 0);
    for (int i = 0; i < 8 && number(&play) != 51; i++, now_us += FRAME_US) {
        play = take(false, now_us);
        concealed += play.action == JITTER_CONCEAL;
    }
    CHECK_EQ(number(&play), 51);
    CHECK_EQ(concealed, 1);
}

static void of_many_losses_the_last_comes_from_the_next_packet(void)
{
    static const enum jitter_action expected[] = {JITTER_CONCEAL, JITTER_CONCEAL, JITTER_FEC,
                                                  JITTER_DECODE};
    int64_t now_us;
    struct jitter_play play = {.action = JITTER_DECODE};

    init();
    now_us = run(0, 50, false);
    CHECK_EQ(put(53, now_us + 2 * MS, true), 0); /* 50, 51, 52 are lost */
    for (int i = 0; i < 8 && play.action == JITTER_DECODE; i++, now_us += FRAME_US)
        play = take(false, now_us);
    for (size_t i = 0; i < 4; i++, now_us += FRAME_US) {
        CHECK_EQ(play.action, expected[i]);
        play = take(false, now_us);
    }
}

static void a_late_packet_is_told_and_makes_the_buffer_longer(void)
{
    int64_t now_us;
    int64_t before_us;

    init();
    now_us = run(0, 200, false);
    before_us = jitter_buffer_target_us(&buffer);
    CHECK_EQ(put(201, now_us, false), 0);
    CHECK_EQ(put(202, now_us, false), 0);
    for (int i = 0; i < 6; i++, now_us += FRAME_US)
        (void)take(false, now_us);
    CHECK_EQ(put(200, now_us, false), -ETIME);
    CHECK_EQ(jitter_buffer_stats(&buffer)->late, 1);
    for (int n = 210; n < 260; n++) { /* every tenth is 90 ms late */
        now_us = n * FRAME_US + (n % 10 == 0 ? 90 * MS : 0);
        (void)put(n, now_us, false);
    }
    CHECK(jitter_buffer_target_us(&buffer) >= before_us + 50 * MS);
}

static void the_delay_follows_the_jitter_down_again(void)
{
    int64_t now_us = 0;
    int64_t high_us;

    init();
    for (int n = 0; n < 200; n++) {
        now_us = n * FRAME_US + n % 5 * 20 * MS; /* up to 80 ms late */
        (void)put(n, now_us, false);
        (void)take(true, now_us);
    }
    high_us = jitter_buffer_target_us(&buffer);
    CHECK(high_us >= 90 * MS);
    run(200, 800, true);
    CHECK_EQ(jitter_buffer_target_us(&buffer), 40 * MS);
    CHECK(jitter_buffer_delay_us(&buffer, 800 * FRAME_US) <= 70 * MS);
    CHECK(jitter_buffer_stats(&buffer)->discarded >= 1);
}

static void a_sender_whose_clock_is_fast_does_not_pile_up(void)
{
    int64_t sent_us = 0;
    int64_t now_us = 0;
    int n = 0;

    init();
    for (int tick = 0; tick < 15000; tick++, now_us += FRAME_US) {  /* five minutes */
        for (; sent_us <= now_us; sent_us += FRAME_US * 999 / 1000) /* 1000 ppm */
            (void)put(n++, now_us, false);
        (void)take(tick % 10 == 0, now_us);
    }
    CHECK(jitter_buffer_delay_us(&buffer, now_us) < 100 * MS);
    CHECK(jitter_buffer_stats(&buffer)->discarded >= 13); /* 300 ms in frames of 20 */
    CHECK_EQ(jitter_buffer_stats(&buffer)->restarts, 0);
}

static void a_sender_whose_clock_is_slow_is_waited_for(void)
{
    int64_t sent_us = 0;
    int64_t now_us = 0;
    int n = 0;

    init();
    for (int tick = 0; tick < 15000; tick++, now_us += FRAME_US) {
        for (; sent_us <= now_us; sent_us += FRAME_US * 1001 / 1000)
            (void)put(n++, now_us, false);
        (void)take(tick % 10 == 0, now_us);
    }
    CHECK(jitter_buffer_delay_us(&buffer, now_us) > 15 * MS);
    CHECK(jitter_buffer_stats(&buffer)->inserted >= 10);
    CHECK_EQ(jitter_buffer_stats(&buffer)->late, 0);
}

static void a_packet_that_is_only_late_is_still_played(void)
{
    int64_t now_us;
    struct jitter_play play = {0};
    int made_up = 0;

    init();
    now_us = run(0, 100, false);
    for (int i = 0; i < 6; i++, now_us += FRAME_US) { /* the network stands still for 120 ms */
        play = take(false, now_us);
        made_up += play.action == JITTER_CONCEAL;
    }
    CHECK(made_up >= 2);
    for (int n = 100; n < 106; n++)
        CHECK_EQ(put(n, now_us, false), 0);
    play = take(false, now_us);
    CHECK_EQ(play.action, JITTER_DECODE);
    CHECK_EQ(number(&play), 100);
}

static void a_stream_that_stops_falls_silent(void)
{
    int64_t now_us;
    struct jitter_play play;

    init();
    now_us = run(0, 100, false);
    for (int i = 0; i < 20; i++, now_us += FRAME_US)
        play = take(false, now_us);
    CHECK_EQ(play.action, JITTER_SILENCE);
    CHECK_EQ(jitter_buffer_delay_us(&buffer, now_us), 0);
    CHECK_EQ(jitter_buffer_stats(&buffer)->underruns, 1);
}

static void a_stream_that_comes_back_is_played_with_the_delay(void)
{
    int64_t now_us;
    int silent = 0;

    init();
    run(0, 100, false);
    for (int n = 100; n < 300; n++)
        (void)take(false, n * FRAME_US);
    for (int n = 300; n < 310; n++) { /* muted for 4 s: no numbers used, time went on */
        uint8_t data[2] = {0, 1};
        struct jitter_packet packet = {.seq = (uint16_t)(65530 + n - 200),
                                       .ts = 0xfffff000U + (uint32_t)n * FRAME,
                                       .samples = FRAME,
                                       .data = data,
                                       .len = 2};

        now_us = n * FRAME_US;
        CHECK_EQ(jitter_buffer_put(&buffer, &packet, now_us), 0);
        silent += take(false, now_us + MS).action == JITTER_SILENCE;
    }
    CHECK(silent >= 1 && silent <= 4);
    CHECK_EQ(jitter_buffer_stats(&buffer)->restarts, 0);
}

static void a_pause_of_the_sender_is_no_loss(void)
{
    int made_up = 0;

    jitter_buffer_init(&buffer, 200 * MS, 500 * MS);
    run(0, 50, false);
    for (int n = 50; n < 80; n++) { /* DTX: five frames are left out of time, not of the numbers */
        uint8_t data[2] = {0, 2};
        struct jitter_packet packet = {.seq = (uint16_t)(65530 + n - 5),
                                       .ts = 0xfffff000U + (uint32_t)n * FRAME,
                                       .samples = FRAME,
                                       .data = data,
                                       .len = 2};

        if (n >= 55)
            CHECK_EQ(jitter_buffer_put(&buffer, &packet, n * FRAME_US), 0);
        made_up += take(false, n * FRAME_US + MS).action == JITTER_CONCEAL;
    }
    CHECK_EQ(made_up, 5);
    CHECK_EQ(jitter_buffer_stats(&buffer)->concealed, 0);
    CHECK_EQ(jitter_buffer_stats(&buffer)->underruns, 0);
}

static void new_numbers_begin_anew(void)
{
    int64_t now_us;
    uint8_t data[2] = {0x30, 0x39};
    struct jitter_packet packet = {
        .seq = 20000, .ts = 7, .source = 9, .samples = FRAME, .data = data, .len = 2};
    struct jitter_play play = {0};

    init();
    now_us = run(0, 100, false);
    for (int i = 0; i < 6; i++, packet.seq++, packet.ts += FRAME, now_us += FRAME_US) {
        CHECK_EQ(jitter_buffer_put(&buffer, &packet, now_us), 0);
        play = take(false, now_us);
    }
    CHECK_EQ(play.action, JITTER_DECODE);
    CHECK_EQ(play.source, 9);
    CHECK_EQ(jitter_buffer_stats(&buffer)->restarts, 1);
}

static void timestamps_that_jump_begin_anew(void)
{
    int64_t now_us;
    uint8_t data[2] = {0, 0};
    struct jitter_packet packet = {.seq = (uint16_t)(65530 + 100),
                                   .ts = 0xfffff000U + 100 * FRAME + 10 * 48000,
                                   .samples = FRAME,
                                   .data = data,
                                   .len = 2};

    init();
    now_us = run(0, 100, false);
    CHECK_EQ(jitter_buffer_put(&buffer, &packet, now_us), 0); /* 10 s ahead */
    CHECK_EQ(jitter_buffer_stats(&buffer)->restarts, 1);
    CHECK_EQ(take(false, now_us + 200 * MS).action, JITTER_DECODE);
}

static void nobody_takes_and_the_oldest_make_room(void)
{
    struct jitter_play play;

    init();
    for (int n = 0; n < 1000; n++)
        CHECK_EQ(put(n, n * FRAME_US, false), 0);
    play = take(false, 1000 * FRAME_US);
    CHECK_EQ(play.action, JITTER_DECODE);
    CHECK_EQ(number(&play), 1000 - JITTER_PACKETS);
}

static void a_backlog_is_worked_off(void)
{
    int64_t now_us = 0;

    init();
    for (int n = 0; n < 100; n++)
        CHECK_EQ(put(n, 0, false), 0);
    for (int i = 0; i < 2000; i++, now_us += FRAME_US) {
        if (i >= 1)
            (void)put(99 + i, now_us, false);
        (void)take(false, now_us);
    }
    CHECK(jitter_buffer_stats(&buffer)->discarded > 80);
    CHECK(jitter_buffer_delay_us(&buffer, now_us) <= 200 * MS);
}

static void what_is_too_large_is_refused(void)
{
    static const uint8_t data[JITTER_PAYLOAD_MAX + 1];
    struct jitter_packet packet = {.samples = FRAME, .data = data, .len = JITTER_PAYLOAD_MAX};

    init();
    CHECK_EQ(jitter_buffer_put(&buffer, &packet, 0), 0);
    packet.seq++;
    packet.len++;
    CHECK_EQ(jitter_buffer_put(&buffer, &packet, 0), -EMSGSIZE);
    packet.len = 0;
    CHECK_EQ(jitter_buffer_put(&buffer, &packet, 0), -EMSGSIZE);
    packet.len = 1;
    packet.samples = JITTER_MAX_SAMPLES + 1;
    CHECK_EQ(jitter_buffer_put(&buffer, &packet, 0), -EMSGSIZE);
    packet.samples = 0;
    CHECK_EQ(jitter_buffer_put(&buffer, &packet, 0), -EMSGSIZE);
}

TAP_CASES(CASE(nothing_has_come_yet_is_silence), CASE(packets_are_played_in_order_after_the_delay),
          CASE(packets_out_of_order_are_sorted), CASE(duplicates_are_told),
          CASE(a_single_loss_is_played_from_the_next_packet),
          CASE(a_loss_without_a_copy_is_concealed),
          CASE(of_many_losses_the_last_comes_from_the_next_packet),
          CASE(a_late_packet_is_told_and_makes_the_buffer_longer),
          CASE(the_delay_follows_the_jitter_down_again),
          CASE(a_sender_whose_clock_is_fast_does_not_pile_up),
          CASE(a_sender_whose_clock_is_slow_is_waited_for),
          CASE(a_packet_that_is_only_late_is_still_played), CASE(a_stream_that_stops_falls_silent),
          CASE(a_stream_that_comes_back_is_played_with_the_delay),
          CASE(a_pause_of_the_sender_is_no_loss), CASE(new_numbers_begin_anew),
          CASE(timestamps_that_jump_begin_anew), CASE(nobody_takes_and_the_oldest_make_room),
          CASE(a_backlog_is_worked_off), CASE(what_is_too_large_is_refused))
