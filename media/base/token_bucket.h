/**
 * @file token_bucket.h  How often something may happen: so many per second on average, and a burst
 * at once after a pause. A plain value: all zero is a full bucket that was never used.
 * Not thread-safe.
 */
#ifndef MEDIA_BASE_TOKEN_BUCKET_H
#define MEDIA_BASE_TOKEN_BUCKET_H

#include <stdint.h>

struct token_bucket {
    int64_t spent;   /* millionths of a token that are missing; 0: full */
    int64_t last_us; /* when that was so */
};

/** @return what is missing at `now_us`, in millionths of a token; 0: full */
static inline int64_t token_bucket_spent(const struct token_bucket *b, uint32_t per_s,
                                         int64_t now_us)
{
    int64_t passed_us = now_us - b->last_us;

    if (passed_us <= 0)
        return b->spent;
    if (per_s == 0 || passed_us > b->spent / per_s)
        return 0;
    return b->spent - passed_us * per_s;
}

/**
 * @return [ms, at least 1] until `n` can be taken; 0: now. Who wants more than `burst` at once gets
 *         it from a full bucket, and what is owed then makes the next one wait.
 */
static inline uint32_t token_bucket_wait(const struct token_bucket *b, uint32_t per_s,
                                         uint32_t burst, uint32_t n, int64_t now_us)
{
    int64_t missing;

    if (per_s == 0) /* no limit */
        return 0;
    missing = token_bucket_spent(b, per_s, now_us) +
              ((int64_t)(n < burst ? n : burst) - burst) * 1000000;
    if (missing <= 0)
        return 0;
    missing = (missing - 1) / ((int64_t)per_s * 1000) + 1;
    return missing < UINT32_MAX ? (uint32_t)missing : UINT32_MAX;
}

/**
 * Take `n` tokens.
 *
 * @param per_s  tokens that come back per second; 0: no limit, nothing is ever refused
 * @param burst  tokens that a full bucket has, at least 1
 * @return 0: taken; else nothing was, and it is worth a try in so many ms
 */
static inline uint32_t token_bucket_take(struct token_bucket *b, uint32_t per_s, uint32_t burst,
                                         uint32_t n, int64_t now_us)
{
    uint32_t wait_ms = token_bucket_wait(b, per_s, burst, n, now_us);

    if (wait_ms > 0 || per_s == 0)
        return wait_ms;
    b->spent = token_bucket_spent(b, per_s, now_us) + (int64_t)n * 1000000;
    b->last_us = now_us;
    return 0;
}

#endif
