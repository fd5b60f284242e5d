/**
 * @file histogram.h  How values are spread, to within 3 %, in fixed memory. Plain value; one
 * thread.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 1024 }; /* values up to 2^35, 9 h in microseconds */

/** Zero-initialised it is empty. */
struct histogram {
    uint64_t count;
    int64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/** Count `value`; below 0 counts as 0. */
void histogram_add(struct histogram *h, int64_t value);

/** @param quantile  0 to 1. @return a value that so many are not above, at most 1/32 too high; 0 if
 *  the histogram is empty */
int64_t histogram_quantile(const struct histogram *h, double quantile);

/** Count all that `from` counted. */
void histogram_merge(struct histogram *into, const struct histogram *from);

#endif
