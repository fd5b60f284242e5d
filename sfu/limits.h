/**
 * @file limits.h  How often anybody may do what costs the server something, by address and by
 * identity; what one session may do is in session_limits.h. Refusals are counted here, all of them.
 *
 * Addresses of this host have no limit, for the sake of a reverse proxy, unless they come out of a
 * PROXY header. Memory is bounded, see rate_limiter.h. Thread: control.
 */
#ifndef SFU_LIMITS_H
#define SFU_LIMITS_H

#include "media/base/attributes.h"
#include "signaling/message.h"

#include <stdint.h>

struct config;
struct limits;

enum {
    LIMITS_MAX_ADDRESSES = 65536, /* that are told apart, per kind */
    LIMITS_MAX_IDENTITIES = 16384,
    LIMITS_BURST_S = 10, /* seconds' worth of a rate that may come at once, after a pause */
};

/** What was refused. */
struct limits_stats {
    uint64_t joins;      /* too many from an address */
    uint64_t failures;   /* too many before that had no good token, or resumed what is not there */
    uint64_t identities; /* too many with tokens of one identity */
    uint64_t messages, bytes, changes, views; /* of one session */
    uint64_t dismissed;                       /* sessions that went on nevertheless */
};

/** @return 0; -ENOMEM */
MUST_USE int limits_new(struct limits **ret, const struct config *config);

/** NULL is fine. @return NULL */
struct limits *limits_free(struct limits *l);

/** Take over the limits of another configuration; what was spent stays so. */
void limits_set(struct limits *l, const struct config *config);

/** @return the counters; valid as long as `l` */
const struct limits_stats *limits_stats(const struct limits *l);

/** Count one of the sessions' refusals; NULL is fine. */
struct limits_stats *limits_stats_of(struct limits *l);

/**
 * Somebody wants to join, or to resume: before anything that costs time is done for it.
 *
 * @param l        NULL: no limits
 * @param address  as text; "": not known, or of this host
 * @return 0; -EBUSY: `error` says so, with retry_after_ms
 */
MUST_USE int limits_enter(struct limits *l, const char *address, int64_t now_us,
                          struct message *error);

/** It had no good token, or none for what it wanted to resume. */
void limits_failed(struct limits *l, const char *address, int64_t now_us);

/** Its token is good, and names `identity` ("": nobody). @return 0; -EBUSY, likewise */
MUST_USE int limits_identify(struct limits *l, const char *identity, int64_t now_us,
                             struct message *error);

/** Write that something comes too often. @return -EBUSY */
int limits_refuse(struct message *error, uint32_t wait_ms, const char *what);

#endif
