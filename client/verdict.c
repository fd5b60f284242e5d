#include "client/verdict.h"

#include "client/incoming.h"
#include "client/rtp_sender.h"
#include "client/streams.h"
#include "media/base/clock.h"

#include <stdarg.h>
#include <stdio.h>

static const int64_t JOIN_US = 10 * SECOND;  /* from the start; gathering takes up to 5 s of it */
static const int64_t MEDIA_US = 15 * SECOND; /* from joining; on a good network it takes 0.1 s */
static const int64_t SOUND_US = 10 * SECOND; /* from the binding of a track to its first packet */

void verdict_init(struct verdict *v, const struct options *options, int64_t now_us)
{
    *v = (struct verdict){
        .options = options,
        .began_us = now_us,
        .joined_us = NEVER_US,
        .agreed_us = NEVER_US,
        .connected_us = NEVER_US,
    };
}

static const char *say(struct verdict *v, const char *format, ...) PRINTF_LIKE(2, 3);
static const char *say(struct verdict *v, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(v->text, sizeof(v->text), format, args);
    va_end(args);
    return v->text;
}

void verdict_on_call(struct verdict *v, enum call_state state, int64_t now_us)
{
    v->call = state;
    if (state == CALL_JOINED)
        v->joined_us = now_us;
}

void verdict_on_link(struct verdict *v, enum media_link_state state, int64_t now_us)
{
    if (state != LINK_FAILED) /* what it was doing then tells more */
        v->link = state;
    if (state == LINK_CONNECTED)
        v->connected_us = now_us;
}

void verdict_on_plan(struct verdict *v, const struct media_plan *plan, int64_t now_us)
{
    const struct plan_candidate *first = &plan->candidates[0];

    v->agreed_us = now_us;
    if (plan->n_candidates > 0)
        (void)snprintf(v->media_address, sizeof(v->media_address), "%s port %u", first->address,
                       first->port);
}

static bool is_direct(const struct verdict *v)
{
    return v->options->callee || v->options->answer || v->options->direct_room;
}

static const char *no_path(struct verdict *v)
{
    if (is_direct(v))
        return say(v, "no way was found to the other one at %s: a TURN server may help",
                   v->media_address);
    if (v->options->relay_only)
        return say(v, "joined, but the media address %s cannot be reached through the TURN server",
                   v->media_address);
    return say(
        v,
        "joined, but the media address %s does not answer: is UDP blocked%s, or the server's "
        "--advertise wrong?",
        v->media_address, v->options->ice_tcp ? "" : " (then try --ice-tcp)");
}

const char *verdict_on_failure(struct verdict *v, const char *error)
{
    if (v->link == LINK_CHECKING)
        return no_path(v);
    if (v->link == LINK_CONNECTED)
        return say(v, "the media connection was lost: %s", error);
    return say(v, "no media connection: %s", error);
}

static const char *media_late(struct verdict *v)
{
    if (v->link == LINK_CHECKING)
        return no_path(v);
    return say(v, "joined, but the DTLS handshake with %s did not finish", v->media_address);
}

/* @return since when media should connect: of a direct call, once both have agreed; NEVER_US: not
 * yet
 */
static int64_t media_since_us(const struct verdict *v)
{
    return is_direct(v) ? v->agreed_us : v->joined_us;
}

static bool asks_for_sound(const struct verdict *v)
{
    return v->options->record || v->options->record_each;
}

static bool asks_for_video(const struct verdict *v)
{
    return v->options->receive_video && !v->options->view.paused;
}

/* A stream that carries a sounding track and not one packet. */
static bool is_mute(const struct verdict *v, const struct incoming *in, const struct roster *roster,
                    int64_t now_us)
{
    const struct roster_track *track = roster_track(roster, in->track);

    return in->kind == KIND_AUDIO && track && !track->muted && !in->stats.started &&
           now_us - in->bound_us >= SOUND_US && now_us - v->connected_us >= SOUND_US;
}

static const char *find_mute(struct verdict *v, const struct streams *streams,
                             const struct roster *roster, int64_t now_us)
{
    LIST_FOREACH(it, streams_incoming(streams)) {
        const struct incoming *in = CONTAINER_OF(it, struct incoming, link);
        const char *name = roster_name(roster, in->participant);

        if (is_mute(v, in, roster, now_us))
            return say(v, "connected, but no audio arrived within 10 s%s%s",
                       name[0] ? " from " : "", name);
    }
    return NULL;
}

const char *verdict_now(struct verdict *v, const struct streams *streams,
                        const struct roster *roster, int64_t now_us)
{
    if (v->call >= CALL_LEAVING)
        return NULL;
    if (v->joined_us == NEVER_US && now_us - v->began_us >= JOIN_US)
        return say(v, "no answer from %s within 10 s", v->options->server);
    if (media_since_us(v) != NEVER_US && v->connected_us == NEVER_US &&
        now_us - media_since_us(v) >= MEDIA_US)
        return media_late(v);
    if (v->connected_us != NEVER_US && streams && asks_for_sound(v))
        return find_mute(v, streams, roster, now_us);
    return NULL;
}

static bool has_arrived(const struct streams *streams, enum media_kind kind)
{
    LIST_FOREACH(it, streams_incoming(streams)) {
        const struct incoming *in = CONTAINER_OF(it, struct incoming, link);

        if (in->kind == kind && in->stats.started)
            return true;
    }
    return false;
}

const char *verdict_at_end(struct verdict *v, const struct streams *streams, int64_t now_us)
{
    const struct rtp_sender *audio = streams ? streams_audio_sender(streams) : NULL;
    const struct rtp_sender *video = streams ? streams_video_sender(streams) : NULL;
    double seconds;

    if (v->connected_us == NEVER_US || !streams)
        return say(v, "told to leave before media was connected");
    seconds = (double)(now_us - v->connected_us) / (double)SECOND;
    if (video && streams_video_paused(streams))
        video = NULL; /* there was nobody to send it to */
    if ((audio && audio->stats.packets == 0) || (video && video->stats.packets == 0))
        return say(v, "connected, but nothing could be sent");
    if (asks_for_sound(v) && !has_arrived(streams, KIND_AUDIO))
        return say(v, "connected, but no audio arrived within %.0f s", seconds);
    if (asks_for_video(v) && !has_arrived(streams, KIND_VIDEO))
        return say(v, "connected, but no video arrived within %.0f s", seconds);
    return NULL;
}

int64_t verdict_deadline(const struct verdict *v)
{
    if (v->joined_us == NEVER_US)
        return v->began_us + JOIN_US;
    if (media_since_us(v) == NEVER_US || v->connected_us != NEVER_US)
        return NEVER_US;
    return media_since_us(v) + MEDIA_US;
}
