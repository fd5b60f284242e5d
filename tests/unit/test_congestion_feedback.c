#include "media/congestion_feedback.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdlib.h>

/* A feedback packet that is written by hand. */
struct draft {
    struct writer w;
    size_t start;
    uint8_t bytes[2048];
};

/* Its first stream's SSRC stands where other feedback has that of the media. */
static void begin(struct draft *d, uint32_t ssrc, uint16_t first, uint16_t count)
{
    struct rtcp_feedback fb = {.sender = 1, .media = ssrc};

    d->w = writer_of(d->bytes, sizeof(d->bytes));
    d->start = rtcp_begin_feedback(&d->w, RTCP_RTPFB, RTPFB_CCFB, &fb);
    writer_u16(&d->w, first);
    writer_u16(&d->w, count);
}

static int read(struct draft *d, struct congestion_status *out, size_t max)
{
    struct rtcp_packet packet;
    struct reader r;

    rtcp_end_feedback(&d->w, d->start);
    CHECK(writer_ok(&d->w));
    r = reader_of(d->bytes, d->w.len);
    CHECK_EQ(rtcp_next(&r, &packet), 1);
    return congestion_feedback_read(&packet, out, max);
}

static void each_packet_is_told_of(void)
{
    struct congestion_status s[8];
    struct draft d;

    begin(&d, 7, 65535, 3);
    writer_u16(&d.w, 0x8000 | 512); /* half a second before */
    writer_u16(&d.w, 0);
    writer_u16(&d.w, 0xe000);
    writer_u16(&d.w, 0); /* filling */
    writer_u32(&d.w, 9);
    writer_u16(&d.w, 100);
    writer_u16(&d.w, 2);
    writer_u16(&d.w, 0x8000 | 0x1fff); /* no time */
    writer_u16(&d.w, 0x8000 | 0x1ffe);
    writer_u32(&d.w, 10 * 65536);
    CHECK_EQ(read(&d, s, ARRAY_LEN(s)), 5);
    CHECK(s[0].ssrc == 7 && s[0].seq == 65535 && s[0].received && s[0].ecn == 0);
    CHECK_EQ(s[0].arrival_us, 9500 * MS);
    CHECK(s[1].ssrc == 7 && s[1].seq == 0 && !s[1].received);
    CHECK_EQ(s[1].arrival_us, -1);
    CHECK(s[2].seq == 1 && s[2].received && s[2].ecn == 3);
    CHECK_EQ(s[2].arrival_us, 10 * SECOND);
    CHECK(s[3].ssrc == 9 && s[3].seq == 100 && s[3].received && s[3].arrival_us == -1);
    CHECK(s[4].seq == 101 && s[4].received && s[4].arrival_us == -1);
    CHECK_EQ(read(&d, s, 2), 2); /* no more than there is room for */
}

static void a_report_may_be_empty(void)
{
    struct congestion_status s[1];
    struct draft d;

    begin(&d, 7, 5, 0);
    writer_u32(&d.w, 1);
    CHECK_EQ(read(&d, s, 1), 0);
}

static void what_does_not_fit_is_refused(void)
{
    struct congestion_status s[8];
    struct draft d;

    begin(&d, 7, 5, 3); /* a packet is missing */
    writer_u16(&d.w, 0x8000);
    writer_u16(&d.w, 0x8000);
    writer_u32(&d.w, 1);
    CHECK_EQ(read(&d, s, 8), -EBADMSG);
    begin(&d, 7, 5, 1); /* a word is left */
    writer_u32(&d.w, 0x80000000);
    writer_u32(&d.w, 1);
    writer_u32(&d.w, 1);
    CHECK_EQ(read(&d, s, 8), -EBADMSG);
    begin(&d, 7, 5, 65535);
    writer_u32(&d.w, 1);
    CHECK_EQ(read(&d, s, 8), -EBADMSG);
    d.w = writer_of(d.bytes, sizeof(d.bytes)); /* no time */
    d.start = 0;
    writer_u32(&d.w, 0x8bcd0001);
    writer_u32(&d.w, 1);
    CHECK_EQ(read(&d, s, 8), -EBADMSG);
}

static void as_many_packets_as_there_may_be(void)
{
    size_t len = 4 + 8 + 8 + 2 * CONGESTION_FEEDBACK_MAX + 8;
    struct congestion_status *s = calloc(CONGESTION_FEEDBACK_MAX, sizeof(*s));
    uint8_t *bytes = calloc(1, len);
    struct rtcp_packet packet = {.type = RTCP_RTPFB, .count = RTPFB_CCFB};

    CHECK(s && bytes);
    bytes[10] = CONGESTION_FEEDBACK_MAX >> 8;
    packet.body = reader_of(bytes, 4 + 8 + 2 * CONGESTION_FEEDBACK_MAX + 4);
    CHECK_EQ(congestion_feedback_read(&packet, s, CONGESTION_FEEDBACK_MAX),
             CONGESTION_FEEDBACK_MAX);
    bytes[11] = 2;
    packet.body = reader_of(bytes, 4 + 8 + 2 * (CONGESTION_FEEDBACK_MAX + 2) + 4);
    CHECK_EQ(congestion_feedback_read(&packet, s, CONGESTION_FEEDBACK_MAX), -EBADMSG);
    free(bytes);
    free(s);
}

static void times_go_on_over_the_wrap(void)
{
    int64_t cycle_us = 65536 * SECOND;
    struct congestion_status s[1];
    struct draft d;

    begin(&d, 7, 5, 1);
    writer_u32(&d.w, 0x84000000); /* a second before */
    writer_u32(&d.w, 65536 / 2);
    CHECK_EQ(read(&d, s, 1), 1);
    CHECK_EQ(s[0].arrival_us, cycle_us - 500 * MS);
    CHECK_EQ(congestion_feedback_unwrap_us(SECOND, s[0].arrival_us), -500 * MS);
    CHECK_EQ(congestion_feedback_unwrap_us(3 * cycle_us - SECOND, 5), 3 * cycle_us + 5);
    CHECK_EQ(congestion_feedback_unwrap_us(5 * SECOND, 6 * SECOND), 6 * SECOND);
}

TAP_CASES(CASE(each_packet_is_told_of), CASE(a_report_may_be_empty),
          CASE(what_does_not_fit_is_refused), CASE(as_many_packets_as_there_may_be),
          CASE(times_go_on_over_the_wrap))
