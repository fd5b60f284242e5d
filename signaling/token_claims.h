/**
 * @file token_claims.h  What a token says, as JSON, and the grants that it means. Nothing here is
 * trusted or secret: token.c checks signatures. Thread: any, no shared state.
 */
#ifndef SIGNALING_TOKEN_CLAIMS_H
#define SIGNALING_TOKEN_CLAIMS_H

#include "media/base/attributes.h"
#include "media/base/text.h"
#include "signaling/grants.h"

#include <stdint.h>

/** Claims of one token. */
struct token_claims {
    struct grants grants;
    int64_t not_before_s; /* Unix time; 0: always */
};

/**
 * Read the claims of a token.
 *
 * `sluice` may have room, join, publish (true, false, or a list of sources), subscribe, data,
 * hidden, admin and record. With a room, join, publish, subscribe and data are granted unless the
 * token says no; nothing else is unless it says yes. A name that we do not know is an error, so
 * that a misspelt one does not grant what it was to deny.
 *
 * @param why  on failure: what is wrong, for people
 * @return 0; -EBADMSG
 */
MUST_USE int token_claims_read(struct token_claims *ret, const char *json, char *why,
                               size_t why_size);

/** Append the JSON of a token for `g`, made at `now_s`; what is as without a word is left out. */
void token_claims_write(struct text *out, const struct grants *g, int64_t now_s);

#endif
