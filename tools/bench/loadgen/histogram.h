/* Latencies in buckets that widen with the value: 32 a power of two, so a percentile is exact to 3 %. */
#ifndef HOLDFAST_BENCH_HISTOGRAM_H
#define HOLDFAST_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 5
#define HISTOGRAM_SUB (1u << HISTOGRAM_SUB_BITS)
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS + 1) * HISTOGRAM_SUB)

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
};

static inline void histogram_add(struct histogram *histogram, uint64_t nanoseconds) {
    /* Below 32 a value is its own bucket; above, the five bits after the leading one choose the bucket. */
    unsigned shift = 0;
    if (nanoseconds >= HISTOGRAM_SUB) {
        shift = 63 - HISTOGRAM_SUB_BITS - (unsigned)__builtin_clzll(nanoseconds) + 1;
        nanoseconds = (nanoseconds >> (shift - 1)) - HISTOGRAM_SUB;
    }
    histogram->counts[shift * HISTOGRAM_SUB + nanoseconds]++;
}

/* The lower edge of the bucket in which the given fraction of all values is reached. */
static inline double histogram_percentile_us(const struct histogram *histogram, double fraction) {
    uint64_t total = 0, seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) total += histogram->counts[i];
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen == 0 || (double)seen < fraction * (double)total) continue;
        unsigned shift = i / HISTOGRAM_SUB, sub = i % HISTOGRAM_SUB;
        uint64_t edge = shift == 0 ? sub : (uint64_t)(HISTOGRAM_SUB + sub) << (shift - 1);
        return (double)edge / 1e3;
    }
    return 0;
}

#endif
