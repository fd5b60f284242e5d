/**
 * @file relays.h  The STUN and TURN servers of a run: looked up, and those that want TLS reached by
 * bridges (see tls_bridge.h). Thread: that of the event_base.
 */
#ifndef CLIENT_RELAYS_H
#define CLIENT_RELAYS_H

#include "media/base/attributes.h"
#include "media/ice_agent.h"
#include "signaling/ice_url.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct message_ice_server;
struct relays;

struct relays_config {
    struct event_base *base;
    const char *ca_file; /* PEM of whom to trust; NULL: whom the system trusts; borrowed */
    bool insecure;       /* trust everybody */
};

/** @return 0; -ENOMEM */
MUST_USE int relays_new(struct relays **ret, const struct relays_config *config);

/** Close the bridges, which must not be before the agent is freed. NULL is fine. @return NULL */
struct relays *relays_free(struct relays *r);

/**
 * Add a server. Blocks while its name is looked up. Of STUN servers the first one counts.
 *
 * @param user, password  for TURN, "" for STUN; copied
 * @return 0; -EHOSTUNREACH: no such host; -ENOSPC: ICE_AGENT_MAX_RELAYS are there already, or a
 *         STUN server is; -E2BIG: user or password is too long; -EINVAL: --ca cannot be used;
 *         -ENOMEM. relays_error() says it for people
 */
MUST_USE int relays_add(struct relays *r, const struct ice_url *url, const char *user,
                        const char *password);

/** Add all that the server told of. What cannot be used is left out, and in relays_error(). */
void relays_add_all(struct relays *r, const struct message_ice_server *servers, uint32_t n);

/** @return what has been added; valid until the next change */
const struct ice_agent_servers *relays_servers(const struct relays *r);

/** @return the last thing that went wrong, in bridges too, for people; "": nothing */
const char *relays_error(const struct relays *r);

#endif
