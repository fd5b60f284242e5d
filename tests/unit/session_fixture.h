/**
 * @file session_fixture.h  Sessions without a server: what they post to the worker and say to their
 * clients is kept. Everything is static: checks belong to the file that includes it.
 */
#ifndef TESTS_UNIT_SESSION_FIXTURE_H
#define TESTS_UNIT_SESSION_FIXTURE_H

#include "media/base/clock.h"
#include "media/base/log.h"
#include "sfu/config.h"
#include "sfu/direct_call.h"
#include "sfu/directory.h"
#include "sfu/mail.h"
#include "sfu/session.h"
#include "tests/tap.h"
#include "tests/test_offer.h"

enum { MAX_MAILS = 32, MAX_HEARD = 64, CLIENTS = 4 };

/* A client: what its session sent it, parsed. */
struct client {
    struct session *session;
    struct message heard[MAX_HEARD];
    size_t n_heard, n_read;
    uint16_t close_code; /* 0: open */
    uint64_t pinged;     /* number of the last ping */
};

static struct config config;
static struct session_host host;
static struct client clients[CLIENTS];
static struct client *const ada = &clients[0];
static struct client *const bob = &clients[1];
static uint32_t n_workers = 1;
static struct mail *mails[MAX_MAILS];
static uint32_t mail_workers[MAX_MAILS]; /* whom they are for */
static size_t n_mails;
static int64_t now_us;

static inline void keep_mail(void *owner, uint32_t worker, struct mail *mail)
{
    (void)owner;
    CHECK(worker < n_workers);
    CHECK(n_mails < MAX_MAILS);
    mail_workers[n_mails] = worker;
    mails[n_mails++] = mail;
}

static inline void describe(void *owner, uint32_t worker, struct negotiation_local *ret)
{
    (void)owner;
    (void)worker;
    ret->ice_lite = true;
    ret->fingerprint = (struct plan_fingerprint){.hash = "sha-256", .len = 32};
    ret->n_candidates = 1;
    ret->candidates[0] = (struct plan_candidate){.address = "192.0.2.1",
                                                 .port = 7882,
                                                 .component = 1,
                                                 .type = "host",
                                                 .priority = 1,
                                                 .foundation = "1"};
}

static inline void hear(void *peer, const char *json, size_t len)
{
    struct client *client = peer;
    struct message error;

    CHECK(client->n_heard < MAX_HEARD);
    CHECK_EQ(client->close_code, 0);
    if (message_parse(&client->heard[client->n_heard], json, len, &error) < 0)
        printf("# cannot read: %s: %s\n", error.text, json);
    else
        client->n_heard++;
}

static inline void close_client(void *peer, uint16_t code, const char *reason)
{
    struct client *client = peer;

    (void)reason;
    client->close_code = code;
}

static inline void ping_client(void *peer, uint64_t number)
{
    struct client *client = peer;

    client->pinged = number;
}

static inline void adopt(void *peer, struct session *session)
{
    struct client *client = peer;

    client->session = session;
}

static const struct session_sink sink = {
    .send = hear, .close = close_client, .ping = ping_client, .adopt = adopt};

static inline void drop_mails(void)
{
    while (n_mails > 0)
        mail_free(mails[--n_mails]);
}

static inline void end(void)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i].session = session_free(clients[i].session, now_us);
        for (size_t j = 0; j < clients[i].n_heard; j++)
            message_done(&clients[i].heard[j]);
    }
    drop_mails();
    host.directory = directory_free(host.directory);
    host.calls = direct_calls_free(host.calls);
}

static inline void make(void)
{
    static const struct directory_handler handler = {.deliver = session_deliver};
    struct directory_limits limits;

    limits = (struct directory_limits){config.max_rooms, config.max_participants,
                                       config.max_participants_per_room, config.room_spread};
    now_us = SECOND;
    memset(clients, 0, sizeof(clients));
    n_mails = 0;
    host = (struct session_host){.config = &config, .post = keep_mail, .describe = describe};
    CHECK_EQ(directory_new(&host.directory, &limits, n_workers, &handler), 0);
    CHECK_EQ(direct_calls_new(&host.calls), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *client = &clients[i];

        CHECK_EQ(session_new(&client->session, &host, SESSION_WEBSOCKET, &sink, client, now_us), 0);
    }
}

static inline void begin(void)
{
    config_init(&config);
    log_set_level(LOG_ERROR);
    make();
}

static inline void say_text(struct client *client, const char *json)
{
    struct session *before = client->session;

    session_receive(before, json, strlen(json), now_us);
    if (client->session != before)
        session_free(before, now_us);
}

static inline void say(struct client *client, const struct message *m)
{
    struct text json;

    text_init(&json, MESSAGE_MAX_BYTES);
    CHECK_EQ(message_write(&json, m), 0);
    say_text(client, text_str(&json));
    text_done(&json);
}

/* @return the next thing the client heard; NULL: nothing more */
static inline const struct message *next(struct client *client)
{
    return client->n_read < client->n_heard ? &client->heard[client->n_read++] : NULL;
}

static inline const struct message *expect(struct client *client, enum message_type type)
{
    const struct message *m = next(client);

    CHECK(m);
    CHECK_STR(message_type_name(m->type), message_type_name(type));
    return m;
}

static inline void expect_error(struct client *client, uint64_t re, const char *code)
{
    const struct message *m = expect(client, MESSAGE_ERROR);

    CHECK_STR(m->code, code);
    CHECK_EQ(m->id, re);
    CHECK(m->text[0]);
    CHECK(!next(client));
}

static inline struct message join_of(const char *room, const char *name, const char *lines)
{
    struct message m = {.type = MESSAGE_JOIN, .id = 1, .sdp = test_offer_make(lines, 1)};

    (void)snprintf(m.room, sizeof(m.room), "%s", room);
    (void)snprintf(m.name, sizeof(m.name), "%s", name);
    return m;
}

static inline void say_join(struct client *client, const char *room, const char *name,
                            const char *lines)
{
    struct message m = join_of(room, name, lines);

    say(client, &m);
    message_done(&m);
}

static inline const struct message *join(struct client *client, const char *room, const char *name,
                                         const char *lines)
{
    say_join(client, room, name, lines);
    return expect(client, MESSAGE_JOINED);
}

static inline struct mail_join *mail_join_at(size_t i, enum mail_type type)
{
    CHECK(i < n_mails);
    CHECK_EQ(mails[i]->type, type);
    return CONTAINER_OF(mails[i], struct mail_join, mail);
}

/* What the worker says of the media. */
static inline void report(struct client *client, enum peer_state state)
{
    struct mail_state mail = {.mail = {.type = MAIL_STATE}, .state = state, .reason = "why"};

    mail.participant = session_participant(client->session);
    session_mail(client->session, &mail.mail, now_us);
}

#endif
