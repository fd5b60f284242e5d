#include "bench/report.h"

#include "media/base/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

enum { LABEL = 24 };

static const int64_t LATE_US = 5 * MS;

static double per_second(uint64_t n, const struct load_result *r)
{
    return r->window_us > 0 ? (double)n * 1e6 / (double)r->window_us : 0;
}

static double milliseconds(const struct histogram *h, double quantile)
{
    return (double)histogram_quantile(h, quantile) / 1e3;
}

double report_server_us(const struct load_result *r)
{
    /* Threads that ended in the window leave the sum of the others below what it was. */
    if (r->server.exact_us > 0)
        return (double)r->server.exact_us;
    return (double)(r->server.user_us + r->server.system_us);
}

static double system_percent(const struct load_result *r)
{
    double sum = (double)(r->server.user_us + r->server.system_us);

    return sum > 0 ? 100.0 * (double)r->server.system_us / sum : 0;
}

double report_loss_percent(const struct load_result *r)
{
    return r->expected > 0 ? 100.0 * (double)r->lost / (double)r->expected : 0;
}

static double memory_kib(const struct load_result *r)
{
    double grown = (double)r->memory_after_kib - (double)r->memory_before_kib;

    return r->connected > 0 ? grown / r->connected : 0;
}

static bool was_busy(const struct load_result *r)
{
    return r->generator_us * 10 > r->window_us * 9;
}

static bool was_late(const struct load_result *r)
{
    return histogram_quantile(&r->late_us, 0.99) > LATE_US;
}

static double core_percent(const struct load_result *r)
{
    return r->window_us > 0 ? 100.0 * (double)r->generator_us / (double)r->window_us : 0;
}

bool report_saturated(const struct load_result *r)
{
    return was_busy(r) || was_late(r) || r->generator_drops > 0;
}

int report_warnings(const struct load_result *r, const char *ret[REPORT_WARNINGS])
{
    int n = 0;

    if (was_busy(r))
        ret[n++] = "the generator used more than 90 % of a core: it may be what was measured";
    if (was_late(r))
        ret[n++] = "the generator sent frames more than 5 ms late: it, or the machine, was busy";
    if (r->generator_drops > 0)
        ret[n++] = "the generator's sockets overflowed: some of the loss is its own";
    if (r->send_errors > 0)
        ret[n++] = "the kernel did not take all that the generator sent";
    if (r->findings.wrong > 0)
        ret[n++] = "payloads came that nobody sent";
    if (r->findings.reordered > 0)
        ret[n++] = "packets came out of order, or twice";
    if (r->bad_packets > 0)
        ret[n++] = "packets came that could not be decrypted";
    if (r->calls_traced)
        ret[n++] = "system calls were counted by strace, under which a server makes others";
    ret[n] = NULL;
    return n;
}

/* ------------------------------------------------------------------ table */

static void row(struct text *out, const char *label, const char *format, ...) PRINTF_LIKE(3, 4);
static void row(struct text *out, const char *label, const char *format, ...)
{
    char value[160];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    text_printf(out, "  %-*s%s\n", LABEL, label, value);
}

static void row_times(struct text *out, const char *label, const struct histogram *h, bool tail)
{
    if (h->count == 0)
        return;
    if (tail) {
        row(out, label, "%.2f / %.2f / %.2f ms", milliseconds(h, 0.5), milliseconds(h, 0.99),
            milliseconds(h, 0.999));
    } else {
        row(out, label, "%.1f / %.1f ms", milliseconds(h, 0.5), milliseconds(h, 0.99));
    }
}

static void table_server(struct text *out, const struct load_result *r)
{
    double us = report_server_us(r);

    if (!r->probed)
        return;
    row(out, "server CPU", "%.2f s of %.1f s (%.0f %% system)", us / 1e6,
        (double)r->window_us / 1e6, system_percent(r));
    if (r->packets > 0 && us > 0) {
        row(out, "packets per CPU second", "%.0f", (double)r->packets * 1e6 / us);
        row(out, "CPU per packet", "%.2f us", us / (double)r->packets);
    }
    if (r->calls_per_packet >= 0)
        row(out, "system calls per packet", "%.3f", r->calls_per_packet);
    if (r->memory_after_kib > 0)
        row(out, "memory per connection", "%.1f KiB", memory_kib(r));
}

static void row_feedback(struct text *out, const struct load_result *r)
{
    if (r->feedback_packets > 0 || r->feedback_received > 0)
        row(out, "transport feedback", "%" PRIu64 " to the server, %" PRIu64 " from it",
            r->feedback_packets, r->feedback_received);
}

static void table_media(struct text *out, const struct load_result *r)
{
    row(out, "published", "%.0f packets/s", per_second(r->sent, r));
    row(out, "received", "%.0f packets/s, %.3f Gbit/s", per_second(r->packets, r),
        per_second(r->bytes, r) * 8 / 1e9);
    row(out, "loss", "%.4f %% (%" PRIu64 " of %" PRIu64 ")", report_loss_percent(r), r->lost,
        r->expected);
    row_times(out, "delay p50/p99/p99.9", &r->findings.delay_us, true);
    row(out, "verified",
        "%" PRIu64 " packets: %" PRIu64 " wrong, %" PRIu64 " missing, %" PRIu64 " out of order",
        r->findings.packets, r->findings.wrong, r->findings.gaps, r->findings.reordered);
    row_feedback(out, r);
}

void report_table(struct text *out, const struct bench_options *o, const struct load_result *r)
{
    const char *warnings[REPORT_WARNINGS];
    int n = report_warnings(r, warnings);

    text_printf(out, "%s on %s: %" PRIu32 " connections, %.1f s\n",
                scenario_kind_name(o->scenario.kind), target_kind_name(o->target), r->endpoints,
                (double)r->window_us / 1e6);
    if (!scenario_silent(&o->scenario))
        table_media(out, r);
    table_server(out, r);
    if (r->failed > 0)
        row(out, "not connected", "%" PRIu32 " of %" PRIu32 ": %s", r->failed, r->endpoints,
            r->error);
    row_times(out, "connected p50/p99", &r->connected_us, false);
    row_times(out, "first media p50/p99", &r->media_us, false);
    row(out, "all joined in", "%.2f s", (double)r->join_us / 1e6);
    row(out, "generator", "%.0f %% of a core, frames late by %.2f ms (p99)", core_percent(r),
        milliseconds(&r->late_us, 0.99));
    for (int i = 0; i < n; i++)
        text_printf(out, "  warning: %s\n", warnings[i]);
}

/* ------------------------------------------------------------------ JSON */

static void json_times(struct text *out, const char *name, const struct histogram *h)
{
    text_printf(out, ",\"%s\":{\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}", name,
                milliseconds(h, 0.5), milliseconds(h, 0.99), milliseconds(h, 0.999),
                (double)h->max / 1e3);
}

static void json_known(struct text *out, const char *name, bool known, double value)
{
    if (known)
        text_printf(out, ",\"%s\":%.4f", name, value);
    else
        text_printf(out, ",\"%s\":null", name);
}

static void json_server(struct text *out, const struct load_result *r)
{
    double us = report_server_us(r);
    bool known = r->probed && us > 0 && r->packets > 0;

    json_known(out, "server_cpu_s", r->probed, us / 1e6);
    json_known(out, "server_system_cpu_s", r->probed, (double)r->server.system_us / 1e6);
    json_known(out, "packets_per_cpu_s", known, known ? (double)r->packets * 1e6 / us : 0);
    json_known(out, "cpu_us_per_packet", known, known ? us / (double)r->packets : 0);
    json_known(out, "calls_per_packet", r->calls_per_packet >= 0, r->calls_per_packet);
    json_known(out, "memory_kib_per_connection", r->probed, memory_kib(r));
}

void report_json(struct text *out, const struct bench_options *o, const struct load_result *r)
{
    const char *warnings[REPORT_WARNINGS];
    int n = report_warnings(r, warnings);

    text_printf(out,
                "{\"scenario\":\"%s\",\"target\":\"%s\",\"connections\":%" PRIu32
                ",\"failed\":%" PRIu32 ",\"publishers\":%" PRIu32 ",\"subscribers\":%" PRIu32
                ",\"rooms\":%" PRIu32,
                scenario_kind_name(o->scenario.kind), target_kind_name(o->target), r->endpoints,
                r->failed, o->scenario.publishers, o->scenario.subscribers, o->scenario.rooms);
    text_printf(out,
                ",\"bitrate_bps\":%" PRId64 ",\"profile\":\"%s\",\"gro\":%s,\"plain\":%s"
                ",\"seconds\":%.3f",
                o->bitrate_bps, srtp_profile_name(o->profile), o->gro ? "true" : "false",
                o->plain ? "true" : "false", (double)r->window_us / 1e6);
    text_printf(out,
                ",\"sent_packets\":%" PRIu64 ",\"packets\":%" PRIu64
                ",\"packets_per_s\":%.1f,\"gbit_per_s\":%.4f",
                r->sent, r->packets, per_second(r->packets, r), per_second(r->bytes, r) * 8 / 1e9);
    text_printf(out, ",\"expected\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"loss_percent\":%.5f",
                r->expected, r->lost, report_loss_percent(r));
    json_times(out, "delay_ms", &r->findings.delay_us);
    json_times(out, "connected_ms", &r->connected_us);
    json_times(out, "first_media_ms", &r->media_us);
    json_server(out, r);
    text_printf(out,
                ",\"all_joined_s\":%.3f,\"transport_feedback\":{\"sent\":%" PRIu64
                ",\"received\":%" PRIu64 "}",
                (double)r->join_us / 1e6, r->feedback_packets, r->feedback_received);
    text_printf(out,
                ",\"verified\":{\"packets\":%" PRIu64 ",\"wrong\":%" PRIu64 ",\"missing\":%" PRIu64
                ",\"out_of_order\":%" PRIu64 "}",
                r->findings.packets, r->findings.wrong, r->findings.gaps, r->findings.reordered);
    text_printf(out,
                ",\"generator\":{\"core_percent\":%.1f,\"late_p99_ms\":%.3f,\"drops\":%" PRIu64
                "},\"warnings\":[",
                core_percent(r), milliseconds(&r->late_us, 0.99), r->generator_drops);
    for (int i = 0; i < n; i++)
        text_printf(out, "%s\"%s\"", i > 0 ? "," : "", warnings[i]);
    text_append(out, "]}\n");
}
