/**
 * @file participant_quality.h  How well it goes for a participant: what control is told by
 * MAIL_QUALITY. Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_QUALITY_H
#define SFU_PARTICIPANT_QUALITY_H

#include "media/base/clock.h"

#include <stdint.h>

struct participant;

/** Between two words to control. */
#define QUALITY_INTERVAL_US (5 * SECOND)

/** Measure what it gets, and tell control if it is time; call about once per second. */
void participant_advance_quality(struct participant *p, int64_t now_us);

#endif
