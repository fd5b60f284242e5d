/**
 * @file srtp_heard.h  The SSRCs that one peer sends with, and of each which packets were seen; for
 * the files media/srtp*.c only.
 *
 * Only what was authenticated is noted. Grows with the SSRCs up to SRTP_MAX_SSRCS, then the one
 * that was silent for longest makes room. Embedded by value; not thread-safe.
 */
#ifndef MEDIA_SRTP_HEARD_H
#define MEDIA_SRTP_HEARD_H

#include "media/base/attributes.h"
#include "media/replay.h"

#include <stdint.h>

enum {
    SRTP_RTP_WINDOW =
        1024, /* packets: 2 s of video at 4 Mbit/s may come late by RTX-less resending */
    SRTP_RTCP_WINDOW = 128, /* packets: as many as in libsrtp2 */
};

/** What was seen of one SSRC: all zero is nothing. */
struct srtp_seen {
    uint64_t rtp_newest;  /* roll-over counter << 16 | sequence number */
    uint64_t rtcp_newest; /* 31-bit index */
    uint64_t rtp[SRTP_RTP_WINDOW / REPLAY_WORD];
    uint64_t rtcp[SRTP_RTCP_WINDOW / REPLAY_WORD];
};

struct srtp_heard_ssrc {
    uint32_t ssrc;
    uint32_t last_use; /* value of srtp_heard.uses */
};

/** Members are private. */
struct srtp_heard {
    struct srtp_heard_ssrc *ssrcs; /* apart from `seen`: all are compared with */
    struct srtp_seen *seen;
    uint16_t n, capacity;
    uint16_t latest; /* where the latest was found */
    uint32_t uses;
};

void srtp_heard_init(struct srtp_heard *h);
void srtp_heard_done(struct srtp_heard *h);

/** @return what was seen of `ssrc`, until the next note; NULL: it was not heard, or is forgotten */
const struct srtp_seen *srtp_heard_find(struct srtp_heard *h, uint32_t ssrc);

/**
 * A packet of `ssrc` was authenticated.
 *
 * @param ret        what was seen of it before, until the next note
 * @param forgotten  set if 1 is returned
 * @return 0; 1: `forgotten`, another SSRC, made room for it; -ENOMEM
 */
MUST_USE int srtp_heard_note(struct srtp_heard *h, uint32_t ssrc, struct srtp_seen **ret,
                             uint32_t *forgotten);

#endif
