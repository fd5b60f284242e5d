#include "client/client.h"

#include "client/audio_source.h"
#include "client/call.h"
#include "client/client_internal.h"
#include "client/media_link.h"
#include "client/peer_call.h"
#include "client/recorder.h"
#include "client/relays.h"
#include "client/statistics.h"
#include "client/streams.h"
#include "client/verdict.h"
#include "client/video_receiver.h"
#include "client/video_sender.h"
#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/random.h"
#include "media/srtp.h"
#include "signaling/tls.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static const int64_t TICK_US = AUDIO_FRAME_MS * MS;
static const int64_t MAX_BEHIND_US = 5 * SECOND; /* stopped for longer: the time is not made up */
static const int64_t LEAVE_US = 2 * SECOND;      /* for the server to answer */
static const int64_t GATHER_US = 100 * MS; /* then what is there is tried, before relays answer */
static const int64_t STATISTICS_US = 1 * SECOND;

void client_end(struct client *c, enum client_result result, const char *format, ...)
{
    va_list args;

    if (!c->ended) {
        va_start(args, format);
        (void)vsnprintf(c->reason, CLIENT_REASON_MAX + 1, format, args);
        va_end(args);
        c->result = result;
        c->ended = true;
    }
    event_base_loopbreak(c->base);
}

static void print_statistics(struct client *c, int64_t now_us)
{
    struct statistics s;
    struct text line;

    if (c->streams)
        streams_look(c->streams, now_us);
    s = (struct statistics){
        .link = c->link,
        .streams = c->streams,
        .roster = call_roster(c->call),
        .bulletin = call_bulletin(c->call),
        .now_us = now_us,
        .since_us = c->since_us,
    };
    text_init(&line, 1024 * 1024);
    if (c->options->json)
        statistics_json(&line, &s);
    else
        statistics_text(&line, &s);
    (void)fputs(text_str(&line), stdout);
    (void)fflush(stdout);
    text_done(&line);
}

void client_leave(struct client *c, int64_t now_us)
{
    const char *missing;

    if (c->kill_us != NEVER_US)
        return;
    missing = verdict_at_end(&c->verdict, c->streams, now_us);
    if (missing) {
        (void)snprintf(c->reason, CLIENT_REASON_MAX + 1, "%s", missing);
        c->result = CLIENT_FAILED;
    }
    if (c->options->stats)
        print_statistics(c, now_us);
    c->ended = true;
    c->kill_us = now_us + LEAVE_US;
    call_leave(c->call);
}

static const char *name_of(const struct client *c, uint32_t participant)
{
    return roster_name(call_roster(c->call), participant);
}

static void on_sound(void *owner, uint32_t participant, const int16_t *samples)
{
    struct client *c = owner;

    recorder_add(c->recorder, participant, name_of(c, participant), samples);
}

static void on_video(void *owner, const struct video_frame *frame)
{
    struct client *c = owner;
    int err = recorder_video(c->recorder, frame, name_of(c, frame->source));

    if (err < 0)
        client_end(c, CLIENT_FAILED, "cannot write into %s: %s", c->options->record_video,
                   strerrordesc_np(-err));
}

static const struct streams_handler streams_handler = {.on_sound = on_sound, .on_video = on_video};

static void fail_link(struct client *c)
{
    const char *why = verdict_on_failure(&c->verdict, media_link_error(c->link));
    const char *of_relays = c->relays ? relays_error(c->relays) : "";

    if (client_rejoin_later(c, clock_now_us()))
        return;
    client_end(c, CLIENT_FAILED, "%s%s%s", why, *of_relays ? "; " : "", of_relays);
}

/* @return true if the link is to another client */
static bool is_with_peer(const struct client *c)
{
    return c->peer && !c->over_server;
}

/* The server looks for us, too. */
static void tell_candidates(struct client *c)
{
    struct negotiation_local local = {0};

    media_link_describe(c->link, &local);
    call_set_candidates(c->call, &local);
}

static void on_link_state(void *owner, enum media_link_state state)
{
    struct client *c = owner;

    log_info("client", "media link: state=%s", media_link_state_name(state));
    if (state == LINK_CONNECTED)
        client_rejoin_done(c);
    verdict_on_link(&c->verdict, state, clock_now_us());
    if (state == LINK_GATHERED && c->must_be_found && !is_with_peer(c))
        tell_candidates(c);
    if (state == LINK_FAILED && is_with_peer(c) && c->kill_us == NEVER_US)
        client_on_peer_lost(c, clock_now_us());
    else if (state == LINK_FAILED)
        fail_link(c);
    else if (state == LINK_GATHERED && c->peer)
        client_describe_to_peer(c);
}

static void on_rtp(void *owner, struct packet *packet, int64_t now_us)
{
    struct client *c = owner;

    if (c->streams)
        streams_on_rtp(c->streams, packet, now_us);
}

static void on_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us)
{
    struct client *c = owner;

    if (c->streams)
        streams_on_rtcp(c->streams, data, len, now_us);
}

static const struct media_link_handler link_handler = {
    .on_state = on_link_state,
    .on_rtp = on_rtp,
    .on_rtcp = on_rtcp,
};

static int make_streams(struct client *c)
{
    const struct options *options = c->options;
    uint16_t channels = options->stereo ? 2 : 1;
    struct streams_config config = {
        .channels = channels,
        .encoder = {.channels = channels,
                    .bitrate_bps = (int32_t)options->bitrate_bps,
                    .loss_percent = (int32_t)options->loss_percent},
        .audio = c->source,
        .video = c->video,
    };

    random_name(config.cname, sizeof(config.cname) - 1);
    return streams_new(&c->streams, &config, c->link, &streams_handler, c);
}

void client_arm(struct client *c, int64_t deadline_us)
{
    int64_t wait_us = deadline_us - clock_now_us();
    struct timeval wait;

    if (wait_us < 0)
        wait_us = 0;
    if (wait_us > SECOND)
        wait_us = SECOND; /* statistics, and whatever became due by a call that told nobody */
    wait.tv_sec = wait_us / SECOND;
    wait.tv_usec = wait_us % SECOND;
    (void)event_add(c->timer, &wait);
}

/* Look for our addresses, with the help of the command line's servers, or else of those that the
 * server has told us of. */
static void gather(struct client *c, int64_t now_us)
{
    const struct options *o = c->options;
    const struct message_ice_server *servers;
    uint32_t n = call_ice_servers(c->call, &servers);

    if (!o->has_turn && !o->has_stun && !c->has_relays)
        relays_add_all(c->relays, servers, n);
    c->has_relays = true;
    if (relays_error(c->relays)[0])
        log_warn("client", "a STUN or TURN server is left out: %s", relays_error(c->relays));
    if (o->relay_only && relays_servers(c->relays)->n_relays == 0) {
        client_end(c, CLIENT_FAILED,
                   "the server told of no TURN server that can be used: name one (--turn)");
    } else if (media_link_gather(c->link, relays_servers(c->relays), now_us) < 0) {
        client_end(c, CLIENT_FAILED, "this machine has no usable network address");
    }
}

static void on_plan(void *owner, const struct media_plan *plan)
{
    struct client *c = owner;
    int64_t now_us = clock_now_us();
    int err = c->streams ? streams_apply(c->streams, plan, now_us) : -EPROTO;

    if (err == -ENOTSUP) {
        client_end(c, CLIENT_FAILED, "the server takes none of our codecs (Opus, VP8)");
        return;
    }
    if (err < 0) {
        client_end(c, CLIENT_FAILED, "cannot set up media: %s", strerrordesc_np(-err));
        return;
    }
    if (media_link_state(c->link) != LINK_NEW)
        return;
    verdict_on_plan(&c->verdict, plan, now_us);
    c->must_be_found = !plan->ice_lite;
    err = media_link_connect(c->link, plan, now_us);
    if (err < 0) {
        client_end(c, CLIENT_FAILED, "the server's answer cannot be used: %s",
                   strerrordesc_np(-err));
    } else {
        gather(c, now_us);
    }
    client_arm(c, now_us);
}

static void on_slot(void *owner, const struct message_slot *slot)
{
    struct client *c = owner;

    if (c->streams)
        streams_bind(c->streams, slot->mid, slot->track, slot->participant, clock_now_us());
}

static void on_joined(struct client *c)
{
    int64_t now_us = clock_now_us();

    c->next_tick_us = now_us + TICK_US;
    if (c->options->for_s > 0 && c->leave_us == NEVER_US)
        c->leave_us = now_us + (int64_t)(c->options->for_s * (double)SECOND);
    if (make_streams(c) < 0)
        client_end(c, CLIENT_FAILED, "out of memory");
    else if (c->peer)
        gather(c, now_us);
}

static void on_call_state(void *owner, enum call_state state)
{
    struct client *c = owner;

    log_info("client", "call: state=%s", call_state_name(state));
    verdict_on_call(&c->verdict, state, clock_now_us());
    if (state == CALL_JOINED)
        on_joined(c);
    else if (state == CALL_ENDED && !client_rejoin_later(c, clock_now_us()))
        client_end(c, CLIENT_FAILED, "%s", call_error(c->call));
}

static void on_want(void *owner, enum media_kind kind, bool wanted)
{
    struct client *c = owner;
    int64_t now_us = clock_now_us();

    if (kind != KIND_VIDEO || !c->streams)
        return;
    log_info("client", "video: wanted=%s", wanted ? "yes" : "no");
    streams_want_video(c->streams, wanted, now_us);
    client_arm(c, now_us);
}

static const struct call_handler call_handler = {
    .on_plan = on_plan,
    .on_slot = on_slot,
    .on_want = on_want,
    .on_message = client_on_message,
    .on_state = on_call_state,
};

static void tick(struct client *c, int64_t now_us)
{
    int err;

    if (now_us - c->next_tick_us > MAX_BEHIND_US)
        c->next_tick_us = now_us;
    while (c->next_tick_us <= now_us) {
        streams_tick(c->streams, c->next_tick_us);
        c->next_tick_us += TICK_US;
        err = recorder_tick(c->recorder);
        if (err < 0)
            client_end(c, CLIENT_FAILED, "cannot write the recording: %s", strerrordesc_np(-err));
    }
}

/* What the clock demands. @return when it does so next */
static int64_t check_deadlines(struct client *c, int64_t now_us)
{
    const char *failure = verdict_now(&c->verdict, c->streams, call_roster(c->call), now_us);

    if (failure && !(c->rejoin.since_us && client_rejoin_later(c, now_us)))
        client_end(c, CLIENT_FAILED, "%s", failure);
    if (now_us >= c->lost_us && !client_leave_peer(c))
        fail_link(c);
    if (now_us >= c->leave_us)
        client_leave(c, now_us);
    if (now_us >= c->kill_us)
        event_base_loopbreak(c->base);
    if (c->options->stats && now_us >= c->statistics_us) {
        print_statistics(c, now_us);
        c->statistics_us += STATISTICS_US;
    }
    if (c->rejoin.since_us)
        return clock_earlier(c->rejoin.due_us, clock_earlier(c->leave_us, c->kill_us));
    return clock_earlier(clock_earlier(c->leave_us, c->kill_us), verdict_deadline(&c->verdict));
}

static void on_turn(evutil_socket_t fd, short what, void *owner)
{
    struct client *c = owner;
    int64_t now_us = clock_now_us();
    int64_t deadline_us;

    (void)fd;
    (void)what;
    client_rejoin_advance(c, now_us);
    if (c->ended && c->kill_us == NEVER_US)
        return;
    deadline_us = media_link_advance(c->link, now_us);
    if (c->streams) {
        tick(c, now_us);
        deadline_us = clock_earlier(deadline_us,
                                    streams_advance(c->streams, now_us, clock_wall_us()));
        deadline_us = clock_earlier(deadline_us, c->next_tick_us);
    }
    if (c->peer)
        deadline_us = clock_earlier(deadline_us, peer_call_advance(c->peer, now_us));
    client_arm(c, clock_earlier(deadline_us, check_deadlines(c, now_us)));
}

static void on_signal(evutil_socket_t fd, short what, void *owner)
{
    struct client *c = owner;

    (void)fd;
    (void)what;
    if (c->kill_us != NEVER_US)
        event_base_loopbreak(c->base); /* asked twice */
    else
        client_leave(c, clock_now_us());
}

static int refuse(struct client *c, const char *format, ...) PRINTF_LIKE(2, 3);
/* Write why we cannot even begin. */
static int refuse(struct client *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(c->reason, CLIENT_REASON_MAX + 1, format, args);
    va_end(args);
    c->result = CLIENT_USAGE;
    return -EINVAL;
}

static int open_files(struct client *c)
{
    const struct options *o = c->options;
    struct recorder_config recorder = {.all = o->record,
                                       .each = o->record_each,
                                       .video = o->record_video,
                                       .channels = o->stereo ? 2 : 1};
    int err;

    if (o->send) {
        err = audio_source_new(&c->source, o->send, o->stereo ? 2 : 1, o->loop);
        if (err == -EINVAL)
            return refuse(c, "--send %s: a tone has from 20 to 20000 Hz", o->send);
        if (err == -EBADMSG || err == -ENOTSUP || err == -ENODATA)
            return refuse(c, "--send %s: not a WAV file with sound that we can read", o->send);
        if (err < 0)
            return refuse(c, "--send %s: %s", o->send, strerrordesc_np(-err));
    }
    if (o->video) {
        err = video_sender_new(&c->video, o->video);
        if (err == -EBADMSG || err == -ENOTSUP || err == -ENODATA)
            return refuse(c, "--video %s: not an IVF file with VP8", o->video);
        if (err < 0)
            return refuse(c, "--video %s: %s", o->video, strerrordesc_np(-err));
    }
    err = recorder_new(&c->recorder, &recorder);
    return err < 0 ? refuse(c, "cannot make the recording: %s", strerrordesc_np(-err)) : 0;
}

static bool is_on_this_machine(const char *url)
{
    return strncmp(url, "ws://127.", 9) == 0 || strncmp(url, "ws://localhost", 14) == 0 ||
           strncmp(url, "ws://[::1]", 10) == 0 || strncmp(url, "wss://127.", 10) == 0 ||
           strncmp(url, "wss://localhost", 15) == 0 || strncmp(url, "wss://[::1]", 11) == 0;
}

/* Only what the command line names: what the server tells of comes with joined. */
static int add_named_servers(struct client *c)
{
    const struct options *o = c->options;

    if (o->has_stun && relays_add(c->relays, &o->stun, "", "") < 0)
        return refuse(c, "--stun: %s", relays_error(c->relays));
    if (o->has_turn && relays_add(c->relays, &o->turn, o->turn_user, o->turn_password) < 0)
        return refuse(c, "--turn: %s", relays_error(c->relays));
    return 0;
}

static int make_relays(struct client *c)
{
    const struct options *o = c->options;
    struct relays_config config = {.base = c->base, .ca_file = o->ca, .insecure = o->insecure};

    return relays_new(&c->relays, &config) < 0 ? refuse(c, "out of memory") : add_named_servers(c);
}

static int make_link(struct client *c)
{
    const struct options *o = c->options;
    struct ice_agent_config ice = {
        .controlling = !o->answer, /* the caller is, and who talks with a server */
        .tcp = o->ice_tcp,
        .loopback = is_on_this_machine(o->server),
        .relay_only = o->relay_only};

    if (!o->relay_only && !c->peer)
        ice.gather_timeout_us = GATHER_US;
    return media_link_new(&c->link, &ice, &link_handler, c);
}

static int make_tls(struct client *c)
{
    const struct options *o = c->options;
    char error[TLS_ERROR_SIZE];

    if (strncmp(o->server, "wss:", 4) != 0)
        return 0;
    return tls_client_new(&c->tls, o->ca, o->insecure, error) < 0 ? refuse(c, "--ca: %s", error)
                                                                  : 0;
}

static int make_call(struct client *c)
{
    const struct options *o = c->options;
    struct call_config config = {
        .url = o->server,
        .room = c->rejoin.room[0] ? c->rejoin.room : o->room,
        .token = c->rejoin.token ? c->rejoin.token : o->token,
        .name = o->name,
        .publish_audio = c->source != NULL,
        .publish_video = c->video != NULL,
        .audio_slots = (uint32_t)o->audio_slots,
        .video_slots = (uint32_t)o->video_slots,
        .stereo = o->stereo,
        .presence = c->peer != NULL,
        .direct = o->direct_room,
        .no_reconnect = o->no_reconnect,
        .view = o->has_view ? &o->view : NULL,
    };

    if (make_tls(c) < 0)
        return -EINVAL;
    config.tls = c->tls;
    if (call_new(&c->call, c->base, &config, &call_handler, c) < 0)
        return refuse(c, "--server %s: not the URL of a server", o->server);
    return 0;
}

static void free_event(struct event *event)
{
    if (event)
        event_free(event);
}

static int watch_link(struct client *c)
{
    c->readable = event_new(c->base, media_link_fd(c->link), EV_READ | EV_PERSIST, on_turn, c);
    return c->readable && event_add(c->readable, NULL) == 0 ? 0 : -ENOMEM;
}

static int make_events(struct client *c)
{
    struct event_config *config = event_config_new();

    if (!config)
        return -ENOMEM;
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER); /* 20 ms, not 21 */
    c->base = event_base_new_with_config(config);
    event_config_free(config);
    if (!c->base)
        return -ENOMEM;
    c->timer = evtimer_new(c->base, on_turn, c);
    c->interrupt = evsignal_new(c->base, SIGINT, on_signal, c);
    c->terminate = evsignal_new(c->base, SIGTERM, on_signal, c);
    if (!c->timer || !c->interrupt || !c->terminate)
        return -ENOMEM;
    if (event_add(c->interrupt, NULL) < 0 || event_add(c->terminate, NULL) < 0)
        return -ENOMEM;
    return 0;
}

/* Say in the offer who we are. Where we are is told by our checks: the server needs no candidates,
 * and so does not wait until we know all of them. */
static void describe(struct client *c)
{
    struct negotiation_local local = {0};

    media_link_describe(c->link, &local);
    random_name(local.cname, sizeof(local.cname) - 1);
    call_set_local(c->call, &local);
}

int client_go_to_server(struct client *c)
{
    int err;

    c->over_server = true;
    free_event(c->readable);
    c->streams = streams_free(c->streams);
    c->link = media_link_free(c->link);
    err = make_link(c);
    if (err == 0)
        err = watch_link(c);
    if (err == 0)
        err = make_streams(c);
    if (err < 0)
        return err;
    describe(c);
    call_offer(c->call);
    return 0;
}

int client_connect(struct client *c)
{
    int err = make_link(c);

    if (err == 0)
        err = watch_link(c);
    if (err < 0) {
        (void)snprintf(c->reason, CLIENT_REASON_MAX + 1, "cannot start: %s", strerrordesc_np(-err));
        return err;
    }
    err = make_relays(c);
    if (err == 0)
        err = make_call(c);
    if (err == 0)
        describe(c);
    return err;
}

void client_disconnect(struct client *c)
{
    c->streams = streams_free(c->streams);
    c->call = call_free(c->call);
    free_event(c->readable);
    c->readable = NULL;
    c->tls = tls_free(c->tls);
    c->link = media_link_free(c->link);
    c->relays = relays_free(c->relays); /* after the agent: it gives its addresses back by them */
    c->has_relays = c->must_be_found = false;
}

static int start(struct client *c)
{
    int err;

    err = open_files(c);
    if (err < 0)
        return err;
    err = srtp_global_init();
    if (err == 0)
        err = client_make_peer(c);
    if (err == 0)
        err = make_events(c);
    if (err < 0) {
        (void)snprintf(c->reason, CLIENT_REASON_MAX + 1, "cannot start: %s", strerrordesc_np(-err));
        return err;
    }
    return client_connect(c);
}

static void stop(struct client *c)
{
    client_disconnect(c);
    c->peer = peer_call_free(c->peer);
    c->video = video_sender_free(c->video);
    c->source = audio_source_free(c->source);
    c->recorder = recorder_free(c->recorder);
    free(c->rejoin.token);
    free_event(c->timer);
    free_event(c->interrupt);
    free_event(c->terminate);
    if (c->base)
        event_base_free(c->base);
}

enum client_result client_run(const struct options *options, char *reason)
{
    struct client c = {
        .options = options,
        .reason = reason,
        .since_us = clock_now_us(),
        .next_tick_us = NEVER_US,
        .leave_us = NEVER_US,
        .kill_us = NEVER_US,
        .lost_us = NEVER_US,
        .rejoin.due_us = NEVER_US,
    };

    reason[0] = '\0';
    verdict_init(&c.verdict, options, c.since_us);
    c.statistics_us = c.since_us + STATISTICS_US;
    (void)signal(SIGPIPE, SIG_IGN);
    if (start(&c) < 0) {
        if (c.result == CLIENT_OK)
            c.result = CLIENT_FAILED;
    } else {
        client_arm(&c, c.since_us);
        (void)event_base_dispatch(c.base);
    }
    stop(&c);
    return c.result;
}
