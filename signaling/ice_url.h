/**
 * @file ice_url.h  Addresses of STUN and TURN servers as people write them (RFC 7064, RFC 7065).
 * Thread: any; ice_url_resolve() may block.
 */
#ifndef SIGNALING_ICE_URL_H
#define SIGNALING_ICE_URL_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ICE_URL_PORT = 3478,
    ICE_URL_TLS_PORT = 5349,
    ICE_URL_HOST_MAX = 255,
};

enum ice_url_kind {
    ICE_URL_STUN,     /* over UDP */
    ICE_URL_TURN_UDP, /* the way to the relay; what it relays is UDP always */
    ICE_URL_TURN_TCP,
    ICE_URL_TURN_TLS,
};
/** @return "STUN", "TURN over UDP", ... */
const char *ice_url_kind_name(enum ice_url_kind kind);

struct ice_url {
    enum ice_url_kind kind;
    uint16_t port;
    char host[ICE_URL_HOST_MAX + 1]; /* name or literal, IPv6 without brackets */
};

/**
 * Read "stun:HOST[:PORT]", "turn:HOST[:PORT][?transport=udp|tcp]" or
 * "turns:HOST[:PORT][?transport=tcp]".
 *
 * @return 0; -EINVAL: not such a URL; -ENOTSUP: stuns:, or turns: over UDP, which is DTLS
 */
MUST_USE int ice_url_parse(struct ice_url *ret, const char *text);

/** Read "[stun:]HOST[:PORT]". @return 0; -EINVAL */
MUST_USE int ice_url_parse_stun(struct ice_url *ret, const char *text);

/** Look the host up. @param out  receives the literal address, at most `capacity` with the NUL
 *  @return 0; -EHOSTUNREACH: no such host; -ENAMETOOLONG */
MUST_USE int ice_url_resolve(const struct ice_url *url, char *out, size_t capacity);

#endif
