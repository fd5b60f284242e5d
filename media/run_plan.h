/**
 * @file run_plan.h  Which packets of one peer leave together. Pure.
 *
 * The kernel takes neighbouring datagrams of one length, of which the last may be shorter, as one,
 * and its work is per run, not per datagram. Packets whose lengths differ by little are evened out
 * with RTP padding (RFC 3550 section 5.1), and a packet that no run goes on from, such as one of
 * audio among those of video, moves to the end of one.
 */
#ifndef MEDIA_RUN_PLAN_H
#define MEDIA_RUN_PLAN_H

#include <stddef.h>
#include <stdint.h>

enum { RUN_PLAN_MAX = 64 }; /* packets planned at a time: as many as a run may have */

struct run_packet {
    uint32_t ssrc;    /* packets of one stay in order */
    uint16_t len;     /* [bytes], > 0 */
    uint16_t pad_max; /* padding it may get [bytes] */
    uint16_t pad;     /* set: padding it gets [bytes] */
};

struct run_plan {
    size_t n_runs;
    uint8_t order[RUN_PLAN_MAX]; /* indexes of packets, in the order of sending */
};

/**
 * Plan `n` packets, at most RUN_PLAN_MAX: the fewest runs that leave them in order, or fewer still
 * with some packet sent later than others of another SSRC.
 */
void run_plan_make(struct run_plan *ret, struct run_packet *packets, size_t n);

#endif
