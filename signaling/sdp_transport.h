/**
 * @file sdp_transport.h  The a= lines that are about ICE and DTLS; sdp_attribute.c calls them. Each
 * reads what follows the colon into c->section.
 */
#ifndef SIGNALING_SDP_TRANSPORT_H
#define SIGNALING_SDP_TRANSPORT_H

#include "signaling/sdp_attribute.h"

/** @return 0; -EBADMSG: not 4 to 256 characters, or one that a STUN user name cannot have */
MUST_USE int sdp_transport_ice_ufrag(struct sdp_cursor *c, char *value);

/** @return 0; -EBADMSG: not 22 to 256 characters, or one that is not printable */
MUST_USE int sdp_transport_ice_pwd(struct sdp_cursor *c, char *value);

/** @return 0, hashes we do not take included; -EBADMSG: malformed, or not the hash's length */
MUST_USE int sdp_transport_fingerprint(struct sdp_cursor *c, char *value);

/** @return 0; -EBADMSG: none of RFC 4145's words */
MUST_USE int sdp_transport_setup(struct sdp_cursor *c, char *value);

/** @return 0, candidates that are of no use to us included; -EBADMSG: malformed */
MUST_USE int sdp_transport_candidate(struct sdp_cursor *c, char *value);

#endif
