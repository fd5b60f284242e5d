/* The path of a participant at a server with several addresses: 10.0.1.x, of fake_peer.host. */

#include "media/base/clock.h"
#include "media/packet.h"
#include "sfu/connection.h"
#include "tests/fake_peer.h"
#include "tests/stun_request.h"
#include "tests/tap.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 };

static const struct netem_config perfect = {.seed = 1, .delay_us = 10 * MS};

/* A client that talks and listens to one other, by the server's address `host`. */
static struct fake_peer *join(struct fake_world *w, uint8_t host)
{
    struct fake_peer *p = fake_peer_new(w, 1, 0, 1, 0);

    p->host = host;
    fake_peer_offer(p, ROOM);
    return p;
}

/* A check now, as browsers make it when they see something new. */
static void check_at(struct fake_peer *p, uint8_t host, bool nominates)
{
    p->host = host;
    p->nominates = nominates;
    p->check_us = p->world->now_us;
    fake_world_run(p->world, 1 * SECOND);
}

static void answers_and_media_leave_from_the_address_that_was_asked(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 2);

    fake_world_run(w, 3 * SECOND);
    CHECK(a->connected && b->connected);
    CHECK(a->last_from == 1 && a->last_reply_from == 1);
    CHECK(b->last_from == 2 && b->last_reply_from == 2);
    (void)fake_world_free(w);
}

static void media_follows_to_another_address_of_ours(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 2);
    uint64_t before;

    fake_world_run(w, 3 * SECOND);
    check_at(a, 3, true);
    before = fake_peer_sink(a, KIND_AUDIO, 0)->packets;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(fake_peer_sink(a, KIND_AUDIO, 0)->packets, before + 50);
    CHECK(a->last_from == 3 && a->last_reply_from == 3);
    CHECK(b->last_from == 2 && b->last_reply_from == 2);
    (void)fake_world_free(w);
}

static void a_check_that_nominates_nothing_is_answered_and_moves_nothing(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);

    (void)join(w, 2);
    fake_world_run(w, 3 * SECOND);
    check_at(a, 3, false);
    CHECK(a->last_from == 1 && a->last_reply_from == 3);
    check_at(a, 3, true);
    CHECK(a->last_from == 3 && a->last_reply_from == 3);
    (void)fake_world_free(w);
}

static void ice_restart_takes_our_address_along(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);

    (void)join(w, 2);
    fake_world_run(w, 3 * SECOND);
    fake_peer_restart_ice(a);
    fake_peer_offer(a, ROOM);
    a->port++;
    check_at(a, 4, true);
    CHECK_EQ(a->last_to, a->port);
    CHECK(a->last_from == 4 && a->last_reply_from == 4);
    (void)fake_world_free(w);
}

/* The packets that came while `us` of time passed, and the longest time without one [us]. */
struct flow {
    uint64_t packets;
    int64_t gap_us;
};

static struct flow watch(struct fake_world *w, const struct fake_sink *sink, int64_t us)
{
    uint64_t begin = sink->packets;
    uint64_t before = begin;
    int64_t since_us = w->now_us;
    int64_t end_us = w->now_us + us;
    struct flow flow = {0};

    while (w->now_us < end_us) {
        fake_world_run(w, 1 * MS);
        if (sink->packets != before)
            since_us = w->now_us;
        else if (w->now_us - since_us > flow.gap_us)
            flow.gap_us = w->now_us - since_us;
        before = sink->packets;
    }
    flow.packets = before - begin;
    return flow;
}

/* Bytes to the forwarder as they are, from port `port` of the peers' host. */
static void inject(struct fake_world *w, uint16_t port, const uint8_t *data, size_t len)
{
    struct packet *packet = packet_new(forwarder_pool(w->forwarder));
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    in.sin_addr.s_addr = htonl(0x0a000001);
    memcpy(packet->data, data, len);
    packet->len = (uint16_t)len;
    memcpy(&packet->from, &in, sizeof(in));
    packet->to = (struct local_address){.len = 4, .bytes = {10, 0, 1, 1}};
    packet->arrival_us = w->now_us;
    forwarder_receive(w->forwarder, &packet, 1, w->now_us);
    forwarder_flush(w->forwarder);
}

/* A check of `a` that nominates, which anybody on the way may repeat. */
static size_t write_check(const struct fake_peer *a, const char *password, uint8_t id,
                          uint8_t data[STUN_REQUEST_MAX])
{
    char username[2 * PLAN_UFRAG_MAX + 2];
    struct stun_request request = {
        .username = username, .password = password, .use_candidate = true, .id = {[11] = id}};

    (void)snprintf(username, sizeof(username), "%s:%s", a->answer->ufrag, a->local.ufrag);
    return stun_request_write(data, &request);
}

static void who_moves_is_followed_with_its_first_check(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct flow flow;

    (void)join(w, 2);
    fake_world_run(w, 3 * SECOND);
    a->port++; /* another network, or a NAT that has forgotten: the same to us */
    a->check_us = w->now_us + 5 * MS;
    flow = watch(w, fake_peer_sink(a, KIND_AUDIO, 0), 2 * SECOND);
    CHECK_EQ(a->last_to, a->port);
    /* Nothing is lost on this link, which takes what is sent to any port: what counts is that
     * the path is another within half a round trip. */
    CHECK(flow.gap_us <= 21 * MS);
    CHECK(!a->ended);
    (void)fake_world_free(w);
}

static void who_never_nominates_is_followed_when_its_old_path_is_silent(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    uint16_t old;

    (void)join(w, 2);
    fake_world_run(w, 3 * SECOND);
    a->nominates = false;
    old = a->port++;
    a->check_us = w->now_us;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(a->last_to, old);
    a->check_us = w->now_us + CONNECTION_SILENT_US;
    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(a->last_to, a->port);
    (void)fake_world_free(w);
}

static void a_restart_leaves_media_where_it_is_until_a_path_is_nominated(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 2);
    struct forwarder_stats before, after;
    uint8_t check[STUN_REQUEST_MAX];
    struct flow flow;
    uint16_t old = a->port;
    size_t len;

    fake_world_run(w, 3 * SECOND);
    len = write_check(a, a->answer->pwd, 1, check);
    fake_peer_restart_ice(a);
    fake_peer_offer(a, ROOM);
    a->nominates = false; /* a check of a path that may become the one */
    a->port++;
    a->check_us = w->now_us;
    fake_world_run(w, 20 * MS);
    forwarder_stats(w->forwarder, &before);
    inject(w, old, check, len); /* the old credentials are answered till then */
    forwarder_stats(w->forwarder, &after);
    CHECK_EQ(after.drop_ice + after.drop_unknown, before.drop_ice + before.drop_unknown);
    a->port = old;
    a->checks = false; /* media still comes from there, and is sent there */
    flow = watch(w, fake_peer_sink(b, KIND_AUDIO, 0), 1 * SECOND);
    CHECK_EQ(flow.packets, 50);
    CHECK_EQ(a->last_to, old);
    a->port++;
    a->checks = a->nominates = true;
    a->check_us = w->now_us;
    flow = watch(w, fake_peer_sink(b, KIND_AUDIO, 0), 1 * SECOND);
    CHECK(flow.packets >= 49); /* what is under way from the old port is taken, too */
    CHECK_EQ(a->last_to, a->port);
    fake_world_run(w, 40 * SECOND);
    CHECK(!a->ended && !b->ended);
    (void)fake_world_free(w);
}

static void a_restart_needs_no_luck(void)
{
    struct netem_config lossy = {.seed = 3, .delay_us = 50 * MS, .loss = 0.2};
    struct fake_world *w = fake_world_new(&lossy, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 2);
    struct flow flow;

    fake_world_run(w, 5 * SECOND);
    CHECK(a->connected && b->connected);
    for (int i = 0; i < 10; i++) {
        fake_peer_restart_ice(a);
        fake_peer_offer(a, ROOM);
        a->port++;
        for (int j = 0; j < 20; j++) { /* a check is sent again until it is answered */
            a->check_us = w->now_us;
            fake_world_run(w, 50 * MS);
        }
        CHECK_EQ(a->last_to, a->port);
        flow = watch(w, fake_peer_sink(b, KIND_AUDIO, 0), 1 * SECOND);
        CHECK(flow.gap_us < 500 * MS && flow.packets > 20);
    }
    CHECK(!a->ended && !b->ended);
    (void)fake_world_free(w);
}

static void a_restart_takes_the_place_of_one_that_is_under_way(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 2);
    struct flow flow;

    fake_world_run(w, 3 * SECOND);
    a->checks = false;
    for (int i = 0; i < 3; i++) {
        fake_peer_restart_ice(a);
        fake_peer_offer(a, ROOM);
        fake_world_run(w, 100 * MS);
    }
    a->checks = true;
    a->port++;
    a->check_us = w->now_us;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(a->last_to, a->port);
    flow = watch(w, fake_peer_sink(b, KIND_AUDIO, 0), 1 * SECOND);
    CHECK_EQ(flow.packets, 50);
    fake_world_run(w, 40 * SECOND);
    CHECK(!a->ended && !b->ended);
    (void)fake_world_free(w);
}

static void nobody_else_moves_a_path(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    char old_password[PLAN_PWD_MAX + 1];
    struct stun_request bare = {.use_candidate = true};
    uint8_t check[STUN_REQUEST_MAX];
    uint16_t elsewhere = a->port + 50;
    size_t len;

    (void)join(w, 2);
    fake_world_run(w, 3 * SECOND);
    len = write_check(a, "awrongpasswordofmanycharacters", 1, check);
    inject(w, elsewhere, check, len);
    len = stun_request_write(check, &bare);
    inject(w, elsewhere, check, len);
    len = write_check(a, a->answer->pwd, 2, check); /* his own, and somebody overhears it */
    inject(w, a->port, check, len);
    inject(w, elsewhere, check, len);
    fake_world_run(w, 500 * MS);
    CHECK_EQ(a->last_to, a->port);
    (void)snprintf(old_password, sizeof(old_password), "%s", a->answer->pwd);
    len = write_check(a, old_password, 3, check);
    fake_peer_restart_ice(a);
    fake_peer_offer(a, ROOM);
    fake_world_run(w, 1 * SECOND);
    inject(w, elsewhere, check, len); /* the credentials of before are over */
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(a->last_to, a->port);
    (void)fake_world_free(w);
}

/* Of the same address and port: what differs is the way. */
static void media_moves_to_a_path_of_another_kind_and_back(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 2);
    struct flow flow;

    a->path = PATH_TCP;
    a->path_number = 7;
    fake_world_run(w, 3 * SECOND);
    CHECK(a->connected && b->connected);
    CHECK_EQ(a->last_path, 7);
    CHECK_EQ(b->last_path, 0);
    flow = watch(w, fake_peer_sink(b, KIND_AUDIO, 0), 1 * SECOND);
    CHECK_EQ(flow.packets, 50);
    a->path = PATH_KINDS;
    fake_world_run(w, 100 * MS);
    CHECK_EQ(a->last_path, 7); /* until it says so */
    a->check_us = w->now_us;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(a->last_path, 0);
    a->path = PATH_TCP;
    a->path_number = 8;
    a->check_us = w->now_us;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(a->last_path, 8);
    (void)fake_world_free(w);
}

static void a_path_that_was_found_without_checks_is_used_at_once(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 2);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    struct sockaddr_storage real = {0};
    struct sockaddr_storage path;

    memcpy(&real, &in, sizeof(in));
    a->checks = false;
    a->path = PATH_AGENT;
    a->path_number = 5;
    path_address(&path, a->path, a->path_number, &real);
    CHECK(!forwarder_has_path(w->forwarder, &path));
    CHECK_EQ(forwarder_open_path(w->forwarder, a->id + 1000, &path, w->now_us), -ENOENT);
    CHECK_EQ(forwarder_open_path(w->forwarder, a->id, &path, w->now_us), 0);
    CHECK_EQ(forwarder_open_path(w->forwarder, b->id, &path, w->now_us), -EADDRINUSE);
    CHECK(forwarder_has_path(w->forwarder, &path));
    transport_start(a->transport, w->now_us);
    fake_world_run(w, 3 * SECOND);
    CHECK(a->connected && b->connected);
    CHECK_EQ(a->last_path, 5);
    CHECK_EQ(watch(w, fake_peer_sink(b, KIND_AUDIO, 0), 1 * SECOND).packets, 50);
    (void)fake_world_free(w);
}

static struct sockaddr_storage stun_server(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(3478)};
    struct sockaddr_storage address = {0};

    in.sin_addr.s_addr = htonl(0xc0000201);
    memcpy(&address, &in, sizeof(in));
    return address;
}

static void ask_stun(struct fake_world *w)
{
    struct mail_probe *mail = calloc(1, sizeof(*mail));

    CHECK(mail);
    *mail = (struct mail_probe){
        .mail = {.type = MAIL_PROBE}, .n_servers = 1, .servers = {stun_server()}};
    fake_world_send(w, 0, &mail->mail);
    fake_world_run(w, 5 * MS);
}

static void the_media_socket_is_asked_about(void)
{
    static const uint8_t attribute[] = {0, 1, 0, 8, 0, 1, 0xee, 0x48, 203, 0, 113, 5};
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct sockaddr_storage server = stun_server();
    uint8_t answer[32];
    struct packet *packet;
    char text[ADDRESS_TEXT_MAX];

    ask_stun(w);
    CHECK(address_equal(&w->asked, &server));
    memcpy(answer, w->probe, sizeof(w->probe));
    memcpy(answer + 20, attribute, sizeof(attribute));
    answer[0] = 1;
    answer[3] = sizeof(attribute);
    inject(w, 3478, answer, sizeof(answer)); /* not from there: of no use */
    CHECK_EQ(w->n_mapped, 0);
    packet = packet_new(forwarder_pool(w->forwarder));
    memcpy(packet->data, answer, sizeof(answer));
    packet->len = sizeof(answer);
    packet->from = server;
    packet->to = (struct local_address){0};
    packet->arrival_us = w->now_us;
    forwarder_receive(w->forwarder, &packet, 1, w->now_us);
    CHECK_EQ(w->n_mapped, 1);
    CHECK_STR(address_text(&w->mapped, text), "203.0.113.5:61000");
    ask_stun(w);
    fake_world_run(w, 20 * SECOND); /* nobody answers */
    CHECK_EQ(w->n_mapped, 2);
    CHECK_EQ(w->mapped.ss_family, AF_UNSPEC);
    (void)fake_world_free(w);
}

TAP_CASES(CASE(the_media_socket_is_asked_about),
          CASE(media_moves_to_a_path_of_another_kind_and_back),
          CASE(a_path_that_was_found_without_checks_is_used_at_once),
          CASE(answers_and_media_leave_from_the_address_that_was_asked),
          CASE(media_follows_to_another_address_of_ours),
          CASE(a_check_that_nominates_nothing_is_answered_and_moves_nothing),
          CASE(ice_restart_takes_our_address_along),
          CASE(who_moves_is_followed_with_its_first_check),
          CASE(who_never_nominates_is_followed_when_its_old_path_is_silent),
          CASE(a_restart_leaves_media_where_it_is_until_a_path_is_nominated),
          CASE(a_restart_needs_no_luck), CASE(a_restart_takes_the_place_of_one_that_is_under_way),
          CASE(nobody_else_moves_a_path))
