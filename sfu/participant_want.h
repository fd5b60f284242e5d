/**
 * @file participant_want.h  Telling a publisher which encodings of its tracks somebody needs
 * (MAIL_WANT). Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_WANT_H
#define SFU_PARTICIPANT_WANT_H

#include "media/base/attributes.h"

#include <stdint.h>

struct participant;

/** Tell what changed. @return when to call again [us], or NEVER_US */
MUST_USE int64_t participant_want_advance(struct participant *p, int64_t now_us);

/** Tell all that was told, again. */
void participant_want_tell_all(struct participant *p);

#endif
