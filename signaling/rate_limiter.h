/**
 * @file rate_limiter.h  A token bucket per key: how often each address, or each identity, may do
 * something.
 *
 * Memory is bounded, whoever comes: a table of fixed size, in which a key has a few places to be,
 * found by a hash under a random key. Where all of them are taken, the bucket that is fullest makes
 * room, and its key begins with a full one when it comes again: under an attack by more addresses
 * than there are places those that do little are forgotten, those that do too much are not.
 * Thread: that of its owner.
 */
#ifndef SIGNALING_RATE_LIMITER_H
#define SIGNALING_RATE_LIMITER_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RATE_LIMITER_KEY_MAX = 160, /* room for a key with its NUL */
    RATE_LIMITER_WAYS = 8,      /* places for a key */
};

struct rate_limiter;

/**
 * @param max_keys  that are told apart, rounded up to a power of two; 24 bytes each, of which only
 *                  those in use are touched
 * @param per_s     of one key; 0: no limit
 * @param burst     at once, after a pause; at least 1
 * @return 0; -ENOMEM
 */
MUST_USE int rate_limiter_new(struct rate_limiter **ret, uint32_t max_keys, uint32_t per_s,
                              uint32_t burst);

/** NULL is fine. @return NULL */
struct rate_limiter *rate_limiter_free(struct rate_limiter *r);

/** From now on other limits; what was spent stays so. */
void rate_limiter_set(struct rate_limiter *r, uint32_t per_s, uint32_t burst);

/** Take `n` from the bucket of `key` (any text). @return 0: taken; else the ms to wait */
uint32_t rate_limiter_take(struct rate_limiter *r, const char *key, uint32_t n, int64_t now_us);

/** Look whether `n` could be taken, and take nothing. @return 0: yes; else the ms to wait */
uint32_t rate_limiter_wait(const struct rate_limiter *r, const char *key, uint32_t n,
                           int64_t now_us);

/** @return how often something was refused by rate_limiter_take() */
uint64_t rate_limiter_refused(const struct rate_limiter *r);

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 one, which a host usually has
 * as a whole. A mapped IPv4 address is that, and a zone does not matter.
 *
 * @param address  as inet_ntop() writes it; any other text is its own key, cut
 * @return `out`
 */
const char *rate_limiter_address_key(const char *address, char out[RATE_LIMITER_KEY_MAX]);

/** @return true for 127.0.0.0/8, ::1, and the mapped ones: a reverse proxy on this host */
bool rate_limiter_is_loopback(const char *address);

#endif
