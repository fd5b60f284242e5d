/**
 * @file subscription_red.h  Sound with the sound before it (RFC 2198), for a subscriber whose path
 * loses packets and whose publisher sends plain Opus. For subscription.c. Thread: the worker's own.
 */
#ifndef SFU_SUBSCRIPTION_RED_H
#define SFU_SUBSCRIPTION_RED_H

#include "media/base/attributes.h"

#include <stdint.h>

struct core;
struct forward;
struct packet;

/**
 * Make a packet whose bytes are a RED payload: that of `f`, and as many of the payloads right
 * before it, at most `n`, as the store has and RED_PAYLOAD_MAX takes.
 *
 * @param pt  of the blocks
 * @return the packet, the caller's to unref; NULL: too long, or no packet is left
 */
MUST_USE struct packet *subscription_red_make(const struct core *core, const struct forward *f,
                                              uint8_t pt, uint8_t n);

#endif
