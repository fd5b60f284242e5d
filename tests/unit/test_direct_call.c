#include "sfu/direct_call.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <errno.h>

enum { ADA = 1, BOB = 2, EVE = 3 };

static const int64_t TIMEOUT_US = 45 * SECOND;

static struct direct_calls *calls;
static struct direct_call last;

static uint32_t ada_calls_bob(int64_t now_us)
{
    const struct direct_call *call;

    CHECK_EQ(direct_call_make(calls, ADA, BOB, true, now_us, &call), 0);
    return call->id;
}

static void everything_is_allowed_to_the_right_one_at_the_right_time(void)
{
    enum { FREE = -1 };
    static const struct {
        enum direct_call_action action;
        bool active;
        uint32_t who;
        int err;
        int state; /* afterwards; FREE: there is no call any more */
    } rows[] = {
        {DIRECT_RING, false, BOB, 0, DIRECT_RINGING},
        {DIRECT_RING, false, ADA, -EPERM, DIRECT_RINGING},
        {DIRECT_RING, true, BOB, -EPROTO, DIRECT_ACTIVE},
        {DIRECT_ACCEPT, false, BOB, 0, DIRECT_ACTIVE},
        {DIRECT_ACCEPT, false, ADA, -EPERM, DIRECT_RINGING},
        {DIRECT_ACCEPT, false, EVE, -ENOENT, DIRECT_RINGING},
        {DIRECT_ACCEPT, true, BOB, -EPROTO, DIRECT_ACTIVE},
        {DIRECT_REJECT, false, BOB, 0, FREE},
        {DIRECT_REJECT, false, ADA, -EPERM, DIRECT_RINGING},
        {DIRECT_REJECT, true, BOB, -EPROTO, DIRECT_ACTIVE},
        {DIRECT_CANCEL, false, ADA, 0, FREE},
        {DIRECT_CANCEL, false, BOB, -EPERM, DIRECT_RINGING},
        {DIRECT_CANCEL, true, ADA, -EPROTO, DIRECT_ACTIVE},
        {DIRECT_END, false, ADA, 0, FREE},
        {DIRECT_END, false, BOB, 0, FREE},
        {DIRECT_END, true, ADA, 0, FREE},
        {DIRECT_END, true, BOB, 0, FREE},
        {DIRECT_END, true, EVE, -ENOENT, DIRECT_ACTIVE},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct direct_call *call;
        uint32_t id;

        CHECK_EQ(direct_calls_new(&calls), 0);
        id = ada_calls_bob(0);
        if (rows[i].active)
            CHECK_EQ(direct_call_act(calls, BOB, id, DIRECT_ACCEPT, &last), 0);
        CHECK_EQ(direct_call_act(calls, rows[i].who, id, rows[i].action, &last), rows[i].err);
        call = direct_call_of(calls, ADA);
        CHECK_EQ(call ? (int)call->state : FREE, rows[i].state);
        CHECK(direct_call_of(calls, BOB) == call);
        if (rows[i].err == 0)
            CHECK_EQ(last.state, rows[i].state == FREE ? DIRECT_ENDED : rows[i].state);
        calls = direct_calls_free(calls);
    }
}

static void everybody_has_one_call(void)
{
    const struct direct_call *call;
    uint32_t id;

    CHECK_EQ(direct_calls_new(&calls), 0);
    id = ada_calls_bob(0);
    CHECK_EQ(direct_call_make(calls, EVE, BOB, false, 0, &call), -EBUSY);
    CHECK_EQ(direct_call_make(calls, EVE, ADA, false, 0, &call), -EBUSY);
    CHECK_EQ(direct_call_make(calls, ADA, EVE, false, 0, &call), -EALREADY);
    CHECK_EQ(direct_call_make(calls, ADA, BOB, false, 0, &call), -EALREADY);
    CHECK_EQ(direct_call_make(calls, BOB, EVE, false, 0, &call), -EALREADY);
    CHECK_EQ(direct_call_make(calls, EVE, EVE, false, 0, &call), -EINVAL);
    CHECK_EQ(direct_calls_count(calls), 1);
    CHECK_EQ(direct_call_act(calls, ADA, id, DIRECT_END, &last), 0);
    CHECK_EQ(direct_call_make(calls, EVE, BOB, false, 0, &call), 0);
    CHECK(call->id != id);
    CHECK_EQ(direct_call_act(calls, BOB, id, DIRECT_ACCEPT, &last), -ENOENT);
    calls = direct_calls_free(calls);
}

static void who_call_each_other_are_connected(void)
{
    const struct direct_call *call;
    uint32_t id;

    CHECK_EQ(direct_calls_new(&calls), 0);
    id = ada_calls_bob(0);
    CHECK_EQ(direct_call_make(calls, BOB, ADA, false, SECOND, &call), 1);
    CHECK_EQ(call->id, id);
    CHECK_EQ(call->caller, ADA);
    CHECK_EQ(call->state, DIRECT_ACTIVE);
    CHECK(call->video);
    CHECK_EQ(direct_call_peer(call, ADA), BOB);
    CHECK_EQ(direct_call_peer(call, BOB), ADA);
    CHECK_EQ(direct_call_make(calls, BOB, ADA, false, SECOND, &call), -EALREADY);
    CHECK_EQ(direct_call_deadline(calls, TIMEOUT_US), NEVER_US);
    calls = direct_calls_free(calls);
}

static void what_rings_too_long_ends(void)
{
    const struct direct_call *call;
    uint32_t id;

    CHECK_EQ(direct_calls_new(&calls), 0);
    CHECK_EQ(direct_call_deadline(calls, TIMEOUT_US), NEVER_US);
    id = ada_calls_bob(0);
    CHECK_EQ(direct_call_make(calls, EVE, 4, false, SECOND, &call), 0);
    CHECK_EQ(direct_call_deadline(calls, TIMEOUT_US), TIMEOUT_US);
    CHECK(!direct_call_expire(calls, TIMEOUT_US, TIMEOUT_US - 1, &last));
    CHECK(direct_call_expire(calls, TIMEOUT_US, TIMEOUT_US, &last));
    CHECK_EQ(last.id, id);
    CHECK_EQ(last.state, DIRECT_ENDED);
    CHECK(!direct_call_expire(calls, TIMEOUT_US, TIMEOUT_US, &last));
    CHECK_EQ(direct_call_deadline(calls, TIMEOUT_US), TIMEOUT_US + SECOND);
    CHECK_EQ(direct_call_act(calls, 4, direct_call_of(calls, EVE)->id, DIRECT_ACCEPT, &last), 0);
    CHECK(!direct_call_expire(calls, TIMEOUT_US, 100 * TIMEOUT_US, &last));
    calls = direct_calls_free(calls);
}

static void who_leaves_takes_the_call_along(void)
{
    uint32_t id;

    CHECK_EQ(direct_calls_new(&calls), 0);
    CHECK(!direct_call_drop(calls, ADA, &last));
    id = ada_calls_bob(0);
    CHECK(direct_call_drop(calls, BOB, &last));
    CHECK_EQ(last.id, id);
    CHECK(!direct_call_drop(calls, ADA, &last));
    CHECK_EQ(direct_calls_count(calls), 0);
    (void)ada_calls_bob(0);
    calls = direct_calls_free(calls); /* with one that rings: nothing leaks */
}

TAP_CASES(CASE(everything_is_allowed_to_the_right_one_at_the_right_time),
          CASE(everybody_has_one_call), CASE(who_call_each_other_are_connected),
          CASE(what_rings_too_long_ends), CASE(who_leaves_takes_the_call_along))
