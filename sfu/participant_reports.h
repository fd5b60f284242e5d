/**
 * @file participant_reports.h  RTCP that we send a participant: for its tracks receiver reports,
 * NACK, key frame requests and word on bandwidth; for its slots sender reports.
 * Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_REPORTS_H
#define SFU_PARTICIPANT_REPORTS_H

#include "media/base/attributes.h"
#include "media/base/clock.h"

#include <stdint.h>

struct participant;

/** Between two receiver or sender reports of a stream. */
#define REPORT_INTERVAL_US (1 * SECOND)

/** Send what is due. The participant is connected. @return when to call again [us] */
MUST_USE int64_t participant_send_rtcp(struct participant *p, int64_t now_us);

#endif
