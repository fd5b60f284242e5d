/**
 * @file proxy_header.h  PROXY protocol, versions 1 and 2: what a load balancer says of its client
 * before the client's first byte. To be read from those only who are known to be such.
 *
 * Sans-I/O: any thread.
 */
#ifndef SIGNALING_PROXY_HEADER_H
#define SIGNALING_PROXY_HEADER_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { PROXY_HEADER_MAX = 2048 }; /* [bytes] what follows the addresses of version 2 included */

struct proxy_header {
    bool known;                     /* false: the balancer speaks for itself, or does not know */
    struct sockaddr_storage client; /* IPv4 or IPv6, with port; if known */
};

/**
 * Read a header from the beginning of a connection.
 *
 * @return bytes that it has; 0: more is needed (at most PROXY_HEADER_MAX); -EBADMSG: no such header
 */
MUST_USE ptrdiff_t proxy_header_parse(struct proxy_header *ret, const uint8_t *bytes, size_t len);

#endif
