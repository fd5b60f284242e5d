/**
 * @file send_names.h  Which transport-wide number a packet has that its peer knows by SSRC and
 * sequence number alone. A plain value of 32 KiB, for peers whose feedback is RFC 8888's. Not
 * thread-safe.
 */
#ifndef MEDIA_SEND_NAMES_H
#define MEDIA_SEND_NAMES_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum { SEND_NAMES = 4096 }; /* places, a power of two: twice as many as SEND_HISTORY has packets */

struct send_name {
    uint32_t ssrc;
    uint16_t seq, number;
};

/* By hash of SSRC and sequence number. Who is displaced is found no more: neighbours of one stream
 * never displace each other. */
struct send_names {
    bool used[SEND_NAMES];
    struct send_name names[SEND_NAMES];
};

void send_names_init(struct send_names *n);

/** Note that the packet has `number`. */
void send_names_put(struct send_names *n, uint32_t ssrc, uint16_t seq, uint16_t number);

/** @return the number that the packet was last sent with; -ENOENT: unknown, or too long ago */
MUST_USE int send_names_find(const struct send_names *n, uint32_t ssrc, uint16_t seq);

#endif
