#include "bench/server_probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_THREADS = 4096, FILE_MAX = 4096 };

struct call_counter {
    size_t n;
    int fds[MAX_THREADS];
};

/* @return bytes read, NUL-terminated; -errno */
static int read_file(const char *path, char *out, size_t capacity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    n = read(fd, out, capacity - 1);
    (void)close(fd);
    if (n < 0)
        return -errno;
    out[n] = '\0';
    return (int)n;
}

/* The n-th field, from 1, of what follows the program's name, which may hold anything. */
static int read_field(const char *text, int n, uint64_t *ret)
{
    const char *at = strrchr(text, ')');
    char *end;

    for (int i = 0; at && i < n; i++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    if (!at)
        return -EBADMSG;
    *ret = strtoull(at, &end, 10);
    return end == at ? -EBADMSG : 0;
}

/* Of one thread, exactly: /proc/PID/stat counts in steps of 10 ms. @return [us]; 0: not known */
static int64_t read_thread_us(pid_t pid, const char *thread)
{
    char path[64];
    char text[FILE_MAX];

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%.16s/schedstat", (int)pid, thread);
    if (read_file(path, text, sizeof(text)) < 0)
        return 0;
    return (int64_t)(strtoull(text, NULL, 10) / 1000);
}

/* Of all threads that live. */
static int64_t read_exact_us(pid_t pid)
{
    char path[64];
    int64_t sum_us = 0;
    struct dirent *entry;
    DIR *threads;

    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    threads = opendir(path);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    while (threads && (entry = readdir(threads)) != NULL) {
        if (entry->d_name[0] != '.')
            sum_us += read_thread_us(pid, entry->d_name);
    }
    if (threads)
        (void)closedir(threads);
    return sum_us;
}

int server_probe_cpu(pid_t pid, struct server_cpu *ret)
{
    enum { UTIME = 12, STIME = 13 }; /* proc(5): fields 14 and 15; the name is the second */
    int64_t tick_us = 1000000 / sysconf(_SC_CLK_TCK);
    char path[64];
    char text[FILE_MAX];
    uint64_t user;
    uint64_t system;
    int err;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    err = read_file(path, text, sizeof(text));
    if (err < 0)
        return err;
    if (read_field(text, UTIME, &user) < 0 || read_field(text, STIME, &system) < 0)
        return -EBADMSG;
    *ret = (struct server_cpu){
        .user_us = (int64_t)user * tick_us,
        .system_us = (int64_t)system * tick_us,
        .exact_us = read_exact_us(pid),
    };
    return 0;
}

int server_probe_memory(pid_t pid, uint64_t *ret)
{
    char path[64];
    char text[FILE_MAX];
    const char *line;
    int err;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    err = read_file(path, text, sizeof(text));
    if (err < 0)
        return err;
    line = strstr(text, "VmRSS:");
    if (!line)
        return -EBADMSG;
    *ret = strtoull(line + strlen("VmRSS:"), NULL, 10);
    return 0;
}

/* @return number of the event "a system call was entered"; 0: not known */
static uint64_t find_tracepoint(void)
{
    static const char *const paths[] = {
        "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id",
        "/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id",
    };
    char text[64];

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        if (read_file(paths[i], text, sizeof(text)) > 0)
            return strtoull(text, NULL, 10);
    }
    return 0;
}

static void count_thread(struct call_counter *c, pid_t thread, uint64_t tracepoint)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_TRACEPOINT,
        .size = sizeof(attr),
        .config = tracepoint,
    };
    long fd = syscall(SYS_perf_event_open, &attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);

    if (fd >= 0)
        c->fds[c->n++] = (int)fd;
}

struct call_counter *call_counter_new(pid_t pid)
{
    uint64_t tracepoint = find_tracepoint();
    struct call_counter *c = NULL;
    struct dirent *entry;
    char path[64];
    DIR *threads;

    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    threads = tracepoint ? opendir(path) : NULL;
    if (!threads)
        return NULL;
    c = calloc(1, sizeof(*c));
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    while (c && c->n < MAX_THREADS && (entry = readdir(threads)) != NULL) {
        if (entry->d_name[0] != '.')
            count_thread(c, (pid_t)strtol(entry->d_name, NULL, 10), tracepoint);
    }
    (void)closedir(threads);
    return c && c->n > 0 ? c : call_counter_free(c);
}

struct call_counter *call_counter_free(struct call_counter *c)
{
    for (size_t i = 0; c && i < c->n; i++)
        (void)close(c->fds[i]);
    free(c);
    return NULL;
}

uint64_t call_counter_read(const struct call_counter *c)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < c->n; i++) {
        uint64_t value;

        if (read(c->fds[i], &value, sizeof(value)) == (ssize_t)sizeof(value))
            sum += value;
    }
    return sum;
}
