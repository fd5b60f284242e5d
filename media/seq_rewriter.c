/*
 * How it works. Between two switches the outgoing number of a source number is
 *
 *     out(s) = out_highest - (source_highest - s) + (numbers skipped in (s, source_highest])
 *
 * so only the newest pair is kept, and one bit per source number of the last SEQ_MAP: was it
 * skipped on purpose? For the usual packet, s = source_highest + 1, this is an addition; only late
 * packets count bits. Skipping moves source_highest and leaves out_highest where it is: the next
 * packet takes the number that the skipped one would have had. A number lost before us moves both,
 * so its outgoing number stays free, the subscriber asks for it, and the packet fits in if it still
 * comes (by retransmission, say).
 *
 * A switch forgets the pair: the first packet of the new source takes out_highest + 1. Numbers
 * before `out_first` belong to earlier sources: they are neither sent again nor looked up, as the
 * old source's packets are gone or of another picture.
 *
 * The back map is indexed by outgoing number. It holds 32 bits of it, so that an entry of an
 * earlier cycle never matches, even where lost packets left its place untouched.
 */
#include "media/seq_rewriter.h"

#include "media/base/clock.h"
#include "media/seq.h"

#include <errno.h>
#include <string.h>

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
}

static void begin_source(struct seq_rewriter *r, uint16_t seq, uint32_t ts, uint32_t clock_rate,
                         int64_t now_us)
{
    int64_t elapsed = 0;

    if (r->started) {
        /* At least 1: the first frame of the new source is another one than the last of the old. */
        elapsed = (now_us - r->last_out_us) * clock_rate / SECOND;
        elapsed = elapsed > 0 ? elapsed : 1;
    }
    r->ts_offset = r->last_out_ts + (uint32_t)elapsed - ts;
    r->source_first = SEQ_FIRST_CYCLE + seq;
    r->source_highest = r->source_first - 1;
    r->out_first = r->out_highest + 1;
    r->epoch += r->started;
    r->started = true;
    r->switching = false;
    memset(r->skipped, 0, sizeof(r->skipped));
}

static uint64_t *skip_word(struct seq_rewriter *r, int64_t seq)
{
    return &r->skipped[seq % SEQ_MAP / 64];
}

static uint64_t skip_bit(int64_t seq)
{
    return UINT64_C(1) << seq % 64;
}

/* Move source_highest to `seq`; the bits of numbers that enter the window are of older ones. */
static void advance(struct seq_rewriter *r, int64_t seq)
{
    if (seq - r->source_highest >= SEQ_MAP)
        memset(r->skipped, 0, sizeof(r->skipped));
    else
        for (int64_t s = r->source_highest + 1; s <= seq; s++)
            *skip_word(r, s) &= ~skip_bit(s);
    r->out_highest += seq - r->source_highest;
    r->source_highest = seq;
}

static int64_t skipped_after(struct seq_rewriter *r, int64_t seq)
{
    int64_t n = 0;

    for (int64_t s = seq + 1; s <= r->source_highest; s++)
        n += (*skip_word(r, s) & skip_bit(s)) != 0;
    return n;
}

static struct seq_rewriter_back *back_of(struct seq_rewriter *r, int64_t out)
{
    return &r->back[out % SEQ_MAP];
}

/* Where a packet that is not the newest goes. @return outgoing number, or a negative errno */
static int64_t place_late(struct seq_rewriter *r, int64_t seq)
{
    int64_t out;

    if (seq < r->source_first || seq <= r->source_highest - SEQ_MAP)
        return -ERANGE;
    if (*skip_word(r, seq) & skip_bit(seq))
        return -ERANGE;
    out = r->out_highest - (r->source_highest - seq) + skipped_after(r, seq);
    return back_of(r, out)->out == (uint32_t)out ? -EEXIST : out;
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
    }
    *back_of(r, out) = (struct seq_rewriter_back){.out = (uint32_t)out, .source_seq = seq16};
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
    *skip_word(r, seq) |= skip_bit(seq);
}

int seq_rewriter_source_of(const struct seq_rewriter *r, uint16_t out_seq)
{
    int64_t out = seq_unwrap(r->out_highest, out_seq);
    const struct seq_rewriter_back *back = &r->back[out % SEQ_MAP];

    if (!r->started || r->switching || out < r->out_first || back->out != (uint32_t)out)
        return -ENOENT;
    return back->source_seq;
}

uint32_t seq_rewriter_map_ts(const struct seq_rewriter *r, uint32_t ts)
{
    return ts + r->ts_offset;
}
