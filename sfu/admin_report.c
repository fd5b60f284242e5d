#include "sfu/admin_report.h"

#include "media/base/text.h"
#include "sfu/config.h"
#include "sfu/directory.h"
#include "sfu/drain.h"
#include "sfu/server.h"
#include "sfu/session.h"
#include "sfu/session_mute.h"
#include "signaling/grants.h"
#include "signaling/json_text.h"

#include <inttypes.h>

static const char *bool_text(bool value)
{
    return value ? "true" : "false";
}

static void write_string(struct text *out, const char *name, const char *value)
{
    text_printf(out, ",\"%s\":", name);
    json_append_string(out, value);
}

/* Server */

static void write_limits(const struct config *c, struct text *out)
{
    text_printf(out,
                ",\"limits\":{\"max_rooms\":%" PRIu32 ",\"max_participants\":%" PRIu32
                ",\"max_participants_per_room\":%" PRIu32 ",\"max_tracks\":%" PRIu32
                ",\"max_room_kbps\":%" PRIu32 "}",
                c->max_rooms, c->max_participants, c->max_participants_per_room, c->max_tracks,
                c->max_room_kbps);
}

void admin_report_server(const struct session_host *host, const struct server_status *status,
                         struct text *out)
{
    text_printf(out,
                "{\"version\":\"" SLUICE_VERSION "\",\"state\":\"%s\",\"uptime_s\":%" PRId64
                ",\"rooms\":%" PRIu32 ",\"participants\":%" PRIu32 ",\"sessions\":%" PRIu32
                ",\"workers\":[",
                server_state_name(status), status->uptime_s, status->rooms, status->participants,
                status->sessions);
    for (uint32_t i = 0; i < status->workers; i++)
        text_printf(out, "%s{\"index\":%" PRIu32 ",\"participants\":%" PRIu32 "}", i ? "," : "", i,
                    status->on_worker[i]);
    text_append(out, "]");
    write_limits(host->config, out);
    text_append(out, "}\n");
}

/* Rooms */

static void write_workers(const struct directory_room *room, struct text *out)
{
    const char *comma = "";
    uint32_t cursor = 0;
    int worker;

    text_append(out, ",\"workers\":[");
    while ((worker = directory_next_worker(room, UINT32_MAX, &cursor)) >= 0) {
        text_printf(out, "%s%d", comma, worker);
        comma = ",";
    }
    text_append(out, "]");
}

static void write_room_head(const struct directory *d, const struct directory_room *room,
                            struct text *out)
{
    const struct directory_member *m = NULL;
    uint32_t members = 0;
    uint32_t tracks = 0;

    while ((m = directory_next_member(room, m))) {
        members++;
        tracks += m->n_tracks;
    }
    text_append(out, "\"room\":");
    json_append_string(out, directory_room_name(room));
    text_printf(out, ",\"n_participants\":%" PRIu32 ",\"n_tracks\":%" PRIu32, members, tracks);
    write_workers(room, out);
    text_printf(out, ",\"max_participants\":%" PRIu32 ",\"max_room_kbps\":%" PRIu32,
                directory_room_capacity(d, room), directory_room_limits(room)->video_kbps);
}

void admin_report_rooms(const struct directory *d, struct text *out)
{
    const struct directory_room *room = NULL;
    const char *comma = "";
    size_t cursor = 0;

    text_append(out, "{\"rooms\":[");
    while ((room = directory_next_room(d, &cursor))) {
        text_printf(out, "%s{", comma);
        write_room_head(d, room, out);
        text_append(out, "}");
        comma = ",";
    }
    text_append(out, "]}\n");
}

/* Tracks */

static void write_track(const struct message_track *track, struct text *out)
{
    char id[MESSAGE_ID_MAX];

    text_printf(out, "{\"id\":\"%s\"", track_id_text(track->id, id));
    text_printf(out, ",\"participant\":\"%s\",\"kind\":\"%s\"",
                participant_id_text(track->participant, id), media_kind_name(track->kind));
    write_string(out, "source", track->source);
    text_printf(out, ",\"muted\":%s", bool_text(track->muted));
    if (track->muted_by_admin)
        text_append(out, ",\"muted_by\":\"admin\"");
    if (track->max_bps)
        text_printf(out, ",\"max_bps\":%" PRIu32, track->max_bps);
    text_append(out, "}");
}

static void write_tracks(const struct directory_member *m, const char *comma, struct text *out)
{
    for (uint32_t i = 0; i < m->n_tracks; i++) {
        text_append(out, i > 0 ? "," : comma);
        write_track(&m->tracks[i], out);
    }
}

void admin_report_tracks(const struct directory_room *room, struct text *out)
{
    const struct directory_member *m = NULL;
    const char *comma = "";

    text_append(out, "{\"tracks\":[");
    while ((m = directory_next_member(room, m))) {
        write_tracks(m, comma, out);
        if (m->n_tracks > 0)
            comma = ",";
    }
    text_append(out, "]}\n");
}

void admin_report_track(const struct message_track *track, struct text *out)
{
    write_track(track, out);
    text_append(out, "\n");
}

/* Participants */

static void write_held(const struct session *session, struct text *out)
{
    bool audio = session_is_held(session, KIND_AUDIO);
    bool video = session_is_held(session, KIND_VIDEO);

    text_printf(out, ",\"held\":[%s%s%s]", audio ? "\"audio\"" : "", audio && video ? "," : "",
                video ? "\"video\"" : "");
}

static void write_participant(struct directory_member *m, struct text *out)
{
    const struct session *session = session_of(m);
    const struct message_quality *quality = session_quality(session);
    char id[MESSAGE_ID_MAX];

    text_printf(out, "{\"id\":\"%s\"", participant_id_text(m->id, id));
    write_string(out, "name", m->name);
    if (session_grants(session)->identity[0])
        write_string(out, "identity", session_grants(session)->identity);
    text_printf(out, ",\"client\":\"%s\",\"worker\":%" PRIu32,
                session_kind_name(session_kind(session)), m->worker);
    write_held(session, out);
    text_append(out, ",\"published\":[");
    write_tracks(m, "", out);
    text_append(out, "]");
    if (quality) {
        text_append(out, ",\"quality\":{");
        message_quality_write(out, quality);
        text_append(out, "}");
    }
    text_append(out, "}");
}

static void write_participants(const struct directory_room *room, struct text *out)
{
    struct directory_member *m = NULL;
    const char *comma = "";

    text_append(out, "\"participants\":[");
    while ((m = directory_next_member(room, m))) {
        text_append(out, comma);
        write_participant(m, out);
        comma = ",";
    }
    text_append(out, "]}\n");
}

void admin_report_room(const struct directory *d, const struct directory_room *room,
                       struct text *out)
{
    text_append(out, "{");
    write_room_head(d, room, out);
    text_append(out, ",");
    write_participants(room, out);
}

void admin_report_participants(const struct directory_room *room, struct text *out)
{
    text_append(out, "{");
    write_participants(room, out);
}

void admin_report_participant(struct directory_member *m, struct text *out)
{
    write_participant(m, out);
    text_append(out, "\n");
}

/* Drain */

void admin_report_drain(const struct drain *d, uint32_t participants, int64_t now_us,
                        struct text *out)
{
    text_printf(out, "{\"draining\":%s,\"participants\":%" PRIu32, bool_text(d->on), participants);
    if (d->on) {
        int64_t left_s = drain_left_s(d, now_us);

        text_printf(out, ",\"stop\":%s", bool_text(d->stop));
        if (left_s >= 0)
            text_printf(out, ",\"left_s\":%" PRId64, left_s);
        if (d->redirect_url[0])
            write_string(out, "redirect_url", d->redirect_url);
    }
    text_append(out, "}\n");
}
