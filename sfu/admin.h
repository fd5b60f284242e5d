/**
 * @file admin.h  What operators do below /v1: look at rooms, mute, move and send away who is in
 * them, limit and close them, empty the server. docs/ADMIN.md is the manual. Thread: control.
 */
#ifndef SFU_ADMIN_H
#define SFU_ADMIN_H

#include "media/base/attributes.h"

#include <stdint.h>

struct admin_request;
struct drain;
struct message;
struct server_status;
struct session;
struct session_host;
struct text;

/** What it acts on; all borrowed. */
struct admin {
    struct session_host *host;
    struct drain *drain;
    void *owner;
    /** `s` was sent away: free it if nothing else will. */
    void (*reap)(void *owner, struct session *s, int64_t now_us);
};

/**
 * Do what `r` asks for.
 *
 * @param status  of the server, as it is now
 * @param out     receives JSON
 * @param error   on failure: code and text
 * @return 200; 404: unknown_room, unknown_participant or unknown_track; 409: not_movable,
 * token_needed, no_signing_key; 503: overloaded
 */
MUST_USE int admin_serve(const struct admin *a, const struct admin_request *r,
                         const struct server_status *status, struct text *out,
                         struct message *error, int64_t now_us);

/** Send everybody away: elsewhere if the drain names a URL. */
void admin_send_all_away(const struct admin *a, int64_t now_us);

#endif
