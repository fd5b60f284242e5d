/**
 * @file participant_feedback.h  RTCP that a participant sends us: reports on its own tracks, and
 * what it asks for as a subscriber. Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_FEEDBACK_H
#define SFU_PARTICIPANT_FEEDBACK_H

#include <stddef.h>
#include <stdint.h>

struct participant;

/** Take in an RTCP compound [len bytes], decrypted. Malformed packets end it, and are counted. */
void participant_receive_rtcp(struct participant *p, const uint8_t *data, size_t len,
                              int64_t now_us);

#endif
