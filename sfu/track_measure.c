#include "sfu/track_measure.h"

#include "media/base/clock.h"
#include "sfu/track.h"

enum { SMOOTHING = 4 }; /* a new second counts for a quarter */

static int64_t positive(int64_t n)
{
    return n > 0 ? n : 0;
}

/* Add what the layer took in since the last time. */
static void add_layer(struct track_layer *l, struct layer_counts *sum)
{
    const struct stream_receiver *r = &l->receiver;
    struct layer_counts now = {
        .received = r->received,
        .bytes = r->bytes,
        .expected = r->started ? r->highest - r->base + 1 : 0,
    };

    if (now.received >= l->counted.received && now.expected >= l->counted.expected) {
        sum->received += now.received - l->counted.received;
        sum->bytes += now.bytes - l->counted.bytes;
        sum->expected += now.expected - l->counted.expected;
    } /* else it began anew */
    l->counted = now;
}

static uint32_t jitter_ms_of(const struct track_layer *l)
{
    return (uint32_t)(l->receiver.jitter * 1000 / l->receiver.clock_rate);
}

void track_measure_update(struct track *t, int64_t now_us)
{
    struct track_measure *m = &t->measure;
    struct layer_counts sum = {0};
    int64_t lost;
    uint32_t loss;

    m->jitter_ms = 0;
    for (size_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        if (!t->layers[i])
            continue;
        add_layer(t->layers[i], &sum);
        if (track_layer_flows(t->layers[i], now_us) && jitter_ms_of(t->layers[i]) > m->jitter_ms)
            m->jitter_ms = jitter_ms_of(t->layers[i]);
    }
    lost = positive(sum.expected - (int64_t)sum.received);
    loss = sum.expected > 0 ? (uint32_t)(lost * 1000 / sum.expected) : 0;
    m->loss_permille = (m->loss_permille * (SMOOTHING - 1) + loss) / SMOOTHING;
    if (m->since_us > 0 && now_us > m->since_us)
        m->rate_bps = (uint32_t)(sum.bytes * 8 * SECOND / (uint64_t)(now_us - m->since_us));
    m->since_us = now_us;
}
