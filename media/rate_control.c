#include "media/rate_control.h"

#include "media/base/clock.h"

#include <math.h>

static const double BACK_OFF = 0.85;        /* the draft's beta */
static const double LIMITED_BACK_OFF = 0.5; /* when what arrives tells little of the path */
static const double CUT_MAX = 0.7;          /* at once, unless the queue is long */
static const double DRAIN_MIN = 0.35;       /* of the rate is sent at least while a queue drains */
static const double GROWTH = 0.08;          /* per second, the draft's eta */
static const double STEP_BITS = 1200 * 8;   /* near the last overuse: a packet per response time, */
static const double STEP_MAX = 0.2;         /* but no more than this share per second */
static const double NEAR = 0.8;             /* times the last overuse and above */
static const double KNOWN = 0.6;            /* above that a probe would show what is known */
static const double UNTESTED = 1.5;         /* times what arrives: grow no further untested */
static const double UNTESTED_BPS = 10000;   /* and a bit */
static const double LINK_SMOOTHING = 0.3;
static const double LINK_ERROR_MIN = 0.04;
static const double LINK_ERROR_MAX = 0.08;
static const double LINK_ERRORS = 2.5; /* off by more of them: another link, it seems */
static const double USUAL_BPS = 1e6;

static const int64_t QUEUE_USUAL_US = 34 * MS;   /* allowed at USUAL_BPS */
static const int64_t QUEUE_DOUBLED_US = 12 * MS; /* less with every doubling */
static const int64_t QUEUE_LEAST_US = 15 * MS;
static const int64_t QUEUE_MOST_US = 55 * MS;
static const int64_t QUEUE_GROW_US = 25 * MS; /* no growth on top of that */
static const int64_t QUEUE_GONE_US = 10 * MS;
static const int64_t QUEUE_BUSY_US = 40 * MS;    /* the path sends without a pause */
static const int64_t QUEUE_SERIOUS_US = 80 * MS; /* do something at once */
static const int64_t QUEUE_LONG_US = 150 * MS;   /* enough to believe any measure */
static const int64_t GROWN_US = 3 * MS;          /* from one feedback to the next */
static const int64_t DRAIN_SPAN_US = 300 * MS;   /* a queue of that length would stop us */
static const int64_t SUSPECT_US = 100 * MS;
static const int64_t KNOWN_US = 10 * SECOND;
static const int64_t STUCK_US = 1200 * MS;
static const int64_t RESPONSE_US = 100 * MS; /* a feedback may take that beyond the RTT */

void rate_control_init(struct rate_control *r, double start_bps, double min_bps, double max_bps,
                       int64_t now_us)
{
    *r = (struct rate_control){
        .bps = start_bps,
        .min_bps = min_bps,
        .max_bps = max_bps,
        .since_us = now_us,
        .suspect_us = NEVER_US,
        .lowered_us = now_us - SECOND,
        .updated_us = now_us,
    };
}

void rate_control_set(struct rate_control *r, double bps, int64_t now_us)
{
    r->bps = fmax(r->min_bps, fmin(r->max_bps, bps));
    r->updated_us = now_us;
}

void rate_control_limit(struct rate_control *r, double bps)
{
    if (r->bps > bps)
        r->bps = fmax(r->min_bps, bps);
}

static void set_phase(struct rate_control *r, enum rate_phase phase, int64_t now_us)
{
    r->phase = phase;
    r->since_us = now_us;
    r->suspect_us = NEVER_US;
}

static void note_link(struct rate_control *r, double bps)
{
    double error;

    if (r->link_bps <= 0) {
        r->link_bps = bps;
        r->link_error = LINK_ERROR_MIN;
        return;
    }
    error = fabs(bps - r->link_bps) / r->link_bps;
    if (error > LINK_ERRORS * r->link_error)
        r->link_bps = bps;
    else
        r->link_bps += LINK_SMOOTHING * (bps - r->link_bps);
    r->link_error += LINK_SMOOTHING * (error - r->link_error);
    r->link_error = fmax(LINK_ERROR_MIN, fmin(LINK_ERROR_MAX, r->link_error));
}

/* Who sends more gives way first, so that rates come together; and where a packet takes long, a few
 * of them are no queue. @return the queue at which a growing one is too much */
static int64_t allowed_queue_us(const struct rate_control *r, const struct rate_input *in)
{
    double us = (double)QUEUE_USUAL_US - (double)QUEUE_DOUBLED_US * log2(r->bps / USUAL_BPS);

    us = fmax((double)QUEUE_LEAST_US, fmin((double)QUEUE_MOST_US, us));
    return (int64_t)us + in->jitter_us;
}

static bool is_overused(const struct rate_control *r, const struct rate_input *in)
{
    int64_t allowed_us = allowed_queue_us(r, in);

    if (2 * in->queue_us > 3 * allowed_us && in->signal != DELAY_UNDERUSED)
        return true;
    return in->signal == DELAY_OVERUSED && in->queue_us > allowed_us && !in->is_limited;
}

static void lower(struct rate_control *r, const struct rate_input *in, int64_t now_us)
{
    double arrived_bps = in->acked_bps;
    double bps;

    /* A short queue comes of a little too much for a while: the longer window is the better one. */
    if (in->queue_us < QUEUE_SERIOUS_US)
        arrived_bps = fmax(arrived_bps, in->steady_bps);
    bps = BACK_OFF * arrived_bps;
    if (arrived_bps <= 0)
        bps = BACK_OFF * r->bps;
    else if (!in->is_limited)
        note_link(r, arrived_bps);
    /* What little arrives is no measure of the path unless the queue says that it is all. */
    if (in->is_limited && in->queue_us < QUEUE_LONG_US)
        bps = fmax(bps, LIMITED_BACK_OFF * r->bps);
    /* A burst of others makes little arrive for a moment. */
    if (in->queue_us < QUEUE_SERIOUS_US)
        bps = fmax(bps, CUT_MAX * r->bps);
    if (bps < r->bps)
        rate_control_set(r, bps, now_us);
    r->lowered_us = now_us;
}

static void begin_drain(struct rate_control *r, const struct rate_input *in, int64_t now_us)
{
    r->before_bps = r->bps;
    r->drain_us = in->queue_us;
    r->carried_bps = 0;
    lower(r, in, now_us);
    set_phase(r, RATE_DRAINING, now_us);
}

/* A queue that is not long yet may be a burst. And whoever else is on the path must get to see it,
 * too: if the first that notices gave way at once, it would be the same one again and again.
 * @return true: this is no time to grow */
static bool watch_queue(struct rate_control *r, const struct rate_input *in, int64_t now_us)
{
    if (r->suspect_us == NEVER_US && is_overused(r, in))
        r->suspect_us = now_us;
    if (r->suspect_us == NEVER_US)
        return false;
    if (in->queue_us < QUEUE_SERIOUS_US && now_us - r->suspect_us < SUSPECT_US)
        return true;
    r->suspect_us = NEVER_US;
    if (in->queue_us > QUEUE_GONE_US + in->jitter_us / 2)
        begin_drain(r, in, now_us);
    return true;
}

/* While a queue stands, what arrives is what the path carries: no need to have gone below that. */
static void end_drain(struct rate_control *r, int64_t now_us)
{
    double bps = fmin(r->before_bps, BACK_OFF * r->carried_bps);

    if (bps > r->bps)
        rate_control_set(r, bps, now_us);
    r->drained_us = now_us;
    set_phase(r, RATE_HOLDING, now_us);
}

/* Less is sent, all of it arrives, and the queue is as long as it was: it is not made by us. */
static bool is_stuck(const struct rate_control *r, const struct rate_input *in)
{
    return in->queue_us >= r->drain_us * 7 / 10 && !in->is_overflowing;
}

static void drain(struct rate_control *r, const struct rate_input *in, int64_t now_us)
{
    int64_t response_us = in->rtt_us + RESPONSE_US;
    bool may_lower = now_us - r->lowered_us > response_us;
    bool grows = in->queue_us > r->queue_us + GROWN_US;

    if (in->queue_us > QUEUE_BUSY_US)
        r->carried_bps = in->acked_bps;
    if (in->queue_us > r->drain_us)
        r->drain_us = in->queue_us;
    if (in->queue_us <= QUEUE_GONE_US + in->jitter_us / 2) {
        end_drain(r, now_us);
    } else if (grows && is_overused(r, in)) {
        if (may_lower || in->queue_us > QUEUE_SERIOUS_US)
            lower(r, in, now_us);
    } else if (may_lower && in->is_overflowing && in->queue_us > QUEUE_BUSY_US) {
        lower(r, in, now_us);
    }
    if (now_us - r->since_us > STUCK_US + in->rtt_us) {
        r->stuck = is_stuck(r, in);
        r->drain_us = in->queue_us;
        r->since_us = now_us;
    }
}

static void grow(struct rate_control *r, const struct rate_input *in, double passed, int64_t now_us)
{
    double limit_bps = UNTESTED * in->steady_bps + UNTESTED_BPS;
    double bps = r->bps;

    if (r->link_bps > 0 && in->steady_bps > r->link_bps * (1 + LINK_ERRORS * r->link_error)) {
        r->link_bps = 0;
        r->rose = true;
    }
    if (in->queue_us > QUEUE_GROW_US + in->jitter_us || in->signal != DELAY_NORMAL || in->is_held)
        return;
    bps += passed * fmin(STEP_MAX * bps, STEP_BITS * SECOND / (double)(in->rtt_us + RESPONSE_US));
    if (r->link_bps <= 0 || r->bps < NEAR * r->link_bps)
        bps = fmax(bps, r->bps * (1 + GROWTH * passed));
    if (in->steady_bps > 0 && r->bps < limit_bps)
        rate_control_set(r, fmin(bps, limit_bps), now_us);
}

void rate_control_update(struct rate_control *r, const struct rate_input *in, int64_t now_us)
{
    double passed = fmax(0, fmin(1, (double)(now_us - r->updated_us) / SECOND));

    r->updated_us = now_us;
    switch (r->phase) {
    case RATE_GROWING:
        if (!watch_queue(r, in, now_us))
            grow(r, in, passed, now_us);
        break;
    case RATE_DRAINING:
        drain(r, in, now_us);
        break;
    case RATE_HOLDING:
        if (!watch_queue(r, in, now_us) && now_us - r->since_us > in->rtt_us)
            set_phase(r, RATE_GROWING, now_us);
        break;
    }
    r->queue_us = in->queue_us;
}

double rate_control_drain(const struct rate_control *r, int64_t allowed_us)
{
    double beyond_us = (double)(r->queue_us - allowed_us);

    if (r->phase != RATE_DRAINING || beyond_us <= 0)
        return 1;
    return fmax(DRAIN_MIN, 1 - beyond_us / (double)DRAIN_SPAN_US);
}

bool rate_control_is_near_link(const struct rate_control *r, int64_t now_us)
{
    return r->link_bps > 0 && r->bps > KNOWN * r->link_bps && now_us - r->lowered_us < KNOWN_US;
}

static bool take(bool *flag)
{
    bool was = *flag;

    *flag = false;
    return was;
}

bool rate_control_take_rise(struct rate_control *r)
{
    return take(&r->rose);
}

bool rate_control_take_stuck(struct rate_control *r)
{
    return take(&r->stuck);
}
