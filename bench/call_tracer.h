/**
 * @file call_tracer.h  System calls of a process counted by strace(1), for kernels that do not let
 * us count them by events. The process is slowed down: for a pass of its own. One thread.
 */
#ifndef BENCH_CALL_TRACER_H
#define BENCH_CALL_TRACER_H

#include "media/base/attributes.h"

#include <stdint.h>
#include <sys/types.h>

/** Members are private. */
struct call_tracer {
    pid_t strace;
    int output;
};

/** Begin to trace all threads of `pid`. @return 0; -errno. That strace is missing, or may not
 *  trace, is known at the end */
MUST_USE int call_tracer_start(struct call_tracer *t, pid_t pid);

/** @return 0; -ENODATA: strace told nothing */
MUST_USE int call_tracer_stop(struct call_tracer *t, uint64_t *calls);

/** Read the table that `strace -c -U calls,name` prints. @return 0; -ENODATA: there is no total */
MUST_USE int call_tracer_parse(const char *table, uint64_t *calls);

#endif
