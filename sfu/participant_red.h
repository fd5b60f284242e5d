/**
 * @file participant_red.h  Whether the sound that a participant gets carries what was before it.
 * Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_RED_H
#define SFU_PARTICIPANT_RED_H

#include <stdint.h>

struct participant;

/** Look at what its path loses, and whether there is room; about once per second. */
void participant_advance_red(struct participant *p, int64_t now_us);

#endif
