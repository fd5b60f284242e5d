/**
 * @file http_clients.h  How many connections there are, in all and from each address, and how fast
 * each address opens new ones.
 *
 * An IPv6 host usually has a whole /64: that counts as one address. Not thread-safe.
 */
#ifndef SIGNALING_HTTP_CLIENTS_H
#define SIGNALING_HTTP_CLIENTS_H

#include "media/base/attributes.h"
#include "media/base/map.h"
#include "signaling/address_prefix.h"

#include <stdbool.h>
#include <stdint.h>

struct rate_limiter;
struct http_client; /* an address with at least one connection */
struct sockaddr;

/** Embedded by value; members but the limits are private. */
struct http_clients {
    uint32_t max, max_per_address;
    bool limit_loopback;            /* false: a reverse proxy on this host may have them all */
    struct address_prefixes exempt; /* proxies elsewhere, which may, too */
    struct rate_limiter *openings;  /* owned; NULL: no limit */
    uint32_t n;
    struct map by_address;
};

void http_clients_init(struct http_clients *c);

/** Let an address open at most `per_s` connections in a second on average; 0: no limit.
 *  @return 0; -ENOMEM */
MUST_USE int http_clients_limit_openings(struct http_clients *c, uint32_t per_s);

/** Every client must have left. */
void http_clients_done(struct http_clients *c);

/**
 * Count one more connection.
 *
 * @param wait_ms  on failure: when it is worth to try again, if it came too early; else 0
 * @return its address, to leave with; NULL: over a limit, no memory
 */
struct http_client *http_clients_enter(struct http_clients *c, const struct sockaddr *address,
                                       int64_t now_us, uint32_t *wait_ms);

/** Count one less; `client` may be gone then. */
void http_clients_leave(struct http_clients *c, struct http_client *client);

#endif
