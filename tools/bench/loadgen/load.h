/* The load itself: one thread keeps every connection's queue full and checks every reply. */
#ifndef HOLDFAST_BENCH_LOAD_H
#define HOLDFAST_BENCH_LOAD_H

#include "histogram.h"
#include "nbd_client.h"

struct load_plan {
    unsigned read_percent; /* 100: READs only, 0: WRITEs only, between: each request by lot */
    int sequential;
    int structured; /* replies to READs come in chunks */
    uint32_t block_bytes;
    uint32_t depth; /* requests in flight on each connection */
    uint64_t image_bytes;
    uint64_t nanoseconds_max; /* stop issuing after this time … */
    uint64_t requests_max;    /* … or after this many requests */
    uint64_t seed;
};

struct load_result {
    uint64_t requests;
    double seconds;
    double cpu_seconds;
    struct histogram latency;
};

/* Runs over negotiated connections until the plan is done and every reply has come. Ends the process on any
 * reply that is malformed, unasked for, or says error. */
void load_run(const struct load_plan *plan, const int *fds, unsigned fd_count, struct load_result *result);

#endif
