/**
 * @file stun_probe.h  Asking a STUN server where it sees us (RFC 8489, Binding without
 * credentials). Sans-I/O, a plain value.
 *
 * Anybody can send us an answer: one counts if it comes from the server and names the transaction,
 * 96 random bits. Thread: one.
 */
#ifndef MEDIA_STUN_PROBE_H
#define MEDIA_STUN_PROBE_H

#include "media/base/attributes.h"
#include "media/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    STUN_PROBE_LEN = 20,  /* of a request [bytes] */
    STUN_PROBE_TRIES = 5, /* after 0, 0.5, 1.5, 3.5 and 7.5 s */
};

/** Time from one request to the next at first; each is twice that of before. */
#define STUN_PROBE_RTO_US (500 * MS)

enum stun_probe_state { STUN_PROBE_IDLE, STUN_PROBE_ASKING, STUN_PROBE_DONE, STUN_PROBE_FAILED };
const char *stun_probe_state_name(enum stun_probe_state state);

/** Members are for reading. Zeroed is idle. */
struct stun_probe {
    enum stun_probe_state state;
    struct sockaddr_storage server, mapped; /* mapped: once DONE */
    uint8_t transaction[12];
    uint32_t tries;
    int64_t next_us;
};

/** Begin anew, with `server`. */
void stun_probe_start(struct stun_probe *p, const struct sockaddr_storage *server, int64_t now_us);

/** @return true if `out` has a request now, to be sent to the server; the state may be FAILED after
 *          that */
bool stun_probe_poll(struct stun_probe *p, int64_t now_us, uint8_t out[STUN_PROBE_LEN]);

/** @return when to poll [us], or NEVER_US */
int64_t stun_probe_deadline(const struct stun_probe *p);

/**
 * Take an answer; with one that tells our address the state is DONE, with an error FAILED.
 *
 * @return 0; -ENOENT: it is none to this request; -EBADMSG: malformed, or without an address
 */
MUST_USE int stun_probe_receive(struct stun_probe *p, const uint8_t *data, size_t len,
                                const struct sockaddr_storage *from);

#endif
