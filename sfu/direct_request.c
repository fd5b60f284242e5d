#include "sfu/direct_request.h"

#include "media/base/clock.h"
#include "sfu/config.h"
#include "sfu/direct_call.h"
#include "sfu/direct_room.h"
#include "sfu/refuse.h"
#include "sfu/session_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the two are told */

/* Nothing happens if it has just left. */
static void tell(const struct session_host *host, uint32_t participant, struct message *event)
{
    struct directory_member *m = directory_find(host->directory, participant);

    if (m)
        session_send_event(session_of(m), event);
}

static void tell_incoming(const struct session *caller, const struct direct_call *call)
{
    struct message event = {
        .type = MESSAGE_CALL,
        .call = {.id = call->id, .from = call->caller, .video = call->video},
    };

    memcpy(event.name, caller->member.name, sizeof(event.name));
    tell(caller->host, call->callee, &event);
}

static void tell_accepted(const struct session_host *host, const struct direct_call *call)
{
    struct message event = {.type = MESSAGE_ACCEPTED,
                            .call = {.id = call->id, .video = call->video}};

    event.call.role = ROLE_CALLER;
    event.call.peer = call->callee;
    tell(host, call->caller, &event);
    event.call.role = ROLE_CALLEE;
    event.call.peer = call->caller;
    tell(host, call->callee, &event);
}

static void tell_ended(const struct session_host *host, const struct direct_call *call,
                       const char *code, const char *text)
{
    struct message event = {.type = MESSAGE_ENDED, .call = {.id = call->id}};

    (void)snprintf(event.code, sizeof(event.code), "%s", code);
    (void)snprintf(event.text, sizeof(event.text), "%s", text);
    tell(host, call->caller, &event);
    tell(host, call->callee, &event);
}

/* call */

/* @return true if others can call it: it hears of it */
static bool can_be_called(const struct session *s, struct directory_member *m)
{
    return m && m != &s->member && m->room == s->member.room && m->announced && !m->hidden &&
           session_of(m)->kind == SESSION_WEBSOCKET;
}

static bool may_publish(const struct grants *grants, bool video)
{
    return grants_may_publish(grants) && grants_have_source(grants, KIND_AUDIO, "microphone") &&
           (!video || grants_have_source(grants, KIND_VIDEO, "camera"));
}

static int refuse_call(int err, const struct directory_member *callee, struct message *error)
{
    char id[MESSAGE_ID_MAX];

    switch (err) {
    case -EALREADY:
        return refuse(error, "in_call", "you have a call; end it first");
    case -EBUSY:
        return refuse(error, "participant_busy", "%s has a call",
                      participant_id_text(callee->id, id));
    default:
        return refuse_no_memory(error);
    }
}

static int make_call(struct session *s, const struct message *m, int64_t now_us,
                     const struct direct_call **ret, struct message *error)
{
    struct directory_member *callee = directory_find(s->host->directory, m->call.to);
    char id[MESSAGE_ID_MAX];
    int err;

    if (s->member.hidden)
        return refuse(error, "not_allowed", "who is not seen cannot call");
    if (!may_publish(&s->grants, m->call.video))
        return refuse(error, "not_allowed", "your token lets you send no %s",
                      m->call.video ? "sound or no picture" : "sound");
    if (!can_be_called(s, callee))
        return refuse(error, "unknown_participant", "nobody in your room can be called as %s",
                      m->call.to ? participant_id_text(m->call.to, id) : "that");
    err = direct_call_make(s->host->calls, s->member.id, callee->id, m->call.video, now_us, ret);
    return err < 0 ? refuse_call(err, callee, error) : err;
}

void direct_request_call(struct session *s, const struct message *m, int64_t now_us)
{
    const struct direct_call *call = NULL;
    struct message ok = {.type = MESSAGE_OK, .id = m->id};
    struct message error = {0};
    int crossed = make_call(s, m, now_us, &call, &error);

    if (crossed < 0 || !call) {
        session_send_error(s, m->id, &error);
        return;
    }
    ok.call.id = call->id;
    session_send(s, &ok);
    if (crossed)
        tell_accepted(s->host, call);
    else
        tell_incoming(s, call);
}

/* ringing, accept, reject, cancel, end */

static int refuse_act(int err, const struct message *m, struct message *error)
{
    bool caller = m->type == MESSAGE_CANCEL;
    char id[MESSAGE_CALL_ID_MAX];

    (void)call_id_text(m->call.id, id);
    switch (err) {
    case -EPERM:
        return refuse(error, caller ? "not_caller" : "not_callee", "you are the %s of %s",
                      caller ? "callee" : "caller", id);
    case -EPROTO:
        return refuse(error, "not_ringing", "%s was accepted already", id);
    default:
        return refuse(error, "unknown_call", "you have no call %s", id);
    }
}

/* @return what an ended call is called, from what the one who ended it asked for */
static const char *ending_of(const struct session *s, const struct message *m,
                             const struct direct_call *call, enum direct_call_state before)
{
    if (m->type == MESSAGE_CANCEL)
        return "cancelled";
    if (m->type == MESSAGE_REJECT)
        return strcmp(m->code, "busy") == 0 ? "busy" : "rejected";
    if (before == DIRECT_RINGING) /* who hangs up then means one of these */
        return s->member.id == call->caller ? "cancelled" : "rejected";
    return strcmp(m->code, "failed") == 0 ? "failed" : "ended";
}

static enum direct_call_action action_of(enum message_type type)
{
    if (type == MESSAGE_RINGING)
        return DIRECT_RING;
    if (type == MESSAGE_ACCEPT)
        return DIRECT_ACCEPT;
    if (type == MESSAGE_REJECT)
        return DIRECT_REJECT;
    return type == MESSAGE_CANCEL ? DIRECT_CANCEL : DIRECT_END;
}

void direct_request_act(struct session *s, const struct message *m, int64_t now_us)
{
    const struct direct_call *known = direct_call_of(s->host->calls, s->member.id);
    enum direct_call_state before = known ? known->state : DIRECT_ENDED;
    struct message error = {0};
    struct message ringing = {.type = MESSAGE_RINGING, .call = {.id = m->call.id}};
    struct direct_call call;
    int err = direct_call_act(s->host->calls, s->member.id, m->call.id, action_of(m->type), &call);

    (void)now_us;
    if (err < 0) {
        (void)refuse_act(err, m, &error);
        session_send_error(s, m->id, &error);
        return;
    }
    session_send_ok(s, m->id);
    if (call.state == DIRECT_RINGING)
        tell(s->host, call.caller, &ringing);
    else if (call.state == DIRECT_ACTIVE)
        tell_accepted(s->host, &call);
    else
        tell_ended(s->host, &call, ending_of(s, m, &call, before), m->text);
}

/* relay */

static bool are_connected(const struct session *s, uint32_t other)
{
    const struct direct_call *call = direct_call_of(s->host->calls, s->member.id);

    if (other == 0)
        return false;
    if (call && call->state == DIRECT_ACTIVE && direct_call_peer(call, s->member.id) == other)
        return true;
    return direct_room_peer(s) == other;
}

static int check_relay(struct session *s, const struct message *m, int64_t now_us,
                       struct message *error)
{
    char id[MESSAGE_ID_MAX];
    uint32_t wait_ms;

    if (!are_connected(s, m->call.to))
        return refuse(error, "not_in_call", "you have no call with %s",
                      participant_id_text(m->call.to, id));
    wait_ms = token_bucket_take(&s->relay, DIRECT_RELAY_BYTES_PER_S, DIRECT_RELAY_BURST,
                                (uint32_t)m->call.data_len, now_us);
    if (wait_ms == 0)
        return 0;
    error->retry_after_ms = wait_ms;
    return refuse(error, "rate_limited", "%d bytes per second are relayed",
                  DIRECT_RELAY_BYTES_PER_S);
}

void direct_request_relay(struct session *s, const struct message *m, int64_t now_us)
{
    struct message error = {0};
    struct message event = {
        .type = MESSAGE_RELAY,
        /* borrowed: no message_done() */
        .call = {.from = s->member.id, .data = m->call.data, .data_len = m->call.data_len},
    };

    if (check_relay(s, m, now_us, &error) < 0) {
        session_send_error(s, m->id, &error);
        return;
    }
    session_send_ok(s, m->id);
    tell(s->host, m->call.to, &event);
}

/* Ends that nobody asked for */

void direct_request_leave(struct session *s)
{
    struct direct_call call;
    struct message event = {.type = MESSAGE_ENDED};

    if (!direct_call_drop(s->host->calls, s->member.id, &call))
        return;
    event.call.id = call.id;
    (void)snprintf(event.code, sizeof(event.code), "left");
    (void)snprintf(event.text, sizeof(event.text), "the other one has left");
    tell(s->host, direct_call_peer(&call, s->member.id), &event);
}

void direct_request_expire(struct session_host *host, int64_t now_us)
{
    int64_t timeout_us = (int64_t)host->config->call_timeout_s * SECOND;
    struct direct_call call;

    while (direct_call_expire(host->calls, timeout_us, now_us, &call))
        tell_ended(host, &call, "timeout", "nobody answered");
}
