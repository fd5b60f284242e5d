#include "signaling/rate_limiter.h"

#include "media/base/random.h"
#include "media/base/siphash.h"
#include "media/base/token_bucket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t tag; /* hash of the key; 0: free */
    struct token_bucket bucket;
};

struct rate_limiter {
    uint64_t key[2];
    uint32_t per_s, burst;
    uint32_t n_sets;       /* a power of two */
    struct entry *entries; /* n_sets times RATE_LIMITER_WAYS */
    uint64_t refused;
};

int rate_limiter_new(struct rate_limiter **ret, uint32_t max_keys, uint32_t per_s, uint32_t burst)
{
    struct rate_limiter *r = calloc(1, sizeof(*r));
    uint32_t n_sets = 1;

    if (!r)
        return -ENOMEM;
    while ((uint64_t)n_sets * RATE_LIMITER_WAYS < max_keys && n_sets < UINT32_MAX / 2)
        n_sets *= 2;
    r->n_sets = n_sets;
    random_bytes(r->key, sizeof(r->key));
    rate_limiter_set(r, per_s, burst);
    r->entries = calloc((size_t)n_sets * RATE_LIMITER_WAYS, sizeof(r->entries[0]));
    if (!r->entries) {
        free(r);
        return -ENOMEM;
    }
    *ret = r;
    return 0;
}

struct rate_limiter *rate_limiter_free(struct rate_limiter *r)
{
    if (!r)
        return NULL;
    free(r->entries);
    free(r);
    return NULL;
}

void rate_limiter_set(struct rate_limiter *r, uint32_t per_s, uint32_t burst)
{
    r->per_s = per_s;
    r->burst = burst > 0 ? burst : 1;
}

static uint64_t tag_of(const struct rate_limiter *r, const char *key)
{
    uint64_t hash = siphash(r->key, key, strlen(key));

    return hash ? hash : 1;
}

static struct entry *set_of(const struct rate_limiter *r, uint64_t tag)
{
    return &r->entries[(size_t)(tag & (r->n_sets - 1)) * RATE_LIMITER_WAYS];
}

/* @return the entry of `tag`, or NULL */
static struct entry *find(struct entry set[RATE_LIMITER_WAYS], uint64_t tag)
{
    for (uint32_t i = 0; i < RATE_LIMITER_WAYS; i++) {
        if (set[i].tag == tag)
            return &set[i];
    }
    return NULL;
}

/* Begin anew in the place of the fullest bucket: free ones are full. */
static struct entry *replace(const struct rate_limiter *r, struct entry set[RATE_LIMITER_WAYS],
                             uint64_t tag, int64_t now_us)
{
    struct entry *best = &set[0];
    int64_t best_spent = token_bucket_spent(&best->bucket, r->per_s, now_us);

    for (uint32_t i = 1; i < RATE_LIMITER_WAYS && best_spent > 0; i++) {
        int64_t spent = token_bucket_spent(&set[i].bucket, r->per_s, now_us);

        if (spent < best_spent) {
            best = &set[i];
            best_spent = spent;
        }
    }
    *best = (struct entry){.tag = tag};
    return best;
}

uint32_t rate_limiter_take(struct rate_limiter *r, const char *key, uint32_t n, int64_t now_us)
{
    uint64_t tag = tag_of(r, key);
    struct entry *set = set_of(r, tag);
    struct entry *entry;
    uint32_t wait_ms;

    if (r->per_s == 0)
        return 0;
    entry = find(set, tag);
    if (!entry)
        entry = replace(r, set, tag, now_us);
    wait_ms = token_bucket_take(&entry->bucket, r->per_s, r->burst, n, now_us);
    if (wait_ms > 0)
        r->refused++;
    return wait_ms;
}

uint32_t rate_limiter_wait(const struct rate_limiter *r, const char *key, uint32_t n,
                           int64_t now_us)
{
    uint64_t tag = tag_of(r, key);
    const struct entry *entry = find(set_of(r, tag), tag);

    return entry ? token_bucket_wait(&entry->bucket, r->per_s, r->burst, n, now_us) : 0;
}

uint64_t rate_limiter_refused(const struct rate_limiter *r)
{
    return r->refused;
}

/* @return true if it is IPv6, and not IPv4 in disguise: then `v6`; else `v4` if *is_v4 */
static bool parse(const char *address, struct in6_addr *v6, struct in_addr *v4, bool *is_v4)
{
    char plain[INET6_ADDRSTRLEN];
    size_t len = strcspn(address, "%");

    *is_v4 = inet_pton(AF_INET, address, v4) == 1;
    if (*is_v4 || len >= sizeof(plain))
        return false;
    memcpy(plain, address, len);
    plain[len] = '\0';
    if (inet_pton(AF_INET6, plain, v6) != 1)
        return false;
    if (!IN6_IS_ADDR_V4MAPPED(v6))
        return true;
    memcpy(v4, &v6->s6_addr[12], sizeof(*v4));
    *is_v4 = true;
    return false;
}

const char *rate_limiter_address_key(const char *address, char out[RATE_LIMITER_KEY_MAX])
{
    struct in6_addr v6;
    struct in_addr v4;
    bool is_v4;

    if (parse(address, &v6, &v4, &is_v4)) {
        memset(&v6.s6_addr[8], 0, 8);
        (void)inet_ntop(AF_INET6, &v6, out, RATE_LIMITER_KEY_MAX);
    } else if (is_v4) {
        (void)inet_ntop(AF_INET, &v4, out, RATE_LIMITER_KEY_MAX);
    } else {
        (void)snprintf(out, RATE_LIMITER_KEY_MAX, "%s", address);
    }
    return out;
}

bool rate_limiter_is_loopback(const char *address)
{
    struct in6_addr v6;
    struct in_addr v4;
    bool is_v4;

    if (parse(address, &v6, &v4, &is_v4))
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return is_v4 && (ntohl(v4.s_addr) >> 24) == 127;
}
