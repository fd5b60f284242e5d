/** @file utf8.h  Characters of UTF-8. Thread: any, no shared state. */
#ifndef MEDIA_BASE_UTF8_H
#define MEDIA_BASE_UTF8_H

#include <stddef.h>

/** @return bytes of the UTF-8 character at `s` [1..4], 0 if there is none (also at the end) */
size_t utf8_char_len(const char *s);

/** Copy as much of `s` as fits, cut at a whole character. `out` has room for `size` bytes, >= 1. */
void utf8_copy(char *out, size_t size, const char *s);

#endif
