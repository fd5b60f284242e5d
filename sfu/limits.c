#include "sfu/limits.h"

#include "sfu/config.h"
#include "sfu/refuse.h"
#include "signaling/rate_limiter.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

struct limits {
    struct rate_limiter *joins, *failures, *identities;
    struct limits_stats stats;
};

static int make(struct rate_limiter **ret, uint32_t max_keys, uint32_t per_s)
{
    return rate_limiter_new(ret, max_keys, per_s, per_s * LIMITS_BURST_S);
}

int limits_new(struct limits **ret, const struct config *config)
{
    struct limits *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    if (make(&l->joins, LIMITS_MAX_ADDRESSES, config->max_joins_per_s) < 0 ||
        make(&l->failures, LIMITS_MAX_ADDRESSES, config->max_failures_per_s) < 0 ||
        make(&l->identities, LIMITS_MAX_IDENTITIES, config->max_identity_joins_per_s) < 0) {
        limits_free(l);
        return -ENOMEM;
    }
    *ret = l;
    return 0;
}

struct limits *limits_free(struct limits *l)
{
    if (!l)
        return NULL;
    rate_limiter_free(l->joins);
    rate_limiter_free(l->failures);
    rate_limiter_free(l->identities);
    free(l);
    return NULL;
}

static void set(struct rate_limiter *r, uint32_t per_s)
{
    rate_limiter_set(r, per_s, per_s * LIMITS_BURST_S);
}

void limits_set(struct limits *l, const struct config *config)
{
    set(l->joins, config->max_joins_per_s);
    set(l->failures, config->max_failures_per_s);
    set(l->identities, config->max_identity_joins_per_s);
}

const struct limits_stats *limits_stats(const struct limits *l)
{
    return &l->stats;
}

struct limits_stats *limits_stats_of(struct limits *l)
{
    return l ? &l->stats : NULL;
}

int limits_refuse(struct message *error, uint32_t wait_ms, const char *what)
{
    (void)refuse(error, "rate_limited", "%s; try again in %" PRIu32 " ms", what, wait_ms);
    error->retry_after_ms = wait_ms;
    return -EBUSY;
}

/* A reverse proxy of this host may have them all. */
static bool has_limits(const struct limits *l, const char *address)
{
    return l && address[0] && !rate_limiter_is_loopback(address);
}

int limits_enter(struct limits *l, const char *address, int64_t now_us, struct message *error)
{
    char key[RATE_LIMITER_KEY_MAX];
    uint32_t wait_ms;

    if (!has_limits(l, address))
        return 0;
    (void)rate_limiter_address_key(address, key);
    wait_ms = rate_limiter_wait(l->failures, key, 1, now_us);
    if (wait_ms > 0) {
        l->stats.failures++;
        return limits_refuse(error, wait_ms, "too many tries from your address have failed");
    }
    wait_ms = rate_limiter_take(l->joins, key, 1, now_us);
    if (wait_ms > 0) {
        l->stats.joins++;
        return limits_refuse(error, wait_ms, "too many have joined from your address");
    }
    return 0;
}

void limits_failed(struct limits *l, const char *address, int64_t now_us)
{
    char key[RATE_LIMITER_KEY_MAX];

    if (has_limits(l, address))
        (void)rate_limiter_take(l->failures, rate_limiter_address_key(address, key), 1, now_us);
}

int limits_identify(struct limits *l, const char *identity, int64_t now_us, struct message *error)
{
    uint32_t wait_ms;

    if (!l || !identity[0])
        return 0;
    wait_ms = rate_limiter_take(l->identities, identity, 1, now_us);
    if (wait_ms == 0)
        return 0;
    l->stats.identities++;
    return limits_refuse(error, wait_ms, "your identity has joined too often");
}
