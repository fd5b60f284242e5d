/**
 * @file whip_internal.h  What the files of WHIP and WHEP share; nobody else includes it.
 */
#ifndef SFU_WHIP_INTERNAL_H
#define SFU_WHIP_INTERNAL_H

#include "media/base/list.h"
#include "sfu/whip.h"

struct message;

enum {
    WHIP_ETAG_LEN = 16,
    WHIP_MAX_STREAMS = 4, /* of events, of one session */
};

/** One session and what HTTP knows of it. */
struct whip_resource {
    struct session *session;      /* owned */
    char etag[WHIP_ETAG_LEN + 1]; /* of the ICE session: RFC 9725 section 4.3.1 */
    struct list streams;          /* of struct whip_stream */
    uint32_t n_streams;
};

/** Answer with what a refusal is in HTTP. */
void whip_reply_refusal(struct http_exchange *x, const struct message *error);

/* whip_events.c: the core extensions of WHEP */

/** Serve what is below a session: its events and layers. */
void whip_events_request(struct whip *w, struct whip_resource *r, struct http_exchange *x,
                         const struct http_media_request *request, int64_t now_us);

/** Tell the streams of `r` what has changed. */
void whip_events_tick(const struct whip *w, struct whip_resource *r, int64_t now_us);

/** End all streams: the session has ended. */
void whip_events_done(struct whip_resource *r);

/** Add the Links that tell of them; `path` is the session's. */
void whip_events_link(struct http_exchange *x, const char *path);

#endif
