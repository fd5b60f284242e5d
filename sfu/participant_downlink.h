/**
 * @file participant_downlink.h  A participant's downlink: when it is made, and what its probes are.
 * Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_DOWNLINK_H
#define SFU_PARTICIPANT_DOWNLINK_H

#include "media/base/attributes.h"

#include <stdint.h>

struct participant;

/** Do what is due, and give out what the path carries. The participant is connected.
 *  @return when to call again [us], or NEVER_US */
MUST_USE int64_t participant_advance_downlink(struct participant *p, int64_t now_us);

#endif
