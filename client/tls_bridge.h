/**
 * @file tls_bridge.h  Reaches a TURN server over TLS for a library that only knows TCP: a listener
 * on loopback, whose connections go on to the server by TLS. libnice's own "TURN over TLS" is the
 * pseudo-SSL of old vendors, no TLS.
 *
 * Whoever is on this machine may use the listener; it leads to the TURN server and nowhere else,
 * and knows no password. Thread: that of the event_base.
 */
#ifndef CLIENT_TLS_BRIDGE_H
#define CLIENT_TLS_BRIDGE_H

#include "media/base/attributes.h"

#include <stdint.h>

struct event_base;
struct tls_bridge;
struct tls_context;

enum {
    TLS_BRIDGE_MAX_PIPES = 64,        /* connections at a time: libnice makes one per address */
    TLS_BRIDGE_MAX_QUEUE = 64 * 1024, /* unsent bytes of a direction; beyond, nothing is read */
    TLS_BRIDGE_PATIENCE_S = 10,       /* to be connected; to take the last bytes */
    TLS_BRIDGE_ERROR_MAX = 767,
};

/** Where a bridge leads. */
struct tls_bridge_target {
    const char *host;    /* DNS name or literal that the certificate must be for; copied */
    const char *address; /* IPv4 or IPv6 literal */
    uint16_t port;
};

/**
 * Listen on a free port of 127.0.0.1.
 *
 * @param tls  borrowed: must outlive the bridge
 * @return 0; -EINVAL: address is no literal; -ENOMEM; -errno of the listener
 */
MUST_USE int tls_bridge_new(struct tls_bridge **ret, struct event_base *base,
                            struct tls_context *tls, const struct tls_bridge_target *target);

/** Close everything. NULL is fine. @return NULL */
struct tls_bridge *tls_bridge_free(struct tls_bridge *b);

/** @return port of the listener */
uint16_t tls_bridge_port(const struct tls_bridge *b);

/** @return why the last connection that never was connected failed, for people; "": none did */
const char *tls_bridge_error(const struct tls_bridge *b);

/** @return connections that are open now */
uint32_t tls_bridge_pipes(const struct tls_bridge *b);

#endif
