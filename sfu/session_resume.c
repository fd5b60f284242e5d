#include "media/base/clock.h"
#include "sfu/config.h"
#include "sfu/direct_room.h"
#include "sfu/mail.h"
#include "sfu/refuse.h"
#include "sfu/session_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A session without its WebSocket, and how another one gets it. */

enum {
    MAX_BAD_RESUMES = 3, /* of one WebSocket: more is no mistake */
    LOG_BURST = 20,      /* lines per second */
};

/* While there is something the client may not have, it is asked so often. */
static const int64_t PING_US = 10 * SECOND;

static int64_t timeout_us(const struct session *s)
{
    return (int64_t)s->host->config->resume_timeout_s * SECOND;
}

static bool may_be_resumed(const struct session *s)
{
    return s->kind == SESSION_WEBSOCKET && s->state == SESSION_JOINED && timeout_us(s) > 0 &&
           !s->host->stopping;
}

/* What happened. Answers are asked for again, and how well it goes is told every few seconds. */
static bool counts(enum message_type type)
{
    return type != MESSAGE_JOINED && type != MESSAGE_ANSWER && type != MESSAGE_QUALITY &&
           type != MESSAGE_GO;
}

void session_keep_event(struct session *s, const struct message *event, const char *json,
                        size_t len)
{
    if (!may_be_resumed(s) || !counts(event->type))
        return;
    if (!json) {
        event_log_forget(&s->events, event->seq);
        return;
    }
    event_log_put(&s->events, event->seq, (int)event->type, json, len,
                  event->type == MESSAGE_SPEAKERS);
}

void session_confirm(struct session *s, uint64_t seq)
{
    event_log_confirm(&s->events, seq);
}

void session_describe(const struct session *s, struct message_session *ret)
{
    if (!may_be_resumed(s))
        return;
    (void)session_id_text(s->member.id, ret->id);
    (void)snprintf(ret->token, sizeof(ret->token), "%s", s->resource);
    ret->resume_s = s->host->config->resume_timeout_s;
}

/* Without a WebSocket */

bool session_detach(struct session *s, bool on_purpose, int64_t now_us)
{
    s->peer = NULL;
    if (on_purpose)
        session_leave(s, "left", "closed its WebSocket", now_us);
    if (!may_be_resumed(s))
        return false;
    s->peer_us = now_us;
    return true;
}

bool session_advance(struct session *s, int64_t now_us)
{
    if (!s->peer) {
        if (s->state == SESSION_JOINED && now_us - s->peer_us >= timeout_us(s))
            session_leave(s, "disconnected", "lost its WebSocket", now_us);
        return s->state != SESSION_JOINED;
    }
    if (s->events.n > 0 && now_us - s->peer_us >= PING_US) {
        s->peer_us = now_us;
        s->sink->ping(s->peer, s->seq);
    }
    return false;
}

/* With another one */

/* In a time that says nothing of where they differ. */
static bool same_secret(const char *a, const char *b)
{
    size_t len = strlen(a);
    unsigned difference = 0;

    if (len != strlen(b))
        return false;
    for (size_t i = 0; i < len; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

static struct session *find(const struct session *s, const struct message_session *wanted)
{
    uint32_t id = session_id_parse(wanted->id);
    struct directory_member *member = id ? directory_find(s->host->directory, id) : NULL;
    struct session *found = member ? session_of(member) : NULL;

    if (!found || !may_be_resumed(found) || !same_secret(found->resource, wanted->token))
        return NULL;
    return found;
}

/* The WebSocket that it had is half dead, or another page of the same client's. */
static void release_peer(struct session *s)
{
    struct message go = {.type = MESSAGE_GO, .action = "leave", .code = "resumed_elsewhere"};

    if (!s->peer)
        return;
    (void)snprintf(go.text, sizeof(go.text), "the session goes on over another WebSocket");
    session_send(s, &go); /* no event of the session's: without a number */
    session_close(s, CLOSE_NORMAL, go.code);
    s->sink->adopt(s->peer, NULL);
    s->peer = NULL;
}

static void take_peer(struct session *s, struct session *from)
{
    s->sink = from->sink;
    s->peer = from->peer;
    memcpy(s->rates.address, from->rates.address, sizeof(s->rates.address));
    from->peer = NULL;
    session_set_state(from, SESSION_LEAVING);
    s->sink->adopt(s->peer, s);
}

static void replay(struct session *s, uint64_t seq, enum message_type only)
{
    const struct event_log_entry *entry;

    while ((entry = event_log_next(&s->events, seq))) {
        seq = entry->seq;
        if (only == MESSAGE_UNKNOWN || entry->type == (int)only)
            s->sink->send(s->peer, entry->json, entry->len);
    }
}

/* The worker tells again what it told before: slots, streams and so on. */
static void ask_worker(const struct session *s)
{
    struct mail_participant *mail = session_has_media(s) ? calloc(1, sizeof(*mail)) : NULL;

    if (!mail)
        return; /* the client goes on with what it knew */
    mail->mail.type = MAIL_REFRESH;
    mail->participant = s->member.id;
    s->host->post(s->host->owner, s->member.worker, &mail->mail);
}

static void send_snapshot(struct session *s, struct message *resumed, uint64_t seq)
{
    direct_room_describe(s, &resumed->call);
    resumed->n_tracks = s->member.n_tracks;
    if (s->member.n_tracks > 0) /* else there is no list */
        memcpy(resumed->tracks, s->member.tracks, s->member.n_tracks * sizeof(resumed->tracks[0]));
    if (directory_roster(&s->member, resumed) < 0) {
        session_close(s, CLOSE_INTERNAL, "out of memory");
        return;
    }
    session_send(s, resumed);
    replay(s, seq, MESSAGE_SPEAKERS);
    event_log_done(&s->events);
    event_log_forget(&s->events, s->seq);
    ask_worker(s);
}

static void log_resume(struct session *s, int64_t now_us, bool replaced, bool replayed)
{
    char id[MESSAGE_ID_MAX];
    int64_t away_us = replaced ? 0 : now_us - s->peer_us;
    uint32_t cut;

    if (!log_limit_pass(&s->host->log_resumes, now_us, LOG_BURST, &cut))
        return;
    log_info("session",
             "resumed: room=%s participant=%s away_ms=%" PRId64 " replaced=%s replayed=%s "
             "lines_cut=%" PRIu32,
             session_room(s), participant_id_text(s->member.id, id), away_us / MS,
             replaced ? "yes" : "no", replayed ? "yes" : "no", cut);
}

static void refuse_resume(struct session *s, const struct message *m, int64_t now_us)
{
    struct message error = {.type = MESSAGE_ERROR, .id = m->id};

    (void)refuse(&error, "unknown_session",
                 "there is no such session, or not any more: join again");
    session_send(s, &error);
    if (++s->bad_resumes >= MAX_BAD_RESUMES)
        session_dismiss(s, "rate_limited", "too many sessions that do not exist", now_us);
}

void session_resume(struct session *s, const struct message *m, int64_t now_us)
{
    struct message resumed = {.type = MESSAGE_RESUMED, .id = m->id};
    struct message error = {.type = MESSAGE_ERROR, .id = m->id};
    struct session *found;
    bool replaced;

    if (session_limits_enter(s, now_us, &error) < 0) {
        session_send(s, &error);
        return;
    }
    found = find(s, &m->session);
    if (!found) {
        session_limits_failed(s, now_us);
        refuse_resume(s, m, now_us);
        return;
    }
    replaced = found->peer != NULL;
    release_peer(found);
    take_peer(found, s);
    resumed.seq = found->seq;
    resumed.you = found->member.id;
    session_fill_relays(found, &resumed, now_us);
    resumed.replayed = m->seq <= found->seq && event_log_reaches(&found->events, m->seq);
    log_resume(found, now_us, replaced, resumed.replayed);
    if (resumed.replayed) {
        session_send(found, &resumed);
        replay(found, m->seq, MESSAGE_UNKNOWN);
    } else {
        send_snapshot(found, &resumed, m->seq);
    }
    message_done(&resumed);
}
