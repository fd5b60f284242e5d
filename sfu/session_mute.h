/**
 * @file session_mute.h  Tracks are muted, by their publisher or by whoever runs the server, who can
 * also hold them: then their publisher cannot unmute them. Nobody else unmutes. Thread: control.
 */
#ifndef SFU_SESSION_MUTE_H
#define SFU_SESSION_MUTE_H

#include "media/base/attributes.h"
#include "media/base/codec.h"

#include <stdbool.h>
#include <stdint.h>

struct message_track;
struct session;

/**
 * Mute or unmute a track of `s`, which is in a room; the others and the workers are told, and if it
 * was not itself, so is its publisher.
 *
 * @param by_admin  then `muted` is true
 * @return 0; -ENOENT: no track of it; -EPERM: it is held; -ENOMEM
 */
MUST_USE int session_mute(struct session *s, uint32_t track, bool muted, bool by_admin);

/** Mute all tracks of one kind, as whoever runs the server. @return 0; -ENOMEM: some are not */
MUST_USE int session_mute_kind(struct session *s, enum media_kind kind);

/** From now on `s` may not unmute what it publishes of this kind, now or later; or may again. */
void session_hold(struct session *s, enum media_kind kind, bool hold);

/** @return true: it is held */
bool session_is_held(const struct session *s, enum media_kind kind);

/** Of `n` tracks that `s` wants to publish, those that are held are muted. */
void session_hold_tracks(const struct session *s, struct message_track *tracks, uint32_t n);

#endif
