#include "client/peer_call.h"

#include "media/base/clock.h"
#include "media/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct peer_call {
    struct peer_call_config config;
    char callee[MESSAGE_NAME_MAX + 1]; /* config.callee points to it */
    const struct peer_call_handler *handler;
    void *owner;
    uint32_t peer;         /* the other one; 0: there is none */
    uint32_t call;         /* 0: none, or a direct room */
    uint64_t call_request; /* that has not been answered; 0: none */
    bool room;             /* the room is a direct one */
    enum call_role role;   /* in a direct room */
    struct negotiation_local local;
    bool described, over;
    struct peer_session *session;
};

static void end(struct peer_call *p, const char *code, const char *text)
{
    if (p->over)
        return;
    p->over = true;
    p->handler->on_ended(p->owner, code, text);
}

static void request(struct peer_call *p, struct message *m)
{
    if (p->handler->request(p->owner, m) < 0)
        end(p, "disconnected", "the server is not connected");
}

/* The two, connected */

static void send_to_peer(void *owner, const struct message_peer *m)
{
    struct peer_call *p = owner;
    struct message relay = {.type = MESSAGE_RELAY, .call = {.to = p->peer}};
    struct text data;

    text_init(&data, MESSAGE_RELAY_MAX);
    if (message_peer_write(&data, m) == 0) {
        relay.call.data = text_take(&data);
        relay.call.data_len = relay.call.data ? strlen(relay.call.data) : 0;
    }
    text_done(&data);
    if (relay.call.data)
        request(p, &relay);
    else
        end(p, "failed", "the description is too long");
    message_done(&relay);
}

static void on_plan(void *owner, const struct media_plan *plan)
{
    struct peer_call *p = owner;

    p->handler->on_plan(p->owner, plan, p->peer);
}

static void on_failed(void *owner, const char *why)
{
    end(owner, "failed", why);
}

static const struct peer_session_handler session_handler = {
    .send = send_to_peer, .on_plan = on_plan, .on_failed = on_failed};

static void connect_to(struct peer_call *p, uint32_t peer, enum call_role role)
{
    struct peer_session_config media = p->config.media;

    if (p->session || p->over)
        return;
    media.caller = role == ROLE_CALLER;
    p->peer = peer;
    if (peer_session_new(&p->session, &media, &session_handler, p) < 0)
        end(p, "failed", "out of memory");
    else if (p->described)
        peer_session_set_local(p->session, &p->local);
}

/* Who is there */

static bool is_callee(const struct peer_call *p, const struct message_participant *participant)
{
    char id[MESSAGE_ID_MAX];

    return strcmp(participant->name, p->callee) == 0 ||
           strcmp(participant_id_text(participant->id, id), p->callee) == 0;
}

static void make_call(struct peer_call *p, uint32_t callee)
{
    struct message m = {
        .type = MESSAGE_CALL,
        .call = {.to = callee,
                 .video = p->config.media.publish_video || p->config.media.receive_video},
    };

    request(p, &m);
    p->call_request = m.id;
}

static void on_present(struct peer_call *p, const struct message_participant *participant)
{
    if (p->room)
        connect_to(p, participant->id, p->role);
    else if (p->config.callee && !p->call && !p->call_request && is_callee(p, participant))
        make_call(p, participant->id);
}

static void on_joined(struct peer_call *p, const struct message *m)
{
    p->room = m->call.mode == ROOM_DIRECT;
    p->role = (enum call_role)m->call.role;
    for (uint32_t i = 0; i < m->n_participants; i++)
        on_present(p, &m->participants[i]);
}

static void on_participant(struct peer_call *p, const struct message *m)
{
    if (m->change == CHANGE_JOIN)
        on_present(p, &m->participants[0]);
    else if (m->change == CHANGE_LEAVE && p->room && p->peer == m->participants[0].id)
        end(p, "left", "the other one has left");
}

static void on_room(struct peer_call *p, const struct message *m)
{
    bool was_room = p->room;

    p->role = (enum call_role)m->call.role;
    p->room = m->call.mode == ROOM_DIRECT;
    if (was_room && !p->room && !p->over) {
        p->over = true;
        p->handler->on_server(p->owner);
    }
}

/* Calls */

static void say(struct peer_call *p, enum message_type type, uint32_t call)
{
    struct message m = {.type = type, .call = {.id = call}};

    request(p, &m);
}

static void on_call(struct peer_call *p, const struct message *m)
{
    if (!p->config.answer || p->over) {
        say(p, MESSAGE_REJECT, m->call.id);
        return;
    }
    p->call = m->call.id;
    say(p, MESSAGE_RINGING, m->call.id);
    say(p, MESSAGE_ACCEPT, m->call.id);
}

static void on_accepted(struct peer_call *p, const struct message *m)
{
    p->call = m->call.id;
    connect_to(p, m->call.peer, (enum call_role)m->call.role);
}

static void on_relay(struct peer_call *p, const struct message *m, int64_t now_us)
{
    struct message_peer said = {0};

    if (!p->session || m->call.from != p->peer)
        return;
    if (message_peer_parse(&said, m->call.data, m->call.data_len) < 0)
        log_warn("peer", "the other one said what cannot be read");
    else
        peer_session_receive(p->session, &said, now_us);
    message_peer_done(&said);
}

int peer_call_new(struct peer_call **ret, const struct peer_call_config *config,
                  const struct peer_call_handler *handler, void *owner)
{
    struct peer_call *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->config = *config;
    if (config->callee) {
        (void)snprintf(p->callee, sizeof(p->callee), "%s", config->callee);
        p->config.callee = p->callee;
    }
    p->handler = handler;
    p->owner = owner;
    *ret = p;
    return 0;
}

struct peer_call *peer_call_free(struct peer_call *p)
{
    if (p)
        p->session = peer_session_free(p->session);
    free(p);
    return NULL;
}

void peer_call_set_local(struct peer_call *p, const struct negotiation_local *local)
{
    p->local = *local;
    p->described = true;
    if (p->session)
        peer_session_set_local(p->session, local);
}

/* @return true if our call, or the request that was to make one, comes to an end */
static bool ends_ours(const struct peer_call *p, const struct message *m)
{
    if (m->type == MESSAGE_ERROR)
        return p->call_request && m->id == p->call_request;
    return m->type == MESSAGE_ENDED && m->call.id == p->call;
}

void peer_call_on_message(struct peer_call *p, const struct message *m, int64_t now_us)
{
    if (m->type == MESSAGE_JOINED)
        on_joined(p, m);
    else if (m->type == MESSAGE_PARTICIPANT)
        on_participant(p, m);
    else if (m->type == MESSAGE_ROOM)
        on_room(p, m);
    else if (m->type == MESSAGE_CALL)
        on_call(p, m);
    else if (m->type == MESSAGE_OK && m->id == p->call_request && m->call.id)
        p->call = m->call.id;
    else if (m->type == MESSAGE_ACCEPTED)
        on_accepted(p, m);
    else if (ends_ours(p, m))
        end(p, m->code, m->text);
    else if (m->type == MESSAGE_RELAY)
        on_relay(p, m, now_us);
}

bool peer_call_give_up(struct peer_call *p)
{
    struct message m = {.type = MESSAGE_END, .call = {.id = p->call}, .code = "failed"};
    bool has_other_way = p->room && !p->over;

    if (p->call && !p->over)
        request(p, &m);
    p->over = true;
    return has_other_way;
}

int64_t peer_call_advance(struct peer_call *p, int64_t now_us)
{
    return p->session ? peer_session_advance(p->session, now_us) : NEVER_US;
}
