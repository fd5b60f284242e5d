#include "bench/sink.h"

void sink_count(struct sink *s, uint16_t seq, size_t len)
{
    s->packets++;
    s->bytes += len;
    if (!s->started) {
        s->started = true;
        s->first = s->highest = seq;
        s->window_highest = (int64_t)seq - 1;
        return;
    }
    int16_t step = (int16_t)(uint16_t)(seq - (uint16_t)s->highest);

    if (step > 0)
        s->highest += step;
}

static void follow(struct sink *s, const struct content *content, struct sink_findings *findings)
{
    int32_t step = (int32_t)(content->index - s->content_index);

    if (!s->content_started || content->source != s->content_source) {
        s->content_started = true;
        s->content_source = content->source;
    } else if (step <= 0) {
        findings->reordered++;
        return;
    } else {
        findings->gaps += (uint64_t)step - 1;
    }
    s->content_index = content->index;
}

void sink_check(struct sink *s, const struct content *content, int64_t delay_us,
                struct sink_findings *findings)
{
    findings->packets++;
    if (!content) {
        findings->wrong++;
        return;
    }
    histogram_add(&findings->delay_us, delay_us);
    follow(s, content, findings);
}

/* @return those of `expected` that did not come; 0 if more came */
static uint64_t missing(uint64_t expected, uint64_t packets)
{
    return expected > packets ? expected - packets : 0;
}

void sink_report(struct sink *s, struct rtcp_report *ret)
{
    enum { TOTAL_MAX = 0x7fffff };
    uint64_t expected = s->started ? (uint64_t)(s->highest - s->first) + 1 : 0;
    uint64_t in_interval = expected - s->reported_expected;
    uint64_t lost = missing(in_interval, s->packets - s->reported_packets);
    uint64_t total = missing(expected, s->packets);

    *ret = (struct rtcp_report){
        .ssrc = s->ssrc,
        .fraction_lost = (uint8_t)(lost == 0 ? 0 : (lost * 256 - 1) / in_interval),
        .total_lost = (int32_t)(total < TOTAL_MAX ? total : TOTAL_MAX),
        .highest_seq = (uint32_t)s->highest,
    };
    s->reported_expected = expected;
    s->reported_packets = s->packets;
}

void sink_begin_window(struct sink *s)
{
    s->window_highest = s->highest;
    s->window_packets = s->packets;
}

uint64_t sink_window_expected(const struct sink *s)
{
    return s->started ? (uint64_t)(s->highest - s->window_highest) : 0;
}

uint64_t sink_window_packets(const struct sink *s)
{
    return s->packets - s->window_packets;
}
