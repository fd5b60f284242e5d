/**
 * @file ice_lite.h  ICE-lite (RFC 8445 section 2.5) of one peer on a shared socket: answers
 * connectivity checks, learns the path, watches for signs of life. Sans-I/O, on `media/stun`.
 *
 * Thread: the worker's own.
 */
#ifndef MEDIA_ICE_LITE_H
#define MEDIA_ICE_LITE_H

#include "media/address.h"
#include "media/base/attributes.h"
#include "media/stun.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    ICE_UFRAG_MIN = 4,
    ICE_UFRAG_MAX = STUN_UFRAG_MAX, /* RFC 8839 section 5.4 */
    ICE_PWD_MIN = 22,
    ICE_PWD_MAX = 256,
    ICE_LOCAL_UFRAG = 8,
    ICE_LOCAL_PWD = 24,             /* lengths of what we make up */
    ICE_REPLY_MAX = STUN_REPLY_MAX, /* bytes of the longest reply we write */
    ICE_MAX_PATHS = 8,              /* addresses proven per peer; the oldest goes */
    ICE_MAX_TAG = 64,               /* what one ice-char tells apart */
    ICE_MAX_REMEMBERED = 16,        /* checks remembered per peer, against who repeats them */
};

struct ice_credentials {
    char ufrag[ICE_UFRAG_MAX + 1];
    char pwd[ICE_PWD_MAX + 1];
};

/** Fill `ret` with fresh random local credentials. */
void ice_credentials_make(struct ice_credentials *ret);

/** The same with a tag that who reads the ufrag learns from its first character.
 *  @param tag  0..ICE_MAX_TAG - 1 */
void ice_credentials_make_tagged(struct ice_credentials *ret, uint32_t tag);

/** @return the tag of a ufrag; -EBADMSG: its first character is none */
MUST_USE int ice_ufrag_tag(const char *ufrag);

/** @return true if lengths and characters (ice-chars) are right */
bool ice_credentials_valid(const struct ice_credentials *c);

struct ice_lite;

/** @return 0; -EINVAL: bad credentials; -ENOMEM. Both sets are copied. */
MUST_USE int ice_lite_new(struct ice_lite **ret, const struct ice_credentials *local,
                          const struct ice_credentials *remote, int64_t now_us);
struct ice_lite *ice_lite_free(struct ice_lite *ice);

/** What a check led to. */
struct ice_result {
    size_t reply_len;   /* bytes written to `reply`; 0: answer nothing */
    bool authenticated; /* MESSAGE-INTEGRITY was right: `from` is proven */
    bool nominates;     /* it says that its path is the one to use */
    bool path_changed;  /* ice_lite_path() is new: the first one, or the peer moved */
};

/**
 * Feed one STUN datagram that stun_peek_ufrag() gave to this peer.
 *
 * Only authenticated requests are answered at all. The selected path
 * is the newest address with an authenticated USE-CANDIDATE check, or, until there is one, the
 * first authenticated address. A controlled/controlling conflict is answered 487 (RFC
 * 8445 7.3.1.1). A check that was seen lately with another source address is refused: somebody who
 * overheard it sends it again.
 *
 * @param reply  room for ICE_REPLY_MAX bytes, to be sent to `from`
 * @return 0; -EBADMSG: malformed; -EPERM: wrong integrity or user name; -EALREADY: overheard; ret
 *         is set in every case
 */
MUST_USE int ice_lite_receive(struct ice_lite *ice, const uint8_t *data, size_t len,
                              const struct sockaddr_storage *from, int64_t now_us, uint8_t *reply,
                              struct ice_result *ret);

/** @return the selected address of the peer, or NULL before the first authenticated check */
const struct sockaddr_storage *ice_lite_path(const struct ice_lite *ice);

/** @return true if `from` passed an authenticated check (media and DTLS are taken only then) */
bool ice_lite_proven(const struct ice_lite *ice, const struct sockaddr_storage *from);

/** Authenticated media came from the selected path: the peer lives. GStreamer 1.22 sends no more
 *  checks once it has a path, only unauthenticated indications. */
void ice_lite_keep(struct ice_lite *ice, int64_t now_us);

/** @return when consent runs out [us]: 30 s after the last check or ice_lite_keep() */
int64_t ice_lite_consent_deadline(const struct ice_lite *ice);

#endif
