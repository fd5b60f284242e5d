/**
 * @file doctor_wire.h  A connection to a STUN or TURN server, over UDP, TCP or TLS, for
 * `sluice doctor`. Blocking, real I/O; for one thread.
 */
#ifndef SFU_DOCTOR_WIRE_H
#define SFU_DOCTOR_WIRE_H

#include "media/base/attributes.h"
#include "media/turn_client.h"
#include "signaling/ice_url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { DOCTOR_WIRE_ERROR_MAX = 383 };

struct doctor_wire;

/** Whom to trust with TLS. */
struct doctor_trust {
    const char *ca_file; /* PEM; NULL: whom the system trusts */
    bool insecure;
};

/**
 * Connect, for at most 5 s.
 *
 * @param address  literal of the URL's host
 * @param error    why not, for people
 * @return 0; -errno
 */
MUST_USE int doctor_wire_open(struct doctor_wire **ret, const struct ice_url *url,
                              const char *address, const struct doctor_trust *trust,
                              char error[DOCTOR_WIRE_ERROR_MAX + 1]);
/** NULL is fine. @return NULL */
struct doctor_wire *doctor_wire_free(struct doctor_wire *w);

/** @return true if messages may get lost */
bool doctor_wire_is_lossy(const struct doctor_wire *w);

/** The address that we reach the server from. @return 0; -errno */
MUST_USE int doctor_wire_local(const struct doctor_wire *w, struct sockaddr_storage *ret);

/** @return 0; -errno */
MUST_USE int doctor_wire_send(struct doctor_wire *w, const uint8_t *data, size_t len);

/** Wait for one STUN message. @return its length; -ETIMEDOUT; -ECONNRESET: closed; -EBADMSG: what
 *  came is no STUN */
MUST_USE int doctor_wire_receive(struct doctor_wire *w, uint8_t out[TURN_MESSAGE_MAX],
                                 int timeout_ms);

#endif
