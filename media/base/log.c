#include "media/base/log.h"

#include "media/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One write(2) of at most PIPE_BUF (4096) bytes is not mixed with those of other threads. */
enum { MAX_LINE = 1024 };

static atomic_int least_level = LOG_INFO;

static const char *const level_names[] = {
    [LOG_TRACE] = "trace", [LOG_DEBUG] = "debug", [LOG_INFO] = "info",
    [LOG_WARN] = "warn",   [LOG_ERROR] = "error",
};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&least_level, (int)level, memory_order_relaxed);
}

int log_level_parse(const char *name)
{
    for (size_t level = 0; level < ARRAY_LEN(level_names); level++) {
        if (strcmp(level_names[level], name) == 0)
            return (int)level;
    }
    return -EINVAL;
}

/* "2026-01-31T12:00:00.000Z info  worker: "; how many characters. */
static size_t write_prefix(char *line, size_t size, enum log_level level, const char *area)
{
    int64_t now_us = clock_wall_us();
    time_t seconds = (time_t)(now_us / SECOND);
    struct tm utc = {0};
    size_t len;
    int n;

    (void)gmtime_r(&seconds, &utc);
    len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    n = snprintf(line + len, size - len, ".%03dZ %-5s %s: ", (int)(now_us % SECOND / MS),
                 level_names[level], area);
    assert(n > 0 && len + (size_t)n < size);
    return len + (size_t)n;
}

/* What peers say may be in a line; it must neither end it nor talk to the terminal. */
static void disarm(char *from, const char *to)
{
    for (; from < to; from++) {
        if ((unsigned char)*from < ' ' || *from == 127)
            *from = '?';
    }
}

void log_write(enum log_level level, const char *area, const char *format, ...)
{
    char line[MAX_LINE];
    int old_errno = errno;
    va_list args;
    int n;

    assert((size_t)level < ARRAY_LEN(level_names));
    if ((int)level < atomic_load_explicit(&least_level, memory_order_relaxed))
        return;

    size_t start = write_prefix(line, sizeof(line), level, area);
    size_t len = start;

    va_start(args, format);
    n = vsnprintf(line + len, sizeof(line) - len, format, args);
    va_end(args);
    if (n > 0)
        len += (size_t)n;
    if (len > sizeof(line) - 1)
        len = sizeof(line) - 1;
    disarm(line + start, line + len);
    line[len++] = '\n';

    ssize_t written = write(STDERR_FILENO, line, len);

    (void)written; /* nobody is left to be told */
    errno = old_errno;
}

bool log_limit_pass(struct log_limit *limit, int64_t now_us, uint32_t burst, uint32_t *cut)
{
    if (limit->second != now_us / SECOND) {
        limit->second = now_us / SECOND;
        limit->written = 0;
    }
    if (limit->written >= burst) {
        limit->cut++;
        return false;
    }
    *cut = limit->cut;
    limit->cut = 0;
    limit->written++;
    return true;
}

const char *err_name(int err)
{
    const char *name = strerrorname_np(abs(err));

    return name ? name : "E?";
}
