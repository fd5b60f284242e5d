/**
 * @file stun.h  STUN binding requests (RFC 8489, RFC 8445 section 7.3) of ICE: look at, check,
 * answer. Stateless. Owner of the dependency on libnice's STUN library.
 *
 * Not tied to a thread.
 */
#ifndef MEDIA_STUN_H
#define MEDIA_STUN_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    STUN_UFRAG_MAX = 256,                       /* RFC 8839 section 5.4 */
    STUN_USERNAME_MAX = 2 * STUN_UFRAG_MAX + 1, /* "ours:theirs"; RFC 8489: below 509 bytes */
    STUN_REPLY_MAX = 256,                       /* bytes of the longest reply we write */
};

/**
 * Find whom a STUN request is for, without validating: the part of USERNAME before the colon.
 * Cheap: no cryptography; this is what rejects strangers.
 *
 * @param ufrag  receives it, NUL-terminated, room for STUN_UFRAG_MAX + 1
 * @return 0; -EBADMSG: not a well-formed binding request; -ENOENT: no user name
 */
MUST_USE int stun_peek_ufrag(const uint8_t *data, size_t len, char *ufrag);

/** What a request must prove. */
struct stun_expected {
    const char *username; /* "ours:theirs" */
    const char *password; /* ours */
};

/** An authenticated check. */
struct stun_check {
    bool nominates;   /* USE-CANDIDATE */
    bool accepted;    /* answered with success */
    size_t reply_len; /* bytes of `reply` to send, never more than those of the request; 0: none */
};

/**
 * Validate a binding request and write its reply: success with XOR-MAPPED-ADDRESS, 487 if the peer
 * says it is controlled (as we are: RFC 8445 section 7.3.1.1), or 420 for unknown attributes.
 *
 * @param from   where it came from
 * @param reply  room for STUN_REPLY_MAX bytes
 * @param ret    written only on success
 * @return 0; -EBADMSG: malformed, no FINGERPRINT or a wrong one; -EPERM: another user name, or
 *         wrong MESSAGE-INTEGRITY: no reply, so a stranger cannot make us send anything
 */
MUST_USE int stun_check_answer(const struct stun_expected *expected, const uint8_t *data,
                               size_t len, const struct sockaddr_storage *from, uint8_t *reply,
                               struct stun_check *ret);

#endif
