/**
 * @file session_caps.h  Sessions are told in how many bits per second they may send what they
 * publish: with the answer to an offer, and again when more or fewer share what is for the room.
 * Thread: control.
 */
#ifndef SFU_SESSION_CAPS_H
#define SFU_SESSION_CAPS_H

#include <stdbool.h>

struct media_plan;
struct message_limits;
struct session;
struct session_host;
struct session_offer;

/** Who answers which offer. Everything is borrowed. */
struct session_caps {
    const struct session *session;
    const struct session_offer *offer;
};

/** What `s`, which is in a room, may send: rates only. */
void session_caps_limits(const struct session *s, struct message_limits *ret);

/** Set max_bps of what `plan` publishes. negotiation_local.cap, with struct session_caps. */
void session_caps_fill(void *owner, struct media_plan *plan);

/**
 * Tell the others in the room of `s`, and their workers, whose limits have changed: `s` published
 * something, or ended or muted it.
 *
 * @param leaves  it will be gone with all it publishes
 */
void session_caps_settle(struct session *s, bool leaves);

/** The same for everybody in a room: other limits hold now. Nothing if there is no such room. */
void session_caps_settle_room(struct session_host *host, const char *name);

#endif
