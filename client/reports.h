/**
 * @file reports.h  The RTCP of a client: what it writes regularly, and what it reads sorted by
 * meaning. Not thread-safe.
 */
#ifndef CLIENT_REPORTS_H
#define CLIENT_REPORTS_H

#include "media/base/list.h"
#include "media/base/writer.h"
#include "media/rtcp.h"

#include <stddef.h>
#include <stdint.h>

struct rtp_sender;

enum {
    REPORTS_MAX_BYTES = 1150, /* of one compound: under every path's MTU */
    REPORTS_MAX_NACKS = 128,  /* packets asked for in one go */
};

/** All members must be set. */
struct reports_handler {
    /** A sender report about a stream we receive. */
    void (*on_sender_info)(void *owner, const struct rtcp_sender_info *info, int64_t now_us);
    /** A report block about a stream we send. */
    void (*on_report)(void *owner, const struct rtcp_report *report, int64_t now_us);
    /** Packets of a stream we send are missed. */
    void (*on_nack)(void *owner, uint32_t ssrc, const uint16_t *seqs, size_t n, int64_t now_us);
    /** A key frame of a stream we send is wanted (PLI, FIR). */
    void (*on_key_frame_wish)(void *owner, uint32_t ssrc, int64_t now_us);
};

/** Read a compound. What is malformed ends it; what was read before counts. */
void reports_read(const uint8_t *data, size_t len, int64_t now_us,
                  const struct reports_handler *handler, void *owner);

/** What is reported on; all borrowed. */
struct reports_subject {
    struct rtp_sender *senders[2];
    size_t n_senders;
    const struct list *incoming; /* struct incoming; those that got packets since last time */
    uint32_t own_ssrc;           /* who reports if nothing is sent */
    const char *cname;
};

/** Write a compound: sender reports, report blocks on what is received, and the name. */
void reports_write(struct writer *w, const struct reports_subject *subject, int64_t now_us,
                   int64_t wall_us);

#endif
