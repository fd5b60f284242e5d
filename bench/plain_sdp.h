/** @file plain_sdp.h  Descriptions without RTP header extensions. Thread: any, no shared state. */
#ifndef BENCH_PLAIN_SDP_H
#define BENCH_PLAIN_SDP_H

#include "media/base/text.h"

/** Append `sdp` without its extensions and without the feedback that needs one of them. */
void plain_sdp_append(struct text *out, const char *sdp);

#endif
