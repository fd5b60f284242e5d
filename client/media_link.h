/**
 * @file media_link.h  Our one connection to the server: ICE, DTLS-SRTP and what is sent over them.
 *
 * The owner's loop watches media_link_fd() and calls media_link_advance() as ice_agent.h says.
 * Handlers are called from within the functions here and must not free the link. Not thread-safe.
 */
#ifndef CLIENT_MEDIA_LINK_H
#define CLIENT_MEDIA_LINK_H

#include "client/rtp_sender.h"
#include "media/base/attributes.h"
#include "media/ice_agent.h"
#include "signaling/negotiation.h"

#include <stddef.h>
#include <stdint.h>

struct media_link;
struct packet;
struct packet_pool;

/** Moves down this list only; FAILED is final. */
enum media_link_state {
    LINK_NEW,
    LINK_GATHERING,  /* looking for our addresses */
    LINK_GATHERED,   /* media_link_describe() is complete */
    LINK_CHECKING,   /* looking for a path */
    LINK_CONNECTING, /* path found, DTLS handshake */
    LINK_CONNECTED,  /* media may flow */
    LINK_FAILED,     /* media_link_error() says why */
};
const char *media_link_state_name(enum media_link_state state);

struct media_link_handler {
    /** The state changed; once per change, after it took effect. */
    void (*on_state)(void *owner, enum media_link_state state);
    /** An authenticated RTP packet. Borrowed; the only reference, unless more are taken. */
    void (*on_rtp)(void *owner, struct packet *packet, int64_t now_us);
    /** An authenticated RTCP compound [len bytes]. Borrowed. */
    void (*on_rtcp)(void *owner, const uint8_t *data, size_t len, int64_t now_us);
};

struct media_link_stats {
    uint64_t sent_packets, sent_bytes;         /* datagrams and their bytes, RTCP and DTLS too */
    uint64_t received_packets, received_bytes; /* the same, STUN left out */
    uint64_t send_errors;                      /* the socket was full */
    uint64_t bad_packets;                      /* not authentic, replayed or malformed */
};

/** @param handler  borrowed. @return 0; as ice_agent_new(); -ENOMEM */
MUST_USE int media_link_new(struct media_link **ret, const struct ice_agent_config *ice,
                            const struct media_link_handler *handler, void *owner);
/** Say goodbye (DTLS close_notify) if connected, and free. NULL is fine. @return NULL */
struct media_link *media_link_free(struct media_link *l);

/** Begin to look for our addresses. @return as ice_agent_set_servers() and ice_agent_gather() */
MUST_USE int media_link_gather(struct media_link *l, const struct ice_agent_servers *servers,
                               int64_t now_us);

/** Fill in what the offer says of us: ICE, fingerprint, candidates if we have gathered. The rest is
 *  left alone. */
void media_link_describe(const struct media_link *l, struct negotiation_local *ret);

/** Connect to what the answer says of the server: now, or once we have gathered.
 *  @return 0; -EINVAL: it cannot be right; -ENOMEM */
MUST_USE int media_link_connect(struct media_link *l, const struct media_plan *plan,
                                int64_t now_us);

/** @return descriptor to watch for reading */
int media_link_fd(const struct media_link *l);
/** Do what is due and send what was queued. @return when to call again [us], or NEVER_US */
MUST_USE int64_t media_link_advance(struct media_link *l, int64_t now_us);

/** @return where to queue RTP; it leaves at the next media_link_flush() or _advance() */
struct rtp_path *media_link_path(struct media_link *l);
/** @return pool for packets to send */
struct packet_pool *media_link_pool(struct media_link *l);
/** Send all queued RTP. */
void media_link_flush(struct media_link *l);
/** Encrypt and send one RTCP compound. @return 0; -ENOTCONN; -EMSGSIZE */
MUST_USE int media_link_send_rtcp(struct media_link *l, const uint8_t *data, size_t len);

/** @return where we are */
enum media_link_state media_link_state(const struct media_link *l);
/** @return why it failed, for people; "" if it did not */
const char *media_link_error(const struct media_link *l);
/** @return counts since the beginning */
struct media_link_stats media_link_stats(const struct media_link *l);
/** @return 0 and the selected pair of candidates; -ENOTCONN */
MUST_USE int media_link_ice_path(const struct media_link *l, struct ice_path *ret);
/** @return "AEAD_AES_128_GCM" and the like; "" before it is connected */
const char *media_link_cipher(const struct media_link *l);

#endif
