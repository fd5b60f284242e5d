/**
 * @file acked_rate.h  The rate at which packets arrive, by the receiver's clock, over a sliding
 * window. Time for which feedback is missing does not count. Plain value.
 */
#ifndef MEDIA_ACKED_RATE_H
#define MEDIA_ACKED_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { ACKED_RATE_MARKS = 128 }; /* of 5 ms at least: the longest window is 640 ms or more */

struct acked_mark {
    int64_t time_us; /* receiver's clock without the gaps: arrival of the last packet counted */
    uint64_t bytes;  /* all up to here */
};

struct acked_rate {
    struct acked_mark marks[ACKED_RATE_MARKS]; /* ring: (count - 1) % ACKED_RATE_MARKS is newest */
    uint32_t count;
    int64_t first_us; /* of the newest mark: arrival of its first packet, without the gaps */
    int64_t gaps_us;
    bool gap; /* results are missing before the next one */
};

void acked_rate_init(struct acked_rate *a);

/** Note a packet that arrived. @param arrival_us  receiver's clock, |arrival_us| < 2^60 */
void acked_rate_on_packet(struct acked_rate *a, int64_t arrival_us, uint32_t len);

/** It is not known what arrived between the last packet and the next one. */
void acked_rate_on_gap(struct acked_rate *a);

/** @param window_us  > 0. @return [bit/s] over about the last `window_us`, longer if few packets
 *          came; 0: not enough came yet */
double acked_rate_bps(const struct acked_rate *a, int64_t window_us);

#endif
