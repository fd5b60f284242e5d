/**
 * @file access.h  Who may come in: the keys of the server, and what it says to a token.
 *
 * Without keys the server is open: everybody may do everything but administer it. Thread: control.
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

/** What somebody comes for. */
enum access_want {
    ACCESS_JOIN,  /* a WebSocket joins a room */
    ACCESS_WHIP,  /* a POST publishes */
    ACCESS_WHEP,  /* a POST plays */
    ACCESS_ADMIN, /* /v1 */
};

/**
 * @param config  its keys are read and kept
 * @return 0; -ENOMEM; -errno, -EINVAL: error says which key, and what to do
 */
MUST_USE int access_new(struct access **ret, const struct config *config,
                        struct config_error *error);

/** NULL is fine. @return NULL */
struct access *access_free(struct access *a);

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

#endif
