/**
 * @file ice.h  What ICE (RFC 8445) is to its owners, whichever agent does it: media/ice_lite in the
 * server, media/ice_agent in the client.
 *
 * Plain values; not tied to a thread.
 */
#ifndef MEDIA_ICE_H
#define MEDIA_ICE_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

/** Moves down this list only; FAILED is final. */
enum ice_state {
    ICE_NEW,       /* nothing asked for yet */
    ICE_GATHERING, /* looking for our addresses */
    ICE_GATHERED,  /* local candidates are there: offer them */
    ICE_CHECKING,  /* remote candidates are known, checks are running */
    ICE_CONNECTED, /* a path works: data may flow */
    ICE_FAILED,    /* no path, or consent to send was lost (RFC 7675) */
};
/** @return "new", "gathering", ...; static storage */
const char *ice_state_name(enum ice_state state);

enum ice_candidate_type {
    ICE_HOST,
    ICE_SERVER_REFLEXIVE,
    ICE_PEER_REFLEXIVE,
    ICE_RELAYED,
};
/** @return "host", "srflx", "prflx" or "relay", as in a=candidate; static storage */
const char *ice_candidate_type_name(enum ice_candidate_type type);

/** @return the type with this name, or -EINVAL */
MUST_USE int ice_candidate_type_parse(const char *name);

enum ice_transport {
    ICE_UDP,
    ICE_TCP_ACTIVE,  /* connects (RFC 6544) */
    ICE_TCP_PASSIVE, /* is connected to */
};

enum { ICE_ADDRESS_MAX = 63, ICE_FOUNDATION_MAX = 32 };

struct ice_candidate {
    enum ice_candidate_type type;
    enum ice_transport transport;
    uint32_t priority;
    uint16_t port;
    char address[ICE_ADDRESS_MAX + 1]; /* IPv4 or IPv6 literal */
    char foundation[ICE_FOUNDATION_MAX + 1];
};

/** The pair of candidates that is in use. */
struct ice_path {
    struct ice_candidate local, remote;
    bool relay_tcp; /* `local` is relayed and we reach the relay over TCP */
    bool relay_tls; /* likewise, by way of something that speaks TLS with it; relay_tcp, too */
};

#endif
