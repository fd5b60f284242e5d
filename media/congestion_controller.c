#include "media/congestion_controller.h"

#include "media/acked_rate.h"
#include "media/base/clock.h"
#include "media/delay_estimator.h"
#include "media/loss_estimator.h"
#include "media/probe_control.h"
#include "media/rate_control.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

static const int64_t TIME_MAX_US = INT64_C(1) << 60; /* so that differences are numbers, too */
static const int64_t RTT_MIN_US = MS;
static const int64_t RTT_MAX_US = 3 * SECOND;
static const int64_t RTT_START_US = 100 * MS;
static const int64_t FAST_WINDOW_US = 200 * MS;
static const int64_t STEADY_WINDOW_US = 600 * MS;
static const int64_t SENT_SLOT_US = 200 * MS;
static const int64_t GAP_US = 45 * MS;   /* feedback that lacks this long has been lost itself */
static const int64_t JUMP_US = 250 * MS; /* a receiver's clock that leaps by more is noticed */
static const int64_t SILENCE_US = 500 * MS;
static const int64_t SILENCE_STEP_US = 300 * MS;
static const int64_t RECOVERY_US = 1500 * MS;  /* from a deep fall to a probe */
static const int64_t SOFT_START_US = SECOND;   /* after a drain */
static const int64_t IDLE_US = 500 * MS;       /* from call to call of advance, while sending */
static const int64_t QUEUE_LOSSY_US = 40 * MS; /* losses are the queue's */
static const int64_t QUEUE_IN_ESTIMATE_US = 60 * MS; /* from there on sources must know of it */
static const int64_t QUEUE_IN_PACING_US = 10 * MS;

static const double SILENCE_FACTOR = 0.8;
static const double SILENCE_MIN = 0.1;    /* of the rate before */
static const double SILENCE_RETURN = 0.7; /* of it, at once, when feedback comes again */
static const double FELL_FAR = 0.66;
static const double LIMITED_BELOW = 0.65; /* of the estimate is sent */
static const double LIMITED_UNTIL = 0.8;
static const double HELD = 1.3;               /* times the bound by losses: delay allows no more */
static const double LOST_SMOOTHING = 0.4;     /* per feedback */
static const double LOSS_PACKETS = 200;       /* that statistics look back */
static const double OVERFLOWING = 0.1;        /* of the packets are lost, beyond what is usual */
static const double PACING = 2.5;             /* a key frame must not take a second */
static const double PACING_SOFT = 1.2;        /* what waits here must not wait there once more */
static const double REPORTED_LOSS_HIGH = 0.1; /* draft, section 6 */
static const double REPORTED_LOSS_LOW = 0.02;
static const double REPORTED_GROWTH = 1.05;

struct congestion_controller {
    double start_bps, min_bps, max_bps;
    double wanted_bps; /* INFINITY: nobody has said */
    struct delay_estimator delay;
    struct loss_estimator loss;
    struct rate_control rate;
    struct probe_control probe;
    struct acked_rate acked;
    double remb_bps;   /* INFINITY: none */
    int64_t rtt_us;    /* as set; 0: unknown */
    int64_t answer_us; /* shortest time from a packet to its feedback; 0: unknown */

    /* feedback */
    int64_t feedback_us;                       /* last one */
    int64_t last_sent_us;                      /* newest packet that was told of */
    int64_t newest_delay_us, newest_answer_us; /* of the newest packet that arrived */
    double lost_share;                         /* of the last feedbacks */
    double loss_shown;                         /* the same over more packets */

    /* what leaves */
    uint64_t slot_bytes; /* since slot_us */
    int64_t slot_us;
    double sent_bps;
    int64_t unanswered_us; /* first packet after the last feedback; NEVER_US: none */
    double before_silence_bps;
    int64_t silence_step_us;

    uint16_t last_seq; /* of the packet of last_sent_us */
    bool heard;        /* there was transport feedback */
    bool has_newest;
    bool is_limited;
    bool is_silent;
    bool is_reported; /* by REMB or receiver reports */
};

static_assert(sizeof(struct congestion_controller) <= CONGESTION_MAX_BYTES, "too large");

static double clamp(double x, double low, double high)
{
    return fmax(low, fmin(high, x));
}

static int64_t clamp_time(int64_t x, int64_t low, int64_t high)
{
    if (x < low)
        return low;
    return x > high ? high : x;
}

int congestion_controller_new(struct congestion_controller **ret,
                              const struct congestion_config *config, int64_t now_us)
{
    static const struct congestion_config defaults;
    struct congestion_controller *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    if (!config)
        config = &defaults;
    c->min_bps = config->min_bps ? config->min_bps : CONGESTION_MIN_BPS;
    c->max_bps = fmax(c->min_bps, config->max_bps ? config->max_bps : CONGESTION_MAX_BPS);
    c->start_bps = config->start_bps ? config->start_bps : CONGESTION_START_BPS;
    c->start_bps = clamp(c->start_bps, c->min_bps, c->max_bps);
    c->wanted_bps = c->remb_bps = INFINITY;
    delay_estimator_init(&c->delay);
    loss_estimator_init(&c->loss);
    rate_control_init(&c->rate, c->start_bps, c->min_bps, c->max_bps, now_us);
    probe_control_init(&c->probe);
    acked_rate_init(&c->acked);
    c->slot_us = now_us;
    c->unanswered_us = NEVER_US;
    *ret = c;
    return 0;
}

struct congestion_controller *congestion_controller_free(struct congestion_controller *c)
{
    free(c);
    return NULL;
}

static int64_t rtt_us(const struct congestion_controller *c)
{
    if (c->rtt_us > 0)
        return c->rtt_us;
    return c->answer_us > 0 ? clamp_time(c->answer_us, RTT_MIN_US, RTT_MAX_US) : RTT_START_US;
}

/* Without what a draining queue takes off for a moment. */
static double plain_estimate(const struct congestion_controller *c)
{
    return clamp(fmin(c->rate.bps, c->loss.bound_bps), c->min_bps, c->max_bps);
}

static struct probe_view probe_view(const struct congestion_controller *c, int64_t now_us)
{
    return (struct probe_view){
        .estimate_bps = plain_estimate(c),
        .wanted_bps = c->wanted_bps,
        .max_bps = c->max_bps,
        .rtt_us = rtt_us(c),
        .jitter_us = (int64_t)c->delay.jitter_us,
        .is_congested = c->rate.phase != RATE_GROWING || c->is_silent ||
                        c->loss.phase == LOSS_TESTING,
        .is_known = rate_control_is_near_link(&c->rate, now_us),
    };
}

/* --- what leaves */

void congestion_controller_on_sent(struct congestion_controller *c, uint32_t bytes, int64_t now_us)
{
    c->slot_bytes += bytes;
    if (c->unanswered_us == NEVER_US)
        c->unanswered_us = now_us;
}

static void note_sent_rate(struct congestion_controller *c, int64_t now_us)
{
    double estimate_bps = plain_estimate(c);
    int64_t passed_us = now_us - c->slot_us;

    if (passed_us < SENT_SLOT_US)
        return;
    c->sent_bps += 0.5 * (8.0 * (double)c->slot_bytes * SECOND / (double)passed_us - c->sent_bps);
    c->slot_bytes = 0;
    c->slot_us = now_us;
    if (c->sent_bps < LIMITED_BELOW * estimate_bps)
        c->is_limited = true;
    else if (c->sent_bps > LIMITED_UNTIL * estimate_bps)
        c->is_limited = false;
}

/* --- feedback */

/* What only a clock that leaps explains: packets take longer or shorter by far, but the way there
 * and back does not. Everything that compares old delays with new ones begins anew. */
static void note_newest(struct congestion_controller *c, int64_t sent_us, int64_t arrival_us,
                        int64_t now_us)
{
    int64_t delay_us = arrival_us - sent_us;
    int64_t answer_us = now_us - sent_us;
    int64_t longer_us = delay_us - c->newest_delay_us;

    if (c->has_newest && (longer_us > answer_us - c->newest_answer_us + JUMP_US ||
                          longer_us < -delay_estimator_queue_us(&c->delay) - JUMP_US)) {
        delay_estimator_init(&c->delay);
        acked_rate_init(&c->acked);
    }
    c->has_newest = true;
    c->newest_delay_us = delay_us;
    c->newest_answer_us = answer_us;
    if (answer_us > 0 && (c->answer_us == 0 || answer_us < c->answer_us))
        c->answer_us = answer_us;
    else /* it may have become longer: creep up */
        c->answer_us = clamp_time(c->answer_us + c->answer_us / 256, 0, RTT_MAX_US);
}

/* Results that never came: a feedback packet was lost. */
static void note_gap(struct congestion_controller *c, uint16_t seq, int64_t sent_us)
{
    if (c->heard && seq != (uint16_t)(c->last_seq + 1) && sent_us - c->last_sent_us > GAP_US)
        acked_rate_on_gap(&c->acked);
    if (!c->heard || sent_us >= c->last_sent_us) {
        c->last_sent_us = sent_us;
        c->last_seq = seq;
    }
}

static void take_result(struct congestion_controller *c, const struct congestion_result *result)
{
    note_gap(c, result->seq, result->sent_us);
    c->heard = true;
    loss_estimator_on_packet(&c->loss, result->sent_us, result->len, result->received);
    probe_control_on_result(&c->probe, result);
    if (!result->received)
        return;
    delay_estimator_on_packet(&c->delay, result->sent_us, result->arrival_us, result->probe != 0);
    acked_rate_on_packet(&c->acked, result->arrival_us, result->len);
}

/* The peer's clock is what it says; ours and the lengths come from our own history. */
static struct congestion_result checked(const struct congestion_result *result, int64_t now_us)
{
    struct congestion_result r = *result;

    r.sent_us = clamp_time(r.sent_us, -TIME_MAX_US, now_us);
    r.arrival_us = clamp_time(r.arrival_us, -TIME_MAX_US, TIME_MAX_US);
    return r;
}

static void set_rate(struct congestion_controller *c, double bps, int64_t now_us)
{
    rate_control_set(&c->rate, bps, now_us);
}

static void end_silence(struct congestion_controller *c, int64_t now_us)
{
    c->is_silent = false;
    acked_rate_init(&c->acked);
    loss_estimator_skip(&c->loss);
    c->loss.counts_us = now_us; /* what a dead path swallowed was not too much */
    set_rate(c, fmax(c->rate.bps, SILENCE_RETURN * c->before_silence_bps), now_us);
    probe_control_hasten(&c->probe, 0, now_us);
}

static void take_probe_outcomes(struct congestion_controller *c, int64_t now_us)
{
    struct probe_view view = probe_view(c, now_us);
    struct probe_outcome outcome;

    while (probe_control_take_outcome(&c->probe, &outcome, &view, now_us)) {
        if (outcome.bps > plain_estimate(c) && !view.is_congested) {
            set_rate(c, outcome.bps, now_us);
            loss_estimator_lift(&c->loss, outcome.bps, now_us);
            view = probe_view(c, now_us);
        }
    }
}

static void decide(struct congestion_controller *c, int64_t now_us)
{
    struct rate_input in = {
        .signal = c->delay.signal,
        .queue_us = delay_estimator_queue_us(&c->delay),
        .rtt_us = rtt_us(c),
        .jitter_us = (int64_t)c->delay.jitter_us,
        .acked_bps = acked_rate_bps(&c->acked, FAST_WINDOW_US) / (1 - c->loss.inherent),
        .steady_bps = acked_rate_bps(&c->acked, STEADY_WINDOW_US) / (1 - c->loss.inherent),
        .is_overflowing = c->lost_share > OVERFLOWING + c->loss.inherent,
        .is_limited = c->is_limited,
        .is_held = c->loss.bound_bps < c->rate.bps,
    };
    double before_bps = c->rate.bps;
    bool is_congested;

    rate_control_update(&c->rate, &in, now_us);
    if (c->rate.bps < FELL_FAR * before_bps)
        probe_control_hasten(&c->probe, RECOVERY_US, now_us);
    if (rate_control_take_rise(&c->rate))
        probe_control_hasten(&c->probe, 0, now_us);
    if (rate_control_take_stuck(&c->rate))
        delay_estimator_rebase(&c->delay);
    is_congested = in.queue_us > QUEUE_LOSSY_US || c->rate.phase == RATE_DRAINING;
    loss_estimator_update(&c->loss, in.rtt_us, plain_estimate(c), is_congested, c->is_limited,
                          now_us);
    if (c->loss.phase == LOSS_BOUND)
        rate_control_limit(&c->rate, HELD * c->loss.bound_bps);
    take_probe_outcomes(c, now_us);
}

void congestion_controller_on_feedback(struct congestion_controller *c,
                                       const struct congestion_result *results, size_t n,
                                       int64_t now_us)
{
    size_t newest = n;
    size_t lost = 0;

    if (n == 0)
        return;
    now_us = clamp_time(now_us, -TIME_MAX_US, TIME_MAX_US);
    for (size_t i = n; i > 0 && newest == n; i--)
        if (results[i - 1].received)
            newest = i - 1;
    if (newest < n) {
        struct congestion_result r = checked(&results[newest], now_us);

        note_newest(c, r.sent_us, r.arrival_us, now_us);
        if (c->is_silent)
            end_silence(c, now_us);
    }
    for (size_t i = 0; i < n; i++) {
        struct congestion_result r = checked(&results[i], now_us);

        take_result(c, &r);
        lost += !r.received;
    }
    c->lost_share += LOST_SMOOTHING * ((double)lost / (double)n - c->lost_share);
    c->loss_shown += fmin(1, (double)n / LOSS_PACKETS) * ((double)lost / (double)n - c->loss_shown);
    c->feedback_us = now_us;
    c->unanswered_us = NEVER_US;
    c->is_reported = false;
    note_sent_rate(c, now_us);
    decide(c, now_us);
}

/* --- without transport feedback */

void congestion_controller_on_remb(struct congestion_controller *c, uint64_t bps, int64_t now_us)
{
    if (c->heard)
        return;
    c->is_reported = true;
    c->remb_bps = (double)bps;
    set_rate(c, c->remb_bps, now_us);
}

void congestion_controller_on_loss_report(struct congestion_controller *c, uint8_t fraction,
                                          int64_t now_us)
{
    double loss = (double)fraction / 256;

    if (c->heard)
        return;
    c->is_reported = true;
    c->loss_shown += 0.3 * (loss - c->loss_shown);
    if (loss > REPORTED_LOSS_HIGH)
        set_rate(c, c->rate.bps * (1 - 0.5 * loss), now_us);
    else if (loss < REPORTED_LOSS_LOW && !c->is_limited)
        set_rate(c, fmin(c->remb_bps, c->rate.bps * REPORTED_GROWTH + 1000), now_us);
}

/* --- the rest */

void congestion_controller_set_rtt(struct congestion_controller *c, int64_t rtt_us)
{
    c->rtt_us = clamp_time(rtt_us, RTT_MIN_US, RTT_MAX_US);
}

void congestion_controller_set_wanted(struct congestion_controller *c, uint64_t wanted_bps,
                                      int64_t now_us)
{
    (void)now_us;
    c->wanted_bps = (double)wanted_bps;
}

/* Packets leave and nothing comes back: less with every step. @return when to look again */
static int64_t watch_silence(struct congestion_controller *c, int64_t now_us)
{
    int64_t patience_us = 3 * rtt_us(c) > SILENCE_US ? 3 * rtt_us(c) : SILENCE_US;

    if (!c->heard || c->unanswered_us == NEVER_US)
        return NEVER_US;
    if (!c->is_silent && now_us - c->unanswered_us >= patience_us) {
        c->is_silent = true;
        c->before_silence_bps = c->rate.bps;
        c->silence_step_us = now_us;
    }
    if (!c->is_silent)
        return c->unanswered_us + patience_us;
    if (now_us >= c->silence_step_us) {
        double lowest_bps = SILENCE_MIN * c->before_silence_bps;

        if (c->rate.bps > lowest_bps)
            set_rate(c, fmax(lowest_bps, SILENCE_FACTOR * c->rate.bps), now_us);
        c->silence_step_us = now_us + SILENCE_STEP_US;
    }
    return c->silence_step_us;
}

int64_t congestion_controller_advance(struct congestion_controller *c, int64_t now_us)
{
    int64_t silence_us = watch_silence(c, now_us);
    struct probe_view view;
    int64_t due_us;

    note_sent_rate(c, now_us);
    take_probe_outcomes(c, now_us);
    view = probe_view(c, now_us);
    due_us = probe_control_advance(&c->probe, &view, now_us);
    if (silence_us < due_us)
        due_us = silence_us;
    if (c->slot_bytes > 0 && due_us > now_us + IDLE_US)
        due_us = now_us + IDLE_US;
    return due_us > now_us ? due_us : now_us + MS;
}

uint64_t congestion_controller_estimate(const struct congestion_controller *c)
{
    double share = rate_control_drain(&c->rate, QUEUE_IN_ESTIMATE_US);

    return (uint64_t)clamp(plain_estimate(c) * share, c->min_bps, c->max_bps);
}

uint64_t congestion_controller_pacing(const struct congestion_controller *c)
{
    double bps = plain_estimate(c);

    if (c->rate.phase == RATE_DRAINING)
        return (uint64_t)(bps * rate_control_drain(&c->rate, QUEUE_IN_PACING_US));
    if (c->rate.drained_us != 0 && c->feedback_us - c->rate.drained_us < SOFT_START_US)
        return (uint64_t)(bps * PACING_SOFT);
    return (uint64_t)(bps * PACING);
}

bool congestion_controller_take_probe(struct congestion_controller *c, struct congestion_probe *ret,
                                      int64_t now_us)
{
    return probe_control_take(&c->probe, ret, now_us);
}

static enum congestion_state state_of(const struct congestion_controller *c)
{
    if (!c->heard)
        return c->is_reported ? CONGESTION_REPORTED : CONGESTION_WAITING;
    if (c->is_silent)
        return CONGESTION_SILENT;
    if (c->rate.phase == RATE_DRAINING)
        return CONGESTION_DRAINING;
    return c->loss.bound_bps < c->rate.bps ? CONGESTION_LOSSY : CONGESTION_STEADY;
}

void congestion_controller_stats(const struct congestion_controller *c,
                                 struct congestion_stats *ret)
{
    *ret = (struct congestion_stats){
        .estimate_bps = congestion_controller_estimate(c),
        .acked_bps = (uint64_t)acked_rate_bps(&c->acked, STEADY_WINDOW_US),
        .delay_bps = (uint64_t)c->rate.bps,
        .loss_bps = isinf(c->loss.bound_bps) ? UINT64_MAX : (uint64_t)c->loss.bound_bps,
        .rtt_us = c->rtt_us > 0 ? c->rtt_us : c->answer_us,
        .queue_us = delay_estimator_queue_us(&c->delay),
        .loss = c->loss_shown,
        .state = state_of(c),
        .application_limited = c->is_limited,
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
