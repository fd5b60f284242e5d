#include "media/seq_rewriter.h"

#include "bench/netem.h"
#include "media/base/clock.h"
#include "tests/tap.h"

#include <errno.h>

enum { RATE = 90000, FIRST_SEQ = 65530, FIRST_TS = 1000 };

static struct seq_rewriter make(void)
{
    struct seq_rewriter r;

    seq_rewriter_init(&r, FIRST_SEQ, FIRST_TS);
    return r;
}

/* Map a packet whose timestamp does not matter. @return outgoing number, or a negative errno */
static int map(struct seq_rewriter *r, uint16_t seq)
{
    uint16_t out_seq;
    uint32_t out_ts;
    int err = seq_rewriter_map(r, seq, 0, RATE, 0, &out_seq, &out_ts);

    return err < 0 ? err : out_seq;
}

static uint32_t map_at(struct seq_rewriter *r, uint16_t seq, uint32_t ts, int64_t now_us)
{
    uint16_t out_seq;
    uint32_t out_ts;

    CHECK_EQ(seq_rewriter_map(r, seq, ts, RATE, now_us, &out_seq, &out_ts), 0);
    return out_ts;
}

static void first_packet_takes_the_first_numbers(void)
{
    struct seq_rewriter r = make();
    uint16_t out_seq;
    uint32_t out_ts;

    CHECK_EQ(seq_rewriter_map(&r, 7, 50, RATE, 0, &out_seq, &out_ts), 0);
    CHECK_EQ(out_seq, FIRST_SEQ);
    CHECK_EQ(out_ts, FIRST_TS);
    CHECK_EQ(seq_rewriter_source_of(&r, FIRST_SEQ), 7);
    CHECK_EQ(seq_rewriter_map_ts(&r, 40), FIRST_TS - 10);
}

static void gap_of_the_source_stays_a_gap(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map(&r, 65534), 65530);
    CHECK_EQ(map(&r, 1), 65533);
    CHECK_EQ(seq_rewriter_source_of(&r, 65531), -ENOENT);
    CHECK_EQ(map(&r, 65535), 65531);
    CHECK_EQ(map(&r, 0), 65532);
    CHECK_EQ(seq_rewriter_source_of(&r, 65531), 65535);
}

static void skipped_packet_leaves_no_gap(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map(&r, 1), 65530);
    seq_rewriter_skip(&r, 2);
    CHECK_EQ(map(&r, 3), 65531);
    CHECK_EQ(seq_rewriter_source_of(&r, 65531), 3);
    CHECK_EQ(map(&r, 2), -ERANGE);
}

static void late_packet_fits_in_before_a_skipped_one(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map(&r, 10), 65530);
    seq_rewriter_skip(&r, 12);
    CHECK_EQ(map(&r, 13), 65532);
    CHECK_EQ(map(&r, 11), 65531);
}

static void late_skip_changes_nothing(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map(&r, 10), 65530);
    CHECK_EQ(map(&r, 12), 65532);
    seq_rewriter_skip(&r, 11);
    seq_rewriter_skip(&r, 12);
    CHECK_EQ(map(&r, 13), 65533);
    CHECK_EQ(seq_rewriter_source_of(&r, 65532), 12);
}

static void skip_before_the_first_packet_changes_nothing(void)
{
    struct seq_rewriter r = make();

    seq_rewriter_skip(&r, 9);
    CHECK_EQ(map(&r, 10), 65530);
    seq_rewriter_switch(&r);
    seq_rewriter_skip(&r, 500);
    CHECK_EQ(map(&r, 600), 65531);
}

static void packet_is_mapped_once(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map(&r, 1), 65530);
    CHECK_EQ(map(&r, 1), -EEXIST);
    CHECK_EQ(map(&r, 2), 65531);
    CHECK_EQ(map(&r, 1), -EEXIST);
}

static void switch_continues_without_a_gap(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map(&r, 1), 65530);
    CHECK_EQ(map(&r, 3), 65532);
    seq_rewriter_switch(&r);
    CHECK_EQ(map(&r, 30000), 65533);
    CHECK_EQ(map(&r, 30001), 65534);
    CHECK_EQ(map(&r, 29999), -ERANGE);
    CHECK_EQ(r.epoch, 1);
}

static void earlier_source_is_not_sent_again(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map(&r, 1), 65530);
    seq_rewriter_switch(&r);
    CHECK_EQ(seq_rewriter_source_of(&r, 65530), -ENOENT);
    CHECK_EQ(map(&r, 1), 65531);
    CHECK_EQ(seq_rewriter_source_of(&r, 65530), -ENOENT);
    CHECK_EQ(seq_rewriter_source_of(&r, 65531), 1);
}

static void timestamp_advances_by_the_time_that_passed(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map_at(&r, 1, 50, 0), FIRST_TS);
    CHECK_EQ(map_at(&r, 2, 50 + 3000, 30 * MS), FIRST_TS + 3000);
    seq_rewriter_switch(&r);
    CHECK_EQ(map_at(&r, 9, 0xffffff00, 130 * MS), FIRST_TS + 3000 + 9000);
    CHECK_EQ(map_at(&r, 10, 0x00000100, 160 * MS), FIRST_TS + 3000 + 9000 + 512);
    seq_rewriter_switch(&r);
    CHECK_EQ(map_at(&r, 20, 5, 160 * MS), FIRST_TS + 3000 + 9000 + 512 + 1);
}

enum { FRAME_TS = 3000, OTHER = 777000000 }; /* the other source's clock is so far ahead */

/* The first source sent a frame at 1 s, the next one is of another source at `now_us`, whose clock
 * says `ts` where the first would have said ts - OTHER. @return its timestamp, less the last one */
static uint32_t step_aligned(struct seq_rewriter *r, uint32_t ts, int64_t now_us)
{
    uint32_t first_ts = map_at(r, 1, FRAME_TS, 1 * SECOND);

    seq_rewriter_switch_aligned(r, (uint32_t)-OTHER);
    return map_at(r, 500, ts, now_us) - first_ts;
}

static void aligned_timestamps_continue_by_the_clock(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(step_aligned(&r, OTHER + 4 * FRAME_TS, SECOND + 20 * MS), 3 * FRAME_TS);
    CHECK_EQ(seq_rewriter_map_ts(&r, OTHER + 5 * FRAME_TS), FIRST_TS + 4 * FRAME_TS);
    r = make();
    CHECK_EQ(step_aligned(&r, OTHER + FRAME_TS + RATE, SECOND + 20 * MS), RATE);
    r = make();
    CHECK_EQ(step_aligned(&r, OTHER + FRAME_TS + RATE + RATE / 10, SECOND + 20 * MS),
             RATE / 50); /* not plausible */
    r = make();
    CHECK_EQ(step_aligned(&r, OTHER + FRAME_TS, SECOND + 2 * SECOND), 2 * RATE);
}

static void a_picture_of_the_same_moment_comes_after_the_last_one(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(step_aligned(&r, OTHER + FRAME_TS, 1 * SECOND), 1);
    r = make();
    CHECK_EQ(step_aligned(&r, OTHER, 1 * SECOND), 1); /* of a frame before */
    CHECK_EQ(map_at(&r, 501, OTHER + FRAME_TS, 1 * SECOND), FIRST_TS + FRAME_TS + 1);
    seq_rewriter_switch_aligned(&r, OTHER); /* back, and the nudge is gone */
    CHECK_EQ(map_at(&r, 5, 5 * FRAME_TS, SECOND + 100 * MS), FIRST_TS + 4 * FRAME_TS);
}

static void a_source_goes_on_with_its_clock_after_a_pause(void)
{
    struct seq_rewriter r = make();
    uint32_t before = map_at(&r, 1, 0, 0);

    seq_rewriter_switch_aligned(&r, 0);
    CHECK_EQ(map_at(&r, 900, 60 * RATE, 60 * SECOND + 30 * MS) - before, 60 * RATE);
}

static void late_packet_does_not_set_the_clock_back(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map_at(&r, 1, 0, 0), FIRST_TS);
    CHECK_EQ(map_at(&r, 3, 6000, 66 * MS), FIRST_TS + 6000);
    CHECK_EQ(map_at(&r, 2, 3000, 99 * MS), FIRST_TS + 3000);
    seq_rewriter_switch(&r);
    CHECK_EQ(map_at(&r, 50, 0, 76 * MS), FIRST_TS + 6000 + 900);
}

static void too_late_packet_is_dropped(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map(&r, 0), 65530);
    CHECK_EQ(map(&r, SEQ_MAP + 1), (uint16_t)(65530 + SEQ_MAP + 1));
    CHECK_EQ(map(&r, 1), -ERANGE);
    CHECK_EQ(map(&r, 2), 65532);
}

static void old_entry_is_not_found_a_cycle_later(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map(&r, 0), 65530);
    for (int i = 1; i <= 8; i++) /* the first one's place is not written again */
        CHECK_EQ(map(&r, (uint16_t)(i * 8192 + 1)), (uint16_t)(65530 + i * 8192 + 1));
    CHECK_EQ(seq_rewriter_source_of(&r, 65530), -ENOENT);
    CHECK_EQ(map(&r, 0), 65530);
    CHECK_EQ(seq_rewriter_source_of(&r, 65530), 0);
}

static void jump_forgets_what_was_skipped_before_it(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map(&r, 0), 65530);
    seq_rewriter_skip(&r, 1);
    CHECK_EQ(map(&r, 3000), (uint16_t)(65530 + 2999));
    CHECK_EQ(map(&r, 2 * SEQ_MAP + 1), (uint16_t)(65530 + 2 * SEQ_MAP));
}

static void marks_go_when_their_place_is_taken(void)
{
    struct seq_rewriter r = make();

    CHECK_EQ(map(&r, 0), 65530);
    seq_rewriter_skip(&r, 1);
    for (int seq = 2; seq <= SEQ_MAP + 1; seq++)
        CHECK_EQ(map(&r, (uint16_t)seq), (uint16_t)(65529 + seq));
    CHECK_EQ(map(&r, SEQ_MAP + 1), -EEXIST);
    CHECK_EQ(seq_rewriter_source_of(&r, (uint16_t)(65529 + SEQ_MAP + 1)), SEQ_MAP + 1);
}

static void nothing_is_known_before_the_first_packet(void)
{
    struct seq_rewriter r = make();

    for (unsigned seq = 0; seq < 65536; seq++)
        CHECK_EQ(seq_rewriter_source_of(&r, (uint16_t)seq), -ENOENT);
}

/*
 * The property: for a source that began at `first` with outgoing number `base`, packet s goes out
 * as base + (s - first) - (skipped in [first, s)). A model keeps one flag per source number.
 */
enum { SPAN = 6000, LATE_MAX = 40, FAR_LATE_MAX = 2 * SEQ_MAP, GAP_MAX = 3 * SEQ_MAP / 2 };

enum fate { UNSEEN, MAPPED, SKIPPED };

struct model {
    uint16_t first_seq; /* of the source, on the wire */
    int64_t base;       /* outgoing, not wrapped */
    int highest;        /* since first; -1: none yet */
    enum fate fates[SPAN];
};

static int64_t expected_out(const struct model *m, int at)
{
    int64_t out = m->base + at;

    for (int i = 0; i < at; i++)
        out -= m->fates[i] == SKIPPED;
    return out;
}

static void check_map(struct model *m, struct seq_rewriter *r, int at)
{
    int out = map(r, (uint16_t)(m->first_seq + at));

    if (m->fates[at] == SKIPPED || at <= m->highest - SEQ_MAP)
        CHECK_EQ(out, -ERANGE);
    else if (m->fates[at] == MAPPED)
        CHECK_EQ(out, -EEXIST);
    else
        CHECK_EQ(out, (uint16_t)expected_out(m, at));
    if (m->fates[at] == UNSEEN && out >= 0)
        m->fates[at] = MAPPED;
    if (at > m->highest)
        m->highest = at;
}

static void skip(struct model *m, struct seq_rewriter *r, int at)
{
    seq_rewriter_skip(r, (uint16_t)(m->first_seq + at));
    if (at <= m->highest)
        return;
    m->fates[at] = SKIPPED;
    m->highest = at;
}

/* Every outgoing number of the source leads back to its packet, or nowhere. */
static void check_back(const struct model *m, const struct seq_rewriter *r)
{
    int64_t newest = expected_out(m, m->highest) - (m->fates[m->highest] == SKIPPED);
    int64_t out = m->base;

    for (int at = 0; at <= m->highest; at++) {
        int source = seq_rewriter_source_of(r, (uint16_t)out);

        if (m->fates[at] == SKIPPED)
            continue;
        if (m->fates[at] == MAPPED && m->highest - at < SEQ_MAP)
            CHECK_EQ(source, (uint16_t)(m->first_seq + at));
        else
            CHECK_EQ(source, -ENOENT);
        out++;
    }
    CHECK_EQ(seq_rewriter_source_of(r, (uint16_t)(m->base - 1)), -ENOENT);
    CHECK_EQ(seq_rewriter_source_of(r, (uint16_t)(newest + 1)), -ENOENT);
}

/* One source's time on air: packets in order, lost by one and by many, late, repeated, skipped. */
static void run_source(struct model *m, struct seq_rewriter *r, uint64_t *random, int length)
{
    check_map(m, r, 0);
    for (int at = 1; at < length; at++) {
        uint64_t dice = netem_random(random);
        int late_max = dice % 5 == 0 ? FAR_LATE_MAX : LATE_MAX;
        int late = at - (int)((dice >> 32) % (uint64_t)(at < late_max ? at : late_max));

        if (dice % 16 < 10)
            check_map(m, r, at);
        else if (dice % 16 < 13)
            skip(m, r, at);
        if (dice % 7 == 0 && late > 0)
            check_map(m, r, late);
        if (dice % 11 == 0 && late > 0)
            skip(m, r, late);
        if (dice % 1009 == 0)
            at += (int)((dice >> 16) % GAP_MAX);
    }
}

static void numbers_hold_under_loss_reordering_and_switches(void)
{
    static struct model m;
    struct seq_rewriter r = make();
    int64_t next = FIRST_SEQ;
    uint64_t random = 42;

    for (int round = 0; round < 60; round++) {
        m = (struct model){
            .first_seq = (uint16_t)netem_random(&random),
            .base = next,
            .highest = -1,
        };
        if (round > 0)
            seq_rewriter_switch(&r);
        run_source(&m, &r, &random, 1 + (int)(netem_random(&random) % (SPAN - 1)));
        check_back(&m, &r);
        next = expected_out(&m, m.highest) + (m.fates[m.highest] != SKIPPED);
    }
    CHECK_EQ(r.epoch, 59);
}

TAP_CASES(CASE(first_packet_takes_the_first_numbers), CASE(gap_of_the_source_stays_a_gap),
          CASE(skipped_packet_leaves_no_gap), CASE(late_packet_fits_in_before_a_skipped_one),
          CASE(late_skip_changes_nothing), CASE(skip_before_the_first_packet_changes_nothing),
          CASE(packet_is_mapped_once), CASE(switch_continues_without_a_gap),
          CASE(earlier_source_is_not_sent_again), CASE(timestamp_advances_by_the_time_that_passed),
          CASE(aligned_timestamps_continue_by_the_clock),
          CASE(a_picture_of_the_same_moment_comes_after_the_last_one),
          CASE(a_source_goes_on_with_its_clock_after_a_pause),
          CASE(late_packet_does_not_set_the_clock_back), CASE(too_late_packet_is_dropped),
          CASE(old_entry_is_not_found_a_cycle_later), CASE(jump_forgets_what_was_skipped_before_it),
          CASE(marks_go_when_their_place_is_taken), CASE(nothing_is_known_before_the_first_packet),
          CASE(numbers_hold_under_loss_reordering_and_switches))
