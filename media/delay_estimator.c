#include "media/delay_estimator.h"

#include "media/base/clock.h"

#include <math.h>

static const int64_t BURST_US = 5 * MS;          /* the draft's burst_time */
static const int64_t BURST_MAX_US = 100 * MS;    /* what arrives as one is one group, up to this */
static const int64_t PAUSE_US = 2 * SECOND;      /* a trend does not reach across a pause */
static const double TREND_SPAN_MS = 1000;        /* older groups are no part of the trend */
static const int64_t QUEUE_MAX_US = 10 * SECOND; /* no path is that slow; clocks are that wrong */
static const int64_t BASE_SLOT_US = 1500 * MS;
static const int64_t RECENT_US = 50 * MS;      /* at least, and RECENT_PACKETS, */
static const int64_t RECENT_MAX_US = 200 * MS; /* or this long */

enum {
    RECENT_PACKETS = 5
}; /* as many for slow streams as for fast ones: the shortest of few is longer */
enum { TREND_MIN_GROUPS = 6, TREND_GAIN = 4, TREND_MAX_GROUPS = 60 };

/* Draft 5.4 and table 1, in milliseconds. */
static const double SMOOTHING = 0.9;
static const double STEP_MAX_MS = 10000;
static const double THRESHOLD_START_MS = 12.5;
static const double THRESHOLD_MIN_MS = 6;
static const double THRESHOLD_MAX_MS = 600;
static const double THRESHOLD_UP = 0.0087;
static const double THRESHOLD_DOWN = 0.039;
static const double THRESHOLD_OUTLIER_MS = 15;
static const double THRESHOLD_STEP_MAX_MS = 100;
static const double OVERUSE_MS = 10;

static void clear_bases(struct delay_estimator *d)
{
    for (size_t i = 0; i < DELAY_BASE_SLOTS; i++)
        d->base_us[i] = INT64_MAX;
}

void delay_estimator_init(struct delay_estimator *d)
{
    *d = (struct delay_estimator){
        .threshold_ms = THRESHOLD_START_MS,
        .base_slot = INT64_MIN,
        .recent_us = {INT64_MAX, INT64_MAX},
        .newest_sent_us = INT64_MIN,
    };
    clear_bases(d);
}

static void reset_trend(struct delay_estimator *d)
{
    d->group.used = d->previous.used = false;
    d->groups = 0;
    d->accumulated_ms = d->smoothed_ms = d->last_trend_ms = 0;
    d->over_ms = 0;
    d->over_groups = 0;
    d->signal = DELAY_NORMAL;
}

/* @return slope of the line through the newest points [ms of delay per ms], 0 if there are too few
 */
static double slope(const struct delay_estimator *d)
{
    uint32_t n = d->groups < DELAY_TREND_GROUPS ? d->groups : DELAY_TREND_GROUPS;
    double newest_ms = d->trend[(d->groups - 1) % DELAY_TREND_GROUPS].sent_ms;
    double x = 0, y = 0, xx = 0, xy = 0;
    uint32_t used = 0;

    for (uint32_t i = 1; i <= n; i++) {
        const struct delay_point *p = &d->trend[(d->groups - i) % DELAY_TREND_GROUPS];
        double back_ms = p->sent_ms - newest_ms;

        if (back_ms < -TREND_SPAN_MS)
            break;
        x += back_ms;
        y += p->delay_ms;
        xx += back_ms * back_ms;
        xy += back_ms * p->delay_ms;
        used++;
    }
    if (used < TREND_MIN_GROUPS || xx * used - x * x < 1e-3)
        return 0;
    return (xy * used - x * y) / (xx * used - x * x);
}

/* Draft 5.4: follow the trend, slowly upwards, so that a queue of others cannot starve us. */
static void adapt_threshold(struct delay_estimator *d, double trend_ms, double step_ms)
{
    double size_ms = fabs(trend_ms);
    double gain = size_ms < d->threshold_ms ? THRESHOLD_DOWN : THRESHOLD_UP;

    if (size_ms > d->threshold_ms + THRESHOLD_OUTLIER_MS)
        return;
    step_ms = fmin(step_ms, THRESHOLD_STEP_MAX_MS);
    d->threshold_ms += gain * (size_ms - d->threshold_ms) * step_ms;
    d->threshold_ms = fmax(THRESHOLD_MIN_MS, fmin(THRESHOLD_MAX_MS, d->threshold_ms));
}

/* Draft 5.5: a trend above the threshold that lasts and does not fall is overuse. */
static void detect(struct delay_estimator *d, double step_ms)
{
    uint32_t n = d->groups < TREND_MAX_GROUPS ? d->groups : TREND_MAX_GROUPS;
    double trend_ms = slope(d) * n * TREND_GAIN;

    if (trend_ms > d->threshold_ms) {
        d->over_ms += step_ms;
        d->over_groups++;
        if (d->over_ms > OVERUSE_MS && d->over_groups > 1 && trend_ms >= d->last_trend_ms)
            d->signal = DELAY_OVERUSED;
    } else {
        d->over_ms = 0;
        d->over_groups = 0;
        d->signal = trend_ms < -d->threshold_ms ? DELAY_UNDERUSED : DELAY_NORMAL;
    }
    d->last_trend_ms = trend_ms;
    adapt_threshold(d, trend_ms, step_ms);
}

/* `d->group` is complete: one more point of the trend. */
static void add_point(struct delay_estimator *d)
{
    const struct delay_group *now = &d->group;
    const struct delay_group *before = &d->previous;
    double sent_ms = (double)(now->last_sent_us - before->last_sent_us) / MS;
    double arrival_ms = (double)(now->last_arrival_us - before->last_arrival_us) / MS;
    double step_ms = fmax(-STEP_MAX_MS, fmin(STEP_MAX_MS, arrival_ms - sent_ms));

    if (d->groups == 0)
        d->trend_start_us = before->last_sent_us;
    d->accumulated_ms += step_ms;
    d->smoothed_ms = SMOOTHING * d->smoothed_ms + (1 - SMOOTHING) * d->accumulated_ms;
    d->trend[d->groups % DELAY_TREND_GROUPS] = (struct delay_point){
        .sent_ms = (double)(now->last_sent_us - d->trend_start_us) / MS,
        .delay_ms = d->smoothed_ms,
    };
    d->groups++;
    if (d->groups == UINT32_MAX) /* years from now */
        d->groups = DELAY_TREND_GROUPS + d->groups % DELAY_TREND_GROUPS;
    detect(d, sent_ms);
}

/* Left within the burst, or was held up on the way and let go together with the group. */
static bool belongs(const struct delay_group *group, int64_t sent_us, int64_t arrival_us)
{
    int64_t sent_step_us = sent_us - group->last_sent_us;
    int64_t arrival_step_us = arrival_us - group->last_arrival_us;

    if (sent_us - group->first_sent_us <= BURST_US)
        return true;
    return arrival_step_us >= 0 && arrival_step_us <= BURST_US && arrival_step_us < sent_step_us &&
           sent_us - group->first_sent_us < BURST_MAX_US;
}

static void add_to_groups(struct delay_estimator *d, int64_t sent_us, int64_t arrival_us)
{
    struct delay_group *group = &d->group;

    if (group->used && sent_us - group->last_sent_us > PAUSE_US)
        reset_trend(d);
    if (group->used && belongs(group, sent_us, arrival_us)) {
        group->last_sent_us = sent_us;
        if (arrival_us > group->last_arrival_us)
            group->last_arrival_us = arrival_us;
        return;
    }
    if (group->used) {
        if (d->previous.used)
            add_point(d);
        d->previous = *group;
    }
    *group = (struct delay_group){sent_us, sent_us, arrival_us, true};
}

/* @return number of the slot of `length_us` that `at_us` is in */
static int64_t slot_of(int64_t at_us, int64_t length_us)
{
    return at_us >= 0 ? at_us / length_us : -1 - (-1 - at_us) / length_us;
}

static void note_base(struct delay_estimator *d, int64_t sent_us, int64_t delay_us)
{
    int64_t slot = slot_of(sent_us, BASE_SLOT_US);
    int64_t *base_us;

    if (d->base_slot == INT64_MIN || slot - d->base_slot >= DELAY_BASE_SLOTS)
        clear_bases(d);
    else
        for (int64_t i = d->base_slot + 1; i <= slot; i++)
            d->base_us[(uint64_t)i % DELAY_BASE_SLOTS] = INT64_MAX;
    d->base_slot = slot;
    base_us = &d->base_us[(uint64_t)slot % DELAY_BASE_SLOTS];
    if (delay_us < *base_us)
        *base_us = delay_us;
}

static void note_recent(struct delay_estimator *d, int64_t sent_us, int64_t delay_us)
{
    int64_t passed_us = sent_us - d->recent_start_us;

    if (d->recent_packets == 0 || passed_us >= RECENT_MAX_US ||
        (passed_us >= RECENT_US && d->recent_packets >= RECENT_PACKETS)) {
        d->recent_us[1] = passed_us < 2 * RECENT_MAX_US ? d->recent_us[0] : INT64_MAX;
        d->recent_us[0] = INT64_MAX;
        d->recent_start_us = sent_us;
        d->recent_packets = 0;
    }
    d->recent_packets++;
    if (delay_us < d->recent_us[0])
        d->recent_us[0] = delay_us;
}

void delay_estimator_on_packet(struct delay_estimator *d, int64_t sent_us, int64_t arrival_us,
                               bool is_probe)
{
    int64_t delay_us = arrival_us - sent_us;

    if (sent_us < d->newest_sent_us)
        return;
    if (d->newest_sent_us != INT64_MIN && !is_probe) {
        double step_us = fabs((double)(delay_us - d->newest_delay_us));

        d->jitter_us += (fmin(step_us, STEP_MAX_MS * MS) - d->jitter_us) / 16;
    }
    d->newest_sent_us = sent_us;
    d->newest_delay_us = delay_us;
    note_base(d, sent_us, delay_us);
    note_recent(d, sent_us, delay_us);
    if (!is_probe)
        add_to_groups(d, sent_us, arrival_us);
}

static int64_t recent_delay_us(const struct delay_estimator *d)
{
    return d->recent_us[0] < d->recent_us[1] ? d->recent_us[0] : d->recent_us[1];
}

int64_t delay_estimator_queue_us(const struct delay_estimator *d)
{
    int64_t shortest_us = INT64_MAX;
    int64_t queue_us;

    for (size_t i = 0; i < DELAY_BASE_SLOTS; i++)
        if (d->base_us[i] < shortest_us)
            shortest_us = d->base_us[i];
    if (shortest_us == INT64_MAX)
        return 0;
    queue_us = recent_delay_us(d) - shortest_us;
    return queue_us < QUEUE_MAX_US ? queue_us : QUEUE_MAX_US;
}

void delay_estimator_rebase(struct delay_estimator *d)
{
    if (d->base_slot == INT64_MIN)
        return;
    clear_bases(d);
    d->base_us[(uint64_t)d->base_slot % DELAY_BASE_SLOTS] = recent_delay_us(d);
}
