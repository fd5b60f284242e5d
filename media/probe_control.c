#include "media/probe_control.h"

#include "media/base/clock.h"

#include <math.h>

static const double START_FACTORS[PROBE_MAX_PENDING] = {3, 6};
static const double FACTOR = 2;              /* of the estimate, or of the last success */
static const double USEFUL = 2;              /* times what is wanted */
static const double NEEDED = 1.02;           /* more than the estimate is wanted */
static const double WORTH = 1.2;             /* of the estimate: a smaller probe shows nothing */
static const double UNLIMITED_BPS = 5000000; /* nobody has said yet what is wanted */
static const double SATURATED = 0.9;         /* of the probe's rate arrived, or less: that is all */
static const double PASSED_SHARE = 0.95;
static const double SATURATED_SHARE = 0.85;
static const double COMPRESSED = 2; /* arrived so much faster than sent: no measure of rates */
static const double ENOUGH = 0.8;   /* of the packets and bytes asked for */

static const int64_t DURATION_US = 15 * MS;
static const int64_t DURATION_MAX_US = 60 * MS;
static const int64_t NOISE_US = 20 * MS; /* of arrival, by jitter */
static const int64_t INTERVAL_US = 5 * SECOND;
static const int64_t RETRY_US = SECOND;
static const int64_t ANSWER_US = 500 * MS; /* beyond the round trip: what is not told is lost */

enum { QUICK_RETRIES = 3 };

void probe_control_init(struct probe_control *p)
{
    *p = (struct probe_control){.duration_us = DURATION_US};
}

static double useful_bps(const struct probe_view *view)
{
    double wanted_bps = isinf(view->wanted_bps) ? UNLIMITED_BPS : USEFUL * view->wanted_bps;

    return fmin(view->max_bps, wanted_bps);
}

static bool is_needed(const struct probe_view *view)
{
    double wanted_bps = isinf(view->wanted_bps) ? UNLIMITED_BPS : view->wanted_bps;

    return fmin(view->max_bps, wanted_bps) > NEEDED * view->estimate_bps;
}

/* Line up a probe at `bps`, or at what is useful. @return its rate, 0: not worth it */
static double line_up(struct probe_control *p, double bps, const struct probe_view *view,
                      int64_t now_us)
{
    int64_t least_us = DURATION_US + 2 * view->jitter_us;

    bps = fmin(bps, useful_bps(view));
    if (bps < WORTH * view->estimate_bps || p->pending == PROBE_MAX_PENDING)
        return 0;
    if (p->duration_us < least_us)
        p->duration_us = least_us < DURATION_MAX_US ? least_us : DURATION_MAX_US;
    p->pending_bps[p->pending++] = bps;
    p->last_us = now_us;
    p->next_us = now_us + INTERVAL_US;
    p->hastened = false;
    return bps;
}

static void start(struct probe_control *p, const struct probe_view *view, int64_t now_us)
{
    double last_bps = 0;

    for (size_t i = 0; i < PROBE_MAX_PENDING; i++) {
        double bps = fmin(START_FACTORS[i] * view->estimate_bps, useful_bps(view));

        if (bps > last_bps)
            last_bps = line_up(p, bps, view, now_us);
    }
    p->started = p->started || p->pending > 0;
}

static bool is_busy(const struct probe_control *p)
{
    for (size_t i = 0; i < PROBE_MAX_OPEN; i++)
        if (p->open[i].id != 0)
            return true;
    return p->pending > 0;
}

/* What is wanted has grown: a good moment, unless there just was one. */
static void note_wanted(struct probe_control *p, double wanted_bps, int64_t now_us)
{
    if (wanted_bps > WORTH * p->wanted_bps)
        probe_control_hasten(p, 0, now_us);
    p->wanted_bps = wanted_bps;
}

/* @return true: a probe may be lined up as soon as its time has come */
static bool is_due(const struct probe_control *p, const struct probe_view *view)
{
    return is_needed(view) && !is_busy(p) && !view->is_congested &&
           (!view->is_known || p->hastened);
}

int64_t probe_control_advance(struct probe_control *p, const struct probe_view *view,
                              int64_t now_us)
{
    int64_t due_us = NEVER_US;

    note_wanted(p, view->wanted_bps, now_us);
    if (view->is_congested)
        p->pending = 0;
    else if (is_due(p, view) && now_us >= p->next_us) {
        if (!p->started)
            start(p, view, now_us);
        else
            line_up(p, FACTOR * view->estimate_bps, view, now_us);
        if (p->pending == 0) /* not worth it now: do not ask all the time */
            p->next_us = now_us + INTERVAL_US;
    }
    for (size_t i = 0; i < PROBE_MAX_OPEN; i++) {
        int64_t answer_us = p->open[i].taken_us + view->rtt_us + ANSWER_US;

        if (p->open[i].id != 0 && answer_us < due_us)
            due_us = answer_us;
    }
    if (is_due(p, view) && p->next_us < due_us)
        due_us = p->next_us;
    return due_us > now_us ? due_us : now_us + MS;
}

void probe_control_hasten(struct probe_control *p, int64_t after_us, int64_t now_us)
{
    int64_t next_us = now_us + after_us;

    if (p->started && next_us < p->last_us + RETRY_US)
        next_us = p->last_us + RETRY_US;
    if (next_us < p->next_us || p->next_us <= now_us)
        p->next_us = next_us;
    p->hastened = true;
}

static struct probe_cluster *find(struct probe_control *p, uint8_t id)
{
    for (size_t i = 0; i < PROBE_MAX_OPEN; i++)
        if (p->open[i].id == id)
            return &p->open[i];
    return NULL;
}

bool probe_control_take(struct probe_control *p, struct congestion_probe *ret, int64_t now_us)
{
    struct probe_cluster *cluster = find(p, 0);

    if (p->pending == 0 || !cluster)
        return false;
    do {
        p->last_id++;
    } while (p->last_id == 0 || find(p, p->last_id));
    *cluster = (struct probe_cluster){
        .id = p->last_id,
        .bps = p->pending_bps[0],
        .taken_us = now_us,
        .duration_us = p->duration_us,
        .min_packets = PROBE_MIN_PACKETS,
        .min_bytes = (uint32_t)(p->pending_bps[0] * (double)p->duration_us / SECOND / 8),
    };
    p->pending_bps[0] = p->pending_bps[1];
    p->pending--;
    *ret = (struct congestion_probe){
        .id = cluster->id,
        .bps = (uint64_t)cluster->bps,
        .duration_us = p->duration_us,
        .min_packets = cluster->min_packets,
        .min_bytes = cluster->min_bytes,
    };
    return true;
}

void probe_control_on_result(struct probe_control *p, const struct congestion_result *result)
{
    struct probe_cluster *c = result->probe != 0 ? find(p, result->probe) : NULL;

    if (!c)
        return;
    if (!result->received) {
        c->lost++;
        return;
    }
    if (c->received == 0 || result->sent_us < c->first_sent_us)
        c->first_sent_us = result->sent_us;
    if (c->received == 0 || result->sent_us >= c->last_sent_us) {
        c->last_sent_us = result->sent_us;
        c->last_len = result->len;
    }
    if (c->received == 0 || result->arrival_us < c->first_arrival_us) {
        c->first_arrival_us = result->arrival_us;
        c->first_len = result->len;
    }
    if (c->received == 0 || result->arrival_us > c->last_arrival_us)
        c->last_arrival_us = result->arrival_us;
    c->received++;
    c->bytes += result->len;
}

/* A span lasts from the first packet to the last: the bytes of one of them are not in it. */
static struct probe_outcome evaluate(const struct probe_cluster *c)
{
    struct probe_outcome outcome = {0};
    double sent_span_us = (double)(c->last_sent_us - c->first_sent_us);
    double arrival_span_us = (double)(c->last_arrival_us - c->first_arrival_us);
    double sent_bps, arrived_bps;

    if (c->received < ENOUGH * c->min_packets || (double)c->bytes < ENOUGH * c->min_bytes ||
        sent_span_us <= 0 || arrival_span_us <= 0)
        return outcome;
    sent_bps = 8.0 * (double)(c->bytes - c->last_len) * SECOND / sent_span_us;
    arrived_bps = 8.0 * (double)(c->bytes - c->first_len) * SECOND / arrival_span_us;
    outcome.is_vague = c->duration_us < DURATION_MAX_US;
    if (arrived_bps > COMPRESSED * sent_bps)
        return outcome;
    outcome.is_saturated = arrived_bps < SATURATED * sent_bps;
    outcome.is_vague = outcome.is_vague && outcome.is_saturated &&
                       arrival_span_us - sent_span_us < (double)NOISE_US;
    outcome.bps = outcome.is_saturated ? SATURATED_SHARE * arrived_bps
                                       : PASSED_SHARE * fmin(sent_bps, arrived_bps);
    return outcome;
}

static void try_next(struct probe_control *p, double bps, const struct probe_view *view,
                     int64_t now_us)
{
    if (is_needed(view) && !is_busy(p) && !view->is_congested)
        line_up(p, bps, view, now_us);
}

static void note_outcome(struct probe_control *p, const struct probe_cluster *c,
                         const struct probe_outcome *outcome, const struct probe_view *view,
                         int64_t now_us)
{
    struct probe_view then = *view;

    then.estimate_bps = fmax(view->estimate_bps, outcome->bps);
    p->duration_us = outcome->is_vague ? 2 * c->duration_us : DURATION_US;
    if (outcome->is_vague) {
        try_next(p, c->bps, &then, now_us);
    } else if (outcome->bps <= 0) {
        p->failures = p->failures < UINT8_MAX ? p->failures + 1 : p->failures;
        if (p->failures <= QUICK_RETRIES && now_us + RETRY_US < p->next_us)
            p->next_us = now_us + RETRY_US;
    } else if (outcome->is_saturated) {
        p->failures = 0;
        p->next_us = now_us + INTERVAL_US;
    } else {
        p->failures = 0;
        try_next(p, FACTOR * outcome->bps, &then, now_us);
    }
}

bool probe_control_take_outcome(struct probe_control *p, struct probe_outcome *ret,
                                const struct probe_view *view, int64_t now_us)
{
    for (size_t i = 0; i < PROBE_MAX_OPEN; i++) {
        struct probe_cluster *c = &p->open[i];
        struct probe_outcome outcome;

        if (c->id == 0)
            continue;
        outcome = evaluate(c);
        if (outcome.bps <= 0 && !outcome.is_vague &&
            now_us < c->taken_us + view->rtt_us + ANSWER_US)
            continue;
        c->id = 0;
        note_outcome(p, c, &outcome, view, now_us);
        *ret = outcome;
        return true;
    }
    return false;
}
