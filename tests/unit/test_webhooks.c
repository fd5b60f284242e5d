#include "sfu/webhooks.h"

#include "sfu/webhook_http.h"
#include "tests/unit/session_fixture.h"

#include <errno.h>
#include <jansson.h>

enum { MAX_POSTS = 64 };

/* What was posted, and not answered yet if `tag` is there. */
struct posted {
    char url[64], signature[100];
    json_t *event;
    void *tag;
};

static struct webhooks *w;
static struct posted posts[MAX_POSTS];
static size_t n_posts, n_read, n_cancelled;
static bool refuse_all;

static int keep_post(void *owner, const struct webhook_post *post, void *tag)
{
    struct posted *p = &posts[n_posts];

    (void)owner;
    CHECK(n_posts < MAX_POSTS);
    if (refuse_all)
        return -ENOMEM;
    n_posts++;
    (void)snprintf(p->url, sizeof(p->url), "%s", post->url);
    (void)snprintf(p->signature, sizeof(p->signature), "%s", post->signature);
    p->event = json_loadb(post->body, post->len, JSON_REJECT_DUPLICATES, NULL);
    if (!p->event)
        printf("# no JSON: %.*s\n", (int)post->len, post->body);
    CHECK(p->event);
    p->tag = tag;
    return 0;
}

static void keep_cancel(void *owner, const void *tag)
{
    (void)owner;
    (void)tag;
    n_cancelled++;
}

static void begin_hooks(uint32_t receivers)
{
    static const struct webhook_carrier carrier = {.post = keep_post, .cancel = keep_cancel};

    begin();
    n_posts = n_read = n_cancelled = 0;
    refuse_all = false;
    (void)snprintf(config.webhook_secret, sizeof(config.webhook_secret), "whsec");
    for (uint32_t i = 0; i < receivers; i++) {
        (void)snprintf(config.webhooks.text[i], sizeof(config.webhooks.text[i]), "http://h%u/x", i);
        config.webhooks.n = i + 1;
    }
    host.wall_offset_us = 1700000000 * SECOND;
    CHECK_EQ(webhooks_new(&w, &config, &host, &carrier, now_us), 0);
    webhooks_watch(w, &host.watch);
}

static void end_hooks(void)
{
    w = webhooks_free(w);
    host.watch = (struct session_watch){0};
    while (n_posts > 0)
        json_decref(posts[--n_posts].event);
    end();
}

/* The receiver takes everything that comes. */
static void take_all(void)
{
    for (size_t i = 0; i < n_posts; i++) {
        void *tag = posts[i].tag;

        posts[i].tag = NULL;
        if (tag)
            webhooks_posted(w, tag, true, now_us);
    }
}

static const char *text_of(const json_t *event, const char *object, const char *name)
{
    const char *text = json_string_value(
        json_object_get(object ? json_object_get(event, object) : event, name));

    CHECK(text);
    return text;
}

/* @return the next event that came, which is this one */
static const json_t *expect_event(const char *name)
{
    take_all();
    CHECK(n_read < n_posts);
    CHECK_STR(text_of(posts[n_read].event, NULL, "event"), name);
    return posts[n_read++].event;
}

static void check_no_more(void)
{
    take_all();
    if (n_read < n_posts)
        printf("# there is %s\n", text_of(posts[n_read].event, NULL, "event"));
    CHECK_EQ(n_read, n_posts);
}

static void what_begins_is_told_to_end_with_the_same_ids(void)
{
    const json_t *event;
    char room[64], who[64], track[64];

    begin_hooks(1);
    event = expect_event("server_started");
    CHECK_EQ(json_integer_value(json_object_get(event, "time_ms")), 1700000001000);
    CHECK(!json_object_get(event, "room"));
    (void)join(ada, "demo", "Ada \"A\"", "a");
    event = expect_event("room_started");
    (void)snprintf(room, sizeof(room), "%s", text_of(event, "room", "id"));
    event = expect_event("participant_joined");
    CHECK_STR(text_of(event, "room", "name"), "demo");
    CHECK_STR(text_of(event, "participant", "name"), "Ada \"A\"");
    CHECK_STR(text_of(event, "participant", "client"), "websocket");
    (void)snprintf(who, sizeof(who), "%s", text_of(event, "participant", "id"));
    event = expect_event("track_published");
    CHECK_STR(text_of(event, "track", "source"), "microphone");
    (void)snprintf(track, sizeof(track), "%s", text_of(event, "track", "id"));
    check_no_more();

    now_us += 90 * SECOND;
    session_leave(ada->session, "left", "left the room", now_us);
    event = expect_event("track_unpublished");
    CHECK_STR(text_of(event, "track", "id"), track);
    event = expect_event("participant_left");
    CHECK_STR(text_of(event, "participant", "id"), who);
    CHECK_STR(text_of(event, NULL, "reason"), "left");
    CHECK_EQ(json_integer_value(json_object_get(event, "duration_ms")), 90000);
    event = expect_event("room_finished");
    CHECK_STR(text_of(event, "room", "id"), room);
    CHECK_EQ(json_integer_value(json_object_get(json_object_get(event, "room"), "seq")), 6);
    check_no_more();
    end_hooks();
}

static void a_room_begins_with_the_first_and_ends_with_the_last(void)
{
    begin_hooks(1);
    (void)expect_event("server_started");
    (void)join(ada, "demo", "Ada", "A");
    (void)expect_event("room_started");
    (void)expect_event("participant_joined");
    (void)join(bob, "demo", "Bob", "A");
    (void)expect_event("participant_joined");
    session_leave(ada->session, "left", "", now_us);
    (void)expect_event("participant_left");
    check_no_more();
    session_leave(bob->session, "left", "", now_us);
    (void)expect_event("participant_left");
    (void)expect_event("room_finished");
    check_no_more();
    end_hooks();
}

static void tracks_come_and_go_within_a_call(void)
{
    struct message offer = {.type = MESSAGE_OFFER, .id = 2, .n = 2};

    begin_hooks(1);
    (void)expect_event("server_started");
    (void)join(ada, "demo", "Ada", "a");
    (void)expect_event("room_started");
    (void)expect_event("participant_joined");
    (void)expect_event("track_published");
    offer.sdp = test_offer_make("av", 2);
    say(ada, &offer);
    message_done(&offer);
    CHECK_STR(text_of(expect_event("track_published"), "track", "kind"), "video");
    check_no_more();
    end_hooks();
}

static void who_could_not_join_is_not_told(void)
{
    begin_hooks(1);
    (void)expect_event("server_started");
    say_join(ada, "demo", "Ada", "");
    check_no_more();
    end_hooks();
}

static void an_event_that_is_not_taken_comes_again_and_before_the_next(void)
{
    begin_hooks(1);
    (void)expect_event("server_started");
    (void)join(ada, "demo", "Ada", "A");
    CHECK_STR(text_of(posts[1].event, NULL, "event"), "room_started");
    CHECK(!webhooks_are_idle(w, now_us));
    webhooks_posted(w, posts[1].tag, false, now_us);
    posts[1].tag = NULL;
    CHECK_EQ(n_posts, 2);
    CHECK(webhooks_are_idle(w, now_us)); /* nothing can be done now */
    now_us += WEBHOOK_FIRST_PAUSE_MS * MS;
    webhooks_advance(w, now_us);
    CHECK_EQ(n_posts, 3);
    CHECK(json_equal(posts[1].event, posts[2].event));
    CHECK(strcmp(posts[1].signature, posts[2].signature) != 0); /* it has the time of sending */
    n_read = 2;
    (void)expect_event("room_started");
    (void)expect_event("participant_joined");
    check_no_more();
    end_hooks();
}

static void every_receiver_gets_every_event(void)
{
    struct webhook_stats stats;

    begin_hooks(2);
    CHECK_STR(posts[0].url, "http://h0/x");
    CHECK_STR(posts[1].url, "http://h1/x");
    CHECK(json_equal(posts[0].event, posts[1].event));
    take_all();
    webhooks_stats(w, &stats);
    CHECK_EQ(stats.events, 1);
    CHECK_EQ(stats.counters.delivered, 2);
    CHECK_EQ(stats.queued, 0);
    end_hooks();
}

static void receivers_can_be_changed(void)
{
    struct webhook_stats stats;

    begin_hooks(2);
    (void)snprintf(config.webhooks.text[0], sizeof(config.webhooks.text[0]), "http://new/x");
    CHECK_EQ(webhooks_configure(w, &config), 0);
    CHECK_EQ(n_cancelled, 1); /* what was under way to h0 */
    webhooks_posted(w, posts[1].tag, true, now_us);
    posts[0].tag = posts[1].tag = NULL;
    (void)join(ada, "demo", "Ada", "A");
    CHECK_STR(posts[2].url, "http://new/x");
    CHECK_STR(posts[3].url, "http://h1/x");
    webhooks_stats(w, &stats);
    CHECK_EQ(stats.counters.dropped, 1);
    CHECK_EQ(stats.counters.delivered, 1);
    config.webhooks.n = 0;
    CHECK_EQ(webhooks_configure(w, &config), 0);
    CHECK_EQ(n_cancelled, 3);
    n_read = n_posts;
    session_leave(ada->session, "left", "", now_us); /* who was told of is forgotten all the same */
    CHECK_EQ(n_read, n_posts);
    end_hooks();
}

static void without_receivers_nothing_is_done(void)
{
    begin_hooks(0);
    (void)join(ada, "demo", "Ada", "a");
    session_leave(ada->session, "left", "", now_us);
    CHECK_EQ(n_posts, 0);
    end_hooks();
}

static void a_post_that_cannot_begin_has_failed(void)
{
    begin_hooks(1);
    (void)expect_event("server_started");
    refuse_all = true;
    (void)join(ada, "demo", "Ada", "A");
    CHECK(webhooks_are_idle(w, now_us));
    refuse_all = false;
    now_us += SECOND;
    webhooks_advance(w, now_us);
    (void)expect_event("room_started");
    end_hooks();
}

TAP_CASES(CASE(what_begins_is_told_to_end_with_the_same_ids),
          CASE(a_room_begins_with_the_first_and_ends_with_the_last),
          CASE(tracks_come_and_go_within_a_call), CASE(who_could_not_join_is_not_told),
          CASE(an_event_that_is_not_taken_comes_again_and_before_the_next),
          CASE(every_receiver_gets_every_event), CASE(receivers_can_be_changed),
          CASE(without_receivers_nothing_is_done), CASE(a_post_that_cannot_begin_has_failed))
