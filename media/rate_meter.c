#include "media/rate_meter.h"

#include "media/base/clock.h"

static const int64_t SLOT_US = 250 * MS;

enum { WHOLE_MAX = RATE_METER_SLOTS - 1, BITS = 8 };

void rate_meter_init(struct rate_meter *m)
{
    *m = (struct rate_meter){0};
}

static void begin_slot(struct rate_meter *m)
{
    m->at = (uint8_t)((m->at + 1) % RATE_METER_SLOTS);
    m->pictures[m->at] = 0;
    for (size_t i = 0; i < RATE_METER_CELLS; i++)
        m->bytes[m->at][i] = 0;
    if (m->whole < WHOLE_MAX)
        m->whole++;
}

void rate_meter_turn(struct rate_meter *m, int64_t now_us)
{
    if (m->end_us == 0 || now_us - m->end_us >= WHOLE_MAX * SLOT_US) {
        rate_meter_init(m);
        m->end_us = now_us + SLOT_US;
        return;
    }
    for (; m->end_us <= now_us; m->end_us += SLOT_US)
        begin_slot(m);
}

/* @return `n` of all whole slots, per second */
static uint32_t per_second(const struct rate_meter *m, uint64_t n)
{
    return m->whole ? (uint32_t)(n * (uint64_t)(SECOND / SLOT_US) / m->whole) : 0;
}

static uint64_t bytes_of_slot(const uint32_t *bytes, uint8_t sid, uint8_t tid)
{
    uint64_t sum = 0;

    for (size_t s = 0; s <= sid && s < FRAME_MAX_SPATIAL; s++) {
        for (size_t t = 0; t <= tid && t < FRAME_MAX_TEMPORAL; t++)
            sum += bytes[s * FRAME_MAX_TEMPORAL + t];
    }
    return sum;
}

static uint8_t slot_before(const struct rate_meter *m, uint8_t n)
{
    return (uint8_t)((m->at + RATE_METER_SLOTS - n) % RATE_METER_SLOTS);
}

uint32_t rate_meter_rate(const struct rate_meter *m, uint8_t sid, uint8_t tid)
{
    uint64_t sum = 0;

    for (uint8_t i = 1; i <= m->whole; i++)
        sum += bytes_of_slot(m->bytes[slot_before(m, i)], sid, tid);
    return per_second(m, sum * BITS);
}

uint32_t rate_meter_pictures(const struct rate_meter *m)
{
    uint64_t sum = 0;

    for (uint8_t i = 1; i <= m->whole; i++)
        sum += m->pictures[slot_before(m, i)];
    return per_second(m, sum);
}
