/**
 * @file seq_rewriter.h  Keep one outgoing stream continuous while what it carries changes.
 *
 * Maps a source's sequence numbers and timestamps to the subscriber's: gaps in the source stay
 * gaps (so the subscriber asks for them again), packets dropped on purpose leave none, and a
 * switch of source continues where the old one ended. The way back serves retransmissions.
 * A plain value of 320 bytes. Not thread-safe.
 */
#ifndef MEDIA_SEQ_REWRITER_H
#define MEDIA_SEQ_REWRITER_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum { SEQ_MAP = 1024 }; /* newest numbers of the source that are known; a power of two */

/** What is known of 64 source numbers, a bit each; neither: it was mapped. */
struct seq_rewriter_marks {
    uint64_t skipped; /* left out on purpose */
    uint64_t missing; /* not here (yet) */
};

struct seq_rewriter {
    bool started, switching, aligned;
    uint32_t epoch;         /* +1 per switch that a packet followed */
    int64_t source_first;   /* unwrapped, where the current source began */
    int64_t source_highest; /* unwrapped, of the current source */
    int64_t out_highest;    /* unwrapped, the last one used up to source_highest */
    int64_t last_marked;    /* unwrapped, newest source number that a bit was ever set for */
    uint32_t ts_offset;     /* outgoing = source + offset */
    uint32_t last_out_ts;
    int64_t last_out_us;
    uint32_t ts_step;  /* while aligned: old source's clock - new source's */
    uint32_t ts_nudge; /* in ts_offset, only to come after what was sent before */
    struct seq_rewriter_marks marks[SEQ_MAP / 64]; /* by source number */
};

/**
 * @param first_seq  first outgoing number (random)
 * @param first_ts   first outgoing timestamp (random)
 */
void seq_rewriter_init(struct seq_rewriter *r, uint16_t first_seq, uint32_t first_ts);

/** The next packet comes from another source, or from the same one after a pause: continue after
 *  the last outgoing packet, with the timestamp advanced by the time that passed. From here on
 *  packets of the old source must not come in, and its packets are not found again. */
void seq_rewriter_switch(struct seq_rewriter *r);

/**
 * The same, to a source that runs on a clock of the old one's: the timestamps continue truly.
 * Unless that is more than a second from what the time that passed says, which then counts.
 *
 * @param ts_step  what to add to a timestamp of the new source to get that which the old one has
 *                 for the same moment; 0 for the same source after a pause
 */
void seq_rewriter_switch_aligned(struct seq_rewriter *r, uint32_t ts_step);

/** The source that comes next begins with this packet, even if that is then skipped: what is late
 *  of those after it has its place. Without this it begins with the first that is mapped. */
void seq_rewriter_begin(struct seq_rewriter *r, uint16_t seq, uint32_t ts, uint32_t clock_rate,
                        int64_t now_us);

/**
 * Map one packet.
 *
 * @param clock_rate  [Hz] of the timestamps
 * @return 0 and *out_seq, *out_ts; a packet to drop: -ERANGE: older than the start of the current
 *         source or than SEQ_MAP numbers, or skipped before; -EEXIST: mapped before
 */
MUST_USE int seq_rewriter_map(struct seq_rewriter *r, uint16_t seq, uint32_t ts,
                              uint32_t clock_rate, int64_t now_us, uint16_t *out_seq,
                              uint32_t *out_ts);

/** This source packet is left out on purpose: close the gap. Only for the newest one; nothing
 *  happens for a late one (its gap was seen already), or right after a switch. */
void seq_rewriter_skip(struct seq_rewriter *r, uint16_t seq);

/** The same for a packet of a picture: what comes late of pictures before it is sent with
 * timestamps up to its, so that another source has to begin after that. */
void seq_rewriter_skip_at(struct seq_rewriter *r, uint16_t seq, uint32_t ts, int64_t now_us);

/** The subscriber asks for `out_seq` again. @return source number, or -ENOENT: never mapped, too
 *  long ago, or of an earlier source */
MUST_USE int seq_rewriter_source_of(const struct seq_rewriter *r, uint16_t out_seq);

/** @return how far timestamp `ts` of a source that seq_rewriter_switch_aligned() goes over to is
 *          behind the last that was sent [timestamp units]; negative: it is after it */
int32_t seq_rewriter_behind(const struct seq_rewriter *r, uint32_t ts_step, uint32_t ts);

/** @return outgoing timestamp for a source timestamp (for sender reports) */
uint32_t seq_rewriter_map_ts(const struct seq_rewriter *r, uint32_t ts);

#endif
