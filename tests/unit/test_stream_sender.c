#include "media/stream_sender.h"

#include "media/base/clock.h"
#include "media/seq_rewriter.h"
#include "media/stream_receiver.h"
#include "tests/tap.h"

#include <errno.h>

enum { SSRC = 9, AUDIO_RATE = 48000, VIDEO_RATE = 90000 };

#define NTP_SECOND (UINT64_C(1) << 32)
#define NTP_START  (3900000000 * NTP_SECOND)

/* One stream through the server: the publisher's, its rewriter, and ours. */
struct stream {
    struct stream_receiver source;
    struct seq_rewriter rewriter;
    struct stream_sender sender;
};

static void set_up(struct stream *s, uint32_t clock_rate, uint32_t first_out_ts)
{
    stream_receiver_init(&s->source, 1, clock_rate);
    seq_rewriter_init(&s->rewriter, 100, first_out_ts);
    stream_sender_init(&s->sender, SSRC, clock_rate);
}

static uint32_t forward(struct stream *s, uint16_t seq, uint32_t ts, int64_t now_us)
{
    uint16_t out_seq;
    uint32_t out_ts;

    CHECK_EQ(
        seq_rewriter_map(&s->rewriter, seq, ts, s->sender.clock_rate, now_us, &out_seq, &out_ts),
        0);
    stream_sender_on_packet(&s->sender, 1000);
    return out_ts;
}

static void source_reports(struct stream *s, uint64_t ntp, uint32_t ts, int64_t now_us)
{
    struct rtcp_sender_info sr = {.ssrc = 1, .ntp = ntp, .rtp_ts = ts};

    stream_receiver_on_sr(&s->source, &sr, now_us);
}

static struct rtcp_sender_info report(struct stream *s, int64_t now_us)
{
    struct rtcp_sender_info info;

    CHECK_EQ(stream_sender_report(&s->sender, &s->source, &s->rewriter, now_us, &info), 0);
    return info;
}

static void no_report_before_the_source_reports(void)
{
    struct stream s;
    struct rtcp_sender_info info;

    set_up(&s, VIDEO_RATE, 0);
    (void)forward(&s, 1, 0, 0);
    CHECK_EQ(stream_sender_report(&s.sender, &s.source, &s.rewriter, 0, &info), -EAGAIN);
    source_reports(&s, NTP_START, 0, 0);
    CHECK_EQ(stream_sender_report(&s.sender, &s.source, &s.rewriter, 0, &info), 0);
}

static void no_report_before_a_packet_of_the_source(void)
{
    struct stream s;
    struct rtcp_sender_info info;

    set_up(&s, VIDEO_RATE, 0);
    source_reports(&s, NTP_START, 0, 0);
    CHECK_EQ(stream_sender_report(&s.sender, &s.source, &s.rewriter, 0, &info), -EAGAIN);
    (void)forward(&s, 1, 0, 0);
    seq_rewriter_switch(&s.rewriter);
    CHECK_EQ(stream_sender_report(&s.sender, &s.source, &s.rewriter, 0, &info), -EAGAIN);
}

static void report_keeps_the_publishers_clock(void)
{
    struct stream s;
    struct rtcp_sender_info info;

    set_up(&s, VIDEO_RATE, 5000);
    (void)forward(&s, 1, 70000, SECOND); /* out: 5000 */
    (void)forward(&s, 2, 73000, SECOND + 33 * MS);
    source_reports(&s, NTP_START, 70000, 2 * SECOND);
    info = report(&s, 2 * SECOND + 500 * MS);
    CHECK_EQ(info.ssrc, SSRC);
    CHECK_EQ(info.ntp, NTP_START + NTP_SECOND / 2);
    CHECK_EQ(info.rtp_ts, 5000 + VIDEO_RATE / 2);
    CHECK_EQ(info.packets, 2);
    CHECK_EQ(info.octets, 2000);
}

/* NTP time of an outgoing timestamp, as a subscriber computes it from our report. */
static int64_t presented_us(const struct rtcp_sender_info *sr, uint32_t ts, uint32_t clock_rate)
{
    return ntp_to_wall_us(sr->ntp) + (int64_t)(int32_t)(ts - sr->rtp_ts) * SECOND / clock_rate;
}

static void audio_and_video_stay_in_sync(void)
{
    struct stream audio;
    struct stream video;
    struct rtcp_sender_info sr;
    uint32_t audio_ts;
    uint32_t video_ts;
    int64_t apart_us;

    set_up(&audio, AUDIO_RATE, 0xffffff00);
    set_up(&video, VIDEO_RATE, 12345);
    /* Captured at the same instant, 1 s after the reports; video takes 150 ms longer to arrive,
     * and the reports arrive with other delays again. */
    source_reports(&audio, NTP_START, 1000, 10 * SECOND);
    source_reports(&video, NTP_START, 0xfffffff0, 10 * SECOND + 90 * MS);
    audio_ts = forward(&audio, 1, 1000 + AUDIO_RATE, 11 * SECOND);
    video_ts = forward(&video, 1, 0xfffffff0 + VIDEO_RATE, 11 * SECOND + 150 * MS);
    sr = report(&audio, 13 * SECOND);
    apart_us = presented_us(&sr, audio_ts, AUDIO_RATE);
    sr = report(&video, 14 * SECOND + 333333);
    apart_us -= presented_us(&sr, video_ts, VIDEO_RATE);
    CHECK(apart_us >= -50 && apart_us <= 50); /* a few ticks of rounding */
}

static struct rtcp_report echo(const struct rtcp_sender_info *sr, int64_t delay_us)
{
    return (struct rtcp_report){
        .ssrc = SSRC,
        .fraction_lost = 12,
        .total_lost = 34,
        .jitter = 56,
        .highest_seq = 78,
        .last_sr = (uint32_t)(sr->ntp >> 16),
        .delay_since_sr = (uint32_t)(delay_us * 65536 / SECOND),
    };
}

static void round_trip_is_measured(void)
{
    struct stream s;
    struct rtcp_sender_info sr;
    struct rtcp_report rr;

    set_up(&s, VIDEO_RATE, 0);
    source_reports(&s, NTP_START, 0, 0);
    (void)forward(&s, 1, 0, 0);
    CHECK_EQ(s.sender.rtt_us, -1);
    sr = report(&s, 10 * SECOND);
    (void)report(&s, 11 * SECOND);
    rr = echo(&sr, 500 * MS);
    CHECK_EQ(stream_sender_on_report(&s.sender, &rr, 10 * SECOND + 580 * MS), 80 * MS);
    CHECK_EQ(s.sender.rtt_us, 80 * MS);
    CHECK_EQ(s.sender.fraction_lost, 12);
    CHECK_EQ(s.sender.total_lost, 34);
    CHECK_EQ(s.sender.jitter, 56);
    CHECK_EQ(s.sender.highest_seq, 78);
    CHECK_EQ(s.sender.reported_us, 10 * SECOND + 580 * MS);
}

static void report_that_echoes_nothing_has_no_round_trip(void)
{
    struct stream s;
    struct rtcp_report rr = {.ssrc = SSRC};

    set_up(&s, VIDEO_RATE, 0);
    CHECK_EQ(stream_sender_on_report(&s.sender, &rr, SECOND), -ENOENT);
    rr.last_sr = 0x12345678;
    CHECK_EQ(stream_sender_on_report(&s.sender, &rr, SECOND), -ENOENT);
    CHECK_EQ(s.sender.rtt_us, -1);
}

static void oldest_report_is_forgotten(void)
{
    struct stream s;
    struct rtcp_sender_info first;
    struct rtcp_report rr;

    set_up(&s, VIDEO_RATE, 0);
    source_reports(&s, NTP_START, 0, 0);
    (void)forward(&s, 1, 0, 0);
    first = report(&s, SECOND);
    rr = echo(&first, 0);
    for (int i = 1; i < STREAM_SENDER_REPORTS; i++)
        (void)report(&s, (i + 1) * SECOND);
    CHECK_EQ(stream_sender_on_report(&s.sender, &rr, 9 * SECOND), 8 * SECOND);
    (void)report(&s, 9 * SECOND);
    CHECK_EQ(stream_sender_on_report(&s.sender, &rr, 9 * SECOND), -ENOENT);
}

static void delay_longer_than_the_time_that_passed_is_zero(void)
{
    struct stream s;
    struct rtcp_sender_info sr;
    struct rtcp_report rr;

    set_up(&s, VIDEO_RATE, 0);
    source_reports(&s, NTP_START, 0, 0);
    (void)forward(&s, 1, 0, 0);
    sr = report(&s, SECOND);
    rr = echo(&sr, 2 * SECOND);
    CHECK_EQ(stream_sender_on_report(&s.sender, &rr, 2 * SECOND), 0);
}

TAP_CASES(CASE(no_report_before_the_source_reports), CASE(no_report_before_a_packet_of_the_source),
          CASE(report_keeps_the_publishers_clock), CASE(audio_and_video_stay_in_sync),
          CASE(round_trip_is_measured), CASE(report_that_echoes_nothing_has_no_round_trip),
          CASE(oldest_report_is_forgotten), CASE(delay_longer_than_the_time_that_passed_is_zero))
