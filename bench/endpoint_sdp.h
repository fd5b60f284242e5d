/** @file endpoint_sdp.h  Offers and answers of an endpoint, for targets. One thread. */
#ifndef BENCH_ENDPOINT_SDP_H
#define BENCH_ENDPOINT_SDP_H

#include "media/base/attributes.h"
#include "media/base/text.h"

#include <stddef.h>

struct endpoint;

/** Append what the endpoint offers. @return 0; -EMSGSIZE: `out` allows less */
MUST_USE int endpoint_sdp_offer(const struct endpoint *e, struct text *out);

/** Connect as the server's answer to that offer says, or fail the endpoint. */
void endpoint_sdp_take_answer(struct endpoint *e, const char *answer, size_t len);

/** Append the answer to the server's offer and connect as it says.
 *  @return 0; -EINVAL: the endpoint has failed, there is no answer to send */
MUST_USE int endpoint_sdp_answer(struct endpoint *e, const char *offer, struct text *out);

#endif
