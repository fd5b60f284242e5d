/**
 * @file log_json.h  A line of the log as one JSON object. Used by log.c only.
 *
 * A format is a sentence with words such as `room=%s`, `ports=%u-%u` or `message="%s"`: each such
 * word is a member of its own, and the rest is the member `msg`. What a value is, only its own
 * conversions say, so that a name cannot make other members. One integer is a number, everything
 * else a string.
 */
#ifndef MEDIA_BASE_LOG_JSON_H
#define MEDIA_BASE_LOG_JSON_H

#include <stdarg.h>
#include <stddef.h>

/** How a line begins: plain and short texts. */
struct log_head {
    const char *time, *level, *area;
};

/**
 * Write {"time":...,"level":...,"area":...,"msg":...,...}. Strings that do not fit are cut, members
 * that do not fit are left out; it is always valid JSON in valid UTF-8 on one line.
 *
 * @param out     receives the object, without NUL
 * @param size    at least 512 [bytes]
 * @param format  of printf(): d i u x o c s p f g e with any length, flags and width are ignored
 * @return bytes written
 */
size_t log_json_write(char *out, size_t size, const struct log_head *head, const char *format,
                      va_list args) __attribute__((__format__(__printf__, 4, 0)));

#endif
