/**
 * @file session_limits.h  How much one session may ask for. First it is told to wait (error
 * `rate_limited` with retry_after_ms), and what it asked is not done; who goes on nevertheless is
 * dismissed. Thread: control.
 */
#ifndef SFU_SESSION_LIMITS_H
#define SFU_SESSION_LIMITS_H

#include "media/base/attributes.h"
#include "media/base/token_bucket.h"
#include "signaling/message.h"

#include <stddef.h>
#include <stdint.h>

struct session;

enum {
    SESSION_LIMITS_BURST_S = 4,       /* seconds' worth that may come at once, after a pause */
    SESSION_LIMITS_REFUSALS = 50,     /* at once, before who goes on is dismissed... */
    SESSION_LIMITS_REFUSED_PER_S = 5, /* and in the long run */
    SESSION_LIMITS_ADDRESS = 48,      /* room for an address as text */
};

/** Embedded in the session; all zero: nothing was asked for yet. */
struct session_rates {
    struct token_bucket messages, bytes, changes, views, refusals;
    char address[SESSION_LIMITS_ADDRESS]; /* "": no limits by address */
};

/** Where its client is, as text. */
void session_limits_set_address(struct session *s, const char *address);

/**
 * A frame [len bytes of JSON] has come. If it is too much, its client is told so, or dismissed.
 *
 * @return true: serve it
 */
bool session_limits_frame(struct session *s, const char *json, size_t len, int64_t now_us);

/**
 * The request `m` can be served. If it is one that others are told of, or that moves streams, and
 * there were too many of those, it is answered with an error, or its client dismissed.
 *
 * @return true: serve it
 */
bool session_limits_request(struct session *s, const struct message *m, int64_t now_us);

/** Before its token is looked at, or what it wants to resume. @return 0; -EBUSY: `error` */
MUST_USE int session_limits_enter(struct session *s, int64_t now_us, struct message *error);

/** The token was not good, or there is no such session. */
void session_limits_failed(const struct session *s, int64_t now_us);

/** Once it is known who it is. @return 0; -EBUSY: `error` */
MUST_USE int session_limits_identify(const struct session *s, int64_t now_us,
                                     struct message *error);

#endif
