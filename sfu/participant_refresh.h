/**
 * @file participant_refresh.h  Control is told again all that it was told for a client that has
 * missed some of it. Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_REFRESH_H
#define SFU_PARTICIPANT_REFRESH_H

#include <stdint.h>

struct participant;

/** Send MAIL_SLOTS of every slot and MAIL_WANT of every picture at once; MAIL_STREAM of what is
 *  paused and MAIL_NEED, where it holds, follow when they are due. */
void participant_refresh(struct participant *p, int64_t now_us);

#endif
