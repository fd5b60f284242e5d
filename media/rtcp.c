#include "media/rtcp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    VERSION = 2,
    SDES_CNAME = 1,
    REMB_NAME = 0x52454d42, /* "REMB" */
    REMB_MANTISSA_MAX = 0x3ffff,
    NACK_PAIR_SPAN = 16, /* a pair names one packet and any of the next 16 */
};

static const int64_t NTP_EPOCH_S = 2208988800; /* 1970 in seconds since 1900 */

int rtcp_next(struct reader *compound, struct rtcp_packet *ret)
{
    uint8_t first;
    uint8_t type;
    uint8_t padding;
    struct reader body;

    if (!reader_ok(compound))
        return -EBADMSG;
    if (reader_left(compound) == 0)
        return 0;
    first = reader_u8(compound);
    type = reader_u8(compound);
    body = reader_sub(compound, (size_t)reader_u16(compound) * 4);
    if (!reader_ok(compound) || first >> 6 != VERSION)
        goto fail;
    if (first & 0x20) {
        /* Chrome pads transport feedback by 1 to 3 bytes: no multiple of 4 is asked for. */
        padding = body.len > 0 ? body.data[body.len - 1] : 0;
        if (padding == 0 || padding > body.len)
            goto fail;
        body.len -= padding;
    }
    *ret = (struct rtcp_packet){.count = first & 31, .type = type, .body = body};
    return 1;
fail:
    compound->failed = true;
    return -EBADMSG;
}

static struct rtcp_report read_report(struct reader *r)
{
    struct rtcp_report report = {.ssrc = reader_u32(r), .fraction_lost = reader_u8(r)};
    int32_t lost = (int32_t)reader_u24(r);

    report.total_lost = lost >= 1 << 23 ? lost - (1 << 24) : lost;
    report.highest_seq = reader_u32(r);
    report.jitter = reader_u32(r);
    report.last_sr = reader_u32(r);
    report.delay_since_sr = reader_u32(r);
    return report;
}

static int read_reports(struct reader *r, size_t n, struct rtcp_report *reports)
{
    for (size_t i = 0; i < n; i++) {
        struct rtcp_report report = read_report(r);

        if (reports)
            reports[i] = report;
    }
    return reader_ok(r) ? (int)n : -EBADMSG;
}

int rtcp_read_sr(const struct rtcp_packet *p, struct rtcp_sender_info *info,
                 struct rtcp_report *reports)
{
    struct reader r = p->body;
    struct rtcp_sender_info sr = {.ssrc = reader_u32(&r)};
    int n;

    if (p->type != RTCP_SR)
        return -EBADMSG;
    sr.ntp = reader_u64(&r);
    sr.rtp_ts = reader_u32(&r);
    sr.packets = reader_u32(&r);
    sr.octets = reader_u32(&r);
    n = read_reports(&r, p->count, reports);
    if (n >= 0)
        *info = sr;
    return n;
}

int rtcp_read_rr(const struct rtcp_packet *p, uint32_t *sender, struct rtcp_report *reports)
{
    struct reader r = p->body;
    uint32_t ssrc = reader_u32(&r);
    int n;

    if (p->type != RTCP_RR)
        return -EBADMSG;
    n = read_reports(&r, p->count, reports);
    if (n >= 0)
        *sender = ssrc;
    return n;
}

int rtcp_open_feedback(const struct rtcp_packet *p, enum rtcp_type type, uint8_t format,
                       struct rtcp_feedback *fb, struct reader *fci)
{
    struct reader r = p->body;
    struct rtcp_feedback fixed = {.sender = reader_u32(&r), .media = reader_u32(&r)};

    if (p->type != type || p->count != format || !reader_ok(&r))
        return -EBADMSG;
    *fb = fixed;
    *fci = r;
    return 0;
}

int rtcp_read_nack(const struct rtcp_packet *p, struct rtcp_feedback *fb, uint16_t *seqs,
                   size_t max)
{
    struct reader r;
    size_t n = 0;
    int err = rtcp_open_feedback(p, RTCP_RTPFB, RTPFB_NACK, fb, &r);

    if (err < 0 || reader_left(&r) == 0)
        return -EBADMSG;
    while (reader_left(&r) > 0) {
        uint16_t seq = reader_u16(&r);
        uint16_t following = reader_u16(&r);

        if (!reader_ok(&r))
            return -EBADMSG;
        if (n < max)
            seqs[n++] = seq;
        for (unsigned bit = 0; bit < NACK_PAIR_SPAN; bit++) {
            if (following >> bit & 1 && n < max)
                seqs[n++] = (uint16_t)(seq + bit + 1);
        }
    }
    return (int)n;
}

int rtcp_read_pli(const struct rtcp_packet *p, struct rtcp_feedback *fb)
{
    struct reader r;

    return rtcp_open_feedback(p, RTCP_PSFB, PSFB_PLI, fb, &r);
}

int rtcp_read_fir(const struct rtcp_packet *p, struct rtcp_feedback *fb, uint32_t *ssrcs,
                  size_t max)
{
    struct reader r;
    size_t n = 0;
    int err = rtcp_open_feedback(p, RTCP_PSFB, PSFB_FIR, fb, &r);

    if (err < 0 || reader_left(&r) == 0)
        return -EBADMSG;
    while (reader_left(&r) > 0) {
        uint32_t ssrc = reader_u32(&r);

        reader_skip(&r, 4); /* command number and reserved */
        if (!reader_ok(&r))
            return -EBADMSG;
        if (n < max)
            ssrcs[n++] = ssrc;
    }
    return (int)n;
}

int rtcp_read_remb(const struct rtcp_packet *p, struct rtcp_feedback *fb, uint64_t *bitrate_bps)
{
    struct reader r;
    uint8_t n_ssrcs;
    uint32_t packed;
    unsigned exponent;
    uint64_t mantissa;
    int err = rtcp_open_feedback(p, RTCP_PSFB, PSFB_REMB, fb, &r);

    if (err < 0)
        return err;
    if (reader_u32(&r) != REMB_NAME)
        return reader_ok(&r) ? -ENOENT : -EBADMSG;
    n_ssrcs = reader_u8(&r);
    packed = reader_u24(&r);
    reader_skip(&r, (size_t)n_ssrcs * 4);
    exponent = packed >> 18;
    mantissa = packed & REMB_MANTISSA_MAX;
    if (!reader_ok(&r) || mantissa << exponent >> exponent != mantissa)
        return -EBADMSG;
    *bitrate_bps = mantissa << exponent;
    return 0;
}

int rtcp_read_bye(const struct rtcp_packet *p, uint32_t *ssrcs)
{
    struct reader r = p->body;

    if (p->type != RTCP_BYE || reader_left(&r) / 4 < p->count)
        return -EBADMSG;
    for (size_t i = 0; i < p->count; i++)
        ssrcs[i] = reader_u32(&r);
    return p->count;
}

/* Write a header of unknown length. @return where it starts, for end_packet() */
static size_t begin_packet(struct writer *w, size_t count, enum rtcp_type type)
{
    size_t start = w->len;

    assert(count <= RTCP_MAX_REPORTS);
    writer_u8(w, (uint8_t)(VERSION << 6 | count));
    writer_u8(w, (uint8_t)type);
    writer_u16(w, 0);
    return start;
}

static void end_packet(struct writer *w, size_t start)
{
    if (!writer_ok(w))
        return;
    assert((w->len - start) % 4 == 0);
    writer_patch_u16(w, start + 2, (uint16_t)((w->len - start) / 4 - 1));
}

static void pad_to_word(struct writer *w, size_t start)
{
    while (writer_ok(w) && (w->len - start) % 4 != 0)
        writer_u8(w, 0);
}

static void write_reports(struct writer *w, const struct rtcp_report *reports, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        writer_u32(w, reports[i].ssrc);
        writer_u8(w, reports[i].fraction_lost);
        writer_u24(w, (uint32_t)reports[i].total_lost & 0xffffff);
        writer_u32(w, reports[i].highest_seq);
        writer_u32(w, reports[i].jitter);
        writer_u32(w, reports[i].last_sr);
        writer_u32(w, reports[i].delay_since_sr);
    }
}

void rtcp_write_sr(struct writer *w, const struct rtcp_sender_info *info,
                   const struct rtcp_report *reports, size_t n)
{
    size_t start = begin_packet(w, n, RTCP_SR);

    writer_u32(w, info->ssrc);
    writer_u64(w, info->ntp);
    writer_u32(w, info->rtp_ts);
    writer_u32(w, info->packets);
    writer_u32(w, info->octets);
    write_reports(w, reports, n);
    end_packet(w, start);
}

void rtcp_write_rr(struct writer *w, uint32_t sender, const struct rtcp_report *reports, size_t n)
{
    size_t start = begin_packet(w, n, RTCP_RR);

    writer_u32(w, sender);
    write_reports(w, reports, n);
    end_packet(w, start);
}

void rtcp_write_sdes_cname(struct writer *w, uint32_t ssrc, const char *cname)
{
    size_t start = begin_packet(w, 1, RTCP_SDES);
    size_t len = strlen(cname);

    assert(len <= RTCP_CNAME_MAX);
    writer_u32(w, ssrc);
    writer_u8(w, SDES_CNAME);
    writer_u8(w, (uint8_t)len);
    writer_bytes(w, cname, len);
    writer_u8(w, 0); /* the list of items ends with at least one zero */
    pad_to_word(w, start);
    end_packet(w, start);
}

void rtcp_write_bye(struct writer *w, const uint32_t *ssrcs, size_t n, const char *reason)
{
    size_t start = begin_packet(w, n, RTCP_BYE);

    for (size_t i = 0; i < n; i++)
        writer_u32(w, ssrcs[i]);
    if (reason) {
        size_t len = strlen(reason);

        assert(len <= UINT8_MAX);
        writer_u8(w, (uint8_t)len);
        writer_bytes(w, reason, len);
        pad_to_word(w, start);
    }
    end_packet(w, start);
}

size_t rtcp_begin_feedback(struct writer *w, enum rtcp_type type, uint8_t format,
                           const struct rtcp_feedback *fb)
{
    size_t start = begin_packet(w, format, type);

    writer_u32(w, fb->sender);
    writer_u32(w, fb->media);
    return start;
}

void rtcp_end_feedback(struct writer *w, size_t start)
{
    pad_to_word(w, start);
    end_packet(w, start);
}

void rtcp_write_pli(struct writer *w, const struct rtcp_feedback *fb)
{
    end_packet(w, rtcp_begin_feedback(w, RTCP_PSFB, PSFB_PLI, fb));
}

void rtcp_write_fir(struct writer *w, const struct rtcp_feedback *fb, uint8_t command_seq)
{
    /* RFC 5104 section 4.3.1.2: the target is in the entry, the media source is zero. */
    struct rtcp_feedback fixed = {.sender = fb->sender};
    size_t start = rtcp_begin_feedback(w, RTCP_PSFB, PSFB_FIR, &fixed);

    writer_u32(w, fb->media);
    writer_u8(w, command_seq);
    writer_u24(w, 0);
    end_packet(w, start);
}

void rtcp_write_nack(struct writer *w, const struct rtcp_feedback *fb, const uint16_t *seqs,
                     size_t n)
{
    size_t start;
    size_t i = 0;

    if (n == 0)
        return;
    start = rtcp_begin_feedback(w, RTCP_RTPFB, RTPFB_NACK, fb);
    while (i < n) {
        uint16_t first = seqs[i++];
        uint16_t following = 0;

        for (; i < n; i++) {
            uint16_t ahead = (uint16_t)(seqs[i] - first);

            if (ahead > NACK_PAIR_SPAN)
                break;
            if (ahead > 0)
                following = (uint16_t)(following | 1U << (ahead - 1));
        }
        writer_u16(w, first);
        writer_u16(w, following);
    }
    end_packet(w, start);
}

void rtcp_write_remb(struct writer *w, const struct rtcp_feedback *fb, uint64_t bitrate_bps,
                     const uint32_t *ssrcs, size_t n)
{
    size_t start = rtcp_begin_feedback(w, RTCP_PSFB, PSFB_REMB, fb);
    unsigned exponent = 0;

    assert(n <= UINT8_MAX);
    while (bitrate_bps >> exponent > REMB_MANTISSA_MAX)
        exponent++;
    writer_u32(w, REMB_NAME);
    writer_u8(w, (uint8_t)n);
    writer_u24(w, exponent << 18 | (uint32_t)(bitrate_bps >> exponent));
    for (size_t i = 0; i < n; i++)
        writer_u32(w, ssrcs[i]);
    end_packet(w, start);
}

uint64_t ntp_from_wall_us(int64_t wall_us)
{
    int64_t seconds = wall_us / 1000000;
    int64_t us = wall_us % 1000000;

    if (us < 0) {
        us += 1000000;
        seconds--;
    }
    return (uint64_t)(seconds + NTP_EPOCH_S) << 32 | ((uint64_t)us << 32) / 1000000;
}

int64_t ntp_to_wall_us(uint64_t ntp)
{
    int64_t seconds = (int64_t)(ntp >> 32);
    uint64_t fraction = ntp & UINT32_MAX;

    if (seconds < INT64_C(1) << 31) /* RFC 4330 section 3: era 1 begins in 2036 */
        seconds += INT64_C(1) << 32;
    return (seconds - NTP_EPOCH_S) * 1000000 + (int64_t)((fraction * 1000000 + (1U << 31)) >> 32);
}
