/**
 * @file replay.h  Which packet numbers were seen: the newest, and a window of those before it
 * (RFC 3711 section 3.3.2).
 *
 * The owner keeps `newest`, and a bit for each number of the window; all zero at first. A window is
 * a power of two, 64 at least. Plain values; no allocation; not tied to a thread.
 */
#ifndef MEDIA_REPLAY_H
#define MEDIA_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPLAY_WORD = 64 }; /* bits */

/** @return was `index` seen, or is it `window` or more behind the newest? */
static inline bool replay_refuses(const uint64_t *seen, size_t window, uint64_t newest,
                                  uint64_t index)
{
    if (index > newest)
        return false;
    if (newest - index >= window)
        return true;
    return seen[index % window / REPLAY_WORD] >> index % REPLAY_WORD & 1;
}

/** Remember `index`, which is not refused. */
void replay_note(uint64_t *seen, size_t window, uint64_t *newest, uint64_t index);

#endif
