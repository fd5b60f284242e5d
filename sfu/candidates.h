/**
 * @file candidates.h  Where we tell peers to send media: configured addresses, or those of the
 * machine's interfaces. Real I/O (getifaddrs). Thread: any.
 */
#ifndef SFU_CANDIDATES_H
#define SFU_CANDIDATES_H

#include "media/base/attributes.h"
#include "signaling/negotiation.h"

#include <stdint.h>

struct config;

/**
 * List host candidates, best first: those to advertise if there are any, else the address that
 * media is bound to, else every IPv4 and IPv6 address of the interfaces that are up, without
 * link-local ones and with loopback last.
 *
 * @param port  UDP port of the worker
 * @param ret   room for PLAN_MAX_CANDIDATES; further addresses are left out
 * @return how many; 0: the machine has no address
 */
uint32_t candidates_gather(const struct config *config, uint16_t port,
                           struct plan_candidate ret[PLAN_MAX_CANDIDATES]);

#endif
