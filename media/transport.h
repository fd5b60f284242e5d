/**
 * @file transport.h  One peer's secure media transport on one path: DTLS, SRTP and SRTCP.
 *
 * The path below (ice_lite in the server, ice_agent in the client) is the owner's: datagrams that
 * are not STUN go in here, datagrams come out through the handler. RTP goes out through `egress`
 * with transport_seal_session(), not through here. Sans-I/O: no socket, clock or thread inside.
 *
 * Thread: the worker's (or client's) own.
 */
#ifndef MEDIA_TRANSPORT_H
#define MEDIA_TRANSPORT_H

#include "media/base/attributes.h"
#include "media/dtls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet;
struct seal_session;
struct transport;

/** Moves down this list only; FAILED and CLOSED are final. */
enum transport_state {
    TRANSPORT_NEW,        /* no path yet: transport_start() not called */
    TRANSPORT_CONNECTING, /* DTLS handshake running */
    TRANSPORT_CONNECTED,  /* keys derived: media may flow */
    TRANSPORT_FAILED,     /* handshake refused, fingerprint mismatch, no common SRTP profile */
    TRANSPORT_CLOSED,     /* closed by us or by the peer's close_notify */
};

/** All members must be set; none may free the transport. */
struct transport_handler {
    /** One DTLS or SRTCP datagram for the peer's path. `data` is valid only during the call. */
    void (*send)(void *owner, const uint8_t *data, size_t len);
    /** The state changed; once per change, after it took effect. */
    void (*on_state)(void *owner, enum transport_state state);
    /** An authenticated, parsed RTP packet (packet->rtp is set). Borrowed: packet_ref() to keep. */
    void (*on_rtp)(void *owner, struct packet *packet, int64_t now_us);
    /** An authenticated RTCP compound [len bytes], decrypted. Borrowed. */
    void (*on_rtcp)(void *owner, const uint8_t *data, size_t len, int64_t now_us);
};

struct transport_config {
    const struct dtls_identity *identity; /* borrowed: must outlive the transport */
    struct dtls_fingerprint fingerprint;  /* of the peer's certificate */
    bool dtls_client;                     /* we send the ClientHello (peer is a=setup:passive) */
    enum srtp_profile only_profile; /* for tests and measurements; SRTP_NONE: all, best first */
};

struct transport_stats {
    uint64_t rtp_packets, rtp_bytes;                   /* received, authenticated */
    uint64_t rtcp_packets;                             /* received, authenticated */
    uint64_t bad_auth, replayed, malformed, too_early; /* dropped datagrams by reason */
};

/**
 * Make a transport in TRANSPORT_NEW.
 *
 * @param config   copied
 * @param handler  copied
 * @param owner    first argument of every handler call
 * @return 0; -EINVAL: fingerprint length does not match its hash; -ENOMEM
 */
MUST_USE int transport_new(struct transport **ret, const struct transport_config *config,
                           const struct transport_handler *handler, void *owner);
/** Free, sending nothing. NULL is fine. @return NULL */
struct transport *transport_free(struct transport *t);

/** There is a path: begin the handshake (and feed what came early). Idempotent. */
void transport_start(struct transport *t, int64_t now_us);

/**
 * Feed one DTLS, SRTP or SRTCP datagram; it is decrypted in place. Before transport_start() up to
 * four DTLS datagrams are kept and fed then (libnice peers send the ClientHello early).
 *
 * @param in  borrowed
 * @return 0; -EBADMSG malformed; -EPERM failed authentication; -EEXIST replayed; -ENOTCONN media
 *         before the keys; all are counted and none is logged
 */
MUST_USE int transport_receive(struct transport *t, struct packet *in, int64_t now_us);

/** Encrypt and send one RTCP compound [len bytes]. @return 0; -ENOTCONN; -EMSGSIZE */
MUST_USE int transport_send_rtcp(struct transport *t, const uint8_t *data, size_t len);

/** @return what egress seals with; NULL before TRANSPORT_CONNECTED */
struct seal_session *transport_seal_session(struct transport *t);

/** Send close_notify and move to TRANSPORT_CLOSED. */
void transport_close(struct transport *t);

/** Do what is due (DTLS flights). @return when to call again [us], or NEVER_US */
MUST_USE int64_t transport_advance(struct transport *t, int64_t now_us);

/** @return where the transport is */
enum transport_state transport_state(const struct transport *t);
const char *transport_state_name(enum transport_state state);
/** @return why it failed, for people; "" if it did not */
const char *transport_error(const struct transport *t);
/** @return the profile agreed on; SRTP_NONE before TRANSPORT_CONNECTED */
enum srtp_profile transport_profile(const struct transport *t);
/** @return counters since transport_new(); valid as long as the transport */
const struct transport_stats *transport_stats(const struct transport *t);

#endif
