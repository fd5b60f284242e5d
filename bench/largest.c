#include "bench/largest.h"

#include "bench/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    NEAR_ENOUGH = 20, /* of which one part */
    BUSY_PERCENT = 95,
    TRIES = 3,
    JOINS_PER_S =
        20, /* at the least: everybody is told of everybody, which takes a large room long */
};

const char *largest_limit_name(enum largest_limit limit)
{
    static const char *const names[] = {
        [LARGEST_SERVER] = "server",
        [LARGEST_GENERATOR] = "generator",
        [LARGEST_JOINING] = "joining",
        [LARGEST_NONE] = "none",
    };

    return names[limit];
}

/* ------------------------------------------------------------------ the search */

void largest_search_init(struct largest_search *s, uint32_t first, uint32_t max)
{
    *s = (struct largest_search){.first = first < max ? first : max, .max = max};
}

uint32_t largest_search_next(const struct largest_search *s)
{
    uint32_t near = s->low / NEAR_ENOUGH > 1 ? s->low / NEAR_ENOUGH : 1;

    if (s->high == 0) {
        if (s->low == s->max)
            return 0;
        if (s->low == 0)
            return s->first;
        return s->low < s->max / 2 ? s->low * 2 : s->max;
    }
    return s->high - s->low <= near ? 0 : s->low + (s->high - s->low) / 2;
}

void largest_search_note(struct largest_search *s, uint32_t n, bool sustained)
{
    if (sustained)
        s->low = n;
    else
        s->high = n;
}

/* ------------------------------------------------------------------ one step */

static void read_step(struct largest_step *step, const struct load_result *r)
{
    step->loss_percent = report_loss_percent(r);
    step->delay_p99_ms = (double)histogram_quantile(&r->findings.delay_us, 0.99) / 1e3;
    step->packets_per_s = (double)r->packets * 1e6 / (double)r->window_us;
    step->server_percent = 100.0 * report_server_us(r) / (double)r->window_us;
    step->generator_percent = 100.0 * (double)r->generator_us / (double)r->window_us;
    step->saturated = report_saturated(r);
    step->sustained = r->findings.delay_us.count > 0 && step->delay_p99_ms < LARGEST_DELAY_MS &&
                      step->loss_percent * 10 < LARGEST_LOSS_PER_MIL;
}

static void show_step(const struct bench_options *options, const struct largest_step *step,
                      const char *error)
{
    if (options->quiet)
        return;
    (void)fprintf(stderr, "%" PRIu32 " subscribers: %s: ", step->subscribers,
                  step->sustained ? "yes" : "no");
    if (error[0]) {
        (void)fprintf(stderr, "%s\n", error);
        return;
    }
    (void)fprintf(
        stderr, "loss %.3f %%, delay p99 %.2f ms, server %.0f %% and generator %.0f %% of a core\n",
        step->loss_percent, step->delay_p99_ms, step->server_percent, step->generator_percent);
}

/* A server with a whole core to do is what gave up, even if the generator was busy, too. */
static enum largest_limit limit_of(const struct largest_step *step)
{
    return step->saturated && step->server_percent < BUSY_PERCENT ? LARGEST_GENERATOR
                                                                  : LARGEST_SERVER;
}

/* @return 0; -EINTR */
static int try_once(const struct bench_options *options, struct largest_result *ret,
                    struct largest_step *step)
{
    static struct load_result result;
    struct bench_options one = *options;
    char reason[LOAD_REASON_MAX + 1] = "";
    int err;

    *step = (struct largest_step){.subscribers = step->subscribers};
    one.scenario.subscribers = step->subscribers;
    if (one.timeout < step->subscribers / JOINS_PER_S)
        one.timeout = step->subscribers / JOINS_PER_S;
    err = load_run(&one, &result, reason);
    if (err == -EINTR)
        return err;
    if (err == 0) {
        read_step(step, &result);
        reason[0] = '\0';
    }
    show_step(options, step, reason);
    if (step->sustained)
        return 0;
    ret->limit = err < 0 ? LARGEST_JOINING : limit_of(step);
    memcpy(ret->error, reason, sizeof(ret->error));
    return 0;
}

/* What the generator spoiled says nothing of the server: it gets another chance. */
static int try_step(const struct bench_options *options, struct largest_result *ret,
                    struct largest_step *step)
{
    int err = 0;

    for (int i = 0; i < TRIES && err == 0; i++) {
        err = try_once(options, ret, step);
        if (step->sustained || ret->limit != LARGEST_GENERATOR)
            break;
    }
    return err;
}

int largest_run(const struct bench_options *options, struct largest_result *ret)
{
    uint32_t max = SCENARIO_MAX_ENDPOINTS - options->scenario.publishers * 2;
    struct largest_search search;
    uint32_t n;

    *ret = (struct largest_result){.limit = LARGEST_NONE};
    largest_search_init(&search, options->scenario.subscribers, max);
    while (ret->n < LARGEST_STEPS && (n = largest_search_next(&search)) > 0) {
        struct largest_step *step = &ret->steps[ret->n++];
        int err;

        step->subscribers = n;
        err = try_step(options, ret, step);
        if (err < 0)
            return err;
        largest_search_note(&search, n, step->sustained);
    }
    ret->subscribers = search.low;
    return 0;
}

/* ------------------------------------------------------------------ text */

static const char *explain(enum largest_limit limit)
{
    static const char *const texts[] = {
        [LARGEST_SERVER] = "with more the server lost or delayed packets",
        [LARGEST_GENERATOR] = "at least: with more this generator was too busy, not the server",
        [LARGEST_JOINING] = "at least: more could not join",
        [LARGEST_NONE] = "at least: more do not fit into one run",
    };

    return texts[limit];
}

void largest_table(struct text *out, const struct largest_result *result)
{
    text_append(out, "  subscribers     loss  delay p99  packets/s  server  generator\n");
    for (uint32_t i = 0; i < result->n; i++) {
        const struct largest_step *s = &result->steps[i];

        text_printf(out, "  %11" PRIu32 "  %6.3f %%  %6.2f ms  %9.0f  %4.0f %%     %4.0f %%  %s\n",
                    s->subscribers, s->loss_percent, s->delay_p99_ms, s->packets_per_s,
                    s->server_percent, s->generator_percent, s->sustained ? "" : "too much");
    }
    text_printf(out, "largest broadcast: %" PRIu32 " subscribers; %s\n", result->subscribers,
                explain(result->limit));
    if (result->limit == LARGEST_JOINING)
        text_printf(out, "  %s\n", result->error);
}

void largest_json(struct text *out, const struct bench_options *options,
                  const struct largest_result *result)
{
    text_printf(out,
                "{\"target\":\"%s\",\"bitrate_bps\":%" PRId64 ",\"gro\":%s,\"largest\":%" PRIu32
                ",\"limit\":\"%s\",\"steps\":[",
                target_kind_name(options->target), options->bitrate_bps,
                options->gro ? "true" : "false", result->subscribers,
                largest_limit_name(result->limit));
    for (uint32_t i = 0; i < result->n; i++) {
        const struct largest_step *s = &result->steps[i];

        text_printf(out,
                    "%s{\"subscribers\":%" PRIu32 ",\"sustained\":%s,\"loss_percent\":%.5f,"
                    "\"delay_p99_ms\":%.3f,\"packets_per_s\":%.1f,\"server_core_percent\":%.1f,"
                    "\"generator_core_percent\":%.1f}",
                    i > 0 ? "," : "", s->subscribers, s->sustained ? "true" : "false",
                    s->loss_percent, s->delay_p99_ms, s->packets_per_s, s->server_percent,
                    s->generator_percent);
    }
    text_append(out, "]}\n");
}
