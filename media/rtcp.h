/**
 * @file rtcp.h  RTCP compound packets: walk, read, write. RFC 3550 section 6, RFC 4585, RFC 5104,
 * draft-alvestrand-rmcat-remb, draft-holmer-rmcat-transport-wide-cc-extensions-01.
 *
 * Plain values; no allocation. Reduced-size packets (RFC 5506) are accepted.
 */
#ifndef MEDIA_RTCP_H
#define MEDIA_RTCP_H

#include "media/base/attributes.h"
#include "media/base/reader.h"
#include "media/base/writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rtcp_type {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_APP = 204,
    RTCP_RTPFB = 205,
    RTCP_PSFB = 206,
    RTCP_XR = 207,
};

enum { RTPFB_NACK = 1, RTPFB_CCFB = 11, RTPFB_TRANSPORT_CC = 15 };
enum { PSFB_PLI = 1, PSFB_FIR = 4, PSFB_REMB = 15 };
enum { RTCP_MAX_REPORTS = 31, RTCP_MAX_NACKS = 512, RTCP_CNAME_MAX = 255 };

/** One packet of a compound. */
struct rtcp_packet {
    uint8_t count;      /* the 5 bits: report count or feedback format */
    uint8_t type;       /* enum rtcp_type, or a type we do not know */
    struct reader body; /* after the 4 byte header, without padding */
};

/** Take the next packet of the compound. @return 1: *ret is set; 0: the end; -EBADMSG */
MUST_USE int rtcp_next(struct reader *compound, struct rtcp_packet *ret);

struct rtcp_sender_info {
    uint32_t ssrc;
    uint64_t ntp; /* 32.32 fixed point seconds since 1900 */
    uint32_t rtp_ts;
    uint32_t packets, octets;
};

struct rtcp_report {
    uint32_t ssrc;           /* the source reported on */
    uint8_t fraction_lost;   /* of 256, since the last report */
    int32_t total_lost;      /* 24 bit signed */
    uint32_t highest_seq;    /* extended */
    uint32_t jitter;         /* [RTP timestamp units] */
    uint32_t last_sr;        /* middle 32 bits of the last SR's NTP time; 0: none */
    uint32_t delay_since_sr; /* [1/65536 s] */
};

/** Read an SR. `reports` may be NULL, else room for RTCP_MAX_REPORTS. @return number of reports;
 * -EBADMSG */
MUST_USE int rtcp_read_sr(const struct rtcp_packet *p, struct rtcp_sender_info *info,
                          struct rtcp_report *reports);

/** Read an RR, as rtcp_read_sr(). @param sender  receives the reporter's SSRC */
MUST_USE int rtcp_read_rr(const struct rtcp_packet *p, uint32_t *sender,
                          struct rtcp_report *reports);

/** The fixed part of RTPFB and PSFB. */
struct rtcp_feedback {
    uint32_t sender, media; /* SSRCs */
};

/**
 * Read the fixed part; what every reader of feedback starts with.
 *
 * @param fci  receives a reader over the bytes that follow
 * @return 0; -EBADMSG: too short, or not feedback of this type and format
 */
MUST_USE int rtcp_open_feedback(const struct rtcp_packet *p, enum rtcp_type type, uint8_t format,
                                struct rtcp_feedback *fb, struct reader *fci);

/** Read a generic NACK. @param seqs  room for `max`. @return count; -EBADMSG; excess is left out */
MUST_USE int rtcp_read_nack(const struct rtcp_packet *p, struct rtcp_feedback *fb, uint16_t *seqs,
                            size_t max);

/** Read PLI. @return 0; -EBADMSG */
MUST_USE int rtcp_read_pli(const struct rtcp_packet *p, struct rtcp_feedback *fb);

/** Read FIR targets into `ssrcs` (room for `max`). @return count; -EBADMSG */
MUST_USE int rtcp_read_fir(const struct rtcp_packet *p, struct rtcp_feedback *fb, uint32_t *ssrcs,
                           size_t max);

/** Read REMB. @return 0; -EBADMSG; -ENOENT: application feedback of another kind */
MUST_USE int rtcp_read_remb(const struct rtcp_packet *p, struct rtcp_feedback *fb,
                            uint64_t *bitrate_bps);

/** Read BYE sources into `ssrcs` (room for 31). @return count; -EBADMSG */
MUST_USE int rtcp_read_bye(const struct rtcp_packet *p, uint32_t *ssrcs);

/** Writers append to `w`; check writer_ok() at the end. At most RTCP_MAX_REPORTS reports or BYE
 *  sources, RTCP_CNAME_MAX bytes of name or reason, 255 REMB sources; `reason` may be NULL. */
void rtcp_write_sr(struct writer *w, const struct rtcp_sender_info *info,
                   const struct rtcp_report *reports, size_t n);
void rtcp_write_rr(struct writer *w, uint32_t sender, const struct rtcp_report *reports, size_t n);
void rtcp_write_sdes_cname(struct writer *w, uint32_t ssrc, const char *cname);
void rtcp_write_bye(struct writer *w, const uint32_t *ssrcs, size_t n, const char *reason);
void rtcp_write_pli(struct writer *w, const struct rtcp_feedback *fb);
/** `command_seq` counts FIR commands per source (RFC 5104 section 4.3.1). */
void rtcp_write_fir(struct writer *w, const struct rtcp_feedback *fb, uint8_t command_seq);
/** `seqs` ascending (modulo 2^16); packed into PID+BLP pairs. */
void rtcp_write_nack(struct writer *w, const struct rtcp_feedback *fb, const uint16_t *seqs,
                     size_t n);
void rtcp_write_remb(struct writer *w, const struct rtcp_feedback *fb, uint64_t bitrate_bps,
                     const uint32_t *ssrcs, size_t n);

/** Begin feedback of any kind: the fixed part. @return what rtcp_end_feedback() takes, which fills
 *  the last word with zeros and sets the length */
MUST_USE size_t rtcp_begin_feedback(struct writer *w, enum rtcp_type type, uint8_t format,
                                    const struct rtcp_feedback *fb);
void rtcp_end_feedback(struct writer *w, size_t start);

/** Wall-clock microseconds since 1970 <-> NTP 32.32. */
uint64_t ntp_from_wall_us(int64_t wall_us);
int64_t ntp_to_wall_us(uint64_t ntp);

#endif
