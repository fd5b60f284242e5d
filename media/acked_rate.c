#include "media/acked_rate.h"

#include "media/base/clock.h"

static const int64_t MARK_US = 5 * MS;
static const int64_t JUMP_US = 10 * SECOND; /* a receiver's clock that jumps begins a new life */

enum { MIN_MARKS = 5, MIN_SPAN_US = 60 * 1000 };

void acked_rate_init(struct acked_rate *a)
{
    *a = (struct acked_rate){0};
}

static struct acked_mark *newest(struct acked_rate *a)
{
    return &a->marks[(a->count - 1) % ACKED_RATE_MARKS];
}

static void start(struct acked_rate *a, int64_t time_us)
{
    a->count = 1;
    a->marks[0] = (struct acked_mark){.time_us = time_us};
    a->first_us = time_us;
}

void acked_rate_on_packet(struct acked_rate *a, int64_t arrival_us, uint32_t len)
{
    int64_t time_us = arrival_us - a->gaps_us;
    struct acked_mark *mark;

    if (a->count == 0 || time_us - newest(a)->time_us > JUMP_US ||
        newest(a)->time_us - time_us > JUMP_US) {
        a->gap = false;
        a->gaps_us = 0;
        start(a, arrival_us);
        return;
    }
    mark = newest(a);
    if (a->gap && time_us > mark->time_us) {
        a->gaps_us += time_us - mark->time_us;
        a->gap = false;
        return; /* it ends the gap: the next one is as long after it as it took to arrive */
    }
    if (time_us - a->first_us < MARK_US) { /* also what overtook */
        mark->bytes += len;
        if (time_us > mark->time_us)
            mark->time_us = time_us;
        return;
    }
    a->count++;
    if (a->count == UINT32_MAX)
        a->count = 2 * ACKED_RATE_MARKS + a->count % ACKED_RATE_MARKS;
    *newest(a) = (struct acked_mark){.time_us = time_us, .bytes = mark->bytes + len};
    a->first_us = time_us;
}

void acked_rate_on_gap(struct acked_rate *a)
{
    a->gap = a->count > 0;
}

double acked_rate_bps(const struct acked_rate *a, int64_t window_us)
{
    uint32_t kept = a->count < ACKED_RATE_MARKS ? a->count : ACKED_RATE_MARKS;
    const struct acked_mark *last = &a->marks[(a->count - 1) % ACKED_RATE_MARKS];
    const struct acked_mark *first = last;

    if (kept <= MIN_MARKS)
        return 0;
    for (uint32_t i = 2; i <= kept; i++) {
        first = &a->marks[(a->count - i) % ACKED_RATE_MARKS];
        if (i > MIN_MARKS && last->time_us - first->time_us >= window_us)
            break;
    }
    if (last->time_us - first->time_us < MIN_SPAN_US)
        return 0;
    return 8.0 * (double)(last->bytes - first->bytes) * SECOND /
           (double)(last->time_us - first->time_us);
}
