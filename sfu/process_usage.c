#include "sfu/process_usage.h"

#include "media/base/clock.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static int64_t micros_of(const struct timeval *time)
{
    return time->tv_sec * SECOND + time->tv_usec;
}

static void read_memory(struct process_usage *ret)
{
    FILE *file = fopen("/proc/self/statm", "re");
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t all, resident;

    if (!file)
        return;
    /* NOLINTNEXTLINE(cert-err34-c): of the kernel, and far from 2^64 */
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &all, &resident) == 2) {
        ret->virtual_bytes = all * page_bytes;
        ret->resident_bytes = resident * page_bytes;
    }
    (void)fclose(file);
}

static uint32_t count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint32_t n = 0;

    if (!folder)
        return 0;
    while (readdir(folder)) /* NOLINT(concurrency-mt-unsafe): of a folder of our own */
        n++;
    (void)closedir(folder);
    return n > 3 ? n - 3 : 0; /* ".", "..", and the folder's own */
}

void process_usage_read(struct process_usage *ret)
{
    struct rusage usage;
    struct rlimit limit;

    *ret = (struct process_usage){0};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        ret->cpu_us = micros_of(&usage.ru_utime) + micros_of(&usage.ru_stime);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        ret->max_descriptors = limit.rlim_cur > UINT32_MAX ? UINT32_MAX : (uint32_t)limit.rlim_cur;
    ret->descriptors = count_descriptors();
    read_memory(ret);
}
