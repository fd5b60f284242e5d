/*
 * How it works. Between two switches the outgoing number of a source number is
 *
 *     out(s) = out_highest - (source_highest - s) + (numbers skipped in (s, source_highest])
 *
 * so only the newest pair is kept, and two bits per source number of the last SEQ_MAP: was it
 * skipped on purpose, is it missing still? For the usual packet, s = source_highest + 1, this is an
 * addition and touches no bit, as long as none of the last SEQ_MAP numbers was ever marked: a
 * rewriter of a stream without losses is one cache line. Only late packets, and subscribers that
 * ask again, count bits. Skipping moves source_highest and leaves out_highest where it is: the next
 * packet takes the number that the skipped one would have had. A number lost before us moves both,
 * so its outgoing number stays free, the subscriber asks for it, and the packet fits in if it still
 * comes (by retransmission, say).
 *
 * A switch forgets the pair: the first packet of the new source takes out_highest + 1. Numbers of
 * earlier sources are neither sent again nor looked up, as the old source's packets are gone or of
 * another picture.
 */
#include "media/seq_rewriter.h"

#include "media/base/clock.h"
#include "media/seq.h"

#include <errno.h>
#include <string.h>

enum { WORD = 64 }; /* bits */

void seq_rewriter_init(struct seq_rewriter *r, uint16_t first_seq, uint32_t first_ts)
{
    *r = (struct seq_rewriter){
        .out_highest = (int64_t)SEQ_FIRST_CYCLE + first_seq - 1,
        .last_out_ts = first_ts,
    };
}

void seq_rewriter_switch(struct seq_rewriter *r)
{
    r->switching = true;
    r->aligned = false;
}

void seq_rewriter_switch_aligned(struct seq_rewriter *r, uint32_t ts_step)
{
    seq_rewriter_switch(r);
    r->aligned = r->started;
    r->ts_step = ts_step;
}

static void clear_marks(struct seq_rewriter *r)
{
    memset(r->marks, 0, sizeof(r->marks));
    r->last_marked = 0;
}

/* By the time that passed. @return the first timestamp of the new source */
static uint32_t ts_by_arrival(const struct seq_rewriter *r, uint32_t clock_rate, int64_t now_us)
{
    int64_t elapsed = (now_us - r->last_out_us) * clock_rate / SECOND;

    /* At least 1: the first frame of the new source is another one than the last of the old. */
    return r->last_out_ts + (uint32_t)(elapsed > 0 ? elapsed : 1);
}

/* By the sources' clocks. A new picture may be of the same moment as the last, or of one before.
 * It must come after it all the same; but the nudge is not handed on from switch to switch.
 * @return true, and the offset is set; false: not plausible */
static bool align(struct seq_rewriter *r, uint32_t ts, uint32_t by_arrival, uint32_t clock_rate)
{
    uint32_t offset = r->ts_offset - r->ts_nudge + r->ts_step;
    int64_t early = (int32_t)(by_arrival - (ts + offset));
    int32_t behind = seq_rewriter_behind(r, r->ts_step, ts);

    if (early > clock_rate || -early > clock_rate)
        return false;
    r->ts_nudge = behind >= 0 ? (uint32_t)behind + 1 : 0;
    r->ts_offset = offset + r->ts_nudge;
    return true;
}

static void begin_source(struct seq_rewriter *r, uint16_t seq, uint32_t ts, uint32_t clock_rate,
                         int64_t now_us)
{
    uint32_t first_ts = r->started ? ts_by_arrival(r, clock_rate, now_us) : r->last_out_ts;

    if (!r->aligned || !align(r, ts, first_ts, clock_rate)) {
        r->ts_offset = first_ts - ts;
        r->ts_nudge = 0;
    }
    r->source_first = SEQ_FIRST_CYCLE + seq;
    r->source_highest = r->source_first - 1;
    r->epoch += r->started;
    r->started = true;
    r->switching = r->aligned = false;
    clear_marks(r);
}

/* NOLINTNEXTLINE(readability-function-size): as seq_rewriter_map() */
void seq_rewriter_begin(struct seq_rewriter *r, uint16_t seq, uint32_t ts, uint32_t clock_rate,
                        int64_t now_us)
{
    if (!r->started || r->switching)
        begin_source(r, seq, ts, clock_rate, now_us);
}

static struct seq_rewriter_marks *marks_of(struct seq_rewriter *r, int64_t seq)
{
    return &r->marks[seq % SEQ_MAP / WORD];
}

static uint64_t bit_of(int64_t seq)
{
    return UINT64_C(1) << seq % WORD;
}

/* The bits of `seq`, which enters the window, are of a number SEQ_MAP older. */
static void enter(struct seq_rewriter *r, int64_t seq, bool missing)
{
    struct seq_rewriter_marks *marks = marks_of(r, seq);

    marks->skipped &= ~bit_of(seq);
    marks->missing &= ~bit_of(seq);
    if (missing)
        marks->missing |= bit_of(seq);
}

/* Move source_highest to `seq`; the numbers between are missing. */
static void advance(struct seq_rewriter *r, int64_t seq)
{
    int64_t first = r->source_highest + 1;

    r->out_highest += seq - r->source_highest;
    r->source_highest = seq;
    if (first == seq && seq - r->last_marked > SEQ_MAP)
        return; /* no bit is set */
    if (seq - first >= SEQ_MAP)
        first = seq - SEQ_MAP + 1;
    for (int64_t s = first; s < seq; s++)
        enter(r, s, true);
    enter(r, seq, false);
    if (first < seq)
        r->last_marked = seq - 1;
}

/* @return how many numbers from `seq` to the newest were skipped */
static int64_t count_skipped(const struct seq_rewriter *r, int64_t seq)
{
    int64_t n = 0;

    while (seq <= r->source_highest) {
        uint64_t skipped = r->marks[seq % SEQ_MAP / WORD].skipped >> seq % WORD;
        int64_t left = r->source_highest - seq + 1;

        if (left < WORD)
            skipped &= bit_of(left) - 1;
        n += __builtin_popcountll(skipped);
        seq += WORD - seq % WORD;
    }
    return n;
}

/* @return the oldest number that is known of the current source */
static int64_t oldest(const struct seq_rewriter *r)
{
    int64_t seq = r->source_highest - SEQ_MAP + 1;

    return seq > r->source_first ? seq : r->source_first;
}

/* Where a packet that is not the newest goes. @return outgoing number, or a negative errno */
static int64_t place_late(struct seq_rewriter *r, int64_t seq)
{
    struct seq_rewriter_marks *marks = marks_of(r, seq);

    if (seq < oldest(r) || marks->skipped & bit_of(seq))
        return -ERANGE;
    if (!(marks->missing & bit_of(seq)))
        return -EEXIST;
    marks->missing &= ~bit_of(seq);
    return r->out_highest - (r->source_highest - seq) + count_skipped(r, seq);
}

/* @return true if a packet with this timestamp is of a later moment than all before */
static bool is_later(const struct seq_rewriter *r, uint32_t ts)
{
    return (int32_t)(ts + r->ts_offset - r->last_out_ts) > 0;
}

/* NOLINTNEXTLINE(readability-function-size): seven plain numbers, and two of them come out */
int seq_rewriter_map(struct seq_rewriter *r, uint16_t seq16, uint32_t ts, uint32_t clock_rate,
                     int64_t now_us, uint16_t *out_seq, uint32_t *out_ts)
{
    int64_t seq;
    int64_t out;

    if (!r->started || r->switching)
        begin_source(r, seq16, ts, clock_rate, now_us);
    seq = seq_unwrap(r->source_highest, seq16);
    if (seq > r->source_highest) {
        advance(r, seq);
        out = r->out_highest;
        r->last_out_ts = ts + r->ts_offset;
        r->last_out_us = now_us;
    } else {
        out = place_late(r, seq);
        if (out < 0)
            return (int)out;
        if (is_later(r, ts)) /* those after it were skipped */
            r->last_out_ts = ts + r->ts_offset;
    }
    *out_seq = (uint16_t)out;
    *out_ts = ts + r->ts_offset;
    return 0;
}

void seq_rewriter_skip(struct seq_rewriter *r, uint16_t seq16)
{
    int64_t seq;

    if (!r->started || r->switching)
        return;
    seq = seq_unwrap(r->source_highest, seq16);
    if (seq <= r->source_highest)
        return;
    advance(r, seq);
    r->out_highest--;
    marks_of(r, seq)->skipped |= bit_of(seq);
    r->last_marked = seq;
}

void seq_rewriter_skip_at(struct seq_rewriter *r, uint16_t seq, uint32_t ts, int64_t now_us)
{
    seq_rewriter_skip(r, seq);
    if (!r->started || r->switching || !is_later(r, ts))
        return;
    r->last_out_ts = ts + r->ts_offset;
    r->last_out_us = now_us;
}

int seq_rewriter_source_of(const struct seq_rewriter *r, uint16_t out_seq)
{
    int64_t behind = r->out_highest - seq_unwrap(r->out_highest, out_seq);
    int64_t seq = r->source_highest + 1;
    int64_t guess = r->source_highest - behind;

    if (!r->started || r->switching || behind < 0)
        return -ENOENT;
    /* Down to where as many numbers as it is behind were not skipped: each step makes up for what
     * was skipped before it, and comes to rest at a number that was not. */
    while (guess < seq && guess >= oldest(r)) {
        seq = guess;
        guess = r->source_highest - behind - count_skipped(r, seq);
    }
    if (guess < oldest(r) || r->marks[seq % SEQ_MAP / WORD].missing & bit_of(seq))
        return -ENOENT;
    return (uint16_t)seq;
}

int32_t seq_rewriter_behind(const struct seq_rewriter *r, uint32_t ts_step, uint32_t ts)
{
    return (int32_t)(r->last_out_ts - (ts + r->ts_offset - r->ts_nudge + ts_step));
}

uint32_t seq_rewriter_map_ts(const struct seq_rewriter *r, uint32_t ts)
{
    return ts + r->ts_offset;
}
