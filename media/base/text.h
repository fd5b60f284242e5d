/**
 * @file text.h  A growing string with a maximum, for SDP, JSON and HTTP bodies.
 *
 * Like struct writer it remembers the first failure (no memory, or above the maximum): append
 * straight on, check text_ok() once. Always NUL-terminated. Not thread-safe.
 */
#ifndef MEDIA_BASE_TEXT_H
#define MEDIA_BASE_TEXT_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data;           /* NUL-terminated; NULL until the first append */
    size_t len, capacity; /* [bytes] without the NUL */
    size_t max_len;
    bool failed;
};

/** Make an empty text that never grows beyond `max_len` bytes. */
void text_init(struct text *t, size_t max_len);

/** Free the string; `t` is empty and usable again. */
void text_done(struct text *t);

/** @return true while everything appended fitted */
bool text_ok(const struct text *t);

/** @return the string, "" if nothing was appended; valid until the next call on `t` */
const char *text_str(const struct text *t);

/** Append a C string, `len` bytes, or what printf() would print. Borrowed. */
void text_append(struct text *t, const char *s);
void text_append_n(struct text *t, const char *s, size_t len);
void text_printf(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);

/** Give the string to the caller, who frees it; `t` is empty afterwards. @return NULL if failed */
char *text_take(struct text *t);

#endif
