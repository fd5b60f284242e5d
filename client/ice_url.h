/**
 * @file ice_url.h  Addresses of STUN and TURN servers as people write them (RFC 7064, RFC 7065).
 * Thread: any; ice_url_resolve() may block.
 */
#ifndef CLIENT_ICE_URL_H
#define CLIENT_ICE_URL_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ICE_URL_PORT = 3478,
    ICE_URL_HOST_MAX = 255,
};

struct ice_url {
    char host[ICE_URL_HOST_MAX + 1]; /* name or literal, IPv6 without brackets */
    uint16_t port;
    bool tcp;
};

/**
 * Read "turn:HOST[:PORT][?transport=udp|tcp]".
 *
 * @return 0; -EINVAL: not such a URL; -ENOTSUP: turns:, which is TURN over TLS
 */
MUST_USE int ice_url_parse_turn(struct ice_url *ret, const char *text);

/** Read "[stun:]HOST[:PORT]". @return 0; -EINVAL */
MUST_USE int ice_url_parse_stun(struct ice_url *ret, const char *text);

/** Look the host up. @param out  receives the literal address, at most `capacity` with the NUL
 *  @return 0; -EHOSTUNREACH: no such host; -ENAMETOOLONG */
MUST_USE int ice_url_resolve(const struct ice_url *url, char *out, size_t capacity);

#endif
