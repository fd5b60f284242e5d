/**
 * @file token_keys.h  The keys that tokens are checked with, and made: shared secrets (HS256), PEM
 * keys (RS256, ES256), and sets of them in JSON (JWKS, RFC 7517).
 *
 * A key has one algorithm, which its kind decides: a public key is never taken for a secret.
 * Thread: any, no shared state.
 */
#ifndef SIGNALING_TOKEN_KEYS_H
#define SIGNALING_TOKEN_KEYS_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TOKEN_MAX_KEYS = 32,
    TOKEN_KID_MAX = 64,          /* id of a key [bytes] */
    TOKEN_MIN_SECRET = 32,       /* [bytes] RFC 7518 section 3.2: as long as what HS256 makes */
    TOKEN_MIN_RSA_BITS = 2048,   /* the same, section 3.3 */
    TOKEN_MAX_KEY_FILE = 262144, /* [bytes] */
    TOKEN_KEY_ERROR_MAX = 160,
};

enum token_alg { TOKEN_HS256, TOKEN_RS256, TOKEN_ES256 };
/** @return "HS256" etc. */
const char *token_alg_name(enum token_alg alg);

struct token_key {
    enum token_alg alg;
    char kid[TOKEN_KID_MAX + 1]; /* "": none */
    char *check;                 /* the secret, or the public key as PEM; owned */
    size_t check_len;
    char *sign; /* the private key as PEM; owned; NULL: none. A secret signs, too */
};

/** Plain value; zero-initialised it is empty. */
struct token_keys {
    uint32_t n;
    struct token_key keys[TOKEN_MAX_KEYS];
};

/** Wipe and free every key; `k` is empty afterwards. */
void token_keys_clear(struct token_keys *k);

/** @return true if one of them can sign */
bool token_keys_sign(const struct token_keys *k);

/**
 * Add a shared secret [len bytes], copied.
 *
 * @param kid    its id, "" for none
 * @param error  on failure: for people
 * @return 0; -EINVAL: too short, or the id is too long; -E2BIG: too many keys; -ENOMEM
 */
MUST_USE int token_keys_add_secret(struct token_keys *k, const char *kid, const char *secret,
                                   size_t len, char error[TOKEN_KEY_ERROR_MAX]);

/**
 * Add what is in a file: a JWKS, a PEM key (private, public, or a certificate), or else a secret,
 * whose last line end is not part of it. Of a JWKS, keys that are for other algorithms, or to
 * encrypt, are left out.
 *
 * @param kid   for PEM and secret; must be "" for a JWKS, which has its own
 * @param text  [len bytes], NUL-terminated
 * @return as token_keys_add_secret(); -EINVAL, too, if there is no key in it that we can use
 */
MUST_USE int token_keys_add_file(struct token_keys *k, const char *kid, const char *text,
                                 size_t len, char error[TOKEN_KEY_ERROR_MAX]);

#endif
