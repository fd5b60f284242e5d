/*
 * A feedback packet (RFC 8888 section 3.1): SSRC of its sender; per stream SSRC, first number,
 * count, and per packet 16 bits: arrived, ECN, time before the report [1/1024 s], filled up to
 * whole words; at the end the time of the report [1/65536 s].
 */
#include "media/congestion_feedback.h"

#include "media/base/clock.h"

#include <errno.h>

enum {
    SENDER_LEN = 4,
    BLOCK_LEN = 8, /* without its packets */
    TIME_LEN = 4,
    RECEIVED = 0x8000,
    OFFSET_MASK = 0x1fff,
    OFFSET_LONG = 0x1ffe,    /* so long ago, or longer */
    OFFSET_UNKNOWN = 0x1fff, /* no time is known */
};

static const int64_t CYCLE_US = 65536 * SECOND;

static int64_t arrival_of(uint16_t metric, int64_t report_us)
{
    uint16_t offset = metric & OFFSET_MASK;
    int64_t arrival_us = report_us - offset * SECOND / 1024;

    if (!(metric & RECEIVED) || offset >= OFFSET_LONG)
        return -1;
    return arrival_us >= 0 ? arrival_us : arrival_us + CYCLE_US;
}

/* Read one stream's block. @return statuses written; -EBADMSG */
static int read_block(struct reader *r, int64_t report_us, struct congestion_status *out,
                      size_t max)
{
    uint32_t ssrc = reader_u32(r);
    uint16_t first = reader_u16(r);
    size_t count = reader_u16(r);
    size_t n = 0;

    if (count > CONGESTION_FEEDBACK_MAX || reader_left(r) < (count + count % 2) * 2)
        return -EBADMSG;
    for (size_t i = 0; i < count; i++) {
        uint16_t metric = reader_u16(r);

        if (n == max)
            continue;
        out[n++] = (struct congestion_status){
            .ssrc = ssrc,
            .seq = (uint16_t)(first + i),
            .received = metric & RECEIVED,
            .ecn = metric & RECEIVED ? metric >> 13 & 3 : 0,
            .arrival_us = arrival_of(metric, report_us),
        };
    }
    reader_skip(r, count % 2 * 2);
    return (int)n;
}

static int64_t report_time_us(const struct reader *body)
{
    struct reader r = *body;

    reader_skip(&r, reader_left(&r) - TIME_LEN);
    return (int64_t)reader_u32(&r) * SECOND / 65536;
}

int congestion_feedback_read(const struct rtcp_packet *p, struct congestion_status *out, size_t max)
{
    struct reader r = p->body;
    int64_t report_us;
    size_t n = 0;

    if (p->type != RTCP_RTPFB || p->count != RTPFB_CCFB || reader_left(&r) < SENDER_LEN + TIME_LEN)
        return -EBADMSG;
    report_us = report_time_us(&r);
    reader_skip(&r, SENDER_LEN);
    while (reader_left(&r) >= BLOCK_LEN + TIME_LEN) {
        int err = read_block(&r, report_us, out + n, max - n);

        if (err < 0)
            return err;
        n += (size_t)err;
    }
    if (!reader_ok(&r) || reader_left(&r) != TIME_LEN)
        return -EBADMSG;
    return (int)n;
}

int64_t congestion_feedback_unwrap_us(int64_t previous_us, int64_t arrival_us)
{
    int64_t ahead = (arrival_us - previous_us) % CYCLE_US;

    if (ahead < -CYCLE_US / 2)
        ahead += CYCLE_US;
    else if (ahead >= CYCLE_US / 2)
        ahead -= CYCLE_US;
    return previous_us + ahead;
}
