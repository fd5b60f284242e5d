/**
 * @file measure.h  CPU time and the form of results, for everything under bench/.
 *
 * A result is one line, "name value unit", so that two runs can be compared by a script.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

/** CPU time, split as the kernel splits it [us]. */
struct cpu_time {
    int64_t user_us, system_us;
};

/** CPU time so far. @param who  RUSAGE_SELF: the process; RUSAGE_THREAD: the calling thread */
static inline struct cpu_time measure_cpu(int who)
{
    struct rusage usage = {0};

    (void)getrusage(who, &usage);
    return (struct cpu_time){
        .user_us = (int64_t)usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec,
        .system_us = (int64_t)usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec,
    };
}

/** User and system time together since `start` [us]. */
static inline int64_t measure_cpu_us_since(int who, struct cpu_time start)
{
    struct cpu_time now = measure_cpu(who);

    return now.user_us - start.user_us + now.system_us - start.system_us;
}

/** Print one result, with three digits or all those before the point. */
static inline void measure_print(const char *name, double value, const char *unit)
{
    printf(value < 100 ? "%s %.3g %s\n" : "%s %.0f %s\n", name, value, unit);
    (void)fflush(stdout);
}

#endif
