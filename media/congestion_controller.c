#include "media/congestion_controller.h"

#include "media/base/clock.h"

#include <errno.h>
#include <stdlib.h>

static const int64_t INTERVAL_US = 250 * MS; /* of decisions */

struct congestion_controller {
    struct congestion_config config;
    double estimate_bps, acked_bps, loss;
    uint64_t wanted_bps;
    uint32_t packets, lost, bytes; /* since decided_us */
    int64_t decided_us, rtt_us;
    uint8_t probes; /* taken so far */
    enum congestion_state state;
};

int congestion_controller_new(struct congestion_controller **ret,
                              const struct congestion_config *config, int64_t now_us)
{
    static const struct congestion_config none;
    struct congestion_controller *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->config = config ? *config : none;
    if (c->config.min_bps == 0)
        c->config.min_bps = CONGESTION_MIN_BPS;
    if (c->config.max_bps == 0)
        c->config.max_bps = CONGESTION_MAX_BPS;
    if (c->config.start_bps == 0)
        c->config.start_bps = CONGESTION_START_BPS;
    c->estimate_bps = c->config.start_bps;
    c->wanted_bps = UINT64_MAX;
    c->decided_us = now_us;
    *ret = c;
    return 0;
}

struct congestion_controller *congestion_controller_free(struct congestion_controller *c)
{
    free(c);
    return NULL;
}

static void set_estimate(struct congestion_controller *c, double bps)
{
    if (bps < c->config.min_bps)
        bps = c->config.min_bps;
    if (bps > c->config.max_bps)
        bps = c->config.max_bps;
    c->estimate_bps = bps;
}

/* Losses alone, for now. */
static void decide(struct congestion_controller *c, int64_t now_us)
{
    double passed = (double)(now_us - c->decided_us) / SECOND;

    c->acked_bps = 8.0 * c->bytes / passed;
    c->loss = (double)c->lost / c->packets;
    if (c->loss > 0.1)
        set_estimate(c, c->estimate_bps * (1 - 0.5 * c->loss));
    else if (c->loss < 0.02 && c->estimate_bps < 1.5 * c->acked_bps + 10000)
        set_estimate(c, c->estimate_bps * (1 + 0.08 * passed) + 1000);
    c->packets = c->lost = c->bytes = 0;
    c->decided_us = now_us;
}

void congestion_controller_on_feedback(struct congestion_controller *c,
                                       const struct congestion_result *results, size_t n,
                                       int64_t now_us)
{
    c->state = CONGESTION_STEADY;
    for (size_t i = 0; i < n; i++) {
        c->packets++;
        if (results[i].received)
            c->bytes += results[i].len;
        else
            c->lost++;
    }
    if (now_us - c->decided_us >= INTERVAL_US && c->packets > 0)
        decide(c, now_us);
}

void congestion_controller_on_remb(struct congestion_controller *c, uint64_t bps, int64_t now_us)
{
    (void)now_us;
    if (c->state != CONGESTION_WAITING && c->state != CONGESTION_REPORTED)
        return;
    c->state = CONGESTION_REPORTED;
    set_estimate(c, (double)bps);
}

void congestion_controller_on_loss_report(struct congestion_controller *c, uint8_t fraction,
                                          int64_t now_us)
{
    (void)now_us;
    if (c->state != CONGESTION_WAITING && c->state != CONGESTION_REPORTED)
        return;
    c->state = CONGESTION_REPORTED;
    if (fraction > 25)
        set_estimate(c, c->estimate_bps * (1 - 0.5 * fraction / 256));
}

void congestion_controller_set_rtt(struct congestion_controller *c, int64_t rtt_us)
{
    c->rtt_us = rtt_us;
}

void congestion_controller_set_wanted(struct congestion_controller *c, uint64_t wanted_bps,
                                      int64_t now_us)
{
    (void)now_us;
    c->wanted_bps = wanted_bps;
}

void congestion_controller_on_sent(struct congestion_controller *c, uint32_t bytes, int64_t now_us)
{
    (void)c;
    (void)bytes;
    (void)now_us;
}

int64_t congestion_controller_advance(struct congestion_controller *c, int64_t now_us)
{
    (void)c;
    return now_us + INTERVAL_US;
}

uint64_t congestion_controller_estimate(const struct congestion_controller *c)
{
    return (uint64_t)c->estimate_bps;
}

uint64_t congestion_controller_pacing(const struct congestion_controller *c)
{
    return (uint64_t)(2.5 * c->estimate_bps);
}

bool congestion_controller_take_probe(struct congestion_controller *c, struct congestion_probe *ret,
                                      int64_t now_us)
{
    (void)now_us;
    if (c->probes >= 2)
        return false;
    c->probes++;
    *ret = (struct congestion_probe){.id = c->probes,
                                     .bps = (uint64_t)c->config.start_bps * (c->probes * 3),
                                     .duration_us = 15 * MS,
                                     .min_packets = 5,
                                     .min_bytes = 2000};
    return true;
}

void congestion_controller_stats(const struct congestion_controller *c,
                                 struct congestion_stats *ret)
{
    *ret = (struct congestion_stats){
        .estimate_bps = congestion_controller_estimate(c),
        .acked_bps = (uint64_t)c->acked_bps,
        .delay_bps = congestion_controller_estimate(c),
        .loss_bps = UINT64_MAX,
        .rtt_us = c->rtt_us,
        .loss = c->loss,
        .state = c->state,
    };
}

const char *congestion_state_name(enum congestion_state state)
{
    switch (state) {
    case CONGESTION_WAITING:
        return "waiting";
    case CONGESTION_STEADY:
        return "steady";
    case CONGESTION_DRAINING:
        return "draining";
    case CONGESTION_LOSSY:
        return "lossy";
    case CONGESTION_SILENT:
        return "silent";
    case CONGESTION_REPORTED:
        return "reported";
    }
    return "?";
}
