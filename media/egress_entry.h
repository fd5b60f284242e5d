/**
 * @file egress_entry.h  A packet in the queue of an egress peer. For egress*.c alone.
 */
#ifndef MEDIA_EGRESS_ENTRY_H
#define MEDIA_EGRESS_ENTRY_H

#include "media/base/attributes.h"
#include "media/egress.h"
#include "media/path.h"

#include <stdint.h>
#include <sys/socket.h>

enum {
    EGRESS_CACHE_LINE = 64,
    EGRESS_UDP_IPV4 = 8 + 20,
    EGRESS_UDP_IPV6 = 8 + 40,
    EGRESS_TCP_IPV4 = 2 + 20 + 20, /* with the length of RFC 4571 */
    EGRESS_TCP_IPV6 = 2 + 20 + 40,
};

/* Of its own cache lines: most heads end in the first. */
struct egress_entry {
    _Alignas(EGRESS_CACHE_LINE) struct egress_entry *next; /* in a queue, or in the free list */
    struct packet *packet; /* a reference; NULL: all of the payload is lead */
    uint16_t payload_offset, payload_len;
    struct egress_head head;
};

/** @return bytes of the packet before sealing */
static inline uint32_t egress_entry_len(const struct egress_entry *entry)
{
    return (uint32_t)entry->head.head_len + entry->head.lead_len + entry->payload_len;
}

/** @return bytes that a packet of this peer takes on its way besides its own */
static inline uint32_t egress_wire_overhead(const struct egress_peer *peer)
{
    struct sockaddr_storage real;

    if (UNLIKELY(path_is(&peer->to)))
        return path_peer(&peer->to, &real)->ss_family == AF_INET6 ? EGRESS_TCP_IPV6
                                                                  : EGRESS_TCP_IPV4;
    return peer->to.ss_family == AF_INET6 ? EGRESS_UDP_IPV6 : EGRESS_UDP_IPV4;
}

#endif
