/**
 * @file token.h  Tokens: JSON Web Tokens (RFC 7519) that say who somebody is and what it may do.
 *
 * Claims: `sub`, `name`, `exp`, `nbf`, and `sluice`, an object with the grants (docs/TOKENS.md).
 * The key decides about the algorithm, never the token. token.c owns the libjwt dependency. Thread:
 * any, no shared state.
 */
#ifndef SIGNALING_TOKEN_H
#define SIGNALING_TOKEN_H

#include "media/base/attributes.h"
#include "signaling/grants.h"
#include "signaling/token_keys.h"

#include <stdint.h>

enum {
    TOKEN_LEEWAY_S = 30, /* by which the clocks of two machines may differ */
    TOKEN_WHY_MAX = 160,
};

/**
 * Check a token against `keys` and read what it grants. With a `kid` only keys of that id, and
 * those without one, are tried; without it, all of the token's algorithm.
 *
 * @param token  any text of at most MESSAGE_TOKEN_MAX bytes
 * @param now_s  Unix time
 * @param ret    written on success
 * @param why    on failure: for people
 * @return 0; -EBADMSG: no token of any of the keys, or one that grants what we do not know;
 *         -EKEYEXPIRED; -EAGAIN: it is not valid yet; -ENOMEM
 */
MUST_USE int token_verify(const struct token_keys *keys, const char *token, int64_t now_s,
                          struct grants *ret, char why[TOKEN_WHY_MAX]);

/**
 * Make a token for `g` with the first key that can sign.
 *
 * @param now_s  Unix time
 * @param ret    on success: allocated, the caller's
 * @return 0; -ENOKEY: no key can; -EMSGSIZE: it would be longer than MESSAGE_TOKEN_MAX; -ENOMEM
 */
MUST_USE int token_sign(const struct token_keys *keys, const struct grants *g, int64_t now_s,
                        char **ret);

#endif
