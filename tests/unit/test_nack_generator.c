#include "media/nack_generator.h"

#include "bench/netem.h"
#include "media/base/clock.h"
#include "tests/tap.h"

#include <errno.h>

/* Feed a packet that must be new. */
static void arrive(struct nack_generator *g, uint16_t seq, int64_t now_us)
{
    CHECK_EQ(nack_generator_on_packet(g, seq, now_us), 1);
}

static void lost_packet_is_asked_for_after_the_grace(void)
{
    struct nack_generator g;
    uint16_t seq[4];

    nack_generator_init(&g, 20 * MS);
    CHECK_EQ(nack_generator_deadline(&g), NEVER_US);
    arrive(&g, 100, 0);
    arrive(&g, 102, 5 * MS);
    CHECK_EQ(nack_generator_deadline(&g), 25 * MS);
    CHECK_EQ(nack_generator_poll(&g, 24 * MS, seq, 4), 0);
    CHECK_EQ(nack_generator_poll(&g, 25 * MS, seq, 4), 1);
    CHECK_EQ(seq[0], 101);
}

static void late_packet_cancels_the_request(void)
{
    struct nack_generator g;
    uint16_t seq[4];

    nack_generator_init(&g, 20 * MS);
    arrive(&g, 65535, 0);
    arrive(&g, 1, 0);
    arrive(&g, 0, 0);
    CHECK_EQ(nack_generator_on_packet(&g, 0, 0), 0);
    CHECK_EQ(nack_generator_deadline(&g), NEVER_US);
    CHECK_EQ(nack_generator_poll(&g, 1000 * MS, seq, 4), 0);
}

static void request_is_repeated_after_one_round_trip(void)
{
    struct nack_generator g;
    uint16_t seq[4];

    nack_generator_init(&g, 0);
    nack_generator_set_rtt(&g, 60 * MS);
    arrive(&g, 1, 0);
    arrive(&g, 4, 0);
    CHECK_EQ(nack_generator_poll(&g, 0, seq, 4), 2);
    CHECK_EQ(seq[0], 2);
    CHECK_EQ(seq[1], 3);
    CHECK_EQ(nack_generator_deadline(&g), 60 * MS);
    arrive(&g, 3, 30 * MS);
    CHECK_EQ(nack_generator_poll(&g, 59 * MS, seq, 4), 0);
    CHECK_EQ(nack_generator_poll(&g, 60 * MS, seq, 4), 1);
    CHECK_EQ(seq[0], 2);
}

static void packet_is_given_up_after_the_last_try(void)
{
    struct nack_generator g;
    uint16_t seq[4];

    nack_generator_init(&g, 0);
    nack_generator_set_rtt(&g, 20 * MS);
    arrive(&g, 1, 0);
    arrive(&g, 3, 0);
    for (int i = 0; i < NACK_MAX_TRIES; i++)
        CHECK_EQ(nack_generator_poll(&g, i * 20 * MS, seq, 4), 1);
    /* the answer to the last try may be under way */
    CHECK_EQ(nack_generator_deadline(&g), NACK_MAX_TRIES * 20 * MS);
    CHECK_EQ(g.given_up, 0);
    CHECK(!nack_generator_take_lost(&g, seq));
    CHECK_EQ(nack_generator_poll(&g, NACK_MAX_TRIES * 20 * MS, seq, 4), 0);
    CHECK_EQ(g.given_up, 1);
    CHECK(nack_generator_take_lost(&g, seq));
    CHECK_EQ(seq[0], 2);
    CHECK(!nack_generator_take_lost(&g, seq));
    CHECK_EQ(nack_generator_deadline(&g), NEVER_US);
    CHECK_EQ(nack_generator_poll(&g, 10 * SECOND, seq, 4), 0);
    arrive(&g, 2, 10 * SECOND); /* and still it is new, once */
    CHECK_EQ(nack_generator_on_packet(&g, 2, 10 * SECOND), 0);
}

static void packet_is_not_asked_for_when_the_answer_would_come_too_late(void)
{
    struct nack_generator g;
    uint16_t seq[4];

    nack_generator_init(&g, 0);
    nack_generator_set_rtt(&g, 400 * MS);
    arrive(&g, 1, 0);
    arrive(&g, 3, 0);
    CHECK_EQ(nack_generator_poll(&g, 0, seq, 4), 1);
    CHECK_EQ(nack_generator_poll(&g, 400 * MS, seq, 4), 1);
    /* the third answer would come after 1.2 s; the second comes after 0.8 s, or a little later */
    CHECK_EQ(nack_generator_poll(&g, 800 * MS, seq, 4), 0);
    CHECK_EQ(g.given_up, 0);
    CHECK_EQ(nack_generator_deadline(&g), NACK_PATIENCE_US);
    CHECK_EQ(nack_generator_poll(&g, NACK_PATIENCE_US, seq, 4), 0);
    CHECK_EQ(g.given_up, 1);
    CHECK(nack_generator_take_lost(&g, seq));
}

static void what_leaves_the_window_is_given_up(void)
{
    struct nack_generator g;
    uint16_t seq[4];

    nack_generator_init(&g, 10 * MS);
    arrive(&g, 1, 0);
    arrive(&g, 3, 0);
    for (int i = 4; i <= 1 + NACK_WINDOW; i++)
        arrive(&g, (uint16_t)i, 0);
    CHECK_EQ(g.given_up, 0);
    arrive(&g, 2 + NACK_WINDOW, 0);
    CHECK_EQ(g.given_up, 1);
    CHECK_EQ(g.missing, 0);
    CHECK(nack_generator_take_lost(&g, seq));
    CHECK_EQ(seq[0], 2);
}

/* One packet in a hundred comes 25 ms late, none is lost.
 * @return how many are asked for in the second half; *first: and in the first */
static size_t ask_for_overtaken(struct nack_generator *g, size_t *first)
{
    size_t asked[2] = {0, 0};
    uint16_t seqs[8];

    for (uint32_t i = 0; i < 2000; i++) {
        int64_t now_us = i * 5 * MS;

        if (i % 100 != 50)
            arrive(g, (uint16_t)i, now_us);
        if (i % 100 == 55)
            arrive(g, (uint16_t)(i - 5), now_us);
        asked[i / 1000] += nack_generator_poll(g, now_us, seqs, 8);
    }
    *first = asked[0];
    return asked[1];
}

static void overtaken_packets_are_waited_for(void)
{
    struct nack_generator g;
    size_t first;

    nack_generator_init(&g, 10 * MS);
    g.repairs = true;
    CHECK_EQ(ask_for_overtaken(&g, &first), 0);
    CHECK_EQ(first, 1);
}

static void nothing_is_learned_from_what_may_be_an_answer(void)
{
    struct nack_generator g;
    size_t first;

    nack_generator_init(&g, 10 * MS);
    CHECK_EQ(ask_for_overtaken(&g, &first), 10);
    CHECK_EQ(first, 10);
    CHECK(g.grace_us <= 10 * MS);
}

static void grace_shrinks_when_nothing_is_overtaken(void)
{
    struct nack_generator g;
    uint16_t seqs[8];

    nack_generator_init(&g, 10 * MS);
    arrive(&g, 0, 0);
    arrive(&g, 2, 0);
    arrive(&g, 1, 8 * MS); /* before it was asked for: by whatever it came, it was no answer */
    CHECK(g.grace_us >= 9 * MS);
    arrive(&g, 4, 10 * MS);
    CHECK_EQ(nack_generator_on_repair(&g, 3, 90 * MS), 1);
    CHECK(g.grace_us < 10 * MS);
    for (uint16_t i = 6; i < 400; i += 2) {
        arrive(&g, i, i * 100 * MS);
        CHECK_EQ(nack_generator_on_repair(&g, (uint16_t)(i - 1), i * 100 * MS + 90 * MS), 1);
    }
    CHECK(g.grace_us >= 5 * MS && g.grace_us < 6 * MS);
    arrive(&g, 500, 50 * SECOND);
    arrive(&g, 499, 50 * SECOND + 4 * SECOND); /* never so long */
    CHECK_EQ(g.grace_us, NACK_GRACE_MAX_US);
    (void)!nack_generator_poll(&g, 60 * SECOND, seqs, 8);
}

static void short_list_is_continued(void)
{
    struct nack_generator g;
    uint16_t seq[4];

    nack_generator_init(&g, 0);
    arrive(&g, 10, 0);
    arrive(&g, 16, 0);
    CHECK_EQ(nack_generator_poll(&g, 0, seq, 4), 4);
    CHECK_EQ(seq[0], 11);
    CHECK_EQ(nack_generator_deadline(&g), 0);
    CHECK_EQ(nack_generator_poll(&g, 0, seq, 4), 1);
    CHECK_EQ(seq[0], 15);
    CHECK_EQ(nack_generator_poll(&g, 0, seq, 4), 0);
}

static void packet_from_before_the_first_is_new(void)
{
    struct nack_generator g;

    nack_generator_init(&g, 0);
    arrive(&g, 1, 0);
    arrive(&g, 0, 0);
    arrive(&g, 65535, 0);
    CHECK_EQ(nack_generator_deadline(&g), NEVER_US);
    CHECK_EQ(nack_generator_on_packet(&g, 1, 0), 0);
}

static void jump_beyond_the_window_asks_for_nothing(void)
{
    struct nack_generator g;
    uint16_t seq[NACK_WINDOW];

    nack_generator_init(&g, 0);
    arrive(&g, 0, 0);
    arrive(&g, 2, 0);
    CHECK_EQ(nack_generator_on_packet(&g, 2 + NACK_WINDOW + 1, 0), -ERANGE);
    CHECK_EQ(g.gaps_too_large, 1);
    CHECK_EQ(nack_generator_deadline(&g), NEVER_US);
    CHECK_EQ(nack_generator_on_packet(&g, 2, 0), 0);
    arrive(&g, 2 + NACK_WINDOW, 0); /* from the gap, and not seen before */
    arrive(&g, 2 + NACK_WINDOW + 3, 0);
    CHECK_EQ(nack_generator_poll(&g, 0, seq, NACK_WINDOW), 1);
    CHECK_EQ(seq[0], 2 + NACK_WINDOW + 2);
}

static void largest_gap_in_the_window_is_asked_for(void)
{
    struct nack_generator g;
    uint16_t seq[NACK_WINDOW];

    nack_generator_init(&g, 0);
    arrive(&g, 0, 0);
    arrive(&g, NACK_WINDOW, 0);
    CHECK_EQ(nack_generator_poll(&g, 0, seq, NACK_WINDOW), NACK_WINDOW - 1);
    CHECK_EQ(seq[0], 1);
    CHECK_EQ(seq[NACK_WINDOW - 2], NACK_WINDOW - 1);
}

/* Lose every other packet, and answer `rtt_us` after the first request; `twice`: after the second.
 */
static void answer_requests(struct nack_generator *g, int64_t rtt_us, bool twice)
{
    for (uint16_t i = 0; i < 200; i += 2) {
        int64_t now_us = i * SECOND;
        uint16_t seq[4];

        arrive(g, i, now_us);
        CHECK_EQ(nack_generator_poll(g, now_us + 20 * MS, seq, 4), i > 0);
        if (i > 0 && twice)
            CHECK_EQ(nack_generator_poll(g, nack_generator_deadline(g), seq, 4), 1);
        if (i > 0)
            CHECK_EQ(nack_generator_on_repair(g, seq[0], now_us + 20 * MS + rtt_us), 1);
    }
}

static void round_trip_is_learned_from_answers(void)
{
    struct nack_generator g;

    nack_generator_init(&g, 10 * MS);
    answer_requests(&g, 40 * MS, false);
    CHECK(g.rtt_us >= 40 * MS && g.rtt_us <= 44 * MS);
    nack_generator_init(&g, 10 * MS);
    answer_requests(&g, 5 * MS, false);
    CHECK_EQ(g.rtt_us, 20 * MS);
}

static void round_trip_is_not_learned_where_it_is_told(void)
{
    struct nack_generator g;

    nack_generator_init(&g, 10 * MS);
    nack_generator_set_rtt(&g, 100 * MS);
    answer_requests(&g, 40 * MS, false);
    CHECK_EQ(g.rtt_us, 100 * MS);
    nack_generator_init(&g, 10 * MS);
    answer_requests(&g, 120 * MS, true); /* nor where it is not known which request was answered */
    CHECK_EQ(g.rtt_us, 100 * MS);
}

static void round_trip_is_clamped(void)
{
    struct nack_generator g;

    nack_generator_init(&g, 0);
    nack_generator_set_rtt(&g, 1);
    CHECK_EQ(g.rtt_us, 20 * MS);
    nack_generator_set_rtt(&g, 10 * SECOND);
    CHECK_EQ(g.rtt_us, 500 * MS);
}

/* A third of the packets is lost, then sent again when asked for: all must arrive, each is
 * accepted once, and nothing is asked for that has arrived. Four times around the numbers. */
static void everything_lost_is_repaired_across_wraps(void)
{
    static bool here[65536];
    struct nack_generator g;
    uint64_t random = 7;
    uint16_t seqs[64];
    size_t open = 0;

    nack_generator_init(&g, 0);
    nack_generator_set_rtt(&g, 20 * MS);
    for (uint32_t sent = 0; sent < 4 * 65536; sent++) {
        int64_t now_us = sent * MS;
        size_t n = nack_generator_poll(&g, now_us, seqs, 64);

        here[(uint16_t)(sent + 32768)] = false;
        for (size_t i = 0; i < n; i++) {
            CHECK(!here[seqs[i]]);
            if (netem_random(&random) % 3 == 0)
                continue;
            arrive(&g, seqs[i], now_us);
            here[seqs[i]] = true;
            open--;
        }
        if (sent > 0 && sent % 65536 != 65535 && netem_random(&random) % 3 == 0) {
            open++;
            continue;
        }
        here[(uint16_t)sent] = true;
        arrive(&g, (uint16_t)sent, now_us);
        CHECK_EQ(nack_generator_on_packet(&g, (uint16_t)sent, now_us), 0);
    }
    CHECK_EQ(g.gaps_too_large, 0);
    CHECK(g.given_up < 4 * 65536 / 3 / 1000); /* the last try: 3^-7 of a third of them */
    CHECK(open <= g.given_up + g.missing);
}

TAP_CASES(CASE(lost_packet_is_asked_for_after_the_grace), CASE(late_packet_cancels_the_request),
          CASE(request_is_repeated_after_one_round_trip),
          CASE(packet_is_given_up_after_the_last_try), CASE(short_list_is_continued),
          CASE(packet_is_not_asked_for_when_the_answer_would_come_too_late),
          CASE(what_leaves_the_window_is_given_up), CASE(overtaken_packets_are_waited_for),
          CASE(nothing_is_learned_from_what_may_be_an_answer),
          CASE(grace_shrinks_when_nothing_is_overtaken), CASE(packet_from_before_the_first_is_new),
          CASE(jump_beyond_the_window_asks_for_nothing),
          CASE(largest_gap_in_the_window_is_asked_for), CASE(round_trip_is_learned_from_answers),
          CASE(round_trip_is_not_learned_where_it_is_told), CASE(round_trip_is_clamped),
          CASE(everything_lost_is_repaired_across_wraps))
