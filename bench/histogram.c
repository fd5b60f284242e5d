#include "bench/histogram.h"

#include <math.h>
#include <stddef.h>

/* Values below 64 have a bucket each; every further doubling has 32. */
enum { LINEAR_BITS = 6, PER_DOUBLING = 32 };

static size_t bucket_of(int64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll((uint64_t)value | 1);
    unsigned shift = bits > LINEAR_BITS ? bits - LINEAR_BITS : 0;
    size_t bucket = (size_t)shift * PER_DOUBLING + (size_t)(value >> shift);

    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static int64_t highest_of(size_t bucket)
{
    size_t shift = bucket < (size_t)2 * PER_DOUBLING ? 0 : bucket / PER_DOUBLING - 1;
    int64_t first = (int64_t)(bucket - shift * PER_DOUBLING);

    return ((first + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, int64_t value)
{
    int64_t counted = value > 0 ? value : 0;

    h->count++;
    h->max = counted > h->max ? counted : h->max;
    h->buckets[bucket_of(counted)]++;
}

int64_t histogram_quantile(const struct histogram *h, double quantile)
{
    uint64_t wanted = (uint64_t)ceil(quantile * (double)h->count);
    uint64_t seen = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > 0 && seen >= wanted)
            return highest_of(i) < h->max ? highest_of(i) : h->max;
    }
    return h->max;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->count += from->count;
    into->max = from->max > into->max ? from->max : into->max;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}
