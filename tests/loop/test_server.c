/* The whole server in this process, on loopback, with raw signaling clients; media aside. */

#include "sfu/server.h"

#include "media/base/clock.h"
#include "media/base/log.h"
#include "sfu/forwarder.h"
#include "tests/signaling_peer.h"
#include "tests/tap.h"
#include "tests/test_offer.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <sys/resource.h>

enum {
    CHURN_CLIENTS = 24,
    CHURN_ROOMS = 4,
    CHURN_S = 20, /* SLUICE_CHURN_S in the environment goes over it */
};

static struct config config;
static struct server *server;
static struct event_base *base;
static pthread_t thread;
static int run_result;
static struct signaling_peer ada, bob;
static struct http_reply reply;

static void *run_server(void *arg)
{
    (void)arg;
    run_result = server_run(server);
    return NULL;
}

static void configure(void)
{
    config_init(&config);
    (void)snprintf(config.listen_address, sizeof(config.listen_address), "127.0.0.1");
    config.listen_port = 0;
    config.udp_port = 0;
    config.workers = 2;
    config.stop_timeout_s = 2;
    config.resume_timeout_s = 0;
    log_set_level(LOG_ERROR);
}

static void start(void)
{
    struct config_error error;

    ada = bob = (struct signaling_peer){0};
    if (server_new(&server, &config, &error) < 0) {
        printf("# %s\n", error.message);
        CHECK(server);
    }
    base = event_base_new();
    CHECK(base);
    CHECK_EQ(pthread_create(&thread, NULL, run_server, NULL), 0);
}

static void begin(void)
{
    configure();
    start();
}

/* Stop the server and see that nobody is left in it. */
static void end(void)
{
    struct server_status status;

    signaling_peer_kill(&ada);
    signaling_peer_kill(&bob);
    server_stop(server);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(run_result, 0);
    server_status(server, &status);
    CHECK_EQ(status.participants, 0);
    CHECK_EQ(status.rooms, 0);
    server = server_free(server);
    event_base_free(base);
}

static void open_and_join(struct signaling_peer *p, const char *room, const char *name)
{
    signaling_peer_open(p, base, server_port(server));
    signaling_peer_join(p, room, name, "avAV");
    CHECK(signaling_peer_await(p, MESSAGE_JOINED));
}

static void ask(const char *method, const char *path, const char *body)
{
    http_ask(&reply, server_port(server), method, path, body);
}

/* Wait until /healthz tells of so many. */
static bool await_participants(int rooms, int participants)
{
    int64_t end_us = clock_now_us() + PEER_WAIT_MS * MS;
    struct timeval slice = {.tv_usec = 10000};
    char wanted[80];

    (void)snprintf(wanted, sizeof(wanted), "\"rooms\":%d,\"participants\":%d,", rooms,
                   participants);
    do {
        ask("GET", "/healthz", NULL);
        if (strstr(reply.body, wanted))
            return true;
        (void)event_base_loopexit(base, &slice);
        (void)event_base_dispatch(base);
    } while (clock_now_us() < end_us);
    printf("# %s is not %s\n", reply.body, wanted);
    return false;
}

static bool await_no_sessions(void)
{
    int64_t end_us = clock_now_us() + PEER_WAIT_MS * MS;

    do {
        ask("GET", "/healthz", NULL);
        if (strstr(reply.body, "\"sessions\":0,"))
            return true;
    } while (clock_now_us() < end_us);
    printf("# sessions are left: %s\n", reply.body);
    return false;
}

static void two_meet_in_a_room(void)
{
    const struct message *m;
    uint32_t ada_id;

    begin();
    signaling_peer_open(&ada, base, server_port(server));
    signaling_peer_join(&ada, "demo", "Ada", "avAV");
    m = signaling_peer_await(&ada, MESSAGE_JOINED);
    CHECK(m);
    ada_id = m->you;
    CHECK(strstr(m->sdp, "a=ice-lite"));
    CHECK(strstr(m->sdp, " typ host"));
    CHECK(strstr(m->sdp, "127.0.0.1"));

    signaling_peer_open(&bob, base, server_port(server));
    signaling_peer_join(&bob, "demo", "Bob", "aA");
    m = signaling_peer_await(&bob, MESSAGE_JOINED);
    CHECK(m);
    CHECK_EQ(m->n_participants, 1);
    CHECK_EQ(m->participants[0].id, ada_id);
    m = signaling_peer_await(&ada, MESSAGE_PARTICIPANT);
    CHECK(m);
    CHECK_EQ(m->change, CHANGE_JOIN);
    CHECK_STR(m->participants[0].name, "Bob");
    CHECK(await_participants(1, 2));

    signaling_peer_say_text(&bob, "{\"t\":\"leave\",\"id\":9}");
    CHECK_EQ(signaling_peer_await(&bob, MESSAGE_OK)->id, 9);
    CHECK(signaling_peer_await_close(&bob));
    CHECK_EQ(bob.close_code, 1000);
    m = signaling_peer_await(&ada, MESSAGE_PARTICIPANT);
    CHECK(m);
    CHECK_STR(m->code, "left");
    CHECK(await_participants(1, 1));
    end();
}

/* @return the port of the first candidate in an answer */
static unsigned long candidate_port(const struct message *m)
{
    enum { PORT_FIELD = 5 };
    const char *at = m ? strstr(m->sdp, "a=candidate:") : NULL;

    for (int i = 0; i < PORT_FIELD; i++) {
        CHECK(at);
        at = strchr(at + 1, ' ');
    }
    CHECK(at);
    return strtoul(at, NULL, 10);
}

static void a_room_that_grows_takes_another_worker(void)
{
    unsigned long port;

    configure();
    config.room_spread = 1;
    start();
    signaling_peer_open(&ada, base, server_port(server));
    signaling_peer_join(&ada, "demo", "Ada", "avAV");
    port = candidate_port(signaling_peer_await(&ada, MESSAGE_JOINED));
    CHECK(await_participants(1, 1));
    CHECK(strstr(reply.body, "\"workers\":2,\"on_worker\":[1,0],"));
    signaling_peer_open(&bob, base, server_port(server));
    signaling_peer_join(&bob, "demo", "Bob", "avAV");
    CHECK(candidate_port(signaling_peer_await(&bob, MESSAGE_JOINED)) != port);
    CHECK(await_participants(1, 2));
    CHECK(strstr(reply.body, "\"on_worker\":[1,1],"));
    signaling_peer_kill(&ada);
    CHECK(await_participants(1, 1));
    CHECK(strstr(reply.body, "\"on_worker\":[0,1],"));
    end();
}

static void mute_is_heard_by_the_other(void)
{
    struct message mute = {.type = MESSAGE_MUTE, .id = 3, .track = {.muted = true}};
    const struct message *m;

    begin();
    signaling_peer_open(&ada, base, server_port(server));
    signaling_peer_join(&ada, "demo", "Ada", "a");
    mute.track.id = signaling_peer_await(&ada, MESSAGE_JOINED)->tracks[0].id;
    open_and_join(&bob, "demo", "Bob");
    signaling_peer_say(&ada, &mute);
    m = signaling_peer_await(&bob, MESSAGE_TRACK);
    CHECK(m);
    CHECK_EQ(m->track.id, mute.track.id);
    CHECK(m->track.muted);
    CHECK(signaling_peer_await(&ada, MESSAGE_OK));
    end();
}

static void killed_socket_frees_everything(void)
{
    const struct message *m;

    begin();
    open_and_join(&ada, "demo", "Ada");
    open_and_join(&bob, "demo", "Bob");
    signaling_peer_kill(&bob);
    (void)signaling_peer_await(&ada, MESSAGE_PARTICIPANT);
    m = signaling_peer_await(&ada, MESSAGE_PARTICIPANT);
    CHECK(m);
    CHECK_STR(m->code, "disconnected");
    CHECK(await_participants(1, 1));
    signaling_peer_kill(&ada);
    CHECK(await_participants(0, 0));
    CHECK(await_no_sessions());
    end();
}

static void lost_socket_is_replaced_unseen(void)
{
    struct message resume = {.type = MESSAGE_RESUME, .id = 2, .seq = 1};
    const struct message *m;
    uint32_t you;

    configure();
    config.resume_timeout_s = 30;
    start();
    open_and_join(&ada, "demo", "Ada");
    signaling_peer_open(&bob, base, server_port(server));
    signaling_peer_join(&bob, "demo", "Bob", "avAV");
    m = signaling_peer_await(&bob, MESSAGE_JOINED);
    CHECK(m);
    resume.session = m->session;
    you = m->you;
    CHECK(signaling_peer_await(&ada, MESSAGE_PARTICIPANT));
    signaling_peer_kill(&bob);
    signaling_peer_open(&bob, base, server_port(server));
    signaling_peer_say(&bob, &resume);
    m = signaling_peer_await(&bob, MESSAGE_RESUMED);
    CHECK(m);
    CHECK_EQ(m->you, you);
    CHECK(await_participants(1, 2));
    while ((m = signaling_peer_next(&ada)))
        CHECK(m->type != MESSAGE_PARTICIPANT);
    end();
}

static void who_stays_away_has_left(void)
{
    const struct message *m;

    configure();
    config.resume_timeout_s = 1;
    start();
    open_and_join(&ada, "demo", "Ada");
    open_and_join(&bob, "demo", "Bob");
    CHECK(signaling_peer_await(&ada, MESSAGE_PARTICIPANT));
    signaling_peer_kill(&bob);
    m = signaling_peer_await(&ada, MESSAGE_PARTICIPANT);
    CHECK(m);
    CHECK_EQ(m->change, CHANGE_LEAVE);
    CHECK_STR(m->code, "disconnected");
    CHECK(await_participants(1, 1));
    end();
}

static void full_room_refuses_and_lets_in_again(void)
{
    const struct message *m;

    configure();
    config.max_participants_per_room = 1;
    start();
    open_and_join(&ada, "demo", "Ada");
    signaling_peer_open(&bob, base, server_port(server));
    signaling_peer_join(&bob, "demo", "Bob", "a");
    m = signaling_peer_await(&bob, MESSAGE_ERROR);
    CHECK(m);
    CHECK_STR(m->code, "room_full");
    signaling_peer_kill(&ada);
    CHECK(await_participants(0, 0));
    signaling_peer_join(&bob, "demo", "Bob", "a");
    CHECK(signaling_peer_await(&bob, MESSAGE_JOINED));
    end();
}

static void idle_websocket_is_sent_away(void)
{
    const struct message *m;

    configure();
    config.join_timeout_s = 1;
    start();
    signaling_peer_open(&ada, base, server_port(server));
    m = signaling_peer_await(&ada, MESSAGE_GO);
    CHECK(m);
    CHECK_STR(m->code, "join_timeout");
    CHECK(signaling_peer_await_close(&ada));
    CHECK_EQ(ada.close_code, 1008);
    end();
}

static void whip_comes_by_post_and_goes_by_delete(void)
{
    char *sdp = test_offer_make("av", 1);
    char path[200] = "";
    const struct message *m;
    const char *location;

    begin();
    open_and_join(&ada, "demo", "Ada");
    ask("POST", "/whip/demo", sdp);
    CHECK_EQ(reply.status, 201);
    CHECK(strncmp(reply.body, "v=0", 3) == 0);
    location = strstr(reply.text, "Location: ");
    CHECK(location);
    CHECK_EQ(sscanf(location, "Location: %199s", path), 1);
    CHECK(strncmp(path, "/whip/demo/", 11) == 0);
    m = signaling_peer_await(&ada, MESSAGE_PARTICIPANT);
    CHECK(m);
    CHECK_EQ(m->participants[0].n_tracks, 2);

    ask("DELETE", "/whep/demo/none", NULL);
    CHECK_EQ(reply.status, 404);
    path[6] = 'x'; /* another room */
    ask("DELETE", path, NULL);
    CHECK_EQ(reply.status, 404);
    path[6] = 'd';
    ask("DELETE", path, NULL);
    CHECK_EQ(reply.status, 200);
    m = signaling_peer_await(&ada, MESSAGE_PARTICIPANT);
    CHECK(m);
    CHECK_EQ(m->change, CHANGE_LEAVE);
    ask("DELETE", path, NULL);
    CHECK_EQ(reply.status, 404);
    CHECK(await_participants(1, 1));
    free(sdp);
    end();
}

static void posted_session_without_media_ends_by_itself(void)
{
    char *sdp = test_offer_make("av", 1);
    int64_t end_us = clock_now_us() + FORWARDER_CONNECT_US + 3 * SECOND;
    struct timeval second = {.tv_sec = 1};

    begin();
    ask("POST", "/whip/demo", sdp);
    CHECK_EQ(reply.status, 201);
    free(sdp);
    do {
        (void)event_base_loopexit(base, &second);
        (void)event_base_dispatch(base);
        ask("GET", "/healthz", NULL);
    } while (!strstr(reply.body, "\"participants\":0") && clock_now_us() < end_us);
    CHECK(await_participants(0, 0));
    CHECK(await_no_sessions());
    end();
}

static void bad_posts_are_problems_with_a_code(void)
{
    char *publishes = test_offer_make("av", 1);
    char *plays = test_offer_make("AV", 1);
    const struct {
        const char *path, *body;
        int status;
        const char *code;
    } posts[] = {
        {"/whip/demo", plays, 422, "nothing_to_publish"},
        {"/whep/demo", publishes, 422, "bad_direction"},
        {"/whip/demo", "nonsense", 400, "sdp_syntax"},
    };

    begin();
    for (size_t i = 0; i < ARRAY_LEN(posts); i++) {
        char code[64];

        ask("POST", posts[i].path, posts[i].body);
        CHECK_EQ(reply.status, posts[i].status);
        (void)snprintf(code, sizeof(code), "\"code\":\"%s\"", posts[i].code);
        CHECK(strstr(reply.body, code));
    }
    CHECK(await_participants(0, 0));
    free(publishes);
    free(plays);
    end();
}

static void stop_tells_everybody_and_ends_the_run(void)
{
    char *sdp = test_offer_make("av", 1);
    const struct message *m;

    begin();
    open_and_join(&ada, "demo", "Ada");
    ask("POST", "/whip/demo", sdp);
    CHECK_EQ(reply.status, 201);
    free(sdp);
    signaling_peer_open(&bob, base, server_port(server)); /* in no room */
    signaling_peer_say_text(&bob, "{\"t\":\"ping\",\"id\":1}");
    CHECK(signaling_peer_await(&bob, MESSAGE_PONG));

    server_stop(server);
    m = signaling_peer_await(&ada, MESSAGE_GO);
    CHECK(m);
    CHECK_STR(m->action, "rejoin");
    CHECK_STR(m->code, "server_stopping");
    CHECK(m->retry_after_ms >= 500);
    CHECK(signaling_peer_await(&bob, MESSAGE_GO));
    CHECK(signaling_peer_await_close(&ada));
    CHECK(signaling_peer_await_close(&bob));
    CHECK_EQ(ada.close_code, 1001);
    end();
}

static void stopping_server_is_not_healthy(void)
{
    begin();
    open_and_join(&ada, "demo", "Ada");
    ask("GET", "/healthz", NULL);
    CHECK_EQ(reply.status, 200);
    CHECK(strstr(reply.body, "\"status\":\"ok\""));
    server_stop(server); /* ada's loop does not run: its WebSocket stays open for a while */
    for (int i = 0; i < 100 && reply.status == 200; i++)
        ask("GET", "/healthz", NULL);
    CHECK_EQ(reply.status, 503);
    CHECK(strstr(reply.body, "\"status\":\"stopping\""));
    end();
}

static void port_in_use_is_explained(void)
{
    struct server *second = NULL;
    struct config_error error;
    struct config wanted;

    begin();
    wanted = config;
    wanted.listen_port = server_port(server);
    CHECK_EQ(server_new(&second, &wanted, &error), -EADDRINUSE);
    CHECK(strstr(error.message, "is in use: another sluice? Try --listen :"));
    CHECK(!second);
    end();
}

static size_t count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t n = 0;

    CHECK(folder);
    while (readdir(folder)) /* NOLINT(concurrency-mt-unsafe): the folder is ours */
        n++;
    CHECK_EQ(closedir(folder), 0);
    return n;
}

static void exhausted_descriptors_refuse_newcomers_only(void)
{
    struct rlimit limit, low;
    struct message ping = {.type = MESSAGE_PING, .id = 1};

    begin();
    open_and_join(&ada, "demo", "Ada");
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = count_descriptors(); /* room for one end of a connection, not for both */
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    for (int i = 0; i < 3; i++)
        ask("GET", "/healthz", NULL);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    signaling_peer_say(&ada, &ping);
    CHECK(signaling_peer_await(&ada, MESSAGE_PONG));
    ask("GET", "/healthz", NULL);
    CHECK_EQ(reply.status, 200);
    end();
}

/* A client of the churn: joins, stays a little, leaves in one of several ways, and again. */
struct visitor {
    struct signaling_peer peer;
    int64_t until_us;
    uint32_t visits;
    bool connected;
};

static struct visitor visitors[CHURN_CLIENTS];

static void visit(struct visitor *v, size_t number)
{
    char room[16];

    (void)snprintf(room, sizeof(room), "room%zu", number % CHURN_ROOMS);
    signaling_peer_open(&v->peer, base, server_port(server));
    signaling_peer_join(&v->peer, room, "visitor", number % 3 ? "avAV" : "aAAAVVV");
    v->connected = true;
    v->until_us = clock_now_us() + (20 + (int64_t)((number * 37 + v->visits * 53) % 400)) * MS;
}

static void go_away(struct visitor *v, size_t number)
{
    if ((number + v->visits) % 2 == 0 && v->peer.open && !v->peer.closed)
        signaling_peer_say_text(&v->peer, "{\"t\":\"leave\",\"id\":2}");
    signaling_peer_kill(&v->peer);
    v->connected = false;
    v->visits++;
}

static void churn(int64_t end_us)
{
    struct timeval slice = {.tv_usec = 5000};

    while (clock_now_us() < end_us) {
        for (size_t i = 0; i < CHURN_CLIENTS; i++) {
            if (!visitors[i].connected)
                visit(&visitors[i], i);
            else if (clock_now_us() >= visitors[i].until_us || visitors[i].peer.n_heard > 50)
                go_away(&visitors[i], i);
        }
        (void)event_base_loopexit(base, &slice);
        (void)event_base_dispatch(base);
    }
    for (size_t i = 0; i < CHURN_CLIENTS; i++)
        go_away(&visitors[i], i);
}

/* Closing takes the server a moment. */
static bool await_descriptors(size_t most)
{
    int64_t end_us = clock_now_us() + PEER_WAIT_MS * MS;

    while (count_descriptors() > most && clock_now_us() < end_us)
        ask("GET", "/healthz", NULL);
    if (count_descriptors() > most)
        printf("# %zu descriptors, %zu before\n", count_descriptors(), most);
    return count_descriptors() <= most;
}

static void churn_of_24_clients_leaves_no_descriptor(void)
{
    const char *seconds = getenv("SLUICE_CHURN_S"); /* NOLINT(concurrency-mt-unsafe) */
    int64_t length_us = (seconds ? strtol(seconds, NULL, 10) : CHURN_S) * SECOND;
    uint32_t visits = 0;
    size_t before;

    configure();
    config.workers = 3;
    config.room_spread = 1; /* every room on all of them */
    start();
    open_and_join(&ada, "warm", "Ada");
    signaling_peer_kill(&ada);
    CHECK(await_participants(0, 0));
    before = count_descriptors();
    churn(clock_now_us() + length_us);
    for (size_t i = 0; i < CHURN_CLIENTS; i++)
        visits += visitors[i].visits;
    printf("# %u visits\n", visits);
    CHECK(visits > CHURN_CLIENTS);
    CHECK(await_participants(0, 0));
    CHECK(await_no_sessions());
    CHECK(await_descriptors(before));
    end();
}

TAP_CASES(CASE(two_meet_in_a_room), CASE(a_room_that_grows_takes_another_worker),
          CASE(mute_is_heard_by_the_other), CASE(killed_socket_frees_everything),
          CASE(lost_socket_is_replaced_unseen), CASE(who_stays_away_has_left),
          CASE(full_room_refuses_and_lets_in_again), CASE(idle_websocket_is_sent_away),
          CASE(whip_comes_by_post_and_goes_by_delete),
          CASE(posted_session_without_media_ends_by_itself),
          CASE(bad_posts_are_problems_with_a_code), CASE(stop_tells_everybody_and_ends_the_run),
          CASE(stopping_server_is_not_healthy), CASE(port_in_use_is_explained),
          CASE(exhausted_descriptors_refuse_newcomers_only),
          CASE(churn_of_24_clients_leaves_no_descriptor))
