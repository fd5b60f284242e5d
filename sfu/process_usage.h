/** @file process_usage.h  What this process takes of the machine. Thread: any. */
#ifndef SFU_PROCESS_USAGE_H
#define SFU_PROCESS_USAGE_H

#include <stdint.h>

struct process_usage {
    int64_t cpu_us; /* of all threads, since the start */
    uint64_t resident_bytes, virtual_bytes;
    uint32_t descriptors, max_descriptors;
};

/** Look now; what cannot be told is 0. Reads a few files of /proc. */
void process_usage_read(struct process_usage *ret);

#endif
