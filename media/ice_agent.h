/**
 * @file ice_agent.h  A full ICE agent for one peer: gathers, checks, nominates, keeps consent. Over
 * libnice, which with GLib stays inside ice_agent.c. Real I/O: it has sockets of its own.
 *
 * Runs in any event loop: watch ice_agent_fd() for reading, and call ice_agent_advance() when it is
 * readable, when the time it returned has come, and after other calls here. Nothing happens
 * between these calls; there is no thread. Handlers are called from within ice_agent_advance() and
 * ice_agent_gather(), and must not free the agent.
 *
 * Thread: one, that of ice_agent_new().
 */
#ifndef MEDIA_ICE_AGENT_H
#define MEDIA_ICE_AGENT_H

#include "media/base/attributes.h"
#include "media/ice.h"
#include "media/ice_lite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ICE_AGENT_MAX_RELAYS = 4,
    ICE_AGENT_MAX_CANDIDATES = 32, /* local ones told to the peer; further ones are left out */
    ICE_AGENT_SECRET_MAX = 255,    /* longest user name or password of a relay */
};

/** A TURN server (RFC 8656). */
struct ice_relay {
    char address[ICE_ADDRESS_MAX + 1]; /* IPv4 or IPv6 literal */
    uint16_t port;
    bool tcp; /* reach it over TCP; what it relays is UDP all the same */
    bool tls; /* the address is of somebody who goes on by TLS: for ice_agent_path() only */
    char user[ICE_AGENT_SECRET_MAX + 1], password[ICE_AGENT_SECRET_MAX + 1];
};

/** What helps to find addresses of ours that the peer can reach. */
struct ice_agent_servers {
    char stun_address[ICE_ADDRESS_MAX + 1]; /* IPv4 or IPv6 literal; "": no STUN server */
    uint16_t stun_port;
    size_t n_relays; /* 0..ICE_AGENT_MAX_RELAYS */
    struct ice_relay relays[ICE_AGENT_MAX_RELAYS];
};

struct ice_agent_config {
    bool controlling;          /* true against an ICE-lite peer */
    bool tcp;                  /* ICE-TCP candidates too (RFC 6544) */
    bool loopback;             /* our loopback address too, for a peer on this machine */
    bool relay_only;           /* nothing but relayed candidates is offered or used */
    int64_t gather_timeout_us; /* be gathered after it, with what is there; 0: 5 s. What is found
                                  later is used all the same, but not told */
};

struct ice_agent_handler {
    /** The state changed; once per change, after it took effect. */
    void (*on_state)(void *owner, enum ice_state state);
    /** A datagram that is not STUN. `data` [len bytes] is valid only during the call. */
    void (*on_data)(void *owner, const uint8_t *data, size_t len);
};

struct ice_agent;

/**
 * @param config   copied
 * @param handler  borrowed: must outlive the agent
 * @return 0; -ENOMEM; -EMFILE
 */
MUST_USE int ice_agent_new(struct ice_agent **ret, const struct ice_agent_config *config,
                           const struct ice_agent_handler *handler, void *owner);

/** Close the sockets and give relayed addresses back, for which it waits up to 250 ms. NULL is
 *  fine. @return NULL */
struct ice_agent *ice_agent_free(struct ice_agent *a);

/** Use these servers; before ice_agent_gather(), once. @param servers  copied
 *  @return 0; -EINVAL: an address is no literal; -EALREADY */
MUST_USE int ice_agent_set_servers(struct ice_agent *a, const struct ice_agent_servers *servers);

/** Begin to look for our addresses (loopback if there is no other): ICE_GATHERING, later
 *  ICE_GATHERED, or ICE_FAILED if nothing was found. @return 0; -EALREADY; -EIO: no sockets */
MUST_USE int ice_agent_gather(struct ice_agent *a, int64_t now_us);

/** @return our user name fragment and password; valid as long as the agent */
const struct ice_credentials *ice_agent_credentials(const struct ice_agent *a);

/** Copy the candidates found so far. @return how many, at most `max` */
size_t ice_agent_candidates(const struct ice_agent *a, struct ice_candidate *out, size_t max);

/** Set what the peer said of itself and begin the checks.
 *  @return 0; -EINVAL: bad credentials, or no candidate that can be used; -EALREADY */
MUST_USE int ice_agent_set_remote(struct ice_agent *a, const struct ice_credentials *credentials,
                                  const struct ice_candidate *candidates, size_t n);

/** Begin with what the peer said of itself but for its candidates: it finds us, or
 *  ice_agent_add_remote() tells them. @return 0; -EINVAL: bad credentials; -EALREADY */
MUST_USE int ice_agent_expect(struct ice_agent *a, const struct ice_credentials *credentials);

/** Check these, too; those that are known already or cannot be used are left out. Ignored before
 *  ice_agent_expect() or ice_agent_set_remote(). */
void ice_agent_add_remote(struct ice_agent *a, const struct ice_candidate *candidates, size_t n);

/** Send one datagram on the selected path. @return 0; -ENOTCONN; -EAGAIN: the socket is full, the
 *  datagram is dropped */
MUST_USE int ice_agent_send(struct ice_agent *a, const uint8_t *data, size_t len);

/** @return descriptor that is readable when ice_agent_advance() has work; the agent's own */
int ice_agent_fd(const struct ice_agent *a);

/** Do what is due: read the sockets, send checks. @return when to call again [us], or NEVER_US */
MUST_USE int64_t ice_agent_advance(struct ice_agent *a, int64_t now_us);

/** @return where we are */
enum ice_state ice_agent_state(const struct ice_agent *a);

/** @return why it failed, for people; "" if it did not */
const char *ice_agent_error(const struct ice_agent *a);

/** @return 0 and the selected pair; -ENOTCONN */
MUST_USE int ice_agent_path(const struct ice_agent *a, struct ice_path *ret);

#endif
