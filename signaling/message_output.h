/**
 * @file message_output.h  Fields of a JSON object, each with its comma before it: what writers of
 * messages share. Thread: any, no shared state.
 */
#ifndef SIGNALING_MESSAGE_OUTPUT_H
#define SIGNALING_MESSAGE_OUTPUT_H

#include "media/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/** Append ,"name":"value". */
void output_string(struct text *out, const char *name, const char *value);

/** The same; "" stands for none, and is left out. */
void output_word(struct text *out, const char *name, const char *value);

/** Append ,"name":value. */
void output_number(struct text *out, const char *name, uint64_t value);

/** The same; 0 stands for none, and is left out. */
void output_if_any(struct text *out, const char *name, uint64_t value);

/** Append ,"name":true or ,"name":false. */
void output_bool(struct text *out, const char *name, bool value);

#endif
