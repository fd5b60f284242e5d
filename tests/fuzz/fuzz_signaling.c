/* What four clients say, in any order, to sessions of a server whose workers are a hole. A line is
 * a word of one of them: its first byte says whose (the lower two bits) and what, the rest is JSON.
 *
 *   0..3  a frame        4..7  the WebSocket is lost     8..;  another one is opened
 *   @..C  media ends     D..G  all has arrived           H..K  it is closed on purpose
 *   t     a second passes                                T     a minute
 *
 * In the JSON %av% is an offer with such m-lines. Of what client 0 to 3 was told last, #0 is its
 * session and token as {"session":"...","token":"..."} without the braces, ^0 its participant, ~0
 * its first track, and !0 its call.
 */
#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/text.h"
#include "sfu/config.h"
#include "sfu/direct_call.h"
#include "sfu/direct_request.h"
#include "sfu/directory.h"
#include "sfu/limits.h"
#include "sfu/mail.h"
#include "sfu/session.h"
#include "sfu/session_limits.h"
#include "signaling/json_text.h"
#include "tests/test_offer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CLIENTS = 4,
    WORKERS = 2,
    MAX_LINES = 200,
    MAX_LINE = 16 * 1024,
    MAX_M_LINES = 12,
    MAX_TEXT = 1024 * 1024,
};

/** A WebSocket. */
struct channel {
    struct session *session; /* NULL: closed, or it was replaced */
    uint64_t seq;            /* of the last event */
    uint32_t participant, track, call;
    struct message_session known;
    bool closing;
};

static struct config config;
static struct session_host host;
static struct channel channels[CLIENTS];
static struct list sessions;
static int64_t now_us;

static void post(void *owner, uint32_t worker, struct mail *mail)
{
    (void)owner;
    assert(worker < WORKERS);
    mail_free(mail);
}

static void describe(void *owner, uint32_t worker, struct negotiation_local *ret)
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

/* Everything that a client is told can be read, and nothing comes after the end. */
static void hear(void *peer, const char *json, size_t len)
{
    struct channel *c = peer;
    struct message m, error;

    assert(!c->closing);
    assert(message_parse(&m, json, len, &error) == 0);
    assert(m.type != MESSAGE_UNKNOWN);
    if (m.type == MESSAGE_JOINED) {
        c->known = m.session;
        c->participant = m.you;
    }
    if (m.n_tracks > 0)
        c->track = m.tracks[0].id;
    if (m.call.id > 0)
        c->call = m.call.id;
    if (m.seq > 0)
        c->seq = m.seq;
    message_done(&m);
}

static void close_channel(void *peer, uint16_t code, const char *reason)
{
    struct channel *c = peer;

    assert(code >= 1000 && reason);
    c->closing = true;
}

static void ping(void *peer, uint64_t number)
{
    (void)peer;
    (void)number;
}

static void adopt(void *peer, struct session *session)
{
    struct channel *c = peer;

    c->session = session;
}

static const struct session_sink sink = {
    .send = hear, .close = close_channel, .ping = ping, .adopt = adopt};

static void lose(struct channel *c, bool on_purpose)
{
    struct session *session = c->session;

    c->session = NULL;
    if (session && !session_detach(session, on_purpose, now_us))
        session_free(session, now_us);
}

static void open_again(struct channel *c)
{
    lose(c, false);
    c->closing = false;
    if (session_new(&c->session, &host, SESSION_WEBSOCKET, &sink, c, now_us) < 0)
        abort();
    session_limits_set_address(c->session, "192.0.2.1");
    list_append(&sessions, session_link(c->session));
}

static void say(struct channel *c, const char *json, size_t len)
{
    struct session *before = c->session;

    if (!before || c->closing)
        return;
    session_receive(before, json, len, now_us);
    if (c->session != before)
        session_free(before, now_us);
}

/* @return what follows the placeholder; NULL: it is none */
static const char *append_offer(struct text *out, const char *at)
{
    size_t len = strspn(at + 1, "aAvV-");
    char lines[MAX_M_LINES + 1] = "";
    char *offer;

    if (len > MAX_M_LINES || at[1 + len] != '%')
        return NULL;
    memcpy(lines, at + 1, len);
    offer = test_offer_make(lines, 1);
    json_append_string(out, offer);
    free(offer);
    return at + len + 2;
}

/* @return false: `what` is no placeholder */
static bool append_known(struct text *out, char what, const struct channel *c)
{
    if (what == '#') {
        text_append(out, "\"session\":");
        json_append_string(out, c->known.id);
        text_append(out, ",\"token\":");
        json_append_string(out, c->known.token);
    } else if (what == '^') {
        text_printf(out, "\"p-%08" PRIx32 "\"", c->participant);
    } else if (what == '~') {
        text_printf(out, "\"t-%08" PRIx32 "\"", c->track);
    } else if (what == '!') {
        text_printf(out, "\"c-%08" PRIx32 "\"", c->call);
    }
    return what == '#' || what == '^' || what == '~' || what == '!';
}

/* Fill in the placeholders of `line`. */
static void expand(struct text *out, const char *line)
{
    while (*line) {
        const char *next = *line == '%' ? append_offer(out, line) : NULL;

        if (!next && line[1] >= '0' && line[1] < '0' + CLIENTS &&
            append_known(out, *line, &channels[line[1] - '0']))
            next = line + 2;
        if (!next) {
            text_append_n(out, line, 1);
            next = line + 1;
        }
        line = next;
    }
}

static void say_line(struct channel *c, const char *line)
{
    struct text json;

    text_init(&json, MAX_TEXT);
    expand(&json, line);
    if (text_ok(&json))
        say(c, text_str(&json), json.len);
    text_done(&json);
}

static void end_media(struct channel *c)
{
    struct mail_state mail = {.mail = {.type = MAIL_STATE}, .state = PEER_CONSENT_LOST};

    if (!c->session)
        return;
    mail.participant = session_participant(c->session);
    session_mail(c->session, &mail.mail, now_us);
}

static void pass(int64_t us)
{
    now_us += us;
    direct_request_expire(&host, now_us);
    LIST_FOREACH_SAFE(link, &sessions) {
        struct session *session = session_of_link(link);

        if (session_advance(session, now_us))
            session_free(session, now_us);
    }
}

static void run_line(const char *line)
{
    struct channel *c = &channels[line[0] & 3];

    if (line[0] == 't' || line[0] == 'T')
        pass(line[0] == 't' ? SECOND : 60 * SECOND);
    else if (line[0] >= '0' && line[0] <= '3')
        say_line(c, line + 1);
    else if (line[0] >= '4' && line[0] <= '7')
        lose(c, false);
    else if (line[0] >= '8' && line[0] <= ';')
        open_again(c);
    else if (line[0] >= '@' && line[0] <= 'C')
        end_media(c);
    else if (line[0] >= 'D' && line[0] <= 'G' && c->session)
        session_confirm(c->session, c->seq);
    else if (line[0] >= 'H' && line[0] <= 'K')
        lose(c, true);
}

static void begin(void)
{
    static const struct directory_handler handler = {.deliver = session_deliver};
    struct directory_limits limits;

    log_set_level(LOG_ERROR);
    config_init(&config);
    config.max_participants = 8;
    config.max_rooms = 3;
    config.max_participants_per_room = 3;
    config.room_spread = 2;
    limits = (struct directory_limits){config.max_rooms, config.max_participants,
                                       config.max_participants_per_room, config.room_spread};
    now_us = SECOND;
    list_init(&sessions);
    memset(channels, 0, sizeof(channels));
    host = (struct session_host){.config = &config, .post = post, .describe = describe};
    if (directory_new(&host.directory, &limits, WORKERS, &handler) < 0 ||
        direct_calls_new(&host.calls) < 0)
        abort();
    for (size_t i = 0; i < CLIENTS; i++)
        open_again(&channels[i]);
}

static void end(void)
{
    for (size_t i = 0; i < CLIENTS; i++)
        lose(&channels[i], true);
    LIST_FOREACH_SAFE(link, &sessions) {
        session_free(session_of_link(link), now_us);
    }
    assert(directory_participants(host.directory) == 0 && directory_rooms(host.directory) == 0);
    assert(direct_calls_count(host.calls) == 0);
    direct_calls_free(host.calls);
    directory_free(host.directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char line[MAX_LINE + 1];

    begin();
    for (int i = 0; i < MAX_LINES && size > 0; i++) {
        const uint8_t *newline = memchr(data, '\n', size);
        size_t len = newline ? (size_t)(newline - data) : size;
        size_t used = newline ? len + 1 : len;

        if (len > MAX_LINE)
            len = MAX_LINE;
        memcpy(line, data, len);
        line[len] = '\0';
        run_line(line);
        data += used;
        size -= used;
    }
    end();
    return 0;
}
