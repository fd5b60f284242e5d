/**
 * @file session_spread.h  What the other workers of a room are told about its publishers. Nothing
 * happens while a room is on one worker.
 *
 * What is new is told after the mail to the session's own worker: who hears of a track may ask that
 * worker for it at once, and must not be there first. Thread: control.
 */
#ifndef SFU_SESSION_SPREAD_H
#define SFU_SESSION_SPREAD_H

#include <stdbool.h>

struct mail_mute;
struct session;

/** It has entered, and its worker is about to hear of it: if that is new to the room, it hears of
 * the others' tracks first, so that tracks are in the same order on every worker. */
void session_spread_enter(const struct session *s);

/** Its worker has heard of it: the others hear of its tracks. */
void session_spread_join(const struct session *s);

/** It offered again. @param published  it had tracks before */
void session_spread_update(const struct session *s, bool published);

/** A track was muted or unmuted, as `mail` says; it is copied. */
void session_spread_mute(const struct session *s, const struct mail_mute *mail);

/** It leaves, and is still in the room. If nobody of it stays on its worker, nothing of it does. */
void session_spread_leave(const struct session *s);

#endif
