/**
 * @file key_frame_request.h  When to ask one source for a key frame, for many who wait for it.
 *
 * Wishes (PLI and FIR of subscribers, layer switches, gaps that cannot be repaired) are coalesced:
 * the source is asked at most once per interval, and again until a key frame comes.
 *
 * A plain value: embed it, init it, forget it. Owns nothing. Not thread-safe.
 */
#ifndef MEDIA_KEY_FRAME_REQUEST_H
#define MEDIA_KEY_FRAME_REQUEST_H

#include "media/base/attributes.h"
#include "media/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

/** Key frames of one source that one subscriber may cause: so many at once, and one per so long. */
enum { KEY_FRAME_ALLOWANCE = 2 };
#define KEY_FRAME_ALLOWANCE_US (2 * SECOND)

/** What one subscriber may still ask for; all zero: everything. */
struct key_frame_allowance {
    int64_t spent_us; /* until then the last one it was allowed is to last */
};

/** Take one key frame out of `a`. @return false: there is none left */
MUST_USE bool key_frame_allowance_take(struct key_frame_allowance *a, int64_t now_us);

/** Least time between two requests; what other servers use, as a key frame costs 5-10 others. */
#define KEY_FRAME_INTERVAL_US (500 * MS)

struct key_frame_request {
    int64_t interval_us; /* least time between two requests */
    int64_t rtt_us;      /* to the source */
    int64_t asked_us;    /* when the last request was sent */
    bool asked;          /* there was one */
    bool wanted;         /* someone waits */
    bool repeating;      /* the last request is for those who wait now */
    uint64_t wishes, requests, repeats, key_frames;
};

/** Make `k` empty: nobody waits. @param interval_us  usually KEY_FRAME_INTERVAL_US, >= 0 */
void key_frame_request_init(struct key_frame_request *k, int64_t interval_us);

/** Someone needs a key frame; cheap to call again. The deadline may become earlier. */
void key_frame_request_want(struct key_frame_request *k);

/** Nobody waits any more: those who did have left, or the source has paused. */
void key_frame_request_cancel(struct key_frame_request *k);

/** The first packet of a key frame arrived: nobody waits any more. */
void key_frame_request_on_key_frame(struct key_frame_request *k);

/** @param rtt_us  measured, to the source, >= 0: a request is repeated after two of them */
void key_frame_request_set_rtt(struct key_frame_request *k, int64_t rtt_us);

/** @return true: send a request now (it is counted as sent) */
MUST_USE bool key_frame_request_poll(struct key_frame_request *k, int64_t now_us);

/** @return when key_frame_request_poll() next has work [us], which may be past; or NEVER_US */
int64_t key_frame_request_deadline(const struct key_frame_request *k);

#endif
