/**
 * @file ice_servers.h  The STUN and TURN servers that clients are told of, with passwords that hold
 * for a while. Thread: any, no shared state.
 *
 * An entry of the setting `ice_servers` is one of
 *
 *     stun:HOST[:PORT]
 *     turn:HOST[:PORT][?transport=udp|tcp]                   needs turn_secret
 *     turns:HOST[:PORT]                                      likewise; TURN over TLS
 *     turn:... USER PASSWORD, turns:... USER PASSWORD        a fixed account
 *
 * with single blanks between. docs/TURN.md is the manual for operators.
 */
#ifndef SFU_ICE_SERVERS_H
#define SFU_ICE_SERVERS_H

#include "media/base/attributes.h"
#include "signaling/ice_url.h"
#include "signaling/message.h"

#include <stdint.h>

struct config;
struct config_error;

/** One entry of `ice_servers`. */
struct ice_server {
    struct ice_url url;
    char text[256];                /* the URL as clients get it */
    char user[128], password[128]; /* of a fixed account; "": none */
};

/** Read an entry. @return 0; -EINVAL: none of the forms above; -ENOTSUP: stuns:, or DTLS */
MUST_USE int ice_server_parse(struct ice_server *ret, const char *text);

/** Check all entries of `c`, and that clients can be told of all.
 *  @return 0; -EINVAL: error is set */
MUST_USE int ice_servers_check(const struct config *c, struct config_error *error);

/**
 * Write what a client needs, in the order of the settings; URLs with the same credentials are one
 * server. Entries that ice_servers_check() refuses are left out.
 *
 * @param identity  whom the passwords are for: the relay logs it, and may limit by it
 * @param now_s     Unix time; passwords hold for turn_ttl_s from now
 * @return how many of `ret` are filled
 */
uint32_t ice_servers_fill(const struct config *c, const char *identity, int64_t now_s,
                          struct message_ice_server ret[MESSAGE_MAX_ICE_SERVERS]);

#endif
