#include "media/base/log.h"

#include "media/base/clock.h"
#include "media/base/log_json.h"

#include <assert.h>
#include <errno.h>
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
enum { MAX_LINE = 2048, TIME_LEN = 24 };

static atomic_int least_level = LOG_INFO;
static atomic_int line_format = LOG_TEXT;

static const char *const level_names[] = {
    [LOG_TRACE] = "trace", [LOG_DEBUG] = "debug", [LOG_INFO] = "info",
    [LOG_WARN] = "warn",   [LOG_ERROR] = "error",
};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&least_level, (int)level, memory_order_relaxed);
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

void log_set_format(enum log_format format)
{
    atomic_store_explicit(&line_format, (int)format, memory_order_relaxed);
}

int log_format_parse(const char *name)
{
    if (strcmp(name, "text") == 0)
        return LOG_TEXT;
    return strcmp(name, "json") == 0 ? LOG_JSON : -EINVAL;
}

int log_level_parse(const char *name)
{
    for (size_t level = 0; level < ARRAY_LEN(level_names); level++) {
        if (strcmp(level_names[level], name) == 0)
            return (int)level;
    }
    return -EINVAL;
}

/* "2026-01-31T12:00:00.000Z" */
static void write_time(char out[TIME_LEN + 1])
{
    int64_t now_us = clock_wall_us();
    time_t seconds = (time_t)(now_us / SECOND);
    struct tm utc = {0};
    size_t len;

    (void)gmtime_r(&seconds, &utc);
    len = strftime(out, TIME_LEN + 1, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out + len, TIME_LEN + 1 - len, ".%03dZ", (int)(now_us % SECOND / MS));
}

/* What peers say may be in a line; it must neither end it nor talk to the terminal. */
static void disarm(char *from, const char *to)
{
    for (; from < to; from++) {
        if ((unsigned char)*from < ' ' || *from == 127)
            *from = '?';
    }
}

static size_t write_text(char *line, size_t size, const struct log_head *head, const char *format,
                         va_list args) __attribute__((__format__(__printf__, 4, 0)));

/* "2026-01-31T12:00:00.000Z info  worker: ..." */
static size_t write_text(char *line, size_t size, const struct log_head *head, const char *format,
                         va_list args)
{
    int n = snprintf(line, size, "%s %-5s %s: ", head->time, head->level, head->area);
    size_t start = n > 0 ? (size_t)n : 0;
    size_t len = start;

    n = vsnprintf(line + len, size - len, format, args);
    if (n > 0)
        len += (size_t)n;
    if (len > size - 1)
        len = size - 1;
    disarm(line + start, line + len);
    return len;
}

void log_write(enum log_level level, const char *area, const char *format, ...)
{
    char line[MAX_LINE + 1], time[TIME_LEN + 1];
    int old_errno = errno;
    va_list args;
    size_t len;

    assert((size_t)level < ARRAY_LEN(level_names));
    if ((int)level < atomic_load_explicit(&least_level, memory_order_relaxed))
        return;
    write_time(time);

    struct log_head head = {time, level_names[level], area};

    va_start(args, format);
    if (atomic_load_explicit(&line_format, memory_order_relaxed) == LOG_JSON)
        len = log_json_write(line, MAX_LINE, &head, format, args);
    else
        len = write_text(line, MAX_LINE, &head, format, args);
    va_end(args);
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
