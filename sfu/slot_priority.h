/**
 * @file slot_priority.h  In which order a subscriber's tracks are served: who gets a slot first,
 * and whose layers rise first. Pure.
 */
#ifndef SFU_SLOT_PRIORITY_H
#define SFU_SLOT_PRIORITY_H

/** Higher is served first. Within one: speakers by recency, the others in order of publishing. */
enum slot_priority {
    PRIORITY_NORMAL,
    PRIORITY_SPEAKER,
    PRIORITY_SCREEN, /* somebody shows a screen */
    PRIORITY_PINNED, /* the subscriber asked for it */
};

enum { PRIORITIES = PRIORITY_PINNED + 1 };

/** @return "normal", "speaker", "screen", "pinned": as in `view` */
static inline const char *slot_priority_name(enum slot_priority priority)
{
    static const char *const names[] = {
        [PRIORITY_NORMAL] = "normal",
        [PRIORITY_SPEAKER] = "speaker",
        [PRIORITY_SCREEN] = "screen",
        [PRIORITY_PINNED] = "pinned",
    };

    return names[priority];
}

#endif
