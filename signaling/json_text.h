/** @file json_text.h  JSON strings. Thread: any, no shared state. */
#ifndef SIGNALING_JSON_TEXT_H
#define SIGNALING_JSON_TEXT_H

#include "media/base/text.h"
#include "media/base/utf8.h" /* what is in them */

/** Append `s` as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD, so that a
 *  text frame with it is always valid. */
void json_append_string(struct text *out, const char *s);

#endif
