/**
 * @file whip.h  WHIP and WHEP: sessions that come as a POST, are named by a resource and go by a
 * DELETE or with their media. Owns them. Thread: control.
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
    struct map resources; /* struct session by resource; "whip/{resource}" or "whep/..." */
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

/** Serve DELETE of a resource; answers the exchange. */
void whip_delete(struct whip *w, struct http_exchange *x, enum http_media media, const char *room,
                 const char *resource, int64_t now_us);

/** Free a session of ours if it is leaving; others are left alone. */
void whip_reap(struct whip *w, struct session *s, int64_t now_us);

#endif
