/**
 * @file transport_feedback.h  Transport-wide congestion control feedback, both directions:
 * record arrivals and write the RTCP packet; read such a packet into per-packet results.
 *
 * draft-holmer-rmcat-transport-wide-cc-extensions-01. Plain values, one per transport.
 */
#ifndef MEDIA_TRANSPORT_FEEDBACK_H
#define MEDIA_TRANSPORT_FEEDBACK_H

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/rtcp.h"

#include <stddef.h>
#include <stdint.h>

enum {
    FEEDBACK_WINDOW = 1024,     /* arrivals remembered; older ones are reported no more */
    FEEDBACK_MAX_PACKETS = 512, /* statuses in one feedback packet */
};

/** Between two feedback packets, as draft-ietf-rmcat-gcc section 2 has it. */
#define FEEDBACK_MIN_US (50 * MS)
#define FEEDBACK_MAX_US (250 * MS)

/** Recorder of what arrived on a transport. */
struct feedback_recorder {
    int64_t newest; /* highest unwrapped number seen; -1: none */
    int64_t next;   /* first one not reported yet; it goes back when a reported loss arrives */
    int64_t arrival_us[FEEDBACK_WINDOW]; /* NEVER_US: not arrived */
    int64_t last_sent_us, interval_us;
    uint8_t feedback_count;
};

void feedback_recorder_init(struct feedback_recorder *r);

/** Note that transport sequence number `seq` arrived. Duplicates and ancient ones are ignored; one
 *  that was reported lost is reported again, with those after it. */
void feedback_recorder_on_packet(struct feedback_recorder *r, uint16_t seq, int64_t now_us);

/**
 * Append feedback packets for all arrivals not reported yet, at most what fits into `w`.
 *
 * @return packets appended; what did not fit stays unreported: feedback_recorder_deadline() is not
 *         NEVER_US then, call again with more room
 */
size_t feedback_recorder_write(struct feedback_recorder *r, struct writer *w, uint32_t sender,
                               uint32_t media, int64_t now_us);

/** Feedback is to take about a twentieth of `bps`, what arrives. Until the first call it comes as
 *  often as it may, once per FEEDBACK_MIN_US. */
void feedback_recorder_set_rate(struct feedback_recorder *r, uint64_t bps);

/** @return when feedback is next due [us]: one interval after the last one if something is
 *  unreported, else NEVER_US */
int64_t feedback_recorder_deadline(const struct feedback_recorder *r);

/** One status of a feedback packet. */
struct feedback_status {
    uint16_t seq;
    bool received;
    int64_t arrival_us; /* in the receiver's clock, from 0 to 12 days: see feedback_unwrap_us() */
};

/**
 * Read a feedback packet. A run may reach beyond the last status; all else must fit exactly.
 *
 * @param out  room for `max` statuses; further ones are left out
 * @return number of statuses written; -EBADMSG, with nothing written but to `out`
 */
MUST_USE int feedback_read(const struct rtcp_packet *p, struct rtcp_feedback *fb,
                           uint8_t *feedback_count, struct feedback_status *out, size_t max);

/** The clock of arrivals wraps every 2^24 * 64 ms. @return `arrival_us` moved by whole cycles so
 *  that it is closest to `previous_us`, an earlier result (start with any arrival) */
int64_t feedback_unwrap_us(int64_t previous_us, int64_t arrival_us);

#endif
