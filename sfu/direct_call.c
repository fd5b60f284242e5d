#include "sfu/direct_call.h"

#include "media/base/clock.h"
#include "media/base/map.h"
#include "media/base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct direct_calls {
    struct map by_participant; /* both of a call */
    struct list ringing;       /* direct_call.link, the oldest first */
    struct list active;
    uint32_t next_id;
};

const char *direct_call_state_name(enum direct_call_state state)
{
    static const char *const names[] = {
        [DIRECT_RINGING] = "ringing", [DIRECT_ACTIVE] = "active", [DIRECT_ENDED] = "ended"};

    return names[state];
}

static void set_state(struct direct_call *call, enum direct_call_state state)
{
    assert(state > call->state);
    call->state = state;
}

static struct direct_call *call_of_link(struct list *link)
{
    return CONTAINER_OF(link, struct direct_call, link);
}

static struct direct_call *find(const struct direct_calls *d, uint32_t who)
{
    return map_get(&d->by_participant, &who, sizeof(who));
}

int direct_calls_new(struct direct_calls **ret)
{
    struct direct_calls *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    map_init(&d->by_participant);
    list_init(&d->ringing);
    list_init(&d->active);
    d->next_id = random_u32();
    *ret = d;
    return 0;
}

/* Unlink, leaving a copy. */
static struct direct_call forget(struct direct_calls *d, struct direct_call *call)
{
    struct direct_call last;

    set_state(call, DIRECT_ENDED);
    (void)map_remove(&d->by_participant, &call->caller, sizeof(call->caller));
    (void)map_remove(&d->by_participant, &call->callee, sizeof(call->callee));
    list_unlink(&call->link);
    last = *call;
    last.link = (struct list){0};
    free(call);
    return last;
}

static void forget_all(struct direct_calls *d, struct list *calls)
{
    while (calls->next != calls)
        (void)forget(d, call_of_link(calls->next));
}

struct direct_calls *direct_calls_free(struct direct_calls *d)
{
    if (!d)
        return NULL;
    forget_all(d, &d->ringing);
    forget_all(d, &d->active);
    map_done(&d->by_participant);
    free(d);
    return NULL;
}

static void activate(struct direct_calls *d, struct direct_call *call)
{
    set_state(call, DIRECT_ACTIVE);
    list_unlink(&call->link);
    list_append(&d->active, &call->link);
}

static uint32_t next_id(struct direct_calls *d)
{
    ++d->next_id;
    if (d->next_id == 0) /* means "none" */
        ++d->next_id;
    return d->next_id;
}

static int put_both(struct direct_calls *d, struct direct_call *call)
{
    int err = map_put(&d->by_participant, &call->caller, sizeof(call->caller), call);

    if (err < 0)
        return err;
    err = map_put(&d->by_participant, &call->callee, sizeof(call->callee), call);
    if (err < 0)
        (void)map_remove(&d->by_participant, &call->caller, sizeof(call->caller));
    return err;
}

/* Does `caller` call whom it is called by? */
static bool crosses(const struct direct_call *call, uint32_t caller, uint32_t callee)
{
    return call && call->state == DIRECT_RINGING && call->caller == callee &&
           call->callee == caller;
}

int direct_call_make(struct direct_calls *d, uint32_t caller, uint32_t callee, bool video,
                     int64_t now_us, const struct direct_call **ret)
{
    struct direct_call *call = find(d, caller);
    int err;

    if (caller == callee)
        return -EINVAL;
    if (crosses(call, caller, callee)) {
        activate(d, call);
        *ret = call;
        return 1;
    }
    if (call)
        return -EALREADY;
    if (find(d, callee))
        return -EBUSY;
    call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->caller = caller;
    call->callee = callee;
    call->video = video;
    call->since_us = now_us;
    err = put_both(d, call);
    if (err < 0) {
        free(call);
        return err;
    }
    call->id = next_id(d);
    list_append(&d->ringing, &call->link);
    *ret = call;
    return 0;
}

/* Whose it is to do what, and what comes of it. */
static const struct {
    bool caller, callee, while_active;
    enum direct_call_state then;
} rules[] = {
    [DIRECT_RING] = {false, true, false, DIRECT_RINGING},
    [DIRECT_ACCEPT] = {false, true, false, DIRECT_ACTIVE},
    [DIRECT_REJECT] = {false, true, false, DIRECT_ENDED},
    [DIRECT_CANCEL] = {true, false, false, DIRECT_ENDED},
    [DIRECT_END] = {true, true, true, DIRECT_ENDED},
};

int direct_call_act(struct direct_calls *d, uint32_t who, uint32_t id,
                    enum direct_call_action action, struct direct_call *ret)
{
    struct direct_call *call = find(d, who);

    if (!call || call->id != id)
        return -ENOENT;
    if (!(who == call->caller ? rules[action].caller : rules[action].callee))
        return -EPERM;
    if (call->state == DIRECT_ACTIVE && !rules[action].while_active)
        return -EPROTO;
    if (rules[action].then == DIRECT_ENDED) {
        *ret = forget(d, call);
        return 0;
    }
    if (rules[action].then != call->state)
        activate(d, call);
    *ret = *call;
    return 0;
}

bool direct_call_drop(struct direct_calls *d, uint32_t who, struct direct_call *ret)
{
    struct direct_call *call = find(d, who);

    if (!call)
        return false;
    *ret = forget(d, call);
    return true;
}

int64_t direct_call_deadline(const struct direct_calls *d, int64_t timeout_us)
{
    if (d->ringing.next == &d->ringing)
        return NEVER_US;
    return call_of_link(d->ringing.next)->since_us + timeout_us;
}

bool direct_call_expire(struct direct_calls *d, int64_t timeout_us, int64_t now_us,
                        struct direct_call *ret)
{
    if (now_us < direct_call_deadline(d, timeout_us))
        return false;
    *ret = forget(d, call_of_link(d->ringing.next));
    return true;
}

const struct direct_call *direct_call_of(const struct direct_calls *d, uint32_t who)
{
    return find(d, who);
}

uint32_t direct_call_peer(const struct direct_call *call, uint32_t who)
{
    return who == call->caller ? call->callee : call->caller;
}

uint32_t direct_calls_count(const struct direct_calls *d)
{
    return (uint32_t)(map_count(&d->by_participant) / 2);
}
