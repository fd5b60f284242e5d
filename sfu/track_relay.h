/**
 * @file track_relay.h  Sending a track to other workers, where subscribers of its room live.
 * Thread: the worker's own.
 */
#ifndef SFU_TRACK_RELAY_H
#define SFU_TRACK_RELAY_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

struct track;

/**
 * Send the track to `worker` from now on: first what its clock is and, if there is a young one, all
 * since the newest key frame; else the publisher is asked for a key frame. Of audio that has just
 * begun to speak, all since then, and what was just before.
 *
 * Called again when other layers are wanted there. One that does not flow is replaced by another.
 *
 * @param worker  less than RELAY_MAX_WORKERS
 * @param layers  a set
 */
void track_relay_start(struct track *t, uint32_t worker, uint8_t layers, int64_t now_us);

/** Other layers flow now. */
void track_relay_aim(struct track *t);

/** A replica needs a key frame of layer `at`. @param any  it has none at all, and the publisher
 * does not answer: an older one will do */
void track_relay_key_frame(struct track *t, uint32_t worker, uint8_t at, bool any, int64_t now_us);

/** Tell `worker` how loud the track is, or no more: all workers of a room decide who gets slots. */
void track_relay_listen(struct track *t, uint32_t worker, bool listens);

/** Send nothing to `worker` any more. */
void track_relay_stop(struct track *t, uint32_t worker);

#endif
