#include "media/replay.h"

#include <string.h>

void replay_note(uint64_t *seen, size_t window, uint64_t *newest, uint64_t index)
{
    if (index > *newest && index - *newest >= window) {
        memset(seen, 0, window / 8);
    } else {
        for (uint64_t i = *newest + 1; i <= index;
             i++) /* not seen yet, whatever was there before */
            seen[i % window / REPLAY_WORD] &= ~(UINT64_C(1) << i % REPLAY_WORD);
    }
    if (index > *newest)
        *newest = index;
    seen[index % window / REPLAY_WORD] |= UINT64_C(1) << index % REPLAY_WORD;
}
