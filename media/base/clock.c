#include "media/base/clock.h"

#include <time.h>

static int64_t now_us(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now); /* fails only for a clock that does not exist */
    return now.tv_sec * SECOND + now.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    return now_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
    return now_us(CLOCK_REALTIME);
}
