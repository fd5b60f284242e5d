/**
 * @file verdict.h  Did it work? Watches a call from the outside and says in one line what is wrong,
 * as early as it can be known.
 *
 * A plain value. Not thread-safe.
 */
#ifndef CLIENT_VERDICT_H
#define CLIENT_VERDICT_H

#include "client/call.h"
#include "client/media_link.h"
#include "client/options.h"

#include <stdbool.h>
#include <stdint.h>

struct roster;
struct streams;

struct verdict {
    const struct options *options;
    enum call_state call;
    enum media_link_state link;
    int64_t began_us;       /* the program */
    int64_t joined_us;      /* NEVER_US: not yet */
    int64_t agreed_us;      /* with whom media connect to; NEVER_US: not yet */
    int64_t connected_us;   /* media; NEVER_US: not yet */
    char media_address[96]; /* the server's first candidate */
    char text[320];
};

/** @param options  borrowed */
void verdict_init(struct verdict *v, const struct options *options, int64_t now_us);

/** News. */
void verdict_on_call(struct verdict *v, enum call_state state, int64_t now_us);
void verdict_on_link(struct verdict *v, enum media_link_state state, int64_t now_us);
void verdict_on_plan(struct verdict *v, const struct media_plan *plan, int64_t now_us);

/** The link failed. @param error  its own words. @return why, for people; valid until the next call
 */
const char *verdict_on_failure(struct verdict *v, const char *error);

/** @return what can be seen to be wrong now, or NULL. @param streams  NULL: not joined yet */
const char *verdict_now(struct verdict *v, const struct streams *streams,
                        const struct roster *roster, int64_t now_us);

/** The call ends as asked for. @return what was asked for and did not happen, or NULL */
const char *verdict_at_end(struct verdict *v, const struct streams *streams, int64_t now_us);

/** @return when verdict_now() has news without anything happening [us], or NEVER_US */
int64_t verdict_deadline(const struct verdict *v);

#endif
