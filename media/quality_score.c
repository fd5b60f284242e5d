#include "media/quality_score.h"

/* How much one figure takes away: nothing up to `from`, then evenly up to `most` at `to`. */
struct penalty {
    uint32_t from, to, most;
};

/* 5 % of loss after repair are a nuisance in speech, 20 % make it useless; a round trip is felt
 * from 150 ms on (ITU-T G.114 has 150 ms one way as good), jitter once buffers must grow for it.
 * Half of what was wanted is still a call. */
static const struct penalty loss = {0, 200, 100};
static const struct penalty rtt = {150, 650, 35};
static const struct penalty jitter = {20, 80, 20};
static const struct penalty starved = {0, 1000, 60};

static uint32_t take(const struct penalty *p, uint32_t value)
{
    if (value <= p->from)
        return 0;
    if (value >= p->to)
        return p->most;
    return (value - p->from) * p->most / (p->to - p->from);
}

uint8_t quality_score(const struct quality_figures *f)
{
    uint32_t taken = take(&loss, f->loss_permille) + take(&rtt, f->rtt_ms) +
                     take(&jitter, f->jitter_ms) + take(&starved, f->starved_permille);

    return (uint8_t)(taken < QUALITY_SCORE_MAX ? QUALITY_SCORE_MAX - taken : 0);
}
