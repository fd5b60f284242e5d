/**
 * @file token_jwks.h  Sets of keys in JSON (JWKS, RFC 7517). What token_keys.c and token_jwks.c
 * share. Thread: any, no shared state.
 */
#ifndef SIGNALING_TOKEN_JWKS_H
#define SIGNALING_TOKEN_JWKS_H

#include "media/base/attributes.h"
#include "signaling/token_keys.h"

#include <stddef.h>

struct token_pem;

/** Add a key pair; takes `pem`. @return as token_keys_add_secret() */
MUST_USE int token_keys_add_pem(struct token_keys *k, const char *kid, struct token_pem *pem,
                                char error[TOKEN_KEY_ERROR_MAX]);

/** Add the usable keys of a JWKS, or one JWK. @return as token_keys_add_file(); on failure some
 *  may have been added */
MUST_USE int token_jwks_read(struct token_keys *k, const char *text, size_t len,
                             char error[TOKEN_KEY_ERROR_MAX]);

/**
 * Decode base64url without padding (RFC 7515 section 2).
 *
 * @return bytes written; -EINVAL: other characters, a length that cannot be, or more than `size`
 */
MUST_USE int base64url_decode(const char *text, unsigned char *out, size_t size);

#endif
