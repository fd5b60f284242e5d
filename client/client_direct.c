/* sluice-client in a direct call: what peer_call says, done with our media. */
#include "client/call.h"
#include "client/client_internal.h"
#include "client/media_link.h"
#include "client/options.h"
#include "client/peer_call.h"
#include "client/streams.h"
#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/random.h"

#include <string.h>

static const int64_t LOST_US = 500 * MS; /* good-byes overtake each other */

/* The other one of a direct call gets all our addresses at once. */
void client_describe_to_peer(struct client *c)
{
    struct negotiation_local local = {0};

    media_link_describe(c->link, &local);
    random_name(local.cname, sizeof(local.cname) - 1);
    peer_call_set_local(c->peer, &local);
}

static void go_to_server(struct client *c)
{
    log_info("client", "media go over the server from now on");
    c->lost_us = NEVER_US;
    if (client_go_to_server(c) < 0)
        client_end(c, CLIENT_FAILED, "no media connection to the server: out of memory");
}

void client_on_peer_lost(struct client *c, int64_t now_us)
{
    c->lost_us = now_us + LOST_US;
    client_arm(c, c->lost_us);
}

bool client_leave_peer(struct client *c)
{
    c->lost_us = NEVER_US;
    if (!peer_call_give_up(c->peer))
        return false;
    go_to_server(c);
    return true;
}

void client_on_message(void *owner, const struct message *m)
{
    struct client *c = owner;
    int64_t now_us = clock_now_us();

    if (!c->peer)
        return;
    peer_call_on_message(c->peer, m, now_us);
    if (m->type == MESSAGE_JOINED && m->call.mode == ROOM_SFU && c->options->direct_room)
        go_to_server(c); /* it was there before us, and is for more than two */
    client_arm(c, now_us);
}

static int request_for_peer(void *owner, struct message *m)
{
    struct client *c = owner;

    return call_request(c->call, m);
}

static void on_peer_plan(void *owner, const struct media_plan *plan, uint32_t peer)
{
    struct client *c = owner;
    int64_t now_us = clock_now_us();

    if (streams_apply(c->streams, plan, now_us) < 0) {
        client_end(c, CLIENT_FAILED, "the other one takes none of our codecs (Opus, VP8)");
        return;
    }
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        if (plan->sections[i].use == SECTION_SLOT)
            streams_bind(c->streams, plan->sections[i].mid, i + 1, peer, now_us);
    }
    verdict_on_plan(&c->verdict, plan, now_us);
    if (media_link_connect(c->link, plan, now_us) < 0)
        client_end(c, CLIENT_FAILED, "what the other one says of itself cannot be used");
    client_arm(c, now_us);
}

static void on_peer_ended(void *owner, const char *code, const char *text)
{
    struct client *c = owner;

    log_info("client", "direct call: code=%s message=\"%s\"", code, text);
    if (strcmp(code, "ended") == 0 || strcmp(code, "left") == 0)
        client_leave(c, clock_now_us());
    else
        client_end(c, CLIENT_FAILED, "the call came to nothing: %s%s%s", code, *text ? ": " : "",
                   text);
}

static void on_peer_server(void *owner)
{
    go_to_server(owner);
}

static const struct peer_call_handler peer_handler = {
    .request = request_for_peer,
    .on_plan = on_peer_plan,
    .on_server = on_peer_server,
    .on_ended = on_peer_ended,
};

int client_make_peer(struct client *c)
{
    const struct options *o = c->options;
    struct peer_call_config config = {
        .callee = o->callee,
        .answer = o->answer,
        .media = {.publish_audio = c->source != NULL,
                  .publish_video = c->video != NULL,
                  .receive_audio = o->audio_slots > 0,
                  .receive_video = o->video_slots > 0,
                  .stereo = o->stereo},
    };

    if (!o->callee && !o->answer && !o->direct_room)
        return 0;
    return peer_call_new(&c->peer, &config, &peer_handler, c);
}
