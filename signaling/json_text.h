/** @file json_text.h  JSON strings, and the UTF-8 in them. Thread: any, no shared state. */
#ifndef SIGNALING_JSON_TEXT_H
#define SIGNALING_JSON_TEXT_H

#include "media/base/text.h"

#include <stddef.h>

/** Append `s` as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD, so that a
 *  text frame with it is always valid. */
void json_append_string(struct text *out, const char *s);

/** @return bytes of the UTF-8 character at `s` [1..4], 0 if there is none (also at the end) */
size_t utf8_char_len(const char *s);

/** Copy as much of `s` as fits, cut at a whole character. `out` has room for `size` bytes, >= 1. */
void utf8_copy(char *out, size_t size, const char *s);

#endif
