/**
 * @file connection.h  One participant's path: ICE-lite, DTLS-SRTP, its addresses in the demux and
 * its place in the egress. Knows no media.
 *
 * After an ICE restart both sets of credentials are answered until a check with the new ones
 * nominates a path; media stays where it is till then. A check that nominates another path moves it
 * at once; one that does not (some clients nominate once in their life) moves it when nothing has
 * been heard of the old path for CONNECTION_SILENT_US. Thread: the worker's own.
 */
#ifndef SFU_CONNECTION_H
#define SFU_CONNECTION_H

#include "media/base/attributes.h"
#include "media/demux.h"
#include "media/egress.h"
#include "media/ice_lite.h"
#include "media/transport.h"
#include "sfu/mail.h"

#include <stdbool.h>
#include <stdint.h>

struct core;
struct packet;

/** Silence after which a path is taken for dead, when there is another. */
#define CONNECTION_SILENT_US (2 * SECOND)

/** Credentials of both sides, and who answers to them. */
struct connection_ice {
    struct ice_credentials local, remote;
    struct ice_lite *ice;   /* NULL: not in use */
    struct demux_peer peer; /* added unless the other one has the same local ufrag; proven addresses
                             * are all those of `now` */
};

/** What the owner is told; none may free the connection. */
struct connection_handler {
    void (*on_connected)(void *owner);
    void (*on_rtp)(void *owner, struct packet *packet, int64_t now_us);
    void (*on_rtcp)(void *owner, const uint8_t *data, size_t len, int64_t now_us);
};

/** Embedded; the members are for the connection alone but for those said to be for reading. */
struct connection {
    struct core *core;
    const struct connection_handler *handler;
    void *owner;
    struct connection_ice now, next; /* next: after an ICE restart, until it has a path */
    struct transport *transport;     /* for reading */
    struct egress_peer egress;       /* for queueing RTP */
    int64_t since_us;                /* when it was made */
    int64_t kept_us;                 /* turn in which media last told that the peer lives */
    int64_t heard_us;                /* when anything of it last came by the path in use */
    bool checked;                    /* a connectivity check has come */
    bool ended;                      /* for reading: it is over, `end` and `reason` say how */
    enum peer_state end;
    char reason[96];
};

/**
 * Make the path of the participant that `mail` describes.
 *
 * @param handler  borrowed, static
 * @param owner    what the demux finds, and the handler gets
 * @return 0; -EINVAL: credentials or fingerprint; -EEXIST: our ufrag is in use; -ENOMEM. `c` needs
 *         connection_done() in every case
 */
MUST_USE int connection_init(struct connection *c, struct core *core, const struct mail_join *mail,
                             const struct connection_handler *handler, void *owner, int64_t now_us);
/** Say nothing and free. */
void connection_done(struct connection *c);

/** Take over credentials after a re-offer; nothing happens if they are as before.
 *  @return 0; -EINVAL; -EEXIST; -ENOMEM: the old ones stay */
MUST_USE int connection_restart_ice(struct connection *c, const struct mail_join *mail,
                                    int64_t now_us);

/** Feed a STUN datagram that is for this peer's ufrag. */
void connection_receive_stun(struct connection *c, struct packet *packet, int64_t now_us);

/** Send to `path` from now on, and take what comes from there: it was found by other means than
 *  checks. @return 0; -EADDRINUSE: it is another peer's; -ENOMEM */
MUST_USE int connection_open_path(struct connection *c, const struct sockaddr_storage *path,
                                  int64_t now_us);

/** Feed any other datagram from a proven address. Borrowed; decrypted in place. */
void connection_receive(struct connection *c, struct packet *packet, int64_t now_us);

/** Do what is due. @return when to call again [us], or NEVER_US once ended */
MUST_USE int64_t connection_advance(struct connection *c, int64_t now_us);

/** @return true while media can be sent */
bool connection_is_up(const struct connection *c);

/** Say good-bye (close_notify). */
void connection_close(struct connection *c);

#endif
