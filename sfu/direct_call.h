/**
 * @file direct_call.h  Calls between two participants: who calls whom, whether it still rings, and
 * until when. Numbers only: knows neither rooms nor messages, tells nobody. No I/O, no clock.
 *
 * A participant has at most one call, so there are at most half as many calls as participants.
 * Thread: control.
 */
#ifndef SFU_DIRECT_CALL_H
#define SFU_DIRECT_CALL_H

#include "media/base/attributes.h"
#include "media/base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct direct_calls;

/** Moves down this list only. */
enum direct_call_state {
    DIRECT_RINGING,
    DIRECT_ACTIVE,
    DIRECT_ENDED, /* forgotten: seen in copies only */
};
const char *direct_call_state_name(enum direct_call_state state);

/** What its two may do. */
enum direct_call_action {
    DIRECT_RING,   /* the callee's device does */
    DIRECT_ACCEPT, /* callee */
    DIRECT_REJECT, /* callee */
    DIRECT_CANCEL, /* caller */
    DIRECT_END,    /* either, at any time */
};

struct direct_call {
    struct list link; /* private */
    uint32_t id;      /* not used again for long: a 32-bit counter with a random start */
    uint32_t caller, callee;
    bool video;
    enum direct_call_state state;
    int64_t since_us; /* it rings */
};

/** @return 0; -ENOMEM */
MUST_USE int direct_calls_new(struct direct_calls **ret);
/** Free, telling nobody. NULL is fine. @return NULL */
struct direct_calls *direct_calls_free(struct direct_calls *d);

/**
 * `caller` calls `callee`: it rings. If `callee` calls `caller` just now, that call is what they
 * get, active.
 *
 * @param ret  the call; valid until the next change
 * @return 0: it rings; 1: they called each other; -EALREADY: the caller has a call; -EBUSY: the
 *         callee has one; -EINVAL: both are the same; -ENOMEM
 */
MUST_USE int direct_call_make(struct direct_calls *d, uint32_t caller, uint32_t callee, bool video,
                              int64_t now_us, const struct direct_call **ret);

/**
 * Do what `who` asks.
 *
 * @param ret  a copy of the call after it
 * @return 0; -ENOENT: no call of `who`; -EPERM: the other one's to do; -EPROTO: it does not ring
 */
MUST_USE int direct_call_act(struct direct_calls *d, uint32_t who, uint32_t id,
                             enum direct_call_action action, struct direct_call *ret);

/** `who` is gone. @return true if that ended a call, of which *ret is a copy */
bool direct_call_drop(struct direct_calls *d, uint32_t who, struct direct_call *ret);

/** End a call that has rung for `timeout_us`. Call again until there is none.
 *  @return true if there was one, of which *ret is a copy */
bool direct_call_expire(struct direct_calls *d, int64_t timeout_us, int64_t now_us,
                        struct direct_call *ret);

/** @return when one will have rung so long [us], or NEVER_US */
int64_t direct_call_deadline(const struct direct_calls *d, int64_t timeout_us);

/** @return the call of a participant, or NULL; valid until the next change */
const struct direct_call *direct_call_of(const struct direct_calls *d, uint32_t who);
/** @return the other one of a call of `who` */
uint32_t direct_call_peer(const struct direct_call *call, uint32_t who);
/** @return how many there are */
uint32_t direct_calls_count(const struct direct_calls *d);

#endif
