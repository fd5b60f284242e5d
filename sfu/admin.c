#include "sfu/admin.h"

#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/text.h"
#include "sfu/access.h"
#include "sfu/admin_report.h"
#include "sfu/directory.h"
#include "sfu/drain.h"
#include "sfu/refuse.h"
#include "sfu/server.h"
#include "sfu/session.h"
#include "sfu/session_caps.h"
#include "sfu/session_mute.h"
#include "signaling/admin_request.h"
#include "signaling/grants.h"
#include "signaling/json_text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATUS_OK = 200,
    STATUS_NOT_FOUND = 404,
    STATUS_CONFLICT = 409,
    STATUS_UNAVAILABLE = 503,
};

/** One request on its way. */
struct job {
    const struct admin *admin;
    const struct admin_request *request;
    const struct server_status *status;
    const struct directory_room *room; /* NULL: the path has none */
    struct directory_member *member;   /* likewise */
    const struct message_track *track; /* likewise; a track of `member` */
    struct text *out;
    struct message *error;
    int64_t now_us;
};

/* What the path names */

static int not_found(const struct job *j, const char *code, const char *text)
{
    (void)refuse(j->error, code, "%s", text);
    return STATUS_NOT_FOUND;
}

static bool find_track(struct job *j)
{
    struct directory_member *m = NULL;

    while ((m = directory_next_member(j->room, m))) {
        for (uint32_t i = 0; i < m->n_tracks; i++) {
            if (m->tracks[i].id != j->request->track)
                continue;
            j->member = m;
            j->track = &m->tracks[i];
            return true;
        }
    }
    return false;
}

static bool find_member(struct job *j)
{
    j->member = directory_find(j->admin->host->directory, j->request->participant);
    return j->member && j->member->room == j->room;
}

static int find_room(struct job *j)
{
    j->room = directory_find_room(j->admin->host->directory, j->request->room);
    return j->room ? 0 : not_found(j, "unknown_room", "there is no such room now");
}

static int find_room_and_member(struct job *j)
{
    int status = find_room(j);

    if (status == 0 && !find_member(j))
        return not_found(j, "unknown_participant", "nobody in the room has this id");
    return status;
}

static int find_room_and_track(struct job *j)
{
    int status = find_room(j);

    if (status == 0 && !find_track(j))
        return not_found(j, "unknown_track", "no track in the room has this id");
    return status;
}

/* What is done */

static void log_action(const struct job *j, const char *what)
{
    char id[MESSAGE_ID_MAX] = "";

    if (j->member)
        (void)participant_id_text(j->member->id, id);
    log_info("admin", "%s: room=%s participant=%s reason=\"%s\"", what, j->request->room, id,
             j->request->reason);
}

static int serve_server(struct job *j)
{
    admin_report_server(j->admin->host, j->status, j->out);
    return STATUS_OK;
}

static int serve_rooms(struct job *j)
{
    admin_report_rooms(j->admin->host->directory, j->out);
    return STATUS_OK;
}

static int serve_room(struct job *j)
{
    admin_report_room(j->admin->host->directory, j->room, j->out);
    return STATUS_OK;
}

static int limit_room(struct job *j)
{
    struct directory_room_limits limits = *directory_room_limits(j->room);

    if (j->request->max_participants.given)
        limits.participants = j->request->max_participants.value;
    if (j->request->max_room_kbps.given)
        limits.video_kbps = j->request->max_room_kbps.value;
    if (directory_limit_room(j->admin->host->directory, j->request->room, &limits) < 0)
        assert(false); /* it was found before */
    session_caps_settle_room(j->admin->host, j->request->room);
    log_action(j, "limits of a room changed");
    return serve_room(j);
}

static const char *reason_or(const struct job *j, const char *text)
{
    return j->request->reason[0] ? j->request->reason : text;
}

static void send_away(const struct admin *a, struct session *s, struct message *go, int64_t now_us)
{
    session_send_away(s, go, now_us);
    a->reap(a->owner, s, now_us);
}

static struct message go_of(const char *action, const char *code, const char *text)
{
    struct message go = {.type = MESSAGE_GO};

    (void)snprintf(go.action, sizeof(go.action), "%s", action);
    (void)snprintf(go.code, sizeof(go.code), "%s", code);
    (void)snprintf(go.text, sizeof(go.text), "%s", text);
    return go;
}

/* Everybody in a room that ends with it. */
static uint32_t empty_room(const struct admin *a, const char *name, const struct message *go,
                           int64_t now_us)
{
    const struct directory_room *room;
    uint32_t n = 0;

    directory_hush(a->host->directory, name);
    while ((room = directory_find_room(a->host->directory, name))) {
        struct message copy = *go;

        send_away(a, session_of(directory_next_member(room, NULL)), &copy, now_us);
        n++;
    }
    return n;
}

static int close_room(struct job *j)
{
    struct message go = go_of("leave", "room_closed", reason_or(j, "the room was closed"));
    uint32_t n;

    log_action(j, "room closed");
    n = empty_room(j->admin, j->request->room, &go, j->now_us);
    text_printf(j->out, "{\"sent_away\":%" PRIu32 "}\n", n);
    return STATUS_OK;
}

static int serve_participants(struct job *j)
{
    admin_report_participants(j->room, j->out);
    return STATUS_OK;
}

static int serve_participant(struct job *j)
{
    admin_report_participant(j->member, j->out);
    return STATUS_OK;
}

static int refuse_for_memory(const struct job *j)
{
    (void)refuse_no_memory(j->error);
    return STATUS_UNAVAILABLE;
}

static int mute_participant(struct job *j)
{
    static const enum media_kind kinds[] = {KIND_AUDIO, KIND_VIDEO};
    struct session *s = session_of(j->member);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        bool meant = j->request->kinds & (kinds[i] == KIND_AUDIO ? ADMIN_AUDIO : ADMIN_VIDEO);

        if (meant && j->request->hold.given)
            session_hold(s, kinds[i], j->request->hold.value);
        if (meant && j->request->muted && session_mute_kind(s, kinds[i]) < 0)
            return refuse_for_memory(j);
    }
    log_action(j, "participant muted or released");
    return serve_participant(j);
}

static int kick(struct job *j)
{
    struct message go = go_of("leave", "kicked", reason_or(j, "removed from the room"));

    log_action(j, "participant removed");
    send_away(j->admin, session_of(j->member), &go, j->now_us);
    text_append(j->out, "{\"sent_away\":1}\n");
    return STATUS_OK;
}

/* What it may do here, it may do there.
 * @return a token, the caller's; NULL: it needs none, or, with `needed`, cannot get one */
static char *make_token(const struct job *j, const struct session *s, bool *needed)
{
    const struct session_host *host = j->admin->host;
    struct grants grants = *session_grants(s);
    char *token = NULL;

    *needed = !access_is_open(host->access) && !grants_have_room(&grants, j->request->to_room);
    if (j->request->token[0])
        return strdup(j->request->token);
    if (!*needed)
        return NULL;
    (void)snprintf(grants.room, sizeof(grants.room), "%s", j->request->to_room);
    if (access_renew(host->access, &grants, session_host_wall_s(host, j->now_us), &token) < 0)
        return NULL;
    return token;
}

static int move(struct job *j)
{
    struct message go = go_of("rejoin", "moved", reason_or(j, "moved to another room"));
    struct session *s = session_of(j->member);
    bool needs_token = false;

    if (session_kind(s) != SESSION_WEBSOCKET) {
        (void)refuse(j->error, "not_movable", "clients of WHIP and WHEP cannot be told to move");
        return STATUS_CONFLICT;
    }
    (void)snprintf(go.room, sizeof(go.room), "%s", j->request->to_room);
    go.token = make_token(j, s, &needs_token);
    if (needs_token && !go.token) {
        (void)refuse(j->error, "token_needed",
                     "its token is for another room, and no key can sign: send a token with it");
        return STATUS_CONFLICT;
    }
    log_action(j, "participant moved");
    send_away(j->admin, s, &go, j->now_us);
    message_done(&go);
    text_append(j->out, "{\"sent_away\":1}\n");
    return STATUS_OK;
}

static int serve_tracks(struct job *j)
{
    admin_report_tracks(j->room, j->out);
    return STATUS_OK;
}

static int serve_track(struct job *j)
{
    admin_report_track(j->track, j->out);
    return STATUS_OK;
}

static int mute_track(struct job *j)
{
    if (session_mute(session_of(j->member), j->request->track, true, true) < 0)
        return refuse_for_memory(j);
    log_action(j, "track muted");
    return serve_track(j);
}

static int serve_drain(struct job *j)
{
    admin_report_drain(j->admin->drain, j->status->participants, j->now_us, j->out);
    return STATUS_OK;
}

static int drain(struct job *j)
{
    const struct admin_request *r = j->request;

    drain_begin(j->admin->drain, r->deadline_s.given ? r->deadline_s.value * SECOND : -1, r->stop,
                r->redirect_url, j->now_us);
    log_info("admin", "draining: participants=%" PRIu32 " deadline_s=%" PRId64 " stop=%s",
             j->status->participants, drain_left_s(j->admin->drain, j->now_us),
             r->stop ? "yes" : "no");
    return serve_drain(j);
}

static int undrain(struct job *j)
{
    drain_cancel(j->admin->drain);
    log_info("admin", "not draining any more");
    return serve_drain(j);
}

static int make_any_token(struct job *j)
{
    const struct session_host *host = j->admin->host;
    int64_t now_s = session_host_wall_s(host, j->now_us);
    struct grants grants = j->request->grants;
    char *token = NULL;
    int err;

    if (j->request->expires_in_s.given)
        grants.expires_s = now_s + j->request->expires_in_s.value;
    else if (!grants.expires_s)
        grants.expires_s = now_s + host->config->token_ttl_s;
    err = access_sign(host->access, &grants, now_s, &token);
    if (err == -ENOKEY) {
        (void)refuse(j->error, "no_signing_key", "no key of this server can sign");
        return STATUS_CONFLICT;
    }
    if (err < 0)
        return refuse_for_memory(j);
    log_info("admin", "token made: room=%s identity=\"%s\"", grants.room, grants.identity);
    text_append(j->out, "{\"token\":");
    json_append_string(j->out, token);
    text_printf(j->out, ",\"expires_in_s\":%" PRId64 "}\n", grants.expires_s - now_s);
    free(token);
    return STATUS_OK;
}

/** How an action is served. */
struct duty {
    int (*find)(struct job *j); /* what the path names; NULL: nothing. @return 0 or a status */
    int (*serve)(struct job *j);
};

static const struct duty duties[] = {
    [ADMIN_SERVER] = {NULL, serve_server},
    [ADMIN_ROOMS] = {NULL, serve_rooms},
    [ADMIN_ROOM] = {find_room, serve_room},
    [ADMIN_LIMIT_ROOM] = {find_room, limit_room},
    [ADMIN_CLOSE_ROOM] = {find_room, close_room},
    [ADMIN_PARTICIPANTS] = {find_room, serve_participants},
    [ADMIN_PARTICIPANT] = {find_room_and_member, serve_participant},
    [ADMIN_MUTE_PARTICIPANT] = {find_room_and_member, mute_participant},
    [ADMIN_KICK] = {find_room_and_member, kick},
    [ADMIN_MOVE] = {find_room_and_member, move},
    [ADMIN_TRACKS] = {find_room, serve_tracks},
    [ADMIN_TRACK] = {find_room_and_track, serve_track},
    [ADMIN_MUTE_TRACK] = {find_room_and_track, mute_track},
    [ADMIN_DRAIN_STATE] = {NULL, serve_drain},
    [ADMIN_DRAIN] = {NULL, drain},
    [ADMIN_UNDRAIN] = {NULL, undrain},
    [ADMIN_MAKE_TOKEN] = {NULL, make_any_token},
};

int admin_serve(const struct admin *a, const struct admin_request *r,
                const struct server_status *status, struct text *out, struct message *error,
                int64_t now_us)
{
    struct job job = {
        .admin = a, .request = r, .status = status, .out = out, .error = error, .now_us = now_us};
    const struct duty *duty = &duties[r->action];
    int found = duty->find ? duty->find(&job) : 0;

    return found ? found : duty->serve(&job);
}

void admin_send_all_away(const struct admin *a, int64_t now_us)
{
    bool elsewhere = a->drain->redirect_url[0] != '\0';
    struct message go = go_of(elsewhere ? "redirect" : "leave", "drained",
                              elsewhere ? "go on at another server"
                                        : "the server is being emptied");
    const struct directory_room *room;
    uint32_t n = 0;

    (void)snprintf(go.url, sizeof(go.url), "%s", a->drain->redirect_url);
    for (;;) {
        size_t cursor = 0;
        char name[MESSAGE_ROOM_MAX + 1];

        room = directory_next_room(a->host->directory, &cursor);
        if (!room)
            break;
        (void)snprintf(name, sizeof(name), "%s", directory_room_name(room));
        n += empty_room(a, name, &go, now_us);
    }
    log_info("admin", "sent everybody away: participants=%" PRIu32, n);
}
