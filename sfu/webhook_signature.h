/**
 * @file webhook_signature.h  How receivers of webhooks know that an event is ours, and new: a
 * header `t=1700000000,v1=HEX` where HEX is HMAC-SHA256 of "1700000000." and the body, under the
 * secret of both. docs/ADMIN.md shows how to check it. Thread: any, no shared state.
 */
#ifndef SFU_WEBHOOK_SIGNATURE_H
#define SFU_WEBHOOK_SIGNATURE_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

enum { WEBHOOK_SIGNATURE_MAX = 96 };

/**
 * Write the value of the header.
 *
 * @param time_s  Unix time of sending
 * @return 0; -ENOMEM
 */
MUST_USE int webhook_sign(char out[WEBHOOK_SIGNATURE_MAX], const char *secret, int64_t time_s,
                          const char *body, size_t len);

#endif
