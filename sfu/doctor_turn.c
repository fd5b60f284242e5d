#include "sfu/doctor.h"

#include "media/address.h"
#include "media/base/clock.h"
#include "media/base/random.h"
#include "sfu/candidates.h"
#include "sfu/config.h"
#include "sfu/doctor_wire.h"
#include "sfu/ice_servers.h"
#include "signaling/turn_credentials.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/* Every relay as a client uses it: connect, allocate, permit, a datagram to us and back. */

enum {
    ANSWER_MS = 5000, /* for each request */
    REPEAT_MS = 500,  /* over UDP, ask again */
    ECHO_MS = 3000,   /* for the datagram's way here and back */
    GLANCE_MS = 2,    /* both ends are looked at in turn */
    PROBE_BYTES = 32,
};

/* One try. */
struct trial {
    struct doctor *d;
    const struct ice_server *server;
    const char *topic;
    struct doctor_wire *wire;
    struct turn_client *client;
    int echo_fd;        /* where the relay is to send to */
    bool echo_is_media; /* it has the number of our UDP port */
    bool allocated;
    bool arrived;                 /* something came there */
    struct sockaddr_storage peer; /* as the relay is told of it */
    struct turn_news news;
    int64_t rtt_us;
};

static void say_fail(struct trial *t, const char *remedy, const char *what, const char *why)
{
    doctor_say(t->d, DOCTOR_FAIL, t->topic, remedy, "%s: %s%s%s", t->server->text, what,
               why[0] ? ": " : "", why);
}

/* Send a request, again where it may get lost, until something answers it.
 * @return TURN_IGNORED: nothing did */
static enum turn_event ask(struct trial *t, const uint8_t *request, size_t len)
{
    int64_t end_us = clock_now_us() + ANSWER_MS * MS;
    int64_t next_us = 0;
    uint8_t answer[TURN_MESSAGE_MAX];

    while (clock_now_us() < end_us) {
        enum turn_event event = TURN_IGNORED;
        int got;

        if (clock_now_us() >= next_us) {
            if (doctor_wire_send(t->wire, request, len) < 0)
                return TURN_IGNORED;
            next_us = doctor_wire_is_lossy(t->wire) ? clock_now_us() + REPEAT_MS * MS : end_us;
        }
        got = doctor_wire_receive(t->wire, answer, REPEAT_MS);
        if (got > 0)
            event = turn_client_receive(t->client, answer, (size_t)got, &t->news);
        else if (got != -ETIMEDOUT && got != -ECONNREFUSED)
            return TURN_IGNORED;
        if (event != TURN_IGNORED && event != TURN_DATA)
            return event;
    }
    return TURN_IGNORED;
}

static const char *remedy_of(int code)
{
    switch (code) {
    case 401:
        return "turn_secret must be coturn's static-auth-secret, with use-auth-secret; are the "
               "clocks of both machines right?";
    case 403:
        return "this machine is among coturn's denied-peer-ip: add allowed-peer-ip=ADDRESS";
    case 486:
        return "raise coturn's user-quota or total-quota";
    case 508:
        return "no relay port is free: widen coturn's min-port and max-port";
    default:
        return "coturn's log says more (verbose)";
    }
}

/* @return true if `event` is what was wanted; else it has been told */
static bool expect(struct trial *t, enum turn_event event, enum turn_event wanted, const char *what)
{
    char why[TURN_REASON_MAX + 16];

    if (event == wanted)
        return true;
    if (event != TURN_REFUSED) {
        say_fail(t, "is it a TURN server, and is its port let through the firewalls on the way?",
                 what, "it does not answer");
        return false;
    }
    (void)snprintf(why, sizeof(why), "%d %s", t->news.code, t->news.reason);
    say_fail(t, remedy_of(t->news.code), what, why);
    return false;
}

static bool connect_relay(struct trial *t)
{
    struct doctor_trust trust = {.ca_file = t->d->ca_file, .insecure = t->d->insecure};
    char error[DOCTOR_WIRE_ERROR_MAX + 1];
    char address[64];

    if (ice_url_resolve(&t->server->url, address, sizeof(address)) < 0) {
        say_fail(t, "correct the name, or add it to the DNS", "there is no such host", "");
        return false;
    }
    if (doctor_wire_open(&t->wire, &t->server->url, address, &trust, error) < 0) {
        say_fail(t,
                 t->server->url.kind == ICE_URL_TURN_TLS
                     ? "does coturn listen there (tls-listening-port, cert, pkey), and is the "
                       "certificate for this name? --ca FILE for an authority of your own"
                     : "does coturn listen there, and do firewalls let it through?",
                 "no connection", error);
        return false;
    }
    return true;
}

static bool allocate(struct trial *t)
{
    uint8_t request[TURN_MESSAGE_MAX];
    enum turn_event event = TURN_CHALLENGED;

    /* Realm and nonce, then the password, then perhaps a nonce that was too old. */
    for (int i = 0; i < 3 && event == TURN_CHALLENGED; i++)
        event = ask(t, request, turn_client_allocate(t->client, request));
    t->allocated = event == TURN_ALLOCATED;
    return expect(t, event, TURN_ALLOCATED, "no allocation");
}

/* Which address clients, and so relays, are told: the first IPv4 one to advertise, or the one we
 * reach the relay from. */
static bool choose_peer(struct trial *t)
{
    struct sockaddr_in *peer = (struct sockaddr_in *)&t->peer;
    struct candidates all = {0};

    candidates_gather(&all, t->d->config);
    t->peer = (struct sockaddr_storage){.ss_family = AF_INET};
    for (uint32_t i = 0; i < all.n && t->d->config->advertise.n > 0; i++) {
        if (inet_pton(AF_INET, all.addresses[i].text, &peer->sin_addr) == 1)
            return true;
    }
    if (doctor_wire_local(t->wire, &t->peer) < 0)
        return false;
    address_unmap(&t->peer);
    return t->peer.ss_family == AF_INET;
}

/* @param port  0: any. @return false: it is in use */
static bool bind_echo(struct trial *t, uint16_t port)
{
    struct sockaddr_in own = *(const struct sockaddr_in *)&t->peer;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};

    /* Answers must leave from the address that was permitted, if it is one of this machine. */
    own.sin_port = any.sin_port;
    return bind(t->echo_fd, (struct sockaddr *)&own, sizeof(own)) == 0 ||
           bind(t->echo_fd, (struct sockaddr *)&any, sizeof(any)) == 0;
}

/* A socket for the relay to send to: on our media port if that is free, else on any. */
static bool open_echo(struct trial *t)
{
    uint16_t media_port = (uint16_t)t->d->config->udp_port;
    struct sockaddr_in bound = {0};
    socklen_t len = sizeof(bound);

    t->echo_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (t->echo_fd < 0)
        return false;
    t->echo_is_media = media_port > 0 && bind_echo(t, media_port);
    if (!t->echo_is_media && !bind_echo(t, 0))
        return false;
    if (getsockname(t->echo_fd, (struct sockaddr *)&bound, &len) < 0)
        return false;
    ((struct sockaddr_in *)&t->peer)->sin_port = bound.sin_port;
    return true;
}

static bool permit(struct trial *t)
{
    uint8_t request[TURN_MESSAGE_MAX];
    size_t len = turn_client_permit(t->client, &t->peer, request);
    char what[ADDRESS_TEXT_MAX + 32];
    char peer[ADDRESS_TEXT_MAX];

    (void)snprintf(what, sizeof(what), "no permission for %s", address_text(&t->peer, peer));
    return expect(t, ask(t, request, len), TURN_PERMITTED, what);
}

/* Send back what has come. */
static void echo(struct trial *t)
{
    struct sockaddr_storage from;
    socklen_t from_len = sizeof(from);
    uint8_t data[PROBE_BYTES];
    ssize_t len = recvfrom(t->echo_fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from,
                           &from_len);

    if (len != PROBE_BYTES)
        return;
    t->arrived = true;
    (void)sendto(t->echo_fd, data, PROBE_BYTES, 0, (struct sockaddr *)&from, from_len);
}

/* @return true once the datagram has come back */
static bool relay_probe(struct trial *t)
{
    uint8_t probe[PROBE_BYTES];
    uint8_t message[TURN_MESSAGE_MAX];
    size_t len;
    int64_t end_us = clock_now_us() + ECHO_MS * MS;
    int64_t sent_us = 0;

    random_bytes(probe, sizeof(probe));
    len = turn_client_send(t->client, &t->peer, probe, sizeof(probe), message);
    while (len > 0 && clock_now_us() < end_us) {
        uint8_t answer[TURN_MESSAGE_MAX];
        int got;

        if (clock_now_us() - sent_us >= REPEAT_MS * MS) {
            sent_us = clock_now_us();
            if (doctor_wire_send(t->wire, message, len) < 0)
                return false;
        }
        echo(t);
        got = doctor_wire_receive(t->wire, answer, GLANCE_MS);
        if (got <= 0 ||
            turn_client_receive(t->client, answer, (size_t)got, &t->news) != TURN_DATA ||
            t->news.len != PROBE_BYTES || memcmp(t->news.data, probe, PROBE_BYTES) != 0)
            continue;
        t->rtt_us = clock_now_us() - sent_us;
        return true;
    }
    return false;
}

static void say_lost(struct trial *t)
{
    char peer[ADDRESS_TEXT_MAX];

    if (t->arrived) {
        doctor_say(t->d, DOCTOR_FAIL, t->topic,
                   "let UDP to coturn's min-port..max-port in at the relay's firewall; is its "
                   "external-ip right?",
                   "%s: a datagram came here through it, but the answer does not come back",
                   t->server->text);
    } else {
        doctor_say(
            t->d, t->echo_is_media ? DOCTOR_FAIL : DOCTOR_WARN, t->topic,
            t->echo_is_media
                ? "let UDP to the media ports in, from the relay too; is advertise right?"
                : "if only the media ports are open, stop sluice and look again: then one of "
                  "them is used",
            "%s: allocated and permitted, but no datagram to %s comes here", t->server->text,
            address_text(&t->peer, peer));
    }
}

static void try_relay(struct trial *t)
{
    char relayed[ADDRESS_TEXT_MAX];

    if (!connect_relay(t) || !allocate(t))
        return;
    (void)address_text(&t->news.relayed, relayed);
    if (!choose_peer(t) || !open_echo(t)) {
        doctor_say(t->d, DOCTOR_WARN, t->topic, NULL,
                   "%s: allocated %s; this machine has no IPv4 address to relay to",
                   t->server->text, relayed);
        return;
    }
    if (!permit(t))
        return;
    if (!relay_probe(t)) {
        say_lost(t);
        return;
    }
    doctor_say(t->d, DOCTOR_OK, t->topic, NULL, "%s relays from %s, %.1f ms here and back",
               t->server->text, relayed, (double)t->rtt_us / (double)MS);
}

static void end_trial(struct trial *t)
{
    uint8_t request[TURN_MESSAGE_MAX];

    if (t->allocated) /* else it would be kept for ten minutes */
        (void)ask(t, request, turn_client_release(t->client, request));
    turn_client_free(t->client);
    doctor_wire_free(t->wire);
    if (t->echo_fd >= 0)
        (void)close(t->echo_fd);
}

static void check_relay(struct doctor *d, const struct ice_server *server)
{
    const struct config *c = d->config;
    int64_t now_s = clock_wall_us() / SECOND;
    struct trial t = {
        .d = d, .server = server, .topic = ice_url_kind_name(server->url.kind), .echo_fd = -1};
    struct turn_credentials made = {0};
    bool fixed = server->user[0] != '\0';

    if (!fixed && turn_credentials_make(&made, c->turn_secret, "doctor", now_s + c->turn_ttl_s) < 0)
        return;
    if (turn_client_new(&t.client, fixed ? server->user : made.username,
                        fixed ? server->password : made.credential) == 0)
        try_relay(&t);
    end_trial(&t);
}

void doctor_check_turn(struct doctor *d)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < d->config->ice_servers.n; i++) {
        struct ice_server server;

        if (ice_server_parse(&server, d->config->ice_servers.text[i]) < 0 ||
            server.url.kind == ICE_URL_STUN)
            continue;
        check_relay(d, &server);
        n++;
    }
    if (n == 0) {
        doctor_say(
            d, DOCTOR_WARN, "TURN", "see docs/TURN.md",
            "ice_servers names none: who has neither UDP nor TCP to this server cannot call");
    }
}
