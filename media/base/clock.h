/**
 * @file clock.h  Units of time, and the only function that reads the clock.
 *
 * All times in the tree are int64_t microseconds. Engines take `now_us` as an argument; only
 * sfu/worker.c, signaling/ loops, client/ and bench/ call clock_now_us() (checked by tests/).
 */
#ifndef MEDIA_BASE_CLOCK_H
#define MEDIA_BASE_CLOCK_H

#include <stdint.h>

#define US     INT64_C(1)
#define MS     (INT64_C(1000) * US)
#define SECOND (INT64_C(1000) * MS)

/** A deadline that never comes. Compares greater than every time. */
#define NEVER_US INT64_MAX

/** @return the first, or the last, of two times */
static inline int64_t clock_earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

static inline int64_t clock_later(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

/** @return monotonic time [us]; never goes back */
int64_t clock_now_us(void);

/** @return wall-clock time [us since 1970, UTC], for logs and NTP timestamps only */
int64_t clock_wall_us(void);

#endif
