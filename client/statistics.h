/**
 * @file statistics.h  One line a second about a call, for people or (JSON) for programs.
 * Not thread-safe.
 */
#ifndef CLIENT_STATISTICS_H
#define CLIENT_STATISTICS_H

#include "media/base/text.h"

#include <stdint.h>

struct bulletin;
struct media_link;
struct roster;
struct streams;

/** What a line is about; all borrowed for the call. */
struct statistics {
    const struct media_link *link;
    const struct streams *streams; /* NULL: not joined yet */
    const struct roster *roster;   /* NULL: likewise */
    const struct bulletin *bulletin;
    int64_t now_us, since_us; /* since_us: when the program began */
};

/** Append a line of text with its line feed. */
void statistics_text(struct text *out, const struct statistics *s);

/** Append a JSON object with a line feed; its members are documented in docs/CLIENT.md. */
void statistics_json(struct text *out, const struct statistics *s);

#endif
