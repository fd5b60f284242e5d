/**
 * @file send_history.h  What left on one transport, by transport-wide number, until feedback tells
 * of it. A plain value of 16 KiB, to be allocated where somebody listens. Not thread-safe.
 */
#ifndef MEDIA_SEND_HISTORY_H
#define MEDIA_SEND_HISTORY_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SEND_HISTORY = 2048, /* packets, a power of two: half a second of 40 Mbit/s */
    SEND_HISTORY_NO_PROBE = 0,
};

enum send_history_state {
    SEND_HISTORY_NONE,
    SEND_HISTORY_SENT,
    SEND_HISTORY_LOST,
    SEND_HISTORY_GOT
};

/* Eight to a cache line: written for each packet of each subscriber. */
struct send_history_entry {
    uint32_t sent_us; /* low bits */
    uint16_t len;     /* [bytes] */
    uint8_t probe;
    uint8_t state; /* enum send_history_state */
};

struct send_history {
    int64_t newest_us;                               /* when the last one left */
    uint16_t next;                                   /* number after the last one */
    struct send_history_entry entries[SEND_HISTORY]; /* by number modulo their count */
};

/** A packet that feedback tells of. */
struct sent_packet {
    int64_t sent_us;
    uint32_t len;  /* on the wire, IP and UDP heads included [bytes] */
    uint8_t probe; /* SEND_HISTORY_NO_PROBE: none */
};

void send_history_init(struct send_history *h);

/** Note a packet that leaves now, of `len` bytes. @param seq  one more than the call before had */
static inline void send_history_put(struct send_history *h, uint16_t seq, uint16_t len,
                                    uint8_t probe, int64_t now_us)
{
    h->entries[seq % SEND_HISTORY] = (struct send_history_entry){
        .sent_us = (uint32_t)now_us, .len = len, .probe = probe, .state = SEND_HISTORY_SENT};
    h->newest_us = now_us;
    h->next = (uint16_t)(seq + 1);
}

/**
 * Take what feedback says of one packet.
 *
 * @return 0: it is news, and *ret was written; -ENOENT: unknown or too old; -EALREADY: it was told
 *         before. A packet is lost once at most, and received once at most, also after it was lost
 */
MUST_USE int send_history_answer(struct send_history *h, uint16_t seq, bool received,
                                 struct sent_packet *ret);

#endif
