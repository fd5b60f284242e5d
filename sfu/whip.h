/**
 * @file whip.h  WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): sessions that come as a POST, are
 * named by a resource and go by a DELETE or with their media. Owns them. Thread: control.
 *
 * Where the server has keys, every request but OPTIONS and GET of an endpoint needs a token that is
 * good for the room; for a session that exists one that has expired since will do.
 */
#ifndef SFU_WHIP_H
#define SFU_WHIP_H

#include "media/base/attributes.h"
#include "media/base/map.h"
#include "signaling/http_server.h"

#include <stdint.h>

struct session;
struct session_host;
struct session_offer;

/** Embedded in the server. */
struct whip {
    struct session_host *host;
    struct map resources; /* struct whip_resource by name */
};

/** @param host  borrowed: must outlive the sessions */
void whip_init(struct whip *w, struct session_host *host);

/** End every session, as the server that stops, and free them. */
void whip_done(struct whip *w, int64_t now_us);

/** @return how many sessions there are */
uint32_t whip_count(const struct whip *w);

/** Serve POST /whip/{room}?name=... and /whep/{room}; answers the exchange. */
void whip_post(struct whip *w, struct http_exchange *x, enum http_media media, const char *room,
               const struct session_offer *offer, int64_t now_us);

/** Add Links to the answer of OPTIONS /whip/{room} or /whep/{room}, if the bearer may know them. */
void whip_options(struct whip *w, struct http_exchange *x, enum http_media media, const char *room,
                  int64_t now_us);

/** Serve a request for a session; answers the exchange. */
void whip_request(struct whip *w, struct http_exchange *x, const struct http_media_request *request,
                  int64_t now_us);

/** Tell players what has changed, if they read it. Once a second. */
void whip_tick(struct whip *w, int64_t now_us);

/** Free a session of ours if it is leaving; others are left alone. */
void whip_reap(struct whip *w, struct session *s, int64_t now_us);

#endif
