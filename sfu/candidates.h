/**
 * @file candidates.h  Where we tell peers to send media: the addresses of `advertise`, or those of
 * the machine's interfaces, by UDP and by TCP. Real I/O (getifaddrs) in candidates_gather() alone.
 * Thread: any.
 *
 * An entry of `advertise` is one of
 *
 *     203.0.113.7, 2001:db8::7             this address, with the ports that we have
 *     203.0.113.7:40000, [2001:db8::7]:40000   and these ports, as a NAT maps them: UDP of the
 * first worker, one more of the second; TCP likewise if its port is that of the first worker's UDP
 *     local                                the addresses of the interfaces, too
 *     stun:HOST:PORT                       what this server sees of us, and the interfaces'
 */
#ifndef SFU_CANDIDATES_H
#define SFU_CANDIDATES_H

#include "media/base/attributes.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct config;

enum {
    CANDIDATES_MAX = PLAN_MAX_CANDIDATES / 2, /* addresses: each by UDP and by TCP */
    CANDIDATES_HOST_MAX = 255,                /* characters of a STUN server's name */
};

/** Addresses that hold for all workers. */
struct candidates {
    uint32_t n;
    struct candidates_address {
        char text[64]; /* a literal */
        uint16_t port; /* of the first worker's UDP, as others see it; 0: as it is here */
    } addresses[CANDIDATES_MAX];
};

/** @return NULL if it is an entry of `advertise`; else what it must be */
const char *candidates_check(const char *text);

/** Read the `stun:` entry, of which there may be one.
 *  @return true if there is one, and its host, a name or a literal, and port */
bool candidates_stun_server(const struct config *config, char host[CANDIDATES_HOST_MAX + 1],
                            uint16_t *port);

/**
 * List the addresses, best first: those to advertise if there are any, else (and with `local` or
 * `stun:`) the address that media is bound to, or all of the interfaces that are up, but for
 * link-local ones and IPv6 addresses that will not last (ipv6_flags_usable()). Loopback comes last,
 * and not at all beside others that are advertised.
 *
 * @param ret  further addresses than it takes are left out; n 0: the machine has none
 */
void candidates_gather(struct candidates *ret, const struct config *config);

/** What is a worker's own. */
struct candidates_worker {
    uint32_t index;
    uint16_t udp_port, first_udp_port; /* its own, and that of the first worker */
    uint16_t tcp_port;                 /* of all workers; 0: none */
    uint32_t n_mapped;
    const struct sockaddr_storage *mapped; /* where a STUN server saw its UDP socket */
};

/** Make the candidates of a worker: host by UDP, what STUN found, host by TCP, in this order and
 *  with falling priority. @return how many */
uint32_t candidates_of_worker(const struct candidates *all, const struct candidates_worker *worker,
                              struct plan_candidate ret[PLAN_MAX_CANDIDATES]);

#endif
