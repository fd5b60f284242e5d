/**
 * @file log.h  Lines for operators: level, time, subsystem, one sentence with key=value.
 *
 * Each `key=value` of a format becomes a member in JSON (media/base/log_json.h). A key is written
 * in lower case, and is not one of time, level, area and msg.
 *
 * Written with one write(2) to standard error, safe from any thread. Libraries in media/ and
 * signaling/ return errors instead of logging (STYLE 10); sfu/ and client/ log, once, where the
 * room or participant is known. Whatever a peer can cause passes log_limit_pass() first: at most
 * `burst` lines a second, with a count of what was left out.
 */
#ifndef MEDIA_BASE_LOG_H
#define MEDIA_BASE_LOG_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/** "2026-01-31T12:00:00.000Z info  area: sentence: key=value", or one JSON object per line. */
enum log_format { LOG_TEXT, LOG_JSON };

/** Least level that is written; LOG_INFO at first. */
void log_set_level(enum log_level level);

/** How lines are written; LOG_TEXT at first. */
void log_set_format(enum log_format format);

/** @return the format named "text" or "json", or -EINVAL */
MUST_USE int log_format_parse(const char *name);

/** @return the level named "trace", "debug", "info", "warn" or "error", or -EINVAL */
MUST_USE int log_level_parse(const char *name);

/** @return its name; static storage */
const char *log_level_name(enum log_level level);

/** Write one line. `area` is the subsystem ("worker", "http"), a static string. */
void log_write(enum log_level level, const char *area, const char *format, ...) PRINTF_LIKE(3, 4);

#define log_debug(area, ...) log_write(LOG_DEBUG, area, __VA_ARGS__)
#define log_info(area, ...)  log_write(LOG_INFO, area, __VA_ARGS__)
#define log_warn(area, ...)  log_write(LOG_WARN, area, __VA_ARGS__)
#define log_error(area, ...) log_write(LOG_ERROR, area, __VA_ARGS__)

/** Rate limiter of one call site; zero-initialised, one thread. */
struct log_limit {
    int64_t second;        /* whole second of the count */
    uint32_t written, cut; /* lines in it, and left out since the last line */
};

/** @return true if a line may be written now; *cut says how many were left out before it */
MUST_USE bool log_limit_pass(struct log_limit *limit, int64_t now_us, uint32_t burst,
                             uint32_t *cut);

/** @return "EBADMSG" for -EBADMSG or EBADMSG, "E?" for what we do not know; static storage */
const char *err_name(int err);

#endif
