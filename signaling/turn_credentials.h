/**
 * @file turn_credentials.h  Time-limited user names and passwords for a TURN server, as coturn's
 * `use-auth-secret` takes them (draft-uberti-behave-turn-rest-00): no accounts, one shared secret.
 * Thread: any, no shared state.
 */
#ifndef SIGNALING_TURN_CREDENTIALS_H
#define SIGNALING_TURN_CREDENTIALS_H

#include "media/base/attributes.h"

#include <stdint.h>

enum {
    TURN_USERNAME_MAX = 127, /* RFC 8489 section 14.3 would take 508 */
    TURN_IDENTITY_MAX = 64,  /* characters of it that are used */
    TURN_CREDENTIAL_LEN = 28 /* base64 of an HMAC-SHA1 */
};

struct turn_credentials {
    char username[TURN_USERNAME_MAX + 1];     /* "EXPIRY:IDENTITY" */
    char credential[TURN_CREDENTIAL_LEN + 1]; /* base64(HMAC-SHA1(secret, username)) */
};

/**
 * @param identity   for the relay's log; what is no letter, digit or one of "._~@-" becomes "_"
 * @param expires_s  Unix time until which allocations may be made with it
 * @return 0; -ENOMEM
 */
MUST_USE int turn_credentials_make(struct turn_credentials *ret, const char *secret,
                                   const char *identity, int64_t expires_s);

#endif
