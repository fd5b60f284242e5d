/**
 * @file server_probe.h  What the server's process uses: CPU time, memory, system calls; by /proc
 * and, where it is allowed, perf_event_open(2). One thread.
 */
#ifndef BENCH_SERVER_PROBE_H
#define BENCH_SERVER_PROBE_H

#include "media/base/attributes.h"

#include <stdint.h>
#include <sys/types.h>

/** CPU time of a process so far [us]. */
struct server_cpu {
    int64_t user_us, system_us; /* of all its threads, in steps of 10 ms */
    int64_t exact_us;           /* of those that live; 0: not known */
};

/** @return 0; -ESRCH: there is no such process; -EBADMSG; -errno */
MUST_USE int server_probe_cpu(pid_t pid, struct server_cpu *ret);

/** Resident memory [KiB]. @return 0; -ESRCH; -EBADMSG */
MUST_USE int server_probe_memory(pid_t pid, uint64_t *ret);

struct call_counter;

/** Count system calls of the threads that a process has now. @return NULL: the kernel does not let
 * us */
struct call_counter *call_counter_new(pid_t pid);
/** NULL is fine. @return NULL */
struct call_counter *call_counter_free(struct call_counter *c);
/** @return calls since call_counter_new() */
uint64_t call_counter_read(const struct call_counter *c);

#endif
