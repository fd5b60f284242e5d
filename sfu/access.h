/**
 * @file access.h  Who may come in: the keys of the server, and what it says to a token.
 *
 * Without keys the server is open: everybody may do everything but administer it. An entry of the
 * setting `keys` is one of
 *
 *     ID:SECRET    a shared secret, for tokens by HS256
 *     ID:@FILE     a file with a secret, or with a PEM key (RS256, ES256)
 *     @FILE        the same without an id, or a JWKS
 *
 * The first that can sign makes tokens: a secret, or a private key. Thread: control.
 */
#ifndef SFU_ACCESS_H
#define SFU_ACCESS_H

#include "media/base/attributes.h"
#include "signaling/grants.h"

#include <stdbool.h>
#include <stdint.h>

struct access;
struct config;
struct config_error;
struct message;
struct token_keys;

/** What somebody comes for. */
enum access_want {
    ACCESS_JOIN,  /* a WebSocket joins a room */
    ACCESS_WHIP,  /* a POST publishes */
    ACCESS_WHEP,  /* a POST plays */
    ACCESS_ADMIN, /* /v1 */
};

/** How often files of keys are looked at [s]. */
enum { ACCESS_LOOK_S = 5 };

/**
 * @param config  borrowed: must outlive the object
 * @param error   on failure: which key, why, and what to do, for people
 * @return 0; -EINVAL: a key, or its file; -ENOMEM
 */
MUST_USE int access_new(struct access **ret, const struct config *config,
                        struct config_error *error);

/** NULL is fine. @return NULL */
struct access *access_free(struct access *a);

/** Read all keys again, as `config` has them now. @return as access_new(); on failure the keys
 *  are those of before */
MUST_USE int access_reload(struct access *a, struct config_error *error);

/** To be called about once a second: read the keys again if one of their files has changed. What
 *  comes of it is logged. NULL is fine. */
void access_advance(struct access *a, int64_t now_us);

/** @return true if there are no keys: everybody may come. NULL is open, too */
bool access_is_open(const struct access *a);

/**
 * Judge a token.
 *
 * @param a      NULL: open
 * @param token  NULL or "": there is none
 * @param room   the one it is for; NULL with ACCESS_ADMIN: the whole server
 * @param now_s  Unix time
 * @param ret    what its bearer may do
 * @param error  on failure: code "token_missing", "token_bad", "token_expired", "token_not_yet",
 *               "token_room" or "not_allowed", and text
 * @return 0; -EACCES
 */
MUST_USE int access_admit(struct access *a, const char *token, enum access_want want,
                          const char *room, int64_t now_s, struct grants *ret,
                          struct message *error);

/** @return true if `g` should be renewed now: it expires soon, and there is a key to sign with */
bool access_must_renew(const struct access *a, const struct grants *g, int64_t now_s);

/**
 * Make a token that grants the same for `token_ttl_s` from now.
 *
 * @param g    its expiry is moved
 * @param ret  allocated, the caller's
 * @return 0; -ENOKEY: no key can sign; -EMSGSIZE; -ENOMEM
 */
MUST_USE int access_renew(const struct access *a, struct grants *g, int64_t now_s, char **ret);

/**
 * Make a token for `g` as it is.
 *
 * @param a    NULL: no key can sign
 * @param ret  allocated, the caller's
 * @return 0; -ENOKEY: no key can sign; -EMSGSIZE; -ENOMEM
 */
MUST_USE int access_sign(const struct access *a, const struct grants *g, int64_t now_s, char **ret);

/** Read the keys of `config` into `keys`, which is empty. @return as access_new() */
MUST_USE int access_read_keys(struct token_keys *keys, const struct config *config,
                              struct config_error *error);

#endif
